"""How many rows the mutations of an operation may write."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.graphql.collecting import operation_of
from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.writing import nested, written
from gateway.query.bulk import MOST_ROWS
from tests.support.small_graphql import small_documents, small_schema

SEVERAL = "createInvoices(input: $a) { id }"
CHOSEN = "updateInvoices(filter: {id: 1}, input: {}, maxAffected: $n) { affected }"


def rows_of(text: str, variables: dict[str, Any] | None = None) -> int:
    """Return how many rows a document writes."""
    limits = Limits(written=10**9)
    return written(operation_of(small_documents().read(text), small_schema(), None, variables or {}, limits)[0].fields)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{ invoices { id } }", 0),
        ("mutation { __typename }", 0),
        ("mutation { createInvoice(input: {}) { id } }", 1),
        ("mutation { a: createInvoice(input: {}) { id } b: createInvoice(input: {}, dryRun: true) { id } }", 2),
        ("mutation { createInvoices(input: [{}, {}, {}]) { id } }", 3),
        ("mutation { updateInvoices(filter: {id: 1}, input: {}, maxAffected: 9) { affected } }", 9),
        ("mutation { updateInvoices(filter: {id: 1}, input: {}, maxAffected: -9) { affected } }", 0),
        ("mutation { a: createInvoices(input: [{}]) { id } createInvoice(input: {}) { id } }", 2),
    ],
)
def test_mutations_write_their_inputs_and_what_may_be_affected(text: str, rows: int) -> None:
    """A row for each that is one's own, whether it is tried out or kept."""
    assert rows_of(text) == rows


def test_a_variable_counts_wherever_it_stands() -> None:
    """The rows of a small body would be written fifty times."""
    text = "mutation ($a: [InvoiceInput!]!) {" + " ".join(f"a{number}: {SEVERAL}" for number in range(50)) + "}"

    assert rows_of(text, {"a": [{}] * 7}) == 350


@pytest.mark.parametrize(("number", "rows"), [(999, 999), (MOST_ROWS, MOST_ROWS), (MOST_ROWS + 1, MOST_ROWS)])
def test_what_one_mutation_may_not_is_its_own_error(number: int, rows: int) -> None:
    """It says which argument it is; the document is not refused for it."""
    assert rows_of(f"mutation ($a: [InvoiceInput!]!) {{ {SEVERAL} }}", {"a": [{}] * number}) == rows
    assert rows_of(f"mutation ($n: Int!) {{ {CHOSEN} }}", {"n": number}) == rows


def test_a_document_writes_as_many_rows_as_a_request_of_rest() -> None:
    """One more is refused before anything runs, with the cost and the limit."""
    text = f"mutation ($a: [InvoiceInput!]!, $n: Int!) {{ {SEVERAL} {CHOSEN} }}"

    def asked(number: int) -> None:
        variables = {"a": [{}] * 400, "n": number}
        operation_of(small_documents().read(text), small_schema(), None, variables, Limits())

    asked(600)
    with pytest.raises(DocumentError) as caught:
        asked(601)
    assert caught.value.code == "query_too_large"
    assert dict(caught.value.extensions) == {"measure": "written", "cost": 1_001, "limit": 1_000}


def test_nested_rows_are_counted_wherever_they_stand() -> None:
    """The lists of values that fields of a row may have are none."""
    lines: list[dict[str, Any]] = [{"qty": 1, "taxes": [{"name": "a"}, {"name": "b"}]}, {"qty": 2}]

    assert nested([{"items": lines, "tags": ["x", "y"], "total": 1}, {"items": lines}, {}]) == 2 * 4


def test_lists_in_many_places_are_looked_at_once() -> None:
    """A body of some kilobytes comes to more rows than could be counted one by one."""
    rows: list[dict[str, Any]] = [{}] * 100
    for _ in range(20):
        rows = [{"items": rows}] * 100

    assert nested(rows) > 100**20
