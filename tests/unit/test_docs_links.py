"""What the documents refer to exists: pages, sections, tests, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s#]*)(#[^)\s]+)?\)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(path: Path) -> Iterator[tuple[Path, str]]:
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target:
            yield (path.parent / target if target else path), anchor.removeprefix("#")


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    """To a file of this repository and, where it says so, to a heading in it."""
    for target, anchor in links(path):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), (target, anchor)


def test_every_page_is_linked_from_another() -> None:
    """Nobody finds a page that nothing leads to."""
    linked = {target.resolve() for path in DOCUMENTS for target, _ in links(path) if target.resolve() != path.resolve()}
    pages = {path.resolve() for path in (ROOT / "docs").glob("*.md")}

    assert {path.name for path in pages - linked} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_test_that_is_named_exists(path: Path) -> None:
    """A promise points at what holds it."""
    for name in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


def commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{before} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")


COMMANDS = dict(commands(main, "gateway"))


def shown(text: str) -> Iterator[str]:
    """Yield the commands of a page: in blocks of code, and in the middle of a sentence."""
    is_fenced = False
    for line in text.splitlines():
        is_fenced ^= line.lstrip().startswith("```")
        if is_fenced or line.startswith("    "):
            yield from re.findall(r"^ *(gateway [a-z].*?)(?: +#.*)?$", line)
        else:
            yield from re.findall(r"`(gateway [a-z][^`]*)`", line)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_that_is_shown_can_be_given(path: Path) -> None:
    """With the options that stand beside it."""
    for line in shown(path.read_text(encoding="utf-8")):
        if line in ("gateway token", "gateway token …"):
            continue
        name = max((name for name in COMMANDS if f"{line} ".startswith(f"{name} ")), key=len, default=None)
        assert name is not None, line
        options = {word for option in COMMANDS[name].params for word in (*option.opts, *option.secondary_opts)}
        given = set(re.findall(r"(?<![\w'])--[a-z][a-z-]*", re.sub(r"'[^']*'", "", line)))
        assert given <= options | {"--help"}, (line, given - options)
