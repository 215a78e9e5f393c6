"""Rates by leased blocks: no window ever holds more than its limit, and a lone caller gets nearly all of it.

`World` is a store, a few workers and the messages between them in virtual time. What is checked is a plain log
of the moments at which requests were let through; nothing of the algorithm's own books.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.limits import Account, Ask, Grant, settle, terms_of
from gateway.security.rates import Rate

NOW = 1_790_000_000_000


@dataclass(frozen=True)
class Trouble:
    """What may go wrong between workers and store.

    Messages take up to ``delay_s``; of the share ``lost`` of exchanges the answer is lost, or all. The store's clock
    is now and then set back by up to ``set_back_s`` and is slewed by ``slew``. With the chance ``drops`` a worker's
    process is replaced when a request comes to it, as after a crash.
    """

    delay_s: float = 0.002
    lost: float = 0.0
    set_back_s: float = 0.0
    slew: float = 0.0
    drops: float = 0.0


@dataclass
class World:
    """Workers that ask one store, which takes time, may fail, and has a clock of its own."""

    rate: Rate
    workers: int = 1
    seed: int = 0
    trouble: Trouble = Trouble()
    text: str = ""
    offset_s: float = 0.0
    exchanges: int = 0
    passed: list[float] = field(default_factory=list)
    events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    asking: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.numbers = count()
        self.accounts = [self._account() for _ in range(self.workers)]

    def run(self, requests: Sequence[tuple[float, int]]) -> None:
        """Send requests, each a moment and a worker; those with nothing in hand wait for one exchange."""
        for at, worker in requests:
            self._later(at, partial(self._request, worker=worker % self.workers))
        while self.events:
            at, _, event = heappop(self.events)
            event(at)

    def _later(self, at: float, event: Callable[[float], None]) -> None:
        heappush(self.events, (at, next(self.numbers), event))

    def _account(self) -> Account:
        return Account(terms_of(self.rate), f"w.{next(self.numbers)}")

    def _delay(self) -> float:
        return self.random.uniform(0.1, 1) * self.trouble.delay_s

    def _request(self, at: float, worker: int, *, is_again: bool = False) -> None:
        if self.random.random() < self.trouble.drops:
            self.accounts[worker] = self._account()
        account = self.accounts[worker]
        if account.take(at):
            self.passed.append(at)
            if account.is_low(at):
                self._ask(at, worker)
        elif not account.is_closed(at) and not is_again:
            self._ask(at, worker)
            self._later(at + 2.2 * self.trouble.delay_s, partial(self._request, worker=worker, is_again=True))

    def _ask(self, at: float, worker: int) -> None:
        if worker not in self.asking:
            self.asking.add(worker)
            account = self.accounts[worker]
            exchange = partial(self._exchange, worker=worker, account=account, asked=account.ask(at))
            self._later(at + self._delay(), exchange)

    def _exchange(self, at: float, worker: int, account: Account, asked: Ask) -> None:
        self.exchanges += 1
        if self.trouble.set_back_s and self.random.random() < 0.05:
            self.offset_s -= self.random.uniform(0, self.trouble.set_back_s)
        grant = None
        fate = self.random.random()
        if fate >= self.trouble.lost / 2:
            now_ms = NOW + int((at * (1 + self.trouble.slew) + self.offset_s) * 1_000)
            self.text, _, grant = settle(self.text, now_ms, terms_of(self.rate), asked)
        answer = grant if fate >= self.trouble.lost else None
        self._later(
            at + self._delay(), partial(self._answered, worker=worker, account=account, asked=asked, grant=answer)
        )

    def _answered(self, at: float, worker: int, account: Account, asked: Ask, grant: Grant | None) -> None:
        self.asking.discard(worker)
        if grant is not None:
            account.receive(asked, grant, at)

    def most_in_a_window(self) -> int:
        """Return the most requests that were let through within any ``window_s`` seconds."""
        moments = sorted(self.passed)
        most = first = 0
        for last, moment in enumerate(moments):
            while moment - moments[first] >= self.rate.window_s:
                first += 1
            most = max(most, last - first + 1)
        return most


def steady(pace: float, seconds: float, workers: int = 1) -> list[tuple[float, int]]:
    """Requests at an even pace, by turns to each worker."""
    return [(number / pace, number % workers) for number in range(int(pace * seconds))]


rates = st.builds(Rate, st.integers(1, 300), st.sampled_from([1, 2, 7, 60]))
waves = st.lists(
    st.tuples(st.floats(0, 1), st.integers(1, 120), st.floats(0.0001, 0.2), st.integers(0, 7)), min_size=1, max_size=12
)


troubles = st.builds(
    Trouble,
    delay_s=st.sampled_from([0.0005, 0.01, 0.3, 2.0]),
    lost=st.sampled_from([0.0, 0.3]),
    set_back_s=st.sampled_from([0.0, 0.05, 3.0, 100_000.0]),
    slew=st.sampled_from([0.0, 0.0005, -0.0005]),
    drops=st.sampled_from([0.0, 0.05]),
)


@given(rates, waves, st.integers(1, 5), st.integers(0, 2**32), troubles)
def test_no_window_holds_more_than_the_limit(
    rate: Rate, waves: list[tuple[float, int, float, int]], workers: int, seed: int, trouble: Trouble
) -> None:
    """Whatever the workers, their load, slow and lost messages, processes that die, and clocks that are set back."""
    world = World(rate, workers, seed, trouble)
    requests = []
    for start, amount, apart, worker in waves:
        requests += [(1 + start * rate.window_s * 3 + n * apart, worker if worker < 5 else n) for n in range(amount)]

    world.run(requests)

    assert world.most_in_a_window() <= rate.limit


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("rate", [Rate(100, 2), Rate(20, 1), Rate(600, 60), Rate(5_000, 1)])
def test_callers_who_want_far_more_get_nearly_all_and_never_more(rate: Rate, workers: int) -> None:
    """Four times the limit over six windows, at full load on every worker."""
    world = World(rate, workers)

    world.run(steady(4 * rate.limit / rate.window_s, 6 * rate.window_s, workers))

    assert world.most_in_a_window() <= rate.limit
    assert len(world.passed) >= 0.93 * 6 * rate.limit


@pytest.mark.parametrize("rate", [Rate(100, 2), Rate(600, 60), Rate(6_000, 60), Rate(2_000, 1)])
def test_a_lone_caller_at_exactly_its_rate_gets_at_least_95_percent(rate: Rate) -> None:
    """What is lost to buckets and blocks is little even for who never sends more than the limit."""
    world = World(rate)

    world.run(steady(rate.limit / rate.window_s, 8 * rate.window_s))

    assert len(world.passed) >= 0.95 * 8 * rate.limit


def test_a_caller_below_its_rate_is_never_refused() -> None:
    """At 80 % of the limit, on four workers, every request is let through."""
    world = World(Rate(1_000, 10), workers=4)
    requests = steady(80, 60, workers=4)

    world.run(requests)

    assert len(world.passed) == len(requests)


def test_many_requests_need_few_exchanges() -> None:
    """Blocks grow with the pace: a thousand requests at full speed are a handful of exchanges, not a thousand."""
    world = World(Rate(100_000, 60))

    world.run([(number / 5_000, 0) for number in range(1_000)])

    assert len(world.passed) == 1_000
    assert world.exchanges <= 12


def test_a_block_is_at_most_a_twentieth_of_the_limit() -> None:
    """However fast a worker spends, others find the rest."""
    account = Account(terms_of(Rate(1_000, 60)), "w")
    text = ""
    for number in range(20):
        asked = account.ask(number / 1_000, waiting=500)
        text, _, grant = settle(text, NOW + number, terms_of(Rate(1_000, 60)), asked)
        account.receive(asked, grant, number / 1_000)
        assert account.left <= 50
        while account.take(number / 1_000):
            pass


def test_a_limit_of_less_than_a_block_still_lets_through() -> None:
    """One request per window is one, and the next only after it."""
    world = World(Rate(1, 1))

    world.run(steady(200, 3.5))

    assert len(world.passed) == 4
    assert world.most_in_a_window() == 1


def test_workers_share_what_is_left() -> None:
    """When little is left, nobody takes all of it."""
    terms = terms_of(Rate(100, 60))
    text, grants = "", []
    for number in range(4):
        text, _, grant = settle(text, NOW, terms, Ask(f"w.{number}", 0, 0, 0, 96))
        grants.append(grant.extra)
    text, _, _ = settle(text, NOW, terms, Ask("w.0", 5, 0, 0, 0))
    for _ in range(60):
        text, _, _ = settle(text, NOW, terms, Ask("w.0", 1, 0, 0, 1))

    text, _, first = settle(text, NOW, terms, Ask("w.9", 0, 0, 0, 50))

    assert grants == [5, 5, 5, 5]
    assert first.extra <= 5
    assert first.rest > 0


def test_what_was_not_spent_is_given_back() -> None:
    """A worker that tells of its block counts for what it spent alone."""
    terms = terms_of(Rate(100, 60))
    text, _, grant = settle("", NOW, terms, Ask("w", 0, 0, 0, 5))
    assert (grant.extra, grant.rest) == (5, 95)

    _, _, after = settle(text, NOW + 1_000, terms, Ask("w", 2, 500, 0, 0))

    assert (after.extra, after.rest) == (0, 98)


def test_the_block_of_a_worker_that_died_counts_as_spent() -> None:
    """Nobody can know what it let through, so all of it counts until its life and a window have passed."""
    terms = terms_of(Rate(100, 60))
    text, _, _ = settle("", NOW, terms, Ask("dead", 0, 0, 0, 5))
    end = NOW + terms.life_ms + terms.window_ms

    text, _, before = settle(text, end, terms, Ask("w", 0, 0, 0, 0))
    text, ends_at, after = settle(text, end + 3 * terms.bucket_ms, terms, Ask("w", 0, 0, 0, 0))

    assert (before.rest, after.rest) == (95, 100)
    assert json.loads(text)[1:] == [[], []]
    assert ends_at == end + 3 * terms.bucket_ms


def test_telling_of_a_block_that_was_taken_for_spent_counts_nothing_twice() -> None:
    """A worker whose caller came back after long was counted in full already."""
    terms = terms_of(Rate(100, 60))
    text, _, _ = settle("", NOW, terms, Ask("w", 0, 0, 0, 5))

    text, _, grant = settle(text, NOW + 5 * terms.life_ms, terms, Ask("w", 3, 24_000, 0, 0))

    assert grant.rest == 95


def test_a_spent_block_is_not_used_after_its_life() -> None:
    """Its life runs from before the store was asked, however late the answer came."""
    account = Account(terms_of(Rate(1_000, 10)), "w")
    asked = account.ask(100.0)
    account.receive(asked, Grant(5, 900, 9_000), 100.9)

    assert account.take(100.99)
    assert not account.take(101.0)


@given(st.integers(0, 40), st.floats(0.0, 2.0))
def test_spending_says_at_once_whether_more_should_be_asked_for(taken: int, later: float) -> None:
    """The same as taking and looking at what is left then, at each moment of a block's life and after it."""
    one, other = (Account(terms_of(Rate(1_000, 10)), "w") for _ in range(2))
    for account in (one, other):
        account.receive(account.ask(100.0), Grant(40, 900, 9_000), 100.0)
        for _ in range(taken):
            account.take(100.0)

    is_taken = one.take(100.0 + later)
    expected = (2 if one.is_low(100.0 + later) else 1) if is_taken else 0

    assert other.spend(100.0 + later) == expected
    assert other.left == one.left


