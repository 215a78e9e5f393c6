"""What happens to a running gateway's store when its file goes, comes back, fills up or breaks. On real files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.observe import Event, StateFound, StateLost
from gateway.state import files
from gateway.state.failures import StateAwayError
from gateway.state.migrations import MIGRATIONS, Migration
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken

DIGEST = b"\1" * 32


def add_token(store: StateStore, number: int, grants: tuple[str, ...] = ("*:*",)) -> None:
    store.tokens.create(NewToken(f"token {number}", number.to_bytes(32), "gw_live_x", grants))


def remove(path: Path) -> None:
    """Remove a store whole, as `rm state.sqlite3*` does."""
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def kinds(events: list[Event]) -> list[tuple[type[object], str]]:
    return [(type(event), event.kind) for event in events if isinstance(event, StateLost | StateFound)]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path, events: list[Event]) -> Iterator[StateStore]:
    """A store with one token, in use."""
    with StateStore.open(path, observer=events.append) as opened:
        add_token(opened, 1)
        assert opened.tokens.find("token 1") is not None
        yield opened


@pytest.fixture
def backup(store: StateStore, path: Path, tmp_path: Path) -> Path:
    """A copy of the store with its token, as `sqlite3 state.sqlite3 ".backup copy"` makes it."""
    copy = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


# Gone and back


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_deleted_file_is_not_served_from(store: StateStore, path: Path, events: list[Event], kind: str) -> None:
    """The system would let it be used on and on, unseen; and nothing is made in its place."""
    remove(path)
    with pytest.raises(StateAwayError, match=r"state\.sqlite3 is gone"):
        store.generation.current() if kind == "read" else add_token(store, 2)

    assert not path.exists()
    assert store.status == ("away" if kind == "read" else "unwritable")
    assert kinds(events) == [(StateLost, kind)]


def test_a_file_that_comes_back_is_opened_without_a_restart(
    store: StateStore, path: Path, backup: Path, events: list[Event]
) -> None:
    """With what is in it; that it was gone and is back is said once each."""
    remove(path)
    for _ in range(3):
        with pytest.raises(StateAwayError):
            store.probe()
    backup.rename(path)

    assert store.probe() == "ok"
    assert [record.name for record in store.tokens.all()] == ["token 1"]
    add_token(store, 2)
    assert [record.name for record in store.tokens.all()] == ["token 1", "token 2"]
    assert kinds(events) == [(StateLost, "read"), (StateFound, "read")]


def test_what_is_written_while_the_file_goes_is_not_called_done(store: StateStore, path: Path) -> None:
    """The commit itself went well, into a file that nobody will ever open again."""

    def write() -> None:
        with store.write() as connection:
            connection.exec_driver_sql("UPDATE gw_generation SET value = 7")
            remove(path)

    with pytest.raises(StateAwayError, match="taken away while it was written to"):
        write()


def test_a_file_that_takes_the_place_of_the_open_one_is_opened(
    store: StateStore, path: Path, backup: Path, events: list[Event]
) -> None:
    """By a rename, as deployments put a new version of a file in place; the old side files must go with the old one."""
    add_token(store, 2)
    os.replace(backup, path)
    with pytest.raises(StateAwayError, match=r"state\.sqlite3-wal and state\.sqlite3-shm are of the one before"):
        store.tokens.all()
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink()

    assert [record.name for record in store.tokens.all()] == ["token 1"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("content", [b"", b"notes that happen to be long enough to be looked at\n" * 20, None])
def test_something_else_at_the_path_is_left_alone(
    store: StateStore, path: Path, content: bytes | None, events: list[Event]
) -> None:
    """At a start an empty file becomes a store, but it does not end the tokens of a running gateway."""
    remove(path)
    if content is None:
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE orders (id INTEGER)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(StateAwayError, match="is not a state file of the gateway, and was left as it is"):
        store.tokens.all()

    assert path.read_bytes() == before
    assert store.status == "away"


def test_a_copy_that_is_not_whole_yet_is_waited_for(store: StateStore, path: Path, backup: Path) -> None:
    """Half a store may hold half the tokens, or none of their ends."""
    whole = backup.read_bytes()
    remove(path)
    for share in (0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(StateAwayError):
            store.tokens.all()
    path.write_bytes(whole)

    assert len(store.tokens.all()) == 1


def test_a_backup_of_an_older_version_is_upgraded(store: StateStore, path: Path, tmp_path: Path) -> None:
    """As at a start."""
    old = tmp_path / "old.sqlite3"
    with StateStore.open(old, migrations=MIGRATIONS[:1]) as opened, opened.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO token VALUES (3, 'bi', 'gw_live_a', ?, '[\"*:read\"]', 0, NULL, 1000, NULL, NULL)", (DIGEST,)
        )
    remove(path)
    old.rename(path)

    found = store.tokens.by_digest(DIGEST)
    assert found is not None
    assert found.name == "bi"


def test_a_store_of_a_newer_gateway_is_not_opened(store: StateStore, path: Path, tmp_path: Path) -> None:
    """Nobody guesses what it holds; the log says so."""
    newer = tmp_path / "newer.sqlite3"
    StateStore.open(newer, migrations=(*MIGRATIONS, Migration.everywhere("CREATE TABLE later (x INTEGER)"))).close()
    remove(path)
    newer.rename(path)

    with pytest.raises(StateAwayError, match="knows versions up to"):
        store.tokens.all()


# Locked, full, read-only, broken


def test_another_writer_keeps_no_reader_waiting(
    path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that holds the lock: tokens are looked up as before, writes fail in time, and both go on afterwards."""
    monkeypatch.setattr(files, "_PRAGMAS", ("journal_mode=WAL", "busy_timeout=50"))
    with StateStore.open(path, observer=events.append) as store, closing(sqlite3.connect(path)) as other:
        add_token(store, 1)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateAwayError, match="database is locked"):
            add_token(store, 2)

        assert store.tokens.find("token 1") is not None
        assert store.probe() == "unwritable"
        other.rollback()
        assert store.probe() == "ok"
        add_token(store, 2)
    assert kinds(events) == [(StateLost, "write"), (StateFound, "write")]


