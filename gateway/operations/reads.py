"""Planned reads -> results: the choke point that every front end's reads pass."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from gateway.errors import NotFoundError
from gateway.execution.database import Database, Run
from gateway.operations.counts import Counts
from gateway.operations.embeds import Brought, Rows, Terms, embed_rows, read_rows, tag_rows
from gateway.operations.guard import Guard
from gateway.operations.results import Count, PageResult, RowResult
from gateway.operations.tags import Tags
from gateway.query.aggregates import PlannedGroups
from gateway.query.budget import DEFAULT_BUDGET
from gateway.query.plan import AggregatePlan, ReadPlan, Values
from gateway.query.planner import PlannedRead, slots_before
from gateway.query.positions import Position
from gateway.sql.cache import StatementCache


class Reads:
    """Lists, groups and single rows of one catalog on one database."""

    def __init__(
        self,
        database: Database,
        statements: StatementCache,
        counts: Counts,
        tags: Tags,
        guard: Guard | None = None,
        most_embedded: int = DEFAULT_BUDGET.embedded,
    ) -> None:
        self._database = database
        self._tags = tags
        self._statements = statements
        self._counts = counts
        self._guard = guard
        self._most_embedded = most_embedded

    async def rows(self, plan: ReadPlan, values: Values) -> list[dict[str, Any]]:
        """Return the rows of a plan without embeds. One statement."""
        statement = self._statements.read(plan)
        return statement.decode(await self._database.fetch(statement.text, statement.bind(values)))

    async def row(self, plan: ReadPlan, values: Values) -> RowResult:
        """Return the one row of a plan, with its tag where the plan asks for it. One statement per plan node.

        Raises:
            NotFoundError: ``row_unknown``.
            RequestError: ``rows_too_many``.
        """
        found = await read_rows(self._database.fetch, self._statements, plan, values)
        if not found.rows:
            raise row_unknown(plan)
        raw, statement = found.raw[0], found.statement
        tag = self._tags.of(statement.tagged(raw)) if statement.tagged is not None else ""
        key = tuple(raw[place] for place in statement.key)
        if not plan.nodes:
            return RowResult(found.rows[0], tag, key=key)
        found.cut(1)
        brought = await self._embedded(plan, values, found)
        cut = tuple(replace(each, place=each.place[1:]) for each in brought.truncated)
        return RowResult(found.rows[0], tag, cut, key, brought.warnings)

    async def page(
        self, planned: PlannedRead | PlannedGroups, count: str, *, has_positions: bool = False
    ) -> PageResult:
        """Return one page of rows or of groups, and its count; with ``has_positions`` where each row stands.

        One statement per plan node; one more for a count that the page itself does not tell, and one
        more when a parent without rows must be told from a parent that does not exist.

        Raises:
            NotFoundError: ``row_unknown`` when the parent does not exist.
            RequestError: ``rows_too_many``; ``query_too_expensive`` where a guard is set.
        """
        began = monotonic()
        found = await self._first(planned)
        parent = doubtful_parent(planned, len(found.rows))
        if parent is not None and not await self.rows(parent, planned.values):
            raise row_unknown(parent)
        has_more = len(found.rows) > planned.per_page
        if has_more:
            found.cut(planned.per_page)
        plan = planned.plan
        if isinstance(plan, ReadPlan) and plan.is_tagged:
            tag_rows(found, self._tags)
        own = found.warnings() if isinstance(plan, AggregatePlan) else ()
        brought = await self._embedded(plan, planned.values, found) if plan.nodes else Brought()
        if isinstance(plan, AggregatePlan) and plan.embeds:
            found.rows = in_order(plan, found.rows)
        spent_s = monotonic() - began
        counted = await self._count(planned, len(found.rows), has_more=has_more, form=count, spent_s=spent_s)
        is_followed = has_more and isinstance(plan, ReadPlan)
        position = found.position(plan, -1) if is_followed and isinstance(plan, ReadPlan) else None
        return PageResult(
            found.rows,
            counted,
            has_more,
            planned.offset,
            planned.per_page,
            brought.truncated,
            position,
            tuple(dict.fromkeys((*own, *brought.warnings))),
            positions_of(found, plan) if has_positions else (),
        )

    async def total(self, planned: PlannedRead | PlannedGroups, count: str) -> PageResult:
        """Return a page of which nothing but its count was asked for: no rows are read. One statement, or none."""
        counted = await self._total(planned, count)
        return PageResult([], counted, has_more=False, offset=planned.offset, per_page=planned.per_page)

    async def _first(self, planned: PlannedRead | PlannedGroups) -> Rows:
        """The rows of the page's own statement, once the guard has let it pass."""
        plan, values = planned.plan, planned.values
        if self._guard is not None:
            await self._guard.check(self._database.fetch, self._statements.of(plan), plan, values)
        return await read_rows(self._database.fetch, self._statements, plan, values)

    async def rows_in(self, run: Run, plan: ReadPlan, values: Values) -> tuple[Rows, Brought]:
        """Return the rows of a plan with what comes along, read by somebody else's transaction.

        One statement per plan node.

        Raises:
            RequestError: ``rows_too_many``; ``query_too_expensive`` where a guard is set.
        """
        found = await read_rows(run, self._statements, plan, values)
        if plan.is_tagged:
            tag_rows(found, self._tags)
        return found, await self._embedded(plan, values, found, run)

    async def _embedded(
        self, plan: ReadPlan | AggregatePlan, values: Values, found: Rows, run: Run | None = None
    ) -> Brought:
        fetch = run if run is not None else self._database.fetch
        check = None if self._guard is None else partial(self._guard.check_embed, fetch)
        terms = Terms(self._most_embedded, check, self._tags)
        return await embed_rows(fetch, self._statements, plan, values, found, terms)

    async def _count(
        self, planned: PlannedRead | PlannedGroups, shown: int, *, has_more: bool, form: str, spent_s: float
    ) -> Count:
        if planned.count is None or form == "none":
            return await self._total(planned, form)
        seen = planned.offset + shown
        is_begun = isinstance(planned, PlannedRead) and planned.is_continued
        if not has_more and not is_begun and (shown or not planned.offset):
            return Count("exact", seen)
        counted = await self._total(planned, form, spent_s)
        return _not_below(counted, seen + has_more if shown else 0)

    async def _total(self, planned: PlannedRead | PlannedGroups, form: str, spent_s: float = 0.0) -> Count:
        """The count of all rows or groups; numbers over all rows are one."""
        if form == "none":
            return Count("none")
        if planned.count is None:
            return Count("exact", 1) if isinstance(planned, PlannedGroups) else Count("none")
        values = slots_before(planned.values, planned.plan.limit)
        if form == "estimate":
            return await self._counts.estimate(planned.count, values)
        return await self._counts.exact(planned.count, values, spent_s)


