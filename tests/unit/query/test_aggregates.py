"""Aggregate intents -> plans of groups: what rows are grouped by, what is worked out over each, in which order."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.errors import RequestError
from gateway.query.access import Access, Grant
from gateway.query.aggregates import PlannedGroups
from gateway.query.plan import DatePart, Metric, Related, RelatedRow
from tests.support.asking import (
    ALL,
    READ,
    ask_groups,
    crm,
    crm_of_fields,
    granted,
    refused,
)
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things
from tests.support.plans import condition_text, groups_text

CRM = crm()


def groups(target: str, access: Access = ALL) -> PlannedGroups:
    """Return the plan of groups of the CRM's rows."""
    return ask_groups(CRM, target, access)


def metric(word: str, resource: str = "things") -> Metric:
    """Return one metric over rows that have a column of every kind."""
    catalog = things() if resource == "things" else CRM
    (found,) = ask_groups(catalog, f"{resource}?metrics={word}").plan.metrics
    return found


def order(target: str) -> list[tuple[str, bool]]:
    return [(key.field.name, key.is_descending) for key in groups(target).plan.order]


# Groups


def test_the_words_of_group_are_the_names_of_the_groups() -> None:
    """Fields, fields at the end of to-ones, periods, and to-ones themselves."""
    plan = groups("payments?group=paymentmode,invoice.status,date.month,invoice.date.year,invoice.client").plan
    kinds = [type(group) for group in plan.groups]

    assert [group.name for group in plan.groups] == [
        "paymentmode",
        "invoice.status",
        "date.month",
        "invoice.date.year",
        "invoice.client",
    ]
    assert kinds[1:] == [Related, DatePart, DatePart, RelatedRow]


def test_derived_and_custom_fields_group_like_columns() -> None:
    """Through relationships too; a custom field keeps its dot."""
    catalog = crm_of_fields()
    words = "is_overdue,client.email,client.custom.industry,custom.cost_center,client.custom.since.quarter"
    plan = ask_groups(catalog, f"invoices?group={words}").plan

    assert ",".join(group.name for group in plan.groups) == words
    assert isinstance(plan.groups[-1], DatePart)


def test_a_to_one_is_grouped_by_the_key_of_its_row() -> None:
    """Not by the reference: a row that has gone is as good as none."""
    (group,) = groups("invoices?group=client").plan.groups

    assert isinstance(group, RelatedRow)
    assert [column.name for column in group.key] == ["userid"]


def test_metrics_alone_are_one_row() -> None:
    """Which is not counted, for there is always one."""
    planned = groups("invoices?metrics=count,sum.total")

    assert (planned.plan.groups, planned.plan.order, planned.count) == ((), (), None)


def test_one_row_that_having_may_drop_is_counted() -> None:
    """There is one or none."""
    planned = groups("invoices?metrics=count&having[count.gt]=5")

    assert planned.count is not None
    assert planned.count.is_counted


def test_groups_without_metrics_are_counted() -> None:
    """What else could be wanted of them."""
    assert [found.name for found in groups("invoices?group=status").plan.metrics] == ["count"]


@pytest.mark.parametrize(
    ("query", "code", "said", "suggestion"),
    [
        (
            "group=payments",
            "group_invalid",
            "payments leads through payments, which is many rows: group those rows instead.",
            None,
        ),
        (
            "group=client.contacts.email",
            "group_invalid",
            "client.contacts.email leads through contacts, which is many rows: group those rows instead.",
            None,
        ),
        ("group=status,status", "group_invalid", "status stands twice in group.", None),
        (
            "group=date.hour",
            "group_invalid",
            "date has no part 'hour'. There are: year, quarter, month, week, day.",
            None,
        ),
        (
            "group=datecreated.mont",
            "group_invalid",
            "datecreated has no part 'mont'. There are: year, quarter, month, week, day, hour.",
            "month",
        ),
        ("group=total.month", "field_unknown", "invoices has no field 'total.month'. Did you mean total?", "total"),
        ("group=stats", "field_unknown", "invoices has no field 'stats'. Did you mean status?", "status"),
        (f"group={','.join(list(CRM.resources['invoices'].fields)[:9])}", "query_too_large", None, None),
    ],
)
def test_what_cannot_be_grouped_by_is_refused(query: str, code: str, said: str | None, suggestion: str | None) -> None:
    """The error names the parameter."""
    error = refused(CRM, f"invoices?{query}")

    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter) == (code, "group")
    assert said is None or error.detail == said
    assert error.issues[0].suggestion == suggestion


def test_a_document_is_no_group_and_a_row_without_a_key_is_none() -> None:
    """The one cannot be compared, the other not be told from the next."""
    assert refused(things(), "things?group=document").detail == "document cannot be grouped by."
    assert ask_groups(things(), "things?group=bytes,words").plan.groups


