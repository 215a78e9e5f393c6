"""Questions to a catalog without a server: requests as text -> plans, at a fixed moment, with a given access."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.deletes import plan_delete
from gateway.query.intent import WriteIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.writes import PlannedWrite, plan_create, plan_update
from gateway.rest.body import parse_body
from gateway.rest.parse import ReadRequest, parse_list, parse_row, parse_to_one, parse_write
from gateway.rest.paths import ListPath, RelatedPath, RowPath, parse_path
from gateway.rest.url import BASE_PATH, parse_query
from tests.support.catalogs import perfex_catalog

NOW = datetime(2026, 11, 15, 9, 30, tzinfo=UTC)
"""The moment of every question: a Sunday."""

ALL = Access("all", {"*": Grant(frozenset(OPERATIONS))})
"""The access of a token that may do everything."""

READ: Final[frozenset[Operation]] = frozenset({"read"})


@cache
def crm(dialect: Dialect = "mariadb") -> Catalog:
    """Return the catalog of all of Perfex, made once."""
    return perfex_catalog(dialect=dialect)


def granted(**grants: Grant) -> Access:
    """Return an access with these grants, by resource name."""
    return Access("some", grants)


def context_of(catalog: Catalog, access: Access = ALL, now: datetime = NOW) -> Context:
    """Return the context of one planning run."""
    return Context(catalog, access, Clock(now, catalog.zone), Slots())


def read_request(catalog: Catalog, target: str) -> ReadRequest:
    """Return what ``invoices?page=2``, ``invoices/42`` or ``clients/1/notes`` asks for."""
    path, _, query = target.partition("?")
    pairs = parse_query(query.encode())
    match parse_path(f"{BASE_PATH}/{path}".encode()):
        case ListPath(resource=resource):
            return parse_list(resource, pairs)
        case RowPath(resource=resource, key=key):
            return parse_row(resource, key, pairs)
        case RelatedPath(origin=origin):
            table = catalog.resources.get(origin.resource)
            edge = table.relationships.get(origin.relationship) if table is not None else None
            is_to_one = edge is not None and not edge.is_to_many
            return (parse_to_one if is_to_one else parse_list)(origin.resource, pairs, origin)
    raise AssertionError(f"{target} asks for no rows")


def ask(catalog: Catalog, target: str, access: Access = ALL, now: datetime = NOW) -> PlannedRead:
    """Return the plan of a read."""
    return plan_read(context_of(catalog, access, now), read_request(catalog, target).intent)


def write(
    catalog: Catalog,
    method: str,
    target: str,
    body: bytes = b"{}",
    access: Access = ALL,
    content_type: str = "application/json",
) -> PlannedWrite:
    """Return the plan of a write."""
    raw_path, _, query = target.partition("?")
    path = parse_path(f"{BASE_PATH}/{raw_path}".encode())
    assert isinstance(path, ListPath | RowPath)
    key = path.key if isinstance(path, RowPath) else None
    context, value_format = context_of(catalog, access), parse_write(parse_query(query.encode()))
    if method == "DELETE":
        return plan_delete(context, WriteIntent(path.resource, key=key))
    parsed = parse_body(content_type, body, max_depth=10)
    intent = WriteIntent(path.resource, key, parsed.values, parsed.is_form, value_format)
    return plan_create(context, intent) if key is None else plan_update(context, intent)
