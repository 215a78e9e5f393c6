"""The head of an answer: the bytes that uvicorn would have written, and its refusals."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.web.answering import Answering, _names
from tests.unit.web.test_protocol import Transport

Headers = list[tuple[bytes, bytes]]

LENGTH = (b"content-length", b"2")


async def written(kind: type[RequestResponseCycle], headers: Headers, status: int = 200, method: str = "GET") -> bytes:
    """Return what one answer of two bytes leaves on a connection that stays open."""
    transport = Transport()
    cycle = kind(
        scope={"method": method},  # type: ignore[typeddict-item]  # nothing else of it is looked at
        transport=transport,
        flow=FlowControl(transport),
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=[(b"date", b"Sat, 21 Nov 2026 06:00:00 GMT")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )
    body = b"" if status in (204, 304) else b"ok"
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    end: Any = {"type": "http.response.body", "body": body}
    await cycle.send(start)
    await cycle.send(end)
    assert cycle.response_complete
    return transport.written + transport.ended.encode()


@pytest.mark.parametrize(
    ("headers", "status", "method"),
    [
        ([LENGTH, (b"etag", b'"a"'), (b"vary", b"Accept\tx, \xe9")], 200, "GET"),
        ([LENGTH, (b"set-x", b""), (b"link", b"<a>; rel=self"), (b"link", b"<b>; rel=next")], 404, "GET"),
        ([LENGTH, (b"Content-Type", b"text/plain")], 200, "GET"),
        ([LENGTH], 200, "HEAD"),
        ([(b"etag", b'"a"')], 304, "GET"),
        ([(b"allow", b"GET")], 204, "OPTIONS"),
        ([(b"content-type", b"text/csv")], 200, "GET"),
        ([(b"transfer-encoding", b"chunked")], 200, "GET"),
        ([LENGTH, (b"connection", b"close")], 413, "POST"),
    ],
)
async def test_every_answer_is_as_of_uvicorn(headers: Headers, status: int, method: str) -> None:
    """To the byte: of known length or not, the last of its connection or not, also the second time."""
    expected = await written(RequestResponseCycle, headers, status, method)

    assert await written(Answering, headers, status, method) == expected
    assert await written(Answering, headers, status, method) == expected


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"1\r\nset-cookie: a=b"),
        (b"x-a", b"1\n"),
        (b"x-a", b"\0"),
        (b"x-a", b"\x7f"),
        (b"x a", b"1"),
        (b"x:a", b"1"),
    ],
)
async def test_nothing_can_add_a_line_to_a_head(header: tuple[bytes, bytes]) -> None:
    """Neither a value nor a name, the first time or later; nothing is written then."""
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Invalid HTTP header"):
            await written(Answering, [LENGTH, header])


async def test_two_lengths_are_left_to_uvicorn() -> None:
    """The answer says what it would have said."""
    headers = [LENGTH, LENGTH]

    assert await written(Answering, headers) == await written(RequestResponseCycle, headers)


async def test_names_that_are_remembered_say_nothing_of_where_an_answer_ends() -> None:
    """Else the next answer's framing would be overlooked."""
    await written(Answering, [LENGTH, (b"connection", b"close")])
    await written(Answering, [LENGTH, (b"etag", b'"a"')])

    assert b"etag" in _names
    assert not _names & {b"connection", b"content-length", b"transfer-encoding"}
