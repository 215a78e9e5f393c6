"""The GraphQL schema of one caller: what it may name, as types.

What comes in: a `Vocabulary`. What goes out: a schema whose fields carry their meanings (``extensions[MEANING]``).
It is made without any resolver: documents are translated, not executed (only introspection is).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, assert_never

from graphql import (
    DirectiveLocation,
    GraphQLDeprecatedDirective,
    GraphQLDirective,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    introspection_types,
    print_schema,
    specified_directives,
)

from gateway.catalog.model import Table
from gateway.graphql import scalars
from gateway.graphql.arguments import (
    chosen_arguments,
    connection_arguments,
    group_arguments,
    key_arguments,
    list_arguments,
)
from gateway.graphql.change_inputs import add_changed, add_created, change_arguments
from gateway.graphql.inputs import add_filter, add_group_fields_sort, add_having, add_many_filter, add_sort
from gateway.graphql.meaning import Change, Connection, Groups, Numbers, Own, Row, Rows
from gateway.graphql.numbers import add_group_fields, add_groups, add_numbers
from gateway.graphql.objects import add_connection, add_rows, add_updated
from gateway.graphql.types import (
    COUNT_FORM,
    COUNT_IS,
    DELETED,
    DEPENDANTS,
    DIRECTION,
    ON_CONFLICT,
    PAGE_INFO,
    OutputFields,
    Types,
    field_of,
    list_of,
)
from gateway.graphql.vocabulary import RootMeaning, Vocabulary

ATOMIC: Final = GraphQLDirective(
    "atomic",
    [DirectiveLocation.MUTATION],
    description="All mutations of the operation in one transaction: the first that fails takes all of them back.",
)

_DEPRECATED: Final = GraphQLDirective(
    GraphQLDeprecatedDirective.name,
    [place for place in GraphQLDeprecatedDirective.locations if place is not DirectiveLocation.DIRECTIVE_DEFINITION],
    args=GraphQLDeprecatedDirective.args,
    description=GraphQLDeprecatedDirective.description,
)
"""The library's own also names a location that GraphQL.js 16 does not know, whose code generators then fail."""

DIRECTIVES: Final = (
    *(each for each in specified_directives if each is not GraphQLDeprecatedDirective),
    _DEPRECATED,
    ATOMIC,
)

EMPTY: Final = "_empty"
"""The one field of Query for callers that may read nothing: GraphQL has no object without fields."""


_ABOUT: Final = (
    "Tables of the database, as far as the token may read and write them. Filters, pages, groups, values, mutations "
    "and limits are told of in the gateway's documentation, docs/graphql.md."
)


class LazySchema(GraphQLSchema):
    """A schema whose types are known by name, and whose fields are made when they are first asked for.

    The library's own constructor asks each type for its fields, to find the types that they lead to; here the
    types are known beforehand. What it sets is set here.
    """

    def __init__(
        self,
        query: GraphQLObjectType,
        mutation: GraphQLObjectType | None,
        types: Mapping[str, GraphQLNamedType],
    ) -> None:
        self.query_type = query
        self.mutation_type = mutation
        self.subscription_type = None
        self.type_map = dict(types)
        self.directives = DIRECTIVES
        self.description = _ABOUT
        self.extensions = {}
        self.ast_node = None
        self.extension_ast_nodes = ()
        self.assume_valid = True
        self._validation_errors = []
        self._sub_type_map = {}
        self._implementations_map = {}


def build_schema(vocabulary: Vocabulary) -> GraphQLSchema:
    """Return the schema of what a caller may name."""
    types = Types(vocabulary)
    types.add(*scalars.SCALARS.values(), DIRECTION)
    _add_readable(types)
    _add_writable(types)
    types.add_object("Query", partial(_query_fields, types), "What can be read.")
    mutation = None
    if vocabulary.mutations:
        types.add_object("Mutation", partial(_mutation_fields, types), "What can be written, in the document's order.")
        mutation = types.output("Mutation")
    types.by_name.update(introspection_types)
    return LazySchema(types.output("Query"), mutation, types.by_name)


def printed(schema: GraphQLSchema) -> str:
    """Return a schema in GraphQL's own language, which code generators read."""
    return print_schema(schema) + "\n"


