"""So many requests run, so many wait in line, and the rest is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive

from gateway.errors import GatewayError
from gateway.web.disconnect import ClientGoneError
from gateway.web.turns import Turns


class Client:
    """What a request's client sends; nothing more comes until the test says so."""

    def __init__(self, *messages: Message) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        for message in messages:
            self._queue.put_nowait(message)

    async def receive(self) -> Message:
        return await self._queue.get()

    def say(self, message: Message) -> None:
        self._queue.put_nowait(message)

    def go_away(self) -> None:
        self.say({"type": "http.disconnect"})


class Request:
    """One request in a task of its own, which holds its turn until it is let go."""

    def __init__(self, turns: Turns, name: str, order: list[str], client: Client | None = None) -> None:
        self._turns = turns
        self._name = name
        self._order = order
        self.client = client or Client()
        self.done = asyncio.Event()
        self.receive: Receive = self.client.receive
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not self._turns.take(task):
            self.receive = await self._turns.wait(task, self.client.receive)
        try:
            self._order.append(self._name)
            await self.done.wait()
        finally:
            self._turns.give(task)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def code_of(work: Awaitable[Any]) -> str:
    with pytest.raises(GatewayError) as caught:
        await work
    return caught.value.code


async def test_a_turn_passes_to_whoever_waited_longest() -> None:
    """First come, first served; whoever comes while others wait stands behind them."""
    turns, order = Turns(2, 10, 5.0), list[str]()
    requests = [Request(turns, name, order) for name in "abcde"]
    await settle()
    assert (order, turns.running, turns.waiting) == (["a", "b"], 2, 3)

    requests[1].done.set()
    await settle()
    assert (order, turns.running, turns.waiting) == (["a", "b", "c"], 2, 2)
    for request in requests:
        request.done.set()
    await asyncio.gather(*(request.task for request in requests))
    assert (order, turns.running, turns.waiting) == (list("abcde"), 0, 0)


async def test_beyond_the_line_requests_are_refused_at_once() -> None:
    """With a word on when to come back."""
    turns, order = Turns(1, 1, 5.0), list[str]()
    requests = [Request(turns, name, order) for name in "abc"]

    with pytest.raises(GatewayError) as caught:
        await requests[2].task
    assert (caught.value.code, caught.value.status, caught.value.headers["Retry-After"]) == ("overloaded", 503, "1")
    for request in requests[:2]:
        request.done.set()
    await asyncio.gather(*(request.task for request in requests[:2]))


async def test_whoever_waits_too_long_is_refused_and_leaves_the_line() -> None:
    """And takes no turn that comes later."""
    turns, order = Turns(1, 5, 0.02), list[str]()
    first, second = Request(turns, "a", order), Request(turns, "b", order)

    assert await code_of(second.task) == "overloaded"
    assert turns.waiting == 0
    first.done.set()
    await first.task
    assert (order, turns.running) == (["a"], 0)


async def test_a_client_that_goes_away_leaves_the_line() -> None:
    """Its turn would be spent on nobody."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    first, second, third = (Request(turns, name, order) for name in "abc")
    await settle()
    second.client.go_away()

    with pytest.raises(ClientGoneError):
        await second.task
    first.done.set()
    third.done.set()
    await asyncio.gather(first.task, third.task)
    assert (order, turns.running, turns.waiting) == (["a", "c"], 0, 0)


@pytest.mark.parametrize("when", ["in line", "with its turn"])
async def test_a_cancelled_request_holds_no_turn(when: str) -> None:
    """Not even one that came just before it was cancelled."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    first, second = Request(turns, "a", order), Request(turns, "b", order)
    await settle()
    if when == "with its turn":
        first.done.set()
        await asyncio.wait((first.task,))
    second.task.cancel()
    await asyncio.wait((second.task,))

    first.done.set()
    await first.task
    assert second.task.cancelled()
    assert (turns.running, turns.waiting) == (0, 0)


async def test_a_body_that_came_while_its_request_waited_is_not_lost() -> None:
    """It was read to learn whether the client is still there."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    body: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "body": b"}", "more_body": False},
    ]
    first, second = Request(turns, "a", order), Request(turns, "b", order, Client(*body))
    await settle()
    first.done.set()
    await settle()
    second.client.say({"type": "http.disconnect"})

    assert [await second.receive() for _ in range(3)] == [*body, {"type": "http.disconnect"}]
    second.done.set()
    await second.task


async def test_a_long_body_is_not_read_ahead() -> None:
    """What waits may not fill the memory."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    chunks: list[Message] = [{"type": "http.request", "body": b"x" * 40_000, "more_body": True} for _ in range(10)]
    first, second = Request(turns, "a", order), Request(turns, "b", order, Client(*chunks))
    await settle()

    assert second.client._queue.qsize() == 8
    first.done.set()
    await settle()
    assert [await second.receive() for _ in range(10)] == chunks
    second.done.set()
    await second.task


async def reading(turns: Turns, receive: Callable[[], Awaitable[Message]]) -> Message:
    task = asyncio.current_task()
    assert task is not None
    assert turns.take(task)
    try:
        return await turns.receive_apart(task, receive)
    finally:
        turns.give(task)


async def test_while_a_body_arrives_its_turn_is_free_for_others() -> None:
    """Slow clients keep nobody waiting but themselves."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    slow = Client()
    reader = asyncio.create_task(reading(turns, slow.receive))
    await settle()
    other = Request(turns, "a", order)
    await settle()
    assert order == ["a"]

    slow.say({"type": "http.request", "body": b"", "more_body": False})
    await settle()
    assert not reader.done()  # it waits for a turn now
    other.done.set()
    assert (await reader)["type"] == "http.request"
    await other.task
    assert turns.running == 0


async def test_only_so_many_bodies_arrive_at_a_time() -> None:
    """Each takes memory."""
    turns = Turns(1, 3, 5.0)
    readers = [asyncio.create_task(reading(turns, Client().receive)) for _ in range(4)]
    await settle()

    assert await code_of(readers[3]) == "overloaded"
    for reader in readers[:3]:
        reader.cancel()
    await asyncio.wait(readers[:3])
    assert (turns.running, turns.waiting) == (0, 0)


async def test_whoever_only_listens_gives_no_turn_away() -> None:
    """The watch for a client that goes away runs beside the request."""
    turns, order = Turns(1, 5, 5.0), list[str]()
    request = Request(turns, "a", order)
    await settle()
    listening = asyncio.create_task(turns.receive_apart(request.task, request.client.receive))
    await settle()
    assert turns.running == 1

    request.client.go_away()
    assert (await listening)["type"] == "http.disconnect"
    request.done.set()
    await request.task
