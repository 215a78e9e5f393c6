"""The ASGI application of `/api/v1`.

A statement that fails because a table changed under it is followed by a reload and
one more try on the new catalog; no request before it is disturbed.
"""

from __future__ import annotations

import asyncio
import re
from time import monotonic
from typing import Final

from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError, RequestError, SchemaChangedError
from gateway.query.access import Access
from gateway.rest.body import FORM_TYPE
from gateway.rest.formats import ROW_FORMATS, negotiate
from gateway.rest.paths import GraphQLPath, ListPath, QueryPath, ResourcePath
from gateway.rest.preconditions import NO_PREFERENCES, parse_precondition, parse_prefer
from gateway.web.calls import Answer, Call
from gateway.web.content import check_content
from gateway.web.disconnect import ClientGoneError, ClientWatch
from gateway.web.exchange import Exchange, exchange_of
from gateway.web.exports import Streamed
from gateway.web.graphql.front import GraphQLFront
from gateway.web.handlers import answer, reads_list
from gateway.web.idempotency import KEYED_METHODS, REPLAYED, key_of, keyed_request
from gateway.web.parts import Parts
from gateway.web.replies import send_reply
from gateway.web.service import Service
from gateway.web.stages.shield import BodyLimit, read_body

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LISTS: Final = frozenset({b"if-match", b"if-none-match", b"prefer"})


