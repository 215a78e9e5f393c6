"""Signatures of requests that were answered: each is taken once, whichever worker or node it comes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gateway.state.failures import retried
from gateway.state.tables import SIGNATURE

CLEAN_EVERY_S: Final = 1.0
BEHIND_EVERY_S: Final = 0.1
"""How soon more are removed where there were too many for one go."""

MOST_CLEANED: Final = 500
"""Removed in one go, so that no request waits long for it."""


class SignatureStore:
    """The signatures of a store; used from any thread."""

    __slots__ = ("_clean_at", "_clock", "_write")

    def __init__(
        self, write: Callable[[], AbstractContextManager[Connection]], clock: Callable[[], float] = time.time
    ) -> None:
        self._write = write
        self._clock = clock
        self._clean_at = 0.0

    @retried
    def claim(self, signatures: Sequence[tuple[bytes, int]]) -> frozenset[bytes]:
        """Take signatures, each with the second until which it must be known, and return those that are new.

        One transaction. Where another node takes the same one in the same moment, one of the two waits
        for the other's transaction, is told that it comes second, and looks again.
        """
        # All nodes take them in one order, so that no two wait for each other.
        wanted = dict(sorted(signatures))
        with self._write() as connection:
            self._clean(connection)
            rows = connection.execute(select(SIGNATURE.c.signature).where(SIGNATURE.c.signature.in_(wanted)))
            known = {bytes(row.signature) for row in rows}
            new = [signature for signature in wanted if signature not in known]
            if new:
                connection.execute(
                    insert(SIGNATURE),
                    [{"signature": signature, "expires_at": wanted[signature]} for signature in new],
                )
        return frozenset(new)

    def _clean(self, connection: Connection) -> None:
        """Remove some that nothing would accept any more."""
        now = self._clock()
        if now < self._clean_at:
            return
        self._clean_at = now + CLEAN_EVERY_S
        over = select(SIGNATURE.c.signature).where(SIGNATURE.c.expires_at < int(now)).limit(MOST_CLEANED)
        found = [row.signature for row in connection.execute(over)]
        if len(found) == MOST_CLEANED:
            self._clean_at = now + BEHIND_EVERY_S
        if found:
            connection.execute(delete(SIGNATURE).where(SIGNATURE.c.signature.in_(found)))
