"""Writes under an Idempotency-Key on a real database: never twice, through workers, restarts and kills."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymysql.cursors import Cursor

from sample_crm import build
from tests.support.app import NOON, App, RunningServer, listening, served
from tests.support.databases import until
from tests.support.mariadb import Server

NOTES = """version: 1
profile: none
tables:
  note: {}
  tag: {}
"""
NARROWER = NOTES.replace("note: {}", "note: {hide: [secret]}")
WITHOUT = NOTES.replace("  note: {}\n", "")
CRM = "version: 1\nprofile: perfex\ntables: [leads, items]\n"
TABLES = (
    "CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200) NOT NULL, secret VARCHAR(50))",
    "CREATE TABLE tag (id INT PRIMARY KEY, name VARCHAR(50) UNIQUE)",
)
REPLAYED = "idempotent-replayed"


def keyed(key: str) -> Mapping[str, str]:
    """Return the header."""
    return {"Idempotency-Key": key}


@dataclass(frozen=True)
class Beside:
    """Statements beside the gateway."""

    server: Server
    url: str

    def run(self, *statements: str) -> Any:
        return self.server.run(*statements, database=self.url.rpartition("/")[2])

    def count(self, table: str, column: str, text: str) -> int:
        """Return how many rows have a text."""
        return int(self.run(f"SELECT COUNT(*) FROM {table} WHERE {column} = '{text}'")[0][0])


@pytest.fixture(scope="module")
def notes(mariadb_server: Server) -> Iterator[Beside]:
    """A database of two small tables."""
    name = f"gateway_keyed_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    mariadb_server.run(*TABLES, database=name)
    yield Beside(mariadb_server, url)
    mariadb_server.drop_database(name)


@pytest.fixture
def whitelist(tmp_path: Path) -> Path:
    """The whitelist's file, to be changed by the test."""
    path = tmp_path / "whitelist.yaml"
    path.write_text(NOTES, encoding="utf-8")
    return path


@pytest.fixture
async def app(notes: Beside, whitelist: Path) -> AsyncIterator[App]:
    """The application with two tokens, the second of which may only read."""
    grants = {"writer": ("*:*",), "other": ("*:*",), "reader": ("*:read",)}
    async with served(notes.url, whitelist=whitelist, grants=grants) as app:
        yield app
    notes.run("DELETE FROM note", "DELETE FROM tag")


async def test_a_repeated_create_answers_as_the_first_and_writes_nothing(app: App, notes: Beside) -> None:
    """With or without quotes around the key; a header says that it is a replay."""
    body = {"text": "once", "secret": "s"}
    first = await app.client.post("/api/v1/note", json=body, headers=keyed("k-1"))
    again = await app.client.post("/api/v1/note", json=body, headers=keyed('"k-1"'))

    assert (first.status_code, REPLAYED in first.headers) == (201, False)
    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert notes.count("note", "text", "once") == 1


async def test_without_a_key_every_create_is_a_new_row(app: App, notes: Beside) -> None:
    """The header is what asks for it; and on a read it changes nothing."""
    for _ in range(2):
        assert (await app.client.post("/api/v1/note", json={"text": "twice"})).status_code == 201
        listed = await app.client.get("/api/v1/note", headers=keyed("not even a key"))
        assert (listed.status_code, REPLAYED in listed.headers) == (200, False)

    assert notes.count("note", "text", "twice") == 2


async def test_a_key_belongs_to_a_token_a_method_and_a_path(app: App, notes: Beside) -> None:
    """Elsewhere it is another key."""
    made = [
        await app.clients[name].post("/api/v1/note", json={"text": "scoped"}, headers=keyed("k"))
        for name in ("writer", "other")
    ]
    place = made[0].headers["location"]
    changed = await app.client.patch(place, json={"text": "scoped"}, headers=keyed("k"))
    tag = await app.client.post("/api/v1/tag", json={"id": 5, "name": "x"}, headers=keyed("k"))

    assert [answer.status_code for answer in (*made, changed, tag)] == [201, 201, 200, 201]
    assert not any(REPLAYED in answer.headers for answer in (*made, changed, tag))
    assert notes.count("note", "text", "scoped") == 2


