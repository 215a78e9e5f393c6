"""What a connection does beside its requests: who may have one, how long it may idle, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.web.protocol import Door, GatewayProtocol, Limits
from gateway.web.stages.shield import REFUSAL

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written; ``unread`` is how many bytes its client has not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = ""
        self.unread = 0
        self.is_paused = False

    def write(self, data: Any) -> None:
        assert not self.ended
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.ended = "eof"

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return self.ended == "closed"

    def get_write_buffer_size(self) -> int:
        return self.unread

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 4711), "sockname": ("192.0.2.2", 80)}.get(name, default)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the scope holds: an error's code, or "ok"."""
    refusal: GatewayError | None = scope.get(REFUSAL)
    body = refusal.code.encode() if refusal is not None else b"ok"
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 400 if refusal else 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


class House:
    """The connections of one worker."""

    def __init__(self, app: ASGIApp = plain, **settings: Any) -> None:
        self.door = Door(Limits.of(Settings(**settings)))
        http: Any = partial(GatewayProtocol, door=self.door)
        self._config = Config(
            app, http=http, lifespan="off", log_config=None, ws="none", interface="asgi3", proxy_headers=False
        )
        self.state = ServerState()

    def enter(self) -> tuple[GatewayProtocol, Transport]:
        transport = Transport()
        protocol = GatewayProtocol(self._config, self.state, {}, door=self.door)
        protocol.connection_made(transport)
        return protocol, transport


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def later(protocol: GatewayProtocol, seconds: float) -> None:
    protocol.look(protocol.loop.time() + seconds)


async def test_an_answered_request_leaves_its_connection_open() -> None:
    """For the next one."""
    protocol, transport = House().enter()
    for number in (1, 2):
        protocol.data_received(GET)
        await settle()
        assert transport.written.count(b"HTTP/1.1 200 OK") == number

    assert transport.ended == ""
    assert b"connection: close" not in transport.written


async def test_beyond_the_most_connections_one_is_told_and_closed() -> None:
    """And counts as none."""
    house = House(max_connections=2)
    house.enter()
    house.enter()
    protocol, transport = house.enter()

    assert transport.written.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 1\r\n" in transport.written
    assert b'"code":"overloaded"' in transport.written
    assert (transport.ended, len(house.state.connections)) == ("closed", 2)
    protocol.data_received(GET)
    protocol.connection_lost(None)


@pytest.mark.parametrize("first", [b"", b"\r\n", b"GET / HT", GET + b"GET"])
async def test_headers_that_do_not_come_end_their_connection(first: bytes) -> None:
    """Before the first request as after one; until then it is let wait."""
    protocol, transport = House(header_wait_s=5).enter()
    if first:
        protocol.data_received(first)
    await settle()
    later(protocol, 4)
    assert transport.ended == ""
    later(protocol, 6)

    assert transport.ended == "closed"


async def test_an_idle_connection_is_not_one_whose_headers_are_late() -> None:
    """How long it may idle is another setting."""
    protocol, transport = House(header_wait_s=5).enter()
    protocol.data_received(GET)
    await settle()
    later(protocol, 60)

    assert transport.ended == ""


@pytest.mark.parametrize(("unread", "due"), [(0, "closed"), (10, "aborted")])
async def test_an_answer_that_nobody_takes_does_not_keep_its_connection(unread: int, due: str) -> None:
    """Closing would wait for the client for ever."""
    protocol, transport = House().enter()
    protocol.data_received(GET)
    await settle()
    transport.unread = unread
    protocol.timeout_keep_alive_handler()

    assert transport.ended == due


async def test_a_connection_that_is_closing_for_long_is_given_up() -> None:
    """Its client does not read."""
    protocol, transport = House().enter()
    transport.close()
    later(protocol, 1)
    later(protocol, 20)
    assert transport.ended == "closed"
    later(protocol, 40)

    assert transport.ended == "aborted"


@pytest.mark.parametrize(
    ("pieces", "due"),
    [
        ((b"nonsense\r\n\r\n",), b"request_syntax"),
        ((b"GET /" + b"a" * 400, b"a" * 400), b"uri_too_long"),
        ((b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 900, b"a" * 900), b"headers_too_large"),
    ],
)
async def test_a_refusal_takes_the_way_of_every_answer(pieces: tuple[bytes, ...], due: bytes) -> None:
    """Through the application, once; then the client may read it, and what it still sends is dropped."""
    protocol, transport = House(max_url_bytes=512, max_header_bytes=1_024).enter()
    for piece in (*pieces, b"more", GET):
        protocol.data_received(piece)
    await settle()

    assert transport.written.endswith(due)
    assert transport.written.count(b"HTTP/1.1") == 1
    assert b"connection: close" in transport.written
    assert transport.ended == "eof"


async def test_what_follows_garbage_is_not_answered_but_what_came_before_is() -> None:
    """In order, and the last answer says that it is the last."""
    protocol, transport = House().enter()
    protocol.data_received(GET + b"nonsense\r\n\r\n" + GET)
    await settle()

    assert transport.written.count(b"HTTP/1.1 200 OK") == 1
    assert b"connection: close" in transport.written
    assert transport.ended == "eof"


async def held(release: asyncio.Event, scope: Scope, receive: Receive, send: Send) -> None:
    await release.wait()
    await plain(scope, receive, send)


@pytest.mark.parametrize("ask", [GatewayProtocol.shutdown, None])
async def test_a_busy_connection_ends_with_its_answer(ask: Callable[[GatewayProtocol], None] | None) -> None:
    """Which says so; the same for a request that begins while the server is closing."""
    release = asyncio.Event()
    house = House(partial(held, release))
    house.door.is_closing = ask is None
    protocol, transport = house.enter()
    protocol.data_received(GET)
    await settle()
    if ask is not None:
        ask(protocol)
    assert transport.ended == ""
    release.set()
    await settle()

    assert b"connection: close" in transport.written
    assert transport.ended == "closed"


async def test_more_requests_at_once_than_are_answered_end_the_connection() -> None:
    """The first ones get their answers."""
    release = asyncio.Event()
    protocol, transport = House(partial(held, release)).enter()
    protocol.data_received(GET * 1_000)
    release.set()
    for _ in range(30):
        await settle()

    assert transport.written.count(b"HTTP/1.1 200 OK") == 17
    assert transport.ended == "eof"
