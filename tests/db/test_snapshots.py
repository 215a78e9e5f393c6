"""A snapshot of the database: one moment, on a connection of its own, in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.errors import GatewayError, SchemaChangedError
from gateway.execution.database import Database
from tests.support.databases import opened, transact, until
from tests.support.mariadb import Server


@pytest.fixture
def name(mariadb_server: Server, mariadb_url: str) -> Iterator[str]:
    """The worker's database with one table of two rows."""
    name = mariadb_url.rpartition("/")[2]
    drop = "DROP TABLE IF EXISTS item"
    table = "CREATE TABLE item (id INT PRIMARY KEY, n INT)"
    mariadb_server.run(drop, table, "INSERT INTO item VALUES (1, 1), (2, 2)", database=name)
    yield name
    mariadb_server.run(drop, database=name)


@pytest.fixture
async def database(name: str, mariadb_url: str) -> AsyncIterator[Database]:
    """An open database with a pool of one."""
    async with opened(mariadb_url, pool_size=1) as database:
        yield database


ALL = "SELECT id, n FROM item ORDER BY id"
ENDLESS = "SELECT COUNT(*) FROM seq_1_to_100000 AS a JOIN seq_1_to_100000 AS b WHERE a.seq + b.seq = 7"


async def test_a_snapshot_shows_the_moment_it_began(database: Database) -> None:
    """Whatever is committed meanwhile; its locks given up or not."""
    async with database.snapshot() as snapshot:
        await transact(database, "UPDATE item SET n = 9", "INSERT INTO item VALUES (3, 3)")
        first = await snapshot.run(ALL)
        await snapshot.release()
        await transact(database, "DELETE FROM item WHERE id = 1")
        second = await snapshot.run(ALL)

    assert first == second == ((1, 1), (2, 2))
    assert await database.fetch(ALL) == ((2, 9), (3, 3))


async def test_a_snapshot_takes_no_connection_of_the_pool(database: Database) -> None:
    """The pool's only one stays free, and the one of the snapshot is closed with it."""
    counting = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()"
    async with database.snapshot() as snapshot, database.snapshot() as other:
        assert await snapshot.run(ALL) == await other.run(ALL) == await database.fetch(ALL)
        assert (await database.fetch(counting))[0][0] == 3

    async def is_closed() -> bool:
        return bool((await database.fetch(counting))[0][0] == 1)

    await until(is_closed)


async def test_a_snapshot_cannot_write(database: Database) -> None:
    """The transaction is read only."""
    with pytest.raises(GatewayError) as caught:
        async with database.snapshot() as snapshot:
            await snapshot.run("DELETE FROM item")

    assert caught.value.code == "database_refuses"
    assert await database.fetch("SELECT COUNT(*) FROM item") == ((2,),)


async def test_a_released_table_can_be_altered(database: Database, mariadb_server: Server, name: str) -> None:
    """And one that is being read cannot, until it is released: what `release` is for."""
    wait = "SET lock_wait_timeout = 1"
    async with database.snapshot() as snapshot:
        await snapshot.run(ALL)
        with pytest.raises(Exception, match="Lock wait timeout"):
            await asyncio.to_thread(mariadb_server.run, wait, "ALTER TABLE item ADD m INT", database=name)
        await snapshot.release()
        await asyncio.to_thread(mariadb_server.run, wait, "ALTER TABLE item ADD m INT", database=name)


async def test_a_rebuilt_table_ends_the_snapshot(database: Database, mariadb_server: Server, name: str) -> None:
    """Its old rows are gone, and reading the new ones would be another moment."""
    async with database.snapshot() as snapshot:
        await snapshot.run(ALL)
        await snapshot.release()
        await asyncio.to_thread(mariadb_server.run, "ALTER TABLE item MODIFY n BIGINT, FORCE", database=name)
        with pytest.raises(SchemaChangedError):
            await snapshot.run(ALL)


async def test_a_cancelled_snapshot_ends_its_statement(database: Database, mariadb_server: Server, name: str) -> None:
    """On the server too."""
    running = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{name}' AND info LIKE 'SELECT SLEEP%'"

    async def read() -> None:
        async with database.snapshot() as snapshot:
            await snapshot.run("SELECT SLEEP(8)")

    async def runs() -> bool:
        return mariadb_server.run(running) == ((1,),)

    async def has_ended() -> bool:
        return mariadb_server.run(running) == ((0,),)

    task = asyncio.create_task(read())
    await until(runs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(has_ended)


async def test_a_statement_of_a_snapshot_has_the_limit_of_every_statement(name: str, mariadb_url: str) -> None:
    """The server stops it."""
    async with opened(mariadb_url, statement_limit_s=0.2) as database:
        with pytest.raises(GatewayError) as caught:
            async with database.snapshot() as snapshot:
                await snapshot.run(ENDLESS)

    assert caught.value.code == "statement_timeout"


async def test_without_a_database_there_is_no_snapshot() -> None:
    """The answer is that of every other statement."""
    async with opened("mysql://root@127.0.0.1:1/none") as database:
        with pytest.raises(GatewayError) as caught:
            async with database.snapshot():
                pass

    assert caught.value.code == "database_away"


async def test_closing_the_database_ends_its_snapshots(name: str, mariadb_url: str) -> None:
    """A server that stops waits for nobody."""
    async with opened(mariadb_url) as database, database.snapshot() as snapshot:
        await database.close()
        with pytest.raises(GatewayError) as caught:
            await snapshot.run(ALL)

    assert caught.value.code == "database_away"
