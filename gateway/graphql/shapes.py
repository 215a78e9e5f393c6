"""How rows become objects of a reply: a small program per selection, made once and run over all rows.

No field has a function of its own. Where rows come as the reply has them (same keys, same order, nothing to
convert) they are the objects, and nothing is done.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of the row under the engine's ``name``; whole numbers of a BigInt that come as numbers become text."""

    name: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class TypeName:
    """The same text in every object: ``__typename``."""

    text: str


@dataclass(frozen=True, slots=True)
class Inside:
    """The row, the rows or the numbers under ``name`` (null, one or a list), each shaped in turn."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Around:
    """An object made of the same row: ``sum { total }`` of a group, whose cells are flat in the row."""

    shape: Shape


Piece = Cell | TypeName | Inside | Around


@dataclass(frozen=True, slots=True)
class Shape:
    """An object's keys in order, each with what it is made of. ``is_plain`` says that rows are so already."""

    pieces: tuple[tuple[str, Piece], ...]
    is_plain: bool = False
