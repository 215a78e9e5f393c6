"""Lists and groups read whole, for exports: one snapshot, parts of bounded size, few at a time.

What comes in: an intent and the context of its planning. What goes out: parts of the rows in
order, each read by its own statements from where the part before ended (a position in the
order; for tables without a key an offset). Nothing is encoded here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any, Final

from gateway.errors import RequestError, UnavailableError
from gateway.execution.database import Database, Run, Snapshot
from gateway.operations.embeds import Check, Rows, Terms, embed_rows, read_rows
from gateway.operations.guard import Guard
from gateway.operations.reads import doubtful_parent, in_order, row_unknown
from gateway.query.access import DEFAULT_MOST_ROWS
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.context import Context, Slots
from gateway.query.intent import AggregateIntent, PageIntent, ReadIntent
from gateway.query.plan import Embed, ReadPlan
from gateway.query.planner import PlannedRead, plan_read, slots_before
from gateway.query.positions import position_of
from gateway.settings import Settings
from gateway.sql.cache import StatementCache
from gateway.sql.groups import compile_group_count
from gateway.sql.read import compile_count
from gateway.sql.statement import Statement

FIRST_ROWS: Final = 100
"""Rows of the first part: few, so that the first byte comes soon."""

MOST_ROWS: Final = 16_000
MOST_CELLS: Final = 120_000
"""Rows, and cells in all, of any part; with embeds a quarter of it."""

SLOW_S: Final = 0.1
SLOW_SHARE: Final = 3
"""After a part that took so many seconds parts may be larger: where no index serves the order, each sorts anew."""

GROWTH: Final = 4
"""How many times the rows of the part before a part may have."""

MOST_PART_BYTES: Final = 4_194_304
"""Bytes of text that a part may hold, by the rows of the one before: long texts make for small parts."""

MOST_GROUPS: Final = 100_000
"""Groups of an export, which are one statement's rows."""

_UNLIMITED: Final = 2**62
_SAMPLE: Final = 50


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """What an export may take: ``most`` at a time, seconds in all and of a client that does not read, bytes on disk."""

    most: int
    limit_s: float
    stall_s: float
    spool_bytes: int


