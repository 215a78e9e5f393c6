"""NDJSON: a line is a row of the JSON list."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from gateway.catalog.kinds import parse_sql_type
from gateway.formats.layout import Batch, Layout, LayoutColumn
from gateway.formats.ndjson import NdjsonWriter

LAYOUT = Layout(
    tuple(
        LayoutColumn(name, (name,), parse_sql_type(sql))
        for name, sql in {"id": "int(11)", "total": "decimal(15,2)", "at": "datetime", "note": "text"}.items()
    )
)
CELLS = ([1, 2], [orjson.Fragment("1.50"), None], [datetime(2026, 7, 1, tzinfo=UTC), None], ["a\nb", ""])
ROWS = [
    {"id": 1, "total": orjson.Fragment("1.50"), "at": datetime(2026, 7, 1, tzinfo=UTC), "note": "a\nb"},
    {"id": 2, "total": None, "at": None, "note": ""},
]


def test_each_row_is_a_line_of_json() -> None:
    """A line feed in a text is escaped, so that a line is always a whole row; numbers keep their digits."""
    writer = NdjsonWriter()
    document = writer.head() + writer.rows(Batch(LAYOUT, cells=CELLS)) + writer.tail()

    assert document == (
        b'{"id":1,"total":1.50,"at":"2026-07-01T00:00:00+00:00","note":"a\\nb"}\n'
        b'{"id":2,"total":null,"at":null,"note":""}\n'
    )
    assert document == b"".join(orjson.dumps(row) + b"\n" for row in ROWS)


def test_rows_that_hold_rows_are_nested() -> None:
    """As the list's own JSON has them."""
    nested = [{"id": 1, "client": {"company": "A"}, "items": [{"rate": orjson.Fragment("2.00")}]}]

    assert NdjsonWriter().rows(Batch(LAYOUT, nested=nested)) == (
        b'{"id":1,"client":{"company":"A"},"items":[{"rate":2.00}]}\n'
    )


def test_an_empty_result_is_an_empty_document() -> None:
    """There is no header that could be there."""
    writer = NdjsonWriter()

    assert writer.head() + writer.rows(Batch(LAYOUT, nested=[])) + writer.tail() == b""
