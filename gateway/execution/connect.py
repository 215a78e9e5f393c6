"""A database URL -> the database that runs the gateway's statements."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.errors import ConfigurationError
from gateway.execution.address import MYSQL_SCHEMES, parse_address
from gateway.execution.database import Database
from gateway.execution.mysql import MySqlDatabase
from gateway.execution.sqlite import SqliteDatabase, sqlite_path
from gateway.observe import Observer
from gateway.settings import Settings


def open_database(settings: Settings, observer: Observer) -> Database:
    """Return the database of ``settings.database_url``; nothing is connected yet.

    Raises:
        ConfigurationError: the URL or the TLS settings are not usable.
    """
    scheme = urlsplit(settings.database_url).scheme
    if scheme == "sqlite":
        return SqliteDatabase(sqlite_path(settings.database_url), settings, observer)
    if scheme in MYSQL_SCHEMES:
        return MySqlDatabase(parse_address(settings.database_url), settings, observer)
    raise ConfigurationError(
        "GATEWAY_DATABASE_URL must name a database, as in mysql://user:password@host:3306/name or sqlite:///demo.db."
    )
