"""What the connected database user may do with the tables: rows of information_schema -> `Rights`.

What comes in: the grants as the server lists them. What goes out: which rights hold
on the whole database and which on single tables. Nothing is asked of a server here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""The rights that the gateway has a use for."""

# A table is listed to whoever holds one of these on it; LOCK TABLES, EXECUTE or PROCESS show nothing.
_SHOWING: Final = frozenset(
    (*RIGHTS, "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW", "TRIGGER")
)


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of the user ``account`` in ``database``; by default every right on all of it.

    ``whole`` hold on the whole database, ``tables`` on a table, ``columns`` on some
    columns of a table only. Where the server does not tell, every right is assumed to
    be there rather than anything refused: with an active role, and when a table is
    visible that no listed grant shows (a grant to PUBLIC, or to the same name at another host).
    """

    whole: frozenset[str] = frozenset(RIGHTS)
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    account: str = ""
    database: str = ""

    def is_whole(self, right: str) -> bool:
        """Whether the right holds on every table of the database, those of tomorrow too."""
        return right in self.whole

    def of(self, table: str) -> frozenset[str]:
        """Return the rights on a table; one that holds on some of its columns counts."""
        nothing: frozenset[str] = frozenset()
        return self.whole | self.tables.get(table, nothing) | self.columns.get(table, nothing)

    def shows(self, table: str) -> bool:
        """Whether the user would see the table, all its columns included, if it is there."""
        return bool(self.whole or self.tables.get(table))


class GrantRow(NamedTuple):
    """One right as the server lists it; ``on`` is nothing, a pattern of database names, or a table."""

    level: Literal["user", "schema", "table", "column"]
    on: str
    right: str


def rights_of(
    rows: Iterable[GrantRow], existing: Collection[str], *, database: str, account: str, has_role: bool = False
) -> Rights:
    """Return the rights that the grants of one account come to in a database with the visible tables ``existing``."""
    grants: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if row.right in _SHOWING:
            grants[row.level][row.on].add(row.right)
    pattern = _most_exact(grants["schema"], database)
    found = Rights(
        whole=frozenset(grants["user"].get("", ())) | frozenset(grants["schema"][pattern] if pattern else ()),
        tables={table: frozenset(held) for table, held in grants["table"].items()},
        columns={table: frozenset(held) for table, held in grants["column"].items()},
        account=account,
        database=database,
    )
    is_explained = all(found.of(table) for table in existing)
    return Rights(account=account, database=database) if has_role or not is_explained else found


def _most_exact(patterns: Iterable[str], database: str) -> str | None:
    """The pattern whose grants count: the servers take the one match that says most before its first wildcard."""
    matching = (pattern for pattern in patterns if is_match(pattern, database))
    return max(matching, key=_exactness, default=None)


_PART: Final = re.compile(r"\\(?P<escaped>.)|(?P<wildcard>[%_])|(?P<plain>.)", re.DOTALL)


def is_match(pattern: str, name: str) -> bool:
    r"""Whether the database name of a grant, in which ``%`` and ``_`` are wildcards, means a database.

    >>> is_match("my\\_crm", "my_crm"), is_match("my\\_crm", "my-crm"), is_match("my_%", "my-crm")
    (True, False, True)
    """
    wildcards = {"%": ".*", "_": "."}
    parts = (wildcards.get(part["wildcard"]) or re.escape(part["escaped"] or part["plain"]) for part in _parts(pattern))
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None


def _exactness(pattern: str) -> tuple[bool, int, int]:
    parts = list(_parts(pattern))
    before = next((position for position, part in enumerate(parts) if part["wildcard"]), len(parts))
    return before == len(parts), before, len(parts)


def _parts(pattern: str) -> Iterable[re.Match[str]]:
    return _PART.finditer(pattern)
