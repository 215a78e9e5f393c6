"""The Perfex 3.4.1 database schema as SQL, for MySQL/MariaDB and for SQLite.

Comes in: ``columns.csv`` and ``indexes.csv`` of ``gateway.profile.perfex``. Goes out: CREATE statements. The tables
come first and the secondary indexes after them, because filling tables without indexes is faster.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Literal

Dialect = Literal["mysql", "sqlite"]
Kind = Literal["int", "money", "float", "bytes", "text"]

DEFAULT_PREFIX = "tbl"
_FOREIGN_KEYS: tuple[tuple[str, str, str, str], ...] = (
    ("filter_defaults", "filter_id", "filters", "id"),
    ("filter_defaults", "staff_id", "staff", "staffid"),
    ("twocheckout_log", "invoice_id", "invoices", "id"),
)
_FLOATS = frozenset({"double", "float"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``default`` is None without a default, else the CSV's text of it (``NULL``, ``''``, ``0`` …)."""

    name: str
    type: str
    is_nullable: bool
    default: str | None
    is_primary: bool
    extra: str

    @property
    def kind(self) -> Kind:
        """How a generated value is to be read: ``money`` is integer cents."""
        base = self.type.split("(")[0]
        if base == "decimal":
            return "money"
        if base in _FLOATS:
            return "float"
        if base == "blob":
            return "bytes"
        return "int" if base.endswith("int") else "text"


@dataclass(frozen=True, slots=True)
class Index:
    """One secondary index."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table, named without the installation's prefix."""

    name: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]

    @property
    def auto_key(self) -> str | None:
        """The auto-increment key column, where there is one."""
        return next((column.name for column in self.columns if column.extra == "auto_increment"), None)


@cache
def tables() -> tuple[Table, ...]:
    """Return the 126 tables in the order of their names."""
    indexes = {name: tuple(rows) for name, rows in groupby(_read("indexes.csv"), key=lambda row: row["table"])}
    return tuple(
        Table(_bare(name), tuple(map(_column, rows)), tuple(_secondary(indexes.get(name, ()))))
        for name, rows in groupby(_read("columns.csv"), key=lambda row: row["table"])
    )


def schema_statements(dialect: Dialect, prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Return the statements that build the empty schema: tables, then secondary indexes."""
    return [*table_statements(dialect, prefix), *index_statements(dialect, prefix)]


def table_statements(dialect: Dialect, prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Return one CREATE TABLE per table; those with a foreign key come last."""
    referring = {table for table, *_ in _FOREIGN_KEYS}
    ordered = sorted(tables(), key=lambda table: table.name in referring)
    return [_create_table(table, dialect, prefix) for table in ordered]


def index_statements(dialect: Dialect, prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Return the statements that add the secondary indexes, one per table on MySQL, one per index on SQLite."""
    indexed = [table for table in tables() if table.indexes]
    if dialect == "mysql":
        return [_add_indexes(table, prefix) for table in indexed]
    return [_create_index(table, index, prefix) for table in indexed for index in table.indexes]


def quote(name: str, dialect: Dialect) -> str:
    """Return the name as an identifier of the dialect."""
    return f"`{name}`" if dialect == "mysql" else f'"{name}"'


def _read(file_name: str) -> Iterator[dict[str, str]]:
    with (files("gateway.profile.perfex") / file_name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _bare(name: str) -> str:
    return name.removeprefix(DEFAULT_PREFIX)


def _column(row: dict[str, str]) -> Column:
    return Column(
        row["column"], row["type"], row["nullable"] == "YES", row["default"] or None, row["key"] == "PRI", row["extra"]
    )


def _secondary(rows: tuple[dict[str, str], ...]) -> Iterator[Index]:
    for row in rows:
        if row["index"] != "PRIMARY":
            yield Index(row["index"], tuple(row["columns"].split(",")))


def _names(columns: tuple[str, ...], dialect: Dialect) -> str:
    return ", ".join(quote(column, dialect) for column in columns)


def _create_table(table: Table, dialect: Dialect, prefix: str) -> str:
    parts = [_declaration(column, dialect) for column in table.columns]
    key = tuple(column.name for column in table.columns if column.is_primary)
    if key and (dialect == "mysql" or table.auto_key is None):
        parts.append(f"PRIMARY KEY ({_names(key, dialect)})")
    parts += _foreign_keys(table, dialect, prefix)
    body = ",\n  ".join(parts)
    tail = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci" if dialect == "mysql" else ""
    return f"CREATE TABLE {quote(prefix + table.name, dialect)} (\n  {body}\n){tail}"


def _declaration(column: Column, dialect: Dialect) -> str:
    name = quote(column.name, dialect)
    if column.extra == "auto_increment":
        if dialect == "sqlite":
            return f"{name} INTEGER PRIMARY KEY AUTOINCREMENT"
        return f"{name} {column.type} NOT NULL AUTO_INCREMENT"
    words = [name, _type(column.type, dialect), "NULL" if column.is_nullable else "NOT NULL", _default(column)]
    if dialect == "mysql":
        words.append(column.extra)
    return " ".join(word for word in words if word)


def _type(declared: str, dialect: Dialect) -> str:
    """Return the type as written; SQLite takes what its grammar has no words for as a quoted type name."""
    is_odd = " " in declared or declared.startswith("enum")
    return f'"{declared}"' if dialect == "sqlite" and is_odd else declared


def _default(column: Column) -> str:
    if column.default is None:
        return ""
    if column.default in ("NULL", "CURRENT_TIMESTAMP", "''"):
        return f"DEFAULT {column.default}"
    return f"DEFAULT {column.default}" if column.kind in ("int", "money") else f"DEFAULT '{column.default}'"


def _foreign_keys(table: Table, dialect: Dialect, prefix: str) -> list[str]:
    """Return the declared foreign keys; MySQL wants an index under each, which is listed among the indexes later."""
    return [
        f"CONSTRAINT {quote(f'{prefix}{owner}_{column}_fk', dialect)} FOREIGN KEY ({quote(column, dialect)}) "
        f"REFERENCES {quote(prefix + parent, dialect)} ({quote(key, dialect)}) ON DELETE CASCADE"
        for owner, column, parent, key in _FOREIGN_KEYS
        if owner == table.name
    ]


def _create_index(table: Table, index: Index, prefix: str) -> str:
    """Return the index for SQLite, where index names share one namespace with tables."""
    name = f"{prefix}{table.name}"
    return f'CREATE INDEX "{name}_{index.name}_idx" ON "{name}" ({_names(index.columns, "sqlite")})'


def _add_indexes(table: Table, prefix: str) -> str:
    adds = ", ".join(f"ADD INDEX `{index.name}` ({_names(index.columns, 'mysql')})" for index in table.indexes)
    return f"ALTER TABLE `{prefix}{table.name}` {adds}"
