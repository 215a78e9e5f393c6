"""A step that changes rows -> its planned mutation, by the very planners that REST's writes have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from gateway.graphql.steps import FORMAT, ChangeStep
from gateway.operations.mutations import (
    ChangedRow,
    ChangedRows,
    DeletedRow,
    DeletedRows,
    Mutation,
    NewRow,
    NewRows,
    Selection,
    Write,
    has_all,
)
from gateway.operations.tags import Precondition, given_tags
from gateway.query.access import Operation
from gateway.query.bulk import PlannedUpsert, plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.context import Context, Slots
from gateway.query.deletes import plan_delete
from gateway.query.intent import WriteIntent
from gateway.query.readback import plan_read_back
from gateway.query.writes import plan_create, plan_update, writable_table


def plan_change(context: Context, step: ChangeStep) -> Mutation:
    """Return the mutation of a step, with the read of what is selected of its rows.

    Raises:
        GatewayError: as the planners of writes and reads.
    """
    writable_table(context, step.table.resource or "", step.operation)
    write = _PLANNERS[step.operation](context, step)
    return Mutation(step.table, write, _selection(context, step, write), step.is_dry_run)


def _fresh(context: Context) -> Context:
    return replace(context, slots=Slots())


def _intent(step: ChangeStep, key: tuple[str, ...] | None, values: Mapping[str, object] | None) -> WriteIntent:
    return WriteIntent(step.table.resource or "", key, values, format=FORMAT)


def _create(context: Context, step: ChangeStep) -> Write:
    intents = [_intent(step, None, values) for values in step.values]
    if step.is_plural:
        return NewRows(plan_rows(_fresh(context), intents, step.on_conflict))
    if step.on_conflict is not None:
        return NewRow(plan_upsert(_fresh(context), intents[0], step.on_conflict))
    return NewRow(PlannedUpsert(plan_create(_fresh(context), intents[0])))


def _update(context: Context, step: ChangeStep) -> Write:
    if step.key is None:
        intent = _intent(step, (), step.values[0])
        return ChangedRows(plan_bulk_update(_fresh(context), intent, step.conditions, step.most))
    precondition = _precondition(step)
    intent = _intent(step, step.key, step.values[0])
    return ChangedRow(plan_update(_fresh(context), intent, is_tagged=precondition is not None), precondition)


def _delete(context: Context, step: ChangeStep) -> Write:
    if step.key is None:
        return DeletedRows(plan_bulk_delete(_fresh(context), step.table.resource or "", step.conditions, step.most))
    precondition = _precondition(step)
    intent = _intent(step, step.key, None)
    planned = plan_delete(_fresh(context), intent, is_tagged=precondition is not None)
    return DeletedRow(planned, step.key, precondition)


def _precondition(step: ChangeStep) -> Precondition | None:
    return None if step.if_match is None else Precondition(given_tags(step.if_match))


def _selection(context: Context, step: ChangeStep, write: Write) -> Selection | None:
    """What is shown of each row. Who may not read the table, or reads one without a key, is shown what a write has."""
    read = step.read
    if read is None:
        return None
    if not step.table.key or not context.access.may("read", step.table):
        return Selection(read.fields or (), bool(read.is_tagged))
    planned = plan_read_back(_fresh(context), read)
    fields = planned.plan.fields
    is_plain = not planned.plan.nodes and has_all(write, fields)
    return Selection(tuple(field.name for field in fields), bool(read.is_tagged), None if is_plain else planned)


_PLANNERS: Final[Mapping[Operation, Callable[[Context, ChangeStep], Write]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
}
