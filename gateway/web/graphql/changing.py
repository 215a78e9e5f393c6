"""Steps that change rows -> what became of each: run in the order of the document, or all in one transaction.

A mutation that fails leaves its error, and the next ones still run, as the specification has it. When the database
does not answer, those that have not begun are not tried any more: each would wait as long, and tell the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.errors import GatewayError, RequestError, SchemaChangedError, UnavailableError
from gateway.execution.failures import RETRY, CommitCutError
from gateway.graphql.change_replies import render_change
from gateway.graphql.changes import input_error
from gateway.graphql.planning import plan_change
from gateway.graphql.steps import ChangeStep
from gateway.graphql.vocabulary import Vocabulary
from gateway.operations.bulk import Circumstances
from gateway.operations.mutations import Mutation, MutationResult, Mutations, TogetherError
from gateway.query.access import Access
from gateway.query.keys import key_text
from gateway.web.exchange import Written
from gateway.web.graphql.running import Telling
from gateway.web.service import Service

ENDING: Final = frozenset(
    {"database_away", "database_busy", "database_refuses", "outcome_unknown", "statement_timeout"}
)
"""Codes of failures after which the rest of a document is not begun."""

Note = Callable[[Written], None]


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one mutation: its value, or its error; ``written`` is for records."""

    value: object = None
    error: GatewayError | None = None
    written: tuple[Written, ...] = ()
    truncated: tuple[dict[str, Any], ...] = ()
    warnings: tuple[dict[str, Any], ...] = ()


class AtomicError(Exception):
    """The mutations of one transaction were taken back; ``step`` is the one at fault, None where it was the commit.

    ``written`` has a record of each.
    ``is_rolled_back`` is false where nobody knows, because the connection died at commit.
    """

    def __init__(self, error: GatewayError, step: ChangeStep | None, written: Iterable[Written] = ()) -> None:
        super().__init__(error.detail)
        self.error = error
        self.step = step
        self.is_rolled_back = error.code != "outcome_unknown"
        self.written = tuple(written)


async def run_changes(
    service: Service,
    access: Access,
    vocabulary: Vocabulary,
    steps: Sequence[ChangeStep],
    telling: Telling,
    *,
    is_atomic: bool = False,
    note: Note = lambda written: None,
) -> tuple[Changed, ...]:
    """Return what became of each mutation, in order; ``note`` hears of each record at once.

    Errors name fields as the ``vocabulary`` does, whose access names what this one does.

    Raises:
        SchemaChangedError: a table changed under one of them, and nothing was written: all may be run again.
        AtomicError: mutations that share a transaction were taken back.
    """
    run = _Run(service, access, vocabulary, telling, note)
    return await (run.together(steps) if is_atomic else run.each(steps))


