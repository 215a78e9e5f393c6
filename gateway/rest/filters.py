"""Filters as parameters -> filter intents: ``filter[any][payments][amount.gt]=0``.

The last bracket is a field's path with an operator; those before it are groups, from
the outside in. Parameters whose next group is the same are parts of one: one OR for
``any`` and each ``any.N``, one row for a path of relationships. In ``not`` each parameter is
negated alone, but for those of one OR. What a path means only the planner knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import RequestError
from gateway.query.intent import AllIntent, AnyIntent, ConditionIntent, FilterIntent, NotIntent, RelatedIntent
from gateway.rest.given import MOST_BRACKETS, Given, brackets_of, dotted, stem_of

_ANY: Final = re.compile(r"any(\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class Clause:
    """One filter parameter: its condition, and the groups that it stands in from the outside in."""

    groups: tuple[str, ...]
    condition: ConditionIntent


def parse_filters(given: Given) -> tuple[FilterIntent, ...]:
    """Return the filters among some parameters, which must all hold.

    >>> parse_filters({"filter[any][a]": "1", "filter[any][b]": "2"})[0].parts[1].path
    ('b',)

    Raises:
        RequestError: ``filter_syntax`` for brackets that do not close or an empty path, ``query_too_large``.
    """
    return grow(read_clause(name, brackets_of(name), value) for name, value in given.items() if is_filter(name))


def is_filter(name: str) -> bool:
    """Whether a parameter is a filter, well-formed or not; `filters` or `filter.total` are no parameters at all."""
    return stem_of(name) == "filter"


def read_clause(parameter: str, brackets: Sequence[str] | None, operand: object) -> Clause:
    """Return the clause of a parameter whose filter stands in the brackets.

    Raises:
        RequestError: as `parse_filters`.
    """
    if not brackets:
        detail = f"{parameter} is no filter: write filter[field] or filter[field.operator]."
        raise RequestError("filter_syntax", detail, parameter=parameter)
    if len(brackets) > MOST_BRACKETS:
        detail = f"A filter has at most {MOST_BRACKETS} pairs of brackets."
        raise RequestError("query_too_large", detail, parameter=parameter)
    paths = [dotted(bracket) for bracket in brackets]
    path = paths[-1]
    if path is None or None in paths:
        raise RequestError("filter_syntax", f"{parameter} has an empty name in its path.", parameter=parameter)
    return Clause(tuple(brackets[:-1]), ConditionIntent(path, operand, parameter))


def grow(clauses: Iterable[Clause]) -> tuple[FilterIntent, ...]:
    """Return the intents of some clauses, in the order in which each was first spoken of."""
    return _grown(tuple(clauses), 0)


def _grown(clauses: Sequence[Clause], depth: int) -> tuple[FilterIntent, ...]:
    branches: dict[str | int, list[Clause]] = {}
    for number, clause in enumerate(clauses):
        branches.setdefault(clause.groups[depth] if len(clause.groups) > depth else number, []).append(clause)
    parts: list[FilterIntent] = []
    for group, members in branches.items():
        if isinstance(group, int):
            parts.append(members[0].condition)
        elif group == "not":
            parts.extend(_negated(members, depth + 1))
        else:
            parts.append(_grouped(group, _grown(members, depth + 1), members[0].condition.parameter))
    return tuple(parts)


def _grouped(group: str, parts: tuple[FilterIntent, ...], parameter: str) -> FilterIntent:
    if _ANY.fullmatch(group):
        return AnyIntent(parts)
    return RelatedIntent(tuple(group.split(".")), "some", parts[0] if len(parts) == 1 else AllIntent(parts), parameter)


def _negated(clauses: Sequence[Clause], depth: int) -> list[FilterIntent]:
    """The negation of each clause: also of those that name one relationship, as nobody wrote that they belong together.

    Source: SPEC section 4, "negates each condition alone".
    """
    units: dict[tuple[str, ...] | int, list[Clause]] = {}
    for number, clause in enumerate(clauses):
        units.setdefault(_alternatives(clause.groups[depth:]) or number, []).append(clause)
    return [NotIntent(part) for unit in units.values() for part in _grown(unit, depth)]


def _alternatives(groups: Sequence[str]) -> tuple[str, ...]:
    """The groups down to the first OR, whose clauses are one condition; nothing where there is none."""
    place = next((number for number, group in enumerate(groups) if _ANY.fullmatch(group)), None)
    return () if place is None else tuple(groups[: place + 1])
