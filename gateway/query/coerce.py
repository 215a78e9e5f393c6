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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Any, Final

import nh3
import orjson

from gateway.catalog.kinds import ColumnType
from gateway.query.moments import (
    Moment,
    NonexistentTimeError,
    localized,
    parse_moment,
    parse_time_span,
)

_INTEGER: Final = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(\d{1,80}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,3})?", re.ASCII)
_SINGLE: Final = struct.Struct("f")
_BREAK: Final = re.compile(r"<br ?/?>(?=\r?\n)", re.IGNORECASE)
_LONGEST_INTEGER: Final = 2**64 - 1
_MOST_DECIMAL_DIGITS: Final = 65
_EXACT: Final = Context(prec=200)
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
    return _READERS[kind](column_type, raw)


def form_value(column_type: ColumnType, text: str) -> object:
    """Return what a form's text means for a list (comma-separated) or a JSON document; else the text itself.

    Raises:
        RefusedValueError: the text is no JSON.
    """
    kind = column_type.kind.name
    if kind == "php_list":
        return text.split(",") if text else []
    if kind != "json":
        return text
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RefusedValueError("type", "a JSON value is due") from error


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
        return parse_moment(_text(raw), clock.zone, clock.now)
    except NonexistentTimeError as error:
        raise RefusedValueError("nonexistent_time", "this local time does not exist in the CRM's time zone") from error
    except (ValueError, OverflowError) as error:
        raise RefusedValueError("type", "a date is due: YYYY-MM-DD, RFC 3339 or a word such as @today-7d") from error


def _text(raw: object) -> str:
    if isinstance(raw, bool) or raw is None or isinstance(raw, (list, dict)):
        raise RefusedValueError("type", "text is due")
    text = str(raw)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedValueError("type", "the text holds half a character (a lone surrogate)") from error
    return text


def _read_text(_: ColumnType, raw: object) -> str:
    return _text(raw)


def _read_lines(_: ColumnType, raw: object) -> str:
    return stored_lines(_text(raw))


def _read_integer(_: ColumnType, raw: object) -> int:
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
            is_whole = raw.adjusted() < _MOST_DECIMAL_DIGITS and raw == raw.to_integral_value()
            return int(raw) if is_whole else None
        case str():
            text = _signed(raw)
            return int(text) if _INTEGER.fullmatch(text) else None
    return None


def _signed(text: str) -> str:
    """A space where a sign is due is a ``+`` that a URL lost."""
    return "+" + text[1:] if text.startswith(" ") else text


def _read_flag(column_type: ColumnType, raw: object) -> int:
    if isinstance(raw, bool) or str(raw).lower() in ("true", "false"):
        return int(coerce_boolean(raw))
    return _read_integer(column_type, raw)


def _number(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, Decimal)):
        raise RefusedValueError("type", "a number is due")
    text = _signed(str(raw))
    if not _DECIMAL.fullmatch(text):
        raise RefusedValueError("type", "a number is due")
    return Decimal(text)


def _read_decimal(_: ColumnType, raw: object) -> Decimal:
    plain = format(_number(raw), "f")
    if len(plain.lstrip("-").replace(".", "")) > _MOST_DECIMAL_DIGITS + 60:
        raise RefusedValueError("out_of_range", "the number has too many digits")
    return Decimal(plain)


def _read_float(column_type: ColumnType, raw: object) -> float:
    """A FLOAT column holds the nearest single: compared with the double that was sent, it would equal none."""
    number = float(_number(raw))
    try:
        return _SINGLE.unpack(_SINGLE.pack(number))[0] if column_type.is_single else _finite(number)
    except OverflowError as error:
        raise RefusedValueError("out_of_range", "the number is too large") from error


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise OverflowError
    return number


def _read_time(_: ColumnType, raw: object) -> timedelta:
    try:
        return parse_time_span(_text(raw))
    except ValueError as error:
        raise RefusedValueError("type", "a time is due, [-]HHH:MM:SS within 838:59:59") from error


def _read_binary(column_type: ColumnType, raw: object) -> bytes:
    """Bytes as they are stored: BINARY(n) is filled up with zeros."""
    try:
        data = b64decode(_text(raw), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedValueError("type", "base64 is due") from error
    is_padded = column_type.sql.lower().startswith("binary")
    return data.ljust(column_type.length or 0, b"\0") if is_padded else data


_Reader = Callable[[ColumnType, Any], object]
_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "integer": _read_integer,
        "flag": _read_flag,
        "year": _read_integer,
        "bit": _read_integer,
        "decimal": _read_decimal,
        "float": _read_float,
        "string": _read_text,
        "enum": _read_text,
        "html": _read_text,
        "multiline": _read_lines,
        "time": _read_time,
        "binary": _read_binary,
        "set": _read_text,
        "php_list": _read_text,
        "json": _read_text,
    }
)


# Values of bodies


def coerce_written(column_type: ColumnType, raw: object, clock: Clock) -> object:
    """Return the value that a body's ``raw`` (never None) writes into a column.

    Raises:
        RefusedValueError: wrong type, too long, out of range, too many decimals, no member.
    """
    kind = column_type.kind.name
    if kind in ("date", "datetime", "timestamp"):
        return _written_moment(column_type, raw, clock)
    return _WRITERS[kind](column_type, raw)


