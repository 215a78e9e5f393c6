"""Arrow streams and Parquet files: typed columns with exact decimals and moments in their zone.

The library is an extra (``arrow``); this module is imported only where it is there.
"""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.formats.layout import Batch, Cells, Layout, LayoutColumn, digits_of, json_texts

GROUP_ROWS: Final = 20_000
GROUP_BYTES: Final = 8_388_608
"""A row group of a Parquet file is written when it has so many rows, or bytes in memory."""

MOST_DECIMAL128: Final = 38
"""Digits of the narrower of Arrow's two decimals, the one that everybody reads."""
MOST_DECIMAL256: Final = 76
SUMMED_DIGITS: Final = 12
"""Digits that a sum may have beyond those of its column: no table has more rows than 10^12."""


def schema_of(layout: Layout) -> Any:
    """Return the schema of a layout; every column may be null."""
    return pa.schema([pa.field(column.name, _type(column, layout.zone)) for column in layout.columns])


class ArrowWriter:
    """Writes an Arrow IPC stream; a `StreamWriter`. Each batch is a record batch."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._schema = schema_of(layout)
        self._sink = io.BytesIO()
        self._stream = pa.ipc.new_stream(self._sink, self._schema)

    def head(self) -> bytes:
        """Return the schema."""
        return self._taken()

    def rows(self, batch: Batch) -> bytes:
        """Return a record batch."""
        self._stream.write_batch(_record_batch(self._layout, self._schema, batch))
        return self._taken()

    def tail(self) -> bytes:
        """Return the mark of the stream's end, which a broken stream lacks."""
        self._stream.close()
        return self._taken()

    def _taken(self) -> bytes:
        taken = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return taken


class ParquetWriter:
    """Writes a Parquet file; a `FileWriter`. ``directory`` is the writer's own."""

    def __init__(self, layout: Layout, directory: Path) -> None:
        self._path = directory / "export.parquet"
        self._layout = layout
        self._schema = schema_of(layout)
        self._file = pq.ParquetWriter(str(self._path), self._schema)
        self._pending: list[Any] = []

    def rows(self, batch: Batch) -> None:
        """Keep some rows until they are a row group."""
        self._pending.append(_record_batch(self._layout, self._schema, batch))
        rows, kept = (sum(getattr(part, name) for part in self._pending) for name in ("num_rows", "nbytes"))
        if rows >= GROUP_ROWS or kept >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._file.write_table(pa.Table.from_batches(self._pending, self._schema))
            self._pending = []

    def size(self) -> int:
        """Return the bytes of the file so far."""
        return self._path.stat().st_size

    def finish(self) -> Path:
        """Write the last row group and the footer, and return the file."""
        self._flush()
        self._file.close()
        return self._path

    def abandon(self) -> None:
        """Close the file, whole or not."""
        self._file.close()


def _record_batch(layout: Layout, schema: Any, batch: Batch) -> Any:
    found = zip(layout.columns, batch.columns(), schema, strict=True)
    arrays = [_array(column, cells, field.type) for column, cells, field in found]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _type(column: LayoutColumn, zone: tzinfo) -> Any:
    name = column.kind
    if column.is_text or column.type is None:
        return pa.string()
    if name == "decimal":
        return _decimal(column)
    if name in ("integer", "bit"):
        if column.is_sum and column.type.is_wide:
            return pa.decimal128(MOST_DECIMAL128, 0)
        return pa.uint64() if (column.type.maximum or 0) >= 2**63 else pa.int64()
    if name in ("datetime", "timestamp"):
        return pa.timestamp("us", tz=str(zone))
    return _TYPES.get(name, pa.string)()


def _decimal(column: LayoutColumn) -> Any:
    """A sum or an average has room for all digits; a column has its own."""
    assert column.type is not None
    scale = column.type.scale or 0
    precision = column.type.precision or 10
    if column.is_sum:
        is_narrow = precision + SUMMED_DIGITS <= MOST_DECIMAL128
        precision = MOST_DECIMAL128 if is_narrow else MOST_DECIMAL256
    return pa.decimal128(precision, scale) if precision <= MOST_DECIMAL128 else pa.decimal256(precision, scale)


_TYPES: Final[dict[str, Callable[[], Any]]] = {
    "flag": pa.int64,
    "year": pa.int64,
    "float": pa.float64,
    "date": pa.date32,
    "binary": pa.binary,
    "set": lambda: pa.list_(pa.string()),
    "php_list": lambda: pa.list_(pa.string()),
    "words": lambda: pa.list_(pa.string()),
}


def _array(column: LayoutColumn, cells: Cells, arrow_type: Any) -> Any:
    if column.kind in ("rows", "json"):
        return pa.array(json_texts(cells), arrow_type)
    if column.is_digits:
        texts = pa.array(digits_of(cells), pa.string())
        return texts if arrow_type == pa.string() else texts.cast(arrow_type)
    if column.kind == "binary":
        return pa.array([None if cell is None else b64decode(cell) for cell in cells], arrow_type)
    return pa.array(cells, arrow_type)
