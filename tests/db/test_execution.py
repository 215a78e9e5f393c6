"""What the execution layer promises about statements, values and connections on a real server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.errors import ConflictError, GatewayError, SchemaChangedError, UnavailableError
from gateway.execution.database import Database
from gateway.execution.failures import FieldRefusal, ValueRefusedError
from gateway.observe import Event, ReadRetried, StatementTimedOut
from tests.support.databases import go_on_after_a_failure, opened, transact, until
from tests.support.mariadb import Server

TABLES = (
    """CREATE TABLE odd (id INT AUTO_INCREMENT PRIMARY KEY, d DECIMAL(30,10), f FLOAT, dd DOUBLE, day DATE,
    moment DATETIME(6), stamp TIMESTAMP NULL, span TIME(3), bits BIT(10), doc JSON, word ENUM('a','b'),
    words SET('x','y','z'), huge BIGINT UNSIGNED, tiny TINYINT, y YEAR, bytes VARBINARY(9), text TEXT)""",
    "CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(5) NOT NULL UNIQUE, n TINYINT, CHECK (n <> 7))",
    "CREATE TABLE part (id INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES item (id))",
)


@pytest.fixture
def name(mariadb_server: Server, mariadb_url: str) -> Iterator[str]:
    """The worker's database with three tables."""
    name = mariadb_url.rpartition("/")[2]
    drop = "DROP TABLE IF EXISTS part, item, odd"
    mariadb_server.run(drop, *TABLES, database=name)
    yield name
    mariadb_server.run(drop, database=name)


@pytest.fixture
async def database(name: str, mariadb_url: str) -> AsyncIterator[Database]:
    """An open database with a small pool."""
    async with opened(mariadb_url, pool_size=4) as database:
        yield database


async def count(database: Database, counter: str) -> int:
    """Return a status counter of the server session that the pool's one link has."""
    text = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = %s"
    return int((await database.fetch(text, (counter,)))[0][0])


ODD = {
    "d": (Decimal("-12345678901234567890.0123456789"), "-12345678901234567890.0123456789"),
    "dd": (0.1, 0.1),
    "day": (date(2024, 2, 29), date(2024, 2, 29)),
    "moment": (datetime(2024, 2, 29, 1, 2, 3, 456789), datetime(2024, 2, 29, 1, 2, 3, 456789)),
    "stamp": (datetime(2024, 3, 31, 2, 30), datetime(2024, 3, 31, 2, 30)),
    "span": (timedelta(hours=-800, milliseconds=-5), timedelta(hours=-800, milliseconds=-5)),
    "bits": (513, b"\x02\x01"),
    "doc": ('{"a": 1.10}', '{"a": 1.10}'),
    "word": ("b", "b"),
    "words": ("z,x", "x,z"),
    "huge": (2**64 - 1, 2**64 - 1),
    "tiny": (-128, -128),
    "y": (2024, 2024),
    "bytes": (b"\x00\xff", b"\x00\xff"),
    "text": ("عربي é 🙂 % %s '\"\\", "عربي é 🙂 % %s '\"\\"),
}


@pytest.mark.parametrize("statement_cache", [0, 8], ids=["text", "prepared"])
async def test_values_arrive_as_the_decoders_expect_them(name: str, mariadb_url: str, statement_cache: int) -> None:
    """Both protocols hand over the same shapes: exact text for decimals, spans beyond a day, bytes for bits."""
    columns = ", ".join(ODD)
    marks = ", ".join(["%s"] * len(ODD))
    async with opened(mariadb_url, statement_cache=statement_cache) as database:
        async with database.transaction() as session:
            written = [given for given, _ in ODD.values()]
            outcome = await session.run(f"INSERT INTO odd ({columns}) VALUES ({marks})", tuple(written))
        rows = await database.fetch(f"SELECT {columns} FROM odd WHERE id = %s", (outcome.last_id,))

    assert dict(zip(ODD, rows[0], strict=True)) == {column: expected for column, (_, expected) in ODD.items()}


@pytest.mark.parametrize("statement_cache", [0, 8], ids=["text", "prepared"])
async def test_zero_dates_are_read_as_none_or_text(name: str, mariadb_url: str, statement_cache: int) -> None:
    """A zero date can be stored and read: the strict mode does not forbid what Perfex holds."""
    async with opened(mariadb_url, statement_cache=statement_cache) as database:
        async with database.transaction() as session:
            await session.run("INSERT INTO odd (day, moment) VALUES ('0000-00-00', '0000-00-00 00:00:00')")
        rows = await database.fetch("SELECT day, moment FROM odd")

    assert all(value is None or str(value).startswith("0000-00-00") for value in rows[0])


