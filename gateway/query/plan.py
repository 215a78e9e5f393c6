"""What a question means: the intent resolved against catalog and access.

A plan is a frozen, hashable tree whose columns are catalog objects. Literals sit
beside it in a ``values`` tuple and the plan holds slots (indexes into it), so that
equal questions are equal plans and share one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat
from gateway.catalog.model import Column, Field, Filler, InternalColumn, Relationship, Table

Slot = int
"""The index of a value in the ``values`` beside a plan."""

Values = tuple[object, ...]

CompareOperator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "like", "nlike", "in", "nin", "null", "not_null", "exact"
]


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with the values of some slots.

    The operators are fewer than a client's: ``contains`` is a ``like`` whose value
    is an escaped pattern, ``between`` two comparisons, a day against a moment a range.
    """

    field: Field
    operator: CompareOperator
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; no parts hold always."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds; no parts hold never."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false: an unknown part (a null) stays unknown, so its row does not match."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Reached:
    """The row is reached from a row of ``origin`` through one of its relationships.

    ``condition`` chooses the origin's rows: its key, and the caller's row filter.
    """

    origin: Table
    relationship: Relationship
    condition: Condition


Condition = Compare | And | Or | Not | Reached


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key of a plan."""

    field: Field
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Rows of one table: which fields, which rows, in which order, how many.

    ``limit`` and ``offset`` are slots; None means all rows (one row by key) and
    none skipped. ``today`` is the slot of the current day, set when a derived field needs it.
    ``is_tagged`` reads the table's other columns too, for the tag of each row; they are not shown.

    ``GET /api/v1/invoices?filter[status]=2&sort=-total&fields=id,total`` is

        ReadPlan(invoices, fields=(id, total), condition=And((Compare(status, "eq", (0,)),)),
                 order=(Order(total, True), Order(id)), limit=1, offset=2), values (2, 25, 0)
    """

    table: Table
    fields: tuple[Field, ...]
    condition: Condition = And(())
    order: tuple[Order, ...] = ()
    limit: Slot | None = None
    offset: Slot | None = None
    today: Slot | None = None
    is_locking: bool = False
    format: ValueFormat = PLAIN_FORMAT
    is_tagged: bool = False


@dataclass(frozen=True, slots=True)
class AggregatePlan:
    """The number of rows a condition matches; the root of grouped aggregates to come."""

    table: Table
    condition: Condition = And(())
    today: Slot | None = None


@dataclass(frozen=True, slots=True)
class SlotValue:
    """A written value that stands in a slot."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class StepKey:
    """The auto-increment key that an earlier step of the same plan produced."""

    step: int


@dataclass(frozen=True, slots=True)
class Increment:
    """The column's own value plus a constant, a closed expression."""

    amount: int


WrittenValue = SlotValue | StepKey | Increment
WrittenColumn = Column | InternalColumn


@dataclass(frozen=True, slots=True)
class InsertStep:
    """One new row."""

    table: Table
    values: tuple[tuple[WrittenColumn, WrittenValue], ...]


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """Changed columns of the rows a condition chooses."""

    table: Table
    values: tuple[tuple[WrittenColumn, WrittenValue], ...]
    condition: Condition


@dataclass(frozen=True, slots=True)
class DeleteStep:
    """The removal of the rows a condition chooses."""

    table: Table
    condition: Condition


WriteStep = InsertStep | UpdateStep | DeleteStep


@dataclass(frozen=True, slots=True)
class WritePlan:
    """One transaction: locking reads, ordered steps, then the row as it came out.

    All parts share one ``values`` tuple. ``reads`` run first and must find what
    they ask for. ``result`` reads the written row back; None for a delete. Its key
    is in slots, but for a create whose key the database makes: then
    ``key_step`` names the insert whose key fills the slot ``key_slot``.
    """

    reads: tuple[ReadPlan, ...]
    steps: tuple[WriteStep, ...]
    result: ReadPlan | None = None
    key_step: int | None = None
    key_slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class PendingFill:
    """A value that is only known when the write runs: who acts, or what the database's own rows say."""

    column: str
    filler: Filler
