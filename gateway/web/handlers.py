"""What each method of each path does: request -> intent -> operation -> body.

One function per pair of path and method; `HANDLERS` lists them, and which methods
a path takes is read from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from gateway.catalog.model import Column, Table
from gateway.errors import MethodError, NotFoundError
from gateway.operations.tags import precondition_failed
from gateway.query.context import known_resource
from gateway.query.plan import ReadPlan
from gateway.query.planner import known_relationship
from gateway.query.writes import refusal_of_writes
from gateway.rest.parse import parse_nothing
from gateway.rest.paths import CallerPath, IndexPath, ListPath, RelatedPath, ResourcePath, RowPath
from gateway.rest.render import readable_relationships, render_index, render_page, render_row, row_links, with_ids
from gateway.rest.url import list_path, parse_query, row_path
from gateway.web.caller import describe_caller
from gateway.web.calls import Answer, Call
from gateway.web.changes import change_row, change_rows, create_row, delete_row, delete_rows
from gateway.web.memory import KnownList, known_list, known_row

Handler = Callable[[Call, Any], Awaitable[Answer]]


async def answer(call: Call, path: ResourcePath) -> Answer:
    """Return the answer of one request.

    Raises:
        GatewayError: whatever the request meets; a 405 says what the path takes.
    """
    handler = HANDLERS.get((type(path), call.method))
    if handler is None:
        check_known(call, path)
        allowed = ", ".join(allowed_methods(call, path))
        raise MethodError("method_not_allowed", f"{call.method} is not taken here.", headers={"Allow": allowed})
    try:
        return await handler(call, path)
    except MethodError as error:
        if "Allow" in error.headers:
            raise
        raise MethodError(
            error.code, error.detail, headers={"Allow": ", ".join(allowed_methods(call, path))}
        ) from error


def allowed_methods(call: Call, path: ResourcePath) -> tuple[str, ...]:
    """Return the methods that a path takes; writes only where the table takes them."""
    methods = tuple(method for kind, method in HANDLERS if kind is type(path))
    if not isinstance(path, ListPath | RowPath):
        return methods
    table = call.service.catalog.resources.get(path.resource)
    refused = _refused_methods(table) if table is not None else frozenset()
    return tuple(method for method in methods if method not in refused)


def _refused_methods(table: Table) -> frozenset[str]:
    if refusal_of_writes(table) is not None:
        return frozenset({"POST", "PUT", "PATCH", "DELETE"})
    refused = {"POST"} if table.create_refusal is not None else set()
    if table.is_delete_forbidden or table.delete_refusal is not None:
        refused.add("DELETE")
    if not table.key:
        refused.update({"PUT", "PATCH", "DELETE"})
    return frozenset(refused)


# Reads


async def show_index(call: Call, path: IndexPath) -> Answer:
    """Every resource the caller may use."""
    parse_nothing(parse_query(call.query))
    return Answer(200, render_index(call.service.catalog, call.access))


async def show_caller(call: Call, path: CallerPath) -> Answer:
    """Who the token is, what it may do, server time."""
    parse_nothing(parse_query(call.query))
    return Answer(200, orjson.dumps({"data": describe_caller(call.principal, call.access, call.service)}))


async def list_rows(call: Call, path: ListPath) -> Answer:
    """A page of a resource."""
    known = known_list(call.service, call.access, path.resource, call.query)
    return await _page(call, known, list_path(known.table.resource or ""))


async def list_related(call: Call, path: RelatedPath) -> Answer:
    """A page of a to-many, or the one row of a to-one."""
    known = known_list(call.service, call.access, path.origin.resource, call.query, path.origin)
    if known.planned.count is None:
        return await _single(call, known)
    parent = call.service.catalog.resources[path.origin.resource]
    base = row_path(parent.resource or "", path.origin.key)
    return await _page(call, known, f"{base}/{path.origin.relationship}")


async def _page(call: Call, known: KnownList, path: str) -> Answer:
    result = await call.service.reads.page(known.planned, known.request.intent.count)
    if not known.request.is_enveloped:
        result = replace(result, rows=with_ids(result.rows, known.table))
    reply = render_page(result, known.request, path, call.origin)
    return Answer(200, reply.body, reply.headers)


async def _single(call: Call, known: KnownList) -> Answer:
    """The row of a to-one. The request did not name its key, so its path is told from the row."""
    table, intent = known.table, known.request.intent
    try:
        found = await call.service.reads.row(known.planned.plan, known.planned.values)
    except NotFoundError as error:
        name = intent.origin.relationship if intent.origin is not None else "such row"
        detail = f"There is no {name} here: the row has none, or there is no such row."
        raise NotFoundError("row_unknown", detail) from error
    row, headers = found.row, _validators(found.tag)
    if _is_known(call, found.tag, known.planned.plan):
        return Answer(304, headers=headers)
    path = row_path(table.resource or "", (row[column.name] for column in table.key))
    links = row_links(path, readable_relationships(call.service.catalog, call.access, table))
    if not known.request.is_enveloped:
        return Answer(200, render_row(with_ids([row], table)[0], links, is_enveloped=False), headers)
    if intent.fields is not None and "*" not in intent.fields:
        row = {name: row[name] for name in dict.fromkeys(intent.fields)}
    return Answer(200, render_row(row, links), headers)


async def show_row(call: Call, path: RowPath) -> Answer:
    """One row."""
    known, values = known_row(call.service, call.access, path.resource, path.key, call.query)
    found = await call.service.reads.row(known.planned.plan, values)
    row, headers = found.row, _validators(found.tag)
    if _is_known(call, found.tag, known.planned.plan):
        return Answer(304, headers=headers)
    if not known.request.is_enveloped:
        row = with_ids([row], known.table)[0]
    links = row_links(row_path(known.table.resource or "", values[: len(path.key)]), known.links)
    return Answer(200, render_row(row, links, is_enveloped=known.request.is_enveloped), headers)


def _validators(tag: str) -> dict[str, str]:
    """A single row may be kept by its own client, who asks each time whether it still holds."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def _is_known(call: Call, tag: str, plan: ReadPlan) -> bool:
    """Whether the client has the row already; never where the answer holds what the tag does not tell of.

    Raises:
        ConflictError: ``precondition_failed``.
    """
    if call.precondition is None:
        return False
    if call.precondition.is_stale(tag):
        raise precondition_failed()
    return call.precondition.is_known(tag) and all(isinstance(field, Column) for field in plan.fields)


