"""What differs between the databases, in one place: dialect objects and the few odd spellings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import CHAR
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect as SqlDialect

from gateway.catalog.kinds import ColumnType, Dialect
from gateway.query.plan import Slot
from gateway.sql.statement import Constant, LinkValue

DIALECTS: Final[Mapping[Dialect, SqlDialect]] = MappingProxyType(
    {
        "mariadb": MariaDBDialect(paramstyle="format"),
        "mysql": MySQLDialect(paramstyle="format"),
        "sqlite": SQLiteDialect(paramstyle="qmark"),
    }
)

SQLITE_COLLATION: Final = "gateway_ci"
"""The case- and accent-insensitive collation that the SQLite executor registers."""

Element = sa.ColumnElement[Any]


def slot_parameter(slot: Slot) -> sa.BindParameter[Any]:
    """Return the placeholder of a slot; a slot used twice is bound twice."""
    return sa.bindparam(f"s{slot}", type_=sa.types.NullType())


def count_parameter(slot: Slot) -> sa.BindParameter[int]:
    """Return the placeholder of a slot that holds a LIMIT or OFFSET."""
    return sa.bindparam(f"s{slot}", type_=sa.Integer())


def link_parameter(place: int) -> sa.BindParameter[Any]:
    """Return the placeholder of a value of rows that were read before."""
    return sa.bindparam(f"k{place}", type_=sa.types.NullType())


def link_count_parameter(place: int) -> sa.BindParameter[int]:
    """Return the placeholder of a LIMIT that is known when the parents are."""
    return sa.bindparam(f"k{place}", type_=sa.Integer())


def constant(value: object) -> sa.BindParameter[Any]:
    """Return the placeholder of a value that the catalog fixes."""
    return sa.bindparam("c", value, unique=True, type_=sa.types.NullType())


def render(element: sa.ClauseElement, dialect: Dialect) -> tuple[str, tuple[Slot | Constant | LinkValue, ...]]:
    """Return the SQL text of an element and the source of each placeholder, in order."""
    compiled = element.compile(dialect=DIALECTS[dialect])
    assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
    names = compiled.positiontup or ()
    return compiled.string, tuple(_source(compiled.binds[name]) for name in names)


def _source(bound: sa.BindParameter[Any]) -> Slot | Constant | LinkValue:
    letter, number = bound.key[:1], bound.key[1:]
    if not number.isdigit() or letter not in ("s", "k"):
        return Constant(bound.value)
    return int(number) if letter == "s" else LinkValue(int(number))


def collated(element: Element, column_type: ColumnType, dialect: Dialect) -> Element:
    """Return text as it compares: by the column's own collation, on SQLite by ours."""
    if dialect == "sqlite" and column_type.kind.family == "text":
        return element.collate(SQLITE_COLLATION)
    return element


def first_characters(element: Element, length: int, dialect: Dialect) -> Element:
    """Return the first characters of a text."""
    number: Element = sa.literal_column(str(length))
    if dialect == "sqlite":
        return sa.func.substr(element, sa.literal_column("1"), number)
    return sa.func.left(element, number)


def bytewise(element: Element, parameter: Element, dialect: Dialect) -> Element:
    """Return the comparison of two texts byte by byte, whatever their collation."""
    if dialect == "sqlite":
        return element.collate("BINARY") == parameter
    return sa.and_(element == parameter, _binary(element) == sa.cast(parameter, sa.LargeBinary))


def _binary(element: Element) -> Element:
    """The bytes of a text in UTF-8, which is what a parameter is sent as."""
    return sa.cast(sa.cast(element, CHAR(charset="utf8mb4")), sa.LargeBinary)


def is_whole_number(element: Element, dialect: Dialect) -> Element:
    """Return whether a text holds a whole number, the guard of a CAST."""
    if dialect == "sqlite":
        return sa.and_(element != "", ~element.op("GLOB")("*[^0-9]*"))
    return element.op("REGEXP")("^[0-9]{1,18}$")


def number_in(element: Element, dialect: Dialect) -> Element:
    """Return the whole number that a text holds, NULL when it holds none."""
    number = sa.cast(element, sa.Integer)
    return sa.case((is_whole_number(element, dialect), number), else_=None)


def joined_text(elements: tuple[Element, ...], dialect: Dialect) -> Element:
    """Return texts as one, joined by a space, empty and missing ones left out."""
    if dialect == "sqlite":
        whole: Element = sa.func.coalesce(elements[0], "")
        for element in elements[1:]:
            whole = whole.op("||")(" ").op("||")(sa.func.coalesce(element, ""))
        return sa.func.trim(whole)
    return sa.func.trim(sa.func.concat_ws(constant(" "), *elements))


def is_zero_date(element: Element, column_type: ColumnType, dialect: Dialect) -> Element | None:
    """Return whether a stored moment is MySQL's zero date; None where there is no such thing.

    A zero date is null to a client, so no comparison may match it (SPEC section 3).
    """
    name = column_type.kind.name
    if dialect == "sqlite" or name not in ("date", "datetime", "timestamp"):
        return None
    return element == sa.literal_column("0") if name == "timestamp" else element < constant("0001-01-01")


def limited_count(text: str, dialect: Dialect, deadline_s: float | None) -> str:
    """Return a SELECT that the server stops after a deadline, where it can."""
    if deadline_s is None or dialect == "sqlite":
        return text
    if dialect == "mariadb":
        return f"SET STATEMENT max_statement_time={deadline_s:.3f} FOR {text}"
    return text.replace("SELECT ", f"SELECT /*+ MAX_EXECUTION_TIME({max(1, round(deadline_s * 1000))}) */ ", 1)
