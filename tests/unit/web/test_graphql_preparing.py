"""What is ready to run: while many fields are planned, others have the event loop between them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.web.graphql import preparing
from gateway.web.graphql.preparing import LONGEST_TURN_S, Turn


async def test_who_plans_for_long_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for no longer than it must: what is quickly done waits for nobody."""
    now = 0.0
    monkeypatch.setattr(preparing, "perf_counter", lambda: now)
    others: list[float] = []
    turn = Turn()

    async def other() -> None:
        others.append(now)

    async def spend(seconds: float) -> int:
        nonlocal now
        task = asyncio.create_task(other())
        now += seconds
        await turn.give_way()
        had = len(others)
        await task
        return had

    assert await spend(LONGEST_TURN_S) == 0
    assert await spend(LONGEST_TURN_S) == 2
    assert await spend(LONGEST_TURN_S / 2) == 2
    assert await spend(LONGEST_TURN_S) == 4
