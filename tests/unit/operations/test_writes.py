"""Planned writes in one transaction: all of it or nothing, and what the database alone can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gateway.errors import ConflictError, ForbiddenError, GatewayError, NotFoundError, UnavailableError, ValidationError
from gateway.execution.database import Outcome
from gateway.execution.failures import FieldRefusal, ValueRefusedError
from gateway.operations.counts import Counts
from gateway.operations.fill import ADMIN_REUSE_S, Fills
from gateway.operations.results import WrittenResult
from gateway.operations.tags import Tags
from gateway.operations.writes import Writes
from gateway.query.access import OPERATIONS, Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.query.writes import PlannedWrite
from gateway.sql.cache import StatementCache
from tests.support.asking import ALL, context_of, crm, granted, write
from tests.support.catalogs import exposure_of, make_catalog, perfex_catalog, reflected
from tests.support.fake_database import Answer, FakeDatabase

TAGS = granted(tags=Grant(frozenset(OPERATIONS), row_filter=(ConditionIntent(("name",), "mine", "row filter"),)))


CLOCK = context_of(crm()).clock


class Writing:
    """Writes on a scripted database."""

    def __init__(self, script: dict[str, Answer], staff_id: int = 0) -> None:
        self.database = FakeDatabase(script)
        self.now = 0.0
        statements = StatementCache(crm(), 200, None)
        self.counts = Counts(
            self.database, statements, lambda event: None, deadline_s=5.0, reuse_s=60.0, most_running=1
        )
        fills = Fills(crm(), statements, staff_id, lambda: self.now)
        self.writes = Writes(self.database, statements, self.counts, fills, Tags())

    @property
    def end(self) -> str:
        return self.database.log[-1]

    async def create(
        self, resource: str, body: Mapping[str, object], access: Access = ALL, staff: int | None = None
    ) -> WrittenResult:
        return await self.writes.create(planned("POST", resource, body, access), staff, CLOCK)

    async def update(self, target: str, body: Mapping[str, object], access: Access = ALL) -> WrittenResult:
        return await self.writes.update(planned("PATCH", target, body, access), None, CLOCK)

    async def delete(self, target: str, access: Access = ALL) -> None:
        await self.writes.delete(planned("DELETE", target, {}, access), None, CLOCK)

    def inserted(self) -> tuple[object, ...]:
        """Return what the insert was bound to."""
        position = next(number for number, text in enumerate(self.database.log) if text.startswith("INSERT"))
        return self.database.bound[position]


def planned(method: str, target: str, body: Mapping[str, object], access: Access) -> PlannedWrite:
    return write(crm(), method, target, json.dumps(body).encode(), access)


async def failed(call: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call  # type: ignore[misc]  # a coroutine of `Writing`
    return caught.value


# Creates


async def test_a_new_row_is_read_back_by_the_key_of_its_insert() -> None:
    """A create of one statement needs no transaction: two round trips."""
    writing = Writing({"INSERT": Outcome(affected=1, last_id=9), "SELECT": [(9, "new")]})

    assert await writing.create("tags", {"name": "new"}) == WrittenResult(
        {"id": 9, "name": "new"}, (9,), Tags().of((9, "new")), is_new=True, stored_key=(9,)
    )
    assert [text.split()[0] for text in writing.database.log] == ["INSERT", "SELECT"]
    assert writing.database.bound == [("new",), (9,)]


async def test_a_create_that_may_have_to_be_taken_back_is_a_transaction() -> None:
    """With a row filter, the row is read back before it is kept."""
    writing = Writing({"INSERT": Outcome(affected=1, last_id=9), "SELECT": [(9, "mine")]})

    await writing.create("tags", {"name": "mine"}, TAGS)
    assert [text.split()[0] for text in writing.database.log] == ["INSERT", "SELECT", "commit"]


async def test_a_failed_write_leaves_nothing() -> None:
    """It is rolled back, and counts from before it are forgotten all the same."""
    duplicate = ConflictError("duplicate", "A row with the same unique value exists.")
    writing = Writing({"INSERT": duplicate})
    epoch = writing.counts._epoch

    assert (await failed(writing.create("tags", {"name": "new"}, TAGS))).code == "duplicate"
    assert writing.end == "rollback"
    assert writing.counts._epoch == epoch + 1


@pytest.mark.parametrize("code", ["database_away", "database_busy", "statement_timeout"])
async def test_a_stored_row_that_cannot_be_read_back_is_no_failed_write(code: str) -> None:
    """The client is told that it may be there, and not that nothing was changed."""
    away = UnavailableError(code, "The database cannot be reached.", headers={"Retry-After": "1"})
    writing = Writing({"INSERT": Outcome(last_id=9), "SELECT": away})

    error = await failed(writing.create("tags", {"name": "new"}))
    assert (error.code, error.headers["Retry-After"]) == ("outcome_unknown", "1")


async def test_a_stored_row_that_is_gone_again_is_told() -> None:
    """Another write was faster than the reading back; sending it again would store it twice."""
    writing = Writing({"INSERT": Outcome(last_id=9), "SELECT": []})

    assert (await failed(writing.create("tags", {"name": "new"}))).code == "outcome_unknown"


async def test_the_acting_administrator_is_remembered_for_a_moment() -> None:
    """The second of two creates asks nothing before its insert."""
    writing = Writing({"INSERT": Outcome(last_id=9), "FROM tblstaff": [(3,)], "SELECT": [(9,)]})
    body = {"rel_type": "customer", "rel_id": 1, "description": "x"}
    access = granted(notes=Grant(frozenset(OPERATIONS), readable=frozenset({"id"})))

    await writing.create("notes", body, access)
    first = len(writing.database.log)
    await writing.create("notes", body, access)

    assert [text.split()[0] for text in writing.database.log[first:]] == ["INSERT", "SELECT"]


async def test_a_new_row_outside_the_row_filter_is_rolled_back() -> None:
    """A write must satisfy it afterwards."""
    writing = Writing({"INSERT": Outcome(last_id=9)})

    error = await failed(writing.create("tags", {"name": "yours"}, TAGS))
    assert (type(error), writing.end) == (ForbiddenError, "rollback")


async def test_a_value_that_only_the_database_refuses_is_named() -> None:
    """Where it is one that the plan wrote by name."""
    for column, pointers in (("name", ["/name"]), ("hidden", []), (None, [])):
        refusal = ValueRefusedError(FieldRefusal(column, "too_long"))
        error = await failed(Writing({"INSERT": refusal}).create("tags", {"name": "x"}))

        assert (error.code, [issue.pointer for issue in error.issues]) == ("fields_invalid", pointers)


# What the database alone can tell


LEADS: dict[str, Answer] = {
    "INSERT INTO tblleads": Outcome(last_id=5),
    "t.firstname": [("Ada", "Admin")],
    "FROM tblleads AS": [(5,)],
    "FROM tblleads_sources": [(8,)],
    "FROM tblstaff": [(3,)],
}
LEAD_ACCESS = granted(leads=Grant(frozenset(OPERATIONS), readable=frozenset({"id"})))


async def lead(
    script: Mapping[str, Answer], staff_id: int = 0, staff: int | None = None, **values: object
) -> tuple[object, ...]:
    """Return status, source and acting staff of a new lead."""
    writing = Writing({**LEADS, **script}, staff_id)
    await writing.create("leads", {"name": "x", **values}, LEAD_ACCESS, staff)
    return writing.inserted()[-3:]


async def test_defaults_come_from_the_crms_options() -> None:
    """The options that staff set."""
    assert await lead({"FROM tbloptions": [("4",)]}) == (4, 4, 3)


@pytest.mark.parametrize("value", ["", "0", "x", "\u00b2", None])
async def test_without_an_option_the_first_status_and_source_are_taken(value: str | None) -> None:
    """Ordinary statuses before default ones; an option that is no number is none."""
    script: dict[str, Answer] = {"FROM tbloptions": [(value,)], "isdefault": [(2,)]}

    assert await lead(script) == (2, 8, 3)


async def test_a_crm_with_default_statuses_only_takes_one_of_them() -> None:
    """Any is better than none."""
    assert await lead({"isdefault = ": [], "FROM tblleads_status": [(1,)]}) == (1, 8, 3)


async def test_a_crm_without_statuses_asks_for_one() -> None:
    """There is nothing to choose from."""
    error = await failed(Writing(LEADS).create("leads", {"name": "x"}, LEAD_ACCESS))

    assert [(issue.pointer, issue.code) for issue in error.issues] == [("/status", "required")]


async def test_who_acts_is_the_tokens_staff_then_the_settings_then_an_administrator() -> None:
    """In that order, and the database is asked only for the last."""
    script: dict[str, Answer] = {"FROM tbloptions": [("4",)]}

    assert (await lead(script, 6, 7))[-1] == 7
    assert (await lead(script, 6, None))[-1] == 6
    assert (await lead(script, 0, None))[-1] == 3


async def test_the_administrator_is_asked_for_again_after_a_while() -> None:
    """Most creates need one."""
    writing = Writing({**LEADS, "FROM tbloptions": [("4",)]})
    for moment in (0.0, ADMIN_REUSE_S / 2, ADMIN_REUSE_S * 2):
        writing.now = moment
        await writing.create("leads", {"name": "x"}, LEAD_ACCESS)

    assert writing.database.asked("t.admin = ") == 2


async def test_without_anyone_to_act_a_write_is_not_possible_now() -> None:
    """503, with what to do about it; nothing is written."""
    writing = Writing({**LEADS, "FROM tblstaff": []})
    error = await failed(writing.create("leads", {"name": "x", "status": 1, "source": 1}))

    assert isinstance(error, UnavailableError)
    assert (error.code, error.headers["Retry-After"], writing.end) == ("no_acting_staff", "60", "rollback")
    assert "GATEWAY_STAFF_ID" in error.detail
    assert writing.database.asked("INSERT") == 0


async def test_a_currency_is_the_customers_or_the_base_one() -> None:
    """Expenses are in the currency their customer pays in."""
    expense = {"category": 1, "amount": 5, "date": "2026-01-01"}
    access = granted(expenses=Grant(frozenset(OPERATIONS), readable=frozenset({"id"})))
    base: dict[str, Answer] = {
        "INSERT": Outcome(last_id=5),
        "FROM tblexpenses": [(5,)],
        "FROM tblstaff": [(3,)],
        "FROM tblcurrencies": [(1,)],
    }
    own: dict[str, Answer] = {**base, "FROM tblclients": [(2,)]}

    for script, client, asked in ((own, 12, 0), (base, 12, 1), (own, None, 1)):
        writing = Writing(dict(script))
        body = expense if client is None else {**expense, "clientid": client}
        await writing.create("expenses", body, access)
        assert writing.database.asked("FROM tblcurrencies") == asked
        assert (1 if asked else 2) in writing.inserted()


async def test_a_table_that_is_not_there_tells_nothing() -> None:
    """An older CRM: the field must be given then."""
    catalog = perfex_catalog(exposure_of("tags"))
    fills = Fills(catalog, StatementCache(catalog, 10, None), 0)

    assert await fills._first(FakeDatabase(), "nowhere", "id", []) is None


# Changes


async def test_a_change_locks_writes_and_reads() -> None:
    """In this order, in one transaction."""
    writing = Writing({"FOR UPDATE": [(7,)], "SELECT": [(7, "b")]})

    assert await writing.update("tags/7", {"name": "b"}) == WrittenResult(
        {"id": 7, "name": "b"}, (7,), Tags().of((7, "b")), stored_key=(7,)
    )
    assert [text.split()[0] for text in writing.database.log] == ["SELECT", "UPDATE", "SELECT", "commit"]


async def test_a_change_that_changes_nothing_is_no_failure() -> None:
    """MySQL says that no row was affected; the row is there all the same."""
    writing = Writing({"FOR UPDATE": [(7,)], "UPDATE tbltags": Outcome(affected=0), "SELECT": [(7, "b")]})

    assert (await writing.update("tags/7", {"name": "b"})).row == {"id": 7, "name": "b"}
    assert (await writing.update("tags/7", {})).row == {"id": 7, "name": "b"}


async def test_a_key_that_several_rows_have_is_refused() -> None:
    """Which of them is meant is not ours to say; nothing is written."""
    writing = Writing({"FOR UPDATE": [(7,), (7,)]})

    for call in (writing.update("tags/7", {"name": "b"}), writing.delete("tags/7")):
        error = await failed(call)
        assert (error.code, writing.end) == ("key_ambiguous", "rollback")
    assert writing.database.asked("UPDATE tbltags") == writing.database.asked("DELETE") == 0


async def test_a_row_without_a_key_is_written_and_not_shown() -> None:
    """There is no way to find it again."""
    catalog = make_catalog(reflected("log", "text varchar(20)", key=()))
    database, statements = FakeDatabase(), StatementCache(catalog, 10, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    writes = Writes(database, statements, counts, Fills(catalog, statements, 0), Tags())
    made = write(catalog, "POST", "log", b'{"text": "x"}')

    assert await writes.create(made, None, CLOCK) == WrittenResult({}, (), is_new=True)
    assert [text.split()[0] for text in database.log] == ["INSERT"]


async def test_a_refusal_of_the_database_while_deleting_is_told_as_it_is() -> None:
    """A delete writes no column by name."""
    refusal = ValueRefusedError(FieldRefusal("name", "type"))
    error = await failed(Writing({"FOR UPDATE": [(7,)], "DELETE": refusal}).delete("tags/7"))

    assert error is refusal


async def test_a_missing_row_is_not_found() -> None:
    """Nor is one outside the row filter: the lock looks at it."""
    for target, access in (("tags/7", ALL), ("tags/7", TAGS)):
        writing = Writing({})
        error = await failed(writing.update(target, {"name": "b"}, access))
        assert (type(error), writing.end) == (NotFoundError, "rollback")
        assert writing.database.asked("UPDATE tbltags") == 0
        assert isinstance(await failed(writing.delete(target, access)), NotFoundError)


async def test_a_row_that_leaves_the_row_filter_is_rolled_back() -> None:
    """A write must satisfy it before and after."""
    writing = Writing({"FOR UPDATE": [(7,)]})

    error = await failed(writing.update("tags/7", {"name": "yours"}, TAGS))
    assert (type(error), writing.end) == (ForbiddenError, "rollback")
    assert (
        "tbltags.name"
        not in next(text for text in writing.database.log if text.startswith("UPDATE")).partition("WHERE")[2]
    )


async def test_a_read_only_field_may_be_sent_back_as_it_is() -> None:
    """Equal by value; another value is at fault, and only that one is named."""
    script: dict[str, Answer] = {"FOR UPDATE": [(7,)], "SELECT": [(7, "b")]}

    assert (await Writing(script).update("tags/7", {"id": "7", "name": "b"})).key == (7,)
    writing = Writing(script)
    error = await failed(writing.update("tags/7", {"id": 8, "name": "b"}))
    assert isinstance(error, ValidationError)
    assert [(issue.pointer, issue.code) for issue in error.issues] == [("/id", "read_only")]
    assert (error.detail, writing.end) == ("Fields are at fault: id.", "rollback")


# Deletes


async def test_a_row_is_deleted_with_what_it_owns() -> None:
    """Locked first."""
    writing = Writing({"FOR UPDATE": [(7,)]})
    await writing.delete("tags/7")

    assert [" ".join(text.split()[:3]) for text in writing.database.log] == [
        "SELECT t.id FROM",
        "DELETE FROM tbltaggables",
        "DELETE FROM tbltags",
        "commit",
    ]


async def test_dependants_block_a_delete() -> None:
    """Counted per resource up to a hundred; nothing is deleted."""
    writing = Writing({"FOR UPDATE": [(7,)], "FROM tblexpenses": [(1,)] * 101})
    error = await failed(writing.delete("expenses_categories/7"))

    assert (error.code, writing.end) == ("dependants", "rollback")
    assert "expenses (100+)" in error.detail
    assert [(issue.code, issue.message) for issue in error.issues] == [
        ("dependant", "expenses: 100+ rows depend on this one")
    ]
    assert writing.database.asked("DELETE") == 0


async def test_dependants_the_caller_may_not_read_are_summed_up() -> None:
    """Their tables are not named."""
    access = granted(expenses_categories=Grant(frozenset(OPERATIONS)))
    writing = Writing({"FOR UPDATE": [(7,)], "FROM tblexpenses": [(1,)] * 2})
    error = await failed(writing.delete("expenses_categories/7", access))

    assert "other (2)" in error.detail
    assert "expenses (" not in error.detail
