"""What the parts of one worker tell of themselves, as samples for `web.metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from gateway import __version__
from gateway.errors import GatewayError
from gateway.observe import DatabaseFound, DatabaseLost
from gateway.web.parts import Parts
from gateway.web.tally import Sample


def worker_samples(parts: Parts) -> Iterator[Sample]:
    """Yield everything that is counted or measured in this worker; nothing is asked of database or store."""
    yield from parts.tally.samples()
    yield from _audit(parts)
    yield from _database(parts)
    yield from _catalog(parts)
    yield "gateway_token_lookups", (), parts.authenticator.lookups
    yield "gateway_rate_refills", (), parts.limiter.refills
    yield "gateway_rates_up", (), int(not parts.health.are_rates_away())
    yield "gateway_state_up", (), int(parts.state.status == "ok")
    yield "gateway_workers", (), 1
    yield "gateway_build_info", (__version__,), 1


def _audit(parts: Parts) -> Iterator[Sample]:
    trail = parts.trail
    yield "gateway_audit_records", ("written",), trail.written
    yield "gateway_audit_records", ("dropped",), trail.dropped
    yield "gateway_audit_failures", (), trail.failures
    yield "gateway_audit_waiting", (), trail.waiting
    yield "gateway_audit_up", (), int(not trail.is_failing())


def _database(parts: Parts) -> Iterator[Sample]:
    status = parts.database.status()
    for state, number in (("open", status.open), ("idle", status.idle), ("most", status.most)):
        yield "gateway_database_connections", (state,), number
    # An idle pool has no connection, which says nothing of the database; that it was lost, the pool has said.
    is_lost = parts.tally.events(DatabaseLost) > parts.tally.events(DatabaseFound)
    yield "gateway_database_up", (), int(not is_lost)
    yield "gateway_statements", ("failed",), parts.database.failed
    yield "gateway_statements", ("ok",), parts.database.sent - parts.database.failed


def _catalog(parts: Parts) -> Iterator[Sample]:
    yield "gateway_catalog_generation", (), parts.keeper.generation
    yield "gateway_catalog_reload_failed", (), int(parts.keeper.has_failed)
    try:
        service = parts.keeper.service()
    except GatewayError:  # there is no catalog yet
        return
    yield "gateway_exports_running", (), service.exports.running
