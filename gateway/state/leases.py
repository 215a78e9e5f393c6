"""The ledgers of rates: one text per token, read and written in one transaction by the store's own clock.

What comes in: a change, which is a pure function of the text in place and the time. What goes out: what
the change says besides the new text. What stands in a text, `security.limits` alone knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, TextClause, delete, insert, select, text, update

from gateway.state.failures import retried
from gateway.state.tables import LEASE

T = TypeVar("T")
Change = Callable[[str, int], tuple[str, int, T]]
"""From the text, empty where there is none, and the time to the new text, when nothing in it counts any more, and
an answer; times are milliseconds since 1970."""

# UNIX_TIMESTAMP(NOW(6)) would read local time, which in the zone of many servers goes back once a year.
_UTC: Final = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000"
_CLOCKS: Final = {
    "mysql": _UTC,
    "mariadb": _UTC,
    "postgresql": "EXTRACT(EPOCH FROM clock_timestamp())",
}
"""A server's own clock, by dialect; a file has the machine's, which all its workers share."""


class Leases(Protocol):
    """Where ledgers are kept; called from any thread."""

    def change(self, scope: str, change: Change[T]) -> T:
        """Put the new text of a change into the place of the old and return its answer; no other comes between.

        Raises:
            UnavailableError: ``state_away``; whether the change was made is then not known.
        """
        ...

    def clean(self) -> int:
        """Remove ledgers in which nothing counts any more and return how many, if anybody knows."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class LeaseStore:
    """The ledgers in the state store; every method is one transaction."""

    __slots__ = ("_clock", "_write")

    def __init__(
        self, write: Callable[..., AbstractContextManager[Connection]], clock: Callable[[], float] = time.time
    ) -> None:
        self._write = write
        self._clock = clock

    @retried
    def change(self, scope: str, change: Change[T]) -> T:
        """Make a change; one SELECT and one UPDATE, after an INSERT where the ledger is the token's first.

        Raises:
            StateAwayError: the store failed.
        """
        # A ledger that a power failure sets back by a moment forgets less than the failure lasted.
        with self._write(durable=False) as connection:
            clock = _clock_of(connection)
            columns: list[Any] = [LEASE.c.spent] if clock is None else [LEASE.c.spent, clock]
            # A lock that is waited for makes the clock's reading older than the text, which `security.limits` allows.
            row = connection.execute(select(*columns).where(LEASE.c.scope == scope).with_for_update()).first()
            if row is None:  # two that insert at once: one is told that the key is taken, and looks again
                connection.execute(insert(LEASE).values(scope=scope, spent="", ends_at=0))
            now_ms = self._now(connection, clock) if row is None or clock is None else _milliseconds(row[1])
            made, ends_ms, answer = change("" if row is None else row[0], now_ms)
            values = {"spent": made, "ends_at": -(-ends_ms // 1_000)}
            connection.execute(update(LEASE).where(LEASE.c.scope == scope).values(values))
        return answer

    @retried
    def clean(self) -> int:
        """Remove ledgers in which nothing counts any more and return how many those were."""
        with self._write(durable=False) as connection:
            now = self._now(connection, _clock_of(connection)) // 1_000
            return int(connection.execute(delete(LEASE).where(LEASE.c.ends_at < now)).rowcount)

    def close(self) -> None:
        """Leave the store as it is; whoever opened it closes it."""

    def _now(self, connection: Connection, clock: TextClause | None) -> int:
        return _milliseconds(self._clock() if clock is None else connection.execute(select(clock)).scalar_one())


def _clock_of(connection: Connection) -> TextClause | None:
    words = _CLOCKS.get(connection.dialect.name)
    return None if words is None else text(words)


def _milliseconds(seconds: Any) -> int:
    return int(seconds * 1_000)
