"""One connection to MySQL or MariaDB: how it is opened, and how it runs a statement.

What comes in: an `Address`, the settings, SQL text with ``%s``. What goes out: an
open `Link` whose session is set up, and the driver's results. Which link runs what,
and what its errors mean, is decided elsewhere.

Statements run prepared, and each link keeps its prepared statements: that halves the
driver's work on a row and no value ever becomes part of a text (PERFORMANCE.md). The
driver's public `prepare` is used rather than its own cache: that one turns to text for
good when a statement could not be prepared once, as while a table is missing.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import asyncmy.errors
from asyncmy.connection import Connection
from asyncmy.constants import CLIENT, FIELD_TYPE
from asyncmy.converters import conversions

from gateway.catalog.kinds import Dialect
from gateway.errors import ConfigurationError
from gateway.execution.address import Address
from gateway.execution.failures import errno_of
from gateway.settings import Settings

SQL_MODE: Final = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Strict, so that no value is cut silently; without NO_ZERO_DATE, so that the zero dates Perfex stores stay legal."""

SPARE_S: Final = 0.25
"""Seconds of a request's time that are kept for what is not the database's work."""

STALE: Final = frozenset({1615, 1243})
"""A prepared statement the server wants prepared anew, or has forgotten."""

UNPREPARABLE: Final = frozenset({1295, 1461})
"""Not supported as prepared, or the server's max_prepared_stmt_count is reached: the text is run instead."""


class Result(Protocol):
    """What the driver says a statement did; ``rows`` is None where there are none."""

    @property
    def rows(self) -> Sequence[Sequence[Any]] | None: ...  # noqa: D102  # the class says it
    @property
    def affected_rows(self) -> int: ...  # noqa: D102  # as above
    @property
    def insert_id(self) -> int: ...  # noqa: D102  # as above


@dataclass(frozen=True, slots=True)
class _TextResult:
    rows: Sequence[Sequence[Any]] | None
    affected_rows: int
    insert_id: int


class _Statement(Protocol):
    """The driver's prepared statement, which has no types of its own."""

    async def execute(self, args: tuple[object, ...]) -> Result: ...
    async def close(self) -> None: ...


class _Raw(Protocol):
    """The driver's connection as far as it is used here, which has no types of its own."""

    async def connect(self) -> object: ...
    async def query(self, sql: str) -> int: ...
    async def prepare(self, query: str) -> _Statement: ...
    async def ensure_closed(self) -> None: ...
    def cursor(self) -> Any: ...
    def close(self) -> None: ...
    def thread_id(self) -> int: ...
    def get_server_info(self) -> str: ...


class Link:
    """A connection with its prepared statements and what the pool must know of it."""

    __slots__ = ("_most", "_raw", "_statements", "dialect", "idle_since", "is_overdue", "is_reused", "started")

    def __init__(self, raw: _Raw, dialect: Dialect, most_statements: int) -> None:
        self._raw = raw
        self._most = most_statements
        self._statements: dict[str, _Statement] = {}
        self.dialect = dialect
        self.is_reused = False
        """Whether it has waited in the pool, where the server may have closed it."""
        self.is_overdue = False
        """Whether it was closed because its statement exceeded the limit."""
        self.started = 0.0
        """When the running statement began, on the monotonic clock; 0 while none runs."""
        self.idle_since = 0.0

    @property
    def thread_id(self) -> int:
        """The server's number for the connection."""
        return self._raw.thread_id()

    async def run(self, text: str, parameters: tuple[object, ...]) -> Result:
        """Return what a statement did; the driver's errors pass through."""
        statements = self._statements
        statement = statements.pop(text, None)
        if statement is None:
            statement = await self._prepare(text)
            if statement is None:
                return await self._run_text(text, parameters)
        statements[text] = statement  # the last one is the one used last
        try:
            result = await statement.execute(parameters)
        except asyncmy.errors.MySQLError as error:
            if errno_of(error) not in STALE:
                raise
        else:
            return result
        del statements[text]
        renewed = await self._prepare(text)
        if renewed is None:
            return await self._run_text(text, parameters)
        statements[text] = renewed
        return await renewed.execute(parameters)

    async def command(self, text: str) -> None:
        """Run a statement without parameters or rows, in one round trip."""
        await self._raw.query(text)

    def abort(self) -> None:
        """Close the socket at once; whoever waits on it gets an error."""
        self._raw.close()

    async def quit(self) -> None:
        """Say goodbye to the server and close the socket; errors do not matter any more."""
        with suppress(Exception):
            async with asyncio.timeout(1):
                await self._raw.ensure_closed()
        self._raw.close()

    async def _prepare(self, text: str) -> _Statement | None:
        if self._most == 0:
            return None
        try:
            statement = await self._raw.prepare(question_marks(text))
        except asyncmy.errors.MySQLError as error:
            if errno_of(error) in UNPREPARABLE:
                return None
            raise
        if len(self._statements) >= self._most:
            await self._statements.pop(next(iter(self._statements))).close()
        return statement

    async def _run_text(self, text: str, parameters: tuple[object, ...]) -> _TextResult:
        async with self._raw.cursor() as cursor:
            await cursor.execute(text, parameters)
            if cursor.description is None:
                return _TextResult(None, cursor.rowcount, cursor.lastrowid)
            return _TextResult(await cursor.fetchall(), cursor.rowcount, 0)


_PERCENT: Final = re.compile(r"%(.?)", re.DOTALL)


def question_marks(text: str) -> str:
    """Return SQL with ``%s`` as the protocol's own ``?`` and ``%%`` as ``%``.

    >>> question_marks("SELECT 7 %% 4 = %s")
    'SELECT 7 % 4 = ?'
    """
    return _PERCENT.sub(_question_mark, text)


