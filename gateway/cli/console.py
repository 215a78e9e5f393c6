"""What the commands share: where text goes, and how failures are told.

An error that the gateway foresaw is printed as its text; one it did not is printed
in one line. The traceback is shown only with ``--debug``.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
import orjson

from gateway.errors import GatewayError


class Commands(click.Group):
    """A group of commands whose failures end in a message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of a pipe has gone: click ends quietly
            if ctx.params.get("debug"):
                traceback.print_exception(error)
            say(click.style("Error: ", fg="red", bold=True, reset=True) + error_text(error))
            sys.exit(1)


def error_text(error: Exception) -> str:
    """Return an error as text: what is wrong and what to do, never a traceback."""
    if isinstance(error, GatewayError):
        return str(error)
    # The sample's own errors are sentences for the reader, like ours; its class is not imported for this alone.
    if type(error).__module__.startswith("sample_crm"):
        return str(error)
    return (
        f"{type(error).__name__}: {error}\n"
        "This is a mistake of the gateway. `gateway --debug …` shows where it happened."
    )


def say(text: str = "") -> None:
    """Print something for people, to stderr."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Print something that should be looked at, to stderr."""
    say(click.style("Warning: ", fg="yellow", bold=True, reset=True) + text)


def put(text: str) -> None:
    """Print data, to stdout."""
    click.echo(text)


def put_json(value: object) -> None:
    """Print a value as indented JSON, to stdout."""
    put(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def put_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns, to stdout."""
    lines = [head, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    for line in lines:
        put("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def moment_text(moment: datetime | None, absent: str = "-") -> str:
    """Return a moment to the minute, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else absent
