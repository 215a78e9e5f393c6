"""SQLite behind the same interface as the real database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError, ConflictError, GatewayError, SchemaChangedError, UnavailableError
from gateway.execution.database import Database
from gateway.execution.failures import FieldRefusal, ValueRefusedError
from gateway.execution.folding import compare, like_expression
from gateway.execution.sqlite import sqlite_path
from tests.support.databases import go_on_after_a_failure, opened, transact

TABLES = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER CHECK (n <> 7));
CREATE TABLE part (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item (id));
"""
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two tables."""
    path = tmp_path / "a demo.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
    return path


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    """The open file."""
    async with opened(f"sqlite:///{path}", lock_wait_s=1) as database:
        yield database


async def insert(database: Database, *names: str) -> None:
    """Insert items."""
    async with database.transaction() as session:
        for name in names:
            await session.run("INSERT INTO item (name) VALUES (?)", (name,))


async def test_rows_are_written_and_read(database: Database) -> None:
    """Keys and counts are reported; reads see commits."""
    async with database.transaction() as session:
        first = await session.run("INSERT INTO item (name) VALUES (?)", ("a",))
        same = await session.run("UPDATE item SET name = name")
        seen = await session.run("SELECT id FROM item")

    assert (first.last_id, same.affected, list(seen.rows)) == (1, 1, [(1,)])
    assert list(await database.fetch("SELECT name FROM item WHERE id = ?", (1,))) == [("a",)]
    await database.probe()
    assert database.dialect == "sqlite"
    assert (database.status().open, database.status().idle, database.status().is_reachable) == (2, 2, True)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (True, 1),
        (Decimal("12"), 12),
        (Decimal("2.5"), 2.5),
        (datetime(2024, 2, 29, 1, 2, 3), "2024-02-29 01:02:03"),
        (datetime(2024, 2, 29, 1, 2, 3, 40), "2024-02-29 01:02:03.000040"),
        (date(2024, 2, 29), "2024-02-29"),
        (timedelta(hours=-30), "-30:00:00"),
        (b"\x00", b"\x00"),
        (None, None),
    ],
)
async def test_parameters_are_converted(database: Database, value: object, stored: object) -> None:
    """Values of the planner arrive as SQLite keeps them."""
    assert list(await database.fetch("SELECT ?", (value,))) == [(stored,)]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("%ELEVE%", True), ("_l_ve 50!%", True), ("eleve 50", False), ("%!_%", False), ("", False), (None, None)],
)
async def test_like_ignores_case_and_accents(database: Database, pattern: str | None, matches: bool | None) -> None:
    """As the collations of a Perfex database do, with an escape."""
    rows = await database.fetch("SELECT ? LIKE ? ESCAPE '!'", ("Élève 50%", pattern))

    assert list(rows) == [(matches,)]


async def test_the_collation_ignores_case_accents_and_trailing_spaces(database: Database) -> None:
    """Equality and order follow the folded text."""
    await insert(database, "b", "Éa", "ea ", "EB")
    rows = await database.fetch("SELECT name FROM item ORDER BY name COLLATE gateway_ci, id")

    assert [name for (name,) in rows] == ["b", "Éa", "ea ", "EB"]
    assert compare("Éa", "ea ") == 0
    assert like_expression("a.b!", "!") == "a\\.b!"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("INSERT INTO item (id, name) VALUES (2, 'a')", "duplicate"),
        ("INSERT INTO item (id, name) VALUES (1, 'b')", "duplicate"),
        ("INSERT INTO part VALUES (2, 99)", "reference_missing"),
        ("DELETE FROM item", "dependants"),
    ],
)
async def test_broken_keys_are_conflicts(database: Database, text: str, code: str) -> None:
    """And the transaction leaves nothing."""
    await insert(database, "a")
    async with database.transaction() as session:
        await session.run("INSERT INTO part VALUES (1, 1)")
    with pytest.raises(ConflictError) as caught:
        await transact(database, "UPDATE item SET n = 5", text)

    assert caught.value.code == code
    assert list(await database.fetch("SELECT n FROM item")) == [(None,)]


@pytest.mark.parametrize(("values", "refusal"), [((None, 1), ("name", "null")), (("a", 7), (None, None))])
async def test_refused_values_are_data(
    database: Database, values: tuple[object, ...], refusal: tuple[str | None, str | None]
) -> None:
    """NOT NULL names its column, CHECK none."""
    with pytest.raises(ValueRefusedError) as caught:
        async with database.transaction() as session:
            await session.run("INSERT INTO item (name, n) VALUES (?, ?)", values)

    assert caught.value.refusal == FieldRefusal(*refusal)


@pytest.mark.parametrize("text", ["SELECT gone FROM item", "SELECT 1 FROM nowhere"])
async def test_a_vanished_column_or_table_asks_for_a_reload(database: Database, text: str) -> None:
    """The catalog no longer fits the file."""
    with pytest.raises(SchemaChangedError):
        await database.fetch(text)


async def test_a_caught_failure_still_ends_the_transaction(database: Database) -> None:
    """A block cannot go on after a failure."""
    with pytest.raises(ConflictError):
        await go_on_after_a_failure(database, *["INSERT INTO item (name) VALUES ('a')"] * 3)

    assert list(await database.fetch("SELECT name FROM item")) == []


async def test_a_statement_is_stopped_at_its_limit(path: Path) -> None:
    """And the connection is used again."""
    async with opened(f"sqlite:///{path}", statement_limit_s=0.1) as database:
        with pytest.raises(UnavailableError) as caught:
            await database.fetch(ENDLESS)
        assert caught.value.code == "statement_timeout"
        assert list(await database.fetch("SELECT 1")) == [(1,)]
        assert database.status().open == 1


async def test_cancelling_stops_the_statement(database: Database) -> None:
    """Reads and transactions alike: the next user finds a free connection and no lock."""
    await database.fetch("SELECT 1")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await database.fetch(ENDLESS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await transact(database, "INSERT INTO item (name) VALUES ('a')", ENDLESS)
    await insert(database, "b")

    assert list(await database.fetch("SELECT name FROM item")) == [("b",)]


async def test_writers_take_turns_within_the_wait(path: Path) -> None:
    """A second writer waits; when the wait ends it is told that the database is busy."""
    async with opened(f"sqlite:///{path}", pool_wait_s=0.05) as database:
        await asyncio.gather(*(insert(database, name) for name in "abcdef"))
        assert len(await database.fetch("SELECT 1 FROM item")) == 6
        async with database.transaction():
            with pytest.raises(UnavailableError) as caught:
                await insert(database, "x")
    assert caught.value.code == "database_busy"


async def test_another_program_that_holds_the_lock_is_a_conflict(database: Database, path: Path) -> None:
    """The file may be written from outside."""
    await insert(database, "a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConflictError) as caught:
            await insert(database, "b")
        other.execute("ROLLBACK")
    await insert(database, "c")

    assert caught.value.code == "write_conflict"


async def test_a_missing_file_is_a_database_away(tmp_path: Path) -> None:
    """Nothing is created in its place."""
    async with opened(f"sqlite:///{tmp_path}/none.db") as database:
        with pytest.raises(GatewayError) as caught:
            await database.probe()
        assert not database.status().is_reachable

    assert caught.value.code == "database_away"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite://host/x", "sqlite:///x?mode=ro"])
def test_only_files_are_served(url: str) -> None:
    """A database in memory has no second connection."""
    with pytest.raises(ConfigurationError):
        sqlite_path(url)


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////a%20b.db", "/a b.db")])
def test_paths_are_relative_or_absolute(url: str, path: str) -> None:
    """Three slashes and four."""
    assert sqlite_path(url) == path


async def test_a_snapshot_shows_the_moment_it_began(database: Database) -> None:
    """Writes go on beside it and are seen by everybody else."""
    await insert(database, "a")
    async with database.snapshot() as snapshot:
        await insert(database, "b")
        assert list(await snapshot.run("SELECT name FROM item")) == [("a",)]
        await snapshot.release()
        await insert(database, "c")
        assert list(await snapshot.run("SELECT name FROM item WHERE name > ?", ("",))) == [("a",)]
    assert len(await database.fetch("SELECT name FROM item")) == 3

    with pytest.raises(RuntimeError):
        await snapshot.run("SELECT 1")


async def test_a_failure_in_a_snapshot_is_that_of_any_read(database: Database, path: Path) -> None:
    """And a file that is not there is the database being away."""
    with pytest.raises(SchemaChangedError):
        async with database.snapshot() as snapshot:
            await snapshot.run("SELECT missing FROM item")
    async with opened(f"sqlite:///{path}.none") as other:
        with pytest.raises(UnavailableError) as caught:
            async with other.snapshot():
                pass
    assert caught.value.code == "database_away"
