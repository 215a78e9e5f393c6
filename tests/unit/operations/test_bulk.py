"""Writes of several rows: one transaction, the place of a fault, and rows that come to be meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.errors import ConflictError, GatewayError
from gateway.execution.database import Outcome
from gateway.execution.failures import FieldRefusal, ValueRefusedError
from gateway.operations.bulk import BulkWrites, Circumstances
from gateway.operations.counts import Counts
from gateway.operations.fill import Fills
from gateway.operations.tags import Tags
from gateway.operations.writes import MOST_TRIES, Writes
from gateway.query.bulk import plan_bulk_delete, plan_bulk_update, plan_rows, plan_upsert
from gateway.query.intent import ConditionIntent, WriteIntent
from gateway.sql.cache import StatementCache
from tests.support.asking import context_of, crm
from tests.support.fake_database import Answer, FakeDatabase

DUPLICATE = ConflictError("duplicate", "A row with the same unique value exists.")
GIVEN = Circumstances(None, context_of(crm()).clock)
TRIED = Circumstances(None, GIVEN.clock, is_dry_run=True)
FILTER = (ConditionIntent(("id", "lte"), "9", "filter[id.lte]"),)


def bulk(script: Mapping[str, Answer]) -> tuple[BulkWrites, FakeDatabase]:
    database = FakeDatabase(dict(script))
    statements = StatementCache(crm(), 200, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    return BulkWrites(Writes(database, statements, counts, Fills(crm(), statements, 0), Tags())), database


async def failed(call: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call  # type: ignore[misc]  # a coroutine of the writes
    return caught.value


def said(database: FakeDatabase) -> list[str]:
    return [text.split()[0] for text in database.log]


async def test_the_rows_of_an_array_share_one_transaction() -> None:
    """In their order; they are read back together."""
    writes, database = bulk({"INSERT": Outcome(last_id=9), "SELECT": [(9, "a")]})
    planned = plan_rows(context_of(crm()), [WriteIntent("tags", values={"name": name}) for name in "ab"], None)

    results = await writes.create(planned, GIVEN)

    assert [result.is_new for result in results] == [True, True]
    assert said(database) == ["INSERT", "INSERT", "SELECT", "commit"]


@pytest.mark.parametrize(
    ("failure", "code", "pointer"),
    [
        (DUPLICATE, "duplicate", "/0"),
        (ValueRefusedError(FieldRefusal("name", "too_long")), "fields_invalid", "/0/name"),
        (ValueRefusedError(FieldRefusal("elsewhere", "too_long")), "fields_invalid", "/0"),
    ],
)
async def test_what_the_database_refuses_has_the_place_of_its_row(
    failure: GatewayError, code: str, pointer: str
) -> None:
    """And takes everything back, once: no row of the array can have been there before."""
    writes, database = bulk({"INSERT": failure})
    planned = plan_rows(context_of(crm()), [WriteIntent("tags", values={"name": "a"})], None)

    error = await failed(writes.create(planned, GIVEN))

    assert (error.code, error.issues[0].pointer) == (code, pointer)
    assert error.detail.startswith("Row 0: ")
    assert said(database) == ["INSERT", "rollback"]


async def test_the_locks_of_another_write_are_met_again_before_anybody_hears_of_it() -> None:
    """A conflict of transactions is none of a row."""
    writes, database = bulk({"INSERT": ConflictError("write_conflict", "Another write held the row.")})
    planned = plan_rows(context_of(crm()), [WriteIntent("tags", values={"name": "a"})], None)

    error = await failed(writes.create(planned, GIVEN))

    assert (error.code, error.issues) == ("write_conflict", ())
    assert said(database).count("rollback") == MOST_TRIES


async def test_a_row_that_came_to_be_meanwhile_is_looked_for_again() -> None:
    """A duplicate means that there is one now; when it is still not found, another key stands in the way."""
    writes, database = bulk({"INSERT": DUPLICATE})
    planned = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 1, "name": "x"}), "update")

    assert (await failed(writes.put(planned, GIVEN))).code == "duplicate"
    assert said(database) == ["SELECT", "INSERT", "rollback"] * 3


async def test_a_row_that_went_meanwhile_is_looked_for_again() -> None:
    """Found, and gone when it was to be locked."""
    writes, database = bulk({"FOR UPDATE": [], "SELECT": [(1, "x")]})
    planned = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 1, "name": "x"}), "update")

    assert (await failed(writes.put(planned, GIVEN))).code == "write_conflict"
    assert said(database) == ["SELECT", "SELECT", "rollback"] * MOST_TRIES


async def test_a_row_that_is_there_is_left_alone_where_asked() -> None:
    """One read."""
    writes, database = bulk({"SELECT": [(1, "old")]})
    planned = plan_upsert(context_of(crm()), WriteIntent("tags", values={"id": 1, "name": "x"}), "ignore")

    result = await writes.put(planned, GIVEN)

    assert (result.row, result.key, result.is_new) == ({"id": 1, "name": "old"}, (1,), False)
    assert said(database) == ["SELECT", "commit"]


async def test_too_many_rows_are_none() -> None:
    """Nothing runs after the keys."""
    writes, database = bulk({"FOR UPDATE": [(key,) for key in range(3)]})
    change = plan_bulk_update(context_of(crm()), WriteIntent("tags", (), {"name": "x"}), FILTER, 2)
    delete = plan_bulk_delete(context_of(crm()), "tags", FILTER, 2)

    assert (await failed(writes.update(change, GIVEN))).code == "too_many_affected"
    assert (await failed(writes.delete(delete, GIVEN))).code == "too_many_affected"
    assert said(database) == ["SELECT", "rollback"] * 2


async def test_what_is_only_tried_out_is_rolled_back() -> None:
    """After it did everything."""
    writes, database = bulk({"FOR UPDATE": [(1,)], "SELECT": [(1, "x")]})
    change = plan_bulk_update(context_of(crm()), WriteIntent("tags", (), {"name": "x"}), FILTER, 2)

    assert len(await writes.update(change, TRIED)) == 1
    assert said(database) == ["SELECT", "SELECT", "UPDATE", "SELECT", "rollback"]
