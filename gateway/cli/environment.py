"""Settings for a command: the environment, then the settings file, then the options given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from gateway.errors import ConfigurationError
from gateway.settings import PREFIX, Settings, load_settings
from gateway.state.store import StateStore

_Command = TypeVar("_Command", bound=Callable[..., Any])


def database_options(command: _Command) -> _Command:
    """Add the options that say which database and which whitelist."""
    command = click.option("--whitelist", metavar="PATH", help="The whitelist (GATEWAY_WHITELIST).")(command)
    return click.option(
        "--database-url",
        metavar="URL",
        help="The CRM's database, mysql://user:password@host/name. Other users of the machine can read "
        "command lines: prefer GATEWAY_DATABASE_URL.",
    )(command)


def state_option(command: _Command) -> _Command:
    """Add the option that says which state file."""
    return click.option(
        "--state-path", metavar="PATH", help="The state file (GATEWAY_STATE_PATH); no URL is used then."
    )(command)


def settings_with(options: Mapping[str, object]) -> Settings:
    """Return the settings that result from the environment and those options that were given.

    Raises:
        ConfigurationError: listing every mistake.
    """
    return load_settings({**os.environ, **variables_of(options)})


def variables_of(options: Mapping[str, object]) -> dict[str, str]:
    """Return options that were given as environment variables; a path of the state wins over a URL set elsewhere."""
    given = {PREFIX + name.upper(): str(value) for name, value in options.items() if value is not None}
    return {"GATEWAY_STATE_URL": "", **given} if "GATEWAY_STATE_PATH" in given else given


def open_state(settings: Settings, *, must_exist: bool = False) -> StateStore:
    """Return the open state store of the settings, which is made if it need not exist."""
    return StateStore.open(settings, must_exist=must_exist)


def database_url_of(settings: Settings) -> str:
    """Return the address of the database.

    Raises:
        ConfigurationError: none is set.
    """
    if not settings.database_url:
        raise ConfigurationError(
            "No database is set: give GATEWAY_DATABASE_URL=mysql://user:password@host:3306/name "
            "(or --database-url), or try `gateway demo`, which brings its own."
        )
    return settings.database_url
