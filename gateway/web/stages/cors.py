"""Stage 2, cors: a browser's preflight is answered here, without credentials."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings
from gateway.web.exchange import exchange_of


class Cors:
    """Answers preflights; what other answers say of origins, the headers' recorder adds."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange_of(scope).stage = "cors"
        await self._app(scope, receive, send)
