"""Read plans and counts -> statements. With `sql.write`, the only place that writes SQL.

What comes in: a frozen plan. What goes out: a `Statement`, which `sql.cache` keeps,
so that this runs once per plan shape and never on a cached plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from gateway.catalog.kinds import DecodeContext, Decoder, decoder_of
from gateway.catalog.model import Catalog, Column, Field
from gateway.query.plan import AggregatePlan, And, Condition, Order, ReadPlan
from gateway.sql.dialects import Element, collated, count_parameter, limited_count, render
from gateway.sql.scope import Scope, source_of
from gateway.sql.statement import Statement


def compile_read(catalog: Catalog, plan: ReadPlan) -> Statement:
    """Return the one statement of a read plan, with the decoders of its rows."""
    scope = Scope(catalog, plan.table, source_of(plan.table.name, "t"), plan.today)
    where = _where(scope, plan.condition)
    order = [_ordered(scope, key) for key in plan.order]
    chosen = _read_fields(plan)
    columns = [_selected(scope, field) for field in chosen] or [sa.literal_column("1")]
    query = sa.select(*columns).select_from(scope.joined()).where(*where).order_by(*order)
    if plan.limit is not None:
        query = query.limit(count_parameter(plan.limit))
    if plan.offset is not None:
        query = query.offset(count_parameter(plan.offset))
    if plan.is_locking:
        query = query.with_for_update()
    text, parameters = render(query, catalog.dialect)
    names = tuple(field.name for field in plan.fields)
    return Statement(text, parameters, names, _decoders(catalog, plan), _tagged(plan, chosen))


def _read_fields(plan: ReadPlan) -> tuple[Field, ...]:
    """What is shown, then what is read for the tag alone."""
    if not plan.is_tagged:
        return plan.fields
    shown = frozenset(plan.fields)
    return (*plan.fields, *(column for column in plan.table.columns if column not in shown))


def _tagged(plan: ReadPlan, chosen: tuple[Field, ...]) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """What picks the table's columns, in their order, from a row as it is read."""
    if not plan.is_tagged:
        return None
    place = {field: position for position, field in enumerate(chosen)}
    positions = [place[column] for column in plan.table.columns]
    if positions == list(range(positions[0], positions[0] + len(positions))):
        return itemgetter(slice(positions[0], positions[-1] + 1))
    return itemgetter(*positions)


def _selected(scope: Scope, field: Field) -> Element:
    element = scope.shown(field)
    return element if isinstance(field, Column) else element.label(field.name)


def _ordered(scope: Scope, key: Order) -> Element:
    element = collated(scope.element(key.field), key.field.type, scope.dialect)
    return element.desc() if key.is_descending else element.asc()


def _where(scope: Scope, condition: Condition) -> list[Element]:
    if isinstance(condition, And):
        return [scope.condition(part) for part in condition.parts]
    return [scope.condition(condition)]


def _decoders(catalog: Catalog, plan: ReadPlan) -> tuple[tuple[int, Decoder], ...]:
    context = DecodeContext(catalog.dialect, catalog.zone, plan.format)
    found = ((position, decoder_of(field.type, context)) for position, field in enumerate(plan.fields))
    return tuple((position, decoder) for position, decoder in found if decoder is not None)


def _counting(catalog: Catalog, plan: AggregatePlan, column: Element) -> sa.Select[tuple[int]]:
    scope = Scope(catalog, plan.table, source_of(plan.table.name, "t"), plan.today)
    where = _where(scope, plan.condition)
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
    return round(float(str(expected)) * float(str(kept if kept is not None else 100)) / 100)
