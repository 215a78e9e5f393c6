"""Reads that were asked before, ready to run: parsed, planned, their links known.

The key of a row is the one thing that changes between requests for single rows, so
its plan is kept without it. A list is kept by its whole query string, unless its
values depend on the moment it was asked (date words). The pages that cursors lead to are
kept without them: a position changes values of the plan, and its nulls which plan it
is. What came in a body is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog.model import Catalog, Table
from gateway.errors import RequestError
from gateway.query.access import Access
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.intent import AggregateIntent, Origin
from gateway.query.plan import Values
from gateway.query.planner import PlannedRead, plan_read, values_after, values_for_key
from gateway.query.positions import Position
from gateway.query.resolve import readable_relationships
from gateway.rest.binding import binding_of
from gateway.rest.given import Given
from gateway.rest.parse import ReadRequest, parse_list, parse_query_list, parse_row, parse_to_one
from gateway.rest.paths import ListPath, QueryPath, RelatedPath
from gateway.rest.url import list_path, parse_query, related_path
from gateway.web.service import Service

ManyPath = ListPath | RelatedPath | QueryPath


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list as it is asked by one query; ``path`` is its canonical one and ``binding`` what its cursors belong to."""

    request: ReadRequest
    planned: PlannedRead | PlannedGroups
    table: Table
    path: str
    binding: bytes


@dataclass(frozen=True, slots=True)
class _KnownPages:
    """The pages of one query that cursors lead to, by which values of the position are null; few of these are kept."""

    binding: bytes
    plans: dict[tuple[bool, ...], tuple[KnownList, PlannedRead]]


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A single row as it is asked by one query string, whatever its key."""

    request: ReadRequest
    planned: PlannedRead
    table: Table
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    """What the path of a list names: the table whose rows are asked for, None where there is none."""

    resource: str
    origin: Origin | None
    table: Table | None
    path: str
    is_to_one: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of the resource whose rows are asked for."""
        return frozenset() if self.table is None else frozenset({self.table.resource or "", *self.table.aliases})


def known_list(service: Service, access: Access, path: ManyPath, query: bytes) -> KnownList:
    """Return the planned list of a query string, from memory when it was asked before.

    Raises:
        GatewayError: whatever is wrong with the request.
    """
    key = (access, path, query)
    known = service.memory.get(key)
    if isinstance(known, KnownList):
        return known
    cursor, others = split_cursor(query)
    place = (access, path, others, "pages")
    pages = service.memory.get(place) if cursor else None
    if isinstance(pages, _KnownPages):
        page = _known_page(service, pages, cursor)
        if page is not None:
            return page

    def parse(target: _Target) -> ReadRequest:
        pairs = parse_query(query)
        if target.is_to_one and target.origin is not None:
            return parse_to_one(target.resource, pairs, target.origin, target.names)
        return parse_list(target.resource, pairs, target.origin, target.names)

    made = _planned(service, access, path, parse)
    if made.planned.is_timeless and not made.request.cursor:
        service.memory.put(key, made)
    elif made.planned.is_timeless and cursor:
        known_pages = pages if isinstance(pages, _KnownPages) else _KnownPages(made.binding, {})
        _keep_page(service.memory.put(place, known_pages), made)
    return made


MOST_NULL_PATTERNS: Final = 16
"""Plans kept for one query: a sort by many fields that may be null has as many as there are subsets of them."""
_CURSOR: Final = b"cursor="
_SEALED: Final = re.compile(rb"[A-Za-z0-9_-]+")


def split_cursor(query: bytes) -> tuple[str, bytes]:
    """Return the one cursor of a query string, and the other parameters; no cursor where it is not plain.

    >>> split_cursor(b"sort=-total&cursor=abc&per_page=5")
    ('abc', b'sort=-total&per_page=5')
    """
    parts = query.split(b"&")
    cursors = [part[len(_CURSOR) :] for part in parts if part.startswith(_CURSOR)]
    if len(cursors) != 1 or not _SEALED.fullmatch(cursors[0]):
        return "", query
    return cursors[0].decode("ascii"), b"&".join(part for part in parts if not part.startswith(_CURSOR))