async def test_the_key_with_another_body_is_refused(app: App, notes: Beside) -> None:
    """Content type and query count as the body does."""
    await app.client.post("/api/v1/note", json={"text": "a"}, headers=keyed("k"))
    refused = [
        await app.client.post("/api/v1/note", json={"text": "b"}, headers=keyed("k")),
        await app.client.post("/api/v1/note?values=raw", json={"text": "a"}, headers=keyed("k")),
        await app.client.post("/api/v1/note", data={"text": "a"}, headers=keyed("k")),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(422, "idempotency_mismatch")}
    assert notes.run("SELECT COUNT(*) FROM note") == ((1,),)


async def test_a_refusal_is_repeated_even_when_it_would_go_well_now(app: App, notes: Beside) -> None:
    """The first answer decided the request; its document has the id of the request that asks."""
    notes.run("INSERT INTO tag VALUES (1, 'taken')")
    first = await app.client.post("/api/v1/tag", json={"id": 2, "name": "taken"}, headers=keyed("k"))
    notes.run("DELETE FROM tag")
    again = await app.client.post("/api/v1/tag", json={"id": 2, "name": "taken"}, headers=keyed("k"))

    assert [(each.status_code, each.json()["code"]) for each in (first, again)] == [(409, "duplicate")] * 2
    assert again.headers[REPLAYED] == "true"
    assert {**again.json(), "request_id": ""} == {**first.json(), "request_id": ""}
    assert notes.count("tag", "id", "2") == 0


async def test_a_repeated_delete_is_still_a_success(app: App) -> None:
    """Where it would be a 404 without the key."""
    place = (await app.client.post("/api/v1/note", json={"text": "gone"})).headers["location"]
    answers = [await app.client.delete(place, headers=keyed("k")) for _ in range(2)]

    assert [(each.status_code, each.content, each.headers.get(REPLAYED)) for each in answers] == [
        (204, b"", None),
        (204, b"", "true"),
    ]


async def test_a_malformed_key_is_refused_before_anything_is_done(app: App, notes: Beside) -> None:
    """Its sender thinks the write safe to repeat."""
    answer = await app.client.post("/api/v1/note", json={"text": "no key"}, headers=keyed("no key"))

    assert (answer.status_code, answer.json()["code"]) == (400, "header_invalid")
    assert notes.count("note", "text", "no key") == 0


async def test_checks_come_before_keys(app: App) -> None:
    """Who may not write learns no more with a key than without; what cannot be done is not claimed."""
    forbidden = await app.clients["reader"].post("/api/v1/note", json={"text": "x"}, headers=keyed("k"))
    unknown = await app.client.post("/api/v1/nothing", json={"text": "x"}, headers=keyed("k"))
    misplaced = await app.client.post("/api/v1/note/1", json={"text": "x"}, headers=keyed("k"))

    assert [(each.status_code, each.json()["code"]) for each in (forbidden, unknown, misplaced)] == [
        (403, "grant_missing"),
        (404, "resource_unknown"),
        (405, "method_not_allowed"),
    ]
    assert "PATCH" in misplaced.headers["allow"]


async def test_a_replay_shows_nothing_that_was_hidden_since(app: App, notes: Beside, whitelist: Path) -> None:
    """Neither a column nor a resource comes out of the store; the write stays done once."""
    body = {"text": "t", "secret": "hidden later"}
    first = await app.client.post("/api/v1/note", json=body, headers=keyed("k"))
    whitelist.write_text(NARROWER, encoding="utf-8")
    assert (await app.client.post("/admin/reload")).status_code == 200
    narrower = await app.client.post("/api/v1/note", json=body, headers=keyed("k"))
    whitelist.write_text(WITHOUT, encoding="utf-8")
    assert (await app.client.post("/admin/reload")).status_code == 200
    without = await app.client.post("/api/v1/note", json=body, headers=keyed("k"))

    assert "hidden later" in first.text
    assert (narrower.status_code, narrower.json()["data"]) == (201, None)
    assert narrower.headers["location"] == first.headers["location"]
    assert "hidden later" not in narrower.text
    assert (without.status_code, without.json()["code"]) == (404, "resource_unknown")
    assert notes.count("note", "text", "t") == 1


