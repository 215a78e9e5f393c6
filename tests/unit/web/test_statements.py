"""Statements are counted always, and timed and traced where the settings ask for it; no value is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, cast

import pytest

from gateway.execution.database import Database, Outcome, Parameters, Row
from gateway.timing import MARKS, Marks, spend
from gateway.web.statements import WatchedDatabase, verb_and_table

READ = "SELECT `t0`.`id` FROM `tblleads` AS `t0` WHERE `t0`.`name` = %s"


class Inner:
    """A database that answers everything, or fails."""

    dialect = "mariadb"
    error: BaseException | None = None

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        if self.error is not None:
            raise self.error
        return [parameters]

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        return Outcome(affected=1)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        yield self

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Any]:
        yield self

    async def run(self, text: str, parameters: Parameters = ()) -> Any:
        return Outcome(affected=2)

    async def release(self) -> None:
        return None


class Traces:
    def __init__(self) -> None:
        self.spans: list[tuple[str, str, str]] = []

    def statement(self, system: str, verb: str, table: str) -> AbstractContextManager[None]:
        self.spans.append((system, verb, table))
        return nullcontext()


def watched(inner: Inner | None = None, **how: Any) -> WatchedDatabase:
    return WatchedDatabase(cast("Database", inner or Inner()), **how)


async def test_every_statement_is_counted_and_passes_unchanged() -> None:
    """Reads, writes, those of a transaction and of a snapshot."""
    database = watched()

    assert await database.fetch(READ, ("x",)) == [("x",)]
    assert (await database.write("UPDATE t SET a = 1")).affected == 1
    async with database.transaction() as session:
        assert (await session.run("DELETE FROM t")).affected == 2
    async with database.snapshot() as snapshot:
        await snapshot.run(READ)
        await snapshot.release()
    assert (database.sent, database.failed) == (4, 0)


async def test_failures_are_counted_among_them() -> None:
    """Whatever they are."""
    inner = Inner()
    inner.error = TimeoutError()
    database = watched(inner)
    with pytest.raises(TimeoutError):
        await database.fetch(READ)

    assert (database.sent, database.failed) == (1, 1)


async def test_a_transaction_that_breaks_ends_as_the_inner_one_does() -> None:
    """The error reaches it, and its caller."""
    ended: list[str] = []

    class Rolling(Inner):
        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[Any]:
            try:
                yield self
            except ValueError:
                ended.append("rolled back")
                raise

    with pytest.raises(ValueError, match="x"):
        async with watched(Rolling()).transaction():
            raise ValueError("x")
    assert ended == ["rolled back"]


@pytest.mark.parametrize("is_timed", [True, False])
async def test_the_wait_for_rows_is_kept_where_it_is_asked_for(is_timed: bool) -> None:
    """Else nothing is."""
    marks = Marks()
    token = MARKS.set(marks)
    await watched(is_timed=is_timed).fetch(READ)
    MARKS.reset(token)

    assert ("query" in marks.spent, set(marks.moments)) == (
        is_timed,
        {"first query", "last query"} if is_timed else set(),
    )


def test_outside_of_a_timed_request_nothing_is_kept() -> None:
    """Background work spends what it spends."""
    spend("query", 1.0)

    assert MARKS.get() is None


async def test_spans_name_verb_and_table_and_never_a_value() -> None:
    """The parameters do not even reach what makes them."""
    traces = Traces()
    await watched(traces=traces).fetch(READ, ("secret",))

    assert traces.spans == [("mariadb", "SELECT", "tblleads")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSERT INTO `tblleads` (`a`) VALUES (%s)", ("INSERT", "tblleads")),
        ("UPDATE `tblleads` SET `a` = %s", ("UPDATE", "tblleads")),
        ("DELETE FROM tblleads WHERE a = 'FROM x'", ("DELETE", "tblleads")),
        ("(SELECT 1 FROM a) UNION (SELECT 2 FROM b)", ("SELECT", "a")),
        ("SELECT 1", ("SELECT", "")),
    ],
)
def test_what_a_statement_is_about_is_read_from_its_text(text: str, expected: tuple[str, str]) -> None:
    """The first table it names."""
    assert verb_and_table(text) == expected
