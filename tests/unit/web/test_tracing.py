"""Traces: a span per request below its client's, one per statement below that, and no value in either."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.web.exchange import EXCHANGE, Exchange, exchange_of
from gateway.web.tracing import Traced, Tracing, open_tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def traced(status: int = 200, *headers: tuple[bytes, bytes]) -> list[ReadableSpan]:
    """The spans of one request with one statement."""
    exporter = InMemorySpanExporter()
    tracing = open_tracing(Settings(tracing=True), exporter)
    assert isinstance(tracing, Tracing)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        exchange.stage, exchange.resource, exchange.operation, exchange.status = "handler", "leads", "read", status
        exchange.code = "internal" if status == 500 else ""
        with tracing.statement("mariadb", "SELECT", "tblleads"):
            pass

    async def receive() -> Message:
        raise AssertionError("no body is read here")

    async def send(message: Message) -> None:
        raise AssertionError("nothing is sent here")

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/leads/7",
        "query_string": b"filter[name]=secret",
        "headers": [(b"authorization", b"Bearer secret"), *headers],
        EXCHANGE: Exchange("find-me", 0.0),
    }
    await Traced(app, tracing)(scope, receive, send)
    tracing.close()
    return sorted(exporter.get_finished_spans(), key=lambda span: span.parent is None, reverse=True)


async def test_a_request_is_a_span_with_its_statements_below() -> None:
    """Named by method and resource, as its metrics are."""
    request, statement = await traced()

    assert (request.name, statement.name) == ("GET leads", "SELECT tblleads")
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "gateway.request_id": "find-me",
        "gateway.resource": "leads",
        "gateway.operation": "read",
        "gateway.stage": "handler",
    }
    assert dict(statement.attributes or {}) == {
        "db.system.name": "mariadb",
        "db.operation.name": "SELECT",
        "db.collection.name": "tblleads",
    }
    assert statement.parent is not None
    assert statement.parent.span_id == request.context.span_id
    assert request.resource.attributes["service.name"] == "perfex-gateway"


async def test_a_span_holds_no_value_of_the_request() -> None:
    """Neither path nor query nor header."""
    text = "".join(span.to_json() for span in await traced())

    assert "secret" not in text
    assert "/7" not in text


async def test_a_clients_trace_goes_on() -> None:
    """W3C traceparent."""
    spans = await traced(200, (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode()))

    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    assert f"{PARENT}" in {f"{span.parent.span_id:016x}" for span in spans if span.parent is not None}


async def test_a_failed_request_is_a_failed_span() -> None:
    """With its code; what a client got wrong is no failure of ours."""
    (failed, _), (refused, _) = await traced(500), await traced(404)

    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "internal"
    assert refused.status.status_code is StatusCode.UNSET


def test_without_the_setting_there_is_nothing() -> None:
    """No span, no thread, no import."""
    assert open_tracing(Settings()) is None


def test_a_missing_extra_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name."""
    real = builtins.__import__

    def importing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(ConfigurationError, match=r"perfex-gateway\[otel\]"):
        open_tracing(Settings(tracing=True))
