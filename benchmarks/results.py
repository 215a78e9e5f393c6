"""Everything that one run of the benchmarks found out, before it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.samples import Sample
from benchmarks.shapes import ShapeName


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What the report says of a side that ran."""

    name: str
    processes: str
    columns: int | None
    remark: str


@dataclass(frozen=True, slots=True)
class Idle:
    """A worker that serves everything it may, before its first request."""

    tables: int
    resources: int
    started_in_s: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the CPU time of the gateway's worker goes: shares of ``cpu_us``, by phase."""

    shape: ShapeName
    cpu_us: float
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Results:
    """What the report is made of. ``absent`` says why a side did not run."""

    environment: Mapping[str, str]
    sides: Sequence[SideFacts]
    absent: Mapping[str, str]
    samples: Mapping[tuple[ShapeName, str], Sequence[Sample]]
    count_deadline_ms: float
    is_full_scale: bool = True
    """Whether the data is as large as the targets mean."""
    idle: Idle | None = None
    profiles: Sequence[Profile] = field(default=())
    without_profile: str = ""
    """Why there is no profile, where there is none."""
