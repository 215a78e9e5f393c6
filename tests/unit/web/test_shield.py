"""Bodies over their limits are refused as early as that can be known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message

from gateway.errors import RequestError
from gateway.web.stages.shield import BodyLimit, read_body

ONE = BodyLimit(10)
MANY = BodyLimit(10, rows=30)


def read(limit: BodyLimit, chunks: Sequence[bytes], declared: int = 0) -> tuple[bytes | None, int]:
    """Return the body, None for one that is refused, and how many pieces were left unread."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    try:
        return asyncio.run(read_body(receive, limit, 5.0, declared)), len(left)
    except RequestError as error:
        return (None if error.code == "body_too_large" else b"refused otherwise"), len(left)


@pytest.mark.parametrize("limit", [ONE, MANY])
def test_a_body_within_the_limit_is_read_whole(limit: BodyLimit) -> None:
    """Whatever it is."""
    assert read(limit, [b'{"a"', b": 123}"[:6]]) == (b'{"a": 123}', 0)
    assert read(limit, [b"[1, 2, 3]"]) == (b"[1, 2, 3]", 0)
    assert read(limit, [b""]) == (b"", 0)


def test_only_an_array_may_have_the_size_of_many() -> None:
    """And only where one is taken; blanks and a byte order mark may stand before it."""
    assert read(MANY, [b"[", b"1" * 28, b"]"]) == (b"[" + b"1" * 28 + b"]", 0)
    assert read(MANY, [b"\xef\xbb\xbf \n", b"  [", b"1" * 20]) == (b"\xef\xbb\xbf \n  [" + b"1" * 20, 0)
    assert read(MANY, [b"[" * 31]) == (None, 0)
    assert read(ONE, [b"[", b"1" * 10, b"]"]) == (None, 1)
    assert read(MANY, [b"{", b"1" * 10, b"}"]) == (None, 1)


def test_a_length_that_is_announced_is_refused_at_the_first_sign() -> None:
    """Before the rest arrives."""
    assert read(MANY, [b"{", b"more"], declared=20) == (None, 1)
    assert read(MANY, [b"[", b"more]"], declared=20) == (b"[more]", 0)


def test_blanks_alone_are_not_read_for_ever() -> None:
    """They could still become an array, but nobody writes so many."""
    assert read(MANY, [b" " * 6, b" " * 6, b"["]) == (None, 1)
