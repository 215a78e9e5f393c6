"""Conditions: the closed grammar, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.conditions import GrammarError, parse_condition
from gateway.catalog.model import Guard

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"and", "is", "not", "null", "in", "numeric"}
)
CONSTANTS = st.one_of(st.integers(-(10**9), 10**9), st.text(max_size=8).map(lambda text: text.strip()))
GUARDS = st.one_of(
    st.builds(lambda name, value: Guard(name, "eq", (value,)), NAMES, CONSTANTS),
    st.builds(lambda name: Guard(name, "nonzero"), NAMES),
    st.builds(lambda name: Guard(name, "not_null"), NAMES),
    st.builds(lambda name: Guard(name, "numeric"), NAMES),
    st.builds(
        lambda name, values: Guard(name, "in", tuple(values)), NAMES, st.lists(CONSTANTS, min_size=1, max_size=3)
    ),
)


def render_constant(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def render(guard: Guard) -> str:
    values = ", ".join(render_constant(value) for value in guard.values)
    match guard.operator:
        case "eq":
            return f"{guard.column}={values}"
        case "nonzero":
            return f"{guard.column}<>0"
        case "not_null":
            return f"{guard.column} is not null"
        case "in":
            return f"{guard.column} in ({values})"
        case "numeric":
            return f"numeric({guard.column})"


@given(st.lists(GUARDS, max_size=3))
def test_what_is_written_is_read_back(guards: list[Guard]) -> None:
    """Parsing undoes rendering, for any constants."""
    assert parse_condition(" and ".join(render(guard) for guard in guards)) == tuple(guards)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_grammar_error(text: str) -> None:
    """Nothing else can come of a whitelist's text."""
    offset = 0
    try:
        parse_condition(text)
    except GrammarError as error:
        offset = error.offset

    assert 0 <= offset <= len(text)


@pytest.mark.parametrize(
    "text", ["REL_TYPE = 'a' AND rel_id <> 0", "numeric ( x )", 'kind="a"', "`order`=1", "x IS NOT NULL", "n=-1"]
)
def test_case_space_and_quotes_are_free(text: str) -> None:
    """An administrator may write as SQL is written."""
    assert parse_condition(text)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("=1", 0),
        ("a", 1),
        ("a=", 2),
        ("a<>1", 4),
        ("a is null", 4),
        ("a in ()", 6),
        ("a in (1", 7),
        ("a=1 or b=1", 3),
        ("a=1 and", 7),
        ("a='x", 2),
        ("a=1; drop table b", 3),
        ("a=(select 1)", 2),
        ("and=1", 0),
    ],
)
def test_anything_else_is_refused_where_it_stands(text: str, offset: int) -> None:
    """A condition can say only what the grammar can, so it carries no SQL."""
    with pytest.raises(GrammarError) as caught:
        parse_condition(text)

    assert caught.value.offset == offset
