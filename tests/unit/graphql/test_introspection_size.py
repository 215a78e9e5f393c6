"""What a document asks of the schema: what tools ask passes, what goes in circles does not."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse

from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.measures import measured
from gateway.graphql.scanning import scan

STANDARD = (
    get_introspection_query(),
    get_introspection_query(descriptions=False),
    get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    ),
)


@pytest.mark.parametrize("text", STANDARD)
def test_what_tools_ask_is_within_the_limits(text: str) -> None:
    """Explorers and generators of code send this, each with some of its options."""
    assert measured(parse(text), Limits())
    assert scan(text).tokens < Limits().tokens


@pytest.mark.parametrize(
    "text",
    [
        '{ __type(name: "Invoice") { fields { name args { name type { name } } type { name ofType { name } } } } }',
        '{ __type(name: "InvoiceFilter") { inputFields { name type { name inputFields { name } } } } }',
        "{ __schema { queryType { fields { name description } } mutationType { fields { name } } } }",
        "{ __schema { types { name kind fields { name type { name } } } directives { name args { name } } } }",
        "{ types { fields { fields { fields { fields { name } } } } } }",
    ],
)
def test_what_people_ask_is_within_the_limits(text: str) -> None:
    """By hand; and fields of rows may have names of introspection's."""
    assert measured(parse(text), Limits())


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { types { fields { type { fields { name } } } } } }",
        "{ __schema { types { inputFields { type { ofType { inputFields { name } } } } } } }",
        '{ __type(name: "A") { fields { type { fields { type { fields { name } } } } } } }',
        '{ __type(name: "A") { fields { type { ofType { fields { type { fields { name } } } } } } } }',
        "{ __schema { types { possibleTypes { fields { args { type { inputFields { name } } } } } } } }",
        "{ __schema { " + "".join(f"t{i}: types {{ fields {{ args {{ name }} }} }} " for i in range(40)) + "} }",
        "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } }"
        " fragment U on __Type { inputFields { name } }",
        "{ __schema { types { ... on __Type { fields { type { fields { name } } } } } } }",
        "{ ...Q } fragment Q on Query { __schema { types { fields { type { fields { name } } } } } }",
    ],
)
def test_what_goes_in_circles_is_refused(text: str) -> None:
    """Whichever way it goes, and however it is cut."""
    with pytest.raises(DocumentError) as caught:
        measured(parse(text), Limits())

    assert caught.value.extensions["measure"] == "introspection"


def test_a_named_type_is_never_behind_more_than_three_others() -> None:
    """So the nine levels that tools ask for count as three."""
    chain = "{ __schema { types { fields { type { " + "ofType { " * 9 + "name" + " }" * 14

    assert measured(parse(chain), Limits(introspection=1 + 4_000 * (1 + 5 * (1 + 4))))
