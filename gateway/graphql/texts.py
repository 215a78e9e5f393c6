"""How much text the arguments of an operation hold, wherever it stands.

A variable is sent once and may stand in hundreds of places, in each of which it is read, escaped and sent to the
database. So it is counted in each: a document holds no more text than a body of REST could.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.graphql.selection import Selected

LITTLE: Final = 1_000
"""Characters of all variables of a document that come to nothing much in as many places as its tokens allow."""


def texts(fields: Iterable[Selected]) -> int:
    """Return how many characters the arguments of some fields hold, and of all fields inside them."""
    known: dict[int, int] = {}
    return sum(_texts_of(each, known) for each in fields)


def _texts_of(selected: Selected, known: dict[int, int]) -> int:
    inside = sum(_texts_of(part, known) for part in selected.parts)
    return inside + sum(text_of(value, known) for value in selected.arguments.values())


def text_of(value: Any, known: dict[int, int]) -> int:
    """Return how many characters a value holds; ``known`` are lists and objects that were counted before."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list | Mapping):
        return 0
    if id(value) not in known:
        items = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = sum(text_of(item, known) for item in items)
    return known[id(value)]
