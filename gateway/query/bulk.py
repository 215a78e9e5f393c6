"""Writes of several rows -> plans: arrays, rows that a filter chooses, and rows that may be there already.

Every row is written by the plan of a single one, so that the same rules judge it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from gateway.catalog.model import Table
from gateway.errors import Issue, ValidationError
from gateway.query.access import Operation
from gateway.query.conditions import plan_conditions
from gateway.query.context import Context, Slots
from gateway.query.deletes import plan_delete_each
from gateway.query.intent import FilterIntent, WriteIntent
from gateway.query.judged import at_fault
from gateway.query.plan import Compare, InsertStep, Order, ReadPlan, SlotValue, Values
from gateway.query.planner import conjunction
from gateway.query.reach import row_filter, with_reach
from gateway.query.resolve import is_nameable
from gateway.query.writes import PlannedWrite, plan_create, plan_update_each, result_fields, writable_table

MOST_ROWS: Final = 1_000
"""How many rows one request may write."""

MOST_FAULTS: Final = 100
"""How many faults of an array are listed."""

OnConflict = Literal["update", "ignore"]


@dataclass(frozen=True, slots=True)
class PlannedUpsert:
    """A create and, when a row of its unique key may be there already, how to find it and what to do then.

    ``found`` reads the row that is there, with values of its own; ``update`` changes it, None to leave it.
    """

    create: PlannedWrite
    found: ReadPlan | None = None
    values: Values = ()
    update: PlannedWrite | None = None


@dataclass(frozen=True, slots=True)
class PlannedBulk:
    """The keys that a filter chooses, locked and in order, and the write of each of them.

    ``chosen`` reads one key more than the ``most`` that may be written.
    """

    chosen: ReadPlan
    values: Values
    each: PlannedWrite
    most: int


def _fresh(context: Context) -> Context:
    return replace(context, slots=Slots())


# Rows that a filter chooses


def plan_bulk_update(
    context: Context, intent: WriteIntent, conditions: Sequence[FilterIntent], most: int
) -> PlannedBulk:
    """Return the plan of one change to all rows that meet some conditions.

    Raises:
        GatewayError: as `plan_update`, and as reads do for the conditions.
    """
    table = writable_table(context, intent.resource, "update")
    each = plan_update_each(_fresh(context), intent)
    return _bulk(_fresh(context), table, conditions, most, each)


def plan_bulk_delete(context: Context, resource: str, conditions: Sequence[FilterIntent], most: int) -> PlannedBulk:
    """Return the plan of a delete of all rows that meet some conditions.

    Raises:
        GatewayError: as `plan_delete`, and as reads do for the conditions.
    """
    each = plan_delete_each(_fresh(context), resource)
    return _bulk(_fresh(context), each.table, conditions, most, each)


def _bulk(
    context: Context, table: Table, conditions: Sequence[FilterIntent], most: int, each: PlannedWrite
) -> PlannedBulk:
    asked = plan_conditions(context, table, tuple(conditions))
    condition = conjunction(asked, *row_filter(context, table))
    order = tuple(Order(column) for column in table.key)
    plan = ReadPlan(table, table.key, condition, order, is_locking=True)
    chosen = replace(with_reach(context, plan), limit=context.slots.add(most + 1))
    return PlannedBulk(chosen, context.slots.frozen(), each, most)


# Rows of an array, and rows that may be there already


def plan_rows(
    context: Context, intents: Iterable[WriteIntent], on_conflict: OnConflict | None
) -> tuple[PlannedUpsert, ...]:
    """Return the plans of the rows of an array, in order.

    Raises:
        ValidationError: naming the faults of every row, each by the pointer ``/index/field``.
        GatewayError: as `plan_create`.
    """
    planned: list[PlannedUpsert] = []
    issues: list[Issue] = []
    for number, intent in enumerate(intents):
        try:
            planned.append(plan_upsert(_fresh(context), intent, on_conflict, f"/{number}"))
        except ValidationError as error:
            issues.extend(error.issues)
            if len(issues) >= MOST_FAULTS:
                break
    if issues:
        raise at_fault(issues[:MOST_FAULTS])
    return tuple(planned)


def plan_new_rows(created: PlannedWrite, count: int) -> ReadPlan | None:
    """Return the plan that reads ``count`` new rows at once by their keys, which are its values.

    None where the database does not number the rows, so that each is read by itself.
    """
    one = created.plan.result
    if one is None or created.plan.key_slot is None or len(created.table.key) != 1:
        return None
    return replace(one, condition=Compare(created.table.key[0], "in", tuple(range(count))))


def plan_upsert(context: Context, intent: WriteIntent, on_conflict: OnConflict | None, path: str = "") -> PlannedUpsert:
    """Return the plan of one new row that may be there already.

    Raises:
        ForbiddenError: ``grant_missing``, also for the right to update where it would.
        ValidationError: ``conflict_key_missing``, and as `plan_create`.
        GatewayError: as `plan_create` and `plan_update`.
    """
    if on_conflict is not None:
        _check_grants(context, intent, on_conflict)
    create = plan_create(context, intent, path)
    if on_conflict is None:
        return PlannedUpsert(create)
    found, values = _found(_fresh(context), intent, create, path)
    update = plan_update_each(_fresh(context), intent, path) if on_conflict == "update" else None
    return PlannedUpsert(create, found, values, update)


def _check_grants(context: Context, intent: WriteIntent, on_conflict: OnConflict) -> None:
    due: tuple[Operation, ...] = ("create", "update") if on_conflict == "update" else ("create", "read")
    for operation in due:
        writable_table(context, intent.resource, operation)


def _found(context: Context, intent: WriteIntent, create: PlannedWrite, path: str) -> tuple[ReadPlan, Values]:
    """The read of the row that has the unique key of a new one."""
    table = create.table
    sent = _sent(create)
    key = _whole_key(table, sent)
    if key is None:
        raise _keyless(context, table, path)
    columns = table.column_by_name
    parts = [Compare(columns[name], "eq", (context.slots.add(sent[name]),)) for name in key]
    condition = conjunction(*parts, *row_filter(context, table))
    fields = result_fields(context, table, (each.field for each in create.custom))
    missing = tuple(column for column in table.key if column not in fields)
    plan = ReadPlan(table, (*fields, *missing), condition, format=intent.format, is_tagged=True)
    return with_reach(context, plan), context.slots.frozen()


def _sent(create: PlannedWrite) -> dict[str, object]:
    """The values that the client itself wrote, as the database takes them."""
    step = create.plan.steps[0]
    assert isinstance(step, InsertStep)
    values = {column.name: value.slot for column, value in step.values if isinstance(value, SlotValue)}
    return {name: create.values[slot] for name, slot in values.items() if name in create.sent}


def _whole_key(table: Table, sent: dict[str, object]) -> tuple[str, ...] | None:
    """The first unique key, the primary one before others, that stands whole among the values.

    NULLs are never equal, so they make no key.
    """
    primary = tuple(column.name for column in table.key)
    for key in (primary, *table.unique_keys):
        if key and all(sent.get(name) is not None for name in key):
            return key
    return None


def _keyless(context: Context, table: Table, path: str) -> ValidationError:
    """The refusal of a row without a key to look for; it names the keys that the caller may give."""
    keys = (tuple(column.name for column in table.key), *table.unique_keys)
    columns = table.column_by_name
    given = {name for name, column in columns.items() if is_nameable(context, table, column)}
    visible = [" and ".join(key) for key in keys if key and given.issuperset(key)]
    message = f"give {', or '.join(visible)}" if visible else "there is none"
    detail = f"A row that may be there already is looked for by a whole unique key of {table.resource}: {message}."
    issues = [Issue(message, pointer=path, code="required")] if path else ()
    return ValidationError("conflict_key_missing", detail, issues=issues)
