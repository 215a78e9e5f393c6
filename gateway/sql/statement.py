"""A compiled statement: SQL text, where its parameters come from, how its rows are decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.catalog.kinds import Decoder
from gateway.query.plan import Slot, Values


@dataclass(frozen=True, slots=True)
class Constant:
    """A parameter that the catalog fixes (a relationship's ``rel_type``), not a client."""

    value: object


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A parameter that ties the statement to rows read before: the parents of an embed, by their place."""

    place: int


Positions = tuple[int, ...]
"""Places of cells in a row as it is read."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with placeholders, the source of each placeholder, the decoders of its columns.

    ``decoders`` are (position, function) for the columns that need one; ``names``
    are the fields of a row in order, empty for statements that return none.
    ``tagged`` picks the cells that a row's tag is made of, always the table's columns
    in their order; None where the plan asks for no tag. Cells after those of ``names``
    are not shown: ``order`` and ``key`` say where a row's position and its key are,
    ``links`` what each node that comes along takes from it, ``reference`` which parent it belongs
    to, ``currencies`` where a group says over how many it is.
    """

    text: str
    parameters: tuple[Slot | Constant | LinkValue, ...] = ()
    names: tuple[str, ...] = ()
    decoders: tuple[tuple[int, Decoder], ...] = ()
    tagged: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    order: Positions = ()
    key: Positions = ()
    links: tuple[Positions, ...] = ()
    reference: Positions = ()
    currencies: int | None = None

    def bind(self, values: Values, links: Sequence[object] = ()) -> tuple[object, ...]:
        """Return the parameters of one execution, in the order of the placeholders."""
        return tuple(
            [
                values[p] if isinstance(p, int) else links[p.place] if isinstance(p, LinkValue) else p.value
                for p in self.parameters
            ]
        )

    def decode(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return rows as mappings of field names to encodable values."""
        if not self.names:
            return [{} for _ in rows]
        if len(rows) == 1:
            return [self._decode_row(rows[0])]
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        if not columns:
            return []
        # A column at a time: the loop over cells is then the interpreter's own, which takes a third off the cost.
        del columns[len(self.names) :]
        for position, decode in self.decoders:
            cells = columns[position]
            if None in cells:
                columns[position] = [None if cell is None else decode(cell) for cell in cells]
            else:
                columns[position] = map(decode, cells)
        return [dict(zip(self.names, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def _decode_row(self, row: Sequence[Any]) -> dict[str, Any]:
        cells = list(row) if len(row) == len(self.names) else list(row[: len(self.names)])
        for position, decode in self.decoders:
            cell = cells[position]
            if cell is not None:
                cells[position] = decode(cell)
        return dict(zip(self.names, cells, strict=True))
