"""Stacks of the gateway's worker under load, taken from outside by py-spy, which is no dependency of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import phases
from benchmarks.processes import AbsentError, apart
from benchmarks.results import Profile
from benchmarks.shapes import ShapeName
from benchmarks.sides.side import HttpSide

VARIABLE = "BENCH_PY_SPY"
RATE = 400


def find_profiler() -> str:
    """Return the path of py-spy.

    Raises:
        AbsentError: it is not here.
    """
    found = shutil.which(os.environ.get(VARIABLE) or "py-spy")
    if found is None:
        raise AbsentError(f"py-spy is not on the path (pip install py-spy), and {VARIABLE} does not name it")
    return found


@dataclass(frozen=True, slots=True)
class Profiler:
    """py-spy at its path; the database's process, which must not compete with the profiled one; where stacks go."""

    path: str
    database_pid: int
    directory: Path
    seconds: int


def take_profile(profiler: Profiler, side: HttpSide, shape: ShapeName, cpu_us: float) -> Profile:
    """Return where the side's CPU time of one request goes, ``cpu_us`` being the whole of it without a profiler.

    The side has a core to itself meanwhile: one that waits for a core would be seen where it was interrupted,
    which is mostly where it woke the database.

    Raises:
        AbsentError: the profiler failed (it needs the right to trace processes).
    """
    pid, seconds = side.pids[0], profiler.seconds
    raw = profiler.directory / f"{shape}.stacks"
    command = [
        *(profiler.path, "record", "--native", "--rate", str(RATE), "--duration", str(seconds)),
        *("--format", "raw", "--output", str(raw), "--pid", str(pid)),
    ]
    with apart(pid, [profiler.database_pid]), ThreadPoolExecutor(1) as pool:
        load = pool.submit(side.run, shape, seconds=seconds + 1, seed=1)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        load.result()
    if done.returncode != 0 or not raw.is_file():
        raise AbsentError(f"py-spy failed: {' '.join((done.stderr or done.stdout).split())[-200:]}")
    shares = phases.shares(raw.read_text(errors="replace"))
    if not shares:
        raise AbsentError("py-spy saw no stack of a request")
    return Profile(shape, cpu_us, shares)
