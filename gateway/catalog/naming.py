"""Names: which are reserved, which hide a column, and what a relationship is called.

Pure text rules without tables, so that each can be read and tested alone. A to-one
from a foreign key is called by its column without ``_id`` (`label_of`), a to-many by
the child's alias or resource when one edge leads there, else ``<child>_by_<column>``
(`reverse_of`). What a taken name falls back to is decided in `catalog.edges`.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable
from typing import Final

RESERVED: Final = frozenset(
    ("query", "graphql", "auth", "changes", "schema", "openapi.json", "openapi.yaml", "postman.json")
)
"""Paths under ``/api/v1`` that are no resources."""

CUSTOM_PREFIX: Final = "custom."
"""What the names of custom fields begin with."""

HIDDEN_WORDS: Final = ("password", "token", "hash")
"""A column whose name contains one of these is hidden, in whatever case; nothing removes them."""


def is_hidden_name(column: str, patterns: Iterable[str] = ()) -> bool:
    """Whether a column is hidden for its name alone.

    A pattern is a word that the name contains, or a shell pattern for the whole name
    when it has ``*`` or ``?``. Case does not matter.

    >>> is_hidden_name("TokenExpiry"), is_hidden_name("iban", ["iban"]), is_hidden_name("tax_no", ["tax_*"])
    (True, True, True)
    >>> is_hidden_name("total")
    False
    """
    name = column.lower()
    return any(word in name for word in HIDDEN_WORDS) or any(_matches(name, pattern.lower()) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(name, pattern)
    return pattern in name


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that offers the nearest known name, empty when none is near.

    >>> suggestion("duedat", ["id", "duedate"])
    '; did you mean "duedate"?'
    """
    by_lower = {word.lower(): word for word in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""


def resource_of(database_name: str, prefix: str) -> str:
    """Return the resource name of a table: its own without the prefix."""
    return database_name.removeprefix(prefix) or database_name


def label_of(columns: tuple[str, ...], target: str) -> str:
    """Return what a foreign key's to-one is called: its column without ``_id``, ``Id`` or ``id``.

    A bare ``id`` goes only where the rest begins the target's name, so that ``paid``
    stays whole. A key of several columns is called by its target.

    >>> label_of(("owner_id",), "people"), label_of(("clientid",), "clients"), label_of(("paid",), "bills")
    ('owner', 'client', 'paid')
    >>> label_of(("country", "zip"), "places")
    'places'
    """
    if len(columns) > 1:
        return target
    column = columns[0]
    for ending in ("_id", "_ID", "Id"):
        if column.endswith(ending) and column != ending:
            return column.removesuffix(ending)
    stem = column[:-2]
    if stem and column[-2:].lower() == "id" and target.lower().startswith(stem.lower()):
        return stem
    return column


def reverse_of(child: str, columns: tuple[str, ...], edge_count: int) -> str:
    """Return what the rule calls the to-many of an edge: the child, or ``<child>_by_<column>`` among several edges.

    >>> reverse_of("invoices", ("clientid",), 1), reverse_of("tickets", ("assigned",), 4)
    ('invoices', 'tickets_by_assigned')
    """
    return child if edge_count == 1 else long_reverse_of(child, columns)


def long_reverse_of(child: str, columns: tuple[str, ...]) -> str:
    """Return the to-many name that says by which column the child refers."""
    return f"{child}_by_{'_'.join(columns)}"
