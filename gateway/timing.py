"""Where the time of a request went, for `Server-Timing`: marks that cost nothing while nobody asked for them.

What comes in: seconds that somebody spent on a phase. What goes out: the sum of each phase of the request
that is being served here. Whoever begins a request begins its `Marks`; without them `spend` does nothing.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final


class Marks:
    """Seconds of one request by phase, and moments (`time.perf_counter`) by name."""

    __slots__ = ("moments", "spent")

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.moments: dict[str, float] = {}


MARKS: Final[ContextVar[Marks | None]] = ContextVar("gateway_marks", default=None)


def spend(phase: str, seconds: float) -> None:
    """Add seconds to a phase of the request that is being served here, where its time is kept."""
    marks = MARKS.get()
    if marks is not None:
        marks.spent[phase] = marks.spent.get(phase, 0.0) + seconds


def mark(name: str, moment: float, *, is_first: bool = False) -> None:
    """Keep a moment of the request that is being served here, where its time is kept; the first or the last of it."""
    marks = MARKS.get()
    if marks is not None and not (is_first and name in marks.moments):
        marks.moments[name] = moment
