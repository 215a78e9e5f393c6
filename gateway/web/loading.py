"""Settings -> a catalog: whitelist, profile and database read together, synchronously.

Used at start, on every reload (in a thread) and by the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway.catalog.build import build_catalog, tables_needed
from gateway.catalog.engine import connect_failure, engine_of, open_connection
from gateway.catalog.exposure import Exposure, Problem
from gateway.catalog.knowledge import Profile, parse_profile
from gateway.catalog.model import Catalog
from gateway.catalog.reflect import existing_tables, fingerprint, reflect
from gateway.catalog.reflected import Reflection
from gateway.catalog.whitelist import WhitelistError, load_whitelist
from gateway.errors import ConfigurationError, GatewayError
from gateway.profile import load_profile
from gateway.settings import Settings

TIMEZONE_OPTION = "default_timezone"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A catalog with everything it was made from, and the whitelist's mistakes."""

    catalog: Catalog
    problems: tuple[Problem, ...]
    reflection: Reflection
    exposure: Exposure
    profile: Profile | None
    names: frozenset[str]


def load_catalog(settings: Settings, previous: Catalog | None = None) -> Loaded:
    """Return the catalog of the database as it is now; names that nothing knows are left out.

    Raises:
        ConfigurationError: the whitelist cannot be read, credentials are refused, the time zone is unknown.
        UnavailableError: the database cannot be reached.
    """
    try:
        exposure = load_whitelist(settings.whitelist)
    except WhitelistError as error:
        raise error if previous is not None else _with_mistakes_against_database(settings, error) from None
    return _load(settings, exposure, previous)


def _load(settings: Settings, exposure: Exposure, previous: Catalog | None) -> Loaded:
    profile = parse_profile(load_profile(exposure.profile)) if exposure.profile else None
    with _connection(settings) as connection:
        names = tables_needed(exposure, profile, existing_tables(connection))
        reflection = reflect(connection, names, **_read_options(exposure, profile), **_values_table(exposure, profile))
    built = build_catalog(reflection, exposure, profile, zone=_zone(settings, reflection.options), previous=previous)
    return Loaded(built.catalog, built.problems, reflection, exposure, profile, names)


def widening_problems(loaded: Loaded) -> list[str]:
    """Return the mistakes that would show or open more than was meant, if what they name were left out."""
    narrowing = {name.mark for table in loaded.exposure.tables for name in (*table.hide, *table.read_only)}
    return [str(problem) for problem in loaded.problems if problem.mark in narrowing]


def load_catalog_once(settings: Settings) -> Loaded:
    """Return the catalog for a start, where a name that nothing knows is an error.

    Raises:
        ConfigurationError: also for every mistake of the whitelist, all at once.
        UnavailableError: the database cannot be reached.
    """
    loaded = load_catalog(settings)
    if loaded.problems:
        problems = [str(problem) for problem in loaded.problems]
        raise ConfigurationError("The whitelist does not fit the database:", problems)
    return loaded


def _with_mistakes_against_database(settings: Settings, error: WhitelistError) -> WhitelistError:
    """The mistakes of the file itself, and those that what could be read of it makes against the database."""
    if error.exposure is None:
        return error
    with suppress(GatewayError):  # the file's own mistakes are told in any case
        return error.with_more(_load(settings, error.exposure, None).problems)
    return error


def current_fingerprint(settings: Settings, loaded: Loaded) -> str:
    """Return the fingerprint of the tables a catalog was made from, as they are now.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    with _connection(settings) as connection:
        return _fingerprint(connection, loaded)


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection]:
    """A connection whose loss between two statements is told like a failure to connect."""
    engine = engine_of(settings)
    try:
        with open_connection(engine) as connection:
            yield connection
    except DBAPIError as error:
        raise connect_failure(error.orig, engine.url) from error


def _fingerprint(connection: Connection, loaded: Loaded) -> str:
    names = tables_needed(loaded.exposure, loaded.profile, existing_tables(connection))
    return fingerprint(connection, names, **_read_options(loaded.exposure, loaded.profile))


def _read_options(exposure: Exposure, profile: Profile | None) -> Mapping[str, Any]:
    """The options a catalog depends on, and the table that defines custom fields."""
    if profile is None or not profile.options_table:
        return {}
    prefix = exposure.prefix if exposure.prefix is not None else profile.prefix
    required_by = {option for table in profile.tables.values() for option in table.required_by.values()}
    names = (TIMEZONE_OPTION, *sorted(required_by))
    options: dict[str, Any] = {"options_table": prefix + profile.options_table, "option_names": names}
    if profile.custom_fields is not None:
        options["custom_fields_table"] = prefix + profile.custom_fields.table
    return options


def _values_table(exposure: Exposure, profile: Profile | None) -> Mapping[str, Any]:
    """The table of custom fields' values, which must be open to the user for any of them to be shown."""
    if profile is None or profile.custom_fields is None:
        return {}
    prefix = exposure.prefix if exposure.prefix is not None else profile.prefix
    return {"custom_values_table": prefix + profile.custom_fields.values}


def _zone(settings: Settings, options: Mapping[str, str]) -> tzinfo:
    """The CRM's zone: its own option, else the setting, else UTC (SPEC section 3)."""
    name = options.get(TIMEZONE_OPTION) or settings.timezone or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        source = f"option {TIMEZONE_OPTION}" if options.get(TIMEZONE_OPTION) else "GATEWAY_TIMEZONE"
        raise ConfigurationError(
            f"The time zone {name!r} of {source} is unknown; use a name such as Asia/Dubai."
        ) from error
