"""Names of ``fields`` -> the fields that a row shows, with their labels where those are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.catalog.model import Field, LabelField, PathField, Table
from gateway.query.access import Access, Grant
from gateway.query.context import Context
from gateway.query.resolve import is_readable, readable_columns, resolve_field

CUSTOM_FIELDS = "custom.*"
"""What stands for all custom fields that the caller may read."""


def chosen_fields(
    context: Context,
    table: Table,
    names: Sequence[str] | None,
    parameter: str = "fields",
    *,
    has_labels: bool = False,
    takes_labels: bool = False,
) -> tuple[Field, ...]:
    """Return the fields of a row, in the order they are named.

    Without names a row holds the table's own visible columns; ``*`` stands for them,
    ``custom.*`` for its custom fields. With ``takes_labels`` a label can be named like a field.

    Raises:
        RequestError: ``field_unknown``.
    """
    chosen: dict[str, Field] = {}
    labels = readable_labels(context, table) if takes_labels else {}
    for name in ("*",) if names is None else names:
        if name == "*":
            chosen.update((column.name, column) for column in readable_columns(context.access, table))
        elif name == CUSTOM_FIELDS:
            chosen.update((field.name, field) for field in readable_custom(context.access, table))
        else:
            chosen[name] = labels.get(name) or resolve_field(context, table, name, parameter)
    return tuple(labelled(context, table, chosen.values()) if has_labels else chosen.values())


def readable_labels(context: Context, table: Table) -> dict[str, Field]:
    """Return the labels of a table's fields that the caller may read, by their own names."""
    found = (label_of(context, table, table.fields[name]) for name in table.labels)
    return {label.name: label for label in found if label is not None}


def readable_custom(access: Access, table: Table) -> tuple[Field, ...]:
    """Return a table's custom fields that the caller may read, in their order."""
    return tuple(field for field in table.custom if access.may_read_column(table, field))


def labelled(context: Context, table: Table, fields: Iterable[Field]) -> list[Field]:
    """Return fields with the label of each that has one right after it."""
    found: list[Field] = []
    for field in fields:
        found.append(field)
        label = label_of(context, table, field)
        if label is not None:
            found.append(label)
    return found


def label_of(context: Context, table: Table, field: Field) -> LabelField | PathField | None:
    """Return the label of a field for the caller, None where it has none.

    A word belongs to the row like its code, and needs no grant on the table that it stands in. Where the caller is
    limited there, it is told no more than that: not the word of a column that it may not read, and none where nothing
    is granted because a row filter cannot be met. What a row filter leaves out is null.
    """
    label = table.labels.get(field.name)
    if label is None or not is_readable(context, table, field):
        return None
    if isinstance(label, PathField):
        grant = context.access.grant_on(context.catalog.table_of(label.relationship))
        if grant is not None and not (grant.operations and _may_show(grant, label)):
            return None
    return label


def _may_show(grant: Grant, label: PathField) -> bool:
    return grant.readable is None or all(column.name in grant.readable for column in label.columns)
