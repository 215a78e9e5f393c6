"""Condition intents -> conditions: names resolved, operators fitted, operands coerced.

A client's operators are more than a plan's: ``contains`` becomes a ``like`` with an
escaped pattern, ``between`` two comparisons, and a day against a moment the whole
day (SPEC section 4, "Date words").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from gateway.catalog.model import Field, Table
from gateway.errors import RequestError
from gateway.query.coerce import RefusedValueError, coerce_boolean, coerce_operand, stored_lines, stored_moment
from gateway.query.context import Context
from gateway.query.intent import ConditionIntent
from gateway.query.moments import day_bounds
from gateway.query.operators import OPERATORS, Operator
from gateway.query.plan import And, Compare, CompareOperator, Condition, Or, Slot
from gateway.query.resolve import resolve_field
from gateway.query.suggest import nearest

LIKE_ESCAPE: Final = "|"
"""The escape character of every pattern in a plan; no setting of the server changes its meaning."""


def plan_conditions(context: Context, table: Table, intents: Sequence[ConditionIntent]) -> Condition:
    """Return the conjunction of some condition intents on a table.

    Raises:
        RequestError: ``field_unknown``, ``operator_unknown``, ``operator_misfit``, ``operand_invalid``.
    """
    return And(tuple(_plan_condition(context, table, intent) for intent in intents))


def _plan_condition(context: Context, table: Table, intent: ConditionIntent) -> Condition:
    field, operator = _target(context, table, intent)
    if not operator.fits(field.type.kind):
        raise RequestError(
            "operator_misfit",
            f"{operator.name} cannot be used on {field.name}, which is {field.type.kind.summary}.",
            parameter=intent.parameter,
        )
    try:
        return _BUILDERS[operator.name](context, field, intent.operand)
    except RefusedValueError as refusal:
        raise RequestError(
            "operand_invalid", f"{intent.parameter}: {refusal.message}.", parameter=intent.parameter
        ) from refusal


def _target(context: Context, table: Table, intent: ConditionIntent) -> tuple[Field, Operator]:
    """The last segment is an operator only when what precedes it is a field."""
    path = intent.path
    whole, stem = ".".join(path), ".".join(path[:-1])
    if stem and whole not in table.fields:
        field = resolve_field(context, table, stem, intent.parameter)
        return field, _operator(path[-1], intent.parameter)
    return resolve_field(context, table, whole, intent.parameter), OPERATORS["eq"]


def _operator(name: str, parameter: str) -> Operator:
    operator = OPERATORS.get(name)
    if operator is None:
        close = nearest(name, OPERATORS)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(OPERATORS)}."
        raise RequestError(
            "operator_unknown", f"There is no operator {name!r}.{hint}", parameter=parameter, suggestion=close
        )
    return operator


def plan_search(context: Context, table: Table, text: str) -> Condition:
    """Return ``q=text``: some searchable column contains it.

    Raises:
        RequestError: ``parameter_invalid`` when the resource has no searchable field for this caller.
    """
    columns = [column for column in table.searchable if context.access.may_read_column(table, column)]
    if not columns:
        raise RequestError("parameter_invalid", f"{table.resource} has no searchable fields.", parameter="q")
    try:
        return Or(tuple(_contains(context, column, text) for column in columns))
    except RefusedValueError as refusal:
        raise RequestError("operand_invalid", f"q: {refusal.message}.", parameter="q") from refusal


# Operands


def _value(context: Context, field: Field, raw: object) -> object:
    if isinstance(raw, str) and raw.startswith("@"):
        context.slots.is_timeless = False
    return coerce_operand(field.type, raw, context.clock)


def split_list(raw: object) -> list[object]:
    r"""Return the items of a comma list (``\,`` is a comma, ``\\`` a backslash) or of a JSON array.

    >>> split_list(r"a,b\,c")
    ['a', 'b,c']
    """
    if isinstance(raw, list):
        return list(raw)
    items, item, is_escaped = [], "", False
    for character in str(raw):
        if is_escaped:
            item += character if character in ",\\" else "\\" + character
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif character == ",":
            items.append(item)
            item = ""
        else:
            item += character
    items.append(item + ("\\" if is_escaped else ""))
    return list(items)


def _is_day_on_moment(field: Field, value: object) -> bool:
    return field.type.kind.name in ("datetime", "timestamp") and not isinstance(value, datetime)


def _bounds(context: Context, field: Field, value: object) -> tuple[datetime, datetime]:
    """The first instant of a day and of the day after, as the column stores them."""
    assert isinstance(value, date)
    zone = context.clock.zone
    try:
        start, end = day_bounds(value, zone)
    except OverflowError as error:
        raise RefusedValueError("out_of_range", "the day is out of range") from error
    return stored_moment(field.type, start, zone), stored_moment(field.type, end, zone)


# One builder per operator


def _compare(context: Context, field: Field, operator: CompareOperator, *values: object) -> Compare:
    slots: tuple[Slot, ...] = tuple(context.slots.add(value) for value in values)
    return Compare(field, operator, slots)


def _equal(context: Context, field: Field, raw: object) -> Condition:
    return _equal_value(context, field, _value(context, field, raw))


def _equal_value(context: Context, field: Field, value: object) -> Condition:
    if not _is_day_on_moment(field, value):
        return _compare(context, field, "eq", value)
    start, end = _bounds(context, field, value)
    return And((_compare(context, field, "gte", start), _compare(context, field, "lt", end)))


def _unequal_value(context: Context, field: Field, value: object) -> Condition:
    if not _is_day_on_moment(field, value):
        return _compare(context, field, "ne", value)
    start, end = _bounds(context, field, value)
    return Or((_compare(context, field, "lt", start), _compare(context, field, "gte", end)))


def _unequal(context: Context, field: Field, raw: object) -> Condition:
    return _unequal_value(context, field, _value(context, field, raw))


def _ordered(operator: CompareOperator) -> Callable[[Context, Field, object], Condition]:
    """A day is reached at its first instant and passed at the next day's."""
    day_operator: CompareOperator = "gte" if operator in ("gt", "gte") else "lt"
    takes_end = operator in ("gt", "lte")

    def build(context: Context, field: Field, raw: object) -> Condition:
        value = _value(context, field, raw)
        if not _is_day_on_moment(field, value):
            return _compare(context, field, operator, value)
        return _compare(context, field, day_operator, _bounds(context, field, value)[takes_end])

    return build


