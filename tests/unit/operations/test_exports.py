"""Exports part by part: which statements run, what is held between them, and where reading goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast

import pytest

from gateway.errors import GatewayError, SchemaChangedError
from gateway.execution.database import Outcome, Parameters
from gateway.operations import exports
from gateway.operations.exports import ExportLimits, Exports, Part, Question, limits_of
from gateway.operations.guard import Guard
from gateway.query.budget import DEFAULT_BUDGET
from gateway.query.plan import ReadPlan, Values
from gateway.settings import Settings
from gateway.sql.cache import StatementCache
from tests.support.asking import context_of, crm, read_request
from tests.support.fake_database import FakeDatabase

LIMITS = ExportLimits(most=2, limit_s=60, stall_s=1, spool_bytes=1_000_000)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first part of two rows; later ones of eight at most."""
    monkeypatch.setattr(exports, "FIRST_ROWS", 2)
    monkeypatch.setattr(exports, "MOST_ROWS", 8)


class Numbered(FakeDatabase):
    """A table of numbered rows, which answers as reading after a position or an offset expects it."""

    def __init__(self, number: int, text: str = "") -> None:
        super().__init__()
        self._rows = [(key, text) for key in range(1, number + 1)]

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Answer one part's statement."""
        self.log.append(" ".join(text.split()))
        *after, offset, limit = (int(str(value)) for value in parameters)
        first = (after[0] if after else 0) + offset
        return Outcome(self._rows[first : first + limit])


def question(target: str, *, is_paged: bool = False, embedded: int = DEFAULT_BUDGET.embedded) -> Question:
    request = read_request(crm(), target)
    context = replace(context_of(crm()), budget=replace(DEFAULT_BUDGET, embedded=embedded))
    return Question(request.intent, context, is_paged)


async def parts(database: FakeDatabase, asked: Question) -> list[Part]:
    statements = StatementCache(crm(), 100, None)
    return [part async for part in Exports(database, LIMITS).parts(statements, asked)]


def sizes(found: Sequence[Part]) -> list[int]:
    return [len(part) for part in found]


def ids(found: Sequence[Part]) -> list[object]:
    return [row["id"] for part in found for row in part.rows(0, len(part))]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, [0]), (1, [1]), (2, [2]), (3, [2, 1]), (10, [2, 8]), (11, [2, 8, 1]), (30, [2, 8, 8, 8, 4])],
)
async def test_parts_grow_to_their_largest_size(number: int, expected: list[int]) -> None:
    """The first is small, so that the first byte comes soon; there is always one, and each row is in one of them."""
    database = Numbered(number)
    found = await parts(database, question("leads?fields=id,name"))

    assert sizes(found) == expected
    assert ids(found) == list(range(1, number + 1))
    assert database.asked("SELECT") == len(expected)


async def test_nothing_is_held_between_parts() -> None:
    """Each part gives up its locks before it is handed on, and the snapshot ends with the last one."""
    database = Numbered(11)
    statements = StatementCache(crm(), 100, None)
    parts = Exports(database, LIMITS).parts(statements, question("leads?fields=id"))
    seen = [database.log[-1] async for _ in parts]
    kinds = ["read" if "SELECT" in line else line for line in database.log]

    assert seen == ["release"] * 3
    assert kinds == ["read", "release", "read", "release", "read", "release", "end of snapshot"]


async def test_long_texts_make_for_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part holds is bounded by its bytes, by those of the part before."""
    monkeypatch.setattr(exports, "MOST_PART_BYTES", 3_000)
    found = await parts(Numbered(10, "x" * 1_000), question("leads?fields=id,name"))

    assert sizes(found) == [2, 3, 3, 2]


async def test_wide_rows_make_for_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their cells."""
    monkeypatch.setattr(exports, "MOST_CELLS", 6)
    found = await parts(Numbered(10), question("leads?fields=id,name"))

    assert sizes(found) == [2, 3, 3, 2]


