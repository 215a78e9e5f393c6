"""What a parsed document costs by its text alone: how deep, how wide, under how many other names.

Fragments count wherever they are spread, however they are cut: two documents that lay out to the same operation
cost the same. Everything is linear in the document; what fragments in fragments come to is a number, never a tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.graphql.faults import DocumentError, Place
from gateway.graphql.introspection_size import INTROSPECTION, Introspected
from gateway.graphql.limits import Limits, check


@dataclass(frozen=True, slots=True)
class Measured:
    """What a selection costs: ``depth`` counts selections inside each other, itself too, those of introspection apart.

    ``selections`` are fields and fragments, ``aliases`` fields under another name. ``introspected`` are the objects
    that an operation's introspection may come to.
    """

    selections: int = 0
    aliases: int = 0
    depth: int = 0
    introspection_depth: int = 0
    introspected: int = 0


def place_of(node: Node) -> tuple[Place, ...]:
    """Return where a node begins, nothing for one that stands nowhere."""
    if node.loc is None:  # pragma: no cover - documents are parsed with their places
        return ()
    token = node.loc.start_token
    return ((token.line, token.column),)


def measured(document: DocumentNode, limits: Limits) -> Mapping[OperationDefinitionNode, Measured]:
    """Return what each operation of a document costs, those that cost too much refused.

    Raises:
        DocumentError: ``query_too_large``; ``graphql_invalid`` for fragments that spread themselves;
            ``graphql_syntax`` for a selection of nothing.
    """
    check("definitions", len(document.definitions), limits.definitions)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    _check_directives(document, limits)
    known: dict[str, Measured] = {}
    order = _innermost_first(fragments)
    for name in order:
        known[name] = _measured(fragments[name].selection_set, known)
    found: dict[OperationDefinitionNode, Measured] = {}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            cost = _measured(operation.selection_set, known)
            _check(operation, cost, limits)
            if cost.introspection_depth:
                told = Introspected(fragments, order).objects(operation)
                check("introspection", told, limits.introspection, locations=place_of(operation))
                cost = replace(cost, introspected=told)
            found[operation] = cost
    check("selections", sum(cost.selections for cost in found.values()), limits.selections)
    return found


def _check(operation: OperationDefinitionNode, cost: Measured, limits: Limits) -> None:
    places = place_of(operation)
    check("depth", cost.depth, limits.depth, locations=places)
    check("introspection_depth", cost.introspection_depth, limits.introspection_depth, locations=places)
    check("aliases", cost.aliases, limits.aliases, locations=places)
    check("variables", len(operation.variable_definitions or ()), limits.variables, locations=places)


def _check_directives(document: DocumentNode, limits: Limits) -> None:
    number = 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            number += len(definition.directives or ())
            number += sum(len(each.directives or ()) for each in definition.variable_definitions or ())
            number += sum(len(each.directives or ()) for each in _selections(definition.selection_set))
    check("directives", number, limits.directives)


def deciding(document: DocumentNode) -> tuple[str, ...]:
    """Return the names of the variables that stand in directives of selections, each once."""
    found: set[str] = set()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            for each in _selections(definition.selection_set):
                directives = each.directives or ()
                given = (argument.value for directive in directives for argument in directive.arguments or ())
                found.update(value.name.value for value in given if isinstance(value, VariableNode))
    return tuple(sorted(found))


def _selections(selection_set: SelectionSetNode) -> Iterator[SelectionNode]:
    """Every selection below a set, fragments not laid out."""
    stack = [selection_set]
    while stack:
        within = stack.pop()
        if not within.selections:
            raise DocumentError("graphql_syntax", "A selection of nothing: `{}`.", locations=place_of(within))
        for selection in within.selections:
            yield selection
            inner = getattr(selection, "selection_set", None)
            if inner is not None:
                stack.append(inner)


def _innermost_first(fragments: Mapping[str, FragmentDefinitionNode]) -> tuple[str, ...]:
    """The names of fragments, each after all that it spreads."""
    spread = {
        name: {
            each.name.value
            for each in _selections(fragment.selection_set)
            if isinstance(each, FragmentSpreadNode) and each.name.value in fragments
        }
        for name, fragment in fragments.items()
    }
    try:
        return tuple(TopologicalSorter(spread).static_order())
    except CycleError as error:
        circle = tuple(reversed(error.args[1]))
        by = f" by way of {', '.join(repr(name) for name in circle[1:-1][:5])}" if len(circle) > 2 else ""
        raise DocumentError(
            "graphql_invalid",
            f"The fragment '{circle[0]}' spreads itself{by}.",
            locations=place_of(fragments[circle[0]]),
        ) from None


def _measured(selection_set: SelectionSetNode, known: Mapping[str, Measured]) -> Measured:
    selections = aliases = below = introspected = 0
    for each in selection_set.selections:
        selections += 1
        inner = _inside(each, known)
        if inner is None:
            inner = Measured()
        selections += inner.selections
        aliases += inner.aliases
        introspected = max(introspected, inner.introspection_depth)
        if not isinstance(each, FieldNode):
            below = max(below, inner.depth - 1)
            continue
        aliases += each.alias is not None and each.alias.value != each.name.value
        if each.name.value in INTROSPECTION:
            introspected = max(introspected, inner.depth)
        else:
            below = max(below, inner.depth)
    return Measured(selections, aliases, below + 1, introspected)


def _inside(selection: SelectionNode, known: Mapping[str, Measured]) -> Measured | None:
    if isinstance(selection, FragmentSpreadNode):
        return known.get(selection.name.value)
    assert isinstance(selection, FieldNode | InlineFragmentNode)
    return _measured(selection.selection_set, known) if selection.selection_set is not None else None
