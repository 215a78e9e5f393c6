"""Positions in an order: what a page goes on from, and the condition of the rows after it.

A position has one value per sort key of a plan, the row's key last, in a form that JSON
keeps exactly. Nulls come first in ascending order and last in descending order, as
the databases sort them; a zero date counts as null.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Protocol

from gateway.catalog.kinds import ColumnType
from gateway.catalog.model import Column
from gateway.errors import RequestError
from gateway.query.context import Context
from gateway.query.plan import And, Compare, Condition, Or, Order, PlanField, Related, Slot

Position = tuple[object, ...]


def position_of(order: Sequence[Order], cells: Sequence[Any]) -> Position:
    """Return the position of a row, from the cells of its sort keys as the driver has them."""
    return tuple(_token(key.field.type, cell) for key, cell in zip(order, cells, strict=True))


def _token(column_type: ColumnType, cell: Any) -> object:
    match cell:
        case None | bool() | int() | float():
            return cell
        case datetime() | date():
            return cell.isoformat()
        case timedelta():
            return cell // timedelta(microseconds=1)
        case bytes() | bytearray():
            return b64encode(cell).decode("ascii")
    text = str(cell)
    is_zero = column_type.kind.name in ("date", "datetime", "timestamp") and text.startswith("0000-")
    return None if is_zero else text


def rows_after(context: Context, order: Sequence[Order], position: Position, parameter: str = "cursor") -> Condition:
    """Return the condition of the rows that come after a position; ``parameter`` is where it stood.

    The first key's bound stands beside the alternatives: an index serves it, where it
    would not serve an OR.

    Raises:
        RequestError: ``cursor_invalid`` for a position of another order.
    """
    if len(position) != len(order):
        raise cursor_invalid(parameter)
    keys = tuple(_key(context, key, token, parameter) for key, token in zip(order, position, strict=True))
    ways: list[Condition] = []
    for number, key in enumerate(keys):
        later = key.later()
        if later is not None:
            ways.append(And((*(before.same() for before in keys[:number]), later)) if number else later)
    if len(ways) == 1:
        return ways[0]
    within = keys[0].within()
    return Or(tuple(ways)) if within is None else And((within, Or(tuple(ways))))


def is_by_values(context: Context, order: Sequence[Order]) -> bool:
    """Whether `rows_after` puts a position's values into slots just as they are: not those of a word of a list."""
    return not any(_is_sorted_by_member(context, key.field) for key in order)


def position_values(order: Sequence[Order], position: Position, parameter: str = "cursor") -> tuple[object, ...]:
    """Return what `rows_after` puts into slots for a position, in order; nulls are part of the condition.

    Raises:
        RequestError: ``cursor_invalid``.
    """
    if len(position) != len(order):
        raise cursor_invalid(parameter)
    pairs = zip(order, position, strict=True)
    return tuple(_bound(key, token, parameter) for key, token in pairs if token is not None)


def cursor_invalid(parameter: str = "cursor") -> RequestError:
    """Return the refusal of a cursor that does not belong to the question."""
    detail = "The cursor does not belong to this query: begin again without it."
    return RequestError("cursor_invalid", detail, parameter=parameter)


def can_follow(context: Context, order: Sequence[Order]) -> bool:
    """Whether a position in an order says which rows come after it: a SET is sorted and compared differently."""
    columns = (_own(key.field) for key in order)
    return not any(isinstance(own, Column) and own.type.kind.name == "set" for own in columns)


def _own(field: PlanField) -> PlanField:
    return field.field if isinstance(field, Related) else field


class _Key(Protocol):
    """One sort key and its value at the position.

    ``same`` is met by the rows that share it, ``later`` by those that come after by it
    alone (None: none can), ``within`` by all that come after (None: nothing bounds them).
    """

    def same(self) -> Condition: ...
    def later(self) -> Condition | None: ...
    def within(self) -> Condition | None: ...


