"""Questions that come one by one and are answered together.

While one batch is being answered, the next one collects; the same question asked twice in that
time is one. So a crowd costs a few statements, and never more than one thread at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

MOST_AT_ONCE: Final = 500

Item = TypeVar("Item", bound=Hashable)
Answer = TypeVar("Answer")


class Batches(Generic[Item, Answer]):
    """Asks ``work`` for the answers of what was collected, in its order; used from one event loop only.

    Whatever is asked is answered by work that begins afterwards: no answer is older than its question.
    """

    __slots__ = ("_asked", "_most", "_running", "_work")

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], most: int = MOST_AT_ONCE) -> None:
        self._work = work
        self._most = most
        self._asked: dict[Item, asyncio.Future[Answer]] = {}
        self._running: asyncio.Task[None] | None = None

    def ask(self, item: Item) -> asyncio.Future[Answer]:
        """Return the answer to come; nobody has to wait for it. Whoever does, shields it from his own end."""
        future = self._asked.get(item)
        if future is None:
            future = self._asked[item] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_seen)
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._run())
        return future

    async def answer(self, item: Item) -> Answer:
        """Return the answer; a caller that goes away does not take it from others that wait for it."""
        return await asyncio.shield(self.ask(item))

    async def _run(self) -> None:
        while self._asked:
            batch = dict(islice(self._asked.items(), self._most))
            for item in batch:
                del self._asked[item]
            try:
                answers = await self._work(tuple(batch))
            except Exception as error:  # it is the askers' to handle
                for future in batch.values():
                    future.set_exception(error)
                continue
            for future, answer in zip(batch.values(), answers, strict=True):
                future.set_result(answer)


def _seen(future: asyncio.Future[Answer]) -> None:
    """Take note of a failure that nobody waited for."""
    if not future.cancelled():
        future.exception()
