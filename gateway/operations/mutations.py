"""Mutations of a document -> what each wrote, and what is shown of it.

Each is the write that REST makes: the same plans, rules and checks, run by `Writes` and `BulkWrites`. What differs
is what comes back. A selection is read inside the transaction, so that it shows the row as this write left it, by
one statement per plan node; where every written row has all of it anyway, nothing more runs. Several mutations are
a transaction each, or share one: then all of them are kept or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.catalog.model import Field, Table
from gateway.errors import ConflictError, GatewayError
from gateway.execution.database import Parameters, Row, Run, Session
from gateway.execution.failures import ValueRefusedError
from gateway.operations.bulk import BulkWrites, Circumstances
from gateway.operations.drafts import named
from gateway.operations.reads import Reads
from gateway.operations.results import TAG_KEY, DeletedResult, Truncation, WrittenResult
from gateway.operations.tags import Precondition
from gateway.operations.writes import Writes
from gateway.query.bulk import PlannedBulk, PlannedUpsert
from gateway.query.plan import ReadPlan
from gateway.query.readback import PlannedReadBack, for_keys
from gateway.query.writes import PlannedWrite


@dataclass(frozen=True, slots=True)
class NewRow:
    """One row, new or there already."""

    row: PlannedUpsert


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of an array, at least one: all of them or none."""

    rows: tuple[PlannedUpsert, ...]


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A change of one row; with a precondition its lock is tagged."""

    planned: PlannedWrite
    precondition: Precondition | None = None


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """A change of the rows that a filter chooses."""

    planned: PlannedBulk


@dataclass(frozen=True, slots=True)
class DeletedRow:
    """The removal of one row; with a precondition its lock is tagged."""

    planned: PlannedWrite
    key: tuple[str, ...]
    precondition: Precondition | None = None


@dataclass(frozen=True, slots=True)
class DeletedRows:
    """The removal of the rows that a filter chooses."""

    planned: PlannedBulk


Write = NewRow | NewRows | ChangedRow | ChangedRows | DeletedRow | DeletedRows


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of each written row: fields by name, with the row's tag where that is asked for.

    ``planned`` reads it; None where what a write comes back with has all of it.
    """

    fields: tuple[str, ...]
    is_tagged: bool = False
    planned: PlannedReadBack | None = None


@dataclass(frozen=True, slots=True)
class Mutation:
    """A planned mutation; without a selection nothing of its rows is shown."""

    table: Table
    write: Write
    selection: Selection | None = None
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class MutationResult:
    """What a mutation did, or would do.

    ``rows`` are the written ones in their order as the selection has them, None for one that cannot be read back
    because its table has no key; they are empty without a selection. ``keys`` are those of all written rows as a
    reply has them, ``deleted`` what a delete removed.
    """

    keys: tuple[Sequence[object], ...] = ()
    rows: tuple[dict[str, Any] | None, ...] = ()
    deleted: DeletedResult | None = None
    truncated: tuple[Truncation, ...] = ()
    warnings: tuple[str, ...] = ()