def _add_readable(types: Types) -> None:
    """The types of tables that the caller may read, and of those that relationships lead to, which it may read too."""
    vocabulary = types.vocabulary
    if vocabulary.readable:
        types.add(COUNT_IS)
    if any(table.key for table in vocabulary.readable):
        types.add(COUNT_FORM, PAGE_INFO)
    for table in vocabulary.readable:
        _add_table(types, table)
    for table in vocabulary.filtered:
        add_filter(types, table)
    for table in vocabulary.many:
        add_many_filter(types, table)
    for table in vocabulary.grouped_through:
        add_group_fields(types, table)
        add_group_fields_sort(types, table)


def _add_table(types: Types, table: Table) -> None:
    names = types.vocabulary.of(table)
    add_rows(types, table)
    add_numbers(types, table)
    if names.sorts:
        add_sort(types, table)
    if table.key:
        add_connection(types, table)
    if names.is_groupable:
        add_groups(types, table)
        add_having(types, table)


def _add_writable(types: Types) -> None:
    vocabulary = types.vocabulary
    for table in vocabulary.created:
        add_created(types, table)
    for change in vocabulary.mutations.values():
        _add_change(types, change)


def _add_change(types: Types, change: Change) -> None:
    """What one mutation needs beside what reading needs."""
    table = change.table
    name, _ = types.named(table)
    if change.operation == "delete":
        types.add(DELETED, DEPENDANTS)
    elif name not in types.by_name:
        add_rows(types, table)
    if change.operation == "create":
        types.add(ON_CONFLICT)
    if change.operation == "update":
        add_changed(types, table)
    if change.is_plural and change.operation == "update":
        add_updated(types, table)


# Query and Mutation


def _query_fields(types: Types) -> OutputFields:
    found = {name: _query_field(types, meaning) for name, meaning in types.vocabulary.queries.items()}
    return found or {EMPTY: field_of(scalars.BOOLEAN, Own(EMPTY), "Always null: the token may read nothing.")}


def _query_field(types: Types, meaning: RootMeaning) -> GraphQLField:
    table = meaning.table
    name, resource, reason = types.named(table)[0], table.resource, table.deprecation
    match meaning:
        case Rows():
            text, arguments = f"Rows of {resource}.", list_arguments(types, table)
            return field_of(list_of(types.output(name)), meaning, text, arguments, reason)
        case Row():
            text, arguments = f"One row of {resource}; null where there is none.", key_arguments(meaning)
            return field_of(types.output(name), meaning, text, arguments, reason)
        case Connection():
            text, arguments = f"Rows of {resource} with cursors.", connection_arguments(types, table)
            return field_of(types.output(f"{name}Connection"), meaning, text, arguments, reason)
        case Numbers():
            text, arguments = f"Numbers over rows of {resource}.", chosen_arguments(types, table)
            return field_of(types.output(f"{name}Numbers"), meaning, text, arguments, reason)
        case Groups():
            text, arguments = f"Groups of rows of {resource}, with numbers.", group_arguments(types, table)
            return field_of(types.output(f"{name}GroupsPage"), meaning, text, arguments, reason)
        case _:
            assert_never(meaning)


def _mutation_fields(types: Types) -> OutputFields:
    return {name: _mutation_field(types, change) for name, change in types.vocabulary.mutations.items()}


_DOES: Final = {
    ("create", False): "Creates a row of {}.",
    ("create", True): "Creates rows of {}: all of them, or none.",
    ("update", False): "Changes a row of {}.",
    ("update", True): "Changes the rows of {} that match.",
    ("delete", False): "Deletes a row of {}.",
    ("delete", True): "Deletes the rows of {} that match.",
}


def _mutation_field(types: Types, change: Change) -> GraphQLField:
    table = change.table
    name, _ = types.named(table)
    text = _DOES[change.operation, change.is_plural].format(table.resource)
    arguments = change_arguments(types, change)
    if change.operation == "delete":
        return field_of(DELETED, change, text, arguments, table.deprecation)
    if not change.is_plural:
        return field_of(types.output(name), change, text, arguments, table.deprecation)
    if change.operation == "create":
        return field_of(list_of(types.output(name)), change, text, arguments, table.deprecation)
    return field_of(types.output(f"{name}Updated"), change, text, arguments, table.deprecation)
