"""Planned reads -> results: the choke point that every front end's reads pass."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import Any

from gateway.errors import NotFoundError
from gateway.execution.database import Database
from gateway.operations.counts import Counts
from gateway.operations.results import Count, PageResult, RowResult
from gateway.operations.tags import Tags
from gateway.query.plan import ReadPlan, Values
from gateway.query.planner import PlannedRead, slots_before
from gateway.sql.cache import StatementCache


class Reads:
    """Lists and single rows of one catalog on one database."""

    def __init__(self, database: Database, statements: StatementCache, counts: Counts, tags: Tags) -> None:
        self._database = database
        self._tags = tags
        self._statements = statements
        self._counts = counts

    async def rows(self, plan: ReadPlan, values: Values) -> list[dict[str, Any]]:
        """Return the rows of a plan. One statement."""
        statement = self._statements.read(plan)
        return statement.decode(await self._database.fetch(statement.text, statement.bind(values)))

    async def row(self, plan: ReadPlan, values: Values) -> RowResult:
        """Return the one row of a tagged plan. One statement.

        Raises:
            NotFoundError: ``row_unknown``.
        """
        statement = self._statements.read(plan)
        rows = await self._database.fetch(statement.text, statement.bind(values))
        if not rows:
            raise row_unknown(plan)
        assert statement.tagged is not None
        return RowResult(statement.decode(rows)[0], self._tags.of(statement.tagged(rows[0])))

    async def page(self, planned: PlannedRead, count: str) -> PageResult:
        """Return one page and its count.

        One statement; one more for a count that the page itself does not tell, and one
        more when a parent without rows must be told from a parent that does not exist.

        Raises:
            NotFoundError: ``row_unknown`` when the parent does not exist.
        """
        began = monotonic()
        rows = await self.rows(planned.plan, planned.values)
        if not rows and planned.parent is not None and not await self.rows(planned.parent, planned.values):
            raise row_unknown(planned.parent)
        has_more = len(rows) > planned.per_page
        del rows[planned.per_page :]
        spent_s = monotonic() - began
        counted = await self._count(planned, len(rows), has_more=has_more, form=count, spent_s=spent_s)
        return PageResult(rows, counted, has_more, planned.offset, planned.per_page)

    async def _count(self, planned: PlannedRead, shown: int, *, has_more: bool, form: str, spent_s: float) -> Count:
        if form == "none" or planned.count is None:
            return Count("none")
        seen = planned.offset + shown
        if not has_more and (shown or not planned.offset):
            return Count("exact", seen)
        values = slots_before(planned.values, planned.plan.limit)
        if form == "estimate":
            counted = await self._counts.estimate(planned.count, values)
        else:
            counted = await self._counts.exact(planned.count, values, spent_s)
        return _not_below(counted, seen + has_more if shown else 0)


def _not_below(count: Count, seen: int) -> Count:
    """An estimate, or a count of a moment ago, is at least what this page shows."""
    if count.total is None or count.total >= seen:
        return count
    return replace(count, total=seen)


def row_unknown(plan: ReadPlan) -> NotFoundError:
    """Return the error for a row that does not exist or that the caller may not see."""
    return NotFoundError("row_unknown", f"{plan.table.resource} has no row with this key.")
