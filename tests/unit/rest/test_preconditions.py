"""Headers of preconditions and preferences, as clients and proxies send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.tags import EVERY, Precondition
from gateway.rest.preconditions import Preferences, parse_precondition, parse_prefer


def test_without_headers_nothing_is_required() -> None:
    """The usual case."""
    assert parse_precondition(None, None) is None


@pytest.mark.parametrize(
    ("text", "match", "none_match"),
    [
        ('"a"', {'"a"'}, {'"a"'}),
        (' "a" ,"b" , , "c"', {'"a"', '"b"', '"c"'}, {'"a"', '"b"', '"c"'}),
        ('"a, b"', {'"a, b"'}, {'"a, b"'}),
        ('W/"a"', set(), {'"a"'}),
        ('W/"a", "b"', {'"b"'}, {'"a"', '"b"'}),
        ("*", EVERY, EVERY),
        (" * ", EVERY, EVERY),
        ('""', {'""'}, {'""'}),
        ("", set(), set()),
        ("a", set(), set()),
        ('"a" "b"', set(), set()),
        ('"a', set(), set()),
        ('w/"a"', set(), set()),
        ('"a", *', set(), set()),
    ],
)
def test_tags_are_read_as_the_standard_has_them(text: str, match: set[str], none_match: set[str]) -> None:
    """Weak ones never match strongly; what is no list of tags matches nothing."""
    assert parse_precondition(text, text) == Precondition(frozenset(match), frozenset(none_match))


@given(st.text(alphabet='W/"*, \tab\\'))
def test_any_header_is_read(text: str) -> None:
    """In a time that grows with its length, into tags or nothing."""
    read = parse_precondition(text, None)

    assert read is not None
    assert read.match is not None
    assert read.match == EVERY or all(tag.startswith('"') and tag.endswith('"') for tag in read.match)


@pytest.mark.parametrize(
    ("text", "returned"),
    [
        (None, None),
        ("", None),
        ("return=minimal", "minimal"),
        ("RETURN = Minimal", "minimal"),
        ('return="representation"', "representation"),
        ("return=minimal; note=x, wait=10", "minimal"),
        ("respond-async, wait=100, return=representation", "representation"),
        ("return=minimal, return=representation", "minimal"),
        ("return=everything", None),
        ("return=everything, return=minimal", None),
        ("return", None),
        ('note="a, return=minimal", handling=strict', None),
        ('note="a \\" b", return=minimal', "minimal"),
        ("xreturn=minimal", None),
        ("note;return=minimal", None),
    ],
)
def test_of_the_preferences_those_about_the_answer_are_known(text: str | None, returned: str | None) -> None:
    """Others are passed over, and of one given twice the first counts (RFC 7240, section 2)."""
    assert parse_prefer(text).returned == returned


@pytest.mark.parametrize(
    ("preferences", "due"),
    [(Preferences(), {}), (Preferences("minimal"), {"Preference-Applied": "return=minimal"})],
)
def test_what_was_followed_is_told(preferences: Preferences, due: dict[str, str]) -> None:
    """And nothing else."""
    assert preferences.applied() == due
