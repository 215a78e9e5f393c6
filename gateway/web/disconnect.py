"""A client that goes away ends its request, and with it the statement that runs for it."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive

PATIENCE_S: Final = 0.05
"""Most requests end sooner; only those that do not are worth a task that listens."""


class ClientGoneError(Exception):
    """The client closed the connection; there is nobody to answer."""


class ClientWatch:
    """A context that is cancelled when the client goes away.

    The body must have been read. Costs one timer for requests that end soon.

    Raises:
        ClientGoneError: the client went away.
    """

    __slots__ = ("_is_gone", "_listener", "_receive", "_request", "_timer")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_gone = False
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._request = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._start)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        # Only the watch's own cancellation is taken back; somebody else's goes on.
        if self._is_gone and isinstance(error, asyncio.CancelledError) and self._uncancelled():
            raise ClientGoneError from None

    def _uncancelled(self) -> bool:
        return self._request is not None and self._request.uncancel() == 0

    def _start(self) -> None:
        self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        if self._request is not None:
            self._request.cancel()
