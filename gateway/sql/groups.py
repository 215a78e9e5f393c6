"""Aggregate plans -> statements: groups with their metrics, and how many groups there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from gateway.catalog.kinds import DecodeContext, Decoder, decoder_of
from gateway.catalog.model import Catalog, Field
from gateway.query.plan import AggregatePlan, Group, Metric, PlanField, Related, RelatedRow
from gateway.sql.dialects import Element, collated, count_parameter, limited_count, render
from gateway.sql.read import plan_scope, where_of
from gateway.sql.scope import Scope
from gateway.sql.statement import Statement

_LEAST_WHOLE: Final = -(2**63)
_MOST_WHOLE: Final = 2**64 - 1


def compile_groups(catalog: Catalog, plan: AggregatePlan) -> Statement:
    """Return the statement of the groups of a plan, one row each.

    First come the cells that are shown: groups by a field, each with its label, and metrics; then the keys
    of the rows that groups are keyed by, a link for each; then the number of currencies.
    """
    scope = plan_scope(catalog, plan)
    grouped = [group_elements(scope, group) for group in plan.groups]
    shown = _shown(scope, plan, grouped)
    fields, cells = [field for field, _ in shown], [cell for _, cell in shown]
    links: list[tuple[int, ...]] = []
    for group, elements in zip(plan.groups, grouped, strict=True):
        if isinstance(group, RelatedRow):
            links.append(tuple(range(len(cells), len(cells) + len(elements))))
            cells.extend(elements)
    currencies = None
    if plan.currency is not None:
        currencies = len(cells)
        cells.append(currencies_of(scope, plan.currency))
    query = _grouped(scope, plan, cells, [element for elements in grouped for element in elements])
    query = query.order_by(*(_ordered(scope, plan, number) for number in range(len(plan.order))))
    text, parameters = render(_paged(query, plan), catalog.dialect)
    return Statement(
        text,
        parameters,
        tuple(field.name for field in fields),
        field_decoders(catalog, plan, fields),
        links=tuple(links),
        currencies=currencies,
    )


def compile_group_count(catalog: Catalog, plan: AggregatePlan, deadline_s: float | None) -> Statement:
    """Return the statement that counts the groups of a plan, stopped by the server after the deadline."""
    scope = plan_scope(catalog, plan)
    elements = [element for group in plan.groups for element in group_elements(scope, group)]
    cells = [element.label(f"g{place}") for place, element in enumerate(elements or [sa.func.count()])]
    inner = _grouped(scope, plan, cells, elements).subquery("g")
    text, parameters = render(sa.select(sa.func.count()).select_from(inner), catalog.dialect)
    return Statement(limited_count(text.replace("\n", ""), catalog.dialect, deadline_s), parameters)


def group_elements(scope: Scope, group: Group) -> list[Element]:
    """Return what rows are grouped by: a value as clients see it, or the key of a related row."""
    if isinstance(group, RelatedRow):
        return [scope.at(group.path).element(column) for column in group.key]
    return [collated(scope.value(group), group.type, scope.dialect)]


def _shown(scope: Scope, plan: AggregatePlan, grouped: Sequence[Sequence[Element]]) -> list[tuple[PlanField, Element]]:
    """The cells of a reply in its order, without those of the rows that groups are keyed by."""
    labels = {label.name: label for label in plan.labels}
    shown: list[tuple[PlanField, Element]] = []
    for group, elements in zip(plan.groups, grouped, strict=True):
        if not isinstance(group, RelatedRow):
            shown.append((group, elements[0]))
        label = labels.get(f"{group.name}_label")
        if label is not None:
            shown.append((label, scope.element(label)))
    return [*shown, *((metric, scope.element(metric)) for metric in plan.metrics)]


def _paged(query: sa.Select[Any], plan: AggregatePlan) -> sa.Select[Any]:
    if plan.limit is not None:
        query = query.limit(count_parameter(plan.limit))
    return query if plan.offset is None else query.offset(count_parameter(plan.offset))


def _grouped(scope: Scope, plan: AggregatePlan, cells: Sequence[Element], grouped: Sequence[Element]) -> sa.Select[Any]:
    where = where_of(scope, plan.condition)
    having = where_of(scope, plan.having)
    query: sa.Select[Any] = sa.select(*cells).select_from(scope.joined()).where(*where)
    if grouped:
        query = query.group_by(*grouped)
    return query.having(*having) if having else query


def _ordered(scope: Scope, plan: AggregatePlan, number: int) -> Element:
    key = plan.order[number]
    element = scope.value(key.field)
    if not isinstance(key.field, Metric):
        element = collated(element, key.field.type, scope.dialect)
    return element.desc() if key.is_descending else element.asc()


def currencies_of(scope: Scope, currency: Field | Related) -> Element:
    """Return over how many currencies the rows of a group are."""
    return sa.func.count(sa.distinct(scope.value(currency)))


def field_decoders(
    catalog: Catalog, plan: AggregatePlan, fields: Sequence[PlanField]
) -> tuple[tuple[int, Decoder], ...]:
    """Return the decoders of groups and metrics, by their places."""
    context = DecodeContext(catalog.dialect, catalog.zone, plan.format)
    found = ((place, _decoder(field, context)) for place, field in enumerate(fields))
    return tuple((place, decoder) for place, decoder in found if decoder is not None)


def _decoder(field: PlanField, context: DecodeContext) -> Decoder | None:
    """A sum of whole numbers comes as a DECIMAL and is a whole number."""
    decode = decoder_of(field.type, context)
    if isinstance(field, Metric) and field.type.kind.name == "integer":
        return _whole if decode is None else lambda value: decode(int(value))
    return decode


def _whole(value: Any) -> object:
    """A sum of BIGINTs may need more than 64 bits, which the encoder of JSON has not: its digits are sent then."""
    number = int(value)
    return number if _LEAST_WHOLE <= number <= _MOST_WHOLE else orjson.Fragment(str(number))
