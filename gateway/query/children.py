"""Nested rows of a create: owned children, each judged like a row of its own.

What ties a child to its parent (the reference, and a constant such as ``rel_type``)
is not the client's to send: it follows from where the child stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalog.model import CustomField, Relationship, Table
from gateway.query.plan import PendingFill, Slot, SlotValue, WrittenColumn, WrittenValue

MOST_CHILDREN = 1_000


@dataclass(frozen=True, slots=True)
class WrittenCustom:
    """A custom field that a write sets: the slot of its text, empty for no value, and what was sent.

    ``is_compared`` says that a change leaves the field alone when what was sent is what
    the row shows, so that text which is no value of the type survives being sent back as null.
    """

    field: CustomField
    slot: Slot
    raw: object
    is_compared: bool = False


@dataclass(frozen=True, slots=True)
class PlannedChild:
    """One nested row: the columns that were sent or are filled, and its own nested rows.

    ``tie`` are the columns that follow from the parent: a constant, or None for the
    parent's key. ``sent`` are the names that the client wrote, ``path`` where they stand.
    """

    relationship: Relationship
    table: Table
    values: tuple[tuple[WrittenColumn, WrittenValue], ...]
    tie: Mapping[str, object]
    sent: frozenset[str]
    path: str
    pending: tuple[tuple[Slot, PendingFill], ...] = ()
    children: Mapping[str, tuple[PlannedChild, ...]] = field(default_factory=dict)
    custom: tuple[WrittenCustom, ...] = ()

    def slots(self) -> dict[str, Slot]:
        """Return the slot of each written column."""
        return {column.name: value.slot for column, value in self.values if isinstance(value, SlotValue)}


def nested_relationship(table: Table, name: str, raw: object) -> Relationship | None:
    """Return the owned to-many that a list in a body fills, None when the name or value means something else.

    Null means it too, and fills it with nothing, unless a field has the name.
    """
    relationship = table.relationships.get(name)
    is_owned = relationship is not None and relationship.is_owned and relationship.is_to_many
    is_meant = isinstance(raw, list) or (raw is None and name not in table.fields)
    return relationship if is_owned and is_meant else None


def nested_relationships(table: Table) -> tuple[Relationship, ...]:
    """Return the relationships whose rows a create may write along."""
    return tuple(edge for edge in table.relationships.values() if edge.is_owned and edge.is_to_many)


def tie_of(relationship: Relationship) -> dict[str, object]:
    """Return the columns of a child that its place decides: constants, and None for the parent's key."""
    tie: dict[str, object] = {remote: None for _, remote in relationship.pairs}
    tie.update({guard.column: guard.values[0] for guard in relationship.guards if guard.operator == "eq"})
    return tie
