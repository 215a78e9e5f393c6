"""What the writing methods of a path do: request -> intent -> operation -> body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.operations.bulk import BulkWrites, Circumstances
from gateway.operations.results import WrittenResult
from gateway.operations.tags import precondition_failed
from gateway.query.bulk import plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.context import Context
from gateway.query.deletes import plan_delete
from gateway.query.intent import WriteIntent
from gateway.query.keys import key_text
from gateway.query.resolve import readable_relationships
from gateway.query.writes import plan_create, plan_update, writable_table
from gateway.rest.body import Body, Rows, parse_body, parse_rows
from gateway.rest.parse import (
    BULK_DELETE_PARAMETERS,
    CREATE_PARAMETERS,
    DELETE_PARAMETERS,
    WriteRequest,
    parse_bulk,
    parse_write,
)
from gateway.rest.paths import ListPath, RowPath
from gateway.rest.render import render_deleted, render_row, render_written, row_links
from gateway.rest.url import list_path, parse_query, row_path
from gateway.web.calls import Answer, Call


async def create_row(call: Call, path: ListPath) -> Answer:
    """A new row, 201 with its path in ``Location``; or those of an array."""
    context = call.context()
    writable_table(context, path.resource, "create")
    _refuse_precondition(call)
    request = parse_write(parse_query(call.query), CREATE_PARAMETERS)
    body = parse_rows(call.content_type, call.body, call.max_json_depth)
    if isinstance(body, Rows):
        return await _create_rows(call, context, path, request, body)
    intent = _intent(path.resource, None, body, request)
    if request.on_conflict is not None:
        planned = plan_upsert(context, intent, request.on_conflict)
        put = await BulkWrites(call.service.writes).put(planned, _circumstances(call, context, request))
        return _written(call, planned.create.table, put, request)
    create = plan_create(context, intent)
    staff = call.access.acting_staff
    result = await call.service.writes.create(create, staff, context.clock, is_dry_run=request.is_dry_run)
    return _written(call, create.table, result, request)


async def _create_rows(call: Call, context: Context, path: ListPath, request: WriteRequest, body: Rows) -> Answer:
    intents = [WriteIntent(path.resource, values=values, format=request.format) for values in body.rows]
    planned = plan_rows(context, intents, request.on_conflict)
    results = await BulkWrites(call.service.writes).create(planned, _circumstances(call, context, request))
    is_new = any(result.is_new for result in results)
    return _several(call, results, request, 201 if is_new else 200)


async def change_row(call: Call, path: RowPath) -> Answer:
    """A changed row, whether or not the change changed anything."""
    context = call.context()
    writable_table(context, path.resource, "update")
    request = parse_write(parse_query(call.query))
    body = parse_body(call.content_type, call.body, call.max_json_depth)
    intent = _intent(path.resource, path.key, body, request)
    planned = plan_update(context, intent, is_tagged=call.precondition is not None)
    result = await call.service.writes.update(
        planned, call.access.acting_staff, context.clock, call.precondition, is_dry_run=request.is_dry_run
    )
    return _written(call, planned.table, result, request)


async def delete_row(call: Call, path: RowPath) -> Answer:
    """Nothing: the row is gone."""
    context = call.context()
    writable_table(context, path.resource, "delete")
    request = parse_write(parse_query(call.query), DELETE_PARAMETERS)
    _refuse_body(call)
    planned = plan_delete(context, WriteIntent(path.resource, key=path.key), is_tagged=call.precondition is not None)
    result = await call.service.writes.delete(
        planned, call.access.acting_staff, context.clock, call.precondition, is_dry_run=request.is_dry_run
    )
    if request.is_dry_run:
        return Answer(200, render_deleted(result, is_dry_run=True), rows=0, outcome="dry_run")
    return Answer(204, rows=1, outcome="done")


async def change_rows(call: Call, path: ListPath) -> Answer:
    """How many rows that meet the filter were changed, or the rows where the client prefers them."""
    context = call.context()
    writable_table(context, path.resource, "update")
    _refuse_precondition(call)
    request = parse_bulk(parse_query(call.query))
    body = parse_body(call.content_type, call.body, call.max_json_depth)
    planned = plan_bulk_update(context, _intent(path.resource, (), body, request), request.conditions, request.most)
    results = await BulkWrites(call.service.writes).update(planned, _circumstances(call, context, request))
    if request.is_dry_run or call.preferences.returned == "representation":
        return _several(call, results, request, 200)
    return Answer(
        200,
        render_written({"affected": len(results)}),
        call.preferences.applied(),
        len(results),
        keys=_keys(results),
        outcome="done",
    )


async def delete_rows(call: Call, path: ListPath) -> Answer:
    """How many rows that met the filter are gone."""
    context = call.context()
    writable_table(context, path.resource, "delete")
    _refuse_precondition(call)
    request = parse_bulk(parse_query(call.query), BULK_DELETE_PARAMETERS)
    _refuse_body(call)
    planned = plan_bulk_delete(context, path.resource, request.conditions, request.most)
    result = await BulkWrites(call.service.writes).delete(planned, _circumstances(call, context, request))
    body = render_deleted(result, is_dry_run=request.is_dry_run)
    if request.is_dry_run:
        return Answer(200, body, rows=0, outcome="dry_run")
    return Answer(200, body, rows=result.affected, keys=tuple(map(key_text, result.keys)), outcome="done")


def _intent(resource: str, key: tuple[str, ...] | None, body: Body, request: WriteRequest) -> WriteIntent:
    return WriteIntent(resource, key, body.values, body.is_form, request.format)


def _circumstances(call: Call, context: Context, request: WriteRequest) -> Circumstances:
    return Circumstances(call.access.acting_staff, context.clock, request.is_dry_run)


def _refuse_precondition(call: Call) -> None:
    """Only the path of a row has an ETag; a precondition that is passed over would be a promise that is not kept."""
    if call.precondition is not None:
        raise precondition_failed("Only single rows have an ETag: send If-Match to the path of a row.")


def _refuse_body(call: Call) -> None:
    if call.body:
        raise RequestError("body_syntax", "DELETE takes no body: the path says which row.")


def _written(call: Call, table: Table, result: WrittenResult, request: WriteRequest) -> Answer:
    """The answer of one written row. A row that was only tried out has no path of its own."""
    if request.is_dry_run:
        links = {"self": list_path(table.resource or "")} if result.is_new else _links(call, table, result)
        return Answer(200, render_row(result.row, links, meta=_DRY_RUN), rows=0, outcome="dry_run")
    headers = _headers(call, table, result)
    status, row = 201 if result.is_new else 200, key_text(result.key)
    if call.preferences.returned == "minimal":
        return Answer(status if result.is_new else 204, headers=headers, rows=1, row=row, outcome="done")
    body = render_row(result.row, _links(call, table, result))
    return Answer(status, body, headers, 1, row, outcome="done")


_DRY_RUN: Mapping[str, object] = {"dry_run": True}


def _headers(call: Call, table: Table, result: WrittenResult) -> Mapping[str, str] | None:
    headers = call.preferences.applied()
    if result.is_new and result.key:
        headers["Location"] = row_path(table.resource or "", result.key)
    if result.tag is not None:
        headers["ETag"] = result.tag
    return headers


def _links(call: Call, table: Table, result: WrittenResult) -> dict[str, str]:
    path = row_path(table.resource or "", result.key) if result.key else list_path(table.resource or "")
    return row_links(path, readable_relationships(call.access, call.service.catalog, table) if result.key else ())


def _several(call: Call, results: Sequence[WrittenResult], request: WriteRequest, status: int) -> Answer:
    if request.is_dry_run:
        return Answer(200, render_written([result.row for result in results], meta=_DRY_RUN), rows=0, outcome="dry_run")
    is_minimal = call.preferences.returned == "minimal"
    return Answer(
        204 if is_minimal and status != 201 else status,
        b"" if is_minimal else render_written([result.row for result in results]),
        call.preferences.applied(),
        len(results),
        keys=_keys(results),
        outcome="done",
    )


def _keys(results: Sequence[WrittenResult]) -> tuple[str, ...]:
    """The keys of written rows, for records; those of rows without a key are empty."""
    return tuple(key_text(result.key) for result in results)
