"""Rates on real stores and real servers: whatever workers and nodes do at once, no window holds more than the limit."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.errors import UnavailableError
from gateway.security.limits import Account, settle, terms_of
from gateway.security.policy import Policy
from gateway.security.rates import Rate
from gateway.security.tokens import new_token
from gateway.state.leases import Leases, LeaseStore
from gateway.state.redis_leases import open_redis
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken
from tests.support.app import App, RunningServer, issue, served
from tests.support.mariadb import NoServerError, Server
from tests.support.redis import RedisServer

Span = tuple[float, float]
"""When a request that was let through began and ended; it was let through in between."""


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this worker's own."""
    try:
        with RedisServer.started() as server:
            yield server
    except NoServerError as missing:
        pytest.skip(str(missing))


def most_surely_in_a_window(spans: Sequence[Span], window_s: float) -> int:
    """Return the most requests that were let through within one window, counting only those that surely were."""
    return max(
        (sum(begin <= other[0] and other[1] <= begin + window_s for other in spans) for begin, _ in spans), default=0
    )


def hammer(place: str, rate: Rate, seconds: float, holder: str) -> list[float]:
    """Be one worker that asks for as much as it gets; return the moments at which it let a request through."""
    if place.startswith("redis"):
        return _hammered(open_redis(place), rate, seconds, holder)
    with StateStore.open(place) as state:
        return _hammered(LeaseStore(state.write), rate, seconds, holder)


def _hammered(leases: Leases, rate: Rate, seconds: float, holder: str) -> list[float]:
    account = Account(terms_of(rate), holder)
    passed = []
    begun = time.monotonic()
    while (now := time.monotonic()) < begun + seconds:
        if account.take(now):
            passed.append(now)
        elif account.is_closed(now):
            time.sleep(0.002)
        else:
            asked = account.ask(now, waiting=4)
            grant = leases.change("token:1", partial(settle, terms=account.terms, ask=asked))
            account.receive(asked, grant, time.monotonic())
    return passed


def hold_to_the_limit(place: str) -> None:
    """Four processes at full pace on one ledger: never more than the limit in any second, and most of it in each."""
    rate = Rate(200, 1)
    seconds = 3.0
    works = [(place, rate, seconds, f"w.{number}") for number in range(4)]
    with get_context("spawn").Pool(4) as processes:
        moments = sorted(chain.from_iterable(processes.starmap(hammer, works)))

    assert most_surely_in_a_window([(moment, moment) for moment in moments], rate.window_s - 1e-6) <= rate.limit
    assert len(moments) >= 0.7 * seconds * rate.limit


def test_processes_that_take_all_they_get_from_the_store_stay_within_the_limit(state_place: str) -> None:
    """In a file, in MariaDB and in PostgreSQL."""
    hold_to_the_limit(state_place)


def test_processes_that_take_all_they_get_from_redis_stay_within_the_limit(redis_server: RedisServer) -> None:
    """The same exchange by another way."""
    hold_to_the_limit(redis_server.url)


def test_a_ledger_gets_the_time_of_its_store_in_utc(state_place: str) -> None:
    """Milliseconds since 1970, whatever the time zone of the server or of its sessions."""
    with StateStore.open(state_place) as state:
        leases = LeaseStore(state.write)
        told = [leases.change("token:1", lambda text, now_ms: (text, now_ms, now_ms)) for _ in range(2)]

    assert told[0] <= told[1]
    assert abs(told[0] / 1_000 - time.time()) < 60


def test_a_ledger_of_redis_leaves_by_itself(redis_server: RedisServer) -> None:
    """Nothing has to be cleaned up."""
    leases = open_redis(redis_server.url)
    leases.change("token:9", lambda text, now_ms: ("x", now_ms + 1_200, None))
    assert leases.change("token:9", lambda text, now_ms: (text, now_ms + 1_200, text)) == "x"
    time.sleep(1.4)

    assert leases.change("token:9", lambda text, now_ms: (text, now_ms, text)) == ""
    leases.close()


def test_two_that_change_one_ledger_of_redis_at_once_both_do(redis_server: RedisServer) -> None:
    """Whoever comes second works on what the first left."""
    leases = open_redis(redis_server.url)

    def appended(text: str, now_ms: int) -> tuple[str, int, int]:
        time.sleep(0.001)
        return text + "x", now_ms + 60_000, len(text)

    with ThreadPoolExecutor(6) as threads:
        seen = list(threads.map(lambda _: leases.change("token:8", appended), range(60)))
    leases.close()

    assert sorted(seen) == list(range(60))


def test_redis_that_goes_away_is_unavailable_and_found_again() -> None:
    """503 state_away within its short timeouts, and no restart when it is back."""
    try:
        with RedisServer.started() as server:
            leases = open_redis(server.url)
            assert leases.change("token:1", lambda text, now_ms: ("x", now_ms + 9_000, 1)) == 1
            server.end()
            with pytest.raises(UnavailableError) as caught:
                leases.change("token:1", lambda text, now_ms: ("x", now_ms + 9_000, 1))
            server.begin()
            assert leases.change("token:1", lambda text, now_ms: ("x", now_ms + 9_000, 2)) == 2
            leases.close()
    except NoServerError as missing:
        pytest.skip(str(missing))

    assert caught.value.code == "state_away"


# The application


