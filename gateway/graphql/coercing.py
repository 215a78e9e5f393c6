"""Values of variables and of documents -> what arguments hold, in time linear in what was sent.

The library goes through every field that an input may have, for every object that was sent; a filter may have
hundreds of them. Here only what was sent is looked at, in the order in which it was sent. That is enough, because
no input field of our schemas is required or has a default. Nothing is suggested to anybody.

Source: GraphQL, October 2021, sections 3.5 to 3.12 "Input Coercion" and 6.1.2 "Coercing Variable Values";
September 2025, section 3.10.1 "OneOf Input Objects".
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final, cast

from graphql import (
    ConstValueNode,
    DirectiveNode,
    FieldNode,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    assert_leaf_type,
    print_ast,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.replace_variables import replace_variables

from gateway.graphql.faults import DocumentError, InvalidDocumentError
from gateway.graphql.limits import MOST_FAULTS, check
from gateway.graphql.measures import place_of

Where = tuple["Where | None", str | int]
"""A place inside a value: the one around it, and a name or a position."""

Tell = Callable[[str, Where | None, Node | None], None]
"""Told of each fault: what is wrong, where inside the value, and the node that holds it."""

MOST_NESTED: Final = 100
"""Objects and lists of one value that stand inside each other, as brackets of a document may."""

_MOST_SHOWN: Final = 100
_MISFITS: Final = (GraphQLError, ValueError, TypeError, ArithmeticError)
_DUE: Final = {  # the library's own words show Python's values
    "String": "Text is due.",
    "ID": "Text or a whole number is due.",
    "Boolean": "true or false is due.",
}
_ONE_OF: Final = "Exactly one field of {} is due, and not null."


class _EnoughError(Exception):
    """So many faults were told that no more are looked for."""


def variables_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    sent: Mapping[str, Any],
    declared: frozenset[str] = frozenset(),
) -> VariableValues:
    """Return the values of an operation's variables, coerced.

    One that was sent and that no operation of the document declares (``declared``) is refused: it is misspelt.
    Those of other operations are let be, because tools send the same variables whichever operation is run.

    Raises:
        InvalidDocumentError: ``variables_invalid``, with every fault up to `MOST_FAULTS`.
        DocumentError: ``query_too_large`` for a value nested too deeply.
    """
    faults: list[DocumentError] = []

    def fault(detail: str, node: Node | None) -> None:
        faults.append(DocumentError("variables_invalid", detail, locations=place_of(node) if node else ()))
        if len(faults) == MOST_FAULTS:
            raise _EnoughError

    found = VariableValues({}, {})
    try:
        nodes = operation.variable_definitions or ()
        names = declared.union(each.variable.name.value for each in nodes)
        for name in sent:
            if name not in names:
                fault(f"No variable ${_shown(name)} is declared.", operation)
        for each in nodes:
            _take_variable(schema, each, sent, found, fault)
    except _EnoughError:
        pass
    if faults:
        raise InvalidDocumentError(faults)
    return found


def _take_variable(
    schema: GraphQLSchema,
    node: VariableDefinitionNode,
    sent: Mapping[str, Any],
    found: VariableValues,
    fault: Callable[[str, Node | None], None],
) -> None:
    signature = get_variable_signature(schema, node)
    if isinstance(signature, GraphQLError):  # pragma: no cover - a valid document names types of the schema
        fault(signature.message, node)
        return
    name, type_ = signature.name, signature.type

    def tell(message: str, where: Where | None, _node: Node | None) -> None:
        fault(f"${name}{place_text(where)}: {message}", node)

    if name in sent:
        found.sources[name] = VariableValueSource(signature, sent[name])
        found.coerced[name] = value_of(sent[name], type_, tell)
        return
    found.sources[name] = VariableValueSource(signature)
    if node.default_value is not None:
        found.coerced[name] = literal_of(node.default_value, type_, None, tell)
    elif isinstance(type_, GraphQLNonNull):
        fault(f"${name}: a value of type {type_} is required.", node)


def arguments_of(
    definition: GraphQLField | GraphQLDirective,
    node: FieldNode | DirectiveNode,
    variables: VariableValues,
    names: Container[str] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a field or a directive of a valid document; what was left out is not there.

    With ``names`` only these of them.

    Raises:
        DocumentError: ``variables_invalid`` where a variable holds no value that could stand there; all else was
            seen when the document was validated.
    """
    found: dict[str, Any] = {}
    given = {each.name.value: each.value for each in node.arguments or ()}
    for name, argument in definition.args.items():
        if names is not None and name not in names:
            continue
        value = given.get(name)
        if value is None or _is_missing(value, variables):
            _take_default(found, name, argument, node)
        else:
            found[name] = _argument(name, argument, value, variables)
    return found


