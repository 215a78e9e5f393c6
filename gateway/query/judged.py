"""The fields of a body, each judged: written, remembered as sent back, or at fault.

What comes in: a write intent and its table. What goes out: a `Judged`, from which
`query.writes` makes the plan. Every fault is named before anything is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.catalog.model import Column, CustomField, Field, Relationship, Table, WriteMode
from gateway.errors import ForbiddenError, Issue, ValidationError
from gateway.query.children import MOST_CHILDREN, PlannedChild, WrittenCustom, nested_relationship, tie_of
from gateway.query.coerce import RefusedValueError
from gateway.query.context import Context
from gateway.query.fillers import with_fillers
from gateway.query.intent import WriteIntent
from gateway.query.own import nested_context
from gateway.query.plan import Slot, SlotValue, WrittenColumn, WrittenValue
from gateway.query.resolve import is_readable, readable_fields
from gateway.query.suggest import nearest
from gateway.query.written import coerce_custom, coerce_written, form_value

MOST_SUGGESTIONS: Final = 20
ECHOED_KINDS: Final = frozenset({"html", "php_list", "multiline", "enum"})
"""Kinds of which the CRM may have stored what the gateway shows otherwise, or would not write itself."""

_WIDE_KEY: Final = 2**31 - 1
"""The range of an INT: half of it is more than the rows of any table. A smaller one is used up by rows alone."""


@dataclass(frozen=True, slots=True)
class SentBack:
    """A field that a client sent although it cannot be written so: fine when it equals what is stored.

    ``fault`` is what is wrong with it otherwise.
    """

    column: Column | CustomField
    raw: object
    fault: Issue


@dataclass(frozen=True, slots=True)
class Echo:
    """A written field whose reply may say less than the column holds: sent back as read, it must stay as stored."""

    column: Column
    slot: Slot
    raw: object


def pointer(name: str) -> str:
    """Return the JSON pointer of a body's field (RFC 6901).

    >>> pointer("a/b")
    '/a~1b'
    """
    return "/" + name.replace("~", "~0").replace("/", "~1")


def at_fault(issues: Sequence[Issue]) -> ValidationError:
    """Return the 422 that names every field at fault."""
    names = ", ".join(dict.fromkeys(issue.pointer.lstrip("/") for issue in issues if issue.pointer))
    return ValidationError("fields_invalid", f"Fields are at fault: {names}.", issues=issues)


def _fault(name: str, code: str, message: str, suggestion: str | None = None, path: str = "") -> Issue:
    return Issue(message, pointer=path + pointer(name), code=code, suggestion=suggestion)


class Judged:
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
        self.custom: list[WrittenCustom] = []
        self.children: dict[str, tuple[PlannedChild, ...]] = {}

    def sent(self) -> frozenset[str]:
        """Return the names of the columns that the client itself wrote."""
        return frozenset(column.name for column, _ in self.written)

    def named_custom(self) -> tuple[CustomField, ...]:
        """Return the custom fields that the client named, to be shown to it."""
        returned = (item.column for item in self.sent_back)
        return (*(each.field for each in self.custom), *(each for each in returned if isinstance(each, CustomField)))

    def compared(self) -> tuple[CustomField, ...]:
        """Return the custom fields whose stored values decide whether they are written."""
        return tuple(each.field for each in self.custom if each.is_compared)

    def read_create(self) -> None:
        """Judge a create; every required column must be among the fields."""
        values = self._intent.values or {}
        for name, raw in values.items():
            nested = nested_relationship(self._table, name, raw)
            if nested is not None and raw is None:  # what clients with types send for nothing
                continue
            if nested is not None and isinstance(raw, list):
                self.children[name] = tuple(self._nested(nested, index, item) for index, item in enumerate(raw))
                continue
            column = self._column(name)
            if isinstance(column, CustomField):
                self._write_custom(column, raw)
            elif column is not None and not self._is_zero_key(column, raw):
                self._write(column, raw)
        given = {*values, *self._implied, *self._table.computed, *self._table.defaulted}
        for column in self._table.columns:
            if column.name not in given and (column.is_required or self._is_open_key(column)):
                self._require(column)

    def _require(self, column: Column) -> None:
        """Ask for a column; whoever may neither read nor write it cannot create rows, and is not told its name.

        Raises:
            ForbiddenError: ``grant_missing``.
        """
        if not self._is_visible(column):
            resource = self._table.resource
            raise ForbiddenError("grant_missing", f"The token may not write all that a new row of {resource} needs.")
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
        judged = Judged(nested_context(self._context, child), child, intent, path, implied)
        judged.read_create()
        self._issues.extend((*judged.faults(), *(item.fault for item in judged.computed)))
        values, pending = with_fillers(self._context, child, judged.written, implied)
        return PlannedChild(
            relationship, child, values, tie, judged.sent(), path, pending, judged.children, tuple(judged.custom)
        )

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
            elif isinstance(column, CustomField):
                self._write_custom(column, raw)
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

    def _column(self, name: str, *, is_update: bool = False) -> Column | CustomField | None:
        """The column or custom field that a name means; one the caller may neither read nor write does not exist."""
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
        if not isinstance(field, Column | CustomField):
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
        return isinstance(field, Column | CustomField) and self._is_writable(field)

    def _is_writable(self, column: Column | CustomField) -> bool:
        is_fixed = column.is_read_only or (isinstance(column, Column) and column.is_generated)
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

    def _write_custom(self, field: CustomField, raw: object) -> None:
        """Whatever a custom field holds may be sent back as it was read: the CRM keeps all of it as text."""
        is_compared = self._is_update and is_readable(self._context, self._table, field)
        try:
            text = coerce_custom(field.type, self._meant(field, raw), self._context.clock)
        except RefusedValueError as refusal:
            fault = _fault(field.name, refusal.code, f"{field.name}: {refusal.message}", path=self._path)
            if is_compared:
                self.sent_back.append(SentBack(field, raw, fault))
            else:
                self._issues.append(fault)
            return
        self.custom.append(WrittenCustom(field, self._context.slots.add(text), raw, is_compared))

    def _meant(self, field: Column | CustomField, raw: object) -> object:
        """What a value is in JSON; a form has text only."""
        return form_value(field.type, raw) if self._intent.is_form and isinstance(raw, str) else raw

    def _is_echo(self, column: Column) -> bool:
        """Whether a value may be one that was read; what the caller may not read is never compared with."""
        is_echoed = self._is_update and column.type.kind.name in ECHOED_KINDS
        return is_echoed and is_readable(self._context, self._table, column)

    def _value(self, column: Column, raw: object) -> object:
        if raw is None or (
            raw == "" and self._intent.is_form and column.type.kind.family != "text" and column.is_nullable
        ):
            return _null_of(column)
        value = coerce_written(column.type, self._meant(column, raw), self._context.clock)
        if column.is_auto_increment:
            _check_number(column.type.maximum, value)
        return value

    def _send_back(self, column: Column | CustomField, raw: object) -> None:
        fault = _fault(column.name, "read_only", f"{column.name} cannot be changed", path=self._path)
        self.sent_back.append(SentBack(column, raw, fault))


def _check_number(most: int | None, number: object) -> None:
    """Pass for a number that leaves others for the rows after it: from a given one on the server counts further.

    It does so though the row is taken back, and after the last number no row can be created any more.
    """
    if most is not None and most >= _WIDE_KEY and isinstance(number, int) and number > most // 2:
        message = f"a number up to {most // 2} is due, so that there are others left for new rows"
        raise RefusedValueError("out_of_range", message)


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
