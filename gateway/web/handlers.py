"""What each method of each path does: request -> intent -> operation -> body.

One function per pair of path and method; `HANDLERS` lists them, and which methods
a path takes is read from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from gateway.catalog.model import Column, CustomField, Table
from gateway.errors import MethodError, NotFoundError, RequestError
from gateway.operations.results import RowResult, Truncation
from gateway.operations.tags import precondition_failed
from gateway.query.context import known_resource
from gateway.query.intent import ReadIntent
from gateway.query.plan import ReadPlan
from gateway.query.planner import PlannedRead, known_relationship
from gateway.query.resolve import readable_relationships
from gateway.query.writes import refusal_of_writes
from gateway.rest.formats import JSON, ROW_FORMATS, list_formats, negotiate
from gateway.rest.links import cuts_of
from gateway.rest.parse import ReadRequest, parse_nothing
from gateway.rest.paths import (
    QUERY_KEY,
    CallerPath,
    IndexPath,
    ListPath,
    QueryPath,
    RelatedPath,
    ResourcePath,
    RowPath,
)
from gateway.rest.query_body import QUERY_TYPE, parse_query_body
from gateway.rest.render import (
    cut_headers,
    cut_meta,
    render_index,
    render_page,
    render_row,
    row_links,
    with_ids,
)
from gateway.rest.url import parse_query, row_path
from gateway.web.caller import describe_caller
from gateway.web.calls import Answer, Call
from gateway.web.changes import change_row, change_rows, create_row, delete_row, delete_rows
from gateway.web.exports import Streamed, export
from gateway.web.memory import KnownList, ManyPath, is_one, known_list, known_row, queried_list

Handler = Callable[[Call, Any], Awaitable[Answer | Streamed]]


async def answer(call: Call, path: ResourcePath) -> Answer | Streamed:
    """Return the answer of one request.

    Raises:
        GatewayError: whatever the request meets; a 405 says what the path takes.
    """
    handler = HANDLERS.get((type(path), call.method))
    if handler is None or _is_read_only(path, call.method):
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
    methods = tuple(m for kind, m in HANDLERS if kind is type(path) and not _is_read_only(path, m))
    if isinstance(path, RelatedPath) and not leads_to_many(call, path):
        return tuple(method for method in methods if method != "QUERY")
    if not isinstance(path, ListPath | RowPath):
        return methods
    table = call.service.catalog.resources.get(path.resource)
    refused = _refused_methods(table) if table is not None else frozenset()
    taken = tuple(method for method in methods if method not in refused)
    return (*taken, "POST") if isinstance(path, RowPath) and path.key == QUERY_KEY else taken


def reads_list(path: ResourcePath, method: str) -> bool:
    """Whether a request asks for rows that can be had in other formats, or by a body."""
    return isinstance(path, QueryPath) or (isinstance(path, ListPath | RelatedPath) and method in _READING)


_READING: Final = frozenset({"GET", "HEAD", "QUERY"})


def _is_read_only(path: ResourcePath, method: str) -> bool:
    """Whether a method is not for the path because its suffix names a format: what is written has none."""
    return isinstance(path, ListPath) and path.suffix is not None and method not in (*_READING, "OPTIONS")


def leads_to_many(call: Call, path: RelatedPath) -> bool:
    """Whether a relationship leads to a list of rows; so it is called where there is none, too."""
    parent = call.service.catalog.resources.get(path.origin.resource)
    edge = parent.relationships.get(path.origin.relationship) if parent is not None else None
    return edge is None or edge.is_to_many


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


async def list_rows(call: Call, path: ListPath | RelatedPath) -> Answer | Streamed:
    """A page of a resource or of a to-many, or the one row of a to-one."""
    known = known_list(call.service, call.access, path, call.query)
    if is_one(known):
        negotiate(call.accept, None, path.suffix, ROW_FORMATS)
        return await _single(call, known)
    return await _many(call, path, known)


async def query_rows(call: Call, path: ManyPath) -> Answer | Streamed:
    """A page of a resource or of a to-many, asked for by a body (RFC 10008)."""
    check_known(call, path)
    if isinstance(path, RelatedPath) and not leads_to_many(call, path):
        raise MethodError("method_not_allowed", f"{call.method} is not taken here: it is one row.")
    for pair in parse_query(call.query):
        detail = "The parameters of this query stand in its body: put this one there too."
        raise RequestError("parameter_conflict", detail, parameter=pair.name)
    header = "Accept-Query" if call.method == "QUERY" else "Accept-Post"
    given = parse_query_body(call.content_type, call.body, header)
    return await _many(call, path, queried_list(call.service, call.access, path, given))


async def _many(call: Call, path: ManyPath, known: KnownList) -> Answer | Streamed:
    request = known.request
    suffix = None if isinstance(path, QueryPath) else path.suffix
    wanted = negotiate(call.accept, request.format, suffix, list_formats())
    if request.is_spreadsheet and wanted.name not in ("csv", "xlsx"):
        detail = f"spreadsheet makes csv safe for spreadsheets; the reply would be {wanted.name}."
        raise RequestError("parameter_conflict", detail, parameter="spreadsheet")
    if wanted is not JSON:
        return await export(call, known, wanted)
    result = await call.service.reads.page(known.planned, request.intent.count)
    if result.truncated:
        result = replace(result, truncated=_addressed(call, result.truncated))
    cursor = None
    if result.has_more and result.position is not None:
        cursor = call.service.cursors.seal(result.position, known.binding)
    if not request.is_enveloped and isinstance(known.planned, PlannedRead):
        result = replace(result, rows=with_ids(result.rows, known.table))
    own = f"{known.path}/query" if isinstance(path, QueryPath) else known.path
    reply = render_page(result, request, own, call.origin, cursor)
    return Answer(200, reply.body, reply.headers, len(result.rows))


async def _single(call: Call, known: KnownList) -> Answer:
    """The row of a to-one. The request did not name its key, so its path is told from the row."""
    table, intent = known.table, known.request.intent
    assert isinstance(known.planned, PlannedRead)
    assert isinstance(intent, ReadIntent)
    try:
        found = await call.service.reads.row(known.planned.plan, known.planned.values)
    except NotFoundError as error:
        name = intent.origin.relationship if intent.origin is not None else "such row"
        detail = f"There is no {name} here: the row has none, or there is no such row."
        raise NotFoundError("row_unknown", detail) from error
    if _is_known(call, found.tag, known.planned.plan):
        return Answer(304, headers=_validators(found.tag))
    links = {"self": known.path}
    if _is_addressed(call, table):
        links = row_links(
            row_path(table.resource or "", found.key),
            readable_relationships(call.access, call.service.catalog, table),
        )
    if not known.request.is_enveloped:
        found = replace(found, row=with_ids([found.row], table)[0])
    return _row(call, known.request, known.planned.plan, found, links)


def _is_addressed(call: Call, table: Table) -> bool:
    """Whether the caller may know the keys of a table's rows, and so their paths."""
    return bool(table.key) and all(call.access.may_read_column(table, column) for column in table.key)


