"""Planned reads -> pages and rows: how many statements, which counts, and what is not found."""

from __future__ import annotations

import pytest

from gateway.errors import NotFoundError
from gateway.operations.counts import Counts
from gateway.operations.reads import Reads
from gateway.operations.results import Count, PageResult
from gateway.operations.tags import Tags
from gateway.query.intent import PageIntent, ReadIntent
from gateway.query.planner import plan_read
from gateway.sql.cache import StatementCache
from tests.support.asking import ask, ask_any, ask_groups, context_of, crm
from tests.support.fake_database import Answer, FakeDatabase

EXPLAINED = (1, "SIMPLE", "t", "ALL", None, None, None, None, 3, "100.00", "")


def reading(script: dict[str, Answer]) -> tuple[Reads, FakeDatabase]:
    database = FakeDatabase(script)
    statements = StatementCache(crm(), 100, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    return Reads(database, statements, counts, Tags()), database


async def page(target: str, script: dict[str, Answer], count: str = "exact") -> tuple[PageResult, FakeDatabase]:
    reads, database = reading(script)
    return await reads.page(ask_any(crm(), target), count), database


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


@pytest.mark.parametrize("count", ["exact", "none"])
async def test_numbers_over_all_rows_of_a_parent_do_not_tell_that_it_exists(count: str) -> None:
    """They are a row where there is no parent, too, so it is asked for; groups of rows prove it."""
    target = "clients/1/invoices?metrics=count"
    there, database = await page(target, {"FROM tblclients AS t WHERE": [(1,)], "FROM tblinvoices": [(0,)]}, count)
    assert (there.rows, len(database.log)) == ([{"count": 0}], 2)

    with pytest.raises(NotFoundError, match="clients has no row with this key") as caught:
        await page(target, {"FROM tblinvoices": [(0,)]}, count)
    assert caught.value.code == "row_unknown"

    grouped, database = await page(f"{target}&group=status", {"FROM tblinvoices": [(2, 1)]}, count)
    assert (len(grouped.rows), len(database.log)) == (1, 1)


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


# Positions


async def test_the_last_page_goes_on_nowhere() -> None:
    """Nor does an empty one."""
    for shown in (2, 0):
        found, _ = await page("leads?fields=id&per_page=2", {"FROM tblleads": rows(shown)})
        assert found.position is None


async def test_a_position_is_that_of_the_last_row_shown() -> None:
    """One value per sort key, though none of them is shown."""
    cells = [("x", "10.00", 1), ("y", None, 2), ("z", "9.00", 3)]
    found, _ = await page("leads?fields=name&sort=-lead_value&per_page=2", {"FROM tblleads": cells}, "none")

    assert (found.rows, found.position) == ([{"name": "x"}, {"name": "y"}], (None, 2))


async def test_a_page_within_a_walk_does_not_tell_the_total() -> None:
    """It begins somewhere: what it shows is not all there is, so that it is counted."""
    reads, database = reading({"count(*)": [(9,)], "FROM tblleads": rows(1)})
    intent = ReadIntent("leads", fields=("id",), page=PageIntent(2, after=(5,)))
    found = await reads.page(plan_read(context_of(crm()), intent), "exact")

    assert (found.count, found.has_more, len(database.log)) == (Count("exact", 9), False, 2)


# Groups


async def groups(target: str, script: dict[str, Answer], count: str = "exact") -> tuple[PageResult, FakeDatabase]:
    reads, database = reading(script)
    return await reads.page(ask_groups(crm(), target), count), database


async def test_groups_are_paged_and_counted_like_rows() -> None:
    """A full page by a statement of their own; they have no position."""
    script: dict[str, Answer] = {"FROM (SELECT": [(7,)], "GROUP BY": [(1, 4), (2, 3), (3, 1)]}
    found, database = await groups("leads?group=status&per_page=2", script)

    assert found == PageResult([{"status": 1, "count": 4}, {"status": 2, "count": 3}], Count("exact", 7), True, 0, 2)
    assert len(database.log) == 2


async def test_the_last_page_of_groups_tells_their_number() -> None:
    """No second statement."""
    found, database = await groups("leads?group=status&per_page=2", {"GROUP BY": [(1, 4)]})

    assert (found.count, len(database.log)) == (Count("exact", 1), 1)


async def test_one_row_over_everything_is_one() -> None:
    """Unless nobody asked how many."""
    for count, due in (("exact", Count("exact", 1)), ("none", Count("none"))):
        found, database = await groups("leads?metrics=count,sum.lead_value", {"FROM tblleads": [(0, None)]}, count)
        assert found.rows == [{"count": 0, "sum.lead_value": None}]
        assert (found.count, len(database.log)) == (due, 1)


async def test_the_one_row_may_be_dropped() -> None:
    """Then there is none."""
    found, _ = await groups("leads?metrics=count&having[count.gt]=5", {})

    assert (found.rows, found.count) == ([], Count("exact", 0))


async def test_an_estimate_of_groups_is_their_number() -> None:
    """The optimizer cannot tell it."""
    found, database = await groups(
        "leads?group=status&per_page=1", {"FROM (SELECT": [(7,)], "GROUP BY": [(1, 4), (2, 3)]}, "estimate"
    )

    assert found.count == Count("exact", 7)
    assert database.asked("EXPLAIN") == 0


@pytest.mark.parametrize(("currencies", "warnings"), [((1, 1), ()), ((0, 1), ()), ((1, 2), ("mixed_currency",))])
async def test_sums_over_several_currencies_are_warned_of(
    currencies: tuple[int, int], warnings: tuple[str, ...]
) -> None:
    """Where some group of the page has more than one."""
    cells = [(status, "5.00", number) for status, number in zip((1, 2), currencies, strict=True)]
    found, _ = await groups("invoices?group=status&metrics=sum.total", {"GROUP BY": cells})

    assert found.warnings == warnings
    assert "currency" not in found.rows[0]


async def test_groups_of_a_parent_that_is_missing_are_not_found() -> None:
    """As its rows are."""
    with pytest.raises(NotFoundError):
        await groups("clients/1/invoices?group=status", {})
