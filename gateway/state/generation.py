"""The counter of catalog reloads, one number that every worker follows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, select, update

from gateway.state.failures import retried
from gateway.state.tables import GENERATION

Transaction = Callable[[], AbstractContextManager[Connection]]


class Generation:
    """How many reloads were asked for; a worker that sees a new number reads the catalog anew."""

    __slots__ = ("_read", "_write")

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def current(self) -> int:
        """Return the number; one statement, cheap enough to be asked every second."""
        with self._read() as connection:
            return int(connection.execute(select(GENERATION.c.value)).scalar_one())

    @retried
    def bump(self) -> int:
        """Add one and return the new number; concurrent bumps all count."""
        with self._write() as connection:
            connection.execute(update(GENERATION).values(value=GENERATION.c.value + 1))
            return int(connection.execute(select(GENERATION.c.value)).scalar_one())
