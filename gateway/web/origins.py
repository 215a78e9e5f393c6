"""Origins: the pages whose scripts may call, and what answers say to their browsers (Fetch, "CORS protocol").

What comes in: the setting, and the origins of the tokens that work. They are looked up when a page asks, at most about
once a second, and only pages that nothing known allows wait for it. What goes out: whether a page may call, and the
headers of an answer. Never ``Access-Control-Allow-Credentials``: nothing a browser keeps is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from gateway.errors import UnavailableError
from gateway.security.policy import parse_policy
from gateway.state.tokens import TokenRecord
from gateway.web.exchange import Exchange

Pairs = tuple[tuple[bytes, bytes], ...]

ANY: Final = "*"
LOOK_EVERY_S: Final = 1.0
MOST_OF_THE_TIME: Final = 20
"""Looking takes at most one part in so many of the time, however many tokens there are."""

EXPOSED: Final = (
    "Link",
    "Location",
    "ETag",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Total-Count",
    "X-Request-ID",
    "Idempotent-Replayed",
    "Preference-Applied",
    "Server-Timing",
    "Content-Disposition",
    "Accept-Query",
    "Accept-Post",
    "Allow",
    "WWW-Authenticate",
    "X-Truncated",
)
"""Headers of answers that scripts may read beside those that they always may."""

_ALLOW: Final = b"access-control-allow-origin"
_EXPOSE: Final = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())
_FOR_ANY: Final[Pairs] = ((_ALLOW, b"*"), _EXPOSE)


class Origins:
    """The origins of one worker: those of the setting, and those of the tokens that work."""

    def __init__(
        self, setting: str, tokens: Callable[[], Iterable[TokenRecord]], clock: Callable[[], float] = monotonic
    ) -> None:
        self._is_any = setting.strip() == ANY
        self._set = frozenset(origins_of(setting))
        self._tokens = tokens
        self._clock = clock
        self._of_tokens: frozenset[str] = frozenset()
        self._stale_at = 0.0
        self._looking: asyncio.Task[Exception | None] | None = None

    async def start(self) -> None:
        """Look once, so that even a refusal before anybody could ask is readable to the page it is meant for."""
        await asyncio.shield(self._look())

    async def stop(self) -> None:
        """Wait for a look that is under way."""
        if self._looking is not None:
            await asyncio.wait((self._looking,))

    def has(self, origin: str) -> bool:
        """Whether an origin is named, by the setting or, as far as is known, by a token that works."""
        return origin in self._set or origin in self._of_tokens

    async def learn(self, origin: str) -> Exception | None:
        """Look at the tokens if that was not done lately; return why that failed, if it did.

        A page that is known does not wait for it, and is not told.
        """
        if self._is_any or origin in self._set or self._clock() < self._stale_at:
            return None
        looking = self._look()
        return None if origin in self._of_tokens else await asyncio.shield(looking)

    async def allows(self, origin: str) -> bool:
        """Return whether pages of an origin may call.

        Raises:
            UnavailableError: ``state_away`` where nothing known allows them and the tokens could not be looked at.
        """
        failure = await self.learn(origin)
        if failure is not None:
            raise UnavailableError(
                "state_away", "Which pages may call cannot be looked up now.", headers={"Retry-After": "1"}
            ) from failure
        return self._is_any or self.has(origin)

    def headers_of(self, exchange: Exchange) -> Pairs:
        """Return what the answer to a request with an origin says to the browser; nothing where its page may not call.

        A token with origins of its own answers to these alone, any other to those of the setting; before it
        is known who asks, to all.
        """
        origin, principal = exchange.origin, exchange.principal
        if principal is not None and principal.policy.origins:
            is_named, is_any = origin in principal.policy.origins, False
        else:
            is_named = origin in self._set or (principal is None and origin in self._of_tokens)
            is_any = self._is_any
        if is_any:
            return _FOR_ANY
        return ((_ALLOW, origin.encode("latin-1")), _EXPOSE) if is_named else ()

    def _look(self) -> asyncio.Task[Exception | None]:
        """Return the one task that looks at the tokens. A failure leaves what was known."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._looked())
        return self._looking

    async def _looked(self) -> Exception | None:
        began = self._clock()
        try:
            self._of_tokens = await asyncio.to_thread(self._read)
        except Exception as error:  # the store is away, in whatever manner
            return error
        finally:
            now = self._clock()
            self._stale_at = now + max(LOOK_EVERY_S, (now - began) * MOST_OF_THE_TIME)
            self._looking = None
        return None

    def _read(self) -> frozenset[str]:
        now = datetime.now(UTC)
        named = (record for record in self._tokens() if '"origins"' in record.policy)
        working = (parse_policy(record.policy) for record in named if record.is_active(now))
        return frozenset(origin for policy in working for origin in policy.origins)


def origins_of(setting: str) -> tuple[str, ...]:
    """Return the origins of a setting, none for any.

    >>> origins_of("https://a.example, http://localhost:3000"), origins_of("*")
    (('https://a.example', 'http://localhost:3000'), ())
    """
    return tuple(word for word in (word.strip() for word in setting.split(",")) if word and word != ANY)
