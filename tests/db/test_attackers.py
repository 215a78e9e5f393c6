"""Clients that mean harm, on real sockets: each gets a clear answer or a closed connection, and costs no memory.

The server is ``gateway serve`` with short waits, so that what takes too long ends soon.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import RunningServer
from tests.support.wire import Reply, Wire, connected, request

WAIT_S = 1.0
KEPT_MB = 24
"""How much larger the server may be after an attack: what it allocates once, not what an attacker sends."""


@pytest.fixture(scope="module")
def server(crm_database: str) -> Iterator[RunningServer]:
    """One worker that gives nobody much time."""
    waits: dict[str, Any] = {"header_wait_s": WAIT_S, "body_wait_s": WAIT_S, "request_limit_s": 5}
    room: dict[str, Any] = {"max_connections": 200, "max_running": 8, "max_waiting": 32}
    free: dict[str, Any] = {"address_rate": "off", "refused_rate": "off"}
    with RunningServer.started(crm_database, **waits, **room, **free) as running:
        running.wait_for_line("Application startup complete")
        yield running


@pytest.fixture(autouse=True)
async def _unharmed(server: RunningServer) -> AsyncIterator[None]:
    """After each attack the server serves, and is about as large as before."""
    await well(server)
    before = resident_mb(server)
    yield
    await well(server)
    assert resident_mb(server) - before < KEPT_MB
    assert "Traceback" not in "".join(server.lines)


async def well(server: RunningServer) -> None:
    async with connected(server.base) as wire:
        await wire.send(request("/api/v1/clients/1", token=server.token))
        reply = await wire.reply()
        assert reply is not None
        assert reply.status == 200


def resident_mb(server: RunningServer) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1_024


async def said(server: RunningServer, *pieces: bytes) -> Reply | None:
    """Return the answer to some bytes."""
    async with connected(server.base) as wire:
        for piece in pieces:
            await wire.send(piece)
        return await wire.reply()


def code_of(reply: Reply | None) -> str:
    assert reply is not None
    assert b"application/problem+json" in reply.head
    return str(json.loads(reply.body)["code"])


def post(server: RunningServer, *lines: str, body: bytes = b"", path: str = "/api/v1/leads") -> bytes:
    return request(path, *lines, method="POST", token=server.token, body=body)


# What never becomes a request


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),  # TLS to a port without
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"CONNECT db.internal:3306 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_and_its_connection_closed(
    server: RunningServer, bytes_sent: bytes
) -> None:
    """400 as a problem document; nothing that follows on the connection is taken for a request."""
    async with connected(server.base) as wire:
        await wire.send(bytes_sent + request("/healthz"))
        reply = await wire.reply()
        assert code_of(reply) in ("request_syntax", "header_invalid", "path_invalid")
        assert reply is not None
        assert (reply.status, reply.is_last) == (400, True)
        assert await wire.is_closed()


async def test_a_null_byte_or_what_is_no_utf8_in_a_path_is_refused(server: RunningServer) -> None:
    """Escaped, so that it is well-formed HTTP."""
    for path in ("/api/v1/clients/%00", "/api/v1/%ff%fe", "/api/v1/clients/1%C0%80", "/healthz%00"):
        assert code_of(await said(server, request(path, token=server.token))) == "path_invalid"


async def test_a_megabyte_of_url_is_refused(server: RunningServer) -> None:
    """While it is still being sent."""
    for path in ("/api/v1/clients?a=" + "x" * 1_000_000, "/" + "y" * 1_000_000):
        reply = await said(server, request(path, token=server.token))
        assert code_of(reply) == "uri_too_long"
        assert reply is not None
        assert b"x-request-id" in reply.head.lower()


async def test_endless_headers_are_refused(server: RunningServer) -> None:
    """In size while they arrive, and in number."""
    line = b"X-Filler: " + b"a" * 1_000 + b"\r\n"
    many = b"".join(b"X-%d: b\r\n" % number for number in range(200))
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "

    assert code_of(await said(server, b"GET / HTTP/1.1\r\nHost: a\r\n", *(line,) * 1_000)) == "headers_too_large"
    assert code_of(await said(server, one, *(b"a" * 10_000,) * 100)) == "headers_too_large"
    assert code_of(await said(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n")) == "headers_too_large"


async def test_trailers_are_no_headers(server: RunningServer) -> None:
    """Neither a token nor the end of one's memory comes after the body."""
    body = b"0\r\nAuthorization: Bearer " + server.token.encode() + b"\r\n\r\n"
    chunked = request("/api/v1/clients/1", "Transfer-Encoding: chunked", body=body)
    assert code_of(await said(server, chunked)) == "token_missing"

    async with connected(server.base) as wire:
        await wire.send(request("/healthz", "Transfer-Encoding: chunked", body=b"0\r\n"))
        for _ in range(200):
            await wire.send(b"X-Filler: " + b"a" * 50_000 + b"\r\n")


