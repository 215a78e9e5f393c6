"""Planned writes -> rows: one transaction each, all of it or nothing.

Reads that lock come first, then what the table's rule looks up, then the rows in
order, then the row as the database has it now. A transaction that meets another
one's locks is run again, a few times, before anybody hears of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from gateway.catalog.model import Catalog, Table, WriteMode
from gateway.errors import ConflictError, ForbiddenError, UnavailableError
from gateway.execution.database import Database, Session
from gateway.execution.database import Row as DriverRow
from gateway.execution.failures import ValueRefusedError
from gateway.operations.counts import Counts
from gateway.operations.custom import CustomValues
from gateway.operations.drafts import (
    all_children,
    check_computed,
    corrections,
    draft_of,
    in_use,
    inserted_values,
    key_of,
    labelled,
    named,
    new_key,
    plain_stored,
    updated_values,
    values_of,
    written_custom,
)
from gateway.operations.fill import Fills
from gateway.operations.managed.model import (
    Draft,
    Extension,
    InsertRow,
    NewKey,
    Rule,
)
from gateway.operations.managed.plain import PlainRule
from gateway.operations.managed.registry import RULES
from gateway.operations.managed.rows import ManagedRows
from gateway.operations.reads import row_unknown
from gateway.operations.results import DeletedResult, RowResult, WrittenResult
from gateway.operations.tags import Precondition, Tags
from gateway.query.children import PlannedChild
from gateway.query.coerce import Clock
from gateway.query.context import Context
from gateway.query.judged import at_fault
from gateway.query.own import is_narrowed
from gateway.query.plan import ReadPlan, Values
from gateway.query.writes import Dependant, PlannedWrite, altered, as_stored, changed_custom, with_value
from gateway.sql.cache import StatementCache
from gateway.sql.statement import Statement

MOST_TRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.005
Done = TypeVar("Done")


class _TakenBackError(Exception):
    """Ends the transaction of a dry run; nobody else sees it."""


class Writes:
    """Creates, changes and deletes of one catalog on one database."""

    def __init__(
        self, database: Database, statements: StatementCache, counts: Counts, fills: Fills, tags: Tags
    ) -> None:
        self._database = database
        self._tags = tags
        self._statements = statements
        self._counts = counts
        self._fills = fills
        self._catalog: Catalog = statements.catalog
        self._rows = ManagedRows(statements.catalog, statements)
        self._custom = CustomValues(statements.catalog, statements)

    async def create(
        self, planned: PlannedWrite, acting_staff: int | None, clock: Clock, *, is_dry_run: bool = False
    ) -> WrittenResult:
        """Return the new row as the database has it; as it would be, and nothing is kept, of a dry run.

        Raises:
            ConflictError: ``duplicate``, ``reference_missing``, ``write_conflict``.
            ValidationError: ``fields_invalid`` for a value only the database or the table's rule could judge.
            ForbiddenError: the new row would be outside the caller's row filter.
            UnavailableError: ``no_acting_staff`` among the others.
        """
        is_simple = self.is_simple(planned) and not is_dry_run
        ready = self._fills.ready(planned, acting_staff) if is_simple else None
        if ready is not None:
            return await self._create_at_once(ready)

        async def body(session: Session) -> WrittenResult:
            return await self.create_in(session, planned, acting_staff, clock)

        return await self.transact(planned, body, is_dry_run=is_dry_run)

    async def update(
        self,
        planned: PlannedWrite,
        acting_staff: int | None,
        clock: Clock,
        precondition: Precondition | None = None,
        *,
        is_dry_run: bool = False,
    ) -> WrittenResult:
        """Return the row after its change, which may have changed nothing.

        Raises:
            NotFoundError: ``row_unknown``.
            ValidationError: ``fields_invalid``, also for a read-only field that differs from the stored row.
            ForbiddenError: the changed row would be outside the caller's row filter.
            ConflictError: ``precondition_failed``; the plan of the lock must then be tagged.
        """

        async def body(session: Session) -> WrittenResult:
            return await self.update_in(session, planned, acting_staff, clock, precondition)

        return await self.transact(planned, body, is_dry_run=is_dry_run)

    async def delete(
        self,
        planned: PlannedWrite,
        acting_staff: int | None,
        clock: Clock,
        precondition: Precondition | None = None,
        *,
        is_dry_run: bool = False,
    ) -> DeletedResult:
        """Remove one row and what it owns; a dry run tells what would go along, and what blocks.

        Raises:
            NotFoundError: ``row_unknown``.
            ConflictError: ``dependants``, but not in a dry run; ``precondition_failed`` as in `update`.
        """

        async def body(session: Session) -> DeletedResult:
            return await self.delete_in(session, planned, acting_staff, clock, precondition, is_dry_run=is_dry_run)

        return await self.transact(planned, body, is_dry_run=is_dry_run)

    async def create_in(
        self, session: Session, planned: PlannedWrite, acting_staff: int | None, clock: Clock
    ) -> WrittenResult:
        """Create one row in a transaction that is somebody else's to end."""
        for slot, pending in (*planned.pending, *(each for child in all_children(planned) for each in child.pending)):
            planned = with_value(planned, slot, await self._fills.value(session, planned, pending, acting_staff))
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        draft = draft_of(planned, "create", self._name(planned.table), staff, clock, inserted_values(planned))
        extension = await self._extended(session, rule, draft, planned.caller)
        keys: dict[str, object] = {}
        await self._rows.write(session, extension.before, keys, planned.caller)
        main = InsertRow(draft.table, {**draft.values, **extension.main}, label="")
        await self._rows.write(session, (main, *self._children(planned, planned.children, extension, "")), keys)
        await self._rows.write(session, extension.after, keys, planned.caller)
        await self._write_custom(session, planned, keys)
        await self._check_children(session, planned, keys)
        if planned.plan.key_slot is not None:
            planned = with_value(planned, planned.plan.key_slot, keys[""])
        result = await self._result(session, planned)
        if result is None and planned.plan.result is not None:
            raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        row = result.row if result is not None else {}
        check_computed(planned, row, clock)
        tag = result.tag if result is not None else None
        return WrittenResult(row, key_of(planned, row), tag, is_new=True, stored_key=new_key(planned))

    async def update_in(
        self,
        session: Session,
        planned: PlannedWrite,
        acting_staff: int | None,
        clock: Clock,
        precondition: Precondition | None = None,
    ) -> WrittenResult:
        """Change one row in a transaction that is somebody else's to end."""
        shown, stored = await self._locked(session, planned, precondition)
        issues = altered(planned.sent_back, shown, clock)
        if issues:
            raise at_fault(issues)
        planned = as_stored(planned, shown, stored, clock)
        custom = changed_custom(planned, shown, clock)
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        before = plain_stored(planned.table, stored)
        draft = draft_of(planned, "update", self._name(planned.table), staff, clock, updated_values(planned), before)
        extension = await self._extended(session, rule, draft, planned.caller)
        await self._rows.write(session, extension.before, {}, planned.caller)
        await self._run_steps(session, planned)
        await self._rows.write(session, corrections(planned.table, draft, extension), {})
        await self._rows.write(session, extension.after, {}, planned.caller)
        if planned.custom:
            await self._custom.change(session, stored[planned.table.key[0].name], custom)
        result = await self._result(session, planned)
        if result is None:
            raise ForbiddenError("grant_missing", "The row would be outside the rows the token may write.")
        check_computed(planned, result.row, clock, shown)
        key = tuple(stored[column.name] for column in planned.table.key)
        return WrittenResult(result.row, key_of(planned, shown), result.tag, stored_key=key)

    async def delete_in(
        self,
        session: Session,
        planned: PlannedWrite,
        acting_staff: int | None,
        clock: Clock,
        precondition: Precondition | None = None,
        *,
        is_dry_run: bool = False,
    ) -> DeletedResult:
        """Remove one row in a transaction that is somebody else's to end."""
        _, stored = await self._locked(session, planned, precondition)
        blocking = await self._counted(session, planned, planned.dependants)
        owned = await self._counted(session, planned, planned.owned) if is_dry_run else {}
        if blocking and is_dry_run:
            return DeletedResult(0, owned, blocking)
        if blocking:
            raise in_use(planned, blocking)
        rule = self._rule(planned.table)
        staff = await self._staff(session, rule, acting_staff)
        before = plain_stored(planned.table, stored)
        draft = draft_of(planned, "delete", self._name(planned.table), staff, clock, {}, before)
        extension = await self._extended(session, rule, draft, planned.caller)
        await self._rows.write(session, extension.before, {}, planned.caller)
        await self._run_steps(session, planned)
        await self._rows.write(session, extension.after, {}, planned.caller)
        return DeletedResult(1, owned)

    # rows without a rule

    def is_simple(self, planned: PlannedWrite) -> bool:
        """Return whether a create is one insert that nothing can ask to be taken back."""
        is_alone = len(planned.plan.steps) == 1 and not (planned.children or planned.custom)
        return is_alone and not planned.is_filtered and planned.table.mode is not WriteMode.MANAGED

    async def insert_in(self, session: Session, planned: PlannedWrite, acting_staff: int | None) -> object:
        """Insert the row of a simple create in a transaction that is somebody else's to end; return its new key."""
        for slot, pending in planned.pending:
            planned = with_value(planned, slot, await self._fills.value(session, planned, pending, acting_staff))
        statement = self._statements.step(planned.plan.steps[0])
        return (await session.run(statement.text, statement.bind(planned.values))).last_id

    async def rows_in(self, session: Session, plan: ReadPlan, keys: Sequence[object]) -> dict[object, WrittenResult]:
        """Return new rows by key, read by a tagged plan of `query.bulk.plan_new_rows`."""
        statement = self._statements.read(plan)
        place = statement.names.index(plan.table.key[0].name)
        found: dict[object, WrittenResult] = {}
        for row in (await session.run(statement.text, statement.bind(tuple(keys)))).rows:
            result = self.tagged_row(statement, row)
            key = (result.row[statement.names[place]],)
            found[row[place]] = WrittenResult(result.row, key, result.tag, is_new=True, stored_key=(row[place],))
        return found

    # rules

    def _name(self, table: Table) -> str:
        return table.name.removeprefix(self._catalog.prefix)

    def _rule(self, table: Table) -> Rule:
        return RULES[self._name(table)] if table.mode is WriteMode.MANAGED else PlainRule()

    async def _staff(self, session: Session, rule: Rule, acting_staff: int | None) -> int:
        """Who acts, where a rule may want to name them."""
        return 0 if isinstance(rule, PlainRule) else await self._fills.acting(session, acting_staff)

    async def _extended(self, session: Session, rule: Rule, draft: Draft, caller: Context | None) -> Extension:
        found = await self._rows.find(session, rule.reads(draft), caller)
        while due := [lookup for lookup in rule.more_reads(draft, found) if lookup.name not in found]:
            found.update(await self._rows.find(session, due, caller))
        return rule.extend(draft, found)

    async def _write_custom(self, session: Session, planned: PlannedWrite, keys: Mapping[str, object]) -> None:
        """The custom fields of a new row and of those nested in it."""
        for label, table, sent, custom in written_custom(planned):
            is_numbered = table.key[0].name not in sent
            write = self._custom.add if is_numbered else self._custom.change
            await write(session, keys[label], custom)

    async def _check_children(self, session: Session, planned: PlannedWrite, keys: Mapping[str, object]) -> None:
        """Nested rows, as the database has them now, are the caller's like the row that they stand in."""
        if planned.caller is None:
            return
        made: dict[Table, list[object]] = {}
        for label, child in labelled(planned.children):
            if is_narrowed(planned.caller, child.table):
                made.setdefault(child.table, []).append(keys[label])
        for table, new in made.items():
            if len(await self._rows.own_keys(session, table, new, planned.caller)) < len(set(new)):
                raise ForbiddenError(
                    "grant_missing", f"A row of {table.resource} would be outside the rows the token may write."
                )

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
                values = {**values_of(planned, child.slots()), **tie, **extension.children.get(label, {})}
                yield InsertRow(self._name(child.table), values, label)
                yield from self._children(planned, child.children, extension, f"{label}.")

    # transactions

    async def transact(
        self, planned: PlannedWrite | None, body: Callable[[Session], Awaitable[Done]], *, is_dry_run: bool = False
    ) -> Done:
        """Return what a body did in one transaction, run anew when it met the locks of another one.

        A dry run is rolled back, whatever it did. A value that the database refuses is that of ``planned``; where
        there is none, because several writes share the transaction, the body names it.
        """
        for tries in range(1, MOST_TRIES + 1):
            try:
                return await self._run_once(body, is_dry_run=is_dry_run)
            except ValueRefusedError as error:
                if planned is None:
                    raise
                raise named(error, planned) from error
            except ConflictError as error:
                if error.code != "write_conflict" or tries == MOST_TRIES:
                    raise
            finally:
                self._counts.forget()  # whatever the outcome: one that is unknown may have been written
            await asyncio.sleep(_FIRST_PAUSE_S * 2**tries * random.random())  # noqa: S311  # a pause is no secret
        raise AssertionError("the last try returns or raises")

    async def _run_once(self, body: Callable[[Session], Awaitable[Done]], *, is_dry_run: bool) -> Done:
        outcome: list[Done] = []
        try:
            async with self._database.transaction() as session:
                outcome.append(await body(session))
                if is_dry_run:
                    raise _TakenBackError
        except _TakenBackError:
            pass
        return outcome[0]

    async def _create_at_once(self, planned: PlannedWrite) -> WrittenResult:
        """A create of one statement, which commits by itself: half the round trips of a transaction."""
        statement = self._statements.step(planned.plan.steps[0])
        try:
            outcome = await self._database.write(statement.text, statement.bind(planned.values))
        except ValueRefusedError as error:
            raise named(error, planned) from error
        finally:
            self._counts.forget()
        if planned.plan.key_slot is not None:
            planned = with_value(planned, planned.plan.key_slot, outcome.last_id)
        stored = await self._stored(planned)
        if stored is None:
            return WrittenResult({}, (), is_new=True)
        key = key_of(planned, stored.row)
        return WrittenResult(stored.row, key, stored.tag, is_new=True, stored_key=new_key(planned))

    async def _stored(self, planned: PlannedWrite) -> RowResult | None:
        """The row that was just committed; what keeps it from being read does not undo the write."""
        plan = planned.plan.result
        if plan is None:
            return None
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
            raise UnavailableError("outcome_unknown", "The row was stored, and another write has removed it since.")
        return self.tagged_row(statement, rows[0])

    def tagged_row(self, statement: Statement, row: DriverRow) -> RowResult:
        """Return a row of a tagged plan's statement as a reply has it."""
        assert statement.tagged is not None
        return RowResult(statement.decode((row,))[0], self._tags.of(statement.tagged(row)))

    async def row_in(
        self, session: Session, plan: ReadPlan, values: Values
    ) -> tuple[tuple[object, ...], WrittenResult] | None:
        """Return the key and the row of a tagged plan, the key as the driver has it; None when there is no row."""
        statement = self._statements.read(plan)
        rows = (await session.run(statement.text, statement.bind(values))).rows
        if not rows:
            return None
        result = self.tagged_row(statement, rows[0])
        names = [column.name for column in plan.table.key]
        key = tuple(rows[0][statement.names.index(name)] for name in names)
        shown = tuple(result.row[name] for name in names)
        return key, WrittenResult(result.row, shown, result.tag, stored_key=key)

    async def keys_in(self, session: Session, plan: ReadPlan, values: Values) -> Sequence[DriverRow]:
        """Return the keys that a plan chooses, as the driver has them."""
        statement = self._statements.read(plan)
        return (await session.run(statement.text, statement.bind(values))).rows

    async def _counted(
        self, session: Session, planned: PlannedWrite, dependants: tuple[Dependant, ...]
    ) -> dict[str, int]:
        """How many rows there are, by resource. One statement per relationship."""
        found: dict[str, int] = {}
        for dependant in dependants:
            statement = self._statements.read(dependant.plan)
            rows = (await session.run(statement.text, statement.bind(planned.values))).rows
            if rows:
                name = dependant.resource or "other"
                found[name] = found.get(name, 0) + len(rows)
        return found

    async def _locked(
        self, session: Session, planned: PlannedWrite, precondition: Precondition | None
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The locked row as a reply would show it, and as the driver has it."""
        plan = planned.plan.reads[0]
        statement = self._statements.read(plan)
        rows = (await session.run(statement.text, statement.bind(planned.values))).rows
        if not rows:
            raise row_unknown(plan)
        if len(rows) > 1:
            raise ConflictError("key_ambiguous", f"Several rows of {plan.table.resource} have this key.")
        if precondition is not None:
            assert statement.tagged is not None
            precondition.check_write(self._tags.of(statement.tagged(rows[0])))
        shown = rows[0][: len(statement.names)]
        return statement.decode(rows)[0], dict(zip(statement.names, shown, strict=True))

    async def _run_steps(self, session: Session, planned: PlannedWrite) -> PlannedWrite:
        for number, step in enumerate(planned.plan.steps):
            statement = self._statements.step(step)
            outcome = await session.run(statement.text, statement.bind(planned.values))
            if planned.plan.key_step == number and planned.plan.key_slot is not None:
                planned = with_value(planned, planned.plan.key_slot, outcome.last_id)
        return planned

    async def _result(self, session: Session, planned: PlannedWrite) -> RowResult | None:
        if planned.plan.result is None:
            return None
        statement = self._statements.read(planned.plan.result)
        rows = (await session.run(statement.text, statement.bind(planned.values))).rows
        return self.tagged_row(statement, rows[0]) if rows else None
