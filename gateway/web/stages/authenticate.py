"""The stage that finds out who asks; nothing behind it answers without a token."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import CredentialError
from gateway.observe import Observer, TokenRefused
from gateway.security.authenticate import Authenticator
from gateway.web.stages.recorder import REQUEST_ID

PRINCIPAL: Final = "gateway.principal"


class Authenticate:
    """Puts the principal into the scope, but for the public paths."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, observer: Observer, public: tuple[str, ...]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._observer = observer
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._is_public(scope["path"]):
            try:
                scope[PRINCIPAL] = await self._authenticator.principal_of(scope["headers"])
            except CredentialError as error:
                self._observer(TokenRefused(scope[REQUEST_ID], error.code))
                raise
        await self._app(scope, receive, send)

    def _is_public(self, path: str) -> bool:
        return any(path == public or path.startswith(public + "/") for public in self._public)