def limits_of(settings: Settings) -> ExportLimits:
    """Return the limits that the settings give."""
    return ExportLimits(
        settings.export_most, settings.export_limit_s, settings.export_stall_s, settings.export_spool_bytes
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be exported.

    ``is_paged`` says that a page was asked for, which is then all there is. ``context`` is that
    of the first planning; its clock holds for all parts. ``is_counted`` asks how many rows there
    are in all, page or not.
    """

    intent: ReadIntent | AggregateIntent
    context: Context
    is_paged: bool = False
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows: as the driver has them, and as the reply shows them where they hold embeds or are groups.

    ``warnings`` are those of groups (`results.PageResult`). ``total`` is told with the first part,
    where it was asked for.
    """

    raw: Sequence[Sequence[Any]]
    statement: Statement
    nested: list[dict[str, Any]] | None = None
    warnings: tuple[str, ...] = ()
    total: int | None = None

    def __len__(self) -> int:
        return len(self.raw)

    def rows(self, first: int, beyond: int) -> list[dict[str, Any]]:
        """Return some of the rows as mappings."""
        if self.nested is not None:
            return self.nested[first:beyond]
        return self.statement.decode(self.raw[first:beyond])

    def columns(self, first: int, beyond: int) -> list[Sequence[Any]]:
        """Return the cells of some of the rows, a column at a time; there are some, without embeds."""
        columns: list[Sequence[Any]] = list(zip(*self.raw[first:beyond], strict=True))
        del columns[len(self.statement.names) :]
        for position, decode in self.statement.decoders:
            columns[position] = [None if cell is None else decode(cell) for cell in columns[position]]
        return columns


class Exports:
    """The exports of one worker, so many at a time, each on a connection of its own; they outlive catalogs."""

    def __init__(self, database: Database, limits: ExportLimits) -> None:
        self._database = database
        self._free = limits.most
        self.limits = limits

    @property
    def running(self) -> int:
        """How many are being read."""
        return self.limits.most - self._free

    async def parts(
        self, statements: StatementCache, question: Question, guard: Guard | None = None
    ) -> AsyncGenerator[Part]:
        """Yield the parts of an export, at least one; all show the database as it was at the first.

        One statement per plan node and part, and one more for the parent that no row tells of. No
        lock is held between parts. Who stops before the end must close the generator.

        Raises:
            UnavailableError: ``exports_busy``; as `Database.fetch`.
            NotFoundError: ``row_unknown`` when the parent does not exist.
            RequestError: ``export_too_large`` for too many groups, ``rows_too_many`` when the embeds
                of a single row exceed what may be held at a time, or all of it what the caller may have at a time.
            SchemaChangedError: a table was altered since the export began.
        """
        with self._turn():
            async with self._database.snapshot() as snapshot:
                reader = _Reader(snapshot, statements, question, guard, self._database.fetch)
                async for part in reader.parts():
                    yield part

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._free:
            detail = "As many exports run as this gateway allows at a time. Try again in a moment."
            raise UnavailableError("exports_busy", detail, headers={"Retry-After": "10"})
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class _Reader:
    """One export on its snapshot. The guard asks over another connection: what is refused there ends no snapshot."""

    snapshot: Snapshot
    statements: StatementCache
    question: Question
    guard: Guard | None
    explain: Run

    def parts(self) -> AsyncGenerator[Part]:
        """Yield the parts, of rows or of groups."""
        intent = self.question.intent
        return self._groups(intent) if isinstance(intent, AggregateIntent) else self._list(intent)

    async def _list(self, intent: ReadIntent) -> AsyncGenerator[Part]:
        page, size = intent.page, FIRST_ROWS if self._cap is None else self._cap
        has_more = is_first = True
        while has_more:
            planned = self._planned(intent, page if self.question.is_paged else replace(page, limit=size))
            if is_first:
                await self._check(planned)
            began = monotonic()
            try:
                part, has_more = await self._part(planned)
            except RequestError as error:
                if error.code != "rows_too_many" or size == 1 or self.question.is_paged or self._cap is not None:
                    raise
                size = max(1, size // GROWTH)
                continue
            self._check_cap(has_more=has_more)
            is_slow = monotonic() - began > SLOW_S
            if is_first:
                part = await self._told(planned, part)
            await self.snapshot.release()
            yield part
            has_more = has_more and not self.question.is_paged
            if has_more:
                page = _page_after(planned.plan, page, part)
                size = _next_size(part, is_slow=is_slow)
            is_first = False

    async def _part(self, planned: PlannedRead) -> tuple[Part, bool]:
        """The rows of one plan, and whether more follow."""
        plan, values = planned.plan, planned.values
        statement = self.statements.of(plan)
        raw = await self.snapshot.run(statement.text, statement.bind(values))
        has_more = len(raw) > planned.per_page
        raw = raw[: planned.per_page]
        if not plan.nodes:
            return Part(raw, statement), has_more
        found = Rows(statement.decode(raw), raw, statement)
        most = self.question.context.budget.embedded
        terms = Terms(most, self._embed_check())
        brought = await embed_rows(self.snapshot.run, self.statements, plan, values, found, terms)
        self._check_embeds(plan.embeds, found.rows)
        return Part(raw, statement, found.rows, brought.warnings), has_more

    async def _groups(self, intent: AggregateIntent) -> AsyncGenerator[Part]:
        page = intent.page if self.question.is_paged else PageIntent(self._cap or MOST_GROUPS)
        context = self._context()
        planned = plan_groups(context, replace(intent, page=page))
        plan, values = planned.plan, planned.values
        await self._check(planned)
        found = await read_rows(self.snapshot.run, self.statements, plan, values)
        self._check_cap(has_more=len(found.rows) > planned.per_page)
        if not self.question.is_paged and len(found.rows) > MOST_GROUPS:
            detail = f"An export has at most {MOST_GROUPS} groups: narrow them with a filter or with having."
            raise RequestError("export_too_large", detail, parameter="group")
        found.cut(planned.per_page)
        most = max(self.question.context.budget.embedded, MOST_GROUPS)
        own = found.warnings()
        terms = Terms(most, self._embed_check())
        brought = await embed_rows(self.snapshot.run, self.statements, plan, values, found, terms)
        self._check_embeds(plan.embeds, found.rows)
        warnings = tuple(dict.fromkeys((*own, *brought.warnings)))
        part = Part(found.raw, found.statement, in_order(plan, found.rows), warnings)
        part = await self._told(planned, part)
        await self.snapshot.release()
        yield part

    @property
    def _cap(self) -> int | None:
        """How many rows the caller may have at a time, None for as many as anybody."""
        most = self.question.context.access.most_rows
        return most if most < DEFAULT_MOST_ROWS else None

    def _check_cap(self, *, has_more: bool) -> None:
        """Refuse what is longer than the caller's pages may be, before any of it is told; a page ends where it ends."""
        if self._cap is not None and has_more and not self.question.is_paged:
            detail = (
                f"There are more than {self._cap} rows, which is the most that this token may have at a time. "
                f"Narrow them with a filter, or ask for pages with per_page={self._cap} or less."
            )
            raise RequestError("rows_too_many", detail)

    def _check_embeds(self, embeds: Iterable[Embed], rows: Iterable[Mapping[str, Any]], above: str = "") -> None:
        """Refuse a row that more come along with than the caller may have at a time: they are whole in exports."""
        if self._cap is None:
            return
        for embed in embeds:
            name, held = above + embed.name, [row.get(embed.name) for row in rows]
            if any(isinstance(one, list) and len(one) > self._cap for one in held):
                detail = (
                    f"With a row come more than {self._cap} {name}, the most that this token may have at a time. "
                    f"Name include[{name}][limit]."
                )
                raise RequestError("rows_too_many", detail, parameter="include")
            inner = [row for one in held for row in (one if isinstance(one, list) else [one]) if row is not None]
            self._check_embeds(embed.plan.embeds, inner, f"{name}.")

    def _context(self) -> Context:
        """A context of its own for each part; where pages are not capped, parts may be larger than a page."""
        context = replace(self.question.context, slots=Slots())
        if self.question.is_paged or self._cap is not None:
            return context
        access = replace(context.access, most_rows=max(MOST_ROWS, MOST_GROUPS))
        return replace(context, access=access, budget=replace(context.budget, offset=_UNLIMITED))

    def _planned(self, intent: ReadIntent, page: PageIntent) -> PlannedRead:
        return plan_read(self._context(), replace(intent, page=page, are_embeds_whole=True))

    async def _check(self, planned: PlannedRead | PlannedGroups) -> None:
        """Let the guard look at all of it, not only at the part read first."""
        if self.guard is None:
            return
        plan, values = planned.plan, planned.values
        if not self.question.is_paged and self._cap is None and plan.limit is not None:
            values = (*values[: plan.limit], _UNLIMITED, *values[plan.limit + 1 :])
        await self.guard.check(self.explain, self.statements.of(plan), plan, values)

    def _embed_check(self) -> Check | None:
        return None if self.guard is None else partial(self.guard.check_embed, self.explain)

    async def _told(self, planned: PlannedRead | PlannedGroups, part: Part) -> Part:
        """The first part, with the total where it was asked for, once its parent is known to exist."""
        parent = doubtful_parent(planned, len(part))
        if parent is not None:
            statement = self.statements.read(parent)
            if not await self.snapshot.run(statement.text, statement.bind(planned.values)):
                raise row_unknown(parent)
        if not self.question.is_counted:
            return part
        if planned.count is None:  # one row over everything
            return replace(part, total=len(part))
        counting = compile_group_count if planned.count.is_counted else compile_count
        statement = counting(self.statements.catalog, planned.count, None)
        values = slots_before(planned.values, planned.plan.limit)
        rows = await self.snapshot.run(statement.text, statement.bind(values))
        return replace(part, total=int(rows[0][0]))


def _page_after(plan: ReadPlan, page: PageIntent, part: Part) -> PageIntent:
    """The rows after a part: after its last row's position, or past so many rows where rows have no key."""
    if not plan.is_followed:
        return PageIntent(offset=page.offset + len(part))
    last = part.raw[-1]
    return PageIntent(after=position_of(plan.order, [last[place] for place in part.statement.order]))


def _next_size(part: Part, *, is_slow: bool) -> int:
    """How many rows to read after a part: some times as many, unless they are wide, hold others or have long texts."""
    share = GROWTH if part.nested is not None else 1
    sample = part.raw[:: max(1, len(part) // _SAMPLE)]
    text = sum(len(cell) for row in sample for cell in row if isinstance(cell, str | bytes))
    affordable = MOST_PART_BYTES * len(sample) // max(text, 1)
    cells = MOST_CELLS * (SLOW_SHARE if is_slow and part.nested is None else 1)
    most = min(MOST_ROWS, cells // len(part.raw[0])) // share
    return max(1, min(len(part) * GROWTH, most, affordable))
