"""Embed intents -> plan nodes: one per relationship that is named, each planned like a read of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.catalog.kinds import ValueFormat
from gateway.catalog.reflected import ReflectedForeignKey
from gateway.errors import GatewayError, RequestError
from gateway.query.access import Access, Grant
from gateway.query.aggregates import plan_groups
from gateway.query.embeds import DEFAULT_LIMIT
from gateway.query.intent import AggregateIntent, ConditionIntent, EmbedIntent, OrderIntent, ReadIntent
from gateway.query.plan import AggregatePlan, Embed, ReadPlan
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.reach import fields_of
from tests.support.asking import ALL, READ, ask, ask_any, ask_groups, context_of, crm, granted, refused
from tests.support.catalogs import make_catalog, reflected
from tests.support.plans import condition_text, read_text

CRM = crm()


def tree(plan: ReadPlan | AggregatePlan) -> dict[str, object]:
    """Return the names of a plan's embeds, each with those inside it."""
    return {embed.name: tree(embed.plan) for embed in plan.embeds}


def embed_of(target: str, *names: str, access: Access = ALL) -> Embed:
    """Return one embed of a read, by the names that lead to it."""
    embeds = ask_any(CRM, target, access).plan.embeds
    for name in names[:-1]:
        embeds = next(embed.plan.embeds for embed in embeds if embed.name == name)
    return next(embed for embed in embeds if embed.name == names[-1])


def fields(embed: Embed) -> list[str]:
    return [field.name for field in embed.plan.fields]


# The tree


def test_each_relationship_is_a_node() -> None:
    """In the order they were first named; a path includes each of its parts."""
    target = "invoices?include=client.contracts,items,client.primary_contact,payments"

    assert tree(ask(CRM, target).plan) == {
        "client": {"contracts": {}, "primary_contact": {}},
        "items": {},
        "payments": {},
    }


def test_naming_a_part_of_a_path_adds_nothing() -> None:
    """Whichever comes first: equal questions are equal plans."""
    one, other = ask(CRM, "invoices?include=client,client.contracts"), ask(CRM, "invoices?include=client.contracts")

    assert (one.plan, one.values) == (other.plan, other.values)


def test_embeds_come_with_lists_rows_and_relationships() -> None:
    """A single row with embeds has no tag: it would not tell whether they are still the same."""
    assert tree(ask(CRM, "invoices/1?include=client").plan) == {"client": {}}
    assert tree(ask(CRM, "clients/1/invoices?include=items").plan) == {"items": {}}
    assert tree(ask(CRM, "invoices/1/client?include=contacts").plan) == {"contacts": {}}
    assert ask(CRM, "invoices/1?include=client").plan.is_tagged
    assert ask(CRM, "invoices/1").plan.is_tagged


def test_what_is_counted_embeds_nothing() -> None:
    """A count is that of the rows."""
    planned = ask(CRM, "invoices?include=items")

    assert planned.count is not None
    assert planned.count.embeds == ()


# A node


def test_a_row_that_comes_along_has_its_own_columns() -> None:
    """Derived fields only when they are named, custom ones and a star as on a list."""
    assert fields(embed_of("invoices?include=client", "client")) == [
        column.name for column in CRM.resources["clients"].columns
    ]
    assert fields(embed_of("invoices?include=client&fields[client]=company,email", "client")) == ["company", "email"]
    assert fields(embed_of("invoices?include=client.contacts&fields[client.contacts]=email", "client", "contacts")) == [
        "email"
    ]


def test_labels_hold_for_every_row() -> None:
    """As they are asked for of the whole reply."""
    target = "clients?include=invoices&fields[invoices]=id,status&labels=true"

    assert fields(embed_of(target, "invoices")) == ["id", "status", "status_label"]


def test_the_form_of_values_holds_for_every_row() -> None:
    """Of all embeds, however deep."""
    embed = embed_of("clients?include=invoices.payments&decimals=string", "invoices", "payments")

    assert embed.plan.format.are_decimals_text


def test_rows_of_a_to_many_are_limited_per_parent() -> None:
    """One more is read than shown, which tells whether there are more."""
    for target, due in (
        ("invoices?include=items", DEFAULT_LIMIT),
        ("invoices?include[items][limit]=1", 1),
        ("invoices?include[items][limit]=1000", 1000),
    ):
        limit = embed_of(target, "items").plan.limit
        assert limit is not None
        assert ask(CRM, target).values[limit] == due + 1


