"""Stage 5, authorize: what the caller may do, as the `Access` that every plan carries.

It refuses what shows before a body is read: an address or an origin that is not the token's, administration
without ``--admin``, a resource that is not there or not granted. Whatever else a plan touches is decided in the plan.
"""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import CredentialError, ForbiddenError
from gateway.rest.paths import parse_path, path_for
from gateway.rest.url import is_below_base
from gateway.security.access import AccessBook
from gateway.security.networks import Allowlists
from gateway.security.principal import Principal
from gateway.web.asked import note_asked
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.guards import Guard, guard_of
from gateway.web.keeper import Keeper


class Authorize:
    """Notes the access, and for paths below `/api/v1` what is asked for on the catalog in place."""

    def __init__(self, app: ASGIApp, keeper: Keeper, accesses: AccessBook, allowlists: Allowlists) -> None:
        self._app = app
        self._keeper = keeper
        self._accesses = accesses
        self._allowlists = allowlists

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request; what is decided is decided at once."""
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "authorize"
        guard = guard_of(scope["path"])
        if guard != "public":
            principal = _principal(exchange)
            check_caller(principal, guard, self._allowlists, exchange)
            if is_below_base(scope["raw_path"]):
                self._address(exchange, principal, scope["raw_path"], scope["method"])
        return self._app(scope, receive, send)

    def _address(self, exchange: Exchange, principal: Principal, raw_path: bytes, method: str) -> None:
        named = parse_path(raw_path)
        service = self._keeper.service()
        access = self._accesses.access_of(principal, service.catalog)
        path = path_for(named, method, service.catalog)
        exchange.service, exchange.access, exchange.path = service, access, path
        note_asked(exchange, service, access, path, method)


def _principal(exchange: Exchange) -> Principal:
    """The caller. No stage before this one let somebody unknown pass; this one does not either."""
    if exchange.principal is None:
        raise CredentialError("token_missing", "The request carries no token.")
    return exchange.principal


def check_caller(principal: Principal, guard: Guard, allowlists: Allowlists, exchange: Exchange) -> None:
    """Pass a caller from where its token may be used, to what its token is for.

    Raises:
        ForbiddenError: ``address_forbidden``, ``origin_forbidden``, ``grant_missing``.
    """
    policy = principal.policy
    if policy.addresses or policy.origins:
        allowlists.check(policy, exchange.address, exchange.origin)
    if guard == "admin" and not principal.is_admin:
        raise ForbiddenError("grant_missing", "The token lacks --admin.")
