"""A database URL of MySQL or MariaDB -> its parts.

What comes in: ``mysql://user:password@host:3306/name?unix_socket=/path`` with
percent-encoded parts. What goes out: a frozen `Address`. No connection is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.errors import ConfigurationError

MYSQL_SCHEMES: Final = frozenset({"mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql", "mysql+asyncmy"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and as whom to log in; ``unix_socket`` wins over host and port."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    unix_socket: str | None = None


def parse_address(url: str) -> Address:
    """Return the parts of a MySQL or MariaDB URL.

    >>> parse_address("mysql+pymysql://me:p%40ss@db.example/crm").password
    'p@ss'
    >>> parse_address("mariadb://me@localhost/crm?unix_socket=/run/mysqld.sock").unix_socket
    '/run/mysqld.sock'

    Raises:
        ConfigurationError: a part is missing or an option is unknown; the password is not repeated.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:
        raise ConfigurationError("The database URL's host or port cannot be read.") from None
    database = unquote(parts.path.removeprefix("/"))
    problems = _problems(parts.scheme, database, parts.query)
    if problems:
        raise ConfigurationError("The database URL is not usable:", problems)
    options = dict(parse_qsl(parts.query))
    return Address(
        host=unquote(parts.hostname or "localhost"),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=database,
        unix_socket=options.get("unix_socket"),
    )


def _problems(scheme: str, database: str, query: str) -> list[str]:
    problems = []
    if scheme not in MYSQL_SCHEMES:
        problems.append(f"{scheme}:// is not one of {', '.join(sorted(MYSQL_SCHEMES))}")
    if not database or "/" in database:
        problems.append("the path must be the database's name, as in mysql://user:password@host:3306/name")
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "charset" and value == "utf8mb4":
            continue  # many URLs carry it; the gateway always speaks utf8mb4
        if name != "unix_socket":
            problems.append(f"unknown option {name}: only unix_socket is known")
    return problems
