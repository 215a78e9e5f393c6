"""Counts that never cost a page its speed (SPEC section 4, "Counts").

Identical counts in flight are shared, a recent one may be reused, few run at a
time, and past a deadline the optimizer's estimate stands in. Each answer says
which of these it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from gateway.errors import GatewayError, SchemaChangedError, UnavailableError
from gateway.execution.database import Database
from gateway.observe import CountEstimated, Observer
from gateway.operations.results import Count
from gateway.query.plan import AggregatePlan, Values
from gateway.query.reach import is_granted, is_plain
from gateway.sql.cache import Recent, StatementCache
from gateway.sql.read import estimated_rows

_ESTIMATE_SHARE_S: Final = 0.05
"""The part of the deadline kept back for asking the optimizer."""

_Key = tuple[AggregatePlan, Values]


class Counts:
    """The counts of one catalog on one database.

    At most ``most_running`` exact counts run at once: the rest of the pool is for pages.
    """

    def __init__(
        self,
        database: Database,
        statements: StatementCache,
        observer: Observer,
        *,
        deadline_s: float,
        reuse_s: float,
        most_running: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._statements = statements
        self._observer = observer
        self._deadline_s = deadline_s
        self._reuse_s = reuse_s
        self._clock = clock
        self._running: dict[_Key, asyncio.Task[int]] = {}
        self._tasks: set[asyncio.Task[int]] = set()  # also those of before a write; the loop itself holds none fast
        self._recent: Recent[_Key, tuple[int, float]] = Recent(1_000)
        self._places = asyncio.Semaphore(most_running)
        self._epoch = 0

    def forget(self) -> None:
        """Reuse no count made before now: a write of ours may have changed it."""
        self._epoch += 1
        self._running.clear()
        self._recent = Recent(1_000)

    async def exact(self, plan: AggregatePlan, values: Values, spent_s: float = 0.0) -> Count:
        """Return the exact number within the deadline, a recent one, or an estimate.

        ``spent_s`` is what the page has taken of the deadline already.
        """
        key = (plan, values)
        reused = self._reused(key)
        if reused is not None:
            return reused
        task = self._shared(key)
        share = min(_ESTIMATE_SHARE_S, self._deadline_s / 2)
        await asyncio.wait((task,), timeout=max(0.0, self._deadline_s - share - spent_s))
        if not task.done():
            estimate = await self._estimate_within(plan, values, share)
            if not task.done():
                return self._estimated(plan, estimate)
        return self._outcome(plan, task) or self._estimated(plan, await self._estimate(plan, values))

    async def estimate(self, plan: AggregatePlan, values: Values) -> Count:
        """Return what the optimizer expects; where it expects nothing, the exact number."""
        if self._statements.estimate(plan) is None:
            return await self.exact(plan, values)
        return Count("estimate", await self._estimate(plan, values))

    def _reused(self, key: _Key) -> Count | None:
        kept = self._recent.get(key) if self._reuse_s > 0 else None
        if kept is None:
            return None
        total, counted_at = kept
        age = self._clock() - counted_at
        return Count("recent", total, round(age * 1000)) if age <= self._reuse_s else None

    def _shared(self, key: _Key) -> asyncio.Task[int]:
        """The count in flight, or a new one; it goes on when a request that waits for it is gone."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._count(key, self._epoch))
            self._running[key] = task
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: _Key, task: asyncio.Task[int]) -> None:
        self._tasks.discard(task)
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # read here, so that a count nobody waits for any more is not reported as lost

    async def _count(self, key: _Key, epoch: int) -> int:
        plan, values = key
        statement = self._statements.count(plan)
        await self._place()
        try:
            rows = await self._database.fetch(statement.text, statement.bind(values))
        finally:
            self._places.release()
        total = int(rows[0][0])
        if epoch == self._epoch:
            self._recent.put(key, (total, self._clock()))
        return total

    async def _place(self) -> None:
        """Wait for a place no longer than the pages that ask: then they have their estimates and are gone."""
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._places.acquire()
        except TimeoutError:
            raise UnavailableError("database_busy", "Other counts took the whole deadline.") from None

    def _outcome(self, plan: AggregatePlan, task: asyncio.Task[int]) -> Count | None:
        """The exact number; None when the server stopped the count at its deadline."""
        if task.cancelled():
            return None
        error = task.exception()
        if error is None:
            return Count("exact", task.result())
        if isinstance(error, GatewayError) and error.code in ("statement_timeout", "database_busy"):
            return None
        raise error

    def _estimated(self, plan: AggregatePlan, total: int | None) -> Count:
        self._observer(CountEstimated(plan.table.resource or plan.table.name))
        return Count("estimate", total)

    async def _estimate_within(self, plan: AggregatePlan, values: Values, seconds: float) -> int | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._estimate(plan, values)
        except TimeoutError:
            return None

    async def _estimate(self, plan: AggregatePlan, values: Values) -> int | None:
        """What the optimizer expects; None where it can only say how large the table is.

        None, too, under a row filter: without an index the number would be that of all rows, the caller's or not.
        """
        statement = self._statements.estimate(plan)
        if statement is None or not is_plain(plan.condition) or is_granted(plan.condition):
            return None
        try:
            rows = await self._database.fetch(statement.text, statement.bind(values))
        except SchemaChangedError:
            raise
        except GatewayError:
            return None
        return estimated_rows(self._statements.catalog, [tuple(row) for row in rows])
