"""Inputs and arguments of mutations: the fields that writes give, and how rows are named and kept safe."""

from __future__ import annotations

from functools import partial

from graphql import GraphQLInputField, GraphQLList, GraphQLNonNull

from gateway.catalog.model import Table
from gateway.graphql import describe, scalars
from gateway.graphql.arguments import DRY_RUN, IF_MATCH, MOST_AFFECTED, key_arguments
from gateway.graphql.inputs import input_of
from gateway.graphql.meaning import Change, Into, IntoRows
from gateway.graphql.objects import reason_of
from gateway.graphql.tables import WriteMeaning
from gateway.graphql.types import ON_CONFLICT, Arguments, InputFields, Types, argument
from gateway.query.bulk import MOST_ROWS
from gateway.query.children import tie_of


def add_created(types: Types, table: Table) -> None:
    """Add the fields of a new row, which may hold rows of other tables."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}Create",
        partial(_given_fields, types, table, is_create=True),
        f"A new row of {table.resource}. What must be given is said of each field, and judged as a whole.",
    )


def add_changed(types: Types, table: Table) -> None:
    """Add the fields of a change."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}Update",
        partial(_given_fields, types, table, is_create=False),
        f"A change of a row of {table.resource}: what is left out stays as it is.",
    )


def _given_fields(types: Types, table: Table, *, is_create: bool) -> InputFields:
    given = types.vocabulary.of(table).written("create" if is_create else "update")
    return {name: _given(types, table, name, meaning, is_create=is_create) for name, meaning in given.items()}


def _given(types: Types, table: Table, name: str, meaning: WriteMeaning, *, is_create: bool) -> GraphQLInputField:
    match meaning:
        case Into(field=field):
            text = describe.of_given(types.vocabulary.context, table, field, name, is_create=is_create)
            return input_of(scalars.leaf_of(field.type), text, reason_of(table, field))
        case IntoRows(relationship=edge, table=child):
            rows = GraphQLList(GraphQLNonNull(types.input(f"{types.named(child)[0]}Create")))
            return input_of(rows, describe.of_nested_rows(edge, tie_of(edge)), child.deprecation)


def change_arguments(types: Types, change: Change) -> Arguments:
    """Return the arguments of a mutation."""
    match change.operation:
        case "create":
            return _create_arguments(types, change)
        case "update":
            return _update_arguments(types, change)
        case "delete" if change.is_plural:
            return {**_chosen(types, change), "dryRun": DRY_RUN}
        case _:
            return {**_one(change), "ifMatch": IF_MATCH, "dryRun": DRY_RUN}


def _create_arguments(types: Types, change: Change) -> Arguments:
    row = types.input(f"{types.named(change.table)[0]}Create")
    several = GraphQLNonNull(GraphQLList(GraphQLNonNull(row)))
    given = (
        argument(several, f"The new rows, at most {MOST_ROWS:,}: all of them, or none.")
        if change.is_plural
        else argument(GraphQLNonNull(row), "The new row.")
    )
    conflict = argument(ON_CONFLICT, "What to do where a row of the same unique key is there; left out, it is refused.")
    return {"input": given, "onConflict": conflict, "dryRun": DRY_RUN}


def _update_arguments(types: Types, change: Change) -> Arguments:
    row = types.input(f"{types.named(change.table)[0]}Update")
    given = argument(GraphQLNonNull(row), "What is changed.")
    if change.is_plural:
        return {**_chosen(types, change), "input": given, "dryRun": DRY_RUN}
    return {**_one(change), "input": given, "ifMatch": IF_MATCH, "dryRun": DRY_RUN}


def _one(change: Change) -> Arguments:
    """The row that is written."""
    assert change.key is not None
    return key_arguments(change.key)


def _chosen(types: Types, change: Change) -> Arguments:
    """The rows that are written; which they are must be said."""
    name, _ = types.named(change.table)
    chosen = argument(GraphQLNonNull(types.input(f"{name}Filter")), "Which rows: all conditions must hold.")
    return {"filter": chosen, "maxAffected": MOST_AFFECTED}
