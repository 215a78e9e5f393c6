"""Table names -> the text of a whitelist that a person can start from.

What comes in: the names that exist, and for a database that is not Perfex what was
reflected of them. What goes out: YAML with a comment for every choice, which
`parse_whitelist` accepts. proposal.csv says which tables of Perfex are proposed,
which are not, and why; the whitelist.yaml of this project is its text for the
whole Perfex database. Nothing is written here; `gateway init` does that.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from gateway.catalog.naming import RESERVED
from gateway.catalog.reflected import ReflectedTable
from gateway.catalog.whitelist import VERSION

MIGRATIONS_TABLE: Final = "migrations"
_MARKS_OF_PERFEX: Final = ("options", "clients", "invoices", "staff", "leads")
_OUT: Final = "out: "
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]*")
_TYPED: Final = frozenset({"null", "true", "false", "~"})
_WIDTH: Final = 44


@dataclass(frozen=True, slots=True)
class Recognised:
    """A Perfex database: the prefix of its tables."""

    prefix: str

    @property
    def migrations_table(self) -> str:
        """The table whose one row holds the version (`version_text`)."""
        return self.prefix + MIGRATIONS_TABLE


def recognise(existing: Iterable[str]) -> Recognised | None:
    """Return what is known of a database by its table names alone; None when it is not Perfex.

    Of several installations in one database the one with most of Perfex's tables is taken.

    >>> recognise(["crm_options", "crm_clients", "crm_invoices", "crm_staff", "crm_leads"])
    Recognised(prefix='crm_')
    """
    names = frozenset(existing)
    prefixes = [name.removesuffix("options") for name in names if name.endswith("options")]
    fitting = [prefix for prefix in prefixes if all(prefix + word in names for word in _MARKS_OF_PERFEX)]
    if not fitting:
        return None
    known = [row.table for row in _rows()]
    return Recognised(max(sorted(fitting), key=lambda prefix: sum(prefix + table in names for table in known)))


def version_text(number: int | str) -> str:
    """Return a version as people say it.

    >>> version_text(341)
    '3.4.1'
    """
    text = str(number)
    return ".".join((text[:-2], text[-2], text[-1])) if text.isdigit() and len(text) > 2 else text


def propose_whitelist(
    existing: Iterable[str],
    tables: Mapping[str, ReflectedTable] | None = None,
    *,
    prefix: str | None = None,
    version: int | str | None = None,
) -> str:
    """Return a commented whitelist for a database.

    ``prefix`` None means that it is no Perfex; then every table is listed, and
    ``tables``, where given, tell which are views and which have no key.
    """
    if prefix is None:
        lines = _lines_of_unknown(sorted(existing), tables or {})
    else:
        lines = _lines_of_perfex(frozenset(existing), prefix, version)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Row:
    group: str
    table: str
    settings: str
    why: str

    @property
    def is_proposed(self) -> bool:
        return not self.group.startswith(_OUT)


def _rows() -> tuple[_Row, ...]:
    text = (files("gateway.catalog") / "proposal.csv").read_text(encoding="utf-8")
    return tuple(_Row(**row) for row in csv.DictReader(text.splitlines()))


_HEAD: Final = """\
# What the gateway serves, and nothing else. docs/whitelist.md explains every key.
# `gateway check` compares this file with the database.
"""


def _lines_of_perfex(existing: frozenset[str], prefix: str, version: int | str | None) -> Iterator[str]:
    rows = _rows()
    yield from _HEAD.splitlines()
    yield "# Passwords, tokens, hashes and the like are hidden in every table without being named here."
    if version is not None:
        yield f"# Proposed for a Perfex database of version {version} ({version_text(version)})."
    yield from ("", f"version: {VERSION}", "profile: perfex", f"prefix: {_scalar(prefix)}", "")
    yield "tables:"
    yield from _proposed(rows, existing, prefix)
    yield from _left_out(rows, existing, prefix)
    yield from _unknown(rows, existing, prefix)


def _proposed(rows: Iterable[_Row], existing: frozenset[str], prefix: str) -> Iterator[str]:
    group = ""
    lacking: list[str] = []
    for row in (row for row in rows if row.is_proposed):
        if prefix + row.table not in existing:
            lacking.append(row.table)
            continue
        if row.group != group:
            yield from ((f"  # --- {row.group} ---",) if not group else ("", f"  # --- {row.group} ---"))
            group = row.group
        entry = f"  {row.table}:" + (f" {{{row.settings}}}" if row.settings else "")
        yield f"{entry:<{_WIDTH}} # {row.why}"
    if lacking:
        yield from ("", "  # This database lacks: " + ", ".join(lacking))


def _left_out(rows: Iterable[_Row], existing: frozenset[str], prefix: str) -> Iterator[str]:
    yield from ("", "# --- Left out, and why ---")
    group = ""
    for row in (row for row in rows if not row.is_proposed and prefix + row.table in existing):
        if row.group != group:
            group = row.group
            yield from ("#", f"# {group.removeprefix(_OUT)}:")
        yield f"{f'#   {row.table}':<{_WIDTH}} # {row.why}"


def _unknown(rows: Iterable[_Row], existing: frozenset[str], prefix: str) -> Iterator[str]:
    known = {prefix + row.table for row in rows}
    others = sorted(existing - known)
    if others:
        yield from ("", "# --- Tables of modules or of other software: move one under `tables:` to serve it ---")
        yield from (f"#   {_entry(name.removeprefix(prefix))}" for name in others)


def _lines_of_unknown(names: list[str], tables: Mapping[str, ReflectedTable]) -> Iterator[str]:
    yield from _HEAD.splitlines()
    yield "# Columns whose name contains password, token or hash are hidden; name others under `hide:`."
    yield "# Take out every table that nobody needs to reach."
    yield from ("", f"version: {VERSION}", "profile: none", "")
    if not names:
        yield from ("# The database has no tables yet; name one here.", "tables: [example]")
        return
    yield "tables:"
    for name in names:
        remark = _remark(tables.get(name))
        yield f"{'  ' + _entry(name):<{_WIDTH}} # {remark}" if remark else f"  {_entry(name)}"


def _remark(table: ReflectedTable | None) -> str:
    if table is None:
        return ""
    if table.is_view:
        return "a view: read only"
    return (
        "" if table.primary_key else "no primary key: list only, unless `key:` names the columns that tell rows apart"
    )


def _entry(name: str) -> str:
    alias = f" {{alias: {name.partition('.')[0]}_table}}" if name in RESERVED else ""
    return f"{_scalar(name)}:{alias}"


def _scalar(name: str) -> str:
    """The name as YAML: bare where that is the same text, else in double quotes."""
    is_plain = _PLAIN.fullmatch(name) is not None and name.lower() not in _TYPED
    return name if is_plain else f'"{"".join(map(_escaped, name))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
