"""Read intents -> plans, pass by pass; and what holds for every plan."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import date
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.model import Column, Excluded, Table
from gateway.errors import ForbiddenError, GatewayError, MethodError, NotFoundError, RequestError
from gateway.query import (
    access,
    aggregates,
    budget,
    coerce,
    conditions,
    context,
    cursors,
    deletes,
    embeds,
    fields,
    moments,
    orders,
    places,
    planner,
    positions,
    reach,
    resolve,
    writes,
)
from gateway.query.access import Access, Grant, Operation
from gateway.query.coerce import Clock
from gateway.query.context import known_resource
from gateway.query.intent import AggregateIntent, ConditionIntent, Origin, PageIntent, ReadIntent
from gateway.query.plan import And, Compare, Not, Or, Reached, ReadPlan
from gateway.query.planner import DEFAULT_PER_PAGE, LATER_PASSES, PASSES, plan_read, slots_before, values_for_key
from gateway.query.reach import fields_of
from gateway.query.suggest import nearest
from gateway.sql import cache, custom, dialects, edges, groups, periods, read, scope, statement, write
from tests.support.asking import ALL, NOW, READ, ask, context_of, crm, granted, plan_any, refused
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things
from tests.support.plans import read_text

CRM = crm()
UPDATE: frozenset[Operation] = frozenset({"update"})


def names(plan: ReadPlan) -> list[str]:
    return [field.name for field in plan.fields]


def order(plan: ReadPlan) -> list[tuple[str, bool]]:
    return [(key.field.name, key.is_descending) for key in plan.order]


# Fields


def test_without_fields_a_row_holds_its_own_columns() -> None:
    """Derived fields come only when named."""
    plan = ask(CRM, "clients").plan

    assert names(plan) == [column.name for column in CRM.resources["clients"].columns]
    assert "email" not in names(plan)


def test_a_star_stands_for_them() -> None:
    """Named ones are added, each once and where it was named first."""
    assert names(ask(CRM, "clients?fields=email,*,company,email").plan)[:2] == ["email", "userid"]
    assert names(ask(CRM, "clients?fields=company,userid,company").plan) == ["company", "userid"]


def test_a_reply_that_needs_the_key_gets_it() -> None:
    """Whatever was named."""
    assert names(ask(CRM, "clients?fields=company&envelope=false").plan) == ["company", "userid"]
    assert names(ask(CRM, "clients/1/primary_contact?fields=email&envelope=false").plan) == ["email", "id"]


def test_a_key_that_the_caller_may_not_read_comes_to_no_reply() -> None:
    """It is read for the row's position and path, which are made of it where the caller may know them."""
    narrow = granted(clients=Grant(READ, readable=frozenset({"company"})))

    assert names(ask(CRM, "clients", narrow).plan) == ["company"]
    assert names(ask(CRM, "clients?envelope=false", narrow).plan) == ["company"]


@pytest.mark.parametrize(
    "target",
    [
        "clients/1/invoices",
        "invoices/1/agent",
        "invoices?filter[agent.staffid]=4",
        "invoices?sort=agent.staffid",
        "invoices?include=agent",
        "staff?filter[invoices_by_sale_agent.id]=4",
        "staff?include=invoices_by_sale_agent",
    ],
)
def test_a_relationship_by_a_column_that_the_caller_may_not_read_is_none(target: str) -> None:
    """The row at its end would tell the value, as that of a hidden column would."""
    narrow = granted(invoices=Grant(READ, readable=frozenset({"id", "total"})), clients=Grant(READ), staff=Grant(READ))
    made_up = target.replace("invoices_by_sale_agent", "nothing").replace("agent", "nothing")
    made_up = made_up.replace("clients/1/invoices", "clients/1/nothing")

    assert refused(CRM, target, narrow).code == refused(CRM, made_up, narrow).code
    ask(
        CRM,
        target,
        granted(
            invoices=Grant(READ, readable=frozenset({"id", "sale_agent", "clientid"})),
            clients=Grant(READ),
            staff=Grant(READ),
        ),
    )


