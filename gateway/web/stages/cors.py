"""Stage 2, cors: a browser's preflight is answered here, without credentials.

It refuses the preflight of a page that may not call, and what a browser sends by itself:
a request from a page of elsewhere that carries a password the browser has kept, whether it
names that page or not. What other answers say of origins, the headers' recorder adds.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import ForbiddenError
from gateway.rest.url import BASE_PATH
from gateway.settings import Settings
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.origins import Origins

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY", "OPTIONS")
REQUEST_HEADERS: Final = (
    "Accept",
    "Authorization",
    "Authtoken",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "traceparent",
    "tracestate",
    "X-API-Key",
    "X-Request-ID",
    "X-Signature",
    "X-Signature-Timestamp",
)
"""Headers of requests that scripts may set."""

_ELSEWHERE: Final = frozenset({b"cross-site", b"same-site"})


class Cors:
    """Answers preflights, and keeps a browser from lending its password to pages of elsewhere."""

    def __init__(self, app: ASGIApp, settings: Settings, origins: Origins) -> None:
        self._app = app
        self._origins = origins
        self._answer = [
            (b"access-control-allow-methods", ", ".join(METHODS).encode()),
            (b"access-control-allow-headers", ", ".join(REQUEST_HEADERS).encode()),
            (b"access-control-max-age", str(settings.cors_max_age_s).encode()),
        ]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request; nothing is done for one that no page sent.

        Raises:
            ForbiddenError: ``origin_forbidden``.
        """
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "cors"
        if exchange.origin:
            return self._of_page(exchange.origin, scope, receive, send)
        if _has_password(scope) and _is_of_elsewhere(scope):
            raise ForbiddenError("origin_forbidden", "Basic authentication is not taken from pages of elsewhere.")
        return self._app(scope, receive, send)

    async def _of_page(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        if is_preflight(scope):
            await self._check(origin)
            await send({"type": "http.response.start", "status": 204, "headers": self._answer.copy()})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._origins.learn(origin)  # so that the headers of a refusal know it
        self._check_password(scope, origin)
        await self._app(scope, receive, send)

    async def _check(self, origin: str) -> None:
        if not await self._origins.allows(origin):
            raise ForbiddenError("origin_forbidden", "Neither the settings nor a token allow calls from this origin.")

    def _check_password(self, scope: Scope, origin: str) -> None:
        """Browsers keep what was typed into their dialog and add it to every form that any page sends here.

        Such a form needs no preflight; therefore an origin must be named here, and `*` names none.
        """
        if _has_password(scope) and not self._origins.has(origin) and not _is_own(scope, origin):
            raise ForbiddenError("origin_forbidden", "Basic authentication is not taken from pages of this origin.")


def is_preflight(scope: Scope) -> bool:
    """Whether a request with an origin is a browser's question before the real one (Fetch, "CORS-preflight fetch")."""
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )


def _has_password(scope: Scope) -> bool:
    return any(name == b"authorization" and value[:6].lower() == b"basic " for name, value in scope["headers"])


def _is_own(scope: Scope, origin: str) -> bool:
    """Whether a page is the gateway's own: it comes from the host that it calls."""
    host = origin.partition("://")[2].encode("latin-1")
    return bool(host) and any(name == b"host" and value.lower() == host for name, value in scope["headers"])


def _is_of_elsewhere(scope: Scope) -> bool:
    """Whether a page of another origin caused a request that names none: a picture, a script, a frame, a form by GET.

    It cannot read the answer, but it could tell by the time how large it was. A link leads to a page for people, who
    then see that they are there, and to no data.

    Source: W3C, "Fetch Metadata Request Headers".
    """
    found = {name: value for name, value in scope["headers"] if name.startswith(b"sec-fetch-")}
    if found.get(b"sec-fetch-site") not in _ELSEWHERE:
        return False
    is_link = found.get(b"sec-fetch-mode") == b"navigate" and found.get(b"sec-fetch-dest") == b"document"
    return not is_link or scope["path"].startswith(f"{BASE_PATH}/")
