"""What a query asks of the schema itself; nothing of the data.

It is work for a thread, and done on a schema of its own, made for it and thrown away: what is lazy in one must not
be made by two threads, and so much of it is needed at no other time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema

from gateway.graphql.coercing import variables_of
from gateway.graphql.document import Document
from gateway.graphql.telling import told


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
