"""A compiled statement: SQL text, where its parameters come from, how its rows are decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.catalog.kinds import Decoder
from gateway.query.plan import Slot, Values


@dataclass(frozen=True, slots=True)
class Constant:
    """A parameter that the catalog fixes (a relationship's ``rel_type``), not a client."""

    value: object


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with placeholders, the source of each placeholder, the decoders of its columns.

    ``decoders`` are (position, function) for the columns that need one; ``names``
    are the fields of a row in order, empty for statements that return none.
    """

    text: str
    parameters: tuple[Slot | Constant, ...] = ()
    names: tuple[str, ...] = ()
    decoders: tuple[tuple[int, Decoder], ...] = ()

    def bind(self, values: Values) -> tuple[object, ...]:
        """Return the parameters of one execution, in the order of the placeholders."""
        return tuple(values[p] if isinstance(p, int) else p.value for p in self.parameters)

    def decode(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return rows as mappings of field names to encodable values."""
        names, decoders = self.names, self.decoders
        decoded = []
        for row in rows:
            cells = list(row)
            for position, decode in decoders:
                cell = cells[position]
                if cell is not None:
                    cells[position] = decode(cell)
            decoded.append(dict(zip(names, cells, strict=True)))
        return decoded
