"""What MySQL and MariaDB say of their tables, read from information_schema.

One statement per kind of fact; `catalog.reflect` is the door. The two servers
spell defaults, check constraints and JSON differently: here they become alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, literal_column, select, table, text, union_all
from sqlalchemy.exc import DBAPIError

from gateway.catalog.kinds import Dialect
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey, ReflectedTable
from gateway.catalog.rights import GrantRow, Rights, rights_of

_BROKEN_VIEW: Final = "the view does not work: it names a table, column or definer that the database lacks"
_NO_COLUMNS: Final = "the database shows none of its columns to this user"

# Names are told apart by case here, whatever information_schema's collation says, so rows are matched again in Python.
_COLUMNS: Final = """
    SELECT table_name AS owner, column_name AS c, ordinal_position AS p, column_type AS sql_type,
           is_nullable AS is_nullable, column_default AS column_default, extra AS extra, column_key AS column_key
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN :names
    ORDER BY table_name, ordinal_position"""
_TABLES: Final = """
    SELECT table_name AS owner, table_type AS table_type FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name IN :names"""
_INDEXES: Final = """
    SELECT table_name AS owner, index_name AS i, non_unique AS non_unique, column_name AS c, sub_part AS sub_part
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name IN :names AND index_type NOT IN ('FULLTEXT', 'SPATIAL')
    ORDER BY table_name, index_name, seq_in_index"""
_REFERENCES: Final = """
    SELECT table_name AS owner, constraint_name AS n, column_name AS c,
           referenced_table_name AS target, referenced_column_name AS target_column
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() AND table_name IN :names
    ORDER BY table_name, constraint_name, ordinal_position"""
_RULES: Final = """
    SELECT table_name AS owner, constraint_name AS n, delete_rule AS delete_rule
    FROM information_schema.referential_constraints
    WHERE constraint_schema = DATABASE() AND table_name IN :names"""
_CHECKS: Final = """
    SELECT table_name AS owner, check_clause AS clause FROM information_schema.check_constraints
    WHERE constraint_schema = DATABASE() AND table_name IN :names AND check_clause LIKE 'json_valid(%'"""
_TABLE_NAMES: Final = """
    SELECT table_name AS owner FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')"""
_SERVER: Final = "SELECT version() AS version, DATABASE() AS name, CURRENT_USER() AS account, CURRENT_ROLE() AS role"
_GRANTS: Final = """
    SELECT 'user' AS level, grantee AS grantee, '' AS owner, privilege_type AS privilege
    FROM information_schema.user_privileges WHERE grantee = :grantee
    UNION ALL SELECT 'schema', grantee, table_schema, privilege_type
    FROM information_schema.schema_privileges WHERE grantee = :grantee
    UNION ALL SELECT 'table', grantee, table_name, privilege_type
    FROM information_schema.table_privileges WHERE grantee = :grantee AND table_schema = DATABASE()
    UNION ALL SELECT DISTINCT 'column', grantee, table_name, privilege_type
    FROM information_schema.column_privileges WHERE grantee = :grantee AND table_schema = DATABASE()"""

_GENERATED: Final = ("virtual generated", "stored generated", "persistent")
_JSON_CHECK: Final = re.compile(r"json_valid\(`((?:[^`]|``)*)`\)", re.IGNORECASE)


def table_names(connection: Connection) -> Iterable[str]:
    """Return the names of every table and view of the database; SQLAlchemy's own list lacks system-versioned tables."""
    return [str(row.owner) for row in connection.execute(text(_TABLE_NAMES))]


def server(connection: Connection, existing: Collection[str]) -> tuple[str, Rights]:
    """Return the server's version, and what the connected user may do with the database; two statements."""
    told = connection.execute(text(_SERVER)).one()
    user, _, host = str(told.account).rpartition("@")
    # information_schema puts quotes around both names and escapes nothing in them.
    grantee = f"'{user}'@'{host}'"
    rows = connection.execute(text(_GRANTS), {"grantee": grantee})
    rights = rights_of(
        [GrantRow(row.level, row.owner, row.privilege) for row in rows if row.grantee == grantee],
        existing,
        database=str(told.name),
        account=f"{_quoted(user)}@{_quoted(host)}",
        has_role=told.role not in (None, "", "NONE"),  # no role is NULL on MariaDB, NONE on MySQL
    )
    return str(told.version), rights


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def column_rows(connection: Connection, names: Collection[str]) -> list[tuple[object, ...]]:
    """Return what the fingerprint is made of: every column of the tables with all that is said of it."""
    return [tuple(row) for row in _ask(connection, _COLUMNS, names)]


def tables(
    connection: Connection, names: Collection[str], dialect: Dialect
) -> tuple[Mapping[str, ReflectedTable], Mapping[str, str], list[tuple[object, ...]]]:
    """Return the tables by name, the reasons why others cannot be read, and the rows of `column_rows`."""
    columns = _ask(connection, _COLUMNS, names)
    by_table = _grouped(columns)
    facts = _Facts(
        dialect,
        json_columns=_json_columns(_ask(connection, _CHECKS, names)) if dialect == "mariadb" else frozenset(),
        indexes=_grouped(_ask(connection, _INDEXES, names)),
        references=_grouped(_ask(connection, _REFERENCES, names)),
        cascading=frozenset((r.owner, r.n) for r in _ask(connection, _RULES, names) if r.delete_rule == "CASCADE"),
    )
    reflected: dict[str, ReflectedTable] = {}
    unreadable: dict[str, str] = {}
    kinds = {row.owner: row.table_type for row in _ask(connection, _TABLES, names)}
    broken = _broken_views(connection, [name for name, kind in kinds.items() if kind == "VIEW"])
    for name, kind in kinds.items():
        if name in broken:
            unreadable[name] = _BROKEN_VIEW
        elif name not in by_table:
            unreadable[name] = _NO_COLUMNS
        else:
            reflected[name] = _table(name, by_table[name], kind == "VIEW", facts)
    return reflected, unreadable, [tuple(row) for row in columns]


