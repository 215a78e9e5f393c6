"""Write steps -> statements. With `sql.read`, the only place that writes SQL.

A step's values are slots, keys of earlier steps or closed expressions such as
``column + 1``; no value a client sent is ever part of the text.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from gateway.catalog.model import Catalog
from gateway.query.plan import (
    DeleteStep,
    Increment,
    InsertStep,
    SlotValue,
    StepKey,
    UpdateStep,
    WriteStep,
    WrittenColumn,
    WrittenValue,
)
from gateway.sql.dialects import Element, render, slot_parameter
from gateway.sql.scope import Scope
from gateway.sql.statement import Statement


def compile_step(catalog: Catalog, step: WriteStep, key_slots: Mapping[int, int]) -> Statement:
    """Return the statement of one step; ``key_slots`` maps earlier steps to the slots of their keys."""
    text, parameters = render(_element(catalog, step, key_slots), catalog.dialect)
    return Statement(text, parameters)


def _element(catalog: Catalog, step: WriteStep, key_slots: Mapping[int, int]) -> sa.ClauseElement:
    match step:
        case InsertStep():
            return _insert(step, key_slots)
        case UpdateStep():
            return _update(catalog, step, key_slots)
        case DeleteStep():
            return _delete(catalog, step)


def _target(name: str, columns: tuple[WrittenColumn, ...]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column.name) for column in columns))


def _value(target: sa.TableClause, column: WrittenColumn, value: WrittenValue, key_slots: Mapping[int, int]) -> Element:
    match value:
        case SlotValue(slot=slot):
            return slot_parameter(slot)
        case StepKey(step=step):
            return slot_parameter(key_slots[step])
        case Increment(amount=amount):
            return target.c[column.name] + sa.literal_column(str(amount))


def _insert(step: InsertStep, key_slots: Mapping[int, int]) -> sa.Insert:
    target = _target(step.table.name, tuple(column for column, _ in step.values))
    return sa.insert(target).values(
        {column.name: _value(target, column, value, key_slots) for column, value in step.values}
    )


def _update(catalog: Catalog, step: UpdateStep, key_slots: Mapping[int, int]) -> sa.Update:
    target = _target(step.table.name, tuple(column for column, _ in step.values))
    values = {column.name: _value(target, column, value, key_slots) for column, value in step.values}
    return sa.update(target).values(values).where(_chosen(catalog, step, target))


def _delete(catalog: Catalog, step: DeleteStep) -> sa.Delete:
    target = _target(step.table.name, ())
    return sa.delete(target).where(_chosen(catalog, step, target))


def _chosen(catalog: Catalog, step: UpdateStep | DeleteStep, target: sa.TableClause) -> Element:
    return Scope(catalog, step.table, target, None, is_joining=False).condition(step.condition)
