"""Names -> fields, as far as the caller may see them.

A name that is hidden, that the caller may not read, and that does not exist are
one and the same here: there is only the namespace of visible fields, and errors
and suggestions are made from it alone (SPEC sections 3 and 5).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.model import (
    BinaryTerm,
    Catalog,
    Column,
    ColumnTerm,
    CustomField,
    Expression,
    Field,
    InTerm,
    LabelField,
    PathField,
    Relationship,
    Table,
)
from gateway.errors import RequestError
from gateway.query.access import Access
from gateway.query.context import Context
from gateway.query.suggest import nearest


def is_readable(context: Context, table: Table, field: Field) -> bool:
    """Whether the caller may read a field of a table.

    A path needs the right to read the columns at its end. An expression needs that of the
    row's own columns in it, which it would tell; its sums belong to the row, and are for
    those who may read rows: whoever only writes them would learn by a filter what they are.
    """
    if isinstance(field, Column | CustomField):
        return context.access.may_read_column(table, field)
    if isinstance(field, LabelField):
        return context.access.may_read_column(table, field.column)
    if not context.access.may("read", table):
        return False
    if isinstance(field, PathField):
        target = context.catalog.table_of(field.relationship)
        return all(context.access.may_read_column(target, column) for column in field.columns)
    return all(context.access.may_read_column(table, column) for column in own_columns(field.expression))


def is_nameable(context: Context, table: Table, column: Column) -> bool:
    """Whether a column may be named to the caller: it may read it, or give it to a row that it creates or changes."""
    access = context.access
    may_give = access.may("create", table) or access.may("update", table)
    return is_readable(context, table, column) or (may_give and access.may_write_column(table, column))


def own_columns(expression: Expression) -> Iterator[Column]:
    """Yield the columns of the row that an expression is made of."""
    match expression:
        case ColumnTerm(column=column):
            yield column
        case BinaryTerm(left=left, right=right):
            yield from own_columns(left)
            yield from own_columns(right)
        case InTerm(operand=operand):
            yield from own_columns(operand)
        case _:
            return


def may_follow(access: Access, catalog: Catalog, relationship: Relationship) -> bool:
    """Whether the caller may know which rows a relationship ties: it may read the columns that tie them.

    As a relationship by a hidden column is none, so is one by a column that the caller may
    not read: the rows at the other end would tell its value. It is followed from rows that
    the caller may read; where it leads to others nothing is decided here: there the grant
    is missing.
    """
    source = catalog.tables[relationship.source]
    if not access.may("read", source):
        return False
    picked = relationship.pick.guards if relationship.pick is not None else ()
    guards = {guard.column for guard in (*relationship.guards, *picked)}
    here, there = ({pair[side] for pair in relationship.pairs} for side in (0, 1))
    if relationship.is_held_here:
        here |= guards
    else:
        there |= guards
    return _may_read(access, source, here) and _may_read(access, catalog.tables[relationship.target], there)


def _may_read(access: Access, table: Table, columns: set[str]) -> bool:
    grant = access.grant_on(table)
    return grant is None or grant.readable is None or not access.may("read", table) or columns <= grant.readable


def relationship_of(context: Context, table: Table, name: str) -> Relationship | None:
    """Return the relationship that a name means for the caller, None where there is none."""
    relationship = table.relationships.get(name)
    if relationship is None or not may_follow(context.access, context.catalog, relationship):
        return None
    return relationship


def readable_relationships(access: Access, catalog: Catalog, table: Table) -> tuple[str, ...]:
    """Return the names of a table's relationships to rows that the caller may read."""
    return tuple(
        name
        for name, edge in table.relationships.items()
        if access.may("read", catalog.table_of(edge)) and may_follow(access, catalog, edge)
    )


def readable_fields(context: Context, table: Table) -> dict[str, Field]:
    """Return the fields of a table that the caller may read, derived ones included."""
    return {name: field for name, field in table.fields.items() if is_readable(context, table, field)}


def readable_columns(access: Access, table: Table) -> tuple[Column, ...]:
    """Return a table's own columns that the caller may read, in definition order."""
    return tuple(column for column in table.columns if access.may_read_column(table, column))


def resolve_field(context: Context, table: Table, name: str, parameter: str) -> Field:
    """Return the field a name means.

    Raises:
        RequestError: ``field_unknown``, with the nearest visible name.
    """
    field = table.fields.get(name)
    if field is None or not is_readable(context, table, field):
        raise unknown_field(context, table, name, parameter)
    return field


def unknown_field(context: Context, table: Table, name: str, parameter: str) -> RequestError:
    """Return the one error for every name that is no field for this caller."""
    close = nearest(name, readable_fields(context, table))
    hint = f" Did you mean {close}?" if close else ""
    return RequestError(
        "field_unknown", f"{table.resource} has no field {name!r}.{hint}", parameter=parameter, suggestion=close
    )
