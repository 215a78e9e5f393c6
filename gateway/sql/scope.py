"""Fields and conditions of one table in one statement, as SQL expressions.

A `Scope` is one table at one place of a statement. It gathers the grouped
subqueries that sums over to-many rows need, so that each is joined once however
often its sum is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    CustomField,
    DerivedField,
    Expression,
    ExpressionField,
    Field,
    InTerm,
    LabelField,
    NumberTerm,
    PathField,
    Relationship,
    SumTerm,
    Table,
    TodayTerm,
)
from gateway.query.plan import (
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
    Related,
    Slot,
)
from gateway.sql.comparisons import compared, without_zero_dates
from gateway.sql.custom import custom_value, label_value
from gateway.sql.dialects import (
    Element,
    bytewise,
    collated,
    first_characters,
    is_zero_date,
    joined_text,
    slot_parameter,
)
from gateway.sql.edges import column_of, edge, guards, leads_to_one, source_of
from gateway.sql.periods import average, period

_MOST_NESTED: Final = 100
_BINARY: Final = MappingProxyType(
    {"+": add, "-": sub, "<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne, "and": and_}
)


def _unmet(met: Element) -> Element:
    """Whether a condition is not met; an unknown one is not, where NOT would leave it unknown."""
    unmet: Element = sa.func.coalesce(met, sa.false()) == sa.false()
    return unmet


class Scope:
    """One table at one place of a statement: its root, or what a relationship joins to it.

    ``filters`` are conditions of the caller's grants by table: they narrow the rows of
    a table wherever the statement enters it, which is here and nowhere else. Where a
    statement locks or changes rows nothing is joined (``is_joining``): a lock would take
    the joined rows too, so that what is looked up stands in subqueries.
    """

    def __init__(
        self,
        catalog: Catalog,
        table: Table,
        source: sa.FromClause,
        today: Slot | None,
        filters: Filters = (),
        root: Scope | None = None,
        *,
        is_joining: bool = True,
    ) -> None:
        self.catalog = catalog
        self.dialect = catalog.dialect
        self.table = table
        self.source = source
        self.today = today
        self._filters = filters
        self._root = root or self
        self._joins: list[tuple[sa.FromClause, Element]] = []
        self._nested = 0
        self._sums: dict[tuple[Relationship, Column], sa.FromClause] = {}
        self._joined: dict[tuple[Relationship, bool], Scope] = {}
        self._is_showing = False
        self._is_granted = False
        self._is_joining = is_joining

    def joined(self) -> sa.FromClause:
        """Return the table with everything that its expressions joined so far."""
        whole = self.source
        for part, condition in self._joins:
            whole = whole.outerjoin(part, condition)
        return whole

    def _alias(self) -> str:
        self._root._nested += 1
        return f"{self._root.source.name}_{self._root._nested}"  # type: ignore[attr-defined]  # aliases have names

    # fields

    def shown(self, field: PlanField) -> Element:
        """Return the expression of a field that is selected, after those of conditions and order."""
        self._is_showing = True
        try:
            return self.element(field)
        finally:
            self._is_showing = False

    def element(self, field: PlanField) -> Element:
        """Return the expression of a field."""
        match field:
            case Column():
                return column_of(self.source, field.name)
            case Related(path=path, field=inner):
                return self.at(path).element(inner) if self._is_joining else self._looked_up_at(path, inner)
            case Prefix(operand=operand, length=length):
                return first_characters(self.element(operand), length, self.dialect)
            case DatePart():
                return period(self.value(field.operand), field, self.catalog.zone, self.dialect)
            case Metric():
                return self._metric(field)
            case _:
                return self._derived(field)

    def _derived(self, field: DerivedField | CustomField | LabelField) -> Element:
        match field:
            case PathField():
                return self._path(field)
            case ExpressionField():
                return self._rounded(self._term(field.expression), field.type)
            case CustomField():
                return custom_value(field, self.source, self._alias(), self.dialect)
            case LabelField():
                return label_value(field, self.source)

    def value(self, field: PlanField) -> Element:
        """Return the expression of a field as clients see it: a zero date is null."""
        element = self.element(field)
        zero = is_zero_date(element, field.type, self.dialect)
        return element if zero is None else sa.case((zero, sa.null()), else_=element)

    def sorted(self, field: PlanField) -> Element:
        """Return what rows are sorted by for a field: text by its collation, zero dates with the nulls.

        A column that cannot be null needs no such care, and keeps the use of its index.
        """
        is_mixed = field.type.kind.family == "moment" and not (isinstance(field, Column) and not field.is_nullable)
        element = self.value(field) if is_mixed else self.element(field)
        return collated(element, field.type, self.dialect)

    def _metric(self, metric: Metric) -> Element:
        if metric.operand is None:
            return sa.func.count()
        value = collated(self.value(metric.operand), metric.operand.type, self.dialect)
        if metric.operand.type.kind.name == "bit":  # else MariaDB calls bits what it sends as digits
            value = value + sa.literal_column("0")
        match metric.function:
            case "count" | "count_distinct":
                return sa.func.count(sa.distinct(value))
            case "avg":
                return average(value, metric, self.dialect)
            case "sum":
                return sa.func.sum(value)
            case "min":
                return sa.func.min(value)
            case "max":
                return sa.func.max(value)

    def _path(self, field: PathField) -> Element:
        """A scalar subquery: a picked to-one takes its first child, and no join can double rows."""
        relationship = field.relationship
        target = source_of(relationship.target, self._alias())
        inner = self._inside(relationship, target)
        columns = tuple(column_of(target, column.name) for column in field.columns)
        value = columns[0] if len(columns) == 1 else joined_text(columns, self.dialect)
        return self._single(relationship, target, inner, value)

    # other tables

    def at(self, path: Sequence[Relationship]) -> Scope:
        """Return the row at the end of to-ones; it is joined once, and only where the caller may see it."""
        scope = self
        for relationship in path:
            scope = scope._beside(relationship)
        return scope

    def _beside(self, relationship: Relationship) -> Scope:
        key = (relationship, self._root._is_granted)
        if key not in self._joined:
            target = source_of(relationship.target, self._alias())
            table = self.catalog.tables[relationship.target]
            scope = Scope(self.catalog, table, target, self.today, self._filters, self._root)
            self._joined[key] = scope
            met = [self._one(relationship, table, target)]
            allowed = scope._allowed_in_join()
            if allowed is not None:
                met.append(allowed)
            self._root._joins.append((target, sa.and_(*met)))
        return self._joined[key]

    def _allowed_in_join(self) -> Element | None:
        """What the grants demand, as part of the join itself: it can name no table that would be joined later."""
        before = len(self._root._joins)
        allowed = self.allowed()
        if len(self._root._joins) == before:
            return allowed
        del self._root._joins[before:]
        self._joined.clear()
        self._sums.clear()
        return self._allowed_by_key()

    def _allowed_by_key(self) -> Element:
        source = source_of(self.table.name, self._alias())
        twin = Scope(self.catalog, self.table, source, self.today, self._filters)
        allowed = twin.allowed()
        keys = [column_of(source, column.name) == column_of(self.source, column.name) for column in self.table.key]
        if allowed is None or not keys:
            return sa.false()
        query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(twin.joined()).where(*keys, allowed)
        return query.correlate(self.source).exists()

    def tie(self, relationship: Relationship, table: Table, target: sa.FromClause) -> Element:
        """Return the condition under which a row of the target is one of the row's, or the one of a to-one."""
        if relationship.is_to_many:
            return edge(relationship, self.source, target, self.dialect)
        return self._one(relationship, table, target)

    def _one(self, relationship: Relationship, table: Table, target: sa.FromClause) -> Element:
        """The condition under which a row of the target is *the* row of a to-one: no join may double rows."""
        if leads_to_one(relationship, table):
            return edge(relationship, self.source, target, self.dialect)
        parts = [column_of(target, column.name) == self._picked(relationship, table, column) for column in table.key]
        return sa.and_(*parts) if parts else sa.false()

    def _picked(self, relationship: Relationship, table: Table, column: Column) -> Element:
        """One key column of the first row, by its key, that a relationship leads to."""
        source = source_of(relationship.target, self._alias())
        query: sa.Select[Any] = sa.select(column_of(source, column.name)).select_from(source)
        query = query.where(edge(relationship, self.source, source, self.dialect))
        query = query.order_by(*(column_of(source, part.name) for part in table.key))
        return query.limit(sa.literal_column("1")).correlate(self.source).scalar_subquery()

    def _looked_up_at(self, path: Sequence[Relationship], field: Field) -> Element:
        """A field at the end of to-ones, by a scalar subquery for each of them."""
        relationship, further = path[0], tuple(path[1:])
        target = source_of(relationship.target, self._alias())
        inner = self._inside(relationship, target)
        value = inner.element(Related(further, field) if further else field)
        return self._single(relationship, target, inner, value)

    def _single(self, relationship: Relationship, target: sa.FromClause, inner: Scope, value: Element) -> Element:
        """A value of the one row of a to-one; a row outside of what the caller may see is as good as none."""
        allowed = inner.allowed()
        if allowed is not None:
            value = sa.case((allowed, value), else_=sa.null())
        query: sa.Select[Any] = sa.select(value).select_from(inner.joined())
        query = query.where(edge(relationship, self.source, target, self.dialect))
        if not leads_to_one(relationship, inner.table):
            query = query.order_by(*inner.key())
        return query.limit(sa.literal_column("1")).correlate(self.source).scalar_subquery()

    def _inside(self, relationship: Relationship, source: sa.FromClause) -> Scope:
        """The target of a relationship in a subquery of its own."""
        table = self.catalog.tables[relationship.target]
        scope = Scope(self.catalog, table, source, self.today, self._filters, is_joining=self._is_joining)
        scope._is_granted = self._root._is_granted
        return scope

    def allowed(self) -> Element | None:
        """Return what the caller's grants demand of the table's rows; None where they demand nothing."""
        if self._root._is_granted:
            return None
        parts = [self.condition(condition) for table, condition in self._filters if table is self.table]
        return sa.and_(*parts) if parts else None

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
            return without_zero_dates(result, is_zero_date(left, term.left.column.type, self.dialect))
        return result

    def _sum(self, term: SumTerm) -> Element:
        """One grouped subquery per sum, joined once: a child's reference may have no index.

        Where it has one, a sum that is only shown is looked up for the rows that are
        shown: grouping 200,000 payments for one invoice takes 200 ms.
        """
        key = (term.relationship, term.column)
        is_looked_up = not self._is_joining or (self._is_showing and self._is_indexed(term.relationship))
        if key not in self._sums and is_looked_up:
            return sa.func.coalesce(self._looked_up(*key), sa.literal_column("0"))
        if key not in self._sums:
            part, condition = self._grouped(term.relationship, term.column)
            self._sums[key] = part
            self._root._joins.append((part, condition))
        return sa.func.coalesce(column_of(self._sums[key], "total"), sa.literal_column("0"))

    def _is_indexed(self, relationship: Relationship) -> bool:
        return relationship.pairs[0][1] in self.catalog.tables[relationship.target].indexed

    def _looked_up(self, relationship: Relationship, column: Column) -> Element:
        child = source_of(relationship.target, self._alias())
        query = sa.select(sa.func.sum(column_of(child, column.name))).select_from(child)
        return (
            query.where(edge(relationship, self.source, child, self.dialect)).correlate(self.source).scalar_subquery()
        )

    def _grouped(self, relationship: Relationship, column: Column) -> tuple[sa.FromClause, Element]:
        child = source_of(relationship.target, self._alias())
        references = [column_of(child, remote) for _, remote in relationship.pairs]
        query = sa.select(*references, sa.func.sum(column_of(child, column.name)).label("total"))
        grouped = (
            query.select_from(child)
            .where(*guards(relationship.guards, child, self.dialect))
            .group_by(*references)
            .subquery(self._alias())
        )
        pairs = (column_of(grouped, remote) == column_of(self.source, local) for local, remote in relationship.pairs)
        return grouped, sa.and_(*pairs)

    def key(self) -> list[Element]:
        """Return the columns of the table's key."""
        return [column_of(self.source, column.name) for column in self.table.key]

    # conditions

    def condition(self, condition: Condition) -> Element:
        """Return the expression of a condition."""
        match condition:
            case Compare():
                return self._compare(condition)
            case And(parts=parts):
                return sa.and_(sa.true(), *self.parts(parts, sa.and_))
            case Or(parts=parts):
                return sa.or_(sa.false(), *self.parts(parts, sa.or_))
            case Not(part=part, is_unknown_too=is_unknown_too):
                return _unmet(self.condition(part)) if is_unknown_too else sa.not_(self.condition(part))
            case Reached():
                return self._reached(condition)
            case Quantified():
                return self._quantified(condition)
            case Granted(part=part):
                return self._granted(part)

    def parts(self, parts: Sequence[Condition], joined: Callable[..., Element]) -> list[Element]:
        """Return the expressions of some parts that are joined.

        SQLite nests each in the next, 1,000 deep at most: there many stand in groups, whose comparison
        with 1 is unknown where the group is.
        """
        found = [self.condition(part) for part in parts]
        if self.dialect != "sqlite" or len(found) <= _MOST_NESTED:
            return found
        starts = range(0, len(found), _MOST_NESTED)
        return [joined(*found[start : start + _MOST_NESTED]) == sa.literal_column("1") for start in starts]

    def _granted(self, part: Condition) -> Element:
        """A grant's own condition goes by all rows: whoever wrote it may see them."""
        before, self._root._is_granted = self._root._is_granted, True
        try:
            return self.condition(part)
        finally:
            self._root._is_granted = before

    def _quantified(self, condition: Quantified) -> Element:
        found = self._found(condition.path, condition)
        return found if condition.quantifier == "some" else sa.not_(found)

    def _found(self, path: Sequence[Relationship], condition: Quantified) -> Element:
        """Whether there is a row that meets the condition; for ``every``, one that does not."""
        if path and self._is_joining:
            return self.at(path)._found((), condition)
        relationship = path[0] if path else condition.relationship
        target = source_of(relationship.target, self._alias())
        inner = self._inside(relationship, target)
        if path:
            met = inner._found(path[1:], condition)
        else:
            met = inner.condition(condition.condition)
            if condition.quantifier == "every":
                met = _unmet(met)
        allowed = inner.allowed()
        tie = edge(relationship, self.source, target, self.dialect)
        parts = (tie, met) if allowed is None else (tie, met, allowed)
        query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(inner.joined()).where(*parts)
        return query.correlate(self.source).exists()

    def _reached(self, condition: Reached) -> Element:
        origin = source_of(condition.origin.name, self._alias())
        parent = Scope(self.catalog, condition.origin, origin, self.today, self._filters)
        chosen = parent.condition(condition.condition)
        tie = parent.tie(condition.relationship, self.table, self.source)
        query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(parent.joined()).where(chosen, tie)
        return query.correlate(self.source).exists()

    def _compare(self, compare: Compare) -> Element:
        element = self.element(compare.field)
        if compare.operator == "exact":
            return bytewise(element, slot_parameter(compare.slots[0]), self.dialect)
        element = collated(element, compare.field.type, self.dialect)
        return compared(compare, element, is_zero_date(element, compare.field.type, self.dialect))
