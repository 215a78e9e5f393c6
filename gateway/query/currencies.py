"""Which currency the money of a plan is in, where that may be several: sums over them mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.catalog.model import Field, Relationship, Table
from gateway.query.context import Context
from gateway.query.places import Place
from gateway.query.plan import AggregatePlan, And, Compare, Condition, Metric, Or, PlanField, Related, RelatedRow
from gateway.query.resolve import is_readable

_CHOOSING: Final = frozenset({"eq", "exact", "in", "like", "null"})


def mixed_currency(context: Context, plan: AggregatePlan) -> Field | Related | None:
    """Return the currency of the money that is added up, where the question neither groups by it nor filters it."""
    for metric in plan.metrics:
        currency = _currency_of(context, plan.table, metric)
        if currency is not None and not _is_settled(currency, plan):
            return currency
    return None


def _currency_of(context: Context, table: Table, metric: Metric) -> Field | Related | None:
    """The field that names the currency of what a metric is taken of; None where that is no money."""
    if metric.operand is None or metric.function == "count_distinct":
        return None
    path, own = _parted(metric.operand)
    holder = context.catalog.table_of(path[-1]) if path else table
    if own.name not in holder.money or not holder.currency:
        return None
    place = _place_at(context, Place(holder, path), holder.currency[:-1])
    field = place.table.fields.get(holder.currency[-1]) if place is not None else None
    if place is None or field is None or not is_readable(context, place.table, field):
        return None
    return place.field(field)


def _parted(field: Field | Related) -> tuple[tuple[Relationship, ...], Field]:
    """The to-ones that lead to a field, and the field."""
    return (field.path, field.field) if isinstance(field, Related) else ((), field)


def _place_at(context: Context, place: Place, names: Sequence[str]) -> Place | None:
    """The place that some to-ones lead to, None where they do not or the caller may not follow them."""
    for name in names:
        edge = place.table.relationships.get(name)
        if edge is None or edge.is_to_many or not context.access.may("read", context.catalog.table_of(edge)):
            return None
        place = Place(context.catalog.table_of(edge), (*place.path, edge))
    return place


def _chosen_by(condition: Condition) -> frozenset[PlanField]:
    """The fields whose values a condition names: each of its alternatives, and of the row itself.

    What is only left out (``ne``), or is demanded of other rows, leaves several.
    """
    match condition:
        case Compare(field=field, operator=operator) if operator in _CHOOSING:
            return frozenset({field})
        case And(parts=parts):
            return frozenset().union(*(_chosen_by(part) for part in parts))
        case Or(parts=parts) if parts:
            return frozenset.intersection(*(_chosen_by(part) for part in parts))
        case _:
            return frozenset()


def _is_settled(currency: Field | Related, plan: AggregatePlan) -> bool:
    """Whether the question groups by the currency or filters it, by its field or by the row that it refers to."""
    path, own = _parted(currency)

    def is_of_currency(way: tuple[Relationship, ...]) -> bool:
        edge = way[len(path)] if len(way) > len(path) and way[: len(path)] == path else None
        return edge is not None and any(local == own.name for local, _ in edge.pairs)

    named: list[PlanField] = [*_chosen_by(plan.condition)]
    named.extend(group for group in plan.groups if not isinstance(group, RelatedRow))
    ways = [field.path for field in named if isinstance(field, Related)]
    ways.extend(group.path for group in plan.groups if isinstance(group, RelatedRow))
    return currency in named or any(is_of_currency(way) for way in ways)