@pytest.mark.parametrize("field", ["balance", "is_overdue"])
def test_a_derived_field_needs_the_rows_own_columns_in_it(field: str) -> None:
    """The total is what is paid and the balance together; sums alone belong to the row."""
    narrow = granted(invoices=Grant(READ, readable=frozenset({"id"})))

    assert names(ask(CRM, "invoices?fields=id,paid", narrow).plan) == ["id", "paid"]
    assert refused(CRM, f"invoices?fields={field}", narrow).code == "field_unknown"
    assert refused(CRM, f"invoices?filter[{field}]=1", narrow).code == "field_unknown"


@pytest.mark.parametrize(
    "target", ["contacts?fields=password", "contacts?sort=password", "contacts?filter[password]=x"]
)
def test_a_hidden_column_is_as_unknown_as_a_made_up_one(target: str) -> None:
    """Same code, same words but for the name, no suggestion."""
    made_up = target.replace("password", "qqqqqqqq")
    errors = []
    for asked in (target, made_up):
        with pytest.raises(RequestError) as caught:
            ask(CRM, asked)
        assert caught.value.issues[0].suggestion is None
        errors.append((caught.value.code, caught.value.detail.replace("password", "qqqqqqqq")))

    assert errors[0] == errors[1]


def test_an_unreadable_column_is_as_unknown_as_a_hidden_one() -> None:
    """In fields, order, filters and suggestions, through paths too."""
    narrow = granted(
        clients=Grant(READ, readable=frozenset({"userid", "company"})), contacts=Grant(READ, frozenset({"id"}))
    )

    for target in ("clients?fields=vat", "clients?sort=vat", "clients?filter[vat]=1", "clients?fields=email"):
        with pytest.raises(RequestError) as caught:
            ask(CRM, target, narrow)
        assert caught.value.code == "field_unknown"
    with pytest.raises(RequestError) as caught:
        ask(CRM, "clients?fields=phonenumbr", narrow)
    assert caught.value.issues[0].suggestion is None


# Rows


def test_a_row_is_asked_by_its_key_alone() -> None:
    """No order, no limit, no count."""
    planned = ask(CRM, "invoices/42?fields=id")

    assert planned.values == (42,)
    assert (planned.plan.order, planned.plan.limit, planned.count, planned.parent) == ((), None, None, None)


def test_a_composite_key_needs_each_of_its_values() -> None:
    """In the key's order; a comma inside a value is encoded."""
    assert ask(CRM, "taggables/a%2Cb%2Fc,7,9").values == ("a,b/c", 7, 9)
    with pytest.raises(RequestError, match="rel_type,rel_id,tag_id"):
        ask(CRM, "taggables/a,7")
    with pytest.raises(RequestError) as caught:
        ask(CRM, "invoices/4,2")
    assert caught.value.code == "key_invalid"


def test_a_key_of_another_type_is_refused() -> None:
    """The database would match ``1abc`` to 1."""
    with pytest.raises(RequestError) as caught:
        ask(CRM, "invoices/1abc")

    assert caught.value.code == "key_invalid"


def test_a_table_without_a_key_has_no_rows_to_address() -> None:
    """Its list is ordered by every column that sorts."""
    catalog = make_catalog(reflected("log", "at datetime", "text varchar(20)", "data blob", key=()))

    assert order(ask(catalog, "log").plan) == [("at", False), ("text", False)]
    with pytest.raises(MethodError) as caught:
        ask(catalog, "log/1")
    assert caught.value.code == "key_missing"


def test_the_key_of_a_kept_plan_is_exchanged() -> None:
    """The plan stays, the first values change."""
    planned = ask(CRM, "taggables/invoice,7,9")
    clock = Clock(NOW, CRM.zone)

    assert values_for_key(planned, ("lead", "1", "2"), clock, ALL) == ("lead", 1, 2)
    for key in (("lead", "1"), ("lead", "x", "2")):
        with pytest.raises(RequestError) as caught:
            values_for_key(planned, key, clock, ALL)
        assert caught.value.code == "key_invalid"


