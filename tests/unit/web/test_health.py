"""Whether a worker can serve, in words: what it cannot do without, and what it only names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from gateway.errors import UnavailableError
from gateway.web.health import Health


@dataclass
class World:
    """Everything that health looks at."""

    error: Exception | None = None
    database_error: Exception | None = None
    has_failed: bool = False
    status: str = "ok"
    audit: str = "ok"

    def service(self) -> None:
        if self.error is not None:
            raise self.error

    async def probe(self) -> None:
        if self.database_error is not None:
            raise self.database_error

    @property
    def state(self) -> str:
        return self.audit

    def is_failing(self) -> bool:
        return self.audit == "degraded"

    def health(self, *, is_audit_needed: bool = False) -> Health:
        part = cast("Any", self)
        return Health(part, part, part, part, is_audit_needed=is_audit_needed)


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