def _argument(name: str, argument: GraphQLArgument, value: ValueNode, variables: VariableValues) -> Any:
    def tell(message: str, where: Where | None, node: Node | None) -> None:
        detail = f"{name}{place_text(where)}: {message}"
        raise DocumentError("variables_invalid", detail, locations=place_of(node or value))

    return literal_of(value, argument.type, variables, tell)


def _take_default(found: dict[str, Any], name: str, argument: GraphQLArgument, node: FieldNode | DirectiveNode) -> None:
    default = default_of(argument)
    if default is not Undefined:
        found[name] = default
    elif isinstance(argument.type, GraphQLNonNull):
        detail = f"{name}: a value of type {argument.type} is required, and its variable has none."
        raise DocumentError("variables_invalid", detail, locations=place_of(node))


def default_of(argument: GraphQLArgument) -> Any:
    """Return the default of an argument, `Undefined` where it has none."""
    if argument.default is None:
        return argument.default_value
    literal = argument.default.literal
    return argument.default.value if literal is None else literal_of(literal, argument.type, None, _mistaken)


def _mistaken(message: str, _where: Where | None, _node: Node | None) -> None:  # pragma: no cover - schemas are tested
    raise AssertionError(message)


def value_of(value: Any, type_: GraphQLInputType, tell: Tell, where: Where | None = None, depth: int = 0) -> Any:
    """Return a value that was sent as JSON as its type has it; faults are told, and None stands for them."""
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            tell(f"null is no value of type {type_}.", where, None)
            return None
        type_ = type_.of_type
    if value is None:
        return None
    check("nesting", depth, MOST_NESTED)
    if isinstance(type_, GraphQLList):
        items = value if isinstance(value, list | tuple) else [value]
        item = type_.of_type
        return [value_of(each, item, tell, (where, place), depth + 1) for place, each in enumerate(items)]
    if not isinstance(type_, GraphQLInputObjectType):
        return _leaf_value(value, type_, tell, where)
    if not isinstance(value, Mapping):
        tell(f"{_shown(value)} is no object, as {type_} is.", where, None)
        return None
    found: dict[str, Any] = {}
    fields = type_.fields
    for name, each in value.items():
        field = fields.get(name)
        if field is None:
            tell(f"{type_} has no field '{_shown(name)}'.", where, None)
        else:
            found[name] = value_of(each, field.type, tell, (where, name), depth + 1)
    if type_.is_one_of and (len(value) != 1 or None in value.values()):
        tell(_ONE_OF.format(type_), where, None)
    return found


def literal_of(
    node: ValueNode,
    type_: GraphQLInputType,
    variables: VariableValues | None,
    tell: Tell,
    where: Where | None = None,
) -> Any:
    """Return a literal as its type has it; faults are told, and None stands for them.

    Without ``variables`` only the literals around them are looked at, and they stand as null.
    """
    if isinstance(node, VariableNode):
        return _variable(node, type_, variables, tell, where)
    if isinstance(type_, GraphQLNonNull):
        if isinstance(node, NullValueNode):
            tell(f"null is no value of type {type_}.", where, node)
            return None
        type_ = type_.of_type
    if isinstance(node, NullValueNode):
        return None
    if isinstance(type_, GraphQLList):
        items: Sequence[ValueNode] = node.values if isinstance(node, ListValueNode) else (node,)
        item = type_.of_type
        return [literal_of(each, item, variables, tell, (where, place)) for place, each in enumerate(items)]
    if isinstance(type_, GraphQLInputObjectType):
        return _object(node, type_, variables, tell, where)
    return _leaf_literal(node, type_, variables, tell, where)


