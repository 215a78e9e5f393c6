"""Worker processes, and how they stop: uvicorn's server and supervisor with the gateway's manners.

What comes in: uvicorn's configuration and the listening socket. What goes out: served requests
until a signal. A worker that is asked to stop says so (`/readyz`, ``Connection: close``), serves
on for the time the settings give, and ends when the answers under way are sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from socket import socket
from time import monotonic
from typing import Final, cast

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from gateway.cli.newcomers import hold_off
from gateway.settings import Settings
from gateway.web.protocol import Door, GatewayProtocol, Limits

TICK_S: Final = 0.1

ACCEPT_S: Final = 0.2
"""Seconds in which connections that the system has already taken are accepted before the listener closes."""

logger = logging.getLogger("uvicorn.error")


def make_config(app: str, settings: Settings, backlog: int) -> Config:
    """Return how a worker serves; it is sent to the worker's process."""
    door = Door(Limits.of(settings))
    return Config(
        app,
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=cast(type[asyncio.Protocol], partial(GatewayProtocol, door=door)),
        ws="none",
        lifespan="on",
        backlog=backlog,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        log_level=settings.log_level,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.stop_wait_s,
    )


class GatewayServer(Server):
    """The server of one worker."""

    def __init__(self, config: Config, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Say that this worker stops, serve on for a while, then end after the answers under way."""
        door_of(self.config).is_closing = True
        health = self.lifespan.state.get("health")
        if health is not None:
            health.is_stopping = True
        deadline = monotonic() + self._drain_s
        while monotonic() < deadline and not self.force_exit:
            await asyncio.sleep(TICK_S)
        held_off = [hold_off(listener) for listener in sockets or ()]
        if any(held_off) and not self.force_exit:
            await asyncio.sleep(ACCEPT_S)
        await super().shutdown(sockets)


def door_of(config: Config) -> Door:
    """Return what the connections of a worker share."""
    door: Door = cast("partial[GatewayProtocol]", config.http).keywords["door"]
    return door


class Worker(Process):
    """One worker process, as its supervisor sees it."""

    def __init__(self, config: Config, sockets: list[socket], drain_s: float) -> None:
        self._drain_s = drain_s
        super().__init__(config, sockets)

    @property
    def server(self) -> Server:
        """The server, in the worker's own process."""
        if self._server is None:
            self._server = GatewayServer(self.config, self._drain_s)
        return self._server


class Supervisor(Multiprocess):
    """Keeps as many workers alive as there are to be; SIGHUP means reload, as with one worker, not new processes."""

    processes: list[Process]

    def __init__(self, config: Config, listener: socket, drain_s: float, on_hup: Callable[[], None]) -> None:
        super().__init__(config, [listener])
        self._drain_s = drain_s
        self._on_hup = on_hup

    @property
    def has_failed(self) -> bool:
        """Whether a worker could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def init_processes(self) -> None:
        """Start every worker."""
        self.processes.extend(self._started() for _ in range(self.processes_num))

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or hang; the others serve meanwhile."""
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:  # it would fail the same way again
                logger.error("Worker %d could not start; stopping.", process.pid)
                self.should_exit.set()
                return
            logger.error("Worker %d died (exit code %s); starting another.", process.pid, process.exitcode)
            self.processes[index] = self._started()

    def terminate_all(self) -> None:
        """Ask every worker to stop, and stop listening here: nobody would accept what still arrived."""
        super().terminate_all()
        for listener in self.sockets:
            listener.close()

    def handle_hup(self) -> None:
        """Reload, in every worker."""
        self._on_hup()

    def handle_ttin(self) -> None:
        """Nothing: how many workers there are is a setting."""

    def handle_ttou(self) -> None:
        """Nothing, as above."""

    def _started(self) -> Worker:
        worker = Worker(self.config, self.sockets, self._drain_s)
        worker.start()
        return worker