async def test_where_reading_is_slow_parts_are_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index each part costs a sort of the table: fewer parts are fewer sorts."""
    monkeypatch.setattr(exports, "MOST_CELLS", 6)
    monkeypatch.setattr(exports, "SLOW_S", -1.0)
    found = await parts(Numbered(19), question("leads?fields=id,name"))

    assert sizes(found) == [2, 8, 8, 1]


async def test_reading_goes_on_after_the_last_row_of_a_part() -> None:
    """By a condition that an index serves, not by an offset; the values of one moment hold for all parts."""
    database = Numbered(3)
    await parts(database, question("leads?fields=id"))
    first, second = (line for line in database.log if "SELECT" in line)

    assert "WHERE" not in first
    assert "WHERE t.id > %s ORDER BY t.id" in second


async def test_a_page_is_one_part() -> None:
    """As large as it was asked for, and no more is read."""
    database = Numbered(30)
    found = await parts(database, question("leads?fields=id,name&limit=20", is_paged=True))

    assert (sizes(found), database.asked("SELECT")) == ([20], 1)


async def test_cells_come_as_columns_without_an_object_per_row() -> None:
    """Decoded as the rows are."""
    (part,) = await parts(Numbered(2, "a"), question("leads?fields=id,name"))

    assert part.columns(0, 2) == [(1, 2), ("a", "a")]
    assert part.columns(1, 9) == [(2,), ("a",)]
    assert part.rows(1, 2) == [{"id": 2, "name": "a"}]


async def test_the_guard_judges_the_whole_and_not_the_first_part() -> None:
    """The statement of a part is cheap; what an export costs is the table."""
    database = Numbered(3)
    asked: list[object] = []

    class Judge:
        async def check(self, run: object, statement: object, plan: ReadPlan, values: Values) -> None:
            assert plan.limit is not None
            asked.append(values[plan.limit])

    statements = StatementCache(crm(), 100, None)
    judge = cast(Guard, Judge())
    _ = [part async for part in Exports(database, LIMITS).parts(statements, question("leads?fields=id"), judge)]

    assert asked == [2**62]


async def test_turns_are_given_back_however_an_export_ends() -> None:
    """At its end, by an error and by whoever stops early."""
    database = Numbered(30)
    served, statements = Exports(database, LIMITS), StatementCache(crm(), 100, None)
    asked = question("leads?fields=id")
    for _ in range(3):
        async with aclosing(served.parts(statements, asked)) as one, aclosing(served.parts(statements, asked)) as two:
            await anext(one)
            await anext(two)
            with pytest.raises(GatewayError) as caught:
                await anext(served.parts(statements, asked))
            assert (caught.value.code, caught.value.status) == ("exports_busy", 503)
    failing = FakeDatabase({"FROM tblleads": SchemaChangedError()})
    served = Exports(failing, LIMITS)
    for _ in range(3):
        with pytest.raises(SchemaChangedError):
            await anext(served.parts(statements, asked))


def test_limits_are_settings() -> None:
    """Each has its own."""
    settings = Settings(export_most=3, export_limit_s=4.0, export_stall_s=5.0, export_spool_bytes=70_000)

    assert limits_of(settings) == ExportLimits(3, 4.0, 5.0, 70_000)


def capped(asked: Question, most: int) -> Question:
    access = replace(asked.context.access, most_rows=most)
    return replace(asked, context=replace(asked.context, access=access))


@pytest.mark.parametrize(("number", "most"), [(0, 5), (5, 5), (7, 300)])
async def test_a_caller_whose_pages_are_capped_may_export_as_many_rows(number: int, most: int) -> None:
    """Which are then read at once, so that it is known before the first byte whether there are more."""
    database = Numbered(number)

    assert sizes(await parts(database, capped(question("leads?fields=id,name"), most))) == [number]
    assert database.asked("SELECT") == 1


@pytest.mark.parametrize("target", ["leads?fields=id,name", "leads?fields=id,name&sort=-name", "staff?fields=staffid"])
async def test_a_longer_export_is_refused_to_a_caller_whose_pages_are_capped(target: str) -> None:
    """Whole, and before anything of it is told; nothing more than one row beyond the cap is read."""
    database = Numbered(6)
    with pytest.raises(GatewayError, match=r"more than 5 rows.*per_page=5") as refused:
        await parts(database, capped(question(target), 5))

    assert refused.value.code == "rows_too_many"
    assert database.asked("SELECT") == 1


async def test_a_page_within_the_cap_is_exported_as_it_was_asked_for() -> None:
    """More rows follow, which nobody asked for."""
    assert sizes(await parts(Numbered(30), capped(question("leads?fields=id&limit=5", is_paged=True), 5))) == [5]


class Groups(FakeDatabase):
    """Six groups."""

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Answer with as many as are asked for."""
        return Outcome([(number, 1) for number in range(6)][: int(str(parameters[-1]))])


async def test_groups_are_capped_as_rows_are() -> None:
    """They are rows of the answer."""
    with pytest.raises(GatewayError) as refused:
        await parts(Groups(), capped(question("leads?group=status&metrics=count"), 5))
    found = await parts(Groups(), capped(question("leads?group=status&metrics=count"), 6))

    assert (refused.value.code, sizes(found)) == ("rows_too_many", [6])
