"""Worker processes, and how they stop: uvicorn's server and supervisor with the gateway's manners.

What comes in: uvicorn's configuration and the listening socket. What goes out: served requests
until a signal. A worker that is asked to stop says so (`/readyz`, ``Connection: close``), serves
on for the time the settings give, and ends when the answers under way are sent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import parent_process
from socket import socket
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, cast

from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import Server
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from gateway.cli.newcomers import hold_off
from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.web.protocol import Door, GatewayProtocol

if TYPE_CHECKING:
    from uvicorn.lifespan.on import LifespanSendMessage

TICK_S: Final = 0.1

PARENT_TICK_S: Final = 1.0
"""Seconds between two looks of a worker at whether the process above it is still there."""

START_S: Final = 60.0
"""Seconds until a new worker must be there: Python and its modules take their time on a machine that is busy."""

ANSWER_S: Final = 0.1
"""Seconds that a worker which has not begun is waited for in a round; the others are looked after meanwhile."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
"""Seconds before a worker that could not take another's place is tried again; they double from the first."""

ACCEPT_S: Final = 0.2
"""Seconds in which connections that the system has already taken are accepted before the listener closes."""

logger = logging.getLogger("uvicorn.error")


def make_config(app: str, settings: Settings, backlog: int) -> Config:
    """Return how a worker serves; it is sent to the worker's process."""
    door = Door.of(settings)
    return WorkerConfig(
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


class WorkerConfig(Config):
    """The configuration of a worker, whose failed start is told as this package tells everything."""

    def load(self) -> None:
        """Load what is configured."""
        super().load()
        self.lifespan_class = WorkerLifespan


class WorkerLifespan(LifespanOn):
    """Start and end of the application."""

    async def send(self, message: LifespanSendMessage) -> None:
        """Take what the application says; a failure that was foreseen is told as its text, without a trace."""
        error = sys.exception()  # what the application is handling while it says that it cannot start
        if message["type"] == "lifespan.startup.failed" and isinstance(error, GatewayError):
            await super().send({"type": "lifespan.startup.failed", "message": cannot_start(error)})
            return
        await super().send(message)


def cannot_start(error: GatewayError) -> str:
    """Return the log's line for a worker that ends before it served."""
    return f"This worker cannot start: {error}"


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
        self._begun_at = monotonic()
        self._is_asked = False
        self._has_answered = False
        self.has_served = False
        super().__init__(config, sockets)

    def is_alive(self, timeout: float = 5) -> bool:
        """Whether the process runs and answers; one that has not answered yet has `START_S` to begin."""
        if not self.process.is_alive():
            return False
        answer = self._answer(timeout if self._has_answered else ANSWER_S)
        if answer is None:
            return not self._has_answered and monotonic() - self._begun_at < START_S
        self._has_answered = True
        self.has_served = self.has_served or answer
        return True

    def _answer(self, timeout: float) -> bool | None:
        """Ask whether the worker serves; None for no answer. A question that is open is not asked again."""
        try:
            if not self._is_asked:
                self.parent_conn.send(b"ping")
                self._is_asked = True
            if not self.parent_conn.poll(timeout):
                return None
            self._is_asked = False
            return bool(self.parent_conn.recv())
        except (OSError, EOFError):
            return None

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve, in the worker's own process, for as long as there is one above it."""
        Thread(target=end_with_parent, daemon=True).start()
        super().target(sockets)

    @property
    def server(self) -> Server:
        """The server, in the worker's own process."""
        if self._server is None:
            self._server = GatewayServer(self.config, self._drain_s)
        return self._server


def end_with_parent() -> None:
    """Ask this process to stop when the one that started it has gone: nobody else would replace or stop it."""
    parent = parent_process()
    while parent is not None and os.getppid() == parent.pid:
        sleep(PARENT_TICK_S)
    logger.error("The process above this worker has gone; stopping.")
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor(Multiprocess):
    """Keeps as many workers alive as there are to be; SIGHUP means reload, as with one worker, not new processes.

    A worker of the first start that cannot start ends all, for the others would fail the same way. One that was
    to take another's place is tried again, for the others serve.
    """

    processes: list[Process]

    def __init__(self, config: Config, listener: socket, drain_s: float, on_hup: Callable[[], None]) -> None:
        super().__init__(config, [listener])
        self._drain_s = drain_s
        self._on_hup = on_hup
        self._first: frozenset[Process] = frozenset()
        self._due: dict[int, float] = {}
        """When a place is to be filled that is empty."""
        self._pauses: dict[int, float] = {}
        """The last pause of a place that could not be filled."""
        self.has_failed = False
        """Whether a worker of the first start could not start."""

    def init_processes(self) -> None:
        """Start every worker."""
        self.processes.extend(self._started() for _ in range(self.processes_num))
        self._first = frozenset(self.processes)

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or hang; the others serve meanwhile."""
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if index in self._due:
                self._fill(index)
            elif not process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                process.kill()
                process.join()
                self._replace(index, cast(Worker, process))

    def _replace(self, index: int, worker: Worker) -> None:
        """Fill the place of a worker that ended, or find out that there is nothing to begin with."""
        code = worker.exitcode
        is_killed = code is None or code < 0
        before = None if worker.has_served else self._pauses.get(index)
        if worker.has_served or (is_killed and before is None):  # perhaps it served, and nobody had asked yet
            logger.error("Worker %d died (exit code %s); starting another.", worker.pid, code)
            self._pauses[index] = 0.0
            self.processes[index] = self._started()
        elif worker in self._first and not is_killed:
            logger.error("Worker %d could not start (exit code %s); stopping.", worker.pid, code)
            self.has_failed = True
            self.should_exit.set()
        else:
            pause = min(max((before or 0.0) * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            self._pauses[index] = pause
            self._due[index] = monotonic() + pause
            logger.error("Worker %d could not start (exit code %s); trying again in %g s.", worker.pid, code, pause)

    def _fill(self, index: int) -> None:
        if monotonic() >= self._due[index]:
            del self._due[index]
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
