"""What the headers of a request say of its body, before anything reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.errors import RequestError

_AS_IT_IS: Final = frozenset({b"", b"identity"})


def check_content(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Pass when a body is of one type, if of any, and is not packed: else it would be read as what it is not.

    Raises:
        RequestError: ``header_invalid`` for two types; ``media_type_unsupported`` for a ``Content-Encoding``.
    Source: RFC 9110, sections 5.3, 8.4 and 15.5.16.
    """
    types = 0
    for name, value in headers:
        if name == b"content-type":
            types += 1
        elif name == b"content-encoding" and value.strip().lower() not in _AS_IT_IS:
            detail = "Send the body as it is: no Content-Encoding is read."
            raise RequestError("media_type_unsupported", detail, headers={"Accept-Encoding": "identity"})
    if types > 1:
        raise RequestError("header_invalid", "Send one Content-Type.")
