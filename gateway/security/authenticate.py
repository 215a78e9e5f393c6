"""From a presented token to who is asking: a `Known`, or a refusal.

Tokens are never logged, never kept in memory as text and never put into an error.

What the store said of a token is good for `REUSE_S`, counted from before the store was asked: a
revocation is felt in every worker within that time, and an expiry at its very moment. A token that
stays in use is asked for again in the background after `REFRESH_S`, so that nobody waits for the
store; where its answer is late, requests wait for it, and none passes on an older one. A known
token costs one keyed hash and one look into a dict; all tokens asked for at a time are one statement.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final, NamedTuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import CredentialError, InternalError, UnavailableError
from gateway.security.batches import Batches
from gateway.security.credentials import token_invalid
from gateway.security.identity import Identities, looks_like_jwt
from gateway.security.policy import parse_policy
from gateway.security.principal import Principal
from gateway.security.tokens import digests_of, looks_like_token
from gateway.state.tokens import TokenRecord

FindTokens = Callable[[Sequence[bytes]], Sequence[TokenRecord]]

Value = TypeVar("Value")

REUSE_S: Final = 0.5
REFRESH_S: Final = 0.25
MOST_KNOWN: Final = 4_096

_OVER: Final = float("-inf")
"""A moment that is over by every clock."""


@dataclass(slots=True)
class Known:
    """A valid token. ``due`` and ``until`` are of the monotonic clock.

    From ``due`` on a use asks the store again, and from ``until`` on it waits for the answer. ``digest`` is
    what the token is stored under, empty for a JWT; ``is_peppered`` whether the pepper keys it.
    """

    principal: Principal
    digest: bytes
    is_peppered: bool
    due: float
    until: float


class _Wanted(NamedTuple):
    """A token to look up: what it is remembered under, and the digests it may be stored under, today's first."""

    key: bytes
    digests: tuple[bytes, ...]


