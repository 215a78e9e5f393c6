"""How many objects an introspection may come to: what a document asks of the schema itself.

The types of a schema lead to each other in circles, and a list of types stands at the beginning, so a short text can
ask for millions. The numbers are those of the whole Perfex schema, rounded up: below ``types`` what a type has on
the average, elsewhere what the largest one has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from gateway.graphql.limits import MOST_COUNTED

_TYPES: Final = 4_000
_ON_AVERAGE: Final = {"fields": 5, "inputFields": 25, "args": 1, "enumValues": 1, "directives": 8}
_AT_MOST: Final = {"fields": 700, "inputFields": 800, "args": 8, "enumValues": 30, "directives": 8}
_OF_SAME_TYPE: Final = frozenset({"fields", "inputFields", "args", "enumValues"})
_WRAPPERS: Final = 3
"""Types around a named one, as in ``[Invoice!]!``: ``ofType`` leads no further."""

INTROSPECTION: Final = frozenset({"__schema", "__type"})
"""The fields of Query that read the schema."""

Place = tuple[bool, int] | None
"""Whether the type is one of ``types``, and how often ``ofType`` was followed; None outside the schema."""

_PLACES: Final[tuple[Place, ...]] = (
    None,
    *((is_listed, wrapped) for is_listed in (False, True) for wrapped in range(_WRAPPERS + 1)),
)


class Introspected:
    """What the operations of one document ask of the schema; ``order`` names its fragments, the innermost first."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], order: tuple[str, ...]) -> None:
        self._known: dict[tuple[str, Place], int] = {}
        for name in order:
            for place in _PLACES:
                self._known[name, place] = self._objects(fragments[name].selection_set, place)

    def objects(self, operation: OperationDefinitionNode) -> int:
        """Return how many objects the introspection of an operation may come to; counting ends at `MOST_COUNTED`."""
        return self._objects(operation.selection_set, None)

    def _objects(self, selection_set: SelectionSetNode, place: Place) -> int:
        return min(sum(self._below(each, place) for each in selection_set.selections), MOST_COUNTED)

    def _below(self, selection: SelectionNode, place: Place) -> int:
        if isinstance(selection, FragmentSpreadNode):
            return self._known.get((selection.name.value, place), 0)
        if isinstance(selection, InlineFragmentNode):
            return self._objects(selection.selection_set, place)
        assert isinstance(selection, FieldNode)
        if selection.selection_set is None:
            return 0
        number, inner = _entries(selection.name.value, place)
        return number * (1 + self._objects(selection.selection_set, inner)) if number else 0


def _entries(name: str, place: Place) -> tuple[int, Place]:
    """How many objects stand under a field, and where they stand."""
    if place is None:
        return (1, (False, 0)) if name in INTROSPECTION else (0, None)
    is_listed, wrapped = place
    if name == "types":
        return _TYPES, (True, 0)
    if name == "ofType":
        return int(wrapped < _WRAPPERS), (False, wrapped + 1)
    number = (_ON_AVERAGE if is_listed else _AT_MOST).get(name, 1)
    return number, (is_listed and name in _OF_SAME_TYPE, 0)
