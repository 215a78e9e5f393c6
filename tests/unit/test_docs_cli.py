"""Every command and every option of it is documented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("cli.md", "tokens.md")}


def commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{before} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")


ALL = dict(commands(main, "gateway"))


@pytest.mark.parametrize("name", ALL)
def test_every_command_is_documented(name: str) -> None:
    """By its full name, on the page of the command line."""
    assert f"`{name}" in PAGES["cli.md"] or f"## {name}" in PAGES["cli.md"]


def test_every_documented_command_exists() -> None:
    """A heading for a command that is gone would mislead."""
    headings = [line.removeprefix("## ") for line in PAGES["cli.md"].splitlines() if line.startswith("## gateway")]

    assert [heading for heading in headings if heading not in ALL] == []


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_documented(name: str) -> None:
    """On the page of the command line or of tokens."""
    options = [option.opts[0] for option in ALL[name].params if isinstance(option, click.Option)]

    assert [option for option in options if not any(option in page for page in PAGES.values())] == []
