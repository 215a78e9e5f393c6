"""The grammar of derived fields: text -> syntax tree -> expression of the catalog.

    field      = path | "join(" path { "," path } ")" | expression
    path       = relationship "." column
    expression = comparison { "and" comparison }
    comparison = sum [ ("<" | "<=" | ">" | ">=" | "=" | "<>") sum | "in (" number { "," number } ")" ]
    sum        = term { ("+" | "-") term }
    term       = number | "today" | "sum(" relationship "." column ")" | name | "(" expression ")"

A name is a column of the row or another derived field. Parsing knows no tables;
`resolve` asks a `Scope` what each name is, and whatever the scope lacks makes the
whole field impossible (`UnknownName`), which is an absence and never a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, Protocol, cast

from gateway.catalog.conditions import GrammarError
from gateway.catalog.kinds import ColumnType, parse_sql_type
from gateway.catalog.model import (
    BinaryTerm,
    Column,
    ColumnTerm,
    Expression,
    ExpressionField,
    InTerm,
    NumberTerm,
    Relationship,
    SumTerm,
    TodayTerm,
)


@dataclass(frozen=True, slots=True)
class PathSyntax:
    """``relationship.column``, or several columns of one relationship joined by a space."""

    relationship: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameSyntax:
    """A column of the row, another derived field, or ``today``."""

    name: str


@dataclass(frozen=True, slots=True)
class NumberSyntax:
    """A whole number."""

    value: int


@dataclass(frozen=True, slots=True)
class SumSyntax:
    """``sum(relationship.column)``."""

    relationship: str
    column: str


@dataclass(frozen=True, slots=True)
class InSyntax:
    """``expression in (numbers)``."""

    operand: Syntax
    values: tuple[int, ...]


Operator = Literal["+", "-", "<", "<=", ">", ">=", "=", "<>", "and"]


@dataclass(frozen=True, slots=True)
class BinarySyntax:
    """Two expressions and what stands between them."""

    operator: Operator
    left: Syntax
    right: Syntax


Syntax = NameSyntax | NumberSyntax | SumSyntax | InSyntax | BinarySyntax

_TOKEN: Final = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<sign><=|>=|<>|[-+<>=().,]))")
_COMPARISONS: Final = ("<", "<=", ">", ">=", "=", "<>")


def parse_field(text: str) -> PathSyntax | Syntax:
    """Return the syntax tree of a derived field.

    >>> parse_field("primary_contact.email")
    PathSyntax(relationship='primary_contact', columns=('email',))
    >>> parse_field("total - paid")
    BinarySyntax(operator='-', left=NameSyntax(name='total'), right=NameSyntax(name='paid'))

    Raises:
        GrammarError: the text is no derived field.
    """
    reader = _Reader(text)
    found = _path_field(reader) or _conjunction(reader)
    if reader.peek():
        raise reader.error(f'did not expect "{reader.peek()}"')
    return found


def _path_field(reader: _Reader) -> PathSyntax | None:
    words = reader.words
    if words[:1] == ["join"]:
        return _joined_path(reader)
    if len(words) == 3 and words[1] == ".":
        relationship, column = _dotted(reader)
        return PathSyntax(relationship, (column,))
    return None


def _joined_path(reader: _Reader) -> PathSyntax:
    reader.expect("join")
    reader.expect("(")
    relationship, column = _dotted(reader)
    columns = [column]
    while reader.take(","):
        other, column = _dotted(reader)
        if other != relationship:
            raise reader.error("join() joins columns of one relationship")
        columns.append(column)
    reader.expect(")")
    return PathSyntax(relationship, tuple(columns))


def _dotted(reader: _Reader) -> tuple[str, str]:
    relationship = reader.name()
    reader.expect(".")
    return relationship, reader.name()


def _conjunction(reader: _Reader) -> Syntax:
    left = _comparison(reader)
    while reader.take("and"):
        left = BinarySyntax("and", left, _comparison(reader))
    return left


def _comparison(reader: _Reader) -> Syntax:
    left = _sum(reader)
    if reader.take("in"):
        return InSyntax(left, _numbers(reader))
    operator = reader.peek()
    if operator in _COMPARISONS:
        reader.expect(operator)
        return BinarySyntax(cast("Operator", operator), left, _sum(reader))
    return left


def _numbers(reader: _Reader) -> tuple[int, ...]:
    reader.expect("(")
    values = [reader.number()]
    while reader.take(","):
        values.append(reader.number())
    reader.expect(")")
    return tuple(values)


def _sum(reader: _Reader) -> Syntax:
    left = _term(reader)
    while (operator := reader.peek()) in ("+", "-"):
        reader.expect(operator)
        left = BinarySyntax(cast("Operator", operator), left, _term(reader))
    return left


def _term(reader: _Reader) -> Syntax:
    if reader.take("("):
        inner = _conjunction(reader)
        reader.expect(")")
        return inner
    if reader.peek().isdigit():
        return NumberSyntax(reader.number())
    name = reader.name()
    if name == "sum" and reader.take("("):
        relationship, column = _dotted(reader)
        reader.expect(")")
        return SumSyntax(relationship, column)
    return NameSyntax(name)


class _Reader:
    """The words of an expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self._starts: list[int] = []
        self._next = 0
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise GrammarError(f'did not expect "{text[position:].strip()[0]}"', position)
            self.words.append(match[0].strip())
            self._starts.append(match.end() - len(self.words[-1]))
            position = match.end()
        self._starts.append(position)

    def peek(self) -> str:
        """The next word, empty at the end."""
        return self.words[self._next] if self._next < len(self.words) else ""

    def error(self, message: str) -> GrammarError:
        """Make the error that stands here."""
        return GrammarError(message, self._starts[self._next])

    def take(self, word: str) -> bool:
        """Step over ``word`` if it comes next."""
        if self.peek() != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str) -> None:
        """Step over ``word``, which must come next."""
        if not self.take(word):
            raise self.error(f'expected "{word}"')

    def name(self) -> str:
        """Step over a name."""
        word = self.peek()
        if not word.isidentifier() or word in ("and", "in"):
            raise self.error("expected a name")
        self._next += 1
        return word

    def number(self) -> int:
        """Step over a whole number."""
        word = self.peek()
        if not word.isdigit():
            raise self.error("expected a whole number")
        self._next += 1
        return int(word)


