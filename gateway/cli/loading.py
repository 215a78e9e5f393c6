"""What commands need of the database: the catalog read once, the report on it, a whitelist to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, Integer, column, func, select, table

from gateway.catalog.engine import engine_of, open_connection
from gateway.catalog.model import Catalog
from gateway.catalog.propose import propose_whitelist, recognise
from gateway.catalog.reflect import existing_tables, reflect
from gateway.cli.console import say, warn
from gateway.cli.environment import database_url_of
from gateway.errors import ConfigurationError, UnavailableError
from gateway.security.identity import open_identities
from gateway.settings import Settings, database_address
from gateway.state.redis_leases import open_redis
from gateway.web.loading import Loaded, load_catalog, load_catalog_once
from gateway.web.proxies import trusted_words
from gateway.web.throttle import rate_of


def load(settings: Settings) -> Loaded:
    """Return what the database of the settings comes to under their whitelist, with the whitelist's mistakes.

    Raises:
        ConfigurationError: no database, refused credentials, a whitelist that cannot be read.
        UnavailableError: the database cannot be reached.
    """
    database_url_of(settings)
    return load_catalog(settings)


def load_faultless(settings: Settings) -> Catalog:
    """Return the catalog that would be served.

    Raises:
        ConfigurationError: as `load`, and for every mistake of the whitelist.
        UnavailableError: the database cannot be reached.
    """
    database_url_of(settings)
    return load_catalog_once(settings).catalog


def preflight(settings: Settings, *, is_demo: bool) -> None:
    """Refuse what no restart would mend; a database that is merely away only gets a warning.

    Raises:
        ConfigurationError: no database, SQLite without the demo, refused credentials, a bad whitelist, a rate or a
            network that is none.
    """
    check_load(settings)
    url = database_url_of(settings)
    if urlsplit(url).scheme.startswith("sqlite") and not is_demo:
        raise ConfigurationError(
            "SQLite serves the demo only: its rounding and text comparison differ from MariaDB's. "
            "Give a mysql:// address, or say --demo if that is what this is."
        )
    try:
        catalog = load_faultless(settings)
    except UnavailableError as error:
        warn(f"{error.detail} Starting all the same: answers are 503 until {database_address(url)} can be reached.")
        return
    for text in catalog.warnings:
        warn(text)
    say(f"{len(catalog.exposed())} resources from {database_address(url)}.")


def check_load(settings: Settings) -> None:
    """Pass when the settings that say who may come, and how often, can be read; what they need is installed.

    Raises:
        ConfigurationError: one cannot; the message names it.
    """
    for name in ("address_rate", "refused_rate", "rate_limit"):
        rate_of(settings, name)
    if settings.rate_store_url:
        open_redis(settings.rate_store_url).close()
    trusted_words(settings.trusted_proxies)
    open_identities(settings, lambda event: None)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whitelist for a database, and what was recognised: the version of Perfex, None for another product."""

    text: str
    version: str | None


def propose(settings: Settings) -> Proposal:
    """Return a commented whitelist for the database of the settings, which is only read.

    Raises:
        ConfigurationError: no database, refused credentials.
        UnavailableError: the database cannot be reached.
    """
    database_url_of(settings)
    with open_connection(engine_of(settings)) as connection:
        existing = existing_tables(connection)
        found = recognise(existing)
        if found is None:
            tables = reflect(connection, existing).tables
            return Proposal(propose_whitelist(existing, tables), None)
        version = _version(connection, found.migrations_table) if found.migrations_table in existing else None
    return Proposal(propose_whitelist(existing, prefix=found.prefix, version=version), version or "unknown")


def _version(connection: Connection, migrations_table: str) -> str | None:
    version = connection.execute(select(func.max(column("version"))).select_from(table(migrations_table))).scalar()
    return None if version is None else str(version)


def acting_staff(settings: Settings, catalog: Catalog) -> int | None:
    """Return the staff id that writes name when their token has none, None when nobody could be named.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    staff = catalog.tables.get(f"{catalog.prefix}staff")
    if settings.staff_id or staff is None:
        return settings.staff_id or None
    names = column("staffid", Integer), column("active", Integer), column("admin", Integer)
    rows = table(staff.name, *names)
    query = select(func.min(rows.c.staffid)).where(rows.c.active == 1, rows.c.admin == 1)
    with open_connection(engine_of(settings)) as connection:
        found = connection.execute(query).scalar()
    return None if found is None else int(found)
