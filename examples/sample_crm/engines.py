"""The two engines: SQLite through the standard library, MySQL and MariaDB through pymysql.

Both get the same rows; only the spelling of values differs. Values are converted a column at a time: a batch of a
thousand rows with forty columns then costs forty comprehensions, not forty thousand calls.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pymysql

from sample_crm.schema import Dialect, Kind, index_statements, quote, table_statements, tables
from sample_crm.store import Engine, Row, Value
from sample_crm.target import SampleError, Target, connect_mysql


def open_engine(target: Target, prefix: str, *, replace: bool) -> Engine:
    """Return an engine over the target's database.

    Raises:
        SampleError: the database holds tables already and ``replace`` is not set.
    """
    if target.dialect == "sqlite":
        return SqliteEngine(target, prefix, replace=replace)
    return MysqlEngine(target, prefix, replace=replace)


class SqliteEngine:
    """Builds a new file beside the target and moves it into place at the end, so that a failure leaves no trace."""

    def __init__(self, target: Target, prefix: str, *, replace: bool) -> None:
        self._path, self._prefix = target.path, prefix
        if not replace:
            _refuse_used_file(target.path)
        target.path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = target.path.with_name(target.path.name + ".partial")
        self._partial.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._partial, isolation_level=None)

    def create(self) -> None:
        """Create the tables in one transaction that lasts until the end."""
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        for statement in table_statements("sqlite", self._prefix):
            self._connection.execute(statement)

    def insert(self, table: str, columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Row]) -> None:
        """Write the rows; cents become numbers with two decimals."""
        marks = ",".join("?" * len(columns))
        self._connection.executemany(
            f"{_insert(table, columns, self._prefix, 'sqlite')} ({marks})", _numbers(kinds, rows)
        )

    def finish(self) -> None:
        """Add the indexes, commit, gather statistics and move the file into place."""
        for statement in index_statements("sqlite", self._prefix):
            self._connection.execute(statement)
        self._connection.execute("COMMIT")
        self._connection.execute("ANALYZE")
        self._connection.close()
        for suffix in ("-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._partial.replace(self._path)

    def abandon(self) -> None:
        """Remove the unfinished file."""
        self._connection.close()
        self._partial.unlink(missing_ok=True)


class MysqlEngine:
    """Fills a MySQL or MariaDB database; a second thread sends, so that generating and inserting overlap."""

    _QUEUED = 4

    def __init__(self, target: Target, prefix: str, *, replace: bool) -> None:
        self._prefix = prefix
        self._connection = connect_mysql(target)
        self._sender = ThreadPoolExecutor(max_workers=1)
        self._sent: list[Future[None]] = []
        try:
            self._make_room(target, replace=replace)
        except BaseException:
            self.abandon()
            raise

    def create(self) -> None:
        """Create the tables and switch off the checks that only slow a bulk load."""
        for statement in table_statements("mysql", self._prefix):
            self._run(statement)
        self._run("SET SESSION unique_checks=0, foreign_key_checks=0")

    def insert(self, table: str, columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Row]) -> None:
        """Send the rows as one statement, waiting only when several batches are still on their way."""
        head = _insert(table, columns, self._prefix, "mysql")
        self._sent.append(self._sender.submit(self._run, f"{head} {_literals(kinds, rows)}"))
        while len(self._sent) > self._QUEUED:
            self._sent.pop(0).result()

    def finish(self) -> None:
        """Wait for the last batch, commit and add the indexes."""
        while self._sent:
            self._sent.pop(0).result()
        self._connection.commit()
        self._run("SET SESSION unique_checks=1, foreign_key_checks=1")
        for statement in index_statements("mysql", self._prefix):
            self._run(statement)
        names = ", ".join(quote(self._prefix + table.name, "mysql") for table in tables())
        self._run(f"ANALYZE TABLE {names}")
        self._sender.shutdown()
        self._connection.close()

    def abandon(self) -> None:
        """Stop sending and close; MySQL cannot take created tables back."""
        self._sender.shutdown(cancel_futures=True)
        self._connection.close()

    def _run(self, statement: str) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except pymysql.err.MySQLError as failure:
            raise SampleError(f"the database refused {statement[:60]!r}: {failure.args[-1]}") from failure

    def _make_room(self, target: Target, *, replace: bool) -> None:
        """Drop the sample's own tables when asked to; refuse a database that holds any otherwise."""
        with self._connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            found = {str(row[0]) for row in cursor.fetchall()}
        if found and not replace:
            raise SampleError(f"{target.label} holds {len(found)} tables already: use an empty database, or --replace")
        ours = [quote(self._prefix + table.name, "mysql") for table in tables() if self._prefix + table.name in found]
        if ours:
            self._run("SET SESSION foreign_key_checks=0")
            self._run(f"DROP TABLE {', '.join(ours)}")


def _refuse_used_file(path: Path) -> None:
    if path.exists() and path.stat().st_size > 0:
        raise SampleError(f"{path} exists already: use another file, or --replace")


def _insert(table: str, columns: Sequence[str], prefix: str, dialect: Dialect) -> str:
    names = ",".join(quote(column, dialect) for column in columns)
    return f"INSERT INTO {quote(prefix + table, dialect)} ({names}) VALUES"


def _numbers(kinds: Sequence[Kind], rows: Sequence[Row]) -> Iterable[Row]:
    if "money" not in kinds:
        return rows
    columns = [
        _decimals(column) if kind == "money" else column
        for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
    ]
    return zip(*columns, strict=True)


def _decimals(column: Iterable[Value]) -> list[float | None]:
    """Return cents as the nearest double: with at most 15 digits it prints as the exact decimal."""
    return [value / 100 if isinstance(value, int) else None for value in column]


def _literals(kinds: Sequence[Kind], rows: Sequence[Row]) -> str:
    """Return ``(…),(…)`` with every value as an SQL literal."""
    columns = [_LITERALS[kind](column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
    return "(" + "),(".join(map(",".join, zip(*columns, strict=True))) + ")"


def _plain(column: Iterable[Value]) -> list[str]:
    return ["NULL" if value is None else str(value) for value in column]


def _cents(column: Iterable[Value]) -> list[str]:
    return ["NULL" if value is None else _decimal(value) for value in column]


def _decimal(value: Value) -> str:
    assert isinstance(value, int)
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"


def _quoted(column: Iterable[Value]) -> list[str]:
    return [
        "NULL" if value is None else "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'" for value in column
    ]


def _hexadecimal(column: Iterable[Value]) -> list[str]:
    return ["NULL" if not isinstance(value, bytes) else f"x'{value.hex()}'" for value in column]


_LITERALS: dict[Kind, Callable[[Iterable[Value]], list[str]]] = {
    "int": _plain,
    "float": _plain,
    "money": _cents,
    "text": _quoted,
    "bytes": _hexadecimal,
}