# What takes too long


async def test_headers_that_drip_end_their_connection(server: RunningServer) -> None:
    """A hundred and fifty of them at once (slowloris), while others are served."""
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(connected(server.base)) for _ in range(150)]
        for wire in wires:
            await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        began = time.monotonic()
        dripping = asyncio.create_task(drip(wires, b"X: y\r\n"))
        await well(server)
        assert all(await asyncio.gather(*(wire.is_closed() for wire in wires)))
        assert time.monotonic() - began < WAIT_S * 5
        dripping.cancel()


async def drip(wires: Sequence[Wire], data: bytes) -> None:
    while True:
        for wire in wires:
            await wire.send(data)
        await asyncio.sleep(WAIT_S / 5)


@pytest.mark.parametrize("first", [b"", b"\r\n", b"G"])
async def test_a_connection_that_says_nothing_is_closed(server: RunningServer, first: bytes) -> None:
    """So is one that only clears its throat, before the first request or after one."""
    async with connected(server.base) as fresh, connected(server.base) as used:
        await used.send(request("/healthz"))
        assert await used.reply() is not None
        if first:
            await used.send(first)
            await fresh.send(first)
            assert await used.is_closed()
        assert await fresh.is_closed()


async def test_bodies_that_drip_are_refused_and_keep_nobody_waiting(server: RunningServer) -> None:
    """More of them than requests may run at a time."""
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(connected(server.base)) for _ in range(24)]
        for wire in wires:
            await wire.send(post(server, "Content-Type: application/json", "Content-Length: 1000", body=b'{"name"'))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await well(server)
        assert time.monotonic() - began < WAIT_S / 2
        replies = await asyncio.gather(*(wire.reply() for wire in wires))
        assert {code_of(reply) for reply in replies} == {"body_timeout"}
        assert all(reply is not None and reply.is_last for reply in replies)


async def test_a_body_that_goes_on_after_its_refusal_is_not_listened_to(server: RunningServer) -> None:
    """The answer is there before the body's end, and the connection ends whatever comes."""
    head = request("/api/v1/leads", "Content-Length: 200000", "Content-Type: application/json", method="POST")
    async with connected(server.base) as wire:
        await wire.send(head)
        assert code_of(await wire.reply()) == "token_missing"
        dripping = asyncio.create_task(drip([wire], b"x"))
        assert await wire.is_closed()
        dripping.cancel()


async def test_an_endless_chunk_extension_ends(server: RunningServer) -> None:
    """It is no body, so it ends with the body's time."""
    async with connected(server.base) as wire:
        await wire.send(post(server, "Content-Type: application/json", "Transfer-Encoding: chunked", body=b"5;"))
        sending = asyncio.create_task(drip([wire], b"a" * 100_000))
        assert code_of(await wire.reply()) in ("body_timeout", "request_syntax")
        sending.cancel()


async def test_a_broken_chunk_is_answered_at_once(server: RunningServer) -> None:
    """What was sent before it is not taken for the whole."""
    began = time.monotonic()
    broken = post(server, "Content-Type: application/json", "Transfer-Encoding: chunked", body=b"2\r\n{}\r\nzz\r\n")
    assert code_of(await said(server, broken[:-4], broken[-4:])) == "request_syntax"
    assert time.monotonic() - began < WAIT_S / 2


