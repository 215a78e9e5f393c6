"""Whether a worker can serve, in words: what it cannot do without, and what it only names."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, cast

import pytest

from gateway.errors import UnavailableError
from gateway.security.rates import Rate
from gateway.web.health import Health

RATE = Rate(600, 60)


@dataclass
class World:
    """Everything that health looks at."""

    error: Exception | None = None
    database_error: Exception | None = None
    has_failed: bool = False
    status: str = "ok"
    audit: str = "ok"
    default: Rate | None = None
    is_away: bool = False
    is_local: bool = True

    def service(self) -> None:
        if self.error is not None:
            raise self.error

    probes: int = 0

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(0)
        if self.database_error is not None:
            raise self.database_error

    @property
    def state(self) -> str:
        return self.audit

    def is_failing(self) -> bool:
        return self.audit == "degraded"

    def health(self, *, is_audit_needed: bool = False) -> Health:
        part = cast("Any", self)
        return Health(part, part, part, part, part, is_audit_needed=is_audit_needed, are_rates_in_state=self.is_local)


def away(code: str) -> UnavailableError:
    return UnavailableError(code, "secret detail")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"status": "ready"}),
        ({"error": away("starting")}, {"status": "starting"}),
        ({"database_error": away("database_away")}, {"status": "database_away"}),
        ({"has_failed": True}, {"status": "ready", "reload": "failed"}),
        ({"status": "unwritable"}, {"status": "ready", "state": "unwritable"}),
        ({"status": "away"}, {"status": "state_away", "state": "away"}),
        ({"audit": "degraded"}, {"status": "ready", "audit": "degraded"}),
        ({"audit": "off"}, {"status": "ready"}),
        ({"is_away": True}, {"status": "ready", "rates": "away"}),
        ({"is_away": True, "default": RATE}, {"status": "state_away", "rates": "away"}),
        (
            {"status": "unwritable", "default": RATE},
            {"status": "state_away", "state": "unwritable", "rates": "away"},
        ),
        (
            {"status": "unwritable", "default": RATE, "is_local": False},
            {"status": "ready", "state": "unwritable"},
        ),
    ],
)
async def test_each_part_is_a_word(given: dict[str, Any], expected: dict[str, str]) -> None:
    """The status says whether requests can be served; no detail is told to strangers."""
    assert await World(**given).health().report() == expected


async def test_an_audit_that_is_needed_counts() -> None:
    """With the policy `closed` nothing is served without it."""
    report = await World(audit="degraded").health(is_audit_needed=True).report()

    assert report == {"status": "audit_away", "audit": "degraded"}


async def test_a_worker_that_is_about_to_stop_wants_no_more_requests() -> None:
    """Though it could serve them."""
    health = World().health()
    health.is_stopping = True

    assert await health.report() == {"status": "stopping"}


@pytest.mark.parametrize("error", [None, away("database_away")])
async def test_the_database_is_asked_once_for_all_who_ask_within_a_second(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask; a failure is believed for a shorter time."""
    world = World(database_error=error)
    health = world.health()
    due = {"status": "ready" if error is None else "database_away"}

    assert await asyncio.gather(*(health.report() for _ in range(20))) == [due] * 20
    assert (await health.report(), world.probes) == (due, 1)
    monkeypatch.setattr("gateway.web.health.monotonic", lambda: time.monotonic() + (1.01 if error is None else 0.11))
    world.database_error = None
    assert (await health.report(), world.probes) == ({"status": "ready"}, 2)


async def test_who_goes_away_leaves_the_question_to_the_others() -> None:
    """One cancelled request says nothing about the database."""
    health = World().health()
    first, second = (asyncio.create_task(health.report()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == {"status": "ready"}