def nested(**options: Any) -> PlannedRead:
    """Return the plan of invoices with lines of theirs."""
    embeds = (EmbedIntent(("items",), start="items.offset", **options),)
    return plan_read(context_of(CRM), ReadIntent("invoices", embeds=embeds))


def test_rows_of_a_to_many_may_begin_later() -> None:
    """An offset has a slot of its own; none is the plan that there is without."""
    planned = nested(offset=40, limit=2)
    plan = planned.plan.embeds[0].plan

    assert plan.offset is not None
    assert planned.values[plan.offset] == 40
    assert nested(offset=0, limit=2) == nested(limit=2)
    assert nested(limit=2).plan.embeds[0].plan.offset is None


@pytest.mark.parametrize("offset", [-1, 100_000_001])
def test_an_offset_that_cannot_be_is_refused(offset: int) -> None:
    """Where it stands."""
    with pytest.raises(RequestError) as caught:
        nested(offset=offset)

    assert (caught.value.code, caught.value.issues[0].parameter) == ("page_invalid", "items.offset")


def test_one_row_has_no_offset() -> None:
    """As it has no limit."""
    with pytest.raises(RequestError) as caught:
        plan_read(context_of(CRM), ReadIntent("invoices", embeds=(EmbedIntent(("client",), offset=1),)))

    assert (caught.value.code, caught.value.issues[0].parameter) == ("parameter_invalid", "include[client][offset]")


def test_an_export_brings_all_rows_along() -> None:
    """Unless a limit is named."""
    embeds = (EmbedIntent(("items",)), EmbedIntent(("payments",), limit=3))
    planned = plan_read(context_of(CRM), ReadIntent("invoices", embeds=embeds, are_embeds_whole=True))
    items, payments = planned.plan.embeds

    assert items.plan.limit is None
    assert payments.plan.limit is not None


def test_a_to_one_has_no_limit() -> None:
    """A picked one has an order all the same: its first row is meant."""
    for name in ("client", "client.primary_contact"):
        embed = embed_of(f"invoices?include={name}", *name.split("."))
        assert embed.plan.limit is None
        assert [key.field.name for key in embed.plan.order] == [embed.plan.table.key[0].name]


def test_an_embed_filters_and_sorts_its_own_rows() -> None:
    """By its own fields and through its own relationships; the key comes last."""
    target = (
        "invoices?include[payments][filter][amount.gt]=0&include[payments][filter][payment_mode.name]=Bank"
        "&include[payments][sort]=-date"
    )
    plan = embed_of(target, "payments").plan

    assert condition_text(plan.condition).splitlines() == [
        "all of",
        "  amount > $2",
        "  payment_mode.name = $3",
    ]
    assert [(key.field.name, key.is_descending) for key in plan.order] == [("date", True), ("id", False)]


def test_a_to_one_may_be_filtered() -> None:
    """A row that does not meet it is as good as none; the rows that refer to it stay."""
    planned = ask(CRM, "invoices?include[client][filter][city]=x")

    assert condition_text(planned.plan.condition) == "all rows\n"
    assert condition_text(planned.plan.embeds[0].plan.condition) == "all of\n  city = $2\n"


def test_questions_with_other_values_are_one_plan() -> None:
    """Limits and operands stand in slots."""
    one = ask(CRM, "invoices?include[payments][limit]=2&include[payments][filter][amount.gt]=1")
    other = ask(CRM, "invoices?include[payments][limit]=9&include[payments][filter][amount.gt]=7")

    assert one.plan == other.plan
    assert one.values != other.values


# Access


def test_a_row_filter_holds_for_the_rows_that_come_along() -> None:
    """And for those of the tables that their filters enter."""
    own = Grant(READ, row_filter=(ConditionIntent(("country",), "5", "row filter"),))
    access = Access("own", {"*": Grant(READ), "clients": own})
    shown = embed_of("invoices?include=client", "client", access=access).plan
    entered = embed_of("invoices?include[payments][filter][invoice.client.city]=x", "payments", access=access).plan

    assert condition_text(shown.condition).splitlines()[:2] == ["all of", "  granted"]
    assert [field.name for field in fields_of(shown.condition)] == ["country"]
    assert [table.name for table, _ in entered.filters] == ["tblclients"]


def test_rows_that_come_along_need_a_grant() -> None:
    """Which the error names, on the way to others too."""
    some = granted(invoices=Grant(READ), contacts=Grant(READ))
    for target in ("invoices?include=client", "invoices?include=client.contacts"):
        assert refused(CRM, target, some).detail == "The token lacks the grant clients:read."


