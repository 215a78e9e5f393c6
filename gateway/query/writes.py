"""A write intent -> a write plan: every field judged, every fault named, one transaction.

Nothing a client wrote is dropped: a field is written, or it is refused in a 422
that names every field at fault. A read-only field sent back with its stored value
is accepted, so that a row that was read can be sent again; the plan's first read
locks the row, and `operations.writes` compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.catalog.model import Column, Field, Relationship, Table, WriteMode
from gateway.errors import Issue, MethodError, ValidationError
from gateway.query.access import Operation
from gateway.query.children import MOST_CHILDREN, PlannedChild, nested_relationship, tie_of
from gateway.query.coerce import Clock, RefusedValueError, same_value
from gateway.query.context import Context, resource_table
from gateway.query.fillers import touched, with_fillers
from gateway.query.intent import WriteIntent
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
    WrittenColumn,
    WrittenValue,
)
from gateway.query.planner import conjunction, key_condition, open_key, row_filter, with_today
from gateway.query.resolve import is_readable, readable_columns, readable_fields
from gateway.query.suggest import nearest
from gateway.query.written import coerce_written, form_value

MOST_SUGGESTIONS: Final = 20
ECHOED_KINDS: Final = frozenset({"html", "php_list", "multiline", "enum"})
"""Kinds of which the CRM may have stored what the gateway shows otherwise, or would not write itself."""


@dataclass(frozen=True, slots=True)
class SentBack:
    """A field that a client sent although it cannot be written so: fine when it equals what is stored.

    ``fault`` is what is wrong with it otherwise.
    """

    column: Column
    raw: object
    fault: Issue


@dataclass(frozen=True, slots=True)
class Echo:
    """A written field whose reply may say less than the column holds: sent back as read, it must stay as stored."""

    column: Column
    slot: Slot
    raw: object


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
    nested rows by relationship, ``sent`` the columns that the client itself wrote.
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


def pointer(name: str) -> str:
    """Return the JSON pointer of a body's field (RFC 6901).

    >>> pointer("a/b")
    '/a~1b'
    """
    return "/" + name.replace("~", "~0").replace("/", "~1")


def plan_create(context: Context, intent: WriteIntent, path: str = "") -> PlannedWrite:
    """Return the plan of one new row: what was sent, what Perfex fills itself, what the database defaults.

    ``path`` is the pointer of the row in the body, when it is one of several.

    Raises:
        MethodError: ``write_not_supported`` with the table's reason.
        ForbiddenError: ``grant_missing``.
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    table = writable_table(context, intent.resource, "create")
    if table.create_refusal is not None:
        raise refuse(table.create_refusal)
    judged = _Judged(context, table, intent, path)
    judged.read_create()
    judged.finish()
    values, pending = with_fillers(context, table, judged.written)
    insert = InsertStep(table, values)
    sent = {column.name: value.slot for column, value in values if isinstance(value, SlotValue)}
    result, key_slot = _created_row(context, table, sent, intent)
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
    judged = _Judged(context, table, intent, path)
    judged.read_update()
    judged.finish()
    written = (*judged.written, *touched(context, table, judged.written))
    locked = ReadPlan(table, _locked_fields(table, judged), condition, is_locking=True, is_tagged=is_tagged)
    steps = (UpdateStep(table, written, key),) if written else ()
    result = ReadPlan(table, result_fields(context, table), condition, format=intent.format, is_tagged=True)
    plan = WritePlan((with_today(context, locked),), steps, with_today(context, result))
    return PlannedWrite(
        plan,
        context.slots.frozen(),
        table,
        sent_back=tuple(judged.sent_back),
        echoes=tuple(judged.echoes),
        computed=tuple(judged.computed),
        sent=judged.sent(),
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


# The fields of a body


class _Judged:
    """The fields of one body, each written, remembered as sent back, or at fault.

    ``path`` is the pointer of a nested row, ``implied`` the columns its place decides.
    """

    def __init__(
        self, context: Context, table: Table, intent: WriteIntent, path: str = "", implied: frozenset[str] = frozenset()
    ) -> None:
        self._context = context
        self._path = path
        self._implied = implied
        self._table = table
        self._intent = intent
        self._issues: list[Issue] = []
        self._names: tuple[str, ...] = ()
        self._is_update = intent.key is not None
        self.written: list[tuple[WrittenColumn, WrittenValue]] = []
        self.sent_back: list[SentBack] = []
        self.echoes: list[Echo] = []
        self.computed: list[SentBack] = []
        self.children: dict[str, tuple[PlannedChild, ...]] = {}

    def sent(self) -> frozenset[str]:
        """Return the names of the columns that the client itself wrote."""
        return frozenset(column.name for column, _ in self.written)

    def read_create(self) -> None:
        """Judge a create; every required column must be among the fields."""
        values = self._intent.values or {}
        for name, raw in values.items():
            nested = nested_relationship(self._table, name, raw)
            if nested is not None and isinstance(raw, list):
                self.children[name] = tuple(self._nested(nested, index, item) for index, item in enumerate(raw))
                continue
            column = self._column(name)
            if column is not None and not self._is_zero_key(column, raw):
                self._write(column, raw)
        given = {*values, *self._implied, *self._table.computed, *self._table.defaulted}
        for column in self._table.columns:
            if column.name not in given and (column.is_required or self._is_open_key(column)):
                self._fault(column.name, "required", f"{column.name} must be given")

    def _nested(self, relationship: Relationship, index: int, raw: object) -> PlannedChild:
        """One nested row; its faults are its parent's, with the pointer to where they stand."""
        path = f"{self._path}{pointer(relationship.name)}/{index}"
        child, tie = self._context.catalog.table_of(relationship), tie_of(relationship)
        implied = frozenset(tie)
        if not isinstance(raw, dict) or index >= MOST_CHILDREN:
            message = "a row is an object of fields" if index < MOST_CHILDREN else f"at most {MOST_CHILDREN} rows fit"
            self._issues.append(Issue(message, pointer=path, code="type"))
            raw = {}
        if child.mode is not WriteMode.PLAIN and relationship.name not in self._table.nested:
            message = f"rows of {child.resource} are created by themselves: rules go with them"
            self._issues.append(Issue(message, pointer=path, code="read_only"))
        intent = WriteIntent(child.resource or "", values=raw, is_form=self._intent.is_form)
        judged = _Judged(self._context, child, intent, path, implied)
        judged.read_create()
        self._issues.extend((*judged.faults(), *(item.fault for item in judged.computed)))
        values, pending = with_fillers(self._context, child, judged.written, implied)
        return PlannedChild(relationship, child, values, tie, judged.sent(), path, pending, judged.children)

    def faults(self) -> list[Issue]:
        """Return everything that is wrong so far."""
        return self._issues

    def _is_open_key(self, column: Column) -> bool:
        """Whether only the database knows what a key column will hold: the new row could not be found again."""
        return column in self._table.key and not column.is_auto_increment and column.filler is None

    def _is_zero_key(self, column: Column, raw: object) -> bool:
        """A zero in an auto-increment key asks MySQL for the next number, which is not what was sent."""
        is_zero = column.is_auto_increment and raw is not None and str(raw).strip("+-0. ") == ""
        if is_zero:
            self._fault(
                column.name, "out_of_range", f"{column.name}: a number from 1 on is due; leave it out for the next"
            )
        return is_zero

    def read_update(self) -> None:
        """Judge a change; key columns and read-only ones may only be sent back."""
        keys = {column.name for column in self._table.key}
        for name, raw in (self._intent.values or {}).items():
            column = self._column(name, is_update=True)
            if column is None:
                continue
            if name in keys or not self._is_writable(column):
                self._send_back(column, raw)
            else:
                self._write(column, raw)

    def finish(self) -> None:
        """Pass when nothing is wrong.

        Raises:
            ValidationError: ``fields_invalid`` naming every field at fault.
        """
        if self._issues:
            refused = [item.fault for item in self.sent_back if item.fault.code != "read_only"]
            raise at_fault([*self._issues, *refused])

    def _fault(self, name: str, code: str, message: str, suggestion: str | None = None) -> None:
        self._issues.append(_fault(name, code, message, suggestion, self._path))

    def _column(self, name: str, *, is_update: bool = False) -> Column | None:
        """The column a field name means; one the caller may neither read nor write does not exist."""
        field = self._table.fields.get(name)
        if field is None or not self._is_visible(field):
            close = self._nearest(name)
            hint = f"; did you mean {close}?" if close else ""
            self._fault(name, "unknown", f"{self._table.resource} has no field {name!r}{hint}", close)
            return None
        if name in self._implied:
            self._fault(name, "computed", f"{name} follows from the row it stands in")
            return None
        if isinstance(field, Column) and name in self._table.computed:
            if not is_readable(self._context, self._table, field):
                self._fault(name, "computed", f"{name} is computed by the CRM's rules")
                return None
            fault = _fault(name, "computed", f"{name} is computed by the CRM's rules", path=self._path)
            self.computed.append(SentBack(field, (self._intent.values or {})[name], fault))
            return None
        if not isinstance(field, Column):
            self._fault(name, "read_only", f"{name} is derived and cannot be written")
            return None
        if not is_update and not self._is_writable(field):
            self._fault(name, "read_only", f"{name} cannot be written")
            return None
        return field

    def _nearest(self, name: str) -> str | None:
        """The field most like a name; for the first faults only, as a body may hold thousands of names."""
        if len(self._issues) >= MOST_SUGGESTIONS:
            return None
        self._names = self._names or tuple(readable_fields(self._context, self._table))
        return nearest(name, self._names)

    def _is_visible(self, field: Field) -> bool:
        if is_readable(self._context, self._table, field):
            return True
        if field.name in self._table.computed and self._context.access.may("read", self._table):
            return False
        return isinstance(field, Column) and self._is_writable(field)

    def _is_writable(self, column: Column) -> bool:
        is_fixed = column.is_read_only or column.is_generated
        return not is_fixed and self._context.access.may_write_column(self._table, column)

    def _write(self, column: Column, raw: object) -> None:
        try:
            value = self._value(column, raw)
        except RefusedValueError as refusal:
            fault = _fault(column.name, refusal.code, f"{column.name}: {refusal.message}", path=self._path)
            if self._is_echo(column):
                self.sent_back.append(SentBack(column, raw, fault))
            else:
                self._issues.append(fault)
            return
        slot = self._context.slots.add(value)
        self.written.append((column, SlotValue(slot)))
        if self._is_echo(column):
            self.echoes.append(Echo(column, slot, raw))

    def _is_echo(self, column: Column) -> bool:
        """Whether a value may be one that was read; what the caller may not read is never compared with."""
        is_echoed = self._is_update and column.type.kind.name in ECHOED_KINDS
        return is_echoed and is_readable(self._context, self._table, column)

    def _value(self, column: Column, raw: object) -> object:
        if raw is None or (
            raw == "" and self._intent.is_form and column.type.kind.family != "text" and column.is_nullable
        ):
            return _null_of(column)
        if self._intent.is_form and isinstance(raw, str):
            raw = form_value(column.type, raw)
        return coerce_written(column.type, raw, self._context.clock)

    def _send_back(self, column: Column, raw: object) -> None:
        fault = _fault(column.name, "read_only", f"{column.name} cannot be changed", path=self._path)
        self.sent_back.append(SentBack(column, raw, fault))


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


def at_fault(issues: Sequence[Issue]) -> ValidationError:
    """Return the 422 that names every field at fault."""
    names = ", ".join(dict.fromkeys(issue.pointer.lstrip("/") for issue in issues if issue.pointer))
    return ValidationError("fields_invalid", f"Fields are at fault: {names}.", issues=issues)


def _fault(name: str, code: str, message: str, suggestion: str | None = None, path: str = "") -> Issue:
    return Issue(message, pointer=path + pointer(name), code=code, suggestion=suggestion)


_NOTHING: Final = (0, "", "0")
"""Constants that mean "none"; any other, a status, is what a create begins with and no null."""


def _null_of(column: Column) -> object:
    """What a written null is: NULL, or the zero date that stands for it where NULL cannot (SPEC section 3)."""
    if column.filler is not None and column.filler.kind == "constant" and column.filler.value in _NOTHING:
        return column.filler.value  # the CRM's own "none": its lists look for 0 or an empty text, never for NULL
    if column.is_nullable:
        return None
    if column.has_zero_date_default:
        return "0000-00-00" if column.type.kind.name == "date" else "0000-00-00 00:00:00"
    raise RefusedValueError("null", "null cannot be stored")


# Reading the row back


def result_fields(context: Context, table: Table) -> tuple[Field, ...]:
    """Return the readable columns; without the right to read, the key alone tells which row it is."""
    return readable_columns(context.access, table) or table.key


def _locked_fields(table: Table, judged: _Judged) -> tuple[Field, ...]:
    """The columns whose stored values are compared, then the key; a rule sees the whole row."""
    if table.mode is WriteMode.MANAGED:
        return table.columns
    compared = (*(item.column for item in judged.sent_back), *(item.column for item in judged.echoes), *table.key)
    return tuple(dict.fromkeys(compared))


def _created_row(
    context: Context, table: Table, sent: Mapping[str, Slot], intent: WriteIntent
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
    fields = result_fields(context, table)
    missing = tuple(column for column in table.key if column not in fields)
    result = ReadPlan(table, (*fields, *missing), condition, format=intent.format, is_tagged=True)
    return with_today(context, result), key_slot


def with_value(planned: PlannedWrite, slot: Slot, value: object) -> PlannedWrite:
    """Return the write with the value of one slot filled in."""
    values = planned.values
    return replace(planned, values=(*values[:slot], value, *values[slot + 1 :]))


def with_key(planned: PlannedWrite, key: Sequence[object]) -> PlannedWrite:
    """Return the write of `plan_update_each` or `plan_delete_each` for one row, by its key as the driver has it."""
    return replace(planned, values=(*key, *planned.values[len(key) :]))
