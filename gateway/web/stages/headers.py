"""The outermost recorder: every answer gets its request id and its security headers.

It wraps all stages, so that refusals carry the same headers as answers (SPEC
section 6). Which headers: OWASP REST Security Cheat Sheet, "Security Headers".
"""

from __future__ import annotations

import re
import secrets
from itertools import count
from time import monotonic
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.exchange import EXCHANGE, Exchange

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


class Headers:
    """Gives every request its exchange with an id, and every answer its headers."""

    def __init__(self, app: ASGIApp, *, is_timed: bool = False) -> None:
        self._app = app
        self._is_timed = is_timed
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request_id = self._ids.of(scope)
        began = monotonic()
        scope[EXCHANGE] = Exchange(request_id.decode(), began, "headers")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message["headers"], request_id)
                if self._is_timed:
                    message["headers"].append((b"server-timing", b"total;dur=%.2f" % ((monotonic() - began) * 1000)))
            await send(message)

        await self._app(scope, receive, send_with_headers)


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