def _known_page(service: Service, pages: _KnownPages, cursor: str) -> KnownList | None:
    position = service.cursors.open(cursor, pages.binding)
    found = pages.plans.get(_nulls(position))
    if found is None:
        return None
    known, planned = found
    intent = known.request.intent
    page = replace(intent.page, after=position)
    return replace(
        known,
        request=replace(known.request, cursor=cursor, intent=replace(intent, page=page)),
        planned=replace(planned, values=values_after(planned, position)),
    )


def _keep_page(pages: object, made: KnownList) -> None:
    after = made.request.intent.page.after
    planned = made.planned
    if not isinstance(pages, _KnownPages) or len(pages.plans) >= MOST_NULL_PATTERNS:
        return
    if isinstance(planned, PlannedRead) and planned.position_slots and after:
        pages.plans[_nulls(after)] = made, planned


def _nulls(position: Position) -> tuple[bool, ...]:
    return tuple(value is None for value in position)


def queried_list(service: Service, access: Access, path: ManyPath, given: Given) -> KnownList:
    """Return the planned list of parameters that came in a body.

    Raises:
        GatewayError: whatever is wrong with the request.
    """
    return _planned(
        service,
        access,
        path,
        lambda target: parse_query_list(target.resource, given, target.origin, target.names),
    )


def _planned(service: Service, access: Access, path: ManyPath, parse: Callable[[_Target], ReadRequest]) -> KnownList:
    target = _target(service.catalog, path)
    request = parse(target)
    binding = b"" if target.is_to_one else binding_of(target.path, request.given)
    if request.cursor and target.table is not None:
        page = replace(request.intent.page, after=service.cursors.open(request.cursor, binding))
        request = replace(request, intent=replace(request.intent, page=page))
    planned = _plan(service, access, request)
    if request.style == "cursor" and isinstance(planned, PlannedRead) and not planned.plan.is_followed:
        raise _not_followed(planned.plan.table)
    return KnownList(request, planned, planned.plan.table, target.path, binding)


def _plan(service: Service, access: Access, request: ReadRequest) -> PlannedRead | PlannedGroups:
    context = service.context(access)
    if isinstance(request.intent, AggregateIntent):
        return plan_groups(context, request.intent)
    return plan_read(context, request.intent)


def _not_followed(table: Table) -> RequestError:
    why = "in this order" if table.key else "as its rows have no key"
    detail = f"{table.resource} cannot be paged by cursor {why}: take page, or limit and offset."
    return RequestError("parameter_invalid", detail, parameter="cursor")


def _target(catalog: Catalog, path: ManyPath) -> _Target:
    if not isinstance(path, RelatedPath):
        table = catalog.resources.get(path.resource)
        return _Target(path.resource, None, table, list_path(_canonical(table, path.resource)))
    origin = path.origin
    parent = catalog.resources.get(origin.resource)
    edge = parent.relationships.get(origin.relationship) if parent is not None else None
    place = related_path(_canonical(parent, origin.resource), origin.key, origin.relationship)
    if edge is None:
        return _Target(origin.resource, origin, None, place)
    return _Target(origin.resource, origin, catalog.table_of(edge), place, not edge.is_to_many)


def _canonical(table: Table | None, name: str) -> str:
    return name if table is None or table.resource is None else table.resource


def is_one(known: KnownList) -> bool:
    """Whether what was asked as a list is the one row of a to-one."""
    return isinstance(known.planned, PlannedRead) and known.planned.count is None


def known_row(
    service: Service, access: Access, resource: str, key: tuple[str, ...], query: bytes
) -> tuple[KnownRow, Values]:
    """Return the planned row of a query string, and the plan's values for one key."""
    place = (access, resource, query)
    known = service.memory.get(place)
    if isinstance(known, KnownRow):
        return known, values_for_key(known.planned, key, service.clock(), access)
    names = _target(service.catalog, ListPath(resource)).names
    request = parse_row(resource, key, parse_query(query), names)
    assert not isinstance(request.intent, AggregateIntent)
    planned = plan_read(service.context(access), request.intent)
    links = readable_relationships(access, service.catalog, planned.plan.table)
    made = KnownRow(request, planned, planned.plan.table, links)
    if planned.is_timeless:
        service.memory.put(place, made)
    return made, planned.values
