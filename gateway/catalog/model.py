"""The catalog: what the gateway knows of the database, frozen and swapped whole.

What comes in: nothing; `catalog.build` makes these. What goes out: the objects
that every plan refers to. Tables, columns and relationships compare by identity,
so a plan that holds them hashes fast and never outlives its catalog unnoticed.

Hidden columns are not in `Table.fields` and no client text is ever resolved
against anything else; `Table.internal` keeps the few that the gateway fills
itself, for the SQL writer and the profile's rules alone (SPEC section 3).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

from gateway.catalog.kinds import ColumnType, Dialect


class WriteMode(enum.Enum):
    """How a table may be written (SPEC section 4, "Writes")."""

    PLAIN = "plain"
    MANAGED = "managed"
    NONE = "none"


FillerKind = Literal[
    "now", "today", "random_hex", "constant", "acting_staff", "client_currency", "lead_status", "lead_source"
]


@dataclass(frozen=True, slots=True)
class Filler:
    """What the gateway writes into a column that a create leaves out.

    ``value`` is the constant of ``constant`` and the number of bytes of
    ``random_hex``; the other kinds have none.
    """

    kind: FillerKind
    value: str | int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of the database that clients may name; a field of its resource.

    ``has_default`` says that the database fills the column when a create leaves
    it out (default, auto-increment or generated); a nullable column always has one.
    ``has_zero_date_default`` marks a NOT NULL date whose default is a zero date: a
    written null becomes that default. ``is_touched`` marks a DATETIME that takes the
    current time at each change of its row, ``is_demanded`` a column that the CRM is set
    to require.
    """

    name: str
    type: ColumnType
    is_nullable: bool = True
    has_default: bool = False
    is_auto_increment: bool = False
    is_generated: bool = False
    is_read_only: bool = False
    has_zero_date_default: bool = False
    filler: Filler | None = None
    is_touched: bool = False
    is_demanded: bool = False
    position: int = 0

    @property
    def is_required(self) -> bool:
        """Whether a create must give the column."""
        return self.is_demanded or not (self.is_nullable or self.has_default or self.filler is not None)


@dataclass(frozen=True, slots=True, eq=False)
class InternalColumn:
    """A hidden column that the gateway writes itself: by its generator, or by a rule where it has none."""

    name: str
    type: ColumnType
    filler: Filler | None = None


GuardOperator = Literal["eq", "nonzero", "not_null", "in", "numeric"]


@dataclass(frozen=True, slots=True)
class Guard:
    """One part of a relationship's condition.

    The grammar is closed: ``col=const``, ``col<>0``, ``col is not null``,
    ``col in (…)``, ``numeric(col)``. The column belongs to the table that holds the reference.
    """

    column: str
    operator: GuardOperator
    values: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """Which single child a picked to-one takes: the first that keeps ``guards``, in key order."""

    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Relationship:
    """A named edge from the rows of one table to those of another.

    ``pairs`` are (column of this table, column of the target) names. The guards
    stand on the side that holds the reference: this table for a to-one, the
    target for a to-many and for a picked to-one. ``is_text_reference`` marks a
    text column that holds numbers: it is compared through a guarded CAST.
    ``is_owned`` marks children that live and die with the row, ``is_freed`` those that
    stay when it is deleted and no longer refer to it. ``inverse`` is the name of the
    same edge seen from the target, None when it has no name there.
    """

    name: str
    source: str
    target: str
    is_to_many: bool
    pairs: tuple[tuple[str, str], ...]
    guards: tuple[Guard, ...] = ()
    pick: Pick | None = None
    is_text_reference: bool = False
    is_owned: bool = False
    is_freed: bool = False
    inverse: str | None = None

    @property
    def is_held_here(self) -> bool:
        """Whether the source table holds the reference (a to-one that is not picked)."""
        return not self.is_to_many and self.pick is None


# Expressions of derived fields, over one row and sums of its to-many rows.


@dataclass(frozen=True, slots=True)
class ColumnTerm:
    """The value of a column of the row."""

    column: Column


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """A whole number written in the profile."""

    value: int


@dataclass(frozen=True, slots=True)
class TodayTerm:
    """The current day in the CRM's time zone, a value of the plan."""


@dataclass(frozen=True, slots=True)
class SumTerm:
    """The sum of a column over the rows of a to-many, 0 when there are none."""

    relationship: Relationship
    column: Column


