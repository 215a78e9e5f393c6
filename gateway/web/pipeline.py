"""The stages every request passes, in order, and the fork behind them.

The order is part of the contract (SPEC section 6): what is too large is refused
first, then who asks is found out, and only then does anything look at the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.observe import Observer
from gateway.rest.url import BASE_PATH
from gateway.security.authenticate import Authenticator
from gateway.settings import Settings
from gateway.web.stages.authenticate import Authenticate
from gateway.web.stages.recorder import Recorder
from gateway.web.stages.shield import Shield

_BASE: Final = BASE_PATH.encode()
PUBLIC_PATHS: Final = ("/healthz", "/readyz", "/api_docs")
"""What answers without a token."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Sends what is below `/api/v1` straight to the resources and the rest through the router of pages.

    Routing a resource by its first bytes spares it the matching of every page's pattern.
    """

    resources: ASGIApp
    pages: Router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "http" and is_below_base(scope["raw_path"]):
            await self.resources(scope, receive, send)
            return
        scope["app"] = self  # with an application in the scope, the router raises its 404 and 405
        await self.pages(scope, receive, send)


def is_below_base(raw_path: bytes) -> bool:
    """Whether a path, as it was sent, is `/api/v1` or below it."""
    return raw_path == _BASE or raw_path.startswith(_BASE + b"/")


def through_stages(app: ASGIApp, settings: Settings, authenticator: Authenticator, observer: Observer) -> ASGIApp:
    """Return an application behind the stages: recorder, shield, authenticate."""
    authenticated = Authenticate(app, authenticator, observer, PUBLIC_PATHS)
    shielded = Shield(authenticated, settings)
    return Recorder(shielded, observer, is_timed=settings.server_timing)
