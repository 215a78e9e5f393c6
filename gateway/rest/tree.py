"""The tree of ``where`` -> a filter intent.

    {"and": [{"total.gte": 1000}, {"or": […]}, {"not": {…}}, {"payments": {"some": {…}}}]}

Several keys of one object must all hold. A key that is none of the words here is the
path of a field with an operator, whose value is a scalar or an array of them, or the
path of a relationship, whose value is an object: a tree of its own, or trees under
``some``, ``none`` and ``every``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, get_args

from gateway.errors import RequestError
from gateway.query.budget import MOST_PARTS
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    FilterIntent,
    NotIntent,
    Quantifier,
    RelatedIntent,
)
from gateway.query.json_text import DuplicateNameError, JsonTextError, read_json
from gateway.query.operators import OPERATORS
from gateway.rest.given import dotted

DEEPEST_JSON: Final = 64
"""A bound for what is read recursively, far over the one that queries have."""

QUANTIFIERS: Final[tuple[Quantifier, ...]] = get_args(Quantifier)


def parse_where(value: object) -> FilterIntent:
    """Return the filter of ``where``: JSON text, or the tree itself from a body.

    Conditions remember their place as ``where#`` and a JSON pointer (RFC 6901).

    Raises:
        RequestError: ``filter_syntax``, ``query_too_large``.
    """
    if isinstance(value, str):
        value = _read(value)
    _check_size(value)
    return _tree(value, "where#")


def _read(text: str) -> object:
    try:
        return read_json(text, DEEPEST_JSON)
    except JsonTextError as error:
        raise _fault("where", f"where {error}") from error
    except DuplicateNameError as error:
        detail = f"where has {error.name!r} twice in one object: put the two into an array of and"
        raise _fault("where", detail) from error


def _check_size(value: object) -> None:
    """Pass while a tree has no more parts than are built: the keys of its objects, and the objects without any."""
    parts, unseen = 0, [value]
    while unseen:
        some = unseen.pop()
        if isinstance(some, dict):
            parts += max(1, len(some))
            some = list(some.values())
        if parts > MOST_PARTS:
            raise RequestError("query_too_large", f"where has at most {MOST_PARTS:,} parts.", parameter="where")
        if isinstance(some, list):
            unseen.extend(item for item in some if isinstance(item, dict | list))


def _tree(value: object, place: str) -> FilterIntent:
    if not isinstance(value, dict):
        raise _fault(place, 'a filter is an object such as {"total.gte": 1000}')
    return _all([_part(name, item, _below(place, name)) for name, item in value.items()])


def _all(parts: list[FilterIntent]) -> FilterIntent:
    return parts[0] if len(parts) == 1 else AllIntent(tuple(parts))


def _part(name: str, value: object, place: str) -> FilterIntent:
    read = _WORDS.get(name)
    if read is not None:
        return read(value, place)
    path = dotted(name)
    if path is None:
        raise _fault(place, f"{name!r} has an empty name in its path")
    if isinstance(value, dict):
        return _related(path, value, place)
    return ConditionIntent(path, _operand(path, value, place), place)


def _related(path: tuple[str, ...], value: Mapping[str, object], place: str) -> FilterIntent:
    """Trees under quantifiers, or one tree that some row, or the one that there is, must meet."""
    quantified = [word for name in value for word in QUANTIFIERS if word == name]
    if not quantified:
        return RelatedIntent(path, "some", _tree(value, place), place)
    if len(quantified) < len(value):
        other = next(name for name in value if name not in QUANTIFIERS)
        raise _fault(place, f"{other!r} stands beside {quantified[0]!r}: put it into that object")
    return _all([RelatedIntent(path, word, _tree(value[word], _below(place, word)), place) for word in quantified])


def _array(value: object, place: str) -> tuple[FilterIntent, ...]:
    if not isinstance(value, list):
        raise _fault(place, "an array of conditions is due")
    return tuple(_tree(item, _below(place, str(number))) for number, item in enumerate(value))


_WORDS: Final[Mapping[str, Callable[[object, str], FilterIntent]]] = MappingProxyType(
    {
        "and": lambda value, place: AllIntent(_array(value, place)),
        "or": lambda value, place: AnyIntent(_array(value, place)),
        "not": lambda value, place: NotIntent(_tree(value, place)),
    }
)


def _operand(path: tuple[str, ...], value: object, place: str) -> object:
    if value is None:
        name = ".".join(path[:-1] if len(path) > 1 and path[-1] in OPERATORS else path)
        raise _fault(place, f'null compares with nothing: write {{"{name}.null": true}}')
    if isinstance(value, list):
        if not all(isinstance(item, str | int | Decimal) for item in value):
            raise _fault(place, "an array here has strings, numbers and booleans only")
        return value
    assert isinstance(value, str | int | Decimal)
    return value


def _below(place: str, name: str) -> str:
    return f"{place}/{name.replace('~', '~0').replace('/', '~1')}"


def _fault(place: str, message: str) -> RequestError:
    parameter = place.removesuffix("#")
    text = message if parameter == "where" else f"{parameter}: {message}"
    return RequestError("filter_syntax", f"{text}.", parameter=parameter)
