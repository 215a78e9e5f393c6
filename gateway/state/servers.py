"""A store in a database on a server, MySQL, MariaDB or PostgreSQL, that several nodes share.

What comes in: the text of a URL. What goes out: a `Home` whose tables are made or migrated. Nodes that
start at once on an empty database wait for each other, by a lock of the server's that has a name. A
server that does not answer is given up within seconds, at every step. No message holds the password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, insert, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from gateway.errors import ConfigurationError
from gateway.state.failures import reason_of
from gateway.state.migrations import Migrations, migrate
from gateway.state.tables import META

CONNECT_S: Final = 2
READ_S: Final = 2
WRITE_S: Final = 5
"""How long a statement may take; that of a write may be a wait for a lock."""

MIGRATE_S: Final = 120
"""How long one statement of a migration, or the wait for another node's, may take."""

IDLE_S: Final = 300
READERS: Final = 4
WRITERS: Final = 6
POOL_WAIT_S: Final = 5.0

_DIALECTS: Final = {
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_OPTIONS: Final = {
    "mysql+pymysql": frozenset({"charset", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket"}),
    "postgresql+psycopg": frozenset({"host", "sslcert", "sslkey", "sslmode", "sslrootcert"}),
}
_FORM: Final = (
    "write mysql://user:password@host:3306/name or postgresql://user:password@host:5432/name, "
    "with @ : / in a password percent-encoded (%40 %3A %2F)"
)
_MYSQL_SESSION: Final = "SET SESSION sql_mode='STRICT_ALL_TABLES', time_zone='+00:00', innodb_lock_wait_timeout={}"
_LOCK: Final = "gateway store"
_LOCK_NUMBER: Final = 7_194_225_130_461
"""The same for PostgreSQL, which has numbers for names; it stands for nothing."""


class ServerHome:
    """A store on a server. Reads have connections of their own, so that they go on while writers wait."""

    __slots__ = ("_reader", "_url", "_writer")

    def __init__(self, url: str, migrations: Migrations) -> None:
        """Connect, and make or migrate the tables.

        Raises:
            ConfigurationError: the URL has not the right form, its driver is missing, the server cannot be
                reached or refuses, or the store was made by a newer gateway.
        """
        self._url = parse_url(url)
        with self._told():
            _prepare(self._url, self.address, migrations)
            self._reader = _engine_of(self._url, READERS, READ_S)
            self._writer = _engine_of(self._url, WRITERS, WRITE_S)

    @property
    def address(self) -> str:
        """The URL without user and password."""
        return address_of(self._url)

    def reader(self) -> Engine:
        """Return the engine of reads."""
        return self._reader

    def writer(self) -> Engine:
        """Return the engine of writes."""
        return self._writer

    def begin(self, connection: Connection, lock: str | None, *, durable: bool) -> None:
        """Take the lock of a name, which is a row of the store: it is held until the transaction ends."""
        if lock is None:
            return
        name = f"lock {lock}"
        held = select(META.c.name).where(META.c.name == name).with_for_update()
        if connection.execute(held).first() is None:
            with suppress(IntegrityError), self._reader.begin() as other:
                other.execute(insert(META).values(name=name, value=""))
            connection.execute(held)

    def confirm(self, used: Engine) -> None:
        """Pass: what a server has committed is committed."""

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"The state store {self.address} needs a driver that is not installed: "
                "pip install 'perfex-gateway[postgres]'."
            ) from error
        except DBAPIError as error:
            raise _unusable(self.address, reason_of(error)) from error
        except SQLAlchemyError as error:
            raise _unusable(self.address, type(error).__name__) from error


def parse_url(given: str) -> URL:
    """Return a URL of a store on a server, with the name of the driver that is used.

    >>> parse_url("mariadb://gw:secret@db.example/gateway").drivername
    'mysql+pymysql'

    Raises:
        ConfigurationError: it has not the right form; the password is not repeated.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"GATEWAY_STATE_URL cannot be read; {_FORM}.") from None
    driver = _DIALECTS.get(url.drivername)
    if driver is None:
        raise ConfigurationError(
            f"GATEWAY_STATE_URL begins with {url.drivername}://, which the state store does not support; {_FORM}."
        )
    unknown = sorted(set(url.query) - _OPTIONS[driver])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[driver]))
        raise ConfigurationError(f"GATEWAY_STATE_URL has the unknown option {unknown[0]}; there are {known}.")
    if not url.database:
        raise ConfigurationError(f"GATEWAY_STATE_URL names no database; {_FORM}.")
    return url.set(drivername=driver)


def address_of(url: URL) -> str:
    """Return a URL as a message may show it.

    >>> address_of(parse_url("mysql://gw:secret@db.example/gateway"))
    'mysql://db.example/gateway'
    """
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host or ''}{port}/{url.database}"


def _engine_of(url: URL, size: int, limit_s: int) -> Engine:
    return create_engine(
        url.difference_update_query(["charset"]),
        connect_args=_arguments(url, limit_s),
        isolation_level="READ COMMITTED",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        pool_recycle=IDLE_S,
        hide_parameters=True,
    )


def _arguments(url: URL, limit_s: int) -> dict[str, Any]:
    """What a driver is told, so that neither a connection nor a statement nor a lock takes longer than it may."""
    if url.get_backend_name() == "postgresql":
        limits = f"-c statement_timeout={limit_s}s -c lock_timeout={limit_s}s -c TimeZone=UTC"
        alive = {"keepalives_idle": limit_s, "keepalives_interval": 1, "keepalives_count": 3}
        patience_ms = (limit_s + 1) * 1_000
        return {"connect_timeout": CONNECT_S, "tcp_user_timeout": patience_ms, "options": limits, **alive}
    # PyMySQL would send a password of text as Latin-1; servers compare the bytes of UTF-8.
    password = {"password": url.password.encode()} if isinstance(url.password, str) else {}
    return {
        **password,
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_S,
        # Longer than a wait for a lock, so that the server is the one that says so.
        "read_timeout": limit_s + 1,
        "write_timeout": limit_s + 1,
        "init_command": _MYSQL_SESSION.format(limit_s),
    }


def _prepare(url: URL, address: str, migrations: Migrations) -> None:
    engine = create_engine(
        url.difference_update_query(["charset"]),
        connect_args=_arguments(url, MIGRATE_S),
        isolation_level="READ COMMITTED",
        poolclass=NullPool,
        hide_parameters=True,
    )
    with engine.connect() as keeper, _locked(keeper), engine.begin() as connection:
        migrate(connection, address, migrations)


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Return a context that one connection of all nodes is in at a time; if it dies, the server lets the next in."""
    if connection.dialect.name == "postgresql":
        take, give = "SELECT pg_advisory_lock(:number)", "SELECT pg_advisory_unlock(:number)"
        named: dict[str, object] = {"number": _LOCK_NUMBER}
    else:
        # Names of locks belong to the whole server: the store's database is part of it.
        name = "SHA1(CONCAT(:name, DATABASE()))"
        take, give = f"SELECT GET_LOCK({name}, {MIGRATE_S})", f"SELECT RELEASE_LOCK({name})"
        named = {"name": _LOCK}
    if connection.execute(text(take), named).scalar() == 0:
        raise ConfigurationError("Another node has been migrating the state store for too long: see what it does.")
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):  # the end of the connection gives it back too
            connection.execute(text(give), named)


def _unusable(address: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The state store {address} cannot be used ({reason}): GATEWAY_STATE_URL must name a database on a server "
        "that runs, with a user that may log in there and create, read and change tables in it."
    )
