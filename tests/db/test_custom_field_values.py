"""What text means as the value of a custom field: the same on MariaDB and on the demo's database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from gateway.catalog.kinds import KINDS, ColumnType, DecodeContext, decoder_of, parse_sql_type
from gateway.catalog.model import Column, CustomField
from gateway.execution.database import Database
from gateway.sql.custom import custom_value
from gateway.sql.dialects import Element, render
from tests.support.databases import opened
from tests.support.mariadb import Server

TABLES = (
    "CREATE TABLE things (id INTEGER PRIMARY KEY)",
    "CREATE TABLE vals (id INTEGER PRIMARY KEY, relid INTEGER NOT NULL, fieldid INTEGER NOT NULL, "
    "fieldto VARCHAR(15) NOT NULL, value TEXT NOT NULL)",
    "CREATE INDEX relid ON vals (relid)",
    "INSERT INTO things (id) VALUES (1), (2), (3), (4)",
)
KEY = Column("id", parse_sql_type("int(11)"))
THINGS = sa.table("things").alias("t")

# kind, stored, shown
MEANINGS: tuple[tuple[str, str, object], ...] = (
    ("number", "12", "12"),
    ("number", "-12.50", "-12.5"),
    ("number", "+7", "7"),
    ("number", "007", "7"),
    ("number", ".5", "0.5"),
    ("number", "5.", "5"),
    ("number", "0.00", "0"),
    ("number", "1e3", "1000"),
    ("number", "2.5E-2", "0.025"),
    ("number", "12345678901.25", "12345678901.25"),
    ("number", "", None),
    ("number", " ", None),
    ("number", ".", None),
    ("number", "-", None),
    ("number", "--5", None),
    ("number", "1.2.3", None),
    ("number", "12 pcs", None),
    ("number", "1,5", None),
    ("number", "e5", None),
    ("number", "1e400", None),
    ("number", "0x1A", None),
    ("number", "[1]", None),
    ("number", "nan", None),
    ("date", "2026-02-28", "2026-02-28"),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", "2026-02-29", None),
    ("date", "2026-02-30", None),
    ("date", "2026-13-01", None),
    ("date", "2026-00-10", None),
    ("date", "0000-00-00", None),
    ("date", "28.02.2026", None),
    ("date", "2026-2-8", None),
    ("date", "2026-02-28 10:00", None),
    ("date", "now", None),
    ("date", "", None),
    ("datetime", "2026-02-28 10:15", "2026-02-28T10:15:00+00:00"),
    ("datetime", "2026-02-28 10:15:30", "2026-02-28T10:15:30+00:00"),
    ("datetime", "2026-02-28", "2026-02-28T00:00:00+00:00"),
    ("datetime", "2026-02-30 10:15", None),
    ("datetime", "2026-02-28 24:00", None),
    ("datetime", "2026-02-28 10:61", None),
    ("datetime", "0000-00-00 00:00:00", None),
    ("datetime", "tomorrow", None),
    ("string", "A-1", "A-1"),
    ("string", "", None),
    ("string", "0", "0"),
    ("multiline", "a<br />\nb", "a\nb"),
    ("enum", "Gone", "Gone"),
    ("words", "Hosting, Design", ["Hosting", "Design"]),
    ("words", "", None),
    ("html", '<a href="https://x.example">x</a>', '<a href="https://x.example">x</a>'),
)


def field(kind: str, definition: int = 1, entity: str = "things") -> CustomField:
    column_type = parse_sql_type(kind) if kind in ("date", "datetime") else ColumnType(KINDS[kind], "mediumtext")
    return CustomField("custom.x", column_type, "things", "vals", KEY, entity, definition)


class Values:
    """A database with values of custom fields, asked through `custom_value`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def store(self, *rows: tuple[int, int, int, str, str]) -> None:
        """Replace all values: (id, relid, fieldid, fieldto, value)."""
        mark = "?" if self.database.dialect == "sqlite" else "%s"
        async with self.database.transaction() as session:
            await session.run("DELETE FROM vals")
            for row in rows:
                await session.run(f"INSERT INTO vals VALUES ({', '.join([mark] * 5)})", row)

    async def rows(self, *chosen: Element, where: Element | None = None, order: Element | None = None) -> list[Any]:
        """Return what a SELECT from the things finds, as the driver has it."""
        query = sa.select(*chosen).select_from(THINGS)
        query = query.where(where) if where is not None else query
        query = query.order_by(order) if order is not None else query
        text, parameters = render(query, self.database.dialect)
        found = await self.database.fetch(text, tuple(getattr(each, "value", each) for each in parameters))
        return [tuple(row) for row in found]

    def of(self, each: CustomField, alias: str = "v") -> Element:
        return custom_value(each, THINGS, alias, self.database.dialect)

    def shown(self, each: CustomField, value: object) -> object:
        """Return a driver's value as a reply has it, numbers as their digits."""
        decode = decoder_of(each.type, DecodeContext(self.database.dialect, UTC))
        if value is None:
            return None
        shown = orjson.dumps(decode(value) if decode else value).decode()
        return shown if each.type.kind.name == "number" else orjson.loads(shown)


