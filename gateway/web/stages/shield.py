"""Stage 1, shield: what is too large, too slow, too much at once or too often is refused before anything else looks.

What is checked of a request here is what its form shows; who sends it plays no part but for the
address. `web.protocol` does the same for what never becomes a request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import ceil
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import MethodError, RequestError, ThrottledError
from gateway.execution.failures import CommitCutError
from gateway.settings import Settings
from gateway.web.deadlines import Deadlines, request_timeout
from gateway.web.disconnect import ClientGoneError
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.throttle import Throttle
from gateway.web.turns import Turns

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"})
REFUSAL: Final = "gateway.refusal"
"""Where a scope holds the error of what arrived and was no request."""

HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""Whoever asks these wants to know how a busy worker is, so they need no turn."""

_LARGE: Final = frozenset({"POST", "QUERY"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE", "QUERY"})
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"host"})
_CLOSE: Final = {"Connection": "close"}


class Shield:
    """Refuses by form, address and load; ends what takes too long. `read_body` holds bodies to their limits."""

    def __init__(
        self, app: ASGIApp, settings: Settings, throttle: Throttle, turns: Turns, deadlines: Deadlines
    ) -> None:
        self._app = app
        self._throttle = throttle
        self._turns = turns
        self._deadlines = deadlines
        self._form = FormLimits(
            settings.max_url_bytes,
            settings.max_query_parameters,
            settings.max_headers,
            settings.max_header_bytes,
            settings.max_body_bytes,
            max(settings.max_bulk_body_bytes, settings.max_body_bytes),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "shield"
        if REFUSAL in scope:
            raise scope[REFUSAL]
        is_health = scope["path"] in HEALTH_PATHS  # whoever looks may share its address with a flood
        wait_s = 0.0 if is_health else self._throttle.allow(exchange.address)
        if wait_s:
            raise _throttled(wait_s)
        self._form.check(scope)
        task = asyncio.current_task()
        assert task is not None  # a coroutine that runs is some task's
        self._deadlines.begin(task, exchange)
        turns = self._turns
        try:
            if not is_health:
                if not turns.take(task):
                    receive = await turns.wait(task, receive)
                if scope["method"] in _WITH_BODY:
                    receive = _Apart(turns, task, receive)
            await self._app(scope, receive, send)
        except ClientGoneError:
            return
        except asyncio.CancelledError as error:
            if not self._deadlines.has_cut(task):
                raise
            raise (error.failure if isinstance(error, CommitCutError) else request_timeout()) from error
        finally:
            turns.give(task)  # which it may not have had, or given away
            self._deadlines.end(task)


class _Apart:
    """Receives a body; while it is not there, others have the turn of its request."""

    __slots__ = ("_receive", "_task", "_turns")

    def __init__(self, turns: Turns, task: asyncio.Task[None], receive: Receive) -> None:
        self._turns = turns
        self._task = task
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next message of the client."""
        return await self._turns.receive_apart(self._task, self._receive)


def _throttled(wait_s: float) -> ThrottledError:
    detail = "Requests come too fast from this address. Wait as long as Retry-After says."
    return ThrottledError("address_throttled", detail, headers={"Retry-After": str(ceil(wait_s))})


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a request may look like, its body apart."""

    url_bytes: int
    parameters: int
    headers: int
    header_bytes: int
    body_bytes: int
    bulk_body_bytes: int

    def check(self, scope: Scope) -> None:
        """Pass when a request is of a form that can be answered.

        Raises:
            MethodError: ``method_not_allowed``, for a method that no path takes.
            RequestError: ``uri_too_long``, ``query_too_large``, ``path_invalid``, ``headers_too_large``,
                ``header_invalid``, ``body_too_large``.
        """
        if scope["method"] not in METHODS:
            raise MethodError(
                "method_not_allowed", "No path takes this method.", headers={"Allow": ", ".join(sorted(METHODS))}
            )
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        if len(raw_path) + len(query) > self.url_bytes:
            raise RequestError("uri_too_long", f"The URL exceeds {self.url_bytes} bytes.")
        if query.count(b"&") >= self.parameters:
            raise RequestError("query_too_large", f"The URL has more than {self.parameters} parameters.")
        if not raw_path.isascii() or b"%" in raw_path:
            _check_path(raw_path)
        self._check_headers(scope)

    def _check_headers(self, scope: Scope) -> None:
        headers = scope["headers"]
        if len(headers) > self.headers:
            raise headers_too_large(f"The request has more than {self.headers} headers.")
        size, framing = 0, 0
        for name, value in headers:
            size += len(name) + len(value)
            if name in _FRAMING:
                framing += 1 if name == b"host" else 2  # a single Host is what nearly every request has
        if size > self.header_bytes:
            raise headers_too_large(f"The headers exceed {self.header_bytes} bytes.")
        if framing != 1:
            framed = [pair for pair in headers if pair[0] in _FRAMING]
            if scope.get("http_version") == "1.1" and not any(name == b"host" for name, _ in framed):
                raise RequestError("header_invalid", "Send a Host (RFC 9112, section 3.2).", headers=_CLOSE)
            if framing:
                self._check_framing(framed, scope["method"])

    def _check_framing(self, framing: list[tuple[bytes, bytes]], method: str) -> None:
        """What ends a body must be said once: whoever stands between client and gateway may read it another way.

        Source: RFC 9112, section 6.3; request smuggling lives on it.
        """
        sizes = [pair for pair in framing if pair[0] != b"host"]
        if len(framing) - len(sizes) > 1:  # links and origins are told by it (RFC 9112, section 3.2)
            raise RequestError("header_invalid", "Send one Host.", headers=_CLOSE)
        if len(sizes) > 1:
            detail = "Send Content-Length or Transfer-Encoding, one of them and once."
            raise RequestError("header_invalid", detail, headers=_CLOSE)
        name, value = sizes[0]
        if name == b"transfer-encoding":
            if value.strip().lower() != b"chunked":
                raise RequestError("header_invalid", "Transfer-Encoding can only be chunked.", headers=_CLOSE)
            return
        if not value.isdigit() or len(value) > _LONGEST_LENGTH:
            raise RequestError("header_invalid", "Content-Length must be a whole number.", headers=_CLOSE)
        # What a POST holds, an array of rows, a query or something else, is only known when it is there.
        limit = self.bulk_body_bytes if method in _LARGE else self.body_bytes
        if int(value) > limit:
            raise body_too_large(limit)


_LONGEST_LENGTH: Final = 19


def _check_path(raw_path: bytes) -> None:
    """Pass when a path is text; a null byte ends a text for some who read it, and stands in no name or key."""
    decoded = unquote_to_bytes(raw_path)
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError("path_invalid", "The path is not percent-encoded UTF-8.") from None
    if b"\0" in decoded:
        raise RequestError("path_invalid", "The path holds a null byte.")


def headers_too_large(detail: str) -> RequestError:
    """Return the refusal of headers over their limits."""
    return RequestError("headers_too_large", detail, headers=_CLOSE)


def body_too_large(limit: int) -> RequestError:
    """Return the refusal of a body over its limit."""
    return RequestError("body_too_large", f"The body exceeds {limit} bytes.", headers=_CLOSE)


_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
"""What may stand before a JSON document, a byte order mark among it."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How many bytes a body may have; ``rows`` of them where it is an array, 0 where none is taken."""

    one: int
    rows: int = 0

    def check(self, size: int, sign: bytes, declared: int) -> None:
        """Pass while a body may go on that begins with a sign, empty as long as nothing but blanks came.

        Raises:
            RequestError: ``body_too_large``, for a declared length too as soon as the sign says that it is no array.
        """
        if self.rows > self.one and sign == b"[":
            if size > self.rows:
                raise body_too_large(self.rows)
        elif size > self.one or (sign and declared > self.one):
            raise body_too_large(self.one)


async def read_body(receive: Receive, limit: BodyLimit, patience_s: float, declared: int = 0) -> bytes:
    """Return the whole body of a request.

    Raises:
        RequestError: ``body_too_large`` as soon as more bytes came than may,
            ``body_timeout`` when it did not end in time, ``body_syntax`` when the client went away.
    """
    chunks: list[bytes] = []
    size, sign = 0, b""
    try:
        async with asyncio.timeout(patience_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestError("body_syntax", "The body did not arrive whole.")
                chunk = message.get("body", b"")
                size += len(chunk)
                sign = sign or chunk[:64].lstrip(_BLANK)[:1] or chunk.lstrip(_BLANK)[:1]
                limit.check(size, sign, declared)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RequestError(
            "body_timeout", f"The body did not arrive within {patience_s:g} seconds.", headers=_CLOSE
        ) from None
