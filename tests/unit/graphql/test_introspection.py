"""Questions about the schema: which are the same however they are written, and how large they are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from gateway.graphql.introspection import asked_of, introspect, objects_of
from tests.support.small_graphql import small_documents, small_schema

PLAIN = '{ __type(name: "Invoice") { fields(includeDeprecated: true) { name } } }'
SAME: list[tuple[str, dict[str, Any]]] = [
    ('#f1\n{__type(name:"Invoice"),{fields(includeDeprecated:true){name,name}}}', {}),
    ('query Named { __type(name: "Invoice") { ... on __Type { fields(includeDeprecated: true) { name } } } }', {}),
    ('{ __type(name: "Invoice") { ...F } } fragment F on __Type { fields(includeDeprecated: true) { name } }', {}),
    ('{ __type(name: "Invoice") { kind @skip(if: true) fields(includeDeprecated: true) { name } } }', {}),
]
OTHER: list[tuple[str, dict[str, Any]]] = [
    ('{ a: __type(name: "Invoice") { fields(includeDeprecated: true) { name } } }', {}),
    ('{ __type(name: "Client") { fields(includeDeprecated: true) { name } } }', {}),
    ('{ __type(name: "Invoice") { fields(includeDeprecated: true) { n: name } } }', {}),
    ('{ __type(name: "Invoice") { fields(includeDeprecated: true) { name description } } }', {}),
    ('{ __typename __type(name: "Invoice") { fields(includeDeprecated: true) { name } } }', {}),
    ('{ invoices { id } __type(name: "Invoice") { fields(includeDeprecated: true) { name } } }', {}),
]


def asked(text: str, variables: dict[str, Any]) -> Hashable:
    document = small_documents().read(text)
    return asked_of(small_schema(), document, None, variables)


@pytest.mark.parametrize(("text", "variables"), SAME)
def test_the_same_question_in_other_words_is_the_same(text: str, variables: dict[str, Any]) -> None:
    """Comments, names of operations, fragments and what is skipped leave the answer as it is."""
    assert asked(text, variables) == asked(PLAIN, {})


@pytest.mark.parametrize(("text", "variables"), OTHER)
def test_another_question_is_another(text: str, variables: dict[str, Any]) -> None:
    """Each has another answer; what is read of the data beside it counts by its key alone, for it is null here."""
    assert asked(text, variables) != asked(PLAIN, {})
    answers = [introspect(small_schema(), small_documents().read(each), None, {}) for each in (text, PLAIN)]
    assert list(answers[0].items()) != list(answers[1].items())


def test_the_values_of_variables_are_part_of_the_question() -> None:
    """And what is left out is not what is null, or false."""
    fields = "fields(includeDeprecated: $old) { name }"
    text = f"query ($old: Boolean! = true, $name: String!) {{ __type(name: $name) {{ {fields} }} }}"
    base = asked(text, {"name": "Invoice"})

    assert asked(text, {"name": "Invoice", "old": True}) == base
    assert asked(text, {"name": "Invoice", "old": False}) != base
    assert asked(text, {"name": "Client"}) != base


def test_what_is_asked_of_the_data_below_a_field_does_not_matter() -> None:
    """Its key stands in the answer, null until it is read."""
    one, other = (f"{{ invoices{of} {{ __typename }} __schema {{ __typename }} }}" for of in ("", "(limit: 3)"))

    assert asked(one, {}) == asked(other, {})


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("{ invoices { id } }", 0, 0),
        ('{ __type(name: "Invoice") { name } }', 1, 1),
        ('{ __type(name: "Invoice") { fields { name } } }', 500, 1_000),
        ("{ __schema { types { name } } }", 3_000, 10_000),
    ],
)
def test_a_question_has_the_size_of_what_it_may_come_to(text: str, least: int, most: int) -> None:
    """In objects of the largest schema, whatever this one has."""
    assert least <= objects_of(small_documents().read(text), None) <= most
