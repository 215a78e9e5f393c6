"""The ASGI application of `/api/v1`.

A statement that fails because a table changed under it is followed by a reload and
one more try on the new catalog; no request before it is disturbed.
"""

from __future__ import annotations

import re
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
        self._body_wait_s = settings.body_wait_s
        self._max_json_depth = settings.max_json_depth
        self._public_url = settings.public_url.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        check_accept(scope)
        path = parse_path(scope["raw_path"])
        service = self._keeper.service()
        method: str = scope["method"]
        body = b"" if method in _BODILESS else await read_body(receive, self._max_body_bytes, self._body_wait_s)
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
            await self._keeper.mend(service)
            return await answer(self._call(self._keeper.service(), scope, body), path)

    def _call(self, service: Service, scope: Scope, body: bytes) -> Call:
        principal = scope[PRINCIPAL]
        access = self._accesses.access_of(principal, service.catalog)
        host, content_type = b"", None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"content-type":
                content_type = value.decode("latin-1")
        origin = self._public_url or origin_of(scope["scheme"], host)
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


_HOST: Final = re.compile(rb"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


def origin_of(scheme: str, host: bytes) -> str:
    """Return what absolute links begin with; nothing for a Host that is none, so that links stay paths.

    Source: RFC 9110, section 7.2.
    """
    return f"{scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""


def check_accept(scope: Scope) -> None:
    """Pass when the client takes JSON (RFC 9110, section 12.5.1: case does not matter, repeated headers add up).

    Raises:
        RequestError: ``not_acceptable``.
    """
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
    if accepted and not any(word in accepted for word in (b"*/*", b"json", b"application/*")):
        raise RequestError("not_acceptable", "Replies are application/json: accept that, or */*.")