def test_a_date_word_in_a_key_does_not_last() -> None:
    """The values of such a plan must not be kept."""
    catalog = make_catalog(reflected("days", "day date!", "note text"))

    assert ask(catalog, "days/@today").values == (date(2026, 11, 15),)
    assert not ask(catalog, "days/@today").is_timeless
    assert ask(catalog, "days/2026-01-01").is_timeless


# Relationships


def test_a_to_many_is_a_list_reached_from_its_parent() -> None:
    """With a count, and a plan that tells a missing parent."""
    planned = ask(CRM, "clients/12/invoices?filter[status]=2")

    assert read_text(planned).splitlines()[3:8] == [
        "  all of",
        "    reached from tblclients through invoices",
        "      userid = $0",
        "    status = $1",
        "  order id",
    ]
    assert planned.count is not None
    assert planned.parent is not None
    assert names(planned.parent) == ["userid"]


def test_a_to_one_is_one_row_without_a_count() -> None:
    """A picked one takes the first by key."""
    held, picked = ask(CRM, "invoices/1/client"), ask(CRM, "clients/1/primary_contact")

    assert (held.count, held.plan.order, held.plan.limit) == (None, (), None)
    assert (picked.count, order(picked.plan), picked.values[picked.plan.limit or 0]) == (None, [("id", False)], 1)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("clientz", "resource_unknown"),
        ("options", "resource_unknown"),
        ("clients/1/invoicez", "relationship_unknown"),
        ("clients/1/gdpr_requests/2", "route_unknown"),
        ("clientz/1/invoices", "resource_unknown"),
    ],
)
def test_what_does_not_exist_is_not_found(target: str, code: str) -> None:
    """Internal tables neither."""
    with pytest.raises(NotFoundError) as caught:
        ask(CRM, target)

    assert caught.value.code == code


def test_only_usable_resources_are_suggested() -> None:
    """A suggestion would tell that a table is there."""
    with pytest.raises(NotFoundError, match="Did you mean clients"):
        ask(CRM, "clientz")
    with pytest.raises(NotFoundError) as caught:
        ask(CRM, "clientz", granted(leads=Grant(READ)))
    assert "Did you mean" not in caught.value.detail


@pytest.mark.parametrize(
    ("target", "grant"),
    [("invoices", "invoices:read"), ("clients/1/invoices", "invoices:read"), ("invoices/1/client", "invoices:read")],
)
def test_a_missing_grant_is_named(target: str, grant: str) -> None:
    """Of the table whose rows are asked for, and of the parent."""
    with pytest.raises(ForbiddenError) as caught:
        ask(CRM, target, granted(clients=Grant(READ), leads=Grant(READ)))

    assert caught.value.detail == f"The token lacks the grant {grant}."


def test_an_unknown_resource_differs_from_a_forbidden_one() -> None:
    """Whoever asks what a path takes must have some grant on it."""
    assert known_resource(context_of(CRM), "customers") is CRM.resources["clients"]
    with pytest.raises(NotFoundError):
        known_resource(context_of(CRM), "clientz")
    with pytest.raises(ForbiddenError, match="no grant on clients: it lacks clients:read"):
        known_resource(context_of(CRM, granted(leads=Grant(READ))), "clients")


# Order


def test_the_key_comes_last() -> None:
    """Unless it was named before."""
    assert order(ask(CRM, "invoices?sort=-total,duedate").plan) == [("total", True), ("duedate", False), ("id", False)]
    assert order(ask(CRM, "invoices?sort=-id,total").plan) == [("id", True), ("total", False)]
    assert order(ask(CRM, "customer_admins").plan) == [("customer_id", False), ("staff_id", False)]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("things?sort=name,-name", "sort_syntax"),
        ("things?sort=bytes", "sort_syntax"),
        ("things?sort=document", "sort_syntax"),
        ("things?sort=nme", "field_unknown"),
    ],
)
def test_an_order_that_means_nothing_is_refused(target: str, code: str) -> None:
    """A field twice, bytes, documents."""
    with pytest.raises(RequestError) as caught:
        ask(things(), target)

    assert caught.value.code == code


# Pages


