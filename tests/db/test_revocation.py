"""A token that was ended is ended within a second, in every worker, however many clients use it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from gateway.security.tokens import new_token
from gateway.state.store import StateStore
from tests.support.app import PATIENCE_S, RunningServer, issue
from tests.support.mariadb import Server

WHITELIST = """
version: 1
profile: none
tables:
  rooms:
"""
CLIENTS = 16


@pytest.fixture(scope="module")
def hotel(mariadb_server: Server) -> Iterator[str]:
    """A database of this module."""
    name = f"gateway_revocation_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    mariadb_server.run(
        "CREATE TABLE rooms (id INT AUTO_INCREMENT PRIMARY KEY)", "INSERT INTO rooms VALUES (1)", database=name
    )
    yield url
    mariadb_server.drop_database(name)


@dataclass(slots=True)
class Load:
    """Clients that ask without a pause; each answer with the moment it was asked for, and the worker's request id."""

    answers: list[tuple[float, int, str]] = field(default_factory=list)
    is_over: bool = False

    def workers(self) -> set[str]:
        """Return the workers that answered: each begins its request ids with a word of its own."""
        return {request_id[:8] for _, status, request_id in self.answers if status == 200}

    async def ask(self, server: RunningServer, token: str) -> None:
        """Ask on one connection for a while, then on a new one, which may be another worker's."""
        own: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}, "timeout": PATIENCE_S}
        while not self.is_over:
            async with httpx2.AsyncClient(base_url=server.base, trust_env=False, **own) as client:
                for _ in range(20):
                    asked = time.monotonic()
                    answer = await client.get("/api/v1/rooms/1")
                    self.answers.append((asked, answer.status_code, answer.headers["x-request-id"]))
                    await asyncio.sleep(0.005)


@pytest.mark.parametrize("end", ["revoke", "rotate"])
def test_no_request_succeeds_a_second_after_the_end(hotel: str, end: str) -> None:
    """Sixteen clients on two workers, before and after; the end is in the store, as a command leaves it there."""

    async def run(server: RunningServer, state: StateStore, token: str) -> tuple[Load, float]:
        load = Load()
        clients = [asyncio.create_task(load.ask(server, token)) for _ in range(CLIENTS)]
        async with asyncio.timeout(PATIENCE_S):
            while len(load.workers()) < 2:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)
        if end == "revoke":
            await asyncio.to_thread(state.tokens.revoke, "used")
        else:
            await asyncio.to_thread(state.tokens.rotate, "used", bytes(32), "gw_live_next")
        ended = time.monotonic()
        await asyncio.sleep(2.5)
        load.is_over = True
        await asyncio.gather(*clients)
        return load, ended

    settings = {"rate_limit": "off", "address_rate": "off", "refused_rate": "off"}
    with (
        RunningServer.started(hotel, whitelist=WHITELIST, workers=2, **settings) as server,
        StateStore.open(str(server.directory / "state.sqlite3")) as state,
    ):
        load, ended = asyncio.run(run(server, state, issue(state, "used", ("rooms:read",))))

    before = [status for asked, status, _ in load.answers if asked <= ended - 1]
    late = [asked - ended for asked, status, _ in load.answers if status == 200 and asked > ended]
    after = [status for asked, status, _ in load.answers if asked > ended + 1]
    assert set(before) == {200}
    assert len(before) > CLIENTS
    assert max(late, default=0.0) < 1.0
    assert set(after) == {401}
    assert len(after) > CLIENTS


def test_the_end_of_an_overlap_is_felt_at_its_moment(hotel: str) -> None:
    """The old token works until then and not a request longer; the new one works all the time."""

    async def statuses(server: RunningServer, old: str, new: str, until: float) -> list[tuple[float, int, int]]:
        found: list[tuple[float, int, int]] = []
        async with httpx2.AsyncClient(base_url=server.base, trust_env=False, timeout=PATIENCE_S) as client:
            while (asked := time.time()) < until:
                first, second = [
                    (await client.get("/api/v1/rooms/1", headers={"Authtoken": token})).status_code
                    for token in (old, new)
                ]
                found.append((asked, first, second))
                await asyncio.sleep(0.01)
        return found

    with (
        RunningServer.started(hotel, whitelist=WHITELIST, rate_limit="off", refused_rate="off") as server,
        StateStore.open(str(server.directory / "state.sqlite3")) as state,
    ):
        old = issue(state, "turning", ("rooms:read",))
        new = new_token()
        state.tokens.rotate("turning", new.digest, new.prefix, 3)
        record = next(item for item in state.tokens.all() if item.revoked_at is not None)
        assert record.revoked_at is not None
        end = record.revoked_at.timestamp()
        found = asyncio.run(statuses(server, old, new.text, end + 1))

    assert {second for _, _, second in found} == {200}
    assert {first for asked, first, _ in found if asked < end - 1} == {200}
    assert {first for asked, first, _ in found if asked >= end} == {401}
