"""SQLite behind the `Database` interface, for the demo and for tests.

What comes in: SQL text with ``?`` and parameters. What goes out: rows as SQLite keeps
them, or a `GatewayError`. Reads run side by side on connections of their own, writes
one after the other on one; each call runs in a thread of a pool as large as that.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from time import monotonic
from types import TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from gateway.catalog.kinds import Dialect, format_time
from gateway.errors import ConfigurationError
from gateway.execution.database import Outcome, Parameters, PoolStatus, Row
from gateway.execution.failures import CommitCutError, database_busy, statement_timeout, translate, translate_deletion
from gateway.execution.folding import Like, compare
from gateway.execution.link import work_limit_s
from gateway.observe import Observer, StatementTimedOut
from gateway.settings import Settings

T = TypeVar("T")

MOST_READERS: Final = 4
LOOK_EVERY: Final = 10_000
"""Steps of SQLite's machine between looks at the clock."""


def sqlite_path(url: str) -> str:
    """Return the path in ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

    Raises:
        ConfigurationError: no path, or a database in memory, which has no second connection.
    """
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or path == ":memory:" or parts.query:
        raise ConfigurationError("A SQLite database URL is sqlite:///relative/path or sqlite:////absolute/path.")
    return path


class Handle:
    """One SQLite connection and its limit; used by one thread at a time."""

    def __init__(self, path: str, limit_s: float, lock_wait_s: float) -> None:
        self._limit_s = limit_s
        self._deadline = 0.0
        self._raw = sqlite3.connect(
            f"file:{quote(path)}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=lock_wait_s
        )
        if sys.version_info >= (3, 12):  # a quoted name that is no column is an error, not a text
            self._raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
        self._raw.create_collation("gateway_ci", compare)
        like = Like()
        for arity in (2, 3):
            self._raw.create_function("like", arity, like, deterministic=True)
        self._raw.set_progress_handler(self._is_over, LOOK_EVERY)
        for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL"):
            self._raw.execute(f"PRAGMA {pragma}")

    def run(self, text: str, parameters: Parameters) -> Outcome:
        """Return what a statement did; SQLite's errors pass through."""
        self._deadline = monotonic() + self._limit_s
        with closing(self._raw.execute(text, tuple(map(sqlite_value, parameters)))) as cursor:
            rows = cursor.fetchall()
            if cursor.description is not None:
                return Outcome(rows, len(rows))
            return Outcome((), max(cursor.rowcount, 0), cursor.lastrowid or 0)

    def interrupt(self) -> None:
        """Stop what runs now, from any thread."""
        self._raw.interrupt()

    def is_inside(self) -> bool:
        """Whether a transaction is open."""
        return self._raw.in_transaction

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    def _is_over(self) -> int:
        return monotonic() > self._deadline


def _whole(number: int) -> int | float:
    """SQLite has no integer beyond 64 bits with a sign; what is compared with one is a double."""
    return number if -(2**63) <= number < 2**63 else float(number)


_CONVERSIONS: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (int, _whole),
    (Decimal, lambda value: _whole(int(value)) if value == value.to_integral_value() else float(value)),
    (datetime, lambda value: value.isoformat(" ")),
    (date, date.isoformat),
    (timedelta, format_time),
)


def sqlite_value(value: object) -> object:
    """Return a parameter as SQLite keeps it.

    >>> sqlite_value(Decimal("2.50")), sqlite_value(timedelta(hours=30))
    (2.5, '30:00:00')
    """
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return value


