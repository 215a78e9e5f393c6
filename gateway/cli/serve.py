"""``gateway serve`` and ``gateway reload``."""

from __future__ import annotations

import os

import click

from gateway.cli.console import say
from gateway.cli.environment import database_options, open_state, settings_with, state_option, variables_of


@click.command()
@click.option("--workers", type=int, metavar="N", help="Worker processes (GATEWAY_WORKERS).")
@click.option("--host", help="Address to listen on (GATEWAY_HOST).")
@click.option("--port", type=int, help="Port to listen on (GATEWAY_PORT).")
@click.option("--demo", "is_demo", is_flag=True, help="Allow a SQLite database.")
@database_options
@state_option
def serve(*, is_demo: bool, **options: object) -> None:
    """Serve the whitelisted tables at /api/v1.

    A wrong setting, a bad whitelist or refused credentials end the command with the
    reason before a worker starts. A database that is away does not: answers are 503
    until it is back. SIGHUP reads the catalog anew, SIGTERM ends after the requests
    in flight.
    """
    from gateway.cli.loading import preflight  # noqa: PLC0415  # see the package's docstring
    from gateway.cli.server import address_of, deaf_to_hangups, listen, run  # noqa: PLC0415  # as above

    settings = settings_with(options)
    with deaf_to_hangups(), listen(settings.host, settings.port) as listener:
        preflight(settings, is_demo=is_demo)
        with open_state(settings) as state:
            if not state.tokens.all():
                say("There is no token yet: gateway token create --name bi --grant 'invoices:read'")
        os.environ.update(variables_of(options))  # the workers read their settings from there
        address = f"{address_of(listener)}/api/v1"
        run(settings, listener, lambda: say(f"Serving {address} with {settings.workers} worker(s); Ctrl-C stops."))


@click.command()
@state_option
def reload(state_path: str | None) -> None:
    """Tell every running worker to read whitelist and database anew; they do so within about a second.

    A reload that fails keeps what was served before; /readyz and the log say so.
    """
    with open_state(settings_with({"state_path": state_path}), must_exist=True) as state:
        generation = state.generation.bump()
    say(f"Asked for reload {generation}.")
