"""One reading transaction on a MySQL or MariaDB connection of its own, for exports.

What comes in: statements, one after the other. What goes out: rows, all as they were when the
snapshot began. An `ALTER TABLE` of the CRM waits for a statement at most, never for the export:
going back to a savepoint gives up the metadata locks taken since, as mysqldump does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, NoReturn

from gateway.execution.database import Parameters, Row
from gateway.execution.link import Link

BEGINNING: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    "SAVEPOINT gateway_export",
)
RELEASE: Final = "ROLLBACK TO SAVEPOINT gateway_export"


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a snapshot needs of its database: a new link, the end of a broken one, what an error means."""

    open: Callable[[], Awaitable[Link]]
    end: Callable[[Link, BaseException], None]
    fail: Callable[[Link, BaseException], NoReturn]


class MySqlSnapshot(AbstractAsyncContextManager["MySqlSnapshot"]):
    """A `gateway.execution.database.Snapshot`; ``limit_s`` bounds each statement, beyond the server's own limit."""

    __slots__ = ("_hooks", "_limit_s", "_link", "_links")

    def __init__(self, hooks: Hooks, limit_s: float, links: set[Link]) -> None:
        self._hooks = hooks
        self._limit_s = limit_s
        self._links = links
        self._link: Link | None = None

    async def __aenter__(self) -> MySqlSnapshot:
        self._link = await self._hooks.open()
        self._links.add(self._link)
        for text in BEGINNING:
            await self._command(text)
        return self

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Return the rows of a statement."""
        link = self._present()
        try:
            async with asyncio.timeout(self._limit_s):
                return (await link.run(text, parameters)).rows or ()
        except BaseException as error:
            self._failed(link, error)

    async def release(self) -> None:
        """Give up the metadata locks of what was read; the snapshot stays."""
        await self._command(RELEASE)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection, and the transaction with it."""
        link, self._link = self._link, None
        if link is None:
            return
        self._links.discard(link)
        if error is None or isinstance(error, Exception):
            await link.quit()
        else:
            self._hooks.end(link, error)

    async def _command(self, text: str) -> None:
        link = self._present()
        try:
            async with asyncio.timeout(self._limit_s):
                await link.command(text)
        except BaseException as error:
            self._failed(link, error)

    def _present(self) -> Link:
        if self._link is None:
            raise RuntimeError("the snapshot is over")
        return self._link

    def _failed(self, link: Link, error: BaseException) -> NoReturn:
        """End the connection, whatever state it is in, and raise what the error means."""
        self._link = None
        self._links.discard(link)
        if isinstance(error, TimeoutError):
            link.is_overdue = True
        self._hooks.end(link, error)
        self._hooks.fail(link, error)
