"""Reads of one query: how many run at a time, what they may come to, and what becomes of them when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from gateway.errors import RequestError, SchemaChangedError
from gateway.graphql.render import Rendered, error_entry
from gateway.web.graphql import running
from gateway.web.graphql.preparing import Read, Refused
from gateway.web.graphql.running import MOST_AT_ONCE, Bounds, Lanes, Telling, run_reads
from gateway.web.service import Service

LARGE = 1_000_000
SERVICE = cast("Service", SimpleNamespace())


def reads(number: int) -> Sequence[Read]:
    """So many reads, each with its place as its name."""
    made = (SimpleNamespace(step=SimpleNamespace(selected=f"a{place}")) for place in range(number))
    return [cast("Read", each) for each in made]


@dataclass
class Database:
    """What reads run on: it counts those that run at a time, and answers each with its name."""

    running: int = 0
    most: int = 0
    names: list[str] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)
    value: Any = None

    async def __call__(self, _service: Service, read: Read) -> Rendered:
        name = str(read.step.selected)
        self.names.append(name)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.002)
        finally:
            self.running -= 1
        if name in self.errors:
            raise self.errors[name]
        return Rendered(self.value or name)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """In place of a real one."""
    made = Database()
    monkeypatch.setattr(running, "_run", made)
    return made


async def ran(
    number: int, lanes: Lanes, answer_bytes: int = LARGE, *, is_last_try: bool = True
) -> list[Rendered | Refused]:
    telling, bounds = Telling(lambda event: None, "request"), Bounds(lanes, answer_bytes)
    return list(await run_reads(SERVICE, reads(number), telling, bounds, is_last_try=is_last_try))


def values(found: Sequence[Rendered | Refused]) -> list[Any]:
    """What was read, None for what was refused."""
    return [orjson.loads(orjson.dumps(each.value)) if isinstance(each, Rendered) else None for each in found]


@pytest.mark.parametrize(("free", "most"), [(0, 1), (1, 2), (2, 3), (8, MOST_AT_ONCE)])
async def test_a_query_runs_more_than_one_read_while_there_are_lanes(free: int, most: int, database: Database) -> None:
    """Their values stand in the order of the document, and the lanes are given back."""
    lanes = Lanes(free)

    assert values(await ran(10, lanes)) == [f"a{number}" for number in range(10)]
    assert (database.most, lanes.free) == (most, free)


async def test_queries_share_the_lanes(database: Database) -> None:
    """Each has one connection of its own, and all together no more than the lanes beside."""
    lanes = Lanes(4)
    found = await asyncio.gather(*(ran(6, lanes) for _ in range(8)))

    assert [values(each) for each in found] == [[f"a{number}" for number in range(6)]] * 8
    assert 8 < database.most <= 8 + 4
    assert lanes.free == 4


async def test_lanes_that_become_free_are_taken(database: Database) -> None:
    """A query that began alone goes on with others as soon as it may."""
    lanes = Lanes(1)
    assert lanes.take()
    task = asyncio.create_task(ran(10, lanes))
    await asyncio.sleep(0.003)
    assert database.most == 1
    lanes.give()
    await task

    assert (database.most, lanes.free) == (2, 1)


@pytest.mark.parametrize("wait_s", [0.0, 0.001, 0.003])
async def test_a_query_that_is_cut_gives_its_lanes_back(wait_s: float, database: Database) -> None:
    """Whether its reads have begun or not."""
    lanes = Lanes(5)
    task = asyncio.create_task(ran(10, lanes))
    await asyncio.sleep(wait_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    assert (lanes.free, database.running) == (5, 0)


async def test_a_read_that_fails_leaves_the_others(database: Database) -> None:
    """Whatever its failure is."""
    database.errors = {"a1": RequestError("operand_invalid", "no"), "a3": ZeroDivisionError()}
    found = await ran(5, Lanes(2))

    assert values(found) == ["a0", None, "a2", None, "a4"]
    assert [each.error.code for each in found if isinstance(each, Refused)] == ["operand_invalid", "internal"]


async def test_tables_that_changed_are_for_whoever_can_try_again(database: Database) -> None:
    """At the last try it is the error of its field."""
    database.errors = {"a1": SchemaChangedError()}
    with pytest.raises(SchemaChangedError):
        await ran(3, Lanes(2), is_last_try=False)

    assert values(await ran(3, Lanes(2))) == ["a0", None, "a2"]


async def test_an_answer_grows_no_further_than_its_limit(database: Database) -> None:
    """The fields after that are not read; each says what the others came to."""
    database.value = "x" * 998  # a thousand with its quotes
    found = await ran(6, Lanes(0), answer_bytes=2_500)
    refused = [each for each in found if isinstance(each, Refused)]

    assert [isinstance(each, Rendered) for each in found] == [True, True, True, False, False, False]
    assert database.names == ["a0", "a1", "a2"]
    assert error_entry(refused[0].error)["extensions"] == {
        "code": "query_too_large",
        "status": 400,
        "measure": "answer",
        "cost": 3_000,
        "limit": 2_500,
    }


async def test_one_field_is_never_too_large(database: Database) -> None:
    """It is a page, as REST has it too."""
    database.value = "x" * 998

    assert len(values(await ran(1, Lanes(0), answer_bytes=100))[0]) == 998
