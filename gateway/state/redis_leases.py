"""The ledgers of rates in Redis, for nodes that would otherwise share nothing faster than a database.

It is the same exchange as in the state store: the text is read with the server's time, changed here, and
put back only where it is still the one that was read. A ledger leaves by itself once nothing in it counts.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlsplit

from gateway.errors import ConfigurationError
from gateway.state.failures import StateAwayError

if TYPE_CHECKING:
    from redis import Redis

    from gateway.state.leases import Change

T = TypeVar("T")

TIMEOUT_S: Final = 1.0
MOST_TRIES: Final = 50
"""How often one exchange may find that another came between; each time that other one went through."""

_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
_PREFIX: Final = "gateway:rate:"
_PAUSE_S: Final = 0.001
_SWAP: Final = """
local there = redis.call('GET', KEYS[1])
if (there or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisLeases:
    """The ledgers on a Redis server; two round trips per exchange."""

    __slots__ = ("_client", "_swap")

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._swap = client.register_script(_SWAP)

    def change(self, scope: str, change: Change[T]) -> T:
        """Make a change; where another one came between the reading and the writing, on what that one left.

        Raises:
            StateAwayError: Redis did not take it; the reason is the driver's.
        """
        from redis import RedisError  # noqa: PLC0415  # there when a client is

        try:
            for number in range(MOST_TRIES):
                if number:
                    time.sleep(random.uniform(0, min(number, 10) * _PAUSE_S))  # noqa: S311  # two that met should not meet again
                answer = self._try(_PREFIX + scope, change)
                if answer is not None:
                    return answer[0]
        except RedisError as error:
            raise StateAwayError(" ".join(str(error).split()) or type(error).__name__) from error
        raise StateAwayError("others change the ledger all the time")

    def _try(self, key: str, change: Change[T]) -> tuple[T] | None:
        reading = self._client.pipeline(transaction=True)
        reading.get(key)
        reading.time()
        found, (seconds, microseconds) = reading.execute()
        there = cast("bytes | None", found) or b""
        now_ms = seconds * 1_000 + microseconds // 1_000
        made, ends_ms, answer = change(there.decode(), now_ms)
        is_done = self._swap(keys=[key], args=[there, made, max(1_000, ends_ms - now_ms)])
        return (answer,) if is_done else None

    def clean(self) -> int:
        """Remove nothing: Redis does so by itself."""
        return 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def open_redis(url: str) -> RedisLeases:
    """Return the ledgers at a URL; nothing is connected yet.

    Raises:
        ConfigurationError: the URL has not the right form, or the extra is not installed.
    """
    try:
        from redis import Redis  # noqa: PLC0415  # an extra
        from redis.backoff import NoBackoff  # noqa: PLC0415  # as above
        from redis.retry import Retry  # noqa: PLC0415  # as above
    except ImportError as error:
        raise ConfigurationError(
            'GATEWAY_RATE_STORE_URL needs the extra "redis": install perfex-gateway[redis], or unset it.'
        ) from error
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not (parts.hostname or parts.scheme == "unix"):
        raise _not_understood()
    try:
        client = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # A command that is sent again could make one spent block count twice; the next exchange mends a lost one.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise _not_understood() from error
    return RedisLeases(client)


def _not_understood() -> ConfigurationError:
    return ConfigurationError(
        "GATEWAY_RATE_STORE_URL is no address of a Redis: write redis://host:6379/0, "
        "rediss:// for TLS, with user:password@ before the host where it asks for them."
    )