async def test_the_session_is_strict_utc_and_limited(database: Database) -> None:
    """Every connection has the settings that the rest relies on."""
    rows = await database.fetch(
        "SELECT @@sql_mode, @@time_zone, @@innodb_lock_wait_timeout, @@max_statement_time, @@tx_isolation,"
        " @@character_set_client, @@autocommit"
    )

    mode, zone, lock_wait, limit, isolation, charset, autocommit = rows[0]
    assert "STRICT_ALL_TABLES" in mode
    assert "NO_ZERO_DATE" not in mode
    assert (zone, lock_wait, float(limit), isolation) == ("+00:00", 5, 9.75, "READ-COMMITTED")
    assert (charset, autocommit) == ("utf8mb4", 1)
    assert database.dialect == "mariadb"


async def test_a_repeated_statement_is_prepared_once(name: str, mariadb_url: str) -> None:
    """The same text runs as one prepared statement for as long as the link lives."""
    async with opened(mariadb_url, pool_size=1) as database:
        await count(database, "Com_stmt_prepare")
        prepared, executed = await count(database, "Com_stmt_prepare"), await count(database, "Com_stmt_execute")
        for key in range(10):
            assert await database.fetch("SELECT %s + 1", (key,)) == ((key + 1,),)

        assert await count(database, "Com_stmt_prepare") == prepared + 1
        assert await count(database, "Com_stmt_execute") == executed + 10 + 2


async def test_prepared_statements_are_bounded(name: str, mariadb_url: str) -> None:
    """The statement used least recently is closed when there are too many."""
    async with opened(mariadb_url, pool_size=1, statement_cache=3) as database:
        for number in range(10):
            await database.fetch(f"SELECT {number}")

        assert await count(database, "Com_stmt_close") == 8


async def test_a_statement_survives_a_changed_table(database: Database, mariadb_server: Server, name: str) -> None:
    """A prepared statement whose table changed is prepared anew, by the server or by us."""
    assert await database.fetch("SELECT * FROM item") == ()
    mariadb_server.run(
        "ALTER TABLE item ADD extra INT DEFAULT 3", "INSERT INTO item (name) VALUES ('a')", database=name
    )

    assert await database.fetch("SELECT * FROM item") == ((1, "a", None, 3),)


async def test_an_update_that_changes_nothing_counts_its_row(database: Database) -> None:
    """Affected rows are those that matched."""
    async with database.transaction() as session:
        created = await session.run("INSERT INTO item (name) VALUES (%s)", ("a",))
        same = await session.run("UPDATE item SET name = %s WHERE id = %s", ("a", created.last_id))
        none = await session.run("UPDATE item SET name = %s WHERE id = 99", ("a",))

    assert (created.last_id, same.affected, none.affected) == (1, 1, 0)


async def test_a_transaction_commits_whole_or_not_at_all(database: Database) -> None:
    """What the block raised, and what a statement raised inside it, leaves nothing behind."""

    async def change_its_mind() -> None:
        async with database.transaction() as session:
            await session.run("INSERT INTO item (name) VALUES ('a')")
            raise LookupError

    with pytest.raises(LookupError):
        await change_its_mind()
    with pytest.raises(ConflictError):
        await transact(database, *["INSERT INTO item (name) VALUES ('b')"] * 2)

    assert await database.fetch("SELECT name FROM item") == ()
    assert database.status().idle == database.status().open


async def test_a_caught_failure_still_ends_the_transaction(database: Database) -> None:
    """A block cannot go on after a failure: the server may have rolled back already."""
    with pytest.raises(ConflictError):
        await go_on_after_a_failure(database, *["INSERT INTO item (name) VALUES ('a')"] * 3)

    assert await database.fetch("SELECT name FROM item") == ()


