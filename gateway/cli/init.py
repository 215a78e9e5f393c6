"""``gateway init``: look at a database and propose a whitelist."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.catalog.propose import version_text
from gateway.cli.console import say
from gateway.cli.environment import settings_with
from gateway.errors import ConfigurationError


@click.command()
@click.option("--database-url", metavar="URL", help="The CRM's database (GATEWAY_DATABASE_URL).")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it (GATEWAY_WHITELIST); - is stdout.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init(database_url: str | None, output: Path | None, force: bool) -> None:
    """Look at the database, recognise Perfex, and write a commented whitelist.

    The database is only read. Look the file over before serving: it decides what
    callers with a token can reach.
    """
    from gateway.cli.loading import propose  # noqa: PLC0415  # see the package's docstring

    settings = settings_with({"database_url": database_url})
    place = output or Path(settings.whitelist)
    if str(place) != "-" and place.exists() and not force:
        raise ConfigurationError(f"{place} exists: choose another file with --output, or replace it with --force.")
    proposal = propose(settings)
    say(_recognised(proposal.version))
    if str(place) == "-":
        click.echo(proposal.text, nl=False)
        return
    try:
        place.write_text(proposal.text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{place} cannot be written ({error.strerror}): choose another --output.") from error
    say(f"Wrote {place}. Next: read it, then `gateway check`.")


def _recognised(version: str | None) -> str:
    if version is None:
        return "This is not a Perfex database: every table is listed, and its foreign keys are the relationships."
    return f"This is a Perfex database, version {version_text(version)}."
