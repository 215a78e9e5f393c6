"""What a query asks of the schema itself: the library answers it, and nothing of the data.

It is work for a thread: a whole schema takes a second. It is done on a schema of its own, made for it and thrown
away: what is lazy in one must not be made by two threads, and so much of it is needed at no other time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema, execute_sync

from gateway.errors import InternalError
from gateway.graphql.document import Document


def introspect(
    schema: GraphQLSchema, document: Document, name: str | None, variables: Mapping[str, object]
) -> dict[str, Any]:
    """Return the fields of a query in order: those about the schema as the library tells them, all others null.

    The document has been validated and its limits checked. What is null has nothing below it that could run.
    """
    result = execute_sync(
        schema,
        document.node,
        field_resolver=lambda *_arguments, **_others: None,
        operation_name=name or None,
        variable_values=dict(variables),
    )
    if result.data is None or result.errors:
        raise InternalError("internal", "The schema could not be told.")
    return result.data
