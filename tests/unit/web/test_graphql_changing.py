"""Mutations of a document: in their order or together, what fails, what ends the rest, and what is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.errors import ConflictError, GatewayError, SchemaChangedError, UnavailableError
from gateway.execution.database import Outcome
from gateway.execution.failures import (
    CommitCutError,
    FieldRefusal,
    ValueRefusedError,
    database_away,
    database_busy,
    outcome_unknown,
    statement_timeout,
)
from gateway.graphql.steps import ChangeStep
from gateway.observe import Event, RequestFailed
from gateway.settings import Settings
from gateway.web.exchange import Written
from gateway.web.graphql.changing import AtomicError, Changed, run_changes
from gateway.web.graphql.running import Telling
from gateway.web.service import Service, make_service
from tests.support.asking import ALL, crm_of_fields
from tests.support.fake_database import Answer, FakeDatabase
from tests.support.graphql_plans import vocabulary_of
from tests.unit.graphql.test_changes import part, step, table

SCRIPT: Mapping[str, Answer] = {"INSERT": Outcome(last_id=9), "FOR UPDATE": [(7,)], "SELECT": [(9, "a")]}
DUPLICATE = ConflictError("duplicate", "There is one.")
NAMES = vocabulary_of(crm_of_fields())


def create(name: str = "a", **arguments: Any) -> ChangeStep:
    return step("createTag", part(table("tags"), "id"), input={"name": name}, **arguments)


def update(**arguments: Any) -> ChangeStep:
    return step("updateTag", part(table("tags"), "id"), id=7, input={"name": "b"}, **arguments)


REFUSED = step("createTag", part(table("tags"), "id"), input={"name": None})


def serving(script: Mapping[str, Answer] | FakeDatabase) -> tuple[Service, FakeDatabase]:
    database = script if isinstance(script, FakeDatabase) else FakeDatabase(dict(script))
    return make_service(crm_of_fields(), database, Settings(), lambda event: None), database


async def run(
    script: Mapping[str, Answer] | FakeDatabase, *steps: ChangeStep, is_atomic: bool = False
) -> tuple[tuple[Changed, ...], list[Written]]:
    service, _ = serving(script)
    noted: list[Written] = []
    telling = Telling(lambda event: None, "request")
    found = await run_changes(service, ALL, NAMES, steps, telling, is_atomic=is_atomic, note=noted.append)
    assert noted == [each for changed in found for each in changed.written]
    return found, noted


def codes(found: tuple[Changed, ...]) -> list[str | None]:
    return [changed.error.code if changed.error is not None else None for changed in found]


async def test_mutations_run_in_the_order_of_the_document() -> None:
    """Each with its value and its record."""
    database = FakeDatabase(dict(SCRIPT))

    found, noted = await run(database, create(), update())

    assert [changed.value for changed in found] == [{"id": 9}, {"id": 9}]
    assert noted == [Written("tags", "create", "9", outcome="done"), Written("tags", "update", "7", outcome="done")]
    assert [text.split()[0] for text in database.log] == ["INSERT", "SELECT", "SELECT", "UPDATE", "SELECT", "commit"]


async def test_one_that_fails_leaves_the_others_alone() -> None:
    """GraphQL, October 2021, section 6.2.2; what is at fault is recorded with its code."""
    found, noted = await run(SCRIPT, create(), REFUSED, create())

    assert codes(found) == [None, "fields_invalid", None]
    assert noted[1] == Written("tags", "create", "", 0, code="fields_invalid")


async def test_what_is_tried_out_is_recorded_so() -> None:
    """One record, of no rows."""
    found, noted = await run(SCRIPT, update(dryRun=True), create(dryRun=True))

    assert codes(found) == [None, None]
    assert noted == [Written("tags", "update", "7", 0, "dry_run"), Written("tags", "create", "", 0, "dry_run")]


async def test_each_row_of_a_plural_form_is_recorded() -> None:
    """And that there was none."""
    given: dict[str, Any] = {"filter": {"id": 7}, "maxAffected": 5}
    found, noted = await run(
        {"FOR UPDATE": [(7,)], "SELECT": [(7, "b")]},
        step("updateTags", **given, input={"name": "b"}),
        step("deleteTags", **given),
    )
    assert codes(found) == [None, None]
    assert [(each.operation, each.row, each.rows) for each in noted] == [("update", "7", 1), ("delete", "7", 1)]

    _, noted = await run({}, step("deleteTags", **given))
    assert noted == [Written("tags", "delete", "", 0, "done")]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (database_away(), "database_away"),
        (database_busy(), "database_busy"),
        (statement_timeout(), "statement_timeout"),
        (outcome_unknown(), "database_away"),
    ],
)
async def test_a_database_that_does_not_answer_is_not_asked_again(failure: GatewayError, code: str) -> None:
    """The rest has not begun, and says so: the outcome of what was not begun is known."""
    database = FakeDatabase({"INSERT": failure})

    found, noted = await run(database, create(), create(), create())

    assert codes(found) == [failure.code, code, code]
    assert len(database.log) == 1
    assert isinstance(found[2].error, UnavailableError)
    assert "was not begun" in found[2].error.detail
    assert "Retry-After" in found[2].error.headers
    assert [each.rows for each in noted] == [0, 0, 0]


async def test_who_acts_is_one_mutations_trouble() -> None:
    """Another one needs nobody."""
    nobody = UnavailableError("no_acting_staff", "There is nobody.")
    found, _ = await run({**SCRIPT, "INSERT": nobody}, create(), update())

    assert codes(found) == ["no_acting_staff", None]


async def test_a_changed_table_is_mended_where_nothing_was_written() -> None:
    """Then all of the document can be run again; else the mutation has the error, and no other runs twice."""
    with pytest.raises(SchemaChangedError):
        await run({"INSERT": SchemaChangedError()}, REFUSED, create())
    with pytest.raises(SchemaChangedError):
        await run({"INSERT": SchemaChangedError()}, create(), create(), is_atomic=True)

    found, _ = await run({**SCRIPT, "INSERT": SchemaChangedError()}, update(), create())
    assert codes(found) == [None, "schema_changed"]
    with pytest.raises(SchemaChangedError):
        await run({**SCRIPT, "INSERT": SchemaChangedError()}, update(dryRun=True), create())


class Slow(FakeDatabase):
    """Never comes to the end of an insert."""

    async def write(self, text: str, parameters: tuple[object, ...] = ()) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(("first", "kind"), [(update(), CommitCutError), (REFUSED, asyncio.CancelledError)])
async def test_who_is_ended_in_the_middle_may_have_written(first: ChangeStep, kind: type[BaseException]) -> None:
    """So nobody may be told that nothing was changed; its records are there."""
    noted: list[Written] = []
    service, _ = serving(Slow(dict(SCRIPT)))
    telling = Telling(lambda event: None, "request")
    task = asyncio.create_task(run_changes(service, ALL, NAMES, [first, create()], telling, note=noted.append))
    while not noted:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert type(caught.value) is kind
    assert len(noted) == 1


class Committing(FakeDatabase):
    """Is asked to commit the first insert, and is still at it when its caller is ended."""

    async def write(self, text: str, parameters: tuple[object, ...] = ()) -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise CommitCutError from error
        raise AssertionError


@pytest.mark.parametrize(("kind", "became"), [(Slow, "was taken back"), (Committing, "may have happened")])
async def test_who_is_ended_in_the_middle_hears_how_far_it_came(kind: type[FakeDatabase], became: str) -> None:
    """Which mutations were run and which not, and what is known of the one between."""
    noted: list[Written] = []
    service, _ = serving(kind(dict(SCRIPT)))
    telling = Telling(lambda event: None, "request")
    steps = [update(), update(), create(), update()]
    task = asyncio.create_task(run_changes(service, ALL, NAMES, steps, telling, note=noted.append))
    while len(noted) < 2:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(CommitCutError) as caught:
        await task

    assert caught.value.failure.code == "outcome_unknown"
    assert "first 2 of its 4 mutations were run, to the end of `updateTag`" in caught.value.failure.detail
    assert f"`createTag` {became}" in caught.value.failure.detail


async def test_a_mistake_of_ours_is_told_as_one() -> None:
    """The administrator hears of it, and the other mutations are run."""
    events: list[Event] = []
    service, _ = serving({**SCRIPT, "INSERT": ZeroDivisionError("x")})

    found = await run_changes(service, ALL, NAMES, [create(), update()], Telling(events.append, "request"))

    assert codes(found) == ["internal", None]
    assert [type(event) for event in events] == [RequestFailed]


# In one transaction


async def refused(script: Mapping[str, Answer] | FakeDatabase, *steps: ChangeStep) -> AtomicError:
    service, _ = serving(script)
    noted: list[Written] = []
    with pytest.raises(AtomicError) as caught:
        await run_changes(
            service, ALL, NAMES, steps, Telling(lambda event: None, "request"), is_atomic=True, note=noted.append
        )
    assert tuple(noted) == caught.value.written
    return caught.value


async def test_mutations_can_share_a_transaction() -> None:
    """Then all are done, and recorded after it."""
    database = FakeDatabase(dict(SCRIPT))

    found, noted = await run(database, update(), create(), is_atomic=True)

    assert [changed.value for changed in found] == [{"id": 9}, {"id": 9}]
    assert [each.outcome for each in noted] == ["done", "done"]
    assert [text for text in database.log if text in ("commit", "rollback")] == ["commit"]


async def test_the_first_that_fails_takes_all_back() -> None:
    """It alone is named, the field at fault by the schema's name; of the others it is on record that nothing came."""
    database = FakeDatabase({**SCRIPT, "INSERT": ValueRefusedError(FieldRefusal("name", "too_long"))})
    steps = (update(), create(), update())

    error = await refused(database, *steps)

    assert error.step is steps[1]
    assert (error.error.code, error.is_rolled_back) == ("fields_invalid", True)
    assert error.error.issues[0].pointer == "/name"
    assert error.written == (
        Written("tags", "update", "7", 0, "rolled_back"),
        Written("tags", "create", "", 0, code="fields_invalid"),
        Written("tags", "update", "7", 0, "rolled_back"),
    )
    assert database.log[-1] == "rollback"


