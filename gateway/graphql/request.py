"""Bodies and parameters of a URL -> what is asked: a document, its variables, and which operation of it.

What comes in: the bytes of a body whose media type is JSON, or the decoded pairs of a query string. What goes out:
a `GraphQLRequest`, whose document nobody has looked at. Numbers of variables keep their digits (`query.json_text`).
A name that is not known here is refused: what a client wrote is never passed over. Only ``extensions`` must be
open to others' names; those that nobody heeds are told of in the reply.

Source: GraphQL over HTTP (draft), "Request Parameters", "GET" and "JSON Encoding".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import RequestError
from gateway.query.json_text import DuplicateNameError, JsonSizeError, JsonTextError, encodable, read_json
from gateway.query.suggest import nearest

MEMBERS: Final = ("query", "operationName", "variables", "extensions")
"""What a request may have, in a body or in a URL."""

PERSISTED: Final = "persistedQuery"
EXTENSIONS: Final = (PERSISTED, "clientLibrary")
"""What is known of ``extensions``: the hash of a document, and which program asks, which changes nothing."""

MOST_UNHEEDED: Final = 10

DEEPEST_JSON: Final = 64
"""Arrays and objects of the variables that may stand inside each other: more than a filter or a row may have."""

MOST_VALUES: Final = 50_000
"""Values of a body in all, far over what a query compares with: nobody else is served while they are read."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One request. ``document`` is empty where only its hash was sent, in ``extensions``.

    ``unheeded`` are the first names in ``extensions`` that mean nothing here, cut to a few characters.
    """

    document: str
    operation_name: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    extensions: Mapping[str, object] = field(default_factory=dict)
    unheeded: tuple[str, ...] = ()


def parse_body(data: bytes) -> GraphQLRequest:
    """Return what a JSON body asks.

    Raises:
        RequestError: ``body_syntax``, ``parameter_unknown``, ``parameter_missing``, ``parameter_conflict`` for a
            name that stands twice, ``parameter_invalid`` for a member of another type, ``query_too_large``.
    """
    value = _json(_text(data), "The body", 2)
    if isinstance(value, list):
        detail = (
            "Send one operation: requests in an array (batches) are not taken. Root fields of one query run at once."
        )
        raise RequestError("body_syntax", detail)
    if not isinstance(value, dict):
        raise RequestError("body_syntax", "The body must be one JSON object.")
    _check_names(value)
    return _request(value)


def parse_parameters(pairs: Iterable[tuple[str, str]]) -> GraphQLRequest:
    """Return what the parameters of a URL ask; ``variables`` and ``extensions`` are JSON texts there.

    Raises:
        RequestError: as `parse_body`; also ``parameter_invalid`` for a parameter that is no JSON.
    """
    given: dict[str, object] = {}
    for name, value in pairs:
        if name in given:
            raise RequestError("parameter_conflict", f"{name} stands twice.", parameter=name)
        given[name] = value
    _check_names(given)
    for name in ("variables", "extensions"):
        text = given.get(name)
        if isinstance(text, str):
            given[name] = _json(text, name, 1) if text else None
    return _request(given)


def _check_names(given: Mapping[str, object]) -> None:
    for name in given:
        if name not in MEMBERS:
            shown = name[:40]
            detail = f"There is no {shown!r} in a GraphQL request. There are: {', '.join(MEMBERS)}."
            raise RequestError("parameter_unknown", detail, parameter=shown, suggestion=nearest(shown, MEMBERS))


def _request(given: Mapping[str, object]) -> GraphQLRequest:
    name = _text_of(given, "operationName") or None
    variables, extensions = _object_of(given, "variables"), _object_of(given, "extensions")
    unheeded = tuple(encodable(word[:40]) for word in extensions if word not in EXTENSIONS)[:MOST_UNHEEDED]
    document = _text_of(given, "query") or ""
    if not document and extensions.get(PERSISTED) is None:
        raise RequestError("parameter_missing", "Send the document as `query`.", parameter="query")
    return GraphQLRequest(document, name, variables, extensions, unheeded)


def _text_of(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise RequestError("parameter_invalid", f"{name} must be a string.", parameter=name)
    return value


def _object_of(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RequestError("parameter_invalid", f"{name} must be a JSON object.", parameter=name)
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("body_syntax", "The body is not UTF-8.") from error


def _json(text: str, place: str, levels: int) -> object:
    """The value of a JSON text in which so many levels are the request's own."""
    is_body = place == "The body"
    try:
        return read_json(text, DEEPEST_JSON + levels, MOST_VALUES)
    except DuplicateNameError as error:
        detail = f"{error.name[:40]!r} stands twice in one object."
        raise RequestError("parameter_conflict", detail, parameter=error.name[:40]) from error
    except JsonSizeError as error:
        raise RequestError("query_too_large", f"{place} {error}.") from error
    except JsonTextError as error:
        raise RequestError(
            "body_syntax" if is_body else "parameter_invalid",
            f"{place} {error}.",
            parameter=None if is_body else place,
        ) from error
