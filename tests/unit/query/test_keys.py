"""Keys as one text, wherever a row is named by one."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.query.keys import key_text, split_key


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_any_key_is_read_as_it_is_written(values: list[str]) -> None:
    """Commas, slashes, dots and percent signs among its values."""
    text = key_text(values)

    assert text.isascii()
    assert split_key(text.encode()) == tuple(values)


def test_bytes_stand_in_a_key_as_base64() -> None:
    """As they do in rows and filters."""
    assert key_text((b"\x00\xff+",)) == "AP8r"


def test_numbers_stand_in_a_key_with_their_digits() -> None:
    """A DECIMAL comes as the JSON text it will be."""
    assert key_text((orjson.Fragment("1.50"), orjson.Fragment(b"2"), 7)) == "1.50,2,7"


def test_a_key_that_is_not_utf8_is_refused() -> None:
    """No value has such bytes."""
    with pytest.raises(RequestError) as caught:
        split_key(b"1,%ff")

    assert caught.value.code == "path_invalid"


def test_the_record_of_a_refused_key_can_be_written() -> None:
    """Half a character has no bytes; what was refused for it is on record all the same."""
    assert key_text(("a\ud800", 7)) == "a%3F,7"
