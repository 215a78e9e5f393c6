"""Planned writes of several rows: each as a single one, all of them in one transaction or none.

A fault of one row names its place in the request and takes all others back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from gateway.errors import ConflictError, ForbiddenError, GatewayError, Issue, NotFoundError, ValidationError
from gateway.execution.database import Session
from gateway.execution.failures import ValueRefusedError
from gateway.operations.drafts import named
from gateway.operations.results import DeletedResult, WrittenResult
from gateway.operations.writes import Writes
from gateway.query.bulk import PlannedBulk, PlannedUpsert, plan_new_rows
from gateway.query.coerce import Clock
from gateway.query.plan import ReadPlan
from gateway.query.writes import PlannedWrite, with_key

_MOST_RACES: Final = 3
_AT_ONCE: Final = 100
"""How many new rows are read back by one statement, always as many: one statement is prepared for all."""
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who writes, when, and whether only to see what would happen."""

    acting_staff: int | None
    clock: Clock
    is_dry_run: bool = False


class BulkWrites:
    """Writes of several rows of one catalog on one database."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    async def create(self, rows: Sequence[PlannedUpsert], given: Circumstances) -> tuple[WrittenResult, ...]:
        """Return the rows as the database has them, in order.

        Rows without a rule take one statement each and one more for every hundred, others at least three.

        Raises:
            GatewayError: as `Writes.create`, with the place of the row at fault.
        """
        return await self.run(rows[0].create, lambda session: self.create_in(session, rows, given), given, rows)

    async def create_in(
        self, session: Session, rows: Sequence[PlannedUpsert], given: Circumstances
    ) -> tuple[WrittenResult, ...]:
        """Create the rows of an array in a transaction that is somebody else's to end."""
        first = rows[0].create
        together = plan_new_rows(first, _AT_ONCE)
        if together is not None and all(self._is_like(row, first) for row in rows):
            return await self._insert(session, rows, together, given)
        return tuple(
            [await _at(number, row.create, self.put_in(session, row, given)) for number, row in enumerate(rows)]
        )

    def _is_like(self, row: PlannedUpsert, first: PlannedWrite) -> bool:
        """Whether a row is simply inserted, and read back as the first one is."""
        is_numbered = row.create.plan.key_slot is not None
        return (
            row.found is None and is_numbered and row.create.table is first.table and self._writes.is_simple(row.create)
        )

    async def _insert(
        self, session: Session, rows: Sequence[PlannedUpsert], plan: ReadPlan, given: Circumstances
    ) -> tuple[WrittenResult, ...]:
        keys: list[object] = []
        for number, row in enumerate(rows):
            keys.append(await _at(number, row.create, self._writes.insert_in(session, row.create, given.acting_staff)))
        found: dict[object, WrittenResult] = {}
        for start in range(0, len(keys), _AT_ONCE):
            chosen = keys[start : start + _AT_ONCE]
            padded = (*chosen, *[chosen[-1]] * (_AT_ONCE - len(chosen)))
            found.update(await self._writes.rows_in(session, plan, padded))
        return tuple(found[key] for key in keys)

    async def put(self, row: PlannedUpsert, given: Circumstances) -> WrittenResult:
        """Return the new row, or the one of its unique key that was there.

        Raises:
            GatewayError: as `Writes.create` and `Writes.update`.
        """
        return await self.run(row.create, lambda session: self.put_in(session, row, given), given, (row,))

    async def update(self, planned: PlannedBulk, given: Circumstances) -> tuple[WrittenResult, ...]:
        """Return the rows after their change, in the order of their keys; three statements each.

        Raises:
            ValidationError: ``too_many_affected``.
            GatewayError: as `Writes.update`.
        """
        return await self.run(planned.each, lambda session: self.update_in(session, planned, given), given)

    async def update_in(
        self, session: Session, planned: PlannedBulk, given: Circumstances
    ) -> tuple[WrittenResult, ...]:
        """Change the rows that a filter chooses in a transaction that is somebody else's to end."""
        keys = await self._writes.keys_in(session, planned.chosen, planned.values)
        _check_number(planned, keys)
        return tuple(
            [
                await self._writes.update_in(session, with_key(planned.each, key), given.acting_staff, given.clock)
                for key in keys
            ]
        )

    async def delete(self, planned: PlannedBulk, given: Circumstances) -> DeletedResult:
        """Remove rows and what they own, and return how many, and which.

        Raises:
            ValidationError: ``too_many_affected``.
            GatewayError: as `Writes.delete`.
        """
        return await self.run(planned.each, lambda session: self.delete_in(session, planned, given), given)

    async def delete_in(self, session: Session, planned: PlannedBulk, given: Circumstances) -> DeletedResult:
        """Remove the rows that a filter chooses in a transaction that is somebody else's to end."""
        keys = await self._writes.keys_in(session, planned.chosen, planned.values)
        _check_number(planned, keys)
        result = DeletedResult(0)
        for key in keys:
            each = with_key(planned.each, key)
            result = result.plus(
                await self._writes.delete_in(
                    session, each, given.acting_staff, given.clock, is_dry_run=given.is_dry_run
                )
            )
        return replace(result, keys=tuple(keys))

    async def run(
        self,
        planned: PlannedWrite | None,
        body: Callable[[Session], Awaitable[Done]],
        given: Circumstances,
        rows: Iterable[PlannedUpsert] = (),
    ) -> Done:
        """Return what a body did in one transaction (`Writes.transact`).

        Where ``rows`` are looked for, it runs anew when one came to be between looking for it and writing it: then
        it is found.
        """
        if all(row.found is None for row in rows):
            return await self._writes.transact(planned, body, is_dry_run=given.is_dry_run)
        for races in range(1, _MOST_RACES + 1):
            try:
                return await self._writes.transact(planned, body, is_dry_run=given.is_dry_run)
            except ConflictError as error:
                if error.code != "duplicate" or races == _MOST_RACES:
                    raise
        raise AssertionError("the last race returns or raises")

    async def put_in(self, session: Session, row: PlannedUpsert, given: Circumstances) -> WrittenResult:
        """Create one row, or take the one that is there, in a transaction that is somebody else's to end."""
        found = None
        if row.found is not None:
            found = await self._writes.row_in(session, row.found, row.values)
        if found is None:
            return await self._writes.create_in(session, row.create, given.acting_staff, given.clock)
        key, result = found
        if row.update is None:
            return result
        try:
            return await self._writes.update_in(session, with_key(row.update, key), given.acting_staff, given.clock)
        except NotFoundError as error:  # removed since it was found: this transaction looks again
            raise ConflictError("write_conflict", "Another write removed the row meanwhile; try again.") from error