def in_order(plan: AggregatePlan, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return groups with their keys in the order of the request: those that are rows were laid in last."""
    names = [name for group in plan.groups for name in (group.name, f"{group.name}_label")]
    names.extend(metric.name for metric in plan.metrics)
    return [{name: row[name] for name in names if name in row} for row in rows]


def positions_of(found: Rows, plan: ReadPlan | AggregatePlan) -> tuple[Position, ...]:
    """Return where each row stands in its order; nothing where rows have no positions."""
    if not isinstance(plan, ReadPlan) or not plan.is_followed:
        return ()
    positions = (found.position(plan, number) for number in range(len(found.rows)))
    return tuple(position for position in positions if position is not None)


def _not_below(count: Count, seen: int) -> Count:
    """An estimate, or a count of a moment ago, is at least what this page shows."""
    if count.total is None or count.total >= seen:
        return count
    return replace(count, total=seen)


def doubtful_parent(planned: PlannedRead | PlannedGroups, shown: int) -> ReadPlan | None:
    """Return the parent's plan where so many rows do not prove it: numbers over all rows are a row, of none too."""
    plan = planned.plan
    is_over_all = isinstance(plan, AggregatePlan) and not plan.groups
    return None if shown and not is_over_all else planned.parent


def row_unknown(plan: ReadPlan) -> NotFoundError:
    """Return the error for a row that does not exist or that the caller may not see."""
    return NotFoundError("row_unknown", f"{plan.table.resource} has no row with this key.")
