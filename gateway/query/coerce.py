"""Text and JSON values -> what a column's type takes, or a refusal.

What comes in: an operand of a filter, a key of a path, or a value of a body. What
goes out: a Python value that the driver binds as the column's own type, so that
the database never converts (it would match ``id = '1abc'`` to 1). Nothing here
reaches SQL text, and no number passes through a float on its way to an exact column.
"""

from __future__ import annotations

import binascii
import json
import re
import struct
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Context, Decimal
from ipaddress import IPv4Address, ip_address
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson

from gateway.catalog.kinds import ColumnType, split_words
from gateway.query.moments import (
    Moment,
    NonexistentTimeError,
    parse_moment,
    parse_time_span,
)

_INTEGER: Final = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(\d{1,80}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,3})?", re.ASCII)
_SINGLE: Final = struct.Struct("f")
BREAK: Final = re.compile(r"<br ?/?>(?=\r?\n)", re.IGNORECASE)
_LONGEST_INTEGER: Final = 2**64 - 1
MOST_DECIMAL_DIGITS: Final = 65
EXACT: Final = Context(prec=200)
"""A context that rounds no number which `_DECIMAL` lets pass; the default one keeps 28 digits."""
_BOOLEANS: Final = MappingProxyType({"1": True, "true": True, "0": False, "false": False})


class RefusedValueError(ValueError):
    """A value that its column cannot take: a code of `errors.FIELD_CODES` and what is due."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of a request and the CRM's zone; what date words depend on."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """The current day on the CRM's wall."""
        return self.now.astimezone(self.zone).date()

    @property
    def wall(self) -> datetime:
        """The CRM's wall clock, to the second, without a zone: what DATETIME columns hold."""
        return self.now.astimezone(self.zone).replace(tzinfo=None, microsecond=0)


# Operands of filters and keys


def coerce_operand(column_type: ColumnType, raw: object, clock: Clock) -> object:
    """Return the value that ``raw`` means for a comparison with a column.

    A day against a DATETIME or TIMESTAMP comes back as a `date`: the planner makes
    it the whole day. Everything else is what the driver binds.

    Raises:
        RefusedValueError: the text cannot be read as the column's type.
    """
    kind = column_type.kind.name
    if kind in ("datetime", "timestamp"):
        moment = _moment(raw, clock)
        return moment if not isinstance(moment, datetime) else stored_moment(column_type, moment, clock.zone)
    if kind == "date":
        moment = _moment(raw, clock)
        if isinstance(moment, datetime) and not str(raw).startswith("@"):
            raise RefusedValueError("type", "a day is due, YYYY-MM-DD or a date word")
        return moment.date() if isinstance(moment, datetime) else moment
    return READERS[kind](column_type, raw)


def same_value(column_type: ColumnType, rendered: object, raw: object, clock: Clock) -> bool:
    """Return whether a sent value means what a reply would show of the stored one."""
    shown = json.loads(orjson.dumps(rendered), parse_float=Decimal)
    if shown is None or raw is None:
        return shown is raw
    try:
        return coerce_operand(column_type, shown, clock) == coerce_operand(column_type, raw, clock)
    except RefusedValueError:
        return bool(shown == raw)


def coerce_boolean(raw: object) -> bool:
    """Return what ``1``, ``0``, ``true`` or ``false`` means.

    Raises:
        RefusedValueError: anything else.
    """
    value = raw if isinstance(raw, bool) else _BOOLEANS.get(str(raw).lower())
    if value is None:
        raise RefusedValueError("type", "1, 0, true or false is due")
    return value


def stored_moment(column_type: ColumnType, moment: datetime, zone: tzinfo) -> datetime:
    """Return an instant as a column stores it: the CRM's wall clock, or UTC for TIMESTAMP."""
    target = UTC if column_type.kind.name == "timestamp" else zone
    return moment.astimezone(target).replace(tzinfo=None)


def _moment(raw: object, clock: Clock) -> Moment:
    try:
        return parse_moment(text_of(raw), clock.zone, clock.now)
    except NonexistentTimeError as error:
        raise RefusedValueError("nonexistent_time", "this local time does not exist in the CRM's time zone") from error
    except (ValueError, OverflowError) as error:
        raise RefusedValueError("type", "a date is due: YYYY-MM-DD, RFC 3339 or a word such as @today-7d") from error


def text_of(raw: object) -> str:
    """Return a scalar as text; half a character (a lone surrogate), a list or null is refused."""
    if isinstance(raw, bool) or raw is None or isinstance(raw, (list, dict)):
        raise RefusedValueError("type", "text is due")
    text = str(raw)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedValueError("type", "the text holds half a character (a lone surrogate)") from error
    return text


