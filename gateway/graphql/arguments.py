"""Arguments of the fields of Query and Mutation, and of the relationships of rows.

None has a default in the schema: what was left out is known to be left out, so that a reply can tell of a cut
that nobody asked for.
"""

from __future__ import annotations

from typing import Final

from graphql import GraphQLList, GraphQLNonNull

from gateway.catalog.model import Table
from gateway.graphql import scalars
from gateway.graphql.meaning import Row
from gateway.graphql.types import COUNT_FORM, Arguments, Types, argument
from gateway.query.bulk import MOST_ROWS
from gateway.query.embeds import DEFAULT_LIMIT as DEFAULT_NESTED
from gateway.query.planner import DEFAULT_PER_PAGE

_LIMIT: Final = argument(
    scalars.INT, f"How many at most: {DEFAULT_PER_PAGE} unless given, and no more than the token's page may hold."
)
_OFFSET: Final = argument(scalars.INT, "How many to leave out first.")
_FIRST: Final = argument(
    scalars.INT, f"How many rows at most: {DEFAULT_PER_PAGE} unless given, and no more than the token's page may hold."
)
_AFTER: Final = argument(scalars.STRING, "The cursor of the row after which the page begins.")
_COUNT: Final = argument(COUNT_FORM, "How the total is counted, where it is asked for: EXACT unless given.")
_NESTED_LIMIT: Final = argument(
    scalars.INT,
    f"How many of each row at most: {DEFAULT_NESTED} unless given; where it is not, `extensions.truncated` tells of "
    "lists that have more.",
)
_NESTED_OFFSET: Final = argument(scalars.INT, "How many of each row to leave out first.")
_SEARCH: Final = "A text that one of these fields contains: {}."
DRY_RUN: Final = argument(
    scalars.BOOLEAN, "true: answers what would happen, and takes it back. A dry run leaves nothing behind."
)
IF_MATCH: Final = argument(
    scalars.STRING, "The row's `_etag` as it was read: where the row has changed since, nothing is written."
)
MOST_AFFECTED: Final = argument(
    GraphQLNonNull(scalars.INT),
    f"How many rows may be written, at most {MOST_ROWS:,}: where more match, none is.",
)


def filter_argument(types: Types, table: Table) -> Arguments:
    """Return the argument that chooses rows of a table."""
    name, _ = types.named(table)
    return {"filter": argument(types.input(f"{name}Filter"), "Which rows: all conditions must hold.")}


def chosen_arguments(types: Types, table: Table) -> Arguments:
    """Return the arguments that choose rows of a table: a filter, and a text where rows can be searched."""
    found = filter_argument(types, table)
    if types.vocabulary.of(table).is_searchable:
        access = types.vocabulary.access
        names = (column.name for column in table.searchable if access.may_read_column(table, column))
        found["search"] = argument(scalars.STRING, _SEARCH.format(", ".join(names)))
    return found


def _sort_argument(types: Types, table: Table) -> Arguments:
    name, names = types.named(table)
    if not names.sorts:
        return {}
    items = GraphQLList(GraphQLNonNull(types.input(f"{name}Sort")))
    return {"sort": argument(items, "The sort keys, most significant first; the row's key always comes last.")}


def list_arguments(types: Types, table: Table) -> Arguments:
    """Return the arguments of a list."""
    return {**chosen_arguments(types, table), **_sort_argument(types, table), "limit": _LIMIT, "offset": _OFFSET}


def connection_arguments(types: Types, table: Table) -> Arguments:
    """Return the arguments of a list with cursors."""
    chosen = {**chosen_arguments(types, table), **_sort_argument(types, table)}
    return {**chosen, "first": _FIRST, "after": _AFTER, "count": _COUNT}


def group_arguments(types: Types, table: Table) -> Arguments:
    """Return the arguments of groups."""
    name, _ = types.named(table)
    having = argument(types.input(f"{name}Having"), "Which groups: all conditions on their numbers must hold.")
    items = GraphQLList(GraphQLNonNull(types.input(f"{name}GroupsSort")))
    sort = argument(items, "The sort keys, most significant first: numbers, or what is selected under `key`.")
    return {**chosen_arguments(types, table), "having": having, "sort": sort, "limit": _LIMIT, "offset": _OFFSET}


def nested_arguments(types: Types, table: Table) -> Arguments:
    """Return the arguments of the rows that a to-many leads to."""
    chosen = {**filter_argument(types, table), **_sort_argument(types, table)}
    return {**chosen, "limit": _NESTED_LIMIT, "offset": _NESTED_OFFSET}


def key_arguments(row: Row) -> Arguments:
    """Return the arguments that name one row."""
    if not row.is_by_columns:
        text = "The row's key; the parts of a key of several columns are joined by commas, as in a path of REST."
        return {"key": argument(GraphQLNonNull(scalars.ID), text)}
    return {
        name: argument(GraphQLNonNull(scalars.leaf_of(column.type)), f"{column.name} of the row.")
        for name, column in zip(row.arguments, row.table.key, strict=True)
    }
