"""`/admin/audit`: who did what, newest first, for administrators; the command line asks by the same words.

What comes in: filters as texts. What goes out: a page of records, and where the next one begins: by
id, so that records which come meanwhile move nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import RequestError, UnavailableError
from gateway.query.access import OPERATIONS
from gateway.security.spans import span_s
from gateway.state.audit import AuditStore, Page, Search, StoredRecord
from gateway.web.parameters import parameters_of
from gateway.web.public import json_response

PATH: Final = "/admin/audit"
FILTERS: Final = (
    "principal",
    "resource",
    "operation",
    "row",
    "status",
    "code",
    "address",
    "stage",
    "request_id",
    "since",
    "until",
)
PAGING: Final = ("limit", "before")
USUAL_LIMIT: Final = 100
MOST_LIMIT: Final = 1_000

_STATUS: Final = re.compile(r"([1-5])(xx|[0-9]{2})", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class AuditPage:
    """The page of the trail."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def search(self, request: Request) -> Response:
        """Show the records that fit."""
        given = parameters_of(request.scope, (*FILTERS, *PAGING))
        search = parse_search(given, datetime.now(UTC))
        limit = _number(given, "limit", USUAL_LIMIT, MOST_LIMIT)
        before = _number(given, "before", 0, 10**18) if "before" in given else None
        try:
            page = await asyncio.to_thread(self._store.search, search, limit, before)
        except SQLAlchemyError as error:
            raise UnavailableError(
                "state_away", "The audit trail did not answer; try again.", headers={"Retry-After": "1"}
            ) from error
        return json_response({"data": [describe(each) for each in page.records], "links": _links(given, page)})


def parse_search(given: Mapping[str, str], now: datetime) -> Search:
    """Return what is looked for; ``since`` and ``until`` are moments, or spans before now.

    >>> parse_search({"status": "4xx"}, datetime.now(UTC)).status
    (400, 499)

    Raises:
        RequestError: ``parameter_invalid``.
    """
    for name, text in given.items():
        if not text.isprintable():  # records hold no such text
            raise _invalid(name, "printable text")
    operation = given.get("operation")
    if operation is not None and operation not in OPERATIONS:
        raise _invalid("operation", f"one of {', '.join(OPERATIONS)}")
    return Search(
        principal=given.get("principal"),
        resource=given.get("resource"),
        operation=operation,
        row=given.get("row"),
        code=given.get("code"),
        address=given.get("address"),
        stage=given.get("stage"),
        request_id=given.get("request_id"),
        status=_statuses(given["status"]) if "status" in given else None,
        since_ms=_moment_ms(given, "since", now),
        until_ms=_moment_ms(given, "until", now),
    )


def describe(stored: StoredRecord) -> dict[str, Any]:
    """Return a record as JSON has it; a sample says how many answers of its kind it ``stands_for``."""
    record = stored.record
    return {
        "id": stored.id,
        "at": moment_text(record.at_ms),
        "request_id": record.request_id,
        "principal": record.principal,
        "token_id": record.token_id,
        "address": record.address,
        "method": record.method,
        "path": record.path,
        "resource": record.resource,
        "operation": record.operation,
        "row": record.row_key,
        "rows": None if record.is_sample else record.rows,
        "stands_for": record.rows if record.is_sample else 1,
        "status": record.status,
        "code": record.code,
        "stage": record.stage,
        "duration_ms": record.duration_us / 1_000,
        "outcome": record.outcome,
    }


def moment_text(at_ms: int) -> str:
    """Return a moment to the millisecond, in UTC."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _links(given: Mapping[str, str], page: Page) -> dict[str, str]:
    if page.before is None:
        return {}
    return {"next": f"{PATH}?{urlencode({**given, 'before': page.before})}"}


def _statuses(text: str) -> tuple[int, int]:
    found = _STATUS.fullmatch(text)
    if found is None:
        raise _invalid("status", "a status (404) or a class of them (4xx)")
    first = int(found[1]) * 100
    return (first, first + 99) if found[2].lower() == "xx" else (int(text), int(text))


def _moment_ms(given: Mapping[str, str], name: str, now: datetime) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    seconds = span_s(text)
    try:
        moment = now - timedelta(seconds=seconds) if seconds is not None else datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError) as error:
        raise _invalid(name, "a moment (2026-11-21T10:00:00Z) or a span before now (90min, 12h, 7d)") from error


def _number(given: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise _invalid(name, f"a whole number from 1 to {most}")
    return int(text)


def _invalid(name: str, due: str) -> RequestError:
    return RequestError("parameter_invalid", f"{name} must be {due}.", parameter=name)