def read_text(column_type: ColumnType, raw: object) -> str:
    """A text; the few texts that the server holds in a form of their own must have it."""
    text = text_of(raw)
    form = _FORMS.get(column_type.sql.lower())
    if form is not None:
        try:
            form(text)
        except ValueError as error:
            raise RefusedValueError("type", f"a value of type {column_type.sql.lower()} is due") from error
    return text


_FORMS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType(
    {"uuid": UUID, "inet4": IPv4Address, "inet6": ip_address}
)
"""Types of MariaDB that compare as no text: one of another form would equal nothing, or be refused."""


def stored_lines(text: str) -> str:
    r"""Return text of several lines as Perfex stores it, ``<br />`` before each newline (SEMANTICS 0.4).

    >>> stored_lines("a\nb")
    'a<br />\nb'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return BREAK.sub("", lines).replace("\n", "<br />\n")


def _read_lines(_: ColumnType, raw: object) -> str:
    return stored_lines(text_of(raw))


def _read_words(_: ColumnType, raw: object) -> str:
    return joined_words(split_words(text_of(raw)))


def joined_words(words: Iterable[str]) -> str:
    """Return words as the CRM stores several of them (SEMANTICS 0.9)."""
    return ", ".join(words)


def read_integer(_: ColumnType, raw: object) -> int:
    """Return a whole number of at most 64 bits, signed or unsigned."""
    number = _whole(raw)
    if number is None:
        raise RefusedValueError("type", "a whole number is due")
    if not -(2**63) <= number <= _LONGEST_INTEGER:
        raise RefusedValueError("out_of_range", "the number is beyond 64 bits")
    return number


def _whole(raw: object) -> int | None:
    """The whole number that a value is, None when it is none; a JSON number such as 7.0 is one."""
    match raw:
        case bool():
            return None
        case int():
            return raw
        case Decimal():
            is_whole = raw.adjusted() < MOST_DECIMAL_DIGITS and raw == raw.to_integral_value()
            return int(raw) if is_whole else None
        case str():
            text = _signed(raw)
            return int(text) if _INTEGER.fullmatch(text) else None
    return None


def _signed(text: str) -> str:
    """A space where a sign is due is a ``+`` that a URL lost."""
    return "+" + text[1:] if text.startswith(" ") else text


def read_flag(column_type: ColumnType, raw: object) -> int:
    """Return a whole number; true is 1 and false 0."""
    if isinstance(raw, bool) or str(raw).lower() in ("true", "false"):
        return int(coerce_boolean(raw))
    return read_integer(column_type, raw)


def _number_of(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, Decimal)):
        raise RefusedValueError("type", "a number is due")
    text = _signed(str(raw))
    if not _DECIMAL.fullmatch(text):
        raise RefusedValueError("type", "a number is due")
    return Decimal(text)


def read_decimal(_: ColumnType, raw: object) -> Decimal:
    """Return an exact number with every digit that was sent."""
    plain = format(_number_of(raw), "f")
    if len(plain.lstrip("-").replace(".", "")) > MOST_DECIMAL_DIGITS + 60:
        raise RefusedValueError("out_of_range", "the number has too many digits")
    return Decimal(plain)


def read_float(column_type: ColumnType, raw: object) -> float:
    """A FLOAT column holds the nearest single: compared with the double that was sent, it would equal none."""
    number = float(_number_of(raw))
    try:
        return _SINGLE.unpack(_SINGLE.pack(number))[0] if column_type.is_single else _finite(number)
    except OverflowError as error:
        raise RefusedValueError("out_of_range", "the number is too large") from error


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise OverflowError
    return number


def read_time(_: ColumnType, raw: object) -> timedelta:
    """Return a time span, which may exceed a day."""
    try:
        return parse_time_span(text_of(raw))
    except ValueError as error:
        raise RefusedValueError("type", "a time is due, [-]HHH:MM:SS within 838:59:59") from error


def read_binary(column_type: ColumnType, raw: object) -> bytes:
    """Bytes as they are stored: BINARY(n) is filled up with zeros."""
    try:
        data = b64decode(text_of(raw), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedValueError("type", "base64 is due") from error
    is_padded = column_type.sql.lower().startswith("binary")
    return data.ljust(column_type.length or 0, b"\0") if is_padded else data


Reader = Callable[[ColumnType, Any], object]
READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "integer": read_integer,
        "flag": read_flag,
        "year": read_integer,
        "bit": read_integer,
        "decimal": read_decimal,
        "number": read_decimal,
        "float": read_float,
        "string": read_text,
        "enum": read_text,
        "html": read_text,
        "multiline": _read_lines,
        "time": read_time,
        "binary": read_binary,
        "set": read_text,
        "php_list": read_text,
        "words": _read_words,
        "json": read_text,
    }
)
