"""A server that is asked to stop ends no request that reached it, and one worker's end is not the others'."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.app import RunningServer
from tests.support.wire import connected, request

FREE: dict[str, Any] = {"address_rate": "off", "rate_limit": "off"}
STARTED = "Application startup complete"


@dataclass(slots=True)
class Tally:
    """What became of the requests of some clients."""

    answered: int = 0
    told: int = 0
    lost: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)


async def calling(server: RunningServer, tally: Tally, path: str, pause_s: float = 0.0) -> None:
    """Call until nobody listens any more, as clients do that keep their connection until they are told otherwise."""
    while True:
        try:
            async with connected(server.base) as wire:
                is_last = False
                while not is_last:
                    await wire.send(request(path, token=server.token))
                    reply = await wire.reply()
                    if reply is None:
                        tally.lost.append(f"after {tally.answered}")
                        return
                    tally.answered += 1
                    tally.statuses.add(reply.status)
                    is_last = reply.is_last
                    await asyncio.sleep(pause_s)
                tally.told += 1
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # connected, but not accepted yet, when the listener closed: nothing was sent
            continue


async def stopped(server: RunningServer) -> float:
    """Return how many seconds a server takes to end after it was asked to."""
    began = time.monotonic()
    server.process.terminate()
    assert await asyncio.to_thread(server.ended) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("drain_s", [0.0, 1.0])
async def test_no_request_is_lost_when_a_server_stops_under_load(
    crm_database: str, workers: int, drain_s: float
) -> None:
    """Eight clients that keep their connections: each answer comes, the last one with ``Connection: close``."""
    with RunningServer.started(crm_database, workers=workers, drain_s=drain_s, **FREE) as server:
        server.wait_for_line(f"(?s)({STARTED}.*){{{workers}}}")
        tally = Tally()
        fast = [asyncio.create_task(calling(server, tally, "/api/v1/clients/1")) for _ in range(6)]
        slow = [asyncio.create_task(calling(server, tally, "/api/v1/invoices?per_page=100")) for _ in range(2)]
        await asyncio.sleep(1.5)
        before = tally.answered
        took_s = await stopped(server)
        await asyncio.wait_for(asyncio.gather(*fast, *slow), 20)

    assert before > 100
    assert not tally.lost
    assert tally.statuses == {200}
    assert tally.told >= 8
    assert took_s < drain_s + 5


async def test_a_request_that_reaches_an_idle_connection_just_then_is_answered(crm_database: str) -> None:
    """It was on its way when the server was asked to stop."""
    with RunningServer.started(crm_database, **FREE) as server:
        server.wait_for_line(STARTED)
        async with connected(server.base) as wire, connected(server.base) as idle:
            for one in (wire, idle):
                await one.send(request("/healthz"))
                assert await one.reply() is not None
            server.process.terminate()
            await asyncio.sleep(0.3)
            await wire.send(request("/api/v1/clients/1", token=server.token))
            reply = await wire.reply()
            assert reply is not None
            assert (reply.status, reply.is_last) == (200, True)
            assert await idle.is_closed()
        assert await asyncio.to_thread(server.ended) == 0


async def test_readiness_says_no_while_the_server_serves_on(crm_database: str) -> None:
    """So balancers send nothing more, while what still comes is answered; health says that it lives."""
    with RunningServer.started(crm_database, drain_s=2.0, **FREE) as server:
        server.wait_for_line(STARTED)
        server.process.terminate()
        await asyncio.sleep(0.5)
        statuses = []
        for path in ("/readyz", "/healthz", "/api/v1/clients/1"):
            async with connected(server.base) as wire:
                await wire.send(request(path, token=server.token))
                reply = await wire.reply()
                assert reply is not None
                assert reply.is_last
                statuses.append(reply.status)
                if path == "/readyz":
                    assert b'"stopping"' in reply.body
        assert statuses == [503, 200, 200]
        assert await asyncio.to_thread(server.ended) == 0


async def test_a_worker_that_dies_is_replaced_while_the_others_serve(crm_database: str) -> None:
    """Killed as the system does when memory is short."""
    with RunningServer.started(crm_database, workers=2, **FREE) as server:
        server.wait_for_line(f"(?s)({STARTED}.*){{2}}")
        first = int(server.wait_for_line(r"Started server process \[(\d+)\]")[1])
        os.kill(first, signal.SIGKILL)
        server.wait_for_line(f"Worker {first} died")
        for _ in range(20):
            async with connected(server.base) as wire:
                await wire.send(request("/api/v1/clients/1", token=server.token))
                reply = await wire.reply()
                assert reply is not None
                assert reply.status == 200
        server.wait_for_line(f"(?s)({STARTED}.*){{3}}")
        started = set(re.findall(r"Started server process \[(\d+)\]", "".join(server.lines)))
        assert len(started) == 3
        await stopped(server)


async def test_an_answer_that_takes_too_long_to_end_does_not_keep_a_server_from_stopping(crm_database: str) -> None:
    """A client that reads nothing of its export has as long as the settings give."""
    with RunningServer.started(crm_database, stop_wait_s=1, **FREE) as server:
        server.wait_for_line(STARTED)
        async with connected(server.base) as wire:
            await wire.send(request("/api/v1/clients", "Content-Length: 100", method="POST", token=server.token))
            await asyncio.sleep(0.3)
            assert await stopped(server) < 5
