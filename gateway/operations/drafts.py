"""A planned write as its rule sees it, and what becomes of what the rule and the database say: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.catalog.model import Column, CustomField, Table
from gateway.errors import ConflictError, Issue, ValidationError
from gateway.execution.failures import ValueRefusedError
from gateway.operations.managed.model import Child, Draft, Extension, Operation, Row, UpdateRows
from gateway.operations.managed.rows import plain_value
from gateway.query.children import PlannedChild, WrittenCustom
from gateway.query.coerce import Clock
from gateway.query.deletes import counted
from gateway.query.judged import at_fault, pointer
from gateway.query.plan import InsertStep, SlotValue, UpdateStep, WriteStep
from gateway.query.writes import PlannedWrite, altered


def draft_of(
    planned: PlannedWrite,
    operation: Operation,
    table: str,
    staff: int,
    clock: Clock,
    values: Row,
    stored: Row | None = None,
) -> Draft:
    """Return a write as its rule sees it."""
    children = {name: tuple(_child(planned, row) for row in rows) for name, rows in planned.children.items()}
    unix = int(clock.now.timestamp())
    shown = planned.plan.result.fields if planned.plan.result is not None else ()
    readable = frozenset(field.name for field in shown)
    return Draft(
        table,
        operation,
        values,
        planned.sent,
        clock.wall,
        staff,
        stored or {},
        children,
        unix=unix,
        readable=readable,
    )


def _child(planned: PlannedWrite, child: PlannedChild) -> Child:
    nested = {name: tuple(_child(planned, row) for row in rows) for name, rows in child.children.items()}
    return Child(values_of(planned, child.slots()), nested)


def values_of(planned: PlannedWrite, slots: Mapping[str, int]) -> dict[str, object]:
    """Return the values of some columns, by their slots."""
    return {name: planned.values[slot] for name, slot in slots.items()}


def inserted_values(planned: PlannedWrite) -> dict[str, object]:
    """Return what the first step of a create writes."""
    return _step_values(planned, planned.plan.steps[0])


def new_key(planned: PlannedWrite) -> tuple[object, ...]:
    """Return the key of a row that was made, as the driver has it; empty where it cannot be found by one.

    The slot of a number that the database gives must be filled by now.
    """
    if planned.plan.result is None:
        return ()
    sent, slot = inserted_values(planned), planned.plan.key_slot
    number = planned.values[slot] if slot is not None else None
    return tuple(sent.get(column.name, number) for column in planned.table.key)


def updated_values(planned: PlannedWrite) -> dict[str, object]:
    """Return what the step of a change writes, nothing when it changes nothing."""
    return _step_values(planned, planned.plan.steps[0]) if planned.plan.steps else {}


def _step_values(planned: PlannedWrite, step: WriteStep) -> dict[str, object]:
    if not isinstance(step, InsertStep | UpdateStep):
        return {}
    slots = {column.name: value.slot for column, value in step.values if isinstance(value, SlotValue)}
    return values_of(planned, slots)


def plain_stored(table: Table, stored: Mapping[str, Any]) -> dict[str, object]:
    """Return the locked row as rules take it."""
    types = {column.name: column.type for column in table.columns}
    return {name: plain_value(types[name], value) for name, value in stored.items() if name in types}


def corrections(table: Table, draft: Draft, extension: Extension) -> tuple[UpdateRows, ...]:
    """Return what the rule makes of the main row, as far as it differs from what is there."""
    after = draft.after()
    changed = {name: value for name, value in extension.main.items() if name not in after or after[name] != value}
    if not changed:
        return ()
    return (UpdateRows(draft.table, {column.name: draft.stored[column.name] for column in table.key}, changed),)


def all_children(planned: PlannedWrite) -> Iterator[PlannedChild]:
    """Yield the nested rows of a create, those of nested rows too."""
    stack = [child for rows in planned.children.values() for child in rows]
    while stack:
        child = stack.pop()
        yield child
        stack.extend(nested for rows in child.children.values() for nested in rows)


def written_custom(
    planned: PlannedWrite,
) -> Iterator[tuple[str, Table, frozenset[str], tuple[tuple[CustomField, str], ...]]]:
    """Yield the custom fields of a create: by the label of their row, with its table and what was sent of it."""
    if planned.custom:
        yield "", planned.table, planned.sent, _texts(planned, planned.custom)
    for label, child in labelled(planned.children):
        if child.custom:
            yield label, child.table, child.sent, _texts(planned, child.custom)


def _texts(planned: PlannedWrite, custom: Iterable[WrittenCustom]) -> tuple[tuple[CustomField, str], ...]:
    return tuple((each.field, str(planned.values[each.slot])) for each in custom)


def labelled(children: Mapping[str, tuple[PlannedChild, ...]], at: str = "") -> Iterator[tuple[str, PlannedChild]]:
    """Yield nested rows with their labels (``items.0``), each after its parent."""
    for name, rows in children.items():
        for number, child in enumerate(rows):
            label = f"{at}{name}.{number}"
            yield label, child
            yield from labelled(child.children, f"{label}.")


def check_computed(
    planned: PlannedWrite, row: Mapping[str, Any], clock: Clock, before: Mapping[str, Any] | None = None
) -> None:
    """Pass when what the rule computed is what the client had sent, or only sent back as it was ``before``."""
    sent = [item for item in planned.computed if item.column.name in row]
    if before is not None:
        sent = [item for item in sent if altered([item], before, clock)]
    issues = altered(sent, row, clock)
    if issues:
        raise at_fault(issues)


def in_use(planned: PlannedWrite, found: Mapping[str, int]) -> ConflictError:
    """Return the refusal of a delete that rows stand in the way of, counted by resource."""
    counts = {name: counted(count) for name, count in found.items()}
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    issues = [Issue(f"{name}: {count} rows depend on this one", code="dependant") for name, count in counts.items()]
    detail = f"Rows depend on this one of {planned.table.resource}: {listed}. Delete or move them first."
    return ConflictError("dependants", detail, issues=issues)


def key_of(planned: PlannedWrite, row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the key of a row as a reply has it, empty where the reply has no key."""
    return tuple(row[column.name] for column in planned.table.key if column.name in row)


def named(error: ValueRefusedError, planned: PlannedWrite) -> ValidationError:
    """Return the database's refusal with the field it concerns, when that is one the plan writes by name."""
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
