"""Names -> fields, as far as the caller may see them.

A name that is hidden, that the caller may not read, and that does not exist are
one and the same here: there is only the namespace of visible fields, and errors
and suggestions are made from it alone (SPEC sections 3 and 5).
"""

from __future__ import annotations

from gateway.catalog.model import Column, CustomField, Field, LabelField, PathField, Table
from gateway.errors import RequestError
from gateway.query.access import Access
from gateway.query.context import Context
from gateway.query.suggest import nearest


def is_readable(context: Context, table: Table, field: Field) -> bool:
    """Whether the caller may read a field of a table it may read rows of.

    A path needs the right to read the columns at its end; an expression belongs to
    the row and needs only the row's grant.
    """
    if isinstance(field, Column | CustomField):
        return context.access.may_read_column(table, field)
    if isinstance(field, LabelField):
        return context.access.may_read_column(table, field.column)
    if isinstance(field, PathField):
        target = context.catalog.table_of(field.relationship)
        return all(context.access.may_read_column(target, column) for column in field.columns)
    return True


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
