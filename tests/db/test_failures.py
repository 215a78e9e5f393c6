"""What clients see while things break: the database dies and returns, clients leave, bodies never end."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sample_crm import build
from tests.support.app import NOON, App, RunningServer, listening, served
from tests.support.databases import until
from tests.support.mariadb import PrivateServer, Server

ABORT_S = float(os.environ.get("ABORT_TEST_SECONDS", "6"))
"""How long clients abort; ``ABORT_TEST_SECONDS=30 pytest -k aborting`` takes longer."""

CLIENTS = 16
OWN = """version: 1
profile: none
tables:
  mine:
  slow_mine: {key: id}
"""


# The database dies under load and returns


async def ask_on(client: httpx2.AsyncClient, stop: asyncio.Event, seen: Counter[tuple[int, str]], number: int) -> None:
    """Ask for rows and pages until told to stop; every 200 must be the right answer."""
    while not stop.is_set():
        for path in (
            f"invoices/{number}",
            f"invoices?filter[id.gte]={number}&per_page=2&fields=id",
            "clients/1/invoices",
        ):
            answer = await client.get(f"/api/v1/{path}")
            body = answer.json()
            seen[answer.status_code, body.get("code", "")] += 1
            if answer.status_code != 200:
                assert answer.headers["retry-after"], answer.text
                await asyncio.sleep(0.01)  # refusals come at once, and would be all there is to see
            elif path.startswith("invoices/"):
                assert body["data"]["id"] == number
            elif path.startswith("invoices?"):
                assert [row["id"] for row in body["data"]] == [number, number + 1]


async def write_on(client: httpx2.AsyncClient, stop: asyncio.Event, seen: Counter[tuple[int, str]]) -> int:
    """Count in a row until told to stop; return the last number that was acknowledged."""
    acknowledged = number = 0
    while not stop.is_set():
        number += 1
        answer = await client.patch("/api/v1/leads/1", json={"lead_value": number})
        seen[answer.status_code, answer.json().get("code", "")] += 1
        if answer.status_code == 200:
            acknowledged = number
            assert answer.json()["data"]["lead_value"] == number
        else:
            await asyncio.sleep(0.01)
    return acknowledged


@asynccontextmanager
async def load(server: RunningServer, seen: Counter[tuple[int, str]]) -> AsyncIterator[asyncio.Task[int]]:
    """Keep a server busy with readers and a writer; the task yielded is the writer."""
    stop = asyncio.Event()
    limits = httpx2.Limits(max_connections=20)
    async with server.client(timeout=30, limits=limits) as client:
        readers = [asyncio.create_task(ask_on(client, stop, seen, number)) for number in range(1, 9)]
        writer = asyncio.create_task(write_on(client, stop, seen))
        try:
            yield writer
        finally:
            stop.set()
            await asyncio.gather(*readers, writer)


def grows(seen: Counter[tuple[int, str]], key: tuple[int, str], by: int) -> Callable[[], Awaitable[bool]]:
    """Return the question whether so many more answers of a kind have come."""
    due = seen[key] + by

    async def is_true() -> bool:
        return seen[key] >= due

    return is_true


async def test_the_database_may_be_killed_under_load_and_return(private_server: PrivateServer) -> None:
    """In between every answer is right or a 503; nothing is restarted, and no acknowledged write is lost."""
    url = private_server.create_database("gateway_killed")
    build(url, scale="tiny", today=NOON.date())
    seen: Counter[tuple[int, str]] = Counter()
    with RunningServer.started(url) as server:
        async with load(server, seen) as writer:
            for _ in range(2):
                await until(grows(seen, (200, ""), 200))
                await asyncio.to_thread(private_server.kill)
                await until(grows(seen, (503, "database_away"), 200))
                async with server.client() as client:
                    assert (await client.get("/readyz")).status_code == 503
                    assert (await client.get("/healthz")).status_code == 200
                await asyncio.to_thread(private_server.start)
                await until(grows(seen, (200, ""), 200))
            before = Counter(seen)
            await until(grows(seen, (200, ""), 200))
        acknowledged = writer.result()
        async with server.client() as client:
            stored = (await client.get("/api/v1/leads/1?fields=lead_value")).json()["data"]["lead_value"]
            assert (await client.get("/readyz")).status_code == 200
        lines = "".join(server.lines)

    assert {status for status, _ in seen} == {200, 503}, seen
    assert {code for _, code in seen} <= {"", "database_away", "database_busy", "outcome_unknown"}, seen
    assert {key: count for key, count in (seen - before).items() if key[0] != 200} == {}
    # The last write may have happened without the client having heard of it, never the other way round.
    assert stored >= acknowledged > 0
    assert "Traceback" not in lines
    assert "RequestFailed" not in lines


async def test_a_database_that_is_down_at_start_is_served_when_it_is_up(private_server: PrivateServer) -> None:
    """Until then every question is a 503 ``starting``, and health says that the process lives."""
    url = private_server.create_database("gateway_late")
    build(url, scale="tiny", today=NOON.date())
    private_server.stop()
    with RunningServer.started(url) as server:
        async with server.client() as client:

            async def answers(path: str, status: int) -> bool:
                with suppress(httpx2.TransportError):
                    return (await client.get(path)).status_code == status
                return False

            await until(lambda: answers("/healthz", 200))
            for path in ("/api/v1", "/api/v1/invoices", "/api/v1/invoices/1", "/api/me"):
                answer = await client.get(path)
                assert (answer.status_code, answer.json()["code"]) == (503, "starting")
                assert answer.headers["retry-after"]
            assert (await client.get("/readyz")).json() == {"status": "starting", "reload": "failed"}
            assert (await client.get("/readyz")).status_code == 503
            await asyncio.to_thread(private_server.start)
            await until(lambda: answers("/api/v1/invoices/1", 200))
            assert (await client.get("/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("whitelist", "said"),
    [
        ("version: 1\nprofile: perfex\ntables: {invoices: {hide: duedat}}\n", 'did you mean "duedate"'),
        ("version: 1\nprofile: perfex\ntables: [invoises]\n", "invoises"),
        ("version: 1\nprofile: perfex\ntables: {invoices: {hidee: x}}\n", 'did you mean "hide"'),
        ("tables: [", "whitelist.yaml:"),
    ],
)
def test_a_bad_whitelist_ends_the_start_with_the_place_and_the_reason(
    crm_database: str, tmp_path: Path, whitelist: str, said: str
) -> None:
    """Exit code 1, nothing listens, no traceback."""
    server = RunningServer.launched(crm_database, tmp_path, whitelist=whitelist)

    assert server.ended() == 1
    text = "".join(server.lines)
    assert said in text
    assert "whitelist.yaml:" in text
    assert "Traceback" not in text
    assert "Serving" not in text


def test_refused_credentials_end_the_start_with_the_reason(mariadb_server: Server, tmp_path: Path) -> None:
    """Exit code 1 and what to check; the password is not repeated."""
    url = f"mysql://nobody:hunter22@{mariadb_server.host}:{mariadb_server.port}/nothing"
    server = RunningServer.launched(url, tmp_path)

    assert server.ended() == 1
    text = "".join(server.lines)
    assert "refuses the user nobody" in text
    assert "hunter22" not in text
    assert "Traceback" not in text


# Clients that leave


@pytest.fixture
def own_rows(mariadb_server: Server, mariadb_url: str) -> Iterator[Server]:
    """A table in which every client has a row of its own, and a view of it that takes its time."""
    name = mariadb_url.rpartition("/")[2]
    drop = ("DROP VIEW IF EXISTS slow_mine", "DROP TABLE IF EXISTS mine")
    rows = ", ".join(f"({number}, 'owner {number}')" for number in range(1, 401))
    mariadb_server.run(
        *drop,
        "CREATE TABLE mine (id INT PRIMARY KEY, owner VARCHAR(20) NOT NULL) ENGINE=InnoDB",
        f"INSERT INTO mine VALUES {rows}",
        "CREATE VIEW slow_mine AS SELECT id, owner, SLEEP(0.02 + (id % 5) * 0.04) AS pause FROM mine",
        database=name,
    )
    yield mariadb_server
    mariadb_server.run(*drop, database=name)


def statements(server: Server, name: str, word: str) -> int:
    """Return how many statements that hold a word are running in a database."""
    text = f"SELECT info FROM information_schema.processlist WHERE db = '{name}' AND info LIKE '%{word}%'"
    return sum("processlist" not in str(info) for (info,) in server.run(text))


def connections(server: Server, name: str) -> int:
    """Return how many connections are open to a database."""
    ((count,),) = server.run(f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{name}'")
    return int(str(count))


async def abort_on(address: tuple[str, int], token: str, dice: random.Random, until_s: float) -> Counter[str]:
    """Ask for one's own row again and again, leaving in the middle at random; return what happened how often."""
    seen: Counter[str] = Counter()
    while time.monotonic() < until_s:
        number = dice.randint(1, 400)
        resource = dice.choice(("slow_mine", "slow_mine", "mine"))
        query = dice.choice((f"/{number}", f"?filter[id]={number}&per_page=1", f"/{number}?fields=owner,id"))
        reader, writer = await asyncio.open_connection(*address)
        try:
            request = (
                f"GET /api/v1/{resource}{query} HTTP/1.1\r\nHost: x\r\nX-API-Key: {token}\r\nConnection: close\r\n\r\n"
            )
            writer.write(request.encode()[: len(request) - dice.choice((0, 0, 0, 5))])
            patience = dice.choice((0.0, 0.01, 0.06, 0.1, 0.15, 1.0))
            async with asyncio.timeout(patience):
                reply = await reader.read()
            status = reply.split(b" ", 2)[1:2]
            seen[status[0].decode() if status else "closed"] += 1
            if status == [b"200"]:
                assert f'"owner":"owner {number}"'.encode() in reply, (resource, query, reply)
                assert reply.count(b'"owner"') == 1
        except TimeoutError:
            seen["aborted"] += 1
        except ConnectionError:
            seen["closed"] += 1
        finally:
            if dice.random() < 0.5:
                writer.transport.abort()
            writer.close()
            with suppress(OSError, ConnectionError):
                await writer.wait_closed()
    return seen


