"""Events -> JSON lines on standard error. Which events exist, `observe` says."""

from __future__ import annotations

import logging
import sys
import traceback
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from gateway.observe import (
    CatalogKept,
    CatalogLoaded,
    ClaimNotEnded,
    CountEstimated,
    DatabaseFound,
    DatabaseLost,
    Event,
    NameLeftOut,
    Observer,
    QueryNotExplained,
    QueryRefused,
    ReadRetried,
    RequestFailed,
    RequestUnavailable,
    StatementTimedOut,
    TokenRefused,
)

LOGGER: Final = "gateway"

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
    RequestFailed: logging.ERROR,
    RequestUnavailable: logging.INFO,
    TokenRefused: logging.INFO,
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
        line.update(getattr(record, "event_fields", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


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


def _fields_of(event: Event) -> dict[str, Any]:
    values = {item.name: getattr(event, item.name) for item in fields(event)}
    error = values.get("error")
    if isinstance(error, BaseException):
        values["error"] = "".join(traceback.format_exception(error))
    return values
