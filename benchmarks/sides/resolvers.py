"""The GraphQL server that people write by hand: a resolver per relationship, dataloaders, one process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.processes import free_port, running, wait_for
from benchmarks.questions import by_graphql, rows_of
from benchmarks.shapes import RESOLVERS
from benchmarks.sides.side import Crm, HttpSide


@contextmanager
def start_resolvers(crm: Crm) -> Iterator[HttpSide]:
    """Yield strawberry with dataloaders on SQLAlchemy and asyncmy; its lists have one order each."""
    log, port = crm.directory / "resolvers.log", free_port()
    command = [sys.executable, "-m", "benchmarks.baseline.resolvers", str(port)]
    with running(command, log, environ={"BENCH_DATABASE_URL": crm.url}) as process:
        origin = f"http://127.0.0.1:{port}"
        wait_for(f"{origin}/", process, log)
        yield HttpSide(
            name=RESOLVERS,
            processes="1 (uvicorn)",
            remark="strawberry, dataloaders, SQLAlchemy on asyncmy, documents parsed once, orjson; no auth",
            origin=origin,
            pids=(process.pid,),
            largest_key=crm.invoices,
            works=by_graphql("/graphql", takes_sort=False),
            rows=rows_of,
        )
