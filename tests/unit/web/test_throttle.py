"""How often one address may come, before anything else is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.security.rates import Rate
from gateway.settings import Settings
from gateway.web.throttle import Throttle, rate_of


@dataclass(slots=True)
class Watch:
    """A clock that the test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_of_the_whole_limit_may_come_and_then_one_request_per_step() -> None:
    """What waits for as long as it is told is let in."""
    watch = Watch()
    throttle = Throttle(Rate(6, 60), now=watch)

    assert [throttle.allow("192.0.2.1") for _ in range(6)] == [0.0] * 6
    wait = throttle.allow("192.0.2.1")
    assert wait == pytest.approx(10)
    watch.now += wait
    assert throttle.allow("192.0.2.1") == 0.0
    assert throttle.allow("192.0.2.1") > 0


def test_one_address_does_not_slow_another() -> None:
    """Each has its own rate."""
    throttle = Throttle(Rate(1, 60), now=Watch())

    assert throttle.allow("192.0.2.1") == 0.0
    assert throttle.allow("192.0.2.1") > 0
    assert throttle.allow("192.0.2.2") == 0.0


def test_an_ipv6_address_counts_by_its_network() -> None:
    """Whoever has one address has all of its /64."""
    throttle = Throttle(Rate(1, 60), now=Watch())

    assert throttle.allow("2001:db8:0:1::1") == 0.0
    assert throttle.allow("2001:db8:0:1:ffff::2") > 0
    assert throttle.allow("2001:db8:0:2::1") == 0.0


def test_without_a_rate_nobody_waits() -> None:
    """Off is off."""
    throttle = Throttle(None, now=Watch())

    assert {throttle.allow("192.0.2.1") for _ in range(1_000)} == {0.0}
    assert throttle.peek("192.0.2.1") == 0.0


def test_looking_costs_nothing_and_charging_asks_nobody() -> None:
    """Refused tokens are charged after the fact; what is beyond the rate adds no wait beyond a window."""
    watch = Watch()
    throttle = Throttle(Rate(2, 10), now=watch)

    assert [throttle.peek("192.0.2.1") for _ in range(5)] == [0.0] * 5
    for _ in range(50):
        throttle.charge("192.0.2.1")
    assert 0 < throttle.peek("192.0.2.1") <= 5
    watch.now += 5
    assert throttle.peek("192.0.2.1") == 0.0


def test_the_table_is_bounded_and_forgets_who_was_away_longest() -> None:
    """An attacker with many addresses costs no memory, and those who come often stay known."""
    throttle = Throttle(Rate(2, 3_600), most=100, now=Watch())
    throttle.allow("198.51.100.1")
    throttle.allow("198.51.100.1")
    for number in range(10_000):
        throttle.allow(f"address {number}")
        if number % 10 == 0:
            throttle.charge("198.51.100.1")

    assert len(throttle) <= 101
    assert throttle.allow("198.51.100.1") > 0
    assert throttle.allow("address 0") == 0.0


@given(st.integers(1, 50), st.integers(1, 100), st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_a_burst_and_the_pace(limit: int, window_s: int, pauses: list[float]) -> None:
    """In any span at most one limit more than the pace would allow is let in."""
    watch = Watch()
    throttle = Throttle(Rate(limit, window_s), now=watch)
    let_in = []
    for pause in pauses:
        watch.now += pause
        if throttle.allow("192.0.2.1") == 0.0:
            let_in.append(watch.now)

    for first, begin in enumerate(let_in):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= limit + (let_in[last] - begin) * limit / window_s + 1e-6


def test_a_setting_that_is_no_rate_is_named() -> None:
    """The start fails with what is wrong."""
    with pytest.raises(ConfigurationError, match='GATEWAY_ADDRESS_RATE: "often" is no rate'):
        rate_of(Settings(address_rate="often"), "address_rate")
    assert rate_of(Settings(address_rate="off"), "address_rate") is None
