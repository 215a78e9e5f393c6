"""Processes of the sides: started, waited for, their CPU and memory read from /proc, ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


class AbsentError(Exception):
    """A side that cannot run here; the message is what the report says of it."""


def tool(*names: str, package: str) -> str:
    """Return the path of the first of some commands that is installed.

    Raises:
        AbsentError: none is.
    """
    for name in names:
        found = shutil.which(name, path=SYSTEM_PATH)
        if found:
            return found
    raise AbsentError(f"{names[0]} is not installed (Debian package {package})")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], log: Path, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process of its own session whose output goes to a file; end it with all its children afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environ or {})},
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 60.0) -> float:
    """Return the seconds until a URL answers 2xx.

    Raises:
        AbsentError: the process ended, or nothing answers in time; with the end of its log.
    """
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        if process.poll() is not None:
            break
        if answers(url):
            return time.monotonic() - began
        time.sleep(0.005)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise AbsentError(f"{Path(str(process.args[0])).name} did not answer:\n{tail}")  # type: ignore[index]  # a list here


def answers(url: str) -> bool:
    """Tell whether a URL answers 2xx now."""
    try:
        with urlopen(Request(url), timeout=5) as reply:
            return bool(reply.status < 300)
    except HTTPError as error:
        error.close()
        return False
    except (URLError, OSError):
        return False


# --- what /proc says ---


def cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and its living descendants."""
    return sum(_cpu_of(one) for one in tree(pid))


def tree(pid: int) -> tuple[int, ...]:
    """Return a process and its living descendants."""
    found = [pid]
    for parent in found:
        found.extend(_children(parent))
    return tuple(found)


def machine_cpu() -> float:
    """Return the CPU seconds that all processes have used since the machine started, interrupts aside."""
    user, nice, system = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:4]
    return (int(user) + int(nice) + int(system)) / TICKS_PER_S


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process."""
    return _status_bytes(pid, "VmRSS:")


def most_memory_of(pids: Sequence[int]) -> Callable[[], int]:
    """Begin to watch how much memory processes hold; what is returned tells the most bytes that they held since."""
    for pid in pids:
        (Path("/proc") / str(pid) / "clear_refs").write_text("5")  # resets the peak, see proc(5)
    return lambda: sum(_status_bytes(pid, "VmHWM:") for pid in pids)


def _status_bytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def apart(pid: int, others: Sequence[int]) -> Iterator[None]:
    """Keep a process on the first core, and others with all that this thread starts on the rest, for a while.

    Does nothing on a single core.
    """
    cores = os.sched_getaffinity(0)
    first = {min(cores)}
    if len(cores) < 2:
        yield
        return
    _pin(pid, first)
    for other in others:
        _pin(other, cores - first)
    os.sched_setaffinity(0, cores - first)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
        for one in (pid, *others):
            _pin(one, cores)


def _pin(pid: int, cores: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            os.sched_setaffinity(int(task.name), cores)


def _children(pid: int) -> tuple[int, ...]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    except OSError:  # it has ended
        return ()
    return tuple(found)


def _cpu_of(pid: int) -> float:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) / TICKS_PER_S
