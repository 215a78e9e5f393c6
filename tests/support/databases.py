"""Databases of the execution layer, opened for a test, and what they reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from gateway.errors import GatewayError
from gateway.execution.connect import open_database
from gateway.execution.database import Database
from gateway.observe import Event
from gateway.settings import Settings

PATIENCE_S = 20.0


@asynccontextmanager
async def opened(url: str, events: list[Event] | None = None, **settings: Any) -> AsyncIterator[Database]:
    """Yield the database of a URL; close it afterwards."""
    seen: list[Event] = [] if events is None else events
    database = open_database(Settings(database_url=url, **settings), seen.append)
    try:
        yield database
    finally:
        await database.close()


async def transact(database: Database, *texts: str) -> None:
    """Run statements in one transaction."""
    async with database.transaction() as session:
        for text in texts:
            await session.run(text)


async def go_on_after_a_failure(database: Database, *texts: str) -> None:
    """Run statements in one transaction whose block ignores that some of them fail."""
    async with database.transaction() as session:
        for text in texts:
            with suppress(GatewayError):
                await session.run(text)


async def until(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as a question is answered with yes; fail when patience ends."""
    async with asyncio.timeout(PATIENCE_S):
        while not await is_true():
            await asyncio.sleep(0.01)
