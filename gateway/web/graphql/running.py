"""Planned fields of a query -> their values: a few at a time, each by itself, so that one's failure is its own.

A query has one connection, as any request has, and more of them only while other queries leave some: else few of
those would hold all that a worker has.

What reads go through is what REST's go through: `operations.reads`, its guard and its limits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import orjson

from gateway.errors import GatewayError, InternalError, NotFoundError, SchemaChangedError
from gateway.graphql.faults import DocumentError
from gateway.graphql.render import Rendered, render
from gateway.graphql.steps import ConnectionStep, GroupsStep, RowStep, needs_rows
from gateway.observe import Observer, RequestFailed, RequestUnavailable
from gateway.operations.results import RowResult
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
class Bounds:
    """What queries may take: lanes of all together, and how large the fields of one are before no more are read."""

    lanes: Lanes
    answer_bytes: int


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
Runner = Callable[[Service, Read], Awaitable[Rendered]]


async def run_reads(
    service: Service, reads: Sequence[Read], telling: Telling, bounds: Bounds, *, is_last_try: bool
) -> Sequence[Ran]:
    """Return what came of each read, in order; of several, each value is JSON already, so that its rows can go.

    Raises:
        SchemaChangedError: a table changed under one of them, and this is not the last try.
    """
    run = partial(_ran, service, telling=telling, is_last_try=is_last_try)
    if len(reads) == 1:
        ran: Sequence[Ran] = (await run(reads[0], _run),)
    else:
        ran = await _Several(reads, run, bounds).all()
    for each in ran:
        if isinstance(each, Refused) and isinstance(each.error, SchemaChangedError) and not is_last_try:
            raise each.error
    return ran


class _Several:
    """Several reads of one query: one after the other, and beside each other where there are lanes for it."""

    def __init__(self, reads: Sequence[Read], run: Callable[[Read, Runner], Awaitable[Ran]], bounds: Bounds) -> None:
        self._pending = deque(enumerate(reads))
        self._found: dict[int, Ran] = {}
        self._run = run
        self._bounds = bounds
        self._beside: set[asyncio.Task[None]] = set()
        self._bytes = 0

    async def all(self) -> Sequence[Ran]:
        """Run them, and return what came of each."""
        async with asyncio.TaskGroup() as group:
            while self._pending:
                place, read = self._pending.popleft()
                self._go_beside(group)
                self._found[place] = await self._run(read, self._packed)
        return [self._found[place] for place in range(len(self._found))]

    def _go_beside(self, group: asyncio.TaskGroup) -> None:
        """Take as many lanes as are free and of use."""
        while len(self._beside) < min(MOST_AT_ONCE - 1, len(self._pending)) and self._bounds.lanes.take():
            task = group.create_task(self._rest())
            self._beside.add(task)
            task.add_done_callback(self._end)  # which is called even if the task never gets to run

    def _end(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        self._bounds.lanes.give()

    async def _rest(self) -> None:
        while self._pending:
            place, read = self._pending.popleft()
            self._found[place] = await self._run(read, self._packed)

    async def _packed(self, service: Service, read: Read) -> Rendered:
        limit = self._bounds.answer_bytes
        if self._bytes > limit:
            detail = f"The fields before this one came to more than {limit} bytes. Ask for it in another document."
            extensions: dict[str, str | int] = {"measure": "answer", "cost": self._bytes, "limit": limit}
            raise DocumentError("query_too_large", detail, extensions=extensions)
        rendered = await _run(service, read)
        text = orjson.dumps(rendered.value)
        self._bytes += len(text)
        return replace(rendered, value=orjson.Fragment(text))


async def _ran(service: Service, read: Read, run: Runner, *, telling: Telling, is_last_try: bool) -> Ran:
    try:
        return await run(service, read)
    except SchemaChangedError as error:
        return Refused(read.step.selected, telling.told(error) if is_last_try else error)
    except Exception as error:  # whatever it is, the other fields are answered
        return Refused(read.step.selected, telling.told(error))


async def _run(service: Service, read: Read) -> Rendered:
    step, planned = read.step, read.planned
    if isinstance(step, RowStep):
        assert isinstance(planned, PlannedRead)
        return render(step, await _row(service, planned), _no_cursor)
    if isinstance(step, ConnectionStep | GroupsStep) and not needs_rows(step):
        return render(step, await service.reads.total(planned, step.intent.count), _no_cursor)
    if isinstance(step, ConnectionStep):
        binding = step.binding
        page = await service.reads.page(planned, step.intent.count, has_positions=True)
        return render(step, page, lambda position: service.cursors.seal(position, binding))
    return render(step, await service.reads.page(planned, step.intent.count), _no_cursor)


async def _row(service: Service, planned: PlannedRead) -> RowResult | None:
    """One row; None where there is none."""
    try:
        return await service.reads.row(planned.plan, planned.values)
    except NotFoundError:
        return None


def _no_cursor(_position: Position) -> str:
    raise AssertionError("only connections have cursors")
