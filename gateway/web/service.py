"""One catalog in service: its statements, counts and operations, and what is remembered of requests.

A `Service` is made anew for each catalog and swapped whole; a request takes its
reference once and keeps it to its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.catalog.model import Catalog
from gateway.execution.database import Database
from gateway.observe import Observer
from gateway.operations.counts import Counts
from gateway.operations.fill import Fills
from gateway.operations.reads import Reads
from gateway.operations.tags import Tags
from gateway.operations.writes import Writes
from gateway.query.access import Access
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.settings import Settings
from gateway.sql.cache import Recent, StatementCache


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that answers requests on one catalog.

    ``memory`` keeps planned requests by what was asked, so that a question asked
    again is neither parsed nor planned again.
    """

    catalog: Catalog
    statements: StatementCache
    reads: Reads
    writes: Writes
    memory: Recent[Hashable, object]
    now: Callable[[], datetime]

    def clock(self) -> Clock:
        """Return the moment of a request in the CRM's zone."""
        return Clock(self.now(), self.catalog.zone)

    def context(self, access: Access) -> Context:
        """Return the context of one planning run."""
        return Context(self.catalog, access, self.clock(), Slots(), secrets.token_hex)


def utc_now() -> datetime:
    """Return the current moment."""
    return datetime.now(UTC)


def make_service(
    catalog: Catalog,
    database: Database,
    settings: Settings,
    observer: Observer,
    now: Callable[[], datetime] = utc_now,
    tags: Tags | None = None,
) -> Service:
    """Return what serves a catalog on a database; ``tags`` are those of all workers."""
    tags = tags or Tags()
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
    reads = Reads(database, statements, counts, tags)
    writes = Writes(database, statements, counts, fills, tags)
    return Service(catalog, statements, reads, writes, Recent(settings.plan_cache), now)
