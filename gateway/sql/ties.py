"""Which of many parents a row belongs to, in a statement that reads the rows of all of them.

That is told by cells of the row, or by the key of the parent that the database joins where only it can
say what equals what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.catalog.model import Catalog, Relationship
from gateway.sql.dialects import Element, link_parameter
from gateway.sql.edges import column_of, edge, is_picked, leads_to_one, references, source_of, target_guards
from gateway.sql.scope import Scope


@dataclass(frozen=True, slots=True)
class Tie:
    """What tells which parent a row belongs to: cells of its own, or the key of the parent it is joined to.

    ``guards`` are what a row must meet to be one of any parent.
    """

    references: list[Element]
    guards: list[Element]
    parent: tuple[sa.FromClause, Element] | None = None

    def joined(self, source: sa.FromClause) -> sa.FromClause:
        """Return a source of rows with the parents joined, where these tell."""
        return source if self.parent is None else source.join(*self.parent)


def tie_of(catalog: Catalog, relationship: Relationship, scope: Scope, *, is_keyed: bool = False) -> Tie:
    """Return what ties the rows of a scope to their parents; with ``is_keyed`` these hold the row's own key."""
    if is_keyed:
        return Tie(scope.key(), [])
    guards = []
    if not relationship.is_to_many and not leads_to_one(relationship, scope.table):
        guards.append(is_picked(relationship, scope.table, scope.source, "o", catalog.dialect))
    if not catalog.ties_numbers(relationship):
        parent = source_of(relationship.source, "p")
        key = [column_of(parent, column.name) for column in catalog.tables[relationship.source].key]
        return Tie(key, guards, (parent, edge(relationship, parent, scope.source, catalog.dialect)))
    held = references(relationship, scope.source, catalog.dialect)
    return Tie(held, [*target_guards(relationship, scope.source, catalog.dialect), *guards])


def among(held: Sequence[Element], parents: int) -> Element:
    """Return whether cells are those of one of some parents, which come as links."""
    width = len(held)
    if width == 1:
        return held[0].in_([link_parameter(place) for place in range(parents)])
    wanted = [sa.tuple_(*(link_parameter(row * width + part) for part in range(width))) for row in range(parents)]
    return sa.tuple_(*held).in_(wanted)
