"""The outermost recorder: every request gets its exchange, and every answer its id, security and CORS headers.

It wraps all stages, so that refusals carry the same headers as answers (SPEC
section 6). Which headers: OWASP REST Security Cheat Sheet, "Security Headers".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable
from itertools import count
from time import monotonic
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.settings import Settings
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.origins import Origins
from gateway.web.proxies import Proxies
from gateway.web.timing import server_timing

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
PAGE_HEADERS: Final = (
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""What pages carry besides; they say their own Content-Security-Policy."""

_DEFAULTED: Final = frozenset(name for name, _ in SECURITY_HEADERS)
_ROWS_OWN: Final = [b"cache-control"]


class Headers:
    """Gives every request its exchange with an id, and every answer its headers."""

    def __init__(self, app: ASGIApp, settings: Settings, proxies: Proxies, origins: Origins) -> None:
        self._app = app
        self._peer_of = proxies.peer_of
        self._origins = origins
        self._is_timed = settings.server_timing
        self._ids = RequestIds()
        plain = Defaults()
        hsts = ((b"strict-transport-security", b"max-age=%d" % settings.hsts_s),) if settings.hsts_s else ()
        self._defaults = (plain, Defaults(hsts))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        given, origin = b"", b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"origin":
                origin = b"%s, %s" % (origin, value) if origin else value  # two of them are none that is allowed
        request_id = self._ids.of(given) if given else self._ids.new()
        began = monotonic()
        peer = self._peer_of(scope)
        exchange = Exchange(
            request_id.decode(), began, "headers", peer.address, peer.is_secure, origin.decode("latin-1")
        )
        scope[EXCHANGE] = exchange
        complete = self._defaults[peer.is_secure].complete

        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                complete(headers)
                headers.append((b"x-request-id", request_id))
                if exchange.answer_headers is not None:
                    headers.extend(exchange.answer_headers)
                if origin:
                    headers.extend(self._origins.headers_of(exchange))
                if self._is_timed:
                    headers.append((b"server-timing", server_timing(began)))
            return send(message)

        return self._app(scope, receive, send_with_headers)


class RequestIds:
    """Request ids of one worker: its own random prefix and a count; no system call per request."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4).encode()
        self._numbers = count(1)

    def of(self, given: bytes) -> bytes:
        """Return the client's own request id when it is a plain word, else a new one."""
        if given and _ACCEPTED_ID.fullmatch(given):
            return given
        return self.new()

    def new(self) -> bytes:
        """Return an id that no other request has."""
        return b"%s%08x" % (self._prefix, next(self._numbers))


class Defaults:
    """What every answer carries, but for what it says itself; ``more`` is carried besides."""

    __slots__ = ("_all", "_beside_rows")

    def __init__(self, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self._all = (*SECURITY_HEADERS, *more)
        self._beside_rows = tuple(pair for pair in self._all if pair[0] not in _ROWS_OWN)

    def complete(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Add them to the headers of an answer."""
        own = [name for name, _ in headers if name in _DEFAULTED]
        if not own:
            headers.extend(self._all)
        elif own == _ROWS_OWN:
            headers.extend(self._beside_rows)
        else:
            headers.extend(pair for pair in self._all if pair[0] not in own)
        if b"content-security-policy" in own:
            headers.extend(PAGE_HEADERS)
