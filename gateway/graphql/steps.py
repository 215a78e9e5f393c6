"""What a document asks of the engine: one step per field of Query or Mutation, each with its intent and its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.catalog.kinds import ValueFormat
from gateway.catalog.model import Table
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Frame, Shape
from gateway.query.bulk import OnConflict
from gateway.query.intent import AggregateIntent, FilterIntent, Parameters, ReadIntent

FORMAT: Final = ValueFormat(are_decimals_text=True, are_bigints_text=True)
"""How values are written in GraphQL: no digit is lost to a client's numbers."""

PARAMETERS: Final = Parameters(search="search", groups="key")
"""What errors call the parts of a question: as the schema does."""


@dataclass(frozen=True, slots=True)
class RowsStep:
    """A list. ``is_default_page`` says that no limit was named, so that a cut must be told of."""

    selected: Selected
    intent: ReadIntent
    shape: Shape
    is_default_page: bool = False


@dataclass(frozen=True, slots=True)
class RowStep:
    """One row by its key; null where there is none."""

    selected: Selected
    intent: ReadIntent
    shape: Shape


OF_ROWS: Final = frozenset({"nodes", "cursor", "hasNextPage", "startCursor", "endCursor"})
"""What of a page cannot be told without its rows."""

CURSORS: Final = frozenset({"cursor", "startCursor", "endCursor"})


@dataclass(frozen=True, slots=True)
class ConnectionStep:
    """A list with cursors. ``binding`` is what its cursors belong to, ``after`` the one that was sent.

    The intent's count is ``none`` where no total is selected, and its page has no position before ``after`` is
    opened. ``frame`` is the page with its rows in it, as often as they are selected.
    """

    selected: Selected
    intent: ReadIntent
    frame: Frame
    binding: bytes
    after: str | None = None
    is_default_page: bool = False

    @property
    def has_cursors(self) -> bool:
        """Whether it is asked where rows stand."""
        return not CURSORS.isdisjoint(self.frame.told())


@dataclass(frozen=True, slots=True)
class NumbersStep:
    """Numbers over all rows."""

    selected: Selected
    intent: AggregateIntent
    shape: Shape


@dataclass(frozen=True, slots=True)
class GroupsStep:
    """A page of groups; count and frame are as in `ConnectionStep`."""

    selected: Selected
    intent: AggregateIntent
    frame: Frame
    is_default_page: bool = False


def needs_rows(step: ConnectionStep | GroupsStep) -> bool:
    """Whether a page tells anything of its rows, and not only how many there are in all."""
    return not OF_ROWS.isdisjoint(step.frame.told())


ReadStep = RowsStep | RowStep | ConnectionStep | NumbersStep | GroupsStep


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """A mutation: one row or an array of new ones, one row by its key, or the rows that a filter chooses.

    ``values`` are one mapping, or of a plural create several; field names are the catalog's. ``read`` asks for
    what the reply selects of each written row (its key is not in it), None where nothing of rows is selected.
    ``shapes`` are those of a row: one, and of a plural update one for each ``rows`` that is selected.
    """

    selected: Selected
    table: Table
    operation: Literal["create", "update", "delete"]
    is_plural: bool
    key: tuple[str, ...] | None = None
    values: tuple[Mapping[str, object], ...] = ()
    conditions: tuple[FilterIntent, ...] = ()
    most: int = 1
    on_conflict: OnConflict | None = None
    if_match: str | None = None
    is_dry_run: bool = False
    read: ReadIntent | None = None
    shapes: tuple[Shape, ...] = ()


Step = ReadStep | ChangeStep
