"""The open store: its parts, and the two contexts in which everything that reads or writes it runs.

What comes in: the settings, a path or a URL. What goes out: a `StateStore` whose parts are used from
any thread. Everything here is synchronous and short (a lookup takes well under a millisecond in a
file); whoever has an event loop calls it from a thread. Nothing is ever created in the CRM's database.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.errors import ConfigurationError
from gateway.observe import Observer
from gateway.settings import Settings
from gateway.state.failures import StateAwayError
from gateway.state.files import FileHome
from gateway.state.generation import Generation
from gateway.state.home import Home
from gateway.state.idempotency import IdempotencyStore
from gateway.state.migrations import MIGRATIONS, Migrations
from gateway.state.servers import ServerHome
from gateway.state.standing import Standing, Status
from gateway.state.tables import META
from gateway.state.tokens import TokenStore

Clock = Callable[[], float]
Place = Settings | str | os.PathLike[str]

PROBE_BYTES: Final = 128 * 1024
"""What a store that was lost must take before it counts as found: more than a batch of audit records."""

_PROBE: Final = "probe"
_FORGET_PROBE: Final = delete(META).where(META.c.name == _PROBE)
_FILE_SCHEMES: Final = frozenset({"sqlite", "sqlite+pysqlite"})


class StateStore:
    """The open store: `tokens`, `generation` and the claims of `idempotency`."""

    __slots__ = ("_home", "_standing", "generation", "idempotency", "tokens")

    def __init__(self, home: Home, clock: Clock, observer: Observer | None = None) -> None:
        self._home = home
        self._standing = Standing(observer)
        self.tokens = TokenStore(self.read, self.write, clock)
        self.generation = Generation(self.read, self.write)
        self.idempotency = IdempotencyStore(self.write, clock)

    @classmethod
    def open(
        cls,
        place: Place,
        *,
        clock: Clock = time.time,
        observer: Observer | None = None,
        migrations: Migrations = MIGRATIONS,
        must_exist: bool = False,
    ) -> StateStore:
        """Return the store at a place: that of the settings, a path, or a URL. It is made or migrated when need be.

        With ``must_exist`` no file is made, as an empty one would end the tokens of a gateway whose file is gone.

        Raises:
            ConfigurationError: the place cannot be used; the message says why and what to do, without a password.
        """
        return cls(_home_at(place, migrations, must_exist=must_exist), clock, observer)

    @property
    def address(self) -> str:
        """Where the store lies, as a message may show it."""
        return self._home.address

    @property
    def status(self) -> Status:
        """Return "ok", "unwritable" where reads go on, or "away", as the last transactions found it."""
        return self._standing.status

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a context with a connection in one read transaction.

        Raises:
            StateAwayError: the store failed.
        """
        with self._standing.noted("read"), self._home.reader().begin() as connection:
            yield connection

    @contextmanager
    def write(self, lock: str | None = None, *, durable: bool = True) -> Iterator[Connection]:
        """Return a context with a connection in one write transaction.

        A file has one writer at a time, whatever it writes. On a server, writers with the same ``lock`` take
        turns and others meet only at the rows they touch, each seeing what was committed before its statement.
        Without ``durable`` a commit survives a crash of the gateway, but in a file not always a power failure.

        Raises:
            StateAwayError: the store failed. Unless it was at the very commit, nothing was written.
            IntegrityError: a unique key was taken; see `failures.retried`.
        """
        with self._writing(lock, durable=durable, is_proof=False) as connection:
            yield connection

    @contextmanager
    def _writing(self, lock: str | None, *, durable: bool, is_proof: bool) -> Iterator[Connection]:
        with self._standing.noted("write", is_proof=is_proof):
            engine = self._home.writer()
            with engine.begin() as connection:
                self._home.begin(connection, lock, durable=durable)
                yield connection
            self._home.confirm(engine)

    def probe(self) -> Status:
        """Look whether the store can be read and, where a write failed, written; return what was found.

        It may take as long as a transaction may. Until the store has taken as much as a batch of records is, no write
        that happens to go well is trusted: a full disk takes those that find room in what is there.

        Raises:
            StateAwayError: it cannot be read.
        """
        with self.read() as connection:
            connection.execute(select(META.c.value).where(META.c.name == "version"))
        if self.status != "ok":
            with suppress(StateAwayError, IntegrityError):  # another worker may look at the same moment
                with self._writing(None, durable=False, is_proof=True) as connection:
                    connection.execute(_FORGET_PROBE)
                    connection.execute(insert(META).values(name=_PROBE, value="x" * PROBE_BYTES))
                with self.write(durable=False) as connection:
                    connection.execute(_FORGET_PROBE)
        return self.status

    def close(self) -> None:
        """Close every connection; what was stored stays."""
        self._home.close()

    def __enter__(self) -> StateStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _home_at(place: Place, migrations: Migrations, *, must_exist: bool) -> Home:
    if isinstance(place, Settings):
        if not place.state_url:
            return FileHome(Path(place.state_path), migrations, must_exist=must_exist)
        _refuse_crm(place.state_url, place.database_url)
        return _home_at(place.state_url, migrations, must_exist=must_exist)
    given = os.fspath(place)
    scheme, mark, rest = given.partition("://")
    if mark and scheme not in _FILE_SCHEMES:
        return ServerHome(given, migrations)
    return FileHome(_path_in(rest) if mark else Path(given), migrations, must_exist=must_exist)


def _path_in(rest: str) -> Path:
    """The path in what follows ``sqlite://``: as SQLAlchemy has it, three slashes are relative and four absolute.

    >>> str(_path_in("/state.sqlite3")), str(_path_in("//var/lib/gateway/state.sqlite3"))
    ('state.sqlite3', '/var/lib/gateway/state.sqlite3')
    """
    if not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest:
        raise ConfigurationError(
            "GATEWAY_STATE_URL names no file: write sqlite:////absolute/path.sqlite3, without options; "
            "a store in memory would forget its tokens."
        )
    return Path(unquote(rest[1:]))


def _refuse_crm(state_url: str, database_url: str) -> None:
    """Refuse the CRM's own database: nothing is ever created there, and its user need not be able to."""
    try:
        state, crm = urlsplit(state_url), urlsplit(database_url)
        is_same = (state.hostname, state.port or 3306, state.path) == (crm.hostname, crm.port or 3306, crm.path)
    except ValueError:  # a URL that cannot be read is told of by who reads it
        return
    if is_same and state.hostname is not None:
        raise ConfigurationError(
            "GATEWAY_STATE_URL names the CRM's own database: make another for the gateway, with a user of its own "
            "(CREATE DATABASE gateway CHARACTER SET utf8mb4)."
        )