async def test_clients_aborting_at_random_leave_nothing_behind(own_rows: Server, mariadb_url: str) -> None:
    """No connection leaks, no statement runs on, and nobody is shown the row of another request."""
    name = mariadb_url.rpartition("/")[2]
    async with served(mariadb_url, whitelist=OWN, pool_size=8) as app, listening(app) as address:
        end = time.monotonic() + ABORT_S
        found = await asyncio.gather(
            *(abort_on(address, app.tokens["all"], random.Random(seed), end) for seed in range(CLIENTS))
        )
        seen = sum(found, Counter[str]())

        async def is_quiet() -> bool:
            status = app.database.status()
            return status.open == status.idle and not statements(own_rows, name, "slow_mine")

        await until(is_quiet)
        assert set(seen) <= {"200", "aborted", "closed"}, seen
        assert seen["200"] > 50
        assert seen["aborted"] > 50

        async def has_few() -> bool:
            return connections(own_rows, name) <= 8

        await until(has_few)
        answers = await asyncio.gather(*(app.get(f"slow_mine/{number}") for number in range(1, 33)))
        assert [answer.json()["data"]["id"] for answer in answers] == list(range(1, 33))
        assert app.database.status().open <= 8
    assert connections(own_rows, name) == 0
    assert not [event for event in app.events if type(event).__name__ == "RequestFailed"]


