"""Bodies and errors -> ASGI messages. The one place where an error becomes a reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.types import Send

from gateway.errors import GatewayError, Issue, ThrottledError
from gateway.query.json_text import encodable

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"
_BODILESS: Final = frozenset({204, 304})
ERRORS_PATH: Final = "/api_docs/errors"


async def send_reply(
    send: Send,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    content_type: bytes = JSON,
    *,
    is_head: bool = False,
) -> None:
    """Send one whole reply; for HEAD its headers alone, with the length the body would have."""
    raw = [(b"content-length", str(len(body)).encode())] if status not in _BODILESS else []
    if body:
        raw.append((b"content-type", content_type))
    if headers:
        raw.extend((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if is_head else body})


async def send_problem(
    send: Send, error: GatewayError, instance: str, request_id: str, *, is_head: bool = False
) -> None:
    """Send an error as ``application/problem+json`` (RFC 9457)."""
    body = problem_body(error, instance, request_id)
    await send_reply(send, error.status, body, error.headers, PROBLEM_JSON, is_head=is_head)


def problem_body(error: GatewayError, instance: str, request_id: str) -> bytes:
    """Return the problem document of an error (SPEC section 5)."""
    problem: dict[str, Any] = {
        "type": f"{ERRORS_PATH}/{error.code}",
        "title": error.kind.title,
        "status": error.status,
        "detail": encodable(error.detail),
        "instance": instance,
        "code": error.code,
    }
    if error.issues:
        problem["errors"] = [_issue(issue) for issue in error.issues]
    if isinstance(error, ThrottledError) and error.violated:
        problem["violated-policies"] = error.violated
    problem["request_id"] = request_id
    return orjson.dumps(problem)


def _issue(issue: Issue) -> dict[str, str]:
    named = {
        "message": issue.message,
        "parameter": issue.parameter,
        "pointer": issue.pointer,
        "code": issue.code,
        "suggestion": issue.suggestion,
    }
    return {name: encodable(value) for name, value in named.items() if value is not None}
