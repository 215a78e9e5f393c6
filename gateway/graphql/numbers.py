"""Objects of numbers and groups: a function over fields, numbers over rows, and what rows are grouped by."""

from __future__ import annotations

from functools import partial

from graphql import GraphQLField, GraphQLNonNull

from gateway.catalog.model import Table
from gateway.graphql import describe, scalars
from gateway.graphql.meaning import Counted, GroupRow, GroupThrough, GroupValue, Shown, Taken
from gateway.graphql.objects import reason_of, text_of
from gateway.graphql.tables import FUNCTION_TYPES, FUNCTIONS, KeyMeaning
from gateway.graphql.types import TOTALS, OutputFields, Types, field_of, own, rows_of
from gateway.query.metrics import metric_type
from gateway.query.plan import MetricFunction


def add_numbers(types: Types, table: Table) -> None:
    """Add the numbers over a table's rows, and the objects of the functions that have fields to take."""
    name, names = types.named(table)
    types.add_object(f"{name}Numbers", partial(_number_fields, types, table), f"Numbers over rows of {table.resource}.")
    for function, ending in FUNCTION_TYPES.items():
        if names.metrics[function]:
            text = describe.FUNCTION_TYPE_SUMMARIES[ending].format(table.resource)
            types.add_object(f"{name}{ending}", partial(_taken_fields, types, table, function), text)


def _number_fields(types: Types, table: Table) -> OutputFields:
    name, names = types.named(table)
    found = {"count": field_of(GraphQLNonNull(scalars.INT), Counted(), "How many rows.")}
    for function in FUNCTIONS:
        if names.metrics[function]:
            taken = GraphQLNonNull(types.output(f"{name}{FUNCTION_TYPES[function]}"))
            found[function] = field_of(taken, Taken(function), describe.FUNCTION_SUMMARIES[function])
    return found


def _taken_fields(types: Types, table: Table, function: MetricFunction) -> OutputFields:
    fields = types.vocabulary.of(table).metrics[function]
    return {name: _taken(types, table, function, name, shown) for name, shown in fields.items()}


def _taken(types: Types, table: Table, function: MetricFunction, name: str, shown: Shown) -> GraphQLField:
    field = shown.field
    leaf = scalars.leaf_of_metric(function, metric_type(function, field.type))
    text = text_of(types, table, field, name, is_of_row=False)
    type_ = GraphQLNonNull(leaf) if function == "count_distinct" else leaf
    return field_of(type_, shown, text, deprecation=reason_of(table, field))


# Groups


def add_groups(types: Types, table: Table) -> None:
    """Add the page of groups of a table's rows, a group, and what rows are grouped by."""
    name, _ = types.named(table)
    types.add_object(f"{name}GroupsPage", partial(_page_fields, types, name), f"A page of groups of {table.resource}.")
    types.add_object(
        f"{name}GroupsNode", partial(_group_fields, types, table), f"A group of {table.resource}, with its numbers."
    )
    types.add_object(
        f"{name}GroupsKey",
        partial(_key_fields, types, table, has_rows=True),
        f"What {table.resource} are grouped by: each field that is selected here.",
    )


def add_group_fields(types: Types, table: Table) -> None:
    """Add the fields of related rows that rows of other tables are grouped by."""
    name, _ = types.named(table)
    types.add_object(
        f"{name}GroupsFields",
        partial(_key_fields, types, table, has_rows=False),
        f"Fields of related {table.resource} to group by: each that is selected here.",
    )


def _page_fields(types: Types, name: str) -> OutputFields:
    return dict(
        (
            *(own(*each) for each in TOTALS),
            own("nodes", rows_of(types.output(f"{name}GroupsNode")), "The groups."),
        )
    )


def _group_fields(types: Types, table: Table) -> OutputFields:
    name, _ = types.named(table)
    key = GraphQLNonNull(types.output(f"{name}GroupsKey"))
    return {**dict((own("key", key, "What the rows are grouped by."),)), **_number_fields(types, table)}


def _key_fields(types: Types, table: Table, *, has_rows: bool) -> OutputFields:
    names = types.vocabulary.of(table)
    found = {name: _key_field(types, table, name, meaning) for name, meaning in names.group_fields.items()}
    if has_rows:
        found.update((name, _key_row(types, name, meaning)) for name, meaning in names.group_rows.items())
    return found


def _key_field(types: Types, table: Table, name: str, meaning: KeyMeaning) -> GraphQLField:
    match meaning:
        case GroupValue():
            return _key_value(types, table, name, meaning)
        case GroupRow():
            return _key_row(types, name, meaning)
        case GroupThrough(relationship=edge, table=target):
            through = types.output(f"{types.named(target)[0]}GroupsFields")
            text = f"Fields of {edge.name} to group by."
            return field_of(GraphQLNonNull(through), meaning, text, deprecation=target.deprecation)


def _key_value(types: Types, table: Table, name: str, meaning: GroupValue) -> GraphQLField:
    """A field, its label, or a period of it; each may be null, for rows that have none form a group."""
    field = meaning.field
    if meaning.part:
        text = describe.of_period(field, meaning.part)
        return field_of(scalars.STRING, meaning, text, deprecation=reason_of(table, field))
    text = text_of(types, table, field, name, is_of_row=False)
    return field_of(scalars.leaf_of(field.type), meaning, text, deprecation=reason_of(table, field))


def _key_row(types: Types, name: str, meaning: GroupRow) -> GraphQLField:
    target = meaning.table
    text = describe.of_relationship(meaning.relationship, target, name)
    return field_of(types.output(types.named(target)[0]), meaning, text, deprecation=target.deprecation)
