"""What a request to a path of `/api/v1` asks for: which resource, which operation, which row.

It is told from the path and the method alone, before a body is read. What is refused here is refused with
the planner's own words, for it is the planner's functions that refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.catalog.model import Catalog, Table
from gateway.query.access import Access, Operation
from gateway.query.context import resource_table
from gateway.query.intent import ReadIntent
from gateway.query.planner import root_table
from gateway.rest.paths import (
    CallerPath,
    GraphQLPath,
    IndexPath,
    ListPath,
    QueryPath,
    RelatedPath,
    ResourcePath,
    RowPath,
)
from gateway.web.exchange import Exchange
from gateway.web.service import Service

ASKED: Final[Mapping[tuple[type[ResourcePath], str], Operation]] = MappingProxyType(
    {
        **{(kind, method): "read" for kind in (ListPath, RowPath, RelatedPath) for method in ("GET", "HEAD")},
        **{(kind, "QUERY"): "read" for kind in (ListPath, RelatedPath)},
        (QueryPath, "POST"): "read",
        (ListPath, "POST"): "create",
        **{(kind, "PATCH"): "update" for kind in (ListPath, RowPath)},
        (RowPath, "PUT"): "update",
        **{(kind, "DELETE"): "delete" for kind in (ListPath, RowPath)},
    }
)
"""The operation that a method is on a path; other methods are none and are answered with what the path takes."""


GRAPHQL: Final = "graphql"
"""What stands for a resource in records of documents, which may ask for several."""

_READING: Final = frozenset({"GET", "HEAD"})


def note_asked(exchange: Exchange, service: Service, access: Access, path: ResourcePath, method: str) -> None:
    """Note what a request asks for, and pass it on where the caller was granted that.

    What a document asks for is not told by path and method: its schema holds only what the caller was granted.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``, naming the grant.
    """
    if isinstance(path, IndexPath | CallerPath | GraphQLPath):
        if isinstance(path, GraphQLPath):
            exchange.resource = GRAPHQL
            exchange.operation = "read" if method in _READING else None
        return
    operation = ASKED.get((type(path), method))
    if isinstance(path, RelatedPath):
        _note_related(exchange, service, access, path, operation)
        return
    table = service.catalog.resources.get(path.resource)
    if table is not None:
        exchange.resource = table.resource or ""
    if isinstance(path, RowPath) and table is not None:
        exchange.row = path.key[0] if len(path.key) == 1 else ",".join(path.key)
    elif isinstance(path, ListPath) and path.suffix is not None and operation != "read":
        return
    if operation is None:
        return
    exchange.operation = operation if table is not None else None
    if table is None or not access.may(operation, table):
        resource_table(service.context(access), path.resource, operation)


def _note_related(
    exchange: Exchange, service: Service, access: Access, path: RelatedPath, operation: Operation | None
) -> None:
    """The rows that a row is related to are asked for; the row itself, whose key the path has, must be readable too."""
    catalog = service.catalog
    parent = catalog.resources.get(path.origin.resource)
    target = _target(catalog, parent, path.origin.relationship)
    if target is not None:
        exchange.resource = target.resource or ""
    if operation is None:
        return
    exchange.operation = operation
    if parent is None or target is None or not (access.may("read", parent) and access.may("read", target)):
        root_table(service.context(access), ReadIntent(path.origin.resource, origin=path.origin))


def _target(catalog: Catalog, parent: Table | None, relationship: str) -> Table | None:
    edge = parent.relationships.get(relationship) if parent is not None else None
    return catalog.table_of(edge) if edge is not None else None