def test_unreadable_columns_do_not_come_along() -> None:
    """Named, they are unknown; the error says of which embed."""
    some = granted(invoices=Grant(READ), clients=Grant(READ, readable=frozenset({"userid", "company"})))

    assert fields(embed_of("invoices?include=client", "client", access=some)) == ["userid", "company"]
    error = refused(CRM, "invoices?include=client&fields[client]=vat", some)
    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter) == ("field_unknown", "fields[client]")


def test_a_field_of_an_embed_may_look_at_the_day() -> None:
    """Its plan has the slot, and the values do not last."""
    planned = ask(CRM, "clients?include=invoices&fields[invoices]=is_overdue")

    assert planned.plan.today is None
    assert planned.plan.embeds[0].plan.today is not None
    assert not planned.is_timeless


# Refusals


@pytest.mark.parametrize(
    ("query", "code", "parameter", "suggestion"),
    [
        ("include=clint", "include_unknown", "include", "client"),
        ("include=client.contcts", "include_unknown", "include", "contacts"),
        ("include=total", "include_unknown", "include", None),
        ("include=client&include[client][limit]=3", "parameter_invalid", "include[client][limit]", None),
        ("include=client&include[client][sort]=city", "parameter_invalid", "include[client][sort]", None),
        ("include[client.primary_contact][sort]=id", "parameter_invalid", None, None),
        ("include[items][limit]=1001", "page_invalid", "include[items][limit]", None),
        ("include[items][sort]=ratee", "field_unknown", "include[items][sort]", "rate"),
        ("include[items][filter][ratee]=1", "field_unknown", "include[items][filter][ratee]", "rate"),
        ("include[items][filter][rate]=x", "operand_invalid", "include[items][filter][rate]", None),
        (f"include={'.'.join(['recurring_parent'] * 6)}", "query_too_large", "include", None),
    ],
)
def test_what_cannot_come_along_is_refused_where_it_stands(
    query: str, code: str, parameter: str | None, suggestion: str | None
) -> None:
    """Nothing of an embed is dropped: a list's option on one row is a mistake."""
    error = refused(CRM, f"invoices?{query}")

    assert isinstance(error, RequestError)
    assert error.code == code
    assert error.issues[0].suggestion == suggestion
    assert parameter is None or error.issues[0].parameter == parameter


def test_a_query_includes_only_so_many_relationships() -> None:
    """Each of them is a statement."""
    error = refused(CRM, "invoices?include=" + ",".join(CRM.resources["invoices"].relationships))

    assert (error.code, error.detail) == ("query_too_large", "A query includes at most 20 relationships.")


def test_a_relationship_that_the_caller_may_not_follow_is_not_suggested() -> None:
    """Nor told apart from one that does not exist."""
    error = refused(CRM, "invoices?include=projct", granted(invoices=Grant(READ)))
    assert isinstance(error, RequestError)

    assert error.issues[0].suggestion is None


# Rows that groups are keyed by


def test_a_grouped_relationship_brings_its_row_along() -> None:
    """By the key that the group has, under the words of the group."""
    planned = ask_groups(CRM, "payments?group=invoice.client&fields[invoice.client]=company")
    (embed,) = planned.plan.embeds

    assert (embed.name, embed.is_keyed, fields(embed)) == ("invoice.client", True, ["company"])
    assert embed.relationship is CRM.resources["invoices"].relationships["client"]


def test_what_a_grouped_row_includes_begins_with_its_words() -> None:
    """Any other path belongs to no group."""
    planned = ask_groups(CRM, "payments?group=invoice.client,invoice&include=invoice.client.contracts,invoice.items")

    assert tree(planned.plan) == {"invoice.client": {"contracts": {}}, "invoice": {"items": {}}}
    for include, group in (("client", "status"), ("items", "client"), ("client", "client.country")):
        error = refused(CRM, f"invoices?group={group}&include={include}")
        assert (error.code, error.detail) == (
            "include_unknown",
            f"{include} belongs to no group: group by the relationship it begins with.",
        )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("include[client][filter][city]=x", "filter_syntax"),
        ("include[client][sort]=city", "parameter_invalid"),
        ("include[client][limit]=1", "parameter_invalid"),
        ("fields[client]=ctiy", "field_unknown"),
        ("include=client.nothing", "include_unknown"),
    ],
)
def test_the_row_of_a_group_is_one_row(query: str, code: str) -> None:
    """Rows are filtered before they are grouped, and sorted by the groups."""
    assert refused(CRM, f"invoices?group=client&{query}").code == code