def _written_moment(column_type: ColumnType, raw: object, clock: Clock) -> date | datetime:
    value = coerce_operand(column_type, raw, clock)
    if column_type.kind.name == "date":
        assert isinstance(value, date)
        return value
    if not isinstance(value, datetime):
        assert isinstance(value, date)
        value = stored_moment(column_type, _midnight(value, clock.zone), clock.zone)
    keep = 10 ** (6 - column_type.fraction)
    return value.replace(microsecond=value.microsecond // keep * keep)


def _midnight(day: date, zone: tzinfo) -> datetime:
    try:
        return localized(datetime(day.year, day.month, day.day), zone)
    except OverflowError as error:
        raise RefusedValueError("out_of_range", "the day is out of range") from error
    except NonexistentTimeError as error:
        raise RefusedValueError(
            "nonexistent_time", "midnight of this day does not exist in the CRM's time zone"
        ) from error


def _write_integer(column_type: ColumnType, raw: object) -> int:
    number = _read_flag(column_type, raw) if column_type.kind.name == "flag" else _read_integer(column_type, raw)
    low, high = column_type.minimum, column_type.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise RefusedValueError("out_of_range", f"a number from {low} to {high} is due")
    if column_type.kind.name == "year" and 0 < number < 1901:
        raise RefusedValueError("out_of_range", "a year from 1901 to 2155, or 0, is due")
    return number


def _write_decimal(column_type: ColumnType, raw: object) -> Decimal:
    number = _read_decimal(column_type, raw)
    scale, precision = column_type.scale or 0, column_type.precision or _MOST_DECIMAL_DIGITS
    exact = number.normalize(_EXACT)
    exponent = exact.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > scale:
        raise RefusedValueError("scale", f"at most {scale} decimals are kept")
    if exact and exact.adjusted() >= precision - scale:
        raise RefusedValueError("out_of_range", f"at most {precision - scale} digits before the point fit")
    if column_type.minimum is not None and number < column_type.minimum:
        raise RefusedValueError("out_of_range", "a number of at least 0 is due")
    return number


def _write_text(column_type: ColumnType, raw: object) -> str:
    text = _text(raw)
    length = len(text.encode()) if column_type.is_byte_counted else len(text)
    if column_type.length is not None and length > column_type.length:
        unit = "bytes" if column_type.is_byte_counted else "characters"
        raise RefusedValueError("too_long", f"at most {column_type.length} {unit} fit; this has {length}")
    return text


def _write_multiline(column_type: ColumnType, raw: object) -> str:
    """Perfex prints these columns raw too: what is a tag in them, and is none of ours, is sanitised."""
    text = _text(raw)
    return _write_text(column_type, stored_lines(nh3.clean(text) if nh3.is_html(_BREAK.sub("", text)) else text))


def stored_lines(text: str) -> str:
    r"""Return text of several lines as Perfex stores it, ``<br />`` before each newline (SEMANTICS 0.4).

    >>> stored_lines("a\nb")
    'a<br />\nb'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BREAK.sub("", lines).replace("\n", "<br />\n")


def _write_html(column_type: ColumnType, raw: object) -> str:
    """Perfex prints these columns raw, so scripts must not get in (SEMANTICS 0.4)."""
    return _write_text(column_type, nh3.clean(_text(raw)))


def _write_enum(column_type: ColumnType, raw: object) -> str:
    return _member(column_type.members, _text(raw))


def _member(members: tuple[str, ...], text: str) -> str:
    for member in members:
        if member == text:
            return member
    folded = [member for member in members if member.casefold() == text.casefold()]
    if len(folded) == 1:
        return folded[0]
    raise RefusedValueError("member", f"one of {', '.join(members)} is due")


def _write_set(column_type: ColumnType, raw: object) -> str:
    words = _words(raw)
    chosen = {_member(column_type.members, word) for word in words}
    return ",".join(member for member in column_type.members if member in chosen)


def _words(raw: object) -> list[str]:
    if isinstance(raw, str):
        return raw.split(",") if raw else []
    if isinstance(raw, list):
        return [_text(item) for item in raw]
    raise RefusedValueError("type", "a list of words is due")


def _write_php_list(column_type: ColumnType, raw: object) -> str:
    """Only this encoder writes PHP's serialised form: a client's own would be an object injection."""
    if not isinstance(raw, list):
        raise RefusedValueError("type", "a list of words is due")
    items = [_text(item) for item in raw]
    body = "".join(f'i:{index};s:{len(item.encode())}:"{item}";' for index, item in enumerate(items))
    return _write_text(column_type, f"a:{len(items)}:{{{body}}}")


def _write_binary(column_type: ColumnType, raw: object) -> bytes:
    data = _read_binary(column_type, raw)
    if column_type.length is not None and len(data) > column_type.length:
        raise RefusedValueError("too_long", f"at most {column_type.length} bytes fit; this has {len(data)}")
    return data


def _write_json(_: ColumnType, raw: object) -> str:
    """The document with the digits of its numbers: orjson refuses integers beyond 64 bits, and exact decimals."""
    match raw:
        case dict():
            return "{" + ",".join(f"{_write_json(_, name)}:{_write_json(_, item)}" for name, item in raw.items()) + "}"
        case list():
            return "[" + ",".join(_write_json(_, item) for item in raw) + "]"
        case str():
            return orjson.dumps(_text(raw)).decode()
        case Decimal():
            return str(raw)
    return json.dumps(raw)


_WRITERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "integer": _write_integer,
        "flag": _write_integer,
        "year": _write_integer,
        "bit": _write_integer,
        "decimal": _write_decimal,
        "float": _read_float,
        "string": _write_text,
        "enum": _write_enum,
        "html": _write_html,
        "multiline": _write_multiline,
        "time": _read_time,
        "binary": _write_binary,
        "set": _write_set,
        "php_list": _write_php_list,
        "json": _write_json,
    }
)
