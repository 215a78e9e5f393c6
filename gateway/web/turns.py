"""How many requests one worker runs at a time, and how many wait for their turn.

What comes in: the task of each request. What goes out: turns, in the order asked for, or 503 for
whoever would have to wait too long. A worker that is asked for more than it can do so answers some
in time and tells the others soon, instead of answering all of them late.

Whoever waits for its client (a body that is still arriving) or has limits of its own (an export)
gives its turn up meanwhile. Nothing here costs more than a set's change while nobody waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from starlette.types import Message, Receive

from gateway.errors import UnavailableError
from gateway.web.disconnect import ClientGoneError

MOST_AHEAD: Final = 65_536
"""Bytes of a body that are read for a request that waits, to learn whether its client is still there."""

MESSAGE_BYTES: Final = 512
"""About what a message takes beside its bytes."""

_Task = asyncio.Task[Any]
_Turn = asyncio.Future[None]


class Turns:
    """The turns of one worker."""

    __slots__ = ("_line", "_most", "_most_reading", "_most_waiting", "_reading", "_running", "_wait_s")

    def __init__(self, most: int, most_waiting: int, wait_s: float) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self._most_reading = max(most, most_waiting)
        self._wait_s = wait_s
        self._running: set[_Task] = set()
        self._reading = 0
        self._line: deque[tuple[_Turn, _Task]] = deque()

    @property
    def running(self) -> int:
        """How many requests have their turn."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many requests wait for theirs."""
        return len(self._line)

    def take(self, task: _Task) -> bool:
        """Return whether a turn was free; then the task has it."""
        if len(self._running) >= self._most or self._line:
            return False
        self._running.add(task)
        return True

    def give(self, task: _Task) -> bool:
        """Give a turn back, to whoever has waited longest; return whether the task had one."""
        if task not in self._running:
            return False
        self._running.discard(task)
        while self._line and len(self._running) < self._most:
            turn, following = self._line.popleft()
            if not turn.done():
                self._running.add(following)
                turn.set_result(None)
        return True

    async def wait(self, task: _Task, receive: Receive) -> Receive:
        """Wait for a turn; return what gives the request's body, of which some may have been read meanwhile.

        Raises:
            UnavailableError: ``overloaded``, at once when too many wait already.
            ClientGoneError: the client went away.
        """
        if len(self._line) >= self._most_waiting:
            raise overloaded()
        ahead = _Ahead(receive)
        listener = asyncio.ensure_future(ahead.listen())
        turn = self._enter(task, is_first=False)
        listener.add_done_callback(lambda _: turn.cancel())
        try:
            await turn
        except BaseException as error:
            self._leave(turn, task)
            if isinstance(error, asyncio.CancelledError) and not task.cancelling():
                raise ClientGoneError from None
            raise
        finally:
            listener.cancel()
        return ahead.receive

    async def receive_apart(self, task: _Task, receive: Receive) -> Message:
        """Return a message of a request's client, whose turn is free for others until it is there.

        Raises:
            UnavailableError: ``overloaded``, when too many bodies are arriving already, or the turn does not come back.
        """
        if task not in self._running or asyncio.current_task() is not task:  # somebody watches while it runs
            return await receive()
        if self._reading >= self._most_reading:
            raise overloaded()
        self.give(task)
        self._reading += 1
        try:
            message = await receive()
        finally:
            self._reading -= 1
        if len(self._running) < self._most:
            self._running.add(task)
            return message
        turn = self._enter(task, is_first=True)
        try:
            await turn
        except BaseException:
            self._leave(turn, task)
            raise
        return message

    def _enter(self, task: _Task, *, is_first: bool) -> _Turn:
        loop = asyncio.get_running_loop()
        turn: _Turn = loop.create_future()
        limit = loop.call_later(self._wait_s, _expire, turn)
        turn.add_done_callback(lambda _: limit.cancel())
        if is_first:
            self._line.appendleft((turn, task))
        else:
            self._line.append((turn, task))
        return turn

    def _leave(self, turn: _Turn, task: _Task) -> None:
        """Leave the line, or give back the turn that came just before."""
        if (turn, task) in self._line:
            self._line.remove((turn, task))
        else:
            self.give(task)


class _Ahead:
    """Reads ahead what a client sends until it goes away, and gives it out again."""

    __slots__ = ("_messages", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: deque[Message] = deque()

    async def listen(self) -> None:
        """Return when the client has gone; for a long body only as long as little of it was read."""
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            self._messages.append(message)
            size += len(message.get("body", b"")) + MESSAGE_BYTES
            if size > MOST_AHEAD:
                await asyncio.get_running_loop().create_future()  # until the turn comes and ends this

    async def receive(self) -> Message:
        """Return the next message of the client."""
        return self._messages.popleft() if self._messages else await self._receive()


def overloaded() -> UnavailableError:
    """Return the refusal of a request for which there is no room now."""
    detail = "More requests wait for their turn than may; nothing was done. Try again in a moment."
    return UnavailableError("overloaded", detail, headers={"Retry-After": "1"})


def _expire(turn: _Turn) -> None:
    if not turn.done():
        turn.set_exception(overloaded())