class TogetherError(Exception):
    """Mutations that share a transaction were all taken back; ``number`` is that of the one at fault, None of none.

    Without a number the commit failed, and nobody knows what came of it when it is ``outcome_unknown``.
    """

    def __init__(self, error: GatewayError, number: int | None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.number = number


class Mutations:
    """Mutations of one catalog on one database."""

    def __init__(self, writes: Writes, reads: Reads) -> None:
        self._writes = writes
        self._reads = reads
        self._bulk = BulkWrites(writes)

    async def run(self, mutation: Mutation, given: Circumstances) -> MutationResult:
        """Return what one mutation did, in a transaction of its own.

        Raises:
            GatewayError: as `Writes` and `BulkWrites`, and what reading the selection meets; then nothing was written.
        """
        given = replace(given, is_dry_run=mutation.is_dry_run)
        write, selection = mutation.write, mutation.selection
        if isinstance(write, NewRow) and write.row.found is None and (selection is None or selection.planned is None):
            planned = write.row.create  # by the way that may be a single statement
            written = await self._writes.create(
                planned, given.acting_staff, given.clock, is_dry_run=mutation.is_dry_run
            )
            return _result((written,), selection)

        async def body(session: Session) -> MutationResult:
            return await self._run_in(session, mutation, given)

        return await self._bulk.run(planned_of(write), body, given, _looked_for(write))

    async def run_together(self, mutations: Sequence[Mutation], given: Circumstances) -> tuple[MutationResult, ...]:
        """Return what each mutation did, in order; all in one transaction, or none of them.

        Either all of them are dry runs or none.

        Raises:
            TogetherError: what one of them met; nothing was written, unless nobody knows.
        """
        given = replace(given, is_dry_run=mutations[0].is_dry_run)
        place: list[int] = []

        async def body(session: Session) -> tuple[MutationResult, ...]:
            results: list[MutationResult] = []
            for number, mutation in enumerate(mutations):
                place[:] = [number]
                results.append(await self._named_in(session, mutation, given))
            place.clear()
            return tuple(results)

        rows = [row for mutation in mutations for row in _looked_for(mutation.write)]
        try:
            return await self._bulk.run(None, body, given, rows)
        except GatewayError as error:
            raise TogetherError(error, place[0] if place else None) from error

    async def _named_in(self, session: Session, mutation: Mutation, given: Circumstances) -> MutationResult:
        try:
            return await self._run_in(session, mutation, given)
        except ValueRefusedError as error:
            raise named(error, planned_of(mutation.write)) from error

    async def _run_in(self, session: Session, mutation: Mutation, given: Circumstances) -> MutationResult:
        match mutation.write:
            case DeletedRow() | DeletedRows() as write:
                return await self._delete_in(session, write, given)
            case write:
                written = await self._write_in(session, write, given)
        selection = mutation.selection
        if selection is None or selection.planned is None or not written:
            return _result(written, selection)
        return await self._shown(session, written, selection.planned)

    async def _write_in(
        self, session: Session, write: NewRow | NewRows | ChangedRow | ChangedRows, given: Circumstances
    ) -> tuple[WrittenResult, ...]:
        match write:
            case NewRow(row=row):
                return (await self._bulk.put_in(session, row, given),)
            case NewRows(rows=rows):
                return await self._bulk.create_in(session, rows, given)
            case ChangedRow(planned=planned, precondition=precondition):
                staff, clock = given.acting_staff, given.clock
                return (await self._writes.update_in(session, planned, staff, clock, precondition),)
            case ChangedRows(planned=chosen):
                return await self._bulk.update_in(session, chosen, given)

    async def _delete_in(
        self, session: Session, write: DeletedRow | DeletedRows, given: Circumstances
    ) -> MutationResult:
        if isinstance(write, DeletedRows):
            result = await self._bulk.delete_in(session, write.planned, given)
            return MutationResult(result.keys, deleted=result)
        result = await self._writes.delete_in(
            session,
            write.planned,
            given.acting_staff,
            given.clock,
            write.precondition,
            is_dry_run=given.is_dry_run,
        )
        return MutationResult((write.key,), deleted=result)

    # what is shown

    async def _shown(
        self, session: Session, written: Sequence[WrittenResult], planned: PlannedReadBack
    ) -> MutationResult:
        """The written rows as their selection has them, all by one statement per plan node."""
        run = _run_of(session)
        keys = list(dict.fromkeys(tuple(each.stored_key) for each in written))
        chosen = for_keys(planned, keys)
        found, brought = await self._reads.rows_in(run, chosen.plan, chosen.values)
        if len(found.rows) != len(keys):  # one that was left as it is, and removed by others since
            raise ConflictError("write_conflict", "Another write removed the row meanwhile; try again.")
        places = {keys[0]: 0}
        if len(keys) > 1:
            places = {tuple(raw[place] for place in found.statement.key): at for at, raw in enumerate(found.raw)}
        if not places.keys() >= set(keys):  # the driver reads back what it was given in another form
            return await self._one_by_one(session, written, planned)
        order = [places[tuple(each.stored_key)] for each in written]
        cuts = tuple(
            replace(cut, place=(number, *cut.place[1:]))
            for number, at in enumerate(order)
            for cut in brought.truncated
            if cut.place[0] == at
        )
        rows = tuple(found.rows[at] for at in order)
        return MutationResult(_keys(written), rows, None, cuts, brought.warnings)

    async def _one_by_one(
        self, session: Session, written: Sequence[WrittenResult], planned: PlannedReadBack
    ) -> MutationResult:
        results = [await self._shown(session, (each,), planned) for each in written]
        cuts = (
            replace(cut, place=(number, *cut.place[1:]))
            for number, result in enumerate(results)
            for cut in result.truncated
        )
        warnings = dict.fromkeys(word for result in results for word in result.warnings)
        rows = tuple(result.rows[0] for result in results)
        return MutationResult(_keys(written), rows, None, tuple(cuts), tuple(warnings))


def planned_of(write: Write) -> PlannedWrite:
    """Return the plan of one row's write, the first one's of several."""
    match write:
        case NewRow(row=row):
            return row.create
        case NewRows(rows=rows):
            return rows[0].create
        case ChangedRow(planned=planned) | DeletedRow(planned=planned):
            return planned
        case ChangedRows(planned=chosen) | DeletedRows(planned=chosen):
            return chosen.each


def _looked_for(write: Write) -> tuple[PlannedUpsert, ...]:
    match write:
        case NewRow(row=row):
            return (row,)
        case NewRows(rows=rows):
            return rows
        case _:
            return ()


def _result(written: Sequence[WrittenResult], selection: Selection | None) -> MutationResult:
    """What is shown of rows that have it all."""
    if selection is None:
        return MutationResult(_keys(written))
    return MutationResult(_keys(written), tuple(_row(each, selection) for each in written))


def _row(written: WrittenResult, selection: Selection) -> dict[str, Any] | None:
    if written.tag is None:
        return None
    row = {name: written.row[name] for name in selection.fields}
    if selection.is_tagged:
        row[TAG_KEY] = written.tag
    return row


def _keys(written: Sequence[WrittenResult]) -> tuple[Sequence[object], ...]:
    return tuple(each.key for each in written)


def _run_of(session: Session) -> Run:
    async def run(text: str, parameters: Parameters) -> Sequence[Row]:
        return (await session.run(text, parameters)).rows

    return run


def has_all(write: Write, fields: Iterable[Field]) -> bool:
    """Return whether whatever a write comes back with shows some fields, so that no read of their own is due."""
    wanted = {id(field) for field in fields}
    return all(wanted <= {id(field) for field in plan.fields} for plan in _results(write))


def _results(write: Write) -> Iterator[ReadPlan]:
    """Every plan by which a write may come back with a row."""
    for row in _looked_for(write):
        updated = row.update.plan.result if row.update is not None else None
        yield from (plan for plan in (row.create.plan.result, row.found, updated) if plan is not None)
    if isinstance(write, ChangedRow | ChangedRows):
        result = planned_of(write).plan.result
        assert result is not None  # a change is read back
        yield result
