"""Where generated rows go: batches per table, written with multi-row statements.

A row is given by column name; money columns take integer cents. Columns that are left out take the database's
default. Auto-increment keys are counted here, so that a parent's key is known before its row is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from sample_crm.schema import Kind, tables

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
BATCH_ROWS = 1000


class Engine(Protocol):
    """What a database must be able to do to be filled."""

    def create(self) -> None:
        """Make the empty tables ready to be filled."""

    def insert(self, table: str, columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Row]) -> None:
        """Write the rows of one batch; ``columns`` and ``kinds`` are in the order of each row's values."""

    def finish(self) -> None:
        """Add the indexes and make everything durable."""

    def abandon(self) -> None:
        """Close the database and leave nothing half built where that is possible."""


class _Batch:
    """Rows of one table that set the same columns."""

    __slots__ = ("columns", "kinds", "rows")

    def __init__(self, columns: tuple[str, ...], kinds: tuple[Kind, ...]) -> None:
        self.columns = columns
        self.kinds = kinds
        self.rows: list[Row] = []


class Store:
    """Collects rows and passes them on in batches."""

    __slots__ = ("_batches", "_engine", "_keys", "_kinds", "_last", "counts")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._batches: dict[tuple[str, ...], _Batch] = {}
        self._keys = {table.name: table.auto_key for table in tables()}
        self._kinds = {table.name: {column.name: column.kind for column in table.columns} for table in tables()}
        self._last: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def put(self, table: str, /, **row: Value) -> int:
        """Add one row and return its key (0 for a table without an auto-increment key)."""
        shape = (table, *row)
        batch = self._batches.get(shape)
        if batch is None:
            batch = self._batches[shape] = self._open(table, tuple(row))
        if self._keys[table] is None:
            key = 0
            batch.rows.append(tuple(row.values()))
        else:
            key = self._last[table] = self._last[table] + 1
            batch.rows.append((key, *row.values()))
        if len(batch.rows) >= BATCH_ROWS:
            self._write(table, batch)
        return key

    def next_key(self, table: str) -> int:
        """Return the key that the table's next row will get."""
        return self._last[table] + 1

    def flush(self) -> Mapping[str, int]:
        """Write what is still held back and return the number of rows per table."""
        for shape, batch in self._batches.items():
            self._write(shape[0], batch)
        return {table.name: self.counts[table.name] for table in tables()}

    def _open(self, table: str, given: tuple[str, ...]) -> _Batch:
        key = self._keys[table]
        columns = given if key is None else (key, *given)
        kinds = self._kinds[table]
        return _Batch(columns, tuple(kinds[column] for column in columns))

    def _write(self, table: str, batch: _Batch) -> None:
        if batch.rows:
            self._engine.insert(table, batch.columns, batch.kinds, batch.rows)
            self.counts[table] += len(batch.rows)
            batch.rows = []
