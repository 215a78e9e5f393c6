"""Questions that come together are answered together, each by work that began after it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.security.batches import Batches

pytestmark = pytest.mark.anyio


class Work:
    """Doubles numbers when it is let; notes the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(tuple(items))
        await self.may_end.wait()
        if 13 in items:
            raise OSError("thirteen")
        return [item * 2 for item in items]


async def test_what_is_asked_together_is_one_batch() -> None:
    """In the order asked, the same question once."""
    work = Work()
    batches = Batches(work)

    assert await asyncio.gather(*(batches.answer(item) for item in (3, 1, 3, 2))) == [6, 2, 6, 4]
    assert work.batches == [(3, 1, 2)]


async def test_what_is_asked_during_a_batch_waits_for_the_next() -> None:
    """The same question too: an answer is never older than its question."""
    work = Work()
    batches = Batches(work)
    work.may_end.clear()
    first = asyncio.ensure_future(batches.answer(1))
    await asyncio.sleep(0.01)
    later = [asyncio.ensure_future(batches.answer(item)) for item in (1, 2)]
    await asyncio.sleep(0.01)
    work.may_end.set()

    assert await asyncio.gather(first, *later) == [2, 2, 4]
    assert work.batches == [(1,), (1, 2)]


async def test_a_batch_holds_no_more_than_its_most() -> None:
    """The rest is the next batch's."""
    work = Work()
    batches = Batches(work, most=2)

    assert await asyncio.gather(*(batches.answer(item) for item in range(5))) == [0, 2, 4, 6, 8]
    assert work.batches == [(0, 1), (2, 3), (4,)]


async def test_who_goes_away_takes_no_answer_from_the_others() -> None:
    """A cancelled request leaves the work running."""
    work = Work()
    batches = Batches(work)
    work.may_end.clear()
    leaver, stayer = (asyncio.ensure_future(batches.answer(1)) for _ in range(2))
    await asyncio.sleep(0.01)
    leaver.cancel()
    work.may_end.set()

    assert await stayer == 2
    assert leaver.cancelled() or leaver.cancelling()


async def test_a_failure_reaches_everybody_in_its_batch_and_nobody_after_it() -> None:
    """Those that nobody waits for are not complained about either."""
    work = Work()
    batches = Batches(work)
    batches.ask(13)
    waiting = [asyncio.ensure_future(batches.answer(item)) for item in (13, 1)]

    assert [str(error) for error in await asyncio.gather(*waiting, return_exceptions=True)] == ["thirteen"] * 2
    assert await batches.answer(1) == 2
