"""What a request may look like, how large its body, how long it may take, and what of its form is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError, RequestError, UnavailableError
from gateway.execution.failures import CommitCutError
from gateway.security.rates import Rate
from gateway.settings import Settings
from gateway.web.deadlines import Deadlines
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.stages.shield import HEALTH_PATHS, REFUSAL, BodyLimit, Shield, read_body
from gateway.web.throttle import Throttle
from gateway.web.turns import Turns

ONE = BodyLimit(10)
MANY = BodyLimit(10, rows=30)


def read(limit: BodyLimit, chunks: Sequence[bytes], declared: int = 0) -> tuple[bytes | None, int]:
    """Return the body, None for one that is refused, and how many pieces were left unread."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    try:
        return asyncio.run(read_body(receive, limit, 5.0, declared)), len(left)
    except RequestError as error:
        return (None if error.code == "body_too_large" else b"refused otherwise"), len(left)


@pytest.mark.parametrize("limit", [ONE, MANY])
def test_a_body_within_the_limit_is_read_whole(limit: BodyLimit) -> None:
    """Whatever it is."""
    assert read(limit, [b'{"a"', b": 123}"[:6]]) == (b'{"a": 123}', 0)
    assert read(limit, [b"[1, 2, 3]"]) == (b"[1, 2, 3]", 0)
    assert read(limit, [b""]) == (b"", 0)


def test_only_an_array_may_have_the_size_of_many() -> None:
    """And only where one is taken; blanks and a byte order mark may stand before it."""
    assert read(MANY, [b"[", b"1" * 28, b"]"]) == (b"[" + b"1" * 28 + b"]", 0)
    assert read(MANY, [b"\xef\xbb\xbf \n", b"  [", b"1" * 20]) == (b"\xef\xbb\xbf \n  [" + b"1" * 20, 0)
    assert read(MANY, [b"[" * 31]) == (None, 0)
    assert read(ONE, [b"[", b"1" * 10, b"]"]) == (None, 1)
    assert read(MANY, [b"{", b"1" * 10, b"}"]) == (None, 1)


def test_a_length_that_is_announced_is_refused_at_the_first_sign() -> None:
    """Before the rest arrives."""
    assert read(MANY, [b"{", b"more"], declared=20) == (None, 1)
    assert read(MANY, [b"[", b"more]"], declared=20) == (b"[more]", 0)


def test_blanks_alone_are_not_read_for_ever() -> None:
    """They could still become an array, but nobody writes so many."""
    assert read(MANY, [b" " * 6, b" " * 6, b"["]) == (None, 1)


# The stage


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})


def shield(app: ASGIApp = inside, rate: Rate | None = None, turns: Turns | None = None, **settings: Any) -> Shield:
    chosen = Settings(**settings)
    return Shield(app, chosen, Throttle(rate), turns or Turns(4, 4, 1.0), Deadlines(chosen.request_limit_s))


def scope_of(
    path: str = "/api/v1/invoices",
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    query: bytes = b"",
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", b"gateway.test"), *headers],
        EXCHANGE: Exchange("id", 0.0, address="192.0.2.1"),
    }


