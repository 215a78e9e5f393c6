"""Documents without a server: texts -> selections, steps and plans, at a fixed moment, with a given access."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from graphql import GraphQLSchema

from gateway.catalog.model import Catalog
from gateway.graphql.collecting import operation_of
from gateway.graphql.documents import Documents
from gateway.graphql.limits import Limits
from gateway.graphql.schema import build_schema
from gateway.graphql.selection import Operation
from gateway.graphql.steps import ChangeStep, Step
from gateway.graphql.translate import step_of
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access
from gateway.query.aggregates import PlannedGroups
from gateway.query.planner import PlannedRead
from tests.support.asking import ALL, context_of, plan_any

LIMITS = Limits(complexity=10**9)
"""Limits that no question of a test comes to."""


@lru_cache(maxsize=8)
def _spoken(catalog: Catalog, access: Access) -> tuple[Vocabulary, GraphQLSchema]:
    vocabulary = Vocabulary(context_of(catalog, access))
    return vocabulary, build_schema(vocabulary)


def vocabulary_of(catalog: Catalog, access: Access = ALL) -> Vocabulary:
    """Return what a caller may name."""
    return _spoken(catalog, access)[0]


def schema_of(catalog: Catalog, access: Access = ALL) -> GraphQLSchema:
    """Return the schema of a caller."""
    return _spoken(catalog, access)[1]


def operation(
    catalog: Catalog, text: str, variables: Mapping[str, Any] | None = None, access: Access = ALL
) -> Operation:
    """Return the operation of a document, its variables filled in."""
    schema = schema_of(catalog, access)
    document = Documents(schema, LIMITS, 1).read(text)
    return operation_of(document, schema, None, variables or {}, LIMITS)[0]


def steps(
    catalog: Catalog, text: str, variables: Mapping[str, Any] | None = None, access: Access = ALL
) -> tuple[Step, ...]:
    """Return what each field of a document asks of the engine."""
    vocabulary = vocabulary_of(catalog, access)
    return tuple(step_of(field, vocabulary) for field in operation(catalog, text, variables, access).fields)


def step(catalog: Catalog, text: str, variables: Mapping[str, Any] | None = None, access: Access = ALL) -> Any:
    """Return what the one field of a document asks of the engine."""
    found = steps(catalog, text, variables, access)
    assert len(found) == 1
    return found[0]


def planned(
    catalog: Catalog, text: str, variables: Mapping[str, Any] | None = None, access: Access = ALL
) -> PlannedRead | PlannedGroups:
    """Return the plan of the one field of a document that reads."""
    found = step(catalog, text, variables, access)
    assert not isinstance(found, ChangeStep)
    return plan_any(catalog, found.intent, access)
