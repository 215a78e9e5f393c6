"""The second recorder: every failure becomes its problem document, and every answer leaves its record.

It stands inside the headers and outside the six stages, so that a refusal is recorded like an answer:
in the audit trail, in the metrics and, where the settings want it, as a line of the log.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import monotonic
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError, InternalError, MethodError, NotFoundError, RequestError
from gateway.observe import Observer, RequestFailed, RequestUnavailable
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.logs import SERVED, log_request
from gateway.web.replies import send_problem
from gateway.web.tally import Tally
from gateway.web.trail import Trail

CLIENT_GONE: Final = 499
"""The status in records of a request whose client went away before there was an answer."""


class Records:
    """Answers failures, and notes how each request ended."""

    def __init__(
        self, app: ASGIApp, observer: Observer, trail: Trail, tally: Tally, *, is_logged: bool = False
    ) -> None:
        self._app = app
        self._observer = observer
        self._trail = trail
        self._tally = tally
        self._is_logged = is_logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange: Exchange = scope[EXCHANGE]
        served = [scope]
        SERVED.set(served)
        self._tally.running += 1

        def noting(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            return send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            failure = self._failure(error, exchange.request_id)
            exchange.code = failure.code
            if exchange.status:  # the answer has begun, and can only break off
                raise
            is_head = scope["method"] == "HEAD"
            await send_problem(noting, failure, scope["path"], exchange.request_id, is_head=is_head)
        finally:
            self._record(exchange, scope)
        served.clear()  # but for what is raised on: the server logs that, and its line has the id too

    def _record(self, exchange: Exchange, scope: Scope) -> None:
        self._tally.running -= 1
        if not exchange.status:
            exchange.status, exchange.code = CLIENT_GONE, exchange.code or "client_gone"
        seconds = monotonic() - exchange.began
        self._tally.note(exchange, seconds)
        self._trail.note(exchange, scope["method"], scope["path"], seconds)
        if self._is_logged:
            log_request(exchange, scope["method"], scope["path"], seconds)

    def _failure(self, error: Exception, request_id: str) -> GatewayError:
        if isinstance(error, GatewayError):
            self._note(error, request_id)
            return error
        if isinstance(error, HTTPException):
            return routing_error(error)
        self._observer(RequestFailed(request_id, error))
        return InternalError("internal", "The gateway made a mistake; the request id finds it in the log.")

    def _note(self, error: GatewayError, request_id: str) -> None:
        """Tell the administrator what the client is not told."""
        if error.status == 500:
            self._observer(RequestFailed(request_id, error))
        elif error.status == 503 and error.__cause__ is not None:
            self._observer(RequestUnavailable(request_id, error.code, error.__cause__))


def routing_error(error: HTTPException) -> GatewayError:
    """Return the gateway's own form of an error that routing raised."""
    if error.status_code == 405:
        return MethodError("method_not_allowed", "The path does not take this method.", headers=error.headers)
    if error.status_code == 404:
        return NotFoundError("route_unknown", "Nothing is served at this path.")
    return RequestError("path_invalid", "The request cannot be routed.")
