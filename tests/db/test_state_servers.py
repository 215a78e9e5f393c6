"""The gateway's own store on a server: nodes that start at once, upgrades, rights, locks, a server that goes away."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event as Signal

import pymysql
import pytest

from gateway.errors import ConfigurationError
from gateway.observe import Event, StateFound, StateLost
from gateway.state import servers
from gateway.state.failures import StateAwayError, retried
from gateway.state.migrations import MIGRATIONS, Migration, version_of
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.state.tables import METADATA
from gateway.state.tokens import NewToken
from tests.support.mariadb import PrivateServer, Server
from tests.support.postgres import PostgresServer

TOKEN = NewToken("bi", b"\1" * 32, "gw_live_1", ("*:*",))


def test_nodes_that_start_at_once_on_nothing_all_come_up(state_place: str) -> None:
    """One makes the tables, the others wait for it; all share keys, the generation and tokens."""
    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(lambda _: StateStore.open(state_place), range(8)))
        keys = set(threads.map(lambda store: shared_key(store.write, "etag"), stores))
        numbers = sorted(threads.map(lambda store: store.generation.bump(), stores * 3))
    stores[0].tokens.create(TOKEN)
    found = {store.tokens.by_digest(TOKEN.digest) for store in stores}
    for store in stores:
        store.close()

    assert len(keys) == 1
    assert numbers == list(range(1, 25))
    assert len(found) == 1
    assert None not in found


def test_opening_again_keeps_what_is_there(state_place: str) -> None:
    """A restart makes nothing anew."""
    with StateStore.open(state_place) as store:
        store.tokens.create(TOKEN)
        store.generation.bump()
    with StateStore.open(state_place) as store:
        assert [record.name for record in store.tokens.all()] == ["bi"]
        assert store.generation.current() == 1


def test_every_table_of_the_store_begins_with_gw(state_url: str) -> None:
    """So that it may share a database with others; and it is at the newest version at once."""
    with StateStore.open(state_url) as store, store.read() as connection:
        assert version_of(connection) == len(MIGRATIONS)
    assert all(name.startswith("gw_") for name in METADATA.tables)


def test_an_interrupted_beginning_is_finished(state_url: str) -> None:
    """MySQL commits each table by itself: whoever died in between left some, and no version."""
    with StateStore.open(state_url) as store, store.write() as connection:
        connection.exec_driver_sql("DELETE FROM gw_meta")
        connection.exec_driver_sql("DELETE FROM gw_generation")
        connection.exec_driver_sql("DROP TABLE gw_audit")
    with StateStore.open(state_url) as store, store.read() as connection:
        assert version_of(connection) == len(MIGRATIONS)
        assert connection.exec_driver_sql("SELECT count(*) FROM gw_audit").scalar_one() == 0
        assert store.generation.current() == 0


def test_the_next_version_is_reached_by_its_statements_once(state_url: str) -> None:
    """By however many nodes that start at once."""
    step = Migration.everywhere("CREATE TABLE gw_later (x INTEGER)", "INSERT INTO gw_later VALUES (7)")
    StateStore.open(state_url).close()
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: StateStore.open(state_url, migrations=(*MIGRATIONS, step)), range(4)))
    with stores[0].read() as connection:
        rows = connection.exec_driver_sql("SELECT x FROM gw_later").scalars().all()
        number = version_of(connection)
    for store in stores:
        store.close()

    assert (rows, number) == ([7], len(MIGRATIONS) + 1)
    with pytest.raises(ConfigurationError, match=r"has version \d+; this gateway knows versions up to"):
        StateStore.open(state_url)


def test_an_upgrade_that_broke_off_goes_on_where_it_was(state_url: str) -> None:
    """On MySQL what was done stays done and is not done again; PostgreSQL has undone it."""
    first, last = "CREATE TABLE gw_later (x INTEGER)", "INSERT INTO gw_later VALUES (7)"
    broken = (*MIGRATIONS, Migration.everywhere(first, "INSERT INTO gw_nowhere VALUES (1)", last))
    mended = (*MIGRATIONS, Migration.everywhere(first, "CREATE TABLE gw_nowhere (x INTEGER)", last))
    StateStore.open(state_url).close()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="gw_nowhere"):
            StateStore.open(state_url, migrations=broken)
    with StateStore.open(state_url, migrations=mended) as store, store.read() as connection:
        assert connection.exec_driver_sql("SELECT x FROM gw_later").scalars().all() == [7]
        assert version_of(connection) == len(MIGRATIONS) + 1


@dataclass
class Meeting:
    """Two transactions that are both open for a while."""

    store: StateStore
    inside: Signal = field(default_factory=Signal)
    leave: Signal = field(default_factory=Signal)

    def hold(self, lock: str | None) -> None:
        with self.store.write(lock):
            self.inside.set()
            self.leave.wait(10)

    def is_met_by(self, lock: str | None) -> bool:
        """Whether another transaction gets in while the first is open."""
        try:
            with self.store.write(lock):
                return True
        except StateAwayError:
            return False


@pytest.mark.parametrize(
    ("held", "wanted", "is_met"),
    [("tokens", "tokens", False), ("tokens", None, True), ("tokens", "leases", True), (None, None, True)],
)
def test_only_writers_of_one_lock_wait_for_each_other(
    state_url: str, monkeypatch: pytest.MonkeyPatch, held: str | None, wanted: str | None, is_met: bool
) -> None:
    """On a server leases, audit and tokens do not stand in each other's way; who waits too long is told."""
    monkeypatch.setattr(servers, "WRITE_S", 1)
    with StateStore.open(state_url) as store, ThreadPoolExecutor(1) as threads:
        meeting = Meeting(store)
        holding = threads.submit(meeting.hold, held)
        assert meeting.inside.wait(10)
        found = meeting.is_met_by(wanted)
        meeting.leave.set()
        holding.result()

        assert found is is_met
        assert meeting.is_met_by(wanted)


