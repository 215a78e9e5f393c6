"""The store's file: who may read it, how it is opened, and what it says when it cannot be."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.state.store import StateStore


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(directory: Path) -> set[str]:
    return {file.name for file in directory.iterdir()}


def write_and_fail(store: StateStore) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE generation SET value = 7")
        raise ZeroDivisionError


def test_a_new_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The file and SQLite's side files hold digests and grants, which are nobody else's business."""
    path = tmp_path / "state.sqlite3"
    with StateStore.open(path) as store:
        store.generation.bump()
        modes = {file.name: mode(file) for file in tmp_path.iterdir()}

    assert modes == {"state.sqlite3": 0o600, "state.sqlite3-wal": 0o600, "state.sqlite3-shm": 0o600}


def test_a_store_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A file copied with a wider mode is narrowed when it is opened."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path).close()
    path.chmod(0o644)
    StateStore.open(path).close()

    assert mode(path) == 0o600


def test_the_directory_must_exist(tmp_path: Path) -> None:
    """A mistyped directory is not made but named."""
    with pytest.raises(ConfigurationError, match=r"does not exist: create .*nowhere, or set GATEWAY_STATE_PATH"):
        StateStore.open(tmp_path / "nowhere" / "state.sqlite3")


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    """What cannot be opened is told with the setting to change."""
    with pytest.raises(ConfigurationError, match=r"cannot be used .*GATEWAY_STATE_PATH"):
        StateStore.open(tmp_path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Another file given by mistake is refused and keeps its content."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at\n" * 20)
    before = path.read_bytes()
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"notes\.txt is not a state file .*GATEWAY_STATE_PATH"):
        StateStore.open(path)

    assert (path.read_bytes(), mode(path), names_in(tmp_path)) == (before, 0o644, {"notes.txt"})


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path, journal: str, is_open: bool) -> None:
    """Another product's SQLite file keeps its content and mode, whether or not that product is using it."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f"PRAGMA journal_mode={journal}")
        other.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        other.execute("INSERT INTO meta VALUES ('version', '1')")
        path.chmod(0o644)
        if not is_open:
            other.close()
        before = path.read_bytes(), mode(path), names_in(tmp_path)
        with pytest.raises(ConfigurationError, match=r"other\.db is not a state file of the gateway, and was left"):
            StateStore.open(path)

        assert (path.read_bytes(), mode(path), names_in(tmp_path)) == before


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A file that a deployment made beforehand is taken, and closed to others."""
    path = tmp_path / "state.sqlite3"
    path.touch(0o644)
    StateStore.open(path).close()

    assert (mode(path), path.stat().st_size > 0) == (0o600, True)


def test_a_store_that_was_begun_and_not_finished_is_finished(tmp_path: Path) -> None:
    """Whoever was killed before the first table was written left an SQLite file without tables."""
    path = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(path)) as begun:
        begun.execute("PRAGMA journal_mode=WAL")
    with StateStore.open(path) as store:
        assert store.generation.current() == 0


def test_a_store_in_use_is_opened_by_others(tmp_path: Path) -> None:
    """What only the log beside the file has so far counts: several workers start at once."""
    path = tmp_path / "state.sqlite3"
    with StateStore.open(path) as first, StateStore.open(path) as second:
        first.generation.bump()

        assert second.generation.current() == 1


def test_the_store_is_in_wal_mode_and_waits_for_other_writers(tmp_path: Path) -> None:
    """Readers do not block the writer, and two writers take turns."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, store.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "busy_timeout", "synchronous", "foreign_keys")
        ]

    assert found == ["wal", 5000, 2, 1]


def test_a_write_that_raises_changes_nothing(tmp_path: Path) -> None:
    """The write context is one transaction."""
    with StateStore.open(tmp_path / "state.sqlite3") as store:
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store)

        assert store.generation.current() == 0


def test_a_read_goes_on_while_another_holds_the_write_lock(tmp_path: Path) -> None:
    """A token can be looked up while one is being made."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE generation SET value = 7")

        assert store.generation.current() == 0


def test_the_store_is_a_plain_sqlite_file(tmp_path: Path) -> None:
    """Closing leaves one file that any SQLite tool can back up."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path).close()
    connection = sqlite3.connect(path)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()

    assert tables == {"meta", "token", "generation", "idempotency", "sqlite_sequence"}