@pytest.mark.parametrize(
    ("text", "parameters", "refusal"),
    [
        ("INSERT INTO item (name) VALUES (%s)", ("toolong",), FieldRefusal("name", "too_long")),
        ("INSERT INTO item (name, n) VALUES ('a', %s)", (300,), FieldRefusal("n", "out_of_range")),
        ("INSERT INTO item (name, n) VALUES ('a', %s)", ("x",), FieldRefusal("n", "type")),
        ("INSERT INTO item (name) VALUES (%s)", (None,), FieldRefusal("name", "null")),
        ("INSERT INTO item (n) VALUES (%s)", (1,), FieldRefusal("name", "required")),
        ("INSERT INTO item (name, n) VALUES ('a', %s)", (7,), FieldRefusal(None, None)),
        ("INSERT INTO odd (word) VALUES (%s)", ("c",), FieldRefusal("word", "type")),
        ("INSERT INTO odd (day) VALUES (%s)", ("for column `x` at row 1",), FieldRefusal("day", "type")),
    ],
)
async def test_refused_values_name_their_column_as_data(
    database: Database, text: str, parameters: tuple[object, ...], refusal: FieldRefusal
) -> None:
    """Strict mode refuses; the column is in the refusal, never in the words."""
    with pytest.raises(ValueRefusedError) as caught:
        async with database.transaction() as session:
            await session.run(text, parameters)

    assert caught.value.refusal == refusal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("INSERT INTO part VALUES (2, 99)", "reference_missing"),
        ("DELETE FROM item", "dependants"),
        ("INSERT INTO item (name) VALUES ('a')", "duplicate"),
    ],
)
async def test_broken_keys_are_conflicts(database: Database, text: str, code: str) -> None:
    """Foreign keys in both directions and unique keys have their codes."""
    async with database.transaction() as session:
        await session.run("INSERT INTO item VALUES (1, 'a', 1)")
        await session.run("INSERT INTO part VALUES (1, 1)")

    with pytest.raises(ConflictError) as caught:
        async with database.transaction() as session:
            await session.run(text)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["SELECT nothing FROM item", "SELECT 1 FROM nowhere"])
async def test_a_vanished_column_or_table_asks_for_a_reload(database: Database, text: str) -> None:
    """The catalog no longer fits the database."""
    with pytest.raises(SchemaChangedError):
        await database.fetch(text)
    assert database.status().idle == 1


async def test_a_full_pool_is_busy_after_the_wait(name: str, mariadb_url: str) -> None:
    """Never more connections than the size; who waits too long gets 503 with Retry-After."""
    async with opened(mariadb_url, pool_size=2, pool_wait_s=0.05) as database:
        asked = [database.fetch("SELECT SLEEP(%s)", (0.3,)) for _ in range(5)]
        results = await asyncio.gather(*asked, return_exceptions=True)

        refused = [result for result in results if isinstance(result, UnavailableError)]
        assert [error.code for error in refused] == ["database_busy"] * 3
        assert refused[0].headers["Retry-After"] == "1"
        assert (database.status().open, database.status().idle) == (2, 2)


async def test_waiters_are_served_in_order_within_the_size(name: str, mariadb_url: str) -> None:
    """Forty requests share three connections."""
    async with opened(mariadb_url, pool_size=3) as database:
        rows = await asyncio.gather(*(database.fetch("SELECT %s, CONNECTION_ID()", (n,)) for n in range(40)))

    assert [row[0][0] for row in rows] == list(range(40))
    assert len({row[0][1] for row in rows}) <= 3


async def test_a_statement_is_stopped_at_its_limit(name: str, mariadb_url: str) -> None:
    """The server stops it, the connection stays good, and it is reported."""
    events: list[Event] = []
    async with opened(mariadb_url, events, pool_size=1, statement_limit_s=0.1) as database:
        with pytest.raises(UnavailableError) as caught:
            await database.fetch("SELECT SUM(SQRT(seq)) FROM seq_1_to_1000000000")
        assert caught.value.code == "statement_timeout"
        assert caught.value.status == 504
        assert await database.fetch("SELECT 1") == ((1,),)

    assert any(isinstance(event, StatementTimedOut) for event in events)


async def running(server: Server, name: str) -> list[tuple[object, ...]]:
    """Return the statements that run on the test's database now."""
    rows = await asyncio.to_thread(
        server.run, f"SELECT id, info FROM information_schema.processlist WHERE db = '{name}' AND command <> 'Sleep'"
    )
    return [row for row in rows if "processlist" not in str(row[1])]


