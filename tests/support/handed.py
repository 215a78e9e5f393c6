"""Accesses that no token can hold yet, row filters and chosen columns, handed to the whole application."""

from __future__ import annotations

from dataclasses import replace

import httpx2

from gateway.catalog.model import Catalog
from gateway.query.access import Access
from gateway.security.access import AccessBook
from gateway.security.principal import Principal
from gateway.web.app import make_app
from tests.support.app import App, check_reply


class Handed(AccessBook):
    """Hands out one access, whoever asks."""

    __slots__ = ("access",)

    def __init__(self, access: Access) -> None:
        super().__init__()
        self.access = access

    def access_of(self, principal: Principal, catalog: Catalog) -> Access:
        """Return the access."""
        return self.access


def client_with(app: App, access: Access) -> httpx2.AsyncClient:
    """Return a client of a running application whose requests are all allowed what an access allows."""
    asgi = make_app(replace(app.parts, accesses=Handed(access)))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=asgi),
        base_url="http://gateway.test",
        headers={"Authorization": f"Bearer {next(iter(app.tokens.values()))}"},
        event_hooks={"response": [check_reply]},
    )
