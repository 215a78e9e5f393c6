"""Random documents over the schema of Perfex: collected as the library collects, refused where the library refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    Undefined,
    coerce_input_literal,
    coerce_input_value,
    get_named_type,
    is_required_input_field,
    parse,
    parse_value,
    validate,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql.coercing import literal_of, value_of
from gateway.graphql.collecting import operation_of
from gateway.graphql.documents import Documents
from gateway.graphql.faults import InvalidDocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.meaning import MEANING
from gateway.graphql.measures import measured
from gateway.graphql.merging import conflicts
from gateway.graphql.schema import build_schema
from gateway.graphql.selection import Cost, Selected
from gateway.graphql.vocabulary import Vocabulary
from tests.support.asking import ALL, context_of
from tests.support.catalogs import perfex_catalog

LIMITS = Limits(tokens=10**6, document_bytes=10**7, depth=50, aliases=10**6, complexity=10**18, selections=10**6)
VARIABLES = {"yes": True, "no": False, "few": 3, "many": 30}
HEAD = "query Q ($yes: Boolean!, $no: Boolean!, $few: Int, $many: Int)"


@cache
def schema() -> GraphQLSchema:
    return build_schema(Vocabulary(context_of(perfex_catalog(), ALL)))


FIELDS = {
    "Query": ("invoices", "clients", "invoices_connection"),
    "Invoice": ("id", "total", "status", "client", "payments", "payments_aggregate"),
    "Client": ("userid", "company", "invoices", "currency"),
    "Payment": ("id", "amount", "invoice"),
}
"""Fields that random documents select: few, so that keys meet."""


@dataclass
class Piece:
    """One selection: a field with its key and arguments, or a fragment (of a type, or without a word of it)."""

    name: str
    type_name: str = ""
    alias: str = ""
    arguments: str = ""
    directives: str = ""
    inner: list[Piece] = field(default_factory=list)

    def __str__(self) -> str:
        called = f"{self.alias}: {self.name}" if self.alias else self.name
        inside = f" {{ {' '.join(map(str, self.inner))} }}" if self.inner else ""
        return f"{called}{self.arguments}{self.directives}{inside}"


DIRECTIVES = ("", "", "", " @skip(if: $yes)", " @skip(if: $no)", " @include(if: $yes)", " @include(if: false)")
ARGUMENTS = ("", "", "(limit: 3)", "(limit: $few)", "(limit: $many)", "(filter: {and: [], or: []})")


def pieces(type_name: str, depth: int) -> st.SearchStrategy[list[Piece]]:
    """Draw the selections of an object, fragments among them."""
    return st.lists(piece(type_name, depth), min_size=1, max_size=4)


@st.composite
def piece(draw: st.DrawFn, type_name: str, depth: int) -> Piece:
    directives = draw(st.sampled_from(DIRECTIVES))
    form = draw(st.sampled_from(("field", "field", "field", "inline", "typed")))
    if form != "field" and depth > 0:
        name = "..." if form == "inline" else f"... on {type_name}"
        return Piece(name, type_name, directives=directives, inner=draw(pieces(type_name, depth - 1)))
    return draw(of_field(type_name, depth, directives))


@st.composite
def of_field(draw: st.DrawFn, type_name: str, depth: int, directives: str) -> Piece:
    object_type = schema().type_map[type_name]
    assert isinstance(object_type, GraphQLObjectType)
    name = draw(st.sampled_from([*FIELDS.get(type_name, ()), "__typename"]))
    alias = draw(st.sampled_from(("", "", "", "a", "b")))
    if name == "__typename":
        return Piece(name, type_name, alias, directives=directives)
    definition = object_type.fields[name]
    arguments = draw(st.sampled_from(ARGUMENTS)) if {"limit", "filter"} <= set(definition.args) else ""
    inner_type = get_named_type(definition.type)
    inner: list[Piece] = []
    if isinstance(inner_type, GraphQLObjectType):
        known = inner_type.name in FIELDS and depth > 0
        inner = draw(pieces(inner_type.name, depth - 1)) if known else [Piece("__typename", inner_type.name)]
    return Piece(name, type_name, alias, arguments, directives, inner)


ROOTS = pieces("Query", 4)


def document_of(found: list[Piece], fragments: str = "") -> str:
    # What declares a variable uses it.
    used = "__typename @skip(if: $yes) @include(if: $no) few: clients(limit: $few) @skip(if: $yes) { __typename }"
    used += " many: clients(limit: $many) @skip(if: $yes) { __typename }"
    return f"{HEAD} {{ {' '.join(map(str, found))} {used} }} {fragments}"


def has_conflicts(text: str) -> bool:
    """Whether ours does."""
    operation, fragments = parts(text)
    return any(conflicts(fragments, operation))


def parts(text: str) -> tuple[OperationDefinitionNode, dict[str, FragmentDefinitionNode]]:
    definitions = parse(text).definitions
    operation = next(each for each in definitions if isinstance(each, OperationDefinitionNode))
    return operation, {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}


def by_the_library(text: str) -> Any:
    """Return what the library's executor would run, as trees of (key, name, arguments, parts)."""
    operation, found = parts(text)
    values = get_variable_values(schema(), operation.variable_definitions or (), VARIABLES)
    assert isinstance(values, VariableValues)
    fragments = {name: FragmentDetails(definition) for name, definition in found.items()}
    root = schema().query_type
    assert root is not None

    def tree(collected: CollectedFields, type_: GraphQLObjectType) -> Any:
        return tuple(one(key, details, type_) for key, details in collected.grouped_field_set.items())

    def one(key: str, details: Any, type_: GraphQLObjectType) -> Any:
        node = details[0].node
        if node.name.value == "__typename":
            return key, "__typename", {}, ()
        definition = type_.fields[node.name.value]
        inner = get_named_type(definition.type)
        below: Any = ()
        if isinstance(inner, GraphQLObjectType):
            below = tree(collect_subfields(schema(), fragments, values, operation, inner, details), inner)
        return key, node.name.value, get_argument_values(definition, node, values), below

    return tree(collect_fields(schema(), fragments, values, root, operation), root)


