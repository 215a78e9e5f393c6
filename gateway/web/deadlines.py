"""How long a request may take until the first byte of its answer, whatever it is waiting for.

What comes in: the task of each request when it begins and ends. What goes out: the cancellation of
those that are over their time; with them goes whatever they wait for: their place in a line, a
connection, and on the database the statement that runs for them.

One timer of the worker looks at all of them, so that a request costs two changes of a dictionary
and neither a timer nor a task of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from gateway.errors import UnavailableError
from gateway.web.exchange import Exchange

LOOK_EVERY_S: Final = 0.1

_Task = asyncio.Task[Any]


class Deadlines:
    """Ends requests that are over their time; belongs to the event loop that first uses it."""

    __slots__ = ("_cut", "_limit_s", "_look_every_s", "_running", "_timer")

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._look_every_s = min(LOOK_EVERY_S, limit_s / 4)
        self._running: dict[_Task, tuple[Exchange, float]] = {}
        self._cut: set[_Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: _Task, exchange: Exchange) -> None:
        """Count the time of a request from now on."""
        loop = task.get_loop()
        self._running[task] = exchange, loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_later(self._look_every_s, self._look)

    def lift(self, task: _Task) -> None:
        """Let a request take longer: its handler has limits of its own."""
        self._running.pop(task, None)

    def end(self, task: _Task) -> None:
        """Forget a request, and that it was cancelled if it was."""
        self._running.pop(task, None)
        if task in self._cut:
            self._cut.discard(task)
            task.uncancel()

    def has_cut(self, task: _Task) -> bool:
        """Whether a request was cancelled because of its time, and by nobody else besides."""
        return task in self._cut and task.cancelling() == 1

    def is_over(self, task: _Task) -> bool:
        """Whether a request was cancelled because of its time."""
        return task in self._cut

    def _look(self) -> None:
        """Cancel what is over its time and has not begun to answer; come back while anything runs."""
        self._timer = None
        if not self._running:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, (exchange, deadline) in tuple(self._running.items()):
            if now >= deadline:
                del self._running[task]
                if exchange.status == 0:
                    self._cut.add(task)
                    task.cancel()
        if self._running:
            self._timer = loop.call_later(self._look_every_s, self._look)


def request_timeout() -> UnavailableError:
    """Return the failure of a request that was over its time before anything was changed."""
    detail = "The answer was not there within the time it may take; nothing was changed. Ask for less, or try again."
    return UnavailableError("request_timeout", detail, headers={"Retry-After": "1"})
