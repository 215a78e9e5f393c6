"""A pool of connections to MySQL or MariaDB behind the `Database` interface.

What comes in: SQL text and parameters. What goes out: rows, or a `GatewayError`. A
link whose state is in any doubt is never used again: whoever is cancelled, times out
or loses the connection discards it, and what it was running is killed on the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic
from types import TracebackType
from typing import Any, Final, NoReturn

from gateway.catalog.kinds import Dialect
from gateway.errors import GatewayError
from gateway.execution.address import Address
from gateway.execution.database import Outcome, Parameters, PoolStatus, Row
from gateway.execution.failures import (
    UNCERTAIN,
    CommitCutError,
    database_away,
    errno_of,
    is_answer,
    is_loss,
    outcome_unknown,
    statement_timeout,
    translate,
    was_never_sent,
)
from gateway.execution.link import Link, Opener, work_limit_s
from gateway.execution.pool import Bounds, Pool
from gateway.execution.snapshots import Hooks, MySqlSnapshot
from gateway.observe import Observer, ReadRetried, StatementTimedOut
from gateway.settings import Settings

BELT_S: Final = 1.0
"""Seconds beyond the server's own statement limit after which a statement is ended from here."""


class MySqlDatabase:
    """A `gateway.execution.database.Database` on MySQL or MariaDB."""

    def __init__(self, address: Address, settings: Settings, observer: Observer, assumed: Dialect = "mariadb") -> None:
        self._assumed: Dialect = assumed
        self._opener = Opener(address, settings)
        self._observer = observer
        bounds = Bounds(
            size=settings.pool_size,
            wait_s=settings.pool_wait_s,
            recycle_s=settings.pool_recycle_s,
            overdue_s=work_limit_s(settings) + BELT_S,
        )
        self._pool = Pool(self._open, bounds, observer, self._kill)
        self._doomed: set[int] = set()
        self._is_killing = False
        self._commits: set[asyncio.Task[None]] = set()
        self._limit_s = settings.statement_limit_s + BELT_S
        self._export_limit_s = settings.statement_limit_s
        self._snapshots: set[Link] = set()

    @property
    def dialect(self) -> Dialect:
        """The dialect of the server, an assumption before the first connection."""
        return self._assumed

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of one read outside any transaction; see `Database.fetch`."""
        pool = self._pool
        link = pool.take_idle() or await pool.take()
        try:
            result = await link.run(text, parameters)
        except BaseException as error:
            self.drop(link, error)
            if not found_dead(link, error):
                self.fail(link, error)
        else:
            pool.give(link)
            return result.rows or ()
        self._observer(ReadRetried())
        return await self._fetch_again(text, parameters)

    async def _fetch_again(self, text: str, parameters: Parameters) -> Sequence[Row]:
        link = await self._pool.take()
        try:
            result = await link.run(text, parameters)
        except BaseException as error:
            self.drop(link, error)
            self.fail(link, error)
        self._pool.give(link)
        return result.rows or ()

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what one write did that commits by itself; see `Database.write`."""
        link = self._pool.take_idle() or await self._pool.take()
        try:
            result = await link.run(text, parameters)
        except BaseException as error:
            self.drop(link, error)
            if isinstance(error, asyncio.CancelledError):  # whether the kill came before the end, nobody knows
                raise CommitCutError from error
            if isinstance(error, Exception) and is_uncertain(link, error):
                raise outcome_unknown() from error
            if not was_never_sent(error):
                self.fail(link, error)
        else:
            self._pool.give(link)
            return Outcome(result.rows or (), result.affected_rows, result.insert_id)
        async with self.transaction() as session:  # the link had died in the pool; this finds a live one
            return await session.run(text, parameters)

    def transaction(self) -> AbstractAsyncContextManager[_Transaction]:
        """Return a context that commits when it ends and rolls back when it raises."""
        return _Transaction(self, self._pool)

    def snapshot(self) -> MySqlSnapshot:
        """Return a context that reads the database as it is now, over a connection of its own."""
        return MySqlSnapshot(Hooks(self._open_apart, self._end, self.fail), self._limit_s, self._snapshots)

    async def probe(self) -> None:
        """Ask the database for a sign of life."""
        await self.fetch("SELECT 1")

    def status(self) -> PoolStatus:
        """Return the state of the pool."""
        return self._pool.status()

    async def close(self) -> None:
        """Close every connection, after the commits under way."""
        if self._commits:
            await asyncio.wait(self._commits, timeout=self._limit_s)
        for link in tuple(self._snapshots):
            link.abort()
        await self._pool.close()

    # --- for the transaction beside ---

    def drop(self, link: Link, error: BaseException) -> None:
        """Give a link back after an error: into the pool if the server answered, else closed and ended there."""
        if is_answer(error) and not link.is_overdue:
            self._pool.give(link)
            return
        if not is_loss(error):
            self._kill(link.thread_id)
        elif found_dead(link, error):
            self._pool.drop_idle()
        self._pool.discard(link)

    def failure(self, link: Link, error: BaseException) -> GatewayError:
        """Return what an error of a link means to its user."""
        failure = statement_timeout() if link.is_overdue else translate(error)
        if failure.code == "statement_timeout":
            self._observer(StatementTimedOut())
        return failure

    def fail(self, link: Link, error: BaseException) -> NoReturn:
        """Raise what an error of a link means; cancellation and the like as they are."""
        if not isinstance(error, Exception):
            raise error
        raise self.failure(link, error) from error

    async def commit(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a commit to its end, even when the caller is cancelled meanwhile: half a commit cannot be taken back.

        Raises:
            CommitCutError: the caller was cancelled, and learns no more of it.
        """
        task = self._pool.spawn(work)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            raise CommitCutError from error

    # --- background ---

    async def _open(self) -> Link:
        link = await self._opener.open()
        self._assumed = link.dialect
        return link

    async def _open_apart(self) -> Link:
        """Return a link that the pool does not know."""
        try:
            return await self._opener.open(self._export_limit_s)
        except Exception as error:
            raise translate(error) from error

    def _end(self, link: Link, error: BaseException) -> None:
        """Close a link that the pool does not know, and end what it may be running on the server."""
        link.abort()
        if not is_loss(error):
            self._kill(link.thread_id)

    def _kill(self, thread_id: int) -> None:
        """End a connection on the server, soon; closing the socket alone would let its statement run on."""
        self._doomed.add(thread_id)
        if not self._is_killing and not self._pool.is_closed:
            self._is_killing = True
            self._pool.spawn(self._kill_doomed())

    async def _kill_doomed(self) -> None:
        """End the doomed in turns, over one connection at a time; one that fails leaves them to the server's limit."""
        try:
            while self._doomed:
                batch, self._doomed = self._doomed, set()
                with suppress(Exception):
                    await self._opener.kill(tuple(batch))
        finally:
            self._is_killing = False


def is_uncertain(link: Link, error: BaseException) -> bool:
    """Whether an error leaves open if a statement that commits by itself has been kept: the server said nothing."""
    return not was_never_sent(error) and (not is_answer(error) or link.is_overdue)


def found_dead(link: Link, error: BaseException) -> bool:
    """Whether the server had closed a link while it waited in the pool: what it was asked never began."""
    return link.is_reused and is_loss(error) and not link.is_overdue


class _Transaction(AbstractAsyncContextManager["_Transaction"]):
    """One transaction; after its first failed statement it runs nothing more and is rolled back."""

    __slots__ = ("_database", "_failure", "_link", "_pool")

    def __init__(self, database: MySqlDatabase, pool: Pool) -> None:
        self._database = database
        self._pool = pool
        self._link: Link | None = None
        self._failure: BaseException | None = None

    async def __aenter__(self) -> _Transaction:
        self._link = await self._begin(may_retry=True)
        return self

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what a statement did."""
        if self._failure is not None:
            raise self._failure
        link = self._link
        if link is None:
            raise RuntimeError("the transaction is over")
        link.started = monotonic()
        try:
            result = await link.run(text, parameters)
        except BaseException as error:
            self._failed(link, error)
        link.started = 0.0  # between statements no limit runs
        return Outcome(result.rows or (), result.affected_rows, result.insert_id)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back after a failure, also one that the block caught."""
        link, self._link = self._link, None
        if link is not None:
            if error is None and self._failure is None:
                await self._database.commit(self._commit(link))
            elif error is None or isinstance(error, Exception):
                await self._roll_back(link)
            else:  # cancelled: no more waiting, the server rolls back what it loses
                self._pool.discard(link)
        if error is None and self._failure is not None:
            raise self._failure

    async def _begin(self, *, may_retry: bool) -> Link:
        """Return a link inside a transaction; a link found dead is replaced once, for nothing has happened yet."""
        link = self._pool.take_idle() or await self._pool.take()
        try:
            await link.command("START TRANSACTION")
        except BaseException as error:
            self._database.drop(link, error)
            if not (may_retry and found_dead(link, error)):
                self._database.fail(link, error)
        else:
            link.started = 0.0
            return link
        return await self._begin(may_retry=False)

    def _failed(self, link: Link, error: BaseException) -> NoReturn:
        """Raise what a failed statement means; the link stays only where it can still roll back."""
        if not is_answer(error) or link.is_overdue:
            self._link = None
            self._database.drop(link, error)
        if not isinstance(error, Exception):
            self._failure = statement_timeout()  # for whoever cancelled only this statement and goes on
            raise error
        self._failure = self._database.failure(link, error)
        raise self._failure from error

    async def _roll_back(self, link: Link) -> None:
        """Roll back; where that fails the server does it when it loses the connection."""
        link.started = monotonic()
        try:
            await link.command("ROLLBACK")
        except BaseException as error:
            self._pool.discard(link)
            if not isinstance(error, Exception):
                raise
        else:
            self._pool.give(link)

    async def _commit(self, link: Link) -> None:
        link.started = monotonic()
        try:
            await link.command("COMMIT")
        except BaseException as error:
            self._pool.discard(link)
            raise self._commit_failure(link, error) from error
        self._pool.give(link)

    def _commit_failure(self, link: Link, error: BaseException) -> GatewayError:
        if was_never_sent(error):
            return database_away()
        if errno_of(error) in UNCERTAIN or not is_answer(error) or link.is_overdue:
            return outcome_unknown()
        return self._database.failure(link, error)
