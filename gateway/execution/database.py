"""The one interface between the gateway and a database that runs its statements.

What comes in: SQL text with the dialect's placeholders (``%s`` on MySQL and
MariaDB, ``?`` on SQLite) and a tuple of parameters. What goes out: rows as tuples
of driver values, in the shapes `catalog.kinds.decoder_of` expects, or a
`GatewayError` of `execution.failures`. No SQL is written here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.catalog.kinds import Dialect

Row = Sequence[Any]
Parameters = tuple[object, ...]
Run = Callable[[str, Parameters], Awaitable[Sequence[Row]]]
"""Runs one read and returns its rows: a pool, or the connection of a snapshot."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement of a transaction did.

    ``affected`` counts rows that matched, changed or not; ``last_id`` is the
    auto-increment key of an insert, 0 when the table has none.
    """

    rows: Sequence[Row] = ()
    affected: int = 0
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Connections of a pool at one moment."""

    open: int
    idle: int
    most: int
    is_reachable: bool


class Session(Protocol):
    """One connection inside one transaction."""

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what a statement did.

        Raises:
            GatewayError: as `Database.fetch`; the transaction is then rolled back by its context.
        """
        ...


class Snapshot(Protocol):
    """One connection that reads the database as it was when the snapshot began."""

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of a read.

        Raises:
            GatewayError: as `Database.fetch`; a table that was altered since the snapshot began
                is a `SchemaChangedError`. Then the snapshot is over.
        """
        ...

    async def release(self) -> None:
        """Give up the locks that keep others from altering what was read; the snapshot stays."""
        ...


class Database(Protocol):
    """A pool of connections to one database."""

    @property
    def dialect(self) -> Dialect:
        """The dialect; for MySQL and MariaDB known after the first connection."""
        ...

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of one read outside any transaction.

        A read whose connection the server had closed is run once more. A client
        that goes away (cancellation) frees the connection at once.

        Raises:
            UnavailableError: ``database_away``, ``database_busy`` (no connection within the
                wait), ``statement_timeout``.
            SchemaChangedError: a table or column of the statement has gone.
        """
        ...

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what one write did that is a transaction of its own. One round trip.

        Raises:
            UnavailableError: also ``outcome_unknown``, when the connection died under the statement.
            ConflictError, ValidationError: as `transaction`.
        """
        ...

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Return a context that commits when it ends and rolls back when it raises.

        Raises:
            UnavailableError: also ``outcome_unknown``, when the connection died at commit.
            ConflictError: ``duplicate``, ``dependants``, ``reference_missing``, ``write_conflict``.
            ValidationError: a value the database's strict mode refused.
        """
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Return a context that reads the database as it is when it begins, on a connection beside the pool.

        Raises:
            UnavailableError: ``database_away``, ``database_busy``.
        """
        ...

    async def probe(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            UnavailableError: ``database_away``.
        """
        ...

    def status(self) -> PoolStatus:
        """Return the state of the pool."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