def as_tree(fields: tuple[Selected, ...]) -> Any:
    return tuple((each.key, each.name, dict(each.arguments), as_tree(each.parts)) for each in fields)


def read(text: str) -> tuple[Any, Cost]:
    operation, cost = operation_of(Documents(schema(), LIMITS, 1).read(text), schema(), "Q", VARIABLES, LIMITS)
    return as_tree(operation.fields), cost


def conflicts_in(text: str) -> bool:
    """Whether the library's rule of merged fields refuses a document."""
    return bool(validate(schema(), parse(text), [OverlappingFieldsCanBeMergedRule]))


@given(ROOTS)
def test_a_document_is_collected_as_the_library_collects_it_or_refused_as_it_refuses(found: list[Piece]) -> None:
    """The same fields in the same order with the same arguments, whatever fragments and directives stand there."""
    text = document_of(found)

    assert has_conflicts(text) == conflicts_in(text)
    if conflicts_in(text):
        with pytest.raises(InvalidDocumentError, match="conflict"):
            read(text)
    else:
        assert read(text)[0] == by_the_library(text)


@given(ROOTS, st.data())
def test_what_a_document_costs_never_depends_on_how_its_fragments_are_cut(
    found: list[Piece], data: st.DataObject
) -> None:
    """Selections moved into fragments, which spread others, and the same ones used again where they stand again."""
    found = without_fragments(found)
    cut: dict[str, str] = {}
    moved = cut_up(found, "Query", lambda: data.draw(st.booleans()), cut)
    whole = document_of(found)
    text = document_of(moved, " ".join(cut.values()))
    one, other = (next(iter(measured(parse(each), LIMITS).values())) for each in (whole, text))

    assert (one.depth, one.aliases) == (other.depth, other.aliases)
    assert conflicts_in(whole) == conflicts_in(text) == has_conflicts(text)
    if not conflicts_in(whole):
        assert read(whole)[0] == read(text)[0] == by_the_library(text)
        assert replace(read(whole)[1], tokens=0) == replace(read(text)[1], tokens=0)


