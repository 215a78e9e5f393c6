"""Claims on idempotency keys: who runs a write, what came of it, and its first answer.

What comes in: digests that `web.idempotency` made, and answers. What goes out: how a
claim stands. A claim is taken in one transaction, durably, before its write begins,
and whoever finds it taken never runs the write. Running is told from dead by a lease
that the worker renews while it works; a lease that ran out frees nothing: the outcome
is unknown then, until its worker reports it after all.

An answer is kept for `KEPT_S`. The claim of a write that succeeded stays far longer,
without its answer, so that a key which comes back is refused and not run again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from gateway.state.failures import retried
from gateway.state.tables import IDEMPOTENCY

Transaction = Callable[[], AbstractContextManager[Connection]]
Clock = Callable[[], float]
Standing = Literal["taken", "running", "unknown", "mismatch", "done", "expired"]

LEASE_S: Final = 6
"""How long a claim counts as running after its worker was last heard of."""

KEPT_S: Final = 24 * 3_600
"""How long an answer is kept, from when it was given."""

REMEMBERED_S: Final = 366 * 24 * 3_600
"""How long a claim is known, from when it was taken; its key does not run again within that time."""

MOST_BODY_BYTES: Final = 262_144
"""The largest body that is kept; of a larger answer status and Location are."""

BATCH: Final = 500
"""Most rows that one statement of `clean` touches, so that it never holds the store for long."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's claim: whose key for which path, which key, which request. ``holder`` tells it from all others."""

    scope: bytes
    key: bytes
    fingerprint: bytes
    holder: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A first answer. ``body`` is None where it was too large; ``shape`` is what its caller was allowed to see."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    shape: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """How a claim stands for whoever asked; ``answer`` is there for ``done`` alone."""

    standing: Standing
    answer: KeptAnswer | None = None


class IdempotencyStore:
    """The claims of a store; every method is one transaction."""

    __slots__ = ("_clock", "_write")

    def __init__(self, write: Transaction, clock: Clock) -> None:
        self._write = write
        self._clock = clock

    @retried
    def claim(self, claim: Claim) -> Found:
        """Take a claim, or return how the one in place stands; of many at once exactly one finds it ``taken``.

        In a file the transaction is alone. On a server the row is locked where there is one, and where there is
        none the unique key lets one transaction in and the others look again.
        """
        now = self._now()
        with self._write() as connection:
            row = connection.execute(select(IDEMPOTENCY).where(_named(claim)).with_for_update()).first()
            if row is None:
                connection.execute(insert(IDEMPOTENCY).values(_new_row(claim, now)))
            elif _is_spent(row, now):
                connection.execute(update(IDEMPOTENCY).where(_named(claim)).values(_new_row(claim, now)))
            else:
                return _found(row, claim, now)
        return Found("taken")

    def renew(self, claim: Claim) -> None:
        """Say that the worker is still at it."""
        self._set(claim, lease_until=self._now() + LEASE_S)

    def finish(self, claim: Claim, answer: KeptAnswer) -> None:
        """Keep the answer of a claim's write."""
        is_large = answer.body is not None and len(answer.body) > MOST_BODY_BYTES
        names = ("Location",) if is_large else tuple(answer.headers)
        self._set(
            claim,
            status="done",
            finished_at=self._now(),
            answer_status=answer.status,
            answer_headers=json.dumps({name: answer.headers[name] for name in names if name in answer.headers}),
            answer_body=None if is_large else answer.body,
            shape=answer.shape,
        )

    def leave_unknown(self, claim: Claim) -> None:
        """Say that nobody knows what came of a claim's write, and nobody will."""
        self._set(claim, status="unknown", finished_at=self._now())

    @retried
    def release(self, claim: Claim) -> None:
        """Give a claim back whose write did nothing: the next request with its key runs."""
        with self._write() as connection:
            connection.execute(delete(IDEMPOTENCY).where(_held(claim)))

    @retried
    def clean(self) -> int:
        """Remove a batch of what need not be kept any more and return how many rows that were; 0 when all is done."""
        now = self._now()
        due = IDEMPOTENCY.c.finished_at <= now - KEPT_S
        with self._write() as connection:
            gone = _some(connection, IDEMPOTENCY.c.created_at <= now - REMEMBERED_S)
            gone |= _some(connection, IDEMPOTENCY.c.answer_status >= 400, due)
            kept = _some(connection, IDEMPOTENCY.c.answer_status < 400, due) - gone
            if gone:
                connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.id.in_(gone)))
            if kept:
                connection.execute(update(IDEMPOTENCY).where(IDEMPOTENCY.c.id.in_(kept)).values(_NO_ANSWER))
        return len(gone) + len(kept)

    @retried
    def _set(self, claim: Claim, **values: object) -> None:
        with self._write() as connection:
            connection.execute(update(IDEMPOTENCY).where(_held(claim)).values(values))

    def _now(self) -> int:
        return int(self._clock())


_NO_ANSWER: Final[Mapping[str, None]] = {
    "answer_status": None,
    "answer_headers": None,
    "answer_body": None,
    "shape": None,
}


def _named(claim: Claim) -> ColumnElement[bool]:
    return and_(IDEMPOTENCY.c.scope == claim.scope, IDEMPOTENCY.c.key == claim.key)


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(_named(claim), IDEMPOTENCY.c.holder == claim.holder, IDEMPOTENCY.c.status == "running")


def _some(connection: Connection, *conditions: ColumnElement[bool]) -> set[int]:
    """The ids of some rows, locked; others that are being written are left to the next time."""
    found = select(IDEMPOTENCY.c.id).where(*conditions).limit(BATCH).with_for_update(skip_locked=True)
    return set(connection.execute(found).scalars())


def _new_row(claim: Claim, now: int) -> dict[str, object]:
    return {
        "scope": claim.scope,
        "key": claim.key,
        "fingerprint": claim.fingerprint,
        "holder": claim.holder,
        "status": "running",
        "lease_until": now + LEASE_S,
        "created_at": now,
        "finished_at": None,
        **_NO_ANSWER,
    }


def _is_old(row: Any, now: int) -> bool:
    return row.finished_at is not None and row.finished_at <= now - KEPT_S


def _is_spent(row: Any, now: int) -> bool:
    """Whether nothing stands against running the key's request: it is forgotten, or an old one that wrote nothing."""
    if row.created_at <= now - REMEMBERED_S:
        return True
    return _is_old(row, now) and row.answer_status is not None and row.answer_status >= 400


def _found(row: Any, claim: Claim, now: int) -> Found:
    if row.fingerprint != claim.fingerprint:
        return Found("mismatch")
    if row.status == "running":
        return Found("running" if now < row.lease_until else "unknown")
    if row.status == "unknown":
        return Found("unknown")
    if row.answer_status is None or _is_old(row, now):
        return Found("expired")
    return Found("done", _answer(row))


def _answer(row: Any) -> KeptAnswer:
    body = None if row.answer_body is None else bytes(row.answer_body)
    return KeptAnswer(row.answer_status, json.loads(row.answer_headers), body, bytes(row.shape))
