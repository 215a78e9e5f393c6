"""The closed grammar of relationship conditions, text -> guards.

    condition = part { " and " part }
    part      = column "=" constant | column "<>0" | column "is not null"
              | column "in (" constant { "," constant } ")" | "numeric(" column ")"
    constant  = whole number | 'text' | "text"

Profile and whitelist write conditions in it and nothing else is understood, so that
no condition can ever carry SQL. Whether the columns exist is `catalog.build`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.catalog.model import Guard

GRAMMAR: Final = "col=const, col<>0, col is not null, col in (…) and numeric(col), joined by and"

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>-?\d+)|'(?P<single>(?:[^']|'')*)'|\"(?P<double>[^\"]*)\"|(?P<sign><>|[=(),])"
    r"|`(?P<quoted>[^`]+)`)"
)
_WORDS: Final = frozenset(("and", "is", "not", "null", "in"))


class GrammarError(ValueError):
    """A text that does not follow the grammar; ``offset`` counts its characters up to the mistake."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def parse_condition(text: str) -> tuple[Guard, ...]:
    """Return the guards of a condition in the order they stand; an empty text has none.

    >>> [(guard.column, guard.operator) for guard in parse_condition("rel_type='invoice' and rel_id<>0")]
    [('rel_type', 'eq'), ('rel_id', 'nonzero')]
    >>> parse_condition("goal_type in (5, 7)")
    (Guard(column='goal_type', operator='in', values=(5, 7)),)

    Raises:
        GrammarError: the text is not a condition.
    """
    reader = _Reader(text)
    if reader.is_done():
        return ()
    guards = [_guard(reader)]
    while not reader.is_done():
        reader.expect("and")
        guards.append(_guard(reader))
    return tuple(guards)


def _guard(reader: _Reader) -> Guard:
    column = reader.column()
    if column == "numeric" and reader.take("("):
        column = reader.column()
        reader.expect(")")
        return Guard(column, "numeric")
    if reader.take("="):
        return Guard(column, "eq", (reader.constant(),))
    if reader.take("<>"):
        if reader.constant() != 0:
            raise reader.error("only 0 can stand after <>")
        return Guard(column, "nonzero")
    if reader.take("is"):
        reader.expect("not")
        reader.expect("null")
        return Guard(column, "not_null")
    if reader.take("in"):
        return Guard(column, "in", tuple(_members(reader)))
    raise reader.error(f"expected =, <>0, is not null or in (…) after {column}")


def _members(reader: _Reader) -> Iterator[str | int]:
    reader.expect("(")
    yield reader.constant()
    while reader.take(","):
        yield reader.constant()
    reader.expect(")")


class _Reader:
    """The tokens of a condition, read from left to right; words of the grammar in any case."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._position = 0

    def is_done(self) -> bool:
        """Whether everything has been read."""
        return self._position >= len(self._text)

    def error(self, message: str) -> GrammarError:
        """Make the error that stands here."""
        return GrammarError(f"{message}; a condition is made of {GRAMMAR}", self._position)

    def take(self, word: str) -> bool:
        """Step over ``word`` if it comes next."""
        match = _TOKEN.match(self._text, self._position)
        if match is None or (match["sign"] or (match["name"] or "").lower()) != word:
            return False
        self._position = match.end()
        return True

    def expect(self, word: str) -> None:
        """Step over ``word``, which must come next."""
        if not self.take(word):
            raise self.error(f'expected "{word}"')

    def column(self) -> str:
        """Step over the name of a column."""
        match = _TOKEN.match(self._text, self._position)
        name = match and (match["quoted"] or match["name"])
        if match is None or not name or (match["name"] or "").lower() in _WORDS:
            raise self.error("expected the name of a column")
        self._position = match.end()
        return name

    def constant(self) -> str | int:
        """Step over a whole number or a quoted text."""
        match = _TOKEN.match(self._text, self._position)
        if match is not None and match["number"] is not None:
            self._position = match.end()
            return int(match["number"])
        if match is not None and (match["single"] is not None or match["double"] is not None):
            self._position = match.end()
            return match["single"].replace("''", "'") if match["single"] is not None else match["double"]
        raise self.error("expected a whole number or a quoted text")
