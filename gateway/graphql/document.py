"""A document that was read: parsed, within the limits that its text alone can pass, and valid for its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode

from gateway.graphql.faults import DocumentError
from gateway.graphql.measures import Measured, place_of


@dataclass(frozen=True, slots=True)
class Document:
    """One text, ready for its operations to be run; ``may_introspect`` says whether its caller may read the schema."""

    node: DocumentNode
    text: str
    tokens: int
    costs: Mapping[OperationDefinitionNode, Measured]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: frozenset[str]
    may_introspect: bool = True

    @property
    def operations(self) -> tuple[OperationDefinitionNode, ...]:
        """The operations in the order in which they stand."""
        return tuple(self.costs)

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
