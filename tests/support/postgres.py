"""A private PostgreSQL for the tests of the state store, where its server is installed.

Nothing is installed for it: the gateway does not need PostgreSQL, and one test run in which it is there is enough.
"""

from __future__ import annotations

import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psycopg

DATABASE_NAME = re.compile(r"gateway_[a-z0-9_]{1,50}")
PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/postgresql")
START_TIMEOUT_S = 60.0
USER = "gateway"


def find_binaries() -> Path | None:
    """Return the directory of the newest server that is installed, None where there is none or nobody may run it."""
    found = [path.parent for place in PLACES for path in Path(place).glob("**/bin/initdb")]
    if os.geteuid() == 0 and _account() is None:
        return None
    return max(found, key=str, default=None)


class PostgresServer:
    """A server process of our own, with every file in one temporary directory; it does not run as root."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._directory = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        account = _account()
        self._as: dict[str, Any] = {"user": account, "group": account, "extra_groups": []} if account else {}
        if account is not None:
            os.chown(self._directory, account, account)
        self._run("initdb", f"--pgdata={self._data}", f"--username={USER}", "--auth=trust", "--encoding=UTF8", "-N")

    @classmethod
    @contextmanager
    def started(cls, binaries: Path) -> Iterator[Self]:
        """Yield a running server; end it and delete its data afterwards."""
        server = cls(binaries)
        try:
            server.start()
            yield server
        finally:
            server.close()

    def url(self, database: str, user: str = USER) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database, in place of one left by an earlier test, and return its URL."""
        self.drop_database(name)
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database made by `create_database`, if it is there."""
        if not DATABASE_NAME.fullmatch(name):
            raise ValueError(f"a test database is called gateway_..., not {name!r}")
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run one statement."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start the server and return when it accepts connections."""
        log = self._directory / "server.log"
        options = (f"-p{self.port}", "-clisten_addresses=127.0.0.1", f"-k{self._directory}", "-cfsync=off")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                **self._as,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, with every connection, keeping its data."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)

    def close(self) -> None:
        """End the server and delete its data."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _run(self, tool: str, *arguments: str) -> None:
        command = [str(self._binaries / tool), *arguments]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/", check=True, **self._as)

    def _is_ready(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            return True
        return False


def _account() -> int | None:
    """The id of the account that a server runs as when this process is root; None where it is not, or has none."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return None


def _free_port() -> int:
    for port in random.SystemRandom().sample(range(15000, 32000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port between 15000 and 32000 on 127.0.0.1")
