"""Stage 3, authenticate: finds out who asks; nothing behind it answers without a token."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import CredentialError
from gateway.observe import Observer, TokenRefused
from gateway.security.authenticate import Authenticator
from gateway.web.exchange import exchange_of
from gateway.web.guards import guard_of


class Authenticate:
    """Notes the principal, but for the public paths."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, observer: Observer) -> None:
        self._app = app
        self._authenticator = authenticator
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)
        exchange.stage = "authenticate"
        if guard_of(scope["path"]) != "public":
            try:
                exchange.principal = await self._authenticator.principal_of(scope["headers"])
            except CredentialError as error:
                self._observer(TokenRefused(exchange.request_id, error.code))
                raise
        await self._app(scope, receive, send)
