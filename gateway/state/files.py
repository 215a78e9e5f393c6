"""A store in an SQLite file: secured, opened in WAL mode, migrated, and watched.

What comes in: a path. What goes out: a `Home`. A file that was deleted while connections are open
takes writes as before, and nobody would ever read them again; so each transaction looks whether the
file at the path is the one that is open, and a write looks once more after its commit. The file that
stands there when there is another is opened in its place, without a restart.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from gateway.errors import ConfigurationError
from gateway.state.failures import StateAwayError, reason_of
from gateway.state.migrations import Migrations, first_tables, migrate
from gateway.state.tables import GENERATION, META, TOKEN

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a writer waits for another process before it fails; writes here take milliseconds."""

READERS: Final = 16
POOL_WAIT_S: Final = BUSY_TIMEOUT_MS / 1_000

Identity = tuple[int, int]
"""Device and inode: what tells a file from another that took its name."""

_HEADER: Final = b"SQLite format 3\0"
_SIDE_FILES: Final = ("-wal", "-shm")
_DURABILITY: Final = "gateway_durability"
_PRAGMAS: Final = ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON")
# A revoked token must stay revoked and a claim taken after a power failure, hence FULL; such writes are rare.
_FULL: Final = "PRAGMA synchronous=FULL"
# In WAL mode a power failure then takes the last commits, but nothing breaks and a crash of ours takes none.
_NORMAL: Final = "PRAGMA synchronous=NORMAL"


@dataclass(frozen=True, slots=True)
class _Opened:
    """The engines of one file, and what tells it, and the log beside it, from those that come after it."""

    identity: Identity
    log: Identity | None
    reader: Engine
    writer: Engine

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


class FileHome:
    """A store in a file. One connection writes, so that writers of one process wait in line and not by polling."""

    __slots__ = ("_lock", "_migrations", "_opened", "_path")

    def __init__(self, path: Path, migrations: Migrations, *, must_exist: bool = False) -> None:
        """Open the file, which is made (mode 0600) unless it must exist already with a store in it, or migrated.

        Raises:
            ConfigurationError: no such directory, no permission, a file that is no store and
                stays as it is, or a store made by a newer gateway.
        """
        self._path = path
        self._migrations = migrations
        self._lock = threading.Lock()
        if must_exist and _is_new(path):
            raise _missing(path)
        _check_file(path, first_tables(migrations))
        _secure_file(path)
        try:
            self._opened = self._open(_identity(path))
        except DBAPIError as error:
            raise _unusable(path, reason_of(error)) from error
        except StateAwayError as error:
            raise _unusable(path, error.reason) from error

    @property
    def address(self) -> str:
        """The path."""
        return str(self._path)

    def reader(self) -> Engine:
        """Return the engine of reads of the file that is there now."""
        return self._current().reader

    def writer(self) -> Engine:
        """Return the engine of writes of the file that is there now."""
        return self._current().writer

    def begin(self, connection: Connection, lock: str | None, *, durable: bool) -> None:
        """Take the file's one write lock; a lock of a name is within it."""
        held: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # of this dialect
        wanted = _FULL if durable else _NORMAL
        if connection.info.get(_DURABILITY) != wanted:
            held.execute(wanted)
            connection.info[_DURABILITY] = wanted
        # A write that began as a read could fail at once when another writer came first; IMMEDIATE waits its turn.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def confirm(self, used: Engine) -> None:
        """Pass when the file that was written is still the one at the path."""
        opened = self._opened
        if opened.writer is not used or _identity(self._path) != opened.identity:
            raise StateAwayError(f"{self._path} was taken away while it was written to")

    def close(self) -> None:
        """Close every connection; the file stays."""
        self._opened.close()

    def _current(self) -> _Opened:
        opened = self._opened
        if _identity(self._path) == opened.identity:
            return opened
        with self._lock:
            found = _identity(self._path)
            if found != self._opened.identity:
                self._replace(found)
            return self._opened

    def _replace(self, found: Identity | None) -> None:
        """Open the file that has taken the place of ours, which stays open until then: so no new file has its inode."""
        if found is None:
            raise StateAwayError(f"{self._path} is gone")
        try:
            _check_replacement(self._path, self._opened.log)
            _secure_file(self._path)
            opened = self._open(found)
        except ConfigurationError as error:
            raise StateAwayError(error.detail) from error
        before, self._opened = self._opened, opened
        before.close()

    def _open(self, identity: Identity | None) -> _Opened:
        writer = _engine_of(self._path, identity, is_writer=True)
        reader = _engine_of(self._path, identity, is_writer=False)
        try:
            with writer.begin() as connection:
                self.begin(connection, None, durable=True)
                migrate(connection, str(self._path), self._migrations)
            with reader.begin() as connection:
                connection.exec_driver_sql("SELECT 1 FROM sqlite_master")
            found = _identity(self._path)
            if identity is None or found != identity:
                raise StateAwayError(f"{self._path} was taken away while it was opened")
            return _Opened(identity, _identity(Path(f"{self._path}-wal")), reader, writer)
        except BaseException:
            writer.dispose()
            reader.dispose()
            raise


