"""The type table: SQL type -> kind -> JSON, OpenAPI, GraphQL, OData, decoder.

What comes in: a column's SQL type as the database spells it. What goes out: a
`ColumnType`, whose `Kind` every front end reads its own spelling from, and the
function that turns a driver's value into what the encoder can write.

Values are decided per field, never per value (SPEC section 3): the same column
always has the same JSON type. Reading values *in* is the work of `query.coerce`.
"""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal

import orjson

Decoder = Callable[[Any], Any]
Dialect = Literal["mariadb", "mysql", "sqlite"]

JSON_SAFE_DECIMAL_DIGITS: Final = 15
"""A DECIMAL up to this precision survives a double, so it is a JSON number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the type table: what clients see of a family of SQL types.

    ``family`` groups kinds that behave alike for operators: ``number``, ``text``,
    ``moment`` (dates and times of day), ``binary``, ``list``, ``document``.
    """

    name: str
    family: Literal["number", "text", "moment", "binary", "list", "document"]
    json: str
    openapi_type: str
    openapi_format: str | None
    graphql: str
    odata: str
    summary: str


_KINDS: Final = (
    Kind("integer", "number", "number", "integer", "int64", "Int", "Edm.Int64", "whole number"),
    Kind("flag", "number", "number", "integer", "int32", "Int", "Edm.Int16", "0 or 1; true and false are accepted"),
    Kind("year", "number", "number", "integer", "int32", "Int", "Edm.Int16", "year, 1901-2155 or 0"),
    Kind("bit", "number", "number", "integer", "int64", "BigInt", "Edm.Decimal", "bit field as an unsigned number"),
    Kind("decimal", "number", "number", "number", "decimal", "Decimal", "Edm.Decimal", "exact number"),
    Kind("number", "number", "number", "number", "decimal", "Decimal", "Edm.Decimal", "exact number of any scale"),
    Kind("float", "number", "number", "number", "double", "Float", "Edm.Double", "approximate number"),
    Kind("string", "text", "string", "string", None, "String", "Edm.String", "text"),
    Kind("enum", "text", "string", "string", None, "String", "Edm.String", "one of a list of words"),
    Kind("html", "text", "string", "string", "html", "String", "Edm.String", "sanitised HTML"),
    Kind("multiline", "text", "string", "string", None, "String", "Edm.String", "text of several lines"),
    Kind("date", "moment", "string", "string", "date", "Date", "Edm.Date", "day, YYYY-MM-DD"),
    Kind(
        "datetime", "moment", "string", "string", "date-time", "DateTime", "Edm.DateTimeOffset", "the CRM's wall clock"
    ),
    Kind("timestamp", "moment", "string", "string", "date-time", "DateTime", "Edm.DateTimeOffset", "an instant"),
    Kind("time", "moment", "string", "string", "duration", "Time", "Edm.Duration", "time span, [-]HHH:MM:SS"),
    Kind("binary", "binary", "string", "string", "byte", "Base64", "Edm.Binary", "bytes as base64"),
    Kind("set", "list", "array", "array", None, "[String!]", "Collection(Edm.String)", "some of a list of words"),
    Kind("php_list", "list", "array", "array", None, "[String!]", "Collection(Edm.String)", "list of words"),
    Kind("words", "list", "array", "array", None, "[String!]", "Collection(Edm.String)", "chosen words"),
    Kind("json", "document", "any", "object", None, "JSON", "Edm.String", "JSON document"),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _KINDS})


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of one column: its kind and the limits its values must keep.

    ``length`` counts characters (text), bytes (binary) or bits (bit).
    ``minimum`` and ``maximum`` bound whole numbers; ``members`` are the words of
    ENUM and SET in definition order. ``fraction`` is the number of decimals of a
    second that a time keeps. ``is_byte_counted`` says that ``length`` counts
    bytes of UTF-8 although the kind is text (TEXT types).
    """

    kind: Kind
    sql: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fraction: int = 0
    minimum: int | None = None
    maximum: int | None = None
    members: tuple[str, ...] = ()
    is_byte_counted: bool = False

    @property
    def is_single(self) -> bool:
        """Whether the column is a FLOAT, which keeps half the digits of a DOUBLE."""
        return self.kind.name == "float" and self.sql.lower().startswith("float")

    @property
    def is_wide(self) -> bool:
        """Whether a value may exceed what a double holds exactly."""
        if self.kind.name == "decimal":
            return (self.precision or 0) > JSON_SAFE_DECIMAL_DIGITS
        return self.kind.name in ("integer", "bit") and (self.maximum or 0) > 2**53


_INTEGER_BITS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}
_FLOATS: Final = frozenset({"float", "double", "real", "double precision"})
_TEXTS: Final = frozenset({"char", "varchar", "nchar", "nvarchar", "character", "character varying"})
_TEXT_BYTES: Final = {"tinytext": 2**8 - 1, "text": 2**16 - 1, "mediumtext": 2**24 - 1, "longtext": 2**32 - 1}
_BLOB_BYTES: Final = {"tinyblob": 2**8 - 1, "blob": 2**16 - 1, "mediumblob": 2**24 - 1, "longblob": 2**32 - 1}
_SHAPES: Final = frozenset({"point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"})
_GEOMETRIES: Final = _SHAPES | {"geometry", "geometrycollection", "geomcollection"}
_FIXED_TEXT: Final = {"uuid": 36, "inet4": 15, "inet6": 39}
# What follows the brackets is "unsigned zerofill", or a comment of MariaDB's such as "/* mariadb-5.3 */".
_TYPE: Final = re.compile(
    r"\s*(?P<name>[a-z]\w*(?: (?:precision|varying)\b)?)\s*(?:\((?P<args>.*)\))?(?P<rest>[^()]*)", re.I | re.S
)
_SINGLE: Final = struct.Struct("f")
_LARGEST_SINGLE: Final = 3.4028234663852886e38
_WORD: Final = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.S)
_ESCAPE: Final = re.compile(r"''|\\(.)", re.S)
_ESCAPED: Final[Mapping[str, str]] = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b"}


def parse_sql_type(sql: str) -> ColumnType:
    """Return the type of a column declared as ``sql`` (``int(10) unsigned``, ``enum('a','b')``).

    An unknown type name is text without a limit: what the server prints for it is
    what a client gets, and the server judges what is written.

    >>> parse_sql_type("decimal(15,2)").scale
    2
    >>> parse_sql_type("tinyint(1)").kind.name
    'flag'
    >>> parse_sql_type("bigint(20) unsigned").maximum == 2**64 - 1
    True
    """
    match = _TYPE.fullmatch(sql)
    if match is None:
        return ColumnType(KINDS["string"], sql)
    name, args = match["name"].lower(), (match["args"] or "").strip()
    is_unsigned = "unsigned" in match["rest"].lower()
    if name in _INTEGER_BITS:
        return _integer_type(sql, name, args, is_unsigned)
    if name in ("decimal", "numeric", "dec", "fixed"):
        return _decimal_type(sql, args, is_unsigned)
    return _other_type(sql, name, args)


def _integer_type(sql: str, name: str, args: str, is_unsigned: bool) -> ColumnType:
    kind = KINDS["flag" if name == "tinyint" and args == "1" else "integer"]
    bits = _INTEGER_BITS[name]
    low, high = (0, 2**bits - 1) if is_unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return ColumnType(kind, sql, minimum=low, maximum=high)


def _decimal_type(sql: str, args: str, is_unsigned: bool) -> ColumnType:
    numbers = [int(part) for part in args.split(",") if part.strip().isdigit()]
    precision = numbers[0] if numbers else 10
    scale = numbers[1] if len(numbers) > 1 else 0
    return ColumnType(KINDS["decimal"], sql, precision=precision, scale=scale, minimum=0 if is_unsigned else None)


def _other_type(sql: str, name: str, args: str) -> ColumnType:
    number = int(args) if args.isdigit() else None
    sized = _sized_type(sql, name, number)
    if sized is not None:
        return sized
    if name in _FLOATS:
        return ColumnType(KINDS["float"], sql)
    if name in ("enum", "set"):
        return ColumnType(KINDS[name], sql, members=_members(args))
    if name in ("date", "datetime", "timestamp", "time"):
        return ColumnType(KINDS[name], sql, fraction=number or 0)
    if name in ("bool", "boolean"):  # SQLite keeps the word, MySQL and MariaDB say tinyint(1)
        return ColumnType(KINDS["flag"], sql, minimum=-128, maximum=127)
    if name == "year":
        return ColumnType(KINDS["year"], sql, minimum=0, maximum=2155)
    if name == "json":
        return ColumnType(KINDS["json"], sql)
    return ColumnType(KINDS["string"], sql)


def _sized_type(sql: str, name: str, number: int | None) -> ColumnType | None:
    """Text, bytes and bits: the types that have a length."""
    if name in _TEXTS:
        return ColumnType(KINDS["string"], sql, length=1 if number is None and name == "char" else number)
    if name in _TEXT_BYTES:
        return ColumnType(KINDS["string"], sql, length=_TEXT_BYTES[name], is_byte_counted=True)
    if name in _FIXED_TEXT:
        return ColumnType(KINDS["string"], sql, length=_FIXED_TEXT[name])
    if name in ("binary", "varbinary"):
        return ColumnType(KINDS["binary"], sql, length=1 if number is None and name == "binary" else number)
    if name in _BLOB_BYTES:
        return ColumnType(KINDS["binary"], sql, length=_BLOB_BYTES[name])
    if name in _GEOMETRIES or name == "vector":
        return ColumnType(KINDS["binary"], sql)
    if name == "bit":
        return ColumnType(KINDS["bit"], sql, length=number or 1, minimum=0, maximum=2 ** (number or 1) - 1)
    return None


def _members(args: str) -> tuple[str, ...]:
    return tuple(_ESCAPE.sub(_unescape, word) for word in _WORD.findall(args))


def _unescape(match: re.Match[str]) -> str:
    return "'" if match[1] is None else _ESCAPED.get(match[1], match[1])


@dataclass(frozen=True, slots=True)
class ValueFormat:
    """How values are written in one reply (``decimals=string``, ``bigints=string``)."""

    are_decimals_text: bool = False
    are_bigints_text: bool = False


PLAIN_FORMAT: Final = ValueFormat()
"""Values as their kinds have them."""


@dataclass(frozen=True, slots=True)
class DecodeContext:
    """What a decoder must know beside the column: where values come from and go to."""

    dialect: Dialect
    zone: tzinfo
    format: ValueFormat = PLAIN_FORMAT


def decoder_of(column_type: ColumnType, context: DecodeContext) -> Decoder | None:
    """Return the function from a driver's value to an encodable one; None leaves values as they are.

    Drivers hand DECIMAL over as text (MySQL) or a number (SQLite), DATETIME and
    DATE as `datetime` objects or text, TIME as `timedelta` or text, BIT and
    binary as bytes. A decoder is never given None: NULL is null in every kind.
    """
    name = column_type.kind.name
    if name in ("decimal", "number"):
        return _decimal_decoder(column_type, context) if name == "decimal" else _number_decoder(context)
    if name in ("integer", "bit", "flag", "year"):
        return _integer_decoder(column_type, context)
    if name == "datetime":
        return _datetime_decoder(context.zone, source=context.zone)
    if name == "timestamp":
        return _datetime_decoder(context.zone, source=UTC)
    if name == "set":
        return _set_decoder(column_type.members)
    if column_type.is_single and context.dialect != "sqlite":
        return _decode_single
    if name == "php_list":
        return lru_cache(maxsize=512)(_decode_php_list)  # few lists, over and over: the payment modes of invoices
    return _PLAIN_DECODERS.get(name)


def _decimal_decoder(column_type: ColumnType, context: DecodeContext) -> Decoder:
    is_text = context.format.are_decimals_text or column_type.is_wide
    wrap: Decoder = str if is_text else orjson.Fragment
    if context.dialect == "sqlite":
        return _rounding_decoder(column_type.scale or 0, wrap)
    if "zerofill" in column_type.sql.lower():  # "0012.50" is no JSON number
        return lambda value: wrap(format(Decimal(value), "f"))
    return wrap


def _rounding_decoder(scale: int, wrap: Decoder) -> Decoder:
    """SQLite stores a DECIMAL as a double: it is rounded to the column's scale, halves away from zero as MySQL does."""
    exponent = Decimal(1).scaleb(-scale)
    context = Context(prec=80, rounding=ROUND_HALF_UP)
    return lambda value: wrap(format(context.plus(Decimal(str(value)).quantize(exponent, context=context)), "f"))