@dataclass(frozen=True, slots=True)
class BinaryTerm:
    """Arithmetic (``+ -``), comparison (``< <= > >= = <>``) or ``and`` of two expressions."""

    operator: Literal["+", "-", "<", "<=", ">", ">=", "=", "<>", "and"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class InTerm:
    """Whether an expression is one of some whole numbers."""

    operand: Expression
    values: tuple[int, ...]


Expression = ColumnTerm | NumberTerm | TodayTerm | SumTerm | BinaryTerm | InTerm


@dataclass(frozen=True, slots=True, eq=False)
class PathField:
    """A derived field that reads the end of a to-one (``clients.email``).

    Several columns are read as one text, joined by a space (``clients.contact_name``).
    """

    name: str
    type: ColumnType
    relationship: Relationship
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionField:
    """A derived field that the profile defines by an expression (``invoices.balance``)."""

    name: str
    type: ColumnType
    expression: Expression
    text: str
    needs_today: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CustomField:
    """A field that the CRM's users defined themselves (``custom.<slug>``), kept as text in a table of values.

    A row's value is that of the values' row with the lowest ``id`` among those whose
    ``reference`` columns hold the row's key (``relid``), ``entity`` (``fieldto``) and
    ``definition`` (``fieldid``). Text that is no value of the type, and the empty text, are null.
    """

    name: str
    type: ColumnType
    table: str
    values: str
    key: Column
    entity: str
    definition: int
    label: str = ""
    is_required: bool = False
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LabelField:
    """The word for a code (``status_label``): read-only, sent with ``labels=true`` beside its field alone.

    ``words`` are (code, word); a code without one has no label.
    """

    name: str
    type: ColumnType
    column: Column
    words: tuple[tuple[int | str, str], ...]


Field = Column | PathField | ExpressionField | CustomField | LabelField
DerivedField = PathField | ExpressionField


@dataclass(frozen=True, slots=True, eq=False)
class Excluded:
    """Rows that exist for no client: those whose column has one of some values (secret custom fields)."""

    column: Column
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table or view of the database.

    ``resource`` is None for an internal table: it has no resource, relationship
    or document and no client text resolves to it. ``columns`` are the visible
    ones in definition order; ``fields`` has those and the derived ones by name.
    ``computed`` are the columns that the rule of a managed table sets itself,
    ``defaulted`` those that it fills in when a create leaves them out, ``nested`` the
    relationships whose rows it writes along although they have rules of their own.
    ``custom`` are the custom fields, which ``fields`` has too; ``labels`` are by the name of
    the field that they explain. ``money`` are the fields that hold amounts, in the currency
    that the names of ``currency`` lead to: to-one relationships and a column.
    ``deprecated`` are the fields that clients should leave, each with the reason; ``deprecation``
    is the reason to leave the whole resource.
    ``key`` is empty when rows cannot be addressed. ``create_refusal`` is the
    reason why rows cannot be created, None when they can; ``delete_refusal`` is why
    they cannot be deleted although the whitelist allows it.
    """

    name: str
    resource: str | None
    columns: tuple[Column, ...]
    fields: Mapping[str, Field]
    key: tuple[Column, ...]
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    mode: WriteMode = WriteMode.PLAIN
    mode_reason: str = ""
    create_refusal: str | None = None
    is_view: bool = False
    is_delete_forbidden: bool = False
    delete_refusal: str | None = None
    label: Column | None = None
    searchable: tuple[Column, ...] = ()
    internal: Mapping[str, InternalColumn] = field(default_factory=dict)
    indexed: frozenset[str] = frozenset()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    summary: str = ""
    excluded: Excluded | None = None
    computed: frozenset[str] = frozenset()
    defaulted: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()
    custom: tuple[CustomField, ...] = ()
    labels: Mapping[str, LabelField | PathField] = field(default_factory=dict)
    currency: tuple[str, ...] = ()
    money: frozenset[str] = frozenset()
    deprecated: Mapping[str, str] = field(default_factory=dict)
    deprecation: str | None = None

    @property
    def column_by_name(self) -> Mapping[str, Column]:
        """The visible columns by name; built anew, so not for the request path."""
        return {column.name: column for column in self.columns}


@dataclass(frozen=True, slots=True)
class Absence:
    """Something that profile or whitelist name and this database lacks; not an error."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Everything the gateway serves, with the names it is served under.

    ``resources`` maps every resource name and alias to its table; ``tables`` maps
    database names, internal tables included. ``dependants`` has, by database name,
    every to-many of a table, those to internal tables too: what a delete takes along
    (owned) or is blocked by. ``max_examined_rows`` is the whitelist's own budget of one query.
    """

    dialect: Dialect
    zone: tzinfo
    tables: Mapping[str, Table]
    resources: Mapping[str, Table]
    fingerprint: str
    prefix: str = ""
    absences: tuple[Absence, ...] = ()
    warnings: tuple[str, ...] = ()
    dependants: Mapping[str, tuple[Relationship, ...]] = field(default_factory=dict)
    max_examined_rows: int | None = None

    def table_of(self, relationship: Relationship) -> Table:
        """The table a relationship leads to."""
        return self.tables[relationship.target]

    def ties_numbers(self, relationship: Relationship) -> bool:
        """Whether a relationship compares whole numbers, which are equal wherever they are compared.

        Text is compared by its columns' collation, and other types by rules of the database.
        """
        if relationship.is_text_reference:
            return True
        source, target = self.tables[relationship.source], self.tables[relationship.target]
        return all(_is_whole(source, local) and _is_whole(target, remote) for local, remote in relationship.pairs)

    def exposed(self) -> tuple[Table, ...]:
        """The tables that are resources, by resource name."""
        return tuple(sorted((t for t in self.tables.values() if t.resource), key=lambda t: t.resource or ""))


def _is_whole(table: Table, name: str) -> bool:
    return any(column.name == name and column.type.kind.name == "integer" for column in table.columns)
