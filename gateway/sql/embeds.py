"""Embeds -> statements: the rows that many parents have through one relationship, by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.catalog.model import Catalog
from gateway.query.plan import Embed
from gateway.sql.dialects import Element, count_parameter, link_count_parameter, render
from gateway.sql.edges import source_of
from gateway.sql.read import Cells, ordered, plan_scope, where_of
from gateway.sql.scope import Scope
from gateway.sql.statement import Statement
from gateway.sql.ties import Tie, among, tie_of


def compile_embed(catalog: Catalog, embed: Embed, parents: int) -> Statement:
    """Return the statement of the rows that a number of parents have through a relationship.

    Its links are the parents' references, then how many rows may come in all. The rows of
    each parent come in order. Where several parents have a limit each, rows are numbered per
    parent; a single one has no need of that, and an index may end it early.
    """
    plan = embed.plan
    scope = plan_scope(catalog, plan)
    tie = tie_of(catalog, embed.relationship, scope, is_keyed=embed.is_keyed)
    rows = _Rows(scope, tie, embed, parents)
    most = link_count_parameter(parents * len(tie.references))
    if not is_list(embed):
        cells = Cells(scope, plan, tie.references)
        query = rows.select(cells.elements()).limit(most)
    elif parents == 1 or (plan.limit is None and plan.offset is None):
        cells = Cells(scope, plan, tie.references)
        # By parent first: in the order of the key alone a server may read the whole table for it.
        order = [*tie.references, *rows.order()] if parents > 1 else rows.order()
        query = rows.select(cells.elements()).order_by(*order).limit(most)
        query = query if plan.offset is None else query.offset(count_parameter(plan.offset))
    elif plan.table.key:
        cells, query = _numbered(rows, most)
    else:
        cells = Cells(scope, plan, tie.references)
        query = _windowed(rows, cells, most)
    text, parameters = render(query, catalog.dialect)
    return cells.statement(text, parameters)


def is_list(embed: Embed) -> bool:
    """Whether each parent has rows of it, and not one: groups are keyed by one row each."""
    return embed.relationship.is_to_many and not embed.is_keyed


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of some parents, before any limit."""

    scope: Scope
    tie: Tie
    embed: Embed
    parents: int

    def order(self) -> list[Element]:
        """Return the order of one parent's rows."""
        return [ordered(self.scope, key) for key in self.embed.plan.order]

    def number(self) -> Element:
        """Return the number of each row among its parent's."""
        return sa.func.row_number().over(partition_by=self.tie.references, order_by=self.order()).label("n")

    def wanted(self, number: Element) -> list[Element]:
        """Return what holds of the number of a row that is shown, or that tells that there are more."""
        limit, offset = self.embed.plan.limit, self.embed.plan.offset
        if offset is None:
            return [] if limit is None else [number <= count_parameter(limit)]
        first = number > count_parameter(offset)
        # Added to the limit, not taken from the number, which servers may hold unsigned.
        return [first] if limit is None else [first, number <= count_parameter(limit) + count_parameter(offset)]

    def select(self, elements: Sequence[Element]) -> sa.Select[Any]:
        """Return the statement of what is selected of the rows; ``elements`` have been asked of the scope."""
        where = where_of(self.scope, self.embed.plan.condition)
        wanted = among(self.tie.references, self.parents)
        source = self.tie.joined(self.scope.joined())
        return sa.select(*elements).select_from(source).where(wanted, *self.tie.guards, *where)


def _numbered(rows: _Rows, most: Element) -> tuple[Cells, sa.Select[Any]]:
    """The rows of each parent that are shown: their keys are numbered, and the rows joined to those that count.

    A window over whole rows would put their long texts into a table on disk.
    """
    table, plan = rows.scope.table, rows.embed.plan
    keys = [element.label(f"k{place}") for place, element in enumerate(rows.scope.key())]
    held = [element.label(f"r{place}") for place, element in enumerate(rows.tie.references)]
    inner = rows.select([*keys, *held, rows.number()]).subquery("w")
    source = source_of(table.name, "c")
    scope = Scope(rows.scope.catalog, table, source, plan.today, plan.filters)
    cells = Cells(scope, plan, [inner.c[f"r{place}"] for place in range(len(held))])
    elements = cells.elements()
    same = [column == inner.c[f"k{place}"] for place, column in enumerate(scope.key())]
    query = sa.select(*elements).select_from(scope.joined().join(inner, sa.and_(*same)))
    return cells, query.where(*rows.wanted(inner.c.n)).order_by(inner.c.n).limit(most)


def _windowed(rows: _Rows, cells: Cells, most: Element) -> sa.Select[Any]:
    """The rows of each parent that are shown, where rows have no key."""
    columns = [element.label(f"c{place}") for place, element in enumerate(cells.elements())]
    inner = rows.select([*columns, rows.number()]).subquery("w")
    shown = [inner.c[f"c{place}"] for place in range(len(columns))]
    return sa.select(*shown).where(*rows.wanted(inner.c.n)).order_by(inner.c.n).limit(most)
