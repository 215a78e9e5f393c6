"""Counts: shared, reused, forgotten, estimated, never in the way of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.catalog.kinds import Dialect
from gateway.errors import GatewayError, SchemaChangedError, UnavailableError
from gateway.observe import CountEstimated, Event
from gateway.operations.counts import Counts
from gateway.operations.results import Count
from gateway.query.access import Grant
from gateway.query.intent import ConditionIntent
from gateway.query.plan import AggregatePlan, Values
from gateway.sql.cache import StatementCache
from tests.support.asking import ask, ask_groups, crm, granted
from tests.support.fake_database import Answer, FakeDatabase

SOON_S = 0.02
EXPLAINED = (1, "SIMPLE", "t", "ALL", None, None, None, None, 400, "25.00", "")


class Counting:
    """Counts on a scripted database with a clock that is moved by hand."""

    def __init__(self, database: FakeDatabase | None = None, **options: Any) -> None:
        self.database = database or FakeDatabase({"EXPLAIN": [EXPLAINED], "count(*)": [(7,)]})
        self.now = 100.0
        self.events: list[Event] = []
        statements = StatementCache(crm(self.database.dialect), 100, None)
        chosen = {"deadline_s": 10.0, "reuse_s": 2.0, "most_running": 2, **options}
        self.counts = Counts(self.database, statements, self.events.append, clock=lambda: self.now, **chosen)

    def question(self, target: str = "leads?filter[status]=2") -> tuple[AggregatePlan, Values]:
        planned = ask(crm(self.database.dialect), target)
        assert planned.count is not None
        return planned.count, planned.values[:-2]

    async def exact(self, target: str = "leads?filter[status]=2") -> Count:
        return await self.counts.exact(*self.question(target))

    async def estimate(self, target: str = "leads?filter[status]=2") -> Count:
        return await self.counts.estimate(*self.question(target))

    @property
    def counted(self) -> int:
        return self.database.asked("count(*)")


def held(script: dict[str, Answer] | None = None, dialect: Dialect = "mariadb", **options: Any) -> Counting:
    """Return counts whose database does not answer them until its gate is opened."""
    answers: dict[str, Answer] = {"EXPLAIN": [EXPLAINED], "count(*)": [(7,)]} if script is None else script
    return Counting(FakeDatabase(answers, dialect, gate=asyncio.Event()), **options)


async def until(is_true: Callable[[], bool]) -> None:
    """Let other tasks run until something is so."""
    for _ in range(1000):
        if is_true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


async def test_a_count_is_exact() -> None:
    """One statement with the question's own values."""
    counting = Counting()

    assert await counting.exact() == Count("exact", 7)
    assert counting.database.bound == [(2,)]


async def test_identical_counts_in_flight_are_shared() -> None:
    """Other questions are not."""
    counting = held()
    waiting = [asyncio.create_task(counting.exact()) for _ in range(5)]
    other = asyncio.create_task(counting.exact("leads?filter[status]=3"))
    await until(lambda: counting.counted == 2)
    counting.database.gate.set()

    assert await asyncio.gather(*waiting, other) == [Count("exact", 7)] * 6
    assert counting.counted == 2


async def test_a_recent_count_is_reused_and_tells_its_age() -> None:
    """Until it is too old."""
    counting = Counting()
    await counting.exact()
    counting.now += 1.5
    again = await counting.exact()
    counting.now += 0.6
    later = await counting.exact()

    assert again == Count("recent", 7, 1500)
    assert later == Count("exact", 7)
    assert counting.counted == 2


async def test_nothing_is_reused_where_that_is_turned_off() -> None:
    """As in tests."""
    counting = Counting(reuse_s=0.0)
    await counting.exact()

    assert await counting.exact() == Count("exact", 7)
    assert counting.counted == 2


async def test_a_write_makes_counts_forgotten() -> None:
    """The next is counted anew."""
    counting = Counting()
    await counting.exact()
    counting.counts.forget()

    assert await counting.exact() == Count("exact", 7)


async def test_a_count_from_before_a_write_is_neither_shared_nor_kept_after_it() -> None:
    """Though who waits for it is answered."""
    counting = held()
    before = asyncio.create_task(counting.exact())
    await until(lambda: counting.counted == 1)
    counting.counts.forget()
    after = asyncio.create_task(counting.exact())
    await until(lambda: counting.counted == 2)
    counting.database.gate.set()

    assert await before == await after == Count("exact", 7)
    assert (await counting.exact()).form == "recent"
    assert counting.counted == 2


