"""An operation -> all of it that no variable changes, worked out once for all requests.

Fragments are laid out, what is skipped is left out, fields of one key are merged, literals are coerced. What is left
for each request is to fill in its variables. A field without any, and below which there are none, stays the very same
object, so that what is made of it can be kept too (`Selected.once`).

Source: GraphQL, October 2021, section 6.3.2 "Field Collection".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    FieldNode,
    GraphQLDirective,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.values import VariableValues

from gateway.graphql.coercing import arguments_of
from gateway.graphql.introspection_size import INTROSPECTION
from gateway.graphql.meaning import MEANING
from gateway.graphql.measures import place_of
from gateway.graphql.merging import Fragments, grouped
from gateway.graphql.selection import Selected

_TYPENAME: Final = "__typename"
_NO_VALUES: Final = VariableValues({}, {})


@dataclass(frozen=True, slots=True)
class Laid:
    """One field: ``selected`` is complete but for the arguments that are ``open`` and the parts that have such.

    ``inside`` are its parts where one of them is open, and empty where they are those of ``selected``.
    """

    selected: Selected
    node: FieldNode
    field: GraphQLField | None
    open: frozenset[str] = frozenset()
    inside: tuple[Laid, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether no variable changes it."""
        return not self.open and not self.inside

    def filled(self, variables: VariableValues) -> Selected:
        """Return the field with the values of variables.

        Raises:
            DocumentError: as `coercing.arguments_of`.
        """
        known = self.selected
        if self.is_fixed:
            return known
        arguments = known.arguments
        if self.open:
            assert self.field is not None
            arguments = {**arguments, **arguments_of(self.field, self.node, variables, self.open)}
        return Selected(
            known.key,
            known.name,
            known.meaning,
            known.type_name,
            known.scalar,
            arguments,
            tuple(part.filled(variables) for part in self.inside) if self.inside else known.parts,
            known.line,
            known.column,
            None if self.inside else known.memory,
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of Query or Mutation but introspection, and whether there is some.

    ``size`` counts the fields of all depths.
    """

    fields: tuple[Laid, ...]
    introspected: bool
    size: int


def laid_out(
    fragments: Fragments, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: VariableValues
) -> Layout:
    """Return the layout of an operation.

    Of ``variables`` only those matter that stand in its ``@skip`` and ``@include``.

    Raises:
        DocumentError: as `coercing.arguments_of`, for a directive.
    """
    root = schema.get_root_type(operation.operation)
    assert root is not None
    return _Layer(fragments, variables).layout(root, operation.selection_set, is_given=root is schema.mutation_type)


class _Layer:
    """Lays one operation out."""

    def __init__(self, fragments: Fragments, variables: VariableValues) -> None:
        self._fragments = fragments
        self._variables = variables
        self._size = 0

    def layout(self, root: GraphQLObjectType, selection_set: SelectionSetNode, *, is_given: bool) -> Layout:
        found: list[Laid] = []
        introspected = False
        for key, nodes in self._grouped((selection_set,)).items():
            if nodes[0].name.value in INTROSPECTION:
                introspected = True
            else:
                found.append(self._laid(root, key, nodes, is_given=is_given))
        return Layout(tuple(found), introspected, self._size)

    def _laid(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], *, is_given: bool = False) -> Laid:
        """One field; values that ``is_given`` away, to be written, are made anew for each request."""
        self._size += 1
        node = nodes[0]
        name = node.name.value
        ((line, column),) = place_of(node)
        if name == _TYPENAME:
            return Laid(Selected(key, name, None, scalar="String", line=line, column=column), node, None)
        field: GraphQLField = parent.fields[name]
        type_ = get_named_type(field.type)
        is_object = isinstance(type_, GraphQLObjectType)
        inside = self._inside(type_, nodes) if isinstance(type_, GraphQLObjectType) else ()
        is_fixed = all(part.is_fixed for part in inside)
        open_ = frozenset(field.args) if is_given else _open(node)
        selected = Selected(
            key,
            name,
            field.extensions[MEANING],
            type_name=type_.name if is_object else "",
            scalar="" if is_object else type_.name,
            arguments=arguments_of(field, node, _NO_VALUES, field.args.keys() - open_),
            parts=tuple(part.selected for part in inside) if is_fixed else (),
            line=line,
            column=column,
            memory={} if is_object and is_fixed else None,
        )
        return Laid(selected, node, field, open_, () if is_fixed else inside)

    def _inside(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> tuple[Laid, ...]:
        found = self._grouped(node.selection_set for node in nodes if node.selection_set is not None)
        return tuple(self._laid(type_, key, nodes) for key, nodes in found.items())

    def _grouped(self, sets: Iterable[SelectionSetNode]) -> Mapping[str, list[FieldNode]]:
        return grouped(self._fragments, sets, lambda node: is_included(node, self._variables))


def _open(node: FieldNode) -> frozenset[str]:
    """The arguments of a field that hold variables."""
    return frozenset(each.name.value for each in node.arguments or () if _holds_variable(each.value))


def _holds_variable(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode(values=values):
            return any(map(_holds_variable, values))
        case ObjectValueNode(fields=fields):
            return any(_holds_variable(each.value) for each in fields)
        case _:
            return False


def is_included(node: SelectionNode, variables: VariableValues) -> bool:
    """Whether neither ``@skip`` nor ``@include`` leaves a selection out."""
    if not node.directives:
        return True
    return not _holds(GraphQLSkipDirective, node, variables, default=False) and _holds(
        GraphQLIncludeDirective, node, variables, default=True
    )


def _holds(directive: GraphQLDirective, node: SelectionNode, variables: VariableValues, *, default: bool) -> bool:
    for each in node.directives or ():
        if each.name.value == directive.name:
            return bool(arguments_of(directive, each, variables)["if"])
    return default
