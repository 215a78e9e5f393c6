"""The keeper over time, on sources that only count: when it loads, when it does not, and what a failure leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.errors import UnavailableError
from gateway.observe import CatalogKept, Event
from gateway.web.keeper import Keeper, Sources
from gateway.web.loading import Loaded
from gateway.web.service import Service


@dataclass
class Fake:
    """Sources of catalogs that are told apart by their fingerprints."""

    fingerprint: str = "one"
    error: Exception | None = None
    loads: int = 0
    generation: int = 0
    events: list[Event] = field(default_factory=list)

    def load(self, before: Loaded | None) -> Loaded:
        self.loads += 1
        if self.error is not None:
            raise self.error
        catalog = SimpleNamespace(fingerprint=self.fingerprint, exposed=tuple)
        return cast("Loaded", SimpleNamespace(catalog=catalog, problems=(), exposure=SimpleNamespace(tables=())))

    def serve(self, loaded: Loaded) -> Service:
        return cast("Service", SimpleNamespace(catalog=loaded.catalog))

    def bump(self) -> int:
        self.generation += 1
        return self.generation

    def keeper(self, **settings: Any) -> Keeper:
        sources = Sources(self.load, lambda loaded: self.fingerprint, lambda: self.generation, self.bump, self.serve)
        return Keeper(sources, self.events.append, settings.get("look_every_s", 0.0))


async def started(fake: Fake) -> Keeper:
    """A keeper with its first catalog, which follows nobody."""
    keeper = fake.keeper()
    await keeper.start()
    await keeper.stop()
    return keeper


async def test_a_statement_that_met_changed_tables_brings_one_reload() -> None:
    """Whoever comes with the service before it finds the new one in place."""
    fake = Fake()
    keeper = await started(fake)
    old = keeper.service()
    fake.fingerprint = "two"

    await asyncio.gather(*(keeper.mend(old) for _ in range(5)))
    await keeper.mend(old)

    assert keeper.service() is not old
    assert fake.loads <= 3
    loads = fake.loads
    await keeper.mend(old)
    assert fake.loads == loads


async def test_a_request_need_not_wait_for_the_reload_that_it_brings() -> None:
    """It runs beside it; a state store that is away keeps no error for anybody."""
    fake = Fake()
    keeper = await started(fake)
    old = keeper.service()
    fake.fingerprint = "two"

    keeper.mend_soon(old)
    assert keeper.service() is old
    async with asyncio.timeout(5):
        while keeper.service() is old or not fake.generation:
            await asyncio.sleep(0.005)
    fake.error = ZeroDivisionError()
    keeper.mend_soon(keeper.service())
    await asyncio.sleep(0)
    await keeper.stop()

    assert fake.generation >= 1


@pytest.mark.parametrize("error", [None, UnavailableError("database_away", "gone")])
async def test_a_reload_that_mended_nothing_is_not_repeated_at_once(error: Exception | None) -> None:
    """Something that stays broken does not keep every worker reloading."""
    fake = Fake()
    keeper = await started(fake)
    fake.error = error

    await keeper.mend(keeper.service())
    await keeper.mend(keeper.service())

    assert fake.loads == 2


@pytest.mark.parametrize("error", [UnavailableError("database_away", "gone"), RuntimeError("of a driver")])
async def test_whatever_fails_a_reload_keeps_what_is_served(error: Exception) -> None:
    """The failure is told, and noted until a reload works."""
    fake = Fake()
    keeper = await started(fake)
    served = keeper.service()
    fake.error = error

    assert await keeper.reload("asked for") is False

    assert keeper.service() is served
    assert keeper.has_failed
    (kept,) = [event for event in fake.events if isinstance(event, CatalogKept)]
    assert str(error) in kept.detail
    fake.error = None
    assert await keeper.reload("asked for") is True
    assert not keeper.has_failed


async def test_what_another_worker_tells_meanwhile_is_not_missed() -> None:
    """Two generations further after one's own: somebody else's reload came between, and is followed."""
    fake = Fake()
    keeper = fake.keeper()
    await keeper.start()
    try:
        fake.generation += 1
        await keeper.reload_everywhere("asked for")
        loads = fake.loads
        async with asyncio.timeout(5):
            while fake.loads == loads:
                await asyncio.sleep(0.01)
    finally:
        await keeper.stop()

    assert fake.generation == 2
