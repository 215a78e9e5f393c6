"""``python -m benchmarks``: run them and write the report."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.processes import SYSTEM_PATH, AbsentError
from benchmarks.report import render
from benchmarks.runner import STARTS, Options, run, say
from benchmarks.shapes import SHAPES, TARGETS, ShapeName
from tests.support.mariadb import NoServerError

REPORT = Path(__file__).parent / "RESULTS.md"
QUICK = Options(scale="demo", rounds=3, seconds=1, warm_up_s=0, profile_s=2)
DEBIAN_PACKAGES = ("wrk", "sysbench")


def parse(arguments: list[str] | None = None) -> tuple[Options, Path | None]:
    """Return what to run and where to write it; None for standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the gateway beside a plain baseline, the peers that PEER_PHP_CRUD_API and PEER_XMYSQL "
        "name, and the database alone. Takes about fifteen minutes; a whole run rewrites benchmarks/RESULTS.md, any "
        "other prints its report.",
    )
    parser.add_argument("--quick", action="store_true", help="small data and short runs: about three minutes, rough")
    parser.add_argument("--scale", choices=("demo", "bench"), help="size of the sample CRM (2,000 or 200,000 invoices)")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each side does each shape, at least 3")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long each run takes")
    parser.add_argument("--shape", action="append", choices=[shape.name for shape in SHAPES], help="only these")
    parser.add_argument("--side", action="append", choices=list(STARTS), help="only these; repeatable as --shape is")
    parser.add_argument("--output", type=Path, metavar="PATH", help="where to write the report")
    given = parser.parse_args(arguments)
    if given.rounds is not None and given.rounds < 3:
        parser.error("fewer than 3 rounds say nothing of the spread")
    if given.seconds is not None and given.seconds < 1:
        parser.error("a run takes at least a second")
    base = QUICK if given.quick else Options()
    options = replace(
        base,
        scale=given.scale or base.scale,
        rounds=given.rounds or base.rounds,
        seconds=given.seconds or base.seconds,
        shapes=_with_compared(given.shape or base.shapes),
        sides=tuple(given.side or base.sides),
    )
    is_whole = options.scale == "bench" and not (given.quick or given.shape or given.side)
    return options, given.output or (REPORT if is_whole else None)


def _with_compared(asked: Sequence[ShapeName]) -> tuple[ShapeName, ...]:
    """Return the shapes that were asked for, and those of the gateway's own that a target holds them to."""
    beside = {target.beside for target in TARGETS if target.shape in asked}
    return tuple(shape.name for shape in SHAPES if shape.name in asked or shape.name in beside)


def install_tools() -> None:
    """Install the load generators where that is Debian and we may; else the run says what is missing."""
    missing = [name for name in DEBIAN_PACKAGES if shutil.which(name, path=SYSTEM_PATH) is None]
    if not missing or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say(f"installing {' '.join(missing)} ...")
    for command in (("update",), ("install", "--yes", "--no-install-recommends", *missing)):
        subprocess.run(
            ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *command),
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


def main() -> int:
    """Run the benchmarks; the exit status is 0 when the gateway could be measured."""
    options, place = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends the run, the sides end with it
    install_tools()
    try:
        report = render(run(options))
    except (AbsentError, NoServerError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    if place is None:
        print(report, end="")
    else:
        place.write_text(report, encoding="utf-8")
        say(f"wrote {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
