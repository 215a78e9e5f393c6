"""The pipeline: two recorders around six stages of decision, and the fork behind them.

The order is part of the contract (SPEC section 6). `RECORDERS` and `STAGES` are all of it, from the
outside in: nothing else stands between the server and the routes. The recorders see every answer,
refusals included; each stage may refuse by itself, and what it lets pass the next one decides on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.rest.url import is_below_base
from gateway.web.exchange import HANDLER
from gateway.web.parts import Parts
from gateway.web.stages.audit import Audit
from gateway.web.stages.authenticate import Authenticate
from gateway.web.stages.authorize import Authorize
from gateway.web.stages.cors import Cors
from gateway.web.stages.headers import Headers
from gateway.web.stages.rate_limit import RateLimit
from gateway.web.stages.records import Records
from gateway.web.stages.shield import Shield
from gateway.web.timing import Marked, Timed
from gateway.web.tracing import Traced


@dataclass(frozen=True, slots=True)
class Stage:
    """One place in the pipeline: its name, in metrics and records too, what it does, and how it is built."""

    name: str
    summary: str
    build: Callable[[ASGIApp, Parts], ASGIApp]


def _records(app: ASGIApp, parts: Parts) -> ASGIApp:
    """The recorder and, where the settings ask for them, what measures time and what makes spans around it."""
    inner: ASGIApp = Records(app, parts.observer, parts.trail, parts.tally, is_logged=parts.settings.access_log)
    if parts.tracing is not None:
        inner = Traced(inner, parts.tracing)
    return Timed(inner) if parts.settings.server_timing else inner


RECORDERS: Final = (
    Stage(
        "headers",
        "gives the request its id, and every answer its security and CORS headers",
        lambda app, parts: Headers(app, parts.settings, parts.proxies, parts.origins),
    ),
    Stage(
        "records",
        "gives every error its form; every answer leaves its audit record, metrics and log line",
        _records,
    ),
)

STAGES: Final = (
    Stage(
        "shield",
        "refuses what is too large, too slow, too much at once or too often from one address",
        lambda app, parts: Shield(app, parts.settings, parts.throttle, parts.turns, parts.deadlines),
    ),
    Stage(
        "cors",
        "answers a browser's preflight, without credentials; refuses pages of elsewhere",
        lambda app, parts: Cors(app, parts.settings, parts.origins),
    ),
    Stage(
        "authenticate",
        "finds out who asks; only health and `/api_docs` answer without a token",
        Authenticate,
    ),
    Stage(
        "rate_limit",
        "holds each token to its rate, over all workers and nodes",
        lambda app, parts: RateLimit(app, parts.limiter, parts.allowlists, parts.refusals),
    ),
    Stage(
        "authorize",
        "builds the access that every plan carries; refuses what was not granted",
        lambda app, parts: Authorize(app, parts.keeper, parts.accesses, parts.allowlists),
    ),
    Stage(
        "audit",
        "refuses what could not be audited, where the settings want it so",
        lambda app, parts: Audit(app, parts.trail, is_closed=parts.settings.audit_policy == "closed"),
    ),
)


def through_stages(app: ASGIApp, parts: Parts, stages: Sequence[Stage] = (*RECORDERS, *STAGES)) -> ASGIApp:
    """Return an application behind the stages, the first of them outermost."""
    is_timed = parts.settings.server_timing
    inner: ASGIApp = Marked(app, HANDLER) if is_timed else app
    for stage in reversed(stages):
        inner = stage.build(inner, parts)
        if is_timed:
            inner = Marked(inner, stage.name)
    return Pipeline(inner, app)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Sends requests through the stages and everything else, which is the lifespan, past them."""

    stages: ASGIApp
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        await (self.stages if scope["type"] == "http" else self.app)(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Fork:
    """Sends what is below `/api/v1` straight to the resources and the rest through the router of pages.

    Routing a resource by its first bytes spares it the matching of every page's pattern.
    """

    resources: ASGIApp
    pages: Router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "http" and is_below_base(scope["raw_path"]):
            await self.resources(scope, receive, send)
            return
        scope["app"] = self  # with an application in the scope, the router raises its 404 and 405
        await self.pages(scope, receive, send)
