"""A document, the name of one of its operations and variables -> what that operation selects, and what it costs.

What comes out is a tree of `Selected` in which nothing of the document is left. The document is valid and within its
limits, so the tree is too. What no variable changes is worked out once for each operation (`layouts`).

Source: GraphQL, October 2021, section 6.1 "Executing Requests".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from graphql import GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from gateway.errors import ForbiddenError
from gateway.graphql.coercing import variables_of
from gateway.graphql.complexity import complexity
from gateway.graphql.document import Document
from gateway.graphql.layouts import Layout, laid_out
from gateway.graphql.limits import Limits, check
from gateway.graphql.measures import place_of
from gateway.graphql.selection import Cost, Operation
from gateway.graphql.texts import LITTLE, text_of, texts
from gateway.graphql.writing import written

ATOMIC: Final = "atomic"
"""The directive of a mutation whose fields are one transaction."""


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
    layout = _layout(document, schema, node, values)
    fields = tuple(laid.filled(values) for laid in layout.fields)
    if layout.introspected and not document.may_introspect:
        raise ForbiddenError("introspection_off", "The schema is not told here; `__typename` is.")
    check("written", written(fields), limits.written, locations=place_of(node))
    if text_of(values.coerced, {}) > LITTLE:
        check("texts", texts(fields), limits.texts, locations=place_of(node))
    measured = document.measured(node)
    cost = Cost(document.tokens, measured.depth, measured.aliases, complexity(fields))
    check("complexity", cost.complexity, limits.complexity, locations=place_of(node))
    kind: Literal["query", "mutation"] = "mutation" if node.operation is OperationType.MUTATION else "query"
    is_atomic = any(each.name.value == ATOMIC for each in node.directives or ())
    called = node.name.value if node.name is not None else ""
    return Operation(kind, fields, called, is_atomic, layout.introspected), cost


def _layout(
    document: Document, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: VariableValues
) -> Layout:
    """The layout of an operation for what its ``@skip`` and ``@include`` say, kept as far as its document may weigh."""
    key = (id(operation), tuple(variables.coerced.get(name) for name in document.deciding))
    found = document.layouts.get(key)
    if found is None:
        found = laid_out(document.fragments, schema, operation, variables)
        if sum(each.size for each in document.layouts.values()) + found.size <= document.weight:
            document.layouts[key] = found
    return found
