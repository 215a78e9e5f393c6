"""A request has so long until its first byte, and so has the database for it; what was cut is never half done."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from tests.support.app import App, served
from tests.support.databases import until
from tests.support.mariadb import Server
from tests.support.proxy import Proxy

WHITELIST = "version: 1\nprofile: none\ntables: [note]\n"
LIMIT_S = 1.0
SHORT: Mapping[str, Any] = {"request_limit_s": LIMIT_S, "statement_limit_s": 30.0, "address_rate": "off"}


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    """The name of a database with one small table."""
    name = f"gateway_cap_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.create_database(name)
    mariadb_server.run("CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200))", database=name)
    yield name
    mariadb_server.drop_database(name)


async def timed(work: Any) -> tuple[httpx2.Response, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


def code_of(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def running(server: Server, database: str) -> int:
    """Return how many statements the gateway's connections run."""
    rows = server.run(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE command <> 'Sleep' AND id <> CONNECTION_ID()"
        f" AND db = '{database}'"
    )
    return int(str(rows[0][0]))


def count(server: Server, database: str) -> int:
    return int(str(server.run("SELECT COUNT(*) FROM note", database=database)[0][0]))


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize("body", [{"text": "one"}, [{"text": "one"}, {"text": "two"}]])
async def test_a_write_that_waits_for_a_lock_ends_in_time_and_is_not_done_later(
    mariadb_server: Server, database: str, headers: Mapping[str, str], body: Any
) -> None:
    """Nothing was written, so the same key writes once the lock has gone."""
    before = count(mariadb_server, database)
    async with served(mariadb_server.url(database), whitelist=WHITELIST, **{**SHORT, "lock_wait_s": 30}) as app:
        with mariadb_server.connection(database) as connection, connection.cursor() as cursor:
            cursor.execute("SET lock_wait_timeout = 10")
            cursor.execute("LOCK TABLES note WRITE")
            reply, took_s = await timed(app.client.post("/api/v1/note", json=body, headers=dict(headers), timeout=30))
            cursor.execute("UNLOCK TABLES")
        assert code_of(reply) in ((504, "statement_timeout"), (504, "request_timeout"), (409, "write_conflict"))
        assert took_s < LIMIT_S + 1

        async def is_quiet() -> bool:
            return running(mariadb_server, database) == 0

        await until(is_quiet)
        assert count(mariadb_server, database) == before
        again = await app.client.post("/api/v1/note", json=body, headers=dict(headers))
        assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
    assert count(mariadb_server, database) - before == (len(body) if isinstance(body, list) else 1)


def through(proxy_port: int, server: Server, database: str) -> str:
    return server.url(database).replace(f":{server.port}/", f":{proxy_port}/")


async def test_a_database_that_does_not_answer_costs_no_more_than_the_time(
    mariadb_server: Server, database: str
) -> None:
    """The connection that waits is not used again, and the next request is answered."""
    async with Proxy.opened(mariadb_server.host, mariadb_server.port) as (proxy, port):
        url = through(port, mariadb_server, database)
        async with served(url, whitelist=WHITELIST, **SHORT) as app:
            assert (await app.get("note")).status_code == 200
            proxy.is_silent = True
            reply, took_s = await timed(app.client.get("/api/v1/note", timeout=30))
            proxy.is_silent = False
            assert code_of(reply) == (504, "request_timeout")
            assert LIMIT_S <= took_s < LIMIT_S + 0.5

            async def is_served() -> bool:
                return (await app.get("note")).status_code == 200

            await until(is_served)
            assert no_turn_is_held(app)


def no_turn_is_held(app: App) -> bool:
    return (app.parts.turns.running, app.parts.turns.waiting) == (0, 0)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
async def test_a_write_cut_before_its_commit_leaves_nothing(
    mariadb_server: Server, database: str, headers: Mapping[str, str]
) -> None:
    """Of two rows in one transaction the second never reached the database."""
    before = count(mariadb_server, database)
    async with Proxy.opened(mariadb_server.host, mariadb_server.port) as (proxy, port):
        url = through(port, mariadb_server, database)
        async with served(url, whitelist=WHITELIST, **SHORT) as app:
            proxy.hold_request = b"INSERT"
            rows = [{"text": "never"}, {"text": "never either"}]
            reply = await app.client.post("/api/v1/note", json=rows, headers=dict(headers), timeout=30)
            proxy.hold_request = None
            assert code_of(reply) == (504, "request_timeout")
            again = await app.client.post("/api/v1/note", json=rows, headers=dict(headers))
            assert again.status_code == 201
    assert count(mariadb_server, database) == before + 2


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
async def test_a_write_cut_at_its_commit_is_told_to_be_unknown(
    mariadb_server: Server, database: str, headers: Mapping[str, str]
) -> None:
    """It may have happened; under a key nothing is done again to find out."""
    async with Proxy.opened(mariadb_server.host, mariadb_server.port) as (proxy, port):
        url = through(port, mariadb_server, database)
        async with served(url, whitelist=WHITELIST, **SHORT) as app:
            assert (await app.get("note")).status_code == 200  # a connection says COMMITTED when it begins
            proxy.hold_request = b"COMMIT"
            rows = [{"text": "perhaps"}, {"text": "perhaps too"}]
            reply = await app.client.post("/api/v1/note", json=rows, headers=dict(headers), timeout=30)
            assert code_of(reply) == (503, "outcome_unknown")
            proxy.released.set()
            if headers:
                again = await app.client.post("/api/v1/note", json=rows, headers=dict(headers))
                assert code_of(again) == (409, "outcome_unknown")


async def test_an_export_has_time_of_its_own_and_holds_no_turn(mariadb_server: Server, database: str) -> None:
    """Its limit is another setting; while its first rows are awaited others have their turns."""
    async with Proxy.opened(mariadb_server.host, mariadb_server.port) as (proxy, port):
        url = through(port, mariadb_server, database)
        async with served(url, whitelist=WHITELIST, **SHORT, max_running=1, max_waiting=0) as app:
            proxy.hold_request = b"SAVEPOINT gateway_export"
            export = asyncio.create_task(app.client.get("/api/v1/note.csv", timeout=30))
            await proxy.held.wait()
            proxy.hold_request = None
            assert (await app.get("note")).status_code == 200
            await asyncio.sleep(LIMIT_S + 0.3)
            proxy.released.set()
            assert (await export).status_code == 200
            assert no_turn_is_held(app)
