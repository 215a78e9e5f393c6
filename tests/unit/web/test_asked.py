"""What a request asks for, told from its path and method alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.catalog.model import Catalog
from gateway.errors import ForbiddenError, GatewayError
from gateway.execution.connect import open_database
from gateway.query.access import Access, Grant, Operation
from gateway.query.intent import ReadIntent
from gateway.query.planner import plan_read
from gateway.query.writes import writable_table
from gateway.rest.paths import CallerPath, IndexPath, parse_path, path_for
from gateway.settings import Settings
from gateway.web.asked import ASKED, note_asked
from gateway.web.exchange import Exchange
from gateway.web.guards import guard_of
from gateway.web.handlers import HANDLERS
from gateway.web.service import Service, make_service
from tests.support.catalogs import perfex_catalog

CATALOG: Catalog = perfex_catalog(dialect="sqlite")
ALL = Access("all", {"*": Grant(frozenset({"read", "create", "update", "delete"}))})


@pytest.fixture(scope="module")
def service() -> Service:
    settings = Settings(database_url="sqlite:///never-opened.db")
    return make_service(CATALOG, open_database(settings, lambda event: None), settings, lambda event: None)


def access(**operations: str) -> Access:
    known: Mapping[str, Operation] = {"read": "read", "create": "create", "update": "update", "delete": "delete"}
    return Access(
        "some", {name: Grant(frozenset(known[word] for word in words.split(","))) for name, words in operations.items()}
    )


def asked(service: Service, given: Access, method: str, path: str) -> Exchange:
    exchange = Exchange("", 0.0)
    note_asked(exchange, service, given, path_for(parse_path(path.encode()), method, CATALOG), method)
    return exchange


def refusal(service: Service, given: Access, method: str, path: str) -> tuple[str, str] | None:
    try:
        asked(service, given, method, path)
    except GatewayError as error:
        return error.code, error.detail
    return None


def test_every_method_that_is_handled_is_an_operation() -> None:
    """So that none passes the stage unasked; the index, the caller and OPTIONS ask for no rows."""
    free = {(kind, method) for kind, method in HANDLERS if method == "OPTIONS" or kind in (IndexPath, CallerPath)}

    assert set(ASKED) == set(HANDLERS) - free


@pytest.mark.parametrize(
    ("method", "path", "resource", "operation", "row"),
    [
        ("GET", "/api/v1/invoices", "invoices", "read", ""),
        ("HEAD", "/api/v1/customers", "clients", "read", ""),
        ("GET", "/api/v1/invoices.csv", "invoices", "read", ""),
        ("QUERY", "/api/v1/invoices", "invoices", "read", ""),
        ("POST", "/api/v1/invoices/query", "invoices", "read", ""),
        ("POST", "/api/v1/invoices", "invoices", "create", ""),
        ("PATCH", "/api/v1/invoices", "invoices", "update", ""),
        ("DELETE", "/api/v1/invoices", "invoices", "delete", ""),
        ("GET", "/api/v1/invoices/42", "invoices", "read", "42"),
        ("PUT", "/api/v1/invoices/42", "invoices", "update", "42"),
        ("DELETE", "/api/v1/customers/a%2Cb,7", "clients", "delete", "a,b,7"),
        ("GET", "/api/v1/clients/12/invoices", "invoices", "read", ""),
        ("OPTIONS", "/api/v1/invoices/42", "invoices", None, "42"),
        ("PUT", "/api/v1/invoices", "invoices", None, ""),
        ("GET", "/api/v1/graphql", "graphql", "read", ""),
        ("HEAD", "/api/v1/graphql", "graphql", "read", ""),
        ("POST", "/api/v1/graphql", "graphql", None, ""),
        ("GET", "/api/v1", "", None, ""),
        ("GET", "/api/v1/auth/test", "", None, ""),
    ],
)
def test_resource_operation_and_row_are_noted(
    service: Service, method: str, path: str, resource: str, operation: str | None, row: str
) -> None:
    """By the canonical name, and the key as in the path."""
    exchange = asked(service, ALL, method, path)

    assert (exchange.resource, exchange.operation, exchange.row) == (resource, operation, row)


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("GET", "/api/v1/invoices", "grant_missing", "invoices:read"),
        ("GET", "/api/v1/customers", "grant_missing", "clients:read"),
        ("POST", "/api/v1/invoices/query", "grant_missing", "invoices:read"),
        ("POST", "/api/v1/leads", "grant_missing", "leads:create"),
        ("DELETE", "/api/v1/leads/7", "grant_missing", "leads:delete"),
        ("GET", "/api/v1/leads/7/invoices", "relationship_unknown", "invoices"),
        ("GET", "/api/v1/clients/7/invoices", "grant_missing", "clients:read"),
        ("GET", "/api/v1/lead", "resource_unknown", "Did you mean leads"),
        ("GET", "/api/v1/invoice", "resource_unknown", "'invoice'."),
        ("POST", "/api/v1/nothing", "resource_unknown", "nothing"),
    ],
)
def test_what_the_path_shows_is_refused_by_name(
    service: Service, method: str, path: str, code: str, words: str
) -> None:
    """Before a body is read; a resource that the caller may not use is suggested to nobody."""
    found = refusal(service, access(leads="read"), method, path)

    assert found is not None
    assert found[0] == code
    assert words in found[1]


def test_the_end_of_a_relationship_must_be_readable_too(service: Service) -> None:
    """The grant on its rows is named."""
    found = refusal(service, access(clients="read"), "GET", "/api/v1/clients/7/invoices")

    assert found == ("grant_missing", "The token lacks the grant invoices:read.")
    assert refusal(service, access(clients="read", invoices="read"), "GET", "/api/v1/clients/7/invoices") is None


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS"])
def test_a_method_that_the_path_does_not_take_is_left_to_its_answer(service: Service, method: str) -> None:
    """405, or what the path takes, with the same words as ever."""
    path = "/api/v1/leads.csv" if method == "POST" else "/api/v1/leads"

    assert refusal(service, access(leads="read"), method, path) is None


@pytest.mark.parametrize("resource", ["leads", "invoices", "customers", "leadz", "nothing"])
@pytest.mark.parametrize("grants", [{}, {"leads": "create"}, {"clients": "read"}])
def test_the_stage_says_what_the_planner_says(service: Service, resource: str, grants: dict[str, str]) -> None:
    """Same code, same detail, for reads and writes: which of them refuses is not to be told apart."""
    given = access(**grants)

    def planned(operation: str) -> tuple[str, str] | None:
        try:
            if operation == "read":
                plan_read(service.context(given), ReadIntent(resource))
            else:
                writable_table(service.context(given), resource, "create")
        except GatewayError as error:
            return error.code, error.detail
        return None

    assert refusal(service, given, "GET", f"/api/v1/{resource}") == planned("read")
    assert refusal(service, given, "POST", f"/api/v1/{resource}") == planned("create")


def test_a_closed_resource_is_refused_whatever_the_wildcard_grants(service: Service) -> None:
    """Its grant is there and allows nothing."""
    closed = Access("bi", {"*": Grant(frozenset({"read"})), "invoices": Grant(frozenset())})
    with pytest.raises(ForbiddenError):
        asked(service, closed, "GET", "/api/v1/invoices/1")

    assert asked(service, closed, "GET", "/api/v1/leads/1").operation == "read"


@pytest.mark.parametrize(
    ("path", "guard"),
    [
        ("/healthz", "public"),
        ("/api_docs/errors/internal", "public"),
        ("/healthzz", "token"),
        ("/api/v1", "token"),
        ("/api/v1/admin", "token"),
        ("/api/v1/../healthz", "token"),
        ("/api/me", "token"),
        ("/", "token"),
        ("", "token"),
        ("/admin", "admin"),
        ("/admin/tokens/7", "admin"),
        ("/administration", "token"),
        ("/metrics", "admin"),
    ],
)
def test_a_path_demands_by_its_beginning(path: str, guard: str) -> None:
    """What is not known demands a token."""
    assert guard_of(path) == guard
