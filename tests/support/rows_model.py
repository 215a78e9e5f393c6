"""What a list of the gateway should hold, said in plain Python: rows, filters, orders and pages on a list of dicts.

The model knows nothing of SQL. It follows SPEC section 4 word by word; of collations it knows the order of the few
characters in `ALPHABET`, as the Unicode Collation Algorithm 4.0.0 and ``utf8mb4_general_ci`` have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

ZERO = "zero"
"""A zero date as it is stored; to a client it is null."""

Row = Mapping[str, Any]
ALPHABET = " _'\"\\%|019abBeEéÉz😀"
_UNICODE = {letter: place for place, letter in enumerate(" _'\"\\%|019abez\U0010ffff")}


def _plain(letter: str) -> str:
    """The letter that another one equals: without case and accent; all beyond the basic plane are one."""
    if ord(letter) > 0xFFFF:
        return "\U0010ffff"
    return {"é": "e", "É": "e"}.get(letter, letter.lower())


def folded(text: str) -> str:
    """Return a text as it is equal to others, letter by letter."""
    return "".join(map(_plain, text))


def by_unicode(text: str) -> tuple[Any, ...]:
    """Return the sort key of a text under utf8mb4_unicode_ci, which pads with spaces."""
    return tuple(_UNICODE[letter] for letter in folded(text.rstrip(" ")))


def by_general(text: str) -> tuple[Any, ...]:
    """Return the sort key of a text under utf8mb4_general_ci: capital letters by their number."""
    return tuple(letter.upper() for letter in folded(text.rstrip(" ")))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its kind, and how its values are ordered. ``zone`` is the CRM's, for moments."""

    name: str
    kind: str
    key: Callable[[Any], Any] = lambda value: value
    members: tuple[str, ...] = ()


def is_null(value: Any) -> bool:
    return value is None or value is ZERO


@dataclass(frozen=True, slots=True)
class Model:
    """Rows of one table in key order."""

    rows: Sequence[Row]
    fields: Mapping[str, Field]
    key: str
    zone: ZoneInfo

    def matches(self, row: Row, name: str, operator: str, operand: str) -> bool:
        """Tell whether a row meets ``filter[name.operator]=operand``."""
        field, value = self.fields[name], row[name]
        if operator == "null":
            return is_null(value) == (operand in ("1", "true"))
        if is_null(value):
            return False
        if operator in _PATTERNS:
            found = re.fullmatch(_PATTERNS[operator](operand), folded(str(value)), re.DOTALL)
            return (found is None) == (operator in ("nlike", "ncontains"))
        if operator in ("in", "nin"):
            found_in = any(self._equal(field, value, item) for item in split(operand))
            return found_in == (operator == "in")
        if operator == "between":
            low, high = split(operand)
            return self.matches(row, name, "gte", low) and self.matches(row, name, "lte", high)
        if operator == "exact":
            return bool(value == operand) if field.kind == "text" else self._equal(field, value, operand)
        return self._compared(field, value, operator, operand)

    def _equal(self, field: Field, value: Any, operand: str) -> bool:
        return self._compared(field, value, "eq", operand)

    def _compared(self, field: Field, value: Any, operator: str, operand: str) -> bool:
        first, last = self._span(field, operand)
        key = field.key(value)
        answers: dict[str, bool] = {
            "eq": first <= key <= last,
            "ne": not first <= key <= last,
            "gt": key > last,
            "gte": key >= first,
            "lt": key < first,
            "lte": key <= last,
        }
        return answers[operator]

    def _span(self, field: Field, operand: str) -> tuple[Any, Any]:
        """The first and last value an operand means: a day against a moment is the whole day."""
        if field.kind in ("datetime", "timestamp") and len(operand) == 10:
            start = datetime.fromisoformat(operand)
            end = start + timedelta(days=1)
            if field.kind == "timestamp":
                start, end = (self._utc(moment) for moment in (start, end))
            return start, end - timedelta(microseconds=1)
        value = field.key(self._value(field, operand))
        return value, value

    def _value(self, field: Field, operand: str) -> Any:
        match field.kind:
            case "int":
                return int(operand)
            case "flag":
                return {"true": 1, "false": 0}.get(operand) if operand in ("true", "false") else int(operand)
            case "decimal":
                return Decimal(operand)
            case "date":
                return date.fromisoformat(operand)
            case "datetime":
                moment = datetime.fromisoformat(operand)
                return moment if moment.tzinfo is None else moment.astimezone(self.zone).replace(tzinfo=None)
            case "timestamp":
                moment = datetime.fromisoformat(operand)
                return self._utc(moment) if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
            case _:
                return operand

    def _utc(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.zone).astimezone(UTC).replace(tzinfo=None)

    def ordered(self, rows: Iterable[Row], sort: Sequence[str]) -> list[Row]:
        """Return rows by ``sort``, then by key; null comes before every value."""
        found = sorted(rows, key=lambda row: self.fields[self.key].key(row[self.key]))
        for word in reversed(sort):
            found.sort(key=partial(_order_of, self.fields[word.lstrip("-")]), reverse=word.startswith("-"))
        return found

    def shown(self, row: Row, names: Sequence[str]) -> dict[str, Any]:
        """Return a row as a reply shows it."""
        return {name: self._shown(self.fields[name], row[name]) for name in names}

    def _shown(self, field: Field, value: Any) -> Any:
        if is_null(value):
            return None
        if field.kind == "date":
            return value.isoformat()
        if field.kind == "datetime":
            return value.replace(tzinfo=self.zone).isoformat()
        if field.kind == "timestamp":
            return value.replace(tzinfo=UTC).astimezone(self.zone).isoformat()
        return value


def _order_of(field: Field, row: Row) -> tuple[Any, ...]:
    """Null first, a zero date among them, then values; members of an enum as they are listed."""
    value = row[field.name]
    if is_null(value):
        return (0,)
    return (1, field.members.index(value) if field.members else field.key(value))


def split(text: str) -> list[str]:
    r"""Return the items of a comma list, in which ``\,`` is a comma and ``\\`` a backslash."""
    items = re.findall(r"((?:\\.|[^,\\]|\\$)*)(?:,|$)", text, re.DOTALL)[
        : len(re.findall(r"(?<!\\)(?:\\\\)*,", text)) + 1
    ]
    return [re.sub(r"\\([,\\])", r"\1", item) for item in items]


def _like(pattern: str) -> str:
    r"""A client's pattern as a regular expression: ``%``, ``_``, and ``\`` before either or itself."""
    parts = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(part) or re.escape(folded(part[-1])) for part in parts)


def _literal(before: str, after: str) -> Callable[[str], str]:
    return lambda text: before + re.escape(folded(text)) + after


_PATTERNS: Mapping[str, Callable[[str], str]] = {
    "like": _like,
    "nlike": _like,
    "contains": _literal(".*", ".*"),
    "ncontains": _literal(".*", ".*"),
    "starts": _literal("", ".*"),
    "ends": _literal(".*", ""),
}