async def test_a_client_that_leaves_ends_its_statement(own_rows: Server, mariadb_url: str) -> None:
    """A statement of many seconds is stopped when nobody waits for it."""
    name = mariadb_url.rpartition("/")[2]

    async def is_running() -> bool:
        return statements(own_rows, name, "slow_mine") == 1

    async def is_over() -> bool:
        return statements(own_rows, name, "slow_mine") == 0

    async with served(mariadb_url, whitelist=OWN) as app, listening(app) as address:
        _, writer = await asyncio.open_connection(*address)
        path = "/api/v1/slow_mine?sort=-pause&count=none"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {app.tokens['all']}\r\n\r\n".encode())
        await until(is_running)
        began = time.monotonic()
        writer.close()
        await until(is_over)

    assert time.monotonic() - began < 5


async def test_a_statement_over_its_limit_is_504(own_rows: Server, mariadb_url: str) -> None:
    """The server stops it, the client is told what to do, and the connection serves on."""
    async with served(mariadb_url, whitelist=OWN, statement_limit_s=0.3, pool_size=1) as app:
        answer = await app.get("slow_mine?sort=-pause&count=none")
        after = await app.get("mine/3")

    assert (answer.status_code, answer.json()["code"]) == (504, "statement_timeout")
    assert after.status_code == 200


async def test_a_pool_that_stays_busy_is_503(own_rows: Server, mariadb_url: str) -> None:
    """Who waits too long for a connection is told to come back; those who have one are served."""
    async with served(mariadb_url, whitelist=OWN, pool_size=1, pool_wait_s=0.1) as app:
        answers = await asyncio.gather(*(app.get(f"slow_mine/{number}") for number in (4, 9, 14, 19, 24, 29)))

    codes = Counter(answer.json().get("code", "ok") for answer in answers)
    assert set(codes) == {"ok", "database_busy"}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)


