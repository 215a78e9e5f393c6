"""Key arguments as the texts of a key in a URL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import RequestError
from gateway.graphql.keys import key_texts
from gateway.graphql.meaning import Row
from tests.support.asking import crm

TABLE = crm().resources["taggables"]
BY_COLUMNS = Row(TABLE, ("a", "b", "c", "d"))


def test_arguments_are_taken_in_the_order_of_the_key() -> None:
    """With their digits; a flag is what it is in a URL."""
    given = {"d": Decimal("1.50"), "c": True, "b": "x,y", "a": 2**60}

    assert key_texts(BY_COLUMNS, given) == (str(2**60), "x,y", "true", "1.50")


def test_one_text_is_split_as_a_path_is() -> None:
    """At commas, then decoded."""
    assert key_texts(Row(TABLE, ("key",), is_by_columns=False), {"key": "7,a%2Cb"}) == ("7", "a,b")
    assert key_texts(Row(TABLE, ("key",), is_by_columns=False), {"key": 7}) == ("7",)


@pytest.mark.parametrize("value", [None, ["x"], {}])
def test_other_values_are_no_key(value: Any) -> None:
    """They are refused by the argument's name."""
    with pytest.raises(RequestError) as caught:
        key_texts(BY_COLUMNS, {"a": 1, "b": value, "c": 1, "d": 1})

    assert caught.value.code == "key_invalid"
    assert caught.value.issues[0].parameter == "b"


@pytest.mark.parametrize("row", [Row(TABLE, ("key",), is_by_columns=False), Row(TABLE, ("key", "other"))])
def test_half_a_character_is_no_key(row: Row) -> None:
    """It has no bytes that a path could hold."""
    with pytest.raises(RequestError) as caught:
        key_texts(row, {"key": "a\ud800", "other": 1})

    assert (caught.value.code, caught.value.issues[0].parameter) == ("key_invalid", "key")
