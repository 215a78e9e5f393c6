"""A client that goes away ends its request, and with it the statement that runs for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import Receive

PATIENCE_S: Final = 0.05
"""Most requests end sooner; only those that do not are worth a task that listens."""


class ClientGoneError(Exception):
    """The client closed the connection; there is nobody to answer."""


@asynccontextmanager
async def client_watch(receive: Receive) -> AsyncIterator[None]:
    """Return a context that is cancelled when the client goes away.

    The body must have been read. Costs one timer for requests that end soon.

    Raises:
        ClientGoneError: the client went away.
    """
    watch = _Watch(receive)
    try:
        yield
    except asyncio.CancelledError:
        if watch.is_gone and _uncancelled():
            raise ClientGoneError from None
        raise
    finally:
        watch.stop()


def _uncancelled() -> bool:
    """Take back the watch's own cancellation; False when somebody else cancelled the request too."""
    task = asyncio.current_task()
    return task is not None and task.uncancel() == 0


class _Watch:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._request = asyncio.current_task()
        self._listener: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._start)
        self.is_gone = False

    def stop(self) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    def _start(self) -> None:
        self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        if self._request is not None:
            self._request.cancel()