async def test_a_client_that_goes_away_finds_its_answer_later(app: App, notes: Beside) -> None:
    """The write goes on without it."""
    head = (
        f"POST /api/v1/note HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {app.tokens['writer']}\r\n"
        'Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 15\r\n\r\n{"text":"gone"}'
    )
    with notes.server.connection(notes.url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
        lock(cursor)
        async with listening(app) as (host, port):
            _, writer = await asyncio.open_connection(host, port)
            writer.write(head.encode())
            await writer.drain()
            await until(lambda: waits(notes))
            writer.close()
            await writer.wait_closed()
            sent = {**keyed("k"), "Content-Type": "application/json"}
            repeat: Any = {"content": b'{"text":"gone"}', "headers": sent}
            meanwhile = await app.client.post("/api/v1/note", **repeat)
            await asyncio.sleep(0.2)  # the server notices that the client has gone
            cursor.execute("UNLOCK TABLES")

            async def is_answered() -> bool:
                return (await app.client.post("/api/v1/note", **repeat)).status_code == 201

            await until(is_answered)

    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency_running")
    assert meanwhile.headers["retry-after"] == "1"
    assert notes.count("note", "text", "gone") == 1


def lock(cursor: Cursor) -> None:
    """Keep everybody else from the table; what is in the way is an error soon, since the application cannot run on."""
    cursor.execute("SET lock_wait_timeout = 10")
    cursor.execute("LOCK TABLES note WRITE")


async def waits(notes: Beside) -> bool:
    """Whether an insert waits for the table."""
    return bool(
        notes.run(
            "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for table%'"
        )
    )


async def test_a_write_that_met_anothers_lock_runs_at_the_next_try(notes: Beside) -> None:
    """Nothing was done, so the key is free."""
    notes.run("INSERT INTO tag VALUES (7, 'held')")
    change: Any = {"json": {"name": "mine"}, "headers": keyed("k"), "timeout": 60}
    async with served(notes.url, whitelist=NOTES, lock_wait_s=1) as app:
        with notes.server.connection(notes.url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("UPDATE tag SET name = 'changed' WHERE id = 7")
            first = await app.client.patch("/api/v1/tag/7", **change)
            cursor.execute("ROLLBACK")
        again = await app.client.patch("/api/v1/tag/7", **change)
    notes.run("DELETE FROM tag")

    assert (first.status_code, first.json()["code"]) == (409, "write_conflict")
    assert (again.status_code, REPLAYED in again.headers) == (200, False)


# Real processes


async def test_identical_creates_at_once_through_two_workers_make_one_row(notes: Beside) -> None:
    """Whoever of them comes second waits or gets the answer of the first."""
    with RunningServer.started(notes.url, whitelist=NOTES, workers=2) as server:
        for number in range(20):
            clients = [server.client(timeout=30) for _ in range(4)]  # each on a connection of its own
            requests = [
                client.post("/api/v1/note", json={"text": f"pair {number}"}, headers=keyed(f"pair-{number}"))
                for client in clients
            ]
            answers = await asyncio.gather(*requests)
            for client in clients:
                await client.aclose()

            made = [answer for answer in answers if answer.status_code == 201]
            others = [answer.json()["code"] for answer in answers if answer.status_code != 201]
            assert sum(REPLAYED not in answer.headers for answer in made) == 1
            assert set(others) <= {"idempotency_running"}
            assert len({answer.content for answer in made}) == 1
            assert notes.count("note", "text", f"pair {number}") == 1
    notes.run("DELETE FROM note")


@dataclass
class Killed:
    """A server that is killed and started again in one place while clients write through it."""

    url: str
    place: Path
    whitelist: str
    server: RunningServer | None = None
    client: httpx2.AsyncClient | None = None
    token: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0

    async def start(self) -> None:
        """Start it and let the clients go on."""
        self.server = RunningServer.launched(self.url, self.place, whitelist=self.whitelist, token=self.token)
        self.token = self.server.token
        await asyncio.to_thread(self.server.wait_for_address)
        self.client = self.server.client(timeout=30)
        self.ready.set()

    async def kill(self) -> None:
        """Kill it; the clients wait for the next one."""
        assert self.server is not None
        self.ready.clear()
        self.server.kill()
        await self.close()

    async def close(self) -> None:
        """Close the connections, and end the server unless it has been killed."""
        assert self.server is not None
        assert self.client is not None
        await self.client.aclose()
        await asyncio.to_thread(self.server.stop)

    async def post(self, path: str, body: Mapping[str, object], key: str) -> httpx2.Response:
        """Return the first answer that says what became of a write, asking again as long as there is none."""
        async with asyncio.timeout(100):
            while True:
                await self.ready.wait()
                assert self.client is not None
                self.sent += 1
                with suppress(httpx2.TransportError):
                    answer = await self.client.post(path, json=body, headers=keyed(key))
                    if answer.status_code == 201 or answer.json()["code"] == "outcome_unknown":
                        return answer
                    assert answer.json()["code"] in {"idempotency_running", "starting"}, answer.text
                await asyncio.sleep(0.02)


def write_of(number: int) -> tuple[str, str, str, dict[str, object]]:
    """Return resource, column, text and body of a write: in turns by a rule of several statements, and plain."""
    text = f"Killed {number}"
    if number % 2:
        return "leads", "name", text, {"name": text}
    return "items", "description", text, {"description": text, "rate": "10.00"}


async def test_no_kill_makes_a_duplicate_or_a_lie(mariadb_server: Server, tmp_path: Path) -> None:
    """Sixty writes, the process killed at random points: each answer is true, and no key wrote twice."""
    name = f"gateway_killed_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    beside = Beside(mariadb_server, url)
    killed, chance = Killed(url, tmp_path, CRM), random.Random(3)
    answers: dict[int, httpx2.Response] = {}

    async def client(numbers: range) -> None:
        for number in numbers:
            resource, _, _, body = write_of(number)
            answers[number] = await killed.post(f"/api/v1/{resource}", body, f"write-{number}")

    await killed.start()
    try:
        clients = [asyncio.create_task(client(range(first, 60, 6))) for first in range(6)]
        kills = 0
        while not all(task.done() for task in clients) and kills < 6:
            due = killed.sent + chance.randrange(3, 10)
            await until(partial(reached, killed, due, clients))
            await asyncio.sleep(chance.random() * 0.02)
            await killed.kill()
            kills += 1
            await killed.start()
        await asyncio.gather(*clients)
        repeats = {
            number: await killed.post(f"/api/v1/{write_of(number)[0]}", write_of(number)[3], f"write-{number}")
            for number in range(60)
        }
    finally:
        await killed.close()

    assert kills >= 4
    for number in range(60):
        resource, column, text, _ = write_of(number)
        rows = beside.count(f"tbl{resource}", column, text)
        first, again = answers[number], repeats[number]
        assert again.status_code == (201 if first.status_code == 201 else 409)
        if again.status_code == 201:
            assert rows == 1
            assert again.headers[REPLAYED] == "true"
            assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
        else:
            assert (rows in (0, 1), again.json()["code"]) == (True, "outcome_unknown")
    assert any(answer.status_code == 201 for answer in answers.values())
    mariadb_server.drop_database(name)


async def reached(killed: Killed, due: int, clients: list[asyncio.Task[None]]) -> bool:
    """Whether so many requests have been sent, or all are done."""
    return killed.sent >= due or all(task.done() for task in clients)


async def test_a_write_whose_process_died_is_unknown_and_stays_so(notes: Beside, tmp_path: Path) -> None:
    """Killed while its insert waited: running until the lease ends, then unknown; nothing runs again."""
    killed = Killed(notes.url, tmp_path, NOTES)
    await killed.start()
    try:
        with notes.server.connection(notes.url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
            lock(cursor)
            asked = asyncio.create_task(killed.post("/api/v1/note", {"text": "died"}, "k"))
            await until(lambda: waits(notes))
            await killed.kill()
            cursor.execute("UNLOCK TABLES")
        await killed.start()
        answer = await asked
        repeat = await killed.post("/api/v1/note", {"text": "died"}, "k")
    finally:
        await killed.close()

    for each in (answer, repeat):
        assert (each.status_code, each.json()["code"]) == (409, "outcome_unknown")
    assert notes.count("note", "text", "died") <= 1
    notes.run("DELETE FROM note")
