"""Objects of rows: their fields, the rows that relationships lead to, and pages with cursors."""

from __future__ import annotations

from functools import partial

from graphql import GraphQLField, GraphQLNonNull, GraphQLOutputType

from gateway.catalog.model import Field, LabelField, PathField, Relationship, Table
from gateway.graphql import describe, scalars
from gateway.graphql.arguments import filter_argument, nested_arguments
from gateway.graphql.meaning import Nested, NestedNumbers, Shown, Tag
from gateway.graphql.tables import RowMeaning
from gateway.graphql.types import PAGE_INFO, TOTALS, OutputFields, Types, field_of, list_of, own, rows_of


def add_rows(types: Types, table: Table) -> None:
    """Add the object of a table's rows."""
    name, _ = types.named(table)
    types.add_object(name, partial(_row_fields, types, table), describe.of_table(table))


def _row_fields(types: Types, table: Table) -> OutputFields:
    fields = types.vocabulary.of(table).fields
    return {name: _row_field(types, table, name, meaning) for name, meaning in fields.items()}


def _row_field(types: Types, table: Table, name: str, meaning: RowMeaning) -> GraphQLField:
    match meaning:
        case Shown(field=field):
            text = text_of(types, table, field, name)
            return field_of(_shown_type(table, field), meaning, text, deprecation=reason_of(table, field))
        case Tag():
            text = "The row's tag, which `ifMatch` takes; null where the row may not be read."
            return field_of(scalars.STRING, meaning, text)
        case Nested(relationship=edge, table=target):
            return _nested(types, edge, target, name, meaning)
        case NestedNumbers(relationship=edge, table=target):
            numbers = types.output(f"{types.named(target)[0]}Numbers")
            text = f"Numbers over {edge.name} of the row."
            arguments = filter_argument(types, target)
            return field_of(GraphQLNonNull(numbers), meaning, text, arguments, target.deprecation)


def _nested(types: Types, edge: Relationship, target: Table, name: str, meaning: Nested) -> GraphQLField:
    row = types.output(types.named(target)[0])
    text = describe.of_relationship(edge, target, name)
    if not edge.is_to_many:
        return field_of(row, meaning, text, deprecation=target.deprecation)
    return field_of(rows_of(row), meaning, text, nested_arguments(types, target), target.deprecation)


def _shown_type(table: Table, field: Field) -> GraphQLOutputType:
    """What a field is: not null where the database and the gateway both keep it so."""
    leaf = scalars.leaf_of(field.type)
    return GraphQLNonNull(leaf) if describe.is_never_null(table, field) else leaf


def coded_by(table: Table, field: Field) -> str | None:
    """Return the name of the field whose label a field is, None where it is no label."""
    if isinstance(field, LabelField):
        return field.column.name
    if isinstance(field, PathField) and field.name not in table.fields:
        return next((name for name, label in table.labels.items() if label is field), None)
    return None


def text_of(types: Types, table: Table, field: Field, name: str, *, is_of_row: bool = True) -> str:
    """Return the description of a field, or of a label; ``is_of_row`` is as in `describe.of_field`."""
    coded = coded_by(table, field)
    if coded is not None:
        return describe.of_label(field, coded, name)
    return describe.of_field(types.vocabulary.context, table, field, name, is_of_row=is_of_row)


def reason_of(table: Table, field: Field) -> str | None:
    """Return why clients should leave a field, or the field whose label it is; None where they need not."""
    return table.deprecated.get(coded_by(table, field) or field.name)


# Pages with cursors


def add_connection(types: Types, table: Table) -> None:
    """Add the page with cursors over a table's rows, and its edges."""
    name, _ = types.named(table)
    types.add_object(f"{name}Connection", partial(_connection_fields, types, name), f"A page of {table.resource}.")
    types.add_object(f"{name}Edge", partial(_edge_fields, types, name), f"A row of {table.resource} with its cursor.")


def _connection_fields(types: Types, name: str) -> OutputFields:
    return dict(
        (
            *(own(*each) for each in TOTALS),
            own("nodes", rows_of(types.output(name)), "The rows."),
            own("edges", rows_of(types.output(f"{name}Edge")), "The rows, each with its cursor."),
            own("pageInfo", GraphQLNonNull(PAGE_INFO), "Where the page stands."),
        )
    )


def _edge_fields(types: Types, name: str) -> OutputFields:
    cursor = "Where the next page goes on after this row; null where the order has no position to go on from."
    return dict((own("cursor", scalars.STRING, cursor), own("node", GraphQLNonNull(types.output(name)), "The row.")))


def add_updated(types: Types, table: Table) -> None:
    """Add what an update of several rows answers."""
    name, _ = types.named(table)
    types.add_object(
        f"{name}Updated", partial(_updated_fields, types, name), f"What an update of {table.resource} did."
    )


def _updated_fields(types: Types, name: str) -> OutputFields:
    affected = own("affected", GraphQLNonNull(scalars.INT), "How many rows were written, or would be.")
    return dict((affected, own("rows", list_of(types.output(name)), "The rows as they are now, or would be.")))
