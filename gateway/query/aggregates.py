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

from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.model import Column, Field, Table
from gateway.errors import RequestError
from gateway.query.budget import check_embeds, check_number
from gateway.query.conditions import plan_comparison, plan_conditions, plan_search
from gateway.query.context import Context
from gateway.query.currencies import mixed_currency
from gateway.query.embeds import EmbedOptions, plan_grouped_row
from gateway.query.fields import label_of
from gateway.query.intent import AggregateIntent, ConditionIntent, EmbedIntent, OrderIntent
from gateway.query.metrics import chosen_metrics, metric_of
from gateway.query.operators import OPERATORS
from gateway.query.places import Followed, Place, field_at, follow, readable_at, unknown_at
from gateway.query.plan import (
    AggregatePlan,
    And,
    Condition,
    DatePart,
    DatePartName,
    Embed,
    Group,
    Metric,
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
from gateway.query.suggest import nearest

PARTS: Final[Mapping[str, DatePartName]] = MappingProxyType({name: name for name in get_args(DatePartName)})
_TEXT: Final = parse_sql_type("varchar(13)")


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
    metrics = chosen_metrics(context, table, intent.metrics)
    _check_words(groups, metrics, intent.parameters.groups)
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
    plan = replace(plan, currency=mixed_currency(context, plan))
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
        parts.append(plan_search(context, table, intent.search, intent.parameters.search))
    return conjunction(*parts, *row_filter(context, table))


# Groups


def _groups(context: Context, table: Table, intent: AggregateIntent) -> tuple[Group, ...]:
    parameter = intent.parameters.groups
    check_number("groups", len(intent.groups), context.budget.groups, "groups", parameter)
    groups: dict[str, Group] = {}
    for word in intent.groups:
        if word in groups:
            raise RequestError("group_invalid", f"{word} stands twice in {parameter}.", parameter=parameter)
        groups[word] = _group(context, table, word, parameter)
    return tuple(groups.values())


def _group(context: Context, table: Table, word: str, parameter: str) -> Group:
    followed = follow(context, Place(table), word.split("."), parameter)
    if followed.many is not None:
        detail = f"{word} leads through {followed.many.name}, which is many rows: group those rows instead."
        raise RequestError("group_invalid", detail, parameter=parameter)
    if not followed.rest:
        return _related_row(followed, parameter)
    field, rest = readable_at(context, followed.place, followed.rest, parameter)
    operand = followed.place.field(field)
    if rest:
        return _date_part(context, followed, operand, rest, parameter)
    if field.type.kind.family == "document":
        raise RequestError("group_invalid", f"{word} cannot be grouped by.", parameter=parameter)
    return operand


def _related_row(followed: Followed, parameter: str) -> RelatedRow:
    target = followed.place.table
    if not target.key:
        detail = f"Rows of {target.resource} have no key to group by: name one of its fields."
        raise RequestError("group_invalid", detail, parameter=parameter)
    return RelatedRow(followed.place.path, target.key)


def _date_part(
    context: Context, followed: Followed, operand: Field | Related, rest: Sequence[str], parameter: str
) -> DatePart:
    word = ".".join(rest)
    part = PARTS.get(word)
    kind = operand.type.kind.name
    if kind not in ("date", "datetime", "timestamp"):
        raise unknown_at(context, followed.place, followed.rest, parameter)
    if part is None or (part == "hour" and kind == "date"):
        there_are = [name for name in PARTS if name != "hour" or kind != "date"]
        detail = f"{operand.name} has no part {word!r}. There are: {', '.join(there_are)}."
        raise RequestError("group_invalid", detail, parameter=parameter, suggestion=nearest(word, there_are))
    return DatePart(operand, part, _TEXT)


# Having


def _check_words(groups: Sequence[Group], metrics: Mapping[str, Metric], parameter: str) -> None:
    """Pass unless a column is called like a metric and both are asked for: they would have one key in the reply."""
    for group in groups:
        if group.name in metrics:
            detail = f"{group.name} is a field to group by and a metric of this query: ask for one of them."
            raise RequestError("group_invalid", detail, parameter=parameter)


def _having(context: Context, table: Table, intents: Sequence[ConditionIntent]) -> And:
    """Each condition may work out a metric of its own, so that there are as many as metrics at most."""
    if intents:
        most = context.budget.metrics
        check_number("metrics", len(intents), most, "conditions on metrics", intents[-1].parameter)
    return And(tuple(_held(context, table, intent) for intent in intents))


def _held(context: Context, table: Table, intent: ConditionIntent) -> Condition:
    path = intent.path
    has_operator = len(path) > 1 and path[-1] in OPERATORS and not _is_operand(context, table, path)
    words = path[:-1] if has_operator else path
    metric = metric_of(context, table, ".".join(words), intent.parameter)
    return plan_comparison(context, metric, OPERATORS[path[-1] if has_operator else "eq"], intent)


def _is_operand(context: Context, table: Table, path: Sequence[str]) -> bool:
    """Whether a word that is an operator's name is the field that a metric is taken of; rows are counted of none."""
    return path[:-1] != ("count",) and path[-1] in _columns_at(context, table, path[1:])


def _columns_at(context: Context, table: Table, path: Sequence[str]) -> frozenset[str]:
    """The last word of a path, where it is a field and so no operator."""
    place = follow(context, Place(table), path, "having")
    field, rest = field_at(place.place.table, place.rest)
    return frozenset(path[-1:]) if field is not None and not rest else frozenset()


# Order, labels, rows


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