async def outcome(stage: Shield, scope: Scope) -> str:
    """Return the code of a refusal, "passed" when there was none."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await stage(scope, receive, send)
    except GatewayError as error:
        assert scope[EXCHANGE].stage == "shield"
        assert not sent
        return error.code
    return "passed"


LENGTH = (b"content-length", b"5")
CHUNKED = (b"transfer-encoding", b"chunked")


@pytest.mark.parametrize(
    ("scope", "due"),
    [
        (scope_of(), "passed"),
        (scope_of("/api/v1/clients/M%C3%BCller"), "passed"),
        (scope_of(method="TRACE"), "method_not_allowed"),
        (scope_of(method="get"), "method_not_allowed"),
        (scope_of("/api/v1/" + "a" * 300), "uri_too_long"),
        (scope_of(query=b"a" * 300), "uri_too_long"),
        (scope_of(query=b"a=1&" * 20), "query_too_large"),
        (scope_of(query=b"a=1&" * 8), "passed"),
        (scope_of("/api/v1/a%00b"), "path_invalid"),
        (scope_of("/api/v1/%ff"), "path_invalid"),
        (scope_of("/api/v1/%C0%AE"), "path_invalid"),
        (scope_of("/x", *[(b"a", b"b")] * 10), "headers_too_large"),
        (scope_of("/x", (b"a", b"b" * 1_100)), "headers_too_large"),
        (scope_of("/x", (b"host", b"other.test")), "header_invalid"),
        (scope_of("/x", LENGTH, method="POST"), "passed"),
        (scope_of("/x", LENGTH, LENGTH, method="POST"), "header_invalid"),
        (scope_of("/x", LENGTH, (b"content-length", b"6"), method="POST"), "header_invalid"),
        (scope_of("/x", LENGTH, CHUNKED, method="POST"), "header_invalid"),
        (scope_of("/x", CHUNKED, method="POST"), "passed"),
        (scope_of("/x", CHUNKED, CHUNKED, method="POST"), "header_invalid"),
        (scope_of("/x", (b"transfer-encoding", b"gzip, chunked"), method="POST"), "header_invalid"),
        (scope_of("/x", (b"content-length", b"-1"), method="POST"), "header_invalid"),
        (scope_of("/x", (b"content-length", b"5, 5"), method="POST"), "header_invalid"),
        (scope_of("/x", (b"content-length", b"9" * 30), method="POST"), "header_invalid"),
        (scope_of("/x", (b"content-length", "\u0665".encode()), method="POST"), "header_invalid"),
        (scope_of("/x", (b"content-length", b"3000"), method="PUT"), "body_too_large"),
        (scope_of("/x", (b"content-length", b"3000"), method="POST"), "passed"),
        (scope_of("/x", (b"content-length", b"5000"), method="POST"), "body_too_large"),
        ({**scope_of(), REFUSAL: RequestError("request_syntax", "No request.")}, "request_syntax"),
    ],
)
async def test_a_request_of_an_impossible_form_is_refused(scope: Scope, due: str) -> None:
    """Before anybody asks who sent it."""
    limits: dict[str, Any] = {
        "max_url_bytes": 256,
        "max_query_parameters": 10,
        "max_headers": 10,
        "max_header_bytes": 1_024,
        "max_body_bytes": 2_048,
        "max_bulk_body_bytes": 4_096,
    }

    assert await outcome(shield(**limits), scope) == due


async def test_an_address_that_comes_too_often_is_told_when_to_come_back() -> None:
    """Before anything is looked at, and other addresses are not slowed."""
    stage = shield(rate=Rate(2, 60))

    assert [await outcome(stage, scope_of()) for _ in range(3)] == ["passed", "passed", "address_throttled"]
    assert [await outcome(stage, scope_of(path)) for path in HEALTH_PATHS] == ["passed", "passed"], "health"
    with pytest.raises(GatewayError) as caught:
        await stage(scope_of(), nobody, nobody)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "30")
    other = scope_of()
    other[EXCHANGE].address = "192.0.2.2"
    assert await outcome(stage, other) == "passed"


async def nobody(*_: object) -> Any:
    raise AssertionError("not asked for")


async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(30)


async def committing(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError as error:
        raise CommitCutError from error


async def test_a_request_over_its_time_is_answered() -> None:
    """504: nothing was changed, or 503: a commit was under way and nobody knows."""
    assert await outcome(shield(waiting, request_limit_s=0.1), scope_of()) == "request_timeout"
    assert await outcome(shield(committing, request_limit_s=0.1), scope_of()) == "outcome_unknown"


async def test_a_request_that_was_ended_in_the_middle_says_what_it_knows() -> None:
    """Of several writes some were done, and which ones only their handler can tell."""

    async def writing(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError as error:
            raise CommitCutError(UnavailableError("outcome_unknown", "Two of three were done.")) from error

    with pytest.raises(UnavailableError, match=r"Two of three were done\."):
        await shield(writing, request_limit_s=0.1)(scope_of(), nobody, nobody)


async def test_the_time_in_line_counts() -> None:
    """And whoever is cut in line leaves no turn behind."""
    turns = Turns(1, 4, 30.0)
    stage = shield(waiting, turns=turns, request_limit_s=0.1)
    ended = await asyncio.gather(*(asyncio.create_task(outcome(stage, scope_of())) for _ in range(3)))

    assert set(ended) <= {"request_timeout"}
    assert (turns.running, turns.waiting) == (0, 0)


async def test_health_is_told_however_busy_the_worker_is() -> None:
    """A balancer that got 503 for want of a turn would take the worker out, and then the others."""
    turns = Turns(1, 0, 1.0)
    busy = asyncio.create_task(outcome(shield(waiting, turns=turns, request_limit_s=0.3), scope_of()))
    await asyncio.sleep(0.01)

    assert await outcome(shield(turns=turns), scope_of()) == "overloaded"
    assert await outcome(shield(turns=turns), scope_of("/healthz")) == "passed"
    assert await outcome(shield(turns=turns), scope_of("/readyz")) == "passed"
    assert await busy == "request_timeout"


@pytest.mark.parametrize("more", [(), ((b"content-length", b"2"),)])
@pytest.mark.parametrize(("version", "due"), [("1.1", "header_invalid"), ("1.0", "passed")])
async def test_a_request_of_http_1_1_names_its_host(version: str, due: str, more: tuple[Any, ...]) -> None:
    """RFC 9112, section 3.2; before, there was none."""
    scope = scope_of(method="POST")
    scope.update(headers=list(more), http_version=version)

    assert await outcome(shield(), scope) == due
