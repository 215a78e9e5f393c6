"""Condition intents -> conditions: names resolved, operators fitted, operands coerced.

A client's operators are more than a plan's: ``contains`` becomes a ``like`` with an
escaped pattern, ``between`` two comparisons, and a day against a moment the whole
day (SPEC section 4, "Date words").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.query.budget import check_filters, check_text, check_values
from gateway.query.coerce import (
    EXACT,
    RefusedValueError,
    coerce_boolean,
    coerce_operand,
    stored_lines,
    stored_moment,
    text_of,
)
from gateway.query.context import Context
from gateway.query.intent import AllIntent, AnyIntent, ConditionIntent, FilterIntent, NotIntent, RelatedIntent
from gateway.query.moments import day_bounds
from gateway.query.operators import OPERATORS, Operator
from gateway.query.places import Followed, Place, field_at, follow, readable_at, unknown_at
from gateway.query.plan import And, Compare, CompareOperator, Condition, Not, Or, PlanField, Quantified, Related, Slot
from gateway.query.resolve import is_readable
from gateway.query.suggest import nearest

_Builder = Callable[[Context, PlanField, object], Condition]

LIKE_ESCAPE: Final = "|"
"""The escape character of every pattern in a plan; no setting of the server changes its meaning."""


def plan_conditions(context: Context, table: Table, intents: Sequence[FilterIntent]) -> And:
    """Return the conjunction of some filters on the rows of a table.

    Raises:
        RequestError: ``field_unknown``, ``operator_unknown``, ``operator_misfit``, ``operand_invalid``,
            ``quantifier_misfit``, ``query_too_large``.
        ForbiddenError: ``grant_missing`` for a table that a name leads to.
    """
    check_filters(context.budget, intents)
    return And(tuple(_plan(context, Place(table), intent) for intent in intents))


def _plan(context: Context, place: Place, intent: FilterIntent) -> Condition:
    match intent:
        case ConditionIntent():
            return _leaf(context, place, intent)
        case AllIntent(parts=parts):
            return And(tuple(_plan(context, place, part) for part in parts))
        case AnyIntent(parts=parts):
            return Or(tuple(_plan(context, place, part) for part in parts))
        case NotIntent(part=part):
            return negated(_plan(context, place, part))
        case RelatedIntent():
            return _related(context, place, intent)


def _related(context: Context, place: Place, intent: RelatedIntent) -> Condition:
    """Conditions on one row at the end of a path; only its last to-many is quantified."""
    followed = follow(context, place, intent.path, intent.parameter)
    if followed.many is not None and followed.inner is not None:
        if followed.rest:
            part = _related(context, followed.inner, replace(intent, path=followed.rest))
            return Quantified(followed.place.path, followed.many, "some", part)
        part = _plan(context, followed.inner, intent.part)
        return Quantified(followed.place.path, followed.many, intent.quantifier, part)
    if followed.rest:
        raise _no_relationship(context, followed, intent)
    if intent.quantifier != "some":
        raise RequestError(
            "quantifier_misfit",
            f"{'.'.join(intent.path)} leads to one row at most; {intent.quantifier} is for many.",
            parameter=intent.parameter,
        )
    return And((_exists(followed), _plan(context, followed.place, intent.part)))


def _exists(followed: Followed) -> Condition:
    """There is a row at the place: a condition on it is met by a row, and not by the want of one."""
    place, edge = followed.place, followed.place.path[-1]
    names = [column.name for column in place.table.key] or [remote for _, remote in edge.pairs]
    columns = [column for column in place.table.columns if column.name in names]
    return Compare(Related(place.path, columns[0]), "not_null")


def _no_relationship(context: Context, followed: Followed, intent: RelatedIntent) -> RequestError:
    """Brackets hold a relationship each; a field has its operator beside it."""
    field, _ = field_at(followed.place.table, followed.rest)
    if field is None or not is_readable(context, followed.place.table, field):
        return unknown_at(context, followed.place, followed.rest, intent.parameter)
    name = ".".join(intent.path)
    detail = f"{name} is a field and no relationship: its operator follows a dot, as in filter[{name}.gte]."
    return RequestError("filter_syntax", detail, parameter=intent.parameter)


def _leaf(context: Context, place: Place, intent: ConditionIntent) -> Condition:
    followed = follow(context, place, intent.path, intent.parameter)
    if followed.many is not None and followed.inner is not None:
        part = _leaf(context, followed.inner, replace(intent, path=followed.rest))
        return Quantified(followed.place.path, followed.many, "some", part)
    field, rest = readable_at(context, followed.place, followed.rest, intent.parameter)
    if len(rest) > 1:
        raise unknown_at(context, followed.place, followed.rest, intent.parameter)
    operator = _operator(rest[0], intent.parameter) if rest else OPERATORS["eq"]
    return plan_comparison(context, followed.place.field(field), operator, intent)


def plan_comparison(context: Context, field: PlanField, operator: Operator, intent: ConditionIntent) -> Condition:
    """Return the condition that an operator and an operand put on a field.

    Raises:
        RequestError: ``operator_misfit``, ``operand_invalid``, ``query_too_large``.
    """
    if not operator.fits(field.type.kind):
        raise RequestError(
            "operator_misfit",
            f"{operator.name} cannot be used on {field.name}, which is {field.type.kind.summary}.",
            parameter=intent.parameter,
        )
    operand = _listed(context, intent) if operator.operand == "list" else intent.operand
    for item in operand if isinstance(operand, list) else (operand,):
        check_text(context.budget, item, intent.parameter)
    try:
        return _BUILDERS[operator.name](context, field, operand)
    except RefusedValueError as refusal:
        raise RequestError(
            "operand_invalid", f"{intent.parameter}: {refusal.message}.", parameter=intent.parameter
        ) from refusal


_INVERSE: Final[Mapping[CompareOperator, CompareOperator]] = MappingProxyType(
    {
        "eq": "ne",
        "ne": "eq",
        "gt": "lte",
        "lte": "gt",
        "gte": "lt",
        "lt": "gte",
        "like": "nlike",
        "nlike": "like",
        "in": "nin",
        "nin": "in",
        "null": "not_null",
        "not_null": "null",
    }
)


def negated(condition: Condition) -> Condition:
    """Return the condition that holds where another is false; where that is unknown, neither holds.

    Negation is carried down to the comparisons: an index still serves them, and a zero
    date, which is a null to clients, stays outside of both.
    """
    match condition:
        case Compare(operator=operator) if operator in _INVERSE:
            return replace(condition, operator=_INVERSE[operator])
        case And(parts=parts):
            return Or(tuple(negated(part) for part in parts))
        case Or(parts=parts):
            return And(tuple(negated(part) for part in parts))
        case Not(part=part):
            return part
        case Quantified(quantifier="some"):
            return replace(condition, quantifier="none")
        case Quantified(quantifier="none"):
            return replace(condition, quantifier="some")
        case _:
            return Not(condition)


def _listed(context: Context, intent: ConditionIntent) -> list[object]:
    """The items of a list, as many as the query may still have."""
    items = split_list(intent.operand)
    check_values(context.budget, len(items), len(context.slots.values), intent.parameter)
    return items


def _operator(name: str, parameter: str) -> Operator:
    operator = OPERATORS.get(name)
    if operator is None:
        close = nearest(name, OPERATORS)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(OPERATORS)}."
        raise RequestError(
            "operator_unknown", f"There is no operator {name!r}.{hint}", parameter=parameter, suggestion=close
        )
    return operator


def plan_search(context: Context, table: Table, text: str, parameter: str = "q") -> Condition:
    """Return the condition that some searchable column contains a text; ``parameter`` is where it stood.

    Raises:
        RequestError: ``parameter_invalid`` when the resource has no searchable field for this caller.
    """
    columns = [column for column in table.searchable if context.access.may_read_column(table, column)]
    if not columns:
        raise RequestError("parameter_invalid", f"{table.resource} has no searchable fields.", parameter=parameter)
    check_text(context.budget, text, parameter)
    try:
        return Or(tuple(_contains(context, column, text) for column in columns))
    except RefusedValueError as refusal:
        detail = f"The text to search for: {refusal.message}."
        raise RequestError("operand_invalid", detail, parameter=parameter) from refusal


# Operands


def _value(context: Context, field: PlanField, raw: object) -> object:
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
    text = str(raw)
    if "\\" not in text:
        return list(text.split(","))
    items: list[object] = []
    for item, end in _ITEM.findall(text):
        items.append(_ESCAPED.sub(r"\1", item))
        if not end:
            break
    return items


_ITEM: Final = re.compile(r"((?:[^\\,]++|\\.|\\\Z)*+)(,|\Z)", re.DOTALL)
"""An item of a comma list as it was sent, and what ends it."""

_ESCAPED: Final = re.compile(r"\\([,\\])")


def _is_day_on_moment(field: PlanField, value: object) -> bool:
    return field.type.kind.name in ("datetime", "timestamp") and not isinstance(value, datetime)


def _is_finer(field: PlanField, value: object) -> bool:
    """Whether a value has more decimals than its column keeps, so that it equals none of the column's values.

    MariaDB 10.11 looks such a value up in an index as if it were rounded; ranges it looks up right.
    """
    match value:
        case Decimal():
            exponent, scale = value.normalize(EXACT).as_tuple().exponent, field.type.scale
            return scale is not None and isinstance(exponent, int) and -exponent > scale
        case datetime():
            return value.microsecond % _unit_us(field) != 0
        case timedelta():
            return value.microseconds % _unit_us(field) != 0
        case _:
            return False


def _unit_us(field: PlanField) -> int:
    """The microseconds between one value of a time and the next that its column keeps."""
    return int(10 ** (6 - field.type.fraction))


def _is_range(field: PlanField, value: object) -> bool:
    """Whether equality with a value is asked as a range: a day of moments, or a point between two values."""
    return _is_day_on_moment(field, value) or _is_finer(field, value)


def _bounds(context: Context, field: PlanField, value: object) -> tuple[datetime, datetime]:
    """The first instant of a day and of the day after, as the column stores them."""
    assert isinstance(value, date)
    zone = context.clock.zone
    try:
        start, end = day_bounds(value, zone)
    except OverflowError as error:
        raise RefusedValueError("out_of_range", "the day is out of range") from error
    return stored_moment(field.type, start, zone), stored_moment(field.type, end, zone)


# One builder per operator


def _compare(context: Context, field: PlanField, operator: CompareOperator, *values: object) -> Compare:
    slots: tuple[Slot, ...] = tuple(context.slots.add(value) for value in values)
    return Compare(field, operator, slots)


def _equal(context: Context, field: PlanField, raw: object) -> Condition:
    return _equal_value(context, field, _value(context, field, raw))


def _equal_value(context: Context, field: PlanField, value: object) -> Condition:
    if _is_finer(field, value):
        return And((_compare(context, field, "gte", value), _compare(context, field, "lte", value)))
    if not _is_day_on_moment(field, value):
        return _compare(context, field, "eq", value)
    start, end = _bounds(context, field, value)
    return And((_compare(context, field, "gte", start), _compare(context, field, "lt", end)))


def _unequal_value(context: Context, field: PlanField, value: object) -> Condition:
    if _is_finer(field, value):
        return Or((_compare(context, field, "lt", value), _compare(context, field, "gt", value)))
    if not _is_day_on_moment(field, value):
        return _compare(context, field, "ne", value)
    start, end = _bounds(context, field, value)
    return Or((_compare(context, field, "lt", start), _compare(context, field, "gte", end)))


def _unequal(context: Context, field: PlanField, raw: object) -> Condition:
    return _unequal_value(context, field, _value(context, field, raw))


def _ordered(operator: CompareOperator) -> _Builder:
    """A day is reached at its first instant and passed at the next day's."""
    day_operator: CompareOperator = "gte" if operator in ("gt", "gte") else "lt"
    takes_end = operator in ("gt", "lte")

    def build(context: Context, field: PlanField, raw: object) -> Condition:
        value = _value(context, field, raw)
        if not _is_day_on_moment(field, value):
            return _compare(context, field, operator, value)
        return _compare(context, field, day_operator, _bounds(context, field, value)[takes_end])

    return build