async def test_past_the_deadline_the_estimate_stands_in() -> None:
    """And says so; the count goes on, and serves the next request."""
    counting = held(deadline_s=SOON_S)

    assert await counting.exact() == Count("estimate", 100)
    assert counting.events == [CountEstimated("leads")]
    counting.database.gate.set()
    await until(lambda: not counting.counts._running)
    assert await counting.exact() == Count("recent", 7, 0)
    assert counting.counted == 1


@pytest.mark.parametrize("explained", [[], [(1, "SIMPLE")], [(None,) * 11]])
async def test_an_estimate_of_nothing_is_null(explained: list[tuple[object, ...]]) -> None:
    """Never invented."""
    counting = held({"EXPLAIN": explained, "count(*)": [(7,)]}, deadline_s=SOON_S)

    assert await counting.exact() == Count("estimate", None)
    await end(counting)


async def test_sqlite_has_no_estimate() -> None:
    """Past the deadline the total is null; asked for, it is the exact number."""
    late = held({"count(*)": [(7,)]}, "sqlite", deadline_s=SOON_S)
    asked = Counting(FakeDatabase({"count(*)": [(7,)]}, "sqlite"))

    assert await late.exact() == Count("estimate", None)
    assert await asked.estimate() == Count("exact", 7)
    await end(late)


async def end(counting: Counting) -> None:
    """Let what still runs come to its end."""
    counting.database.gate.set()
    await until(lambda: not counting.counts._tasks)


async def test_an_estimate_can_be_asked_for() -> None:
    """Nothing is counted then."""
    counting = Counting()

    assert await counting.estimate() == Count("estimate", 100)
    assert (counting.counted, counting.events) == (0, [])


async def test_a_count_that_ends_while_the_optimizer_is_asked_is_exact() -> None:
    """What is known is told."""
    counting = held(deadline_s=SOON_S)
    database = counting.database

    async def fetch(text: str, parameters: tuple[object, ...] = ()) -> Any:
        if "EXPLAIN" in text:
            database.gate.set()
            await until(lambda: not counting.counts._running)
        return await database.fetch(text, parameters)

    counting.counts._database = _Slow(database, fetch)  # type: ignore[assignment]  # only fetch is used
    assert await counting.exact() == Count("exact", 7)
    assert counting.events == []


