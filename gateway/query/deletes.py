"""A delete intent -> a write plan: owned rows go along, freed ones forget the row, all other dependants block.

Which rows depend on a row is the relationship map's to say, internal tables
included (SPEC section 4, "Delete"). What is counted stops at `MOST_COUNTED`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.catalog.model import Column, InternalColumn, Relationship, Table, WriteMode
from gateway.query.context import Context
from gateway.query.intent import WriteIntent
from gateway.query.own import is_narrowed, narrowed
from gateway.query.plan import (
    And,
    Compare,
    Condition,
    DeleteStep,
    Not,
    Or,
    Reached,
    ReadPlan,
    Slot,
    SlotValue,
    UpdateStep,
    WritePlan,
    WrittenColumn,
)
from gateway.query.planner import conjunction, key_condition, open_key
from gateway.query.reach import row_filter, with_reach
from gateway.query.writes import Dependant, PlannedWrite, refuse, writable_table

MOST_COUNTED: Final = 100


def counted(number: int) -> str:
    """Return a number of rows as it is told: `MOST_COUNTED` is where counting stops.

    >>> counted(100), counted(101)
    ('100', '100+')
    """
    return str(number) if number <= MOST_COUNTED else f"{MOST_COUNTED}+"


def plan_delete(context: Context, intent: WriteIntent, *, is_tagged: bool = False) -> PlannedWrite:
    """Return the plan that locks a row, looks for what depends on it, and removes it with what it owns.

    With ``is_tagged`` the lock tells the row's tag.

    Raises:
        MethodError: ``write_not_supported``, ``key_missing``.
        ForbiddenError: ``grant_missing``.
        RequestError: ``key_invalid``.
    """
    table = _deletable_table(context, intent.resource)
    assert intent.key is not None
    return _planned_delete(context, table, key_condition(context, table, intent.key), is_tagged=is_tagged)


def plan_delete_each(context: Context, resource: str) -> PlannedWrite:
    """Return the plan of a delete of any row: `query.writes.with_key` says of which.

    Raises:
        GatewayError: as `plan_delete`.
    """
    table = _deletable_table(context, resource)
    return _planned_delete(context, table, open_key(context, table))


def _deletable_table(context: Context, resource: str) -> Table:
    table = writable_table(context, resource, "delete")
    if table.is_delete_forbidden:
        raise refuse("the whitelist forbids deleting its rows")
    if table.delete_refusal is not None:
        raise refuse(table.delete_refusal)
    return table


def _planned_delete(context: Context, table: Table, key: Condition, *, is_tagged: bool = False) -> PlannedWrite:
    condition = conjunction(key, *row_filter(context, table))
    fields = table.columns if table.mode is WriteMode.MANAGED else table.key
    locked = with_reach(context, ReadPlan(table, fields, condition, is_locking=True, is_tagged=is_tagged))
    edges = tuple(_edges(context, table, key, frozenset({table.name})))
    limit = context.slots.add(MOST_COUNTED + 1)
    freed_edges = tuple(edge for edge in edges if edge.relationship.is_freed)
    freed = tuple(_freed(context, table, key, edge) for edge in freed_edges)
    owned = tuple(DeleteStep(edge.child, edge.condition) for edge in reversed(edges) if edge.relationship.is_owned)
    going_along = _counting(context, (edge for edge in edges if edge.relationship.is_owned), {}, limit)
    staying = (edge for edge in edges if not (edge.relationship.is_owned or edge.relationship.is_freed))
    going = _going(table, key, edges)
    blocking = (*_counting(context, staying, going, limit), *_outside(context, freed_edges, going, limit))
    plan = WritePlan((locked,), (*freed, *owned, DeleteStep(table, key)))
    caller = narrowed(context)
    return PlannedWrite(plan, context.slots.frozen(), table, dependants=blocking, owned=going_along, caller=caller)


@dataclass(frozen=True, slots=True)
class _Edge:
    relationship: Relationship
    child: Table
    condition: Condition


def _edges(context: Context, table: Table, condition: Condition, seen: frozenset[str]) -> Iterator[_Edge]:
    """Every edge to rows that depend on the chosen ones, through owned rows as far as they reach.

    A table that owns rows of its own kind is followed one step: a row deleted with
    its parent does not take a second generation along unasked.
    """
    for relationship in context.catalog.dependants.get(table.name, ()):
        child = context.catalog.tables[relationship.target]
        reached = Reached(table, relationship, condition)
        yield _Edge(relationship, child, reached)
        if relationship.is_owned and child.name not in seen:
            yield from _edges(context, child, reached, seen | {child.name})


def _freed(context: Context, table: Table, key: Condition, edge: _Edge) -> UpdateStep:
    """The change that takes a reference out of the rows of an edge, which stay."""
    columns = edge.child.column_by_name
    values: list[tuple[WrittenColumn, SlotValue]] = []
    for _, name in edge.relationship.pairs:
        column = columns.get(name)
        written = column or edge.child.internal.get(name) or InternalColumn(name, table.key[0].type)
        values.append((written, SlotValue(context.slots.add(_nothing(column)))))
    return UpdateStep(edge.child, tuple(values), _direct(table, key, edge) or edge.condition)


def _nothing(column: Column | None) -> object:
    """What a column holds that refers to no row: the CRM's own "none", else NULL where it can be, else 0."""
    if column is not None and column.filler is not None and column.filler.kind == "constant":
        return column.filler.value
    return None if column is not None and column.is_nullable else 0