def _values(context: Context, field: PlanField, raw: object) -> list[object]:
    return [_value(context, field, item) for item in split_list(raw)]


def _held(field: PlanField, values: list[object]) -> list[object]:
    """The values that a column can hold, for nothing equals the others; one of these where there are no others."""
    return [value for value in values if not _is_finer(field, value)] or values[:1]


def _among(context: Context, field: PlanField, raw: object) -> Condition:
    values = _held(field, _values(context, field, raw))
    if not values or any(_is_range(field, value) for value in values):
        return Or(tuple(_equal_value(context, field, value) for value in values))
    return _compare(context, field, "in", *values)


def _not_among(context: Context, field: PlanField, raw: object) -> Condition:
    values = _held(field, _values(context, field, raw))
    if not values:
        return _compare(context, field, "not_null")
    if any(_is_range(field, value) for value in values):
        return And(tuple(_unequal_value(context, field, value) for value in values))
    return _compare(context, field, "nin", *values)


def _between(context: Context, field: PlanField, raw: object) -> Condition:
    ends = split_list(raw)
    if len(ends) != 2:
        raise RefusedValueError("type", "two values are due: from and to")
    return And((_ordered("gte")(context, field, ends[0]), _ordered("lte")(context, field, ends[1])))


def _null(context: Context, field: PlanField, raw: object) -> Condition:
    return _compare(context, field, "null" if coerce_boolean(raw) else "not_null")


