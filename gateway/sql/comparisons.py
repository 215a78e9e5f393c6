"""Comparisons of a plan as SQL. A zero date is a null to clients: no comparison matches it, and ``null`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from gateway.query.conditions import LIKE_ESCAPE
from gateway.query.plan import Compare
from gateway.sql.dialects import Element, slot_parameter

_SIGNS: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}
)


def compared(compare: Compare, element: Element, zero: Element | None) -> Element:
    """Return the condition that a comparison puts on an element; ``zero`` says whether that is a zero date.

    ``exact`` is not compiled here: it compares bytes, whatever the collation.
    """
    slots = [slot_parameter(slot) for slot in compare.slots]
    match compare.operator:
        case "null":
            return element.is_(None) if zero is None else sa.or_(element.is_(None), zero)
        case "not_null":
            return without_zero_dates(element.is_not(None), zero)
        case "in":
            return element.in_(slots)
        case "nin":
            return without_zero_dates(element.not_in(slots), zero)
        case "like":
            return element.like(slots[0], escape=LIKE_ESCAPE)
        case "nlike":
            return element.not_like(slots[0], escape=LIKE_ESCAPE)
        case "eq" | "gt" | "gte":  # a zero date is below every operand
            return _signed(compare.operator, element, slots[0])
        case "ne" | "lt" | "lte":
            return without_zero_dates(_signed(compare.operator, element, slots[0]), zero)
        case "exact":
            raise AssertionError("compiled where the text's own bytes are at hand")


def without_zero_dates(comparison: Element, zero: Element | None) -> Element:
    """Return a comparison that zero dates do not meet."""
    return comparison if zero is None else sa.and_(comparison, sa.not_(zero))


def _signed(operator: str, element: Element, operand: Element) -> Element:
    comparison: Element = _SIGNS[operator](element, operand)
    return comparison
