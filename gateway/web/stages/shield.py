"""Stage 1, shield: what is too large is refused before anything else looks at it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import RequestError
from gateway.settings import Settings
from gateway.web.exchange import exchange_of

_LARGE: Final = frozenset({"POST", "QUERY"})


class Shield:
    """Refuses URLs and declared bodies over their limits; `read_body` holds undeclared ones to the same."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._max_url_bytes = settings.max_url_bytes
        self._max_body_bytes = settings.max_body_bytes
        self._max_bulk_body_bytes = max(settings.max_bulk_body_bytes, settings.max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange_of(scope).stage = "shield"
        self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if length > self._max_url_bytes:
            raise RequestError("uri_too_long", f"The URL exceeds {self._max_url_bytes} bytes.")
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body_bytes:
                self._check_length(scope["method"], int(value))

    def _check_length(self, method: str, length: int) -> None:
        """What a POST holds, an array of rows, a query or something else, is only known when it is there."""
        limit = self._max_bulk_body_bytes if method in _LARGE else self._max_body_bytes
        if length > limit:
            raise body_too_large(limit)


def body_too_large(limit: int) -> RequestError:
    """Return the refusal of a body over its limit."""
    return RequestError("body_too_large", f"The body exceeds {limit} bytes.", headers={"Connection": "close"})


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
        close = {"Connection": "close"}
        raise RequestError(
            "body_timeout", f"The body did not arrive within {patience_s:.0f} seconds.", headers=close
        ) from None
