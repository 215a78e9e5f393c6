"""Custom fields and labels as SQL expressions.

A custom field's value is text in a table of its own. Here it becomes a scalar subquery
of the field's type, so that it compares, sorts, groups and adds up like a column of that
type; text that is no value of the type is NULL, and so is the empty text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import INTEGER

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import CustomField, LabelField
from gateway.sql.dialects import Element, constant

# The columns of the CRM's table of values (SEMANTICS 0.9).
KEY: Final = "id"
REFERENCE: Final = "relid"
ENTITY: Final = "fieldto"
DEFINITION: Final = "fieldid"
VALUE: Final = "value"

UNSIGNED: Final = INTEGER(unsigned=True)
NUMBER_PRECISION: Final = 65
NUMBER_SCALE: Final = 30
"""What a number is read as: the largest exact type that both servers have."""

_NUMBER: Final = (
    "^[-+]?(([0-9]{1,35}([.][0-9]{0,30})?|[.][0-9]{1,30})|([0-9]{1,26}([.][0-9]{0,21})?|[.][0-9]{1,21})[eE][-+]?[0-9])$"
)
"""With one digit in its exponent a number still fits into `NUMBER_PRECISION` digits; a browser's field accepts one."""

_LEAP_YEAR: Final = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|[2468][048]|[3579][26])00)"
_DAY: Final = (
    "([1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
"""The days of the calendar: MariaDB's own CAST lets 30 February through where it is the value of a subquery."""

_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_DATE: Final = f"^{_DAY}$"
_DATETIME: Final = f"^{_DAY}( {_TIME})?$"


def custom_value(field: CustomField, source: sa.FromClause, alias: str, dialect: Dialect) -> Element:
    """Return the value of a custom field for a row of ``source``; ``alias`` is free in the statement.

    The values' row with the lowest key counts: a second one, which the CRM never meant to
    write, doubles no row.
    """
    values = sa.table(field.values).alias(alias)
    typed = _typed(field.type.kind.name, _column(values, VALUE), dialect)
    query: sa.Select[Any] = sa.select(typed).select_from(values)
    query = query.where(
        _column(values, REFERENCE) == _column(source, field.key.name),
        _column(values, DEFINITION) == constant(field.definition),
        _column(values, ENTITY) == constant(field.entity),
    ).order_by(_column(values, KEY))
    return query.limit(sa.literal_column("1")).correlate(source).scalar_subquery()


def custom_state(fields: Sequence[CustomField], source: sa.FromClause, alias: str) -> Element:
    """Return 64 bits that tell all stored values of a row's custom fields, for its tag, by one look into their table.

    The bits of each value's hash are taken together by XOR, whatever the order; a value's own key
    is part of it, so that no two cancel out. To join the texts themselves takes the servers three
    times as long. Not for SQLite, which has no such functions.
    """
    first = fields[0]
    values = sa.table(first.values).alias(alias)
    colon: Element = sa.literal_column("':'")
    text = sa.func.concat(_column(values, KEY), colon, _column(values, DEFINITION), colon, _column(values, VALUE))
    digits = sa.func.left(sa.func.md5(text), sa.literal_column("16"))
    number = sa.cast(sa.func.conv(digits, sa.literal_column("16"), sa.literal_column("10")), UNSIGNED)
    query: sa.Select[Any] = sa.select(sa.func.bit_xor(number)).select_from(values)
    query = query.where(
        _column(values, REFERENCE) == _column(source, first.key.name),
        _column(values, ENTITY) == constant(first.entity),
        _column(values, DEFINITION).in_([constant(field.definition) for field in fields]),
    )
    return query.correlate(source).scalar_subquery()


def label_value(field: LabelField, source: sa.FromClause) -> Element:
    """Return the word for the code of a row of ``source``, NULL for a code without one."""
    code = _column(source, field.column.name)
    words = [(code == constant(each), constant(word)) for each, word in field.words]
    return sa.case(*words, else_=sa.null())


def _column(source: sa.FromClause, name: str) -> Element:
    return sa.column(name, _selectable=source)


def _typed(kind: str, text: Element, dialect: Dialect) -> Element:
    """The text as a value of a kind. A guard stands before every CAST: strict servers refuse what they cannot cast."""
    makers = _SQLITE_MAKERS if dialect == "sqlite" else _SERVER_MAKERS
    make = makers.get(kind)
    return sa.func.nullif(text, sa.literal_column("''")) if make is None else make(text)


# MariaDB and MySQL


def _server_number(text: Element) -> Element:
    return sa.cast(_matching(text, _NUMBER), sa.DECIMAL(NUMBER_PRECISION, NUMBER_SCALE))


def _server_date(text: Element) -> Element:
    return sa.cast(_matching(text, _DATE), sa.Date())


def _server_datetime(text: Element) -> Element:
    return sa.cast(_matching(text, _DATETIME), sa.DateTime())


def _matching(text: Element, pattern: str) -> Element:
    """The text if it has a form, NULL otherwise."""
    return _guarded(text.op("REGEXP")(constant(pattern)), text)


def _guarded(guard: Element, value: Element) -> Element:
    return sa.case((guard, value), else_=sa.null())


# SQLite: it has no regular expressions of its own, and its dates are text


def _sqlite_number(text: Element) -> Element:
    """Digits with one point and a sign, or a number of JSON, which may have an exponent of one digit."""
    digits = sa.func.ltrim(text, "+-")
    is_signed_once = sa.func.length(text) - sa.func.length(digits) < sa.literal_column("2")
    plain = sa.and_(
        is_signed_once,
        _like(digits, "*[0-9]*"),
        sa.not_(_like(digits, "*[^0-9.]*")),
        sa.not_(_like(digits, "*.*.*")),
    )
    has_small_exponent = sa.not_(
        sa.or_(_like(text, "*[eE][0-9][0-9]*"), _like(text, "*[eE][-+][0-9][0-9]*")),
    )
    scientific = sa.and_(_like(text, "[-0-9]*"), has_small_exponent, sa.func.json_valid(text))
    return _guarded(sa.or_(plain, scientific), sa.cast(text, sa.NUMERIC()))


def _sqlite_date(text: Element) -> Element:
    """SQLite makes 2 March of 30 February: a day that does not stay itself is none."""
    return _guarded(sa.and_(_like(text, "[1-9]*"), sa.func.date(text) == text), text)


def _sqlite_datetime(text: Element) -> Element:
    """The moment with its seconds, as a DATETIME column has it."""
    whole = sa.func.datetime(text)
    is_kept = sa.func.substr(whole, sa.literal_column("1"), sa.func.length(text)) == text
    is_whole = sa.func.length(text).in_([sa.literal_column(length) for length in ("10", "16", "19")])
    return _guarded(sa.and_(_like(text, "[1-9]*"), is_whole, is_kept), whole)


def _like(text: Element, pattern: str) -> Element:
    return text.op("GLOB")(constant(pattern))


_Maker = Callable[[Element], Element]
_SERVER_MAKERS: Final[Mapping[str, _Maker]] = MappingProxyType(
    {"number": _server_number, "date": _server_date, "datetime": _server_datetime}
)
_SQLITE_MAKERS: Final[Mapping[str, _Maker]] = MappingProxyType(
    {"number": _sqlite_number, "date": _sqlite_date, "datetime": _sqlite_datetime}
)
