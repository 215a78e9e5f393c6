"""Keys of rows as one text: the values with commas between them, percent-encoded where they must be.

Paths of `/api/v1` name rows so, and every other place where a key is one text does as they do.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

import orjson

from gateway.errors import RequestError


def decode_segment(raw: bytes) -> str:
    """Return a path segment as text.

    Raises:
        RequestError: ``path_invalid`` for bytes that are not UTF-8.
    """
    if raw.isalnum():  # the usual name or number: ASCII and nothing to decode
        return raw.decode("ascii")
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError("path_invalid", "The path is not percent-encoded UTF-8.") from None


def split_key(raw: bytes) -> tuple[str, ...]:
    """Return the values of a key: split at commas, then decoded.

    >>> split_key(b"7,a%2Cb")
    ('7', 'a,b')

    Raises:
        RequestError: ``path_invalid`` for bytes that are not UTF-8.
    """
    return tuple(decode_segment(part) for part in raw.split(b","))


def key_text(values: Iterable[object]) -> str:
    """Return a key as it stands in a path.

    >>> key_text((7, "a,b"))
    '7,a%2Cb'

    Half a character (a lone surrogate), which no stored key has, is a question mark: records of refused keys must be.
    """
    return ",".join(quote(_word(value), safe="", errors="replace") for value in values)


def _word(value: object) -> str:
    """A DECIMAL comes as a fragment of JSON, its digits; bytes come as they are."""
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, orjson.Fragment):
        return orjson.dumps(value).decode()
    return str(value)
