"""A database whose statements are counted and, where the settings want it, timed and traced.

It stands between the operations and the pool. What comes in and goes out is what `Database` says;
nothing here knows a value: a span names the statement's verb and table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Final, Generic, Protocol, TypeVar

from gateway.catalog.kinds import Dialect
from gateway.execution.database import Database, Outcome, Parameters, PoolStatus, Row, Session, Snapshot
from gateway.timing import mark, spend

T = TypeVar("T")

_TARGET: Final = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+[`\"]?(\w+)", re.IGNORECASE)
_UNTRACED: Final[AbstractContextManager[None]] = nullcontext()


class Traces(Protocol):
    """What makes a span of a statement."""

    def statement(self, system: str, verb: str, table: str) -> AbstractContextManager[object]:
        """Return a context that is the statement's span."""
        ...


class WatchedDatabase:
    """A database with its statements counted: ``sent``, and ``failed`` among them."""

    def __init__(self, inner: Database, *, is_timed: bool = False, traces: Traces | None = None) -> None:
        self._inner = inner
        self._is_watched = is_timed or traces is not None
        self._traces = traces
        self.sent = 0
        self.failed = 0

    @property
    def dialect(self) -> Dialect:
        """The dialect of the database."""
        return self._inner.dialect

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of one read; see `Database.fetch`."""
        return await self.ran(text, self._inner.fetch(text, parameters))

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Return what one write did; see `Database.write`."""
        return await self.ran(text, self._inner.write(text, parameters))

    async def ran(self, text: str, work: Awaitable[T]) -> T:
        """Return what comes of running a statement: counted, and timed and traced where that is asked for."""
        self.sent += 1
        try:
            return await (self._watched(text, work) if self._is_watched else work)
        except BaseException:
            self.failed += 1
            raise

    async def _watched(self, text: str, work: Awaitable[T]) -> T:
        began = perf_counter()
        try:
            with self._span(text):
                return await work
        finally:
            ended = perf_counter()
            spend("query", ended - began)
            mark("first query", began, is_first=True)
            mark("last query", ended)

    def _span(self, text: str) -> AbstractContextManager[object]:
        if self._traces is None:
            return _UNTRACED
        return self._traces.statement(self._inner.dialect, *verb_and_table(text))

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Return a context that commits when it ends; see `Database.transaction`."""
        return _Wrapped(self._inner.transaction(), lambda session: _WatchedSession(self, session))

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Return a context that reads the database as it is when it begins; see `Database.snapshot`."""
        return _Wrapped(self._inner.snapshot(), lambda snapshot: _WatchedSnapshot(self, snapshot))

    async def probe(self) -> None:
        """Ask the database for a sign of life."""
        await self._inner.probe()

    def status(self) -> PoolStatus:
        """Return the state of the pool."""
        return self._inner.status()

    async def close(self) -> None:
        """Close every connection."""
        await self._inner.close()


class _Wrapped(Generic[T]):
    """A context whose value is given to others in a wrapper."""

    __slots__ = ("_inner", "_wrap")

    def __init__(self, inner: AbstractAsyncContextManager[T], wrap: Callable[[T], T]) -> None:
        self._inner = inner
        self._wrap = wrap

    async def __aenter__(self) -> T:
        return self._wrap(await self._inner.__aenter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._inner.__aexit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class _WatchedSession:
    database: WatchedDatabase
    inner: Session

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        return await self.database.ran(text, self.inner.run(text, parameters))


@dataclass(frozen=True, slots=True)
class _WatchedSnapshot:
    database: WatchedDatabase
    inner: Snapshot

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        return await self.database.ran(text, self.inner.run(text, parameters))

    async def release(self) -> None:
        await self.inner.release()


@lru_cache(maxsize=1_000)
def verb_and_table(text: str) -> tuple[str, str]:
    """Return the verb of a statement and the first table it names, which are no values.

    >>> verb_and_table("SELECT `t0`.`id` FROM `tblinvoices` AS `t0` WHERE `t0`.`id` = %s")
    ('SELECT', 'tblinvoices')
    """
    found = _TARGET.search(text)
    return text.lstrip("( ").partition(" ")[0].upper(), found[1] if found else ""
