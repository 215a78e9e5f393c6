"""Relationships as SQL: when a row is one of another's, and what each of the two holds of it."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Guard, Relationship, Table
from gateway.sql.dialects import Element, constant, is_whole_number, number_in


def column_of(source: sa.FromClause, name: str) -> Element:
    """Return a column of a source."""
    return sa.column(name, _selectable=source)


def source_of(table_name: str, alias: str) -> sa.FromClause:
    """Return a table under an alias; its columns are made as they are named."""
    return sa.table(table_name).alias(alias)


def is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether no two rows of a table have the same values in some columns."""
    key = tuple(column.name for column in table.key)
    return any(set(unique) <= set(columns) for unique in (key, *table.unique_keys) if unique)


def leads_to_one(relationship: Relationship, target: Table) -> bool:
    """Whether no two rows of the target are one row's by a to-one, without picking."""
    columns = tuple(remote for _, remote in relationship.pairs)
    return relationship.pick is None and is_unique(target, columns)


def edge(relationship: Relationship, source: sa.FromClause, target: sa.FromClause, dialect: Dialect) -> Element:
    """Return the condition under which a row of ``target`` is one of a row of ``source``."""
    holder = source if relationship.is_held_here else target
    parts = [_pair(relationship, source, target, dialect, *pair) for pair in relationship.pairs]
    return sa.and_(*parts, *guards(_all_guards(relationship), holder, dialect))


def _pair(
    relationship: Relationship, source: sa.FromClause, target: sa.FromClause, dialect: Dialect, local: str, remote: str
) -> Element:
    left, right = column_of(source, local), column_of(target, remote)
    if not relationship.is_text_reference:
        return left == right
    if relationship.is_held_here:
        return number_in(left, dialect) == right
    return left == number_in(right, dialect)


def link(relationship: Relationship, source: sa.FromClause, dialect: Dialect) -> list[Element]:
    """Return what a row holds of a relationship: its reference to the target, NULL where the guards are not met."""
    held = [column_of(source, local) for local, _ in relationship.pairs]
    if not relationship.is_held_here:
        return held
    if relationship.is_text_reference:
        held = [number_in(element, dialect) for element in held]
    met = guards(relationship.guards, source, dialect)
    return [sa.case((sa.and_(*met), element), else_=sa.null()) for element in held] if met else held


def is_picked(relationship: Relationship, target: Table, row: sa.FromClause, alias: str, dialect: Dialect) -> Element:
    """Return whether a row of the target is the one that a to-one picks among those it may lead to: the first by key.

    Whoever sees only some of these rows is not shown another one for it.
    """
    sibling = source_of(relationship.target, alias)
    same = [
        mine == others
        for mine, others in zip(
            references(relationship, row, dialect), references(relationship, sibling, dialect), strict=True
        )
    ]
    parts = (*same, *target_guards(relationship, sibling, dialect))
    key = [column_of(sibling, column.name) for column in target.key]
    first = (
        sa.select(column).select_from(sibling).where(*parts).order_by(*key).limit(sa.literal_column("1"))
        for column in key
    )
    picked = [query.correlate(row).scalar_subquery() for query in first]
    mine = [column_of(row, column.name) for column in target.key]
    return sa.and_(sa.true(), *(column == value for column, value in zip(mine, picked, strict=True)))


def references(relationship: Relationship, target: sa.FromClause, dialect: Dialect) -> list[Element]:
    """Return what a row of a relationship's target holds of it, which equals the `link` of its parent."""
    held = [column_of(target, remote) for _, remote in relationship.pairs]
    if relationship.is_text_reference and not relationship.is_held_here:
        return [number_in(element, dialect) for element in held]
    return held


def target_guards(relationship: Relationship, target: sa.FromClause, dialect: Dialect) -> list[Element]:
    """Return the guards of a relationship that its target's rows must meet."""
    return [] if relationship.is_held_here else guards(_all_guards(relationship), target, dialect)


def _all_guards(relationship: Relationship) -> tuple[Guard, ...]:
    picked = relationship.pick.guards if relationship.pick is not None else ()
    return tuple(dict.fromkeys((*relationship.guards, *picked)))


def guards(demanded: tuple[Guard, ...], holder: sa.FromClause, dialect: Dialect) -> list[Element]:
    """Return the conditions that the row which holds a reference must meet."""
    return [_guard(guard, column_of(holder, guard.column), dialect) for guard in demanded]


def _guard(guard: Guard, element: Element, dialect: Dialect) -> Element:
    match guard.operator:
        case "eq":
            return element == constant(guard.values[0])
        case "nonzero":
            return element != sa.literal_column("0")
        case "not_null":
            return element.is_not(None)
        case "in":
            return element.in_([constant(value) for value in guard.values])
        case "numeric":
            return is_whole_number(element, dialect)