def test_a_full_store_serves_what_it_has(store: StateStore, events: list[Event]) -> None:
    """A write that finds no room changes nothing, says so, and works again when there is room.

    Small writes that still find some meanwhile do not make it well: it is lost once, and found once.
    """
    with store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StateAwayError, match="database or disk is full"):
        add_token(store, 2, ("x" * 50_000,))

    assert [record.name for record in store.tokens.all()] == ["token 1"]
    for _ in range(3):
        store.generation.bump()
        assert (store.status, store.probe()) == ("unwritable", "unwritable")
    with closing(store._home.writer().raw_connection()) as connection:
        connection.cursor().execute("PRAGMA max_page_count=100000")
    assert store.probe() == "ok"
    assert kinds(events) == [(StateLost, "write"), (StateFound, "write")]
    add_token(store, 3)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of one megabyte."""
    with tempfile.TemporaryDirectory(prefix="gateway-disk-") as directory:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("only root, where it may mount, can make a file system that fills up")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """What was said to be stored is there, what was refused is not, and room brings it back to work."""
    stuffing = small_disk / "stuffing"
    stored = []
    with StateStore.open(small_disk / "state.sqlite3") as store:
        add_token(store, 1)
        with suppress(OSError), stuffing.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                continue
        with suppress(StateAwayError):
            for number in range(2, 1_000):
                add_token(store, number, ("x" * 2_000,))
                stored.append(number)
        known = [record.id for record in store.tokens.all()]
        assert store.status == "unwritable"
        stuffing.unlink()
        assert store.probe() == "ok"
        add_token(store, 1_000)
    with StateStore.open(small_disk / "state.sqlite3") as store:
        names = [record.name for record in store.tokens.all()]

    assert len(known) == 1 + len(stored)
    assert names == ["token 1", *(f"token {number}" for number in stored), "token 1000"]


def test_a_log_that_takes_no_more_writes_is_told(store: StateStore, path: Path) -> None:
    """As on a file system that the system has made read-only; reads go on."""
    log = f"{path}-wal"
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, "+i", log], capture_output=True, check=False).returncode != 0:
        pytest.skip("only root, on a file system with attributes, can take a file's writability away while it is open")
    try:
        with pytest.raises(StateAwayError):
            add_token(store, 2)

        assert (store.status, len(store.tokens.all())) == ("unwritable", 1)
    finally:
        subprocess.run([chattr, "-i", log], check=True)
    assert store.probe() == "ok"
    add_token(store, 2)


@pytest.fixture
def own_directory() -> Iterator[Path]:
    """A directory of an ordinary user, as whom this process works meanwhile: permissions mean nothing to root."""
    with tempfile.TemporaryDirectory(prefix="gateway-own-") as name:
        directory, is_root = Path(name), os.geteuid() == 0
        if is_root:
            os.chown(directory, 65_534, 65_534)
            os.seteuid(65_534)
        try:
            yield directory
        finally:
            directory.chmod(0o700)
            if is_root:
                os.seteuid(0)


@pytest.mark.parametrize("what", ["file", "directory", "new"])
def test_a_store_that_may_not_be_written_is_told_at_the_start(own_directory: Path, what: str) -> None:
    """With the setting to change, whether the file, its directory or both cannot be written."""
    path = own_directory / "state.sqlite3"
    if what != "new":
        StateStore.open(path).close()
    if what == "file":
        path.chmod(0o400)
    own_directory.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"state\.sqlite3 cannot be used \(.*GATEWAY_STATE_PATH"):
        StateStore.open(path)


def test_a_broken_file_is_no_store_without_tokens(path: Path) -> None:
    """Pages that cannot be read are a failure of the store: a token on them is not called unknown."""
    with StateStore.open(path) as store:
        for number in range(1, 40):
            add_token(store, number)
    with StateStore.open(path) as store:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        with pytest.raises(StateAwayError, match="malformed"):
            store.tokens.by_digest((7).to_bytes(32))

        assert store.status == "away"
    with pytest.raises(ConfigurationError, match="cannot be used"):
        StateStore.open(path)


def test_a_file_that_must_exist_is_not_made(path: Path) -> None:
    """A reload that is asked for while the file is gone must not put an empty store in its place."""
    with pytest.raises(ConfigurationError, match="is not there, or empty"):
        StateStore.open(path, must_exist=True)
    assert not path.exists()
    path.touch()
    with pytest.raises(ConfigurationError, match="is not there, or empty"):
        StateStore.open(path, must_exist=True)
    assert path.stat().st_size == 0

    StateStore.open(path).close()
    StateStore.open(path, must_exist=True).close()
