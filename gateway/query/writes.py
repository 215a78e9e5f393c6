"""A write intent -> a write plan: every field judged, every fault named, one transaction.

Nothing a client wrote is dropped: a field is written, or it is refused in a 422
that names every field at fault. A read-only field sent back with its stored value
is accepted, so that a row that was read can be sent again; the plan's first read
locks the row, and `operations.writes` compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.catalog.model import CustomField, Field, Table, WriteMode
from gateway.errors import Issue, MethodError
from gateway.query.access import Operation
from gateway.query.children import PlannedChild, WrittenCustom
from gateway.query.coerce import Clock, same_value
from gateway.query.context import Context, resource_table
from gateway.query.fillers import touched, with_fillers
from gateway.query.intent import WriteIntent
from gateway.query.judged import Echo, Judged, SentBack
from gateway.query.own import check_askable, narrowed
from gateway.query.plan import (
    And,
    Compare,
    Condition,
    InsertStep,
    PendingFill,
    ReadPlan,
    Slot,
    SlotValue,
    UpdateStep,
    Values,
    WritePlan,
)
from gateway.query.planner import conjunction, key_condition, open_key
from gateway.query.reach import row_filter, with_reach
from gateway.query.resolve import is_readable, readable_columns


@dataclass(frozen=True, slots=True)
class Dependant:
    """Rows that would block a delete or go along with it, and how to find them.

    ``resource`` is None where the caller may not read it.
    """

    resource: str | None
    plan: ReadPlan


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A write plan with its values.

    ``pending`` are slots whose value only the database can tell (who acts, which
    currency); ``sent_back`` are checked against the locked row of the first read;
    ``dependants`` must find nothing; ``owned`` is what goes along. ``is_filtered`` says that the written row must
    still meet a row filter, so that the write may have to be taken back. ``computed``
    are fields that a rule sets: they must come out as they were sent. ``children`` are
    nested rows by relationship, ``sent`` the columns that the client itself wrote,
    ``custom`` the custom fields, which are rows of another table. ``caller`` is the planning run when
    the caller has a row filter, by which rules tell whose rows they go by; None for callers without one.
    """

    plan: WritePlan
    values: Values
    table: Table
    pending: tuple[tuple[Slot, PendingFill], ...] = ()
    sent_back: tuple[SentBack, ...] = ()
    echoes: tuple[Echo, ...] = ()
    dependants: tuple[Dependant, ...] = ()
    owned: tuple[Dependant, ...] = ()
    is_filtered: bool = False
    computed: tuple[SentBack, ...] = ()
    children: Mapping[str, tuple[PlannedChild, ...]] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    custom: tuple[WrittenCustom, ...] = ()
    caller: Context | None = None


def plan_create(context: Context, intent: WriteIntent, path: str = "") -> PlannedWrite:
    """Return the plan of one new row: what was sent, what Perfex fills itself, what the database defaults.

    ``path`` is the pointer of the row in the body, when it is one of several.

    Raises:
        MethodError: ``write_not_supported`` with the table's reason.
        ForbiddenError: ``grant_missing``, also where nobody could tell whether the row is the caller's.
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    table = writable_table(context, intent.resource, "create")
    if table.create_refusal is not None:
        raise refuse(table.create_refusal)
    check_askable(context.access, table)
    judged = Judged(context, table, intent, path)
    judged.read_create()
    judged.finish()
    values, pending = with_fillers(context, table, judged.written)
    insert = InsertStep(table, values)
    sent = {column.name: value.slot for column, value in values if isinstance(value, SlotValue)}
    result, key_slot = _created_row(context, table, sent, intent, judged.named_custom())
    plan = WritePlan((), (insert,), result, 0 if key_slot is not None else None, key_slot)
    is_filtered = context.access.has_row_filter(table) or table.excluded is not None
    return PlannedWrite(
        plan,
        context.slots.frozen(),
        table,
        pending,
        is_filtered=is_filtered,
        computed=tuple(judged.computed),
        children=judged.children,
        sent=judged.sent(),
        custom=tuple(judged.custom),
        caller=narrowed(context),
    )


def plan_update(context: Context, intent: WriteIntent, *, is_tagged: bool = False) -> PlannedWrite:
    """Return the plan of a change to one row: lock it, write the given columns, read it back.

    The lock looks at the caller's row filter, and so does the read afterwards: a
    row must satisfy it before and after. What is written then is told by the key alone.
    With ``is_tagged`` the lock tells the row's tag.

    Raises:
        MethodError: ``write_not_supported``, ``key_missing``.
        ForbiddenError: ``grant_missing``.
        RequestError: ``key_invalid``.
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    table = writable_table(context, intent.resource, "update")
    assert intent.key is not None
    return _planned_update(context, table, intent, key_condition(context, table, intent.key), is_tagged=is_tagged)


def plan_update_each(context: Context, intent: WriteIntent, path: str = "") -> PlannedWrite:
    """Return the plan of the same change to any row: `with_key` says to which.

    Raises:
        GatewayError: as `plan_update`.
    """
    table = writable_table(context, intent.resource, "update")
    return _planned_update(context, table, replace(intent, key=()), open_key(context, table), path)


