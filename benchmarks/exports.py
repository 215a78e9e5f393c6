"""Whole tables as files: one download at a time, with the time to its first byte and the memory that it took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load import Work
from benchmarks.processes import memory_of, most_memory_of, tree
from benchmarks.samples import Sample

BUFFER_BYTES = 1 << 20
PATIENCE_S = 330.0


@dataclass(frozen=True, slots=True)
class Download:
    """What came of one download: bytes and line ends, when the first and the last byte came; ``is_whole`` says how."""

    size: int
    lines: int
    first_byte_s: float
    seconds: float
    is_whole: bool


def download(origin: str, work: Work) -> Download:
    """Return what a client gets that reads as fast as it can and keeps nothing."""
    address = urlsplit(origin)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
    began = time.perf_counter()
    try:
        connection.request(work.method, work.path, headers=dict(work.headers))
        reply = connection.getresponse()
        return _drained(reply, began)
    except (OSError, HTTPException):
        return Download(0, 0, 0.0, time.perf_counter() - began, is_whole=False)
    finally:
        connection.close()


def _drained(reply: HTTPResponse, began: float) -> Download:
    buffer = bytearray(BUFFER_BYTES)
    size = lines = 0
    first = 0.0
    is_whole = reply.status == 200
    try:
        size = len(reply.read(1))  # the rest is read in pieces so large that the first would come late
        first = time.perf_counter() - began
        while taken := reply.readinto(buffer):
            size += taken
            lines += buffer.count(b"\n", 0, taken)
    except (OSError, HTTPException):  # it broke off: what has come is no file
        is_whole = False
    return Download(size, lines, first, time.perf_counter() - began, is_whole)


def exported(origin: str, work: Work, pid: int) -> Sample:
    """Return one download from a server whose process is ``pid``, with what that held before and at most meanwhile."""
    pids = tree(pid)
    before = sum(memory_of(one) for one in pids)
    most = most_memory_of(pids)
    came = download(origin, work)
    is_whole = came.is_whole and came.lines >= work.rows
    return Sample(
        requests=work.rows if is_whole else 0,
        seconds=came.seconds,
        errors=0 if is_whole else 1,
        p50_ms=came.seconds * 1e3,
        max_ms=came.seconds * 1e3,
        first_byte_ms=came.first_byte_s * 1e3 if is_whole else None,
        rest_bytes=before,
        peak_bytes=most(),
    )


def scripted(environ: dict[str, str], form: str, rows: int) -> Sample:
    """Return one run of the plain script, which measures itself from its connection to its last row."""
    command = [sys.executable, "-m", "benchmarks.baseline.script", form]
    done = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, cwd=_ROOT
    )
    told = json.loads(done.stdout)
    if told["rows"] != rows:
        raise RuntimeError(f"the plain script wrote {told['rows']} rows, not {rows}")
    seconds = float(told["seconds"])
    return Sample(
        rows,
        seconds,
        p50_ms=seconds * 1e3,
        max_ms=seconds * 1e3,
        cpu_s=float(told["cpu_s"]),
        rest_bytes=int(told["rest_bytes"]),
        peak_bytes=int(told["peak_bytes"]),
    )


_ROOT = Path(__file__).resolve().parent.parent
