"""Mutations: the writes that REST makes, what is shown of their rows, and several of them in one transaction."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from gateway.errors import ConflictError, GatewayError, UnavailableError
from gateway.execution.database import Outcome, Parameters, Session
from gateway.execution.failures import FieldRefusal, ValueRefusedError
from gateway.operations.bulk import Circumstances
from gateway.operations.counts import Counts
from gateway.operations.fill import Fills
from gateway.operations.mutations import (
    ChangedRow,
    ChangedRows,
    DeletedRow,
    DeletedRows,
    Mutation,
    MutationResult,
    Mutations,
    NewRow,
    NewRows,
    Selection,
    TogetherError,
    Write,
    has_all,
)
from gateway.operations.reads import Reads
from gateway.operations.results import TAG_KEY, DeletedResult
from gateway.operations.tags import Tags
from gateway.operations.writes import MOST_TRIES, Writes
from gateway.query.bulk import PlannedUpsert, plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.deletes import plan_delete
from gateway.query.intent import ConditionIntent, ReadIntent, WriteIntent
from gateway.query.readback import plan_read_back
from gateway.query.writes import plan_create, plan_update
from gateway.sql.cache import StatementCache
from tests.support.asking import context_of, crm
from tests.support.fake_database import Answer, FakeDatabase

TAGS = crm().resources["tags"]
GIVEN = Circumstances(None, context_of(crm()).clock)
FILTER = (ConditionIntent(("id", "lte"), "9", "filter.id_lte"),)
WORDS = ("id", "name")
PLAIN = Selection(WORDS, is_tagged=True)
CONFLICT = ConflictError("write_conflict", "Another write held the row.")


class Numbered(FakeDatabase):
    """Numbers rows, and finds those whose keys are bound, the last one first; ``form`` is the key's where it is asked
    for beside a selection."""

    def __init__(self, form: Callable[[object], object] = lambda key: key) -> None:
        super().__init__()
        self.form = form

    def _answer(self, text: str, parameters: Parameters) -> Outcome:
        super()._answer(text, parameters)
        if text.startswith("INSERT"):
            return Outcome(last_id=said(self).count("INSERT"))
        columns = re.findall(r"t\.(\w+)", text.partition("FROM")[0])
        form = self.form if columns[0] == "name" else lambda key: key
        keys = list(dict.fromkeys(parameters))[::-1]
        return Outcome([tuple(form(key) if name == "id" else f"n{key}" for name in columns) for key in keys])


class Vanishing(FakeDatabase):
    """Finds a row where all its columns are asked for, and not where one is."""

    def _answer(self, text: str, parameters: Parameters) -> Outcome:
        super()._answer(text, parameters)
        return Outcome([(7, "b")] if text.startswith("SELECT t.id") else [])


class Uncertain(Numbered):
    """Loses its connection at commit."""

    @asynccontextmanager
    async def _transacted(self) -> AsyncIterator[Session]:
        yield self
        raise UnavailableError("outcome_unknown", "The connection died at commit.")


def running(script: Mapping[str, Answer] | FakeDatabase) -> tuple[Mutations, FakeDatabase]:
    database = script if isinstance(script, FakeDatabase) else FakeDatabase(dict(script))
    statements = StatementCache(crm(), 200, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    writes = Writes(database, statements, counts, Fills(crm(), statements, 0), Tags())
    return Mutations(writes, Reads(database, statements, counts, Tags())), database


def new(name: str = "new", selection: Selection | None = None, *, is_dry_run: bool = False) -> Mutation:
    planned = plan_create(context_of(crm()), WriteIntent("tags", values={"name": name}))
    return Mutation(TAGS, NewRow(PlannedUpsert(planned)), selection, is_dry_run)


def changed(key: str, selection: Selection | None = None) -> Mutation:
    planned = plan_update(context_of(crm()), WriteIntent("tags", (key,), {"name": "b"}))
    return Mutation(TAGS, ChangedRow(planned), selection)


def rows_of_tags(count: int) -> NewRows:
    intents = [WriteIntent("tags", values={"name": str(number)}) for number in range(count)]
    return NewRows(plan_rows(context_of(crm()), intents, None))


def reading(*fields: str) -> Selection:
    """A selection that is read by a plan of its own."""
    planned = plan_read_back(context_of(crm()), ReadIntent("tags", fields=fields))
    return Selection(fields, planned=planned)


def said(database: FakeDatabase) -> list[str]:
    return [text.split()[0] for text in database.log]


async def failed(call: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call  # type: ignore[misc]  # a coroutine of the mutations
    return caught.value


# One mutation


@pytest.mark.parametrize("selection", [None, PLAIN])
async def test_a_create_is_as_few_statements_as_rests(selection: Selection | None) -> None:
    """No transaction, and what is selected is in what the write reads back."""
    mutations, database = running({"INSERT": Outcome(last_id=9), "SELECT": [(9, "new")]})

    result = await mutations.run(new(selection=selection), GIVEN)

    shown = {"id": 9, "name": "new", TAG_KEY: Tags().of((9, "new"))}
    assert result == MutationResult(((9,),), (shown,) if selection else ())
    assert said(database) == ["INSERT", "SELECT"]


async def test_a_selection_of_more_is_read_in_the_transaction() -> None:
    """After the write and before its end: what reading it meets takes the write back."""
    mutations, database = running({"INSERT": Outcome(last_id=9), "SELECT": [(9, "new")]})

    result = await mutations.run(new(selection=reading("id", "name")), GIVEN)

    assert result.rows == ({"id": 9, "name": "new"},)
    assert said(database) == ["INSERT", "SELECT", "SELECT", "commit"]
    assert database.bound[-1] == (9,)


async def test_a_dry_run_is_read_before_it_is_taken_back() -> None:
    """The answer is what would be there."""
    mutations, database = running({"INSERT": Outcome(last_id=9), "SELECT": [(9, "new")]})

    result = await mutations.run(new(selection=reading("name"), is_dry_run=True), GIVEN)

    assert result.rows == ({"name": 9},)  # the script answers every read alike
    assert said(database)[-2:] == ["SELECT", "rollback"]


async def test_rows_of_an_array_are_read_together() -> None:
    """By one statement, whatever their number; each in its place, whatever the order they come in."""
    mutations, database = running(Numbered())
    mutation = Mutation(TAGS, rows_of_tags(3), reading("name", "id"))

    result = await mutations.run(mutation, GIVEN)

    assert [row and row["id"] for row in result.rows] == [1, 2, 3]
    assert result.keys == ((1,), (2,), (3,))
    assert said(database) == ["INSERT", "INSERT", "INSERT", "SELECT", "SELECT", "commit"]
    assert database.bound[-1] == (1, 2, 3, 3)


async def test_keys_that_the_driver_reads_in_another_form_are_read_one_by_one() -> None:
    """Text that a database pads, or a day that it hands out as text."""
    mutations, database = running(Numbered(form=str))

    result = await mutations.run(Mutation(TAGS, rows_of_tags(2), reading("name")), GIVEN)

    assert [row and row["name"] for row in result.rows] == ["n1", "n2"]
    assert said(database) == ["INSERT", "INSERT", *["SELECT"] * 4, "commit"]


async def test_a_row_that_is_gone_when_it_is_read_is_looked_for_again() -> None:
    """It was there already and was left alone, so that nothing held it."""
    planned = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 7, "name": "x"}), "ignore")
    mutations, database = running(Vanishing())

    error = await failed(mutations.run(Mutation(TAGS, NewRow(planned), reading("name")), GIVEN))

    assert error.code == "write_conflict"
    assert said(database) == ["SELECT", "SELECT", "rollback"] * MOST_TRIES


async def test_a_row_that_is_left_alone_is_shown_as_it_is() -> None:
    """One read, where that has all that is selected."""
    mutations, database = running({"SELECT": [(7, "old")]})
    planned = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 7, "name": "x"}), "ignore")

    result = await mutations.run(Mutation(TAGS, NewRow(planned), PLAIN), GIVEN)

    assert result.rows == ({"id": 7, "name": "old", TAG_KEY: Tags().of((7, "old"))},)
    assert said(database) == ["SELECT", "commit"]


async def test_a_change_and_a_removal_of_one_row() -> None:
    """Lock, write, read; and of a removal the counts of what depends on the row, none here."""
    mutations, database = running({"FOR UPDATE": [(7,)], "SELECT": [(7, "b")]})
    result = await mutations.run(changed("7", PLAIN), GIVEN)
    assert (result.keys, result.rows[0]) == (((7,),), {"id": 7, "name": "b", TAG_KEY: Tags().of((7, "b"))})
    assert said(database) == ["SELECT", "UPDATE", "SELECT", "commit"]

    mutations, database = running({"FOR UPDATE": [(7,)]})
    planned = plan_delete(context_of(crm()), WriteIntent("tags", ("7",)))
    gone = await mutations.run(Mutation(TAGS, DeletedRow(planned, ("7",))), GIVEN)
    assert gone == MutationResult((("7",),), deleted=DeletedResult(1))
    assert database.log[-1] == "commit"


async def test_rows_that_a_filter_chooses() -> None:
    """As many as are found; none are none, and nothing is read of them."""
    found: Answer = [(7,)]
    for script, keys in (({"FOR UPDATE": found, "SELECT": [(7, "b")]}, ((7,),)), ({}, ())):
        change = plan_bulk_update(context_of(crm()), WriteIntent("tags", (), {"name": "b"}), FILTER, 2)
        mutations, _ = running(script)
        result = await mutations.run(Mutation(TAGS, ChangedRows(change), reading("name")), GIVEN)
        assert (result.keys, len(result.rows)) == (keys, len(keys))

        removal = plan_bulk_delete(context_of(crm()), "tags", FILTER, 2)
        mutations, _ = running(script)
        gone = await mutations.run(Mutation(TAGS, DeletedRows(removal)), GIVEN)
        assert gone.keys == keys
        assert gone.deleted is not None
        assert gone.deleted.affected == len(keys)


def test_what_comes_back_has_it_all_or_not() -> None:
    """By every way that a write may take: new, found and changed."""
    table = TAGS
    upsert = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 7, "name": "x"}), "update")
    writes: tuple[Write, ...] = (NewRow(upsert), rows_of_tags(2), changed("7").write)
    other = crm().resources["staff"].columns[0]

    for write in writes:
        assert has_all(write, table.columns)
        assert not has_all(write, (table.columns[0], other))


# Several


async def test_several_share_one_transaction() -> None:
    """In their order."""
    mutations, database = running(Numbered())

    results = await mutations.run_together([new("a", PLAIN), new("b")], GIVEN)

    assert [result.keys for result in results] == [((1,),), ((2,),)]
    assert said(database) == ["INSERT", "SELECT", "INSERT", "SELECT", "commit"]


async def test_several_dry_runs_are_taken_back_together() -> None:
    """The second one sees what the first one did."""
    mutations, database = running(Numbered())

    await mutations.run_together([new("a", is_dry_run=True), new("b", is_dry_run=True)], GIVEN)

    assert said(database)[-1] == "rollback"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ConflictError("duplicate", "A row with the same value exists."), "duplicate"),
        (ValueRefusedError(FieldRefusal("name", "too_long")), "fields_invalid"),
    ],
)
async def test_the_one_at_fault_is_named(failure: GatewayError, code: str) -> None:
    """By its number, with the field where the database refuses a value; all others are taken back."""
    mutations, database = running({"UPDATE": [(7,)], "INSERT": failure, "SELECT": [(7, "b")]})

    with pytest.raises(TogetherError) as caught:
        await mutations.run_together([changed("7"), new("a")], GIVEN)

    assert (caught.value.number, caught.value.error.code) == (1, code)
    assert [issue.pointer for issue in caught.value.error.issues] == (["/name"] if code == "fields_invalid" else [])
    assert said(database)[-2:] == ["INSERT", "rollback"]
    assert "commit" not in database.log


async def test_the_whole_is_run_again_where_locks_are_met() -> None:
    """From its first mutation on: the server has taken back all of it."""
    mutations, database = running({"INSERT": CONFLICT})

    with pytest.raises(TogetherError) as caught:
        await mutations.run_together([new("a"), new("b")], GIVEN)

    assert (caught.value.number, caught.value.error.code) == (0, "write_conflict")
    assert said(database) == ["INSERT", "rollback"] * MOST_TRIES


async def test_a_failed_commit_is_nobodys_fault() -> None:
    """None of the mutations is named."""
    mutations, _ = running(Uncertain())

    with pytest.raises(TogetherError) as caught:
        await mutations.run_together([new("a")], GIVEN)

    assert (caught.value.number, caught.value.error.code) == (None, "outcome_unknown")


@pytest.mark.parametrize(("rows", "number"), [("NewRow", 3), ("NewRows", 3), ("none", 1)])
async def test_rows_that_may_be_there_are_looked_for_again(rows: str, number: int) -> None:
    """A duplicate may be one that came to be meanwhile; without a row that is looked for it is final."""
    mutations, database = running({"INSERT": ConflictError("duplicate", "There is one.")})
    upsert = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 1, "name": "x"}), "update")
    mutation = {
        "NewRow": Mutation(TAGS, NewRow(upsert)),
        "NewRows": Mutation(TAGS, NewRows((upsert,))),
        "none": new("x"),
    }[rows]

    with pytest.raises(TogetherError):
        await mutations.run_together([mutation], GIVEN)

    assert said(database).count("rollback") == number
