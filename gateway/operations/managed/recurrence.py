"""How a task repeats: ``recurring`` with its interval, or none of it (SEMANTICS 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault
from gateway.operations.managed.model import Draft

UNITS: Final = ("day", "week", "month", "year")
NOTHING: Final[Mapping[str, object]] = MappingProxyType(
    {"recurring": 0, "repeat_every": None, "recurring_type": None, "custom_recurring": 0, "cycles": 0}
)
"""The columns of a task that does not repeat."""


def recurrence(draft: Draft) -> dict[str, object]:
    """Return the columns as they belong together, none when the write does not touch them."""
    if not _touched(draft):
        return {}
    return {"recurring": 1} if _is_recurring(draft) else dict(NOTHING)


def recurrence_faults(draft: Draft) -> Iterator[Issue]:
    """Yield what is wrong with the interval."""
    touched = _touched(draft)
    if not touched:
        return
    if "recurring" in touched and draft.values["recurring"] not in (0, 1, None):
        yield fault("recurring", "member", "0 or 1 is due")
    elif _is_recurring(draft):
        yield from _interval_faults(draft)
    else:
        for name in sorted(touched - {"recurring"}):
            if draft.values[name] and draft.values[name] != draft.stored.get(name):
                yield fault(name, "computed", "only a task with recurring 1 has it")


def _touched(draft: Draft) -> frozenset[str]:
    return frozenset(NOTHING).intersection(draft.values)


def _is_recurring(draft: Draft) -> bool:
    """Whether the task repeats: as was sent, else as its interval says."""
    if "recurring" in draft.values:
        return bool(draft.values["recurring"])
    return bool(draft.after().get("repeat_every"))


def _interval_faults(draft: Draft) -> Iterator[Issue]:
    after = draft.after()
    every, unit, cycles = after.get("repeat_every"), after.get("recurring_type"), after.get("cycles")
    if every is None:
        yield fault("repeat_every", "required", "a recurring task needs its interval")
    elif isinstance(every, int) and every < 1:
        yield fault("repeat_every", "out_of_range", "a number from 1 on is due")
    if not unit:
        yield fault("recurring_type", "required", f"one of {', '.join(UNITS)} is due")
    elif unit not in UNITS:
        yield fault("recurring_type", "member", f"one of {', '.join(UNITS)} is due")
    if isinstance(cycles, int) and cycles < 0:
        yield fault("cycles", "out_of_range", "a number from 0 on is due; 0 repeats without end")
