"""The operator table: every operator a filter can name, what it fits and what it takes.

Parsers, planner, documents and explorer all read this one table, so that they
cannot disagree (SPEC section 4, "Filtering").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gateway.catalog.kinds import Kind

Operand = Literal["value", "list", "pair", "text", "boolean"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: its name, what operand it takes and the families of kinds it fits."""

    name: str
    operand: Operand
    families: frozenset[str]
    summary: str

    def fits(self, kind: Kind) -> bool:
        """Whether the operator can be used on fields of a kind."""
        return kind.family in self.families


_ORDERED: Final = frozenset({"number", "text", "moment"})
_COMPARED: Final = frozenset({"number", "text", "moment", "binary"})
_TEXT: Final = frozenset({"text", "list", "document"})
_ANY: Final = frozenset({"number", "text", "moment", "binary", "list", "document"})

_OPERATORS: Final = (
    Operator("eq", "value", _COMPARED, "equals; text follows the column's collation"),
    Operator("ne", "value", _COMPARED, "differs; null does not match"),
    Operator("gt", "value", _ORDERED, "greater than; a day is over when it has passed whole"),
    Operator("gte", "value", _ORDERED, "greater than or equal"),
    Operator("lt", "value", _ORDERED, "less than"),
    Operator("lte", "value", _ORDERED, "less than or equal; a day includes its end"),
    Operator("like", "text", _TEXT, "matches a pattern; % is any text, _ any character"),
    Operator("nlike", "text", _TEXT, "does not match a pattern; null does not match"),
    Operator("contains", "text", _TEXT, "contains the text; % and _ are literal"),
    Operator("ncontains", "text", _TEXT, "does not contain the text; null does not match"),
    Operator("starts", "text", _TEXT, "begins with the text"),
    Operator("ends", "text", _TEXT, "ends with the text"),
    Operator("in", "list", _COMPARED, "is one of a comma list; \\, is a comma"),
    Operator("nin", "list", _COMPARED, "is none of a comma list; null does not match"),
    Operator("between", "pair", _ORDERED, "lies between two values, both included"),
    Operator("null", "boolean", _ANY, "1: has no value; 0: has one"),
    Operator("exact", "value", _COMPARED, "equals byte by byte, whatever the collation"),
)

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType({operator.name: operator for operator in _OPERATORS})
