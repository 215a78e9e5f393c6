"""A pool of links: who gets one, who waits, when new ones are opened.

What comes in: a function that opens a link, and the bounds. What goes out: links, one
holder each, or a failure within the wait. No statement is run here.

The idle path is a list's `pop`: no lock, task or timer. Links are opened in the
background when somebody waits, so a link that is given back meanwhile serves the
waiter first, and a client that goes away wastes no handshake. While the database is
away nobody waits for it: requests fail at once and one task tries to reach it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from gateway.execution.database import PoolStatus
from gateway.execution.failures import BUSY, database_busy, errno_of, translate
from gateway.execution.link import Link
from gateway.observe import DatabaseFound, DatabaseLost, Observer

LOOK_EVERY_S: Final = 0.5
"""Seconds between looks for overdue statements and links idle for too long."""

FIRST_RETRY_S: Final = 0.1
LAST_RETRY_S: Final = 1.0
"""Seconds between attempts to reach a database that is away: doubling, up to the last."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a pool: links, seconds of waiting, of idling and of one statement."""

    size: int
    wait_s: float
    recycle_s: float
    overdue_s: float


class Pool:
    """Links of one database; belongs to the event loop that first uses it."""

    def __init__(
        self,
        open_link: Callable[[], Awaitable[Link]],
        bounds: Bounds,
        observer: Observer,
        on_overdue: Callable[[int], None],
    ) -> None:
        self._open_link = open_link
        self._bounds = bounds
        self._observer = observer
        self._on_overdue = on_overdue
        self._idle: list[Link] = []
        self._used: set[Link] = set()
        self._opening = 0
        self._waiters: dict[asyncio.Future[Link], None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._lost: BaseException | None = None
        self._lost_since = 0.0
        self._grow_after = 0.0
        self._is_closed = False

    def take_idle(self) -> Link | None:
        """Return an idle link, the one used last; None when there is none."""
        while self._idle:
            link = self._idle.pop()
            now = monotonic()
            if now - link.idle_since > self._bounds.recycle_s:
                self.spawn(link.quit())
                continue
            link.started = now
            self._used.add(link)
            return link
        return None

    async def take(self) -> Link:
        """Return a link as soon as there is one.

        Raises:
            UnavailableError: ``database_away`` at once while the database is away,
                ``database_busy`` after the wait.
        """
        link = self.take_idle()
        if link is not None:
            return link
        if self._lost is not None or self._is_closed:
            lost = self._lost or ConnectionError("the pool is closed")
            raise translate(lost) from lost
        return await self._wait()

    def give(self, link: Link) -> None:
        """Take a link back that can be used again."""
        if link.is_overdue:  # its answer came in while it was being closed
            self.discard(link)
            return
        link.started = 0.0
        link.is_reused = True
        self._used.discard(link)
        self._offer(link)

    def discard(self, link: Link) -> None:
        """Take a link back that must not be used again, and close it."""
        self._used.discard(link)
        link.abort()
        self._grow()

    def drop_idle(self) -> None:
        """Close all idle links: the server closed one of them, so each may be dead."""
        idle, self._idle = self._idle, []
        for link in idle:
            link.abort()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def status(self) -> PoolStatus:
        """Return the state of the pool."""
        return PoolStatus(
            open=len(self._idle) + len(self._used),
            idle=len(self._idle),
            most=self._bounds.size,
            is_reachable=self._lost is None and bool(self._idle or self._used),
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the background; `close` ends it. Its errors are its own affair."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that the loop does not report it as forgotten

    async def close(self) -> None:
        """Close every link, end every background task; waiters get 503."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._fail_waiters(ConnectionError("the pool is closed"))
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for link in self._used:
            link.abort()
        await asyncio.gather(*tasks, *(link.quit() for link in self._idle), return_exceptions=True)
        self._idle.clear()

    # --- waiting ---

    async def _wait(self) -> Link:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Link] = loop.create_future()
        self._waiters[waiter] = None
        limit = loop.call_later(self._bounds.wait_s, _expire, waiter)
        self._grow()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give(waiter.result())  # it was handed over just before its taker went away
            raise
        finally:
            limit.cancel()
            self._waiters.pop(waiter, None)

    def _offer(self, link: Link) -> None:
        """Hand a link to whoever has waited longest, or keep it."""
        now = monotonic()
        if self._is_closed:
            link.abort()
            return
        while self._waiters:
            waiter = next(iter(self._waiters))
            del self._waiters[waiter]
            if not waiter.done():
                link.started = now
                self._used.add(link)
                waiter.set_result(link)
                return
        link.idle_since = now
        self._idle.append(link)

    def _fail_waiters(self, error: BaseException) -> None:
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if not waiter.done():
                failure = translate(error)
                failure.__cause__ = error
                waiter.set_exception(failure)

    # --- opening ---

    def _grow(self) -> None:
        """Open as many links as there are waiters without one, within the size."""
        if self._is_closed or self._lost is not None or monotonic() < self._grow_after:
            return
        for _ in range(min(self._room(), len(self._waiters) - self._opening)):
            self._opening += 1
            self.spawn(self._open_one())

    def _room(self) -> int:
        return self._bounds.size - len(self._idle) - len(self._used) - self._opening

    async def _open_one(self) -> None:
        try:
            link = await self._open_link()
        except Exception as error:
            self._opening -= 1
            self._opening_failed(error)
        except BaseException:
            self._opening -= 1
            raise
        else:
            self._opening -= 1
            self._opened(link)

    def _opened(self, link: Link) -> None:
        if self._lost is not None:
            self._lost = None
            self._observer(DatabaseFound(monotonic() - self._lost_since))
        if self._timer is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
        self._offer(link)

    def _opening_failed(self, error: Exception) -> None:
        if errno_of(error) in BUSY:
            self._grow_after = monotonic() + FIRST_RETRY_S
            if not self._used:  # nobody will give a link back
                self._fail_waiters(error)
            return
        if self._lost is None:
            self._lost_since = monotonic()
            self._lost = error
            self._observer(DatabaseLost(str(error) or type(error).__name__))
            self.spawn(self._recover())
        self._lost = error
        self._fail_waiters(error)

    async def _recover(self) -> None:
        """Try until the database answers; the link that does is the pool's first."""
        pause = FIRST_RETRY_S
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_RETRY_S)
            if self._lost is None:
                return
            if self._room() > 0:
                self._opening += 1
                await self._open_one()

    # --- watching ---

    def _look(self) -> None:
        """Close links whose statement is overdue and links that idled for too long; come back while there are any."""
        now = monotonic()
        for link in tuple(self._used):
            if link.started and now - link.started > self._bounds.overdue_s and not link.is_overdue:
                link.is_overdue = True
                self._on_overdue(link.thread_id)
                link.abort()
        while self._idle and now - self._idle[0].idle_since > self._bounds.recycle_s:
            self.spawn(self._idle.pop(0).quit())
        self._timer = None
        if self._idle or self._used:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)


def _expire(waiter: asyncio.Future[Link]) -> None:
    if not waiter.done():
        waiter.set_exception(database_busy())