def _broken_views(connection: Connection, views: Sequence[str]) -> frozenset[str]:
    """The views that cannot be selected from. One statement asks all of them; if that fails, each is asked.

    information_schema shows the columns of a view whose definer has gone as if it worked.
    """
    if not views or _can_select(connection, views):
        return frozenset()
    return frozenset(name for name in views if not _can_select(connection, [name]))


def _can_select(connection: Connection, views: Sequence[str]) -> bool:
    nothing: list[Select[tuple[object]]] = [
        select(literal_column("1")).select_from(table(name)).where(text("1 = 0")) for name in views
    ]
    try:
        connection.execute(union_all(*nothing))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False
    return True


class _Facts(NamedTuple):
    """What was asked once for all tables."""

    dialect: Dialect
    json_columns: frozenset[tuple[str, str]]
    indexes: Mapping[str, Sequence[Row[Any]]]
    references: Mapping[str, Sequence[Row[Any]]]
    cascading: frozenset[tuple[str, str]]


def _ask(connection: Connection, sql: str, names: Collection[str]) -> list[Row[Any]]:
    if not names:
        return []
    rows = connection.execute(text(sql).bindparams(bindparam("names", sorted(names), expanding=True)))
    return [row for row in rows if row.owner in names]


def _grouped(rows: Iterable[Row[Any]]) -> Mapping[str, Sequence[Row[Any]]]:
    grouped: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.owner].append(row)
    return grouped


def _json_columns(checks: Iterable[Row[Any]]) -> frozenset[tuple[str, str]]:
    """The columns MariaDB keeps as LONGTEXT with a check that they hold JSON, which is all its JSON type is."""
    found = ((row.owner, _JSON_CHECK.fullmatch(row.clause)) for row in checks)
    return frozenset((name, match[1].replace("``", "`")) for name, match in found if match is not None)


def _table(name: str, rows: Sequence[Row[Any]], is_view: bool, facts: _Facts) -> ReflectedTable:
    index_lists = _index_lists(facts.indexes.get(name, ()))
    return ReflectedTable(
        name=name,
        columns=tuple(_column(row, facts) for row in rows),
        primary_key=next((item.columns for item in index_lists if item.name == "PRIMARY"), ()),
        unique_keys=tuple(item.columns for item in index_lists if item.is_unique and item.name != "PRIMARY"),
        indexes=tuple(item.columns for item in index_lists if item.columns),
        foreign_keys=_foreign_keys(name, facts),
        is_view=is_view,
    )


def _column(row: Row[Any], facts: _Facts) -> ReflectedColumn:
    extra = (row.extra or "").lower()
    sql_type = _text(row.sql_type)
    if sql_type == "longtext" and (row.owner, row.c) in facts.json_columns:
        sql_type = "json"
    is_expression = "default_generated" in extra
    return ReflectedColumn(
        name=row.c,
        sql_type=sql_type,
        is_nullable=row.is_nullable == "YES",
        default=default_text(row.column_default, is_literal=facts.dialect == "mysql" and not is_expression),
        is_auto_increment="auto_increment" in extra,
        is_generated=any(word in extra for word in _GENERATED),
        is_touched="on update" in extra,
    )


def default_text(value: str | bytes | None, *, is_literal: bool) -> str | None:
    """Return a default as `ReflectedColumn` has it: MySQL gives the value of a literal, MariaDB its SQL.

    >>> default_text("'x'", is_literal=False), default_text("'x'", is_literal=True)
    ('x', "'x'")
    >>> default_text("NULL", is_literal=False), default_text("NULL", is_literal=True)
    (None, 'NULL')
    """
    return None if value is None else _text(value) if is_literal else default_of_sql(_text(value))


def default_of_sql(sql: str) -> str | None:
    """Return the value of a literal default, the text of an expression, or None for NULL.

    >>> default_of_sql("'it''s'"), default_of_sql("0"), default_of_sql("current_timestamp()"), default_of_sql("NULL")
    ("it's", '0', 'current_timestamp()', None)
    """
    if sql.upper() == "NULL":
        return None
    if len(sql) > 1 and sql[0] == sql[-1] == "'":
        return sql[1:-1].replace("''", "'").replace("\\\\", "\\")
    return sql


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class _IndexList(NamedTuple):
    name: str
    columns: tuple[str, ...]
    is_unique: bool


def _index_lists(rows: Sequence[Row[Any]]) -> tuple[_IndexList, ...]:
    """The indexes of a table. One on an expression counts up to it, and one on the start of a text is not unique."""
    parts: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        parts[row.i].append(row)
    return tuple(_index_list(name, items) for name, items in parts.items())


def _index_list(name: str, parts: Sequence[Row[Any]]) -> _IndexList:
    columns: list[str] = []
    for part in parts:
        if part.c is None:
            break
        columns.append(part.c)
    is_whole = len(columns) == len(parts) and all(part.sub_part is None for part in parts)
    return _IndexList(name, tuple(columns), is_whole and not parts[0].non_unique)


def _foreign_keys(name: str, facts: _Facts) -> tuple[ReflectedForeignKey, ...]:
    parts: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in facts.references.get(name, ()):
        parts[row.n].append(row)
    return tuple(
        ReflectedForeignKey(
            columns=tuple(row.c for row in rows),
            target=rows[0].target,
            target_columns=tuple(row.target_column for row in rows),
            is_cascading=(name, constraint) in facts.cascading,
        )
        for constraint, rows in parts.items()
    )
