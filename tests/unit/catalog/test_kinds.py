"""The type table: what each SQL type is to clients, and what becomes of its values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import KINDS, DecodeContext, Dialect, ValueFormat, decoder_of, format_time, parse_sql_type

BERLIN = ZoneInfo("Europe/Berlin")


def decoded(
    sql: str, value: Any, *, dialect: Dialect = "mariadb", kind: str = "", form: ValueFormat | None = None
) -> str:
    """Return the JSON a stored value is shown as."""
    column_type = parse_sql_type(sql)
    if kind:
        column_type = type(column_type)(KINDS[kind], sql)
    decoder = decoder_of(column_type, DecodeContext(dialect, BERLIN, form or ValueFormat()))
    return orjson.dumps(value if decoder is None else decoder(value)).decode()


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("int", "integer"),
        ("int unsigned", "integer"),
        ("INT(10) UNSIGNED ZEROFILL", "integer"),
        ("INTEGER", "integer"),
        ("tinyint(1)", "flag"),
        ("tinyint(1) unsigned", "flag"),
        ("tinyint(4)", "integer"),
        ("BOOLEAN", "flag"),
        ("decimal(15,2)", "decimal"),
        ("decimal", "decimal"),
        ("numeric(4, 1)", "decimal"),
        ("double precision", "float"),
        ("double(10,2) unsigned", "float"),
        ("varchar(191)", "string"),
        ("character varying(10)", "string"),
        ("varchar(10) /*M!100301 COMPRESSED*/", "string"),
        ("text", "string"),
        ("datetime", "datetime"),
        ("datetime /* mariadb-5.3 */", "datetime"),
        ("timestamp(6)", "timestamp"),
        ("date", "date"),
        ("time(3)", "time"),
        ("year(4)", "year"),
        ("bit(8)", "bit"),
        ("blob", "binary"),
        ("point", "binary"),
        ("vector(3)", "binary"),
        ("json", "json"),
        ("enum('a','b')", "enum"),
        ("set('a','b')", "set"),
        ("uuid", "string"),
        ("", "string"),
        ("a type nobody knows(1)(2)", "string"),
    ],
)
def test_each_type_is_of_one_kind(sql: str, kind: str) -> None:
    """However it is spelt; what is unknown is text as the server prints it."""
    found = parse_sql_type(sql)

    assert (found.kind.name, found.sql) == (kind, sql)


@pytest.mark.parametrize(
    ("sql", "low", "high"),
    [
        ("tinyint(1)", -128, 127),
        ("tinyint(1) unsigned", 0, 255),
        ("tinyint", -128, 127),
        ("smallint(5) unsigned", 0, 65_535),
        ("mediumint", -8_388_608, 8_388_607),
        ("int(11)", -(2**31), 2**31 - 1),
        ("int unsigned zerofill", 0, 2**32 - 1),
        ("bigint(20) unsigned", 0, 2**64 - 1),
        ("bit(3)", 0, 7),
        ("year", 0, 2155),
        ("decimal(5,2) unsigned", 0, None),
        ("decimal(5,2)", None, None),
    ],
)
def test_whole_numbers_have_the_range_of_their_column(sql: str, low: int | None, high: int | None) -> None:
    """Signed or not."""
    found = parse_sql_type(sql)

    assert (found.minimum, found.maximum) == (low, high)


@pytest.mark.parametrize(
    ("sql", "length", "is_byte_counted"),
    [
        ("varchar(191)", 191, False),
        ("char", 1, False),
        ("char(0)", 0, False),
        ("varchar", None, False),
        ("tinytext", 255, True),
        ("text", 65_535, True),
        ("mediumtext", 2**24 - 1, True),
        ("longtext", 2**32 - 1, True),
        ("binary(16)", 16, False),
        ("binary", 1, False),
        ("mediumblob", 2**24 - 1, False),
        ("inet6", 39, False),
        ("date", None, False),
    ],
)
def test_text_and_bytes_have_the_length_of_their_column(sql: str, length: int | None, is_byte_counted: bool) -> None:
    """VARCHAR counts characters, the TEXT types bytes."""
    found = parse_sql_type(sql)

    assert (found.length, found.is_byte_counted) == (length, is_byte_counted)


@pytest.mark.parametrize(
    ("sql", "is_wide"),
    [("decimal(15,2)", False), ("decimal(16,2)", True), ("bigint", True), ("int", False), ("bit(64)", True)],
)
def test_wide_types_do_not_survive_a_double(sql: str, is_wide: bool) -> None:
    """They are shown as text where the client's numbers are doubles."""
    assert parse_sql_type(sql).is_wide is is_wide


