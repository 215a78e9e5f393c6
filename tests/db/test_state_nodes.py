"""Two nodes with two workers each on one store: what one is told, the other knows. Real servers, real processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from gateway.state.store import StateStore
from tests.support.app import RunningServer, issue
from tests.support.databases import until
from tests.support.mariadb import Server

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
NOTES = "version: 1\nprofile: none\ntables:\n  note: {}\n"
TABLE = "CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200) NOT NULL)"
SETTINGS: Mapping[str, Any] = {
    "rate_limit": "1000000/min",
    "address_rate": "1000000/min",
    "refused_rate": "1000000/min",
}


@dataclass(frozen=True)
class Nodes:
    """Two nodes, their store and the database they serve."""

    one: RunningServer
    other: RunningServer
    store: StateStore
    beside: Server
    database: str

    def get(self, node: RunningServer, token: str) -> int:
        """Return the status of a read at a node with a token, over a connection of its own: any worker may take it."""
        with httpx2.Client(base_url=node.base, trust_env=False) as client:
            return client.get("/api/v1/note", headers={"Authorization": f"Bearer {token}"}).status_code

    def statuses(self, token: str) -> set[int]:
        """Return what a token gets at both nodes, asked often enough to meet every worker."""
        return {self.get(node, token) for node in (self.one, self.other) for _ in range(6)}


@pytest.fixture(scope="module")
def nodes(mariadb_server: Server) -> Iterator[Nodes]:
    crm, state = f"gateway_nodes_{WORKER}", f"gateway_nodes_{WORKER}_state"
    url = mariadb_server.create_database(crm)
    mariadb_server.run(TABLE, database=crm)
    state_url = mariadb_server.create_database(state)
    with StateStore.open(state_url) as store:
        shared = {"state_url": state_url, "token": issue(store, "all", ("*:*",), is_admin=True), **SETTINGS}
        with (
            RunningServer.started(url, whitelist=NOTES, workers=2, **shared) as one,
            RunningServer.started(url, whitelist=NOTES, workers=2, **shared) as other,
        ):
            yield Nodes(one, other, store, mariadb_server, crm)
    mariadb_server.drop_database(crm)
    mariadb_server.drop_database(state)


async def settled(nodes: Nodes, token: str, status: int) -> None:
    """Return when a token gets one status everywhere: the workers of a node that has just begun may not serve yet."""

    async def is_so() -> bool:
        try:
            return await asyncio.to_thread(nodes.statuses, token) == {status}
        except httpx2.TransportError:
            return False

    await until(is_so)


async def test_a_token_that_one_node_made_is_valid_at_the_other_until_it_is_revoked(nodes: Nodes) -> None:
    """Made at one node, revoked at the other: a second after that was said, no worker of any node takes it."""
    async with nodes.one.client() as client:
        made = await client.post("/admin/tokens", json={"name": "stranger", "grants": ["note:read"]})
        assert made.status_code == 201, made.text
    token, number = made.json()["data"]["token"], made.json()["data"]["id"]
    await settled(nodes, token, 200)

    async with nodes.other.client() as client:
        assert (await client.delete(f"/admin/tokens/{number}")).status_code == 204
    said = time.monotonic()
    late = []
    with ThreadPoolExecutor(4) as threads:
        while time.monotonic() < said + 2.0:
            began = time.monotonic()
            found = list(threads.map(lambda node: nodes.get(node, token), [nodes.one, nodes.other] * 4))
            if began > said + 1.0:
                late += found

    assert len(late) > 8
    assert set(late) == {401}


async def test_a_token_that_is_ended_in_the_store_is_refused_by_all(nodes: Nodes) -> None:
    """As the command line does it, on any machine."""
    token = issue(nodes.store, "by hand", ("note:read",))
    await settled(nodes, token, 200)
    nodes.store.tokens.revoke("by hand")
    await asyncio.sleep(1.0)

    assert await asyncio.to_thread(nodes.statuses, token) == {401}


async def test_when_a_token_was_last_used_is_known_to_all(nodes: Nodes) -> None:
    """A few seconds later; one that nobody used has no such moment."""
    used, unused = (issue(nodes.store, name, ("note:read",)) for name in ("used", "unused"))
    await settled(nodes, used, 200)
    assert unused != used

    async def is_known() -> bool:
        record = await asyncio.to_thread(nodes.store.tokens.find, "used")
        return record is not None and record.last_used_at is not None

    await until(is_known)
    record = nodes.store.tokens.find("unused")
    assert record is not None
    assert record.last_used_at is None


async def test_a_write_with_a_key_runs_once_on_all_nodes(nodes: Nodes) -> None:
    """Eight of the same at once, four at each node: one row; the others are told, or given the first answer."""
    await settled(nodes, nodes.one.token, 200)

    async def send(node: RunningServer, text: str) -> httpx2.Response:
        async with node.client() as client:
            return await client.post("/api/v1/note", json={"text": text}, headers={"Idempotency-Key": text})

    for number in range(5):
        text = f"once-{number}"
        replies = await asyncio.gather(*(send(node, text) for node in [nodes.one, nodes.other] * 4))
        repeat = await send(nodes.other, text)
        first = [reply for reply in replies if reply.status_code == 201 and "idempotent-replayed" not in reply.headers]
        rows = nodes.beside.run(f"SELECT id FROM note WHERE text = '{text}'", database=nodes.database)

        assert len(first) == 1, [(reply.status_code, reply.text[:200]) for reply in replies]
        assert len(rows) == 1
        assert {reply.status_code for reply in replies} <= {201, 409}
        assert (repeat.status_code, repeat.headers["idempotent-replayed"]) == (201, "true")
        assert repeat.json()["data"] == first[0].json()["data"]


async def test_a_reload_is_followed_by_both_nodes(nodes: Nodes) -> None:
    """Asked for at one of them."""
    await settled(nodes, nodes.one.token, 200)
    nodes.beside.run("ALTER TABLE note ADD COLUMN mood VARCHAR(20) NULL", database=nodes.database)
    async with nodes.one.client() as client:
        assert (await client.post("/admin/reload")).status_code == 200
    asked = time.monotonic()

    def knows(node: RunningServer) -> bool:
        with httpx2.Client(base_url=node.base, headers=node.headers, trust_env=False) as client:
            return client.get("/api/v1/note?fields=mood").status_code == 200

    async def all_know() -> bool:
        found = [await asyncio.to_thread(knows, node) for node in [nodes.one, nodes.other] * 6]
        return all(found)

    await until(all_know)
    assert time.monotonic() - asked < 4
