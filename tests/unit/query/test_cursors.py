"""Cursors: sealed with the key of all workers, opened by their own query alone, and saying nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.query.cursors import Cursors

KEY = b"k" * 32
CURSORS = Cursors(KEY)
_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=300)
)
_POSITIONS = st.lists(_VALUES, min_size=1, max_size=4).map(tuple)


def refused(text: str, binding: bytes = b"query", cursors: Cursors = CURSORS) -> None:
    with pytest.raises(RequestError) as caught:
        cursors.open(text, binding)
    assert (caught.value.code, caught.value.status) == ("cursor_invalid", 400)
    assert caught.value.issues[0].parameter == "cursor"


@given(_POSITIONS, st.binary())
def test_what_was_sealed_comes_out(position: tuple[object, ...], binding: bytes) -> None:
    """In another worker with the same key too, and fit for a URL as it is."""
    text = CURSORS.seal(position, binding)
    opened = Cursors(KEY).open(text, binding)

    assert opened == position
    assert [type(value) for value in opened] == [type(value) for value in position]
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


def test_a_cursor_is_short() -> None:
    """Sixteen bytes more than the position that it holds."""
    assert len(CURSORS.seal((120.5, "2026-03-01", 42), b"query")) <= 60


def test_equal_positions_of_a_query_have_one_cursor() -> None:
    """A page asked for twice is the same page, its cursor included."""
    assert CURSORS.seal((1, "a"), b"query") == CURSORS.seal((1, "a"), b"query")
    assert CURSORS.seal((1, "a"), b"query") != CURSORS.seal((1, "b"), b"query")
    assert CURSORS.seal((1, "a"), b"query") != CURSORS.seal((1, "a"), b"other")


def test_a_cursor_of_another_query_or_key_is_refused() -> None:
    """Bound and signed."""
    text = CURSORS.seal((1, "a"), b"query")

    refused(text, b"other query")
    refused(text, b"")
    refused(text, cursors=Cursors(b"another key"))
    refused(text, cursors=Cursors())


def test_query_and_position_cannot_be_shifted_into_each_other() -> None:
    """The signature tells where one ends and the other begins."""
    assert CURSORS.seal((1,), b"query[") != CURSORS.seal((1,), b"query")
    refused(CURSORS.seal((1,), b"query"), b"query[1]")


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    """Wherever it was changed, cut or lengthened."""
    text = CURSORS.seal((120.5, "2026-03-01", 42), b"query")
    place = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.sampled_from("ABCz09-_").filter(lambda sign: sign != text[place]))

    refused(text[:place] + sign + text[place + 1 :])
    refused(text[:place])
    refused(text + sign)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever it is."""
    refused(text)


@pytest.mark.parametrize("text", ["", "a", "abcd", "=", "A" * 22, "A" * 400, "é" * 30, "AAAA\n", "%00"])
def test_texts_that_are_no_cursor_are_refused(text: str) -> None:
    """Short ones, long ones, and ones of other letters."""
    refused(text)


def test_nothing_of_a_position_can_be_read_from_a_cursor() -> None:
    """Two positions that share all but one letter share no part of their cursors."""
    one, other = (CURSORS.seal(("a" * 100 + letter,), b"query") for letter in "xy")

    assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) / 4


def test_long_positions_are_masked_to_their_end() -> None:
    """The key stream does not repeat."""
    text = CURSORS.seal(("a" * 300,), b"query")

    assert CURSORS.open(text, b"query") == ("a" * 300,)
    assert len({text[place : place + 8] for place in range(24, len(text) - 8, 8)}) > 40
