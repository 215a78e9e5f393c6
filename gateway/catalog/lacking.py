"""Which rights the gateway's database user lacks for what the catalog promises, and how to give them.

What comes in: a catalog and the rights that were reflected with it. What goes out:
one entry per table for `gateway check`; nothing is refused because of it here, the
database does that itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.catalog.model import Catalog, Table, WriteMode
from gateway.catalog.rights import RIGHTS, Rights

_VERBS: Final = {"SELECT": "read", "INSERT": "insert into", "UPDATE": "update", "DELETE": "delete from"}


@dataclass(frozen=True, slots=True)
class LackingRights:
    """The rights lacking on one table, what answers 503 for want of them, and the statement that grants them."""

    table: str
    rights: tuple[str, ...]
    affected: tuple[str, ...]
    statement: str

    def __str__(self) -> str:
        verbs = _listed([_VERBS[right] for right in self.rights], "or")
        answers = "answers" if len(self.affected) == 1 else "answer"
        return f"{self.table}: may not {verbs} it, so {_listed(self.affected, 'and')} {answers} 503"


class _Need(NamedTuple):
    table: str
    right: str
    purpose: str


def lacking_rights(catalog: Catalog, rights: Rights) -> tuple[LackingRights, ...]:
    """Return what the catalog's tables need and the user may not do, by table."""
    lacking: defaultdict[str, list[_Need]] = defaultdict(list)
    for need in _needs(catalog):
        if need.right not in rights.of(need.table):
            lacking[need.table].append(need)
    return tuple(_lacking(name, needs, rights) for name, needs in sorted(lacking.items()))


def _lacking(name: str, needs: list[_Need], rights: Rights) -> LackingRights:
    wanted = {need.right for need in needs}
    held = tuple(right for right in RIGHTS if right in wanted)
    place = f"{_quoted(rights.database)}.{_quoted(name)}"
    statement = f"GRANT {', '.join(held)} ON {place} TO {rights.account};"
    return LackingRights(name, held, tuple(dict.fromkeys(need.purpose for need in needs)), statement)


def _needs(catalog: Catalog) -> Iterator[_Need]:
    for table in catalog.exposed():
        yield from _own_needs(table)
        yield from _custom_needs(table)
        if "DELETE" in _methods(table):
            purpose = f"DELETE of {table.resource}"
            yield from dict.fromkeys(_children_needs(catalog, table.name, purpose, frozenset({table.name})))
    for table in catalog.tables.values():
        if table.resource is None:
            yield _Need(table.name, "SELECT", "what looks into it")


def _own_needs(table: Table) -> Iterator[_Need]:
    yield _Need(table.name, "SELECT", "every request")
    for method, right in (("POST", "INSERT"), ("PATCH", "UPDATE"), ("DELETE", "DELETE")):
        if method in _methods(table):
            yield _Need(table.name, right, method)


def _custom_needs(table: Table) -> Iterator[_Need]:
    """Custom fields are written into a table of their own, which may be somebody else's to read."""
    is_written = {"POST", "PATCH"} & _methods(table)
    for name in dict.fromkeys(field.values for field in table.custom if is_written):
        for right in ("INSERT", "UPDATE"):
            yield _Need(name, right, f"writing custom fields of {table.resource}")


def _methods(table: Table) -> frozenset[str]:
    """The writes that the table takes from anybody."""
    if table.is_view or table.mode is WriteMode.NONE or table.mode_reason:
        return frozenset()
    methods = set() if table.create_refusal else {"POST"}
    if table.key:
        methods |= {"PATCH"} if table.is_delete_forbidden or table.delete_refusal else {"PATCH", "DELETE"}
    return frozenset(methods)


def _children_needs(catalog: Catalog, parent: str, purpose: str, seen: frozenset[str]) -> Iterator[_Need]:
    """Children are looked at; owned ones go along, what depends on them is looked at in turn, freed ones change."""
    for edge in catalog.dependants.get(parent, ()):
        yield _Need(edge.target, "SELECT", purpose)
        if edge.is_freed:
            yield _Need(edge.target, "UPDATE", purpose)
        if edge.is_owned:
            yield _Need(edge.target, "DELETE", purpose)
            if edge.target not in seen:
                yield from _children_needs(catalog, edge.target, purpose, seen | {edge.target})


def _listed(words: tuple[str, ...] | list[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