@pytest.mark.parametrize("resource", ["invoices?", "invoices?group=status&"])
@pytest.mark.parametrize(
    ("page", "parameter"),
    [
        ("per_page=1001", "per_page"),
        ("limit=1001", "limit"),
        ("page[size]=1001", "page[size]"),
        ("page=4000002", "page"),
        ("page[number]=4000002", "page[number]"),
        ("page[number]=200000&limit=1000", "page[number]"),
        ("offset=100000001", "offset"),
    ],
)
def test_a_page_that_is_too_large_or_too_far_is_refused_by_its_own_name(
    resource: str, page: str, parameter: str
) -> None:
    """A client that wrote ``limit`` is not told of ``per_page``."""
    error = refused(CRM, f"{resource}{page}")

    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter) == ("page_invalid", parameter)


@pytest.mark.parametrize(("is_tagged", "row", "rows"), [(None, True, False), (True, True, True), (False, False, False)])
def test_the_tag_of_one_row_is_read_unless_it_is_declined(is_tagged: bool | None, row: bool, rows: bool) -> None:
    """Those of a list only where they are asked for."""
    one, listed = (
        plan_read(context_of(CRM), ReadIntent("invoices", key=key, fields=("id",), is_tagged=is_tagged))
        for key in (("1",), None)
    )

    assert (one.plan.is_tagged, listed.plan.is_tagged) == (row, rows)


@pytest.mark.parametrize("intent", [ReadIntent("invoices"), AggregateIntent("invoices", groups=("status",))])
def test_a_page_before_the_first_row_is_told_where_rows_begin(intent: ReadIntent | AggregateIntent) -> None:
    """GraphQL's numbers have a sign; the advice for pages that are too far would not help."""
    page = PageIntent(5, -1, size="limit", start="offset")
    with pytest.raises(RequestError, match="An offset is 0 or more; -1 was asked for") as caught:
        plan_any(CRM, replace(intent, page=page))

    assert (caught.value.code, caught.value.issues[0].parameter) == ("page_invalid", "offset")


def test_the_spelling_of_a_page_makes_no_other_page() -> None:
    """What is remembered of one answers the other."""
    assert PageIntent(5, 5, size="limit", start="offset") == PageIntent(5, 5)


def test_a_list_reads_one_row_more_than_its_page() -> None:
    """That tells whether another page follows."""
    for target, limit, offset in (
        ("", DEFAULT_PER_PAGE, 0),
        ("?per_page=10&page=3", 10, 20),
        ("?limit=5&offset=7", 5, 7),
    ):
        planned = ask(CRM, f"invoices{target}")
        assert planned.values[-2:] == (limit + 1, offset)
        assert (planned.per_page, planned.offset) == (limit, offset)


def test_a_page_over_the_cap_is_refused_never_cut() -> None:
    """The cap is the access's."""
    narrow = Access("narrow", ALL.grants, most_rows=10)
    assert ask(CRM, "invoices?per_page=1000").per_page == 1000
    assert ask(CRM, "invoices?per_page=10", narrow).per_page == 10
    for target, access_ in (
        ("?per_page=1001", ALL),
        ("?per_page=11", narrow),
        ("?page=99999999999999999&per_page=1000", ALL),
    ):
        with pytest.raises(RequestError) as caught:
            ask(CRM, f"invoices{target}", access_)
        assert caught.value.code == "page_invalid"
    for page in (PageIntent(0), PageIntent(-1), PageIntent(None, -1)):
        with pytest.raises(RequestError):
            plan_read(context_of(CRM), ReadIntent("invoices", page=page))


def test_a_count_shares_the_values_of_its_conditions() -> None:
    """Not those of the page."""
    planned = ask(CRM, "invoices?filter[status]=2&filter[total.gt]=5&page=4")

    assert slots_before(planned.values, planned.plan.limit) == (2, 5)
    assert slots_before((1, 2), None) == (1, 2)
    assert planned.count is not None
    assert planned.count.condition == planned.plan.condition


# Derived fields and the day


@pytest.mark.parametrize(
    "target", ["invoices?fields=is_overdue", "invoices?filter[is_overdue]=1", "invoices?sort=is_overdue"]
)
def test_a_field_that_looks_at_the_day_gets_it_from_a_slot(target: str) -> None:
    """Such values do not last."""
    planned = ask(CRM, target)

    assert planned.plan.today is not None
    assert planned.values[planned.plan.today] == date(2026, 11, 15)
    assert not planned.is_timeless
    assert planned.count is not None
    assert planned.count.today == planned.plan.today


