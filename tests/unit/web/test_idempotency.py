"""Writes under a key, with handlers that only count: what runs, what is given again, what is said instead."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.errors import (
    ConflictError,
    GatewayError,
    InternalError,
    Issue,
    RequestError,
    UnavailableError,
    ValidationError,
)
from gateway.execution.failures import CommitCutError, database_away, outcome_unknown, statement_timeout, write_conflict
from gateway.observe import ClaimNotEnded, Event, RequestFailed
from gateway.state.idempotency import KEPT_S, LEASE_S, MOST_BODY_BYTES, Claim, IdempotencyStore
from gateway.state.store import StateStore
from gateway.web.calls import Answer
from gateway.web.idempotency import Idempotency, KeyedRequest, key_of

CREATED = Answer(201, b'{"data":{"id":7}}', {"Location": "/api/v1/leads/7"})
REQUEST = KeyedRequest(Claim(b"scope", b"key", b"body", b"one"), b"shape", "r1")


def repeat(number: int = 2, **claim: bytes) -> KeyedRequest:
    """Return the same request, sent again."""
    return replace(REQUEST, claim=replace(REQUEST.claim, holder=bytes([number]), **claim))


@dataclass
class Now:
    """A clock that is set by hand."""

    moment: float = 1_000_000.0

    def __call__(self) -> float:
        return self.moment


@dataclass
class Handler:
    """A write that counts how often it ran; it waits at ``gate``."""

    outcome: Answer | BaseException = field(default_factory=lambda: CREATED)
    runs: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> Answer:
        self.runs += 1
        self.begun.set()
        await self.gate.wait()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@dataclass
class Bench:
    """The wrapper on a real store with a clock set by hand."""

    store: IdempotencyStore
    handler: Handler = field(default_factory=Handler)
    events: list[Event] = field(default_factory=list)
    now: Now = field(default_factory=Now)

    def __post_init__(self) -> None:
        self.wrapper = self.worker()
        self.handler.gate.set()

    def worker(self, **options: Any) -> Idempotency:
        """Return the wrapper of another worker."""
        return Idempotency(self.store, self.events.append, 5.0, **options)

    async def answer(self, request: KeyedRequest = REQUEST) -> Answer:
        return await self.wrapper.answer(request, self.handler)

    async def error(self, request: KeyedRequest = REQUEST) -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            await self.answer(request)
        return caught.value


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    now = Now()
    with StateStore.open(tmp_path / "state.sqlite3", clock=now) as state:
        bench = Bench(state.idempotency, now=now)
        yield bench
        await bench.wrapper.stop()


async def test_a_repeat_gets_the_first_answer_and_runs_nothing(bench: Bench) -> None:
    """With a header that says so."""
    assert await bench.answer() == CREATED

    again = await bench.answer(repeat())
    assert (again.status, again.body) == (201, CREATED.body)
    assert again.headers == {"Location": "/api/v1/leads/7", "Idempotent-Replayed": "true"}
    assert bench.handler.runs == 1


async def test_an_answer_without_a_body_is_given_again_without_one(bench: Bench) -> None:
    """A delete's 204."""
    bench.handler.outcome = Answer(204)
    await bench.answer()

    assert await bench.answer(repeat()) == Answer(204, b"", {"Idempotent-Replayed": "true"}, outcome="replayed")


async def test_another_request_under_the_key_is_refused(bench: Bench) -> None:
    """A key that is used for something else is a mistake of the client's program."""
    await bench.answer()

    assert (await bench.error(repeat(fingerprint=b"other"))).code == "idempotency_mismatch"
    assert bench.handler.runs == 1


async def test_a_repeat_while_the_first_runs_is_asked_to_wait(bench: Bench) -> None:
    """On another worker as on the same one."""
    bench.handler.gate.clear()
    first = asyncio.create_task(bench.answer())
    await bench.handler.begun.wait()

    error = await bench.error(repeat())
    assert (error.code, error.status, error.headers["Retry-After"]) == ("idempotency_running", 409, "1")

    bench.handler.gate.set()
    assert await first == CREATED
    assert bench.handler.runs == 1


async def test_nothing_runs_again_after_the_worker_died(bench: Bench) -> None:
    """A claim without an outcome, whose lease ended, is answered honestly."""
    bench.store.claim(REQUEST.claim)
    bench.now.moment += LEASE_S

    error = await bench.error(repeat())
    assert (error.code, error.status) == ("outcome_unknown", 409)
    assert bench.handler.runs == 0


async def test_a_slow_write_keeps_its_lease(bench: Bench) -> None:
    """Its worker says from time to time that it is still at it."""
    bench.handler.gate.clear()
    running = asyncio.create_task(bench.worker(renew_every_s=0.001).answer(REQUEST, bench.handler))
    await bench.handler.begun.wait()
    bench.now.moment += LEASE_S
    async with asyncio.timeout(10):
        while (await bench.error(repeat())).code != "idempotency_running":
            await asyncio.sleep(0)

    bench.handler.gate.set()
    assert await running == CREATED


