"""Read plans and counts -> statements. With `sql.write`, the only place that writes SQL.

What comes in: a frozen plan. What goes out: a `Statement`, which `sql.cache` keeps,
so that this runs once per plan shape and never on a cached plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from gateway.catalog.kinds import DecodeContext, Decoder, ValueFormat, decoder_of
from gateway.catalog.model import Catalog, Column, Field
from gateway.query.plan import AggregatePlan, And, Condition, Node, Order, PlanField, ReadPlan, Slot
from gateway.sql.custom import custom_state
from gateway.sql.dialects import (
    Element,
    count_parameter,
    limited_count,
    render,
)
from gateway.sql.edges import link, source_of
from gateway.sql.explain import expected_rows
from gateway.sql.scope import Scope
from gateway.sql.statement import Constant, LinkValue, Positions, Statement


def compile_read(catalog: Catalog, plan: ReadPlan) -> Statement:
    """Return the one statement of a read plan, with the decoders of its rows."""
    scope = plan_scope(catalog, plan)
    where = where_of(scope, plan.condition)
    order = [ordered(scope, key) for key in plan.order]
    cells = Cells(scope, plan)
    query = sa.select(*cells.elements()).select_from(scope.joined()).where(*where).order_by(*order)
    if plan.limit is not None:
        query = query.limit(count_parameter(plan.limit))
    if plan.offset is not None:
        query = query.offset(count_parameter(plan.offset))
    if plan.is_locking:
        query = query.with_for_update()
    text, parameters = render(query, catalog.dialect)
    return cells.statement(text, parameters)


class Cells:
    """What a statement selects, each once: first the fields that are shown, then what else is read of a row."""

    def __init__(self, scope: Scope, plan: ReadPlan, references: Sequence[Element] = ()) -> None:
        self._scope = scope
        self._plan = plan
        self._elements: list[Element] = []
        self._places: dict[Field | str, int] = {}
        for field in plan.fields:
            self._place_of(field)
        self._tagged = self._tagged_places() if plan.is_tagged else ()
        followed = plan.order if plan.is_followed else ()
        self._order = tuple(self._sorted_place(key) for key in followed)
        has_places = plan.is_followed or bool(plan.embeds)
        self._key = tuple(self._place_of(column) for column in (plan.table.key if has_places else ()))
        self._links = tuple(tuple(self._add(element) for element in _links(scope, node)) for node in plan.nodes)
        self._reference = tuple(self._add(element) for element in references)

    def _tagged_places(self) -> Positions:
        """What a row's tag is made of: its columns, and what is stored of its custom fields."""
        table = self._plan.table
        columns = tuple(self._place_of(column) for column in table.columns)
        if not table.custom:
            return columns
        if self._scope.dialect == "sqlite":
            return (*columns, *(self._place_of(field) for field in table.custom))
        return (*columns, self._append(custom_state(table.custom, self._scope.source, "g")))

    def elements(self) -> list[Element]:
        """Return the expressions in order."""
        return self._elements or [sa.literal_column("1")]

    def statement(self, text: str, parameters: tuple[Slot | Constant | LinkValue, ...]) -> Statement:
        """Return the statement that selects these cells."""
        plan = self._plan
        return Statement(
            text,
            parameters,
            tuple(field.name for field in plan.fields),
            decoders(self._scope.catalog, plan.fields, plan.format),
            _picking(self._tagged) if plan.is_tagged else None,
            self._order,
            self._key,
            self._links,
            self._reference,
        )

    def _place_of(self, field: Field) -> int:
        if isinstance(field, Column):
            return self._add(self._scope.element(field))
        if field not in self._places:
            self._places[field] = self._append(self._scope.shown(field).label(field.name))
        return self._places[field]

    def _sorted_place(self, key: Order) -> int:
        if isinstance(key.field, Column):
            return self._place_of(key.field)
        if key.field in self._places:  # a derived field that is shown is not worked out twice
            return self._places[key.field]
        return self._add(self._scope.sorted(key.field))

    def _add(self, element: Element) -> int:
        """A column of the table is selected once, whatever it is read for; another table's may have its name."""
        if not isinstance(element, sa.ColumnClause) or element.table is not self._scope.source:
            return self._append(element)
        if element.name not in self._places:
            self._places[element.name] = self._append(element)
        return self._places[element.name]

    def _append(self, element: Element) -> int:
        self._elements.append(element)
        return len(self._elements) - 1


