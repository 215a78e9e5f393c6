"""A database address, and the connection it leads to.

Comes in: ``sqlite:///path`` or ``mysql://user:pass@host:port/db`` (``mysql+pymysql`` and ``mariadb`` are accepted
spellings, ``?unix_socket=/path`` too). Not done here: nothing is created or dropped.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.connections import Connection

from sample_crm.schema import Dialect

SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


class SampleError(Exception):
    """The sample CRM cannot be built; the message tells the reader what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the sample CRM goes. ``path`` is set for SQLite only, the rest for MySQL only."""

    dialect: Dialect
    path: Path = Path()
    host: str = "localhost"
    port: int = 3306
    user: str = "root"
    password: str = ""
    database: str = ""
    unix_socket: str | None = None

    @property
    def label(self) -> str:
        """The address without its password."""
        if self.dialect == "sqlite":
            return f"sqlite:///{self.path}"
        return f"mysql://{self.user}@{self.unix_socket or f'{self.host}:{self.port}'}/{self.database}"


def parse_target(url: str) -> Target:
    """Return the parsed address.

    >>> parse_target("mysql://app:s%40fe@db:3307/crm").password
    's@fe'

    Raises:
        SampleError: the address is of another kind or names no database.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme == "sqlite":
        return _sqlite_target(url)
    if scheme not in ("mysql", "mariadb"):
        raise SampleError(f"cannot use {scheme or url!r}: give sqlite:///path or mysql://user:password@host:port/db")
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise SampleError("the address names no database: mysql://user:password@host:port/DATABASE")
    socket = parse_qs(parts.query).get("unix_socket", [None])[0]
    return Target(
        "mysql",
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=database,
        unix_socket=socket,
    )


def connect_mysql(target: Target) -> Connection:
    """Return an open connection in strict mode whose transactions are committed by the caller.

    Raises:
        SampleError: the server cannot be reached or refuses the account.
    """
    try:
        return pymysql.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password,
            database=target.database,
            unix_socket=target.unix_socket,
            charset="utf8mb4",
            autocommit=False,
            sql_mode=SQL_MODE,
        )
    except pymysql.err.OperationalError as refused:
        raise SampleError(f"cannot connect to {target.label}: {refused.args[-1]}") from refused


def _sqlite_target(url: str) -> Target:
    path = unquote(url.partition("://")[2].partition("?")[0]).removeprefix("/")
    if not path or path == ":memory:":
        raise SampleError("the sample CRM needs a file: sqlite:///relative.db or sqlite:////absolute/path.db")
    return Target("sqlite", path=Path(path))
