"""Writes of several rows as plans: each row as a single one, the rows chosen by what the caller may see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.model import Catalog, Column
from gateway.errors import ForbiddenError, GatewayError, MethodError, ValidationError
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.bulk import (
    MOST_FAULTS,
    OnConflict,
    PlannedBulk,
    plan_bulk_delete,
    plan_bulk_update,
    plan_rows,
    plan_upsert,
)
from gateway.query.deletes import plan_delete
from gateway.query.intent import ConditionIntent, WriteIntent
from gateway.query.plan import And, Compare
from gateway.query.reach import fields_of, is_granted
from gateway.query.writes import plan_update, with_key
from tests.support.asking import ALL, READ, context_of, crm, granted
from tests.support.catalogs import make_catalog, reflected

SMALL = (ConditionIntent(("id", "lte"), "2", "filter[id.lte]"),)
MINE = ConditionIntent(("name",), "mine", "row filter")


def may(*operations: Operation) -> Access:
    return granted(tags=Grant(frozenset(operations)))


def change(access: Access = ALL, conditions: tuple[ConditionIntent, ...] = SMALL, **values: object) -> PlannedBulk:
    return plan_bulk_update(context_of(crm(), access), WriteIntent("tags", (), values), conditions, 5)


def code_of(call: object, kind: type[GatewayError]) -> str:
    with pytest.raises(kind) as caught:
        call()  # type: ignore[operator]  # a function of the test
    return caught.value.code


# Rows that a filter chooses


def test_the_keys_are_locked_in_order_and_one_more_than_may_be() -> None:
    """So that two such writes meet in the same order, and too many are seen."""
    planned = change(name="x")

    assert (planned.chosen.is_locking, [key.field.name for key in planned.chosen.order]) == (True, ["id"])
    assert planned.chosen.limit is not None
    assert planned.values[planned.chosen.limit] == 6


def test_each_row_is_written_by_the_plan_of_a_single_one() -> None:
    """Once its key is filled in it equals that plan, values included."""
    single = plan_update(context_of(crm()), WriteIntent("tags", ("7",), {"name": "x"}))

    assert with_key(change(name="x").each, (7,)) == single


def test_the_row_filter_chooses_too() -> None:
    """A row that the caller may not see is never locked."""
    access = granted(tags=Grant(frozenset(OPERATIONS), row_filter=(MINE,)))
    condition = change(access, name="x").chosen.condition

    assert [field.name for field in fields_of(condition) if isinstance(field, Column)] == ["id", "name"]


def test_a_filter_cannot_name_what_the_caller_may_not_read() -> None:
    """The number of changed rows would tell what is in it."""
    access = granted(tags=Grant(frozenset({"read", "update"}), readable=frozenset({"id"})))
    conditions = (ConditionIntent(("name",), "x", "filter[name]"),)

    assert code_of(lambda: change(access, conditions, name="x"), GatewayError) == "field_unknown"
    assert code_of(lambda: change(may("update"), name="x"), GatewayError) == "field_unknown"


@pytest.mark.parametrize("operation", ["update", "delete"])
@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("invoices", "id"),
        ("invoices", "paid.gt"),
        ("invoices", "balance.gt"),
        ("invoices", "client.country"),
        ("invoices", "payments.amount.gt"),
        ("clients", "email"),
        ("clients", "contacts.email"),
    ],
)
def test_a_filter_of_who_may_not_read_the_rows_has_nothing_to_name(
    operation: Operation, resource: str, path: str
) -> None:
    """Neither sums and what else is worked out of a row, nor the rows it is tied to: each would tell of the row."""
    reads = {name: Grant(READ) for name in ("clients", "contacts", "invoicepaymentrecords")}
    context = context_of(crm(), granted(**{**reads, resource: Grant(frozenset({operation}))}))
    conditions = (ConditionIntent(tuple(path.split(".")), 1, f"filter[{path}]"),)

    def plan() -> None:
        if operation == "delete":
            plan_bulk_delete(context, resource, conditions, 5)
        else:
            plan_bulk_update(context, WriteIntent(resource, (), {}), conditions, 5)

    assert code_of(plan, GatewayError) == "field_unknown"


def test_the_row_filter_of_who_may_not_read_the_rows_holds() -> None:
    """It is not the caller's text: it may name sums and related rows."""
    mine = (ConditionIntent(("client", "country"), "1", "rows"), ConditionIntent(("paid", "gt"), "1", "rows"))
    access = granted(invoices=Grant(frozenset({"delete"}), row_filter=mine))
    planned = plan_delete(context_of(crm(), access), WriteIntent("invoices", ("1",)))

    assert any(is_granted(read.condition) for read in planned.plan.reads)


