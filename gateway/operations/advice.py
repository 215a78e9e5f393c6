"""What would make a query cheap: the index that it lacks, in words that its client may read.

What comes in: a plan, and what its statement would look at. What goes out: sentences. They
name columns that the client named itself; others only where its access shows that it may
read them. A hidden column is as good as not there, even where it is the one without an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.catalog.model import (
    BinaryTerm,
    Catalog,
    Column,
    Expression,
    ExpressionField,
    InTerm,
    PathField,
    Relationship,
    SumTerm,
    Table,
)
from gateway.query.access import Access
from gateway.query.plan import (
    AggregatePlan,
    And,
    Compare,
    Condition,
    DatePart,
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
    Values,
)
from gateway.sql.explain import Estimate

Plan = ReadPlan | AggregatePlan

_SERVED: Final = frozenset({"eq", "gt", "gte", "lt", "lte", "in", "null", "not_null", "exact"})
_MEASURED: Final = _SERVED | {"ne", "nin"}
_WILDCARDS: Final = ("%", "_")
_FEW: Final = 0.1
"""The share of all rows below which a table is not what makes a query expensive."""


def is_measurable(plan: Plan, values: Values) -> bool:
    """Whether the database can know how many rows meet a plan's condition: an index holds each part of it.

    Where it cannot, reading for a page may go on to the end of the table before the page is full.
    """
    return _is_measurable(plan.table, plan.condition, values)


def _is_measurable(table: Table, condition: Condition, values: Values) -> bool:
    match condition:
        case Compare(field=field, operator=operator):
            is_indexed = isinstance(field, Column) and field.name in table.indexed
            return is_indexed and (operator in _MEASURED or _is_served(condition, values))
        case And(parts=parts) | Or(parts=parts):
            return all(_is_measurable(table, part, values) for part in parts)
        case Granted(part=part):
            return _is_measurable(table, part, values)
        case Reached(relationship=edge):
            is_plain = not edge.guards and not edge.is_text_reference and edge.pick is None
            return is_plain and edge.pairs[0][1] in table.indexed
        case Not() | Quantified():
            return False


def _is_served(compare: Compare, values: Values) -> bool:
    """Whether an index on the column could lead to the rows."""
    if compare.operator == "like":
        return not str(values[compare.slots[0]]).startswith(_WILDCARDS)
    return compare.operator in _SERVED


def advice(
    catalog: Catalog, plan: Plan, values: Values, estimate: Estimate, access: Access | None = None
) -> tuple[str, ...]:
    """Return what would help, about the table of most rows first; at least one sentence.

    Without ``access`` no column is named but those that the client named.
    """
    ways = tuple(_ways(catalog, plan, values))
    found = [_lacking(table, ways, access) for table in _costly(catalog, estimate)]
    sentences = tuple(dict.fromkeys(filter(None, found)))
    return sentences or (_of_order(plan, values, access) or _of_root(plan, access),)


def _costly(catalog: Catalog, estimate: Estimate) -> list[Table]:
    """The tables that are read whole, else all that are read: those of most rows first, without those of few."""
    costly = [part for part in estimate.parts if part.rows >= estimate.rows * _FEW]
    wholes = [part for part in costly if part.is_whole]
    names = (part.table for part in sorted(wholes or costly, key=lambda part: -part.rows))
    return [catalog.tables[name] for name in dict.fromkeys(names) if name in catalog.tables]


def _lacking(table: Table, ways: Sequence[_Way], access: Access | None) -> str | None:
    lacking = [way for way in ways if way.table is table and way.column.name not in table.indexed]
    names = dict.fromkeys(way.column.name for way in lacking if way.may_be_named(access))
    if names:
        return f"{table.resource} has no index on {_either(tuple(names))}."
    return next((way.words for way in lacking if way.words), None)


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _of_order(plan: Plan, values: Values, access: Access | None) -> str | None:
    """What keeps an index from serving the order of a page whose condition is served."""
    if not isinstance(plan, ReadPlan) or not plan.order or not is_measurable(plan, values):
        return None
    table, first = plan.table, plan.order[0].field
    if not isinstance(first, Column):
        return f"No index serves a sort by {first.name}; sort by an indexed field of {table.resource}, or narrow it."
    if first.name not in table.indexed:
        return f"{table.resource} has no index on {first.name}."
    are_told = all(_is_told(plan, key.field, access) for key in plan.order)
    if are_told and len({key.is_descending for key in plan.order}) > 1:
        sign = "-" if plan.order[0].is_descending else ""
        names = ",".join(sign + key.field.name for key in plan.order)
        return f"An index serves a sort in one direction only, as in sort={names}."
    return None


def _is_told(plan: ReadPlan, field: PlanField, access: Access | None) -> bool:
    """Whether a part of an order may be named: the key at its end is not always one that the client may read."""
    if not isinstance(field, Column) or field not in plan.table.key or field in plan.fields:
        return True
    return access is not None and access.may_read_column(plan.table, field)


def _of_root(plan: Plan, access: Access | None) -> str:
    table = plan.table
    shown: Sequence[object] = plan.fields if isinstance(plan, ReadPlan) else plan.groups
    known = [c for c in table.columns if c in shown or (access is not None and access.may_read_column(table, c))]
    names = [column.name for column in known if column.name in table.indexed]
    hint = f"; narrow it by {_either(names)}, where {table.resource} has an index" if names else ""
    return f"No missing index would help this query{hint}."


# What a plan finds rows by


@dataclass(frozen=True, slots=True)
class _Way:
    """A column that rows are found by, and what to say of it to those who may not know the column."""

    table: Table
    column: Column
    words: str = ""

    def may_be_named(self, access: Access | None) -> bool:
        """Whether the client named the column itself, or may at least read it."""
        if self.table.resource is None:
            return False
        return not self.words or (access is not None and access.may_read_column(self.table, self.column))


def _ways(catalog: Catalog, plan: Plan, values: Values) -> Iterator[_Way]:
    yield from _of_condition(catalog, plan.table, plan.condition, values)
    for field in _named_fields(plan):
        yield from _of_field(catalog, field)


def _named_fields(plan: Plan) -> tuple[PlanField | RelatedRow, ...]:
    if isinstance(plan, ReadPlan):
        return (*plan.fields, *(key.field for key in plan.order))
    return (*plan.groups, *plan.metrics)


def _of_condition(catalog: Catalog, table: Table, condition: Condition, values: Values) -> Iterator[_Way]:
    """The ways of a condition; what the caller's grants demand is not the client's to know."""
    match condition:
        case Compare(field=field):
            if _is_served(condition, values):
                yield from _of_compared(catalog, table, field)
            yield from _of_field(catalog, field)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _of_condition(catalog, table, part, values)
        case Not(part=part):
            yield from _of_condition(catalog, table, part, values)
        case Quantified(path=path, relationship=edge, condition=part):
            yield from _of_path(catalog, (*path, edge))
            yield from _of_condition(catalog, catalog.tables[edge.target], part, values)
        case Reached(origin=origin, relationship=edge, condition=part):
            yield from _of_path(catalog, (edge,))
            yield from _of_condition(catalog, origin, part, values)
        case Granted():
            return


def _of_compared(catalog: Catalog, table: Table, field: PlanField) -> Iterator[_Way]:
    match field:
        case Column():
            yield _Way(table, field)
        case Related(path=path, field=Column() as column):
            yield _Way(catalog.tables[path[-1].target], column)
        case _:
            return


def _of_field(catalog: Catalog, field: PlanField | RelatedRow) -> Iterator[_Way]:
    """The references that a field follows to other tables."""
    match field:
        case Related(path=path, field=end):
            yield from _of_path(catalog, path)
            yield from _of_field(catalog, end)
        case RelatedRow(path=path):
            yield from _of_path(catalog, path)
        case DatePart(operand=operand) | Prefix(operand=operand):
            yield from _of_field(catalog, operand)
        case Metric(operand=operand) if operand is not None:
            yield from _of_field(catalog, operand)
        case PathField(name=name, relationship=edge):
            yield from _of_edge(catalog, edge, f"{name} is read from rows that no index leads to.")
        case ExpressionField(name=name, expression=expression):
            for edge in _summed(expression):
                yield from _of_edge(catalog, edge, f"{name} needs a sum over rows that no index leads to.")
        case _:
            return


def _summed(expression: Expression) -> Iterator[Relationship]:
    match expression:
        case SumTerm(relationship=edge):
            yield edge
        case BinaryTerm(left=left, right=right):
            yield from _summed(left)
            yield from _summed(right)
        case InTerm(operand=operand):
            yield from _summed(operand)
        case _:
            return


def _of_path(catalog: Catalog, path: Sequence[Relationship]) -> Iterator[_Way]:
    for edge in path:
        resource = catalog.tables[edge.source].resource
        yield from _of_edge(catalog, edge, f"No index leads from {resource} to their {edge.name}.")


def _of_edge(catalog: Catalog, edge: Relationship, words: str) -> Iterator[_Way]:
    """How the rows of the other table are found, unless by a text that has to be read as a number first."""
    target = catalog.tables[edge.target]
    column = target.fields.get(edge.pairs[0][1])
    if isinstance(column, Column) and (edge.is_held_here or not edge.is_text_reference):
        yield _Way(target, column, words)
