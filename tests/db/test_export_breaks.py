"""What an export costs others, and what is left of one that breaks: nothing that looks whole, nothing that is held."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from tests.support.app import App, listening, served
from tests.support.databases import until
from tests.support.mariadb import Server

ROWS = 6_000
WHITELIST = """version: 1
profile: none
tables:
  book: {}
  loose: {}
"""
TABLES = (
    "CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20) NOT NULL, code CHAR(64), page TEXT)",
    "CREATE TABLE loose (number INT, word VARCHAR(20))",
    "INSERT INTO book (word, code, page)"
    f" SELECT CONCAT('w', seq % 7), SHA2(seq, 256), REPEAT('x', 1000) FROM seq_1_to_{ROWS}",
    "INSERT INTO loose SELECT seq % 500, CONCAT('w', seq) FROM seq_1_to_3000",
)
SMALL = 4_096
"""Bytes that are kept for a client that does not read: on the way, by each side."""

LAST_CHUNK = b"\r\n0\r\n\r\n"
"""The mark of an answer's end (RFC 9112, section 7.1)."""


@pytest.fixture
def database(mariadb_server: Server) -> Iterator[str]:
    """The name of a database whose table has some megabytes."""
    name = f"gateway_breaks_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.create_database(name)
    mariadb_server.run(*TABLES, database=name)
    yield name
    mariadb_server.drop_database(name)


@pytest.fixture
def open_app(mariadb_server: Server, database: str) -> Callable[..., Any]:
    """What serves that database with some settings."""

    def serve(**settings: Any) -> Any:
        return served(mariadb_server.url(database), whitelist=WHITELIST, **settings)

    return serve


