"""A read intent -> the plan that reads rows by their keys once those are known, as after a write.

It is the plan of one row by its key, with whatever comes along; the key's values stand in the first slots and are
filled by whoever runs it. `for_keys` makes it the plan of several rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.query.context import Context
from gateway.query.intent import ReadIntent
from gateway.query.plan import And, Compare, Condition, Or, ReadPlan, Slot, Values
from gateway.query.planner import (
    choose_fields,
    conjunction,
    embed_rows,
    narrow_access,
    note_reach,
    open_key,
    root_table,
)


@dataclass(frozen=True, slots=True)
class PlannedReadBack:
    """A plan of rows by their keys, whose first values are those of a key."""

    plan: ReadPlan
    values: Values


def plan_read_back(context: Context, intent: ReadIntent) -> PlannedReadBack:
    """Return the plan of rows that are yet to be named by their keys; nothing else of the intent chooses rows.

    Raises:
        MethodError: ``key_missing`` for a table without a key.
        GatewayError: as `query.planner.plan_read`.
    """
    table = root_table(context, intent)
    plan = ReadPlan(table, (), open_key(context, table), format=intent.format, is_tagged=bool(intent.is_tagged))
    for step in (choose_fields, narrow_access, note_reach, embed_rows):
        plan = step(context, intent, plan)
    return PlannedReadBack(plan, context.slots.frozen())


def for_keys(planned: PlannedReadBack, keys: Sequence[Sequence[object]]) -> PlannedReadBack:
    """Return the plan of the rows with some keys, at least one, which the driver takes as they are.

    Several keys are padded to a power of two with the last one, so that few statements serve all numbers of rows;
    the rows then come in no order, each with its key.
    """
    plan, width = planned.plan, len(planned.plan.table.key)
    if len(keys) == 1:
        return PlannedReadBack(plan, (*keys[0], *planned.values[width:]))
    size = 1 << (len(keys) - 1).bit_length()
    padded = (*keys, *[keys[-1]] * (size - len(keys)))
    first = len(planned.values)
    starts = (0, *(first + number * width for number in range(size - 1)))
    parts = plan.condition.parts if isinstance(plan.condition, And) else (plan.condition,)
    condition = conjunction(_any_key(plan, starts), *parts[width:])
    added = (cell for key in padded[1:] for cell in key)
    values = (*padded[0], *planned.values[width:], *added)
    return PlannedReadBack(replace(plan, condition=condition, is_followed=True), values)


def _any_key(plan: ReadPlan, starts: Sequence[Slot]) -> Condition:
    """The rows whose key is one of those that begin at some slots."""
    key = plan.table.key
    if len(key) == 1:
        return Compare(key[0], "in", tuple(starts))
    return Or(
        tuple(
            And(tuple(Compare(column, "eq", (start + number,)) for number, column in enumerate(key)))
            for start in starts
        )
    )