def test_other_plans_last() -> None:
    """Their values hold for later requests too."""
    assert ask(CRM, "invoices?fields=balance&filter[duedate.lt]=2026-01-01").is_timeless


def test_a_row_filter_that_looks_at_the_day_gets_it_everywhere() -> None:
    """In the list, in the parent's own plan and where rows are reached from a parent."""
    overdue = Grant(READ, row_filter=(ConditionIntent(("is_overdue",), "1", "row filter"),))
    access_ = granted(invoices=overdue, invoicepaymentrecords=Grant(READ))
    planned = ask(CRM, "invoices/1/payments", access_)

    assert planned.plan.today is not None
    assert planned.parent is not None
    assert planned.parent.today == planned.plan.today


# Access


def test_the_row_filter_is_part_of_every_plan() -> None:
    """Of lists, rows, counts and parents; it may name columns the caller cannot read."""
    columns = frozenset({"id", "total", "clientid"})
    own = Grant(READ, columns, row_filter=(ConditionIntent(("clientid",), "7", "row filter"),))
    access_ = granted(invoices=own, invoicepaymentrecords=Grant(READ), clients=Grant(READ))
    plans = [
        ask(CRM, target, access_).plan
        for target in ("invoices", "invoices/1", "clients/1/invoices", "invoices/1/payments")
    ]

    assert all("clientid" in {field.name for field in fields_of(plan.condition)} for plan in plans)


def test_rows_that_exist_for_no_client_are_left_out_of_every_plan() -> None:
    """Values of secret custom fields: in lists, by key, through relationships, with and without a row filter."""
    values = CRM.resources["customfieldsvalues"]
    field = values.fields["fieldid"]
    assert isinstance(field, Column)
    secret = replace(values, excluded=Excluded(field, (7, 9)))
    tables = {**CRM.tables, values.name: secret}
    catalog = replace(CRM, tables=tables, resources={**CRM.resources, "customfieldsvalues": secret})
    own = Grant(READ, row_filter=(ConditionIntent(("relid",), "1", "row filter"),))
    narrow = granted(customfieldsvalues=own, clients=Grant(READ))

    for target in ("customfieldsvalues", "customfieldsvalues/1", "clients/1/customfieldsvalues"):
        for access_ in (ALL, narrow):
            planned = ask(catalog, target, access_)
            assert f"fieldid nin ${planned.values.index(7)}, ${planned.values.index(9)}" in read_text(planned)


_TARGETS = st.sampled_from(
    ["clients", "clients/1", "invoices", "clients/1/invoices", "invoices/1/client", "clients/1/primary_contact"]
)
_QUERIES = st.sampled_from(
    [
        "",
        "?fields=*",
        "?fields=email",
        "?fields=company,balance",
        "?fields=total",
        "?sort=company",
        "?filter[status]=2",
        "?q=x",
    ]
)
_COLUMNS = {
    table: [column.name for column in CRM.resources[table].columns] for table in ("clients", "invoices", "contacts")
}


@st.composite
def narrowed(draw: st.DrawFn) -> Access:
    """Draw an access to three tables with some of their columns and perhaps a row filter."""
    grants = {}
    for resource, columns in _COLUMNS.items():
        readable = draw(st.none() | st.frozensets(st.sampled_from(columns)))
        row_filter = draw(st.sampled_from([(), (ConditionIntent((columns[0],), "3", "row filter"),)]))
        if draw(st.booleans()):
            grants[resource] = Grant(READ, readable, row_filter=row_filter)
    return Access("drawn", grants, most_rows=draw(st.integers(1, 1000)))