def _question_mark(match: re.Match[str]) -> str:
    if match[1] == "s":
        return "?"
    if match[1] == "%":
        return "%"
    raise ValueError("a percent sign in SQL is written %%")


# --- opening ---


class _Handshake(Connection):
    """A connection that looks at what the server offers before it speaks of TLS.

    The driver asks for TLS whenever it has a context, and a server without TLS then
    hangs up. Its greeting tells beforehand.
    """

    needs_tls = False
    _ssl_context: ssl.SSLContext | None
    _client_flag: int

    async def _get_server_information(self) -> None:
        await super()._get_server_information()  # type: ignore[misc]  # private to the driver, not in its stub
        offered: int = self.server_capabilities  # type: ignore[attr-defined]  # set by the driver, not in its stub
        if self._ssl_context is None or offered & CLIENT.SSL:
            return
        if self.needs_tls:
            raise asyncmy.errors.OperationalError(2026, "the server offers no TLS")
        self._ssl_context = None
        self._client_flag &= ~CLIENT.SSL


class Opener:
    """Opens links to one address."""

    def __init__(self, address: Address, settings: Settings) -> None:
        self._settings = settings
        self._needs_tls = settings.database_tls == "require" or bool(settings.database_tls_ca)
        self._options: dict[str, Any] = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password.encode(),  # the driver would encode text as latin-1
            "database": address.database,
            "unix_socket": address.unix_socket,
            "ssl": None if address.unix_socket else tls_context(settings),
            "charset": "utf8mb4",
            "autocommit": None,  # part of the session statement
            "connect_timeout": settings.connect_timeout_s,
            "client_flag": CLIENT.FOUND_ROWS,  # an UPDATE that changes nothing counts the row it found
            "conv": {**conversions, FIELD_TYPE.DECIMAL: str, FIELD_TYPE.NEWDECIMAL: str},
            "program_name": "gateway",
        }

    async def open(self, limit_s: float | None = None) -> Link:
        """Return a new link with its session set up; the driver's errors pass through.

        ``limit_s`` bounds its statements where a request's time does not: an export has its own.
        """
        raw = await self._connect()
        try:
            dialect = dialect_of(raw.get_server_info())
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await raw.query(session_statement(dialect, self._settings, limit_s))
        except BaseException:
            raw.close()
            raise
        return Link(raw, dialect, self._settings.statement_cache)

    async def kill(self, thread_ids: Sequence[int]) -> None:
        """End connections on the server, and what they run, over a connection made for that alone."""
        raw = await self._connect()
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                for thread_id in thread_ids:
                    with suppress(asyncmy.errors.DatabaseError):  # it has ended by itself
                        await raw.query(f"KILL {int(thread_id)}")
                await raw.ensure_closed()
        finally:
            raw.close()

    async def _connect(self) -> _Raw:
        handshake = _Handshake(**self._options)  # type: ignore[no-untyped-call]  # the driver's stub has no types
        handshake.needs_tls = self._needs_tls
        raw = cast(_Raw, handshake)
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await raw.connect()
        except BaseException:
            raw.close()
            raise
        return raw


def dialect_of(version: str) -> Dialect:
    """Return the dialect of a server by its version text.

    >>> dialect_of("5.5.5-10.11.6-MariaDB-0+deb12u1"), dialect_of("8.4.3")
    ('mariadb', 'mysql')
    """
    return "mariadb" if "mariadb" in version.lower() else "mysql"


def work_limit_s(settings: Settings) -> float:
    """Return how long the database may work for one statement: a little less than its request may take.

    So it is the database that ends what takes too long, and says that nothing was changed.
    """
    spare_s = min(SPARE_S, settings.request_limit_s / 10)
    return min(settings.statement_limit_s, settings.request_limit_s - spare_s)


def session_statement(dialect: Dialect, settings: Settings, limit_s: float | None = None) -> str:
    """Return the one SET that a new connection runs; ``limit_s`` is `work_limit_s` unless another is given.

    READ COMMITTED: what a transaction reads after it got a row's lock is what stands
    there now, not a snapshot from before the wait, and without gap locks fewer writes
    meet. MariaDB refuses it when the binlog holds statements; then REPEATABLE READ.
    """
    limit_s = work_limit_s(settings) if limit_s is None else limit_s
    lock_wait_s = max(1, min(settings.lock_wait_s, int(settings.request_limit_s)))
    assignments = [
        "NAMES utf8mb4",
        "autocommit = 1",
        f"sql_mode = '{SQL_MODE}'",
        "time_zone = '+00:00'",
        f"innodb_lock_wait_timeout = {lock_wait_s}",
        f"lock_wait_timeout = {lock_wait_s}",
    ]
    if dialect == "mariadb":
        logs_statements = "@@log_bin AND @@binlog_format = 'STATEMENT'"
        assignments.append(f"tx_isolation = IF({logs_statements}, 'REPEATABLE-READ', 'READ-COMMITTED')")
        assignments.append(f"max_statement_time = {limit_s:.3f}")
    else:
        assignments.append("transaction_isolation = 'READ-COMMITTED'")
        assignments.append(f"max_execution_time = {max(1, round(limit_s * 1000))}")
    return "SET " + ", ".join(assignments)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return how to speak TLS to the database; without a CA file nothing is verified.

    Raises:
        ConfigurationError: the CA file cannot be read.
    """
    if settings.database_tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.database_tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"GATEWAY_DATABASE_TLS_CA: {settings.database_tls_ca} is no readable CA file"
        ) from error
    # The CA that MySQL makes for itself lacks the extensions that Python 3.13 demands by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not settings.database_tls_ca:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
