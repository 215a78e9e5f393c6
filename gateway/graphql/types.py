"""The types of one schema by name, and the types that make their fields when they are first asked for.

A schema of all tables has tens of thousands of fields and conditions, of which a document names a few: what no
document names is never made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
)

from gateway.catalog.model import Table
from gateway.graphql import scalars
from gateway.graphql.meaning import MEANING, Meaning, Own
from gateway.graphql.tables import TableNames
from gateway.graphql.vocabulary import Vocabulary

OutputFields = dict[str, GraphQLField]
InputFields = dict[str, GraphQLInputField]
Arguments = dict[str, GraphQLArgument]


class ObjectType(GraphQLObjectType):
    """An object whose fields are made when they are first asked for; their names need no check, `naming` made them."""

    @cached_property
    def fields(self) -> OutputFields:
        """The fields by name."""
        made: OutputFields = self._fields()  # type: ignore[operator, assignment]  # a thunk until it is first asked
        return made


class InputType(GraphQLInputObjectType):
    """An input whose fields are made when they are first asked for; their names need no check, `naming` made them."""

    @cached_property
    def fields(self) -> InputFields:
        """The fields by name."""
        made: InputFields = self._fields()  # type: ignore[operator, assignment]  # as above
        return made


class Types:
    """The types of one schema. All are there by name before the fields of any are made.

    ``compared`` and ``direction`` are fields of inputs that many columns share.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.by_name: dict[str, GraphQLNamedType] = {}
        self.direction = GraphQLInputField(DIRECTION)
        self.compared: dict[tuple[str, str, str | None], GraphQLInputField] = {}

    def add(self, *types: GraphQLNamedType) -> None:
        """Add types that are made already."""
        self.by_name.update((each.name, each) for each in types)

    def add_object(self, name: str, fields: Callable[[], OutputFields], description: str) -> None:
        """Add an object."""
        self.by_name[name] = ObjectType(name, fields, description=description)

    def add_input(
        self, name: str, fields: Callable[[], InputFields], description: str, *, is_one_of: bool = False
    ) -> None:
        """Add an input; of one that ``is_one_of`` exactly one field is given."""
        self.by_name[name] = InputType(name, fields, description=description, is_one_of=is_one_of)

    def output(self, name: str) -> GraphQLObjectType:
        """Return an object by name."""
        found = self.by_name[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    def input(self, name: str) -> GraphQLInputObjectType:
        """Return an input by name."""
        found = self.by_name[name]
        assert isinstance(found, GraphQLInputObjectType)
        return found

    def named(self, table: Table) -> tuple[str, TableNames]:
        """Return what the names of a table's types begin with, and what may be named of it."""
        return self.vocabulary.type_names[table], self.vocabulary.of(table)


def field_of(
    type_: GraphQLOutputType,
    meaning: Meaning,
    description: str,
    arguments: Arguments | None = None,
    deprecation: str | None = None,
) -> GraphQLField:
    """Return a field with its meaning."""
    return GraphQLField(
        type_, arguments, description=description, deprecation_reason=deprecation, extensions={MEANING: meaning}
    )


def own(name: str, type_: GraphQLOutputType, description: str) -> tuple[str, GraphQLField]:
    """Return a field of an object of the gateway's own, with its name."""
    return name, field_of(type_, Own(name), description)


def argument(type_: GraphQLInputType, description: str) -> GraphQLArgument:
    """Return an argument."""
    return GraphQLArgument(type_, description=description)


def rows_of(type_: GraphQLObjectType) -> GraphQLNonNull[GraphQLList[GraphQLNonNull[GraphQLObjectType]]]:
    """Return the type of a list that is there, of rows that are there."""
    return GraphQLNonNull(GraphQLList(GraphQLNonNull(type_)))


def list_of(type_: GraphQLObjectType) -> GraphQLList[GraphQLNonNull[GraphQLObjectType]]:
    """Return the type of a list that may be missing, of rows that are there."""
    return GraphQLList(GraphQLNonNull(type_))


# Types that all schemas share


def _words(name: str, description: str, words: Mapping[str, str]) -> GraphQLEnumType:
    """An enum whose values are their own names."""
    values = {word: GraphQLEnumValue(word, description=text) for word, text in words.items()}
    return GraphQLEnumType(name, values, description=description)


DIRECTION = _words(
    "SortDirection", "Which way a sort goes.", {"ASC": "The least first.", "DESC": "The greatest first."}
)

ON_CONFLICT = _words(
    "OnConflict",
    "What to do where a row of the same unique key is there already; the input must hold a whole one.",
    {"UPDATE": "The row takes what is given.", "IGNORE": "The row stays as it is."},
)

_EXACT = "All are counted."
_ESTIMATE = "What the server reckons; quick, and rough."

COUNT_FORM = _words(
    "CountForm",
    "How a total is worked out.",
    {"EXACT": _EXACT, "ESTIMATE": _ESTIMATE, "NONE": "It is not: the total is null."},
)

COUNT_IS = _words(
    "CountIs",
    "What a total is.",
    {
        "EXACT": _EXACT,
        "RECENT": "All were counted in the last seconds.",
        "ESTIMATE": _ESTIMATE,
        "NONE": "Nobody knows.",
    },
)

TOTALS: tuple[tuple[str, GraphQLOutputType, str], ...] = (
    ("totalCount", scalars.INT, "How many there are on all pages; null where nobody knows."),
    ("totalCountIs", COUNT_IS, "Whether the total is exact."),
)

PAGE_INFO = ObjectType(
    "PageInfo",
    lambda: dict(
        own(*each)
        for each in (
            ("hasNextPage", GraphQLNonNull(scalars.BOOLEAN), "Whether rows follow."),
            ("hasPreviousPage", GraphQLNonNull(scalars.BOOLEAN), "Whether the page began after a cursor."),
            ("startCursor", scalars.STRING, "The cursor of the first row."),
            ("endCursor", scalars.STRING, "The cursor of the last row: the next page's `after`."),
        )
    ),
    description="Where a page of a connection stands (Relay, Cursor Connections Specification).",
)

DEPENDANTS = ObjectType(
    "Dependants",
    lambda: dict(
        own(*each)
        for each in (
            ("resource", GraphQLNonNull(scalars.STRING), "The resource of the rows; `other` where it may not be read."),
            ("count", GraphQLNonNull(scalars.STRING), 'How many; `"100+"` where there are more.'),
        )
    ),
    description="Rows of one resource that go along with a delete, or stand in its way.",
)

DELETED = ObjectType(
    "Deleted",
    lambda: dict(
        own(*each)
        for each in (
            ("affected", GraphQLNonNull(scalars.INT), "How many rows were deleted, or would be."),
            ("owned", list_of(DEPENDANTS), "Rows that would go along; told of a dry run, else null."),
            ("dependants", list_of(DEPENDANTS), "Rows that would stand in the way; told of a dry run, else null."),
        )
    ),
    description="What a delete removed.",
)