def _engine_of(path: Path, identity: Identity | None, *, is_writer: bool) -> Engine:
    """Return an engine whose connections are to one file, and are never made to another that has its name."""

    def connect() -> sqlite3.Connection:
        # mode=rw: a file that is gone must not come back as an empty one.
        address = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(_FULL if is_writer else "PRAGMA query_only=ON")
            if _identity(path) != identity:
                raise sqlite3.OperationalError(f"{path} is another file than before")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=1 if is_writer else READERS,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,
    )
    if not is_writer:
        event.listen(engine, "begin", _begin_read)
    return engine


def _begin_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


# What may be opened


def _check_file(path: Path, tables: frozenset[str]) -> None:
    """Pass when there is a store at the path, or nothing yet; whatever else is there is only read."""
    directory = path.parent
    if not directory.is_dir():
        raise ConfigurationError(
            f"The directory of the state file {path} does not exist: "
            f"create {directory}, or set GATEWAY_STATE_PATH to another file."
        )
    with _told(path):
        if _is_new(path) or (_is_database(path) and _is_store(path, tables)):
            return
    raise _no_store(path)


def _check_replacement(path: Path, log_before: Identity | None) -> None:
    """Pass when a whole store has taken the place of another while this process runs."""
    log = Path(f"{path}-wal")
    if log_before is not None and _identity(log) == log_before:
        # SQLite would take the log of the file before for the log of this one, and write its pages into it.
        names = " and ".join(f"{path.name}{end}" for end in _SIDE_FILES)
        raise ConfigurationError(f"{path} is another file now, and {names} are of the one before: remove these two.")
    with _told(path):
        if not (_is_database(path) and _is_whole(path)):
            raise _no_store(path)


def _is_new(path: Path) -> bool:
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def _is_database(path: Path) -> bool:
    if not path.is_file():
        raise _unusable(path, "it is no file")
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def _is_store(path: Path, tables: frozenset[str]) -> bool:
    """Whether an SQLite database has a store's tables, or nothing: then a gateway began it and did not get further."""
    with _opened_to_look(path) as connection:
        names = _names(connection)
        is_begun = not names or (names == {"meta"} and not connection.execute("SELECT 1 FROM meta").fetchall())
    return is_begun or names >= tables or names >= _LASTING


def _is_whole(path: Path) -> bool:
    """Whether a file is a store all of which is there: a copy may not have got to its end yet."""
    with _opened_to_look(path) as connection:
        if not (_names(connection) >= first_tables() or _names(connection) >= _LASTING):
            return False
        return [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]


_LASTING: Final = frozenset({META.name, TOKEN.name, GENERATION.name})
"""Tables that every store from version 3 on has."""


@contextmanager
def _opened_to_look(path: Path) -> Iterator[sqlite3.Connection]:
    # Where no log is being written, immutable keeps SQLite from putting side files beside a database of others.
    way = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{way}", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        yield connection


def _names(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _secure_file(path: Path) -> None:
    """Make the file if it is not there, readable by its owner alone; SQLite's side files take its mode."""
    with _told(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Return a context whose errors of the system and of SQLite are told with what to do."""
    try:
        yield
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error


def _no_store(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is not a state file of the gateway, and was left as it is: set GATEWAY_STATE_PATH to another file."
    )


def _missing(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The state file {path.absolute()} is not there, or empty: name the gateway's own with GATEWAY_STATE_PATH or "
        "--state-path, or restore it from its backup. `gateway token create` and `gateway serve` make a new one, "
        "in which no token of before is known."
    )


def _unusable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The state file {path} cannot be used ({reason}): give a file that this user may write, "
        "in a directory it may write to, with GATEWAY_STATE_PATH."
    )
