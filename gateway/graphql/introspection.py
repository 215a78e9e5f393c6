"""What a query asks of the schema itself; nothing of the data.

A small question is answered at once. A large one is work for a thread, and done on a schema of its own, made for it
and thrown away: what is lazy in one must not be made by two threads, and so much of it is needed at no other time.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from graphql import FieldNode, GraphQLSchema, SelectionSetNode, VariableNode, print_ast
from graphql.execution.values import VariableValues

from gateway.graphql.coercing import variables_of
from gateway.graphql.document import Document
from gateway.graphql.introspection_size import INTROSPECTION
from gateway.graphql.introspection_values import told
from gateway.graphql.layouts import is_included
from gateway.graphql.merging import Fragments, grouped


def introspect(
    schema: GraphQLSchema, document: Document, name: str | None, variables: Mapping[str, object]
) -> dict[str, Any]:
    """Return the fields of a query in order: what they ask of the schema, all others null.

    The document has been validated and its limits checked. What is null has nothing below it that could run.

    Raises:
        DocumentError: ``operation_unknown``, ``variables_invalid``, as whoever read the operation before was told.
    """
    operation = document.operation(name)
    values = variables_of(schema, operation, variables, document.variables)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    return told(schema, root, operation.selection_set, document.fragments, values)


def objects_of(document: Document, name: str | None) -> int:
    """Return how many objects the introspection of an operation may come to."""
    return document.measured(document.operation(name)).introspected


def asked_of(schema: GraphQLSchema, document: Document, name: str | None, variables: Mapping[str, object]) -> Hashable:
    """Return what an operation asks of the schema: equal for all whose answers are the same, however they are written.

    Raises:
        DocumentError: as `introspect`.
    """
    operation = document.operation(name)
    values = variables_of(schema, operation, variables, document.variables)
    return _asked(document.fragments, values, (operation.selection_set,), is_root=True)


def _asked(
    fragments: Fragments, values: VariableValues, sets: Iterable[SelectionSetNode], *, is_root: bool = False
) -> Hashable:
    found: list[Hashable] = []
    for key, nodes in grouped(fragments, sets, lambda node: is_included(node, values)).items():
        name = nodes[0].name.value
        if is_root and name not in INTROSPECTION:  # a field of the data, or the name of the type: not read here
            found.append((key, name == "__typename", (), ()))
            continue
        inner = [node.selection_set for node in nodes if node.selection_set is not None]
        found.append((key, name, _arguments(nodes[0], values), _asked(fragments, values, inner)))
    return tuple(found)


def _arguments(node: FieldNode, values: VariableValues) -> Hashable:
    """The arguments of a field of introspection, which are single values, in the order of their names."""
    given = sorted(node.arguments or (), key=lambda each: each.name.value)
    return tuple(
        (each.name.value, values.coerced.get(each.value.name.value, ...))  # left out is not null
        if isinstance(each.value, VariableNode)
        else (each.name.value, print_ast(each.value))
        for each in given
    )