class Authenticator:
    """Finds principals; one per worker, used from its event loop only.

    ``lookups`` counts the tokens that the store was asked for.
    """

    def __init__(
        self,
        find: FindTokens,
        *,
        pepper: str = "",
        identities: Identities | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        most_known: int = MOST_KNOWN,
    ) -> None:
        self._find = find
        self._pepper = pepper
        self._identities = identities
        self._clock = clock
        self._monotonic = monotonic
        self._most_known = most_known
        # The key makes what is kept useless outside this process.
        self._key = secrets.token_bytes(16)
        self._valid: dict[bytes, Known] = {}
        self._invalid: dict[bytes, float] = {}
        self._ended: dict[bytes, None] = {}
        self._batches = Batches(self._look_up)
        self.lookups = 0

    def known(self, presented: bytes) -> Known | None:
        """Return what is known of a token that is valid now, None when it has to be looked up first."""
        key = blake2b(presented, digest_size=16, key=self._key).digest()
        known = self._valid.get(key)
        if known is None:
            return None
        now = self._monotonic()
        if now >= known.due:
            if now >= known.until:
                return None
            known.due = known.until
            self._batches.ask(_Wanted(key, digests_of(presented, self._pepper)))
        return known

    async def find(self, presented: bytes) -> Known:
        """Return what the store, or for a JWT its signature, says of a token.

        Raises:
            CredentialError: ``token_invalid``.
            UnavailableError: ``state_away``, ``identity_away``.
            InternalError: what is stored of the token cannot be read.
        """
        key = self._key_of(presented)
        if self._identities is not None and looks_like_jwt(presented):
            return await self._verified(key, presented, self._identities)
        if not looks_like_token(presented) or self._monotonic() < self._invalid.get(key, 0.0):
            raise token_invalid()
        known = await self._batches.answer(_Wanted(key, digests_of(presented, self._pepper)))
        if isinstance(known, InternalError):
            raise known
        if known is None or not _is_active(known.principal, self._clock()):
            raise token_invalid()
        return known

    def was_valid(self, presented: bytes) -> bool:
        """Whether a token is among those that were valid when they were last used here."""
        return self._key_of(presented) in self._valid

    def has_ended(self, presented: bytes) -> bool:
        """Whether a token that was just refused is one that worked once: whoever sends it guesses nothing."""
        return self._key_of(presented) in self._ended

    def forget(self) -> None:
        """Let everything remembered expire, so that the next request of each token asks the store.

        Which tokens were valid stays known: who shares an address with a guesser is not to suffer from another's end.
        """
        for known in self._valid.values():
            known.due = known.until = _OVER
        self._invalid.clear()

    def _key_of(self, presented: bytes) -> bytes:
        return blake2b(presented, digest_size=16, key=self._key).digest()

    async def _look_up(self, wanted: Sequence[_Wanted]) -> list[Known | InternalError | None]:
        began = self._monotonic()
        now = datetime.fromtimestamp(self._clock(), UTC)
        self.lookups += len(wanted)
        found = await asyncio.to_thread(self._found, [digest for item in wanted for digest in item.digests])
        return [self._learned(item, found, began, now) for item in wanted]

    def _found(self, digests: Sequence[bytes]) -> dict[bytes, TokenRecord]:
        try:
            return {record.digest: record for record in self._find(digests)}
        except SQLAlchemyError as error:
            raise UnavailableError(
                "state_away",
                "The gateway's own store did not answer, so the token cannot be checked. Try again in a moment.",
                headers={"Retry-After": "1"},
            ) from error

    def _learned(
        self, wanted: _Wanted, found: Mapping[bytes, TokenRecord], began: float, now: datetime
    ) -> Known | InternalError | None:
        """What is known of a token after a lookup that began at a moment of both clocks.

        A record that cannot be read is the failure of its own token, not of all that were asked for with it.
        """
        record, is_peppered = self._record(wanted, found)
        if record is None or not record.is_active(now):
            self._valid.pop(wanted.key, None)
            if record is not None:
                _remember(self._ended, wanted.key, None, self._most_known)
            _remember(self._invalid, wanted.key, began + REUSE_S, self._most_known)
            return None
        try:
            principal = self._same_or(wanted.key, principal_from(record))
        except Exception as error:
            self._valid.pop(wanted.key, None)
            return _unreadable(record, error)
        left = (principal.ends_at - now).total_seconds() if principal.ends_at else REUSE_S
        until = began + min(left, REUSE_S)
        known = Known(principal, record.digest, is_peppered, min(began + REFRESH_S, until), until)
        self._invalid.pop(wanted.key, None)
        _remember(self._valid, wanted.key, known, self._most_known)
        return known

    def _record(self, wanted: _Wanted, found: Mapping[bytes, TokenRecord]) -> tuple[TokenRecord | None, bool]:
        """The record of a token, and whether it is stored under the peppered digest; compared once more, in full."""
        for digest in wanted.digests:
            record = found.get(digest)
            if record is not None and hmac.compare_digest(record.digest, digest):
                return record, bool(self._pepper) and digest is wanted.digests[0]
        return None, False

    async def _verified(self, key: bytes, presented: bytes, identities: Identities) -> Known:
        try:
            identity = await identities.identity_of(presented)
        except CredentialError:
            if self._valid.pop(key, None) is not None:
                _remember(self._ended, key, None, self._most_known)
            raise
        until = self._monotonic() + identity.good_for_s
        known = Known(self._same_or(key, identity.principal), b"", False, until, until)
        _remember(self._valid, key, known, self._most_known)
        return known

    def _same_or(self, key: bytes, principal: Principal) -> Principal:
        """Return the object known before when nothing changed: accesses and plans are kept per identity."""
        before = self._valid.get(key)
        return before.principal if before and before.principal == principal else principal


def _unreadable(record: TokenRecord, cause: Exception) -> InternalError:
    error = InternalError("internal", "What is stored of the token cannot be read; the request id finds it in the log.")
    error.__cause__ = ValueError(f"the policy of token {record.id} ({record.prefix}…) cannot be read: {cause!r}")
    return error


def _is_active(principal: Principal, now: float) -> bool:
    """Whether a principal's token works at a moment: it may have ended while the store was asked."""
    return principal.ends_at is None or now < principal.ends_at.timestamp()


def _remember(kept: dict[bytes, Value], key: bytes, value: Value, most: int) -> None:
    """Keep a value as the newest of so many."""
    kept.pop(key, None)
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = value


def principal_from(record: TokenRecord) -> Principal:
    """Return the principal a stored token stands for."""
    return Principal(
        f"token:{record.id}",
        record.name,
        record.grants,
        record.is_admin,
        record.staff_id,
        record.expires_at,
        record.ends_at,
        policy=parse_policy(record.policy),
        token_id=record.id,
    )