def _links(scope: Scope, node: Node) -> list[Element]:
    """What a row holds of what comes along with it, by which its statement asks for it."""
    if not scope.catalog.ties_numbers(node.relationship):
        return scope.key()
    return link(node.relationship, scope.source, scope.dialect)


def plan_scope(catalog: Catalog, plan: ReadPlan | AggregatePlan) -> Scope:
    """Return the scope of a plan's own table."""
    is_locking = isinstance(plan, ReadPlan) and plan.is_locking
    source = source_of(plan.table.name, "t")
    return Scope(catalog, plan.table, source, plan.today, plan.filters, is_joining=not is_locking)


def _picking(places: Positions) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What picks some cells, in their order, from a row as it is read."""
    if places == tuple(range(places[0], places[0] + len(places))):
        return itemgetter(slice(places[0], places[-1] + 1))
    return itemgetter(*places)


def ordered(scope: Scope, key: Order) -> Element:
    """Return a sort key as it stands in ORDER BY."""
    element = scope.sorted(key.field)
    return element.desc() if key.is_descending else element.asc()


def where_of(scope: Scope, condition: Condition) -> list[Element]:
    """Return the parts of a condition, all of which must hold."""
    if isinstance(condition, And):
        return scope.parts(condition.parts, sa.and_)
    return [scope.condition(condition)]


def decoders(
    catalog: Catalog, fields: Sequence[PlanField], value_format: ValueFormat
) -> tuple[tuple[int, Decoder], ...]:
    """Return the decoders of fields, by their places."""
    context = DecodeContext(catalog.dialect, catalog.zone, value_format)
    found = ((position, decoder_of(field.type, context)) for position, field in enumerate(fields))
    return tuple((position, decoder) for position, decoder in found if decoder is not None)


def _counting(catalog: Catalog, plan: AggregatePlan, column: Element) -> sa.Select[tuple[int]]:
    scope = plan_scope(catalog, plan)
    where = where_of(scope, plan.condition)
    return sa.select(column).select_from(scope.joined()).where(*where)


def compile_count(catalog: Catalog, plan: AggregatePlan, deadline_s: float | None) -> Statement:
    """Return the statement that counts, stopped by the server itself after the deadline."""
    text, parameters = render(_counting(catalog, plan, sa.func.count()), catalog.dialect)
    return Statement(limited_count(text.replace("\n", ""), catalog.dialect, deadline_s), parameters)


def compile_estimate(catalog: Catalog, plan: AggregatePlan) -> Statement | None:
    """Return the statement that asks the optimizer how many rows it expects; None where it cannot say.

    Its rows have the expected number and the percentage that the condition keeps at
    the positions that `estimated_rows` reads.
    """
    if catalog.dialect == "sqlite":
        return None
    text, parameters = render(_counting(catalog, plan, sa.literal_column("1")), catalog.dialect)
    word = "EXPLAIN EXTENDED" if catalog.dialect == "mariadb" else "EXPLAIN"
    return Statement(f"{word} {text}", parameters)


def estimated_rows(catalog: Catalog, rows: list[tuple[object, ...]]) -> int | None:
    """Return the number of rows an EXPLAIN expects of its first table, None when it does not say.

    MariaDB's EXPLAIN EXTENDED has rows and filtered at 8 and 9, MySQL's EXPLAIN,
    with its partitions, at 9 and 10.
    """
    position = 8 if catalog.dialect == "mariadb" else 9
    if not rows or len(rows[0]) <= position + 1 or rows[0][position] is None:
        return None
    expected, kept = rows[0][position], rows[0][position + 1]
    return round(expected_rows(expected) * float(str(kept if kept is not None else 100)) / 100)
