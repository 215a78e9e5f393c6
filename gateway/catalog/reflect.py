"""A live database -> `Reflection`: its named tables, plain and complete.

What comes in: a SQLAlchemy connection and the names of the tables that are wanted.
What goes out: `catalog.reflected` values. Nothing is decided here; whether a table
is served is `catalog.build`'s question.

SQLAlchemy's inspector is not used for the tables themselves: on MySQL and MariaDB
it has no multi-table form and sends one SHOW CREATE per table, and it turns types
into its own (TIME past a day, JSON on MariaDB and the members of a SET get lost).
The same connection asks information_schema once per kind of fact instead, so the
number of statements depends neither on the tables asked for nor on the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from sqlalchemy import Connection, Select, column, literal_column, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ColumnElement

from gateway.catalog import reflect_mysql, reflect_sqlite
from gateway.catalog.kinds import Dialect, split_words
from gateway.catalog.reflected import CustomField, ReflectedTable, Reflection
from gateway.catalog.rights import Rights

Rows = list[tuple[object, ...]]

_REFUSED: Final = frozenset({1142, 1143})
"""The servers' words for a table, or a column, that the user may not read."""
_UNREADABLE: Final = "the gateway's database user may not read it"


def existing_tables(connection: Connection) -> frozenset[str]:
    """Return the names of every table and view of the database; one statement."""
    return frozenset(_names(connection))


def reflect(
    connection: Connection,
    names: Iterable[str],
    *,
    options_table: str | None = None,
    option_names: Iterable[str] = (),
    custom_fields_table: str | None = None,
    custom_values_table: str | None = None,
) -> Reflection:
    """Return what the database says of the named tables; those it lacks are left out.

    At most thirteen statements, however many tables are named or exist, and one more per
    view if one of the views does not work. Names are
    matched exactly: which spelling of a name exists is seen in ``existing``.
    """
    existing = existing_tables(connection)
    wanted = frozenset(names) & existing
    dialect = dialect_of(connection)
    found: tuple[Mapping[str, ReflectedTable], Mapping[str, str], Rows]
    if dialect == "sqlite":
        found = reflect_sqlite.tables(connection, wanted)
    else:
        found = reflect_mysql.tables(connection, wanted, dialect)
    tables, unreadable, column_rows = found
    options = _options(connection, options_table, option_names, existing)
    definitions = _custom_fields(connection, custom_fields_table, existing)
    closed = {custom_fields_table} if custom_fields_table is not None and definitions is None else set()
    if custom_values_table is not None and custom_values_table in tables:
        closed |= set() if _is_readable(connection, custom_values_table) else {custom_values_table}
    unreadable = {**unreadable, **dict.fromkeys(closed, _UNREADABLE)}
    tables = {name: each for name, each in tables.items() if name not in closed}
    server, rights = _server(connection, existing)
    return Reflection(
        dialect=dialect,
        tables=tables,
        existing=existing,
        fingerprint=_digest(column_rows, options, definitions),
        server=server,
        options=options,
        custom_fields=tuple(_definitions(definitions or [])),
        unreadable=unreadable,
        rights=rights,
    )


def fingerprint(
    connection: Connection,
    names: Iterable[str],
    *,
    options_table: str | None = None,
    option_names: Iterable[str] = (),
    custom_fields_table: str | None = None,
) -> str:
    """Return what `reflect` would say in ``fingerprint``, in at most four statements.

    It covers names, order, types, nullability, defaults and keys of the tables'
    columns, the named options and the definitions of custom fields. A name that
    does not exist yet may be given: the fingerprint changes when it appears.
    """
    existing = existing_tables(connection)
    wanted = frozenset(names) & existing
    is_sqlite = dialect_of(connection) == "sqlite"
    rows_of = reflect_sqlite.column_rows if is_sqlite else reflect_mysql.column_rows
    return _digest(
        rows_of(connection, wanted),
        _options(connection, options_table, option_names, existing),
        _custom_fields(connection, custom_fields_table, existing),
    )


def dialect_of(connection: Connection) -> Dialect:
    """Return which database a connection speaks to; MariaDB is told from MySQL by its version text."""
    if connection.dialect.name == "sqlite":
        return "sqlite"
    return "mariadb" if getattr(connection.dialect, "is_mariadb", False) else "mysql"


def _names(connection: Connection) -> Iterable[str]:
    if dialect_of(connection) == "sqlite":
        return reflect_sqlite.table_names(connection)
    return reflect_mysql.table_names(connection)


def _server(connection: Connection, existing: frozenset[str]) -> tuple[str, Rights]:
    """The server's version, and what the connected user may do there; whoever has an SQLite file may do everything."""
    if dialect_of(connection) != "sqlite":
        return reflect_mysql.server(connection, existing)
    function: ColumnElement[str] = literal_column("sqlite_version()")
    return str(connection.execute(select(function)).scalar_one()), Rights()


def _options(
    connection: Connection, name: str | None, wanted: Iterable[str], existing: frozenset[str]
) -> Mapping[str, str]:
    names = tuple(wanted)
    if name is None or name not in existing or not names:
        return {}
    key: ColumnElement[str] = column("name")
    value: ColumnElement[str | None] = column("value")
    rows = connection.execute(select(key, value).select_from(table(name)).where(key.in_(names)))
    return {str(row[0]): str(row[1]) for row in rows if row[1] is not None}


def _custom_fields(connection: Connection, name: str | None, existing: frozenset[str]) -> Rows | None:
    """The definitions of custom fields, each as its columns' names and values; None where they may not be read."""
    if name is None or name not in existing:
        return []
    try:
        rows = connection.execute(_whole(name)).mappings().all()
    except DBAPIError as error:
        if _errno(error) not in _REFUSED:
            raise
        return None
    return sorted((tuple(row.items()) for row in rows), key=repr)


def _is_readable(connection: Connection, name: str) -> bool:
    """Whether the user may read every column of a table, asked of the server: a role's rights are listed nowhere."""
    try:
        connection.execute(_whole(name).limit(0)).all()
    except DBAPIError as error:
        if _errno(error) not in _REFUSED:
            raise
        return False
    return True


def _whole(name: str) -> Select[Any]:
    return select(literal_column("*")).select_from(table(name))


def _errno(error: DBAPIError) -> object:
    """The number that the server gave an error."""
    arguments = error.orig.args if error.orig is not None else ()
    return arguments[0] if arguments else None


def _definitions(rows: Rows) -> Iterator[CustomField]:
    for row in rows:
        values = dict(cast("Iterable[tuple[str, object]]", row))
        yield CustomField(
            key=int(str(values["id"])),
            slug=str(values.get("slug") or ""),
            name=str(values.get("name") or ""),
            entity=str(values.get("fieldto") or ""),
            type=str(values.get("type") or "input"),
            options=tuple(split_words(str(values.get("options") or ""))),
            is_active=bool(int(str(values.get("active", 1) or 0))),
            is_required=bool(int(str(values.get("required") or 0))),
            order=int(str(values.get("field_order") or 0)),
        )


def _digest(column_rows: Rows, options: Mapping[str, str], custom_fields: Rows | None) -> str:
    said = repr((sorted(column_rows, key=repr), sorted(options.items()), custom_fields))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]
