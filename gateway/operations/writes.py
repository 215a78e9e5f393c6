"""Planned writes -> rows: one transaction each, all of it or nothing.

Reads that lock come first, then what the table's rule looks up, then the rows in
order, then the row as the database has it now. A transaction that meets another
one's locks is run again, a few times, before anybody hears of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from gateway.catalog.model import Catalog, Column, Table, WriteMode
from gateway.errors import ConflictError, ForbiddenError, Issue, UnavailableError, ValidationError
from gateway.execution.database import Database, Session
from gateway.execution.failures import ValueRefusedError
from gateway.operations.counts import Counts
from gateway.operations.fill import Fills
from gateway.operations.managed.model import (
    Child,
    Draft,
    Extension,
    InsertRow,
    NewKey,
    Operation,
    Row,
    Rule,
    UpdateRows,
)
from gateway.operations.managed.plain import PlainRule
from gateway.operations.managed.registry import RULES
from gateway.operations.managed.rows import ManagedRows, plain_value
from gateway.operations.reads import row_unknown
from gateway.operations.results import WrittenResult
from gateway.query.children import PlannedChild
from gateway.query.coerce import Clock
from gateway.query.deletes import MOST_COUNTED
from gateway.query.plan import InsertStep, SlotValue, UpdateStep, WriteStep
from gateway.query.writes import PlannedWrite, altered, as_stored, at_fault, pointer, with_value
from gateway.sql.cache import StatementCache

MOST_TRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.005
Done = TypeVar("Done")


class Writes:
    """Creates, changes and deletes of one catalog on one database."""

    def __init__(self, database: Database, statements: StatementCache, counts: Counts, fills: Fills) -> None:
        self._database = database
        self._statements = statements
        self._counts = counts
        self._fills = fills
        self._catalog: Catalog = statements.catalog
        self._rows = ManagedRows(statements.catalog, statements)

    async def create(self, planned: PlannedWrite, acting_staff: int | None, clock: Clock) -> WrittenResult:
        """Return the new row as the database has it.

        Raises:
            ConflictError: ``duplicate``, ``reference_missing``, ``write_conflict``.
            ValidationError: ``fields_invalid`` for a value only the database or the table's rule could judge.
            ForbiddenError: the new row would be outside the caller's row filter.
            UnavailableError: ``no_acting_staff`` among the others.
        """
        ready = self._fills.ready(planned, acting_staff) if self._is_simple(planned) else None
        if ready is not None:
            return await self._create_at_once(ready)
        return await self._transact(planned, lambda session: self.create_in(session, planned, acting_staff, clock))

    async def update(self, planned: PlannedWrite, acting_staff: int | None, clock: Clock) -> WrittenResult:
        """Return the row after its change, which may have changed nothing.

        Raises:
            NotFoundError: ``row_unknown``.
            ValidationError: ``fields_invalid``, also for a read-only field that differs from the stored row.
            ForbiddenError: the changed row would be outside the caller's row filter.
        """
        return await self._transact(planned, lambda session: self.update_in(session, planned, acting_staff, clock))

    async def delete(self, planned: PlannedWrite, acting_staff: int | None, clock: Clock) -> None:
        """Remove one row and what it owns.

        Raises:
            NotFoundError: ``row_unknown``.
            ConflictError: ``dependants``.
        """
        await self._transact(planned, lambda session: self.delete_in(session, planned, acting_staff, clock))

    async def create_in(
        self, session: Session, planned: PlannedWrite, acting_staff: int | None, clock: Clock
    ) -> WrittenResult:
        """Create one row in a transaction that is somebody else's to end."""
        for slot, pending in (*planned.pending, *(each for child in _all_children(planned) for each in child.pending)):
            planned = with_value(planned, slot, await self._fills.value(session, planned, pending, acting_staff))
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        draft = _draft(planned, "create", self._name(planned.table), staff, clock, _inserted(planned))
        extension = await self._extended(session, rule, draft)
        keys: dict[str, object] = {}
        await self._rows.write(session, extension.before, keys)
        main = InsertRow(draft.table, {**draft.values, **extension.main}, label="")
        await self._rows.write(session, (main, *self._children(planned, planned.children, extension, "")), keys)
        await self._rows.write(session, extension.after, keys)
        if planned.plan.key_slot is not None:
            planned = with_value(planned, planned.plan.key_slot, keys[""])
        row = await self._result(session, planned)
        if row is None and planned.plan.result is not None:
            raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        _check_computed(planned, row or {}, clock)
        return WrittenResult(row or {}, _key_of(planned, row or {}))

    async def update_in(
        self, session: Session, planned: PlannedWrite, acting_staff: int | None, clock: Clock
    ) -> WrittenResult:
        """Change one row in a transaction that is somebody else's to end."""
        shown, stored = await self._locked(session, planned)
        issues = altered(planned.sent_back, shown, clock)
        if issues:
            raise at_fault(issues)
        planned = as_stored(planned, shown, stored, clock)
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        before = _plain(planned.table, stored)
        draft = _draft(planned, "update", self._name(planned.table), staff, clock, _updated(planned), before)
        extension = await self._extended(session, rule, draft)
        await self._rows.write(session, extension.before, {})
        await self._run_steps(session, planned)
        await self._rows.write(session, _corrections(planned.table, draft, extension), {})
        await self._rows.write(session, extension.after, {})
        row = await self._result(session, planned)
        if row is None:
            raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        _check_computed(planned, row, clock)
        return WrittenResult(row, _key_of(planned, shown))

    async def delete_in(self, session: Session, planned: PlannedWrite, acting_staff: int | None, clock: Clock) -> None:
        """Remove one row in a transaction that is somebody else's to end."""
        _, stored = await self._locked(session, planned)
        await self._check_dependants(session, planned)
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        before = _plain(planned.table, stored)
        draft = _draft(planned, "delete", self._name(planned.table), staff, clock, {}, before)
        extension = await self._extended(session, rule, draft)
        await self._rows.write(session, extension.before, {})
        await self._run_steps(session, planned)
        await self._rows.write(session, extension.after, {})

    # rules

    def _name(self, table: Table) -> str:
        return table.name.removeprefix(self._catalog.prefix)

    def _rule(self, table: Table) -> Rule:
        return RULES[self._name(table)] if table.mode is WriteMode.MANAGED else PlainRule()

    async def _staff(self, session: Session, rule: Rule, acting_staff: int | None) -> int:
        """Who acts, where a rule may want to name them."""
        return 0 if isinstance(rule, PlainRule) else await self._fills.acting(session, acting_staff)

    async def _extended(self, session: Session, rule: Rule, draft: Draft) -> Extension:
        found = await self._rows.find(session, rule.reads(draft))
        found.update(await self._rows.find(session, rule.more_reads(draft, found)))
        return rule.extend(draft, found)

    def _children(
        self, planned: PlannedWrite, children: Mapping[str, tuple[PlannedChild, ...]], extension: Extension, at: str
    ) -> Iterator[InsertRow]:
        """The nested rows in order, each after its parent, with what the rule says of them."""
        for name, rows in children.items():
            for number, child in enumerate(rows):
                label = f"{at}{name}.{number}"
                tie = {
                    column: NewKey(at.rstrip(".")) if value is None else value for column, value in child.tie.items()
                }
                values = {**_values(planned, child.slots()), **tie, **extension.children.get(label, {})}
                yield InsertRow(self._name(child.table), values, label)
                yield from self._children(planned, child.children, extension, f"{label}.")

    # transactions

    def _is_simple(self, planned: PlannedWrite) -> bool:
        """Whether a create is one insert that nothing can ask to be taken back."""
        is_alone = len(planned.plan.steps) == 1 and not planned.children
        return is_alone and not planned.is_filtered and planned.table.mode is not WriteMode.MANAGED

    async def _transact(self, planned: PlannedWrite, body: Callable[[Session], Awaitable[Done]]) -> Done:
        """Return what a body did in one transaction, run anew when it met the locks of another one."""
        for tries in range(1, MOST_TRIES + 1):
            try:
                async with self._database.transaction() as session:
                    return await body(session)
            except ValueRefusedError as error:
                raise _named(error, planned) from error
            except ConflictError as error:
                if error.code != "write_conflict" or tries == MOST_TRIES:
                    raise
            finally:
                self._counts.forget()  # whatever the outcome: one that is unknown may have been written
            await asyncio.sleep(_FIRST_PAUSE_S * 2**tries * random.random())  # noqa: S311  # a pause is no secret
        raise AssertionError("the last try returns or raises")

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
        statement = self._statements.read(planned.plan.result)
        rows = (await session.run(statement.text, statement.bind(planned.values))).rows
        return statement.decode(rows)[0] if rows else None


