"""Custom fields and labels -> SQL: exact text per dialect, and nothing of a definition in it."""

from __future__ import annotations

import re
from calendar import monthrange

import pytest
import sqlalchemy as sa

from gateway.catalog.kinds import KINDS, ColumnType, Dialect, parse_sql_type
from gateway.catalog.model import Column, CustomField, LabelField
from gateway.sql import custom
from gateway.sql.custom import custom_value, label_value
from gateway.sql.dialects import Element, render
from gateway.sql.statement import Constant

KEY = Column("userid", parse_sql_type("int(11)"))
CLIENTS = sa.table("tblclients").alias("t")
FOUND = (
    "FROM tblcustomfieldsvalues AS t_1 WHERE t_1.relid = t.userid AND t_1.fieldid = {mark} AND t_1.fieldto = {mark} "
    "ORDER BY t_1.id LIMIT 1"
)


def field(kind: str) -> CustomField:
    column_type = parse_sql_type(kind) if kind in ("date", "datetime") else ColumnType(KINDS[kind], "mediumtext")
    return CustomField("custom.x", column_type, "tblclients", "tblcustomfieldsvalues", KEY, "customers", 3)


def rendered(element: Element, dialect: Dialect) -> tuple[str, list[object]]:
    """Return the text of a selected element on one line, and its parameters."""
    text, parameters = render(sa.select(element).select_from(CLIENTS), dialect)
    return " ".join(text.split()), [each.value for each in parameters if isinstance(each, Constant)]


@pytest.mark.parametrize("dialect", ["mariadb", "mysql"])
@pytest.mark.parametrize(
    ("kind", "value", "patterns"),
    [
        ("string", "nullif(t_1.value, '')", 0),
        ("multiline", "nullif(t_1.value, '')", 0),
        ("words", "nullif(t_1.value, '')", 0),
        ("number", "CAST(CASE WHEN (t_1.value REGEXP %s) THEN t_1.value ELSE NULL END AS DECIMAL(65, 30))", 1),
        ("date", "CAST(CASE WHEN (t_1.value REGEXP %s) THEN t_1.value ELSE NULL END AS DATE)", 1),
        ("datetime", "CAST(CASE WHEN (t_1.value REGEXP %s) THEN t_1.value ELSE NULL END AS DATETIME)", 1),
    ],
)
def test_a_value_is_one_lookup_by_the_rows_key(dialect: Dialect, kind: str, value: str, patterns: int) -> None:
    """The oldest value counts; the guard stands inside of the CAST, so that nothing is cast that cannot be."""
    text, parameters = rendered(custom_value(field(kind), CLIENTS, "t_1", dialect), dialect)

    assert f"SELECT (SELECT {value} AS " in text
    assert FOUND.format(mark="%s") in text
    assert text.endswith(" FROM tblclients AS t")
    assert parameters[patterns:] == [3, "customers"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "nullif(t_1.value, '')"),
        ("number", "CAST(t_1.value AS NUMERIC)"),
        ("date", "CASE WHEN ((t_1.value GLOB ?) AND date(t_1.value) = t_1.value) THEN t_1.value ELSE NULL END"),
        ("datetime", "THEN datetime(t_1.value) ELSE NULL END"),
    ],
)
def test_sqlite_finds_the_same_by_its_own_means(kind: str, value: str) -> None:
    """It has no regular expressions, and keeps days as text."""
    text, parameters = rendered(custom_value(field(kind), CLIENTS, "t_1", "sqlite"), "sqlite")

    assert value in text
    assert FOUND.format(mark="?") in text
    assert parameters[-3:-1] == [3, "customers"]


@pytest.mark.parametrize("dialect", ["mariadb", "mysql", "sqlite"])
def test_a_label_is_a_case_of_parameters(dialect: Dialect) -> None:
    """A code without a word has none."""
    words: tuple[tuple[int | str, str], ...] = ((1, "it's; --"), (2, "Paid"))
    label = LabelField("status_label", parse_sql_type("varchar(255)"), Column("status", parse_sql_type("int")), words)
    mark = "?" if dialect == "sqlite" else "%s"
    text, parameters = rendered(label_value(label, CLIENTS), dialect)

    case = f"CASE WHEN (t.status = {mark}) THEN {mark} WHEN (t.status = {mark}) THEN {mark} ELSE NULL END"
    assert text.startswith(f"SELECT {case} AS ")
    assert parameters == [1, "it's; --", 2, "Paid"]


def test_the_pattern_of_days_is_the_calendar() -> None:
    """Leap years by all of their rules, from the year 1000 on."""
    pattern = re.compile(custom._DATE)
    for year in (*range(1590, 1610), *range(1896, 2030), *range(2096, 2105), 2400, 9999):
        for month in range(14):
            last = monthrange(year, month)[1] if 1 <= month <= 12 else 0
            for day in (0, 1, 28, 29, 30, 31, 32):
                is_day = 1 <= day <= last
                assert bool(pattern.match(f"{year:04}-{month:02}-{day:02}")) is is_day, (year, month, day)
    assert not pattern.match("0999-01-01")