def _among(context: Context, field: Field, raw: object) -> Condition:
    values = [_value(context, field, item) for item in split_list(raw)]
    if not values or any(_is_day_on_moment(field, value) for value in values):
        return Or(tuple(_equal_value(context, field, value) for value in values))
    return _compare(context, field, "in", *values)


def _not_among(context: Context, field: Field, raw: object) -> Condition:
    values = [_value(context, field, item) for item in split_list(raw)]
    if not values:
        return _compare(context, field, "not_null")
    if any(_is_day_on_moment(field, value) for value in values):
        return And(tuple(_unequal_value(context, field, value) for value in values))
    return _compare(context, field, "nin", *values)


def _between(context: Context, field: Field, raw: object) -> Condition:
    ends = split_list(raw)
    if len(ends) != 2:
        raise RefusedValueError("type", "two values are due, from,to")
    return And((_ordered("gte")(context, field, ends[0]), _ordered("lte")(context, field, ends[1])))


def _null(context: Context, field: Field, raw: object) -> Condition:
    return _compare(context, field, "null" if coerce_boolean(raw) else "not_null")


def _exact(context: Context, field: Field, raw: object) -> Condition:
    value = _value(context, field, raw)
    if field.type.kind.family == "text":
        return _compare(context, field, "exact", value)
    return _equal_value(context, field, value)


def escape_like(text: str) -> str:
    """Return a text whose wildcards are literal in a pattern.

    >>> escape_like("100%")
    '100|%'
    """
    return re.sub(r"([%_|])", r"|\1", text)


def _client_pattern(text: str) -> str:
    r"""A client's pattern in our escape: ``\%`` and ``\_`` are literal, a lone ``|`` is itself."""
    escaped = text.replace("|", "||")
    return re.sub(r"\\([%_\\])", lambda match: "\\" if match[1] == "\\" else "|" + match[1], escaped)


def _pattern(operator: CompareOperator, shape: Callable[[str], str]) -> Callable[[Context, Field, object], Condition]:
    def build(context: Context, field: Field, raw: object) -> Condition:
        if not isinstance(raw, (str, int)) or isinstance(raw, bool):
            raise RefusedValueError("type", "text is due")
        text = str(raw)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise RefusedValueError("type", "the text holds half a character (a lone surrogate)")
        if field.type.kind.name == "multiline":
            text = stored_lines(text)
        return _compare(context, field, operator, shape(text))

    return build


_contains: Final = _pattern("like", lambda text: f"%{escape_like(text)}%")

_Builder = Callable[[Context, Field, object], Condition]
_BUILDERS: Final[Mapping[str, _Builder]] = MappingProxyType(
    {
        "eq": _equal,
        "ne": _unequal,
        "gt": _ordered("gt"),
        "gte": _ordered("gte"),
        "lt": _ordered("lt"),
        "lte": _ordered("lte"),
        "like": _pattern("like", _client_pattern),
        "nlike": _pattern("nlike", _client_pattern),
        "contains": _contains,
        "ncontains": _pattern("nlike", lambda text: f"%{escape_like(text)}%"),
        "starts": _pattern("like", lambda text: f"{escape_like(text)}%"),
        "ends": _pattern("like", lambda text: f"%{escape_like(text)}"),
        "in": _among,
        "nin": _not_among,
        "between": _between,
        "null": _null,
        "exact": _exact,
    }
)