async def test_a_cancelled_read_is_stopped_on_the_server(database: Database, mariadb_server: Server, name: str) -> None:
    """A client that goes away frees its connection at once, and the server stops its work."""
    task = asyncio.create_task(database.fetch("SELECT SLEEP(9)"))

    async def has_begun() -> bool:
        return bool(await running(mariadb_server, name))

    async def has_ended() -> bool:
        return not await running(mariadb_server, name)

    await until(has_begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert database.status().open == 0
    await until(has_ended)


async def test_a_storm_of_cancellations_leaves_no_trace(name: str, mariadb_url: str, mariadb_server: Server) -> None:
    """No wrong row, no lost connection, nothing left running."""
    dice = random.Random(7)
    async with opened(mariadb_url, pool_size=8) as database:
        text = "SELECT %s, SLEEP(0.002)"
        tasks = [asyncio.create_task(database.fetch(text, (number,))) for number in range(800)]
        for victim in dice.sample(tasks, 300):
            asyncio.get_running_loop().call_later(dice.random() * 0.25, victim.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)

        for number, result in enumerate(results):
            assert isinstance(result, asyncio.CancelledError) or result == ((number, 0),)
        assert database.status().open <= 8
        assert database.status().idle == database.status().open
        rows = await asyncio.gather(*(database.fetch("SELECT %s", (number,)) for number in range(50)))
        assert rows == [((number,),) for number in range(50)]

        async def is_quiet() -> bool:
            return not await running(mariadb_server, name)

        await until(is_quiet)


async def test_a_read_on_a_connection_the_server_closed_is_run_again(
    name: str, mariadb_url: str, mariadb_server: Server
) -> None:
    """The client does not notice; the retry is reported."""
    events: list[Event] = []
    async with opened(mariadb_url, events, pool_size=1) as database:
        ((thread_id,),) = await database.fetch("SELECT CONNECTION_ID()")
        mariadb_server.run(f"KILL {thread_id}")

        ((other,),) = await database.fetch("SELECT CONNECTION_ID()")
        mariadb_server.run(f"KILL {other}")
        async with database.transaction() as session:
            await session.run("INSERT INTO item (name) VALUES ('a')")
        assert await database.fetch("SELECT name FROM item") == (("a",),)

    assert other != thread_id
    assert events == [ReadRetried()]


async def test_a_lock_held_too_long_is_a_conflict(name: str, mariadb_url: str) -> None:
    """The second writer gets 409 after the lock wait and nothing of it stays."""
    async with opened(mariadb_url, lock_wait_s=1) as database:
        async with database.transaction() as session:
            await session.run("INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 1)")
        async with database.transaction() as first:
            await first.run("UPDATE item SET n = 2 WHERE id = 1")
            with pytest.raises(ConflictError) as caught:
                await transact(database, "UPDATE item SET n = 3 WHERE id = 2", "UPDATE item SET n = 3 WHERE id = 1")

        assert caught.value.code == "write_conflict"
        assert await database.fetch("SELECT n FROM item ORDER BY id") == ((2,), (1,))


async def test_a_deadlock_is_a_conflict_for_one(name: str, mariadb_url: str) -> None:
    """One of two writers that wait for each other is rolled back, the other goes on."""
    async with opened(mariadb_url) as database:
        async with database.transaction() as session:
            await session.run("INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 1)")
        both_locked = asyncio.Barrier(2)

        async def write(first: int, second: int) -> None:
            async with database.transaction() as session:
                await session.run("UPDATE item SET n = %s WHERE id = %s", (first, first))
                await both_locked.wait()
                await session.run("UPDATE item SET n = %s WHERE id = %s", (first, second))

        results = await asyncio.gather(write(1, 2), write(2, 1), return_exceptions=True)

        codes = [result.code if isinstance(result, GatewayError) else result for result in results]
        assert sorted(codes, key=str) == [None, "write_conflict"]


async def test_cancelling_a_transaction_rolls_it_back(database: Database, mariadb_server: Server, name: str) -> None:
    """The lock is free and the row unchanged although nobody was left to say ROLLBACK."""
    async with database.transaction() as session:
        await session.run("INSERT INTO item VALUES (1, 'a', 1)")
    locked = asyncio.Event()

    async def write() -> None:
        async with database.transaction() as session:
            await session.run("UPDATE item SET n = 2 WHERE id = 1")
            locked.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await locked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.transaction() as session:
        await session.run("UPDATE item SET n = n + 10 WHERE id = 1")
    assert await database.fetch("SELECT n FROM item") == ((11,),)
