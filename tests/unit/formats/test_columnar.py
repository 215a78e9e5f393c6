"""Arrow and Parquet: types that BI tools read without being told, and values that lose nothing."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.catalog.kinds import KINDS, ColumnType, parse_sql_type
from gateway.formats import columnar
from gateway.formats.columnar import ArrowWriter, ParquetWriter
from gateway.formats.layout import Batch, Layout, LayoutColumn

ZONE = ZoneInfo("Europe/Berlin")
NUMBER = orjson.Fragment


def layout(sql: str | None, *, is_text: bool = False, is_sum: bool = False) -> Layout:
    column_type = None if sql is None else parse_sql_type(sql)
    return Layout((LayoutColumn("x", ("x",), column_type, is_text, is_sum),), ZONE)


def streamed(columns: Layout, *batches: list[Any]) -> bytes:
    writer = ArrowWriter(columns)
    document = writer.head() + b"".join(writer.rows(Batch(columns, cells=[cells])) for cells in batches)
    return document + writer.tail()


def column(columns: Layout, *batches: list[Any]) -> tuple[str, list[Any]]:
    """The type and the values that a reader finds."""
    table = pa.ipc.open_stream(streamed(columns, *batches)).read_all()
    return str(table.schema.field("x").type), table["x"].to_pylist()


@pytest.mark.parametrize(
    ("sql", "cell", "found"),
    [
        ("int(11)", -7, ("int64", -7)),
        ("tinyint(1)", 1, ("int64", 1)),
        ("bigint(20) unsigned", 2**64 - 1, ("uint64", 2**64 - 1)),
        ("decimal(15,2)", NUMBER("1234.50"), ("decimal128(15, 2)", Decimal("1234.50"))),
        (
            "decimal(38,10)",
            "-1234567890.0123456789",
            ("decimal128(38, 10)", Decimal("-1234567890.0123456789")),
        ),
        ("decimal(60,5)", "1.50000", ("decimal256(60, 5)", Decimal("1.50000"))),
        ("double", 0.1, ("double", 0.1)),
        ("date", date(1000, 1, 1), ("date32[day]", date(1000, 1, 1))),
        ("time", "25:00:00", ("string", "25:00:00")),
        ("varchar(9)", "Ж 🙂", ("string", "Ж 🙂")),
        ("varbinary(9)", "AAEC", ("binary", b"\x00\x01\x02")),
        ("set('a','b')", ["a"], ("list<item: string>", ["a"])),
        ("json", NUMBER('{"a":1.10}'), ("string", '{"a":1.10}')),
        (None, [{"amount": NUMBER("1.10")}], ("string", '[{"amount":1.10}]')),
    ],
)
def test_a_value_of_each_kind(sql: str | None, cell: object, found: tuple[str, object]) -> None:
    """And null is null in each of them."""
    assert column(layout(sql), [cell, None]) == (found[0], [found[1], None])


@pytest.mark.parametrize("sql", ["datetime", "timestamp"])
def test_a_moment_is_an_instant_in_the_crm_s_zone(sql: str) -> None:
    """Also the second time that an hour happens, when clocks are set back."""
    noon = datetime(2026, 7, 1, 12, tzinfo=ZONE)
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=ZONE, fold=1)
    kind, values = column(layout(sql), [noon, twice])

    assert kind == "timestamp[us, tz=Europe/Berlin]"
    assert [value.astimezone(UTC) for value in values] == [
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]


def test_a_custom_field_s_number_is_text_and_its_words_are_a_list() -> None:
    """No decimal type has the digits of every number that somebody may type into it."""
    columns = Layout(
        (
            LayoutColumn("custom.budget", ("custom.budget",), ColumnType(KINDS["number"], "text")),
            LayoutColumn("custom.channels", ("custom.channels",), ColumnType(KINDS["words"], "text")),
        )
    )
    writer = ArrowWriter(columns)
    cells: list[list[Any]] = [
        [NUMBER("1.5"), NUMBER("12345678901234567890.123"), None],
        [["Phone", "E-mail"], [], None],
    ]
    document = writer.head() + writer.rows(Batch(columns, cells=cells)) + writer.tail()

    assert pa.ipc.open_stream(document).read_all().to_pydict() == {
        "custom.budget": ["1.5", "12345678901234567890.123", None],
        "custom.channels": [["Phone", "E-mail"], [], None],
    }


def test_numbers_wanted_as_text_are_text() -> None:
    """``decimals=string``."""
    assert column(layout("decimal(15,2)", is_text=True), ["1.50", None]) == ("string", ["1.50", None])


def test_a_sum_has_room_for_more_digits_than_its_column() -> None:
    """A sum of DECIMAL(15,2) is exact beyond fifteen digits."""
    cells = [NUMBER("12345678901234567890.12")]

    assert column(layout("decimal(15,2)", is_sum=True), cells) == (
        "decimal128(38, 2)",
        [Decimal("12345678901234567890.12")],
    )


@pytest.mark.parametrize(
    ("sql", "cells", "kind"),
    [
        ("bigint(20) unsigned", [NUMBER("18446744073709551616"), 7, None], "decimal128(38, 0)"),
        ("bigint(20)", [-7, NUMBER("-9223372036854775809")], "decimal128(38, 0)"),
        ("int(11)", [7, None], "int64"),
        ("decimal(26,2)", ["999999999999999999999999999999999999.99"], "decimal128(38, 2)"),
        ("decimal(40,20)", [f"{'9' * 42}.{'0' * 19}1"], "decimal256(76, 20)"),
        ("decimal(65,30)", [f"{'9' * 35}.{'0' * 29}1"], "decimal256(76, 30)"),
    ],
)
def test_a_sum_that_outgrows_its_column_is_written(sql: str, cells: list[Any], kind: str) -> None:
    """With every digit."""
    due = [None if cell is None else Decimal(orjson.dumps(cell).decode().strip('"')) for cell in cells]

    assert column(layout(sql, is_sum=True), cells) == (kind, due)


def test_a_stream_without_its_end_cannot_be_read_whole() -> None:
    """Its end is marked, and what was cut before the mark is an error to a reader that looks."""
    whole = streamed(layout("int(11)"), [1, 2], [3])
    cut = whole[:-9]

    assert whole.endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00")
    with pytest.raises((pa.ArrowInvalid, OSError)):
        pa.ipc.open_stream(cut).read_all()


def test_an_empty_result_has_the_same_columns() -> None:
    """Schema and end, no batch."""
    assert column(layout("decimal(15,2)")) == ("decimal128(15, 2)", [])


def test_a_parquet_file_has_the_same_columns_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches are gathered into row groups, whose statistics let readers skip."""
    monkeypatch.setattr(columnar, "GROUP_ROWS", 4)
    columns = layout("decimal(15,2)")
    writer = ParquetWriter(columns, tmp_path)
    batches = [[NUMBER(f"{number}.50"), None] for number in range(5)]
    for cells in batches:
        writer.rows(Batch(columns, cells=[cells]))
    path = writer.finish()
    table = pq.read_table(path)

    assert table.equals(pa.ipc.open_stream(io.BytesIO(streamed(columns, *batches))).read_all())
    assert pq.ParquetFile(path).metadata.num_row_groups == 3
    assert writer.size() == path.stat().st_size


def test_an_empty_parquet_file_has_the_same_columns(tmp_path: Path) -> None:
    """It can be read like any other."""
    assert pq.read_table(ParquetWriter(layout("date"), tmp_path).finish()).schema.field("x").type == pa.date32()


def test_a_file_that_is_given_up_is_closed(tmp_path: Path) -> None:
    """Nothing keeps its directory from being removed."""
    writer = ParquetWriter(layout("int(11)"), tmp_path)
    writer.rows(Batch(layout("int(11)"), cells=[[1]]))
    writer.abandon()

    assert not writer._file.is_open
