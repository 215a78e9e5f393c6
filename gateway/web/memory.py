"""Reads that were asked before, ready to run: parsed, planned, their links known.

The key of a row is the one thing that changes between requests for single rows, so
its plan is kept without it. A list is kept by its whole query string, unless its
values depend on the moment it was asked (date words).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.catalog.model import Table
from gateway.query.access import Access
from gateway.query.intent import Origin
from gateway.query.plan import Values
from gateway.query.planner import PlannedRead, plan_read, values_for_key
from gateway.rest.parse import ReadRequest, parse_list, parse_row, parse_to_one
from gateway.rest.render import readable_relationships
from gateway.rest.url import parse_query
from gateway.web.service import Service


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list as it is asked by one query string."""

    request: ReadRequest
    planned: PlannedRead
    table: Table


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A single row as it is asked by one query string, whatever its key."""

    request: ReadRequest
    planned: PlannedRead
    table: Table
    links: tuple[str, ...]


def known_list(
    service: Service, access: Access, resource: str, query: bytes, origin: Origin | None = None
) -> KnownList:
    """Return the planned list of a query string, from memory when it was asked before."""
    key = (access, resource, origin, query)
    known = service.memory.get(key)
    if isinstance(known, KnownList):
        return known
    request = _parsed(service, resource, query, origin)
    planned = plan_read(service.context(access), request.intent)
    made = KnownList(request, planned, planned.plan.table)
    if planned.is_timeless:
        service.memory.put(key, made)
    return made


def _parsed(service: Service, resource: str, query: bytes, origin: Origin | None) -> ReadRequest:
    """A to-one takes the parameters of a row; what the path leads to decides."""
    pairs = parse_query(query)
    table = service.catalog.resources.get(resource)
    edge = table.relationships.get(origin.relationship) if table is not None and origin is not None else None
    if origin is not None and edge is not None and not edge.is_to_many:
        return parse_to_one(resource, pairs, origin)
    return parse_list(resource, pairs, origin)


def known_row(
    service: Service, access: Access, resource: str, key: tuple[str, ...], query: bytes
) -> tuple[KnownRow, Values]:
    """Return the planned row of a query string, and the plan's values for one key."""
    place = (access, resource, query)
    known = service.memory.get(place)
    if isinstance(known, KnownRow):
        return known, values_for_key(known.planned, key, service.clock())
    request = parse_row(resource, key, parse_query(query))
    planned = plan_read(service.context(access), request.intent)
    links = readable_relationships(service.catalog, access, planned.plan.table)
    made = KnownRow(request, planned, planned.plan.table, links)
    if planned.is_timeless:
        service.memory.put(place, made)
    return made, planned.values