@dataclass(frozen=True, slots=True)
class _Run:
    service: Service
    access: Access
    vocabulary: Vocabulary
    telling: Telling
    note: Note

    async def each(self, steps: Sequence[ChangeStep]) -> tuple[Changed, ...]:
        """Run mutations one after the other, each in a transaction of its own."""
        found: list[Changed] = []
        ending: GatewayError | None = None
        for step in steps:
            if ending is not None:
                changed = self._failed(step, _not_begun(ending))
            else:
                changed = await self._next(step, found, steps)
            if ending is None and changed.error is not None and changed.error.code in ENDING:
                ending = changed.error
            found.append(changed)
        return tuple(found)

    async def _next(self, step: ChangeStep, before: Sequence[Changed], steps: Sequence[ChangeStep]) -> Changed:
        try:
            mutation = plan_change(self.service.context(self.access), step)
            result = await self._mutations().run(mutation, self._given())
            return self._done(step, result)
        except SchemaChangedError as error:
            if not any(map(_may_have_written, before)):
                raise
            return self._failed(step, error)
        except asyncio.CancelledError as error:
            if any(map(_may_have_written, before)):  # whoever ends the request must not say that nothing was changed
                raise CommitCutError(_cut(steps, len(before), error)) from error
            raise
        except Exception as error:  # whatever it is, the other mutations are run
            return self._failed(step, error)

    async def together(self, steps: Sequence[ChangeStep]) -> tuple[Changed, ...]:
        """Run mutations in one transaction."""
        mutations = [self._planned(step, steps) for step in steps]
        try:
            results = await self._mutations().run_together(mutations, self._given())
        except TogetherError as error:
            if isinstance(error.error, SchemaChangedError):
                raise error.error from error
            step = steps[error.number] if error.number is not None else None
            raise self._taken_back(error.error, step, steps) from error
        return tuple(self._done(step, result) for step, result in zip(steps, results, strict=True))

    def _planned(self, step: ChangeStep, steps: Sequence[ChangeStep]) -> Mutation:
        try:
            if step.is_dry_run != steps[0].is_dry_run:
                detail = "In one transaction either all mutations are dry runs, or none: give dryRun to all of them."
                raise RequestError("parameter_conflict", detail, parameter="dryRun")
            return plan_change(self.service.context(self.access), step)
        except GatewayError as error:
            raise self._taken_back(error, step, steps) from error

    def _mutations(self) -> Mutations:
        return Mutations(self.service.writes, self.service.reads)

    def _given(self) -> Circumstances:
        return Circumstances(self.access.acting_staff, self.service.clock())

    def _done(self, step: ChangeStep, result: MutationResult) -> Changed:
        written = tuple(_written(step, result))
        for each in written:
            self.note(each)
        told = render_change(step, result)
        return Changed(told.value, None, written, told.truncated, told.warnings)

    def _failed(self, step: ChangeStep, error: Exception) -> Changed:
        told = self._told(step, error)
        refused = _refused(step, told)
        self.note(refused)
        return Changed(error=told, written=(refused,))

    def _taken_back(self, error: GatewayError, step: ChangeStep | None, steps: Sequence[ChangeStep]) -> AtomicError:
        told = self._told(step, error) if step is not None else self.telling.told(error)
        failed = AtomicError(
            told, step, (_refused(each, told) if step is None or step is each else rolled_back(each) for each in steps)
        )
        for each in failed.written:
            self.note(each)
        return failed

    def _told(self, step: ChangeStep, error: Exception) -> GatewayError:
        """The error as the client hears of it: by the names of its own schema."""
        told = self.telling.told(error)
        if not any(issue.pointer for issue in told.issues):
            return told
        return input_error(told, step, self.vocabulary)


def _may_have_written(changed: Changed) -> bool:
    if changed.error is not None:
        return changed.error.code == "outcome_unknown"
    return any(each.outcome == "done" for each in changed.written)


def _not_begun(error: GatewayError) -> UnavailableError:
    """The failure of a mutation after one that the database did not answer; nothing of it was tried."""
    code = "database_away" if error.code == "outcome_unknown" else error.code
    detail = f"This mutation was not begun, because of what an earlier one met: {error.detail}"
    return UnavailableError(code, detail, headers=RETRY)


def _cut(steps: Sequence[ChangeStep], number: int, error: asyncio.CancelledError) -> UnavailableError:
    """The failure of a document that was ended in the middle, after so many of its mutations."""
    last, running = (steps[place].selected.key for place in (number - 1, number))
    became = "may have happened" if isinstance(error, CommitCutError) else "was taken back"
    detail = (
        f"The time of the request was over in the middle of its document. The first {number} of its {len(steps)} "
        f"mutations were run, to the end of `{last}`, and what they wrote is kept; `{running}` {became}, and none "
        "after it was begun. Read the rows before you send them again."
    )
    return UnavailableError("outcome_unknown", detail, headers=RETRY)


# Records


def _written(step: ChangeStep, result: MutationResult) -> Iterator[Written]:
    """A record for each row; one alone for what was only tried out, as no row was written."""
    record = Written(step.table.resource or "", step.operation, _key(step), 0, "dry_run")
    if step.is_dry_run:
        yield record
        return
    for key in result.keys:
        yield replace(record, row=key_text(key), rows=1, outcome="done")
    if not result.keys:
        yield replace(record, outcome="done")


def rolled_back(step: ChangeStep) -> Written:
    """Return the record of a mutation that was taken back, or not begun, because another of its transaction failed."""
    return Written(step.table.resource or "", step.operation, _key(step), 0, "rolled_back")


def _refused(step: ChangeStep, error: GatewayError) -> Written:
    return Written(step.table.resource or "", step.operation, _key(step), 0, code=error.code)


def _key(step: ChangeStep) -> str:
    return "" if step.key is None else key_text(step.key)
