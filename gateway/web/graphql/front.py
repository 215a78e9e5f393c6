"""The door of `/api/v1/graphql`: behind it is what needs the GraphQL library, loaded with the first request.

The library takes 15 MB, which a worker that serves REST alone does not spend. Nothing else in this package
may be imported by what is imported at start.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Final, cast

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import MethodError
from gateway.graphql.persisted import PersistedQueries
from gateway.web.parts import Parts
from gateway.web.replies import send_reply

METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
MEDIA: Final = "application/json"
"""What a body must be."""

_ALLOW: Final = {"Allow": ", ".join(METHODS), "Accept-Post": MEDIA}
_ROUTE: Final = "gateway.web.graphql.route"


class GraphQLFront:
    """Serves documents; the first request that may hold one waits until the rest is loaded, in a thread."""

    def __init__(self, parts: Parts) -> None:
        """Keep what is needed later; the file of persisted documents is read now.

        Raises:
            ConfigurationError: that file cannot be used.
        """
        self._parts = parts
        self._persisted = PersistedQueries.of(parts.settings)
        self._route: ASGIApp | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            MethodError: ``method_not_allowed``.
        """
        method: str = scope["method"]
        if method == "OPTIONS":
            await send_reply(send, 204, headers=_ALLOW)
            return
        if method not in METHODS:
            raise MethodError("method_not_allowed", f"{method} is not taken here.", headers={"Allow": _ALLOW["Allow"]})
        route = self._route or await self._loaded()
        await route(scope, receive, send)

    async def _loaded(self) -> ASGIApp:
        async with self._loading:
            if self._route is None:
                module = await asyncio.to_thread(import_module, _ROUTE)
                self._route = cast("ASGIApp", module.GraphQLRoute(self._parts, self._persisted))
            return self._route
