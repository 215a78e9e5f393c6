"""Questions to a catalog without a server: requests as text -> plans, at a fixed moment, with a given access."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.bulk import PlannedUpsert, plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.deletes import plan_delete
from gateway.query.intent import WriteIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.writes import PlannedWrite, plan_create, plan_update
from gateway.rest.body import Body, Rows, parse_body, parse_rows
from gateway.rest.parse import (
    CREATE_PARAMETERS,
    ReadRequest,
    parse_bulk,
    parse_list,
    parse_row,
    parse_to_one,
    parse_write,
)
from gateway.rest.paths import ListPath, RelatedPath, RowPath, parse_path
from gateway.rest.url import BASE_PATH, Pair, parse_query
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
    context, request = context_of(catalog, access), parse_write(parse_query(query.encode()), CREATE_PARAMETERS)
    if method == "DELETE":
        return plan_delete(context, WriteIntent(path.resource, key=key))
    parsed = parse_body(content_type, body, max_depth=10)
    intent = WriteIntent(path.resource, key, parsed.values, parsed.is_form, request.format)
    return plan_create(context, intent) if key is None else plan_update(context, intent)


Part = tuple[str, PlannedRead | PlannedWrite]
"""A part of a request that writes, with what it is for: empty for the write of one row."""


def changes(
    catalog: Catalog, method: str, target: str, body: bytes, *, content_type: str = "application/json"
) -> tuple[Part, ...]:
    """Return the plans of a write of one row or several, with everything as its handler asks for it."""
    raw_path, _, query = target.partition("?")
    path, pairs = parse_path(f"{BASE_PATH}/{raw_path}".encode()), parse_query(query.encode())
    assert isinstance(path, ListPath | RowPath)
    if isinstance(path, RowPath):
        return (("", write(catalog, method, target, body, content_type=content_type)),)
    if method == "POST":
        return _creates(catalog, path.resource, pairs, parse_rows(content_type, body, max_depth=10))
    request = parse_bulk(pairs)
    if method == "DELETE":
        bulk = plan_bulk_delete(context_of(catalog), path.resource, request.conditions, request.most)
    else:
        values = parse_body(content_type, body, max_depth=10).values
        intent = WriteIntent(path.resource, (), values, format=request.format)
        bulk = plan_bulk_update(context_of(catalog), intent, request.conditions, request.most)
    return (("choose", PlannedRead(bulk.chosen, bulk.values)), ("then each", bulk.each))


def _creates(catalog: Catalog, resource: str, pairs: tuple[Pair, ...], body: Body | Rows) -> tuple[Part, ...]:
    request = parse_write(pairs, CREATE_PARAMETERS)
    context = context_of(catalog)
    if isinstance(body, Rows):
        intents = [WriteIntent(resource, values=row, format=request.format) for row in body.rows]
        rows = plan_rows(context, intents, request.on_conflict)
        return tuple(part for number, row in enumerate(rows) for part in _upsert(row, f"row {number}"))
    intent = WriteIntent(resource, None, body.values, body.is_form, request.format)
    return _upsert(plan_upsert(context, intent, request.on_conflict), "")


def _upsert(row: PlannedUpsert, title: str) -> tuple[Part, ...]:
    if row.found is None:
        return ((title, row.create),)
    found: tuple[Part, ...] = (("look", PlannedRead(row.found, row.values)), ("without one", row.create))
    return (*found, *((("with one", row.update),) if row.update is not None else ()))