@pytest.mark.parametrize("make", [database_away, statement_timeout, write_conflict])
async def test_what_changed_nothing_frees_the_key(bench: Bench, make: Any) -> None:
    """The next try runs, and its answer is the first."""
    bench.handler.outcome = make()
    assert (await bench.error()).code == make().code

    bench.handler.outcome = CREATED
    assert await bench.answer(repeat()) == CREATED
    assert (await bench.answer(repeat(3))).headers == {**(CREATED.headers or {}), "Idempotent-Replayed": "true"}
    assert bench.handler.runs == 2


@pytest.mark.parametrize(
    "failure", [outcome_unknown(), InternalError("internal", "A mistake."), RuntimeError("a mistake nobody foresaw")]
)
async def test_what_may_have_changed_something_is_never_run_again(bench: Bench, failure: Exception) -> None:
    """The first is told what happened, a repeat that nobody knows."""
    bench.handler.outcome = failure
    with pytest.raises(type(failure)):
        await bench.answer()

    bench.handler.outcome = CREATED
    error = await bench.error(repeat())
    assert (error.code, error.status) == ("outcome_unknown", 409)
    assert bench.handler.runs == 1


async def test_a_refusal_is_given_again_with_everything_it_named(bench: Bench) -> None:
    """It decided the request as much as a success does."""
    issues = (Issue("too long", pointer="/company", code="too_long"), Issue("\ud800", pointer="/x", code="type"))
    bench.handler.outcome = ValidationError("fields_invalid", "Two fields are wrong.", issues=issues)
    await bench.error()

    bench.handler.outcome = CREATED
    error = await bench.error(repeat())
    assert (error.code, error.status, error.detail, error.issues) == (
        "fields_invalid",
        422,
        "Two fields are wrong.",
        issues,
    )
    assert error.headers == {"Idempotent-Replayed": "true"}


async def test_a_row_that_was_stored_and_then_removed_is_not_stored_again(bench: Bench) -> None:
    """The same code as a conflict that changed nothing, but it invites no other try."""
    bench.handler.outcome = ConflictError("write_conflict", "The row was stored, and another write has removed it.")
    await bench.error()

    assert (await bench.error(repeat())).code == "write_conflict"
    assert bench.handler.runs == 1


