"""What makes two selections of a relationship one: equal arguments, whatever they were written as."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.graphql.rows import Alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"limit": 2, "filter": {"a": 1, "b": [1, "x"]}}, {"filter": {"b": [1, "x"], "a": 1}, "limit": 2}),
        ({"sort": [{"a": "ASC"}, {"b": "ASC"}]}, {"sort": [{"a": "ASC"}, {"b": "ASC"}]}),
    ],
)
def test_equal_arguments_are_alike(one: Any, other: Any) -> None:
    """Names of objects in any order."""
    alike = Alike()

    assert alike.number(one) == alike.number(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": Decimal(1)}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {}),
        ({"a": []}, {"a": {}}),
        ({"sort": [{"a": "ASC"}, {"b": "ASC"}]}, {"sort": [{"b": "ASC"}, {"a": "ASC"}]}),
    ],
)
def test_other_arguments_are_not(one: Any, other: Any) -> None:
    """A number is not its text, nor a flag; lists have an order."""
    alike = Alike()

    assert alike.number(one) != alike.number(other)


class Counting(dict[str, Any]):
    """An object that counts how often it is read."""

    reads = 0

    def items(self) -> Any:
        self.reads += 1
        return super().items()


def test_a_value_in_many_places_is_looked_at_once() -> None:
    """The value of one variable, however many fields take it."""
    alike, shared = Alike(), Counting(a=[1] * 1_000)

    numbers = {alike.number({"filter": shared}) for _ in range(100)}

    assert (len(numbers), shared.reads) == (1, 1)
