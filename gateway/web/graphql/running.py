"""Planned fields of a query -> their values: a few at a time, each by itself, so that one's failure is its own.

A query has one connection, as any request has, and more of them only while other queries leave some: else few of
those would hold all that a worker has.

What reads go through is what REST's go through: `operations.reads`, its guard and its limits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.errors import GatewayError, InternalError, NotFoundError, SchemaChangedError
from gateway.graphql.render import Rendered, render
from gateway.graphql.steps import ConnectionStep, RowStep
from gateway.observe import Observer, RequestFailed, RequestUnavailable
from gateway.operations.results import TAG_KEY, RowResult
from gateway.query.planner import PlannedRead
from gateway.query.positions import Position
from gateway.web.graphql.preparing import Read, Refused
from gateway.web.service import Service

MOST_AT_ONCE: Final = 4
"""Fields of one query that run at a time, where there are lanes for them: each takes a connection."""


class Lanes:
    """How many fields may run beside the first one of their query, of all queries of a worker together."""

    __slots__ = ("_free",)

    def __init__(self, most: int) -> None:
        self._free = most

    @property
    def free(self) -> int:
        """How many more may."""
        return self._free

    def take(self) -> bool:
        """Return whether a lane was free; then it is the caller's until it is given back."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give(self) -> None:
        """Give a lane back."""
        self._free += 1


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells the administrator what the client is not told of a failure."""

    observer: Observer
    request_id: str

    def told(self, error: Exception) -> GatewayError:
        """Return the error as the client hears of it."""
        if not isinstance(error, GatewayError):
            self.observer(RequestFailed(self.request_id, error))
            return InternalError("internal", "The gateway made a mistake; the request id finds it in the log.")
        if error.status == 500:
            self.observer(RequestFailed(self.request_id, error))
        elif error.status == 503 and error.__cause__ is not None:
            self.observer(RequestUnavailable(self.request_id, error.code, error.__cause__))
        return error


Ran = Rendered | Refused


async def run_reads(
    service: Service, reads: Sequence[Read], telling: Telling, lanes: Lanes, *, is_last_try: bool
) -> Sequence[Ran]:
    """Return what came of each read, in order.

    Raises:
        SchemaChangedError: a table changed under one of them, and this is not the last try.
    """
    run = partial(_ran, service, telling=telling, is_last_try=is_last_try)
    ran = (await run(reads[0]),) if len(reads) == 1 else await _run_all(reads, run, lanes)
    for each in ran:
        if isinstance(each, Refused) and isinstance(each.error, SchemaChangedError) and not is_last_try:
            raise each.error
    return ran


async def _run_all(reads: Sequence[Read], run: Callable[[Read], Awaitable[Ran]], lanes: Lanes) -> Sequence[Ran]:
    found: dict[int, Ran] = {}
    pending = deque(enumerate(reads))
    beside: set[asyncio.Task[None]] = set()

    async def work() -> None:
        while pending:
            place, read = pending.popleft()
            found[place] = await run(read)

    def end(task: asyncio.Task[None]) -> None:
        beside.discard(task)
        lanes.give()

    async with asyncio.TaskGroup() as group:
        while pending:
            place, read = pending.popleft()
            while len(beside) < min(MOST_AT_ONCE - 1, len(pending)) and lanes.take():
                task = group.create_task(work())
                beside.add(task)
                task.add_done_callback(end)  # which is called even if the task never gets to run
            found[place] = await run(read)
    return [found[place] for place in range(len(reads))]


async def _ran(service: Service, read: Read, *, telling: Telling, is_last_try: bool) -> Ran:
    try:
        return await _run(service, read)
    except SchemaChangedError as error:
        return Refused(read.step.selected, telling.told(error) if is_last_try else error)
    except Exception as error:  # whatever it is, the other fields are answered
        return Refused(read.step.selected, telling.told(error))


async def _run(service: Service, read: Read) -> Rendered:
    step, planned = read.step, read.planned
    if isinstance(step, RowStep):
        assert isinstance(planned, PlannedRead)
        return render(step, await _row(service, step, planned), _no_cursor)
    if isinstance(step, ConnectionStep):
        binding = step.binding
        page = await service.reads.page(planned, step.intent.count, has_positions=True)
        return render(step, page, lambda position: service.cursors.seal(position, binding))
    return render(step, await service.reads.page(planned, step.intent.count), _no_cursor)


async def _row(service: Service, step: RowStep, planned: PlannedRead) -> RowResult | None:
    """One row, with its tag where that is asked for; None where there is none."""
    try:
        found = await service.reads.row(planned.plan, planned.values)
    except NotFoundError:
        return None
    if step.is_tagged:
        found.row[TAG_KEY] = found.tag
    return found


def _no_cursor(_position: Position) -> str:
    raise AssertionError("only connections have cursors")
