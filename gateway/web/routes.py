"""The ASGI application of `/api/v1`.

A statement that fails because a table changed under it is followed by a reload and
one more try on the new catalog; no request before it is disturbed.
"""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Scope, Send

from gateway.errors import RequestError, SchemaChangedError
from gateway.rest.paths import ResourcePath, parse_path
from gateway.security.access import AccessBook
from gateway.settings import Settings
from gateway.web.disconnect import ClientGoneError, ClientWatch
from gateway.web.handlers import Answer, Call, answer
from gateway.web.keeper import Keeper
from gateway.web.replies import send_reply
from gateway.web.service import Service
from gateway.web.stages.authenticate import PRINCIPAL
from gateway.web.stages.shield import read_body

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class ResourceRoutes:
    """Serves every resource of the catalog in place."""

    def __init__(self, keeper: Keeper, accesses: AccessBook, settings: Settings) -> None:
        self._keeper = keeper
        self._accesses = accesses
        self._max_body_bytes = settings.max_body_bytes
        self._max_json_depth = settings.max_json_depth
        self._public_url = settings.public_url.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        check_accept(scope)
        path = parse_path(scope["raw_path"])
        service = self._keeper.service()
        method: str = scope["method"]
        body = b"" if method in _BODILESS else await read_body(receive, self._max_body_bytes)
        try:
            async with ClientWatch(receive):
                reply = await self._answer(service, path, scope, body)
        except ClientGoneError:
            return
        await send_reply(send, reply.status, reply.body, reply.headers, is_head=method == "HEAD")

    async def _answer(self, service: Service, path: ResourcePath, scope: Scope, body: bytes) -> Answer:
        try:
            return await answer(self._call(service, scope, body), path)
        except SchemaChangedError:
            if not await self._keeper.reload_everywhere("a table changed under a statement"):
                raise
            return await answer(self._call(self._keeper.service(), scope, body), path)

    def _call(self, service: Service, scope: Scope, body: bytes) -> Call:
        principal = scope[PRINCIPAL]
        access = self._accesses.access_of(principal, service.catalog)
        host, content_type = b"localhost", None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"content-type":
                content_type = value.decode("latin-1")
        origin = self._public_url or f"{scope['scheme']}://{host.decode('latin-1')}"
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
        )


def check_accept(scope: Scope) -> None:
    """Pass when the client takes JSON (RFC 9110, section 12.5.1).

    Raises:
        RequestError: ``not_acceptable``.
    """
    for name, value in scope["headers"]:
        if name != b"accept" or not value:
            continue
        if b"*/*" not in value and b"json" not in value and b"application/*" not in value:
            raise RequestError("not_acceptable", "Replies are application/json: accept that, or */*.")
