"""The outermost stage: every answer gets its request id and security headers, every error its form.

It wraps all other stages, so that refusals carry the same headers as answers (SPEC
section 6). Which headers: OWASP REST Security Cheat Sheet, "Security Headers".
"""

from __future__ import annotations

import re
import secrets
from itertools import count
from time import monotonic
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError, InternalError, MethodError, NotFoundError, RequestError
from gateway.observe import Observer, RequestFailed, RequestUnavailable
from gateway.web.replies import send_problem

REQUEST_ID: Final = "gateway.request_id"
_ACCEPTED_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")

SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"Accept, Authorization, Origin"),
)


_DEFAULTED: Final = frozenset(name for name, _ in SECURITY_HEADERS)
_ROWS_OWN: Final = [b"cache-control"]
_BESIDE_ROWS: Final = tuple(pair for pair in SECURITY_HEADERS if pair[0] not in _ROWS_OWN)


class Recorder:
    """Gives every request an id, every answer its headers and every failure its problem document."""

    def __init__(self, app: ASGIApp, observer: Observer, *, is_timed: bool = False) -> None:
        self._app = app
        self._is_timed = is_timed
        self._observer = observer
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._ids.of(scope)
        scope[REQUEST_ID] = request_id.decode()
        has_started = False
        began = monotonic()

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                _complete(message["headers"], request_id)
                if self._is_timed:
                    message["headers"].append((b"server-timing", b"total;dur=%.2f" % ((monotonic() - began) * 1000)))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            failure = self._failure(error, scope[REQUEST_ID])
            if has_started:
                raise
            is_head = scope["method"] == "HEAD"
            await send_problem(send_with_headers, failure, scope["path"], scope[REQUEST_ID], is_head=is_head)

    def _failure(self, error: Exception, request_id: str) -> GatewayError:
        if isinstance(error, GatewayError):
            self._note(error, request_id)
            return error
        if isinstance(error, HTTPException):
            return routing_error(error)
        self._observer(RequestFailed(request_id, error))
        return InternalError("internal", "The gateway made a mistake; the request id finds it in the log.")

    def _note(self, error: GatewayError, request_id: str) -> None:
        """Tell the administrator what the client is not told."""
        if error.status == 500:
            self._observer(RequestFailed(request_id, error))
        elif error.status == 503 and error.__cause__ is not None:
            self._observer(RequestUnavailable(request_id, error.code, error.__cause__))


def routing_error(error: HTTPException) -> GatewayError:
    """Return the gateway's own form of an error that routing raised."""
    if error.status_code == 405:
        return MethodError("method_not_allowed", "The path does not take this method.", headers=error.headers)
    if error.status_code == 404:
        return NotFoundError("route_unknown", "Nothing is served at this path.")
    return RequestError("path_invalid", "The request cannot be routed.")


class RequestIds:
    """Request ids of one worker: its own random prefix and a count; no system call per request."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4).encode()
        self._numbers = count(1)

    def of(self, scope: Scope) -> bytes:
        """Return the client's own request id when it is a plain word, else a new one."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
                return bytes(value)
        return b"%s%08x" % (self._prefix, next(self._numbers))


def _complete(headers: list[tuple[bytes, bytes]], request_id: bytes) -> None:
    """Add what every answer carries, but for what the answer says itself."""
    own = [name for name, _ in headers if name in _DEFAULTED]
    if not own:
        headers.extend(SECURITY_HEADERS)
    elif own == _ROWS_OWN:
        headers.extend(_BESIDE_ROWS)
    else:
        headers.extend(pair for pair in SECURITY_HEADERS if pair[0] not in own)
    headers.append((b"x-request-id", request_id))