class Reader:
    """A client that reads as slowly as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = b""

    async def read(self, size: int) -> None:
        """Take some bytes from the network."""
        while len(self.received) < size and (part := await self._reader.read(SMALL)):
            self.received += part

    async def read_all(self) -> bytes:
        """Take everything until the server hangs up or the answer ends."""
        async with asyncio.timeout(20):
            while not self.is_whole and (part := await self._reader.read(65_536)):
                self.received += part
        return self.received

    @property
    def is_whole(self) -> bool:
        """Whether the end of the answer has come."""
        return self.received.endswith(LAST_CHUNK)

    def leave(self) -> None:
        """Close the connection."""
        self._writer.close()


@asynccontextmanager
async def asking(app: App, path: str, version: str = "1.1") -> AsyncIterator[Reader]:
    """Send a request over a connection on which little fits that nobody reads; read nothing yet."""
    async with listening(app, send_buffer=SMALL) as address:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
        streams = await asyncio.open_connection(sock=connection, limit=SMALL)
        reader = Reader(*streams)
        token = app.tokens["all"]
        request = f"GET /api/v1/{path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        streams[1].write(request.encode())
        try:
            yield reader
        finally:
            reader.leave()


def open_transactions(server: Server, database: str) -> Callable[[], Awaitable[bool]]:
    """A question: whether no transaction is open in a database."""
    text = (
        "SELECT COUNT(*) FROM information_schema.innodb_trx AS t JOIN information_schema.processlist AS p"
        f" ON p.id = t.trx_mysql_thread_id WHERE p.db = '{database}'"
    )

    async def are_none() -> bool:
        return server.run(text) == ((0,),)

    return are_none


async def alter(server: Server, database: str, text: str) -> float:
    """Alter a table as a Perfex update does; return the seconds it took, waiting for locks included."""
    began = monotonic()
    await asyncio.to_thread(server.run, "SET lock_wait_timeout = 5", text, database=database)
    return monotonic() - began


async def test_a_slow_reader_gets_everything(open_app: Callable[..., Any]) -> None:
    """As long as it reads at all."""
    async with open_app() as app, asking(app, "book.csv?fields=id,page") as reader:
        await reader.read(50_000)
        await asyncio.sleep(0.2)
        body = await reader.read_all()

    assert reader.is_whole
    assert body.count(b"x" * 1000) == ROWS


@pytest.mark.parametrize(
    ("text", "is_rebuilt"),
    [
        ("ALTER TABLE book ADD extra INT", False),
        ("ALTER TABLE book ADD INDEX (word)", False),
        ("ALTER TABLE book MODIFY word VARCHAR(300) NOT NULL, FORCE", True),
    ],
    ids=["instant", "index", "rebuild"],
)
async def test_altering_a_table_does_not_wait_for_an_export(
    open_app: Callable[..., Any], mariadb_server: Server, database: str, text: str, is_rebuilt: bool
) -> None:
    """Between two parts no metadata lock is held, however long the client takes.

    A table that was built anew has no rows of before, so the export ends without the mark of an
    end; where the rows stayed in place, it goes on to the last one.
    """
    async with open_app() as app, asking(app, "book.csv?fields=id,page") as reader:
        await reader.read(20_000)
        seconds = await alter(mariadb_server, database, text)
        body = await reader.read_all()
        await until(open_transactions(mariadb_server, database))

    assert seconds < 4
    assert body.startswith(b"HTTP/1.1 200")
    found = body.count(b"x" * 1000)
    assert found == ROWS if reader.is_whole else 0 < found < ROWS
    assert reader.is_whole is not is_rebuilt


async def test_a_client_that_leaves_ends_its_export(
    open_app: Callable[..., Any], mariadb_server: Server, database: str
) -> None:
    """Its turn is free again and its transaction is over."""
    async with open_app(export_most=1) as app:
        async with asking(app, "book.csv?fields=id,page") as reader:
            await reader.read(20_000)
            assert (await app.get("loose.csv")).status_code == 503
            reader.leave()

            async def is_free() -> bool:
                return bool((await app.get("loose.csv")).status_code == 200)

            await until(is_free)
        await until(open_transactions(mariadb_server, database))


async def test_a_client_that_does_not_read_ends_its_export(
    open_app: Callable[..., Any], mariadb_server: Server, database: str
) -> None:
    """After the seconds of the setting; what it reads later has no end."""
    async with open_app(export_stall_s=0.3) as app, asking(app, "book.csv?fields=id,page") as reader:
        await reader.read(20_000)
        assert not await open_transactions(mariadb_server, database)()
        await until(open_transactions(mariadb_server, database))
        body = await reader.read_all()

    assert not reader.is_whole
    assert 0 < body.count(b"x" * 1000) < ROWS


async def test_an_export_that_takes_too_long_ends(
    open_app: Callable[..., Any], mariadb_server: Server, database: str
) -> None:
    """However eagerly it is read."""
    async with open_app(export_limit_s=1.0) as app, asking(app, "book.csv?fields=id,page") as reader:
        for size in range(10_000, 200_000, 10_000):
            await reader.read(size)
            await asyncio.sleep(0.1)
        await reader.read_all()

    assert not reader.is_whole


async def test_a_lost_connection_to_the_database_breaks_the_export(
    open_app: Callable[..., Any], mariadb_server: Server, database: str
) -> None:
    """What was sent by then is not ended as if it were whole."""
    text = (
        "SELECT p.id FROM information_schema.innodb_trx AS t JOIN information_schema.processlist AS p"
        f" ON p.id = t.trx_mysql_thread_id WHERE p.db = '{database}'"
    )
    async with open_app() as app, asking(app, "book.ndjson?fields=id,page") as reader:
        await reader.read(20_000)
        ((thread,),) = mariadb_server.run(text)
        mariadb_server.run(f"KILL {thread}")
        await reader.read_all()

    assert not reader.is_whole
    assert reader.received.count(b"x" * 1000) < ROWS


async def test_an_old_client_gets_a_length(open_app: Callable[..., Any]) -> None:
    """HTTP/1.0 has no chunks: the end of the connection would pass for that of the answer (RFC 9112, section 8)."""
    async with open_app() as app, asking(app, "book.csv?fields=id,word", version="1.0") as reader:
        body = await reader.read_all()

    head, _, content = body.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert b"transfer-encoding" not in headers
    assert int(headers[b"content-length"]) == len(content)
    assert content.count(b"\r\n") == ROWS + 1


@pytest.mark.parametrize("name", ["xlsx", "parquet"])
async def test_a_file_over_the_cap_is_refused_before_the_first_byte(open_app: Callable[..., Any], name: str) -> None:
    """The answer names what has no such limit; so it is for an old client, whose answer is spooled as well."""
    async with open_app(export_spool_bytes=65_536) as app:
        answer = await app.get(f"book.{name}")
        assert (answer.status_code, answer.json()["code"]) == (400, "export_too_large")
        assert "Ask for CSV" in answer.text
        async with asking(app, "book.csv", version="1.0") as reader:
            assert (await reader.read_all()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("name", ["xlsx", "csv"])
async def test_an_export_that_is_too_slow_to_begin_says_so(open_app: Callable[..., Any], name: str) -> None:
    """As long as nothing was sent there is an answer; the turn is free afterwards."""
    async with open_app(export_most=1) as app:
        service = app.parts.keeper.service()
        usual = service.exports.limits
        for seconds in (0.0, 0.05 if name == "xlsx" else 0.0):
            service.exports.limits = replace(usual, limit_s=seconds)
            answer = await app.get(f"book.{name}")
            assert (answer.status_code, answer.json()["code"]) == (504, "export_timeout")
        service.exports.limits = usual

        assert (await app.get("loose.csv")).status_code == 200


async def test_rows_without_a_key_are_read_by_offsets(open_app: Callable[..., Any]) -> None:
    """Within the snapshot these mean the same rows throughout; nobody else is in the way."""
    async with open_app(max_offset=100) as app:
        lines = (await app.get("loose.csv")).text.split("\r\n")

    assert (lines[0], len(lines)) == ("number,word", 3_002)
    assert len(set(lines)) == 3_002


async def test_a_table_is_read_in_parts_that_do_not_overlap(open_app: Callable[..., Any]) -> None:
    """Ties, descending order and a sort without an index: each row once."""
    async with open_app() as app:
        for sort in ("id", "-id", "word", "-word,id"):
            answer = await app.get(f"book.csv?fields=id,word&sort={sort}")
            rows = [line.split(",") for line in answer.text.split("\r\n")[1:-1]]
            expected = sorted(int(row[0]) for row in rows)
            assert expected == list(range(1, ROWS + 1)), sort
            assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=sort.startswith("-word")) or (
                "word" not in sort
            )


async def test_the_cost_guard_judges_all_of_an_export(open_app: Callable[..., Any], mariadb_server: Server) -> None:
    """Its parts are cheap each; a page is judged as that page."""
    async with open_app(max_examined_rows=ROWS // 2) as app:
        whole = await app.get("book.csv")
        page = await app.get("book.csv?limit=10")
        less = await app.get("book.csv?filter[id.lte]=100")

    assert (whole.status_code, whole.json()["code"]) == (400, "query_too_expensive")
    assert (page.status_code, page.text.count("\r\n")) == (200, 11)
    assert (less.status_code, less.text.count("\r\n")) == (200, 101)