def test_a_deadlock_is_tried_again(state_url: str) -> None:
    """Two batches that touch the same rows in other orders: the server ends one of them, which runs again."""
    with StateStore.open(state_url) as store, ThreadPoolExecutor(2) as threads:
        for number in (1, 2):
            store.tokens.create(NewToken(f"token {number}", bytes([number]) * 32, "gw_live_x", ("*:*",)))
        runs = list(threads.map(lambda order: touch_crosswise(store, order), [(1, 2), (2, 1)]))

        assert sorted(runs) == [1, 2]
        assert all(record.staff_id == 2 for record in store.tokens.all())


def touch_crosswise(store: StateStore, order: tuple[int, int], runs: int = 0) -> int:
    """Update two rows in an order, slowly; return how often that was begun."""
    begun: list[int] = []

    @retried
    def run() -> None:
        begun.append(1)
        with store.write() as connection:
            for number in order:
                connection.exec_driver_sql(
                    f"UPDATE gw_token SET staff_id = COALESCE(staff_id, 0) + 1 WHERE id = {number}"
                )
                if len(begun) == 1 and number == order[0]:
                    time.sleep(0.3)

    run()
    return len(begun)


# What an administrator is told


@pytest.fixture
def mariadb_account(mariadb_server: Server) -> Iterator[tuple[Server, str]]:
    """A user without any right on an empty database; the URL is the user's."""
    name = f"gateway_rights_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.create_database(name)
    mariadb_server.run(
        f"DROP USER IF EXISTS '{name}'@'%'", f"CREATE USER '{name}'@'%' IDENTIFIED BY 'sécret'", f"SELECT '{name}'"
    )
    yield mariadb_server, f"mysql://{name}:s%C3%A9cret@{mariadb_server.host}:{mariadb_server.port}/{name}"
    mariadb_server.run(f"DROP USER '{name}'@'%'")
    mariadb_server.drop_database(name)


def test_missing_rights_are_told(mariadb_account: tuple[Server, str]) -> None:
    """First no right at all, then none to make tables, then enough; the password is never in a message."""
    server, url = mariadb_account
    name = url.rpartition("/")[2]
    said = []
    for right in ("", "SELECT", "SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX"):
        if right:
            server.run(f"GRANT {right} ON `{name}`.* TO '{name}'@'%'")
        try:
            StateStore.open(url).close()
        except ConfigurationError as error:
            said.append(str(error))

    assert len(said) == 2
    assert all("denied" in text and "GATEWAY_STATE_URL must name" in text for text in said)
    assert not any("cret" in text for text in said)


