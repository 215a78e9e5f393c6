"""Results -> bodies of SPEC section 4: ``data``, ``meta`` and ``links``, and the headers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.catalog.model import Catalog, Table
from gateway.operations.results import DeletedResult, PageResult
from gateway.query.access import Access
from gateway.query.deletes import counted
from gateway.query.keys import key_text
from gateway.rest.links import Cut, cuts_header, cuts_of, link_header, page_links, pages_of
from gateway.rest.parse import ReadRequest
from gateway.rest.url import BASE_PATH, list_path
from gateway.security.explain import permissions_of


@dataclass(frozen=True, slots=True)
class Reply:
    """A body and the headers that go with it."""

    body: bytes
    headers: Mapping[str, str]


def row_links(path: str, relationships: Sequence[str]) -> dict[str, str]:
    """Return the links of one row: itself, and a path per relationship."""
    links = {"self": path}
    for name in relationships:
        links[name] = f"{path}/{name}"
    return links


def render_row(
    row: Mapping[str, Any],
    links: Mapping[str, str],
    *,
    is_enveloped: bool = True,
    meta: Mapping[str, object] | None = None,
) -> bytes:
    """Return the body of one row."""
    if meta is not None:
        return orjson.dumps({"data": row, "meta": meta, "links": links})
    return orjson.dumps({"data": row, "links": links} if is_enveloped else row)


def render_written(data: object, meta: Mapping[str, object] | None = None) -> bytes:
    """Return the body of a write of several rows: the rows, or their number."""
    return orjson.dumps({"data": data} if meta is None else {"data": data, "meta": meta})


def render_deleted(result: DeletedResult, *, is_dry_run: bool) -> bytes:
    """Return the body of a delete that tells what it did, or what it would do."""
    if not is_dry_run:
        return render_written({"affected": result.affected})
    told = {
        "affected": result.affected,
        "owned": {name: counted(count) for name, count in result.owned.items()},
        "dependants": {name: counted(count) for name, count in result.dependants.items()},
    }
    return render_written(told, {"dry_run": True})


def render_page(result: PageResult, request: ReadRequest, path: str, origin: str, cursor: str | None = None) -> Reply:
    """Return the body of a list and its ``Link`` and ``X-Total-Count`` headers.

    ``path`` is the list's own path, ``origin`` scheme and host for the header's
    absolute links (RFC 8288), ``cursor`` that of the next page.
    """
    links = page_links(result, request, path, cursor)
    cuts = cuts_of(result.truncated, request.given)
    headers = {"Link": link_header(links, origin)}
    if result.count.total is not None:
        headers["X-Total-Count"] = str(result.count.total)
    if not request.is_enveloped:
        return Reply(orjson.dumps(result.rows), headers | cut_headers(cuts, origin, headers["Link"]))
    meta = page_meta(result, request, cursor) | cut_meta(cuts)
    return Reply(orjson.dumps({"data": result.rows, "meta": meta, "links": links}), headers)


def page_meta(result: PageResult, request: ReadRequest, cursor: str | None = None) -> dict[str, object]:
    """Return ``meta`` of a list; numbers nobody knows are null, never invented."""
    meta: dict[str, object] = {
        "total": result.count.total,
        "page": None if request.style == "cursor" else result.offset // result.per_page + 1,
        "per_page": result.per_page,
        "pages": pages_of(result.count, result.per_page),
        "count": result.count.form,
        "next_cursor": cursor if result.has_more else None,
    }
    if result.count.age_ms is not None:
        meta["count_age_ms"] = result.count.age_ms
    if result.warnings:
        meta["warnings"] = result.warnings
    return meta


def cut_meta(cuts: Sequence[Cut]) -> dict[str, object]:
    """Return what ``meta`` says of embeds that were cut; nothing where none was."""
    told = [{"pointer": f"/data{cut.pointer}", "limit": cut.limit, "next": cut.next} for cut in cuts]
    return {"truncated": told} if told else {}


def cut_headers(cuts: Sequence[Cut], origin: str, link: str = "") -> dict[str, str]:
    """Return the headers that tell of embeds that were cut where there is no ``meta``; nothing where none was.

    ``link`` is what the ``Link`` header has already.
    """
    if not cuts:
        return {}
    links = ", ".join(filter(None, (link, cuts_header(cuts, origin))))
    return {"X-Truncated": str(len(cuts))} | ({"Link": links} if links else {})


def with_ids(rows: list[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
    """Return rows that carry ``id`` first whatever their key is called (``envelope=false``), where they show it."""
    names = tuple(column.name for column in table.key)
    if not names or names == ("id",) or not rows or not rows[0].keys() >= set(names):
        return rows
    return [{"id": _id_of(row, names), **row} for row in rows]


def _id_of(row: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return row[names[0]] if len(names) == 1 else key_text(row[name] for name in names)


def render_index(catalog: Catalog, access: Access) -> bytes:
    """Return the index: every resource the caller may use, what of it works, and its path."""
    data = [
        {
            "resource": item.resource,
            "operations": [word for word in item.operations if word not in item.refused],
            "links": {"self": list_path(item.resource)},
        }
        for item in permissions_of(access, catalog)
    ]
    return orjson.dumps({"data": data, "links": {"self": BASE_PATH}})
