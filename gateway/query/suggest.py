"""The nearest of the names a caller may see."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name most like ``word``, None when none is like it.

    >>> nearest("duedat", ["duedate", "date"])
    'duedate'
    """
    close = get_close_matches(word[:100], tuple(names), 1, 0.7)
    return close[0] if close else None