# Metrics


@pytest.mark.parametrize(
    ("word", "kind", "scale"),
    [
        ("count", "integer", None),
        ("count_distinct.name", "integer", None),
        ("count_distinct.bytes", "integer", None),
        ("count_distinct.words", "integer", None),
        ("sum.small", "integer", None),
        ("sum.flag", "integer", None),
        ("sum.money", "decimal", 2),
        ("sum.wide", "decimal", 30),
        ("sum.rate", "float", None),
        ("sum.bits", "integer", None),
        ("min.bits", "integer", None),
        ("max.bits", "integer", None),
        ("avg.bits", "decimal", 4),
        ("avg.small", "decimal", 4),
        ("avg.money", "decimal", 6),
        ("avg.rate", "float", None),
        ("min.day", "date", None),
        ("max.stamp", "timestamp", None),
        ("min.name", "string", None),
        ("max.money", "decimal", 2),
    ],
)
def test_a_metric_has_a_type_of_its_own(word: str, kind: str, scale: int | None) -> None:
    """A sum of whole numbers is one, an average has four decimals more, the rest is what it is taken of."""
    found = metric(word)

    assert (found.name, found.type.kind.name) == (word, kind)
    assert scale is None or found.type.scale == scale


def test_whether_a_metric_is_a_number_in_json_follows_its_source() -> None:
    """Amounts of money are; what is wider than a double is text."""
    assert not metric("sum.money").type.is_wide
    assert not metric("avg.money").type.is_wide
    assert metric("sum.wide").type.is_wide
    assert metric("avg.wide").type.is_wide
    assert metric("sum.big").type.is_wide
    assert not metric("sum.small").type.is_wide


def test_metrics_are_taken_of_derived_and_related_fields() -> None:
    """Like columns."""
    plan = groups("payments?metrics=sum.invoice.balance,count_distinct.invoice.client.email,max.amount").plan

    assert [found.name for found in plan.metrics] == [
        "sum.invoice.balance",
        "count_distinct.invoice.client.email",
        "max.amount",
    ]


@pytest.mark.parametrize(
    ("words", "said", "suggestion"),
    [
        ("sm.total", "There is no metric 'sm'. Did you mean sum?", "sum"),
        ("median.total", "There is no metric 'median'.", None),
        ("sum", "sum takes a field, as in sum.total.", None),
        ("count.id", "count counts rows and takes no field.", None),
        ("sum.date", "sum cannot be taken of date, which is", None),
        ("avg.clientnote", "avg cannot be taken of clientnote, which is text of several lines.", None),
        ("count,count", "count stands twice in metrics.", None),
    ],
)
def test_what_cannot_be_worked_out_is_refused(words: str, said: str, suggestion: str | None) -> None:
    """A sum of dates means nothing, and nothing is left out silently."""
    error = refused(CRM, f"invoices?metrics={words}")

    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter, error.issues[0].suggestion) == (
        "metric_invalid",
        "metrics",
        suggestion,
    )
    assert error.detail.startswith(said)


def test_a_query_has_only_so_many_metrics() -> None:
    """One more is refused."""
    words = [f"count_distinct.{name}" for name in list(CRM.resources["invoices"].fields)[:21]]

    assert len(groups(f"invoices?metrics={','.join(words[:20])}").plan.metrics) == 20
    assert refused(CRM, f"invoices?metrics={','.join(words)}").code == "query_too_large"


# Having


def test_a_query_has_only_so_many_conditions_on_metrics() -> None:
    """Each may be a metric of its own; one more is refused, named by the last."""
    names = list(CRM.resources["invoices"].fields)[:21]
    having = [f"having[count_distinct.{name}.gt]=0" for name in names]
    groups(f"invoices?metrics=count&{'&'.join(having[:20])}")

    error = refused(CRM, f"invoices?metrics=count&{'&'.join(having)}")
    assert isinstance(error, RequestError)
    assert (error.code, error.detail) == (
        "query_too_large",
        "A query has at most 20 conditions on metrics; this one has 21.",
    )
    assert error.issues[0].parameter == f"having[count_distinct.{names[20]}.gt]"


def test_having_compares_a_metric() -> None:
    """Of the query or not; its operand is of the metric's own type."""
    planned = groups("invoices?group=status&having[sum.total.gte]=1000.50&having[count]=3&having[max.date.lt]=@today")

    assert condition_text(planned.plan.having).splitlines() == [
        "all of",
        "  sum.total >= $0",
        "  count = $1",
        "  max.date < $2",
    ]
    assert planned.values[2] == date(2026, 11, 15)
    assert not planned.is_timeless


