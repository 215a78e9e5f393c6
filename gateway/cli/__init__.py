"""The command line: ``gateway serve``, ``demo``, ``init``, ``check``, ``routes``, ``export``, ``token`` and others.

Data goes to stdout, everything said about it to stderr. Exit codes: 0 done, 1 a
problem (printed as text with what to do), 2 a command that was not understood.
Commands import what they need when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import click

from gateway import __version__
from gateway.cli.audit import audit
from gateway.cli.console import Commands
from gateway.cli.demo import demo
from gateway.cli.export import export
from gateway.cli.init import init
from gateway.cli.inspect import check, routes
from gateway.cli.serve import reload, serve
from gateway.cli.tokens import token

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gateway")
@click.option("--debug", is_flag=True, help="Show the Python traceback of an error.")
def main(debug: bool) -> None:
    """Serve the tables of an existing Perfex CRM database as a REST API.

    Settings come from environment variables (GATEWAY_DATABASE_URL and others) and
    from the file that GATEWAY_SETTINGS names; options given here win.
    """


for command in (serve, demo, init, check, routes, export, reload, token, audit):
    main.add_command(command)
