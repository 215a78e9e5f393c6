"""The second recorder: errors in one form, what of them the log is told, and a record of every answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ForbiddenError, UnavailableError
from gateway.observe import Event, RequestFailed, RequestUnavailable
from gateway.state.audit import AuditRecord, AuditStore
from gateway.web.exchange import EXCHANGE, Exchange, exchange_of
from gateway.web.logs import SERVED, JsonLines
from gateway.web.stages.records import CLIENT_GONE, Records
from gateway.web.tally import Tally
from gateway.web.trail import Trail, TrailLimits


class World:
    """A recorder around an application, and everything that it leaves."""

    def __init__(self, app: ASGIApp, *, is_logged: bool = False) -> None:
        self.sent: list[Message] = []
        self.events: list[Event] = []
        self.kept: list[AuditRecord] = []
        self.tally = Tally()
        self.trail = Trail(cast("AuditStore", self), TrailLimits(), self.events.append)
        self.records = Records(app, self.events.append, self.trail, self.tally, is_logged=is_logged)
        self.exchange = Exchange("find-me", 0.0, "headers")

    def append(self, records: list[AuditRecord]) -> None:
        self.kept += records

    async def ask(self, method: str = "GET") -> None:
        async def send(message: Message) -> None:
            self.sent.append(message)

        async def receive() -> Message:
            raise AssertionError("no body is read here")

        headers = [(b"traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")]
        scope = {"type": "http", "method": method, "path": "/x", "headers": headers, EXCHANGE: self.exchange}
        try:
            await self.records(scope, receive, send)
        finally:
            SERVED.set(())
            await self.trail.stop()

    @property
    def counted(self) -> dict[tuple[str, ...], Any]:
        return {(name, *labels): value for name, labels, value in self.tally.samples()}


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    exchange = exchange_of(scope)
    exchange.stage, exchange.resource, exchange.operation, exchange.row = "handler", "leads", "read", "7"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def failing(error: BaseException) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).stage = "authorize"
        raise error

    return app


async def test_an_error_nobody_foresaw_is_told_to_the_log_alone() -> None:
    """The client gets 500 and the id that finds it."""
    error = RuntimeError("secret detail")
    world = World(failing(error))
    await world.ask()
    problem = orjson.loads(world.sent[1]["body"])

    assert (world.sent[0]["status"], problem["code"], problem["request_id"]) == (500, "internal", "find-me")
    assert b"secret" not in world.sent[1]["body"]
    assert world.events == [RequestFailed("find-me", error)]


async def test_what_a_503_hides_is_observed() -> None:
    """The administrator learns the cause that the client is not told."""
    cause = OSError("refused")
    away = UnavailableError("database_away", "Try again.", headers={"Retry-After": "1"})
    away.__cause__ = cause
    world = World(failing(away))
    await world.ask()

    assert world.sent[0]["status"] == 503
    assert world.events == [RequestUnavailable("find-me", "database_away", cause)]


async def test_an_answer_leaves_its_record_and_its_counts() -> None:
    """What the stages found out, read from the exchange."""
    world = World(answering)
    await world.ask()

    (record,) = world.kept
    assert (record.request_id, record.resource, record.row_key, record.status) == ("find-me", "leads", "7", 200)
    assert world.counted["gateway_requests", "leads", "read", "200"] == 1
    assert world.counted[("gateway_requests_in_flight",)] == 0


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ForbiddenError("grant_missing", "No."), 403, "grant_missing"),
        (HTTPException(404), 404, "route_unknown"),
        (HTTPException(405), 405, "method_not_allowed"),
        (RuntimeError(), 500, "internal"),
    ],
)
async def test_a_refusal_leaves_a_record_like_an_answer(error: Exception, status: int, code: str) -> None:
    """With the stage that refused, and the code."""
    world = World(failing(error))
    await world.ask()

    (record,) = world.kept
    assert (record.status, record.code, record.stage) == (status, code, "authorize")
    assert world.counted["gateway_refusals", "authorize", code] == 1


async def test_a_client_that_went_away_leaves_a_record_too() -> None:
    """There was no answer; the request may have done something all the same."""

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).stage = "handler"

    world = World(silent)
    world.exchange.operation = "update"
    await world.ask("PATCH")

    assert [(record.status, record.code) for record in world.kept] == [(CLIENT_GONE, "client_gone")]


async def test_a_request_that_is_cancelled_is_not_in_flight_for_ever() -> None:
    """Whoever cancels it; its record is left."""
    world = World(failing(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        await world.ask()

    assert world.counted[("gateway_requests_in_flight",)] == 0
    assert [record.code for record in world.kept] == ["client_gone"]


async def test_an_answer_that_breaks_off_is_recorded_with_what_broke_it() -> None:
    """Its status was sent long before."""

    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise UnavailableError("database_away", "Gone.")

    world = World(breaking)
    with pytest.raises(UnavailableError):
        await world.ask()

    assert [message["type"] for message in world.sent] == ["http.response.start"]
    assert world.counted["gateway_refusals", "headers", "database_away"] == 1


async def test_what_goes_on_after_a_request_does_not_carry_its_id() -> None:
    """A background task that it began, such as a pool's, keeps neither its lines nor its memory."""
    lines: list[Any] = []
    ended = asyncio.Event()
    tasks = []

    async def background() -> None:
        record = logging.LogRecord("x", logging.INFO, __file__, 1, "x", (), None)
        lines.append(orjson.loads(JsonLines().format(record)))
        await ended.wait()
        lines.append(orjson.loads(JsonLines().format(record)))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)
        await answering(scope, receive, send)

    await World(app).ask()
    ended.set()
    await asyncio.gather(*tasks)

    assert [line.get("request_id") for line in lines] == ["find-me", None]


@pytest.mark.parametrize("is_logged", [True, False])
async def test_a_line_per_request_is_a_setting(is_logged: bool, caplog: pytest.LogCaptureFixture) -> None:
    """GATEWAY_ACCESS_LOG; the line has no query string."""
    world = World(answering, is_logged=is_logged)
    with caplog.at_level(logging.INFO, "gateway.access"):
        await world.ask()
    lines = [cast("Any", record).event_fields for record in caplog.records if record.name == "gateway.access"]

    assert len(lines) == is_logged
    assert all((line["path"], line["resource"], line["status"]) == ("/x", "leads", 200) for line in lines)
