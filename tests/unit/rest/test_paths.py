"""Paths: what they address, what a method makes of them, and suffixes that name formats."""

from __future__ import annotations

import pytest

from gateway.errors import NotFoundError
from gateway.query.intent import Origin
from gateway.rest.paths import (
    CallerPath,
    GraphQLPath,
    IndexPath,
    ListPath,
    QueryPath,
    RelatedPath,
    ResourcePath,
    RowPath,
    parse_path,
    path_for,
)
from tests.support.asking import crm
from tests.support.catalogs import make_catalog, reflected


@pytest.mark.parametrize(
    ("path", "due"),
    [
        ("", IndexPath()),
        ("/", IndexPath()),
        ("/auth/test", CallerPath()),
        ("/graphql", GraphQLPath()),
        ("/graphql/1", RowPath("graphql", ("1",))),
        ("/invoices", ListPath("invoices")),
        ("/invoices/42", RowPath("invoices", ("42",))),
        ("/invoices/query", RowPath("invoices", ("query",))),
        ("/clients/12/invoices", RelatedPath(Origin("clients", ("12",), "invoices"))),
    ],
)
def test_a_path_is_split_at_its_slashes(path: str, due: ResourcePath) -> None:
    """Below /api/v1."""
    assert parse_path(f"/api/v1{path}".encode()) == due


@pytest.mark.parametrize("path", ["/invoices/", "/clients/12/invoices/", "/clients/12/invoices/3", "//"])
def test_other_paths_lead_nowhere(path: str) -> None:
    """A 404, never a redirect."""
    with pytest.raises(NotFoundError) as caught:
        parse_path(f"/api/v1{path}".encode())

    assert caught.value.code == "route_unknown"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_a_row_may_be_called_query(method: str) -> None:
    """Only what is posted there is a query."""
    path = RowPath("invoices", ("query",))

    assert path_for(path, "POST", crm()) == QueryPath("invoices")
    assert path_for(path, method, crm()) == path
    assert path_for(RowPath("invoices", ("7",)), "POST", crm()) == RowPath("invoices", ("7",))


@pytest.mark.parametrize(
    ("path", "due"),
    [
        (ListPath("invoices.csv"), ListPath("invoices", "csv")),
        (ListPath("payments.xlsx"), ListPath("payments", "xlsx")),
        (ListPath("invoices"), ListPath("invoices")),
        (ListPath("invoices.pdf"), ListPath("invoices.pdf")),
        (ListPath("nothing.csv"), ListPath("nothing", "csv")),
        (
            RelatedPath(Origin("clients", ("12",), "invoices.ndjson")),
            RelatedPath(Origin("clients", ("12",), "invoices"), "ndjson"),
        ),
        (
            RelatedPath(Origin("clients", ("a.csv",), "invoices")),
            RelatedPath(Origin("clients", ("a.csv",), "invoices")),
        ),
        (RowPath("invoices", ("42.csv",)), RowPath("invoices", ("42.csv",))),
    ],
)
def test_a_suffix_of_a_list_names_a_format(path: ResourcePath, due: ResourcePath) -> None:
    """Where it is one; rows have none, as a key may hold anything."""
    assert path_for(path, "GET", crm()) == due


def test_a_resource_that_is_really_called_so_wins() -> None:
    """A table may be called anything."""
    catalog = make_catalog(reflected("log.csv", "id int!"), reflected("log", "id int!"))

    assert path_for(ListPath("log.csv"), "GET", catalog) == ListPath("log.csv")
    assert path_for(ListPath("log.json"), "GET", catalog) == ListPath("log", "json")
