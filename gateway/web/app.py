"""The composition root: the only place that builds and wires objects.

What comes in: settings. What goes out: an ASGI application. There is no
module-level state; two applications in one process share nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Final

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
from gateway.security.identity import open_identities
from gateway.security.networks import Allowlists
from gateway.security.replays import SignatureCheck
from gateway.settings import Settings
from gateway.state.audit import AuditStore
from gateway.state.leases import Leases, LeaseStore
from gateway.state.redis_leases import open_redis
from gateway.state.secret import shared_key
from gateway.state.signatures import SignatureStore
from gateway.state.store import StateStore
from gateway.web.admin_audit import AuditPage
from gateway.web.admin_tokens import token_routes
from gateway.web.caller import describe_caller
from gateway.web.deadlines import Deadlines
from gateway.web.exchange import exchange_of
from gateway.web.graphiql import graphiql_routes
from gateway.web.health import Health
from gateway.web.idempotency import Idempotency
from gateway.web.keeper import Keeper, Sources
from gateway.web.lastused import LastUsed
from gateway.web.limiter import Limiter
from gateway.web.loading import Loaded, current_fingerprint, load_catalog
from gateway.web.logs import configure_logging, log_observer
from gateway.web.metrics import DIRECTORY_VARIABLE, Metrics, metrics_page
from gateway.web.origins import Origins
from gateway.web.parameters import parameters_of
from gateway.web.parts import Parts
from gateway.web.pipeline import RECORDERS, STAGES, Fork, Stage, through_stages
from gateway.web.proxies import Proxies
from gateway.web.public import PublicPages, json_response
from gateway.web.routes import ResourceRoutes
from gateway.web.samples import worker_samples
from gateway.web.service import Service, Shared, make_service, utc_now
from gateway.web.statements import WatchedDatabase
from gateway.web.statewatch import StateWatch
from gateway.web.tally import Tally
from gateway.web.throttle import Throttle, rate_of
from gateway.web.tracing import open_tracing
from gateway.web.trail import Trail, trail_limits
from gateway.web.turns import Turns

THREADS: Final = 64
"""Threads of a worker for what blocks; they are made when they are needed, and mostly are not."""


def create_app(
    settings: Settings,
    *,
    observer: Observer | None = None,
    now: Callable[[], datetime] = utc_now,
    must_exist: bool = False,
) -> ASGIApp:
    """Return the application of one worker; its lifespan connects and loads, and closes everything.

    With ``must_exist`` no state file is made, for a launcher has made it.

    Raises:
        ConfigurationError: the database URL or the state file is not usable.
    """
    if observer is None:
        configure_logging(settings.log_level)
    return make_app(make_parts(settings, observer or log_observer(), now, must_exist=must_exist))


def make_parts(
    settings: Settings,
    observer: Observer,
    now: Callable[[], datetime] = utc_now,
    database: Database | None = None,
    *,
    must_exist: bool = False,
) -> Parts:
    """Return the wired parts, on a database of the caller's where one is given; nothing is connected yet."""
    tally, tracing = Tally(), open_tracing(settings)
    observer = tally.observing(observer)
    inner = database or open_database(settings, observer)
    database = WatchedDatabase(inner, is_timed=settings.server_timing, traces=tracing)
    state = StateStore.open(settings, observer=observer, must_exist=must_exist)
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
    authenticator = Authenticator(
        state.tokens.by_digests, pepper=settings.token_pepper, identities=open_identities(settings, observer)
    )
    signatures = SignatureCheck(
        SignatureStore(state.write).claim,
        shared_key(state.write, "signing"),
        pepper=settings.token_pepper,
        window_s=settings.signature_window_s,
    )
    records = AuditStore(state.read, partial(state.write, durable=False))
    trail = Trail(records, trail_limits(settings), observer)
    refusals = Throttle(rate_of(settings, "refused_rate"))
    limiter = Limiter(_leases(settings, state), rate_of(settings, "rate_limit"), observer=observer)
    idempotency = Idempotency(state.idempotency, observer, settings.statement_limit_s)
    return Parts(
        settings,
        database,
        state,
        keeper,
        AccessBook(observer=observer),
        authenticator,
        observer,
        idempotency,
        signatures,
        refusals,
        Allowlists(),
        limiter,
        Throttle(rate_of(settings, "address_rate")),
        Turns(settings.max_running, settings.max_waiting, settings.queue_wait_s),
        Deadlines(settings.request_limit_s),
        Proxies(settings.trusted_proxies),
        Origins(settings.cors_origins, state.tokens.all),
        trail,
        tally,
        Health(
            keeper,
            database,
            state,
            trail,
            limiter,
            is_audit_needed=settings.audit_policy == "closed",
            are_rates_in_state=not settings.rate_store_url,
        ),
        tracing,
        LastUsed(state.tokens.touch),
        StateWatch(state),
    )


def _leases(settings: Settings, state: StateStore) -> Leases:
    """Where requests are counted: in Redis where the settings name one, else in the state store."""
    return open_redis(settings.rate_store_url) if settings.rate_store_url else LeaseStore(state.write)


def make_app(parts: Parts, stages: Sequence[Stage] = (*RECORDERS, *STAGES)) -> ASGIApp:
    """Return the application of some parts: the stages in order, then resources and pages."""
    public = PublicPages(parts.health)
    metrics = Metrics(partial(worker_samples, parts), os.environ.get(DIRECTORY_VARIABLE))
    private = _PrivatePages(parts)
    pages = Router(
        routes=[
            Route("/api/me", private.caller, methods=["GET"]),
            Route("/admin/reload", private.reload, methods=["POST"]),
            *token_routes(parts),
            Route("/admin/audit", AuditPage(parts.trail.store).search, methods=["GET"]),
            *graphiql_routes(),
            Route("/metrics", metrics_page(metrics), methods=["GET"]),
            Route("/healthz", public.health, methods=["GET"]),
            Route("/readyz", public.readiness, methods=["GET"]),
            Route("/api_docs", public.documentation, methods=["GET"]),
            Route("/api_docs/errors/{code}", public.error, methods=["GET"]),
        ],
        # A redirect would make some clients repeat the request without their token.
        redirect_slashes=False,
        lifespan=_lifespan(parts, metrics),
    )
    resources = ResourceRoutes(parts)
    return through_stages(Fork(resources, pages), parts, stages)


class _PrivatePages:
    """The few pages beside the resources that need a token."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def caller(self, request: Request) -> Response:
        """Show who the token is and what it may do."""
        parameters_of(request.scope, ())
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


def _lifespan(parts: Parts, metrics: Metrics) -> Callable[[object], AbstractAsyncContextManager[dict[str, object]]]:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[dict[str, object]]:
        # Waits for a store or a database that is away must not use up the threads of what goes on.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "gateway"))
        await parts.keeper.start()
        _reload_on_hangup(parts.keeper)
        parts.idempotency.start()
        parts.limiter.start()
        parts.trail.start()
        metrics.start()
        await parts.origins.start()
        parts.last_used.start()
        parts.state_watch.start()
        try:
            # The server says there that it is about to stop, and connections what they refuse.
            yield {"health": parts.health, "tally": parts.tally}
        finally:
            await parts.state_watch.stop()
            await parts.last_used.stop()
            await parts.origins.stop()
            await parts.idempotency.stop()
            await parts.limiter.stop()
            await parts.trail.stop()
            await metrics.stop()
            if parts.tracing is not None:
                await asyncio.to_thread(parts.tracing.close)
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
