"""Bodies of writes: JSON or form bytes -> field names and values.

Numbers keep the digits that were written: they arrive as `int` or `Decimal`, never
as a float. A field given twice is an error, as nothing is dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import Issue, RequestError, ValidationError
from gateway.query.bulk import MOST_ROWS
from gateway.query.json_text import DuplicateNameError, JsonTextError, read_json
from gateway.query.judged import pointer
from gateway.rest.url import parse_query

JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of a body. In a form every value is text."""

    values: Mapping[str, object]
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an array, each with its fields."""

    rows: tuple[Mapping[str, object], ...]


def parse_body(content_type: str | None, data: bytes, max_depth: int) -> Body:
    """Return the fields of a write's body.

    Raises:
        RequestError: ``media_type_unsupported``, ``body_syntax``.
        ValidationError: ``fields_invalid`` for a field given twice.
    Source: RFC 8259; RFC 7396 as far as an object of columns goes.
    """
    media_type = media_type_of(content_type)
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
    if media_type_of(content_type) not in JSON_TYPES:
        return parse_body(content_type, data, max_depth)
    value = _json(data, max_depth)
    return Rows(_rows(value)) if isinstance(value, list) else Body(_object(value))


def media_type_of(content_type: str | None) -> str:
    """Return the media type of a ``Content-Type`` in small letters, empty where there is none.

    >>> media_type_of('Application/JSON; charset="UTF-8"')
    'application/json'

    Raises:
        RequestError: ``media_type_unsupported`` for text in another encoding than UTF-8, which would be misread.
    Source: RFC 9110, section 8.3; JSON is UTF-8 (RFC 8259, section 8.1).
    """
    media_type, _, parameters = (content_type or "").partition(";")
    if parameters:
        for found in _CHARSET.finditer(parameters):
            if found[1].lower() not in _CHARSETS:
                detail = f"Send the body in UTF-8; charset={found[1]} is not read."
                raise RequestError("media_type_unsupported", detail, headers={"Accept-Post": _ACCEPTED})
    return media_type.strip().lower()


_CHARSET: Final = re.compile(r"""(?:^|;)[ \t]*charset[ \t]*=[ \t]*["']?([^"';\s]*)""", re.IGNORECASE)
_CHARSETS: Final = frozenset({"utf-8", "utf8"})


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
    try:
        return read_json(body_text(data), max_depth)
    except DuplicateNameError as error:
        raise _twice(error.name) from error
    except JsonTextError as error:
        raise RequestError("body_syntax", f"The body {error}.") from error


def body_text(data: bytes) -> str:
    """Return the text of a body.

    Raises:
        RequestError: ``body_syntax`` for bytes that are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("body_syntax", "The body is not UTF-8.") from error