def _number_decoder(context: DecodeContext) -> Decoder:
    """The digits of a number without the zeros that a scale adds: such a field has none of its own."""
    wrap: Decoder = str if context.format.are_decimals_text else orjson.Fragment
    return lambda value: wrap(plain_digits(Decimal(str(value))))


def plain_digits(number: Decimal) -> str:
    """Return a number without exponent and without zeros at the end of its decimals.

    >>> plain_digits(Decimal("12.500")), plain_digits(Decimal("1E+3")), plain_digits(Decimal("-0.00"))
    ('12.5', '1000', '0')
    """
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if number else "0"


def _integer_decoder(column_type: ColumnType, context: DecodeContext) -> Decoder | None:
    is_text = context.format.are_bigints_text and column_type.is_wide
    if column_type.kind.name == "bit":
        return (lambda value: str(_bit_number(value))) if is_text else _bit_number
    return str if is_text else None


def _bit_number(value: bytes | int) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)


def _datetime_decoder(zone: tzinfo, source: tzinfo) -> Decoder:
    """A naive moment of ``source`` becomes an aware one of ``zone``; a zero date becomes null."""

    def decode_wall(value: datetime | str) -> datetime | None:
        moment = parse_datetime_text(value) if isinstance(value, str) else value
        # A sixth of the time that `replace(tzinfo=...)` takes, for the same result.
        return moment and datetime.combine(moment, moment.time(), zone)

    def decode_instant(value: datetime | str) -> datetime | None:
        moment = parse_datetime_text(value) if isinstance(value, str) else value
        return moment and moment.replace(tzinfo=source).astimezone(zone)

    return decode_wall if source is zone else decode_instant


