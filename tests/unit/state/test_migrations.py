"""A store of any version before this one is brought up to it, and one from the future is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.state.migrations import MIGRATIONS, Migrations, version_of
from gateway.state.store import StateStore
from gateway.state.tables import METADATA

STEPS: Migrations = (
    ("CREATE TABLE first (x INTEGER)", "INSERT INTO first VALUES (1)"),
    ("ALTER TABLE first ADD COLUMN y INTEGER DEFAULT 2",),
    ("CREATE TABLE third (z INTEGER)",),
)


def version(store: StateStore) -> int:
    with store.read() as connection:
        return version_of(connection)


def shape(store: StateStore) -> list[tuple[object, ...]]:
    with store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT m.name, c.name, c.type, c.[notnull], c.pk FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' ORDER BY m.name, c.name"
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("old", range(len(MIGRATIONS) + 1))
def test_a_store_of_every_version_is_brought_up_to_date(tmp_path: Path, old: int) -> None:
    """However old the file, it ends with the tables of a new one."""
    StateStore.open(tmp_path / "old.sqlite3", migrations=MIGRATIONS[:old]).close()
    with StateStore.open(tmp_path / "old.sqlite3") as upgraded, StateStore.open(tmp_path / "new.sqlite3") as new:
        assert version(upgraded) == len(MIGRATIONS)
        assert shape(upgraded) == shape(new)


@pytest.mark.parametrize("old", range(len(STEPS) + 1))
def test_only_the_missing_steps_run_and_rows_stay(tmp_path: Path, old: int) -> None:
    """A step that ran is not run again: the second insert would double the row."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=STEPS[:old]).close()
    with StateStore.open(path, migrations=STEPS) as store, store.read() as connection:
        assert connection.exec_driver_sql("SELECT x, y FROM first").all() == [(1, 2)]
        assert connection.exec_driver_sql("SELECT * FROM third").all() == []
        assert version_of(connection) == 3


def test_a_failing_step_leaves_the_version_before_it(tmp_path: Path) -> None:
    """All missing steps are one transaction, so that a broken upgrade can be tried again."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=STEPS[:1]).close()
    broken: Migrations = (*STEPS, ("CREATE TABLE fourth (x)", "CREATE TABLE fourth (x)"))
    with pytest.raises(ConfigurationError, match="cannot be used"):
        StateStore.open(path, migrations=broken)
    with StateStore.open(path, migrations=STEPS[:1]) as store:
        assert version(store) == 1


def test_a_store_from_the_future_is_refused(tmp_path: Path) -> None:
    """An older gateway does not guess what a newer one wrote."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=(*MIGRATIONS, ("CREATE TABLE later (x)",))).close()
    with pytest.raises(ConfigurationError, match=r"has version \d+; this gateway knows versions up to \d+"):
        StateStore.open(path)


def test_the_tables_in_code_are_those_the_migrations_make(tmp_path: Path) -> None:
    """Names and order of columns agree."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, store.read() as connection:
        for table in METADATA.sorted_tables:
            rows = connection.exec_driver_sql(f"SELECT name FROM pragma_table_info('{table.name}')").scalars().all()
            assert rows == [column.name for column in table.columns]
