"""What all workers counted, as Prometheus reads it.

What comes in: the samples of this worker, gathered from its parts, and those that the other workers
wrote into a directory that the launcher made. What goes out: the text of `/metrics`. Each worker
writes its file anew every second, whole and under its own process id; counters of workers that have
ended still count, their gauges do not. Without the directory there is one worker, and this is all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final, Literal

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from gateway.web.parameters import parameters_of
from gateway.web.tally import BUCKETS_S, Sample

DIRECTORY_VARIABLE: Final = "_GATEWAY_METRICS_DIRECTORY"
"""How the launcher tells its workers where they write; no setting, for nobody needs to choose it."""

WRITE_EVERY_S: Final = 1.0
STALE_S: Final = 10.0
"""A worker whose file is older is taken for gone, should another process have its id by now."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "sum", "least", "most", "histogram"]
"""What a family is; of gauges, how those of several workers become one."""

Labels = tuple[str, ...]
Samples = Callable[[], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its labels, what it is, and what it says; `docs/metrics.md` has a line for each."""

    name: str
    kind: Kind
    labels: Labels
    summary: str

    @property
    def shown(self) -> str:
        """Its name as Prometheus shows it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


FAMILIES: Final = (
    Family("gateway_requests", "counter", ("resource", "operation", "status"), "Answered requests."),
    Family("gateway_request_duration_seconds", "histogram", ("operation",), "Time from request to the answer's end."),
    Family("gateway_requests_in_flight", "sum", (), "Requests that are being answered."),
    Family("gateway_refusals", "counter", ("stage", "code"), "Errors by the stage that answered, or the handler."),
    Family("gateway_events", "counter", ("event",), "Things that happened and are worth a line in the log."),
    Family("gateway_audit_records", "counter", ("outcome",), "Audit records, written or dropped."),
    Family("gateway_audit_failures", "counter", (), "Batches of audit records that the store refused."),
    Family("gateway_audit_waiting", "sum", (), "Audit records that are not stored yet."),
    Family("gateway_audit_up", "least", (), "Whether every worker stores its audit records."),
    Family("gateway_token_lookups", "counter", (), "Tokens that the store was asked for."),
    Family("gateway_rate_refills", "counter", (), "Leases of requests that were asked of the store of rates."),
    Family("gateway_rates_up", "least", (), "Whether the store that counts requests answered every worker last."),
    Family("gateway_statements", "counter", ("outcome",), "Statements sent to the database, by how they ended."),
    Family("gateway_database_connections", "sum", ("state",), "Connections to the database: open, idle, most."),
    Family("gateway_database_up", "least", (), "Whether the database answered every worker last."),
    Family("gateway_state_up", "least", (), "Whether the state store answered every worker last."),
    Family("gateway_catalog_generation", "least", (), "Reloads that every worker follows; the least of them."),
    Family("gateway_catalog_reload_failed", "most", (), "Whether the last reload of any worker failed."),
    Family("gateway_exports_running", "sum", (), "Exports that are being read."),
    Family("gateway_workers", "sum", (), "Workers that serve."),
    Family("gateway_build_info", "most", ("version",), "The version that serves."),
)
_FAMILIES: Final[Mapping[str, Family]] = {family.name: family for family in FAMILIES}


class Metrics:
    """The samples of one worker on their way out; ``directory`` is where workers write, None for one alone."""

    def __init__(self, samples: Samples, directory: str | None = None) -> None:
        self._samples = samples
        self._directory = Path(directory) if directory else None
        self._task: asyncio.Task[None] | None = None

    def text(self) -> bytes:
        """Return what all workers counted: this one until now, the others until a second ago at most."""
        own = list(self._samples())
        others = read_workers(self._directory, but=os.getpid()) if self._directory else []
        return render_metrics([(own, True), *others])

    def start(self) -> None:
        """Begin to write, where there is somebody who reads."""
        if self._directory is not None:
            self._task = asyncio.create_task(self._write_on(self._directory))

    async def stop(self) -> None:
        """Write what was counted to the end."""
        if self._task is None or self._directory is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        write_worker(self._directory, list(self._samples()))

    async def _write_on(self, directory: Path) -> None:
        while True:
            write_worker(directory, list(self._samples()))
            await asyncio.sleep(WRITE_EVERY_S)


def write_worker(directory: Path, samples: list[Sample]) -> None:
    """Write the samples of this process; a reader finds those from before or these, never half of them.

    A directory that cannot be written costs the metrics, and nothing else.
    """
    path = directory / f"{os.getpid()}.json"
    beside = path.with_suffix(".new")
    with suppress(OSError):
        beside.write_bytes(orjson.dumps(samples))
        beside.replace(path)


def read_workers(directory: Path, but: int = 0) -> list[tuple[list[Sample], bool]]:
    """Return the samples of every process that wrote some, and whether it still runs."""
    found = []
    for path in sorted(directory.glob("*.json")):
        pid = int(path.stem) if path.stem.isdecimal() else 0
        if pid == but:
            continue
        with suppress(OSError, orjson.JSONDecodeError):
            is_alive = _is_alive(pid) and time() - path.stat().st_mtime < STALE_S
            samples = [(name, tuple(labels), value) for name, labels, value in orjson.loads(path.read_bytes())]
            found.append((samples, is_alive))
    return found


Workers = Iterable[tuple[Iterable[Sample], bool]]
"""Samples of some processes, and whether each still runs."""


def render_metrics(workers: Workers) -> bytes:
    """Return the samples of some workers as text; of those that do not run any more the counters alone."""
    registry = CollectorRegistry()
    registry.register(_Workers(workers))
    return generate_latest(registry)


def merged_metrics(workers: Workers) -> Iterator[Metric]:
    """Yield the metrics of some workers, in the order of `FAMILIES`."""
    merged: dict[str, dict[Labels, Any]] = {}
    for samples, is_alive in workers:
        for name, labels, value in samples:
            family = _FAMILIES.get(name)
            if family is not None and (is_alive or family.kind in ("counter", "histogram")):
                _merge(merged.setdefault(name, {}), family.kind, labels, value)
    return (_metric(family, merged[family.name]) for family in FAMILIES if family.name in merged)


def _merge(into: dict[Labels, Any], kind: Kind, labels: Labels, value: Any) -> None:
    before = into.get(labels)
    if before is None:
        into[labels] = value
    elif kind == "histogram":
        into[labels] = [one + other for one, other in zip(before, value, strict=True)]
    elif kind == "least":
        into[labels] = min(before, value)
    elif kind == "most":
        into[labels] = max(before, value)
    else:
        into[labels] = before + value


class _Workers(Collector):
    """Samples of some workers for one look at them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = tuple((tuple(samples), is_alive) for samples, is_alive in workers)

    def collect(self) -> Iterator[Metric]:
        return merged_metrics(self._workers)


def _metric(family: Family, samples: Mapping[Labels, Any]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.summary, labels=family.labels)
        for labels, counts in samples.items():
            histogram.add_metric(labels, _cumulative(counts[:-1]), counts[-1])
        return histogram
    made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = made(family.name, family.summary, labels=family.labels)
    for labels, value in samples.items():
        metric.add_metric(labels, value)
    return metric


def _cumulative(counts: Iterable[int]) -> list[tuple[str, float]]:
    bounds = (*(str(bound) for bound in BUCKETS_S), "+Inf")
    total = 0
    buckets = []
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, and belongs to another user
        return True
    return pid > 0


def metrics_page(metrics: Metrics) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of `/metrics`."""

    async def show(request: Request) -> Response:
        parameters_of(request.scope, ())
        return Response(await asyncio.to_thread(metrics.text), headers={"Content-Type": CONTENT_TYPE})

    return show
