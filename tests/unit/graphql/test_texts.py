"""How much text the arguments of an operation hold."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.graphql.collecting import operation_of
from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.selection import Selected
from gateway.graphql.texts import text_of, texts
from tests.support.small_graphql import small_documents, small_schema


def asked(text: str, variables: dict[str, Any], limits: Limits | None = None) -> tuple[Selected, ...]:
    """Return what a document selects."""
    return operation_of(small_documents().read(text), small_schema(), None, variables, limits or Limits())[0].fields


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("query ($s: String) { invoices_connection(after: $s) { totalCount } }", 1_500),
        ("mutation ($s: JSON) { createInvoice(input: {data: $s}) { id } }", 1_500),
        ("mutation ($s: JSON) { createInvoices(input: [{data: $s}, {data: [$s, 7, true, null]}]) { id } }", 3_000),
        ("mutation ($s: JSON) { a: createInvoice(input: {data: $s}) { id } createInvoice(input: {}) { id } }", 1_500),
    ],
)
def test_a_variable_counts_wherever_it_stands(text: str, characters: int) -> None:
    """Numbers and flags are no text."""
    assert texts(asked(text, {"s": "x" * 1_500})) == characters


def test_arguments_of_nested_fields_count_too() -> None:
    """At every depth."""
    text = "query ($s: String) { invoices_connection(after: $s) { nodes { client { company } } } }"
    inner = asked(text, {"s": "abc"})
    outer = Selected("x", "x", None, arguments={"filter": {"or": [{"a": "12"}]}}, parts=inner)

    assert texts((outer, outer)) == 2 * (2 + 3)


def test_no_more_than_a_body_could_hold() -> None:
    """It is refused before anything is planned, with the cost and the limit."""
    text = (
        "mutation ($s: JSON) { a: createInvoice(input: {data: $s}) { id } b: createInvoice(input: {data: $s}) { id } }"
    )

    asked(text, {"s": "x" * 2_000}, Limits(texts=4_000))
    with pytest.raises(DocumentError) as caught:
        asked(text, {"s": "x" * 2_001}, Limits(texts=4_000))
    assert dict(caught.value.extensions) == {"measure": "texts", "cost": 4_002, "limit": 4_000}


def test_lists_in_many_places_are_looked_at_once() -> None:
    """A small body comes to more text than could be looked at."""
    value: list[Any] = ["ab"] * 100
    for _ in range(20):
        value = [value] * 100

    assert text_of(value, {}) == 2 * 100**21
