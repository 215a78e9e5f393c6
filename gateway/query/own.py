"""Which rows are the caller's own, asked within a write: rows that a rule goes by, and rows it has just made.

A row filter narrows what is read of its table; a write that goes by rows of another
table asks here, by their keys and with a lock, which of them the filter lets through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.catalog.model import Table
from gateway.errors import ForbiddenError
from gateway.query.access import Access, Grant
from gateway.query.budget import DEFAULT_BUDGET
from gateway.query.context import Context, Slots
from gateway.query.plan import Compare, ReadPlan, Values
from gateway.query.planner import conjunction
from gateway.query.reach import row_filter, with_reach

MOST_ASKED: Final = 1_024
"""Of how many keys one statement asks."""


def narrowed(context: Context) -> Context | None:
    """Return the context when a row filter is among the caller's grants, None for callers of whole tables."""
    return context if any(grant.row_filter for grant in context.access.grants.values()) else None


def is_narrowed(context: Context | None, table: Table) -> bool:
    """Return whether only some rows of a table are the caller's; the tables of nobody's resources have no filter."""
    return context is not None and context.access.has_row_filter(table)


def plan_own(context: Context, table: Table, keys: Sequence[object]) -> tuple[ReadPlan, Values]:
    """Return the plan that reads which of some keys, 1 to `MOST_ASKED`, are those of rows of the caller's.

    The last key is repeated up to a power of two, so that few statements serve all numbers of keys. What
    the filter may cost is not the client's to say, so that its budget is one of its own.
    """
    fresh = replace(context, slots=Slots(), budget=DEFAULT_BUDGET)
    padded = (*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys)))
    asked = Compare(table.key[0], "in", tuple(fresh.slots.add(key) for key in padded))
    plan = ReadPlan(table, table.key, conjunction(asked, *row_filter(fresh, table)), is_locking=True)
    return with_reach(fresh, plan), fresh.slots.frozen()


def check_askable(access: Access, table: Table, *, is_nested: bool = False) -> None:
    """Pass when it can be told of a new row whether it is the caller's; a nested row is found by one column.

    Raises:
        ForbiddenError: ``grant_missing`` for a table under a row filter whose rows have no key to find them by.
    """
    is_askable = len(table.key) == 1 if is_nested else bool(table.key)
    if access.has_row_filter(table) and not is_askable:
        raise ForbiddenError(
            "grant_missing",
            f"The token may write only some rows of {table.resource}, and a new one has no key by which to tell "
            "whether it is one of them.",
        )


def nested_context(context: Context, child: Table) -> Context:
    """Return the run in which nested rows of a table are judged: the grant on their parent is all they need.

    A caller without any grant on the table writes all columns that can be written, and reads none. A grant that
    it has narrows, whatever its operations: its writable columns and its row filter hold.

    Raises:
        ForbiddenError: ``grant_missing`` where the caller's policy grants nothing at all on the table, or where
            nobody could tell whether a row meets its row filter.
    """
    access = context.access
    grant = access.grant_on(child)
    if grant is None:
        lent = {**access.grants, child.resource or "": Grant(frozenset({"create"}))}
        return replace(context, access=replace(access, grants=lent))
    if not grant.operations:
        raise ForbiddenError("grant_missing", f"The token lacks the grant {child.resource}:create.")
    check_askable(access, child, is_nested=True)
    return context
