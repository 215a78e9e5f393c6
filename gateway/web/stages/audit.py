"""Stage 6, audit: whether the state of the audit store permits going on."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import UnavailableError
from gateway.web.exchange import EXCHANGE, HANDLER, Exchange
from gateway.web.trail import Trail


class Audit:
    """Refuses requests that could not be audited, where the settings want it so; health answers all the same."""

    def __init__(self, app: ASGIApp, trail: Trail, *, is_closed: bool) -> None:
        self._app = app
        self._trail = trail
        self._is_closed = is_closed

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request; what is decided is decided at once."""
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "audit"
        if self._is_closed and exchange.principal is not None and self._is_unrecorded(exchange, scope["method"]):
            raise _audit_away()
        exchange.stage = HANDLER
        return self._app(scope, receive, send)

    def _is_unrecorded(self, exchange: Exchange, method: str) -> bool:
        """Whether the settings want a record of the request, and it might not be stored."""
        return self._trail.is_failing() and self._trail.takes(exchange, method)


def _audit_away() -> UnavailableError:
    return UnavailableError(
        "audit_away",
        "The audit trail cannot be written, and the settings want every request in it; nothing was done.",
        headers={"Retry-After": "2"},
    )
