"""Aggregate intents -> aggregate plans: groups, metrics, having, order and the rows that groups are keyed by.

A word of ``group`` is a field, a field that to-ones lead to, a period of a moment, or a
to-one itself, whose row then comes along. A word of ``metrics`` is ``count`` or a function
and a field. The words are the keys of the reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, get_args

from gateway.catalog.kinds import KINDS, ColumnType, parse_sql_type
from gateway.catalog.model import Column, Field, Relationship, Table
from gateway.errors import RequestError
from gateway.query.budget import check_embeds, check_number
from gateway.query.conditions import plan_comparison, plan_conditions, plan_search
from gateway.query.context import Context
from gateway.query.embeds import EmbedOptions, plan_grouped_row
from gateway.query.fields import label_of
from gateway.query.intent import AggregateIntent, ConditionIntent, EmbedIntent, OrderIntent
from gateway.query.operators import OPERATORS
from gateway.query.places import Followed, Place, field_at, follow, readable_at, single_field, unknown_at
from gateway.query.plan import (
    AggregatePlan,
    And,
    Compare,
    Condition,
    DatePart,
    DatePartName,
    Embed,
    Group,
    Metric,
    MetricFunction,
    Or,
    Order,
    PlanField,
    ReadPlan,
    Related,
    RelatedRow,
    Values,
)
from gateway.query.planner import (
    DEFAULT_PER_PAGE,
    conjunction,
    page_slots,
    parent_plan,
    reached_from,
    root_table,
    sized_page,
)
from gateway.query.reach import row_filter, with_reach
from gateway.query.resolve import is_readable
from gateway.query.suggest import nearest

PARTS: Final[Mapping[str, DatePartName]] = MappingProxyType({name: name for name in get_args(DatePartName)})
FUNCTIONS: Final[Mapping[str, MetricFunction]] = MappingProxyType({name: name for name in get_args(MetricFunction)})
_TEXT: Final = parse_sql_type("varchar(13)")
_WHOLE: Final = ColumnType(KINDS["integer"], "bigint", minimum=0, maximum=2**53)
_NUMBERS: Final = frozenset({"number"})
_ORDERED: Final = frozenset({"number", "text", "moment"})
_FAMILIES: Final[Mapping[MetricFunction, frozenset[str]]] = MappingProxyType(
    {
        "sum": _NUMBERS,
        "avg": _NUMBERS,
        "min": _ORDERED,
        "max": _ORDERED,
        "count_distinct": _ORDERED | {"binary", "list"},
    }
)
AVERAGE_DECIMALS: Final = 4
_CHOOSING: Final = frozenset({"eq", "exact", "in", "like", "null"})


def metric_families(function: MetricFunction) -> frozenset[str]:
    """Return the families of kinds that a function takes; none for ``count``, which counts rows."""
    return _FAMILIES.get(function, frozenset())


@dataclass(frozen=True, slots=True)
class PlannedGroups:
    """An aggregate plan with its values; the rest as in `planner.PlannedRead`.

    ``count`` counts the groups; None where there is one row over everything that no ``having`` may drop.
    """

    plan: AggregatePlan
    values: Values
    count: AggregatePlan | None = None
    parent: ReadPlan | None = None
    is_timeless: bool = True
    per_page: int = DEFAULT_PER_PAGE
    offset: int = 0


def plan_groups(context: Context, intent: AggregateIntent) -> PlannedGroups:
    """Return the plan of the groups of a resource's rows, or of a parent's rows.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
        RequestError: ``group_invalid``, ``metric_invalid``, and whatever else cannot be resolved.
    """
    table = root_table(context, intent)
    groups = _groups(context, table, intent)
    metrics = _metrics(context, table, intent.metrics or ("count",))
    plan = AggregatePlan(
        table,
        _condition(context, table, intent),
        groups=groups,
        metrics=tuple(metrics.values()),
        having=_having(context, table, intent.having),
        order=_order(groups, metrics, intent.order),
        format=intent.format,
        labels=_labels(context, table, groups) if intent.has_labels else (),
    )
    plan = replace(plan, currency=_mixed(context, plan))
    plan = with_reach(context, plan)
    counted = replace(plan, metrics=(), order=(), labels=(), currency=None, is_counted=True)
    page = sized_page(context, intent.page)
    limit, offset = page_slots(context, page)
    plan = replace(plan, limit=limit, offset=offset, embeds=_embeds(context, groups, intent))
    parent = parent_plan(context, intent.origin) if intent.origin is not None else None
    return PlannedGroups(
        plan,
        context.slots.frozen(),
        counted if groups or intent.having else None,
        parent,
        context.slots.is_timeless,
        page.limit if page.limit is not None else DEFAULT_PER_PAGE,
        page.offset,
    )


def _condition(context: Context, table: Table, intent: AggregateIntent) -> Condition:
    parts: list[Condition] = [reached_from(context, intent.origin)] if intent.origin is not None else []
    parts.append(plan_conditions(context, table, intent.conditions))
    if intent.search is not None:
        parts.append(plan_search(context, table, intent.search))
    return conjunction(*parts, *row_filter(context, table))


# Groups


def _groups(context: Context, table: Table, intent: AggregateIntent) -> tuple[Group, ...]:
    check_number(len(intent.groups), context.budget.groups, "groups", "group")
    groups: dict[str, Group] = {}
    for word in intent.groups:
        if word in groups:
            raise RequestError("group_invalid", f"{word} stands twice in group.", parameter="group")
        groups[word] = _group(context, table, word)
    return tuple(groups.values())


def _group(context: Context, table: Table, word: str) -> Group:
    followed = follow(context, Place(table), word.split("."), "group")
    if followed.many is not None:
        detail = f"{word} leads through {followed.many.name}, which is many rows: group those rows instead."
        raise RequestError("group_invalid", detail, parameter="group")
    if not followed.rest:
        return _related_row(followed, word)
    field, rest = readable_at(context, followed.place, followed.rest, "group")
    operand = followed.place.field(field)
    if rest:
        return _date_part(context, followed, operand, rest)
    if field.type.kind.family == "document":
        raise RequestError("group_invalid", f"{word} cannot be grouped by.", parameter="group")
    return operand


def _related_row(followed: Followed, word: str) -> RelatedRow:
    target = followed.place.table
    if not target.key:
        detail = f"Rows of {target.resource} have no key to group by: name one of its fields."
        raise RequestError("group_invalid", detail, parameter="group")
    return RelatedRow(followed.place.path, target.key)


def _date_part(context: Context, followed: Followed, operand: Field | Related, rest: Sequence[str]) -> DatePart:
    word = ".".join(rest)
    part = PARTS.get(word)
    kind = operand.type.kind.name
    if kind not in ("date", "datetime", "timestamp"):
        raise unknown_at(context, followed.place, followed.rest, "group")
    if part is None or (part == "hour" and kind == "date"):
        there_are = [name for name in PARTS if name != "hour" or kind != "date"]
        detail = f"{operand.name} has no part {word!r}. There are: {', '.join(there_are)}."
        raise RequestError("group_invalid", detail, parameter="group", suggestion=nearest(word, there_are))
    return DatePart(operand, part, _TEXT)


# Metrics


def _metrics(context: Context, table: Table, words: Sequence[str]) -> dict[str, Metric]:
    check_number(len(words), context.budget.metrics, "metrics", "metrics")
    metrics: dict[str, Metric] = {}
    for word in words:
        if word in metrics:
            raise RequestError("metric_invalid", f"{word} stands twice in metrics.", parameter="metrics")
        metrics[word] = _metric(context, table, word, "metrics")
    return metrics


def _metric(context: Context, table: Table, word: str, parameter: str) -> Metric:
    name, _, path = word.partition(".")
    function = FUNCTIONS.get(name)
    if function is None:
        close = nearest(name, FUNCTIONS)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(FUNCTIONS)}."
        detail = f"There is no metric {name!r}.{hint}"
        raise RequestError("metric_invalid", detail, parameter=parameter, suggestion=close)
    if function == "count" and not path:
        return Metric("count", None, _WHOLE)
    if function == "count" or not path:
        wants = "counts rows and takes no field" if function == "count" else f"takes a field, as in {name}.total"
        raise RequestError("metric_invalid", f"{name} {wants}.", parameter=parameter)
    operand = single_field(context, table, path, parameter)
    if operand.type.kind.family not in _FAMILIES[function]:
        detail = f"{name} cannot be taken of {path}, which is {operand.type.kind.summary}."
        raise RequestError("metric_invalid", detail, parameter=parameter)
    return Metric(function, operand, _metric_type(function, operand.type))


def _metric_type(function: MetricFunction, source: ColumnType) -> ColumnType:
    """What a metric is: its precision follows its source, so that it is a number where that is one.

    The least and the greatest of BIT fields come from the server as whole numbers and no bits.
    """
    if function == "count_distinct":
        return _WHOLE
    is_whole = source.kind.name in ("integer", "flag", "year", "bit")
    if (function == "sum" and is_whole) or (source.kind.name == "bit" and function != "avg"):
        return replace(_WHOLE, maximum=source.maximum, minimum=None)
    if function == "avg" and (is_whole or source.kind.name == "decimal"):
        scale = (source.scale or 0) + AVERAGE_DECIMALS
        return ColumnType(KINDS["decimal"], "decimal", precision=source.precision or 15, scale=scale)
    return source


def _having(context: Context, table: Table, intents: Sequence[ConditionIntent]) -> And:
    """Each condition may work out a metric of its own, so that there are as many as metrics at most."""
    if intents:
        check_number(len(intents), context.budget.metrics, "conditions on metrics", intents[-1].parameter)
    return And(tuple(_held(context, table, intent) for intent in intents))


def _held(context: Context, table: Table, intent: ConditionIntent) -> Condition:
    path = intent.path
    has_operator = len(path) > 1 and path[-1] in OPERATORS and path[-1] not in _columns_at(context, table, path[1:])
    words = path[:-1] if has_operator else path
    metric = _metric(context, table, ".".join(words), intent.parameter)
    return plan_comparison(context, metric, OPERATORS[path[-1] if has_operator else "eq"], intent)


def _columns_at(context: Context, table: Table, path: Sequence[str]) -> frozenset[str]:
    """The last word of a path, where it is a field and so no operator."""
    place = follow(context, Place(table), path, "having")
    field, rest = field_at(place.place.table, place.rest)
    return frozenset(path[-1:]) if field is not None and not rest else frozenset()


# Order, labels, currency


def _order(groups: Sequence[Group], metrics: Mapping[str, Metric], intents: Sequence[OrderIntent]) -> tuple[Order, ...]:
    """What the client names first, then the groups, so that no two rows tie."""
    known: dict[str, tuple[PlanField, ...]] = {group.name: _sorted_by(group) for group in groups}
    known.update((word, (metric,)) for word, metric in metrics.items())
    order: dict[PlanField, Order] = {}
    for intent in intents:
        fields = known.get(intent.field)
        if fields is None:
            close = nearest(intent.field, known)
            detail = f"{intent.field} is neither a group nor a metric of this query. There are: {', '.join(known)}."
            raise RequestError("sort_syntax", detail, parameter=intent.parameter, suggestion=close)
        if fields[0] in order:
            detail = f"{intent.field} stands twice in the sort."
            raise RequestError("sort_syntax", detail, parameter=intent.parameter)
        order.update((field, Order(field, intent.descending)) for field in fields)
    for group in groups:
        for field in _sorted_by(group):
            order.setdefault(field, Order(field))
    return tuple(order.values())


def _sorted_by(group: Group) -> tuple[PlanField, ...]:
    if isinstance(group, RelatedRow):
        return tuple(Related(group.path, column) for column in group.key)
    return (group,)


def _labels(context: Context, table: Table, groups: Sequence[Group]) -> tuple[Field | Related, ...]:
    """The words for the codes that rows are grouped by."""
    found: list[Field | Related] = []
    for group in groups:
        path, own = (group.path, group.field) if isinstance(group, Related) else ((), group)
        if isinstance(own, Column):
            place = Place(context.catalog.table_of(path[-1]) if path else table, path)
            label = label_of(context, place.table, own)
            if label is not None:
                found.append(place.field(label))
    return tuple(found)


def _embeds(context: Context, groups: Sequence[Group], intent: AggregateIntent) -> tuple[Embed, ...]:
    """The rows that groups are keyed by, with what they include; any other path belongs to no group."""
    check_embeds(context.budget, intent.embeds)
    rows = {group.name: group for group in groups if isinstance(group, RelatedRow)}
    own: dict[str, list[EmbedIntent]] = {name: [] for name in rows}
    for embed in intent.embeds:
        name = _grouped_by(embed, rows)
        own[name].append(replace(embed, path=embed.path[len(name.split(".")) :]))
    return tuple(
        plan_grouped_row(context, row.path[-1], own[name], EmbedOptions(intent.format, intent.has_labels, prefix=name))
        for name, row in rows.items()
    )


def _grouped_by(embed: EmbedIntent, rows: Mapping[str, RelatedRow]) -> str:
    for end in range(len(embed.path), 0, -1):
        name = ".".join(embed.path[:end])
        if name in rows:
            return name
    path = ".".join(embed.path)
    detail = f"{path} belongs to no group: group by the relationship it begins with."
    raise RequestError("include_unknown", detail, parameter=embed.parameter)


def _mixed(context: Context, plan: AggregatePlan) -> Field | Related | None:
    """The currency of the money that is added up, where the question neither groups by it nor filters it."""
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
