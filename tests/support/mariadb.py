"""A real MariaDB (or MySQL) for tests and benchmarks.

`PrivateServer` runs one on a temporary data directory, a free loopback port and a unix socket; `Server` is the address
of any server, private or not, and makes databases on it. Nothing here touches a server the machine already runs.

    with PrivateServer.started() as server:
        url = server.address.create_database("gateway_bench")

``python -m tests.support.mariadb`` installs what is missing and prints the version that tests will use.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import pymysql
from pymysql.cursors import Cursor

URL_VARIABLE = "GATEWAY_TEST_DATABASE_URL"
DATABASE_NAME = re.compile(r"gateway_[a-z0-9_]{1,50}")
# The server and its bootstrap tools without the service: nothing is started by installing them.
DEBIAN_PACKAGES = ("mariadb-server-core", "mariadb-client-core")
SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"))
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


class NoServerError(Exception):
    """No usable server: the message says what to install or set."""


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a server, and an account on it that may create databases."""

    host: str
    port: int
    user: str = "root"
    password: str = ""
    socket: str | None = None
    """Path of the unix socket, when known."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the server a ``mysql://user:password@host:port/...`` URL points at; its database name is not used."""
        parts = urlsplit(url)
        if parts.hostname is None:
            raise NoServerError(f"{URL_VARIABLE} must look like mysql://user:password@host:3306")
        return cls(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
        )

    def url(self, database: str = "") -> str:
        """Return the ``mysql://`` URL of a database on this server, as ``GATEWAY_DATABASE_URL`` takes it."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return f"mysql://{quote(self.user, safe='')}{secret}@{self.host}:{self.port}/{database}"

    @contextmanager
    def connection(self, database: str | None = None) -> Iterator[pymysql.Connection[Cursor]]:
        """Yield an autocommitting connection for preparing and inspecting data, not for the code under test."""
        connection = pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            unix_socket=self.socket,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            ssl_disabled=self.socket is not None or self.host == "127.0.0.1",
        )
        try:
            yield connection
        finally:
            connection.close()

    def run(self, *statements: str, database: str | None = None) -> tuple[tuple[object, ...], ...]:
        """Run statements one after the other and return the rows of the last."""
        with self.connection(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())

    def create_database(self, name: str) -> str:
        """Create an empty database, in place of one left by an earlier run, and return its URL.

        Raises:
            ValueError: the name does not start with ``gateway_``; so no database of somebody else is ever dropped.
        """
        self.drop_database(name)
        self.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database made by `create_database`, if it is there."""
        if not DATABASE_NAME.fullmatch(name):
            raise ValueError(f"a test database is called gateway_..., not {name!r}")
        self.run(f"DROP DATABASE IF EXISTS `{name}`")

    def is_ready(self) -> bool:
        """Tell whether the server accepts connections now."""
        try:
            # PyMySQL 1.2 leaves its socket open when nobody listens, which is a warning: look first.
            with socket.create_connection((self.host, self.port), timeout=1):
                pass
            # By TCP, not by the socket, which PyMySQL leaves open too when it is not there yet.
            Server(self.host, self.port, self.user, self.password).run("SELECT 1")
        except (OSError, pymysql.err.OperationalError):
            return False
        return True