def parse_datetime_text(value: str) -> datetime | None:
    """Return the moment a database printed, or None for a zero or impossible one."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _decode_date(value: date | str) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _decode_single(value: float) -> float:
    """A FLOAT arrives as the double next to it; the shortest number that is stored the same is what was meant.

    >>> _decode_single(0.10000000149011612)
    0.1
    """
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        if abs(shorter) <= _LARGEST_SINGLE and _SINGLE.unpack(_SINGLE.pack(shorter))[0] == value:
            return shorter
    return value


def _decode_time(value: timedelta | str) -> str:
    return format_time(value) if isinstance(value, timedelta) else value


def format_time(value: timedelta) -> str:
    """Return a time span as MySQL prints it, beyond a day and below zero.

    >>> format_time(timedelta(hours=25, minutes=1, seconds=2))
    '25:01:02'
    >>> format_time(-timedelta(hours=1, minutes=2, seconds=3))
    '-01:02:03'
    """
    sign = "-" if value < timedelta(0) else ""
    span = abs(value)
    seconds = span.days * 86_400 + span.seconds
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{span.microseconds:06d}".rstrip("0") if span.microseconds else text


def _decode_binary(value: bytes | str) -> str:
    return b64encode(value if isinstance(value, bytes) else value.encode()).decode("ascii")


def _decode_json(value: str | bytes) -> Any:
    """A JSON document with its digits as stored; text that is no JSON (MariaDB's is LONGTEXT) as a string."""
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    return orjson.Fragment(value)


def _set_decoder(members: tuple[str, ...]) -> Decoder:
    def decode(value: str) -> list[str]:
        chosen = frozenset(value.split(",")) if value else frozenset()
        return [member for member in members if member in chosen]

    return decode


_PHP_LIST: Final = re.compile(rb"a:\d+:\{")
_PHP_ITEM: Final = re.compile(rb'i:\d+;(?:i:(-?\d+);|s:(\d+):")')
_BREAK: Final = re.compile(r"<br ?/?>(?=\r?\n)", re.IGNORECASE)


def _decode_php_list(value: str | bytes) -> tuple[str, ...]:
    """The words and whole numbers of a PHP-serialised list, in order, as text; anything else is an empty list.

    The column holds ids and slugs (SEMANTICS 0.5), so nothing else of PHP's
    serialised form, objects least of all, is ever interpreted.
    """
    data = value if isinstance(value, bytes) else value.encode()
    opening = _PHP_LIST.match(data)
    if opening is None:
        return ()
    items: list[str] = []
    position = opening.end()
    while data[position : position + 2] != b"}":  # the closing brace ends the text too
        match = _PHP_ITEM.match(data, position)
        if match is None:
            return ()
        item, position = _php_item(data, match)
        items.append(item)
    return tuple(items)


def _php_item(data: bytes, match: re.Match[bytes]) -> tuple[str, int]:
    """The item a match opens, and where the next one starts; a wrong length makes that a place nothing matches."""
    if match[1] is not None:
        return match[1].decode("ascii"), match.end()
    end = match.end() + int(match[2])
    after = end + 2 if data[end : end + 2] == b'";' else len(data)
    return data[match.end() : end].decode("utf-8", "replace"), after


def split_words(text: str) -> list[str]:
    """Return the words that a text of several holds, each once, blanks around them taken off.

    >>> split_words("Hosting, Design,")
    ['Hosting', 'Design']
    """
    return list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))


def _decode_multiline(value: str) -> str:
    return _BREAK.sub("", value) if "<" in value else value


_PLAIN_DECODERS: Final[Mapping[str, Decoder]] = MappingProxyType(
    {
        "date": _decode_date,
        "time": _decode_time,
        "binary": _decode_binary,
        "json": _decode_json,
        "multiline": _decode_multiline,
        "words": split_words,
    }
)