def test_what_is_left_and_when_more_will_be_is_told() -> None:
    """Remaining falls with each request; the reset is in whole seconds and never zero."""
    account = Account(terms_of(Rate(1_000, 10)), "w")
    account.receive(account.ask(100.0), Grant(5, 900, 8_500), 100.1)
    account.take(100.2)

    assert account.standing(100.2) == (904, 9)
    assert account.standing(109.0) == (900, 1)


def test_a_refusal_is_remembered_for_a_moment() -> None:
    """Callers that hammer do not make the store be asked for each of their requests."""
    world = World(Rate(10, 60))

    world.run(steady(1_000, 5))

    assert len(world.passed) == 10
    assert world.exchanges < 40


def test_a_clock_that_seems_to_go_back_a_little_stands_still() -> None:
    """Two askers may read the clock in one order and take the lock in the other."""
    terms = terms_of(Rate(100, 1))
    text, _, _ = settle("", NOW, terms, Ask("a", 0, 0, 0, 5))
    text, _, _ = settle(text, NOW + 90, terms, Ask("b", 0, 0, 0, 5))
    text, _, _ = settle(text, NOW + 20, terms, Ask("a", 5, 0, 0, 0))

    _, _, grant = settle(text, NOW + 20 + 1_000 + terms.slack_ms + terms.bucket_ms, terms, Ask("c", 0, 0, 0, 0))

    assert grant.rest == 90


def test_a_clock_that_was_set_back_by_a_day_locks_nobody_out() -> None:
    """What was spent counts for a window from now on, not until yesterday has passed once more."""
    terms = terms_of(Rate(100, 60))
    before = NOW - 86_400_000
    text, _, _ = settle("", NOW, terms, Ask("a", 0, 0, 0, 5))
    text, _, _ = settle(text, NOW, terms, Ask("a", 5, 0, 0, 0))

    text, _, at_once = settle(text, before, terms, Ask("b", 0, 0, 0, 0))
    _, _, later = settle(text, before + 60_000 + terms.slack_ms + terms.bucket_ms, terms, Ask("b", 0, 0, 0, 0))

    assert (at_once.rest, later.rest) == (95, 100)


def test_a_ledger_stays_small() -> None:
    """Whatever was done within a window, its text has a bounded number of entries."""
    terms = terms_of(Rate(1_000_000, 60))
    text = ""
    for number in range(3_000):
        text, _, _ = settle(text, NOW + number * 50, terms, Ask(f"w.{number}", 0, 0, 0, 1))
        text, _, _ = settle(text, NOW + number * 50, terms, Ask(f"w.{number}", 1, 0, 0, 0))

    assert len(text) < 4_000
