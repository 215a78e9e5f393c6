"""Stage 4, rate limit: no token is answered more often than its rate allows, on whatever worker or node.

What comes from where the token may not be used, the next stage refuses. It costs the token nothing, for whoever
took one could make it useless to its owner else; it counts as a refused token against the address that it came from.
"""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import UnavailableError
from gateway.security.networks import Allowlists
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.guards import guard_of
from gateway.web.limiter import Limiter, Line
from gateway.web.throttle import Throttle


class RateLimit:
    """Counts each request of a principal against its rate; the answer tells of it, a refusal's too."""

    def __init__(self, app: ASGIApp, limiter: Limiter, allowlists: Allowlists, refusals: Throttle) -> None:
        self._app = app
        self._limiter = limiter
        self._allowlists = allowlists
        self._refusals = refusals

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request, at once where some of the caller's rate is in hand."""
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "rate_limit"
        principal = exchange.principal
        if principal is not None:
            policy = principal.policy
            if (policy.addresses or policy.origins) and self._allowlists.refuse(
                policy, exchange.address, exchange.origin
            ):
                self._refusals.charge(exchange.address)
                return self._app(scope, receive, send)
            rate = policy.rate or self._limiter.default
            if rate is not None:
                # A token and the one that replaces it by rotation are one caller, also while both work.
                line = self._limiter.line(policy.lineage or principal.key, rate)
                if not line.take():
                    return self._serve_late(exchange, line, scope, receive, send)
                _tell(exchange, line)
        return self._app(scope, receive, send)

    async def _serve_late(self, exchange: Exchange, line: Line, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await _wait(exchange, line)
        except UnavailableError:
            if not _is_administration(exchange, scope):
                raise
        await self._app(scope, receive, send)


def _is_administration(exchange: Exchange, scope: Scope) -> bool:
    """Whether an administrator asks for a page of theirs: there they find out why the store does not answer."""
    principal = exchange.principal
    return principal is not None and principal.is_admin and guard_of(scope["path"]) == "admin"


async def _wait(exchange: Exchange, line: Line) -> None:
    """Return when the request may go on.

    Raises:
        ThrottledError: ``rate_exceeded``.
        UnavailableError: ``state_away``.
    """
    try:
        is_let = await line.wait()
    finally:
        _tell(exchange, line)
    if not is_let:
        raise line.refusal()


def _tell(exchange: Exchange, line: Line) -> None:
    headers = line.headers()
    if exchange.answer_headers is None:
        exchange.answer_headers = headers
    else:
        exchange.answer_headers.extend(headers)