# Requests that are too much


async def sent_raw(address: tuple[str, int], data: bytes, *, ends: bool = False) -> bytes:
    """Send bytes as they are and return all that comes back."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(data)
    if ends:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read(65_536)
    finally:
        writer.close()


@pytest.fixture
async def address(crm: App) -> AsyncIterator[tuple[str, int]]:
    """Where the application on the sample CRM listens."""
    async with listening(crm) as address:
        yield address


def head(crm: App, *lines: str) -> bytes:
    """Return the head of a request that makes a lead."""
    fixed = (
        "POST /api/v1/leads HTTP/1.1",
        "Host: x",
        f"X-API-Key: {crm.tokens['all']}",
        "Content-Type: application/json",
    )
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


async def test_a_body_that_never_ends_is_given_up(crm_database: str) -> None:
    """408 after the time a body may take, and the connection is closed."""
    async with served(crm_database, body_wait_s=0.2) as app, listening(app) as address:
        reply = await sent_raw(address, head(app, "Content-Length: 1000") + b'{"name": "slow')

    assert reply.startswith(b"HTTP/1.1 408"), reply
    assert b'"code":"body_timeout"' in reply
    assert b"connection: close" in reply.lower()


async def test_a_body_over_the_limit_is_413(crm: App, address: tuple[str, int]) -> None:
    """Whether it is announced, or comes in pieces that never say how many."""
    declared = await sent_raw(address, head(crm, "Content-Length: 300000") + b'{"name": "')
    pieces = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    chunked = await sent_raw(address, head(crm, "Transfer-Encoding: chunked") + pieces * 5)

    array = await sent_raw(address, head(crm, "Content-Length: 5000000") + b"[")
    endless = await sent_raw(address, head(crm, "Transfer-Encoding: chunked") + b"1\r\n[\r\n" + pieces * 65)

    for reply in (declared, chunked, array, endless):
        assert reply.startswith(b"HTTP/1.1 413"), reply
        assert b'"code":"body_too_large"' in reply


async def test_a_body_cut_short_writes_nothing(
    crm: App, address: tuple[str, int], mariadb_server: Server, crm_database: str
) -> None:
    """A client that leaves in the middle of its body has asked for nothing."""
    name = crm_database.rpartition("/")[2]
    before = mariadb_server.run("SELECT COUNT(*) FROM tblleads", database=name)

    await sent_raw(address, head(crm, "Content-Length: 1000") + b'{"name": "cut"}', ends=True)

    assert mariadb_server.run("SELECT COUNT(*) FROM tblleads", database=name) == before


async def test_a_url_over_the_limit_is_414(crm: App) -> None:
    """Before anything of it is looked at, even a token."""
    for client in (crm.client, crm.anonymous):
        answer = await client.get(f"/api/v1/invoices?fields={'x' * 9_000}")

        assert (answer.status_code, answer.json()["code"]) == (414, "uri_too_long")


@pytest.mark.parametrize(
    "body",
    [
        '{"name": ' + "[" * 11 + "]" * 11 + "}",
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "[" * 100_000,
        '{"name": 1' + "0" * 5_000 + "}",
        '{"name": "x", "name": "y"}',
        '{"name": NaN}',
        "{'name': 'x'}",
        '["name"]',
        "null",
        "",
        "\ufeff",
        '{"name": "x"} {}',
    ],
    ids=range(12),
)
async def test_a_body_that_is_no_plain_object_is_refused(crm: App, body: str) -> None:
    """Nested too deep, malformed, ambiguous or of another shape: 400 or 422, never a 500."""
    answer = await crm.client.post("/api/v1/leads", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] in ("body_syntax", "fields_invalid")


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"name": "\xff"}', b'{"name": "\\ud800"}'])
async def test_text_that_is_no_unicode_is_refused(crm: App, data: bytes) -> None:
    """Bytes that are not UTF-8, and half a character."""
    answer = await crm.client.post("/api/v1/leads", content=data, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422), answer.text


async def test_other_media_types_are_415(crm: App) -> None:
    """Never taken for something else, and the answer says what is taken."""
    for media_type in ("text/plain", "multipart/form-data; boundary=x", "application/xml", ""):
        headers: dict[str, Any] = {"Content-Type": media_type} if media_type else {}
        answer = await crm.client.post("/api/v1/leads", content=b"name=x", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")
        assert "application/json" in answer.headers["accept-post"]
