"""One catalog in service: its statements, counts and operations, and what is remembered of requests.

A `Service` is made anew for each catalog and swapped whole; a request takes its
reference once and keeps it to its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.catalog.model import Catalog
from gateway.execution.database import Database
from gateway.observe import Observer
from gateway.operations.counts import Counts
from gateway.operations.exports import Exports, limits_of
from gateway.operations.fill import Fills
from gateway.operations.guard import Guard, make_guard
from gateway.operations.reads import Reads
from gateway.operations.tags import Tags
from gateway.operations.writes import Writes
from gateway.query.access import Access
from gateway.query.budget import DEFAULT_BUDGET, Budget
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.cursors import Cursors
from gateway.settings import Settings
from gateway.sql.cache import Recent, StatementCache


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that answers requests on one catalog.

    ``memory`` keeps planned requests by what was asked, so that a question asked
    again is neither parsed nor planned again. ``cursors`` are those of all workers. ``kept`` is what front ends
    make of the catalog for themselves, under a name of their own: it goes with the catalog.
    """

    catalog: Catalog
    statements: StatementCache
    reads: Reads
    writes: Writes
    memory: Recent[Hashable, object]
    now: Callable[[], datetime]
    cursors: Cursors
    exports: Exports
    guard: Guard | None = None
    budget: Budget = DEFAULT_BUDGET
    kept: dict[str, object] = field(default_factory=dict)

    def clock(self) -> Clock:
        """Return the moment of a request in the CRM's zone."""
        return Clock(self.now(), self.catalog.zone)

    def context(self, access: Access) -> Context:
        """Return the context of one planning run."""
        return Context(self.catalog, access, self.clock(), Slots(), secrets.token_hex, self.budget)


def utc_now() -> datetime:
    """Return the current moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the services of one worker share, one after the other; ``tags`` and ``cursors`` are those of all workers."""

    tags: Tags
    cursors: Cursors
    exports: Exports


def make_service(
    catalog: Catalog,
    database: Database,
    settings: Settings,
    observer: Observer,
    now: Callable[[], datetime] = utc_now,
    shared: Shared | None = None,
) -> Service:
    """Return what serves a catalog on a database; ``shared`` is what outlives the catalog, new where none is given."""
    shared = shared or Shared(Tags(), Cursors(), Exports(database, limits_of(settings)))
    deadline_s = settings.count_deadline_ms / 1000
    statements = StatementCache(catalog, settings.plan_cache, deadline_s)
    counts = Counts(
        database,
        statements,
        observer,
        deadline_s=deadline_s,
        reuse_s=settings.count_reuse_ms / 1000,
        most_running=max(1, settings.pool_size // 4),
    )
    fills = Fills(catalog, statements, settings.staff_id)
    budget = budget_of(settings)
    guard = make_guard(catalog, settings.max_examined_rows, observer)
    reads = Reads(database, statements, counts, shared.tags, guard, budget.embedded)
    writes = Writes(database, statements, counts, fills, shared.tags)
    memory: Recent[Hashable, object] = Recent(settings.plan_cache)
    return Service(
        catalog, statements, reads, writes, memory, now, shared.cursors, shared.exports, guard=guard, budget=budget
    )


def budget_of(settings: Settings) -> Budget:
    """Return the limits of one question that the settings give."""
    return Budget(
        conditions=settings.max_conditions,
        depth=settings.max_filter_depth,
        hops=settings.max_path,
        embeds=settings.max_includes,
        embedded=settings.max_included_rows,
        offset=settings.max_offset,
    )
