"""What golden cases of every front end share: catalogs per dialect, JSON laid out, and files written anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.catalog.build import build_catalog
from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.catalog.whitelist import load_whitelist
from tests.support.app import PERFEX_WHITELIST
from tests.support.catalogs import perfex_profile, perfex_reflection

ZONE = ZoneInfo("Asia/Dubai")
"""The zone of the sample CRM."""

DIALECTS: tuple[Dialect, ...] = ("mariadb", "mysql", "sqlite")


@cache
def catalog_of(dialect: Dialect) -> Catalog:
    """Return the catalog that the whitelist gives on a database."""
    return build_catalog(
        perfex_reflection(dialect), load_whitelist(PERFEX_WHITELIST), perfex_profile(), zone=ZONE
    ).catalog


def rewrite(case: Path, files: Mapping[str, str], kept: Collection[str] = ("request.http",)) -> None:
    """Make the directory hold these files beside those of its request."""
    for path in case.iterdir():
        if path.name not in kept:
            path.unlink()
    for name, text in files.items():
        (case / name).write_text(text, "utf-8")


def laid_out(text: str, most: int = 2) -> str:
    """Return a JSON text with its own digits, a line per field of the first levels, two unless told otherwise."""
    lines: list[str] = [""]
    depth, in_string, is_escaped = 0, False, False
    for letter in text:
        if not in_string and letter in "]}":
            depth -= 1
            if depth < most and not lines[-1].endswith(("[", "{")):
                lines.append("  " * depth)
        lines[-1] += letter
        if in_string:
            is_escaped, in_string = letter == "\\" and not is_escaped, letter != '"' or is_escaped
        elif letter == '"':
            in_string = True
        elif letter in "[{":
            depth += 1
            lines.extend(["  " * depth] if depth <= most else [])
        elif letter == "," and depth <= most:
            lines.append("  " * depth)
    return "\n".join(line for line in lines if line.strip())
