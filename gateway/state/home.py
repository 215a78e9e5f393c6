"""What `StateStore` needs of the place where a store lies: a file, or a database on a server."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection, Engine


class Home(Protocol):
    """Where a store lies. Each transaction asks for its engine anew, because a file may have been replaced."""

    @property
    def address(self) -> str:
        """The place as a message may show it, without a password."""
        ...

    def reader(self) -> Engine:
        """Return the engine of reads.

        Raises:
            StateAwayError: the store is not there now.
        """
        ...

    def writer(self) -> Engine:
        """Return the engine of writes, which no reader waits for.

        Raises:
            StateAwayError: as `reader`.
        """
        ...

    def begin(self, connection: Connection, lock: str | None, *, durable: bool) -> None:
        """Make a transaction that has just begun on `writer` what `StateStore.write` promises."""
        ...

    def confirm(self, used: Engine) -> None:
        """Pass when what was committed on an engine is in the store that is there now.

        Raises:
            StateAwayError: it went into a file that is gone.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