async def show_options(call: Call, path: ResourcePath) -> Answer:
    """What the path takes."""
    check_known(call, path)
    return Answer(204, headers={"Allow": ", ".join(allowed_methods(call, path))})


def check_known(call: Call, path: ResourcePath) -> None:
    """Pass when the path's resource exists and the caller may do something with it.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
    """
    if isinstance(path, ListPath | RowPath):
        known_resource(call.context(), path.resource)
    elif isinstance(path, RelatedPath):
        context = call.context()
        known_relationship(context, known_resource(context, path.origin.resource), path.origin.relationship)


_Key = tuple[type[ResourcePath], str]
HANDLERS: Final[Mapping[_Key, Handler]] = MappingProxyType(
    {
        **{(IndexPath, method): show_index for method in ("GET", "HEAD")},
        **{(CallerPath, method): show_caller for method in ("GET", "HEAD")},
        **{(ListPath, method): list_rows for method in ("GET", "HEAD")},
        **{(RowPath, method): show_row for method in ("GET", "HEAD")},
        **{(RelatedPath, method): list_related for method in ("GET", "HEAD")},
        (ListPath, "POST"): create_row,
        (ListPath, "PATCH"): change_rows,
        (ListPath, "DELETE"): delete_rows,
        **{(RowPath, method): change_row for method in ("PUT", "PATCH")},
        (RowPath, "DELETE"): delete_row,
        **{(kind, "OPTIONS"): show_options for kind in (IndexPath, CallerPath, ListPath, RowPath, RelatedPath)},
    }
)
