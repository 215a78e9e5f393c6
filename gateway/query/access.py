"""What one caller may do: operations per table, columns, row filter, page cap.

An `Access` only ever narrows: a plan made with it touches no table, column or row
that it does not grant. It is built by `security` and read by the planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.catalog.model import Column, CustomField, Table
from gateway.query.intent import FilterIntent

Operation = Literal["read", "create", "update", "delete"]
OPERATIONS: Final[tuple[Operation, ...]] = ("read", "create", "update", "delete")
DEFAULT_MOST_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What is granted on one resource.

    ``readable`` and ``writable`` are column names, None meaning all visible ones;
    ``row_filter`` narrows every row the caller reads, changes or deletes.
    """

    operations: frozenset[Operation]
    readable: frozenset[str] | None = None
    writable: frozenset[str] | None = None
    row_filter: tuple[FilterIntent, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """The grants of one caller by canonical resource name; ``*`` stands for the rest."""

    principal: str
    grants: Mapping[str, Grant] = field(default_factory=dict)
    is_admin: bool = False
    most_rows: int = DEFAULT_MOST_ROWS
    acting_staff: int | None = None

    def grant_on(self, table: Table) -> Grant | None:
        """The grant that applies to a table, None when there is none."""
        if table.resource is None:
            return None
        grant = self.grants.get(table.resource)
        return grant if grant is not None else self.grants.get("*")

    def may(self, operation: Operation, table: Table) -> bool:
        """Whether the caller may do an operation on some rows of a table."""
        grant = self.grant_on(table)
        return grant is not None and operation in grant.operations

    def has_row_filter(self, table: Table) -> bool:
        """Whether only some rows of a table are the caller's."""
        grant = self.grant_on(table)
        return grant is not None and bool(grant.row_filter)

    def may_read_column(self, table: Table, column: Column | CustomField) -> bool:
        """Whether the caller may read a column or a custom field."""
        grant = self.grant_on(table)
        if grant is None or "read" not in grant.operations:
            return False
        return grant.readable is None or column.name in grant.readable

    def may_write_column(self, table: Table, column: Column | CustomField) -> bool:
        """Whether the caller may write a column or a custom field (its operations are checked apart)."""
        grant = self.grant_on(table)
        return grant is not None and (grant.writable is None or column.name in grant.writable)
