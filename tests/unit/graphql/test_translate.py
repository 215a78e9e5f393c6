"""What a field of Query asks of the engine: the plan, with its values, that the same question has over REST."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import RequestError
from gateway.graphql.collecting import operation_of
from gateway.graphql.documents import Documents
from gateway.graphql.render import render
from gateway.graphql.shapes import Cell, Inside
from gateway.graphql.steps import ChangeStep, ConnectionStep, GroupsStep, NumbersStep, RowsStep, RowStep
from gateway.graphql.translate import binding_of, step_of, translate
from gateway.operations.results import TAG_KEY, Count, PageResult
from gateway.query.access import Grant
from gateway.query.plan import ReadPlan
from gateway.query.planner import PlannedRead
from tests.support.asking import ALL, READ, ask_any, crm, crm_of_fields, granted, plan_any
from tests.support.catalogs import make_catalog, reflected
from tests.support.graphql_plans import LIMITS, operation, planned, schema_of, step, steps, vocabulary_of

CRM = crm()
TEXTS = "decimals=string&bigints=string"

SAME: list[tuple[str, str]] = [
    (
        "{ invoices(filter: {status: 2, total_gte: 1000}, limit: 10) { id total duedate client { company email } } }",
        "invoices?filter[status]=2&filter[total.gte]=1000&limit=10&fields=id,total,duedate"
        "&include=client&fields[client]=company,email",
    ),
    ("{ invoices { id } }", "invoices?fields=id"),
    ("{ invoices { __typename } }", "invoices?fields=id"),
    ("{ invoices { client { company } } }", "invoices?fields=id&include=client&fields[client]=company"),
    ("{ invoices { a: total b: total id } }", "invoices?fields=total,id"),
    ("{ invoices { status status_label } }", "invoices?fields=status&labels=true"),
    ("{ payments { id } }", "invoicepaymentrecords?fields=id"),
    (
        "{ invoices(sort: [{total: DESC}, {client: {company: ASC}}], offset: 50, limit: 5) { id } }",
        "invoices?fields=id&sort=-total,client.company&limit=5&offset=50",
    ),
    ('{ clients(search: "acme") { company } }', "clients?q=acme&fields=company"),
    (
        "{ clients { company invoices(filter: {status_in: [1, 2]}, sort: [{date: DESC}], limit: 3)"
        " { id client { userid } } } }",
        "clients?fields=company&include=invoices,invoices.client&fields[invoices]=id&fields[invoices.client]=userid"
        "&include[invoices][filter][status.in]=1,2&include[invoices][sort]=-date&include[invoices][limit]=3",
    ),
    (
        "{ invoices(filter: {or: [{status: 2}, {client: {country: 234}}],"
        ' payments: {none: {amount_gt: "0.5"}}}) { id } }',
        'invoices?fields=id&where={"or":[{"status":2},{"client":{"country":234}}],'
        '"payments":{"none":{"amount.gt":"0.5"}}}',
    ),
    ("{ invoices(filter: {not: {duedate_null: true}}) { id } }", "invoices?fields=id&filter[not][duedate.null]=1"),
    ("{ invoices_by_key(id: 42) { id total _etag } }", "invoices/42?fields=id,total"),
    (
        "{ invoices_by_key(id: 42) { _etag id items(limit: 2) { id } } }",
        "invoices/42?fields=id&include=items&fields[items]=id&include[items][limit]=2",
    ),
    (
        "{ invoices_connection(filter: {status: 2}, first: 10, sort: [{date: ASC}])"
        " { totalCount edges { node { id } } } }",
        "invoices?fields=id&filter[status]=2&limit=10&sort=date",
    ),
    (
        "{ invoices_connection { nodes { id } edges { node { total id } } pageInfo { hasNextPage } } }",
        "invoices?fields=id,total",
    ),
    (
        "{ invoices_aggregate(filter: {status: 2}) { count sum { total } min { date } count_distinct { clientid } } }",
        "invoices?filter[status]=2&metrics=count,sum.total,min.date,count_distinct.clientid",
    ),
    ("{ invoices_aggregate { __typename } }", "invoices?metrics=count"),
    (
        "{ invoices_groups(having: {count_gte: 2, sum: {total_gte: 1000}},"
        " sort: [{sum: {total: DESC}}, {count: ASC}], limit: 3)"
        " { nodes { key { agent { firstname } date_month currency } sum { total } } } }",
        "invoices?group=agent,date.month,currency&fields[agent]=firstname&metrics=sum.total,count"
        "&having[count.gte]=2&having[sum.total.gte]=1000&sort=-sum.total,count&limit=3",
    ),
    (
        "{ invoices_groups(sort: [{key: {client_fields: {country: DESC}}}, {key: {date_year: ASC}}])"
        " { nodes { key { client_fields { country } date_year } count } } }",
        "invoices?group=client.country,date.year&metrics=count&sort=-client.country,date.year",
    ),
    (
        "{ invoices_groups { nodes { key { status_label } count } } }",
        "invoices?group=status&metrics=count&labels=true",
    ),
    (
        "{ invoices_groups { nodes { key { client { company contacts(limit: 1) { email } } } max { total } } } }",
        "invoices?group=client&metrics=max.total&fields[client]=company&include=client.contacts"
        "&fields[client.contacts]=email&include[client.contacts][limit]=1",
    ),
]


@pytest.mark.parametrize(("document", "request_"), SAME)
def test_the_same_question_is_the_same_plan(document: str, request_: str) -> None:
    """Whatever it is asked in: plan, values, count and page are equal."""
    separator = "&" if "?" in request_ else "?"

    assert planned(CRM, document) == ask_any(CRM, f"{request_}{separator}{TEXTS}")


def test_a_row_whose_tag_is_not_selected_is_read_without_it() -> None:
    """REST answers it in a header, whatever is asked; for it all columns of the row are read."""
    due = ask_any(CRM, f"invoices/42?fields=id&include=client&fields[client]=company&{TEXTS}")
    assert isinstance(due, PlannedRead)
    assert due.plan.is_tagged

    assert planned(CRM, "{ invoices_by_key(id: 42) { id _etag client { company } } }") == due
    assert planned(CRM, "{ invoices_by_key(id: 42) { id client { company } } }") == replace(
        due, plan=replace(due.plan, is_tagged=False)
    )


def test_custom_fields_are_the_same_under_their_names_here() -> None:
    """`custom.score` is `custom_score`."""
    document = "{ clients(filter: {custom_score_gt: 3}, sort: [{custom_score: DESC}]) { custom_score custom_since } }"

    assert planned(crm_of_fields(), document) == ask_any(
        crm_of_fields(),
        f"clients?fields=custom.score,custom.since&filter[custom.score.gt]=3&sort=-custom.score&{TEXTS}",
    )


def test_values_come_alike_from_variables_and_literals() -> None:
    """With all of their digits."""
    document = "query ($t: Decimal, $f: InvoiceFilter!) { invoices(filter: {and: [{total: $t}, $f]}) { id } }"
    variables = {"t": "12345678901234567890.12", "f": {"status": 2}}

    assert planned(CRM, document, variables) == planned(
        CRM, '{ invoices(filter: {and: [{total: "12345678901234567890.12"}, {status: 2}]}) { id } }'
    )


MISNAMED = [
    ('{ invoices(search: "SURROGATE") { id } }', "operand_invalid", "search"),
    ('{ invoices_connection(search: "SURROGATE") { totalCount } }', "operand_invalid", "search"),
    ('{ invoices_aggregate(search: "SURROGATE") { count } }', "operand_invalid", "search"),
    ('{ invoices_groups(search: "SURROGATE") { nodes { count } } }', "operand_invalid", "search"),
    (
        "{ invoices_groups { nodes { key { id total date currency status clientid sale_agent number duedate } } } }",
        "query_too_large",
        "key",
    ),
]


@pytest.mark.parametrize(("document", "code", "parameter"), MISNAMED)
def test_a_refusal_names_the_argument(document: str, code: str, parameter: str) -> None:
    """As the document has it, and not what another front end calls it."""
    intents = [found.intent for found in steps(CRM, document.replace("SURROGATE", "x"))]  # type: ignore[union-attr]  # reads of rows, all of them
    (intent,) = (replace(intent, search=intent.search and "\ud800") for intent in intents)

    with pytest.raises(RequestError) as caught:
        plan_any(CRM, intent, ALL)
    assert (caught.value.code, caught.value.issues[0].parameter) == (code, parameter)


def test_a_cursor_of_another_order_is_refused_by_its_argument() -> None:
    """Which for a connection is `after`."""
    intent = step(CRM, "{ invoices_connection(sort: [{date: ASC}]) { nodes { id } } }").intent

    with pytest.raises(RequestError) as caught:
        plan_any(CRM, replace(intent, page=replace(intent.page, after=(1, 2, 3))), ALL)
    assert (caught.value.code, caught.value.issues[0].parameter) == ("cursor_invalid", "after")


# Relationships selected more than once


def embeds(document: str) -> list[tuple[str, str, int | None]]:
    """Return what comes along with the rows of a plan: its key, its relationship, and the value of its limit."""
    found = planned(CRM, document)
    assert isinstance(found, PlannedRead)
    plan = found.plan
    return [
        (each.name, each.relationship.name, found.values[each.plan.limit] if each.plan.limit is not None else None)  # type: ignore[misc]  # reads of rows, all of them
        for each in plan.embeds
    ]


def test_a_relationship_asked_for_alike_comes_along_once() -> None:
    """With the fields of all that asked, whatever the order of the arguments is."""
    document = (
        "{ clients { a: invoices(limit: 2, filter: {status: 1, total_gt: 2}) { id }"
        " b: invoices(filter: {total_gt: 2, status: 1}, limit: 2) { total client { company } } } }"
    )
    plan = planned(CRM, document).plan

    assert embeds(document) == [("invoices", "invoices", 3)]
    assert [field.name for field in plan.embeds[0].plan.fields] == ["id", "total"]
    assert [inner.name for inner in plan.embeds[0].plan.embeds] == ["client"]


def test_a_relationship_asked_for_in_other_ways_comes_along_under_other_keys() -> None:
    """Each by a statement of its own."""
    document = "{ clients { a: invoices(limit: 2) { id } invoices(limit: 3) { id } c: invoices { id } } }"

    assert embeds(document) == [
        ("invoices", "invoices", 3),
        ("invoices@2", "invoices", 4),
        ("invoices@3", "invoices", 101),
    ]


def test_numbers_over_related_rows_are_one_node() -> None:
    """With conditions of their own; they come after the rows."""
    document = (
        "{ clients { n: invoices_aggregate(filter: {status: 2}) { count sum { total } } invoices(limit: 1) { id }"
        " m: invoices_aggregate(filter: {status: 2}) { avg { total } } } }"
    )
    plan = planned(CRM, document).plan
    assert isinstance(plan, ReadPlan)

    assert [each.name for each in plan.nodes] == ["invoices", "invoices@numbers"]
    assert [metric.name for metric in plan.summaries[0].plan.metrics] == ["count", "sum.total", "avg.total"]


def test_what_comes_along_with_a_grouped_row_is_no_group() -> None:
    """A relationship of the row that is a group too keeps its own place."""
    document = (
        "{ invoices_groups { nodes { key { recurring_parent { id client { company } }"
        " recurring_parent_fields { client_fields { country } } client { userid } } count } } }"
    )
    found = step(CRM, document)

    assert [embed.path for embed in found.intent.embeds] == [
        ("recurring_parent",),
        ("recurring_parent", "client"),
        ("client",),
    ]


# Shapes


def test_rows_as_they_come_are_plain() -> None:
    """Same keys, same order, nothing to convert; everything else is not."""
    plain = [
        "{ invoices { id total duedate client { company email } } }",
        "{ clients { userid invoices(limit: 2) { id items { id } } } }",
    ]
    other = [
        "{ invoices { id client { company } total } }",
        "{ invoices { number: id } }",
        "{ invoices { id __typename } }",
        "{ invoices { id kunde: client { company } } }",
        "{ invoices { id client { company __typename } } }",
        "{ invoices { client { company } } }",
        "{ invoices { id _etag } }",
        "{ clients { userid a: invoices { id } invoices { id total } } }",
    ]

    assert [step(CRM, document).shape.is_plain for document in (*plain, *other)] == [True] * 2 + [False] * 8


def test_big_numbers_that_come_as_numbers_become_text() -> None:
    """Those that come as text already are left alone."""
    catalog = make_catalog(reflected("pets", "id int!", "chip int(10) unsigned", "tag bigint", "age int"))
    shape = step(catalog, "{ pets { id chip tag age } }").shape

    assert shape.pieces == (
        ("id", Cell("id")),
        ("chip", Cell("chip", is_text=True)),
        ("tag", Cell("tag")),
        ("age", Cell("age")),
    )


def test_a_tag_is_a_cell_of_its_row() -> None:
    """Of lists, of one row and of rows that come along."""
    listed, one = steps(CRM, "{ invoices { _etag client { _etag } } invoices_by_key(id: 1) { _etag } }")
    assert isinstance(listed, RowsStep)
    assert isinstance(one, RowStep)

    assert (listed.intent.is_tagged, listed.intent.embeds[0].is_tagged, one.intent.is_tagged) == (True, True, True)
    assert listed.shape.pieces[0] == ("_etag", Cell(TAG_KEY))
    assert isinstance(listed.shape.pieces[1][1], Inside)


# Pages


def test_a_list_without_a_limit_says_so() -> None:
    """So that a cut can be told of."""
    document = "{ a: invoices { id } b: invoices(limit: 25) { id } c: invoices(limit: null) { id } }"

    assert [found.is_default_page for found in steps(CRM, document) if isinstance(found, RowsStep)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("selected", "count"),
    [
        ("{ nodes { id } }", "none"),
        ("{ totalCount }", "exact"),
        ("(count: ESTIMATE) { totalCountIs }", "estimate"),
        ("(count: NONE) { totalCount }", "none"),
        ("(count: ESTIMATE) { nodes { id } }", "none"),
    ],
)
def test_rows_are_counted_where_a_total_is_selected(selected: str, count: str) -> None:
    """In the form that was asked for."""
    found = step(CRM, "{ invoices_connection" + selected + " }")
    assert isinstance(found, ConnectionStep)

    assert found.intent.count == count


def test_groups_are_counted_where_a_total_is_selected() -> None:
    """Their number costs a statement of its own."""
    with_total, without = steps(
        CRM, "{ a: invoices_groups { totalCount nodes { count } } b: invoices_groups { nodes { count } } }"
    )
    assert isinstance(with_total, GroupsStep)
    assert isinstance(without, GroupsStep)

    assert (with_total.intent.count, without.intent.count) == ("exact", "none")


def test_a_cursor_is_left_to_be_opened() -> None:
    """With what it must belong to."""
    found = step(CRM, '{ invoices_connection(after: "abc", first: 3, filter: {status: 2}) { nodes { id } } }')
    assert isinstance(found, ConnectionStep)

    assert (found.after, found.intent.page.after, found.intent.page.size) == ("abc", None, "first")
    assert found.binding == binding_of(CRM.resources["invoices"], {"filter": {"status": 2}})


def test_a_cursor_belongs_to_rows_and_order_alone() -> None:
    """Not to fields, sizes and names; whatever decides which rows there are is another question."""
    invoices = CRM.resources["invoices"]

    def binding(document: str) -> bytes:
        found = step(CRM, document)
        assert isinstance(found, ConnectionStep)
        return found.binding

    question = "{ invoices_connection(filter: {status: 2, total_gt: 5}, sort: [{date: ASC}]) { nodes { id } } }"
    same = [
        "{ x: invoices_connection(first: 9, sort: [{date: ASC}], filter: {total_gt: 5, status: 2}) { totalCountIs } }",
        "{ invoices_connection(search: null, filter: {status: 2, total_gt: 5}, sort: [{date: ASC}]) { totalCount } }",
    ]
    others = [
        "{ invoices_connection(filter: {status: 2, total_gt: 6}, sort: [{date: ASC}]) { nodes { id } } }",
        "{ invoices_connection(filter: {status: 2, total_gt: 5}, sort: [{date: DESC}]) { nodes { id } } }",
        "{ invoices_connection(filter: {status: 2, total_gt: 5}) { nodes { id } } }",
        "{ estimates_connection(filter: {status: 2, total_gt: 5}, sort: [{date: ASC}]) { nodes { id } } }",
    ]

    assert {binding(document) for document in same} == {binding(question)}
    assert binding(question) not in {binding(document) for document in others}
    assert binding_of(invoices, {}) != binding_of(CRM.resources["estimates"], {})


# Keys


def test_a_key_of_several_columns_has_an_argument_for_each() -> None:
    """In any order; they are the values of the key in its own."""
    catalog = make_catalog(reflected("parts", "a int!", "b varchar(9)!", "c int", key=("a", "b")))

    assert planned(catalog, '{ parts_by_key(b: "x,y", a: 1) { c _etag } }') == ask_any(
        catalog, f"parts/1,x%2Cy?fields=c&{TEXTS}"
    )


def test_a_key_whose_columns_may_not_be_read_is_one_text() -> None:
    """As it stands in a path."""
    catalog = make_catalog(reflected("parts", "a int!", "b varchar(9)!", "c int", key=("a", "b")))
    access = granted(parts=Grant(READ, frozenset({"c"}), frozenset({"c"})))

    assert planned(catalog, '{ parts_by_key(key: "1,x%2Cy") { c _etag } }', access=access) == ask_any(
        catalog, f"parts/1,x%2Cy?fields=c&{TEXTS}", access
    )


def test_numbers_have_nothing_but_numbers() -> None:
    """Nothing is counted and nothing is paged."""
    found = step(CRM, "{ invoices_aggregate { count } }")
    assert isinstance(found, NumbersStep)

    assert (found.intent.groups, found.intent.count) == ((), "none")


def test_parameters_in_errors_are_named_by_their_place() -> None:
    """From the field of the document on, arguments of inner fields by the way to them."""
    cases: list[tuple[str, Any]] = [
        ('{ invoices(filter: {or: [{date_gt: "soon"}]}) { id } }', "filter.or.0.date_gt"),
        ('{ clients { rows: invoices(filter: {date: "soon"}) { id } } }', "rows.filter.date"),
        ("{ clients { rows: invoices(limit: 0) { id } } }", "rows.limit"),
        ("{ invoices(limit: 0) { id } }", "limit"),
        ("{ invoices(offset: -1) { id } }", "offset"),
        ("{ invoices_connection(first: 2000) { nodes { id } } }", "first"),
    ]
    for document, parameter in cases:
        found = step(CRM, document)
        with pytest.raises(RequestError) as caught:
            plan_any(CRM, found.intent, ALL)
        assert [issue.parameter for issue in caught.value.issues] == [parameter], document


def test_rows_of_which_nothing_is_selected_read_a_column_that_may_be_read() -> None:
    """The key, where that may be read."""
    catalog = make_catalog(reflected("parts", "a int!", "b varchar(9)!", "c int", key=("a", "b")))
    access = granted(parts=Grant(READ, frozenset({"c"}), frozenset({"c"})))

    assert step(catalog, "{ parts { __typename } }").intent.fields == ("a",)
    assert step(catalog, "{ parts { __typename } }", access=access).intent.fields == ("c",)


NAMED = """{
  rows: invoices { __typename client { __typename } payments_aggregate { __typename count sum { __typename amount } } }
  page: invoices_connection { __typename edges { __typename node { __typename } } pageInfo { __typename } }
  numbers: invoices_aggregate { __typename max { __typename date } }
  groups: invoices_groups {
    __typename
    nodes { __typename key { __typename client { __typename } client_fields { __typename country } } }
  }
}"""


def test_every_object_tells_the_name_of_its_type() -> None:
    """Rows, numbers over them, pages and groups, at any depth."""
    rows, page, numbers, groups = steps(CRM, NAMED)
    assert isinstance(rows, RowsStep)
    assert isinstance(page, ConnectionStep)
    assert isinstance(numbers, NumbersStep)
    assert isinstance(groups, GroupsStep)
    types = vocabulary_of(CRM).type_names
    invoice, client = types[CRM.resources["invoices"]], types[CRM.resources["clients"]]
    payment = types[CRM.resources["payments"]]

    assert rows.shape.row({"client": {}, "payments@numbers": {"count": 1, "sum.amount": "2"}}) == {
        "__typename": invoice,
        "client": {"__typename": client},
        "payments_aggregate": {
            "__typename": f"{payment}Numbers",
            "count": 1,
            "sum": {"__typename": f"{payment}Sum", "amount": "2"},
        },
    }
    empty = PageResult([], Count("none"), False, 0, 25)
    assert render(page, replace(empty, rows=[{"id": 1}]), str).value == {
        "__typename": f"{invoice}Connection",
        "edges": [{"__typename": f"{invoice}Edge", "node": {"__typename": invoice}}],
        "pageInfo": {"__typename": "PageInfo"},
    }
    assert numbers.shape.row({"max.date": None})["__typename"] == f"{invoice}Numbers"
    row = {"client": {"userid": 1}, "client.country": 5, "count": 1}
    assert render(groups, replace(empty, rows=[row]), str).value == {
        "__typename": f"{invoice}GroupsPage",
        "nodes": [
            {
                "__typename": f"{invoice}GroupsNode",
                "key": {
                    "__typename": f"{invoice}GroupsKey",
                    "client": {"__typename": client},
                    "client_fields": {"__typename": f"{client}GroupsFields", "country": 5},
                },
            }
        ],
    }


def test_a_row_that_groups_are_keyed_by_is_one_however_often_it_is_selected() -> None:
    """With the fields of all selections, each with a shape of its own."""
    document = "{ invoices_groups { nodes { key { a: client { company } b: client { userid } } } n: nodes { count } } }"
    found = step(CRM, document)

    assert (found.intent.groups, found.intent.metrics) == (("client",), ("count",))
    assert [(embed.path, embed.fields) for embed in found.intent.embeds] == [(("client",), ("company", "userid"))]


def test_a_document_is_one_step_for_each_of_its_fields() -> None:
    """In their order; a field of Mutation is a write."""
    read = operation(CRM, "{ b: invoices { id } a: clients_aggregate { count } }")
    written = operation(CRM, 'mutation { createClient(input: {company: "A"}) { userid } }')

    assert [found.selected.key for found in translate(read, vocabulary_of(CRM))] == ["b", "a"]
    assert [type(found) for found in translate(written, vocabulary_of(CRM))] == [ChangeStep]


OPEN = [
    ("query ($n: Int) { invoices(limit: $n) { id client { company } } }", True),
    ("query ($n: Int) { invoices_connection(first: $n) { totalCount edges { node { id } } nodes { total } } }", True),
    ("query ($n: Int) { invoices_aggregate(filter: {id: $n}) { count sum { total } } }", True),
    ("query ($n: Int!) { invoices_by_key(id: $n) { id client { company } } }", True),
    ("query ($n: Int) { invoices { id payments(limit: $n) { id } } }", False),
    ("query ($n: Int) { invoices_connection { nodes { id payments(limit: $n) { id } } } }", False),
]


@pytest.mark.parametrize(("text", "is_once"), OPEN)
def test_what_is_selected_of_rows_is_translated_once_for_all_variables(text: str, is_once: bool) -> None:
    """Where they play no part in it; the steps are those of a document that was never asked before."""
    schema, known = schema_of(CRM), vocabulary_of(CRM)
    document = Documents(schema, LIMITS, 1).read(text)
    one, other = (
        step_of(operation_of(document, schema, None, {"n": number}, LIMITS)[0].fields[0], known) for number in (1, 2)
    )

    assert (one, other) == (step(CRM, text, {"n": 1}), step(CRM, text, {"n": 2}))
    assert one != other
    assert [mine is its for mine, its in zip(_chosen(one), _chosen(other), strict=True)] == [is_once] * 3


def _chosen(found: Any) -> tuple[object, object, object]:
    """What a step's selection alone decides."""
    shape = found.frame if isinstance(found, ConnectionStep) else found.shape
    if isinstance(found, NumbersStep):
        return shape, found.intent.metrics, shape
    return shape, found.intent.fields, found.intent.embeds if found.intent.embeds else shape
