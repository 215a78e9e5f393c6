"""Stage 4, rate limit: no token is answered more often than its rate allows, on whatever worker or node."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.web.exchange import Exchange, exchange_of
from gateway.web.limiter import Limiter, Line


class RateLimit:
    """Counts each request of a principal against its rate; the answer tells of it, a refusal's too."""

    def __init__(self, app: ASGIApp, limiter: Limiter) -> None:
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)
        exchange.stage = "rate_limit"
        principal = exchange.principal
        if principal is not None:
            rate = principal.policy.rate or self._limiter.default
            if rate is not None:
                # A token and the one that replaces it by rotation are one caller, also while both work.
                line = self._limiter.line(principal.policy.lineage or principal.key, rate)
                if line.take():
                    _tell(exchange, line)
                else:
                    await _wait(exchange, line)
        await self._app(scope, receive, send)


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
