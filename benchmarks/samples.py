"""What one run measured, and what several of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: a side under load with one shape of request.

    ``errors`` counts answers outside 2xx and broken connections. ``cpu_s`` is what the side's own
    processes took, ``database_cpu_s`` what the database took, ``foreign_cpu_s`` what everything
    else on the machine took meanwhile: the measure of how far to trust the run. A download has the time
    to its first byte too, and what the side's processes held before it and at most meanwhile.
    """

    requests: int
    seconds: float
    errors: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    cpu_s: float | None = None
    database_cpu_s: float | None = None
    foreign_cpu_s: float | None = None
    first_byte_ms: float | None = None
    rest_bytes: int | None = None
    peak_bytes: int | None = None

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def foreign_cores(self) -> float | None:
        """Cores that somebody else kept busy, on average; None when that was not measured."""
        return None if self.foreign_cpu_s is None else max(0.0, self.foreign_cpu_s) / self.seconds


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of one side with one shape: medians; ``spread`` is (highest - lowest) / median of the rates."""

    runs: int
    rate: float
    spread: float
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    cpu_us: float | None
    database_cpu_us: float | None
    foreign_cores: float | None


def summarise(samples: Sequence[Sample]) -> Summary:
    """Return the medians of some runs; ``max_ms`` and ``foreign_cores`` are the worst of any run.

    Raises:
        ValueError: there are no runs.
    """
    if not samples:
        raise ValueError("no runs to summarise")
    rates = [sample.rate for sample in samples]
    middle = median(rates)
    return Summary(
        runs=len(samples),
        rate=middle,
        spread=(max(rates) - min(rates)) / middle if middle else 0.0,
        errors=sum(sample.errors for sample in samples),
        p50_ms=_middle([sample.p50_ms for sample in samples]),
        p99_ms=_middle([sample.p99_ms for sample in samples]),
        max_ms=_worst([sample.max_ms for sample in samples]),
        cpu_us=_middle([_per_request(sample, sample.cpu_s) for sample in samples]),
        database_cpu_us=_middle([_per_request(sample, sample.database_cpu_s) for sample in samples]),
        foreign_cores=_worst([sample.foreign_cores for sample in samples]),
    )


def paired_ratio(ours: Sequence[Sample], theirs: Sequence[Sample]) -> float | None:
    """Return the median of our rate over theirs, run by run; None when either did not run.

    Runs of one round stand next to each other in time, so a machine that slows down between
    rounds moves both sides of a ratio.
    """
    ratios = [our.rate / their.rate for our, their in zip(ours, theirs, strict=False) if their.rate]
    return median(ratios) if ratios else None


def grown_bytes(samples: Sequence[Sample]) -> int | None:
    """Return how far memory rose in some downloads: the highest of all above the lowest that any began with.

    A process keeps what it once had, so that a second download of its own would seem to take nothing.
    """
    peaks = [sample.peak_bytes for sample in samples if sample.peak_bytes is not None]
    rests = [sample.rest_bytes for sample in samples if sample.rest_bytes is not None]
    return max(peaks) - min(rests) if peaks and rests else None


def latest_first_byte_ms(samples: Sequence[Sample]) -> float | None:
    """Return the longest that any download kept its client waiting for the first byte."""
    return _worst([sample.first_byte_ms for sample in samples])


def _per_request(sample: Sample, seconds: float | None) -> float | None:
    return None if seconds is None or not sample.requests else seconds / sample.requests * 1e6


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _worst(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
