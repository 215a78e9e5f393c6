"""Looks after the store while nobody needs it: that it is gone, or back, is known within a second."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.errors import UnavailableError
from gateway.state.store import StateStore

LOOK_EVERY_S: Final = 0.5


class StateWatch:
    """Probes the store again and again; what it finds, `StateStore.status` and the log have."""

    def __init__(self, state: StateStore, *, every_s: float = LOOK_EVERY_S) -> None:
        self._state = state
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await asyncio.to_thread(self._state.probe)
            except UnavailableError:  # the store has said so itself
                continue
