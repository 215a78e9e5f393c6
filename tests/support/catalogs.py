"""Catalogs without a database: Perfex's from its packaged schema facts, and tiny ones made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from gateway.catalog.build import Built, build_catalog
from gateway.catalog.exposure import Exposure, Mark, Name, TableExposure
from gateway.catalog.kinds import Dialect
from gateway.catalog.knowledge import Profile, parse_profile
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey, ReflectedTable, Reflection
from gateway.profile import load_profile

ZONE = ZoneInfo("Europe/Berlin")
"""A zone with daylight saving, and not the machine's."""

FILE = "whitelist.yaml"
START = Mark(FILE, 1, 1)

Facts = Mapping[str, str]


@cache
def _facts() -> Mapping[str, Any]:
    return load_profile("perfex")


@cache
def perfex_profile() -> Profile:
    """Return the packaged profile."""
    return parse_profile(_facts())


def perfex_reflection(
    dialect: Dialect = "mariadb", *, without: Iterable[str] = (), options: Mapping[str, str] | None = None
) -> Reflection:
    """Return all Perfex tables as the database would describe them, ``without`` some tables or ``table.column``s.

    Names in ``without`` stand with the ``tbl`` prefix.
    """
    data = _facts()
    lacking = frozenset(without)
    columns = _by_table(row for row in data["columns"] if f"{row['table']}.{row['column']}" not in lacking)
    indexes = _by_table(data["indexes"])
    tables = {name: _table(name, rows, indexes.get(name, [])) for name, rows in columns.items() if name not in lacking}
    return Reflection(
        dialect, tables, frozenset(tables), "facts", options=options or {"default_timezone": "Europe/Berlin"}
    )


def _by_table(rows: Iterable[Facts]) -> dict[str, list[Facts]]:
    found: dict[str, list[Facts]] = {}
    for row in rows:
        found.setdefault(row["table"], []).append(row)
    return found


def _table(name: str, columns: list[Facts], indexes: list[Facts]) -> ReflectedTable:
    keys = tuple(tuple(part.strip() for part in row["columns"].split(",")) for row in indexes)
    return ReflectedTable(
        name,
        tuple(_column(row) for row in columns),
        primary_key=tuple(row["column"] for row in columns if row["key"] == "PRI"),
        unique_keys=tuple(
            key for key, row in zip(keys, indexes, strict=True) if row["unique"] == "YES" and row["index"] != "PRIMARY"
        ),
        indexes=keys,
        foreign_keys=DECLARED_KEYS.get(name, ()),
    )


def _column(row: Facts) -> ReflectedColumn:
    return ReflectedColumn(
        row["column"],
        row["type"],
        is_nullable=row["nullable"] == "YES",
        default=None if row["default"] in ("", "NULL") else row["default"].strip("'"),
        is_auto_increment="auto_increment" in row["extra"],
        is_generated="GENERATED" in row["extra"].upper(),
    )


DECLARED_KEYS: Mapping[str, tuple[ReflectedForeignKey, ...]] = {
    "tblfilter_defaults": (
        ReflectedForeignKey(("filter_id",), "tblfilters", ("id",), is_cascading=True),
        ReflectedForeignKey(("staff_id",), "tblstaff", ("staffid",), is_cascading=True),
    ),
    "tbltwocheckout_log": (ReflectedForeignKey(("invoice_id",), "tblinvoices", ("id",), is_cascading=True),),
}
"""The only foreign keys that Perfex declares."""


def exposure_of(*tables: str | TableExposure, profile: str | None = "perfex", prefix: str | None = None) -> Exposure:
    """Return a whitelist of these tables, each on a line of its own."""
    entries = tuple(
        table if isinstance(table, TableExposure) else TableExposure(Name(table, Mark(FILE, line, 3)))
        for line, table in enumerate(tables, start=2)
    )
    return Exposure(FILE, profile, prefix, entries)


def names(*texts: str, line: int = 1) -> tuple[Name, ...]:
    """Return names as a whitelist would hold them, all on one line."""
    return tuple(Name(text, Mark(FILE, line, 7 + position)) for position, text in enumerate(texts))


def everything() -> Exposure:
    """Return a whitelist of every Perfex table that can be exposed."""
    profile = perfex_profile()
    return exposure_of(*sorted(name for name, table in profile.tables.items() if _is_exposable(name, profile)))


def _is_exposable(name: str, profile: Profile) -> bool:
    return bool(profile.tables[name].columns) and name not in profile.never_exposed


def perfex_built(exposure: Exposure | None = None, reflection: Reflection | None = None) -> Built:
    """Return the Perfex catalog of ``exposure`` (everything without one) with its problems."""
    return build_catalog(reflection or perfex_reflection(), exposure or everything(), perfex_profile(), zone=ZONE)


def perfex_catalog(exposure: Exposure | None = None, dialect: Dialect = "mariadb") -> Catalog:
    """Return the Perfex catalog of ``exposure``, or of every table that can be exposed.

    Raises:
        AssertionError: the whitelist is wrong.
    """
    built = perfex_built(exposure, perfex_reflection(dialect))
    assert not built.problems, "\n".join(map(str, built.problems))
    return built.catalog


def reflected(
    name: str,
    *columns: str | ReflectedColumn,
    key: tuple[str, ...] | None = None,
    foreign_keys: Iterable[ReflectedForeignKey] = (),
    unique_keys: Iterable[tuple[str, ...]] = (),
    is_view: bool = False,
) -> ReflectedTable:
    """Return a table made by hand; a column is ``"name type"``, ``"name type!"`` when it cannot be null.

    Without ``key`` the first column is the primary key and numbers itself when it is an
    ``int!``; a view has none.

    >>> reflected("pets", "id int!", "name varchar(20)!", "weight decimal(5,2)").primary_key
    ('id',)
    """
    made = tuple(
        column if isinstance(column, ReflectedColumn) else _by_hand(column, position == 0 and key is None)
        for position, column in enumerate(columns)
    )
    own_key = (() if is_view else (made[0].name,)) if key is None else key
    return ReflectedTable(
        name, made, own_key, tuple(unique_keys), (own_key,) if own_key else (), tuple(foreign_keys), is_view
    )


def _by_hand(text: str, is_first: bool) -> ReflectedColumn:
    name, _, sql_type = text.partition(" ")
    bare = sql_type.removesuffix("!")
    return ReflectedColumn(
        name, bare, is_nullable=bare == sql_type, is_auto_increment=is_first and bare.startswith("int")
    )


def reflection_of(*tables: ReflectedTable, dialect: Dialect = "mariadb") -> Reflection:
    """Return these tables as a database's whole content."""
    by_name = {table.name: table for table in tables}
    return Reflection(dialect, by_name, frozenset(by_name), "by hand")


def make_catalog(*tables: ReflectedTable, exposure: Exposure | None = None, dialect: Dialect = "mariadb") -> Catalog:
    """Return the catalog of a database without a profile that has these tables, all exposed unless told otherwise.

    >>> catalog = make_catalog(reflected("pets", "id int!", "name varchar(20)!"))
    >>> list(catalog.resources["pets"].fields)
    ['id', 'name']

    Raises:
        AssertionError: the whitelist is wrong.
    """
    wanted = exposure or exposure_of(*(table.name for table in tables), profile=None)
    built = build_catalog(reflection_of(*tables, dialect=dialect), wanted, None, zone=ZONE)
    assert not built.problems, "\n".join(map(str, built.problems))
    return built.catalog
