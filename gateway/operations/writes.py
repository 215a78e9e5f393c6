"""Planned writes -> rows: one transaction each, all of it or nothing.

Reads that lock come first, then the steps in order, then the row as the database
has it now. A value that only the database can tell (who acts) is read in the same
transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.catalog.model import Column
from gateway.errors import ConflictError, ForbiddenError, Issue, UnavailableError, ValidationError
from gateway.execution.database import Database, Session
from gateway.execution.failures import ValueRefusedError
from gateway.operations.counts import Counts
from gateway.operations.fill import Fills
from gateway.operations.reads import row_unknown
from gateway.operations.results import WrittenResult
from gateway.query.coerce import Clock
from gateway.query.deletes import MOST_COUNTED
from gateway.query.plan import InsertStep, ReadPlan, UpdateStep, Values, WriteStep
from gateway.query.writes import PlannedWrite, altered, as_stored, at_fault, pointer, with_value
from gateway.sql.cache import StatementCache


class Writes:
    """Creates, changes and deletes of one catalog on one database."""

    def __init__(self, database: Database, statements: StatementCache, counts: Counts, fills: Fills) -> None:
        self._database = database
        self._statements = statements
        self._counts = counts
        self._fills = fills

    async def create(self, planned: PlannedWrite, acting_staff: int | None) -> WrittenResult:
        """Return the new row as the database has it.

        Raises:
            ConflictError: ``duplicate``, ``reference_missing``, ``write_conflict``.
            ValidationError: ``fields_invalid`` for a value only the database could judge.
            ForbiddenError: the new row would be outside the caller's row filter.
            UnavailableError: ``no_acting_staff`` among the others.
        """
        ready = self._fills.ready(planned, acting_staff)
        if ready is not None and len(ready.plan.steps) == 1 and not ready.is_filtered:
            return await self._create_at_once(ready)
        async with self._transaction(planned) as session:
            for slot, pending in planned.pending:
                value = await self._fills.value(session, planned, pending, acting_staff)
                planned = with_value(planned, slot, value)
            planned = await self._run_steps(session, planned)
            row = await self._result(session, planned)
            if row is None and planned.plan.result is not None:
                raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        return WrittenResult(row or {}, _key_of(planned, row or {}))

    async def _create_at_once(self, planned: PlannedWrite) -> WrittenResult:
        """A create of one statement, which commits by itself: half the round trips of a transaction."""
        statement = self._statements.step(planned.plan.steps[0])
        try:
            outcome = await self._database.write(statement.text, statement.bind(planned.values))
        except ValueRefusedError as error:
            raise _named(error, planned) from error
        finally:
            self._counts.forget()
        if planned.plan.key_slot is not None:
            planned = with_value(planned, planned.plan.key_slot, outcome.last_id)
        row = await self._stored(planned)
        return WrittenResult(row, _key_of(planned, row))

    async def _stored(self, planned: PlannedWrite) -> dict[str, Any]:
        """The row that was just committed; what keeps it from being read does not undo the write."""
        plan = planned.plan.result
        if plan is None:
            return {}
        statement = self._statements.read(plan)
        try:
            rows = await self._database.fetch(statement.text, statement.bind(planned.values))
        except UnavailableError as error:
            raise UnavailableError(
                "outcome_unknown",
                "The row was stored, and then could not be read back. Look for it before you send it again.",
                headers=error.headers,
            ) from error
        if not rows:
            raise ConflictError("write_conflict", "The row was stored, and another write has removed it since.")
        return statement.decode(rows)[0]

    async def update(self, planned: PlannedWrite, clock: Clock) -> WrittenResult:
        """Return the row after its change, which may have changed nothing.

        Raises:
            NotFoundError: ``row_unknown``.
            ValidationError: ``fields_invalid``, also for a read-only field that differs from the stored row.
            ForbiddenError: the changed row would be outside the caller's row filter.
        """
        async with self._transaction(planned) as session:
            shown, stored = await self._locked(session, planned)
            issues = altered(planned.sent_back, shown, clock)
            if issues:
                raise at_fault(issues)
            await self._run_steps(session, as_stored(planned, shown, stored, clock))
            row = await self._result(session, planned)
            if row is None:
                raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        return WrittenResult(row, _key_of(planned, shown))

    async def delete(self, planned: PlannedWrite) -> None:
        """Remove one row.

        Raises:
            NotFoundError: ``row_unknown``.
            ConflictError: ``dependants``.
        """
        async with self._transaction(planned) as session:
            await self._locked(session, planned)
            await self._check_dependants(session, planned)
            await self._run_steps(session, planned)

    async def _check_dependants(self, session: Session, planned: PlannedWrite) -> None:
        """Pass when nothing depends on the row. One statement per relationship."""
        found: dict[str, int] = {}
        for dependant in planned.dependants:
            statement = self._statements.read(dependant.plan)
            rows = (await session.run(statement.text, statement.bind(planned.values))).rows
            if rows:
                name = dependant.resource or "other"
                found[name] = found.get(name, 0) + len(rows)
        if found:
            raise _in_use(planned, found)

    @asynccontextmanager
    async def _transaction(self, planned: PlannedWrite) -> AsyncIterator[Session]:
        try:
            async with self._database.transaction() as session:
                yield session
        except ValueRefusedError as error:
            raise _named(error, planned) from error
        finally:
            self._counts.forget()  # whatever the outcome: one that is unknown may have been written

    async def _locked(self, session: Session, planned: PlannedWrite) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The locked row as a reply would show it, and as the driver has it."""
        plan = planned.plan.reads[0]
        statement = self._statements.read(plan)
        rows = (await session.run(statement.text, statement.bind(planned.values))).rows
        if not rows:
            raise row_unknown(plan)
        if len(rows) > 1:
            raise ConflictError("key_ambiguous", f"Several rows of {plan.table.resource} have this key.")
        return statement.decode(rows)[0], dict(zip(statement.names, rows[0], strict=True))

    async def _read(self, session: Session, plan: ReadPlan, values: Values) -> list[dict[str, Any]]:
        statement = self._statements.read(plan)
        outcome = await session.run(statement.text, statement.bind(values))
        return statement.decode(outcome.rows)

    async def _run_steps(self, session: Session, planned: PlannedWrite) -> PlannedWrite:
        for number, step in enumerate(planned.plan.steps):
            statement = self._statements.step(step)
            outcome = await session.run(statement.text, statement.bind(planned.values))
            if planned.plan.key_step == number and planned.plan.key_slot is not None:
                planned = with_value(planned, planned.plan.key_slot, outcome.last_id)
        return planned

    async def _result(self, session: Session, planned: PlannedWrite) -> dict[str, Any] | None:
        if planned.plan.result is None:
            return None
        rows = await self._read(session, planned.plan.result, planned.values)
        return rows[0] if rows else None


def _in_use(planned: PlannedWrite, found: Mapping[str, int]) -> ConflictError:
    counts = {name: str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+" for name, count in found.items()}
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    issues = [Issue(f"{count} rows depend on this one", code=name) for name, count in counts.items()]
    detail = f"Rows depend on this one of {planned.table.resource}: {listed}. Delete or move them first."
    return ConflictError("dependants", detail, issues=issues)


def _key_of(planned: PlannedWrite, row: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(row[column.name] for column in planned.table.key if column.name in row)


def _named(error: ValueRefusedError, planned: PlannedWrite) -> ValidationError:
    """The database's refusal with the field it concerns, when that is one the plan writes by name."""
    written = {column.name for step in planned.plan.steps for column in _visible_columns(step)}
    name, code = error.refusal.column, error.refusal.code
    if name not in written or name is None:
        return error
    issue = Issue(f"the database does not accept the value of {name}", pointer=pointer(name), code=code)
    return at_fault([issue])


def _visible_columns(step: WriteStep) -> tuple[Column, ...]:
    if isinstance(step, InsertStep | UpdateStep):
        return tuple(column for column, _ in step.values if isinstance(column, Column))
    return ()