def without_fragments(found: list[Piece]) -> list[Piece]:
    """Return selections with those of fragments in their place, directives left out: they stay at fragments else."""
    flat: list[Piece] = []
    for each in found:
        inner = without_fragments(each.inner)
        flat += inner if each.name.startswith("...") else [replace(each, inner=inner, directives="")]
    return flat


def cut_up(found: list[Piece], type_name: str, is_cut: Callable[[], bool], cut: dict[str, str]) -> list[Piece]:
    """Return selections of which some were moved into fragments; equal ones share a fragment."""
    done: list[Piece] = []
    for each in found:
        inner_type = each.inner[0].type_name if each.inner else ""
        moved = replace(each, inner=cut_up(each.inner, inner_type, is_cut, cut))
        if is_cut():
            text = f"on {type_name} {{ {moved} }}"
            name = next((known for known, body in cut.items() if body.endswith(text)), f"F{len(cut)}")
            cut[name] = f"fragment {name} {text}"
            moved = Piece(f"...{name}", type_name)
        done.append(moved)
    return done


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**33), 2**33),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000),
    st.sampled_from(["", "x", "ASC", "2024-02-29", "1.50", "@today"]),
)
NAMES = ("id", "total_gte", "status_in", "date_between", "duedate_null", "clientid", "nonsense")


def filters() -> st.SearchStrategy[Any]:
    """Draw what a client may send as a filter, right or wrong."""
    leaves = st.dictionaries(st.sampled_from(NAMES), SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
    return st.recursive(
        leaves | SCALARS,
        lambda inner: st.dictionaries(
            st.sampled_from(("and", "or", "not", "client", "payments", "some")),
            inner | st.lists(inner, max_size=2),
            max_size=2,
        ),
        max_leaves=6,
    )


def coerced(value: Any, type_: GraphQLInputType) -> tuple[Any, bool]:
    """Return a value as we coerce it, and whether it had faults."""
    faults: list[str] = []
    found = value_of(value, type_, lambda message, _where, _node: faults.append(message))
    return found, bool(faults)


def literal(value: Any) -> str:
    """Return a value as a document has it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{name}: {literal(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case str():
            return json.dumps(value)
        case None | bool():
            return json.dumps(value)
        case _:
            return format(value, "f") if isinstance(value, Decimal) else str(value)


@given(filters(), st.sampled_from(["InvoiceFilter", "ClientSort", "InvoiceCreate"]))
def test_values_are_coerced_as_the_library_coerces_them(value: Any, name: str) -> None:
    """Or refused where it refuses: in variables, and in documents."""
    type_ = schema().type_map[name]
    assert isinstance(type_, GraphQLInputObjectType)
    expected = coerce_input_value(value, type_)
    found, is_faulty = coerced(value, type_)

    assert is_faulty == (expected is Undefined)
    assert is_faulty or found == expected

    node = parse_value(literal(value))
    expected = coerce_input_literal(node, type_)
    faults: list[str] = []
    found = literal_of(node, type_, None, lambda message, _where, _node: faults.append(message))
    assert bool(faults) == (expected is Undefined)
    assert faults or found == expected


def test_no_input_field_is_required_or_has_a_default() -> None:
    """Coercion looks only at what was sent; it would pass over those."""
    for type_ in schema().type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            for name, each in type_.fields.items():
                assert not is_required_input_field(each), (type_.name, name)
                assert each.default is None, (type_.name, name)
                assert each.default_value is Undefined, (type_.name, name)


def test_every_field_of_an_object_has_a_meaning() -> None:
    """Selections are made of them."""
    for type_ in schema().type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, each in type_.fields.items():
                assert MEANING in each.extensions, (type_.name, name)
