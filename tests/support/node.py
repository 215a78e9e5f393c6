"""Node and the packages of the TypeScript client, for tests that use the gateway as a front-end team does.

Node is the one on the path, or Debian's where it may be installed. The packages are those of the client's lock file,
installed once into ``node_modules`` beside it, which git does not keep.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.mariadb import NoServerError, install

CLIENT = Path(__file__).parents[1] / "clients" / "node"
DEBIAN_PACKAGES = ("nodejs", "npm")
INSTALL_S = 180.0
RUN_S = 120.0
LEAST_MAJOR = 18
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


class NoNodeError(Exception):
    """No Node, or not the packages: the message says what to install."""


def ensure_client() -> Path:
    """Return the client's directory, with its packages in it, installing what is missing where we may.

    Raises:
        NoNodeError: that is not possible here.
    """
    npm = _ensure_npm()
    with alone():
        if not _is_current():
            print("installing the packages of the TypeScript client ...", file=sys.stderr, flush=True)
            run((npm, "ci", *_QUIET), timeout_s=INSTALL_S)
            shutil.copyfile(CLIENT / "package-lock.json", _stamp())
    return CLIENT


@contextmanager
def alone() -> Iterator[None]:
    """Keep the other test workers out of the client's directory meanwhile."""
    with (CLIENT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], environ: Mapping[str, str] | None = None, timeout_s: float = RUN_S) -> str:
    """Return what a command in the client's directory prints.

    Raises:
        NoNodeError: it fails, with what it said.
    """
    done = subprocess.run(
        command,
        cwd=CLIENT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        raise NoNodeError(f"'{' '.join(command)}' failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def _ensure_npm() -> str:
    if not (shutil.which("node") and shutil.which("npm")):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise NoNodeError(f"the TypeScript client needs Node ('apt-get install {' '.join(DEBIAN_PACKAGES)}')")
        try:
            install(*DEBIAN_PACKAGES)
        except NoServerError as failure:
            raise NoNodeError(str(failure)) from failure
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNodeError(f"{' '.join(DEBIAN_PACKAGES)} are installed, but there is no node or npm")
    version = run((node, "--version")).strip()
    if int(version.removeprefix("v").partition(".")[0]) < LEAST_MAJOR:
        raise NoNodeError(f"the TypeScript client needs Node {LEAST_MAJOR}, this is {version}")
    return npm


def _stamp() -> Path:
    return CLIENT / "node_modules" / ".installed-lock.json"


def _is_current() -> bool:
    """Whether what is installed is what the lock file says now."""
    return _stamp().is_file() and _stamp().read_bytes() == (CLIENT / "package-lock.json").read_bytes()


def main() -> int:
    """Install what is missing; print which Node the tests will use."""
    try:
        ensure_client()
    except NoNodeError as failure:
        print(failure, file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    print(f"TypeScript client: Node {run(('node', '--version')).strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
