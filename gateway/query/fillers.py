"""What a write fills in beside what was sent: the values Perfex would write itself, hidden ones among them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.catalog.model import Column, Filler, InternalColumn, Table
from gateway.query.coerce import stored_moment
from gateway.query.context import Context
from gateway.query.plan import PendingFill, Slot, SlotValue, WrittenColumn, WrittenValue


def touched(
    context: Context, table: Table, written: Sequence[tuple[WrittenColumn, WrittenValue]]
) -> list[tuple[WrittenColumn, WrittenValue]]:
    """Return the columns that take the time of a change: the server's own clock would write UTC into them."""
    given = {column.name for column, _ in written}
    clocks = [column for column in table.columns if column.is_touched and column.name not in given] if written else []
    return [(column, SlotValue(context.slots.add(_now(context, column)))) for column in clocks]


def with_fillers(
    context: Context,
    table: Table,
    written: list[tuple[WrittenColumn, WrittenValue]],
    implied: frozenset[str] = frozenset(),
) -> tuple[tuple[tuple[WrittenColumn, WrittenValue], ...], tuple[tuple[Slot, PendingFill], ...]]:
    """Return the written columns with those that Perfex would fill, and the slots that are still to be filled."""
    given = {column.name for column, _ in written} | implied
    pending: list[tuple[Slot, PendingFill]] = []
    whole = list(written)
    fillable: list[tuple[WrittenColumn, Filler]] = [
        (column, column.filler) for column in table.columns if column.filler is not None and column.name not in given
    ]
    fillable.extend((made, made.filler) for made in table.internal.values() if made.filler is not None)
    for column, filler in fillable:
        value = _filled(context, column, filler)
        slot = context.slots.add(value)
        if isinstance(value, PendingFill):
            pending.append((slot, value))
        whole.append((column, SlotValue(slot)))
    return tuple(whole), tuple(pending)


def _filled(context: Context, column: Column | InternalColumn, filler: Filler) -> object:
    match filler.kind:
        case "now":
            return _now(context, column)
        case "today":
            return context.clock.today
        case "random_hex":
            return context.random_hex(int(filler.value or 16))
        case "constant":
            return filler.value
        case _:
            return PendingFill(column.name, filler)


def _now(context: Context, column: Column | InternalColumn) -> object:
    clock = context.clock
    wall = clock.wall
    if column.type.kind.name == "timestamp":
        return stored_moment(column.type, clock.now.replace(microsecond=0), clock.zone)
    if column.type.kind.name == "date":
        return wall.date()
    if column.type.kind.family == "text":
        return wall.isoformat(sep=" ")
    return wall