class ResourceRoutes:
    """Serves every resource of the catalog in place, and hands documents to GraphQL's front."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._graphql = GraphQLFront(parts)
        self._keeper = parts.keeper
        self._accesses = parts.accesses
        self._idempotency = parts.idempotency
        self._turns = parts.turns
        self._deadlines = parts.deadlines
        self._request_limit_s = settings.request_limit_s
        self._max_fields = settings.max_query_parameters
        self._one = BodyLimit(settings.max_body_bytes)
        self._many = BodyLimit(settings.max_body_bytes, settings.max_bulk_body_bytes)
        self._query = BodyLimit(max(settings.max_body_bytes, settings.max_bulk_body_bytes))
        self._body_wait_s = settings.body_wait_s
        self._max_json_depth = settings.max_json_depth
        self._public_url = settings.public_url.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method: str = scope["method"]
        exchange = exchange_of(scope)
        path, service = exchange.path, exchange.service
        if isinstance(path, GraphQLPath):
            await self._graphql(scope, receive, send)
            return
        assert path is not None  # the authorize stage has looked at the path and taken
        assert service is not None  # the catalog in place, once for the whole request
        if not reads_list(path, method):
            negotiate(accept_of(scope), None, None, ROW_FORMATS)
        body = b"" if method in _BODILESS else await self._body(receive, scope, path)
        try:
            async with ClientWatch(receive):
                reply = await self._answer(service, path, scope, body)
                if isinstance(reply, Streamed):
                    await _stream(reply, exchange, scope, send)
                    return
        except ClientGoneError:
            return
        exchange.rows = reply.rows
        exchange.row = exchange.row or reply.row
        exchange.outcome, exchange.keys = reply.outcome, reply.keys
        await send_reply(send, reply.status, reply.body, reply.headers, is_head=method == "HEAD")

    async def _body(self, receive: Receive, scope: Scope, path: ResourcePath) -> bytes:
        """The body; only an array of new rows and a query may have the size of many rows."""
        check_content(scope["headers"])
        lengths = (value for name, value in scope["headers"] if name == b"content-length" and value.isdigit())
        limit = self._one
        if reads_list(path, scope["method"]):
            limit = self._query
        elif scope["method"] == "POST" and isinstance(path, ListPath):
            limit = self._many
        body = await read_body(receive, limit, self._body_wait_s, int(next(lengths, 0)))
        if body.count(b"&") >= self._max_fields and is_form(scope):
            raise RequestError("body_too_large", f"The form has more than {self._max_fields} fields.")
        return body

    async def _answer(self, service: Service, path: ResourcePath, scope: Scope, body: bytes) -> Answer | Streamed:
        is_write = scope["method"] in KEYED_METHODS and not isinstance(path, QueryPath)
        key = key_of(scope["headers"]) if is_write else None
        if key is not None:
            call = self._call(service, scope, body)
            request = keyed_request(call, path, scope["raw_path"], key, exchange_of(scope).request_id)
            if request is not None:
                left_s = self._request_limit_s - (monotonic() - exchange_of(scope).began)
                try:
                    return await self._idempotency.answer(
                        request, lambda: self._whole(service, path, scope, body), left_s
                    )
                except GatewayError as error:
                    if REPLAYED in error.headers:
                        exchange_of(scope).outcome = "replayed"
                    raise
        return await self._run(service, path, scope, body)

    async def _whole(self, service: Service, path: ResourcePath, scope: Scope, body: bytes) -> Answer:
        reply = await self._run(service, path, scope, body)
        assert isinstance(reply, Answer)  # only what reads is streamed
        return reply

    async def _run(self, service: Service, path: ResourcePath, scope: Scope, body: bytes) -> Answer | Streamed:
        try:
            return await answer(self._call(service, scope, body), path)
        except SchemaChangedError:
            await self._keeper.mend(service)
            return await answer(self._call(self._keeper.service(), scope, body), path)

    def _access(self, exchange: Exchange, service: Service) -> Access:
        """The access on a service's catalog, which after a reload in mid-request is another than the stage's."""
        assert exchange.principal is not None
        if exchange.access is not None and exchange.service is service:
            return exchange.access
        return self._accesses.access_of(exchange.principal, service.catalog)

    def _call(self, service: Service, scope: Scope, body: bytes) -> Call:
        exchange = exchange_of(scope)
        access, principal = self._access(exchange, service), exchange.principal
        assert principal is not None
        host, content_type, accept = b"", None, ""
        given: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"accept":
                accept = f"{accept},{value.decode('latin-1')}" if accept else value.decode("latin-1")
            elif name in _LISTS:  # repeated ones are one list (RFC 9110, section 5.3)
                text = value.decode("latin-1")
                given[name] = f"{given[name]}, {text}" if name in given else text
        origin = self._public_url or origin_of("https" if exchange.is_secure else scope["scheme"], host)
        return Call(
            service,
            scope["method"],
            scope["query_string"],
            access,
            principal,
            origin,
            content_type,
            body,
            self._max_json_depth,
            parse_precondition(given.get(b"if-match"), given.get(b"if-none-match")) if given else None,
            parse_prefer(given.get(b"prefer")) if given else NO_PREFERENCES,
            accept,
            self._take_long,
        )

    def _take_long(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # a coroutine that runs is some task's
        self._deadlines.lift(task)
        self._turns.give(task)


def is_form(scope: Scope) -> bool:
    """Whether the body of a request says that it is a form."""
    return any(name == b"content-type" and value.lower().startswith(_FORM) for name, value in scope["headers"])


_FORM: Final = FORM_TYPE.encode()


async def _stream(reply: Streamed, exchange: Exchange, scope: Scope, send: Send) -> None:
    """Send a reply as it is made; what is recorded is how far it came."""
    try:
        await reply.send(send, is_head=scope["method"] == "HEAD", http_version=scope["http_version"])
    finally:
        exchange.rows = reply.rows


_HOST: Final = re.compile(rb"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


def origin_of(scheme: str, host: bytes) -> str:
    """Return what absolute links begin with; nothing for a Host that is none, so that links stay paths.

    Source: RFC 9110, section 7.2.
    """
    return f"{scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""


def accept_of(scope: Scope) -> str:
    """Return the values of all ``Accept`` headers: repeated ones are one list (RFC 9110, section 5.3)."""
    values = [value for name, value in scope["headers"] if name == b"accept"]
    return b",".join(values).decode("latin-1")
