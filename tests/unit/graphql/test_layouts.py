"""What no variable changes is worked out once for all requests of a document; what one changes, for each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql import coercing, layouts
from gateway.graphql.collecting import operation_of
from gateway.graphql.document import Document
from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.selection import Cost, Operation, Selected
from tests.support.small_graphql import small_documents, small_schema


def asked(document: Document, variables: Mapping[str, Any] | None = None, name: str | None = None) -> Operation:
    return answered(document, variables, name)[0]


def answered(
    document: Document, variables: Mapping[str, Any] | None, name: str | None = None
) -> tuple[Operation, Cost]:
    return operation_of(document, small_schema(), name, variables or {}, Limits())


def read(text: str) -> Document:
    return small_documents().read(text)


LISTED = """
query ($least: Decimal, $most: Int) {
  invoices(filter: {total_gte: $least, id: 3}, limit: $most) { id client { company } payments(limit: 2) { id } }
}
"""


def test_the_parts_of_a_field_are_the_same_for_other_variables() -> None:
    """The very same objects: only the arguments that hold variables are made anew."""
    document = read(LISTED)

    one = asked(document, {"least": "1.50", "most": 3}).fields[0]
    other = asked(document, {"least": "2"}).fields[0]

    assert one.parts is other.parts
    assert [each.arguments for each in (one, other)] == [
        {"filter": {"total_gte": Decimal("1.50"), "id": 3}, "limit": 3},
        {"filter": {"total_gte": Decimal(2), "id": 3}},
    ]
    assert len(document.layouts) == 1


def test_a_field_without_variables_is_the_same_for_all_requests() -> None:
    """Whatever stands beside it."""
    document = read("query ($n: Int) { invoices { id } more: invoices(limit: $n) { id } }")

    (one, first), (other, second) = (asked(document, {"n": number}).fields for number in (1, 2))

    assert one is other
    assert (first.arguments, second.arguments) == ({"limit": 1}, {"limit": 2})


def test_a_variable_below_changes_what_leads_to_it_and_nothing_beside_it() -> None:
    """The fields on the way are made anew, their other parts are not."""
    document = read(
        "query ($n: Int) { invoices(limit: 5) { id client { company invoices(limit: $n) { id } } payments { id } } }"
    )

    one, other = (asked(document, {"n": number}).fields[0] for number in (1, 2))

    assert [mine is its for mine, its in zip(one.parts, other.parts, strict=True)] == [True, False, True]
    (company, invoices), (same, others) = (each.parts[1].parts for each in (one, other))
    assert company is same
    assert (invoices.parts is others.parts, invoices.arguments, others.arguments) == (True, {"limit": 1}, {"limit": 2})
    assert (one.arguments, one.memory, one.parts[1].memory) == ({"limit": 5}, None, None)
    assert invoices.memory is not None


def test_nothing_is_collected_or_coerced_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second request looks at its variables and at the arguments that hold them."""
    document = read(LISTED)
    asked(document, {"least": "1", "most": 3})
    coerced: list[frozenset[str] | None] = []
    arguments_of = coercing.arguments_of

    def counted(definition: Any, node: Any, variables: Any, names: Any = None) -> dict[str, Any]:
        coerced.append(names)
        return arguments_of(definition, node, variables, names)

    def collected(*_: object) -> None:
        raise AssertionError("collected again")

    monkeypatch.setattr(layouts, "grouped", collected)
    monkeypatch.setattr(layouts, "arguments_of", counted)
    asked(document, {"least": "2", "most": 4})

    assert coerced == [frozenset({"filter", "limit"})]


def test_what_is_skipped_has_a_layout_of_its_own() -> None:
    """One for each answer of the variables in directives; others make none."""
    document = read(
        "query ($with: Boolean!, $without: Boolean = false, $n: Int) {"
        " invoices(limit: $n) { id ...F @include(if: $with) ... @skip(if: $without) { total } } }"
        " fragment F on Invoice { client { id } }"
    )
    found = {}
    for number, (with_, without) in enumerate([(True, False), (True, True), (False, False), (True, False)]):
        field = asked(document, {"with": with_, "without": without, "n": number}).fields[0]
        found[with_, without] = [each.key for each in field.parts]
        assert field.arguments == {"limit": number}

    assert found == {
        (True, False): ["id", "client", "total"],
        (True, True): ["id", "client"],
        (False, False): ["id", "total"],
    }
    assert (document.deciding, len(document.layouts)) == (("with", "without"), 3)
    asked(document, {"with": True})
    assert len(document.layouts) == 3


def test_each_operation_has_a_layout_of_its_own() -> None:
    """Of one document."""
    document = read("query A { invoices { id } } query B { invoices { total } }")

    assert [[part.key for part in asked(document, name=name).fields[0].parts] for name in "ABA"] == [
        ["id"],
        ["total"],
        ["id"],
    ]


