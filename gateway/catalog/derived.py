"""Derived fields: what the profile's expressions mean for the tables at hand.

A field whose relationship is not exposed (a path) or whose names this database
lacks is left out; an expression may use other derived fields, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.catalog.columns import Shape
from gateway.catalog.edges import Network
from gateway.catalog.expressions import PathSyntax, UnknownName, resolve
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import ColumnType, parse_sql_type
from gateway.catalog.knowledge import KnownField, KnownTable
from gateway.catalog.model import (
    BinaryTerm,
    Column,
    DerivedField,
    Expression,
    ExpressionField,
    InTerm,
    PathField,
    Relationship,
    TodayTerm,
)

_JOINED: Final = parse_sql_type("longtext")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What derived fields of one table may reach: the columns of all tables, the edges, and what is exposed."""

    shapes: Mapping[str, Shape]
    network: Network
    exposed: frozenset[str]


def derive_fields(
    table: str, known: KnownTable, around: Surroundings, findings: Findings
) -> Mapping[str, DerivedField]:
    """Return the derived fields of an exposed table by name, in the profile's order."""
    scope = _Scope(table, known, around)
    found: dict[str, DerivedField] = {}
    for wanted in known.derived:
        if wanted.name in around.shapes[table].visible or wanted.name in around.shapes[table].hidden:
            findings.absence(
                f"{known.name}.{wanted.name}", "this database has a column of that name, which stands first"
            )
            continue
        try:
            found[wanted.name] = scope.derive(wanted)
        except UnknownName as lack:
            if lack.args[0]:
                findings.absence(f"{known.name}.{wanted.name}", str(lack.args[0]))
    return found


@dataclass(slots=True)
class _Scope:
    """What names mean in the expressions of one table; resolves each derived field once."""

    table: str
    known: KnownTable
    around: Surroundings
    open: set[str] = field(default_factory=set)

    def derive(self, wanted: KnownField) -> DerivedField:
        if isinstance(wanted.syntax, PathSyntax):
            return self._path(wanted.name, wanted.syntax)
        expression, column_type = resolve(wanted.syntax, self)
        return ExpressionField(wanted.name, column_type, expression, wanted.text, needs_today(expression))

    def field(self, name: str) -> Column | ExpressionField:
        """See `expressions.Scope`."""
        column = self.around.shapes[self.table].visible.get(name)
        if column is not None:
            return column
        wanted = next((derived for derived in self.known.derived if derived.name == name), None)
        if wanted is None or name in self.open:
            raise UnknownName(f"it needs {self.known.name}.{name}, which is hidden or not in this database")
        self.open.add(name)
        try:
            found = self.derive(wanted)
        finally:
            self.open.discard(name)
        if isinstance(found, PathField):
            raise UnknownName(f"it needs {self.known.name}.{name}, which is no value of the row")
        return found

    def summed(self, relationship: str, column: str) -> tuple[Relationship, Column]:
        """See `expressions.Scope`."""
        edge = self.around.network.called.get((self.table, relationship))
        if edge is None or not edge.is_to_many:
            raise UnknownName(f"it needs the {relationship} of {self.known.name}, which this database has not")
        found = self.around.shapes[edge.target].visible.get(column)
        if found is None:
            raise UnknownName(f"it needs {relationship}.{column}, which is hidden or not in this database")
        return edge, found

    def _path(self, name: str, syntax: PathSyntax) -> PathField:
        """A path exists where its tables are exposed; where the whitelist leaves them out nothing is amiss."""
        edge = self.around.network.called.get((self.table, syntax.relationship))
        if edge is not None and edge.is_to_many:
            raise UnknownName(f"{syntax.relationship} leads to many rows, and a path must end at one")
        if edge is None or edge.target not in self.around.exposed:
            raise UnknownName("")
        columns = self.around.shapes[edge.target].pick(syntax.columns)
        if len(columns) < len(syntax.columns):
            raise UnknownName(
                f"it needs {', '.join(syntax.columns)} of {syntax.relationship}, not all of which are there"
            )
        return PathField(name, _path_type(columns), edge, columns)


def _path_type(columns: tuple[Column, ...]) -> ColumnType:
    return columns[0].type if len(columns) == 1 else _JOINED


def needs_today(expression: Expression) -> bool:
    """Whether an expression compares with the current day."""
    match expression:
        case TodayTerm():
            return True
        case BinaryTerm(_, left, right):
            return needs_today(left) or needs_today(right)
        case InTerm(operand, _):
            return needs_today(operand)
        case _:
            return False
