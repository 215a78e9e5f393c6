"""Fields and conditions of one table in one statement, as SQL expressions.

A `Scope` is one table at one place of a statement. It gathers the grouped
subqueries that sums over to-many rows need, so that each is joined once however
often its sum is used.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add, and_, eq, ge, gt, le, lt, ne, sub
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from gateway.catalog.kinds import ColumnType
from gateway.catalog.model import (
    BinaryTerm,
    Catalog,
    Column,
    ColumnTerm,
    Expression,
    ExpressionField,
    Field,
    Guard,
    InTerm,
    NumberTerm,
    PathField,
    Relationship,
    SumTerm,
    Table,
    TodayTerm,
)
from gateway.query.conditions import LIKE_ESCAPE
from gateway.query.plan import And, Compare, Condition, Not, Or, Reached, Slot
from gateway.sql.dialects import (
    Element,
    bytewise,
    collated,
    constant,
    is_whole_number,
    is_zero_date,
    joined_text,
    number_in,
    slot_parameter,
)

_BINARY: Final = MappingProxyType(
    {"+": add, "-": sub, "<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne, "and": and_}
)


def source_of(table_name: str, alias: str) -> sa.FromClause:
    """Return a table under an alias; its columns are made as they are named."""
    return sa.table(table_name).alias(alias)


def column_of(source: sa.FromClause, name: str) -> Element:
    """Return a column of a source."""
    return sa.column(name, _selectable=source)


class Scope:
    """One table at one place of a statement."""

    def __init__(self, catalog: Catalog, table: Table, source: sa.FromClause, today: Slot | None) -> None:
        self.catalog = catalog
        self.dialect = catalog.dialect
        self.table = table
        self.source = source
        self.today = today
        self._sums: dict[tuple[Relationship, Column], tuple[sa.FromClause, Element]] = {}
        self._nested = 0
        self._is_showing = False

    def joined(self) -> sa.FromClause:
        """Return the table with every subquery that its expressions used so far."""
        whole = self.source
        for part, condition in self._sums.values():
            whole = whole.outerjoin(part, condition)
        return whole

    def _alias(self) -> str:
        self._nested += 1
        return f"{self.source.name}_{self._nested}"  # type: ignore[attr-defined]  # aliases have names

    # fields

    def shown(self, field: Field) -> Element:
        """Return the expression of a field that is selected, after those of conditions and order."""
        self._is_showing = True
        try:
            return self.element(field)
        finally:
            self._is_showing = False

    def element(self, field: Field) -> Element:
        """Return the expression of a field."""
        match field:
            case Column():
                return column_of(self.source, field.name)
            case PathField():
                return self._path(field)
            case ExpressionField():
                return self._rounded(self._term(field.expression), field.type)

    def _path(self, field: PathField) -> Element:
        """A scalar subquery: a picked to-one takes its first child, and no join can double rows."""
        relationship = field.relationship
        target = source_of(relationship.target, self._alias())
        columns = tuple(column_of(target, column.name) for column in field.columns)
        value = columns[0] if len(columns) == 1 else joined_text(columns, self.dialect)
        query: sa.Select[Any] = sa.select(value).select_from(target).where(self.edge(relationship, self.source, target))
        if relationship.pick is not None:
            key = self.catalog.tables[relationship.target].key
            query = query.order_by(*(column_of(target, column.name) for column in key))
        return query.limit(sa.literal_column("1")).correlate(self.source).scalar_subquery()

    def _rounded(self, element: Element, column_type: ColumnType) -> Element:
        """A comparison with a null is not met; on SQLite, money keeps the scale of its column."""
        if column_type.kind.name == "flag":
            return sa.func.coalesce(element, sa.literal_column("0"))
        if self.dialect == "sqlite" and column_type.kind.name == "decimal":
            return sa.func.round(element, sa.literal_column(str(column_type.scale or 0)))
        return element

    def _term(self, term: Expression) -> Element:
        match term:
            case ColumnTerm(column=column):
                return column_of(self.source, column.name)
            case NumberTerm(value=value):
                return sa.literal_column(str(value))
            case TodayTerm():
                assert self.today is not None
                return slot_parameter(self.today)
            case SumTerm():
                return self._sum(term)
            case InTerm(operand=operand, values=values):
                return self._term(operand).in_([sa.literal_column(str(value)) for value in values])
            case BinaryTerm():
                return self._binary(term)

    def _binary(self, term: BinaryTerm) -> Element:
        left, right = self._term(term.left), self._term(term.right)
        result: Element = _BINARY[term.operator](left, right)
        if term.operator in ("<", "<=", "<>") and isinstance(term.left, ColumnTerm):
            return self._without_zero_dates(result, left, term.left.column.type)
        return result

    def _sum(self, term: SumTerm) -> Element:
        """One grouped subquery per sum, joined once: a child's reference may have no index.

        Where it has one, a sum that is only shown is looked up for the rows that are
        shown: grouping 200,000 payments for one invoice takes 200 ms.
        """
        key = (term.relationship, term.column)
        if key not in self._sums and self._is_showing and self._is_indexed(term.relationship):
            return sa.func.coalesce(self._looked_up(*key), sa.literal_column("0"))
        if key not in self._sums:
            self._sums[key] = self._grouped(term.relationship, term.column)
        return sa.func.coalesce(column_of(self._sums[key][0], "total"), sa.literal_column("0"))

    def _is_indexed(self, relationship: Relationship) -> bool:
        return relationship.pairs[0][1] in self.catalog.tables[relationship.target].indexed

    def _looked_up(self, relationship: Relationship, column: Column) -> Element:
        child = source_of(relationship.target, self._alias())
        query = sa.select(sa.func.sum(column_of(child, column.name))).select_from(child)
        return query.where(self.edge(relationship, self.source, child)).correlate(self.source).scalar_subquery()

    def _grouped(self, relationship: Relationship, column: Column) -> tuple[sa.FromClause, Element]:
        child = source_of(relationship.target, self._alias())
        references = [column_of(child, remote) for _, remote in relationship.pairs]
        query = sa.select(*references, sa.func.sum(column_of(child, column.name)).label("total"))
        grouped = (
            query.select_from(child)
            .where(*self._guards(relationship.guards, child))
            .group_by(*references)
            .subquery(self._alias())
        )
        pairs = (column_of(grouped, remote) == column_of(self.source, local) for local, remote in relationship.pairs)
        return grouped, sa.and_(*pairs)

    # relationships

    def edge(self, relationship: Relationship, source: sa.FromClause, target: sa.FromClause) -> Element:
        """Return the condition under which a row of ``target`` is one of a row of ``source``."""
        holder = source if relationship.is_held_here else target
        picked = relationship.pick.guards if relationship.pick is not None else ()
        guards = tuple(dict.fromkeys((*relationship.guards, *picked)))
        parts = [self._pair(relationship, source, target, *pair) for pair in relationship.pairs]
        return sa.and_(*parts, *self._guards(guards, holder))

    def _pair(
        self, relationship: Relationship, source: sa.FromClause, target: sa.FromClause, local: str, remote: str
    ) -> Element:
        left, right = column_of(source, local), column_of(target, remote)
        if not relationship.is_text_reference:
            return left == right
        if relationship.is_held_here:
            return number_in(left, self.dialect) == right
        return left == number_in(right, self.dialect)

    def _guards(self, guards: tuple[Guard, ...], holder: sa.FromClause) -> list[Element]:
        return [self._guard(guard, column_of(holder, guard.column)) for guard in guards]

    def _guard(self, guard: Guard, element: Element) -> Element:
        match guard.operator:
            case "eq":
                return element == constant(guard.values[0])
            case "nonzero":
                return element != sa.literal_column("0")
            case "not_null":
                return element.is_not(None)
            case "in":
                return element.in_([constant(value) for value in guard.values])
            case "numeric":
                return is_whole_number(element, self.dialect)

    # conditions

    def condition(self, condition: Condition) -> Element:
        """Return the expression of a condition."""
        match condition:
            case Compare():
                return self._compare(condition)
            case And(parts=parts):
                return sa.and_(sa.true(), *(self.condition(part) for part in parts))
            case Or(parts=parts):
                return sa.or_(sa.false(), *(self.condition(part) for part in parts))
            case Not(part=part):
                return sa.not_(self.condition(part))
            case Reached():
                return self._reached(condition)

    def _reached(self, condition: Reached) -> Element:
        origin = source_of(condition.origin.name, self._alias())
        parent = Scope(self.catalog, condition.origin, origin, self.today)
        chosen = parent.condition(condition.condition)
        edge = self.edge(condition.relationship, origin, self.source)
        query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(parent.joined()).where(chosen, edge)
        return query.correlate(self.source).exists()

    def _compare(self, compare: Compare) -> Element:
        field = compare.field
        element = collated(self.element(field), field.type, self.dialect)
        slots = [slot_parameter(slot) for slot in compare.slots]
        match compare.operator:
            case "null" | "not_null":
                return self._nullness(element, field.type, is_null=compare.operator == "null")
            case "in":
                return element.in_(slots)
            case "nin":
                return self._without_zero_dates(element.not_in(slots), element, field.type)
            case "like":
                return element.like(slots[0], escape=LIKE_ESCAPE)
            case "nlike":
                return element.not_like(slots[0], escape=LIKE_ESCAPE)
            case "exact":
                return bytewise(self.element(field), slots[0], self.dialect)
            case "eq" | "gt" | "gte":
                return self._plain(compare.operator, element, slots[0])
            case "ne" | "lt" | "lte":
                plain = self._plain(compare.operator, element, slots[0])
                return self._without_zero_dates(plain, element, field.type)

    def _plain(self, operator: str, element: Element, operand: Element) -> Element:
        comparison: Element = _COMPARISONS[operator](element, operand)
        return comparison

    def _nullness(self, element: Element, column_type: ColumnType, *, is_null: bool) -> Element:
        zero = is_zero_date(element, column_type, self.dialect)
        missing = element.is_(None) if zero is None else sa.or_(element.is_(None), zero)
        if is_null:
            return missing
        return element.is_not(None) if zero is None else sa.and_(element.is_not(None), sa.not_(zero))

    def _without_zero_dates(self, comparison: Element, element: Element, column_type: ColumnType) -> Element:
        zero = is_zero_date(element, column_type, self.dialect)
        return comparison if zero is None else sa.and_(comparison, sa.not_(zero))


_COMPARISONS: Final[MappingProxyType[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}
)