def _key(context: Context, key: Order, token: object, parameter: str) -> _Key:
    if token is None:
        return _NullKey(key.field, key.is_descending)
    if _is_sorted_by_member(context, key.field):
        return _MemberKey(context, key, str(token))
    slot = context.slots.add(_bound(key, token, parameter))
    return _ValueKey(key.field, slot, key.is_descending, may_be_null(key.field))


def _bound(key: Order, token: object, parameter: str) -> object:
    try:
        return _value(key.field.type, token)
    except (ValueError, TypeError, ArithmeticError):  # the column's type has changed since
        raise cursor_invalid(parameter) from None


def _is_sorted_by_member(context: Context, field: PlanField) -> bool:
    """MySQL and MariaDB sort an ENUM by the order of its members and compare it as text."""
    own = _own(field)
    return context.catalog.dialect != "sqlite" and isinstance(own, Column) and own.type.kind.name == "enum"


@dataclass(frozen=True, slots=True)
class _NullKey:
    field: PlanField
    is_descending: bool

    def same(self) -> Condition:
        return Compare(self.field, "null")

    def later(self) -> Condition | None:
        return None if self.is_descending else Compare(self.field, "not_null")

    def within(self) -> Condition | None:
        return Compare(self.field, "null") if self.is_descending else None


@dataclass(frozen=True, slots=True)
class _ValueKey:
    field: PlanField
    slot: Slot
    is_descending: bool
    is_nullable: bool

    def same(self) -> Condition:
        return Compare(self.field, "eq", (self.slot,))

    def later(self) -> Condition | None:
        if not self.is_descending:
            return Compare(self.field, "gt", (self.slot,))
        return self._or_null(Compare(self.field, "lt", (self.slot,)))

    def within(self) -> Condition | None:
        if not self.is_descending:
            return Compare(self.field, "gte", (self.slot,))
        return self._or_null(Compare(self.field, "lte", (self.slot,)))

    def _or_null(self, condition: Condition) -> Condition:
        return Or((condition, Compare(self.field, "null"))) if self.is_nullable else condition


class _MemberKey:
    """A word of a list whose order is the list's own.

    Before all of them comes the empty word, which servers keep where they took one that is none of the list.
    """

    __slots__ = ("_field", "_later", "_nulls", "_same")

    def __init__(self, context: Context, key: Order, word: str) -> None:
        members = key.field.type.members
        members = members if "" in members else ("", *members)
        place = members.index(word) if word in members else -1
        later = (members[:place] if place > 0 else ()) if key.is_descending else members[place + 1 :]
        self._field = key.field
        self._same = (context.slots.add(word),)
        self._later = tuple(context.slots.add(member) for member in later)
        self._nulls = key.is_descending and may_be_null(key.field)

    def same(self) -> Condition:
        return Compare(self._field, "eq", self._same)

    def later(self) -> Condition | None:
        ways: list[Condition] = [Compare(self._field, "in", self._later)] if self._later else []
        if self._nulls:
            ways.append(Compare(self._field, "null"))
        return Or(tuple(ways)) if ways else None

    def within(self) -> Condition | None:
        return None


def may_be_null(field: PlanField) -> bool:
    """Whether a field may be null for some row; a moment may be a zero date."""
    return not isinstance(field, Column) or field.is_nullable or field.type.kind.family == "moment"


def _value(column_type: ColumnType, token: object) -> object:
    read = _READERS.get(column_type.kind.name)
    return token if read is None else read(token)


_READERS: Final[Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "time": lambda token: timedelta(microseconds=token),
        "decimal": lambda token: Decimal(str(token)),
        "number": lambda token: Decimal(str(token)),
        "binary": b64decode,
        "bit": lambda token: int.from_bytes(b64decode(token), "big") if isinstance(token, str) else token,
    }
)
"""From a position back to what the driver binds; other kinds are bound as they are."""
