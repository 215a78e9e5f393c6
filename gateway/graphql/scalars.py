"""The scalars of the schema: what a column's type is in GraphQL, and how values are read without losing a digit.

What comes in: literals of documents, and variables as `query.json_text` reads them (numbers are `int` or
`Decimal`). What goes out: raw values with their digits, which the planner coerces and judges as those of REST.
Here only the form is looked at: text where text is due, a number where a number is. Replies are written by the
types' decoders (`catalog.kinds`); no scalar here ever writes one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    ConstValueNode,
    FloatValueNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    IntValueNode,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

from gateway.catalog.kinds import ColumnType

LEAST_INT: Final = -(2**31)
GREATEST_INT: Final = 2**31 - 1
"""What an Int can be (GraphQL, October 2021, section 3.5.1)."""

_LONGEST_NUMBER: Final = 400
"""Characters of a number, as in JSON (`query.json_text`): no column holds a longer one."""

_WHOLE: Final = re.compile(r"-?\d+", re.ASCII)


class _Redefined(GraphQLScalarType):
    """A scalar in place of the library's of the same name, whose own loses digits."""

    reserved_types: Mapping[str, Any] = MappingProxyType({})


def _refused(due: str) -> GraphQLError:
    return GraphQLError(f"{due} is due.")


# Numbers


