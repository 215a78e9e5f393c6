"""How many objects a reply may come to."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.graphql.collecting import operation_of
from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from tests.support.small_graphql import small_documents, small_schema


def complexity(text: str, variables: dict[str, Any] | None = None, limits: Limits | None = None) -> int:
    document = small_documents().read(text)
    return operation_of(document, small_schema(), None, variables or {}, limits or Limits(complexity=10**30))[
        1
    ].complexity


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("{ __typename }", 0),
        ("{ invoices { id total } }", 25),
        ("{ invoices(limit: 10) { id } }", 10),
        ("{ invoices(limit: null) { id } }", 25),
        ("{ invoices(limit: 0) { payments { id } } }", 0),
        ("{ invoices(limit: -5) { id } }", 0),
        ("{ invoices(limit: 10) { client { id } } }", 10 * 2),
        ("{ invoices(limit: 10) { payments { id } } }", 10 * (1 + 100)),
        ("{ invoices(limit: 10) { payments(limit: 3) { invoice { id } } } }", 10 * (1 + 3 * 2)),
        ("{ invoices(limit: 10) { payments_aggregate { count sum { total } } } }", 10 * (1 + 2)),
        ("{ invoices_by_key(id: 1) { id client { id } } }", 2),
        ("{ invoices_aggregate { count } }", 1),
        ("{ invoices_aggregate { sum { total } } }", 2),
        ("{ invoices_connection { totalCount } }", 1),
        ("{ invoices_connection { nodes { id } } }", 1 + 25),
        ("{ invoices_connection(first: 7) { edges { cursor } pageInfo { hasNextPage } } }", 1 + 7 + 1),
        ("{ invoices_connection(first: 7) { edges { node { client { id } } } } }", 1 + 7 * 3),
        ("{ invoices_groups { nodes { key { status } sum { total } } } }", 1 + 25 * 3),
        ("{ invoices_groups(limit: 4) { totalCount } }", 1),
        ("{ a: invoices(limit: 1) { id } b: invoices(limit: 2) { id } }", 3),
        ("mutation { createInvoice(input: {}) { id client { id } } }", 2),
        ("mutation { createInvoices(input: [{}, {}]) { id client { id } } }", 2 * 2),
        ("mutation { updateInvoices(filter: {}, input: {}, maxAffected: 9) { affected } }", 9),
        ("mutation { updateInvoices(filter: {}, input: {}, maxAffected: 9) { rows { client { id } } } }", 1 + 9 * 2),
    ],
)
def test_a_list_counts_its_limit_times_what_is_inside(text: str, objects: int) -> None:
    """And every object counts one."""
    assert complexity(text) == objects


def test_limits_may_be_variables() -> None:
    """The cost is that of this request, not of the text."""
    assert complexity("query ($n: Int) { invoices(limit: $n) { id } }", {"n": 3}) == 3
    assert complexity("mutation ($r: [InvoiceInput!]!) { createInvoices(input: $r) { id } }", {"r": [{}] * 40}) == 40


def test_nested_rows_count_each() -> None:
    """Those of a variable wherever it stands, as they are written there."""
    rows = {"data": [{"x": 1}, {"x": 2}, {"x": 3}]}

    assert complexity("mutation ($d: JSON) { createInvoice(input: {data: $d}) { id } }", {"d": rows["data"]}) == 1 + 3
    several = "mutation ($d: JSON) { createInvoices(input: [{data: $d}, {data: $d}]) { client { id } } }"
    assert complexity(several, {"d": rows["data"]}) == 2 * 2 + 2 * 3


def test_what_comes_to_too_much_is_refused() -> None:
    """Twelve lists inside each other come to more objects than there are."""
    inner = "id"
    for _ in range(3):
        inner = f"client {{ invoices {{ {inner} }} }}"

    with pytest.raises(DocumentError) as caught:
        complexity(f"{{ invoices {{ {inner} }} }}", limits=Limits())

    assert caught.value.code == "query_too_large"
    assert dict(caught.value.extensions) == {"measure": "complexity", "cost": 25_505_050, "limit": 100_000}
