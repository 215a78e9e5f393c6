"""The size of a text in tokens, before anything is parsed: in time linear in its length, whatever stands there.

The parser takes some microseconds for each token and each comment, so they are counted first; a text that is no
document is counted too, and refused by the parser.

Source: GraphQL, October 2021, section 2.1 "Source Text".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# A string that is never closed runs to the end of its line, a block string to the end of the text: nothing is
# looked at twice.
_TOKENS: Final = re.compile(
    r'"""(?:[^"\\]|\\(?:""")?|"(?!""))*+(?:""")?'
    r'|"(?:[^"\\\n\r]|\\[^\n\r])*+"?'
    r"|#[^\n\r]*+"
    r"|[_A-Za-z][_0-9A-Za-z]*+"
    r"|-?[0-9](?:[0-9.]|[eE][+-]?)*+"
    r"|\.\.\."
    r"|[^\s,\ufeff]"
)
_OPENING: Final = frozenset("{[(")
_CLOSING: Final = frozenset("}])")


@dataclass(frozen=True, slots=True)
class Scanned:
    """How many tokens and comments a text has, and how many brackets stand inside each other."""

    tokens: int
    nesting: int


def scan(text: str) -> Scanned:
    """Return the size of a text.

    >>> scan('{ invoices(filter: {total_gte: 1.5}) { id } } # all')
    Scanned(tokens=16, nesting=3)
    """
    tokens = _TOKENS.findall(text)
    nesting = deepest = 0
    for token in tokens:
        if token in _OPENING:
            nesting += 1
            deepest = max(deepest, nesting)
        elif token in _CLOSING:
            nesting -= 1
    return Scanned(len(tokens), deepest)
