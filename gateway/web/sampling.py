"""Which of the answers that strangers can have for nothing leave a record or a line: the first, then one of so many.

What comes in: the code of an answer and the address that it went to. What goes out: for how many such answers it
stands, 0 where nothing is to be noted. An address has its first noted at once, as long as not too many do.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

MOST_KINDS: Final = 500
"""Pairs of a code and an address that are told apart; further addresses share the count of their code."""

FORGET_S: Final = 24 * 3_600.0
"""When all is forgotten, so that each address of the next day has its first noted again."""


class Sampling:
    """Counts of one worker; used from its event loop only."""

    __slots__ = ("_clock", "_counts", "_forget_at", "_one_in")

    def __init__(self, one_in: int, clock: Callable[[], float] = monotonic) -> None:
        self._one_in = one_in
        self._clock = clock
        self._counts: dict[tuple[str, str], int] = {}
        self._forget_at = 0.0

    def stands_for(self, code: str, address: str) -> int:
        """Return how many answers what is noted of this one stands for, itself among them; 0: nothing is noted."""
        now = self._clock()
        if now >= self._forget_at:
            self._counts.clear()
            self._forget_at = now + FORGET_S
        kind = (code, address)
        count = self._counts.get(kind)
        if count is None and len(self._counts) >= MOST_KINDS:
            kind = (code, "")
            count = self._counts.get(kind)
        if count is None:
            self._counts[kind] = 0
            return 1
        is_due = count + 1 >= self._one_in
        self._counts[kind] = 0 if is_due else count + 1
        return count + 1 if is_due else 0
