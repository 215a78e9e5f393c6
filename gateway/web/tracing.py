"""OpenTelemetry (GATEWAY_TRACING, extra ``otel``): a span per request, and one per statement inside it.

Where the traces go, the variables of OpenTelemetry say (``OTEL_EXPORTER_OTLP_ENDPOINT`` and others). A
span holds the method, the resource, the operation, the status, the id and the code of the error; of a
statement its verb and table. Starlette's own middleware is not used: its spans hold the query string,
and with it the values that rows are looked for by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import __version__
from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.web.exchange import Exchange, exchange_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE: Final = "perfex-gateway"
CLOSE_S: Final = 2.0
_SYSTEMS: Final = {"mariadb": "mariadb", "mysql": "mysql", "sqlite": "sqlite"}


class Tracing:
    """Makes the spans of one worker."""

    def __init__(self, provider: TracerProvider, exporter: SpanExporter) -> None:
        from opentelemetry import trace  # noqa: PLC0415  # an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415  # as above

        self._trace = trace
        self._provider = provider
        self._exporter = exporter
        self._tracer = provider.get_tracer("gateway", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, scope: Scope) -> Iterator[None]:
        """Be the span of a request, below that of its client where it sent a ``traceparent``."""
        kind, method = self._trace.SpanKind.SERVER, scope["method"]
        with self._tracer.start_as_current_span(method, self._parent_of(scope), kind, record_exception=False) as span:
            try:
                yield
            finally:
                exchange = exchange_of(scope)
                span.update_name(f"{method} {exchange.resource or exchange.stage}")
                span.set_attributes(_attributes(exchange, method))
                if exchange.status >= 500:
                    span.set_status(self._trace.StatusCode.ERROR)

    def statement(self, system: str, verb: str, table: str) -> AbstractContextManager[object]:
        """Return a context that is the span of a statement."""
        attributes = {"db.system.name": _SYSTEMS[system], "db.operation.name": verb, "db.collection.name": table}
        name, kind = f"{verb} {table}".strip(), self._trace.SpanKind.CLIENT
        return self._tracer.start_as_current_span(name, kind=kind, attributes=attributes, record_exception=False)

    def close(self) -> None:
        """Send what has not been sent; a collector that is away is tried for `CLOSE_S`, for which this blocks."""
        giving_up = Timer(CLOSE_S, self._exporter.shutdown)
        giving_up.start()
        self._provider.shutdown()
        giving_up.cancel()

    def _parent_of(self, scope: Scope) -> Any:
        names = (b"traceparent", b"tracestate")
        given = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in names}
        return self._propagator.extract(given) if given else None


class Traced:
    """Makes a span of each request."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with self._tracing.request(scope):
            await self._app(scope, receive, send)


def check_tracing(settings: Settings) -> None:
    """Pass when traces can be made, or none are wanted.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    if not settings.tracing:
        return
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: PLC0415  # an extra
        import opentelemetry.sdk.trace  # noqa: F401, PLC0415  # as above
    except ImportError as error:
        raise ConfigurationError(
            "GATEWAY_TRACING needs the extra otel: install perfex-gateway[otel], or turn the setting off."
        ) from error


def open_tracing(settings: Settings, exporter: SpanExporter | None = None) -> Tracing | None:
    """Return what makes spans, None where the settings want none; they go to ``exporter``, by default over OTLP.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    if not settings.tracing:
        return None
    check_tracing(settings)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # an extra
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above

    named = Resource({SERVICE_NAME: SERVICE, "service.version": __version__}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    exporter = exporter or OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider, exporter)


def _attributes(exchange: Exchange, method: str) -> dict[str, str | int]:
    """What a span says of a request; no path, for it holds the key of a row, and no query."""
    given: dict[str, str | int | None] = {
        "http.request.method": method,
        "http.response.status_code": exchange.status,
        "gateway.request_id": exchange.request_id,
        "gateway.resource": exchange.resource,
        "gateway.operation": exchange.operation,
        "gateway.stage": exchange.stage,
        "error.type": exchange.code,
    }
    return {name: value for name, value in given.items() if value}
