"""What a question means: the intent resolved against catalog and access.

A plan is a frozen, hashable tree whose columns are catalog objects. Literals sit
beside it in a ``values`` tuple and the plan holds slots (indexes into it), so that
equal questions are equal plans and share one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.catalog.kinds import PLAIN_FORMAT, ColumnType, ValueFormat
from gateway.catalog.model import Column, Field, Filler, InternalColumn, Relationship, Table
from gateway.query.intent import Quantifier

Slot = int
"""The index of a value in the ``values`` beside a plan."""

Values = tuple[object, ...]

DatePartName = Literal["year", "quarter", "month", "week", "day", "hour"]
MetricFunction = Literal["count", "count_distinct", "sum", "avg", "min", "max"]

CompareOperator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "like", "nlike", "in", "nin", "null", "not_null", "exact"
]


@dataclass(frozen=True, slots=True)
class Related:
    """A field at the end of to-one relationships, null for rows that have none at the end of them."""

    path: tuple[Relationship, ...]
    field: Field

    @property
    def name(self) -> str:
        """The name as a client writes it."""
        return ".".join((*(edge.name for edge in self.path), self.field.name))

    @property
    def type(self) -> ColumnType:
        """The type of the field at the end."""
        return self.field.type


@dataclass(frozen=True, slots=True)
class DatePart:
    """The period of the CRM's calendar that a moment falls in, as text that sorts: ``2026-Q1``."""

    operand: Field | Related
    part: DatePartName
    type: ColumnType

    @property
    def name(self) -> str:
        """The name as a client writes it."""
        return f"{self.operand.name}.{self.part}"


@dataclass(frozen=True, slots=True)
class Metric:
    """A value over the rows of a group; ``operand`` is None for ``count`` alone.

    ``type`` is that of the result: the operand's own for ``sum``, ``min`` and ``max``, with
    four decimals more for ``avg``.
    """

    function: MetricFunction
    operand: Field | Related | None
    type: ColumnType

    @property
    def name(self) -> str:
        """The name as a client writes it."""
        return self.function if self.operand is None else f"{self.function}.{self.operand.name}"


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first characters of a long text, which is all that a sort goes by: a server looks no further."""

    operand: Field | Related
    length: int

    @property
    def name(self) -> str:
        """The name as a client writes it."""
        return self.operand.name

    @property
    def type(self) -> ColumnType:
        """The type of the text."""
        return self.operand.type


PlanField = Field | Related | DatePart | Prefix | Metric
"""What a statement selects, compares and sorts by; a `Metric` in groups alone."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with the values of some slots.

    The operators are fewer than a client's: ``contains`` is a ``like`` whose value
    is an escaped pattern, ``between`` two comparisons, a day against a moment a range.
    """

    field: PlanField
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
    """The part is false: an unknown part (a null) stays unknown, so its row does not match.

    With ``is_unknown_too`` an unknown part counts as false: the row does not meet it.
    """

    part: Condition
    is_unknown_too: bool = False


@dataclass(frozen=True, slots=True)
class Reached:
    """The row is reached from a row of ``origin`` through one of its relationships.

    ``condition`` chooses the origin's rows: its key, and the caller's row filter.
    """

    origin: Table
    relationship: Relationship
    condition: Condition


@dataclass(frozen=True, slots=True)
class Quantified:
    """Some, none or every row of a to-many meets a condition.

    ``path`` are the to-ones that lead from the row to the one whose to-many it is. A condition
    that is unknown for a row is not met by it, so ``every`` needs it true on each.
    """

    path: tuple[Relationship, ...]
    relationship: Relationship
    quantifier: Quantifier
    condition: Condition


@dataclass(frozen=True, slots=True)
class Granted:
    """A condition of the caller's grants: it goes by every row of the tables it reaches, not by the caller's own."""

    part: Condition


Condition = Compare | And | Or | Not | Reached | Quantified | Granted


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key of a plan."""

    field: PlanField
    is_descending: bool = False


Filters = tuple[tuple[Table, Condition], ...]
"""What the caller's grants demand of rows of other tables that a statement reaches, by table."""


@dataclass(frozen=True, slots=True)
class Embed:
    """The rows of a relationship that come along with each row of a plan. One statement.

    ``name`` is the key in the reply. ``plan`` reads the target's rows; its limit, of a to-many,
    holds for each parent and reads one more than is shown. ``is_keyed`` says that the
    parents are groups, which hold the target's own key and not a reference to it.
    """

    name: str
    relationship: Relationship
    plan: ReadPlan
    is_keyed: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers over the rows of a to-many that come along with each row of a plan. One statement.

    ``name`` is the key in the reply. ``plan`` has metrics and no groups: what its rows are grouped by is
    which of the parents they belong to.
    """

    name: str
    relationship: Relationship
    plan: AggregatePlan


Node = Embed | Summary
"""What comes along with the rows of a plan, by a statement of its own."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Rows of one table: which fields, which rows, in which order, how many.

    ``limit`` and ``offset`` are slots; None means all rows (one row by key) and
    none skipped. ``today`` is the slot of the current day, set when a derived field needs it.
    ``is_tagged`` reads the table's other columns too, for the tag of each row; they are not shown.
    ``is_followed`` reads each row's position too, from which a page can go on, and its key.
    ``filters`` hold for rows of other tables wherever the statement reaches them.

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
    is_followed: bool = False
    filters: Filters = ()
    embeds: tuple[Embed, ...] = ()
    summaries: tuple[Summary, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What comes along with each row, in the order in which it is read."""
        return (*self.embeds, *self.summaries)


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """A row at the end of to-one relationships, which rows are grouped by: by its key."""

    path: tuple[Relationship, ...]
    key: tuple[Column, ...]

    @property
    def name(self) -> str:
        """The name as a client writes it."""
        return ".".join(edge.name for edge in self.path)


Group = Field | Related | DatePart | RelatedRow


@dataclass(frozen=True, slots=True)
class AggregatePlan:
    """Metrics over the groups of the rows that a condition matches; without groups over all of them.

    Nothing but a table and a condition is the plan of a count. ``is_counted`` asks how many groups
    there are and not for them. ``currency`` is counted in each group: over more than one, sums
    of money mean nothing. An embed belongs to the `RelatedRow` of its name.
    """

    table: Table
    condition: Condition = And(())
    today: Slot | None = None
    filters: Filters = ()
    groups: tuple[Group, ...] = ()
    metrics: tuple[Metric, ...] = ()
    having: Condition = And(())
    order: tuple[Order, ...] = ()
    limit: Slot | None = None
    offset: Slot | None = None
    format: ValueFormat = PLAIN_FORMAT
    currency: Field | Related | None = None
    embeds: tuple[Embed, ...] = ()
    labels: tuple[Field | Related, ...] = ()
    is_counted: bool = False

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What comes along with each group."""
        return self.embeds


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
