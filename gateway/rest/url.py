"""Paths and query strings of `/api/v1`: bytes in, decoded names and pairs out, and back.

Keys are split on the raw path and decoded afterwards, so that ``%2C`` is a comma
inside a key value and ``%2F`` a slash (SPEC section 3, "Keys").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from gateway.errors import RequestError
from gateway.query.keys import key_text

BASE_PATH: Final = "/api/v1"
_BASE: Final = BASE_PATH.encode()
_LINK_SAFE: Final = "=%[]!$'()*+,;:@/?-._~"
"""Characters that may stand in a link as they were sent; brackets too, which every client decodes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One query parameter: decoded, and as it was sent, fit for a link."""

    name: str
    value: str
    raw: str


def is_below_base(raw_path: bytes) -> bool:
    """Whether a path, as it was sent, is `/api/v1` or below it."""
    return raw_path == _BASE or raw_path.startswith(_BASE + b"/")


def parse_query(raw: bytes) -> tuple[Pair, ...]:
    """Return the parameters of a query string in order.

    Raises:
        RequestError: ``parameter_invalid`` for a name or value that is not UTF-8.
    """
    return tuple(_pair(part) for part in raw.split(b"&") if part)


def _pair(part: bytes) -> Pair:
    name, _, value = part.partition(b"=")
    error = RequestError("parameter_invalid", "A query parameter is not percent-encoded UTF-8.")
    sent = quote(part, safe=_LINK_SAFE)
    return Pair(_decoded(name.replace(b"+", b" "), error), _decoded(value.replace(b"+", b" "), error), sent)


def _decoded(raw: bytes, error: RequestError) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise error from None


def row_path(resource: str, key: Iterable[object]) -> str:
    """Return the path of one row, as its links name it."""
    return f"{list_path(resource)}/{key_text(key)}"


def related_path(resource: str, key: Iterable[object], relationship: str) -> str:
    """Return the path of what a relationship of one row leads to."""
    return f"{row_path(resource, key)}/{quote(relationship, safe='')}"


def list_path(resource: str) -> str:
    """Return the path of a resource's list."""
    return f"{BASE_PATH}/{quote(resource, safe='')}"
