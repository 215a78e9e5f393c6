"""Counting tokens before parsing: as many as the parser finds, in time linear in the text."""

from __future__ import annotations

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql.scanning import scan

DOCUMENTS = (
    "{ a }",
    'query Q($a: Int = -1.5e+3, $b: [String!]! = ["x"]) @d(if: true) { a: b(c: {d: [1, 2], e: $a}) ...F }',
    'fragment F on T { a(b: """block "quoted" \\""" still""", c: "a\\"b\\\\", d: "") }',
    "{ a,,, b \ufeff c\t\r\n d }",
    '{ a(x: "# no comment", y: "}") { b } }',
)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_tokens_are_those_of_the_parser(text: str) -> None:
    """The same number, so that the limit means what it says."""
    assert scan(text).tokens == parse(text).token_count


def test_comments_count() -> None:
    """They cost the parser as much as other tokens."""
    assert scan("# one\n{ a # two\n}").tokens == 5


@pytest.mark.parametrize(
    ("text", "nesting"), [("{ a }", 1), ("{ a(b: {c: [1]}) { d } }", 4), ("}{", 0), ('{ a(b: "{{{") }', 2), ("", 0)]
)
def test_brackets_inside_each_other_are_counted(text: str, nesting: int) -> None:
    """Of all kinds, those in texts not."""
    assert scan(text).nesting == nesting


@pytest.mark.parametrize(
    ("text", "tokens"),
    [('"' + '\\"' * 20_000, 1), ('"""' + '\\"""' * 20_000, 1), ('"\n' * 5_000, 5_000), ("\\" * 1_000, 1_000)],
)
def test_what_is_never_closed_is_gone_through_once(text: str, tokens: int) -> None:
    """A quote that is never closed takes the rest of its line, that of a block the rest of the text."""
    assert scan(text).tokens == tokens


@given(st.text(alphabet='{}[]()"\\#\n \u00e9a1.$@:!-', max_size=60))
def test_any_text_has_no_more_tokens_than_characters(text: str) -> None:
    """Whatever stands there, it is gone through once."""
    assert 0 <= scan(text).tokens <= len(text)