def _exact(context: Context, field: PlanField, raw: object) -> Condition:
    value = _value(context, field, raw)
    if field.type.kind.family == "text":
        return _compare(context, field, "exact", value)
    return _equal_value(context, field, value)


def escape_like(text: str) -> str:
    """Return a text whose wildcards are literal in a pattern.

    >>> escape_like("100%")
    '100|%'
    """
    return text.replace("|", "||").replace("%", "|%").replace("_", "|_")


def _client_pattern(text: str) -> str:
    r"""A client's pattern in our escape: ``\%`` and ``\_`` are literal, a lone ``|`` is itself."""
    parts = text.replace("|", "||").split("\\\\")
    return "\\".join(part.replace("\\%", "|%").replace("\\_", "|_") for part in parts)


def _pattern(operator: CompareOperator, shape: Callable[[str], str]) -> _Builder:
    def build(context: Context, field: PlanField, raw: object) -> Condition:
        if not isinstance(raw, (str, int)) or isinstance(raw, bool):
            raise RefusedValueError("type", "text is due")
        text = text_of(raw)
        if field.type.kind.name == "multiline":
            text = stored_lines(text)
        return _compare(context, field, operator, shape(text))

    return build


_contains: Final = _pattern("like", lambda text: f"%{escape_like(text)}%")

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
