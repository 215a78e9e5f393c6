"""The load generators: wrk for whatever speaks HTTP, sysbench for the database alone, urllib for few long requests."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pymysql

from benchmarks.processes import tool
from benchmarks.samples import Sample

CONNECTIONS = 16
LUA = Path(__file__).parent / "lua"
_WRK = re.compile(r"^benchmark (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_SYSBENCH = {
    "requests": re.compile(r"transactions:\s+(\d+)"),
    "seconds": re.compile(r"total time:\s+([\d.]+)s"),
    "errors": re.compile(r"ignored errors:\s+(\d+)"),
    "p99_ms": re.compile(r"99th percentile:\s+([\d.]+)"),
    "max_ms": re.compile(r"\bmax:\s+([\d.]+)"),
}


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request; ``{key}``, ``{amount}`` and ``{serial}`` in path and body change every time.

    One that moves several ``rows`` is counted by them. With ``is_conditional`` it carries the row's ETag in
    If-Match. ``largest_key`` is that of its table, where it is not the one that the side reads. One that
    ``is_long`` is sent by a single client. An export ``is_export``.
    """

    path: str
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    rows: int = 1
    is_conditional: bool = False
    largest_key: int | None = None
    is_long: bool = False
    is_export: bool = False

    def first(self) -> Work:
        """Return the work with its texts filled in for the first time."""
        path, body = (
            text.replace("{key}", "42").replace("{amount}", "1000.01").replace("{serial}", "1")
            for text in (self.path, self.body)
        )
        return replace(self, path=path, body=body)

    def request(self, origin: str, headers: Mapping[str, str] | None = None) -> Request:
        """Return it as a request that can be sent."""
        every = {**self.headers, **(headers or {})}
        return Request(origin + self.path, data=self.body.encode() or None, method=self.method, headers=every)


def wrk(origin: str, work: Work, *, seconds: float, largest_key: int, seed: int) -> Sample:
    """Return what `CONNECTIONS` kept-alive connections got from one thread of wrk."""
    headers = [part for name, value in work.headers.items() for part in ("-H", f"{name}: {value}")]
    command = [
        *(tool("wrk", package="wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"),
        *("-s", str(LUA / ("changes.lua" if work.is_conditional else "requests.lua")), *headers, origin + "/", "--"),
        *(work.method, work.path, work.body, str(largest_key), str(seed)),
    ]
    return parse_wrk(_output(command))


def one_by_one(origin: str, work: Work, *, seconds: float) -> Sample:
    """Return what one client gets that sends the next request when it has the answer to the last.

    For requests so long that those which the end of the time cuts off would be a good part of them: here the last
    one is waited for.
    """
    request = work.first().request(origin)
    began = now = time.perf_counter()
    taken_ms: list[float] = []
    errors = 0
    while now - began < seconds:
        errors += not _succeeds(request)
        before, now = now, time.perf_counter()
        taken_ms.append((now - before) * 1e3)
    rows = (len(taken_ms) - errors) * work.rows
    return Sample(rows, now - began, errors, p50_ms=median(taken_ms), max_ms=max(taken_ms))


def _succeeds(request: Request) -> bool:
    try:
        with urlopen(request, timeout=60) as reply:
            reply.read()
    except HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
    return True


def one_statement(url: str, statement: str, *, seconds: float) -> Sample:
    """Return what one connection gets that asks again when it has all rows of the last answer."""
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
        ssl_disabled=True,
    )
    with closing(connection), connection.cursor() as cursor:
        began = now = time.perf_counter()
        taken_ms: list[float] = []
        while now - began < seconds:
            cursor.execute(statement)
            cursor.fetchall()
            before, now = now, time.perf_counter()
            taken_ms.append((now - before) * 1e3)
    return Sample(len(taken_ms), now - began, p50_ms=median(taken_ms), max_ms=max(taken_ms))


def sysbench(arguments: tuple[str, ...], statement: str, *, seconds: float, largest_key: int) -> Sample:
    """Return what `CONNECTIONS` connections of a C client get with one prepared statement."""
    command = [
        *(tool("sysbench", package="sysbench"), str(LUA / "ceiling.lua"), *arguments),
        *(f"--threads={CONNECTIONS}", f"--time={max(1, round(seconds))}", "--percentile=99", "--db-ps-mode=auto"),
        *(f"--statement={statement}", f"--rows={largest_key}", "run"),
    ]
    return parse_sysbench(_output(command))


def parse_wrk(output: str) -> Sample:
    """Return the sample in the line that requests.lua prints; times in it are microseconds.

    >>> parse_wrk("...\\nbenchmark 100 2000000 0 500 900 1500\\n").rate
    50.0

    Raises:
        RuntimeError: the line is missing.
    """
    match = _WRK.search(output)
    if match is None:
        raise RuntimeError(f"wrk said nothing of use:\n{output[-2000:]}")
    requests, duration, errors, p50, p99, most = (int(number) for number in match.groups())
    return Sample(requests, duration / 1e6, errors, p50 / 1e3, p99 / 1e3, most / 1e3)


def parse_sysbench(output: str) -> Sample:
    """Return the sample in sysbench's summary.

    Raises:
        RuntimeError: a number is missing.
    """
    found = {name: pattern.search(output) for name, pattern in _SYSBENCH.items()}
    numbers = {name: float(match[1]) for name, match in found.items() if match is not None}
    if len(numbers) < len(_SYSBENCH):
        raise RuntimeError(f"sysbench said nothing of use:\n{output[-2000:]}")
    return Sample(
        requests=int(numbers["requests"]),
        seconds=numbers["seconds"],
        errors=int(numbers["errors"]),
        p99_ms=numbers["p99_ms"],
        max_ms=numbers["max_ms"],
    )


def _output(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