def test_a_field_may_be_called_like_an_operator() -> None:
    """What a metric is taken of comes before the operator."""
    catalog = make_catalog(reflected("odd", "id int!", "starts int", "like varchar(5)"))
    planned = ask_groups(catalog, "odd?having[sum.starts]=1&having[sum.starts.gt]=1&having[max.like.null]=0")

    assert condition_text(planned.plan.having).splitlines()[1:] == [
        "  sum.starts = $0",
        "  sum.starts > $1",
        "  max.like is not null",
    ]


@pytest.mark.parametrize(
    ("having", "code"),
    [
        ("having[status]=1", "metric_invalid"),
        ("having[sum.totl.gt]=1", "field_unknown"),
        ("having[sum.total.gt]=x", "operand_invalid"),
        ("having[sum.total.contains]=1", "operator_misfit"),
        ("having[sum.total.gtt]=1", "field_unknown"),
        ("having[max.payments.amount]=1", "path_to_many"),
    ],
)
def test_a_condition_on_groups_is_refused_where_it_stands(having: str, code: str) -> None:
    """Under its own name."""
    error = refused(CRM, f"invoices?group=status&{having}")

    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter) == (code, having.partition("=")[0])


# Order


def test_groups_are_sorted_by_what_the_client_names_and_then_by_themselves() -> None:
    """So that no two tie; a grouped row by its key."""
    assert order("invoices?group=status,date.month&metrics=sum.total&sort=-sum.total") == [
        ("sum.total", True),
        ("status", False),
        ("date.month", False),
    ]
    assert order("invoices?group=status,agent&sort=-agent") == [("agent.staffid", True), ("status", False)]
    assert order("invoices?group=status") == [("status", False)]


def test_groups_are_sorted_by_nothing_else() -> None:
    """Neither by a field nor by a metric that was not asked for."""
    for sort in ("date", "sum.total", "client.company"):
        error = refused(CRM, f"invoices?group=status&sort={sort}")
        assert isinstance(error, RequestError)
        assert (error.code, error.issues[0].parameter) == ("sort_syntax", "sort")
        assert error.detail.endswith("There are: status, count.")


def test_a_word_stands_once_in_the_sort_of_groups() -> None:
    """The second one would say nothing, or the opposite."""
    error = refused(CRM, "invoices?group=status&sort=status,-status")

    assert (error.code, error.detail) == ("sort_syntax", "status stands twice in the sort.")


# Rows, pages and counts


def test_filters_choose_the_rows_before_they_are_grouped() -> None:
    """Through relationships, by search and from a parent; the parent is told from one without rows."""
    planned = groups("clients/1/invoices?group=status&filter[payments.amount.gt]=0&q=INV")

    assert condition_text(planned.plan.condition).splitlines()[:5] == [
        "all of",
        "  reached from tblclients through invoices",
        "    userid = $0",
        "  some of payments",
        "    amount > $1",
    ]
    assert planned.parent is not None


def test_a_count_of_groups_shares_their_conditions() -> None:
    """And the values before the page's; what is only shown is not worked out for it."""
    planned = groups("invoices?group=status&metrics=sum.total&having[count.gt]=1&filter[total.gt]=5&page=3&labels=true")
    count = planned.count
    assert count is not None

    assert (count.condition, count.having, count.groups) == (
        planned.plan.condition,
        planned.plan.having,
        planned.plan.groups,
    )
    assert (count.metrics, count.order, count.labels, count.currency, count.limit) == ((), (), (), None, None)
    assert (planned.values[-2:], planned.per_page, planned.offset) == ((26, 50), 25, 50)


def test_equal_questions_are_equal_plans() -> None:
    """Whatever their values."""
    one = groups("invoices?group=agent&metrics=sum.total&having[sum.total.gt]=1&filter[status]=2")
    other = groups("invoices?group=agent&metrics=sum.total&having[sum.total.gt]=9&filter[status]=3&page=4")

    assert (one.plan, one.count, hash(one.plan)) == (other.plan, other.count, hash(other.plan))


def test_groups_are_of_the_rows_that_the_caller_may_see() -> None:
    """And over tables that it may read."""
    assert refused(CRM, "invoices?group=client", granted(invoices=Grant(READ))).code == "grant_missing"
    assert refused(CRM, "invoices?metrics=sum.total", granted(leads=Grant(READ))).code == "grant_missing"
    narrow = granted(invoices=Grant(READ, readable=frozenset({"id"})))
    for query in ("group=status", "metrics=sum.total", "group=id&having[sum.total.gt]=1"):
        assert refused(CRM, f"invoices?{query}", narrow).code == "field_unknown"


# Labels


