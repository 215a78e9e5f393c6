"""The embedded store: one SQLite file in WAL mode, opened, secured and migrated.

What comes in: a path. What goes out: a `StateStore` whose parts are used from any
thread. Everything here is synchronous and short (a lookup takes well under a
millisecond); whoever has an event loop calls it from a thread. Nothing is ever
created in the CRM's database.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from gateway.errors import ConfigurationError
from gateway.state.generation import Generation
from gateway.state.idempotency import IdempotencyStore
from gateway.state.migrations import MIGRATIONS, Migrations, first_tables, migrate
from gateway.state.tables import GENERATION, META, TOKEN
from gateway.state.tokens import TokenStore

Clock = Callable[[], float]

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a writer waits for another before it fails; writes here take milliseconds."""

_HEADER: Final = b"SQLite format 3\0"

_IS_WRITE: Final = "gateway_is_write"
# A revoked token must stay revoked and a claim taken after a power failure, hence FULL; writes are rare.
_PRAGMAS: Final = ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON")


class StateStore:
    """The open store: `tokens`, `generation` and the claims of `idempotency`."""

    __slots__ = ("_engine", "generation", "idempotency", "path", "tokens")

    def __init__(self, engine: Engine, path: Path, clock: Clock) -> None:
        self._engine = engine
        self.path = path
        self.tokens = TokenStore(self.read, self.write, clock)
        self.generation = Generation(self.read, self.write)
        self.idempotency = IdempotencyStore(self.write, clock)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, clock: Clock = time.time, migrations: Migrations = MIGRATIONS
    ) -> StateStore:
        """Return the store in a file, which is made (mode 0600) or migrated when need be.

        Raises:
            ConfigurationError: no such directory, no permission, a file that is no store and
                stays as it is, or a store made by a newer gateway.
        """
        place = Path(path)
        _check_file(place, first_tables(migrations))
        _secure_file(place)
        engine = _engine_of(place)
        store = cls(engine, place, clock)
        try:
            with store.write() as connection:
                migrate(connection, str(place), migrations)
        except DBAPIError as error:
            engine.dispose()
            raise _unusable(place, str(error.orig)) from error
        except BaseException:
            engine.dispose()
            raise
        return store

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a context with a connection in one read transaction."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Return a context with a connection that holds the file's one write lock until it commits."""
        with self._engine.connect() as plain:
            connection = plain.execution_options(**{_IS_WRITE: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection; the file stays."""
        self._engine.dispose()

    def __enter__(self) -> StateStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _engine_of(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    """Set up a new connection; transactions begin where `_begin` says, not where the driver guesses."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A write that began as a read could fail at once when another writer came first; IMMEDIATE waits its turn.
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _check_file(path: Path, tables: frozenset[str]) -> None:
    """Pass when there is a store at the path, or nothing yet; whatever else is there is only read."""
    directory = path.parent
    if not directory.is_dir():
        raise ConfigurationError(
            f"The directory of the state file {path} does not exist: "
            f"create {directory}, or set GATEWAY_STATE_PATH to another file."
        )
    try:
        is_new = not path.exists() or (path.is_file() and path.stat().st_size == 0)
        if is_new or (_is_database(path) and _is_store(path, tables)):
            return
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error
    raise ConfigurationError(
        f"{path} is not a state file of the gateway, and was left as it is: set GATEWAY_STATE_PATH to another file."
    )


def _is_database(path: Path) -> bool:
    if not path.is_file():
        raise _unusable(path, "it is no file")
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def _is_store(path: Path, tables: frozenset[str]) -> bool:
    """Whether an SQLite database has a store's tables, or nothing: then a gateway began it and did not get further."""
    # Where no log is being written, immutable keeps SQLite from putting side files beside a database of others.
    way = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{way}", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        is_begun = not names or (names == {"meta"} and not connection.execute("SELECT 1 FROM meta").fetchall())
    return is_begun or names >= tables or names >= {META.name, TOKEN.name, GENERATION.name}


def _secure_file(path: Path) -> None:
    """Make the file if it is not there, readable by its owner alone; SQLite's side files take its mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _unusable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The state file {path} cannot be used ({reason}): give a file that this user may write, "
        "in a directory it may write to, with GATEWAY_STATE_PATH."
    )
