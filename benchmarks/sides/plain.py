"""The plain ways: what a team writes in an afternoon, and the bare prototype that shows the least overhead possible."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.load import Work
from benchmarks.processes import free_port, running, wait_for
from benchmarks.shapes import ShapeName
from benchmarks.sides.side import Crm, HttpSide


@contextmanager
def start_threads(crm: Crm) -> Iterator[HttpSide]:
    """Yield Starlette, threads, a SQLAlchemy select() per request and pymysql."""
    works: dict[ShapeName, Work] = {
        "one": Work("/one/{key}"),
        "list": Work("/list"),
        "list_total": Work("/list?total=1"),
        "list_new_total": Work("/list?total=1&least={amount}"),
    }
    with _app("threads", crm, works, "threads", "Starlette, threads, SQLAlchemy select(), pymysql; no auth") as side:
        yield side


@contextmanager
def start_bare(crm: Crm) -> Iterator[HttpSide]:
    """Yield asyncmy and orjson with the SQL text ready and nothing else: the floor of overhead."""
    works: dict[ShapeName, Work] = {"one": Work("/one/{key}"), "list": Work("/list")}
    with _app("bare", crm, works, "bare prototype", "asyncmy, SQL text ready, orjson; no auth, no validation") as side:
        yield side


@contextmanager
def start_empty(crm: Crm) -> Iterator[HttpSide]:
    """Yield an empty route of the same server."""
    with _app("empty", crm, {"one": Work("/")}, "empty route", "Starlette on uvicorn, no database") as side:
        yield side


@contextmanager
def _app(module: str, crm: Crm, works: dict[ShapeName, Work], name: str, remark: str) -> Iterator[HttpSide]:
    log, port = crm.directory / f"{module}.log", free_port()
    environ = {"BENCH_DATABASE_URL": crm.url, "BENCH_COLUMNS": ",".join(crm.columns)}
    command = [sys.executable, "-m", f"benchmarks.baseline.{module}", str(port)]
    with running(command, log, environ=environ) as process:
        origin = f"http://127.0.0.1:{port}"
        wait_for(f"{origin}/", process, log)
        yield HttpSide(
            name, "1 (uvicorn)", remark, origin, (process.pid,), crm.invoices, works, lambda body: body["data"]
        )