async def test_every_answer_of_a_limited_token_tells_of_its_rate(crm: App) -> None:
    """An answer, a refusal of a later stage, an unknown path, and the refusal of the rate itself."""
    token = issue(crm.parts.state, "slow", ("clients:read",), policy=Policy(rate=Rate(4, 3_600)))
    headers = {"Authorization": f"Bearer {token}"}
    paths = ("/api/v1/clients?per_page=1", "/api/v1/invoices", "/api/v1/nothing", "/api/me", "/api/v1/clients")
    answers = [await crm.anonymous.get(path, headers=headers) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 403, 404, 200, 429]
    for answer, left in zip(answers, (3, 2, 1, 0, 0), strict=True):
        assert answer.headers["ratelimit-policy"] == '"default";q=4;w=3600'
        assert answer.headers["ratelimit"].startswith(f'"default";r={left};t=')
        assert answer.headers["x-ratelimit-limit"] == "4"
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    refused = answers[-1]
    assert refused.json()["violated-policies"] == ["default"]
    assert refused.json()["code"] == "rate_exceeded"
    assert int(refused.headers["retry-after"]) >= int(refused.headers["x-ratelimit-reset"])


async def test_answers_without_a_caller_tell_nothing_of_rates(crm: App) -> None:
    """Public pages are not counted, and a token that is none has no rate."""
    for path, headers in (("/healthz", {}), ("/api/me", {"Authorization": "Bearer gw_live_nothing"})):
        answer = await crm.anonymous.get(path, headers=headers)
        assert not [name for name in answer.headers if "ratelimit" in name.lower()]


async def test_a_thousand_requests_are_few_transactions_of_the_store(
    crm_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One token at full pace: blocks, not requests, are counted in the store."""
    changes = []
    change = LeaseStore.change

    def counted(leases: LeaseStore, *arguments: Any) -> Any:
        changes.append(1)
        return change(leases, *arguments)

    monkeypatch.setattr(LeaseStore, "change", counted)
    async with served(crm_database, rate_limit="100000/min", address_rate="off") as app:
        for _ in range(1_000):
            assert (await app.client.get("/api/me")).status_code == 200

    assert len(changes) <= 20


async def test_a_redis_that_is_away_refuses_only_what_it_would_have_to_count(crm_database: str) -> None:
    """Requests with a rate get 503 with Retry-After; public pages are served on."""
    async with served(crm_database, rate_store_url="redis://127.0.0.1:1/0") as app:
        refused = await app.client.get("/api/me")
        assert (refused.status_code, refused.json()["code"]) == (503, "state_away")
        assert (await app.anonymous.get("/healthz")).status_code == 200


# Real servers


@dataclass(frozen=True)
class Crowd:
    """Clients that begin at once, when all of them are connected."""

    bases: Sequence[str]
    token: str
    seconds: float
    start: threading.Barrier = field(default_factory=lambda: threading.Barrier(16))

    def answers(self) -> list[tuple[int, float, float]]:
        """Return each answer's status with the moments it began and ended, of clients by turns on the nodes."""
        with ThreadPoolExecutor(self.start.parties) as threads:
            return list(chain.from_iterable(threads.map(self._client, range(self.start.parties))))

    def _client(self, number: int) -> list[tuple[int, float, float]]:
        """Ask as fast as answers come, on one connection."""
        parts = urlsplit(self.bases[number % len(self.bases)])
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
        self._ask(connection, "/healthz")
        self.start.wait()
        until = time.monotonic() + self.seconds
        answers = []
        while time.monotonic() < until:
            begun = time.monotonic()
            status = self._ask(connection, "/api/me")
            answers.append((status, begun, time.monotonic()))
            if status == 429:
                time.sleep(0.005)
        connection.close()
        return answers

    def _ask(self, connection: HTTPConnection, path: str) -> int:
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status


@pytest.fixture(params=["sqlite", "mariadb", "redis"])
def shared(request: pytest.FixtureRequest, mariadb_server: Server) -> Iterator[dict[str, Any]]:
    """The settings by which two nodes share what they count."""
    if request.param == "mariadb":
        name = f"gateway_rates_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
        yield {"state_url": mariadb_server.create_database(name)}
        mariadb_server.drop_database(name)
    elif request.param == "redis":
        yield {"rate_store_url": request.getfixturevalue("redis_server").url}
    else:
        yield {}


def test_two_nodes_with_two_workers_each_stay_within_one_limit(
    crm_database: str, shared: dict[str, Any], tmp_path: Path
) -> None:
    """Sixteen clients hammer both: never more than the limit in any window, and not absurdly fewer."""
    rate, seconds = Rate(100, 2), 6.0
    settings = {"state_path": tmp_path / "state.sqlite3", "rate_limit": str(rate), "address_rate": "off", **shared}
    token = new_token()
    with StateStore.open(shared.get("state_url", str(settings["state_path"]))) as state:
        state.tokens.create(NewToken("all", token.digest, token.prefix, ("*:*",)))
    nodes = [RunningServer.launched(crm_database, tmp_path, workers=2, token=token.text, **settings) for _ in range(2)]
    try:
        for node in nodes:
            node.wait_for_address()
        answers = Crowd([node.base for node in nodes], token.text, seconds).answers()
    finally:
        for node in nodes:
            node.stop()

    assert {status for status, _, _ in answers} == {200, 429}
    spans = [(begun, ended) for status, begun, ended in answers if status == 200]
    assert most_surely_in_a_window(spans, rate.window_s) <= rate.limit
    assert len(spans) >= 0.7 * rate.limit * seconds / rate.window_s
