"""The sample CRM on the real server: strict mode takes it, and its rows are those of the SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sample_crm import SampleError, build
from sample_crm.schema import tables
from tests.support.mariadb import Server

TODAY = date(2026, 7, 15)


@pytest.fixture
def crm_url(mariadb_server: Server) -> Iterator[str]:
    """An empty database of this test's own."""
    name = f"gateway_sample_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    yield mariadb_server.create_database(name)
    mariadb_server.drop_database(name)


def plain(value: Any) -> Any:
    """Return a value as both engines can be compared by it."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, (Decimal, int)) else value


def sorted_rows(rows: Any) -> list[str]:
    """Return rows in an order that no engine decides."""
    return sorted(repr(tuple(map(plain, row))) for row in rows)


def test_strict_mode_takes_every_row_and_both_engines_hold_the_same(
    crm_url: str, mariadb_server: Server, tmp_path: Path
) -> None:
    """The server in strict mode and the SQLite file hold the same rows, value by value."""
    served = build(crm_url, scale="tiny", today=TODAY)
    filed = build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny", today=TODAY)

    assert served.rows == filed.rows
    with (
        closing(sqlite3.connect(tmp_path / "crm.db")) as file,
        mariadb_server.connection(crm_url.rpartition("/")[2]) as server,
        server.cursor() as cursor,
    ):
        for table in tables():
            cursor.execute(f"SELECT * FROM tbl{table.name}")
            in_file = file.execute(f"SELECT * FROM tbl{table.name}").fetchall()
            assert sorted_rows(cursor.fetchall()) == sorted_rows(in_file), table.name


def test_the_server_shows_the_schema_of_the_facts(crm_url: str, mariadb_server: Server) -> None:
    """Types, nullability, keys, indexes and foreign keys are those of the 126 tables."""
    build(crm_url, scale="tiny", today=TODAY)
    database = crm_url.rpartition("/")[2]
    with mariadb_server.connection(database) as server, server.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, is_nullable, extra FROM information_schema.columns WHERE table_schema=%s",
            (database,),
        )
        columns = {(row[0], row[1]): (row[2] == "YES", str(row[3]).lower()) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema=%s", (database,)
        )
        (foreign_keys,) = cursor.fetchone() or (0,)

    expected = {
        (f"tbl{table.name}", column.name): (column.is_nullable, column.extra == "auto_increment")
        for table in tables()
        for column in table.columns
    }
    assert {key: (nullable, extra == "auto_increment") for key, (nullable, extra) in columns.items()} == expected
    assert foreign_keys == 3


def test_a_used_database_is_refused_unless_replace_is_asked_for(crm_url: str) -> None:
    """Somebody's tables are never dropped without being told to."""
    build(crm_url, scale="tiny", today=TODAY)

    with pytest.raises(SampleError, match="126 tables"):
        build(crm_url, scale="tiny", today=TODAY)

    assert build(crm_url, scale="tiny", today=TODAY, seed=1, replace=True).rows["invoices"] == 60