def test_a_plan_with_embeds_can_be_read() -> None:
    """Node by node, as the golden cases show it."""
    text = read_text(ask(CRM, "invoices?fields=id&include[items][limit]=2&fields[items]=rate"))

    assert text.splitlines()[7:13] == [
        "  embed items: rows of items",
        "    tblitemable",
        "    fields rate",
        "    all rows",
        "    order id",
        "    limit $2",
    ]


# Numbers over rows of a to-many


def numbers(*metrics: str, **options: Any) -> EmbedIntent:
    """Return the intent of numbers over the invoices of a client."""
    given: dict[str, Any] = {
        "path": ("invoices_aggregate",),
        "relationship": "invoices",
        "metrics": metrics,
        "parameter": "invoices_aggregate",
    }
    return EmbedIntent(**(given | options))


def clients(*embeds: EmbedIntent, access: Access = ALL, **options: Any) -> PlannedRead:
    """Return the plan of a list of clients."""
    return plan_read(context_of(CRM, access), ReadIntent("clients", embeds=embeds, **options))


def refused_numbers(*embeds: EmbedIntent, access: Access = ALL) -> tuple[str, str | None]:
    """Return the code and the parameter that numbers are refused with."""
    with pytest.raises(GatewayError) as caught:
        clients(*embeds, access=access)
    issue = next(iter(caught.value.issues), None)
    return caught.value.code, issue.parameter if issue is not None else None


def test_numbers_are_a_node_of_their_own() -> None:
    """Their condition, their metrics, and which currency has to be told of."""
    paid = (ConditionIntent(("status",), "2", "filter"),)
    planned = clients(EmbedIntent(("contacts",)), numbers("count", "sum.total", conditions=paid))
    (summary,) = planned.plan.summaries

    assert planned.plan.nodes == (*planned.plan.embeds, summary)
    assert (summary.name, summary.relationship.name) == ("invoices_aggregate", "invoices")
    assert read_text(planned).splitlines()[-13:-7] == [
        "  numbers invoices_aggregate: over the rows of invoices",
        "    tblinvoices",
        "    metrics count, sum.total",
        "    all of",
        "      status = $3",
        "    warns of more than one currency",
    ]
    assert planned.count is not None
    assert planned.count.nodes == ()


def test_without_metrics_the_rows_are_counted() -> None:
    """As of groups."""
    (summary,) = clients(numbers()).plan.summaries

    assert [metric.name for metric in summary.plan.metrics] == ["count"]


def test_numbers_come_along_at_any_depth() -> None:
    """In rows that come along, and in those that groups are keyed by; the way there comes too."""
    (client,) = plan_read(
        context_of(CRM), ReadIntent("invoices", embeds=(numbers("count", path=("client", "numbers")),))
    ).plan.embeds
    grouped = AggregateIntent("payments", groups=("invoice.client",))
    grouped = replace(grouped, embeds=(numbers("count", path=("invoice", "client", "numbers")),))
    (row,) = plan_groups(context_of(CRM), grouped).plan.embeds

    assert [summary.name for summary in client.plan.summaries] == ["numbers"]
    assert [summary.name for summary in row.plan.summaries] == ["numbers"]


def test_one_relationship_may_be_measured_beside_its_rows_and_more_than_once() -> None:
    """Each time under another key, with other conditions."""
    paid = (ConditionIntent(("status",), "2", "filter"),)
    both = (EmbedIntent(("invoices",)), numbers("count"), numbers("count", path=("paid",), conditions=paid))
    plan = clients(*both).plan

    assert [node.name for node in plan.nodes] == ["invoices", "invoices_aggregate", "paid"]


def test_numbers_have_the_values_of_the_read() -> None:
    """Decimals as text where the rows have them so."""
    form = ValueFormat(are_decimals_text=True)
    (summary,) = clients(numbers("sum.total"), format=form).plan.summaries

    assert summary.plan.format == form


def test_equal_numbers_are_equal_plans() -> None:
    """Operands stand in slots."""
    one, other = (clients(numbers(conditions=(ConditionIntent(("status",), value, "filter"),))) for value in "12")

    assert one.plan == other.plan
    assert hash(one.plan) == hash(other.plan)
    assert one.values != other.values


