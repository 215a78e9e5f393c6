"""Values of bodies -> what a column stores, or a refusal that says what is due.

What comes in: a JSON value, or text from a form. What goes out: what the driver
binds, within the column's limits. Text that PHP would run is sanitised here, and
only our own encoder writes PHP's serialised form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import nh3
import orjson

from gateway.catalog.kinds import ColumnType, plain_digits, split_words
from gateway.query.coerce import (
    BREAK,
    EXACT,
    MOST_DECIMAL_DIGITS,
    Clock,
    Reader,
    RefusedValueError,
    coerce_operand,
    joined_words,
    read_binary,
    read_decimal,
    read_flag,
    read_float,
    read_integer,
    read_text,
    read_time,
    stored_lines,
    stored_moment,
    text_of,
)
from gateway.query.moments import NonexistentTimeError, localized

_TAG_ENDS: Final = (">", '">', "'>")
"""What ends a tag that was begun, outside of a quoted value or inside one."""


def coerce_written(column_type: ColumnType, raw: object, clock: Clock) -> object:
    """Return the value that a body's ``raw`` (never None) writes into a column.

    Raises:
        RefusedValueError: wrong type, too long, out of range, too many decimals, no member.
    """
    kind = column_type.kind.name
    if kind in ("date", "datetime", "timestamp"):
        return _written_moment(column_type, raw, clock)
    return _WRITERS[kind](column_type, raw)


def form_value(column_type: ColumnType, text: str) -> object:
    """Return what a form's text means for a list (comma-separated) or a JSON document; else the text itself.

    Raises:
        RefusedValueError: the text is no JSON.
    """
    kind = column_type.kind.name
    if kind in ("php_list", "words"):
        return text.split(",") if text else []
    if kind != "json":
        return text
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RefusedValueError("type", "a JSON value is due") from error


def coerce_custom(column_type: ColumnType, raw: object, clock: Clock) -> str:
    """Return the text that a body's ``raw`` writes as the value of a custom field, empty for no value.

    Raises:
        RefusedValueError: as `coerce_written`.
    Source: SEMANTICS 0.9.
    """
    if raw is None or raw in ("", []):
        return ""
    value = coerce_written(column_type, raw, clock)
    if isinstance(value, date) and value.year < _FIRST_YEAR:
        raise RefusedValueError("out_of_range", f"a day from the year {_FIRST_YEAR} on is due")
    match value:
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case Decimal():
            return plain_digits(value)
    text = str(value)
    is_free = column_type.kind.name in ("string", "words") and not column_type.members
    return _write_text(column_type, harmless(text) if is_free else text)


_FIRST_YEAR: Final = 1000


def harmless(text: str) -> str:
    """Return text that Perfex can print raw: what is a tag is sanitised, one that is only begun is text.

    >>> harmless("a < b"), harmless("<b onclick=x()>a</b>"), harmless("<b")
    ('a < b', '<b>a</b>', '&lt;b')
    """
    if nh3.is_html(text):
        return nh3.clean(text)
    return text.replace("<", "&lt;") if any(nh3.is_html(text + end) for end in _TAG_ENDS) else text


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
    number = read_flag(column_type, raw) if column_type.kind.name == "flag" else read_integer(column_type, raw)
    low, high = column_type.minimum, column_type.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise RefusedValueError("out_of_range", f"a number from {low} to {high} is due")
    if column_type.kind.name == "year" and 0 < number < 1901:
        raise RefusedValueError("out_of_range", "a year from 1901 to 2155, or 0, is due")
    return number


def _write_decimal(column_type: ColumnType, raw: object) -> Decimal:
    number = read_decimal(column_type, raw)
    scale, precision = column_type.scale or 0, column_type.precision or MOST_DECIMAL_DIGITS
    exact = number.normalize(EXACT)
    exponent = exact.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > scale:
        raise RefusedValueError("scale", f"at most {scale} decimals are kept")
    if exact and exact.adjusted() >= precision - scale:
        raise RefusedValueError("out_of_range", f"at most {precision - scale} digits before the point fit")
    if column_type.minimum is not None and number < column_type.minimum:
        raise RefusedValueError("out_of_range", "a number of at least 0 is due")
    return number


def _write_number(column_type: ColumnType, raw: object) -> Decimal:
    """A number with any number of decimals, as far as the servers can read them back from text."""
    number = read_decimal(column_type, raw)
    whole, _, decimals = plain_digits(number).lstrip("-").partition(".")
    if len(decimals) > _MOST_DECIMALS:
        raise RefusedValueError("scale", f"at most {_MOST_DECIMALS} decimals are kept")
    if len(whole) > MOST_DECIMAL_DIGITS - _MOST_DECIMALS:
        raise RefusedValueError(
            "out_of_range", f"at most {MOST_DECIMAL_DIGITS - _MOST_DECIMALS} digits before the point fit"
        )
    return number


_MOST_DECIMALS: Final = 30


def _write_text(column_type: ColumnType, raw: object) -> str:
    text = read_text(column_type, raw)
    length = len(text.encode()) if column_type.is_byte_counted else len(text)
    if column_type.length is not None and length > column_type.length:
        unit = "bytes" if column_type.is_byte_counted else "characters"
        raise RefusedValueError("too_long", f"at most {column_type.length} {unit} fit; this has {length}")
    return text


def _write_multiline(column_type: ColumnType, raw: object) -> str:
    """Perfex prints these columns raw too: what is a tag in them, and is none of ours, is sanitised."""
    text = text_of(raw)
    lines = BREAK.sub("", text)
    if nh3.is_html(lines):
        lines = nh3.clean(text)
    elif any(nh3.is_html(lines + end) for end in _TAG_ENDS):  # our breaks, or what the page prints next, would end it
        lines = lines.replace("<", "&lt;")
    return _write_text(column_type, stored_lines(lines))


def _write_html(column_type: ColumnType, raw: object) -> str:
    """Perfex prints these columns raw, so scripts must not get in (SEMANTICS 0.4)."""
    return _write_text(column_type, nh3.clean(text_of(raw)))


def _write_enum(column_type: ColumnType, raw: object) -> str:
    return _member(column_type.members, text_of(raw))


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
        return [text_of(item) for item in raw]
    raise RefusedValueError("type", "a list of words is due")


def _write_words(column_type: ColumnType, raw: object) -> str:
    """The chosen words in the order they are offered in, as the CRM's own form has them."""
    words = split_words(raw) if isinstance(raw, str) else _words(raw)
    if not column_type.members:
        return joined_words(words)
    chosen = {_member(column_type.members, word) for word in words}
    return joined_words(member for member in column_type.members if member in chosen)


def _write_php_list(column_type: ColumnType, raw: object) -> str:
    """Only this encoder writes PHP's serialised form: a client's own would be an object injection."""
    if not isinstance(raw, list):
        raise RefusedValueError("type", "a list of words is due")
    items = [text_of(item) for item in raw]
    body = "".join(f'i:{index};s:{len(item.encode())}:"{item}";' for index, item in enumerate(items))
    return _write_text(column_type, f"a:{len(items)}:{{{body}}}")


def _write_binary(column_type: ColumnType, raw: object) -> bytes:
    data = read_binary(column_type, raw)
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
            return orjson.dumps(text_of(raw)).decode()
        case Decimal():
            return str(raw)
    return json.dumps(raw)


_WRITERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "integer": _write_integer,
        "flag": _write_integer,
        "year": _write_integer,
        "bit": _write_integer,
        "decimal": _write_decimal,
        "number": _write_number,
        "float": read_float,
        "string": _write_text,
        "enum": _write_enum,
        "html": _write_html,
        "multiline": _write_multiline,
        "time": read_time,
        "binary": _write_binary,
        "set": _write_set,
        "php_list": _write_php_list,
        "words": _write_words,
        "json": _write_json,
    }
)
