"""Bodies of writes: JSON or form bytes -> field names and values.

Numbers keep the digits that were written: they arrive as `int` or `Decimal`, never
as a float. A field given twice is an error, as nothing is dropped silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.errors import Issue, RequestError, ValidationError
from gateway.query.bulk import MOST_ROWS
from gateway.query.writes import pointer
from gateway.rest.url import parse_query

JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
FORM_TYPE: Final = "application/x-www-form-urlencoded"
_LONGEST_NUMBER: Final = 400


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of a body. In a form every value is text."""

    values: Mapping[str, object]
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an array, each with its fields."""

    rows: tuple[Mapping[str, object], ...]


class _DuplicateNameError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def parse_body(content_type: str | None, data: bytes, max_depth: int) -> Body:
    """Return the fields of a write's body.

    Raises:
        RequestError: ``media_type_unsupported``, ``body_syntax``.
        ValidationError: ``fields_invalid`` for a field given twice.
    Source: RFC 8259; RFC 7396 as far as an object of columns goes.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type in JSON_TYPES:
        return Body(_object(_json(data, max_depth)))
    if media_type == FORM_TYPE:
        return Body(_form(data), is_form=True)
    raise RequestError(
        "media_type_unsupported",
        f"Send the body as application/json or {FORM_TYPE}.",
        headers={"Accept-Post": _ACCEPTED},
    )


def parse_rows(content_type: str | None, data: bytes, max_depth: int) -> Body | Rows:
    """Return the fields of a create's body, or the rows of its array, at most `MOST_ROWS`.

    Raises:
        RequestError: as `parse_body`.
        ValidationError: ``fields_invalid`` for a field given twice, a row that is no object, none or too many.
    """
    if (content_type or "").partition(";")[0].strip().lower() not in JSON_TYPES:
        return parse_body(content_type, data, max_depth)
    value = _json(data, max_depth)
    return Rows(_rows(value)) if isinstance(value, list) else Body(_object(value))


def _rows(values: list[object]) -> tuple[Mapping[str, object], ...]:
    if not 1 <= len(values) <= MOST_ROWS:
        issue = Issue(f"1 to {MOST_ROWS} rows are due, not {len(values)}", pointer="", code="type")
        raise ValidationError("fields_invalid", f"An array has 1 to {MOST_ROWS} rows.", issues=[issue])
    odd = [number for number, value in enumerate(values) if not isinstance(value, dict)]
    if odd:
        issues = [Issue("a row is an object of fields", pointer=f"/{number}", code="type") for number in odd[:100]]
        raise ValidationError("fields_invalid", "Each row of an array must be an object of fields.", issues=issues)
    return tuple(value for value in values if isinstance(value, dict))


_ACCEPTED: Final = f"application/json, {FORM_TYPE}"


def _form(data: bytes) -> dict[str, object]:
    values: dict[str, object] = {}
    try:
        pairs = parse_query(data)
    except RequestError as error:
        raise RequestError("body_syntax", "The form body is not percent-encoded UTF-8.") from error
    for pair in pairs:
        if pair.name in values:
            raise _twice(pair.name)
        values[pair.name] = pair.value
    return values


def _twice(name: str) -> ValidationError:
    message = f"{name} is given twice"
    return ValidationError(
        "fields_invalid", "A field is given twice.", issues=[Issue(message, pointer=pointer(name), code="duplicate")]
    )


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise RequestError("body_syntax", "The body must be one JSON object of fields.")
    return value


def _json(data: bytes, max_depth: int) -> object:
    text = _text(data)
    if nesting(text) > max_depth:
        raise RequestError("body_syntax", f"The JSON body nests deeper than {max_depth} levels.")
    try:
        value: object = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_unique_names,
        )
    except _DuplicateNameError as error:
        raise _twice(error.name) from error
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise RequestError("body_syntax", f"The body is not well-formed JSON{place}.") from error
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("body_syntax", "The body is not UTF-8.") from error


def nesting(text: str) -> int:
    """Return how deep a JSON text nests, without building it.

    >>> nesting('{"a": [1, "["]}')
    2
    """
    deepest = depth = 0
    for match in _BRACKET.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A bracket, or a string, in which brackets mean nothing."""


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
            raise _DuplicateNameError(name)
        values[name] = value
    return values
