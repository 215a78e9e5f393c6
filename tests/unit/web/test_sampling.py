"""What is noted of answers that anybody can have for nothing."""

from __future__ import annotations

import pytest

from gateway.web import sampling
from gateway.web.sampling import FORGET_S, Sampling


def test_the_first_of_a_kind_and_address_and_then_one_of_so_many() -> None:
    """Each says how many it stands for, so that the numbers add up."""
    counts = Sampling(3, lambda: 0.0)

    assert [counts.stands_for("x", "a") for _ in range(8)] == [1, 0, 0, 3, 0, 0, 3, 0]
    assert [counts.stands_for("x", "b"), counts.stands_for("y", "a")] == [1, 1]


def test_of_many_addresses_only_some_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood from everywhere is one flood; memory and trail stay bounded."""
    monkeypatch.setattr(sampling, "MOST_KINDS", 4)
    counts = Sampling(10, lambda: 0.0)

    assert sum(counts.stands_for("x", str(number)) > 0 for number in range(104)) == 4 + 1 + 9
    assert counts.stands_for("y", "0") == 1, "a new code is seen all the same"


def test_on_the_next_day_addresses_are_new() -> None:
    """So that a guesser who comes again is seen at once."""
    now = [0.0]
    counts = Sampling(10, lambda: now[0])
    seen = [counts.stands_for("x", "a"), counts.stands_for("x", "a")]
    now[0] = FORGET_S

    assert [*seen, counts.stands_for("x", "a")] == [1, 0, 1]
