"""From a request's headers to its principal.

What comes in: header pairs with names in lower case, as ASGI gives them. What goes
out: a `Principal`, or an error that says which header to send. Tokens are never
logged, never kept in memory as text and never put into an error.

A found (or unknown) token is remembered for `REUSE_S`, which is also how long a
revocation may take to be felt. A remembered token costs one keyed hash and one
look into a dict; any other costs one statement in a thread, shared by all requests
that wait for the same token.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import CredentialError, RequestError, UnavailableError
from gateway.security.policy import parse_policy
from gateway.security.principal import Principal
from gateway.security.tokens import digest_of, looks_like_token
from gateway.state.tokens import TokenRecord

Headers = Iterable[tuple[bytes, bytes]]
FindToken = Callable[[bytes], TokenRecord | None]

REUSE_S: Final = 1.0
MOST_KNOWN: Final = 4_096
MOST_LOOKUPS: Final = 4

_CHALLENGE: Final = 'Bearer realm="gateway"'
_HOW: Final = "send it as `Authorization: Bearer <token>`, `Authtoken: <token>` or `X-API-Key: <token>`"


def presented_token(headers: Headers) -> bytes:
    """Return the token a request presents; the same one in several headers is fine.

    An ``Authorization`` of another scheme is taken for somebody else's (a proxy's,
    say) when one of the other headers has a token.

    Raises:
        CredentialError: ``token_missing``.
        RequestError: ``parameter_conflict`` when two headers hold different tokens.
    Source: RFC 6750, sections 2.1 and 3.1.
    """
    found = b""
    is_foreign = False
    for name, value in headers:
        if name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            token = rest.strip() if scheme.lower() == b"bearer" else b""
            is_foreign = is_foreign or (scheme.lower() != b"bearer" and scheme != b"")
        elif name in (b"authtoken", b"x-api-key"):
            token = value.strip()
        else:
            continue
        if found and token and token != found:
            raise _conflict()
        found = found or token
    if not found:
        raise _missing(is_foreign)
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a token until a moment of the monotonic clock; no principal: it is not valid."""

    principal: Principal | None
    until: float


class Authenticator:
    """Finds principals; one per worker, used from its event loop only."""

    def __init__(
        self,
        find: FindToken,
        *,
        reuse_s: float = REUSE_S,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        most_known: int = MOST_KNOWN,
    ) -> None:
        self._find = find
        self._reuse_s = reuse_s
        self._clock = clock
        self._monotonic = monotonic
        self._most_known = most_known
        # The key makes what is kept useless outside this process.
        self._key = secrets.token_bytes(16)
        self._valid: dict[bytes, _Known] = {}
        self._invalid: dict[bytes, _Known] = {}
        self._running: dict[bytes, asyncio.Task[Principal | None]] = {}
        self._lookups = asyncio.Semaphore(MOST_LOOKUPS)

    async def principal_of(self, headers: Headers) -> Principal:
        """Return who sent a request.

        Raises:
            CredentialError: ``token_missing``, ``token_invalid``.
            RequestError: ``parameter_conflict``.
        """
        presented = presented_token(headers)
        key = blake2b(presented, digest_size=16, key=self._key).digest()
        known = self._valid.get(key) or self._invalid.get(key)
        if known is not None and self._monotonic() < known.until:
            principal = known.principal
        elif looks_like_token(presented):
            principal = await self._look_up_once(key, digest_of(presented))
        else:
            principal = None
        if principal is None:
            raise _invalid()
        return principal

    def forget(self) -> None:
        """Drop everything remembered, so that the next request of each token asks the store."""
        self._valid.clear()
        self._invalid.clear()

    async def _look_up_once(self, key: bytes, digest: bytes) -> Principal | None:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._look_up(key, digest))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        # A client that goes away must not take the lookup from the others that wait for it.
        return await asyncio.shield(task)

    def _finished(self, key: bytes, task: asyncio.Task[Principal | None]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # marks it as seen, should every waiter have gone away

    async def _look_up(self, key: bytes, digest: bytes) -> Principal | None:
        async with self._lookups:
            record = await asyncio.to_thread(self._found, digest)
        now = datetime.fromtimestamp(self._clock(), UTC)
        if record is None or not hmac.compare_digest(record.digest, digest) or not record.is_active(now):
            self._valid.pop(key, None)
            self._remember(self._invalid, key, _Known(None, self._monotonic() + self._reuse_s))
            return None
        self._invalid.pop(key, None)
        principal = self._same_or(key, principal_from(record))
        left = (principal.ends_at - now).total_seconds() if principal.ends_at else self._reuse_s
        self._remember(self._valid, key, _Known(principal, self._monotonic() + min(left, self._reuse_s)))
        return principal

    def _found(self, digest: bytes) -> TokenRecord | None:
        try:
            return self._find(digest)
        except SQLAlchemyError as error:
            raise UnavailableError(
                "state_away",
                "The gateway's own store did not answer, so the token cannot be checked. Try again in a moment.",
                headers={"Retry-After": "1"},
            ) from error

    def _same_or(self, key: bytes, principal: Principal) -> Principal:
        """Return the object known before when nothing changed: accesses and plans are kept per identity."""
        before = self._valid.get(key)
        return before.principal if before and before.principal == principal else principal

    def _remember(self, kept: dict[bytes, _Known], key: bytes, known: _Known) -> None:
        kept.pop(key, None)
        if len(kept) >= self._most_known:
            del kept[next(iter(kept))]
        kept[key] = known


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


def _missing(is_foreign: bool) -> CredentialError:
    start = "The Authorization header holds no bearer token" if is_foreign else "The request carries no token"
    return CredentialError("token_missing", f"{start}: {_HOW}.", headers={"WWW-Authenticate": _CHALLENGE})


def _invalid() -> CredentialError:
    return CredentialError(
        "token_invalid",
        "The token is mistyped, unknown, revoked or expired: check it, or ask the administrator for a new one.",
        headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
    )


def _conflict() -> RequestError:
    return RequestError(
        "parameter_conflict",
        f"The request carries different tokens: send one, and {_HOW}.",
        headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_request"'},
    )
