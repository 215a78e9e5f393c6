"""What a rule is given and what it gives back: plain values by column name, no SQL, no I/O.

Tables stand without the prefix. Values are Python's: `Decimal` for DECIMAL, naive
`datetime` on the CRM's wall for DATETIME, `date` for DATE, `int` and `str`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

Row = Mapping[str, object]
Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows that a rule must see: ``columns`` of those whose columns equal the values of ``where``.

    A tuple in ``where`` means one of its values, None means NULL. ``is_locking``
    holds the rows until the write is done (a counter, a document whose status follows).
    A table or column that this database lacks gives no rows, but a row is without those of
    ``optional`` that are lacking. A ``-`` before a name of ``order`` turns it round.

    ``is_own`` says that the write goes by these rows in the caller's name: one outside the
    caller's row filter is as good as none. ``kept`` are keys of rows that the write cannot do
    without (what the stored row belongs to): one of them outside refuses the write. Other
    lookups are the rule's own books, which count every row.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    where: Mapping[str, object] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    limit: int | None = None
    is_locking: bool = False
    optional: tuple[str, ...] = ()
    is_own: bool = False
    kept: tuple[object, ...] = ()


Found = Mapping[str, tuple[Row, ...]]
"""The rows of each lookup by its name."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """The key of a row that this write inserts: the main row's ("") or the one inserted under a label."""

    label: str = ""


@dataclass(frozen=True, slots=True)
class FromKey:
    """A value made of the key of a row that this write inserts, as `NewKey` tells which."""

    make: Callable[[object], object]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """The column's own value plus a number, computed by the database."""

    amount: int


@dataclass(frozen=True, slots=True)
class InsertRow:
    """One more row. A table that this database lacks is passed over: logs came and went with versions."""

    table: str
    values: Row
    label: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateRows:
    """Changed columns of the rows whose columns equal ``where`` (as in `Lookup`)."""

    table: str
    where: Row
    values: Row


@dataclass(frozen=True, slots=True)
class DeleteRows:
    """The removal of the rows whose columns equal ``where`` (as in `Lookup`)."""

    table: str
    where: Row


RowWrite = InsertRow | UpdateRows | DeleteRows


@dataclass(frozen=True, slots=True)
class Child:
    """A nested row of a create: what was sent, and its own nested rows by relationship."""

    values: Row
    children: Mapping[str, tuple[Child, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """One write as a rule sees it.

    ``values`` are the columns that were sent (and what the profile fills: ``now``,
    the acting staff …); ``sent`` the names of those that the client sent itself.
    ``stored`` is the locked row before a change or delete, all columns. ``staff`` is the
    acting staff id, ``now`` the CRM's wall clock and ``unix`` the same moment in seconds.
    ``readable`` are the columns that the caller may read: of others nobody is told
    that a value is the stored one.
    """

    table: str
    operation: Operation
    values: Row
    sent: frozenset[str]
    now: datetime
    staff: int
    stored: Row = field(default_factory=dict)
    children: Mapping[str, tuple[Child, ...]] = field(default_factory=dict)
    random_hex: Callable[[int], str] = lambda size: "0" * (2 * size)
    unix: int = 0
    readable: frozenset[str] | None = None

    def is_readable(self, column: str) -> bool:
        """Whether the caller may read a column."""
        return self.readable is None or column in self.readable

    def is_sent_back(self, column: str) -> bool:
        """Whether the client wrote what is stored, and could know it."""
        return self.is_readable(column) and column in self.values and self.values[column] == self.stored.get(column)

    @property
    def today(self) -> date:
        """The current day on the CRM's wall."""
        return self.now.date()

    def after(self) -> dict[str, object]:
        """Return the row as the sent values leave it."""
        return {**self.stored, **self.values}


@dataclass(frozen=True, slots=True)
class Extension:
    """What a rule adds to a write.

    ``main`` are columns of the main row, ``children`` columns of nested rows by their
    label (``items.0``, ``items.0.taxes.1``); ``before`` and ``after`` are rows of
    other tables, written before the main row or after it and its nested rows.
    """

    main: Row = field(default_factory=dict)
    children: Mapping[str, Row] = field(default_factory=dict)
    before: tuple[RowWrite, ...] = ()
    after: tuple[RowWrite, ...] = ()


class Rule(Protocol):
    """How one table is written so that the CRM stays right. Pure: equal arguments, equal answers."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Return what must be read first."""
        ...

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Return what must be read besides, now that some rows are known; asked until nothing new is due."""
        ...

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Return what goes with the write.

        Raises:
            ValidationError: ``fields_invalid`` for values that the rule does not allow.
        """
        ...
