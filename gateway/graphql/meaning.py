"""What the fields and inputs of a GraphQL schema mean in the catalog.

Every field of the schema carries one of these (``extensions[MEANING]``), and translation goes by it and by
nothing else: no name is ever taken apart again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gateway.catalog.model import Column, CustomField, Field, Relationship, Table
from gateway.query.plan import MetricFunction

MEANING: Final = "gateway"
"""The key of a schema field's ``extensions`` under which its meaning is."""

# Fields of rows


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of the row: a column, a derived field, a custom field or a label."""

    field: Field


@dataclass(frozen=True, slots=True)
class Tag:
    """The row's tag, which ``ifMatch`` takes."""


@dataclass(frozen=True, slots=True)
class Nested:
    """The row or rows that a relationship leads to."""

    relationship: Relationship
    table: Table


@dataclass(frozen=True, slots=True)
class NestedNumbers:
    """Numbers over the rows that a to-many leads to, for each row."""

    relationship: Relationship
    table: Table


# Fields of Query and Mutation


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of a table's rows."""

    table: Table


@dataclass(frozen=True, slots=True)
class Row:
    """One row by its key: an argument per key column, or ``key`` where the caller may not read those."""

    table: Table
    arguments: tuple[str, ...]
    """Names of the arguments in the key's order; ``("key",)`` for the comma list that paths have."""
    is_by_columns: bool = True


@dataclass(frozen=True, slots=True)
class Connection:
    """A list with cursors (Relay, "Cursor Connections Specification")."""

    table: Table


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers over all rows that match."""

    table: Table


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows with their numbers."""

    table: Table


@dataclass(frozen=True, slots=True)
class Change:
    """A mutation. ``key`` has the key's arguments of one row (as `Row`), None of a plural form or a create."""

    table: Table
    operation: Literal["create", "update", "delete"]
    is_plural: bool
    key: Row | None = None


# Fields of numbers and groups


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A function over fields (``sum``); its parts are `Shown`."""

    function: MetricFunction


@dataclass(frozen=True, slots=True)
class GroupValue:
    """A field, or a period of it, that rows are grouped by: ``agent``, ``date.month``; relative to where it stands.

    ``field`` is what the word shows: a field, its label, or the field that ``part`` is a period of. ``label_of`` is
    the name of the coded field where the word is that of its label, else empty.
    """

    word: str
    field: Field
    label_of: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A related row that rows are grouped by; its parts are those of rows."""

    relationship: Relationship
    table: Table


@dataclass(frozen=True, slots=True)
class GroupThrough:
    """The way to fields of a related row that rows are grouped by; its parts are group fields of that row's table."""

    relationship: Relationship
    table: Table


# Fields of the gateway's own objects


@dataclass(frozen=True, slots=True)
class Own:
    """A field of an object that is the gateway's own, such as ``edges``, ``totalCount``, ``key`` and ``affected``."""

    name: str


Meaning = (
    Shown
    | Tag
    | Nested
    | NestedNumbers
    | Rows
    | Row
    | Connection
    | Numbers
    | Groups
    | Change
    | Counted
    | Taken
    | GroupValue
    | GroupRow
    | GroupThrough
    | Own
)


# Inputs


@dataclass(frozen=True, slots=True)
class On:
    """A comparison: ``total_gte`` is `On` of ``total`` and ``gte``."""

    field: Field
    operator: str


@dataclass(frozen=True, slots=True)
class Through:
    """A condition or a sort key of related rows."""

    relationship: Relationship
    table: Table


@dataclass(frozen=True, slots=True)
class By:
    """A sort key."""

    field: Field


@dataclass(frozen=True, slots=True)
class Into:
    """A field that a write gives."""

    field: Column | CustomField


@dataclass(frozen=True, slots=True)
class IntoRows:
    """Nested rows that a create writes along."""

    relationship: Relationship
    table: Table
