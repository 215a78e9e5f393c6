"""The first stage: what is too large is refused before anything else looks at it."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import RequestError
from gateway.settings import Settings


class Shield:
    """Refuses URLs and declared bodies over their limits; `read_body` holds undeclared ones to the same."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._max_url_bytes = settings.max_url_bytes
        self._max_body_bytes = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if length > self._max_url_bytes:
            raise RequestError("uri_too_long", f"The URL exceeds {self._max_url_bytes} bytes.")
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body_bytes:
                raise _too_large(self._max_body_bytes)


def _too_large(limit: int) -> RequestError:
    return RequestError("body_too_large", f"The body exceeds {limit} bytes.", headers={"Connection": "close"})


async def read_body(receive: Receive, limit: int, patience_s: float) -> bytes:
    """Return the whole body of a request.

    Raises:
        RequestError: ``body_too_large`` as soon as more than ``limit`` bytes came,
            ``body_timeout`` when it did not end in time, ``body_syntax`` when the client went away.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(patience_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestError("body_syntax", "The body did not arrive whole.")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        close = {"Connection": "close"}
        raise RequestError(
            "body_timeout", f"The body did not arrive within {patience_s:.0f} seconds.", headers=close
        ) from None
