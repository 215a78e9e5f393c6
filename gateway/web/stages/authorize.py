"""Stage 5, authorize: what the caller may do, as the `Access` that every plan carries.

It refuses what the path alone shows: administration without ``--admin``, a resource that
is not there or not granted. Whatever else a plan touches is decided in the plan.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import CredentialError, ForbiddenError
from gateway.rest.paths import parse_path, path_for
from gateway.rest.url import is_below_base
from gateway.security.access import AccessBook
from gateway.web.exchange import Exchange, exchange_of
from gateway.web.guards import guard_of
from gateway.web.keeper import Keeper


class Authorize:
    """Notes the access, and for paths below `/api/v1` what they address on the catalog in place."""

    def __init__(self, app: ASGIApp, keeper: Keeper, accesses: AccessBook) -> None:
        self._app = app
        self._keeper = keeper
        self._accesses = accesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)
        exchange.stage = "authorize"
        guard = guard_of(scope["path"])
        if guard != "public":
            self._check(exchange, guard == "admin")
        if is_below_base(scope["raw_path"]):
            self._address(exchange, scope["raw_path"], scope["method"])
        await self._app(scope, receive, send)

    def _check(self, exchange: Exchange, needs_admin: bool) -> None:
        if exchange.principal is None:  # no stage before this one let somebody unknown pass; this one does not either
            raise CredentialError("token_missing", "The request carries no token.")
        if needs_admin and not exchange.principal.is_admin:
            raise ForbiddenError("grant_missing", "The token lacks --admin.")

    def _address(self, exchange: Exchange, raw_path: bytes, method: str) -> None:
        named = parse_path(raw_path)
        assert exchange.principal is not None
        service = self._keeper.service()
        exchange.service = service
        exchange.access = self._accesses.access_of(exchange.principal, service.catalog)
        exchange.path = path_for(named, method, service.catalog)