def test_writes_by_filter_need_their_grant_and_a_key() -> None:
    """As single ones do."""
    log = make_catalog(reflected("log", "text varchar(20)", key=()))
    conditions = (ConditionIntent(("text",), "x", "filter[text]"),)

    assert code_of(lambda: change(may("read", "delete"), name="x"), ForbiddenError) == "grant_missing"
    reading = context_of(crm(), may("read", "update"))
    assert code_of(lambda: plan_bulk_delete(reading, "tags", SMALL, 5), ForbiddenError) == "grant_missing"
    assert code_of(lambda: plan_bulk_delete(context_of(log), "log", conditions, 5), MethodError) == "key_missing"


# Arrays


def test_the_faults_of_all_rows_are_told_at_once() -> None:
    """Each with the place of its row, up to a number that still can be read."""
    bad = [WriteIntent("tags", values=values) for values in ({"name": "x"}, {"nme": "y"}, {"name": None, "id": "x"})]
    many = [WriteIntent("tags", values={}) for _ in range(500)]
    with pytest.raises(ValidationError) as caught:
        plan_rows(context_of(crm()), bad, None)
    assert [issue.pointer for issue in caught.value.issues] == ["/1/nme", "/1/name", "/2/name", "/2/id"]
    with pytest.raises(ValidationError) as caught:
        plan_rows(context_of(crm()), many, None)
    assert len(caught.value.issues) == MOST_FAULTS


def test_the_rows_of_an_array_share_their_statements() -> None:
    """Equal rows are equal plans, so the second compiles nothing."""
    rows = plan_rows(context_of(crm()), [WriteIntent("tags", values={"name": name}) for name in "ab"], None)

    assert rows[0].create.plan == rows[1].create.plan
    assert rows[0].create.values != rows[1].create.values


# Rows that may be there


def keyed() -> Catalog:
    table = reflected("rooms", "id int!", "house int", "name varchar(20)", "size int")
    return make_catalog(replace(table, unique_keys=(("house", "name"),)))


def found_by(values: dict[str, object], on_conflict: OnConflict = "update") -> list[str]:
    planned = plan_upsert(context_of(keyed()), WriteIntent("rooms", values=values), on_conflict)
    assert planned.found is not None
    condition = planned.found.condition
    parts = condition.parts if isinstance(condition, And) else (condition,)
    return [part.field.name for part in parts if isinstance(part, Compare)]


def test_the_primary_key_comes_before_other_unique_ones() -> None:
    """The first that is whole says which row is meant."""
    assert found_by({"id": 1, "house": 2, "name": "x", "size": 1}) == ["id"]
    assert found_by({"house": 2, "name": "x", "size": 1}, "ignore") == ["house", "name"]


@pytest.mark.parametrize("values", [{"house": 2, "size": 1}, {"house": None, "name": "x"}, {"size": 1}])
def test_a_part_of_a_unique_key_is_none(values: dict[str, object]) -> None:
    """The answer says which would do, and in an array which row lacks it."""
    with pytest.raises(ValidationError, match="id, or house and name") as caught:
        plan_upsert(context_of(keyed()), WriteIntent("rooms", values=values), "update", "/4")
    assert (caught.value.code, caught.value.issues[0].pointer) == ("conflict_key_missing", "/4")


@pytest.mark.parametrize(
    ("on_conflict", "operations"),
    [("update", ("create", "read")), ("update", ("update", "read")), ("ignore", ("create", "update"))],
)
def test_a_row_that_may_be_there_needs_the_rights_for_both_cases(
    on_conflict: OnConflict, operations: tuple[Operation, ...]
) -> None:
    """Whichever of them it will be."""
    intent = WriteIntent("tags", values={"id": 1, "name": "x"})
    call = context_of(crm(), may(*operations))

    assert code_of(lambda: plan_upsert(call, intent, on_conflict), ForbiddenError) == "grant_missing"
