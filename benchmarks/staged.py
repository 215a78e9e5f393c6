"""``python -m benchmarks.staged``: the gateway with some of its stages left out, which no setting can do.

What is served, by which server and with which settings, is what ``gateway serve`` does. In the place of
a stage that finds something out for those behind it stands the least that they need.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.cli import server
from gateway.rest.paths import parse_path, path_for
from gateway.rest.url import is_below_base
from gateway.security.principal import Principal
from gateway.settings import load_settings
from gateway.web.app import make_app, make_parts
from gateway.web.exchange import EXCHANGE, Exchange, exchange_of
from gateway.web.logs import log_observer
from gateway.web.parts import Parts
from gateway.web.pipeline import RECORDERS, STAGES, Stage

ALL: Final = (*RECORDERS, *STAGES)
NAMES: Final = tuple(stage.name for stage in ALL)
SOMEBODY: Final = Principal("token:0", "bench", ("*:*",))


@dataclass(frozen=True, slots=True)
class NoHeaders:
    """Makes the exchange and adds no headers."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[EXCHANGE] = Exchange("bench", monotonic())
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class NoAuthentication:
    """Takes everybody for the same caller."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).principal = SOMEBODY
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class NoAuthorization:
    """Looks at nothing but the path, which tells the routes what is asked for."""

    app: ASGIApp
    parts: Parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        if is_below_base(scope["raw_path"]):
            service = self.parts.keeper.service()
            exchange.service = service
            exchange.access = self.parts.accesses.access_of(exchange.principal or SOMEBODY, service.catalog)
            exchange.path = path_for(parse_path(scope["raw_path"]), scope["method"], service.catalog)
        await self.app(scope, receive, send)


INSTEAD: Final = {
    "headers": Stage("headers", "", lambda app, parts: NoHeaders(app)),
    "authenticate": Stage("authenticate", "", lambda app, parts: NoAuthentication(app)),
    "authorize": Stage("authorize", "", NoAuthorization),
}


def stages_without(names: Sequence[str]) -> tuple[Stage, ...]:
    """Return the pipeline with some stages left out, in order.

    >>> [stage.name for stage in stages_without(("records", "audit"))]
    ['headers', 'shield', 'cors', 'authenticate', 'rate_limit', 'authorize']
    """
    left = (INSTEAD.get(stage.name) if stage.name in names else stage for stage in ALL)
    return tuple(stage for stage in left if stage is not None)


def main(arguments: list[str] | None = None) -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staged", description=__doc__)
    parser.add_argument("--without", action="append", choices=NAMES, default=[], help="a stage to leave out")
    stages = stages_without(parser.parse_args(arguments).without)
    settings = load_settings(os.environ)

    def make() -> Any:
        return make_app(make_parts(settings, log_observer()), stages)

    server.make_app = make  # what the server calls in its worker, which is this process
    with server.listen(settings.host, settings.port) as listener:
        server.run(settings, listener, lambda: None)  # who measures asks until it answers


if __name__ == "__main__":
    main()
