"""A private Redis server on a free port, without files, ended with the tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.support.mariadb import SYSTEM_PATH, NoServerError, install

# The server is a name for the binary of these tools; without the package of that name no service is started.
DEBIAN_PACKAGE: Final = "redis-tools"
START_TIMEOUT_S: Final = 20.0


@dataclass(slots=True)
class RedisServer:
    """A running server; `end` and `begin` take it away and bring an empty one back on the same port."""

    binary: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Yield a running server.

        Raises:
            NoServerError: it is missing and cannot be installed here.
        """
        server = cls(ensure_installed(), _free_port())
        server.begin()
        try:
            yield server
        finally:
            server.end()

    def begin(self) -> None:
        """Start the server and return when it answers."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.process = subprocess.Popen(
            ["redis-server", *options],
            executable=self.binary,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise NoServerError("the private Redis did not start")
            time.sleep(0.02)

    def end(self) -> None:
        """End the server at once, with all it held."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False


def ensure_installed() -> str:
    """Return the path of the server, installing Debian's package first when it is missing and we may.

    Raises:
        NoServerError: it is missing and cannot be installed here.
    """
    found = _binary()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "gateway-redis-install.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the suite's other processes want it too
            if _binary() is None:
                install(DEBIAN_PACKAGE)
        found = _binary()
    if found is None:
        raise NoServerError("no Redis: install it ('apt-get install redis-server' on Debian, as root)")
    return found


def _binary() -> str | None:
    return shutil.which("redis-server", path=SYSTEM_PATH) or shutil.which("redis-check-rdb", path=SYSTEM_PATH)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
