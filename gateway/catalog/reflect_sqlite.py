"""What SQLite says of its tables, read from sqlite_master and the pragma functions.

One statement per kind of fact; `catalog.reflect` is the door. SQLite serves the
demo and the unit tests (SPEC section 1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.exc import DatabaseError

from gateway.catalog.reflect_mysql import default_of_sql
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey, ReflectedTable

_BROKEN_VIEW: Final = "the view does not work: it names a table or column that the database lacks"

_TABLE_NAMES: Final = """
    SELECT name AS owner FROM sqlite_master
    WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"""
_MASTER: Final = "SELECT name AS owner, type, coalesce(sql, '') AS sql FROM sqlite_master WHERE name IN :names"
_COLUMNS: Final = """
    SELECT m.name AS owner, x.name AS c, x.cid, x.type AS sql_type, x."notnull" AS is_not_null,
           x.dflt_value, x.pk, x.hidden
    FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x
    WHERE m.name IN :names AND m.type IN ('table', 'view') ORDER BY m.name, x.cid"""
_INDEXES: Final = """
    SELECT m.name AS owner, l.name AS i, l."unique" AS is_unique, l.origin, l.partial, p.name AS c
    FROM sqlite_master AS m, pragma_index_list(m.name) AS l, pragma_index_info(l.name) AS p
    WHERE m.name IN :names AND m.type = 'table' ORDER BY m.name, l.name, p.seqno"""
_REFERENCES: Final = """
    SELECT m.name AS owner, f.id AS n, f."from" AS c, f."table" AS target, f."to" AS target_column, f.on_delete
    FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
    WHERE m.name IN :names AND m.type = 'table' ORDER BY m.name, f.id, f.seq"""

Rows = Sequence[Row[Any]]


def table_names(connection: Connection) -> Iterable[str]:
    """Return the names of every table and view of the database."""
    return [str(row.owner) for row in connection.execute(text(_TABLE_NAMES))]


def column_rows(connection: Connection, names: Collection[str]) -> list[tuple[object, ...]]:
    """Return what the fingerprint is made of: every column of the tables with all that is said of it."""
    return [tuple(row) for row in _columns(connection, names)[0]]


def tables(
    connection: Connection, names: Collection[str]
) -> tuple[Mapping[str, ReflectedTable], Mapping[str, str], list[tuple[object, ...]]]:
    """Return the tables by name, the reasons why others cannot be read, and the rows of `column_rows`."""
    columns, broken = _columns(connection, names)
    by_table, indexes = _grouped(columns), _grouped(_ask(connection, _INDEXES, names))
    keys = {name: _primary_key(rows) for name, rows in by_table.items()}
    references = _grouped(_ask(connection, _REFERENCES, names))
    reflected: dict[str, ReflectedTable] = {}
    for row in _ask(connection, _MASTER, names):
        if row.owner in by_table and row.type in ("table", "view"):
            lists = _index_lists(indexes.get(row.owner, ()))
            key = keys[row.owner]
            has_row_id = not row.sql.upper().rstrip("; \n").endswith("WITHOUT ROWID")
            reflected[row.owner] = ReflectedTable(
                name=row.owner,
                columns=tuple(_column(item, key, has_row_id) for item in by_table[row.owner]),
                primary_key=key,
                unique_keys=tuple(names for names, is_unique in lists if is_unique and names != key),
                indexes=tuple(dict.fromkeys(([key] if key else []) + [names for names, _ in lists])),
                foreign_keys=_foreign_keys(references.get(row.owner, ()), keys),
                is_view=row.type == "view",
            )
    return reflected, dict.fromkeys(broken, _BROKEN_VIEW), [tuple(row) for row in columns]


def _ask(connection: Connection, sql: str, names: Collection[str]) -> list[Row[Any]]:
    if not names:
        return []
    return list(connection.execute(text(sql).bindparams(bindparam("names", sorted(names), expanding=True))))


def _columns(connection: Connection, names: Collection[str]) -> tuple[list[Row[Any]], tuple[str, ...]]:
    """The columns of the tables; one view that no longer works fails the whole question, so it is then asked singly."""
    try:
        return _ask(connection, _COLUMNS, names), ()
    except DatabaseError:
        return _columns_one_by_one(connection, names)


def _columns_one_by_one(connection: Connection, names: Collection[str]) -> tuple[list[Row[Any]], tuple[str, ...]]:
    found: list[Row[Any]] = []
    broken: list[str] = []
    for name in sorted(names):
        try:
            found += _ask(connection, _COLUMNS, [name])
        except DatabaseError:
            broken.append(name)
    return found, tuple(broken)


def _grouped(rows: Iterable[Row[Any]]) -> Mapping[str, Rows]:
    grouped: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.owner].append(row)
    return grouped


def _primary_key(rows: Rows) -> tuple[str, ...]:
    return tuple(row.c for row in sorted((row for row in rows if row.pk), key=lambda row: int(row.pk)))


def _column(row: Row[Any], key: tuple[str, ...], has_row_id: bool) -> ReflectedColumn:
    # An INTEGER PRIMARY KEY is the row's own number: SQLite fills it, and it is never null.
    is_row_id = has_row_id and key == (row.c,) and row.sql_type.upper() == "INTEGER"
    return ReflectedColumn(
        name=row.c,
        sql_type=row.sql_type,
        is_nullable=not (row.is_not_null or is_row_id or row.pk),
        default=None if row.dflt_value is None else default_of_sql(row.dflt_value),
        is_auto_increment=is_row_id,
        is_generated=row.hidden in (2, 3),
    )


def _index_lists(rows: Rows) -> list[tuple[tuple[str, ...], bool]]:
    """The columns of each index and whether they are unique; partial ones and those on expressions are left out."""
    parts: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        parts[row.i].append(row)
    return [
        (tuple(item.c for item in items), bool(items[0].is_unique))
        for items in parts.values()
        if not items[0].partial and all(item.c is not None for item in items)
    ]


def _foreign_keys(rows: Rows, keys: Mapping[str, tuple[str, ...]]) -> tuple[ReflectedForeignKey, ...]:
    parts: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        parts[row.n].append(row)
    found = (_foreign_key(items, keys) for items in parts.values())
    return tuple(item for item in found if item is not None)


def _foreign_key(rows: Rows, keys: Mapping[str, tuple[str, ...]]) -> ReflectedForeignKey | None:
    """A reference without column names means the target's primary key, unknown if the target was not asked for."""
    target = rows[0].target
    target_columns = tuple(row.target_column for row in rows)
    if None in target_columns:
        target_columns = keys.get(target, ())
    if len(target_columns) != len(rows):
        return None
    return ReflectedForeignKey(tuple(row.c for row in rows), target, target_columns, rows[0].on_delete == "CASCADE")