def _addressed(call: Call, truncated: Sequence[Truncation]) -> tuple[Truncation, ...]:
    """The cuts, with the keys of the rows whose paths the caller may know."""
    return tuple(cut if _is_addressed(call, cut.parent) else replace(cut, key=()) for cut in truncated)


async def show_row(call: Call, path: RowPath) -> Answer:
    """One row."""
    known, values = known_row(call.service, call.access, path.resource, path.key, call.query)
    found = await call.service.reads.row(known.planned.plan, values)
    if _is_known(call, found.tag, known.planned.plan):
        return Answer(304, headers=_validators(found.tag))
    if not known.request.is_enveloped:
        found = replace(found, row=with_ids([found.row], known.table)[0])
    links = row_links(row_path(known.table.resource or "", values[: len(path.key)]), known.links)
    return _row(call, known.request, known.planned.plan, found, links)


def _row(call: Call, request: ReadRequest, plan: ReadPlan, found: RowResult, links: Mapping[str, str]) -> Answer:
    """The answer of one row. With rows of others in it, its tag would not tell whether it is still the same."""
    headers = {} if plan.nodes else _validators(found.tag)
    cuts = cuts_of(_addressed(call, found.truncated), request.given)
    if not request.is_enveloped:
        body = render_row(found.row, links, is_enveloped=False)
        return Answer(200, body, headers | cut_headers(cuts, call.origin), 1)
    return Answer(200, render_row(found.row, links, meta=cut_meta(cuts) or None), headers, 1)


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
    is_whole = not plan.nodes and all(isinstance(field, Column | CustomField) for field in plan.fields)
    return call.precondition.is_known(tag) and is_whole


async def show_options(call: Call, path: ResourcePath) -> Answer:
    """What the path takes."""
    check_known(call, path)
    allowed = allowed_methods(call, path)
    headers = {"Allow": ", ".join(allowed)}
    if "QUERY" in allowed:
        headers["Accept-Query"] = QUERY_TYPE
    return Answer(204, headers=headers)


def check_known(call: Call, path: ResourcePath) -> None:
    """Pass when the path's resource exists and the caller may do something with it.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
    """
    if isinstance(path, ListPath | RowPath | QueryPath):
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
        **{(RelatedPath, method): list_rows for method in ("GET", "HEAD")},
        **{(kind, "QUERY"): query_rows for kind in (ListPath, RelatedPath)},
        (QueryPath, "POST"): query_rows,
        (ListPath, "POST"): create_row,
        (ListPath, "PATCH"): change_rows,
        (ListPath, "DELETE"): delete_rows,
        **{(RowPath, method): change_row for method in ("PUT", "PATCH")},
        (RowPath, "DELETE"): delete_row,
        **{(kind, "OPTIONS"): show_options for kind in (IndexPath, CallerPath, ListPath, RowPath, RelatedPath)},
    }
)
