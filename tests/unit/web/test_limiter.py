"""The limiter on a store in memory: who goes on at once, who waits, who is refused and how, and what answers say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, TypeVar

import orjson
import pytest

from gateway.errors import ThrottledError, UnavailableError
from gateway.observe import RateStoreFound, RateStoreLost
from gateway.security.networks import Allowlists
from gateway.security.policy import Policy
from gateway.security.principal import Principal
from gateway.security.rates import Rate
from gateway.state.failures import StateAwayError
from gateway.state.leases import Change
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.limiter import AWAY_PAUSE_S, MOST_RATES, SETTLED_S, Limiter, scope_of
from gateway.web.replies import problem_body
from gateway.web.stages.rate_limit import RateLimit
from gateway.web.throttle import Throttle

T = TypeVar("T")
MINUTE = Rate(600, 60)


@dataclass
class Clock:
    """Seconds, as the worker and the store both count them; they pass when the test says so."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Memory:
    """Ledgers in a dict. ``error`` is raised instead; nothing answers while ``gate`` is closed."""

    clock: Clock
    texts: dict[str, str] = field(default_factory=dict)
    changes: int = 0
    cleaned: int = 0
    error: Exception | None = None
    gate: Event = field(default_factory=Event)
    lock: Any = field(default_factory=Lock)
    is_closed: bool = False

    def change(self, scope: str, change: Change[T]) -> T:
        assert self.gate.wait(10)
        with self.lock:
            self.changes += 1
            if self.error is not None:
                raise self.error
            self.texts[scope], _, answer = change(self.texts.get(scope, ""), int(self.clock() * 1_000))
            return answer

    def clean(self) -> int:
        self.cleaned += 1
        return 0

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Memory:
    """A store that answers."""
    made = Memory(clock)
    made.gate.set()
    return made


@pytest.fixture
async def limiter(memory: Memory, clock: Clock) -> AsyncIterator[Limiter]:
    """A worker's limiter with 600 requests a minute for whoever has no rate of its own."""
    made = Limiter(memory, MINUTE, now=clock)
    yield made
    memory.gate.set()
    await made.stop()
    assert memory.is_closed


async def settled() -> None:
    """Let what was begun end."""
    for _ in range(20):
        await asyncio.sleep(0.002)


async def let(limiter: Limiter, rate: Rate, key: str = "token:1") -> bool:
    """Whether a request is let through."""
    line = limiter.line(key, rate)
    return line.take() or await line.wait()


async def let_at_most(limiter: Limiter, rate: Rate, key: str = "token:1") -> int:
    """How many requests are let through before one is refused."""
    passed = 0
    while await let(limiter, rate, key):
        passed += 1
    return passed


async def test_exactly_the_limit_is_let_through(limiter: Limiter) -> None:
    """The next one is refused, and none of another caller's."""
    assert await let_at_most(limiter, MINUTE) == 600
    assert await let(limiter, MINUTE, "token:2")


async def test_two_workers_share_one_limit(limiter: Limiter, memory: Memory, clock: Clock) -> None:
    """What one let through the other does not."""
    other = Limiter(memory, MINUTE, now=clock)

    passed = await asyncio.gather(let_at_most(limiter, MINUTE), let_at_most(other, MINUTE))
    clock.at += 1  # what one refused a moment ago may have been given back by the other since
    late = [await let_at_most(each, MINUTE) for each in (limiter, other)]
    await other.stop()

    assert 590 <= sum(passed) + sum(late) <= 600


async def test_the_limit_is_free_again_after_the_window(limiter: Limiter, clock: Clock) -> None:
    """Not before: a second before, everything still counts."""
    rate = Rate(50, 10)
    assert await let_at_most(limiter, rate) == 50
    clock.at += 9
    assert await let_at_most(limiter, rate) == 0
    clock.at += 1.3
    assert await let_at_most(limiter, rate) == 50


async def test_those_who_come_at_once_wait_for_one_exchange(limiter: Limiter, memory: Memory) -> None:
    """Twenty requests with nothing in hand are one question to the store."""
    memory.gate.clear()
    waiting = [asyncio.create_task(let(limiter, MINUTE)) for _ in range(20)]
    await asyncio.sleep(0.01)
    memory.gate.set()

    assert all(await asyncio.gather(*waiting))
    assert memory.changes <= 3