@pytest.fixture(params=["mariadb", "sqlite"])
async def values(request: pytest.FixtureRequest, mariadb_server: Server, tmp_path: Path) -> AsyncIterator[Values]:
    """The values on either database."""
    name = f"gateway_custom_values_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    if request.param == "mariadb":
        url = mariadb_server.create_database(name)
    else:
        (tmp_path / "values.db").touch()
        url = f"sqlite:///{tmp_path}/values.db"
    async with opened(url) as database:
        async with database.transaction() as session:
            for statement in TABLES:
                await session.run(statement)
        yield Values(database)
    if request.param == "mariadb":
        mariadb_server.drop_database(name)


async def test_text_means_a_value_of_the_type_or_nothing(values: Values) -> None:
    """What is no number, no day of the calendar or no moment of a day is null, and no error."""
    for kind, stored, shown in MEANINGS:
        await values.store((1, 1, 1, "things", stored))
        [(found,)] = await values.rows(values.of(field(kind)), where=sa.column("id", _selectable=THINGS) == 1)

        assert values.shown(field(kind), found) == shown, (kind, stored)


async def test_numbers_keep_all_their_digits(values: Values) -> None:
    """On the servers; the demo's database counts in doubles beyond 15 digits."""
    await values.store((1, 1, 1, "things", "12345678901234567890.123456789012345678"))
    [(found,)] = await values.rows(values.of(field("number")), where=sa.column("id", _selectable=THINGS) == 1)
    exact = Decimal(str(values.shown(field("number"), found)))

    if values.database.dialect == "sqlite":
        assert abs(exact - Decimal("12345678901234567890")) < 10_000
    else:
        assert exact == Decimal("12345678901234567890.123456789012345678")


async def test_a_value_belongs_to_its_row_field_and_kind_of_record(values: Values) -> None:
    """Catalogue items and lines of documents have the same definitions, and ids in common."""
    await values.store(
        (1, 1, 1, "items", "line"), (2, 1, 1, "items_pr", "item"), (3, 2, 1, "items", "other"), (4, 1, 2, "items", "2")
    )
    chosen = [
        values.of(field("string", 1, "items"), "a"),
        values.of(field("string", 1, "items_pr"), "b"),
        values.of(field("number", 2, "items"), "c"),
    ]

    rows = await values.rows(*chosen, order=sa.column("id", _selectable=THINGS))

    assert [row[:2] for row in rows] == [("line", "item"), ("other", None), (None, None), (None, None)]
    assert [values.shown(field("number"), row[2]) for row in rows] == ["2", None, None, None]


async def test_the_oldest_of_two_values_counts_and_no_row_is_doubled(values: Values) -> None:
    """Whatever order they were written in."""
    await values.store((9, 1, 1, "things", "second"), (4, 1, 1, "things", "first"), (5, 2, 1, "things", ""))

    rows = await values.rows(values.of(field("string")), order=sa.column("id", _selectable=THINGS))

    assert rows == [("first",), (None,), (None,), (None,)]


async def test_values_compare_sort_and_add_up_as_their_type(values: Values) -> None:
    """9 is less than 10.5, and 2026-09-30 before 2026-10-01; text would have it otherwise, or add up to nonsense."""
    await values.store(
        (1, 1, 1, "things", "9"),
        (2, 2, 1, "things", "10.5"),
        (3, 3, 1, "things", "-2"),
        (4, 4, 1, "things", "n/a"),
        (5, 1, 2, "things", "2026-10-01"),
        (6, 2, 2, "things", "2026-09-30"),
        (7, 1, 3, "things", "2026-09-30 09:00"),
        (8, 2, 3, "things", "2026-09-30 10:00:00"),
    )
    key: Element = sa.column("id", _selectable=THINGS)
    number = values.of(field("number"))
    day, moment = values.of(field("date", 2)), values.of(field("datetime", 3))
    limit = Decimal("9.5") if values.database.dialect != "sqlite" else 9.5

    assert await values.rows(key, where=number > sa.literal(limit, sa.types.NullType())) == [(2,)]
    assert await values.rows(key, where=number.is_not(None), order=number) == [(3,), (1,), (2,)]
    assert await values.rows(key, where=day < sa.literal(date(2026, 10, 1), sa.types.NullType())) == [(2,)]
    late = sa.literal(datetime(2026, 9, 30, 9, 30), sa.types.NullType())
    assert await values.rows(key, where=moment > late) == [(2,)]
    [(total, least)] = await values.rows(sa.func.sum(number), sa.func.min(values.of(field("date", 2), "w")))
    assert values.shown(field("number"), total) == "17.5"
    assert str(least) == "2026-09-30"