class UnknownName(LookupError):  # noqa: N818 - it says that something is absent, not that somebody erred
    """A name of an expression that the scope lacks."""


class Scope(Protocol):
    """What the names of an expression mean for one table."""

    def field(self, name: str) -> Column | ExpressionField:
        """Return the row's column or derived field of this name; raises `UnknownName`."""

    def summed(self, relationship: str, column: str) -> tuple[Relationship, Column]:
        """Return a to-many relationship of the row and a column of its rows; raises `UnknownName`."""


FLAG: Final = parse_sql_type("tinyint(1)")
_WHOLE: Final = parse_sql_type("bigint(20)")
_DAY: Final = parse_sql_type("date")

_Typed = tuple[Expression, ColumnType]


def resolve(syntax: Syntax, scope: Scope) -> tuple[Expression, ColumnType]:
    """Return the expression that a syntax tree means in ``scope``, and its type.

    Comparisons are flags. Arithmetic keeps the more exact of its two types, so a
    balance has its total's scale.

    Raises:
        UnknownName: the scope lacks a name.
    """
    match syntax:
        case NumberSyntax(value):
            return NumberTerm(value), _WHOLE
        case NameSyntax(name):
            return _resolve_name(name, scope)
        case SumSyntax(relationship, column):
            edge, summed = scope.summed(relationship, column)
            return SumTerm(edge, summed), summed.type
        case InSyntax(operand, values):
            return InTerm(resolve(operand, scope)[0], values), FLAG
        case BinarySyntax(operator, left, right):
            return _resolve_binary(operator, resolve(left, scope), resolve(right, scope))


def _resolve_name(name: str, scope: Scope) -> _Typed:
    if name == "today":
        return TodayTerm(), _DAY
    found = scope.field(name)
    return (found.expression if isinstance(found, ExpressionField) else ColumnTerm(found)), found.type


def _resolve_binary(operator: Operator, left: _Typed, right: _Typed) -> _Typed:
    term = BinaryTerm(operator, left[0], right[0])
    if operator not in ("+", "-"):
        return term, FLAG
    return term, max(left[1], right[1], key=_exactness)


_RANKS: Final[Mapping[str, int]] = MappingProxyType({"decimal": 1, "float": 2})


def _exactness(column_type: ColumnType) -> tuple[int, int, int]:
    return _RANKS.get(column_type.kind.name, 0), column_type.scale or 0, column_type.precision or 0
