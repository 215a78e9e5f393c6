"""A claim is taken once, by one; what became of it is told for as long as it says, and never more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.state.idempotency import (
    BATCH,
    KEPT_S,
    LEASE_S,
    MOST_BODY_BYTES,
    REMEMBERED_S,
    Claim,
    Found,
    IdempotencyStore,
    KeptAnswer,
)
from gateway.state.store import StateStore

CLAIM = Claim(b"scope", b"key", b"request", b"first")
REPEAT = replace(CLAIM, holder=b"second")
ANSWER = KeptAnswer(201, {"Location": "/api/v1/leads/7", "ETag": '"x"'}, b'{"data":{}}', b"shape")
REFUSED = KeptAnswer(422, {}, b'{"code":"fields_invalid"}', b"shape")


@dataclass
class Now:
    """A clock that is set by hand."""

    moment: float = 1_000_000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def store(tmp_path: Path, now: Now) -> Iterator[IdempotencyStore]:
    with StateStore.open(tmp_path / "state.sqlite3", clock=now) as opened:
        yield opened.idempotency


def test_a_claim_is_taken_by_the_first_and_running_for_the_second(store: IdempotencyStore) -> None:
    """Whoever comes second must not run."""
    assert store.claim(CLAIM) == Found("taken")
    assert store.claim(REPEAT) == Found("running")


def test_of_many_at_once_one_takes_the_claim(tmp_path: Path) -> None:
    """Also where each has opened the file itself, as workers do."""
    path = tmp_path / "state.sqlite3"
    stores = [StateStore.open(path) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        claims = [replace(CLAIM, holder=bytes([number])) for number in range(16)]
        found = list(threads.map(lambda claim: stores[claim.holder[0] % 4].idempotency.claim(claim), claims))
    for store in stores:
        store.close()

    assert sorted(each.standing for each in found) == ["running"] * 15 + ["taken"]


@pytest.mark.parametrize("other", [replace(REPEAT, scope=b"other"), replace(REPEAT, key=b"other")])
def test_other_scopes_and_keys_are_other_claims(store: IdempotencyStore, other: Claim) -> None:
    """One client's keys are nothing to another."""
    store.claim(CLAIM)

    assert store.claim(other) == Found("taken")


def test_the_answer_is_found_by_every_repeat(store: IdempotencyStore) -> None:
    """Status, headers, body and shape as they were given."""
    store.claim(CLAIM)
    store.finish(CLAIM, ANSWER)

    assert [store.claim(REPEAT), store.claim(REPEAT)] == [Found("done", ANSWER)] * 2


@pytest.mark.parametrize("end", ["running", "done", "unknown", "expired"])
def test_another_request_under_the_key_is_told_from_a_repeat(store: IdempotencyStore, now: Now, end: str) -> None:
    """However the first one stands."""
    store.claim(CLAIM)
    if end in ("done", "expired"):
        store.finish(CLAIM, ANSWER)
    if end == "unknown":
        store.leave_unknown(CLAIM)
    if end == "expired":
        now.moment += KEPT_S

    assert store.claim(replace(REPEAT, fingerprint=b"other")) == Found("mismatch")


def test_a_claim_nobody_renews_ends_as_unknown(store: IdempotencyStore, now: Now) -> None:
    """Its worker has died: nothing says what it did, so nobody else may take the claim."""
    store.claim(CLAIM)
    now.moment += LEASE_S - 1
    assert store.claim(REPEAT) == Found("running")

    now.moment += 1
    assert store.claim(REPEAT) == Found("unknown")
    now.moment += KEPT_S
    assert store.claim(REPEAT) == Found("unknown")


def test_a_claim_that_is_renewed_stays_running(store: IdempotencyStore, now: Now) -> None:
    """A slow write is not taken for a dead one."""
    store.claim(CLAIM)
    for _ in range(5):
        now.moment += LEASE_S - 1
        store.renew(CLAIM)

    assert store.claim(REPEAT) == Found("running")


def test_a_worker_thought_dead_may_still_report(store: IdempotencyStore, now: Now) -> None:
    """It was only slow; what it says is what happened."""
    store.claim(CLAIM)
    now.moment += 10 * LEASE_S
    assert store.claim(REPEAT) == Found("unknown")

    store.finish(CLAIM, ANSWER)
    assert store.claim(REPEAT) == Found("done", ANSWER)


