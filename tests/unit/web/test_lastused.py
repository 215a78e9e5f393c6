"""When tokens were last used is written for all of them together, away from the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.errors import UnavailableError
from gateway.web.lastused import LastUsed


class Store:
    """Takes what is written; ``is_away`` makes it refuse."""

    def __init__(self) -> None:
        self.written: list[dict[int, float]] = []
        self.is_away = False
        self.was_written = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def touch(self, used: Mapping[int, float]) -> None:
        if self.is_away:
            raise UnavailableError("state_away", "gone")
        self.written.append(dict(used))
        self._loop.call_soon_threadsafe(self.was_written.set)


async def test_a_token_is_written_once_however_often_it_was_used() -> None:
    """With the moment of the writing, and not again when it was not used again."""
    store = Store()
    last_used = LastUsed(store.touch, clock=lambda: 1_000.0)
    for token_id in (7, 5, 7, 7):
        last_used.note(token_id)
    await last_used.write()
    await last_used.write()

    assert store.written == [{7: 1_000.0, 5: 1_000.0}]


async def test_what_could_not_be_written_is_written_later() -> None:
    """A store that is away costs nothing but time."""
    store = Store()
    last_used = LastUsed(store.touch, clock=lambda: 1_000.0)
    last_used.note(7)
    store.is_away = True
    await last_used.write()
    store.is_away = False
    last_used.note(5)
    await last_used.write()

    assert store.written == [{7: 1_000.0, 5: 1_000.0}]


async def test_it_is_written_by_itself_and_at_the_end() -> None:
    """Stopping writes what the last seconds brought."""
    store = Store()
    last_used = LastUsed(store.touch, every_s=0.001, clock=lambda: 1_000.0)
    last_used.start()
    last_used.note(7)
    await asyncio.wait_for(store.was_written.wait(), 10)
    last_used.note(5)
    await last_used.stop()

    assert store.written == [{7: 1_000.0}, {5: 1_000.0}]
