"""The least that can be done: a pool of asyncmy connections, prepared statements, rows -> orjson. No checks at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncmy
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.baseline.serving import TABLE, address, columns, hello, serve
from benchmarks.shapes import LEAST_TOTAL, PER_PAGE, STATUS

NAMES = columns()
_SELECT = f"SELECT {', '.join(f'`{name}`' for name in NAMES)} FROM `{TABLE}`"
ONE = f"{_SELECT} WHERE id = ?"
MANY = f"{_SELECT} WHERE status = ? AND total >= ? ORDER BY id DESC LIMIT {PER_PAGE}"


class Links:
    """Sixteen connections, each with both statements prepared."""

    def __init__(self) -> None:
        self._idle: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def open(self) -> None:
        """Open them all."""
        for _ in range(16):
            connection: Any = await asyncmy.connect(
                **address(), autocommit=True
            )  # Any: its stub leaves `prepare` untyped
            self._idle.put_nowait({text: await connection.prepare(text) for text in (ONE, MANY)})

    async def rows(self, text: str, parameters: tuple[object, ...]) -> list[dict[str, object]]:
        """Return the rows of one statement."""
        link = await self._idle.get()
        try:
            result = await link[text].execute(parameters)
            return [dict(zip(NAMES, row, strict=True)) for row in result.rows]
        finally:
            self._idle.put_nowait(link)


def make_app() -> Starlette:
    """Return the application."""
    links = Links()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await links.open()
        yield

    async def one(request: Request) -> Response:
        rows = await links.rows(ONE, (int(request.path_params["key"]),))
        return _json({"data": rows[0] if rows else None})

    async def many(request: Request) -> Response:
        return _json({"data": await links.rows(MANY, (STATUS, LEAST_TOTAL))})

    return Starlette(routes=[Route("/", hello), Route("/one/{key}", one), Route("/list", many)], lifespan=lifespan)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, default=str), media_type="application/json")


if __name__ == "__main__":
    serve(make_app())
