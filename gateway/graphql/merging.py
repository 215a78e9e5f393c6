"""Fields of one key of the reply: which they are, and whether they ask for the same.

Every type of our schemas that has fields is an object type, and a fragment on another type than the one where it
is spread is refused. So fields of one key can be merged when they have the same name and equal arguments and what
they select can be merged in turn; no pair of fields is compared twice. (The library's rule compares all pairs.)

Source: GraphQL, October 2021, section 5.3.2 "Field Selection Merging".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from gateway.graphql.faults import DocumentError
from gateway.graphql.measures import place_of

Fragments = Mapping[str, FragmentDefinitionNode]
Grouped = Mapping[str, list[FieldNode]]


def grouped(
    fragments: Fragments, selection_sets: Iterable[SelectionSetNode], is_included: Callable[[SelectionNode], bool]
) -> Grouped:
    """Return the fields of one object by their keys in the reply, fragments laid out, in the order they stand.

    Source: GraphQL, October 2021, section 6.3.2 "Field Collection".
    """
    found: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    stack = [iter(each.selections) for each in reversed(tuple(selection_sets))]
    while stack:
        each = next(stack[-1], None)
        if each is None:
            stack.pop()
        elif not is_included(each):
            continue
        elif isinstance(each, FieldNode):
            found.setdefault((each.alias or each.name).value, []).append(each)
        elif isinstance(each, InlineFragmentNode):
            stack.append(iter(each.selection_set.selections))
        elif isinstance(each, FragmentSpreadNode) and each.name.value not in spread:
            spread.add(each.name.value)
            stack.append(iter(fragments[each.name.value].selection_set.selections))
    return found


def conflicts(fragments: Fragments, operation: OperationDefinitionNode) -> Iterator[DocumentError]:
    """Yield the fields of a valid operation that have one key and ask for different things."""
    arguments: dict[int, object] = {}
    stack: list[tuple[SelectionSetNode, ...]] = [(operation.selection_set,)]
    while stack:
        for key, nodes in grouped(fragments, stack.pop(), lambda _: True).items():
            first = nodes[0]
            for other in nodes[1:]:
                reason = _difference(first, other, arguments)
                if reason is not None:
                    yield _conflict(key, reason, first, other)
            inner = tuple(node.selection_set for node in nodes if node.selection_set is not None)
            if inner:
                stack.append(inner)


def _difference(one: FieldNode, other: FieldNode, known: dict[int, object]) -> str | None:
    if one.name.value != other.name.value:
        return f"'{one.name.value}' and '{other.name.value}' are different fields"
    if _arguments(one, known) != _arguments(other, known):
        return f"'{one.name.value}' has different arguments"
    return None


def _conflict(key: str, reason: str, one: FieldNode, other: FieldNode) -> DocumentError:
    return DocumentError(
        "graphql_invalid",
        f"Fields '{key}' conflict: {reason}. Give one of them another name, as in `other: {other.name.value}`.",
        locations=(*place_of(one), *place_of(other)),
    )


def _arguments(node: FieldNode, known: dict[int, object]) -> object:
    """The arguments of a field in a form that is equal where they are, worked out once for each node."""
    if not node.arguments:
        return None
    found = known.get(id(node))
    if found is None:
        found = known[id(node)] = frozenset((each.name.value, _form(each.value)) for each in node.arguments)
    return found


def _form(value: ValueNode) -> object:
    match value:
        case ListValueNode(values=values):
            return ("list", *(_form(each) for each in values))
        case ObjectValueNode(fields=fields):
            return frozenset((each.name.value, _form(each.value)) for each in fields)
        case VariableNode(name=name):
            return ("variable", name.value)
        case StringValueNode(value=text, block=is_block):
            return ("string", text, is_block)
        case _:
            return (value.kind, getattr(value, "value", None))