def test_no_more_is_kept_than_a_document_may_weigh() -> None:
    """Each answer of its directives would be kept; what is not kept is worked out again, to the same."""
    names = "abcdefgh"
    head = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: id @include(if: ${name})" for name in names)
    document = read(f"query ({head}) {{ invoices {{ id {fields} }} }}")
    sizes = []
    for number in range(2 ** len(names)):
        given = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        parts = asked(document, given).fields[0].parts
        sizes.append(sum(each.size for each in document.layouts.values()))
        assert [part.key for part in parts] == ["id", *(name for name in names if given[name])]

    assert 0 < sizes[-1] <= document.weight
    assert 1 < len(document.layouts) < 2 ** len(names)


def test_fragments_weigh_wherever_they_are_spread() -> None:
    """So that what is kept of such a document is counted among what all documents take."""
    fields = " ".join(f"f{number}: total" for number in range(20))
    spread = " ".join(f"i{number}: invoices {{ ...F }}" for number in range(30))
    document = small_documents(Limits(aliases=10**6)).read(f"{{ {spread} }} fragment F on Invoice {{ {fields} }}")

    asked(document)

    (layout,) = document.layouts.values()
    assert document.tokens < layout.size == 30 * 21 <= document.weight


def test_values_to_be_written_are_each_requests_own() -> None:
    """Literals too: they are given away. What is selected of the written row is shared."""
    document = read("mutation { createInvoice(input: {total: 1, tags: []}) { id client { company } } }")

    one, other = (asked(document).fields[0] for _ in range(2))

    assert one.arguments == other.arguments == {"input": {"total": Decimal(1), "tags": []}, "dryRun": False}
    assert one.arguments["input"] is not other.arguments["input"]
    assert one.parts is other.parts


def test_a_default_of_the_schema_stands_where_a_variable_is_left_out() -> None:
    """As if the argument were not there."""
    document = read("mutation ($dry: Boolean) { createInvoice(input: {}, dryRun: $dry) { id } }")

    given: list[dict[str, Any]] = [{"dry": True}, {}, {"dry": None}]
    assert [asked(document, each).fields[0].arguments["dryRun"] for each in given] == [True, False, None]


def test_a_fault_of_one_request_is_not_the_next_ones() -> None:
    """What fails for its variables is not kept."""
    document = read("query ($a: Boolean = true, $n: Int = 1) { invoices_by_key(id: $n) { id @include(if: $a) } }")

    for faulty in ({"a": None}, {"n": None}):
        with pytest.raises(DocumentError) as caught:
            asked(document, faulty)
        assert caught.value.code == "variables_invalid"
    assert [part.key for part in asked(document).fields[0].parts] == ["id"]


def made(selected: Selected, calls: list[str]) -> object:
    def make() -> object:
        calls.append(selected.key)
        return object()

    return selected.once("any", make)


def test_what_is_made_of_parts_is_made_once_while_they_are_the_same() -> None:
    """And for each request where they are not."""
    calls: list[str] = []
    fixed, open_ = (
        read("query ($n: Int) { a: invoices(limit: $n) { id } }"),
        read("query ($n: Int) { b: invoices { payments(limit: $n) { id } } }"),
    )

    same = [made(asked(fixed, {"n": number}).fields[0], calls) for number in (1, 2)]
    others = [made(asked(open_, {"n": number}).fields[0], calls) for number in (1, 2)]

    assert (same[0] is same[1], others[0] is others[1], calls) == (True, False, ["a", "b", "b"])


MIXED = """
query ($a: Boolean!, $b: Boolean = true, $n: Int, $least: Decimal = "2.50", $ids: [Int!], $filter: InvoiceFilter) {
  __typename
  invoices(filter: {total_gte: $least, id_in: $ids, or: [{id: 1, not: $filter}]}, limit: $n) @include(if: $a) {
    id client @skip(if: $b) { company invoices(limit: $n) { id ...F } } ...F
  }
  more: invoices(filter: $filter, sort: [{total: DESC}]) { ...F mine: payments(limit: 3) { id } }
  invoices_connection(first: $n) { edges @include(if: $b) { node { ...F } } totalCount }
  fixed: invoices(filter: {id: 7}) { id payments_aggregate { count } }
}
fragment F on Invoice { total payments(filter: $filter, limit: 2) @skip(if: $a) { id } }
"""
VALUES = {
    "b": st.sampled_from([None, True, False]),
    "n": st.sampled_from([None, 0, 1, 7]),
    "least": st.sampled_from([None, "1", "1.50"]),
    "ids": st.lists(st.integers(0, 9), max_size=3),
    "filter": st.sampled_from([None, {}, {"id": 3}, {"not": {"total_gte": "1"}}]),
}


def outcome(document: Document, variables: Mapping[str, Any]) -> object:
    try:
        return answered(document, variables)
    except DocumentError as error:
        return error.code, error.detail, error.locations


@given(st.lists(st.fixed_dictionaries({"a": st.booleans()}, optional=VALUES), min_size=1, max_size=6))
def test_a_document_that_was_asked_before_selects_what_a_new_one_does(requests: list[dict[str, Any]]) -> None:
    """And costs the same, or is refused alike, whatever was asked of it in between."""
    known = read(MIXED)
    for variables in requests:
        assert outcome(known, variables) == outcome(read(MIXED), variables)