# What is too much


async def test_json_that_is_too_deep_is_refused(server: RunningServer) -> None:
    """100,000 levels in a body, in a query by body and in `where`, in no time."""
    began = time.monotonic()
    for deep in (b"[" * 100_000, b'{"a":' * 40_000, b'{"where":' + b'{"and":[' * 10_000):
        lines = ("Content-Type: application/json", f"Content-Length: {len(deep)}")
        for path in ("/api/v1/leads", "/api/v1/leads/query"):
            assert code_of(await said(server, post(server, *lines, body=deep, path=path))) == "body_syntax"
    where = "/api/v1/leads?where=" + "%5B" * 2_000
    assert code_of(await said(server, request(where, token=server.token))) == "filter_syntax"
    assert time.monotonic() - began < 3


async def test_many_parameters_and_many_fields_are_refused(server: RunningServer) -> None:
    """A thousand are enough for anybody."""
    query = request("/api/v1/leads?" + "a=&" * 1_500, token=server.token)
    form = b"a=&" * 50_000
    lines = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}")

    assert code_of(await said(server, query)) == "query_too_large"
    assert code_of(await said(server, post(server, *lines, body=form))) == "body_too_large"


async def test_pipelined_requests_are_answered_in_order_and_only_so_many(server: RunningServer) -> None:
    """A burst of thousands on one connection is no way to fill the memory."""
    async with connected(server.base) as wire:
        await wire.send(b"".join(request(f"/nothing/{number}") for number in range(5)))
        for number in range(5):
            reply = await wire.reply()
            assert reply is not None
            assert json.loads(reply.body)["instance"] == f"/nothing/{number}"
    async with connected(server.base) as wire:
        await wire.send(request("/healthz") * 5_000)
        answered = 0
        while await wire.reply() is not None:
            answered += 1
        assert 1 <= answered < 5_000


async def test_what_follows_a_smuggled_end_is_not_answered_as_a_request(server: RunningServer) -> None:
    """CL.TE and TE.CL: two readings of one stream, and neither gives the second request a turn."""
    inner = request("/api/me", token=server.token)
    both = "Transfer-Encoding: chunked"
    for body in (b"0\r\n\r\n" + inner, b"%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n"):
        async with connected(server.base) as wire:
            await wire.send(request("/healthz", "Content-Length: 5", both, method="POST", body=body))
            reply = await wire.reply()
            assert reply is not None
            assert (reply.status, reply.is_last) == (400, True)
            assert await wire.is_closed()


async def test_an_upgrade_that_is_not_taken_closes_its_connection(server: RunningServer) -> None:
    """What the client sends after it would be another protocol."""
    async with connected(server.base) as wire:
        await wire.send(request("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"))
        reply = await wire.reply()
        assert reply is not None
        assert (reply.status, reply.is_last) == (200, True)
        assert await wire.is_closed()


async def test_connections_are_bounded(server: RunningServer) -> None:
    """Whoever comes when all are taken is told so; when they go, there is room again."""
    async with AsyncExitStack() as stack:
        for _ in range(200):
            await stack.enter_async_context(connected(server.base))
        await asyncio.sleep(0.05)
        async with connected(server.base) as wire:
            assert code_of(await wire.reply()) == "overloaded"
    await asyncio.sleep(0.1)
    await well(server)


async def test_requests_beyond_the_line_are_shed(server: RunningServer) -> None:
    """A hundred at once on a worker that runs eight: each gets an answer, soon."""
    began = time.monotonic()

    async def ask() -> int:
        reply = await said(server, request("/api/v1/invoices?include=client&per_page=100", token=server.token))
        assert reply is not None
        if reply.status == 503:
            assert code_of(reply) == "overloaded"
            assert b"retry-after: " in reply.head.lower()
        return reply.status

    statuses = await asyncio.gather(*(ask() for _ in range(100)))
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 8
    assert time.monotonic() - began < 20
