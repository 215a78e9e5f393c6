"""Bodies of queries -> parameters: a JSON object whose keys are the parameters' names as in a URL.

Values are strings, numbers, booleans, or arrays of them where a URL has a comma list;
``where`` holds the tree itself. Numbers keep their digits (`query.json_text`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from gateway.errors import RequestError
from gateway.query.json_text import DuplicateNameError, JsonSizeError, JsonTextError, read_json
from gateway.rest.body import JSON_TYPES, body_text, media_type_of
from gateway.rest.given import Given
from gateway.rest.tree import DEEPEST_JSON

QUERY_TYPE: Final = "application/json"

MOST_PARAMETERS: Final = 1_000

LONGEST_NAME: Final = 8_192
"""Characters of a parameter's name, as many as a URL has."""

MOST_VALUES: Final = 50_000
"""Values of a body in all, far over what a query compares with: nobody else is served while they are read."""


def parse_query_body(content_type: str | None, data: bytes, header: str) -> Given:
    """Return the parameters of a query's body.

    ``header`` is the one that tells a client what it may send instead: ``Accept-Query`` or ``Accept-Post``.

    Raises:
        RequestError: ``media_type_unsupported``, ``body_syntax``, ``parameter_conflict`` for a name
            that stands twice, ``parameter_invalid`` for a value that no parameter has, ``query_too_large``.
    Source: RFC 10008.
    """
    if media_type_of(content_type) not in JSON_TYPES:
        detail = f"Send the query as a JSON object, with Content-Type: {QUERY_TYPE}."
        raise RequestError("media_type_unsupported", detail, headers={header: QUERY_TYPE})
    values = _object(data)
    _check_names(tuple(values))
    for name, value in values.items():
        if name == "where" and not isinstance(value, dict):
            raise _invalid(name, "where holds the tree itself, a JSON object")
        if name != "where" and not _is_value(value):
            raise _invalid(name, f"{name} takes a string, a number, a boolean or an array of them")
    return values


def _check_names(names: Sequence[str]) -> None:
    if len(names) > MOST_PARAMETERS:
        detail = f"A query has at most {MOST_PARAMETERS:,} parameters; this one has {len(names):,}."
        raise RequestError("query_too_large", detail, parameter=names[MOST_PARAMETERS])
    for name in names:
        if len(name) > LONGEST_NAME:
            detail = f"The name of a parameter has at most {LONGEST_NAME:,} characters: {name[:40]!r}… has more."
            raise RequestError("query_too_large", detail, parameter=name[:LONGEST_NAME])


def _object(data: bytes) -> Mapping[str, object]:
    try:
        value = read_json(body_text(data), DEEPEST_JSON + 1, MOST_VALUES)
    except DuplicateNameError as error:
        raise RequestError("parameter_conflict", f"{error.name} stands twice.", parameter=error.name) from error
    except JsonSizeError as error:
        raise RequestError("query_too_large", f"The body {error}.") from error
    except JsonTextError as error:
        raise RequestError("body_syntax", f"The body {error}.") from error
    if not isinstance(value, dict):
        raise RequestError("body_syntax", "The body must be one JSON object of parameters.")
    return value


def _is_value(value: object) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str | int | Decimal) for item in items)


def _invalid(name: str, message: str) -> RequestError:
    return RequestError("parameter_invalid", f"{message}.", parameter=name)