async def test_whoever_stops_waiting_stops_nothing_for_the_others(limiter: Limiter, memory: Memory) -> None:
    """A client that goes away takes its own request with it alone."""
    memory.gate.clear()
    first, second = (asyncio.create_task(let(limiter, MINUTE)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0)
    memory.gate.set()

    assert await second
    assert first.cancelled()


async def test_steady_callers_do_not_wait(limiter: Limiter, clock: Clock) -> None:
    """More is asked for while there is something in hand: after the first, `take` alone lets every request through."""
    rate = Rate(6_000, 60)
    assert await let(limiter, rate)
    line = limiter.line("token:1", rate)
    for _ in range(300):
        clock.at += 0.02
        assert line.take()
        await asyncio.sleep(0.001)


async def test_a_thousand_requests_are_few_transactions(limiter: Limiter, memory: Memory, clock: Clock) -> None:
    """The store is asked for blocks, not for requests."""
    rate = Rate(60_000, 60)
    for _ in range(1_000):
        clock.at += 0.001
        assert await let(limiter, rate)
    await settled()

    assert memory.changes <= 12


async def test_refusals_do_not_ask_the_store_each(limiter: Limiter, memory: Memory) -> None:
    """A caller that hammers on is refused from memory."""
    await let_at_most(limiter, MINUTE)
    before = memory.changes

    assert not any([await let(limiter, MINUTE) for _ in range(100)])
    assert memory.changes == before


async def test_with_the_store_away_a_block_in_hand_is_spent_and_no_more(
    limiter: Limiter, memory: Memory, clock: Clock
) -> None:
    """Then it is 503 and not 429, at once for a while, and as before when the store is back."""
    rate = Rate(600, 60)
    assert await let(limiter, rate)
    memory.error = UnavailableError("state_away", "gone")
    line = limiter.line("token:1", rate)
    in_hand = 0
    while line.take():
        in_hand += 1
    await settled()
    with pytest.raises(UnavailableError) as caught:
        await line.wait()
    asked = memory.changes
    with pytest.raises(UnavailableError):
        await line.wait()

    assert in_hand == 0 or in_hand <= 30
    assert (caught.value.code, caught.value.headers["Retry-After"]) == ("state_away", "1")
    assert caught.value.__cause__ is memory.error
    assert memory.changes == asked
    memory.error = None
    clock.at += AWAY_PAUSE_S
    assert await line.wait()


async def test_a_mistake_in_an_exchange_lets_nobody_through(limiter: Limiter, memory: Memory) -> None:
    """Whatever goes wrong, it is refused and its cause is passed on for the log."""
    memory.error = ZeroDivisionError()

    with pytest.raises(UnavailableError) as caught:
        await let(limiter, MINUTE)

    assert caught.value.__cause__ is memory.error


async def test_another_rate_begins_another_block(limiter: Limiter) -> None:
    """What was spent under the old one still counts under the new."""
    assert await let_at_most(limiter, Rate(20, 60)) == 20
    assert await let_at_most(limiter, Rate(30, 60)) == 10


async def test_rates_of_one_caller_by_turns_keep_their_blocks(limiter: Limiter, memory: Memory) -> None:
    """As two JWTs of one subject may have them: nearly all of either is let through, and the ledger stays small."""
    one, two = Rate(6_000, 60), Rate(6_001, 60)
    passed, longest = 0, 0
    while await let(limiter, (one, two)[passed % 2], "jwt:ada"):
        passed += 1
        longest = max(longest, *map(len, memory.texts.values()))

    assert passed >= 5_000
    assert longest < 1_000
    assert memory.changes < passed / 5


async def test_of_many_rates_of_one_caller_only_some_are_kept_apart(limiter: Limiter) -> None:
    """However many there are, a worker's memory of a caller is bounded."""
    for limit in range(600, 600 + 3 * MOST_RATES):
        assert await let(limiter, Rate(limit, 60))

    assert len(limiter._lines["token:1"].family) == MOST_RATES


async def test_only_so_many_callers_are_remembered(memory: Memory, clock: Clock) -> None:
    """Those with nothing in hand go first; whoever is forgotten still counts in the store."""
    limiter = Limiter(memory, MINUTE, now=clock, most=10)
    rate = Rate(5, 60)
    for number in range(10):
        assert await let_at_most(limiter, rate, f"token:{number}") == 5
    for number in range(30):
        assert await let(limiter, MINUTE, f"jwt:{number}")
    again = [await let_at_most(limiter, rate, f"token:{number}") for number in range(10)]
    await limiter.stop()

    assert again == [0] * 10
    assert len(limiter._lines) <= 10


def test_names_that_a_store_might_mix_up_are_kept_as_digests() -> None:
    """Capitals, blanks and length make no two callers one."""
    assert scope_of("token:12") == "token:12"
    assert len({scope_of("jwt:a"), scope_of("jwt:A"), scope_of("jwt:a "), scope_of("jwt:" + "a" * 300)}) == 4
    assert max(len(scope_of("jwt:" + "a" * 300)), len(scope_of("jwt:\ud800"))) == 64


# What answers say


async def test_answers_say_what_the_rate_is_and_what_is_left(limiter: Limiter) -> None:
    """Both spellings, of the IETF's draft and the one that most clients read."""
    line = limiter.line("token:1", MINUTE)
    assert await line.wait()

    headers = dict(line.headers())

    assert headers == {
        b"ratelimit-policy": b'"default";q=600;w=60',
        b"ratelimit": b'"default";r=599;t=60',
        b"x-ratelimit-limit": b"600",
        b"x-ratelimit-remaining": b"599",
        b"x-ratelimit-reset": b"60",
    }


async def test_remaining_falls_with_each_request_and_never_below_nothing(limiter: Limiter) -> None:
    """What is said to be left is really let through."""
    line = limiter.line("token:1", MINUTE)
    said = []
    while line.take() or await line.wait():
        said.append(int(dict(line.headers())[b"x-ratelimit-remaining"]))

    assert said == list(range(599, -1, -1))


async def test_a_refusal_says_when_to_come_back(limiter: Limiter, clock: Clock) -> None:
    """Retry-After is the reset of RateLimit, and whoever waits that long is let through."""
    rate = Rate(5, 10)
    await let_at_most(limiter, rate)
    line = limiter.line("token:1", rate)

    refusal = line.refusal()
    headers = dict(line.headers())
    problem = orjson.loads(problem_body(refusal, "/api/v1/x", "id"))

    assert headers[b"ratelimit"] == b'"default";r=0;t=' + refusal.headers["Retry-After"].encode()
    assert problem["violated-policies"] == ["default"]
    assert (problem["status"], problem["code"]) == (429, "rate_exceeded")
    assert 10 <= int(refusal.headers["Retry-After"]) <= 12
    clock.at += int(refusal.headers["Retry-After"])
    assert await let(limiter, rate)


# The stage


async def passed(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the stage."""
    scope["passed"] = True


def request(principal: Principal | None) -> dict[str, Any]:
    """A scope whose caller is known."""
    exchange = Exchange("id", 0.0, principal=principal)
    return {"type": "http", EXCHANGE: exchange}


def stage_of(limiter: Limiter) -> RateLimit:
    """The stage, which counts no refusals of addresses."""
    return RateLimit(passed, limiter, Allowlists(), Throttle(None))


async def asked(limiter: Limiter, principal: Principal | None) -> Exchange:
    """Send a request through the stage."""
    scope = request(principal)
    await stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used
    assert scope["passed"]
    exchange: Exchange = scope[EXCHANGE]
    return exchange


async def test_a_rate_of_its_own_wins(limiter: Limiter) -> None:
    """A token's policy is asked before the setting, and may allow more or less."""
    own = Principal("token:1", "bi", ("*:read",), policy=Policy(rate=Rate(2, 60)))
    answers = [await asked(limiter, own) for _ in range(2)]
    scope = request(own)

    with pytest.raises(ThrottledError):
        await stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used

    exchange = scope[EXCHANGE]
    assert exchange.stage == "rate_limit"
    assert "passed" not in scope
    assert [dict(answer.answer_headers or ())[b"x-ratelimit-remaining"] for answer in answers] == [b"1", b"0"]
    assert dict(exchange.answer_headers or ())[b"ratelimit"].startswith(b'"default";r=0;')


async def test_a_rotation_does_not_double_a_rate(limiter: Limiter) -> None:
    """While both work, the old token and the new one are counted together; another token is not."""
    policy = Policy(rate=Rate(2, 60), lineage="5f3a")
    for key in ("token:1", "token:2"):
        await asked(limiter, Principal(key, "bi", (), policy=policy))
    scope = request(Principal("token:1", "bi", (), policy=policy))

    with pytest.raises(ThrottledError):
        await stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used

    other = await asked(limiter, Principal("token:3", "other", (), policy=Policy(rate=Rate(2, 60), lineage="77aa")))
    assert dict(other.answer_headers or ())[b"x-ratelimit-remaining"] == b"1"


@pytest.mark.parametrize(
    ("policy", "address", "origin"),
    [
        (Policy(rate=Rate(2, 60), addresses=("203.0.113.0/24",)), "6.6.6.6", ""),
        (Policy(rate=Rate(2, 60), origins=("https://app.example.com",)), "203.0.113.7", "https://evil.example"),
        (Policy(rate=Rate(2, 60), origins=("https://app.example.com",)), "203.0.113.7", ""),
    ],
)
async def test_what_is_sent_from_elsewhere_costs_the_token_nothing(
    limiter: Limiter, policy: Policy, address: str, origin: str
) -> None:
    """Who took a token cannot use up its rate; the next stage refuses, and the address is counted as a guesser's."""
    refusals = Throttle(Rate(2, 60))
    stage = RateLimit(passed, limiter, Allowlists(), refusals)
    owner = Principal("token:1", "bi", (), policy=policy)
    for _ in range(5):
        scope = request(owner)
        scope[EXCHANGE].address, scope[EXCHANGE].origin = address, origin
        await stage(scope, None, None)  # type: ignore[arg-type]  # neither is used
        assert scope[EXCHANGE].answer_headers is None
        assert scope["passed"]
    scope = request(owner)
    scope[EXCHANGE].address, scope[EXCHANGE].origin = "203.0.113.9", "https://app.example.com"
    await stage(scope, None, None)  # type: ignore[arg-type]  # neither is used

    assert dict(scope[EXCHANGE].answer_headers or ())[b"x-ratelimit-remaining"] == b"1"
    assert refusals.peek(address) > 0
    assert refusals.peek("203.0.113.9") == 0.0


async def test_a_refusal_for_the_store_says_the_rate_too(limiter: Limiter, memory: Memory) -> None:
    """Every answer of a limited caller does."""
    memory.error = UnavailableError("state_away", "gone")
    scope = request(Principal("token:1", "bi", ()))

    with pytest.raises(UnavailableError):
        await stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used

    assert dict(scope[EXCHANGE].answer_headers or ())[b"x-ratelimit-limit"] == b"600"


async def test_headers_of_stages_before_stay(limiter: Limiter) -> None:
    """What authentication left for the answer is not taken away."""
    scope = request(Principal("token:1", "bi", ()))
    scope[EXCHANGE].answer_headers = [(b"www-authenticate", b"Basic")]

    await stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used

    assert [name for name, _ in scope[EXCHANGE].answer_headers][:2] == [b"www-authenticate", b"ratelimit-policy"]


async def test_callers_without_a_rate_cost_nothing(memory: Memory, clock: Clock) -> None:
    """With the setting off and none of their own, and on public paths: the store is never asked, nothing is said."""
    limiter = Limiter(memory, None, now=clock)
    known = await asked(limiter, Principal("token:1", "bi", ()))
    unknown = await asked(limiter, None)
    await limiter.stop()

    assert (known.answer_headers, unknown.answer_headers) == (None, None)
    assert memory.changes == 0


async def test_old_ledgers_are_removed_from_time_to_time(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """By every worker, in the background."""
    monkeypatch.setattr("gateway.web.limiter.CLEAN_EVERY_S", 0.001)
    limiter = Limiter(memory, MINUTE)
    limiter.start()
    await settled()
    await limiter.stop()

    assert memory.cleaned > 0


# A store that is away


async def test_a_store_that_is_lost_is_told_once_with_its_reason_and_looked_for(memory: Memory, clock: Clock) -> None:
    """At the start, and until it has answered for a while: requests may have been sent elsewhere for it."""
    events: list[object] = []
    limiter = Limiter(memory, MINUTE, now=clock, observer=events.append)
    memory.error = StateAwayError("Connection refused")
    limiter.start()
    await settled()
    lost = limiter.is_away
    memory.error = None
    await limiter.look()
    still = limiter.is_away
    memory.error = StateAwayError("Connection refused")
    clock.at += SETTLED_S
    await limiter.look()
    memory.error = None
    clock.at += SETTLED_S
    await limiter.look()
    await limiter.stop()

    assert (lost, still, limiter.is_away) == (True, True, False)
    assert events == [RateStoreLost("Connection refused"), RateStoreFound(2 * SETTLED_S)]
    assert set(memory.texts) == {"look"}


@pytest.mark.parametrize(
    ("path", "is_admin", "expected"),
    [("/metrics", True, True), ("/admin/audit", True, True), ("/admin/audit", False, False), ("/x", True, False)],
)
async def test_an_administrator_can_find_out_why(
    limiter: Limiter, memory: Memory, *, path: str, is_admin: bool, expected: bool
) -> None:
    """Its own pages answer while nothing can be counted."""
    memory.error = StateAwayError("Connection refused")
    scope = {**request(Principal("token:1", "ops", (), is_admin=is_admin)), "path": path}
    serving = stage_of(limiter)(scope, None, None)  # type: ignore[arg-type]  # neither is used
    if expected:
        await serving
        assert scope["passed"]
        return
    with pytest.raises(UnavailableError) as caught:
        await serving
    assert str(caught.value.__cause__) == "Connection refused", "the log has the store's own reason"