@pytest.mark.parametrize("wrong", ["password", "database"])
def test_what_a_server_refuses_is_told(mariadb_account: tuple[Server, str], wrong: str) -> None:
    """A wrong password, and a database that is not there or may not be used."""
    url = mariadb_account[1]
    given = url.replace("s%C3%A9cret", "hidden") if wrong == "password" else f"{url}_nowhere"
    with pytest.raises(ConfigurationError, match="denied") as caught:
        StateStore.open(given)

    assert "hidden" not in str(caught.value)


def test_what_postgresql_refuses_is_told(postgres_server: PostgresServer) -> None:
    """An unknown user, an unknown database, and no right to make tables."""
    name = f"gateway_rights_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    postgres_server.create_database(name)
    postgres_server.run(f"DROP ROLE IF EXISTS {name}")
    postgres_server.run(f"CREATE ROLE {name} LOGIN")
    said = []
    for url in (
        postgres_server.url(name, "nobody_known"),
        postgres_server.url("nowhere"),
        postgres_server.url(name, name),
    ):
        with pytest.raises(ConfigurationError, match="GATEWAY_STATE_URL must name") as caught:
            StateStore.open(url)
        said.append(str(caught.value))
    postgres_server.drop_database(name)
    postgres_server.run(f"DROP ROLE {name}")

    assert "does not exist" in said[0]
    assert "does not exist" in said[1]
    assert "permission denied" in said[2]


# A server that goes away


def test_a_server_that_goes_away_and_comes_back_needs_no_restart(private_server: PrivateServer) -> None:
    """Reads and writes fail fast meanwhile, and say so once; what was committed is there afterwards."""
    events: list[Event] = []
    with StateStore.open(private_server.create_database("gateway_state_away"), observer=events.append) as store:
        store.tokens.create(TOKEN)
        private_server.kill()
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(StateAwayError):
                store.tokens.by_digest(TOKEN.digest)
            with pytest.raises(StateAwayError):
                store.generation.bump()
        seconds = time.monotonic() - began
        status = store.status
        private_server.start()

        assert store.probe() == "ok"
        assert store.tokens.by_digest(TOKEN.digest) is not None
        assert (status, seconds < 10) == ("away", True)
    assert [type(event) for event in events] == [StateLost, StateLost, StateFound, StateFound]


def test_a_server_that_does_not_answer_is_given_up_in_seconds(private_server: PrivateServer) -> None:
    """It is there and says nothing, as behind a broken line."""
    with StateStore.open(private_server.create_database("gateway_state_mute")) as store:
        store.tokens.create(TOKEN)
        pid = private_server.pid
        assert pid is not None
        os.kill(pid, 19)  # SIGSTOP
        try:
            began = time.monotonic()
            with pytest.raises(StateAwayError):
                store.tokens.by_digest(TOKEN.digest)
            seconds = time.monotonic() - began
        finally:
            os.kill(pid, 18)  # SIGCONT
        assert seconds < 10
        assert store.probe() == "ok"


def test_a_connection_that_the_server_closed_is_replaced_unseen(mariadb_server: Server, state_url: str) -> None:
    """An idle timeout of the server, or its restart, costs no request."""
    if not state_url.startswith("mysql"):
        pytest.skip("the way to close others' connections is MariaDB's")
    with StateStore.open(state_url) as store:
        store.tokens.create(TOKEN)
        name = state_url.rpartition("/")[2]
        rows = mariadb_server.run(f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{name}'")
        for (number,) in rows:
            with suppress(pymysql.err.OperationalError):  # one that had gone by itself
                mariadb_server.run(f"KILL {number}")

        assert len(rows) >= 1
        assert store.tokens.by_digest(TOKEN.digest) is not None
        assert store.generation.bump() == 1
        assert store.status == "ok"