def test_words_of_an_enum_are_read_as_the_server_escapes_them() -> None:
    """Quotes, commas, brackets, backslashes and line breaks may stand in a word."""
    found = parse_sql_type(r"enum('plain','it''s','a,b','br)ack(et','back\\slash','new\nline','\'','')")

    assert found.members == ("plain", "it's", "a,b", "br)ack(et", "back\\slash", "new\nline", "'", "")


@given(st.lists(st.text(alphabet="ab',()\\\n é", min_size=1), min_size=1, max_size=5))
def test_any_words_come_back_from_their_declaration(words: list[str]) -> None:
    """What is written with MySQL's escapes is read as it was."""

    def quoted(word: str) -> str:
        return "'" + word.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "''") + "'"

    assert parse_sql_type(f"enum({','.join(map(quoted, words))})").members == tuple(words)


@given(st.text(max_size=40))
def test_no_spelling_fails(sql: str) -> None:
    """Every text is some type."""
    assert parse_sql_type(sql).sql == sql


@pytest.mark.parametrize(
    ("sql", "value", "shown"),
    [
        ("decimal(15,2)", "1234.50", "1234.50"),
        ("decimal(15,2)", "0.00", "0.00"),
        ("decimal(15,2)", "-0.10", "-0.10"),
        ("decimal(20,2)", "123456789012345678.90", '"123456789012345678.90"'),
        ("decimal(8,2) unsigned zerofill", "000012.50", "12.50"),
        ("int", 7, "7"),
        ("bigint unsigned", 2**64 - 1, "18446744073709551615"),
        ("tinyint(1)", 1, "1"),
        ("bit(4)", b"\x05", "5"),
        ("bit(64)", b"\xff" * 8, "18446744073709551615"),
        ("double", 0.1, "0.1"),
        ("float", float("inf"), "null"),
        ("year", 2026, "2026"),
        ("date", date(2026, 2, 3), '"2026-02-03"'),
        ("date", "0000-00-00", "null"),
        ("date", "2026-02-30", "null"),
        ("datetime", datetime(2026, 7, 1, 12, 0), '"2026-07-01T12:00:00+02:00"'),
        ("datetime", datetime(2026, 1, 1, 12, 0), '"2026-01-01T12:00:00+01:00"'),
        ("datetime(3)", datetime(2026, 1, 1, 12, 0, 0, 120_000), '"2026-01-01T12:00:00.120000+01:00"'),
        ("datetime", "0000-00-00 00:00:00", "null"),
        ("datetime", "2026-00-10 00:00:00", "null"),
        ("datetime", datetime(1, 1, 1), '"0001-01-01T00:00:00+00:53"'),
        ("timestamp", datetime(2026, 7, 1, 10, 0), '"2026-07-01T12:00:00+02:00"'),
        ("timestamp", "0000-00-00 00:00:00", "null"),
        ("time", timedelta(hours=25, minutes=1, seconds=2), '"25:01:02"'),
        ("time", -timedelta(hours=1, minutes=2, seconds=3), '"-01:02:03"'),
        ("time", "838:59:59", '"838:59:59"'),
        ("time(3)", timedelta(seconds=1, milliseconds=50), '"00:00:01.05"'),
        ("blob", b"\x00\xff", '"AP8="'),
        ("blob", "text", '"dGV4dA=="'),
        ("json", '{"a":1.10}', '{"a":1.10}'),
        ("json", b"[1]", "[1]"),
        ("json", "no json", '"no json"'),
        ("set('b','a','c')", "a,b", '["b","a"]'),
        ("set('b','a')", "", "[]"),
        ("enum('x')", "x", '"x"'),
        ("varchar(10)", "é😀", '"é😀"'),
    ],
)
def test_what_a_stored_value_is_shown_as(sql: str, value: Any, shown: str) -> None:
    """By its column's type, whatever the value."""
    assert decoded(sql, value) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 10, 25, 2, 30), "2026-10-25T02:30:00+02:00"),
        (datetime(2026, 3, 29, 2, 30), "2026-03-29T02:30:00+01:00"),
    ],
)
def test_wall_clock_at_the_change_of_summer_time(moment: datetime, shown: str) -> None:
    """An hour that comes twice is shown with its first offset, one that never was with the offset before it."""
    assert decoded("datetime", moment) == f'"{shown}"'


