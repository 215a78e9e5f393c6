"""The database server that the other tests of this directory stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.mariadb import PrivateServer, Server


def test_the_worker_database_is_utf8mb4(mariadb_server: Server, mariadb_url: str) -> None:
    """Text is stored as Perfex stores it, and the worker's database is on the shared server."""
    name = mariadb_url.rpartition("/")[2]

    assert mariadb_url == mariadb_server.url(name)
    rows = mariadb_server.run("SELECT @@character_set_database, @@collation_database", database=name)
    assert rows == (("utf8mb4", "utf8mb4_unicode_ci"),)


def test_a_database_is_created_empty_each_time(mariadb_server: Server, mariadb_url: str) -> None:
    """What an earlier run left behind is gone."""
    name = f"{mariadb_url.rpartition('/')[2]}_again"
    for _ in range(2):
        mariadb_server.create_database(name)
        mariadb_server.run("CREATE TABLE t (id INT)", database=name)

    mariadb_server.drop_database(name)
    assert mariadb_server.run(f"SHOW DATABASES LIKE '{name}'") == ()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_private_server_keeps_its_address_and_data_when_it_ends(private_server: PrivateServer, end: str) -> None:
    """A test can take the database away and bring it back, cleanly or not."""
    private_server.create_database("gateway_kept")
    private_server.address.run("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (7)", database="gateway_kept")
    pids = [private_server.pid]

    getattr(private_server, end)()
    pids.append(private_server.pid)
    assert not private_server.address.is_ready()

    private_server.start()
    pids.append(private_server.pid)
    assert private_server.address.run("SELECT id FROM gateway_kept.t") == ((7,),)
    assert pids[1] is None
    assert pids[0] != pids[2]


def test_a_private_server_can_write_a_binlog() -> None:
    """Row format with column names, as a change feed reads it; and its directory goes with it."""
    with PrivateServer.started(binlog=True, options=("--max-connections=17",)) as server:
        rows = server.address.run("SELECT @@log_bin, @@binlog_format, @@max_connections")
        socket = server.socket

    assert rows == ((1, "ROW", 17),)
    assert not server.address.is_ready()
    assert not Path(socket).parent.exists()
