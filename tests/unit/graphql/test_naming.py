"""Names: what GraphQL allows is kept, everything else becomes the nearest name that it allows, each once."""

from __future__ import annotations

import pytest
from graphql import GraphQLError
from graphql.type import assert_name
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql.naming import Names, is_name, mangled, pascal, singular


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("total", "total"),
        ("_x", "_x"),
        ("custom.region", "custom_region"),
        ("group by", "group_by"),
        ("2nd", "_2nd"),
        ("100%", "_100_"),
        ("__x", "_x"),
        ("-_x", "_x"),
        ("größe", "gr__e"),
        ("日本", "_"),
        ("it's", "it_s"),
    ],
)
def test_the_nearest_name(text: str, name: str) -> None:
    """What is no letter, digit or underscore becomes an underscore; none begins with a digit or two underscores."""
    assert mangled(text) == name


@given(st.text(min_size=1, max_size=12))
def test_every_text_becomes_a_name_and_names_stay(text: str) -> None:
    """As the library judges names; a name is its own nearest one."""
    name = mangled(text)

    assert_name(name)
    assert not name.startswith("__")
    assert mangled(name) == name
    assert is_name(text) == (name == text)


@given(
    st.lists(st.sampled_from(["a", "a_2", "_", "__", "日", "é", "1", "_1", "a.b", "a b", "a_b", "and"]), max_size=20)
)
def test_no_name_is_given_out_twice(wanted: list[str]) -> None:
    """Whatever is wanted, and how often: each is a name that a schema may define."""
    names = Names(("and",))
    given_out = [names.give(text) for text in wanted]

    assert len({*given_out, "and"}) == len(given_out) + 1
    for name in given_out:
        assert_name(name)
        assert is_name(name)
        assert not names.is_free(name)


def test_a_second_name_is_numbered() -> None:
    """From 2 on, past those that are taken."""
    names = Names()

    assert [names.give(text) for text in ("a", "a_2", "a", "a", "_", "日")] == ["a", "a_2", "a_3", "a_4", "_", "_n_2"]


@pytest.mark.parametrize(
    ("resource", "name"),
    [("item_tax", "ItemTax"), ("order line", "OrderLine"), ("2nd", "_2nd"), ("日本", "Table"), ("Kunde", "Kunde")],
)
def test_type_names_are_words_with_capitals(resource: str, name: str) -> None:
    """One that has no words at all is a Table."""
    assert pascal(resource) == name


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("invoices", "invoice"),
        ("countries", "country"),
        ("taxes", "tax"),
        ("statuses", "status"),
        ("classes", "class"),
        ("batches", "batch"),
        ("leads_status", "leads_status"),
        ("address", "address"),
        ("analysis", "analysis"),
        ("staff", "staff"),
        ("s", "s"),
        ("as", "as"),
        ("", ""),
    ],
)
def test_singulars(word: str, one: str) -> None:
    """Of plurals; words that only look like one stay."""
    assert singular(word) == one


def test_the_library_refuses_what_is_no_name() -> None:
    """Else the tests above would hold for nothing."""
    with pytest.raises(GraphQLError):
        assert_name("a.b")
