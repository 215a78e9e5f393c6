"""Limits of chance on the tables of `query_world`: what a token may ask of them, and what it is told.

`permits` says in plain Python whether a question names only what its caller may read; `told` is the question as that
caller means it. Whoever may not ask is refused, everybody else is answered from the world of their own rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from tests.support.query_model import (
    All,
    Asked,
    AskedGroups,
    Children,
    Condition,
    Include,
    Leaf,
    Not,
    Parent,
    Some,
    World,
)
from tests.support.query_questions import SHAPE, leaves
from tests.support.query_world import EDGES, FIELDS, SEARCHED

_HELD: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("firm", "parent"): (("parent_id",), ("id",)),
    ("person", "firm"): (("firm_id",), ("id",)),
    ("job", "firm"): (("firm_id",), ("id",)),
    ("job", "agent"): (("agent_ref",), ("id",)),
    ("step", "job"): (("job_id",), ("id",)),
    ("memo", "job"): (("rel_type", "rel_id"), ("id",)),
    ("memo", "firm"): (("rel_type", "rel_id"), ("id",)),
    ("memo", "step"): (("step_job", "step_no"), ("job_id", "no")),
}


def _ties() -> dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]]:
    found = {}
    for edge, back in zip(EDGES[::2], EDGES[1::2], strict=True):
        here, there = _HELD[edge.source, edge.name]
        found[edge.source, edge.name] = (frozenset(here), frozenset(there))
        found[back.source, back.name] = (frozenset(there), frozenset(here))
    return found


TIES = _ties()
"""The columns that tie the rows of a relationship, of its source and of its target."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may do: the operations on each table, the columns of those with a list, and the rows."""

    operations: Mapping[str, frozenset[Operation]]
    columns: Mapping[str, frozenset[str]]
    rows: Mapping[str, Leaf]

    def access(self) -> Access:
        """Return the limits as the planner knows them."""
        return Access(
            "limited",
            {
                table: Grant(operations, self.columns.get(table), None, self._conditions(table))
                for table, operations in self.operations.items()
            },
        )

    def _conditions(self, table: str) -> tuple[ConditionIntent, ...]:
        leaf = self.rows.get(table)
        if leaf is None:
            return ()
        return (ConditionIntent((*leaf.path, leaf.field, leaf.operator), leaf.operand, "row filter"),)

    def reads(self, table: str, *columns: str) -> bool:
        """Whether rows of a table may be read, and these columns of them."""
        if "read" not in self.operations.get(table, frozenset()):
            return False
        return table not in self.columns or self.columns[table].issuperset(columns)

    def shown(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table that may be read, in their order."""
        return tuple(field.name for field in FIELDS[table] if self.reads(table, field.name))

    def follows(self, table: str, name: str) -> str | None:
        """Return the table that a relationship leads to; None where it is not to be followed."""
        target = SHAPE.edges[table, name].target
        here, there = TIES[table, name]
        return target if self.reads(table, *here) and self.reads(target, *there) else None

    def end(self, table: str, path: Iterable[str]) -> str | None:
        """Return the table at the end of relationships; None where one of them is not to be followed."""
        found: str | None = table
        for name in path:
            found = self.follows(found, name) if found is not None else None
        return found

    def world(self, world: World) -> World:
        """Return the rows that the caller may see, and the columns that a search looks into."""
        narrow = world.narrowed(self.rows)
        searched = {
            table: tuple(name for name in names if self.reads(table, name)) for table, names in SEARCHED.items()
        }
        return World(narrow.tables, narrow.edges, narrow.keys, searched)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Grants on most tables, lists of most columns on some of them, row filters on some, also by related rows."""
    operations: dict[str, frozenset[Operation]] = {}
    columns: dict[str, frozenset[str]] = {}
    rows: dict[str, Leaf] = {}
    for table, fields in FIELDS.items():
        kind = draw(st.sampled_from(["all", "all", "all", *["read"] * 7, "write", "none"]))
        if kind == "none":
            continue
        operations[table] = frozenset({"all": OPERATIONS, "read": ("read",), "write": ("create", "update")}[kind])
        if draw(st.sampled_from([False, False, False, True])):
            left_out = draw(st.sets(st.sampled_from([field.name for field in fields]), min_size=1, max_size=2))
            columns[table] = frozenset(field.name for field in fields) - left_out
        if draw(st.sampled_from([False, True])):
            rows[table] = draw(leaves(SHAPE, table, 1))
    return Limits(operations, columns, rows)


# Whether a question names only what may be read


def permits(limits: Limits, asked: Asked | AskedGroups) -> bool:
    """Whether everything that a question names is there for the caller."""
    table = asked.table
    if not limits.reads(table) or not all(_condition(limits, table, part) for part in asked.where):
        return False
    if isinstance(asked, AskedGroups):
        words = [(group.path, group.field) for group in asked.groups]
        words += [(metric.path, metric.field) for metric in asked.metrics]
        return all(_word(limits, table, *word) for word in words) and all(
            _grouped(limits, table, include) for include in asked.includes
        )
    if asked.search is not None and not any(limits.reads(table, name) for name in SEARCHED[table]):
        return False
    return (
        _columns(limits, table, asked.fields)
        and _sorts(limits, table, asked.sort)
        and _includes(limits, table, asked.includes)
    )


def _word(limits: Limits, table: str, path: Sequence[str], field: str | None) -> bool:
    end = limits.end(table, path)
    return end is not None and (field is None or limits.reads(end, field))


def _columns(limits: Limits, table: str, fields: Sequence[str] | None) -> bool:
    return limits.reads(table, *(fields or ()))


def _sorts(limits: Limits, table: str, sort: Sequence[str]) -> bool:
    words = [word.lstrip("-").split(".") for word in sort]
    return all(_word(limits, table, word[:-1], word[-1]) for word in words)


def _includes(limits: Limits, table: str, includes: Sequence[Include]) -> bool:
    return all(_include(limits, limits.follows(table, include.name), include) for include in includes)


def _grouped(limits: Limits, table: str, include: Include) -> bool:
    return _include(limits, limits.end(table, include.name.split(".")), include)


def _include(limits: Limits, target: str | None, include: Include) -> bool:
    return (
        target is not None
        and _columns(limits, target, include.fields)
        and _sorts(limits, target, include.sort)
        and all(_condition(limits, target, part) for part in include.where)
        and _includes(limits, target, include.includes)
    )


def _condition(limits: Limits, table: str, condition: Condition) -> bool:
    match condition:
        case Leaf(path=path, field=field):
            return _word(limits, table, path, field)
        case All(parts=parts) | Some(parts=parts):
            return all(_condition(limits, table, part) for part in parts)
        case Not(part=part):
            return _condition(limits, table, part)
        case Parent(path=path, part=part):
            end = limits.end(table, path)
            return end is not None and _condition(limits, end, part)
        case Children(path=path, many=many, part=part):
            end = limits.end(table, (*path, many))
            return end is not None and _condition(limits, end, part)


# What a question means to its caller


def told(limits: Limits, asked: Asked | AskedGroups) -> Asked | AskedGroups:
    """Return a permitted question with the columns that it shows where it names none."""
    if isinstance(asked, AskedGroups):
        ends = ((include, limits.end(asked.table, include.name.split("."))) for include in asked.includes)
        return replace(asked, includes=tuple(_told(limits, end, include) for include, end in ends if end is not None))
    fields = limits.shown(asked.table) if asked.fields is None else asked.fields
    return replace(asked, fields=fields, includes=_told_all(limits, asked.table, asked.includes))


def _told_all(limits: Limits, table: str, includes: Sequence[Include]) -> tuple[Include, ...]:
    ends = ((include, limits.follows(table, include.name)) for include in includes)
    return tuple(_told(limits, end, include) for include, end in ends if end is not None)


def _told(limits: Limits, target: str, include: Include) -> Include:
    fields = limits.shown(target) if include.fields is None else include.fields
    return replace(include, fields=fields, includes=_told_all(limits, target, include.includes))