def test_the_labels_of_what_rows_are_grouped_by_come_along() -> None:
    """Of fields, on other tables too; not of metrics and not of the rows that groups are keyed by."""
    plan = groups("payments?group=paymentmode,invoice.status,date.month&metrics=max.invoice.status&labels=true").plan

    assert [label.name for label in plan.labels] == ["paymentmode_label", "invoice.status_label"]
    assert groups("payments?group=paymentmode").plan.labels == ()


# Currencies


@pytest.mark.parametrize(
    ("target", "currency"),
    [
        ("invoices?metrics=sum.total", "currency"),
        ("invoices?metrics=count,avg.balance", "currency"),
        ("invoices?group=status&metrics=max.total", "currency"),
        ("payments?metrics=sum.amount", "invoice.currency"),
        ("payments?group=invoice.client&metrics=sum.amount", "invoice.currency"),
        ("payments?metrics=sum.invoice.total", "invoice.currency"),
        ("invoices?metrics=count", None),
        ("invoices?metrics=count_distinct.total", None),
        ("invoices?metrics=sum.discount_percent", None),
        ("itemable?metrics=sum.qty", None),
        ("invoices?group=currency&metrics=sum.total", None),
        ("invoices?group=currency_ref&metrics=sum.total", None),
        ("invoices?group=currency_ref.name&metrics=sum.total", None),
        ("invoices?filter[currency]=1&metrics=sum.total", None),
        ("invoices?filter[currency_ref.name]=EUR&metrics=sum.total", None),
        ("payments?group=invoice.currency&metrics=sum.amount", None),
        ("payments?group=invoice.currency_ref&metrics=sum.amount", None),
        ("payments?filter[invoice.currency]=1&metrics=sum.amount", None),
        ("payments?group=invoice.client.default_currency&metrics=sum.amount", "invoice.currency"),
        ("invoices?filter[currency.in]=1,2&metrics=sum.total", None),
        ("invoices?filter[any][currency]=1&filter[any][currency.null]=1&metrics=sum.total", None),
        ("invoices?filter[any][currency]=1&filter[any][status]=2&metrics=sum.total", "currency"),
        ("invoices?filter[not][currency]=1&metrics=sum.total", "currency"),
        ("invoices?filter[currency.ne]=1&metrics=sum.total", "currency"),
        ("invoices?filter[agent.invoices_by_sale_agent.currency]=1&metrics=sum.total", "currency"),
        ('invoices?where={"client":{"invoices":{"every":{"currency":1}}}}&metrics=sum.total', "currency"),
        ("clients/1/invoices?metrics=sum.total", "currency"),
    ],
)
def test_sums_of_money_look_at_its_currency(target: str, currency: str | None) -> None:
    """Unless the question settles it: by grouping or by filter, by the field or by the row it refers to."""
    found = groups(target).plan.currency

    assert (found.name if found is not None else None) == currency


def test_a_currency_that_the_caller_may_not_read_is_not_looked_at() -> None:
    """A warning would tell that there are several."""
    own = granted(invoices=Grant(READ, readable=frozenset({"id", "total"})))
    through = granted(invoicepaymentrecords=Grant(READ))

    assert groups("invoices?metrics=sum.total", own).plan.currency is None
    assert groups("payments?metrics=sum.amount", through).plan.currency is None


def test_a_plan_of_groups_can_be_read() -> None:
    """As the golden cases show it."""
    text = groups_text(
        groups("invoices?group=agent,date.month&metrics=count,sum.total&having[count.gt]=1&fields[agent]=email")
    )

    assert text.splitlines()[:14] == [
        "groups",
        "  tblinvoices",
        "  by the row agent (staffid), date.month",
        "  metrics count, sum.total",
        "  all rows",
        "  having",
        "    all of",
        "      count > $0",
        "  warns of more than one currency",
        "  order agent.staffid, date.month",
        "  limit $1 offset $2",
        "  embed agent: row by key",
        "    tblstaff",
        "    fields email",
    ]


# Columns with the names of operators and metrics


NAMESAKES = make_catalog(reflected("odd", "id int!", "gte int", "count int"))


def test_rows_are_counted_of_no_field() -> None:
    """So that a column called like an operator makes no other question of a condition on their number."""
    plan = ask_groups(NAMESAKES, "odd?group=id&having[count.gte]=2").plan

    assert condition_text(plan.having) == "all of\n  count >= $0\n"


def test_a_column_called_like_a_metric_is_grouped_by_without_it() -> None:
    """Both would have one key in the reply, and one of them would be lost."""
    told = refused(NAMESAKES, "odd?group=count&metrics=count")

    assert (told.code, told.issues[0].parameter) == ("group_invalid", "group")
    assert ask_groups(NAMESAKES, "odd?group=count&metrics=sum.id").plan.groups
