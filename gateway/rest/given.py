"""The parameters of a request by name, and how single values of them are read.

A query string gives texts; a JSON body of a query gives texts, numbers, booleans and
arrays of them, which mean what their text would mean in a URL, an array a comma list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from gateway.catalog.kinds import ValueFormat
from gateway.errors import RequestError
from gateway.query.coerce import RefusedValueError, coerce_boolean
from gateway.query.intent import OrderIntent

Given = Mapping[str, object]
"""Parameters by name: text, or a JSON value from a body."""

_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\]")
_BRACKETED: Final = re.compile(r"([^\[\]]*)((?:\[[^\[\]]*\])*)")
MOST_BRACKETS: Final = 64
"""A bound for what is read recursively, far over the one that queries have."""


def stem_of(name: str) -> str:
    """Return what stands before the first bracket of a name.

    >>> stem_of("filter[any][total.gte]"), stem_of("sort")
    ('filter', 'sort')
    """
    return name.partition("[")[0]


def brackets_of(name: str) -> tuple[str, ...] | None:
    """Return what stands in each pair of brackets after the stem, None where brackets do not close.

    >>> brackets_of("filter[any][total.gte]")
    ('any', 'total.gte')
    """
    match = _BRACKETED.fullmatch(name)
    return None if match is None else tuple(_BRACKETS.findall(match[2]))


def dotted(path: str) -> tuple[str, ...] | None:
    """Return the segments of a dotted path, None where one is empty."""
    segments = tuple(path.split("."))
    return None if "" in segments else segments


def text_value(value: object, parameter: str) -> str:
    """Return a single value as the text it would be in a URL.

    Raises:
        RequestError: ``parameter_invalid`` for what has no such text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise RequestError("parameter_invalid", f"{parameter} takes a single value.", parameter=parameter)


def words(value: object, parameter: str, code: str) -> tuple[str, ...]:
    """Return the names of a comma list or of an array.

    Raises:
        RequestError: ``code`` for a list without names or with an empty one.
    """
    items = value if isinstance(value, list) else text_value(value, parameter).split(",")
    names = tuple(text_value(item, parameter) for item in items)
    if not names or "" in names:
        detail = f"{parameter} is a comma list of names; one of them is empty."
        raise RequestError(code, detail, parameter=parameter)
    return names


def parse_sort(value: object, parameter: str = "sort") -> tuple[OrderIntent, ...]:
    """Return the sort keys of a ``sort`` value, most significant first.

    A leading ``-`` means descending. Field names are not checked here.

    >>> parse_sort("-total,duedate")[0]
    OrderIntent(field='total', descending=True, parameter='sort')

    Raises:
        RequestError: ``sort_syntax`` for an empty key (``offset`` counts characters of the text).
    Source: JSON:API 1.1, "Sorting".
    """
    items = value if isinstance(value, list) else text_value(value, parameter).split(",")
    keys: list[OrderIntent] = []
    offset = 0
    for word in (text_value(item, parameter) for item in items):
        field = word.removeprefix("-")
        if not field:
            raise RequestError("sort_syntax", f"{parameter} has an empty key.", parameter=parameter, offset=offset)
        keys.append(OrderIntent(field, word != field, parameter))
        offset += len(word) + 1
    if not keys:
        raise RequestError("sort_syntax", f"{parameter} has no key.", parameter=parameter, offset=0)
    return tuple(keys)


def whole(value: object, parameter: str, least: int) -> int:
    """Return a whole number of at least so many.

    Raises:
        RequestError: ``page_invalid``.
    """
    text = "" if isinstance(value, bool) else text_value(value, parameter)
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or int(text) < least:
        detail = f"{parameter} must be a whole number of at least {least}."
        raise RequestError("page_invalid", detail, parameter=parameter)
    return int(text)


def flag(given: Given, name: str, *, default: bool) -> bool:
    """Return what a parameter that says yes or no says.

    Raises:
        RequestError: ``parameter_invalid``.
    """
    if name not in given:
        return default
    try:
        return coerce_boolean(given[name])
    except RefusedValueError as refusal:
        raise RequestError("parameter_invalid", f"{name}: {refusal.message}.", parameter=name) from refusal


def choice(given: Given, name: str, choices: tuple[str, ...]) -> str:
    """Return one of some words, the first where the parameter was not given.

    Raises:
        RequestError: ``parameter_invalid``.
    """
    value = text_value(given.get(name, choices[0]), name)
    if value not in choices:
        raise RequestError("parameter_invalid", f"{name} is one of {', '.join(choices)}.", parameter=name)
    return value


def optional_text(given: Given, name: str) -> str | None:
    """Return a parameter's text, None where it was not given.

    Raises:
        RequestError: ``parameter_invalid``.
    """
    return text_value(given[name], name) if name in given else None


def value_format(given: Given) -> ValueFormat:
    """Return how numbers are written.

    Raises:
        RequestError: ``parameter_invalid``.
    """
    return ValueFormat(
        are_decimals_text=choice(given, "decimals", ("number", "string")) == "string",
        are_bigints_text=choice(given, "bigints", ("number", "string")) == "string",
    )