def test_a_released_claim_can_be_taken_again(store: IdempotencyStore) -> None:
    """Nothing had happened under it; whoever held it before has no say any more."""
    store.claim(CLAIM)
    store.release(CLAIM)
    assert store.claim(REPEAT) == Found("taken")

    store.finish(CLAIM, ANSWER)
    store.release(CLAIM)
    assert store.claim(CLAIM) == Found("running")


def test_an_unknown_outcome_is_told_at_once(store: IdempotencyStore) -> None:
    """Where the write itself said so, no lease has to end first."""
    store.claim(CLAIM)
    store.leave_unknown(CLAIM)

    assert store.claim(REPEAT) == Found("unknown")


def test_what_ended_stays_as_it_ended(store: IdempotencyStore) -> None:
    """A late word of the same holder changes nothing."""
    store.claim(CLAIM)
    store.finish(CLAIM, ANSWER)
    store.leave_unknown(CLAIM)
    store.release(CLAIM)
    store.renew(CLAIM)

    assert store.claim(REPEAT) == Found("done", ANSWER)


def test_of_a_large_answer_status_and_location_are_kept(store: IdempotencyStore) -> None:
    """The store's size is bounded; the row can be read at its Location."""
    store.claim(CLAIM)
    store.finish(CLAIM, replace(ANSWER, body=b"x" * (MOST_BODY_BYTES + 1)))

    kept = KeptAnswer(201, {"Location": "/api/v1/leads/7"}, None, b"shape")
    assert store.claim(REPEAT) == Found("done", kept)


def test_the_largest_answer_is_kept_whole(store: IdempotencyStore) -> None:
    """The limit itself still fits."""
    answer = replace(ANSWER, body=b"x" * MOST_BODY_BYTES)
    store.claim(CLAIM)
    store.finish(CLAIM, answer)

    assert store.claim(REPEAT) == Found("done", answer)


@pytest.mark.parametrize("is_cleaned", [False, True])
def test_a_write_does_not_run_again_when_its_answer_has_expired(
    store: IdempotencyStore, now: Now, is_cleaned: bool
) -> None:
    """At most once means ever; that the answer is gone is said, whether or not it has been removed yet."""
    store.claim(CLAIM)
    store.finish(CLAIM, ANSWER)
    now.moment += KEPT_S - 1
    assert store.claim(REPEAT) == Found("done", ANSWER)

    now.moment += 1
    assert store.clean() == 1 if is_cleaned else True
    assert store.claim(REPEAT) == Found("expired")


@pytest.mark.parametrize("is_cleaned", [False, True])
def test_a_request_that_was_refused_may_run_after_a_day(store: IdempotencyStore, now: Now, is_cleaned: bool) -> None:
    """It wrote nothing, so that running it is the first time."""
    store.claim(CLAIM)
    store.finish(CLAIM, REFUSED)
    now.moment += KEPT_S - 1
    assert store.claim(REPEAT) == Found("done", REFUSED)

    now.moment += 1
    assert store.clean() == 1 if is_cleaned else True
    assert store.claim(REPEAT) == Found("taken")


@pytest.mark.parametrize("is_cleaned", [False, True])
def test_a_claim_is_forgotten_after_a_year(store: IdempotencyStore, now: Now, is_cleaned: bool) -> None:
    """The one bound of "ever", so that the store does not grow without end."""
    store.claim(CLAIM)
    store.leave_unknown(CLAIM)
    now.moment += REMEMBERED_S

    assert store.clean() == 1 if is_cleaned else True
    assert store.claim(REPEAT) == Found("taken")


def test_cleaning_goes_in_batches_and_leaves_what_is_young(store: IdempotencyStore, now: Now) -> None:
    """No transaction holds the store for long, however much there is to remove."""
    for number in range(BATCH + 3):
        claim = replace(CLAIM, key=b"%d" % number)
        store.claim(claim)
        store.finish(claim, ANSWER)
    now.moment += KEPT_S
    store.claim(CLAIM)
    store.finish(CLAIM, ANSWER)

    assert [store.clean() for _ in range(3)] == [BATCH, 3, 0]
    assert store.claim(REPEAT) == Found("done", ANSWER)