def _planned_update(
    context: Context, table: Table, intent: WriteIntent, key: Condition, path: str = "", *, is_tagged: bool = False
) -> PlannedWrite:
    condition = conjunction(key, *row_filter(context, table))
    judged = Judged(context, table, intent, path)
    judged.read_update()
    judged.finish()
    written = (*judged.written, *touched(context, table, judged.written))
    locked = ReadPlan(table, _locked_fields(table, judged), condition, is_locking=True, is_tagged=is_tagged)
    steps = (UpdateStep(table, written, key),) if written else ()
    fields = result_fields(context, table, judged.named_custom())
    result = ReadPlan(table, fields, condition, format=intent.format, is_tagged=True)
    plan = WritePlan((with_reach(context, locked),), steps, with_reach(context, result))
    return PlannedWrite(
        plan,
        context.slots.frozen(),
        table,
        sent_back=tuple(judged.sent_back),
        echoes=tuple(judged.echoes),
        computed=tuple(judged.computed),
        sent=judged.sent(),
        custom=tuple(judged.custom),
        caller=narrowed(context),
    )


def refusal_of_writes(table: Table) -> str | None:
    """Return why rows of a table cannot be written at all, None when they can."""
    if table.is_view:
        return f"{table.resource} is a view"
    if table.mode is WriteMode.NONE or (table.mode is WriteMode.MANAGED and table.mode_reason):
        return table.mode_reason or "its rows are written by the CRM itself"
    return None


def writable_table(context: Context, resource: str, operation: Operation) -> Table:
    """Return the table of a resource whose rows the caller may write.

    Raises:
        NotFoundError: ``resource_unknown``.
        ForbiddenError: ``grant_missing``.
        MethodError: ``write_not_supported`` with the table's reason.
    """
    table = resource_table(context, resource, operation)
    reason = refusal_of_writes(table)
    if reason is not None:
        raise refuse(reason)
    return table


def refuse(reason: str) -> MethodError:
    """Return the refusal of a write that a table does not take, with the reason."""
    return MethodError("write_not_supported", f"This write is not possible: {reason}.")


# What was sent back


def altered(sent_back: Sequence[SentBack], stored: Mapping[str, object], clock: Clock) -> list[Issue]:
    """Return what is wrong with the read-only fields of a change: those that differ from the stored row."""
    return [
        item.fault for item in sent_back if not same_value(item.column.type, stored[item.column.name], item.raw, clock)
    ]


def as_stored(
    planned: PlannedWrite, shown: Mapping[str, object], stored: Mapping[str, object], clock: Clock
) -> PlannedWrite:
    """Return a change that writes what is stored into fields that were sent back as they were read.

    ``shown`` is the row as a reply has it, ``stored`` as the driver has it.
    """
    for echo in planned.echoes:
        name = echo.column.name
        if same_value(echo.column.type, shown[name], echo.raw, clock):
            planned = with_value(planned, echo.slot, stored[name])
    return planned


def changed_custom(
    planned: PlannedWrite, shown: Mapping[str, object], clock: Clock
) -> tuple[tuple[CustomField, str], ...]:
    """Return the custom fields of a change with their new text, but those that were sent back as ``shown``."""
    return tuple(
        (each.field, str(planned.values[each.slot]))
        for each in planned.custom
        if not (each.is_compared and same_value(each.field.type, shown[each.field.name], each.raw, clock))
    )


# Reading the row back


def result_fields(context: Context, table: Table, custom: Iterable[CustomField] = ()) -> tuple[Field, ...]:
    """Return the readable columns and, of the custom fields that were sent, the readable ones.

    Without the right to read, the key alone tells which row it is.
    """
    sent = (field for field in custom if is_readable(context, table, field))
    return (*readable_columns(context.access, table), *sent) or table.key


def _locked_fields(table: Table, judged: Judged) -> tuple[Field, ...]:
    """The columns whose stored values are compared, then the key; a rule sees the whole row."""
    returned = (item.column for item in judged.sent_back)
    compared = (*returned, *(item.column for item in judged.echoes), *judged.compared())
    own = table.columns if table.mode is WriteMode.MANAGED else ()
    return tuple(dict.fromkeys((*own, *compared, *table.key)))


def _created_row(
    context: Context, table: Table, sent: Mapping[str, Slot], intent: WriteIntent, custom: Iterable[CustomField]
) -> tuple[ReadPlan | None, Slot | None]:
    """The read of the new row, and the slot its auto-increment key will fill."""
    if not table.key:
        return None, None
    key_slot: Slot | None = None
    parts: list[Condition] = []
    for column in table.key:
        slot = sent.get(column.name)
        if slot is None:
            slot = key_slot = context.slots.add(None)
        parts.append(Compare(column, "eq", (slot,)))
    condition = conjunction(And(tuple(parts)), *row_filter(context, table))
    fields = result_fields(context, table, custom)
    missing = tuple(column for column in table.key if column not in fields)
    result = ReadPlan(table, (*fields, *missing), condition, format=intent.format, is_tagged=True)
    return with_reach(context, result), key_slot


def with_value(planned: PlannedWrite, slot: Slot, value: object) -> PlannedWrite:
    """Return the write with the value of one slot filled in."""
    values = planned.values
    return replace(planned, values=(*values[:slot], value, *values[slot + 1 :]))


def with_key(planned: PlannedWrite, key: Sequence[object]) -> PlannedWrite:
    """Return the write of `plan_update_each` or `plan_delete_each` for one row, by its key as the driver has it."""
    return replace(planned, values=(*key, *planned.values[len(key) :]))
