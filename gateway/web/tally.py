"""What one worker counts of its requests: plain numbers in dictionaries, nothing else on a request's way.

What comes in: the exchange of each answered request, and events. What goes out: samples, which
`web.metrics` puts together with those of the other workers. Labels are resources of the catalog,
operations, statuses, stages and codes: all of closed lists, and never a path, a token or a value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final

from gateway.observe import Event, Observer
from gateway.web.exchange import Exchange

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram of durations, in seconds; whatever takes longer is counted too."""

MOST_SERIES: Final = 20_000
"""Combinations of labels that are kept apart; the rest is counted together, so that memory stays bounded."""

REST: Final = "(other)"

Sample = tuple[str, tuple[str, ...], Any]
"""A family's name, the values of its labels in order, and a number; of a histogram the counts, then the sum."""


class Tally:
    """Counts of one worker; used from its event loop only. ``running`` are the requests in flight."""

    __slots__ = ("_durations", "_events", "_refusals", "_requests", "running")

    def __init__(self) -> None:
        self.running = 0
        self._requests: dict[tuple[str, str | None, int], int] = {}
        self._durations: dict[str | None, list[float]] = {}
        self._refusals: dict[tuple[str, str], int] = {}
        self._events: dict[str, int] = {}

    def note(self, exchange: Exchange, seconds: float) -> None:
        """Count an answered request."""
        operation = exchange.operation
        key = (exchange.resource, operation, exchange.status)
        try:
            self._requests[key] += 1
        except KeyError:
            self._first(key)
        counts = self._durations.get(operation)
        if counts is None:
            counts = self._durations[operation] = [0] * (len(BUCKETS_S) + 1) + [0.0]
        counts[bisect_left(BUCKETS_S, seconds)] += 1
        counts[-1] += seconds
        if exchange.code:
            refusal = (exchange.stage, exchange.code)
            self._refusals[refusal] = self._refusals.get(refusal, 0) + 1

    def refuse(self, stage: str, code: str) -> None:
        """Count a refusal that is no request's answer."""
        refusal = (stage, code)
        self._refusals[refusal] = self._refusals.get(refusal, 0) + 1

    def _first(self, key: tuple[str, str | None, int]) -> None:
        if len(self._requests) >= MOST_SERIES:
            key = (REST, key[1], key[2])
        self._requests[key] = self._requests.get(key, 0) + 1

    def observing(self, inner: Observer) -> Observer:
        """Return an observer that counts events before it hands them on."""

        def observe(event: Event) -> None:
            name = type(event).__name__
            self._events[name] = self._events.get(name, 0) + 1
            inner(event)

        return observe

    def events(self, kind: type[Event]) -> int:
        """Return how many events of a kind there were."""
        return self._events.get(kind.__name__, 0)

    def samples(self) -> Iterator[Sample]:
        """Yield what was counted so far."""
        yield "gateway_requests_in_flight", (), self.running
        for (resource, operation, status), number in self._requests.items():
            yield "gateway_requests", (resource, operation or "", str(status)), number
        for operation, counts in self._durations.items():
            yield "gateway_request_duration_seconds", (operation or "",), list(counts)
        for labels, number in self._refusals.items():
            yield "gateway_refusals", labels, number
        for name, number in self._events.items():
            yield "gateway_events", (name,), number
