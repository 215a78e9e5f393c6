"""How every baseline is served: the same server and options as the gateway."""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

TABLE = "tblinvoices"


def columns() -> tuple[str, ...]:
    """Return the columns to read, so that every side moves the same ones."""
    return tuple(os.environ["BENCH_COLUMNS"].split(","))


def address() -> dict[str, str | int]:
    """Return the database's address as drivers take it."""
    parts = urlsplit(os.environ["BENCH_DATABASE_URL"])
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 3306,
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
    }


async def hello(request: Request) -> Response:
    """Answer at once, for whoever waits until the server is up."""
    return Response(b"{}", media_type="application/json")


def serve(app: Starlette) -> None:
    """Serve until a signal ends it."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
    )
