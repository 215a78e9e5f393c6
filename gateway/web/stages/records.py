"""The second recorder: every failure becomes its problem document, and every answer leaves its record.

It stands inside the headers and outside the six stages, so that a refusal is recorded like an answer.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError, InternalError, MethodError, NotFoundError, RequestError
from gateway.observe import Observer, RequestFailed, RequestUnavailable
from gateway.web.exchange import exchange_of
from gateway.web.replies import send_problem


class Records:
    """Answers failures, and notes how each request ended."""

    def __init__(self, app: ASGIApp, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            failure = self._failure(error, exchange.request_id)
            exchange.code = failure.code
            if exchange.status:  # the answer has begun, and can only break off
                raise
            is_head = scope["method"] == "HEAD"
            await send_problem(noting, failure, scope["path"], exchange.request_id, is_head=is_head)

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
