"""Queries that would cost the database too much are refused before they run.

What comes in: a compiled read with its plan and values. What goes out: nothing, or a
refusal that names the index that is missing. The cost is the number of rows that the
database itself expects to look at (EXPLAIN); SQLite has no such number, so that nothing is
refused there. docs/cost-guard.md has the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway.catalog.model import Catalog
from gateway.errors import GatewayError, Issue, RequestError
from gateway.execution.database import Run
from gateway.observe import Observer, QueryNotExplained, QueryRefused
from gateway.operations.advice import Plan, advice, is_measurable
from gateway.query.access import Access
from gateway.query.plan import Node, ReadPlan, Values
from gateway.sql.cache import Recent
from gateway.sql.explain import Estimate, Explained, explaining
from gateway.sql.statement import Statement

REMEMBERED_S: Final = 60.0
"""Seconds for which a verdict holds: meanwhile the table cannot have become another one."""

_MOST_REMEMBERED: Final = 1_000
_UNLIMITED: Final = 2**62


@dataclass(frozen=True, slots=True)
class _Verdict:
    estimate: Estimate
    is_too_deep: bool
    at: float


class Guard:
    """The budget of rows that one query may look at, for one catalog.

    A verdict is remembered for a minute by text and values, so that a question asked again
    costs no second EXPLAIN.
    """

    def __init__(
        self, catalog: Catalog, most_examined: int, observer: Observer, clock: Callable[[], float] = monotonic
    ) -> None:
        self._catalog = catalog
        self._most = most_examined
        self._observer = observer
        self._clock = clock
        self._verdicts: Recent[tuple[str, Values], _Verdict] = Recent(_MOST_REMEMBERED)

    async def check(
        self, run: Run, statement: Statement, plan: Plan, values: Values, access: Access | None = None
    ) -> None:
        """Pass while a statement looks at no more rows than it may. No statement, or one EXPLAIN, at most two.

        A refusal names what the client named, and with ``access`` also other columns that it may read.

        Raises:
            RequestError: ``query_too_expensive``.
            GatewayError: as `run`; a statement that the database's user may not have explained passes.
        """
        verdict = self._kept(statement, values) or await self._judged(run, statement, plan, values)
        if verdict.estimate.rows > self._most:
            self._observer(QueryRefused(plan.table.resource or plan.table.name, round(verdict.estimate.rows)))
            raise self._refusal(plan, values, verdict, access)

    async def check_embed(
        self, run: Run, statement: Statement, embed: Node, values: Values, links: Sequence[object]
    ) -> None:
        """Pass while what comes along is found by looking at no more rows than may be. At most one EXPLAIN.

        Raises:
            RequestError: ``query_too_expensive``.
        """
        verdict = self._kept(statement, ())
        if verdict is None:
            explained = await self._explained(run, statement, embed.plan, statement.bind(values, links))
            estimate = explained.estimate(None) if explained is not None else Estimate(0.0)
            verdict = self._verdicts.put((statement.text, ()), _Verdict(estimate, False, self._clock()))
        if verdict.estimate.rows > self._most:
            resource = embed.plan.table.resource or ""
            self._observer(QueryRefused(resource, round(verdict.estimate.rows)))
            reason = f"No index serves what {embed.name} goes by: the rows of {resource} are all read for it."
            raise RequestError("query_too_expensive", f"{self._budget()} {reason}", parameter="include")

    def _budget(self) -> str:
        return f"The database would look at more than {self._most:,} rows for this, the most it may."

    def _kept(self, statement: Statement, values: Values) -> _Verdict | None:
        verdict = self._verdicts.get((statement.text, values))
        return verdict if verdict is not None and self._clock() - verdict.at <= REMEMBERED_S else None

    async def _judged(self, run: Run, statement: Statement, plan: Plan, values: Values) -> _Verdict:
        estimate, is_too_deep = await self._estimate(run, statement, plan, values)
        return self._verdicts.put((statement.text, values), _Verdict(estimate, is_too_deep, self._clock()))

    async def _estimate(self, run: Run, statement: Statement, plan: Plan, values: Values) -> tuple[Estimate, bool]:
        """What the statement looks at, and whether that is because of its offset alone.

        A page in the order of an index ends the reading when it is full. When that will be, nobody
        knows where no index serves the condition: then all is counted that is read until the end.
        """
        explained = await self._explained(run, statement, plan, statement.bind(values))
        if explained is None:
            return Estimate(0.0), False
        page = _page(plan, values)
        if page is None or not explained.is_walked:
            return explained.estimate(None), False
        if is_measurable(plan, values):
            limit, offset = page
            return explained.estimate(limit + offset), limit <= self._most < limit + offset
        if explained.is_cut:
            explained = (
                await self._explained(run, statement, plan, statement.bind(_without_limit(plan, values))) or explained
            )
        return explained.estimate(None), False

    async def _explained(
        self, run: Run, statement: Statement, plan: Plan, parameters: tuple[object, ...]
    ) -> Explained | None:
        text = explaining(statement.text, self._catalog.dialect)
        if text is None:
            return None
        try:
            return Explained(statement.text, await run(text, parameters))
        except GatewayError as error:
            if error.code != "database_refuses":  # a view's tables, which this user may not look behind
                raise
        self._observer(QueryNotExplained(plan.table.resource or plan.table.name))
        return None

    def _refusal(self, plan: Plan, values: Values, verdict: _Verdict, access: Access | None) -> RequestError:
        if verdict.is_too_deep:
            reasons: tuple[str, ...] = ("A page this deep reads every row before it; a cursor goes on without.",)
        else:
            reasons = advice(self._catalog, plan, values, verdict.estimate, access)
        return RequestError("query_too_expensive", " ".join((self._budget(), *reasons)), issues=map(Issue, reasons))


def _page(plan: Plan, values: Values) -> tuple[int, int] | None:
    """The limit and the offset of a page of rows; groups are only known when all rows have been read."""
    if not isinstance(plan, ReadPlan) or plan.limit is None:
        return None
    return _whole(values[plan.limit]), 0 if plan.offset is None else _whole(values[plan.offset])


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _without_limit(plan: Plan, values: Values) -> Values:
    """The values of the same question about all rows."""
    others = {plan.limit: _UNLIMITED, plan.offset: 0}
    return tuple(others.get(slot, value) for slot, value in enumerate(values))


def make_guard(catalog: Catalog, most_examined: int, observer: Observer) -> Guard | None:
    """Return the guard of a catalog, whose whitelist's own budget counts first; None where there is none.

    A database that gives no estimates has no guard either.
    """
    most = most_examined if catalog.max_examined_rows is None else catalog.max_examined_rows
    if most <= 0 or explaining("", catalog.dialect) is None:
        return None
    return Guard(catalog, most, observer)
