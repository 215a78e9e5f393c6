"""Log lines: JSON, with the id of the request they belong to, and without secrets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from gateway.observe import DatabaseLost, TokenRefused
from gateway.security.tokens import new_token
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.logs import SERVED, JsonLines, log_observer, trace_id_of
from gateway.web.redaction import without_tokens

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()


def line_of(message: str = "x", *arguments: object, **fields: Any) -> dict[str, Any]:
    """The line of one record, as JSON."""
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, message, arguments, None)
    record.event_fields = fields
    text = JsonLines().format(record)
    assert "\n" not in text
    loaded: dict[str, Any] = orjson.loads(text)
    return loaded


@pytest.fixture
def request_scope() -> Iterator[dict[str, Any]]:
    scope = {"type": "http", "headers": [(b"traceparent", PARENT)], EXCHANGE: Exchange("find-me", 0.0)}
    token = SERVED.set([scope])
    yield scope
    SERVED.reset(token)


def test_a_line_outside_of_requests_has_no_id() -> None:
    """And is whole all the same."""
    line = line_of("%s is away", "it", seconds=3)

    assert (line["level"], line["logger"], line["message"], line["seconds"]) == (
        "warning",
        "some.library",
        "it is away",
        3,
    )
    assert "request_id" not in line


def test_every_line_of_a_request_has_its_id_and_trace(request_scope: dict[str, Any]) -> None:
    """Whoever writes it, a library among them."""
    line = line_of()

    assert (line["request_id"], line["trace_id"]) == ("find-me", TRACE)


async def test_lines_of_threads_that_a_request_waits_for_have_them_too() -> None:
    """A context goes along."""
    # Set here, as a fixture's context need not be the one that a test's coroutine runs in.
    before = SERVED.set([{"type": "http", "headers": [], EXCHANGE: Exchange("find-me", 0.0)}])
    line = await asyncio.to_thread(line_of)
    SERVED.reset(before)

    assert line["request_id"] == "find-me"


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"nonsense",
        PARENT[:-1],
        PARENT.upper(),
        b"ff" + PARENT[2:],
        PARENT.replace(TRACE.encode(), b"0" * 32),
        PARENT + b"\nx",
    ],
)
def test_a_traceparent_that_is_none_is_left_out(given: bytes) -> None:
    """It is a client's text: only 32 hexadecimal digits of it get into a log."""
    assert trace_id_of({"headers": [(b"traceparent", given)]}) is None


def test_no_line_shows_a_token(request_scope: dict[str, Any]) -> None:
    """In the message, in a field, in what a library was handed, in an id that a client chose."""
    token = new_token().text
    request_scope[EXCHANGE] = Exchange(token, 0.0)
    line = orjson.dumps(line_of("refused %r", token.encode(), headers=[["authorization", f"Bearer {token}"]])).decode()

    assert token not in line
    assert token[12:] not in line
    assert token[:12] in line, "its beginning says which token it was, as `gateway token list` shows it"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gws_" + "aB3_-" * 9, "gws_…"),
        ("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "Bearer eyJ…"),
        ("mysql://app:s3cr%40t@db.example/crm", "mysql://app:…@db.example/crm"),
        ("https://example.com:8443/a@b", "https://example.com:8443/a@b"),
        ("a mail to x@example.com", "a mail to x@example.com"),
        ("gw_live_", "gw_live_"),
        ("gwen", "gwen"),
    ],
)
def test_what_looks_like_a_secret_is_cut(text: str, shown: str) -> None:
    """Signing secrets, JWTs and passwords in URLs; other text stays."""
    assert without_tokens(text) == shown


def test_an_error_of_an_event_is_logged_with_its_traceback_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """A driver may put anything into its messages."""
    token = new_token().text
    with caplog.at_level(logging.INFO, "gateway"):
        log_observer()(DatabaseLost(f"mysql://app:hush@db said {token}"))
        log_observer()(TokenRefused("id", "token_invalid"))
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "gateway"]

    assert [orjson.loads(line)["message"] for line in lines] == ["DatabaseLost", "TokenRefused"]
    assert "hush" not in lines[0]
    assert token not in lines[0]
