"""The store's file: who may read it, how it is opened, and what it says when it cannot be."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.state.failures import StateAwayError
from gateway.state.store import StateStore
from gateway.state.tables import METADATA


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(directory: Path) -> set[str]:
    return {file.name for file in directory.iterdir()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore.open(tmp_path / "state.sqlite3") as opened:
        yield opened


def write_and_fail(store: StateStore) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE gw_generation SET value = 7")
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


def test_what_must_outlast_a_power_failure_is_synced(store: StateStore) -> None:
    """FULL (2) for tokens and claims, NORMAL (1) for what is harmless to lose; one connection does both."""
    found = []
    for is_durable in (True, False, False, True):
        with store.write(durable=is_durable) as connection:
            found.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    assert found == [2, 1, 1, 2]


def test_the_store_is_in_wal_mode_and_waits_for_other_writers(store: StateStore) -> None:
    """Readers do not block the writer, and two writers take turns."""
    with store.write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]

    assert found == ["wal", 5000, 1]


def test_a_read_cannot_write(store: StateStore) -> None:
    """What is read comes from connections that write nothing, whatever they are told."""
    with pytest.raises(StateAwayError, match="readonly"), store.read() as connection:
        connection.exec_driver_sql("UPDATE gw_generation SET value = 7")

    assert store.generation.current() == 0


def test_a_write_that_raises_changes_nothing(tmp_path: Path) -> None:
    """The write context is one transaction."""
    with StateStore.open(tmp_path / "state.sqlite3") as store:
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store)

        assert store.generation.current() == 0


def test_a_read_goes_on_while_another_holds_the_write_lock(tmp_path: Path) -> None:
    """A token can be looked up while one is being made."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE gw_generation SET value = 7")

        assert store.generation.current() == 0


def test_the_store_is_a_plain_sqlite_file(tmp_path: Path) -> None:
    """Closing leaves one file that any SQLite tool can back up."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path).close()
    connection = sqlite3.connect(path)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()

    assert tables == {*METADATA.tables, "sqlite_sequence"}


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
def test_a_file_may_be_named_by_a_url(tmp_path: Path, scheme: str) -> None:
    """As SQLAlchemy writes it, percent-encoded; it is the same store."""
    path = tmp_path / "the state.sqlite3"
    with StateStore.open(path) as named, StateStore.open(f"{scheme}:///{str(path).replace(' ', '%20')}") as other:
        named.generation.bump()

        assert other.generation.current() == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x.db?mode=ro"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    """It would forget its tokens, and each worker would have another."""
    with pytest.raises(ConfigurationError, match="GATEWAY_STATE_URL names no file"):
        StateStore.open(url)


def test_a_url_wins_over_a_path(tmp_path: Path) -> None:
    """Of the settings; the file at the path is not even made."""
    settings = Settings(state_path=str(tmp_path / "path.sqlite3"), state_url=f"sqlite:///{tmp_path}/url.sqlite3")
    with StateStore.open(settings) as store:
        assert store.address == str(tmp_path / "url.sqlite3")

    assert names_in(tmp_path) == {"url.sqlite3"}


@pytest.mark.parametrize(
    ("state", "crm"),
    [
        ("mysql://gw:pw@db.example/perfex", "mysql://crm:pw@db.example:3306/perfex"),
        ("mariadb+pymysql://gw:pw@db.example:3307/perfex", "mysql://crm@db.example:3307/perfex"),
    ],
)
def test_the_database_of_the_crm_is_refused(state: str, crm: str) -> None:
    """Nothing of the gateway's lies beside the CRM's tables."""
    with pytest.raises(ConfigurationError, match="names the CRM's own database") as caught:
        StateStore.open(Settings(state_url=state, database_url=crm))

    assert "pw" not in str(caught.value)
