"""Stage 6, audit: whether the state of the audit store permits going on."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings
from gateway.web.exchange import HANDLER, exchange_of


class Audit:
    """Refuses requests that could not be audited, where the settings want it so."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)
        exchange.stage = "audit"
        exchange.stage = HANDLER
        await self._app(scope, receive, send)
