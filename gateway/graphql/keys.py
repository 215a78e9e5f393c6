"""The key arguments of one row -> its key as a URL has it, so that it is coerced and judged as there."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateway.errors import RequestError
from gateway.graphql.meaning import Row
from gateway.query.json_text import encodable
from gateway.query.keys import split_key


def key_texts(meaning: Row, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values of a row's key as texts.

    Raises:
        RequestError: ``key_invalid`` for a value that no key has.
    """
    values = [arguments.get(name) for name in meaning.arguments]
    if not meaning.is_by_columns:
        return split_key(_text(meaning.arguments[0], values[0]).encode())
    return tuple(_text(name, value) for name, value in zip(meaning.arguments, values, strict=True))


def _text(name: str, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case str():
            if encodable(value) != value:
                detail = f"{name}: the text holds half a character (a lone surrogate)."
                raise RequestError("key_invalid", detail, parameter=name)
            return value
        case _:
            raise RequestError("key_invalid", f"{name} takes a single value.", parameter=name)
