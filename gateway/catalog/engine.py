"""A database URL -> a SQLAlchemy engine for the few synchronous jobs, and its connect errors.

What comes in: the URL of the settings. What goes out: an engine without a pool, for
reflection and the command line; requests use `execution`'s own connections. What a
statement can fail with is not judged here, only why no connection came about.
No message holds the password or the driver's text.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from gateway.errors import ConfigurationError, GatewayError, UnavailableError
from gateway.settings import Settings

_FORM: Final = "write mysql://user:password@host:3306/name, with @ : / in a password percent-encoded (%40 %3A %2F)"
_SERVERS: Final = frozenset({"mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"})
_DRIVER_OPTIONS: Final = frozenset({"unix_socket", "charset"})


def open_engine(
    url: str, *, connect_timeout_s: float = 5.0, tls: str = "prefer", tls_ca: str = "", read_timeout_s: float = 60.0
) -> Engine:
    """Return an engine for a URL of MySQL, MariaDB or SQLite; no connection is made yet.

    ``tls`` is off, prefer or require; with ``tls_ca`` the server must offer TLS and
    its certificate and host name are verified.

    Raises:
        ConfigurationError: the URL cannot be used; the sentence says what one looks like.
    """
    if not url:
        raise ConfigurationError(f"GATEWAY_DATABASE_URL is not set; {_FORM}.")
    parsed = _parsed(url)
    if parsed.drivername == "sqlite":
        return _sqlite_engine(parsed)
    if parsed.drivername not in _SERVERS:
        raise ConfigurationError(
            f"The database URL begins with {parsed.drivername}://, which is not supported; {_FORM}."
        )
    unknown = sorted(set(parsed.query) - _DRIVER_OPTIONS)
    if unknown or not parsed.database:
        wrong = f"has the unknown option {unknown[0]}" if unknown else "names no database"
        raise ConfigurationError(f"The database URL {wrong}; {_FORM}.")
    timeouts = {"connect_timeout": connect_timeout_s, "read_timeout": read_timeout_s, "write_timeout": read_timeout_s}
    # PyMySQL would send a password of text as Latin-1; servers compare the bytes of UTF-8.
    password = {"password": parsed.password.encode()} if parsed.password else {}
    return create_engine(
        parsed.set(drivername="mysql+pymysql"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"charset": "utf8mb4", **password, **timeouts, **_tls_arguments(tls, tls_ca)},
    )


def engine_of(settings: Settings) -> Engine:
    """Return the engine that the settings describe."""
    return open_engine(
        settings.database_url,
        connect_timeout_s=settings.connect_timeout_s,
        tls=settings.database_tls,
        tls_ca=settings.database_tls_ca,
    )


@contextmanager
def open_connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection; failing to get one is told in the gateway's words.

    Raises:
        ConfigurationError: credentials refused, no such database, TLS or its certificate refused.
        UnavailableError: ``database_away`` or ``database_busy``; trying again later may help.
    """
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise connect_failure(error.orig, engine.url) from None
    except (RuntimeError, ValueError, OSError) as error:  # the driver's own, outside of its tree of errors
        raise connect_failure(error, engine.url) from None
    with connection:
        yield connection


def connect_failure(error: BaseException | None, url: URL) -> GatewayError:
    """Return what a failed connect means: its errno of the server or the client library decides."""
    number = error.args[0] if error is not None and error.args and isinstance(error.args[0], int) else 0
    where = f"{url.host or 'localhost'}:{url.port or 3306}"
    if _is_certificate_failure(error):
        return ConfigurationError(
            f"The certificate of the database at {where} cannot be verified; "
            "check GATEWAY_DATABASE_TLS_CA and that the host name in the URL is the certificate's."
        )
    if isinstance(error, RuntimeError):
        return ConfigurationError(
            f"The database at {where} takes this user's password only over TLS; switch TLS on at the server, "
            "and set GATEWAY_DATABASE_TLS to require."
        )
    message = _REFUSALS.get(number)
    if message is not None:
        return ConfigurationError(message.format(where=where, user=url.username or "", database=url.database or ""))
    if number in _BUSY:
        return UnavailableError("database_busy", f"The database at {where} has no connection left; try again later.")
    return UnavailableError("database_away", f"The database at {where} cannot be reached; check that it runs.")


_CREDENTIALS: Final = (
    "The database at {where} refuses the user {user}: wrong user or password, or not allowed from this host; "
    "check GATEWAY_DATABASE_URL (special characters in a password are percent-encoded)."
)
_NO_RIGHT: Final = "The user {user} may not use the database {database} at {where}; grant it there: GRANT SELECT ON ..."
_REFUSALS: Final[dict[int, str]] = {
    1045: _CREDENTIALS,
    1698: _CREDENTIALS,
    1251: _CREDENTIALS,
    1130: "The database at {where} does not accept connections from this host; allow it for the user {user} there.",
    1044: _NO_RIGHT,
    1142: _NO_RIGHT,
    1049: "There is no database {database} at {where}; check the name at the end of GATEWAY_DATABASE_URL.",
    2026: "The database at {where} offers no TLS; switch it on there, or set GATEWAY_DATABASE_TLS to prefer.",
    3159: "The database at {where} takes TLS connections only; set GATEWAY_DATABASE_TLS to require.",
}
_BUSY: Final = frozenset({1040, 1203, 1226})


def _is_certificate_failure(error: BaseException | None) -> bool:
    seen: list[Any] = [error, getattr(error, "original_exception", None), getattr(error, "__cause__", None)]
    return any(isinstance(item, ssl.SSLError) for item in seen)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # its message may quote the URL, and so the password
        raise ConfigurationError(f"The database URL cannot be read; {_FORM}.") from None


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _tls_arguments(tls: str, tls_ca: str) -> dict[str, object]:
    """PyMySQL prefers TLS by itself when nothing is said; a context makes it required."""
    if tls_ca:
        return {"ssl": _verifying_context(tls_ca)}
    if tls == "off":
        return {"ssl_disabled": True}
    if tls == "require":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}
    return {}


def _verifying_context(tls_ca: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls_ca)
    except OSError:  # an SSLError is one too
        raise ConfigurationError(f"GATEWAY_DATABASE_TLS_CA: {tls_ca} is no readable file of certificates.") from None
    # Python 3.13 made this the default; the authorities that MySQL generates for itself do not pass it.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
