"""What is asked of the schema: told as the library tells it, to the letter, and fast enough for a whole CRM."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, execute_sync, get_introspection_query

from gateway.graphql.documents import Documents
from gateway.graphql.introspection import introspect
from gateway.graphql.limits import Limits
from gateway.graphql.schema import build_schema as gateways_schema
from gateway.graphql.vocabulary import Vocabulary
from tests.support.asking import context_of
from tests.support.catalogs import exposure_of, perfex_catalog

EVERY_KIND = build_schema(
    """
    "What is in it."
    schema { query: Query mutation: Mutation }
    "Says more." directive @more(of: [Int!]! = [1, 2], old: Int @deprecated) repeatable on FIELD | QUERY
    scalar Url @specifiedBy(url: "https://example.com/url")
    interface Named { name: String }
    type Person implements Named { name: String, age: Int @deprecated(reason: "Nobody asks."), friends(first: Int = 3,
        old: Int @deprecated(reason: "Use first."), like: Like = {hue: RED, sizes: [1]}): [[Person!]!]! }
    type Thing implements Named { name: String, at: Url }
    union Found = Person | Thing
    enum Hue { RED "Like the sea." BLUE PINK @deprecated }
    input Like { hue: Hue = BLUE, sizes: [Int!], old: Boolean = false @deprecated(reason: "Gone.") }
    input One @oneOf { a: Int, b: String }
    type Query { find(one: One, text: String = "a \\"b\\""): [Found!], hello: String }
    type Mutation { change(like: Like!): Person }
    """
)

STANDARD = [
    get_introspection_query(),
    get_introspection_query(descriptions=False),
    get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    ),
]
ODD: list[tuple[str, dict[str, Any]]] = [
    ("{ __typename hello again: hello __schema { __typename queryType { __typename name } } }", {}),
    ("{ __typename __schema { mutationType { name } subscriptionType { name } } }", {}),
    ('{ a: __type(name: "Hue") { name kind } b: __type(name: "Nothing") { name } }', {}),
    ("query ($name: String!) { __type(name: $name) { name kind isOneOf inputFields { name } } }", {"name": "One"}),
    (
        'query ($old: Boolean = false) { __type(name: "Person") { fields(includeDeprecated: $old) { name } } }',
        {"old": True},
    ),
    ('query ($old: Boolean = true) { __type(name: "Hue") { enumValues(includeDeprecated: $old) { name } } }', {}),
    ('{ __type(name: "Found") { possibleTypes { name } fields { name } } }', {}),
    ('{ __type(name: "Named") { possibleTypes { kind name } interfaces { name } } }', {}),
    ('{ __type(name: "Person") { interfaces { name } fields { args { name } args { defaultValue } } } }', {}),
    (
        'query ($no: Boolean!) { __type(name: "Like") { name @skip(if: $no) kind @include(if: $no) '
        "... @skip(if: $no) { description } ...F @include(if: $no) } } "
        "fragment F on __Type { inputFields { n: name type { ...G } } } fragment G on __Type { kind ofType { name } }",
        {"no": True},
    ),
    ("{ __schema { directives { name isRepeatable locations args(includeDeprecated: true) { defaultValue } } } }", {}),
    ("mutation { __typename change(like: {}) { name } }", {}),
    ("{ ...Q } fragment Q on Query { ... on Query { __schema { types { name specifiedByURL } } } hello }", {}),
]


def by_library(schema: GraphQLSchema, text: str, variables: dict[str, Any]) -> Any:
    """Return what the library says, with nothing behind the fields of Query and Mutation."""
    node = Documents(schema, Limits(), 10).read(text, is_admin=True).node
    result = execute_sync(schema, node, field_resolver=lambda *_, **__: None, variable_values=variables)
    assert result.errors is None
    return result.data


def here(schema: GraphQLSchema, text: str, variables: dict[str, Any]) -> Any:
    return introspect(schema, Documents(schema, Limits(), 10).read(text, is_admin=True), None, variables)


@pytest.mark.parametrize(("text", "variables"), [*((text, {}) for text in STANDARD), *ODD])
def test_every_kind_of_type_is_told_as_the_library_tells_it(text: str, variables: dict[str, Any]) -> None:
    """Defaults, deprecations, wrapped types, directives; aliases, fragments, what is skipped; in the same order."""
    due = by_library(EVERY_KIND, text, variables)

    assert repr(here(EVERY_KIND, text, variables)) == repr(due)


def test_the_gateways_schema_is_told_as_the_library_tells_it() -> None:
    """Whole: explorers and generators of code read all of it. (Of three tables here, for the library is slow.)"""
    catalog = perfex_catalog(exposure_of("clients", "countries", "taxes"))
    schema = gateways_schema(Vocabulary(context_of(catalog)))

    assert repr(here(schema, STANDARD[-1], {})) == repr(by_library(schema, STANDARD[-1], {}))


def test_a_type_that_is_named_often_is_told_once() -> None:
    """Most of a schema is names of types: this is what makes it fast, and small in memory."""
    text = "{ __schema { types { fields { type { name kind } } } } }"
    types = here(EVERY_KIND, text, {})["__schema"]["types"]
    strings = [field["type"] for type_ in types for field in type_["fields"] or () if field["type"]["name"] == "String"]

    assert len(strings) > 3
    assert all(each is strings[0] for each in strings)
