"""How rows become objects of a reply: a small program per selection, made once and run over all rows.

No field has a function of its own. Where rows come as the reply has them (same keys, same order, nothing to
convert) they are the objects, and nothing is done. Rows are never changed in place: one row may stand in
several places of a reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

Row = Mapping[str, Any]
_Rows = Callable[[Sequence[Row]], list[dict[str, Any]]]


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
    """The row, the rows or the numbers under ``name`` (null, one or a list), each shaped in turn.

    ``is_sized`` says that the client named how many rows of a list there may be: where there are more, it knows.
    """

    name: str
    shape: Shape
    is_sized: bool = False


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
    _shaped: _Rows = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shaped", _program(self.pieces))

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows as objects: the very same list where they are plain."""
        return rows if self.is_plain else self._shaped(rows)

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row as an object."""
        return row if self.is_plain else self._shaped((row,))[0]


def _program(pieces: Sequence[tuple[str, Piece]]) -> _Rows:
    """Return the function that makes objects: all cells of a row at once, then what is converted, column by column."""
    taken = [(key, piece) for key, piece in pieces if isinstance(piece, Cell | Inside)]
    keys, names = tuple(key for key, _ in taken), [piece.name for _, piece in taken]
    converted = [(key, convert) for key, piece in taken if (convert := _conversion(piece)) is not None]
    around = [(key, piece.shape) for key, piece in pieces if isinstance(piece, Around)]
    blank = {key: piece.text if isinstance(piece, TypeName) else None for key, piece in pieces}
    cells = _cells(names)
    is_whole = len(keys) == len(blank)

    def shaped(rows: Sequence[Row]) -> list[dict[str, Any]]:
        if is_whole:
            made = [dict(zip(keys, cells(row), strict=True)) for row in rows]
        else:
            made = [blank | dict(zip(keys, cells(row), strict=True)) for row in rows]
        for key, convert in converted:
            for each in made:
                each[key] = convert(each[key])
        for key, shape in around:
            for each, inner in zip(made, shape._shaped(rows), strict=True):
                each[key] = inner
        return made

    return shaped


def _cells(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """Return the function that takes some values out of a row."""
    if not names:
        return lambda row: ()
    if len(names) == 1:
        name = names[0]
        return lambda row: (row[name],)
    return itemgetter(*names)


def _conversion(piece: Cell | Inside) -> Callable[[Any], Any] | None:
    """Return what makes a value of the reply from one of the row; None where it is one."""
    if isinstance(piece, Cell):
        return _text if piece.is_text else None
    if piece.shape.is_plain:
        return None
    shaped = piece.shape._shaped

    def convert(value: Any) -> Any:
        if value is None:
            return None
        return shaped(value) if isinstance(value, list) else shaped((value,))[0]

    return convert


def _text(value: Any) -> Any:
    return None if value is None else str(value)


def places_of(shape: Shape, names: Sequence[str | int]) -> Iterator[tuple[str | int, ...]]:
    """Yield where in an object a list stands that is at a place of its row: several where it was selected twice.

    Lists whose size the client named are not among them.

    >>> inner = Shape((("paid", Inside("payments", Shape((("id", Cell("id")),)))),))
    >>> list(places_of(Shape((("for", Inside("client", inner)),)), ("client", 0, "payments")))
    [('for', 0, 'paid')]
    """
    if not names:
        yield ()
        return
    first, rest = names[0], names[1:]
    if isinstance(first, int):
        yield from ((first, *place) for place in places_of(shape, rest))
        return
    for key, piece in shape.pieces:
        match piece:
            case Inside(name=name, shape=inner) if name == first and (rest or not piece.is_sized):
                yield from ((key, *place) for place in places_of(inner, rest))
            case Around(shape=inner):
                yield from ((key, *place) for place in places_of(inner, names))
            case _:
                pass


# What is around the rows of a page


@dataclass(frozen=True, slots=True)
class Told:
    """Something of the page or of its row: ``totalCount``, ``hasNextPage``, ``cursor``."""

    name: str


@dataclass(frozen=True, slots=True)
class Framed:
    """An object of the gateway's own: ``pageInfo``."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Nodes:
    """The rows of the page."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Edges:
    """The rows of the page, each in an object of its own with its cursor: pieces are `Told`, `TypeName`, `Nodes`."""

    frame: Frame


FramePiece = Told | TypeName | Framed | Nodes | Edges


@dataclass(frozen=True, slots=True)
class Frame:
    """The keys of a page's object in order, each with what it is made of."""

    pieces: tuple[tuple[str, FramePiece], ...]

    def told(self) -> Iterator[str]:
        """Yield the names of what is told of the page and of its rows, ``nodes`` for the rows themselves."""
        for _, piece in self.pieces:
            match piece:
                case Told(name=name):
                    yield name
                case Framed(frame=inside) | Edges(frame=inside):
                    yield from inside.told()
                    if isinstance(piece, Edges):
                        yield "nodes"
                case Nodes():
                    yield "nodes"
                case TypeName():
                    pass


EMPTY: Final = Shape(())
"""The shape of rows of which nothing is selected."""