def _draft(
    planned: PlannedWrite,
    operation: Operation,
    table: str,
    staff: int,
    clock: Clock,
    values: Row,
    stored: Row | None = None,
) -> Draft:
    children = {name: tuple(_child(planned, row) for row in rows) for name, rows in planned.children.items()}
    return Draft(table, operation, values, planned.sent, clock.wall, staff, stored or {}, children)


def _child(planned: PlannedWrite, child: PlannedChild) -> Child:
    nested = {name: tuple(_child(planned, row) for row in rows) for name, rows in child.children.items()}
    return Child(_values(planned, child.slots()), nested)


def _values(planned: PlannedWrite, slots: Mapping[str, int]) -> dict[str, object]:
    return {name: planned.values[slot] for name, slot in slots.items()}


def _inserted(planned: PlannedWrite) -> dict[str, object]:
    return _step_values(planned, planned.plan.steps[0])


def _updated(planned: PlannedWrite) -> dict[str, object]:
    return _step_values(planned, planned.plan.steps[0]) if planned.plan.steps else {}


def _step_values(planned: PlannedWrite, step: WriteStep) -> dict[str, object]:
    if not isinstance(step, InsertStep | UpdateStep):
        return {}
    return _values(planned, {column.name: value.slot for column, value in step.values if isinstance(value, SlotValue)})


