"""A request ends when its time is over, whatever it waits for, and only then."""

from __future__ import annotations

import asyncio

from gateway.web.deadlines import Deadlines
from gateway.web.exchange import Exchange


async def run(deadlines: Deadlines, exchange: Exchange, seconds: float) -> str:
    """Return how a request ended that waits for some seconds."""
    task = asyncio.current_task()
    assert task is not None
    deadlines.begin(task, exchange)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not deadlines.has_cut(task):
            raise
        return "cut"
    finally:
        deadlines.end(task)
        assert task.cancelling() == 0 or not deadlines.is_over(task)
    return "done"


async def test_a_request_over_its_time_is_cut_and_the_others_are_not() -> None:
    """Each has its own time."""
    deadlines = Deadlines(0.1)
    slow = asyncio.create_task(run(deadlines, Exchange("1", 0.0), 30))
    ended = [await asyncio.create_task(run(deadlines, Exchange("2", 0.0), 0.02)) for _ in range(8)]

    assert ended == ["done"] * 8
    assert await slow == "cut"
    assert slow.cancelling() == 0


async def test_an_answer_that_has_begun_is_not_cut() -> None:
    """Nothing else could be said any more."""
    exchange = Exchange("1", 0.0, status=200)

    assert await asyncio.create_task(run(Deadlines(0.02), exchange, 0.1)) == "done"


async def test_a_request_with_limits_of_its_own_is_not_cut() -> None:
    """An export may take longer."""
    deadlines = Deadlines(0.02)
    task = asyncio.create_task(run(deadlines, Exchange("1", 0.0), 0.1))
    await asyncio.sleep(0)
    deadlines.lift(task)

    assert await task == "done"


async def test_somebody_elses_cancellation_is_not_taken_for_ones_own() -> None:
    """A server that stops cancels too."""
    deadlines = Deadlines(10)
    task = asyncio.create_task(run(deadlines, Exchange("1", 0.0), 30))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))

    assert task.cancelled()


async def test_nothing_is_looked_at_while_nothing_runs() -> None:
    """The timer ends with the last request and begins with the next."""
    deadlines = Deadlines(0.04)
    for _ in range(2):
        assert await asyncio.create_task(run(deadlines, Exchange("1", 0.0), 5)) == "cut"
        await asyncio.sleep(0.03)
        assert deadlines._timer is None