def _check_number(planned: PlannedBulk, keys: Sequence[object]) -> None:
    if len(keys) > planned.most:
        raise ValidationError(
            "too_many_affected",
            f"More than {planned.most} rows of {planned.each.table.resource} match, so none was changed: "
            "narrow the filter, or let more of them be affected.",
        )


async def _at(number: int, planned: PlannedWrite, writing: Awaitable[Done]) -> Done:
    """Return what a row's write returns; what it raises names the row's place."""
    try:
        return await writing
    except ValueRefusedError as error:
        raise _placed(named(error, planned), number) from error
    except (ConflictError, ValidationError, ForbiddenError) as error:
        if error.code == "write_conflict":
            raise
        raise _placed(error, number) from error


def _placed(error: GatewayError, number: int) -> GatewayError:
    """The same error with the index of its row before every pointer."""
    place = f"/{number}"
    issues = [replace(issue, pointer=_below(place, issue.pointer)) for issue in error.issues]
    kind = next(kind for kind in (ConflictError, ValidationError, ForbiddenError) if isinstance(error, kind))
    listed = issues or [Issue(error.detail, pointer=place)]
    return kind(error.code, f"Row {number}: {error.detail}", issues=listed, headers=error.headers)


def _below(place: str, pointer: str | None) -> str:
    """A fault that planning found has the place already."""
    if pointer is None:
        return place
    return pointer if pointer == place or pointer.startswith(f"{place}/") else place + pointer
