"""A document, the name of one of its operations and variables -> what that operation selects, and what it costs.

Fragments are laid out, what is skipped is left out, fields of one key are merged: what comes out is a tree of
`Selected` in which nothing of the document is left. The document is valid and within its limits, so the tree is too.

Source: GraphQL, October 2021, sections 6.1 "Executing Requests" and 6.3.2 "Field Collection".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from graphql import (
    FieldNode,
    GraphQLDirective,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import VariableValues

from gateway.errors import ForbiddenError
from gateway.graphql.coercing import arguments_of, variables_of
from gateway.graphql.complexity import complexity
from gateway.graphql.document import Document
from gateway.graphql.introspected import INTROSPECTION
from gateway.graphql.limits import Limits, check
from gateway.graphql.meaning import MEANING
from gateway.graphql.measures import place_of
from gateway.graphql.merging import grouped
from gateway.graphql.selection import Cost, Operation, Selected

ATOMIC: Final = "atomic"
"""The directive of a mutation whose fields are one transaction."""

_TYPENAME: Final = "__typename"


def operation_of(
    document: Document, schema: GraphQLSchema, name: str | None, variables: Mapping[str, Any], limits: Limits
) -> tuple[Operation, Cost]:
    """Return what one operation of a document selects, and what it costs.

    ``name`` may be None or empty where the document has one operation. Numbers of ``variables`` keep their digits.

    Raises:
        DocumentError: ``operation_unknown``, ``variables_invalid``, ``query_too_large``.
        InvalidDocumentError: ``variables_invalid``, with several faults.
        ForbiddenError: ``introspection_off``.
    """
    node = document.operation(name)
    values = variables_of(schema, node, variables, document.variables)
    root = schema.get_root_type(node.operation)
    assert root is not None
    fields, introspected = _Collector(document, values).root(root, node.selection_set)
    if introspected and not document.may_introspect:
        raise ForbiddenError("introspection_off", "The schema is not told here; `__typename` is.")
    measured = document.costs[node]
    cost = Cost(document.tokens, measured.depth, measured.aliases, complexity(fields))
    check("complexity", cost.complexity, limits.complexity, locations=place_of(node))
    kind: Literal["query", "mutation"] = "mutation" if root is schema.mutation_type else "query"
    is_atomic = any(each.name.value == ATOMIC for each in node.directives or ())
    called = node.name.value if node.name is not None else ""
    return Operation(kind, fields, called, is_atomic, introspected), cost


class _Collector:
    """Collects for one operation with its variables."""

    def __init__(self, document: Document, variables: VariableValues) -> None:
        self._fragments = document.fragments
        self._variables = variables

    def root(self, type_: GraphQLObjectType, selection_set: SelectionSetNode) -> tuple[tuple[Selected, ...], bool]:
        """Return the fields of Query or Mutation but introspection, and whether there is some."""
        found: list[Selected] = []
        introspected = False
        for key, nodes in grouped(self._fragments, (selection_set,), self._is_included).items():
            if nodes[0].name.value in INTROSPECTION:
                introspected = True
            else:
                found.append(self._selected(type_, key, nodes))
        return tuple(found), introspected

    def _parts(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> tuple[Selected, ...]:
        sets = (node.selection_set for node in nodes if node.selection_set is not None)
        found = grouped(self._fragments, sets, self._is_included)
        return tuple(self._selected(type_, key, nodes) for key, nodes in found.items())

    def _selected(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Selected:
        node = nodes[0]
        name = node.name.value
        ((line, column),) = place_of(node)
        if name == _TYPENAME:
            return Selected(key, name, None, scalar="String", line=line, column=column)
        field: GraphQLField = parent.fields[name]
        type_ = get_named_type(field.type)
        is_object = isinstance(type_, GraphQLObjectType)
        return Selected(
            key,
            name,
            field.extensions[MEANING],
            type_name=type_.name if is_object else "",
            scalar="" if is_object else type_.name,
            arguments=arguments_of(field, node, self._variables),
            parts=self._parts(type_, nodes) if isinstance(type_, GraphQLObjectType) else (),
            line=line,
            column=column,
        )

    def _is_included(self, node: SelectionNode) -> bool:
        return is_included(node, self._variables)


def is_included(node: SelectionNode, variables: VariableValues) -> bool:
    """Whether neither ``@skip`` nor ``@include`` leaves a selection out."""
    if not node.directives:
        return True
    return not _holds(GraphQLSkipDirective, node, variables, default=False) and _holds(
        GraphQLIncludeDirective, node, variables, default=True
    )


def _holds(directive: GraphQLDirective, node: SelectionNode, variables: VariableValues, *, default: bool) -> bool:
    for each in node.directives or ():
        if each.name.value == directive.name:
            return bool(arguments_of(directive, each, variables)["if"])
    return default
