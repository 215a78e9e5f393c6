"""``gateway export``: descriptions of what is served, for other programs to read."""

from __future__ import annotations

import click

from gateway.catalog.model import Catalog
from gateway.cli.console import put
from gateway.cli.environment import database_options, settings_with, state_option
from gateway.cli.tokens import open_store
from gateway.errors import ConfigurationError
from gateway.query.access import Access
from gateway.security.access import build_access
from gateway.security.authenticate import principal_from
from gateway.settings import Settings


@click.group()
def export() -> None:
    """Print descriptions of what is served."""


@export.command()
@click.option("--token", "token_name", metavar="NAME_OR_ID", help="What this token may do, in place of everything.")
@database_options
@state_option
def graphql(token_name: str | None, **options: object) -> None:
    """Print the GraphQL schema in GraphQL's own language, for code generators."""
    from gateway.cli.loading import load_faultless  # noqa: PLC0415  # see the package's docstring
    from gateway.graphql.schema import build_schema, printed  # noqa: PLC0415  # as above
    from gateway.graphql.vocabulary import everything, vocabulary_of  # noqa: PLC0415  # as above

    settings = settings_with(options)
    catalog = load_faultless(settings)
    vocabulary = (
        vocabulary_of(catalog, _access_of(settings, token_name, catalog)) if token_name else everything(catalog)
    )
    put(printed(build_schema(vocabulary)).rstrip())


def _access_of(settings: Settings, name_or_id: str, catalog: Catalog) -> Access:
    """What a token may do on a catalog.

    Raises:
        ConfigurationError: there is no such token.
    """
    with open_store(settings, "the token was not read") as state:
        record = state.tokens.find(name_or_id)
    if record is None:
        raise ConfigurationError(f'There is no token "{name_or_id}": `gateway token list` shows those there are.')
    return build_access(principal_from(record), catalog)