async def test_what_cannot_be_planned_begins_no_transaction() -> None:
    """A fault that is plain to see costs the database nothing."""
    database = FakeDatabase(dict(SCRIPT))

    error = await refused(database, update(), REFUSED)

    assert (error.error.code, database.log) == ("fields_invalid", [])


@pytest.mark.parametrize("order", [(True, False), (False, True)])
async def test_a_transaction_is_tried_out_as_a_whole_or_not_at_all(order: tuple[bool, bool]) -> None:
    """What would become of half of it, nobody meant."""
    steps = tuple(update(dryRun=word) for word in order)

    error = await refused(SCRIPT, *steps)

    assert error.step is steps[1]
    assert (error.error.code, error.error.issues[0].parameter) == ("parameter_conflict", "dryRun")


async def test_a_transaction_that_is_tried_out_is_taken_back() -> None:
    """Its answer is what would be there."""
    database = FakeDatabase(dict(SCRIPT))

    found, noted = await run(database, update(dryRun=True), create(dryRun=True), is_atomic=True)

    assert [changed.value for changed in found] == [{"id": 9}, {"id": 9}]
    assert [each.outcome for each in noted] == ["dry_run", "dry_run"]
    assert database.log[-1] == "rollback"


async def test_a_database_that_is_away_is_no_mutations_fault() -> None:
    """Nothing was begun, of each of them; an unknown outcome is not called a rollback."""

    class Away(FakeDatabase):
        def transaction(self) -> Any:
            raise database_away()

    error = await refused(Away(), create(), create())

    assert (error.step, error.error.code, error.is_rolled_back) == (None, "database_away", True)
    assert [(each.code, each.outcome) for each in error.written] == [("database_away", "")] * 2
    assert not AtomicError(outcome_unknown(), None).is_rolled_back
