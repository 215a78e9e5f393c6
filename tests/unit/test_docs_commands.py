"""Every command that a page tells people to type is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from gateway.cli import main
from gateway.web.admin_audit import FILTERS, parse_search

DOCS = Path(__file__).parents[2] / "docs"
LINES = sorted(
    {
        (page.name, (line or inline).strip())
        for page in DOCS.glob("*.md")
        for line, inline in re.findall(
            r"^ {4,}(gateway [a-z][^#\n]*)|`(gateway audit [^`]*)`", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
)


def test_there_are_commands_to_look_at() -> None:
    """Else the next test would hold for nothing."""
    assert {"operations.md", "audit.md"} <= {page for page, _ in LINES}


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_of_a_page_is_taken(page: str, line: str) -> None:
    """Its name, its options, and what the audit trail is asked for; "…" stands for what the reader knows."""
    words = shlex.split(line)[1:]
    if "…" in words:
        pytest.skip("the page leaves the rest to the reader")
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    given = command.make_context(command.name, words).params

    if command.name == "audit":
        parse_search({name: text for name, text in given.items() if name in FILTERS and text}, datetime.now(UTC))