def _leaf_value(value: Any, type_: GraphQLInputType, tell: Tell, where: Where | None) -> Any:
    try:
        if isinstance(type_, GraphQLEnumType):
            result = type_.coerce_input_value(value, hide_suggestions=True)
        else:
            result = assert_leaf_type(type_).coerce_input_value(value)
    except _MISFITS as error:
        return _misfit(error, type_, value, tell, (where, None))
    return result if result is not Undefined else _misfit(None, type_, value, tell, (where, None))


def _leaf_literal(
    node: ValueNode, type_: GraphQLInputType, variables: VariableValues | None, tell: Tell, where: Where | None
) -> Any:
    const = replace_variables(node, variables) if isinstance(node, ListValueNode | ObjectValueNode) else node
    try:
        result = _literal(cast("ConstValueNode", const), assert_leaf_type(type_))
    except _MISFITS as error:
        return _misfit(error, type_, node, tell, (where, node))
    return result if result is not Undefined else _misfit(None, type_, node, tell, (where, node))


def _literal(node: ConstValueNode, leaf: GraphQLLeafType) -> Any:
    if isinstance(leaf, GraphQLEnumType):
        return leaf.coerce_input_literal(node, hide_suggestions=True)
    return leaf.parse_literal(node) if leaf.coerce_input_literal is None else leaf.coerce_input_literal(node)


def _misfit(
    error: Exception | None, type_: GraphQLInputType, value: Any, tell: Tell, at: tuple[Where | None, Node | None]
) -> None:
    """Tell that a value does not fit a scalar or an enum, in its own words if it has some."""
    due = _DUE.get(str(type_))
    if due is not None:
        tell(due, *at)
        return
    said = error.message if isinstance(error, GraphQLError) else f"{_shown(value)} is no value of type {type_}."
    tell(said, *at)


def _variable(
    node: VariableNode, type_: GraphQLInputType, variables: VariableValues | None, tell: Tell, where: Where | None
) -> Any:
    if variables is None:
        return None
    value = variables.coerced.get(node.name.value)
    if value is None and isinstance(type_, GraphQLNonNull):
        tell(f"${node.name.value} holds no value, and one of type {type_} is due.", where, node)
    return value


def _object(
    node: ValueNode,
    type_: GraphQLInputObjectType,
    variables: VariableValues | None,
    tell: Tell,
    where: Where | None,
) -> Any:
    if not isinstance(node, ObjectValueNode):
        tell(f"{_shown(node)} is no object, as {type_} is.", where, node)
        return None
    found: dict[str, Any] = {}
    fields = type_.fields
    for each in node.fields:
        name = each.name.value
        field = fields.get(name)
        if field is None:
            tell(f"{type_} has no field '{name}'.", where, each)
        elif variables is None or not _is_missing(each.value, variables):
            found[name] = literal_of(each.value, field.type, variables, tell, (where, name))
    if type_.is_one_of and not _is_one(node, variables):
        tell(_ONE_OF.format(type_), where, node)
    return found


def _is_one(node: ObjectValueNode, variables: VariableValues | None) -> bool:
    """Whether an object has one field that is not null; of variables without their values it is assumed."""
    if len(node.fields) != 1:
        return False
    value = node.fields[0].value
    if isinstance(value, VariableNode):
        return variables is None or variables.coerced.get(value.name.value) is not None
    return not isinstance(value, NullValueNode)


def _is_missing(node: ValueNode, variables: VariableValues) -> bool:
    return isinstance(node, VariableNode) and node.name.value not in variables.coerced


def place_text(where: Where | None) -> str:
    """Return a place inside a value as a path, ``.and.0.total``, "" for the value itself."""
    parts: list[str] = []
    while where is not None:
        where, part = where
        parts.append(f".{part}")
    return _shown("".join(reversed(parts)))


def _shown(value: Any) -> str:
    """A short form of what a client sent, as far as it is a word or a number."""
    if isinstance(value, Node):
        value = print_ast(value)
    if isinstance(value, bool):
        value = str(value).lower()
    text = "a list" if isinstance(value, list | tuple) else "an object" if isinstance(value, Mapping) else str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
