"""The outermost stage: request ids, headers on every answer, errors in one form."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import UnavailableError
from gateway.observe import Event, RequestFailed, RequestUnavailable
from gateway.web.stages.headers import SECURITY_HEADERS, Headers
from gateway.web.stages.records import Records


async def ask(app: ASGIApp, *headers: tuple[bytes, bytes], is_timed: bool = False) -> tuple[list[Message], list[Event]]:
    """Return what was sent, and what was observed, when a request passes the stage to ``app``."""
    sent: list[Message] = []
    events: list[Event] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("no body is read here")

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/x", "headers": list(headers)}
    await Headers(Records(app, events.append), is_timed=is_timed)(scope, receive, send)
    return sent, events


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"private")]})
    await send({"type": "http.response.body", "body": b"{}"})


def failing(error: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def test_every_answer_carries_the_security_headers_but_for_its_own() -> None:
    """An answer may say itself how it is cached."""
    sent, _ = await ask(answering)
    headers = sent[0]["headers"]

    assert [value for name, value in headers if name == b"cache-control"] == [b"private"]
    assert {name for name, _ in SECURITY_HEADERS} <= {name for name, _ in headers}


async def test_request_ids_of_a_worker_differ() -> None:
    """Each is new, unless the client brought one."""
    ids: set[bytes] = set()
    recorder = Headers(answering)
    for _ in range(3):

        async def send(message: Message) -> None:
            ids.update(value for name, value in message.get("headers", []) if name == b"x-request-id")

        await recorder({"type": "http", "method": "GET", "path": "/x", "headers": []}, None, send)  # type: ignore[arg-type]  # no body is read

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("given", "is_kept"), [(b"abc-1.2_3", True), (b"a b", False), (b"x" * 65, False), (b"", False)]
)
async def test_a_clients_request_id_is_kept_when_it_is_a_plain_word(given: bytes, is_kept: bool) -> None:
    """Anything else could be used to write into logs."""
    sent, _ = await ask(answering, (b"x-request-id", given))

    assert ((b"x-request-id", given) in sent[0]["headers"]) is is_kept


async def test_an_error_nobody_foresaw_is_told_to_the_log_alone() -> None:
    """The client gets 500 and the id that finds it."""
    error = RuntimeError("secret detail")
    sent, events = await ask(failing(error), (b"x-request-id", b"find-me"))
    problem = orjson.loads(sent[1]["body"])

    assert (sent[0]["status"], problem["code"], problem["request_id"]) == (500, "internal", "find-me")
    assert b"secret" not in sent[1]["body"]
    assert events == [RequestFailed("find-me", error)]


async def test_what_a_503_hides_is_observed() -> None:
    """The administrator learns the cause that the client is not told."""
    cause = OSError("refused")
    away = UnavailableError("database_away", "Try again.", headers={"Retry-After": "1"})
    away.__cause__ = cause
    sent, events = await ask(failing(away), (b"x-request-id", b"id"))

    assert sent[0]["status"] == 503
    assert events == [RequestUnavailable("id", "database_away", cause)]


@pytest.mark.parametrize("is_timed", [True, False])
async def test_the_time_a_request_took_is_sent_where_it_is_asked_for(is_timed: bool) -> None:
    """GATEWAY_SERVER_TIMING."""
    sent, _ = await ask(answering, is_timed=is_timed)
    timings = [value for name, value in sent[0]["headers"] if name == b"server-timing"]

    assert len(timings) == is_timed
    assert all(value.startswith(b"total;dur=") for value in timings)