class PrivateServer:
    """A server process of our own, with every file in one temporary directory.

    The port, the socket and the data stay the same across `stop`, `kill` and `start`. If this process dies without
    `close`, a watchdog ends the server and removes the directory.
    """

    def __init__(self, *, binlog: bool = False, options: tuple[str, ...] = ()) -> None:
        """Prepare a data directory; ``options`` are passed to the server last, so they win."""
        self._binary = ensure_installed()
        self._directory = Path(tempfile.mkdtemp(prefix="gateway-mariadb-"))
        self._options = (*_binlog_options(binlog), *options)
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.address = Server("127.0.0.1", _free_port(), socket=str(self._directory / "server.sock"))
        try:
            _initialise(self._binary, self._directory)
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise

    @classmethod
    @contextmanager
    def started(cls, *, binlog: bool = False, options: tuple[str, ...] = ()) -> Iterator[Self]:
        """Yield a running server; end it and delete its data afterwards."""
        server = cls(binlog=binlog, options=options)
        try:
            server.start()
            yield server
        finally:
            server.close()

    @property
    def pid(self) -> int | None:
        """The process id of the server while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def socket(self) -> str:
        """Path of the unix socket."""
        return str(self._directory / "server.sock")

    def url(self, database: str = "") -> str:
        """Return the ``mysql://`` URL of a database on this server."""
        return self.address.url(database)

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL; see `Server.create_database`."""
        return self.address.create_database(name)

    def start(self) -> None:
        """Start the server and return when it accepts connections; does nothing while it runs."""
        if self.pid is not None:
            return
        log = self._directory / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._binary, *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                start_new_session=True,  # Ctrl-C in the terminal is for pytest, not for the server
            )
        self._watchdog = _watch(self._process.pid, self._directory)
        self._wait_until_ready(log)

    def stop(self) -> None:
        """Shut the server down cleanly, keeping its data; does nothing while it is down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a crash would, keeping its data."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server cleanly and start it again on the same data, port and socket."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and delete its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _arguments(self) -> tuple[str, ...]:
        directory = self._directory
        return (
            *_base_options(directory),
            f"--port={self.address.port}",
            f"--socket={self.socket}",
            f"--pid-file={directory / 'server.pid'}",
            f"--init-file={directory / 'init.sql'}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--innodb-flush-log-at-trx-commit=2",  # with 0, kill() would lose committed rows
            "--innodb-doublewrite=0",
            "--sync-binlog=0",
            *self._options,
        )

    def _wait_until_ready(self, log: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.address.is_ready():
            if self.pid is None or time.monotonic() > deadline:
                self.kill()
                raise NoServerError(f"the private database server did not start:\n{_tail(log)}")
            time.sleep(0.02)

    def _end(self, signal_number: signal.Signals) -> None:
        process, self._process = self._process, None
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.kill()
            watchdog.communicate()
        if process is None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def given_server() -> Server | None:
    """Return the server named in ``GATEWAY_TEST_DATABASE_URL``, if any."""
    url = os.environ.get(URL_VARIABLE)
    return Server.from_url(url) if url else None


def find_binary() -> str | None:
    """Return the path of the installed server, MariaDB before MySQL."""
    return shutil.which("mariadbd", path=SYSTEM_PATH) or shutil.which("mysqld", path=SYSTEM_PATH)


def ensure_installed() -> str:
    """Return the path of the server, installing Debian's packages first when it is missing and we may.

    Raises:
        NoServerError: it is missing and cannot be installed here.
    """
    found = find_binary()
    if found and (not _is_mariadb(found) or shutil.which("my_print_defaults", path=SYSTEM_PATH)):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoServerError(
            f"the database tests need MariaDB or MySQL: install it ('apt-get install {' '.join(DEBIAN_PACKAGES)}' "
            f"on Debian, as root), or point {URL_VARIABLE} at a server whose account may create databases."
        )
    install(*DEBIAN_PACKAGES)
    found = find_binary()
    if found is None:
        raise NoServerError(f"{' '.join(DEBIAN_PACKAGES)} are installed, but there is no mariadbd")
    return found


def install(*packages: str) -> None:
    """Install packages of Debian; whoever calls has looked whether it may.

    Raises:
        NoServerError: that failed.
    """
    print(f"installing {' '.join(packages)} ...", file=sys.stderr, flush=True)
    _apt_get("update")
    _apt_get("install", "--yes", "--no-install-recommends", *packages)


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NoServerError(f"'{' '.join(command)}' failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


def _is_mariadb(binary: str) -> bool:
    return "mariadb" in _version(binary).lower()


def _version(binary: str) -> str:
    return subprocess.run([binary, "--no-defaults", "--version"], capture_output=True, text=True, check=True).stdout


def _base_options(directory: Path) -> tuple[str, ...]:
    """Return what bootstrap and server share; the server refuses to run as root unless told so by name."""
    as_root = ("--user=root",) if os.geteuid() == 0 else ()
    # A starting server clears away every temporary table in its tmpdir, those of other servers too: never share one.
    return ("--no-defaults", f"--datadir={directory / 'data'}", f"--tmpdir={directory}", *as_root)


def _binlog_options(binlog: bool) -> tuple[str, ...]:
    if not binlog:
        return ("--skip-log-bin",)
    return ("--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL")


def _initialise(binary: str, directory: Path) -> None:
    """Fill the data directory and write the statements that let root in by loopback without a password."""
    base = _base_options(directory)
    if _is_mariadb(binary):
        tool = shutil.which("mariadb-install-db", path=SYSTEM_PATH) or "mariadb-install-db"
        command = [tool, *base, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    else:
        command = [binary, *base, "--initialize-insecure"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoServerError(f"the data directory could not be made:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    (directory / "init.sql").write_text(
        "SET sql_log_bin = 0;\n"
        "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '';\n"
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
    )


def _watch(pid: int, directory: Path) -> subprocess.Popen[bytes]:
    """Start a shell that waits for this process to die (its end of the pipe closes) and then cleans up after it."""
    script = 'cat >/dev/null; kill -KILL "$1" 2>/dev/null; rm -rf "$2"'
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", str(pid), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _free_port() -> int:
    """Return a port nobody listens on, below the range that outgoing connections take theirs from meanwhile."""
    for port in random.SystemRandom().sample(range(15000, 32000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise NoServerError("no free port between 15000 and 32000 on 127.0.0.1")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


def main() -> int:
    """Install the server when it is missing and may be; print which one the tests will use."""
    try:
        given = given_server()
        print(
            f"database tests: {given.host}:{given.port}" if given else f"database tests: {_version(ensure_installed())}"
        )
    except NoServerError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
