"""When tokens were last used: noted in memory by each request, written for all of them every few seconds.

What is not yet written when a worker dies is lost, which makes a token look unused for that long and
nothing else. What cannot be written is kept for the next time: there is one moment for each token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from gateway.errors import UnavailableError

WRITE_EVERY_S: Final = 5.0

Touch = Callable[[Mapping[int, float]], None]


class LastUsed:
    """The tokens that were used since they were last written; one per worker, used from its event loop."""

    def __init__(self, touch: Touch, *, every_s: float = WRITE_EVERY_S, clock: Callable[[], float] = time.time) -> None:
        self._touch = touch
        self._every_s = every_s
        self._clock = clock
        self._used: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def note(self) -> Callable[[int], None]:
        """Return what notes that a token, by its id, is used now: to be taken once, as it is called at each request."""
        return self._used.add

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what is left, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.write()

    async def write(self) -> None:
        """Write what was noted; a moment is that of the writing, which is at most `WRITE_EVERY_S` late."""
        if not self._used:
            return
        now = self._clock()
        used = dict.fromkeys(self._used, now)
        self._used.clear()
        try:
            await asyncio.to_thread(self._touch, used)
        except UnavailableError:  # the store has said so; the next time may go well
            self._used.update(used)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.write()