def _plain(table: Table, stored: Mapping[str, Any]) -> dict[str, object]:
    """The locked row as rules take it."""
    types = {column.name: column.type for column in table.columns}
    return {name: plain_value(types[name], value) for name, value in stored.items() if name in types}


def _corrections(table: Table, draft: Draft, extension: Extension) -> tuple[UpdateRows, ...]:
    """What the rule makes of the main row, as far as it differs from what is there."""
    after = draft.after()
    changed = {name: value for name, value in extension.main.items() if name not in after or after[name] != value}
    if not changed:
        return ()
    return (UpdateRows(draft.table, {column.name: draft.stored[column.name] for column in table.key}, changed),)


def _all_children(planned: PlannedWrite) -> Iterator[PlannedChild]:
    stack = [child for rows in planned.children.values() for child in rows]
    while stack:
        child = stack.pop()
        yield child
        stack.extend(nested for rows in child.children.values() for nested in rows)


def _check_computed(planned: PlannedWrite, row: Mapping[str, Any], clock: Clock) -> None:
    """Pass when what the rule computed is what the client had sent."""
    issues = altered([item for item in planned.computed if item.column.name in row], row, clock)
    if issues:
        raise at_fault(issues)


def _in_use(planned: PlannedWrite, found: Mapping[str, int]) -> ConflictError:
    counts = {name: str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+" for name, count in found.items()}
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    issues = [Issue(f"{name}: {count} rows depend on this one", code="dependant") for name, count in counts.items()]
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