def test_a_row_filter_holds_for_the_rows_that_are_measured() -> None:
    """And for those that a metric or a condition enters on the way."""
    own = Grant(READ, row_filter=(ConditionIntent(("total", "lt"), "9", "row filter"),))
    (summary,) = clients(numbers("count"), access=Access("own", {"*": Grant(READ), "invoices": own})).plan.summaries
    there = Grant(READ, row_filter=(ConditionIntent(("isdefault",), "1", "row filter"),))
    (other,) = clients(
        numbers("max.currency_ref.name"), access=Access("own", {"*": Grant(READ), "currencies": there})
    ).plan.summaries

    assert condition_text(summary.plan.condition).splitlines()[:2] == ["all of", "  granted"]
    assert [table.name for table, _ in other.plan.filters] == ["tblcurrencies"]


def test_a_metric_may_look_at_the_day() -> None:
    """Its plan has the slot, and the values do not last."""
    planned = clients(numbers("sum.is_overdue"))

    assert planned.plan.summaries[0].plan.today is not None
    assert not planned.is_timeless


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"relationship": "primary_contact"}, "metric_invalid"),
        ({"relationship": "made_up"}, "include_unknown"),
        ({"metrics": ("sum.made_up",)}, "field_unknown"),
        ({"metrics": ("sum.clientnote",)}, "metric_invalid"),
        ({"metrics": tuple(f"sum.total{number}" for number in range(21))}, "query_too_large"),
        ({"fields": ("id",)}, "parameter_invalid"),
        ({"order": (OrderIntent("id"),)}, "parameter_invalid"),
        ({"limit": 5}, "parameter_invalid"),
        ({"offset": 1}, "parameter_invalid"),
        ({"takes_labels": True}, "parameter_invalid"),
        ({"is_tagged": True}, "parameter_invalid"),
    ],
)
def test_what_numbers_cannot_be_is_refused_where_it_stands(options: dict[str, Any], code: str) -> None:
    """Numbers are over many rows, and what a list has means nothing of them."""
    assert refused_numbers(numbers(**({"metrics": ("count",)} | options))) == (code, "invoices_aggregate")


def test_nothing_comes_along_with_numbers() -> None:
    """They are no rows."""
    inner = EmbedIntent(("invoices_aggregate", "items"), parameter="items")

    assert refused_numbers(numbers("count"), inner) == ("include_unknown", "items")


def test_the_row_of_a_group_is_not_measured() -> None:
    """The group is."""
    intent = AggregateIntent("invoices", groups=("client",), embeds=(numbers("count", path=("client",)),))
    with pytest.raises(RequestError) as caught:
        plan_groups(context_of(CRM), intent)

    assert caught.value.code == "metric_invalid"


def test_numbers_need_what_rows_need() -> None:
    """A grant on their table, the columns that tie them, and a key of the parent where text ties them."""
    alone = granted(clients=Grant(READ))
    untied = granted(clients=Grant(READ), invoices=Grant(READ, readable=frozenset({"id", "total"})))

    assert refused_numbers(numbers("count"), access=alone) == ("grant_missing", None)
    assert refused_numbers(numbers("count"), access=untied) == ("include_unknown", "invoices_aggregate")


def test_a_parent_without_a_key_has_numbers_only_where_they_are_tied_by_numbers() -> None:
    """As rows come along with it."""
    key = ReflectedForeignKey(("parent",), "parents", ("code",))
    for kind, is_tied in (("int", True), ("varchar(9)", False)):
        parents = reflected("parents", f"code {kind}!", "name varchar(9)", key=(), unique_keys=[("code",)])
        catalog = make_catalog(parents, reflected("children", "id int!", f"parent {kind}", foreign_keys=[key]))
        intent = ReadIntent("parents", embeds=(EmbedIntent(("numbers",), relationship="children", metrics=()),))
        if is_tied:
            assert plan_read(context_of(catalog), intent).plan.summaries
            continue
        with pytest.raises(RequestError) as caught:
            plan_read(context_of(catalog), intent)
        assert caught.value.code == "include_unknown"


def test_numbers_count_as_includes() -> None:
    """Each of them is a statement."""
    many = [numbers("count", path=(f"numbers_{number}",)) for number in range(21)]

    assert clients(*many[:20]).plan.summaries[19].name == "numbers_19"
    assert refused_numbers(*many) == ("query_too_large", "include")