@pytest.mark.parametrize(
    ("sql", "value", "shown"),
    [
        ("decimal(15,2)", 0.1 + 0.2, "0.30"),
        ("decimal(15,2)", 2.675, "2.68"),
        ("decimal(15,2)", -0.125, "-0.13"),
        ("decimal(15,2)", 7, "7.00"),
        ("decimal(30,10)", 1e19, '"10000000000000000000.0000000000"'),
        ("datetime", "2026-07-01 12:00:00", '"2026-07-01T12:00:00+02:00"'),
        ("timestamp", "2026-07-01 10:00:00", '"2026-07-01T12:00:00+02:00"'),
        ("date", "2026-07-01", '"2026-07-01"'),
    ],
)
def test_what_sqlite_stores_is_shown_alike(sql: str, value: Any, shown: str) -> None:
    """Money is rounded to the column's scale, halves away from zero; moments are kept as text."""
    assert decoded(sql, value, dialect="sqlite") == shown


def test_numbers_can_all_be_text() -> None:
    """For clients whose numbers are doubles."""
    form = ValueFormat(are_decimals_text=True, are_bigints_text=True)

    assert decoded("decimal(15,2)", "1.50", form=form) == '"1.50"'
    assert decoded("bigint", 5, form=form) == '"5"'
    assert decoded("bit(64)", b"\x01", form=form) == '"1"'
    assert decoded("int", 5, form=form) == "5"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("a:0:{}", "[]"),
        ('a:2:{i:0;s:1:"1";i:1;s:2:"12";}', '["1","12"]'),
        ("a:2:{i:0;i:5;i:1;i:-6;}", '["5","-6"]'),
        ('a:1:{i:0;s:4:"é;"";}', '["é;\\""]'),
        ('a:1:{i:0;s:5:"é;"x";}', '["é;\\"x"]'),
        ('a:1:{s:1:"k";s:1:"v";}', "[]"),
        ('a:1:{i:0;a:1:{i:0;s:1:"x";}}', "[]"),
        ('a:1:{i:0;O:8:"stdClass":0:{}}', "[]"),
        ('a:1:{i:0;s:9:"short";}', "[]"),
        ('a:1:{i:0;s:1:"1";', "[]"),
        ("plain text", "[]"),
        ("", "[]"),
    ],
)
def test_lists_of_php_are_read_and_nothing_else_of_php(stored: str, shown: str) -> None:
    """Lengths count bytes; objects, keyed and nested arrays are never interpreted."""
    assert decoded("mediumtext", stored, kind="php_list") == shown
    assert decoded("blob", stored.encode(), kind="php_list") == shown


@pytest.mark.parametrize("dialect", ["mariadb", "mysql", "sqlite"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12.500000000000000000000000000000", "12.5"),
        ("1000.000", "1000"),
        ("-0.00", "0"),
        ("0.00000000012", "0.00000000012"),
        ("12345678901234567890.123", "12345678901234567890.123"),
        (7, "7"),
        (2.5, "2.5"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
    ],
)
def test_numbers_of_any_scale_have_the_digits_that_say_something(dialect: Dialect, value: Any, shown: str) -> None:
    """Never an exponent, and no zeros that only the server's type adds; text where that is asked for."""
    assert decoded("decimal(65,30)", value, dialect=dialect, kind="number") == shown
    as_text = ValueFormat(are_decimals_text=True)
    assert decoded("decimal(65,30)", value, dialect=dialect, kind="number", form=as_text) == f'"{shown}"'


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("Hosting, Design", '["Hosting","Design"]'), ("one,two,,one", '["one","two"]'), ("", "[]"), (" , ", "[]")],
)
def test_words_are_told_apart_at_their_commas(stored: str, shown: str) -> None:
    """Whoever stored them with a blank or without one."""
    assert decoded("mediumtext", stored, kind="words") == shown


def test_line_breaks_of_html_are_taken_from_plain_text() -> None:
    """Perfex puts one before each newline (SEMANTICS 0.4); one inside a line is the writer's own."""
    assert decoded("text", "a<br />\r\nb<br>\nc<br />d", kind="multiline") == '"a\\r\\nb\\nc<br />d"'


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "00:00:00"),
        (timedelta(days=34, hours=22, minutes=59, seconds=59), "838:59:59"),
        (timedelta(microseconds=1), "00:00:00.000001"),
        (-timedelta(seconds=0.5), "-00:00:00.5"),
    ],
)
def test_spans_are_printed_as_the_server_does(span: timedelta, text: str) -> None:
    """Beyond a day, below zero, with the decimals that are not zero."""
    assert format_time(span) == text


def test_utc_needs_no_conversion() -> None:
    """A CRM that lives in UTC shows its clock as it is."""
    decoder = decoder_of(parse_sql_type("timestamp"), DecodeContext("mysql", UTC))

    assert decoder is not None
    assert decoder(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
