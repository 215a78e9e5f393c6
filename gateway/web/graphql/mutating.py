"""A prepared mutation -> its reply and its records: each change in order, or all of them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError, RequestError
from gateway.graphql.meaning import Change
from gateway.graphql.render import error_entry
from gateway.graphql.steps import ChangeStep
from gateway.query.access import Access, Operation
from gateway.web.exchange import Written
from gateway.web.graphql.changing import AtomicError, Changed, rolled_back, run_changes
from gateway.web.graphql.preparing import Known, PreparedMutation, Refused
from gateway.web.graphql.replying import Draft
from gateway.web.graphql.running import Telling
from gateway.web.idempotency import is_undone
from gateway.web.service import Service

_CONDITIONAL: Final = {b"if-match": "If-Match", b"if-none-match": "If-None-Match"}


@dataclass(slots=True)
class Mutated:
    """The reply of a mutation, and the errors in it; ``rows`` were written, and ``is_done`` says whether any was."""

    draft: Draft
    errors: tuple[GatewayError, ...]
    rows: int
    is_done: bool

    @property
    def failure(self) -> GatewayError | None:
        """The error of a mutation of which nothing was done and another try may be, or nobody knows what was."""
        if self.is_done or not self.errors:
            return None
        if all(map(is_undone, self.errors)):
            return self.errors[0]
        return next((error for error in self.errors if error.status >= 500 and not is_undone(error)), None)


async def mutate(
    service: Service, access: Access, prepared: PreparedMutation, telling: Telling, records: list[Written]
) -> Mutated:
    """Run a mutation; ``records`` hears at once of what was written and refused.

    Raises:
        SchemaChangedError: a table changed under it, and nothing was written: it may be run again.
    """
    records.clear()
    refused = [field for field in prepared.fields if isinstance(field, Refused)]
    steps = [field for field in prepared.fields if isinstance(field, ChangeStep)]
    records.extend(_record(field) for field in refused)
    if prepared.is_atomic and refused:
        records.extend(rolled_back(step) for step in steps)
        first = refused[0]
        return _taken_back(AtomicError(first.error, None), first)
    try:
        changes: Iterable[Changed] = ()
        if steps:
            names, is_atomic = prepared.vocabulary, prepared.is_atomic
            changes = await run_changes(
                service, access, names, steps, telling, is_atomic=is_atomic, note=records.append
            )
    except AtomicError as error:
        return _taken_back(error, error.step)
    return _mutated(prepared, changes, records)


def _mutated(prepared: PreparedMutation, changes: Iterable[Changed], records: Iterable[Written]) -> Mutated:
    draft, errors = Draft(), []
    came = iter(changes)
    for field in prepared.fields:
        if isinstance(field, Known):
            draft.put(field.selected.key, field.value)
            continue
        changed = next(came) if isinstance(field, ChangeStep) else Changed(error=field.error)
        if changed.error is not None:
            errors.append(changed.error)
            draft.fail(field.selected, changed.error)
        else:
            draft.put(field.selected.key, changed.value)
            draft.tell(changed.truncated, changed.warnings)
    done = [record for record in records if record.outcome == "done"]
    return Mutated(draft, tuple(errors), sum(record.rows for record in done), bool(done))


def _taken_back(failed: AtomicError, at: ChangeStep | Refused | None) -> Mutated:
    """The reply of mutations that shared a transaction: no data, and the error of the one at fault."""
    draft, error = Draft(data=None), failed.error
    if at is None:
        draft.refuse(error_entry(error), error)
    else:
        draft.fail(at.selected, error)
    if failed.is_rolled_back:
        draft.extensions["rolledBack"] = True
    return Mutated(draft, (error,), 0, is_done=False)


def _record(refused: Refused) -> Written:
    change = _change_of(refused)
    return Written(change.table.resource or "", change.operation, rows=0, code=refused.error.code)


def _change_of(field: ChangeStep | Refused) -> Change:
    meaning = field.selected.meaning
    assert isinstance(meaning, Change)  # what else a mutation has is known
    return meaning


# What is known before it runs


def first_operation(prepared: PreparedMutation) -> Operation | None:
    """Return the operation of a mutation's first change, which stands for the request in metrics."""
    changes = (field for field in prepared.fields if not isinstance(field, Known))
    first = next(changes, None)
    return _change_of(first).operation if first is not None else None


def replayed_records(prepared: PreparedMutation) -> list[Written]:
    """Return the records of a mutation whose first answer is given again."""
    changes = (_change_of(field) for field in prepared.fields if not isinstance(field, Known))
    return [Written(change.table.resource or "", change.operation, rows=0, outcome="replayed") for change in changes]


def check_conditions(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Pass unless a header makes a mutation depend on a row's state: which row, it cannot say.

    Raises:
        RequestError: ``header_invalid``.
    """
    for name, _ in headers:
        if name in _CONDITIONAL:
            detail = f"{_CONDITIONAL[name]} names no row of a document: give the argument `ifMatch` to a mutation."
            raise RequestError("header_invalid", detail)
