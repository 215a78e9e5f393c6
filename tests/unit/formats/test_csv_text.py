"""CSV: what RFC 4180 asks for, and what a reader gets back."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import parse_sql_type
from gateway.formats.csv_text import FORMULA_STARTS, CsvWriter
from gateway.formats.layout import Batch, Layout, LayoutColumn

ZONE = ZoneInfo("Europe/Berlin")
NUMBER = orjson.Fragment


def layout(**types: str | None) -> Layout:
    """A layout whose columns have these SQL types; None is a column of rows."""
    return Layout(
        tuple(LayoutColumn(name, (name,), None if sql is None else parse_sql_type(sql)) for name, sql in types.items())
    )


def written(columns: Layout, *cells: list[Any], is_spreadsheet: bool = False) -> bytes:
    """The whole document of some columns of cells."""
    writer = CsvWriter(columns, is_spreadsheet=is_spreadsheet)
    rows = writer.rows(Batch(columns, cells=cells)) if cells else b""
    return writer.head() + rows + writer.tail()


def read(document: bytes) -> list[list[str]]:
    """What Python's own reader makes of a document."""
    return list(csv.reader(io.StringIO(document.decode(), newline=""), strict=True))


def test_a_document_has_a_header_and_a_line_per_row() -> None:
    """Lines end with CRLF, the last one too; null is empty, an empty text is quotes."""
    document = written(layout(id="int(11)", name="varchar(9)"), [1, 2, 3], ["a", None, ""])

    assert document == b'id,name\r\n1,"a"\r\n2,\r\n3,""\r\n'


def test_an_empty_result_has_the_same_header() -> None:
    """Who reads columns by name finds them."""
    assert written(layout(id="int(11)", name="varchar(9)"), [], []) == b"id,name\r\n"


def test_a_name_is_quoted_where_it_must_be() -> None:
    """Custom fields may be called anything."""
    assert written(layout(**{'a "b", c': "int(11)", "d": "int(11)"})).startswith(b'"a ""b"", c",d\r\n')


@pytest.mark.parametrize(
    ("sql", "cell", "text"),
    [
        ("int(11)", -7, "-7"),
        ("bigint(20) unsigned", 2**64 - 1, "18446744073709551615"),
        ("decimal(15,2)", NUMBER("1234.50"), "1234.50"),
        ("decimal(40,5)", "12345678901234567890.12345", '"12345678901234567890.12345"'),
        ("double", 0.1, "0.1"),
        ("date", date(2026, 3, 1), '"2026-03-01"'),
        ("datetime", datetime(2026, 7, 1, 12, 30, tzinfo=ZONE), '"2026-07-01T12:30:00+02:00"'),
        ("datetime", datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=ZONE), '"2026-01-01T00:00:00.500000+01:00"'),
        ("time", "-01:02:03", '"-01:02:03"'),
        ("varchar(9)", 'a "b"', '"a ""b"""'),
        ("varchar(9)", "a,b;c", '"a,b;c"'),
        ("varchar(9)", "a\r\nb\tc", '"a\r\nb\tc"'),
        ("varchar(9)", "back\\slash \\n", '"back\\slash \\n"'),
        ("varchar(9)", "],[", '"],["'),
        ("varchar(9)", "null", '"null"'),
        ("varchar(9)", "Ж 🙂 é", '"Ж 🙂 é"'),
        ("varbinary(4)", "AAEC", '"AAEC"'),
        ("set('a','b')", ["a", "b"], '"[""a"",""b""]"'),
        ("json", NUMBER('{"a":"x\\"y"}'), '"{""a"":""x\\""y""}"'),
        (None, [{"id": 1, "amount": NUMBER("1.10")}], '"[{""id"":1,""amount"":1.10}]"'),
        (None, [], '"[]"'),
    ],
)
def test_a_cell_of_each_kind(sql: str | None, cell: object, text: str) -> None:
    """Numbers keep their digits, moments have an offset (RFC 3339), text is quoted, lists and rows are JSON text."""
    assert written(layout(id="int(11)", x=sql), [1], [cell]).decode() == f"id,x\r\n1,{text}\r\n"


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_any_text_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    """Whatever quotes, commas, line ends and control characters it holds."""
    first, second = ([row[place] for row in rows] for place in (0, 1))
    document = written(layout(a="text", b="text"), first, second)

    assert [tuple(row) for row in read(document)[1:]] == rows


@given(st.lists(st.none() | st.text(), min_size=1))
def test_a_single_column_has_a_line_per_row_too(cells: list[str | None]) -> None:
    """A null alone on its line is a pair of quotes: an empty line is no row to many readers."""
    found = read(written(layout(a="text"), cells))

    assert [row[0] for row in found[1:]] == [cell or "" for cell in cells]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_formula_is_made_harmless_for_a_spreadsheet(start: str) -> None:
    """An apostrophe in front, on request only: machines get what is stored. OWASP, "CSV Injection"."""
    columns, cells = layout(id="int(11)", x="varchar(99)"), ([1], [f'{start}HYPERLINK("x")'])

    assert read(written(columns, *cells))[1][1] == f'{start}HYPERLINK("x")'
    safe = written(columns, *cells, is_spreadsheet=True)
    assert safe.startswith(b"\xef\xbb\xbfid,x\r\n")
    assert read(safe.removeprefix(b"\xef\xbb\xbf"))[1][1] == f'\'{start}HYPERLINK("x")'


@pytest.mark.parametrize(
    ("sql", "cell", "text"),
    [
        ("decimal(15,2)", NUMBER("-1.50"), "-1.50"),
        ("int(11)", -3, "-3"),
        ("varchar(9)", "a=b", '"a=b"'),
        ("varchar(9)", "", '""'),
        ("enum('=','b')", "=", '"\'="'),
        ("varbinary(4)", "+w==", '"\'+w=="'),
    ],
)
def test_only_text_can_be_a_formula(sql: str, cell: object, text: str) -> None:
    """A negative number stays one."""
    document = written(layout(id="int(11)", x=sql), [1], [cell], is_spreadsheet=True)

    assert document.decode("utf-8-sig") == f"id,x\r\n1,{text}\r\n"


def test_a_name_can_be_a_formula_too() -> None:
    """The header row is text like any other."""
    assert b"'=1+1" in written(layout(**{"=1+1": "int(11)"}), is_spreadsheet=True)
