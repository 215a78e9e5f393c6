"""Planned fields of a query -> their values: a few at a time, each by itself, so that one's failure is its own.

What reads go through is what REST's go through: `operations.reads`, its guard and its limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
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
"""Fields of one query that run at a time: each takes a connection, of which others want some too."""


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


async def run_reads(service: Service, reads: Sequence[Read], telling: Telling, *, is_last_try: bool) -> Sequence[Ran]:
    """Return what came of each read, in order.

    Raises:
        SchemaChangedError: a table changed under one of them, and this is not the last try.
    """
    if len(reads) == 1:
        ran: Sequence[Ran] = (await _ran(service, reads[0], telling, is_last_try=is_last_try),)
    else:
        ran = await _run_all(service, reads, telling, is_last_try=is_last_try)
    for each in ran:
        if isinstance(each, Refused) and isinstance(each.error, SchemaChangedError) and not is_last_try:
            raise each.error
    return ran


async def _run_all(service: Service, reads: Sequence[Read], telling: Telling, *, is_last_try: bool) -> Sequence[Ran]:
    found: dict[int, Ran] = {}
    pending = iter(enumerate(reads))

    async def work() -> None:
        for place, read in pending:
            found[place] = await _ran(service, read, telling, is_last_try=is_last_try)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(MOST_AT_ONCE, len(reads))):
            group.create_task(work())
    return [found[place] for place in range(len(reads))]


async def _ran(service: Service, read: Read, telling: Telling, *, is_last_try: bool) -> Ran:
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
