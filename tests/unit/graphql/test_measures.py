"""What a document costs by its text alone."""

from __future__ import annotations

import pytest
from graphql import parse

from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import MOST_COUNTED, Limits
from gateway.graphql.measures import Measured, measured


def cost(text: str, limits: Limits | None = None) -> Measured:
    """Return what the first operation costs."""
    return next(iter(measured(parse(text), limits or Limits()).values()))


def refused(text: str, limits: Limits | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        measured(parse(text), limits or Limits())
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a }", Measured(1, 0, 1, 0)),
        ("{ a b: c d: d }", Measured(3, 1, 1, 0)),
        ("{ a { b { c } } d { e } }", Measured(5, 0, 3, 0)),
        ("{ ... { a } ... on Q { b { c } } }", Measured(5, 0, 2, 0)),
        ("{ ...F } fragment F on Q { a { x: b } }", Measured(3, 1, 2, 0)),
        ("{ a { ...F } b { ...F } } fragment F on Q { x: c }", Measured(6, 2, 2, 0)),
        ("{ a __schema { types { name } } }", Measured(4, 0, 1, 2, 4_001)),
        ("{ ...F } fragment F on Q { __type(name: A) { name } }", Measured(3, 0, 1, 1, 1)),
        ("{ ...Missing }", Measured(1, 0, 1, 0)),
    ],
)
def test_fragments_count_wherever_they_are_spread(text: str, expected: Measured) -> None:
    """As if their selections stood there; what is asked of the schema has a depth of its own."""
    assert cost(text) == expected


def test_each_operation_has_its_own_cost() -> None:
    """One document may hold several."""
    found = measured(parse("query A { a } query B { a { b } } fragment F on Q { c }"), Limits())

    assert [(key.name.value if key.name else "", each.depth) for key, each in found.items()] == [("A", 1), ("B", 2)]


@pytest.mark.parametrize(
    ("text", "measure", "paid"),
    [
        ("{" + "a{" * 20 + "b" + "}" * 21, "depth", 21),
        ("{" + "".join(f"a{i}:b " for i in range(1_000)) + "}", "aliases", 1_000),
        ("{" + "a " * 2_001 + "}", "selections", 2_001),
        (
            "".join(f"query Q{i} {{ ...F }} " for i in range(90)) + "fragment F on Q {" + "a " * 30 + "}",
            "selections",
            2_790,
        ),
        ("".join(f"query Q{i} {{ a }} " for i in range(101)), "definitions", 101),
        ("{ ...F } " + "".join(f"fragment F{i} on Q {{ a }} " for i in range(100)), "definitions", 101),
        ("query (" + "".join(f"$a{i}: Int " for i in range(101)) + ") { a }", "variables", 101),
        ("{ a " + "@skip(if: true) " * 201 + "}", "directives", 201),
        ("{ a } " + "".join(f"fragment F{i} on Q @d @d @d {{ a @d }} " for i in range(51)), "directives", 204),
        ("query ($a: Int " + "@d " * 201 + ") { a }", "directives", 201),
        ("{ __schema { types {" + "ofType{" * 20 + "name" + "}" * 23, "introspection_depth", 22),
        ("{ __schema { types { fields { type { fields { name } } } } } }", "introspection", 14_044_001),
    ],
)
def test_what_costs_too_much_is_refused_by_its_measure(text: str, measure: str, paid: int) -> None:
    """Before anything is validated; cost and limit are said."""
    fault = refused(text)

    assert (fault.code, fault.extensions["measure"], fault.extensions["cost"]) == ("query_too_large", measure, paid)


def test_fragments_that_double_each_other_are_a_number_and_never_a_tree() -> None:
    """Sixty of them come to more selections than anybody could hold."""
    bomb = "{ ...F0 }" + "".join(
        f"fragment F{i} on Q {{ a {{ ...F{i + 1} }} b: a {{ ...F{i + 1} }} }}" for i in range(60)
    )

    fault = refused(bomb + "fragment F60 on Q { a }", Limits(depth=1_000, aliases=2**62))

    assert (fault.extensions["measure"], fault.extensions["cost"]) == ("selections", MOST_COUNTED)


def test_a_long_chain_of_fragments_needs_no_deep_stack() -> None:
    """A hundred fragments, each with as many brackets as may be, go deeper than an interpreter would."""
    chain = "".join(f"fragment F{i} on Q {{ {'a { ' * 90} ...F{i + 1} {'} ' * 90} }} " for i in range(98))

    assert refused("{ ...F0 }" + chain + "fragment F98 on Q { a }").extensions["cost"] == 98 * 90 + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ ...A } fragment A on Q { ...A }", "'A' spreads itself."),
        ("{ a } fragment A on Q { b { ...B } } fragment B on Q { ... { ...A } }", "spreads itself by way of"),
        (
            "{ a } " + "".join(f"fragment F{i} on Q {{ ...F{(i + 1) % 90} }}" for i in range(90)),
            "spreads itself by way of",
        ),
    ],
)
def test_fragments_that_spread_themselves_are_refused(text: str, said: str) -> None:
    """Straight, through another, or through ninety: with the place of one of them."""
    fault = refused(text)

    assert fault.code == "graphql_invalid"
    assert said in fault.detail
    assert len(fault.detail) < 200
    assert fault.locations


@pytest.mark.parametrize("text", ["{ }", "{ a { } }", "{ a } fragment F on Q { ... { } }"])
def test_a_selection_of_nothing_is_no_document(text: str) -> None:
    """The parser lets it pass; the standard does not."""
    assert refused(text).code == "graphql_syntax"
