"""The load generators: wrk for whatever speaks HTTP, sysbench for the database alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
    """One kind of request; ``{key}``, ``{amount}`` and ``{serial}`` in path and body change every time."""

    path: str
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def wrk(origin: str, work: Work, *, seconds: float, largest_key: int, seed: int) -> Sample:
    """Return what `CONNECTIONS` kept-alive connections got from one thread of wrk."""
    headers = [part for name, value in work.headers.items() for part in ("-H", f"{name}: {value}")]
    command = [
        *(tool("wrk", package="wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"),
        *("-s", str(LUA / "requests.lua"), *headers, origin + "/", "--"),
        *(work.method, work.path, work.body, str(largest_key), str(seed)),
    ]
    return parse_wrk(_output(command))


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
