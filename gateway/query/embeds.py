"""Embed intents -> what comes along with rows: one plan node, and so one statement, per relationship named.

A path of relationships includes each of its parts. Every node is planned like a read
of its own, with the caller's fields, filters and row filter; rows of a to-many are
limited per parent, and the numbers that are asked for instead of them are over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat
from gateway.catalog.model import Relationship, Table
from gateway.errors import RequestError
from gateway.query.budget import check_embeds, check_hops
from gateway.query.conditions import plan_conditions
from gateway.query.context import Context
from gateway.query.currencies import mixed_currency
from gateway.query.fields import chosen_fields
from gateway.query.intent import EmbedIntent
from gateway.query.metrics import chosen_metrics
from gateway.query.orders import chosen_order, key_order
from gateway.query.places import entered
from gateway.query.plan import AggregatePlan, And, Embed, Node, ReadPlan, Summary
from gateway.query.reach import row_filter, with_reach
from gateway.query.resolve import readable_relationships, relationship_of
from gateway.query.suggest import nearest

DEFAULT_LIMIT: Final = 100
"""How many rows of a to-many come along with each parent unless the client says otherwise."""


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """What holds for every embed of a query.

    ``default_limit`` is None where all rows are meant. ``prefix`` is the group that the paths
    of a query of groups begin with.
    """

    format: ValueFormat = PLAIN_FORMAT
    has_labels: bool = False
    default_limit: int | None = DEFAULT_LIMIT
    prefix: str = ""

    def path_of(self, intent: EmbedIntent) -> str:
        """Return the path of an embed as the request has it."""
        return ".".join((*((self.prefix,) if self.prefix else ()), *intent.path))


@dataclass(slots=True)
class _Node:
    """One relationship of the tree that the paths of a query make."""

    intent: EmbedIntent
    parts: dict[str, _Node] = field(default_factory=dict)


def plan_embeds(context: Context, plan: ReadPlan, intents: Sequence[EmbedIntent], options: EmbedOptions) -> ReadPlan:
    """Return a plan with what comes along with its rows, in the order it was named; numbers come after rows.

    Raises:
        RequestError: ``include_unknown``, ``query_too_large``, ``page_invalid``, ``metric_invalid``,
            ``parameter_invalid``, and as `plan_conditions`.
        ForbiddenError: ``grant_missing`` for a table that is included.
    """
    if not intents:
        return plan
    check_embeds(context.budget, intents)
    return _with_nodes(context, plan, _tree(intents), options)


def _tree(intents: Iterable[EmbedIntent]) -> Mapping[str, _Node]:
    root = _Node(EmbedIntent(()))
    for intent in intents:
        node = root
        for end, name in enumerate(intent.path, start=1):
            node = node.parts.setdefault(name, _Node(EmbedIntent(intent.path[:end], parameter=intent.parameter)))
        node.intent = intent
    return root.parts


def _with_nodes(context: Context, plan: ReadPlan, nodes: Mapping[str, _Node], options: EmbedOptions) -> ReadPlan:
    if not nodes:
        return plan
    found = [_planned(context, _edge(context, plan.table, node.intent), node, options) for node in nodes.values()]
    embeds = tuple(node for node in found if isinstance(node, Embed))
    return replace(plan, embeds=embeds, summaries=tuple(node for node in found if isinstance(node, Summary)))


def _edge(context: Context, table: Table, intent: EmbedIntent) -> Relationship:
    check_hops(context.budget, len(intent.path), intent.parameter)
    edge = relationship_of(context, table, intent.followed)
    if edge is None:
        raise include_unknown(context, table, intent.followed, intent.parameter)
    if not table.key and not context.catalog.ties_numbers(edge):
        detail = f"{edge.name} cannot be included: rows of {table.resource} have no key to tell them apart by."
        raise RequestError("include_unknown", detail, parameter=intent.parameter)
    return edge


def include_unknown(context: Context, table: Table, name: str, parameter: str) -> RequestError:
    """Return the error for a name that is no relationship of a table."""
    close = nearest(name, readable_relationships(context.access, context.catalog, table))
    hint = f" Did you mean {close}?" if close else ""
    detail = f"{table.resource} has no relationship {name!r}.{hint}"
    return RequestError("include_unknown", detail, parameter=parameter, suggestion=close)


def _planned(context: Context, edge: Relationship, node: _Node, options: EmbedOptions) -> Node:
    if node.intent.metrics is not None:
        return _summary(context, edge, node, options)
    plan = plan_embedded(context, edge, node.intent, options)
    return Embed(node.intent.path[-1], edge, _with_nodes(context, plan, node.parts, options))


def _summary(context: Context, edge: Relationship, node: _Node, options: EmbedOptions) -> Summary:
    """Numbers are over every row that the conditions choose, whatever number of rows a list would show."""
    intent = node.intent
    _check_numbers(edge, node)
    table = entered(context, edge)
    metrics = chosen_metrics(context, table, intent.metrics or (), intent.parameter)
    condition = _chosen(context, table, intent)
    plan = AggregatePlan(table, condition, metrics=tuple(metrics.values()), format=options.format)
    plan = replace(plan, currency=mixed_currency(context, plan))
    return Summary(intent.path[-1], edge, with_reach(context, plan))


def _check_numbers(edge: Relationship, node: _Node) -> None:
    """Refuse what means nothing of numbers; saying so beats dropping what the client wrote."""
    intent, name = node.intent, node.intent.path[-1]
    if not edge.is_to_many:
        detail = f"{edge.name} is one row; numbers are taken over the rows of a list."
        raise RequestError("metric_invalid", detail, parameter=intent.parameter)
    inside = next(iter(node.parts.values()), None)
    if inside is not None:
        detail = f"{name} has no relationship {inside.intent.path[-1]!r}: it is numbers over rows."
        raise RequestError("include_unknown", detail, parameter=inside.intent.parameter)
    is_sized = intent.limit is not None or intent.offset
    if intent.fields is not None or intent.order or is_sized or intent.takes_labels or intent.is_tagged:
        detail = f"{name} is numbers over rows, which have no fields, no order, no limit and no offset."
        raise RequestError("parameter_invalid", detail, parameter=intent.parameter)


def _chosen(context: Context, table: Table, intent: EmbedIntent) -> And:
    """The rows that the client's conditions and the caller's row filter leave."""
    return And((*plan_conditions(context, table, intent.conditions).parts, *row_filter(context, table)))


def plan_embedded(context: Context, edge: Relationship, intent: EmbedIntent, options: EmbedOptions) -> ReadPlan:
    """Return the plan of the rows that a relationship leads to, without what they include in turn."""
    table = entered(context, edge)
    where = f"fields[{options.path_of(intent)}]"
    fields = chosen_fields(
        context, table, intent.fields, where, has_labels=options.has_labels, takes_labels=intent.takes_labels
    )
    condition = _chosen(context, table, intent)
    plan = ReadPlan(table, fields, condition, format=options.format, is_tagged=intent.is_tagged)
    if edge.is_to_many:
        order = chosen_order(context, table, intent.order)
        plan = replace(plan, order=order, limit=_limit(context, intent, options), offset=_offset(context, intent))
    else:
        _refuse_list_options(intent, options.path_of(intent))
        plan = replace(plan, order=key_order(context, table))
    return with_reach(context, plan)


def plan_grouped_row(
    context: Context, edge: Relationship, intents: Sequence[EmbedIntent], options: EmbedOptions
) -> Embed:
    """Return the embed of the rows that groups are keyed by; the paths of ``intents`` begin at those rows.

    An empty path is about the row itself.
    """
    own = next((intent for intent in intents if not intent.path), EmbedIntent(()))
    if own.metrics is not None:
        detail = f"{options.prefix} is what rows are grouped by, which is one row: metrics are those of each group."
        raise RequestError("metric_invalid", detail, parameter=own.parameter)
    if own.conditions:
        detail = f"{options.prefix} is what rows are grouped by: filter the rows instead."
        raise RequestError("filter_syntax", detail, parameter=own.parameter)
    plan = plan_embedded(context, edge, own, options)
    plan = _with_nodes(context, plan, _tree(intent for intent in intents if intent.path), options)
    return Embed(options.prefix, edge, plan, is_keyed=True)


def _limit(context: Context, intent: EmbedIntent, options: EmbedOptions) -> int | None:
    """The slot of one row more than is shown, which tells whether there are more."""
    limit = intent.limit
    if limit is None:
        if options.default_limit is None:
            return None
        limit = min(options.default_limit, context.access.most_rows)
    if not 1 <= limit <= context.access.most_rows:
        parameter = intent.size or f"include[{options.path_of(intent)}][limit]"
        detail = f"{parameter} is 1 to {context.access.most_rows}; {limit} was asked for."
        raise RequestError("page_invalid", detail, parameter=parameter)
    return context.slots.add(limit + 1)


def _offset(context: Context, intent: EmbedIntent) -> int | None:
    """The slot of how many rows of each parent come before those that are shown; None where none do."""
    if not 0 <= intent.offset <= context.budget.offset:
        parameter = intent.start or intent.parameter
        detail = f"{parameter} is 0 to {context.budget.offset}; {intent.offset} was asked for."
        raise RequestError("page_invalid", detail, parameter=parameter)
    return context.slots.add(intent.offset) if intent.offset else None


def _refuse_list_options(intent: EmbedIntent, name: str) -> None:
    """One row has no order, no limit and no offset; saying so beats dropping what the client wrote."""
    if intent.order or intent.limit is not None or intent.offset:
        option = "sort" if intent.order else "limit" if intent.limit is not None else "offset"
        parameter = f"include[{name}][{option}]"
        raise RequestError("parameter_invalid", f"{name} is one row; {parameter} is for lists.", parameter=parameter)
