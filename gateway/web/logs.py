"""Events -> JSON lines on standard error. Which events exist, `observe` says.

Every line that is written while a request is served carries the request's id, and the trace id that its
client sent (``traceparent``), whoever wrote it; and no line shows a token.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.types import Scope

from gateway.observe import (
    AuditFound,
    AuditLost,
    CatalogKept,
    CatalogLoaded,
    ClaimNotEnded,
    CountEstimated,
    DatabaseFound,
    DatabaseLost,
    Event,
    KeysNotRead,
    NameLeftOut,
    Observer,
    PolicyUnmet,
    QueryNotExplained,
    QueryRefused,
    RateStoreFound,
    RateStoreLost,
    ReadRetried,
    RequestFailed,
    RequestUnavailable,
    StateFound,
    StateLost,
    StatementTimedOut,
    TokenRefused,
)
from gateway.web.exchange import Exchange, exchange_of
from gateway.web.redaction import without_tokens

LOGGER: Final = "gateway"
ACCESS_LOGGER: Final = "gateway.access"

SERVED: Final[ContextVar[Sequence[Scope]]] = ContextVar("gateway_served", default=())
"""The request that is being served here, if any; it is looked at by lines alone, so that setting it is all it costs.

Whoever sets a list empties it when the request has ended: background tasks that the request began, a pool's timer
among them, go on in a copy of its context, and would keep it, and its id on their lines, for ever.
"""

_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

_LEVELS: Final[dict[type[Any], int]] = {
    CatalogLoaded: logging.INFO,
    CatalogKept: logging.ERROR,
    NameLeftOut: logging.ERROR,
    DatabaseLost: logging.ERROR,
    DatabaseFound: logging.WARNING,
    ReadRetried: logging.INFO,
    StatementTimedOut: logging.INFO,
    CountEstimated: logging.DEBUG,
    QueryRefused: logging.INFO,
    QueryNotExplained: logging.WARNING,
    ClaimNotEnded: logging.ERROR,
    StateLost: logging.ERROR,
    StateFound: logging.WARNING,
    RateStoreLost: logging.ERROR,
    RateStoreFound: logging.WARNING,
    RequestFailed: logging.ERROR,
    RequestUnavailable: logging.INFO,
    TokenRefused: logging.INFO,
    AuditLost: logging.ERROR,
    AuditFound: logging.WARNING,
    PolicyUnmet: logging.WARNING,
    KeysNotRead: logging.ERROR,
}


class JsonLines(logging.Formatter):
    """Formats every record, ours and the server's, as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(_request_fields())
        line.update(getattr(record, "event_fields", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_tokens(orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def configure_logging(level: str) -> None:
    """Send every log line of the process, as JSON, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):  # its access log stays off: one line per request costs too much
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def log_observer() -> Observer:
    """Return the observer that logs each event at its level."""
    logger = logging.getLogger(LOGGER)

    def observe(event: Event) -> None:
        level = _LEVELS[type(event)]
        if logger.isEnabledFor(level):
            logger.log(level, type(event).__name__, extra={"event_fields": _fields_of(event)})

    return observe


def log_request(exchange: Exchange, method: str, path: str, seconds: float) -> None:
    """Write the line of one answered request (GATEWAY_ACCESS_LOG)."""
    principal = exchange.principal
    values = {
        "principal": None if principal is None else principal.name,
        "address": exchange.address,
        "method": method,
        "path": path,
        "resource": exchange.resource or None,
        "operation": exchange.operation,
        "status": exchange.status,
        "code": exchange.code or None,
        "stage": exchange.stage,
        "duration_ms": round(seconds * 1000, 3),
    }
    logging.getLogger(ACCESS_LOGGER).info("request", extra={"event_fields": values})


def trace_id_of(scope: Scope) -> str | None:
    """Return the trace id that a client sent, None where it sent none, or no valid one.

    Source: W3C Trace Context, section 3.2.2.
    """
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found = _TRACEPARENT.fullmatch(value)
            return found[1].decode() if found and found[1] != b"0" * 32 and value[:2] != b"ff" else None
    return None


def _request_fields() -> dict[str, str]:
    served = SERVED.get()
    if not served:
        return {}
    scope = served[0]
    trace_id = trace_id_of(scope)
    found = {"request_id": exchange_of(scope).request_id}
    return found if trace_id is None else {**found, "trace_id": trace_id}


def _fields_of(event: Event) -> dict[str, Any]:
    values = {item.name: getattr(event, item.name) for item in fields(event)}
    error = values.get("error")
    if isinstance(error, BaseException):
        values["error"] = "".join(traceback.format_exception(error))
    return values
