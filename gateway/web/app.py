"""The composition root: the only place that builds and wires objects.

What comes in: settings. What goes out: an ASGI application. There is no
module-level state; two applications in one process share nothing.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from gateway.errors import UnavailableError
from gateway.execution.connect import open_database
from gateway.execution.database import Database
from gateway.observe import Observer
from gateway.operations.exports import Exports, limits_of
from gateway.operations.tags import Tags
from gateway.query.cursors import Cursors
from gateway.security.access import AccessBook
from gateway.security.authenticate import Authenticator
from gateway.settings import Settings
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.web.caller import describe_caller
from gateway.web.exchange import exchange_of
from gateway.web.idempotency import Idempotency
from gateway.web.keeper import Keeper, Sources
from gateway.web.loading import Loaded, current_fingerprint, load_catalog
from gateway.web.logs import configure_logging, log_observer
from gateway.web.parts import Parts
from gateway.web.pipeline import Fork, through_stages
from gateway.web.public import PublicPages, json_response
from gateway.web.routes import ResourceRoutes
from gateway.web.service import Service, Shared, make_service, utc_now


def create_app(
    settings: Settings, *, observer: Observer | None = None, now: Callable[[], datetime] = utc_now
) -> ASGIApp:
    """Return the application of one worker; its lifespan connects and loads, and closes everything.

    Raises:
        ConfigurationError: the database URL or the state file is not usable.
    """
    if observer is None:
        configure_logging(settings.log_level)
    return make_app(make_parts(settings, observer or log_observer(), now))


def make_parts(
    settings: Settings,
    observer: Observer,
    now: Callable[[], datetime] = utc_now,
    database: Database | None = None,
) -> Parts:
    """Return the wired parts, on a database of the caller's where one is given; nothing is connected yet."""
    database = database or open_database(settings, observer)
    state = StateStore.open(settings.state_path)
    tags, cursors = Tags(shared_key(state.write, "etag")), Cursors(shared_key(state.write, "cursor"))
    shared = Shared(tags, cursors, Exports(database, limits_of(settings)))

    def load(before: Loaded | None) -> Loaded:
        return load_catalog(settings, before.catalog if before is not None else None)

    def serve(loaded: Loaded) -> Service:
        return make_service(loaded.catalog, database, settings, observer, now, shared)

    sources = Sources(
        load=load,
        fingerprint=lambda loaded: current_fingerprint(settings, loaded),
        generation=state.generation.current,
        bump=state.generation.bump,
        serve=serve,
    )
    keeper = Keeper(sources, observer, settings.reload_every_s)
    authenticator = Authenticator(state.tokens.by_digest)
    idempotency = Idempotency(state.idempotency, observer, settings.statement_limit_s)
    return Parts(settings, database, state, keeper, AccessBook(), authenticator, observer, idempotency)


def make_app(parts: Parts) -> ASGIApp:
    """Return the application of some parts: the stages in order, then resources and pages."""
    public = PublicPages(parts.keeper, parts.database)
    private = _PrivatePages(parts)
    pages = Router(
        routes=[
            Route("/api/me", private.caller, methods=["GET"]),
            Route("/admin/reload", private.reload, methods=["POST"]),
            Route("/healthz", public.health, methods=["GET"]),
            Route("/readyz", public.readiness, methods=["GET"]),
            Route("/api_docs", public.documentation, methods=["GET"]),
            Route("/api_docs/errors/{code}", public.error, methods=["GET"]),
        ],
        # A redirect would make some clients repeat the request without their token.
        redirect_slashes=False,
        lifespan=_lifespan(parts),
    )
    resources = ResourceRoutes(parts.keeper, parts.accesses, parts.settings, parts.idempotency)
    return through_stages(Fork(resources, pages), parts)


class _PrivatePages:
    """The few pages beside the resources that need a token."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def caller(self, request: Request) -> Response:
        """Show who the token is and what it may do."""
        service = self._parts.keeper.service()
        principal = exchange_of(request.scope).principal
        assert principal is not None  # the path is not public
        access = self._parts.accesses.access_of(principal, service.catalog)
        return json_response(describe_caller(principal, access, service))

    async def reload(self, request: Request) -> Response:
        """Read whitelist and database anew, here and in every other worker."""
        if not await self._parts.keeper.reload_everywhere("asked for"):
            raise UnavailableError(
                "reload_failed",
                "The reload failed and the catalog before it stays; the log has the reason.",
                headers={"Retry-After": "10"},
            )
        return json_response({"status": "reloaded"})


def _lifespan(parts: Parts) -> Callable[[object], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        await parts.keeper.start()
        _reload_on_hangup(parts.keeper)
        parts.idempotency.start()
        try:
            yield
        finally:
            await parts.idempotency.stop()
            await parts.keeper.stop()
            await parts.database.close()
            parts.state.close()

    return lifespan


def _reload_on_hangup(keeper: Keeper) -> None:
    """SIGHUP means reload, where there is such a signal and this thread and its loop may listen to it."""
    tasks: set[asyncio.Task[bool]] = set()

    def reload() -> None:
        task = asyncio.ensure_future(keeper.reload_everywhere("SIGHUP"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    with suppress(NotImplementedError, ValueError, RuntimeError, AttributeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
