"""Questions to a catalog without a server: requests as text -> plans, at a fixed moment, with a given access."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import CustomField as Definition
from gateway.errors import GatewayError
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.bulk import PlannedUpsert, plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.deletes import plan_delete
from gateway.query.intent import AggregateIntent, Origin, ReadIntent, WriteIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.writes import PlannedWrite, plan_create, plan_update
from gateway.rest.body import Body, Rows, parse_body, parse_rows
from gateway.rest.given import Given
from gateway.rest.parse import (
    CREATE_PARAMETERS,
    ReadRequest,
    parse_bulk,
    parse_list,
    parse_query_list,
    parse_row,
    parse_to_one,
    parse_write,
)
from gateway.rest.paths import ListPath, RelatedPath, RowPath, parse_path
from gateway.rest.url import BASE_PATH, Pair, parse_query
from tests.support.catalogs import everything, perfex_built, perfex_catalog, perfex_reflection

NOW = datetime(2026, 11, 15, 9, 30, tzinfo=UTC)
"""The moment of every question: a Sunday."""

ALL = Access("all", {"*": Grant(frozenset(OPERATIONS))})
"""The access of a token that may do everything."""

READ: Final[frozenset[Operation]] = frozenset({"read"})


@cache
def crm(dialect: Dialect = "mariadb") -> Catalog:
    """Return the catalog of all of Perfex, made once."""
    return perfex_catalog(dialect=dialect)


@cache
def crm_of_fields(dialect: Dialect = "mariadb") -> Catalog:
    """Return the catalog of all of Perfex where staff defined fields of their own for clients and invoices."""
    definitions = (
        Definition(1, "industry", "Industry", "customers"),
        Definition(2, "since", "Since", "customers", type="date_picker"),
        Definition(3, "score", "Score", "customers", type="number"),
        Definition(4, "cost_center", "Cost center", "invoice"),
    )
    reflection = replace(perfex_reflection(dialect), custom_fields=definitions)
    return perfex_built(everything(), reflection).catalog


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
            return parse_list(resource, pairs, None, _names(catalog, resource))
        case RowPath(resource=resource, key=key):
            return parse_row(resource, key, pairs, _names(catalog, resource))
        case RelatedPath(origin=origin):
            is_to_one, names = _related(catalog, origin)
            return (parse_to_one if is_to_one else parse_list)(origin.resource, pairs, origin, names)
    raise AssertionError(f"{target} asks for no rows")


def query_request(catalog: Catalog, path: str, given: Given) -> ReadRequest:
    """Return what a body of parameters asks of ``invoices`` or ``clients/1/notes``."""
    match parse_path(f"{BASE_PATH}/{path}".encode()):
        case ListPath(resource=resource):
            return parse_query_list(resource, given, None, _names(catalog, resource))
        case RelatedPath(origin=origin):
            return parse_query_list(origin.resource, given, origin, _related(catalog, origin)[1])
    raise AssertionError(f"{path} is no list")


def _names(catalog: Catalog, resource: str) -> frozenset[str]:
    table = catalog.resources.get(resource)
    return frozenset() if table is None else frozenset({table.resource or "", *table.aliases})


def _related(catalog: Catalog, origin: Origin) -> tuple[bool, frozenset[str]]:
    """Whether a relationship leads to one row, and the names of the resource that it leads to."""
    table = catalog.resources.get(origin.resource)
    edge = table.relationships.get(origin.relationship) if table is not None else None
    if edge is None:
        return False, frozenset()
    return not edge.is_to_many, _names(catalog, catalog.table_of(edge).resource or "")


def ask(catalog: Catalog, target: str, access: Access = ALL, now: datetime = NOW) -> PlannedRead:
    """Return the plan of a read of rows."""
    planned = ask_any(catalog, target, access, now)
    assert isinstance(planned, PlannedRead)
    return planned


def ask_groups(catalog: Catalog, target: str, access: Access = ALL, now: datetime = NOW) -> PlannedGroups:
    """Return the plan of groups."""
    planned = ask_any(catalog, target, access, now)
    assert isinstance(planned, PlannedGroups)
    return planned


def ask_any(catalog: Catalog, target: str, access: Access = ALL, now: datetime = NOW) -> PlannedRead | PlannedGroups:
    """Return the plan of a read, of rows or of groups."""
    return plan_any(catalog, read_request(catalog, target).intent, access, now)


def plan_any(
    catalog: Catalog, intent: ReadIntent | AggregateIntent, access: Access = ALL, now: datetime = NOW
) -> PlannedRead | PlannedGroups:
    """Return the plan of an intent, of rows or of groups."""
    context = context_of(catalog, access, now)
    return plan_groups(context, intent) if isinstance(intent, AggregateIntent) else plan_read(context, intent)


def refused(catalog: Catalog, target: str, access: Access = ALL) -> GatewayError:
    """Return the error that a read meets when it is parsed or planned."""
    with pytest.raises(GatewayError) as caught:
        ask_any(catalog, target, access)
    return caught.value


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
