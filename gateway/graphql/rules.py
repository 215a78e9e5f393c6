"""The rules that a document must keep: the library's, but for those whose work is not linear in the document.

Left out are rules of what our schemas do not have (subscriptions, ``@defer``, ``@stream``), the one of fragments
that spread themselves (`measures` finds those before) and the one of merged fields (`merging`). The three rules of
variables go through the document again each; here they are one, which goes along with the others.

Source: GraphQL, October 2021, section 5 "Validation".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from graphql import (
    BREAK,
    SKIP,
    ArgumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputType,
    Node,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    VisitorAction,
    get_named_type,
    is_input_object_type,
    is_nullable_type,
    specified_rules,
    type_from_ast,
)
from graphql.language.visitor import EnterLeaveVisitor
from graphql.validation import (
    ASTValidationContext,
    ASTValidationRule,
    ValidationContext,
    ValidationRule,
    ValuesOfCorrectTypeRule,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage

from gateway.graphql.coercing import Where, literal_of, place_text

LEFT_OUT: Final = frozenset(
    {
        "SingleFieldSubscriptionsRule",
        "DeferStreamDirectiveOnRootField",
        "DeferStreamDirectiveOnValidOperationsRule",
        "DeferStreamDirectiveLabel",
        "StreamDirectiveOnListField",
        "NoFragmentCyclesRule",
        "NoUndefinedVariablesRule",
        "NoUnusedVariablesRule",
        "VariablesInAllowedPositionRule",
        "ValuesOfCorrectTypeRule",
        "OverlappingFieldsCanBeMergedRule",
        "MaxIntrospectionDepthRule",
    }
)
"""Names of the library's rules that are not used here."""


class ValuesRule(ValuesOfCorrectTypeRule):
    """Literals fit their types; what coerces them says so (`coercing`), and for which argument or variable."""

    _name = ""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Note which argument the next values are of."""
        self._name = node.name.value

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        """Note which variable the next value is the default of."""
        self._name = f"${node.variable.name.value}"

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report every fault of a literal, and look no deeper."""
        if input_type is not None:

            def tell(message: str, where: Where | None, at: Node | None) -> None:
                self.report_error(GraphQLError(f"{self._name}{place_text(where)}: {message}", at or node))

            literal_of(node, input_type, None, tell)
        return SKIP


@dataclass(frozen=True, slots=True)
class _Use:
    """A place where a variable stands; equal uses are judged once."""

    name: str
    type: GraphQLInputType | None
    has_default: bool
    one_of: str
    node: VariableNode = field(compare=False)


@dataclass(slots=True)
class _Scope:
    """What stands in one operation or fragment."""

    uses: dict[_Use, None] = field(default_factory=dict)
    spreads: set[str] = field(default_factory=set)