async def test_a_large_refusal_loses_its_list(bench: Bench) -> None:
    """What is kept is bounded."""
    issues = [Issue("x" * 1_000, pointer=f"/{number}", code="type") for number in range(MOST_BODY_BYTES // 1_000)]
    bench.handler.outcome = ValidationError("fields_invalid", "Much is wrong.", issues=issues)
    await bench.error()

    error = await bench.error(repeat())
    assert (error.code, error.detail, error.issues) == ("fields_invalid", "Much is wrong.", ())


async def test_of_a_large_answer_the_place_of_the_row_is_given_again(bench: Bench) -> None:
    """And that the rest was not kept."""
    bench.handler.outcome = replace(CREATED, body=b"x" * (MOST_BODY_BYTES + 1))
    await bench.answer()

    again = await bench.answer(repeat())
    assert again.status == 201
    assert again.headers == {"Location": "/api/v1/leads/7", "Idempotent-Replayed": "true"}
    assert json.loads(again.body) == {
        "data": None,
        "meta": {"warnings": ["answer_not_kept"]},
        "links": {"self": "/api/v1/leads/7"},
    }


async def test_what_may_not_be_seen_any_more_is_not_given_again(bench: Bench) -> None:
    """A column hidden since the first answer does not come out of the store."""
    await bench.answer()

    again = await bench.answer(replace(repeat(), shape=b"narrower"))
    assert (again.status, json.loads(again.body)["data"]) == (201, None)


async def test_nor_are_the_details_of_a_refusal(bench: Bench) -> None:
    """They may name such a column."""
    bench.handler.outcome = ValidationError("fields_invalid", "secret", issues=[Issue("secret", pointer="/secret")])
    await bench.error()

    error = await bench.error(replace(repeat(), shape=b"narrower"))
    assert (error.code, error.issues, "secret" in error.detail) == ("fields_invalid", (), False)


async def test_after_a_day_the_answer_is_gone_and_the_write_still_does_not_run(bench: Bench) -> None:
    """Whether or not the store was cleaned meanwhile."""
    await bench.answer()
    bench.now.moment += KEPT_S
    assert (await bench.error(repeat())).code == "idempotency_expired"

    assert await bench.wrapper.clean() == 1
    assert await bench.wrapper.clean() == 0
    assert (await bench.error(repeat())).code == "idempotency_expired"
    assert bench.handler.runs == 1


async def test_a_client_that_goes_away_leaves_its_write_running(bench: Bench) -> None:
    """The claim can then say what came of it."""
    bench.handler.gate.clear()
    request = asyncio.create_task(bench.answer())
    await bench.handler.begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    bench.handler.gate.set()
    await bench.wrapper.stop()
    assert (await bench.answer(repeat())).status == 201
    assert bench.handler.runs == 1


@pytest.mark.parametrize(("failure", "runs"), [(database_away(), 2), (statement_timeout(), 2), (outcome_unknown(), 1)])
async def test_an_answer_that_tells_of_a_failure_is_given_and_not_kept(
    bench: Bench, failure: GatewayError, runs: int
) -> None:
    """The key is free again where nothing was done, and never more where nobody knows."""
    bench.handler.outcome = told = replace(CREATED, failure=failure)

    assert await bench.wrapper.answer(REQUEST, bench.handler) is told
    if runs == 2:
        assert await bench.wrapper.answer(repeat(), bench.handler) is told
    else:
        with pytest.raises(ConflictError) as caught:
            await bench.wrapper.answer(repeat(), bench.handler)
        assert caught.value.code == "outcome_unknown"
    assert bench.handler.runs == runs


async def test_a_failure_that_no_client_hears_of_is_logged(bench: Bench) -> None:
    """With the id of the request."""
    bench.handler.gate.clear()
    bench.handler.outcome = failure = RuntimeError("a mistake nobody foresaw")
    request = asyncio.create_task(bench.answer())
    await bench.handler.begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    bench.handler.gate.set()
    await bench.wrapper.stop()
    assert bench.events == [RequestFailed("r1", failure)]


async def test_a_write_that_outlasts_the_stop_is_given_up(bench: Bench) -> None:
    """Its claim stays without an outcome, and a repeat is told so."""
    bench.handler.gate.clear()
    wrapper = Idempotency(bench.store, bench.events.append, 0.001)
    request = asyncio.create_task(wrapper.answer(REQUEST, bench.handler))
    await bench.handler.begun.wait()
    await wrapper.stop()
    with pytest.raises(asyncio.CancelledError):
        await request

    bench.now.moment += LEASE_S
    assert (await bench.error(repeat())).code == "outcome_unknown"


async def test_a_write_that_is_ended_in_the_middle_says_what_it_knows(bench: Bench) -> None:
    """Of several writes some were done; which ones only the handler can tell, and a repeat is refused."""

    async def run() -> Answer:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError as error:
            raise CommitCutError(UnavailableError("outcome_unknown", "Two of three were done.")) from error
        raise AssertionError

    with pytest.raises(UnavailableError, match=r"Two of three were done\."):
        await bench.wrapper.answer(REQUEST, run, 0.05)
    bench.now.moment += LEASE_S
    assert (await bench.error(repeat())).code == "outcome_unknown"


async def test_without_the_store_nothing_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is not on disk is none."""
    monkeypatch.setattr(IdempotencyStore, "claim", broken)

    error = await bench.error()
    assert (error.code, error.headers["Retry-After"]) == ("state_away", "1")
    assert isinstance(error, UnavailableError)
    assert bench.handler.runs == 0


async def test_an_answer_that_cannot_be_recorded_is_still_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is true; a repeat is told that the outcome is unknown."""
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyStore, "finish", broken)
        assert await bench.answer() == CREATED

    assert [type(event) for event in bench.events] == [ClaimNotEnded]
    bench.now.moment += LEASE_S
    assert (await bench.error(repeat())).code == "outcome_unknown"


def broken(*_: object) -> None:
    """Fail as a store on a full disk does."""
    raise OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))


# The header


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"8e03978e-40d5-43dd-bc93-6894a57f9324", b"8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b'"8e03978e-40d5-43dd-bc93-6894a57f9324"', b"8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b' "a" ', b"a"),
        (b'"a\\"b\\\\c"', b'a"b\\c'),
        (b"~", b"~"),
        (b"a,b;c=d", b"a,b;c=d"),
        (b"k" * 255, b"k" * 255),
        (b'"' + b"k" * 255 + b'"', b"k" * 255),
    ],
)
def test_a_key_is_a_quoted_string_or_a_bare_word(value: bytes, key: bytes) -> None:
    """Both name the same key, so that a client may change its mind about quotes."""
    assert key_of([(b"host", b"x"), (b"idempotency-key", value)]) == key


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b'""',
        b'"',
        b'"a',
        b'"a"b',
        b'"a";x=1',
        b'"a\\b"',
        b"a b",
        b'"a b"',
        b"a\tb",
        b"\x7f",
        "é".encode(),
        b"k" * 256,
        b'"' + b"k" * 256 + b'"',
    ],
)
def test_a_key_that_is_none_is_refused(value: bytes) -> None:
    """Ignoring it would run a write twice that its sender thinks safe."""
    with pytest.raises(RequestError) as caught:
        key_of([(b"idempotency-key", value)])
    assert (caught.value.code, caught.value.status) == ("header_invalid", 400)


def test_two_keys_are_none() -> None:
    """The same one twice is fine."""
    assert key_of([(b"idempotency-key", b"a"), (b"idempotency-key", b"a")]) == b"a"
    with pytest.raises(RequestError):
        key_of([(b"idempotency-key", b"a"), (b"idempotency-key", b"b")])
