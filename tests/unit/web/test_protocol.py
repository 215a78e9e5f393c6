"""What a connection does beside its requests: who may have one, how long it may idle, how it ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.protocol import Door, GatewayProtocol
from gateway.web.stages.headers import SECURITY_HEADERS
from gateway.web.stages.shield import REFUSAL
from gateway.web.tally import Tally

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written; ``unread`` is how many bytes its client has not taken."""

    def __init__(self, host: str = "192.0.2.1") -> None:
        super().__init__()
        self._peer = (host, 4711) if host else ""
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
        return {"peername": self._peer, "sockname": ("192.0.2.2", 80)}.get(name, default)

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
        self.door = Door.of(Settings(**settings))
        self.tally = Tally()
        http: Any = partial(GatewayProtocol, door=self.door)
        self._config = Config(
            app, http=http, lifespan="off", log_config=None, ws="none", interface="asgi3", proxy_headers=False
        )
        self.state = ServerState()

    def enter(self, host: str = "192.0.2.1") -> tuple[GatewayProtocol, Transport]:
        transport, protocol = Transport(host), self.protocol()
        protocol.connection_made(transport)
        return protocol, transport

    def protocol(self) -> GatewayProtocol:
        return GatewayProtocol(self._config, self.state, {"tally": self.tally}, door=self.door)


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


async def test_a_connection_that_was_idle_for_too_long_is_closed() -> None:
    """When its time is over."""
    protocol, transport = House().enter()
    protocol.data_received(GET)
    await settle()
    protocol.timeout_keep_alive_handler()

    assert transport.ended == "closed"


@pytest.mark.parametrize("is_closing", [False, True])
async def test_an_answer_that_nobody_takes_does_not_keep_its_connection(is_closing: bool) -> None:
    """Closing would wait for the client for ever, idle or not."""
    protocol, transport = House().enter()
    protocol.data_received(GET)
    await settle()
    transport.unread = 10
    if is_closing:
        transport.close()
    else:
        protocol.timeout_keep_alive_handler()
    before = transport.ended
    for seconds in (1, 20, 30):
        later(protocol, seconds)
        assert transport.ended == before
    later(protocol, 40)

    assert transport.ended == "aborted"


@pytest.mark.parametrize("is_closing", [False, True])
async def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(is_closing: bool) -> None:
    """However long it takes; then an idle connection may idle anew."""
    protocol, transport = House().enter()
    protocol.data_received(GET)
    await settle()
    protocol.timeout_keep_alive = 0
    transport.unread = 1_000
    if is_closing:
        transport.close()
    else:
        protocol.timeout_keep_alive_handler()
    before = transport.ended
    for seconds in range(0, 1_000, 25):
        transport.unread -= 20
        later(protocol, seconds)
        assert transport.ended == before
    transport.unread = 0
    later(protocol, 1_020)
    assert transport.ended == before
    await asyncio.sleep(0.01)

    assert transport.ended == "closed"


@pytest.mark.parametrize(("closing", "is_reading"), [(b"close", True), (b"keep-alive", True), (b"close", False)])
async def test_a_slow_reader_gets_its_answer_over_a_real_socket(
    closing: bytes, monkeypatch: pytest.MonkeyPatch, *, is_reading: bool
) -> None:
    """It takes some times as long as one that reads nothing is let wait."""
    monkeypatch.setattr("gateway.web.protocol.UNREAD_S", 0.4)
    monkeypatch.setattr("gateway.web.protocol.LOOK_EVERY_S", 0.05)
    answer = b"x" * 6_000_000

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    def connection() -> GatewayProtocol:
        protocol = house.protocol()
        protocol.timeout_keep_alive = 0
        return protocol

    house, loop = House(large), asyncio.get_running_loop()
    async with await loop.create_server(connection, "127.0.0.1", 0) as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.setblocking(False)
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await loop.sock_sendall(client, GET[:-2] + b"Connection: " + closing + b"\r\n\r\n")
            if not is_reading:
                await asyncio.sleep(1.5)
            size, began = 0, loop.time()
            with suppress(ConnectionError):
                while piece := await loop.sock_recv(client, 65_536):
                    size += len(piece)
                    await asyncio.sleep(max(0.0, began + size / 4_000_000 - loop.time()))

    assert (size > len(answer)) == is_reading


async def test_a_request_on_a_connection_that_was_overdue_is_served() -> None:
    """Its client has been slow, not idle."""
    protocol, transport = House().enter()
    protocol.data_received(GET)
    await settle()
    transport.unread = 10
    protocol.timeout_keep_alive_handler()
    later(protocol, 1)
    protocol.data_received(GET)
    later(protocol, 100)
    await settle()
    transport.unread = 0

    assert (transport.ended, transport.written.count(b"HTTP/1.1 200 OK")) == ("", 2)


async def test_an_address_has_only_so_many_connections() -> None:
    """One client cannot take them all from others; what it closes it may open again."""
    house = House(max_connections_per_address=2)
    first, _ = house.enter()
    house.enter()
    _, refused = house.enter()
    _, other = house.enter("192.0.2.9")
    first.connection_lost(None)
    _, again = house.enter()
    _, too_many = house.enter()

    assert refused.written.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b'"code":"address_throttled"' in refused.written
    assert [each.ended for each in (refused, other, again, too_many)] == ["closed", "", "", "closed"]


async def test_an_ipv6_address_counts_by_its_network() -> None:
    """Its other half is for its user to choose."""
    house = House(max_connections_per_address=1)
    house.enter("2001:db8::1")

    assert [house.enter(host)[1].ended for host in ("2001:db8::2", "2001:db8:0:1::1")] == ["closed", ""]


@pytest.mark.parametrize("host", ["192.0.2.1", ""])
async def test_the_connections_of_a_trusted_proxy_are_bounded_only_with_all_others(host: str) -> None:
    """They are many clients'; the same where there is no address, on a Unix socket."""
    house = House(max_connections_per_address=1, max_connections=3, trusted_proxies="192.0.2.0/24")

    assert [house.enter(host)[1].ended for _ in range(4)] == ["", "", "", "closed"]


def words_of(answer: bytes) -> tuple[dict[str, str], dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines), json.loads(body)


async def test_who_is_turned_away_gets_the_headers_of_every_answer_and_is_counted() -> None:
    """An id that no other answer has, and a number that an operator sees."""
    house = House(max_connections=1)
    house.enter()
    answers = [words_of(house.enter()[1].written) for _ in range(2)]

    for headers, problem in answers:
        assert headers["x-request-id"] == problem["request_id"] != ""
        assert {name.decode(): value.decode() for name, value in SECURITY_HEADERS}.items() <= headers.items()
    assert answers[0][1]["request_id"] != answers[1][1]["request_id"]
    assert ("gateway_refusals", ("connection", "overloaded"), 2) in house.tally.samples()


async def test_a_body_that_cannot_go_on_is_refused_under_its_requests_id() -> None:
    """With the headers of every answer, and counted."""

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        scope[EXCHANGE] = Exchange("its-id", 0.0)
        while (await receive())["type"] != "http.disconnect":
            pass

    house = House(reading)
    protocol, transport = house.enter()
    protocol.data_received(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    await settle()
    protocol.data_received(b"no length\r\n")
    await settle()
    headers, problem = words_of(transport.written)

    assert (headers["x-request-id"], problem["request_id"], problem["code"]) == ("its-id", "its-id", "request_syntax")
    assert headers["x-frame-options"] == "DENY"
    assert ("gateway_refusals", ("connection", "request_syntax"), 1) in house.tally.samples()


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