def _number_of(node: ValueNode, due: str) -> int | Decimal:
    """The number of a literal, whole where it is written so."""
    if not isinstance(node, IntValueNode | FloatValueNode) or len(node.value) > _LONGEST_NUMBER:
        raise _refused(due)
    return int(node.value) if isinstance(node, IntValueNode) else Decimal(node.value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_A_WHOLE: Final = "A whole number from -2147483648 to 2147483647"
_A_NUMBER: Final = "A number"
_A_BIG_WHOLE: Final = "A whole number, or its digits as text,"
_A_DECIMAL: Final = "A number, or its digits as text,"


def _whole_within(value: object) -> int:
    """A JSON number such as 7.0 is whole (GraphQL, section 3.5.1, "Input Coercion")."""
    if _is_number(value) and LEAST_INT <= value <= GREATEST_INT and value == int(value):  # type: ignore[operator, call-overload]  # _is_number has made sure
        return int(value)  # type: ignore[call-overload, no-any-return]  # as above
    raise _refused(_A_WHOLE)


def _whole_literal(node: ValueNode) -> int:
    if not isinstance(node, IntValueNode):
        raise _refused(_A_WHOLE)
    return _whole_within(_number_of(node, _A_WHOLE))


def _number_value(value: object) -> object:
    if not _is_number(value):
        raise _refused(_A_NUMBER)
    return value


def _number_literal(node: ValueNode) -> object:
    return _number_of(node, _A_NUMBER)


def _number_node(value: object) -> ConstValueNode | None:
    """The literal of a number, None of anything else."""
    if not _is_number(value):
        return None
    text = str(value)
    return IntValueNode(value=text) if _WHOLE.fullmatch(text) else FloatValueNode(value=text)


def _digits_value(due: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, str) or _is_number(value):
            return value
        raise _refused(due)

    return read


def _digits_literal(due: str) -> Callable[[ValueNode], object]:
    def read(node: ValueNode) -> object:
        return node.value if isinstance(node, StringValueNode) else _number_of(node, due)

    return read


def _digits_node(value: object) -> ConstValueNode | None:
    return StringValueNode(value=value) if isinstance(value, str) else _number_node(value)


def _digits(name: str, due: str, description: str) -> GraphQLScalarType:
    """A number of any length: digits as text, or a number."""
    return GraphQLScalarType(
        name,
        description=description,
        coerce_input_value=_digits_value(due),
        coerce_input_literal=_digits_literal(due),
        value_to_literal=_digits_node,
    )


INT: Final = _Redefined(
    "Int",
    description="A whole number within 32 bits.",
    coerce_input_value=_whole_within,
    coerce_input_literal=_whole_literal,
    value_to_literal=_number_node,
)

FLOAT: Final = _Redefined(
    "Float",
    description="An approximate number (IEEE 754, double precision).",
    coerce_input_value=_number_value,
    coerce_input_literal=_number_literal,
    value_to_literal=_number_node,
)

BIG_INT: Final = _digits(
    "BigInt",
    _A_BIG_WHOLE,
    "A whole number that may exceed 32 bits, written as text with all its digits: "
    '`"9007199254740993"`. Given as a number or as text.',
)

DECIMAL: Final = _digits(
    "Decimal",
    _A_DECIMAL,
    'An exact number, written as text with the decimals that it is stored with: `"1190.00"`. '
    "Given as a number or as text; no digit is lost on the way.",
)


# Texts of a certain form


def _text(name: str, due: str, description: str, url: str | None = None) -> GraphQLScalarType:
    """A text whose form the planner judges."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise _refused(due)
        return value

    def read_literal(node: ValueNode) -> str:
        if not isinstance(node, StringValueNode):
            raise _refused(due)
        return node.value

    return GraphQLScalarType(
        name,
        description=description,
        specified_by_url=url,
        coerce_input_value=read,
        coerce_input_literal=read_literal,
    )


_DATE_WORDS: Final = "Where one is given, a date word such as `@today`, `@now`, `@month_start-1m` stands for it too."

DATE: Final = _text(
    "Date",
    "A day as text, YYYY-MM-DD or a date word,",
    f"A day, written `YYYY-MM-DD` (RFC 3339, full-date). {_DATE_WORDS}",
    "https://www.rfc-editor.org/rfc/rfc3339",
)

DATE_TIME: Final = _text(
    "DateTime",
    "A moment as text, RFC 3339 or a date word,",
    "A moment, written with the offset of the CRM's time zone: `2026-03-31T09:30:00+02:00` (RFC 3339, date-time). "
    "Given without an offset it is the CRM's wall clock; a day alone is compared as the whole day. "
    f"{_DATE_WORDS}",
    "https://www.rfc-editor.org/rfc/rfc3339",
)

TIME: Final = _text(
    "Time",
    "A time span as text, [-]HHH:MM:SS,",
    "A time of day or a time span, written `HH:MM:SS`; it may exceed a day and be negative: `-101:30:00`.",
)

BASE64: Final = _text(
    "Base64",
    "Base64 as text",
    "Bytes, written as base64 (RFC 4648, section 4).",
    "https://www.rfc-editor.org/rfc/rfc4648#section-4",
)


# JSON


def _json_value(value: object) -> object:
    """Any value, as it was read; the planner writes it down with its digits."""
    return value


def _json_literal(node: ValueNode) -> object:
    match node:
        case NullValueNode():
            return None
        case BooleanValueNode() | StringValueNode():
            return node.value
        case ListValueNode(values=values):
            return [_json_literal(each) for each in values]
        case ObjectValueNode(fields=fields):
            return {each.name.value: _json_literal(each.value) for each in fields}
        case _:
            return _number_of(node, "A JSON value")


def _json_node(value: object) -> ConstValueNode:
    """The literal of a JSON value: a variable may stand inside of one."""
    node: Any
    match value:
        case None:
            node = NullValueNode()
        case bool():
            node = BooleanValueNode(value=value)
        case str():
            node = StringValueNode(value=value)
        case list():
            node = ListValueNode(values=tuple(_json_node(each) for each in value))
        case dict():
            fields = (
                ObjectFieldNode(name=NameNode(value=name), value=_json_node(each)) for name, each in value.items()
            )
            node = ObjectValueNode(fields=tuple(fields))
        case _:
            node = _number_node(value)
    return node  # type: ignore[no-any-return]  # the library says no type


JSON: Final = GraphQLScalarType(
    "JSON",
    description="Any JSON value: an object, a list, a text, a number with all its digits, true, false or null.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    coerce_input_value=_json_value,
    coerce_input_literal=_json_literal,
    value_to_literal=_json_node,
)


# Types of columns

STRING: Final = GraphQLString
BOOLEAN: Final = GraphQLBoolean
ID: Final = GraphQLID
WORDS: Final = GraphQLList(GraphQLNonNull(STRING))
"""Lists of words: SET columns and what the CRM keeps several words in."""

SCALARS: Final[Mapping[str, GraphQLScalarType]] = MappingProxyType(
    {
        scalar.name: scalar
        for scalar in (INT, FLOAT, STRING, BOOLEAN, ID, BIG_INT, DECIMAL, DATE, DATE_TIME, TIME, BASE64, JSON)
    }
)

Leaf = GraphQLScalarType | GraphQLList[GraphQLNonNull[GraphQLScalarType]]


def leaf_of(column_type: ColumnType) -> Leaf:
    """Return what values of a type are in GraphQL: whole numbers are Int where none can exceed 32 bits."""
    name = column_type.kind.graphql
    if name == "Int" and not _is_within(column_type):
        return BIG_INT
    return WORDS if name == "[String!]" else SCALARS[name]


def _is_within(column_type: ColumnType) -> bool:
    low, high = column_type.minimum, column_type.maximum
    return low is not None and high is not None and low >= LEAST_INT and high <= GREATEST_INT


def leaf_of_metric(function: str, column_type: ColumnType) -> Leaf:
    """Return what a function gives, whose numbers are of a type: sums of whole numbers outgrow their columns."""
    if function == "count_distinct":
        return INT
    leaf = leaf_of(column_type)
    return BIG_INT if function == "sum" and leaf is INT else leaf
