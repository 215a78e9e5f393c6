"""How much one question may ask for: limits that are checked before anything is planned or run.

Each limit is a setting; a question beyond one is refused with its name, never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gateway.errors import RequestError
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    EmbedIntent,
    FilterIntent,
    NotIntent,
    RelatedIntent,
)


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one question.

    ``depth`` is how many groups stand inside each other in a filter, ``hops`` how many
    relationships a path may follow, ``joins`` how many rows beside its own one statement may look
    at by to-ones (servers join 61 tables at most), ``embedded`` how many rows all embeds of a
    page may hold. ``listed`` bounds one list of values, ``values`` all values of a query (servers take
    65,535 in a statement), ``text`` the characters of one value, ``sorts`` the keys of one sort.
    """

    conditions: int = 200
    depth: int = 12
    hops: int = 5
    joins: int = 30
    embeds: int = 20
    embedded: int = 50_000
    groups: int = 8
    metrics: int = 20
    sorts: int = 20
    listed: int = 1_000
    values: int = 10_000
    text: int = 4_096
    offset: int = 100_000_000


DEFAULT_BUDGET: Final = Budget()

BudgetMeasure = Literal[
    "conditions",
    "filter_depth",
    "name",
    "path",
    "paths",
    "relationships",
    "list",
    "values",
    "groups",
    "metrics",
    "sort",
    "text",
]
"""What a budget counts."""


class BudgetError(RequestError):
    """A question that is larger than one may be: which measure it is over, by how much, and the limit."""

    def __init__(self, measure: BudgetMeasure, cost: int, limit: int, detail: str, parameter: str | None) -> None:
        super().__init__("query_too_large", detail, parameter=parameter)
        self.measure = measure
        self.cost = cost
        self.limit = limit


def check_filters(budget: Budget, intents: Sequence[FilterIntent]) -> None:
    """Pass while a filter has no more conditions, and is nested no deeper, than the budget allows.

    A relationship is a condition too, whatever is demanded of its rows, and so is a group without parts.

    Raises:
        RequestError: ``query_too_large``.
    """
    number, parameter = 0, None
    for intent, depth in _nodes(intents):
        if depth > budget.depth:
            detail = f"A filter is nested at most {budget.depth} deep."
            raise BudgetError("filter_depth", depth, budget.depth, detail, _named_in(intent) or parameter)
        if isinstance(intent, ConditionIntent | RelatedIntent) or not _parts(intent):
            number, parameter = number + 1, _parameter_of(intent) or parameter
    if number > budget.conditions:
        detail = f"A query has at most {budget.conditions} conditions; this one has {number}."
        raise BudgetError("conditions", number, budget.conditions, detail, parameter)


MOST_PARTS: Final = 2_000
"""A bound for what of a filter's tree is built before a query's own limits are asked, far over them."""


def check_hops(budget: Budget, hops: int, parameter: str) -> None:
    """Pass while a name follows no more relationships than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    if hops > budget.hops:
        detail = f"A path follows at most {budget.hops} relationships."
        raise BudgetError("path", hops, budget.hops, detail, parameter)


MOST_SEGMENTS: Final = 40
"""Parts that a dotted name may have: more than any path, field and operator together."""


def check_length(segments: Sequence[str], parameter: str) -> None:
    """Pass while a name has few enough parts to be looked for, which takes the square of their number.

    Raises:
        RequestError: ``query_too_large``.
    """
    if len(segments) > MOST_SEGMENTS:
        detail = f"A name has at most {MOST_SEGMENTS} parts; this one has {len(segments)}."
        raise BudgetError("name", len(segments), MOST_SEGMENTS, detail, parameter)


def check_joins(budget: Budget, joins: int) -> None:
    """Pass while a statement joins no more tables than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    if joins > budget.joins:
        detail = f"A query follows at most {budget.joins} different paths of relationships; this one follows {joins}."
        raise BudgetError("paths", joins, budget.joins, detail, None)


def check_embeds(budget: Budget, embeds: Iterable[EmbedIntent]) -> None:
    """Pass while a query includes no more, and no deeper, than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    embeds = tuple(embeds)
    for intent in embeds:
        check_length(intent.path, intent.parameter)
    paths = {intent.path[:end] for intent in embeds for end in range(1, len(intent.path) + 1)}
    if len(paths) > budget.embeds:
        detail = f"A query includes at most {budget.embeds} relationships."
        raise BudgetError("relationships", len(paths), budget.embeds, detail, "include")


def check_values(budget: Budget, listed: int, before: int, parameter: str) -> None:
    """Pass while neither a list, nor the query with those ``before`` it, has more values than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    if listed > budget.listed:
        detail = f"A list has at most {budget.listed} values; this one has {listed}."
        raise BudgetError("list", listed, budget.listed, detail, parameter)
    if before + listed > budget.values:
        detail = f"A query compares with at most {budget.values} values."
        raise BudgetError("values", before + listed, budget.values, detail, parameter)


def check_text(budget: Budget, raw: object, parameter: str | None) -> None:
    """Pass while a value to compare with is no longer text than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    if isinstance(raw, str) and len(raw) > budget.text:
        detail = f"A value to compare with has at most {budget.text:,} characters; this one has {len(raw):,}."
        raise BudgetError("text", len(raw), budget.text, detail, parameter)


def check_number(measure: BudgetMeasure, number: int, most: int, what: str, parameter: str) -> None:
    """Pass while a query has no more of ``what`` (groups, metrics, sort keys) than the budget allows.

    Raises:
        RequestError: ``query_too_large``.
    """
    if number > most:
        raise BudgetError(
            measure, number, most, f"A query has at most {most} {what}; this one has {number}.", parameter
        )


def _nodes(intents: Sequence[FilterIntent]) -> Iterator[tuple[FilterIntent, int]]:
    """Every node of a filter with its depth, without recursion: how deep it is, is what is being asked."""
    stack = [(intent, 1) for intent in reversed(intents)]
    while stack:
        intent, depth = stack.pop()
        yield intent, depth
        stack.extend((part, depth + 1) for part in reversed(_parts(intent)))


def _parts(intent: FilterIntent) -> tuple[FilterIntent, ...]:
    match intent:
        case AllIntent(parts=parts) | AnyIntent(parts=parts):
            return parts
        case NotIntent(part=part) | RelatedIntent(part=part):
            return (part,)
        case ConditionIntent():
            return ()


def _named_in(intent: FilterIntent) -> str | None:
    """The first parameter that a node or a part of it stood in: a group by itself remembers none."""
    return next((name for node, _ in _nodes((intent,)) if (name := _parameter_of(node)) is not None), None)


def _parameter_of(intent: FilterIntent) -> str | None:
    return intent.parameter if isinstance(intent, ConditionIntent | RelatedIntent) else None
