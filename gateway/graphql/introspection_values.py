"""What an operation asks of the schema, worked out many times faster than the library runs it.

The library's executor takes ten seconds for the whole schema of a CRM: every name in it is a field that is resolved.
Here the selections are laid out once, as nested functions around the library's own resolvers; what is said of a type in
one place is said once, however often the type is named. The result is the library's, which a test holds it to.

The document is valid and within its limits. What is not about the schema is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
)
from graphql.execution.values import VariableValues

from gateway.graphql.coercing import arguments_of
from gateway.graphql.layouts import is_included
from gateway.graphql.merging import Fragments, grouped

Tell = Callable[[Any], Any]
"""What is said of one value; None is said of None before it is asked."""

_TYPENAME: Final = "__typename"
_ROOTS: Final[Mapping[str, GraphQLField]] = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


def told(
    schema: GraphQLSchema,
    root: GraphQLObjectType,
    selection_set: SelectionSetNode,
    fragments: Fragments,
    variables: VariableValues,
) -> dict[str, Any]:
    """Return the fields of an operation in order: those about the schema, all others null."""
    return _Teller(schema, fragments, variables).root(root, selection_set)


@dataclass(frozen=True, slots=True)
class _Info:
    """The one thing that the library's resolvers of introspection want to know of a run."""

    schema: GraphQLSchema


class _Teller:
    """Lays out the selections of one operation."""

    def __init__(self, schema: GraphQLSchema, fragments: Fragments, variables: VariableValues) -> None:
        self._info = _Info(schema)
        self._fragments = fragments
        self._variables = variables

    def root(self, root: GraphQLObjectType, selection_set: SelectionSetNode) -> dict[str, Any]:
        """Return the fields of Query or Mutation."""
        found: dict[str, Any] = {}
        for key, nodes in self._grouped([selection_set]).items():
            name = nodes[0].name.value
            if name == _TYPENAME:
                found[key] = root.name
            elif name in _ROOTS:
                found[key] = self._field(_ROOTS[name], nodes)(None)
            else:
                found[key] = None
        return found

    def _grouped(self, sets: list[SelectionSetNode]) -> Mapping[str, list[FieldNode]]:
        return grouped(self._fragments, sets, lambda node: is_included(node, self._variables))

    def _field(self, field: GraphQLField, nodes: list[FieldNode]) -> Tell:
        """What tells one field of a value."""
        arguments, info, resolve = arguments_of(field, nodes[0], self._variables), self._info, field.resolve
        tell = self._of(field.type, nodes)
        assert resolve is not None  # each field of introspection has its own

        def field_of(value: Any) -> Any:
            found = resolve(value, info, **arguments)
            return None if found is None or tell is None else tell(found)

        def leaf_of(value: Any) -> Any:
            return resolve(value, info, **arguments)

        return leaf_of if tell is None else field_of

    def _of(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Tell | None:
        """What tells a value of a type; None where a value is told as it is."""
        if isinstance(type_, GraphQLNonNull):
            return self._of(type_.of_type, nodes)
        if isinstance(type_, GraphQLList):
            return _each(self._of(type_.of_type, nodes))
        if isinstance(type_, GraphQLEnumType):
            return {value.value: name for name, value in type_.values.items()}.__getitem__
        return self._object(type_, nodes) if isinstance(type_, GraphQLObjectType) else None

    def _object(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Tell:
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        parts: list[tuple[str, Tell]] = []
        for key, inner in self._grouped(sets).items():
            name = inner[0].name.value
            if name == _TYPENAME:
                parts.append((key, _always(type_.name)))
            else:
                parts.append((key, self._field(type_.fields[name], inner)))

        def object_of(value: Any) -> dict[str, Any]:
            return {key: tell(value) for key, tell in parts}

        return _once(object_of) if type_.name == "__Type" else object_of


def _each(tell: Tell | None) -> Tell:
    return list if tell is None else lambda values: [tell(value) for value in values]


def _always(text: str) -> Tell:
    return lambda _: text


def _once(tell: Tell) -> Tell:
    """Return what tells each value once, and knows it by its identity: types are no more than what they are."""
    known: dict[int, tuple[object, Any]] = {}

    def once(value: Any) -> Any:
        found = known.get(id(value))
        if found is None:
            found = known[id(value)] = (value, tell(value))  # the value too, so that its identity stays its own
        return found[1]

    return once
