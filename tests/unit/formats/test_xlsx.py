"""XLSX as a spreadsheet reads it: types, and no text that becomes something else."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import orjson
import pytest
from python_calamine import load_workbook

from gateway.catalog.kinds import parse_sql_type
from gateway.errors import RequestError
from gateway.formats import xlsx
from gateway.formats.layout import Batch, Layout, LayoutColumn
from gateway.formats.xlsx import XlsxWriter

ZONE = ZoneInfo("Europe/Berlin")
NUMBER = orjson.Fragment


def layout(sql: str | None, *, is_text: bool = False) -> Layout:
    return Layout((LayoutColumn("x", ("x",), None if sql is None else parse_sql_type(sql), is_text),))


def sheet(path: Path, columns: Layout, *cells: list[Any]) -> list[list[Any]]:
    """What a reader finds in the sheet of some columns of cells."""
    writer = XlsxWriter(columns, path)
    writer.rows(Batch(columns, cells=cells))
    found = load_workbook(str(writer.finish()))
    return found.get_sheet_by_index(0).to_python()


@pytest.mark.parametrize(
    ("sql", "cell", "value"),
    [
        ("int(11)", -7, -7.0),
        ("int(11)", None, ""),
        ("bigint(20)", 999_999_999_999_999, 999_999_999_999_999.0),
        ("bigint(20)", 1_000_000_000_000_000, "1000000000000000"),
        ("decimal(15,2)", NUMBER("1234.50"), 1234.5),
        ("decimal(15,2)", NUMBER("-0.05"), -0.05),
        ("decimal(15,2)", NUMBER("0.00"), 0.0),
        ("decimal(15,2)", NUMBER("9999999999999.99"), 9999999999999.99),
        ("decimal(40,5)", "12345678901.12345", "12345678901.12345"),
        ("decimal(40,5)", "1.50000", 1.5),
        ("double", 1e300, 1e300),
        ("date", date(2026, 3, 1), date(2026, 3, 1)),
        ("date", date(1899, 12, 31), "1899-12-31"),
        ("datetime", datetime(2026, 7, 1, 12, 30, 15, tzinfo=ZONE), datetime(2026, 7, 1, 12, 30, 15)),
        ("datetime", datetime(1800, 1, 1, tzinfo=ZONE), "1800-01-01 00:00:00"),
        ("time", "25:00:00", "25:00:00"),
        ("varchar(9)", "=1+1", "=1+1"),
        ("varchar(9)", "http://example.com", "http://example.com"),
        ("varchar(9)", "0012", "0012"),
        ("varchar(9)", "a\x00\x01\x0b<&>_x0041_", "a\x00\x01\x0b<&>_x0041_"),
        ("set('a','b')", ["a"], '["a"]'),
        ("json", NUMBER('{"a":1.10}'), '{"a":1.10}'),
        (None, [{"amount": NUMBER("1.10")}], '[{"amount":1.10}]'),
    ],
)
def test_a_cell_of_each_kind(tmp_path: Path, sql: str | None, cell: object, value: object) -> None:
    """Numbers are numbers as long as a sheet keeps all their digits, days and moments are dates where it has them."""
    columns = Layout((*layout("int(11)").columns, LayoutColumn("y", ("y",), layout(sql).columns[0].type)))

    assert sheet(tmp_path, columns, [1], [cell]) == [["x", "y"], [1.0, value]]


def test_a_sum_beyond_64_bits_is_text_with_all_digits(tmp_path: Path) -> None:
    """A smaller one is a number like any other."""
    summed = Layout((LayoutColumn("x", ("x",), parse_sql_type("bigint(20)"), is_sum=True),))

    assert sheet(tmp_path, summed, [NUMBER("18446744073709551616"), 7, None]) == [
        ["x"],
        ["18446744073709551616"],
        [7.0],
    ]


def test_text_is_neither_a_formula_nor_a_link(tmp_path: Path) -> None:
    """The library would make both of it on its own."""
    sheet(tmp_path, layout("text"), ["=1+1", "{=1+1}", "http://example.com", "mailto:a@example.com"])
    with ZipFile(tmp_path / "export.xlsx") as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()

    assert "<f>" not in text
    assert "hyperlink" not in text


def test_numbers_wanted_as_text_are_text(tmp_path: Path) -> None:
    """``decimals=string``."""
    assert sheet(tmp_path, layout("decimal(15,2)", is_text=True), ["1.50"]) == [["x"], ["1.50"]]


def test_an_empty_result_has_the_same_header(tmp_path: Path) -> None:
    """And nothing else."""
    columns = layout("int(11)")
    assert load_workbook(str(XlsxWriter(columns, tmp_path).finish())).get_sheet_by_index(0).to_python() == [["x"]]


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path) -> None:
    """The library would cut it; characters beyond the first plane count twice."""
    columns = layout("longtext")
    assert sheet(tmp_path, columns, ["x" * 32_767])[1][0] == "x" * 32_767
    for text in ("x" * 32_768, "🙂" * 16_384):
        writer = XlsxWriter(columns, tmp_path)
        with pytest.raises(RequestError) as caught:
            writer.rows(Batch(columns, cells=[[text]]))
        writer.abandon()

        assert caught.value.code == "export_too_large"
        assert "one of x has more" in caught.value.detail


def test_more_rows_than_a_sheet_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer names the format that holds them."""
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    columns = layout("int(11)")
    writer = XlsxWriter(columns, tmp_path)
    writer.rows(Batch(columns, cells=[[1, 2, 3]]))
    with pytest.raises(RequestError) as caught:
        writer.rows(Batch(columns, cells=[[4]]))
    writer.abandon()

    assert (caught.value.code, caught.value.status) == ("export_too_large", 400)
    assert "Ask for CSV" in caught.value.detail


def test_a_sheet_has_room_for_so_many_rows() -> None:
    """With the header they are the rows of a sheet: 2 to the power of 20."""
    assert xlsx.MOST_ROWS + 1 == 2**20


def test_what_is_on_disk_is_known_while_it_grows(tmp_path: Path) -> None:
    """The cap on it is kept by whoever writes."""
    columns = layout("text")
    writer = XlsxWriter(columns, tmp_path)
    writer.rows(Batch(columns, cells=[["x" * 1000] * 1000]))
    size = writer.size()
    writer.abandon()

    assert 900_000 < size < 1_500_000
