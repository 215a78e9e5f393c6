"""Sort intents -> the order of a plan. The key always comes last, so that no two rows tie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.catalog.model import Column, Field, Table
from gateway.errors import RequestError
from gateway.query.access import Access
from gateway.query.budget import check_number
from gateway.query.context import Context
from gateway.query.intent import OrderIntent
from gateway.query.places import single_field
from gateway.query.plan import Order, PlanField, Prefix, Related
from gateway.query.resolve import readable_columns

UNSORTABLE: Final = ("binary", "document")
LONGEST_SORTED: Final = 200
"""Characters of a long text that a sort goes by. Servers look at 1,024 bytes (``max_sort_length``) and no
further, while a comparison, and so a cursor, looks at all of it."""
_LONGEST_WHOLE: Final = 255


def chosen_order(context: Context, table: Table, intents: Sequence[OrderIntent]) -> tuple[Order, ...]:
    """Return the order that the intents mean on rows of a table, then the key; without one, every column.

    Raises:
        RequestError: ``field_unknown``, ``sort_syntax``, ``path_to_many``, ``query_too_large``.
        ForbiddenError: ``grant_missing`` for a table that a name leads to.
    """
    if intents:
        check_number("sort", len(intents), context.budget.sorts, "sort keys", intents[-1].parameter)
    order: dict[str, Order] = {}
    for intent in intents:
        field = single_field(context, table, intent.field, intent.parameter)
        if field.type.kind.family in UNSORTABLE:
            raise RequestError("sort_syntax", f"{intent.field} cannot be sorted by.", parameter=intent.parameter)
        if field.name in order:
            raise RequestError("sort_syntax", f"{intent.field} stands twice in the sort.", parameter=intent.parameter)
        order[field.name] = Order(sorted_field(field), intent.descending)
    for tie in key_order(context, table):
        order.setdefault(tie.field.name, tie)
    return tuple(order.values())


def key_order(context: Context, table: Table) -> tuple[Order, ...]:
    """Return the order by a table's key; without one, by every column that sorts."""
    return tuple(Order(column) for column in table.key or _sortable(context.access, table))


def _sortable(access: Access, table: Table) -> list[Column]:
    return [c for c in readable_columns(access, table) if c.type.kind.family not in UNSORTABLE]


def sorted_field(field: Field | Related) -> PlanField:
    """Return what rows are sorted by where a field is named: the field, or its first characters."""
    own = field.field if isinstance(field, Related) else field
    kind = own.type.kind
    is_whole = own.type.length is not None and own.type.length <= _LONGEST_WHOLE and not own.type.is_byte_counted
    if kind.family not in ("text", "list") or is_whole or kind.name in ("enum", "set"):
        return field
    return Prefix(field, LONGEST_SORTED)