@given(_TARGETS, _QUERIES, narrowed())
def test_an_access_can_only_narrow(target: str, query: str, access_: Access) -> None:
    """What it lets through was there without it: fewer fields, more conditions, no other table, no larger page."""
    try:
        narrow = ask(CRM, target + query, access_)
    except GatewayError:
        return
    wide = ask(CRM, target + query)
    grant = access_.grants[str(narrow.plan.table.resource)]

    assert set(narrow.plan.fields) <= set(wide.plan.fields)
    for field in narrow.plan.fields:
        if isinstance(field, Column) and grant.readable is not None and field not in narrow.plan.table.key:
            assert field.name in grant.readable
    if "q=" not in query:  # a search that may look into fewer columns finds fewer rows
        assert set(fields_of(narrow.plan.condition)) >= set(fields_of(wide.plan.condition))
    assert len(grant.row_filter) <= len(fields_of(narrow.plan.condition))
    assert narrow.plan.table is wide.plan.table
    assert narrow.per_page <= access_.most_rows or narrow.count is None


def test_no_grant_no_column() -> None:
    """A table without a resource, or without the read operation, shows nothing."""
    clients = CRM.resources["clients"]
    internal = next(table for table in CRM.tables.values() if table.resource is None)
    column = clients.columns[0]

    assert ALL.grant_on(internal) is None
    assert not ALL.may("read", internal)
    assert not granted().may_read_column(clients, column)
    assert not granted(clients=Grant(UPDATE)).may_read_column(clients, column)
    assert not granted().may_write_column(clients, column)
    assert granted(clients=Grant(READ, writable=frozenset({"userid"}))).may_write_column(clients, column)


# What holds for all plans


def test_equal_questions_are_equal_plans() -> None:
    """Values stand beside the plan, so one statement serves them all."""
    one, other = ask(CRM, "invoices?filter[status]=2&page=2"), ask(CRM, "invoices?filter[status]=3&page=9")

    assert (one.plan, hash(one.plan), one.count) == (other.plan, hash(other.plan), other.count)
    assert one.values != other.values
    assert ask(CRM, "invoices?filter[status]=2&sort=total").plan != one.plan


def test_the_passes_are_listed_in_their_order() -> None:
    """Fields, rows, access, order, page: read top to bottom. A count knows nothing of the later ones."""
    assert [step.__name__ for step in PASSES] == [
        "choose_fields",
        "address_row",
        "narrow_rows",
        "narrow_access",
        "order_rows",
        "note_reach",
        "cut_page",
    ]
    assert [step.__name__ for step in LATER_PASSES] == ["go_on", "embed_rows"]


@pytest.mark.parametrize(
    "module",
    [
        *(access, aggregates, budget, coerce, conditions, context, cursors, deletes, embeds, fields, moments, orders),
        *(places, planner, positions, reach, resolve, writes),
        *(cache, custom, dialects, edges, groups, periods, read, scope, statement, write),
    ],
    ids=lambda module: module.__name__,
)
def test_planning_and_compiling_are_pure(module: ModuleType) -> None:
    """No await, no clock, no I/O: neither is there anything to import them from."""
    source = inspect.getsource(module)

    assert "async " not in source
    assert "await " not in source
    assert not {"asyncio", "socket", "time", "os", "threading", "random", "secrets"} & set(vars(module))
    assert "datetime.now" not in source
    assert ".now(" not in source


def test_fields_of_a_condition_are_found_wherever_they_stand() -> None:
    """In negations, alternatives and the conditions of what rows are reached from."""
    table: Table = CRM.resources["clients"]
    column = table.columns[0]
    compare = Compare(column, "eq", (0,))
    reached = Reached(table, table.relationships["invoices"], compare)

    assert fields_of(And((Not(compare), Or((compare, reached))))) == (column, column, column)


def test_an_origin_can_be_asked_without_rest() -> None:
    """Other front ends build the same intent."""
    intent = ReadIntent("clients", origin=Origin("clients", ("1",), "invoices"), fields=("id",))

    assert plan_read(context_of(CRM), intent).plan == ask(CRM, "clients/1/invoices?fields=id").plan


def test_the_nearest_name_is_suggested() -> None:
    """None when nothing is like it, however long the word."""
    assert nearest("duedat", ["date", "duedate"]) == "duedate"
    assert nearest("x" * 100_000, ["duedate"]) is None
    assert nearest("zzz", []) is None
