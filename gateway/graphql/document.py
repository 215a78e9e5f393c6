"""A document that was read: parsed, within the limits that its text alone can pass, and valid for its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode

from gateway.graphql.faults import DocumentError
from gateway.graphql.layouts import Layout
from gateway.graphql.measures import Measured, place_of

_CHARACTERS: Final = 300
"""Characters of a text that take as much as a token: the text is kept, and its strings once more."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text, ready for its operations to be run; ``may_introspect`` says whether its caller may read the schema.

    ``deciding`` are the variables that stand in ``@skip`` and ``@include``. ``layouts`` are those made before, by the
    identity of the operation and the values of these variables.
    """

    node: DocumentNode
    text: str
    tokens: int
    costs: Mapping[OperationDefinitionNode, Measured]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: frozenset[str]
    may_introspect: bool = True
    deciding: tuple[str, ...] = ()
    layouts: dict[tuple[int, tuple[object, ...]], Layout] = field(default_factory=dict, compare=False, repr=False)

    @property
    def operations(self) -> tuple[OperationDefinitionNode, ...]:
        """The operations in the order in which they stand."""
        return tuple(self.costs)

    @property
    def weight(self) -> int:
        """What keeping it takes: its tokens, or its fields wherever fragments are spread, whichever are more.

        Long texts count too: comments and strings are few tokens.
        """
        fields = sum(cost.selections for cost in self.costs.values())
        return max(self.tokens, fields) + len(self.text) // _CHARACTERS

    def measured(self, operation: OperationDefinitionNode) -> Measured:
        """Return what the text of an operation costs, without the library's hash of all that is in it."""
        return next(cost for each, cost in self.costs.items() if each is operation)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation of a name, or without one the only operation.

        Raises:
            DocumentError: ``operation_unknown``, with the names there are.
        """
        found = [each for each in self.costs if not name or (each.name is not None and each.name.value == name)]
        if len(found) == 1:
            return found[0]
        names = [each.name.value for each in self.costs if each.name is not None]
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        if not names:
            detail = "The document has one operation, without a name." if self.costs else "It has no operation."
        elif name:
            detail = f"The document has no operation of that name. It has: {listed}."
        else:
            detail = f"The document has several operations: name one of them, {listed}."
        places = tuple(place for each in found[:10] for place in place_of(each))
        raise DocumentError("operation_unknown", detail, locations=places)