class SqliteDatabase:
    """A `gateway.execution.database.Database` on a SQLite file."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: str, settings: Settings, observer: Observer) -> None:
        self._path = path
        self._settings = settings
        self._observer = observer
        self._most = max(1, min(MOST_READERS, settings.pool_size))
        self._readers: list[Handle] = []
        self._writer: Handle | None = None
        self._free = asyncio.Semaphore(self._most)
        self._turn = asyncio.Lock()
        beside = 1 + settings.export_most  # the writer, and the snapshots of exports
        self._threads = ThreadPoolExecutor(self._most + beside, thread_name_prefix="gateway-sqlite")
        self._opened = 0

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of one read outside any transaction; see `Database.fetch`."""
        await self.wait_for(self._free.acquire())
        handle: Handle | None = None
        try:
            handle = self._readers.pop() if self._readers else await self._open_one()
            return (await self.call(handle, lambda: handle.run(text, parameters))).rows
        except sqlite3.Error as error:
            raise self.failure(text, error) from error
        finally:
            if handle is not None:
                self._readers.append(handle)
            self._free.release()

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what one write did; see `Database.write`."""
        async with self.transaction() as session:
            return await session.run(text, parameters)

    def transaction(self) -> AbstractAsyncContextManager[_Transaction]:
        """Return a context that commits when it ends and rolls back when it raises."""
        return _Transaction(self, self._turn)

    def snapshot(self) -> AbstractAsyncContextManager[_Snapshot]:
        """Return a context that reads the database as it is now, over a connection of its own."""
        return _Snapshot(self)

    async def probe(self) -> None:
        """Ask the database for a sign of life."""
        await self.fetch("SELECT 1 FROM sqlite_master LIMIT 1")

    def status(self) -> PoolStatus:
        """Return the state of the pool, the writer included."""
        idle = len(self._readers) + (self._writer is not None and not self._turn.locked())
        return PoolStatus(self._opened, idle, self._most + 1, is_reachable=self._opened > 0)

    async def close(self) -> None:
        """Close every connection."""
        handles = [*self._readers, *((self._writer,) if self._writer else ())]
        self._readers, self._writer = [], None
        self._opened = 0
        for handle in handles:
            handle.close()
        self._threads.shutdown(wait=False)

    # --- for the transaction beside ---

    async def writer(self) -> Handle:
        """Return the one connection that writes; its user holds the turn."""
        if self._writer is None:
            self._writer = await self._open_one()
        return self._writer

    async def _open_one(self) -> Handle:
        handle = await self.open_apart()
        self._opened += 1
        return handle

    async def open_apart(self) -> Handle:
        """Return a connection that is not counted here; its user closes it."""
        limits = work_limit_s(self._settings), self._settings.lock_wait_s
        return await self.call(None, lambda: Handle(self._path, *limits))

    async def call(self, handle: Handle | None, work: Callable[[], T]) -> T:
        """Return what ``work`` does in a thread; when cancelled, stop it and wait until it has stopped.

        So whoever had the connection gives it back unused by anybody.
        """
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if handle is not None:
                handle.interrupt()
            await asyncio.wait((future,))
            if not future.cancelled() and future.exception() is None and isinstance(opened := future.result(), Handle):
                opened.close()
            raise

    async def wait_for(self, turn: Any) -> None:
        """Wait for a semaphore or lock within the pool's wait."""
        try:
            async with asyncio.timeout(self._settings.pool_wait_s):
                await turn
        except TimeoutError:
            raise database_busy() from None

    def failure(self, text: str, error: sqlite3.Error) -> Exception:
        """Return what an error of a statement means to its user."""
        is_deletion = text.lstrip()[:6].upper() == "DELETE"
        failure = translate_deletion(error) if is_deletion else translate(error)
        if failure.code == "statement_timeout":
            self._observer(StatementTimedOut())
        return failure


class _Transaction(AbstractAsyncContextManager["_Transaction"]):
    """One transaction; after its first failed statement it runs nothing more and is rolled back."""

    def __init__(self, database: SqliteDatabase, turn: asyncio.Lock) -> None:
        self._database = database
        self._turn = turn
        self._handle: Handle | None = None
        self._failure: Exception | None = None

    async def __aenter__(self) -> _Transaction:
        await self._database.wait_for(self._turn.acquire())
        try:
            self._handle = await self._database.writer()
            await self._call("BEGIN IMMEDIATE")
        except BaseException:
            self._end()
            raise
        return self

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what a statement did."""
        if self._failure is not None:
            raise self._failure
        return await self._call(text, parameters)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back after a failure, also one that the block caught."""
        try:
            if error is None and self._failure is None:
                await self._commit()
        finally:
            self._end()
        if error is None and self._failure is not None:
            raise self._failure

    async def _commit(self) -> None:
        handle = self._handle
        try:
            await self._call("COMMIT")
        except asyncio.CancelledError as error:
            if handle is not None and not handle.is_inside():  # it was done before it could be stopped
                raise CommitCutError from error
            raise

    async def _call(self, text: str, parameters: Parameters = ()) -> Outcome:
        handle = self._handle
        if handle is None:
            raise RuntimeError("the transaction is over")
        try:
            return await self._database.call(handle, lambda: handle.run(text, parameters))
        except sqlite3.Error as error:
            self._failure = self._database.failure(text, error)
            raise self._failure from error
        except asyncio.CancelledError:
            self._failure = statement_timeout()  # for whoever cancelled only this statement and goes on
            raise

    def _end(self) -> None:
        """Roll back what was not committed, and let the next writer begin."""
        handle, self._handle = self._handle, None
        if handle is not None and handle.is_inside():
            handle.run("ROLLBACK", ())  # in memory or a page or two: not worth a thread that could be cancelled
        self._turn.release()


class _Snapshot(AbstractAsyncContextManager["_Snapshot"]):
    """One reading transaction; SQLite's readers keep nobody from altering a table, so there is nothing to release."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._handle: Handle | None = None

    async def __aenter__(self) -> _Snapshot:
        try:
            self._handle = await self._database.open_apart()
            await self.run("BEGIN")
            await self.run("SELECT 1 FROM sqlite_master LIMIT 1")  # the first read is what begins a snapshot
        except BaseException as error:
            self._close()
            if isinstance(error, sqlite3.Error):
                raise translate(error) from error
            raise
        return self

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of a statement."""
        handle = self._handle
        if handle is None:
            raise RuntimeError("the snapshot is over")
        try:
            return (await self._database.call(handle, lambda: handle.run(text, parameters))).rows
        except sqlite3.Error as error:
            raise self._database.failure(text, error) from error

    async def release(self) -> None:
        """Do nothing."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection, and the transaction with it."""
        self._close()

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()