class VariablesRule(ValidationRule):
    """Variables are declared, used, and of a type that fits where they stand.

    Source: GraphQL, October 2021, sections 5.8.3 to 5.8.5.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._operations: list[tuple[OperationDefinitionNode, _Scope]] = []
        self._fragments: dict[str, _Scope] = {}
        self._here = _Scope()

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Begin an operation."""
        self._here = _Scope()
        self._operations.append((node, self._here))

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        """Begin a fragment."""
        self._here = self._fragments[node.name.value] = _Scope()

    def enter_variable_definition(self, *_: Any) -> VisitorAction:
        """A declaration is no use."""
        return SKIP

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        """Note that a fragment belongs to what is around it."""
        self._here.spreads.add(node.name.value)

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Note where a variable stands."""
        parent = get_named_type(self.context.get_parent_input_type())  # of a list, the type of its items
        one_of = parent.name if is_input_object_type(parent) and parent.is_one_of else ""
        # The context tells everything but this; the library's own rule reads it here too.
        default = self.context._type_info.get_default_value()
        use = _Use(node.name.value, self.context.get_input_type(), default not in (None, Undefined), one_of, node)
        self._here.uses.setdefault(use)

    def leave_document(self, *_: Any) -> None:
        """Judge the uses of each operation, those in the fragments that it spreads among them."""
        for operation, scope in self._operations:
            declared = {each.variable.name.value: each for each in operation.variable_definitions or ()}
            unused = dict(declared)
            for use in self._reached(scope):
                definition = declared.get(use.name)
                unused.pop(use.name, None)
                if definition is None:
                    self._report(f"Variable '${use.name}' is not declared", operation, use.node)
                else:
                    self._judge(use, definition)
            for name, definition in unused.items():
                self._report(f"Variable '${name}' is never used", operation, definition)

    def _reached(self, scope: _Scope) -> dict[_Use, None]:
        found = dict(scope.uses)
        seen: set[str] = set()
        ahead = list(scope.spreads)
        while ahead:
            name = ahead.pop()
            if name not in seen and name in self._fragments:
                seen.add(name)
                found.update(self._fragments[name].uses)
                ahead.extend(self._fragments[name].spreads)
        return found

    def _report(self, message: str, operation: OperationDefinitionNode, node: Node) -> None:
        within = f" in operation '{operation.name.value}'." if operation.name is not None else "."
        self.report_error(GraphQLError(message + within, [node, operation]))

    def _judge(self, use: _Use, definition: VariableDefinitionNode) -> None:
        type_ = type_from_ast(self.context.schema, definition.type)
        if type_ is None or use.type is None:
            return
        default = True if use.has_default else Undefined
        if not allowed_variable_usage(self.context.schema, type_, definition.default_value, use.type, default):
            detail = f"Variable '${use.name}' of type '{type_}' stands where '{use.type}' is due."
            self.report_error(GraphQLError(detail, [definition, use.node]))
        elif use.one_of and is_nullable_type(type_):
            detail = f"Variable '${use.name}' of type '{type_}' may be null, and a field of '{use.one_of}' is not."
            self.report_error(GraphQLError(detail, [definition, use.node]))


RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    *(rule for rule in specified_rules if rule.__name__ not in LEFT_OUT),
    ValuesRule,
    VariablesRule,
)
"""The rules that every document is checked by; fields of one key come after them (`merging`)."""


# All rules at once


_Heard = tuple[tuple[int, Callable[..., VisitorAction]], ...]


class AllRules(ASTValidationRule):
    """`RULES` as one rule, to be handed to the library in their place.

    The library asks each rule for its methods for each kind of node, anew for each document, and passes by each rule
    at each node; for a short document that takes more than all else. Here only the rules that have a method for a
    kind of node are asked for it, and called.
    """

    def __init__(self, context: ASTValidationContext) -> None:
        super().__init__(context)
        self._rules = [rule(context) for rule in RULES]
        self._skipping: list[object] = [None] * len(RULES)

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """Return what is called where a node of a kind begins and ends; nothing where no rule has a method for it."""
        found = self.enter_leave_map.get(kind)
        if found is None:
            found = self.enter_leave_map[kind] = self._methods(kind)
        return found

    def _methods(self, kind: str) -> EnterLeaveVisitor:
        methods = [(place, self._rules[place].get_enter_leave_for_kind(kind)) for place in _heedful(kind)]
        if not methods:
            return EnterLeaveVisitor(None, None)
        entered: _Heard = tuple((place, own.enter) for place, own in methods if own.enter)
        left: _Heard = tuple((place, own.leave) for place, own in methods if own.leave)
        return EnterLeaveVisitor(_entering(entered, self._skipping), _leaving(entered, left, self._skipping))


def _entering(entered: _Heard, skipping: list[object]) -> Callable[..., None]:
    def enter(node: Node, *around: Any) -> None:
        for place, method in entered:
            if not skipping[place]:
                action = method(node, *around)
                if action is not None:  # rules change nothing: they look no deeper, or at nothing more
                    skipping[place] = BREAK if _is_end(action) else node

    return enter


def _leaving(entered: _Heard, left: _Heard, skipping: list[object]) -> Callable[..., None]:
    def leave(node: Node, *around: Any) -> None:
        for place, method in left:
            if not skipping[place] and _is_end(method(node, *around)):
                skipping[place] = BREAK
        for place, _ in entered:  # no other can have said here that it looks no deeper
            if skipping[place] is node:
                skipping[place] = None

    return leave


def _is_end(action: object) -> bool:
    return action is BREAK or action is True


@cache
def _heedful(kind: str) -> tuple[int, ...]:
    """The places in `RULES` of those that have a method for a kind of node: there are few kinds."""
    names = ("enter", f"enter_{kind}", "leave", f"leave_{kind}")
    return tuple(place for place, rule in enumerate(RULES) if any(hasattr(rule, name) for name in names))
