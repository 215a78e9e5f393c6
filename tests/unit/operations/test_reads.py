"""Planned reads -> pages and rows: how many statements, which counts, and what is not found."""

from __future__ import annotations

import pytest

from gateway.errors import NotFoundError
from gateway.operations.counts import Counts
from gateway.operations.reads import Reads
from gateway.operations.results import Count, PageResult
from gateway.operations.tags import Tags
from gateway.sql.cache import StatementCache
from tests.support.asking import ask, crm
from tests.support.fake_database import Answer, FakeDatabase

EXPLAINED = (1, "SIMPLE", "t", "ALL", None, None, None, None, 3, "100.00", "")


def reading(script: dict[str, Answer]) -> tuple[Reads, FakeDatabase]:
    database = FakeDatabase(script)
    statements = StatementCache(crm(), 100, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    return Reads(database, statements, counts, Tags()), database


async def page(target: str, script: dict[str, Answer], count: str = "exact") -> tuple[PageResult, FakeDatabase]:
    reads, database = reading(script)
    return await reads.page(ask(crm(), target), count), database


def rows(number: int, first: int = 1) -> list[tuple[object, ...]]:
    return [(first + offset,) for offset in range(number)]


async def test_a_full_page_is_counted() -> None:
    """The row beyond it says that another page follows, and is not shown; that page goes on from the last one shown."""
    found, database = await page("leads?fields=id&per_page=2", {"count(*)": [(9,)], "FROM tblleads": rows(3)})

    assert found == PageResult([{"id": 1}, {"id": 2}], Count("exact", 9), True, 0, 2, position=(2,))
    assert len(database.log) == 2


@pytest.mark.parametrize(("query", "shown", "total"), [("", 2, 2), ("&page=3", 1, 5), ("", 0, 0)])
async def test_the_last_page_tells_the_total_itself(query: str, shown: int, total: int) -> None:
    """No second statement."""
    found, database = await page(f"leads?fields=id&per_page=2{query}", {"FROM tblleads": rows(shown)})

    assert (found.count, found.has_more, len(database.log)) == (Count("exact", total), False, 1)


async def test_beyond_the_end_the_total_is_counted() -> None:
    """The page is empty, the total is not."""
    found, database = await page("leads?fields=id&per_page=2&page=9", {"count(*)": [(5,)], "FROM tblleads": []})

    assert (found.rows, found.count, found.has_more, len(database.log)) == ([], Count("exact", 5), False, 2)


@pytest.mark.parametrize(("count", "statements"), [("none", 1), ("estimate", 2)])
async def test_a_count_can_be_left_out_or_estimated(count: str, statements: int) -> None:
    """An estimate is at least what the page shows, and one more where another page follows."""
    found, database = await page(
        "leads?fields=id&per_page=5&page=2", {"EXPLAIN": [EXPLAINED], "FROM tblleads": rows(6)}, count
    )

    assert found.count == (Count("none") if count == "none" else Count("estimate", 11))
    assert len(database.log) == statements


async def test_a_parent_without_rows_differs_from_a_missing_one() -> None:
    """One statement more tells which it is; none when there are rows."""
    target = "clients/1/invoices?fields=id"
    there, database = await page(target, {"FROM tblclients AS t WHERE": [(1,)]})
    assert (there.rows, there.count, len(database.log)) == ([], Count("exact", 0), 2)

    with pytest.raises(NotFoundError, match="clients has no row with this key") as caught:
        await page(target, {})
    assert caught.value.code == "row_unknown"

    filled, database = await page(target, {"FROM tblinvoices": rows(1)})
    assert (len(filled.rows), len(database.log)) == (1, 1)


async def test_one_row_is_one_statement() -> None:
    """Or none such."""
    columns = crm().resources["leads"].columns
    cells = (7, *range(len(columns) - 1))
    reads, database = reading({"FROM tblleads": [cells]})
    planned = ask(crm(), "leads/7?fields=id")

    found = await reads.row(planned.plan, planned.values)
    assert found.row == {"id": 7}
    assert found.tag == Tags().of(cells)
    assert database.bound == [(7,)]
    reads, _ = reading({})
    with pytest.raises(NotFoundError):
        await reads.row(planned.plan, planned.values)


async def test_a_question_asked_again_builds_nothing() -> None:
    """With other values too: two requests, the statements of one."""
    database = FakeDatabase({"count(*)": [(9,)], "FROM tblinvoices": rows(3)})
    statements = StatementCache(crm(), 100, 0.2)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    reads = Reads(database, statements, counts, Tags())
    compiled = []
    for status in (1, 2):
        await reads.page(ask(crm(), f"invoices?filter[status]={status}&fields=id&per_page=2"), "exact")
        compiled.append(statements.compiled)

    assert compiled == [2, 2]
    assert len(database.log) == 4
