"""Text compared the way Perfex's collations compare it: without case, accents or trailing spaces.

SQLite knows neither such a collation nor such a LIKE; `SqliteDatabase` registers these.
The approximation is good for a demo: letters that expand (German sharp s) differ in detail.
"""

from __future__ import annotations

import re
from unicodedata import combining, normalize


def fold(text: str) -> str:
    """Return text without case and accents.

    >>> fold("Édouard") == fold("edouard")
    True
    """
    if text.isascii():
        return text.lower()
    return "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1: the order of two texts, trailing spaces aside (PAD SPACE)."""
    a, b = fold(left).rstrip(" "), fold(right).rstrip(" ")
    return (a > b) - (a < b)


class Like:
    """SQL's LIKE as a function, with the last pattern kept: a statement asks the same one for every row."""

    def __init__(self) -> None:
        self._asked: tuple[str, str] | None = None
        self._pattern: re.Pattern[str] = re.compile("")

    def __call__(self, pattern: object, value: object, escape: str = "\\") -> bool | None:
        """Return whether ``value`` matches; None where either is NULL."""
        if pattern is None or value is None:
            return None
        asked = (str(pattern), escape)
        if asked != self._asked:
            self._pattern = re.compile(like_expression(*asked), re.DOTALL)
            self._asked = asked
        return self._pattern.fullmatch(fold(str(value))) is not None


def like_expression(pattern: str, escape: str) -> str:
    r"""Return the regular expression of a LIKE pattern, for folded text.

    >>> like_expression("50!% of_", "!")
    '50%\\ of.'
    """
    words = []
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            words.append(re.escape(fold(next(letters, escape))))
        elif letter in "%_":
            words.append(".*" if letter == "%" else ".")
        else:
            words.append(re.escape(fold(letter)))
    return "".join(words)