def _direct(table: Table, key: Condition, edge: _Edge) -> Compare | None:
    """The reference compared with the key of the row itself, so that an index finds the rows; None where it is not so.

    MySQL reads, and locks, the whole table for the same condition as a subquery.
    """
    relationship = edge.relationship
    column = edge.child.column_by_name.get(relationship.pairs[0][1])
    is_ours = relationship.source == table.name and [here for here, _ in relationship.pairs] == [table.key[0].name]
    is_plain = all(guard.operator == "nonzero" for guard in relationship.guards) and not relationship.is_text_reference
    if column is None or not isinstance(key, Compare) or not (is_ours and is_plain and len(table.key) == 1):
        return None
    return Compare(column, "eq", key.slots)


_Rows = Mapping[str, tuple[Condition, ...]]


def _counting(context: Context, edges: Iterable[_Edge], apart_from: _Rows, limit: Slot) -> tuple[Dependant, ...]:
    """The rows of each edge, but those ``apart_from`` and those of an edge before it: each row is counted once."""
    told = dict(apart_from)
    found: list[Dependant] = []
    for edge in edges:
        name, known = edge.child.name, told.get(edge.child.name, ())
        condition = _apart(edge.condition, known)
        found.extend(_told(context, edge.child, condition, limit))
        told[name] = (*known, edge.condition)
    return tuple(found)


def _apart(condition: Condition, known: Sequence[Condition]) -> Condition:
    return conjunction(condition, Not(Or(tuple(known)))) if known else condition


def _told(context: Context, child: Table, condition: Condition, limit: Slot) -> Iterator[Dependant]:
    """The rows of a child that meet a condition: by name the caller's own, the others summed up."""
    if not is_narrowed(context, child):
        yield Dependant(_named(context, child), ReadPlan(child, (), condition, limit=limit))
        return
    own = conjunction(condition, *row_filter(context, child))
    yield Dependant(_named(context, child), with_reach(context, ReadPlan(child, (), own, limit=limit)))
    yield Dependant(None, _others(context, child, condition, limit))


def _others(context: Context, child: Table, condition: Condition, limit: Slot) -> ReadPlan:
    """The rows of a child that meet a condition, and the caller's row filter not."""
    unmet = Not(And(row_filter(context, child)), is_unknown_too=True)
    return with_reach(context, ReadPlan(child, (), conjunction(condition, unmet), limit=limit))


def _outside(context: Context, freed: Iterable[_Edge], going: _Rows, limit: Slot) -> Iterator[Dependant]:
    """The rows that would forget the deleted one and are not the caller's to change: they stand in its way."""
    for edge in freed:
        if is_narrowed(context, edge.child):
            condition = _apart(edge.condition, going.get(edge.child.name, ()))
            yield Dependant(None, _others(context, edge.child, condition, limit))


def _going(table: Table, key: Condition, edges: Sequence[_Edge]) -> _Rows:
    """The rows that go, the row itself and what it owns, by the name of their table."""
    found: dict[str, tuple[Condition, ...]] = {table.name: (key,)}
    for edge in edges:
        if edge.relationship.is_owned:
            found[edge.child.name] = (*found.get(edge.child.name, ()), edge.condition)
    return found


def _named(context: Context, child: Table) -> str | None:
    """The resource name of a table the caller may read; others are only summed up."""
    return child.resource if context.access.may("read", child) else None
