"""Tags of rows and what a client may require of them."""

from __future__ import annotations

import re

import pytest

from gateway.errors import ConflictError
from gateway.operations.tags import EVERY, Precondition, Tags, given_tags

TAG = '"a"'


def test_a_tag_is_a_strong_entity_tag() -> None:
    """In quotation marks, 128 bits (RFC 9110, section 8.8.3)."""
    assert re.fullmatch(r'"[0-9a-f]{32}"', Tags(b"key").of((1, "x", None)))


def test_equal_cells_have_equal_tags() -> None:
    """Whatever they come in, and however long they live."""
    tags = Tags(b"key")
    assert tags.of((1, "x", b"\xff", 2**80)) == tags.of([1, "x", b"\xff", 2**80])


@pytest.mark.parametrize(
    "other",
    [(1, "x", b"y"), (1, None, b"x"), (1, "null", b"x"), ("1", "x", b"x"), (1, "x"), (1, "x", b"x", None), (2**70,)],
)
def test_other_cells_have_other_tags(other: tuple[object, ...]) -> None:
    """A null is no text, a number no text, and a row no part of a longer one."""
    tags = Tags(b"key")
    assert tags.of(other) != tags.of((1, "x", b"x"))


def test_without_the_key_nobody_can_make_a_tag() -> None:
    """So a tag does not tell what a column holds that a token may not read."""
    assert len({Tags(key).of((1, "x")) for key in (b"", b"one", b"two")}) == 3


@pytest.mark.parametrize(
    ("precondition", "is_allowed"),
    [
        (Precondition(), True),
        (Precondition(match=frozenset({TAG, '"b"'})), True),
        (Precondition(match=frozenset({'"b"'})), False),
        (Precondition(match=frozenset()), False),
        (Precondition(match=EVERY), True),
        (Precondition(none_match=frozenset({TAG})), False),
        (Precondition(none_match=frozenset({'"b"'})), True),
        (Precondition(none_match=EVERY), False),
        (Precondition(match=frozenset({TAG}), none_match=frozenset({TAG})), False),
    ],
)
def test_a_write_goes_on_when_its_precondition_holds(precondition: Precondition, is_allowed: bool) -> None:
    """Both headers, where both are sent (RFC 9110, section 13.2.2)."""
    if is_allowed:
        precondition.check_write(TAG)
        return
    with pytest.raises(ConflictError) as caught:
        precondition.check_write(TAG)
    assert (caught.value.code, caught.value.status) == ("precondition_failed", 412)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"a"', {TAG}),
        ("a", {TAG}),
        (" a ", {TAG}),
        ('"a", "b"', {TAG, '"b"'}),
        ("*", EVERY),
        ("", set()),
        ("a b", set()),
        ('W/"a"', set()),
        ("W/a", set()),
        ('"a', set()),
        ("a,b", set()),
    ],
)
def test_one_tag_may_stand_without_its_quotation_marks(text: str, tags: set[str]) -> None:
    """In an argument, where no header's grammar asks for them; what is neither that nor a list has no tags."""
    assert given_tags(text) == tags
