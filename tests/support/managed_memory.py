"""Rules of managed tables run on rows in memory, as `operations.writes` runs them on a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.operations.managed.model import (
    Added,
    DeleteRows,
    Draft,
    Extension,
    Found,
    FromKey,
    InsertRow,
    Lookup,
    NewKey,
    Operation,
    Row,
    RowWrite,
    Rule,
    UpdateRows,
)

NOON = datetime(2026, 7, 15, 12, 0)
STAFF = {"staffid": 3, "firstname": "Ada", "lastname": "Berg"}


@dataclass(slots=True)
class Memory:
    """Tables of rows with their key ``id``; ``asked`` are the lookups of the last write."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    now: datetime = NOON
    asked: list[Lookup] = field(default_factory=list)

    def rows(self, table: str) -> list[dict[str, object]]:
        """Return a table's rows."""
        return self.tables.setdefault(table, [])

    def one(self, table: str, key: object) -> dict[str, object]:
        """Return the row of a key."""
        return next(row for row in self.rows(table) if row["id"] == key)

    def take(self, table: str) -> list[dict[str, object]]:
        """Return a table's rows and empty it: what a test has seen is not seen again."""
        return [self.tables[table].pop(0) for _ in range(len(self.rows(table)))]

    def create(self, rule: Rule, table: str, values: Row) -> object:
        """Create a row by its rule and return its key."""
        draft = self._draft(table, "create", values, {})
        extension = self._extend(rule, draft)
        key = self._insert(table, {**values, **extension.main})
        self._finish(extension, {"": key})
        return key

    def update(self, rule: Rule, table: str, key: object, values: Row) -> None:
        """Change a row by its rule."""
        row = self.one(table, key)
        extension = self._extend(rule, self._draft(table, "update", values, dict(row)))
        row.update({**values, **extension.main})
        self._finish(extension, {})

    def delete(self, rule: Rule, table: str, key: object) -> None:
        """Remove a row by its rule."""
        row = self.one(table, key)
        extension = self._extend(rule, self._draft(table, "delete", {}, dict(row)))
        self.rows(table).remove(row)
        self._finish(extension, {})

    def _draft(self, table: str, operation: Operation, values: Row, stored: Row) -> Draft:
        return Draft(table, operation, values, frozenset(values), self.now, 3, stored)

    def _extend(self, rule: Rule, draft: Draft) -> Extension:
        self.asked.clear()
        found = self._find(rule.reads(draft))
        while due := [lookup for lookup in rule.more_reads(draft, found) if lookup.name not in found]:
            found.update(self._find(due))
        return rule.extend(draft, found)

    def _find(self, lookups: Iterable[Lookup]) -> dict[str, tuple[Row, ...]]:
        chosen = tuple(lookups)
        self.asked.extend(chosen)
        found: Found = {
            lookup.name: tuple(
                {name: row[name] for name in lookup.columns}
                for row in self.rows(lookup.table)
                if _matches(row, lookup.where)
            )[: lookup.limit]
            for lookup in chosen
        }
        return dict(found)

    def _finish(self, extension: Extension, keys: Mapping[str, object]) -> None:
        for write in (*extension.before, *extension.after):
            self._write(write, keys)

    def _write(self, write: RowWrite, keys: Mapping[str, object]) -> None:
        match write:
            case InsertRow():
                self._insert(write.table, {name: _known(value, keys) for name, value in write.values.items()})
            case UpdateRows():
                for row in self._matching(write.table, write.where):
                    row.update({name: _new(row[name], _known(value, keys)) for name, value in write.values.items()})
            case DeleteRows():
                for row in self._matching(write.table, write.where):
                    self.rows(write.table).remove(row)

    def _matching(self, table: str, where: Row) -> list[dict[str, object]]:
        return [row for row in self.rows(table) if _matches(row, where)]

    def _insert(self, table: str, values: Row) -> object:
        key = max((int(str(row["id"])) for row in self.rows(table)), default=0) + 1
        self.rows(table).append({"id": key, **values})
        return key


def _matches(row: Row, where: Row) -> bool:
    return all(row[name] in value if isinstance(value, tuple) else row[name] == value for name, value in where.items())


def _known(value: object, keys: Mapping[str, object]) -> object:
    if isinstance(value, NewKey):
        return keys[value.label]
    return value.make(keys[value.label]) if isinstance(value, FromKey) else value


def _new(old: object, value: object) -> object:
    return str(int(str(old)) + value.amount) if isinstance(value, Added) else value
