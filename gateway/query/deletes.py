"""A delete intent -> a write plan: owned rows go along, all other dependants block.

Which rows depend on a row is the relationship map's to say, internal tables
included (SPEC section 4, "Delete"). What is counted stops at `MOST_COUNTED`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.catalog.model import Relationship, Table, WriteMode
from gateway.query.context import Context
from gateway.query.intent import WriteIntent
from gateway.query.plan import Condition, DeleteStep, Not, Or, Reached, ReadPlan, WritePlan
from gateway.query.planner import conjunction, key_condition, row_filter, with_today
from gateway.query.writes import Dependant, PlannedWrite, refuse, writable_table

MOST_COUNTED: Final = 100


def plan_delete(context: Context, intent: WriteIntent) -> PlannedWrite:
    """Return the plan that locks a row, looks for what depends on it, and removes it with what it owns.

    Raises:
        MethodError: ``write_not_supported``, ``key_missing``.
        ForbiddenError: ``grant_missing``.
        RequestError: ``key_invalid``.
    """
    table = writable_table(context, intent.resource, "delete")
    if table.is_delete_forbidden:
        raise refuse("the whitelist forbids deleting its rows")
    if table.delete_refusal is not None:
        raise refuse(table.delete_refusal)
    assert intent.key is not None
    key = key_condition(context, table, intent.key)
    condition = conjunction(key, *row_filter(context, table))
    fields = table.columns if table.mode is WriteMode.MANAGED else table.key
    locked = with_today(context, ReadPlan(table, fields, condition, is_locking=True))
    edges = tuple(_edges(context, table, key, frozenset({table.name})))
    limit = context.slots.add(MOST_COUNTED + 1)
    owned = tuple(DeleteStep(edge.child, edge.condition) for edge in reversed(edges) if edge.relationship.is_owned)
    going = _going(table, key, edges)
    blocking = tuple(
        Dependant(_named(context, edge.child), ReadPlan(edge.child, (), _staying(edge, going), limit=limit))
        for edge in edges
        if not edge.relationship.is_owned
    )
    plan = WritePlan((locked,), (*owned, DeleteStep(table, key)))
    return PlannedWrite(plan, context.slots.frozen(), table, dependants=blocking)


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


_Going = Mapping[str, tuple[Condition, ...]]


def _going(table: Table, key: Condition, edges: Sequence[_Edge]) -> _Going:
    """The rows that go, the row itself and what it owns, by the name of their table."""
    found: dict[str, tuple[Condition, ...]] = {table.name: (key,)}
    for edge in edges:
        if edge.relationship.is_owned:
            found[edge.child.name] = (*found.get(edge.child.name, ()), edge.condition)
    return found


def _staying(edge: _Edge, going: _Going) -> Condition:
    """The rows of an edge that would be left behind: what goes along never blocks, though it depend on the rest."""
    gone = going.get(edge.child.name)
    return conjunction(edge.condition, Not(Or(gone))) if gone else edge.condition


def _named(context: Context, child: Table) -> str | None:
    """The resource name of a table the caller may read; others are only summed up."""
    return child.resource if context.access.may("read", child) else None