async def test_an_estimate_that_takes_too_long_is_null() -> None:
    """The deadline is the page's, not the optimizer's."""
    counting = held(deadline_s=SOON_S)
    never = asyncio.Event()

    async def fetch(text: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        await never.wait()
        return []

    counting.counts._database = _Slow(counting.database, fetch)  # type: ignore[assignment]  # only fetch is used
    assert await counting.exact() == Count("estimate", None)
    never.set()
    await until(lambda: not counting.counts._tasks)


class _Slow:
    def __init__(self, inner: FakeDatabase, fetch: Any) -> None:
        self.inner, self.fetch = inner, fetch


async def test_a_waiter_that_goes_away_does_not_end_the_shared_count() -> None:
    """Its client hung up; the others are answered."""
    counting = held()
    leaving, staying = asyncio.create_task(counting.exact()), asyncio.create_task(counting.exact())
    await until(lambda: counting.counted == 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    counting.database.gate.set()

    assert await staying == Count("exact", 7)
    assert counting.counted == 1


async def test_only_some_counts_run_at_once() -> None:
    """The rest of the pool is for pages: a count that gets no place is estimated."""
    counting = held(most_running=1, deadline_s=SOON_S)
    first, second = await asyncio.gather(counting.exact(), counting.exact("leads?filter[status]=3"))

    assert (first.form, second.form, counting.counted) == ("estimate", "estimate", 1)
    await end(counting)
    assert counting.counted == 2


@pytest.mark.parametrize("code", ["statement_timeout", "database_busy"])
async def test_a_count_that_the_server_stopped_is_estimated(code: str) -> None:
    """Or that got no connection."""
    counting = Counting(FakeDatabase({"EXPLAIN": [EXPLAINED], "count(*)": UnavailableError(code, "late")}))

    assert await counting.exact() == Count("estimate", 100)


@pytest.mark.parametrize(
    "error", [UnavailableError("database_away", "away"), SchemaChangedError(), RuntimeError("ours")]
)
async def test_other_failures_are_told(error: Exception) -> None:
    """They are the page's too, and the next request counts anew."""
    counting = Counting(FakeDatabase({"count(*)": error}))
    for _ in range(2):
        with pytest.raises(type(error)):
            await counting.exact()

    assert counting.counted == 2


@pytest.mark.parametrize(
    "filter_",
    ["filter[email]=x", "filter[country_ref.short_name]=x", "filter[invoices.total.gt]=1", "filter[any][email]=x&q=x"],
)
async def test_what_other_rows_say_cannot_be_estimated(filter_: str) -> None:
    """The optimizer could only say how large the table is: not for derived fields, nor through relationships."""
    counting = Counting()

    assert await counting.estimate(f"clients?{filter_}") == Count("estimate", None)
    assert counting.database.log == []


async def test_a_number_of_groups_is_counted_where_an_estimate_is_asked_for() -> None:
    """The optimizer has none of it."""
    counting = Counting(FakeDatabase({"count(*)": [(7,)]}))
    planned = ask_groups(crm(), "leads?group=status")
    assert planned.count is not None

    assert await counting.counts.estimate(planned.count, ()) == Count("exact", 7)
    assert counting.database.asked("GROUP BY t.status) AS g") == 1


async def test_a_failure_nobody_waits_for_is_not_lost_noisily() -> None:
    """The page was answered with an estimate long ago."""
    counting = held({"EXPLAIN": [EXPLAINED], "count(*)": [(7,)]}, deadline_s=SOON_S)
    assert (await counting.exact()).form == "estimate"
    (task,) = counting.counts._tasks
    task.cancel()
    await until(lambda: not counting.counts._tasks)

    assert counting.counts._running == {}


async def test_a_count_that_was_cancelled_is_estimated() -> None:
    """As at the end of a worker."""
    counting = held()
    waiting = asyncio.create_task(counting.exact())
    await until(lambda: bool(counting.counts._tasks))
    next(iter(counting.counts._tasks)).cancel()

    assert await waiting == Count("estimate", 100)


async def test_an_estimate_that_fails_is_null_unless_the_tables_changed() -> None:
    """A changed table means a reload and one more try."""
    failing = Counting(FakeDatabase({"EXPLAIN": UnavailableError("database_busy", "busy")}))
    changed = Counting(FakeDatabase({"EXPLAIN": SchemaChangedError()}))

    assert await failing.estimate() == Count("estimate", None)
    with pytest.raises(GatewayError) as caught:
        await changed.estimate()
    assert caught.value.code == "schema_changed"


async def test_what_the_page_itself_took_is_part_of_the_deadline() -> None:
    """The page and its count together keep it."""
    counting = held(deadline_s=30.0)
    async with asyncio.timeout(5):
        counted = await counting.counts.exact(*counting.question(), 30.0)

    assert counted == Count("estimate", 100)
    counting.database.gate.set()


async def test_a_count_that_waits_for_a_place_gives_up_at_the_deadline() -> None:
    """The pages that asked have their estimates by then; the database is not kept counting for nobody."""
    counting = held(most_running=1, deadline_s=SOON_S)
    totals = await asyncio.gather(*(counting.exact(f"leads?filter[status]={status}") for status in range(1, 6)))
    await until(lambda: not counting.counts._running or counting.counted == 1)

    assert totals == [Count("estimate", 100)] * 5
    assert counting.counted == 1
    counting.database.gate.set()


async def test_an_estimate_tells_nothing_of_rows_outside_a_row_filter() -> None:
    """Without an index on what the filter compares, the optimizer knows the number of all rows alone."""
    counting = Counting()
    own = Grant(frozenset({"read"}), row_filter=(ConditionIntent(("assigned",), "5", "row filter"),))
    planned = ask(crm("mariadb"), "leads?filter[status]=2", granted(leads=own))
    assert planned.count is not None

    assert await counting.counts.estimate(planned.count, planned.values[:-2]) == Count("estimate", None)
    assert not counting.database.asked("EXPLAIN")
