"""What a plan reaches beyond its own rows: fields, other tables, and what the caller's grants demand of them.

`with_reach` is the last pass over every plan. It notes the current day where a
derived field needs it, and for each other table that the statement enters, by
whatever way, the condition that the caller's grants put on its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from gateway.catalog.model import Column, ExpressionField, Field, PathField, Relationship, Table
from gateway.query.access import Access, Grant
from gateway.query.budget import DEFAULT_BUDGET, check_joins
from gateway.query.conditions import plan_conditions
from gateway.query.context import Context
from gateway.query.plan import (
    AggregatePlan,
    And,
    Compare,
    Condition,
    DatePart,
    Filters,
    Granted,
    Metric,
    Not,
    Or,
    PlanField,
    Prefix,
    Quantified,
    Reached,
    ReadPlan,
    Related,
    RelatedRow,
)

_Plan = TypeVar("_Plan", ReadPlan, AggregatePlan)


def with_reach(context: Context, plan: _Plan) -> _Plan:
    """Return a plan with the slot of the current day and the filters of the tables that it reaches."""
    # A column of the table itself reaches nothing, and most fields are columns.
    named: list[PlanField] = [field for field in _fields_of_plan(plan) if not isinstance(field, Column)]
    check_joins(context.budget, len(set(_joined(plan, named))))
    edges = (*_edges_of_plan(plan), *(edge for field in named for edge in _edges_of_field(field)))
    filters: Filters = tuple(_filters(context, dict.fromkeys(context.catalog.table_of(edge) for edge in edges)))
    demanded: list[PlanField] = [field for _, condition in filters for field in fields_of(condition)]
    is_dated = any(needs_today(field) for field in (*named, *demanded))
    if filters == plan.filters and not is_dated:
        return plan
    return replace(plan, filters=filters, today=context.today() if is_dated else plan.today)


def _joined(plan: ReadPlan | AggregatePlan, named: Iterable[PlanField]) -> Iterator[tuple[Relationship, ...]]:
    """Every row at the end of to-ones that the statement looks at, those on the way there too."""
    paths = [*_paths_of_condition(plan.condition)]
    paths.extend(path for field in named for path in _paths_of_field(field))
    if isinstance(plan, AggregatePlan):
        paths.extend(group.path for group in plan.groups if isinstance(group, RelatedRow))
    for path in paths:
        yield from (path[:end] for end in range(1, len(path) + 1))


def _paths_of_condition(condition: Condition) -> Iterator[tuple[Relationship, ...]]:
    match condition:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _paths_of_condition(part)
        case Not(part=part) | Granted(part=part):
            yield from _paths_of_condition(part)
        case Quantified(path=path):
            yield path
        case Compare() | Reached():
            return


def _paths_of_field(field: PlanField) -> Iterator[tuple[Relationship, ...]]:
    match field:
        case Related(path=path):
            yield path
        case DatePart(operand=operand) | Prefix(operand=operand):
            yield from _paths_of_field(operand)
        case Metric(operand=operand) if operand is not None:
            yield from _paths_of_field(operand)
        case _:
            return


def _filters(context: Context, tables: Iterable[Table]) -> Iterator[tuple[Table, Condition]]:
    for table in tables:
        parts = row_filter(context, table)
        if parts:
            yield table, And(parts)


def row_filter(context: Context, table: Table) -> tuple[Condition, ...]:
    """Return the conditions on every row of a table: rows that exist for nobody, and the grant's own filter.

    The filter is resolved with everything readable and a budget of its own: it is not the client's text.
    """
    grant = context.access.grant_on(table)
    excluded = _excluded(context, table)
    if grant is None or not grant.row_filter:
        return excluded
    unlimited = Access(context.access.principal, {"*": Grant(frozenset({"read"}))})
    budget = replace(DEFAULT_BUDGET, values=DEFAULT_BUDGET.values + len(context.slots.values))
    granted = replace(context, access=unlimited, budget=budget)
    return (*excluded, Granted(plan_conditions(granted, table, grant.row_filter)))


def _excluded(context: Context, table: Table) -> tuple[Condition, ...]:
    if table.excluded is None:
        return ()
    slots = tuple(context.slots.add(value) for value in table.excluded.values)
    return (Compare(table.excluded.column, "nin", slots),)


def needs_today(field: PlanField) -> bool:
    """Whether a field is worked out from the current day."""
    own = own_field(field)
    return isinstance(own, ExpressionField) and own.needs_today


def own_field(field: PlanField) -> Field | None:
    """Return the field of a table that a plan's field is made of; None for a bare count."""
    match field:
        case Related(field=inner):
            return inner
        case DatePart(operand=operand) | Prefix(operand=operand):
            return own_field(operand)
        case Metric(operand=operand):
            return own_field(operand) if operand is not None else None
        case _:
            return field


def fields_of(condition: Condition) -> tuple[PlanField, ...]:
    """Return the fields that a condition compares, on its own table and on those it reaches."""
    match condition:
        case Compare(field=field):
            return (field,)
        case And(parts=parts) | Or(parts=parts):
            return tuple(field for part in parts for field in fields_of(part))
        case Not(part=part) | Granted(part=part) | Reached(condition=part) | Quantified(condition=part):
            return fields_of(part)


def is_plain(condition: Condition) -> bool:
    """Whether a condition compares columns of its own table alone, or of the parent it is reached from."""
    match condition:
        case Compare(field=field):
            return isinstance(field, Column)
        case And(parts=parts) | Or(parts=parts):
            return all(is_plain(part) for part in parts)
        case Not(part=part) | Granted(part=part) | Reached(condition=part):
            return is_plain(part)
        case Quantified():
            return False


def is_granted(condition: Condition) -> bool:
    """Whether a caller's row filter is among the conditions that a row has to meet."""
    match condition:
        case Granted():
            return True
        case And(parts=parts):
            return any(is_granted(part) for part in parts)
        case _:
            return False


def _fields_of_plan(plan: ReadPlan | AggregatePlan) -> Iterator[PlanField]:
    yield from fields_of(plan.condition)
    yield from (key.field for key in plan.order)
    if isinstance(plan, ReadPlan):
        yield from plan.fields
        return
    yield from fields_of(plan.having)
    yield from plan.metrics
    yield from plan.labels
    yield from (group for group in plan.groups if not isinstance(group, RelatedRow))
    if plan.currency is not None:
        yield plan.currency


def _edges_of_plan(plan: ReadPlan | AggregatePlan) -> Iterator[Relationship]:
    """The relationships that conditions and groups follow; those of fields come with the fields."""
    yield from _edges_of_condition(plan.condition)
    if isinstance(plan, AggregatePlan):
        yield from (edge for group in plan.groups if isinstance(group, RelatedRow) for edge in group.path)


def _edges_of_condition(condition: Condition) -> Iterator[Relationship]:
    match condition:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _edges_of_condition(part)
        case Quantified(path=path, relationship=relationship, condition=part):
            yield from (*path, relationship)
            yield from _edges_of_condition(part)
        case Not(part=part) | Reached(condition=part):
            yield from _edges_of_condition(part)
        case Granted() | Compare():
            return


def _edges_of_field(field: PlanField) -> Iterator[Relationship]:
    match field:
        case Related(path=path, field=inner):
            yield from path
            yield from _edges_of_field(inner)
        case DatePart(operand=operand) | Prefix(operand=operand):
            yield from _edges_of_field(operand)
        case Metric(operand=operand) if operand is not None:
            yield from _edges_of_field(operand)
        case PathField(relationship=relationship):
            yield relationship
        case _:
            return
