"""What ends a worker, or the process above it, and what becomes of the others."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from tests.support.app import PERFEX_WHITELIST, RunningServer
from tests.support.wire import connected, request

FREE: dict[str, Any] = {"address_rate": "off", "rate_limit": "off"}
STARTED = "Application startup complete"
HANGUP = 1 << (signal.SIGHUP - 1)
PATIENCE_S = 20.0


def workers_of(server: RunningServer) -> list[int]:
    return [int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", "".join(server.lines))]


def hears_hangups(pid: int) -> bool:
    """Whether a process ignores or handles SIGHUP, which else would end it."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return any(int(mask, 16) & HANGUP for mask in re.findall(r"Sig(?:Ign|Cgt):\s+(\w+)", status))


def runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return False


async def status_of(server: RunningServer) -> int:
    async with connected(server.base) as wire:
        await wire.send(request("/api/v1/clients/1", token=server.token))
        reply = await wire.reply()
        assert reply is not None
        return reply.status


async def test_a_worker_that_cannot_be_replaced_ends_nobody_else(crm_database: str) -> None:
    """A mistake in the whitelist that a failed reload left there: the others serve on, and another try comes."""
    text = PERFEX_WHITELIST.read_text("utf-8")
    with RunningServer.started(crm_database, whitelist=text, workers=2, **FREE) as server:
        server.wait_for_line(f"(?s)({STARTED}.*){{2}}")
        (server.directory / "whitelist.yaml").write_text("resources: [", "utf-8")
        server.hang_up()
        server.wait_for_line("CatalogKept")
        os.kill(workers_of(server)[0], signal.SIGKILL)
        server.wait_for_line(r"could not start.*trying again")
        assert [await status_of(server) for _ in range(20)] == [200] * 20
        told = [line for line in server.lines if "cannot start" in line]
        assert told
        assert not any("Traceback" in line for line in server.lines)
        assert all(orjson.loads(line) for line in server.lines if "orker" in line and not line.startswith("Serving"))

        (server.directory / "whitelist.yaml").write_text(text, "utf-8")
        server.wait_for_line(f"(?s)({STARTED}.*){{3}}")
        assert [await status_of(server) for _ in range(20)] == [200] * 20
        server.process.terminate()
        assert server.ended() == 0


def test_a_first_start_that_fails_ends_the_server(crm_database: str) -> None:
    """Every worker would fail the same way; the reason is a line, and no trace of Python."""
    with TemporaryDirectory(prefix="gateway-server-") as place:
        server = RunningServer.launched(crm_database, Path(place), whitelist="resources: [", workers=2, **FREE)
        assert server.ended() == 1
        assert not any("Traceback" in line for line in server.lines)


def test_nothing_is_announced_that_cannot_be(crm_database: str) -> None:
    """An address for metrics that another listens on ends the start before it says that it serves."""
    with socket.create_server(("127.0.0.1", 0)) as taken, TemporaryDirectory(prefix="gateway-server-") as place:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = RunningServer.launched(crm_database, Path(place), metrics_address=address, **FREE)
        assert server.ended() == 1
        said = "".join(server.lines)
        assert f"Cannot listen on GATEWAY_METRICS_ADDRESS {address}" in said
        assert "Serving" not in said


async def test_a_replaced_worker_makes_no_new_store(crm_database: str) -> None:
    """Of a gateway whose file is gone every token stays 503, and works again when the file is back; never 401."""
    with RunningServer.started(crm_database, workers=2, **FREE) as server:
        server.wait_for_line(f"(?s)({STARTED}.*){{2}}")
        state, aside = server.directory / "state.sqlite3", server.directory / "aside"
        files = list(server.directory.glob("state.sqlite3*"))
        aside.mkdir()
        for file in files:
            file.rename(aside / file.name)
        os.kill(workers_of(server)[0], signal.SIGKILL)
        server.wait_for_line(r"could not start.*trying again")
        time.sleep(1.0)
        assert not state.exists()
        assert {await status_of(server) for _ in range(20)} == {503}
        assert not any("Traceback" in line for line in server.lines)

        for file in files:
            (aside / file.name).rename(file)
        server.wait_for_line(f"(?s)({STARTED}.*){{3}}")
        assert {await status_of(server) for _ in range(20)} == {200}


def test_a_hangup_during_the_start_ends_nothing(crm_database: str) -> None:
    """A reload right after a restart, again and again, with one worker and with two."""
    for workers in (1, 2):
        with TemporaryDirectory(prefix="gateway-server-") as place:
            server = RunningServer.launched(crm_database, Path(place), workers=workers, **FREE)
            try:
                deadline = time.monotonic() + PATIENCE_S
                while not (server.lines or hears_hangups(server.process.pid)) and time.monotonic() < deadline:
                    time.sleep(0.005)
                while len(re.findall(STARTED, "".join(server.lines))) < workers and time.monotonic() < deadline:
                    server.hang_up()
                    time.sleep(0.02)
                    assert server.process.poll() is None
                server.process.terminate()
                assert server.ended() == 0
            finally:
                server.stop()


def test_workers_end_when_the_process_above_them_was_killed(crm_database: str) -> None:
    """Else they would serve on without anybody who replaces or stops them, and keep the port."""
    with RunningServer.started(crm_database, workers=2, **FREE) as server:
        server.wait_for_line(f"(?s)({STARTED}.*){{2}}")
        pids = workers_of(server)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while any(runs(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = [pid for pid in pids if runs(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == []
