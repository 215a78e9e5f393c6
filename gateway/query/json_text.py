"""JSON text -> values, with the digits of its numbers: they arrive as `int` or `Decimal`, never as a float."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_LONGEST_NUMBER: Final = 400


class JsonTextError(ValueError):
    """Text that is no JSON; the message says so and where, and lacks a subject."""


class JsonSizeError(ValueError):
    """Text with more values than are read; the message says so, and lacks a subject."""


class DuplicateNameError(ValueError):
    """A name that stands twice in one object: which of the two is meant is not ours to say."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_json(text: str, max_depth: int, max_values: int | None = None) -> object:
    """Return the value of a JSON text.

    ``max_values`` bounds its opening brackets and commas, and so all its values.

    Raises:
        JsonTextError: the text is not well-formed, nests too deep or has a number that no column could hold.
        JsonSizeError: it has too many values.
        DuplicateNameError: an object has a name twice.
    Source: RFC 8259.
    """
    _check_size(text, max_depth, max_values)
    try:
        value: object = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_unique_names,
        )
    except DuplicateNameError:
        raise
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise JsonTextError(f"is not well-formed JSON{place}") from error
    return value


def encodable(text: str) -> str:
    """Return a client's text as it can be sent back: half a character of it (a lone surrogate) cannot.

    >>> encodable("a" + chr(0xD800))
    'a?'
    """
    return text.encode("utf-8", "replace").decode()


def _check_size(text: str, max_depth: int, max_values: int | None) -> None:
    """Pass while a text nests no deeper and has no more values, without building it, and read no further than that."""
    most = len(text) if max_values is None else max_values
    depth = values = 0
    for match in _SIGN.finditer(text):
        sign = match[0]
        if sign in "]}":
            depth -= 1
        elif sign in "[{,":  # one of these stands before each member and item
            values += 1
            if values > most:
                raise JsonSizeError(f"has more than {most:,} values")
            if sign != ",":
                depth += 1
                if depth > max_depth:
                    raise JsonTextError(f"nests deeper than {max_depth} levels")


_SIGN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""A bracket, a comma, or a string, in which they mean nothing."""


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("number too long")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # an exponent that no Decimal holds
        raise ValueError("number too large") from error


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("number too long")
    return int(text)


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise DuplicateNameError(name)
        values[name] = value
    return values
