"""Delete intents -> plans: what goes along, what blocks, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import ReflectedForeignKey
from gateway.catalog.rights import RIGHTS, Rights
from gateway.errors import ForbiddenError, MethodError, RequestError
from gateway.query.access import OPERATIONS, Access, Grant
from gateway.query.deletes import MOST_COUNTED
from gateway.query.intent import ConditionIntent
from gateway.query.plan import And, Compare, Condition, DeleteStep, Not, Or, Reached, SlotValue, UpdateStep
from gateway.query.writes import PlannedWrite
from gateway.security.explain import refusal_of
from tests.support.asking import ALL, READ, crm, granted, write
from tests.support.catalogs import (
    START,
    exposure_of,
    make_catalog,
    perfex_built,
    perfex_catalog,
    perfex_reflection,
    reflected,
)

CRM = crm()


def delete(target: str, catalog: Catalog = CRM, access: Access = ALL) -> PlannedWrite:
    return write(catalog, "DELETE", target, access=access)


def deleted(planned: PlannedWrite) -> list[str]:
    return [step.table.name for step in planned.plan.steps]


def blocking(planned: PlannedWrite) -> list[str | None]:
    return [item.resource for item in planned.dependants]


def test_a_row_goes_after_what_it_owns() -> None:
    """Owned rows first, deepest first, the row itself last; one lock, nothing read back."""
    planned = delete("leads/7")

    assert deleted(planned)[-1] == "tblleads"
    assert {"tblnotes", "tblreminders", "tbltaggables", "tbllead_activity_log"} <= set(deleted(planned))
    assert deleted(planned).index("tbltaggables") < len(deleted(planned)) - 1
    assert planned.plan.reads[0].is_locking
    assert planned.plan.result is None
    assert planned.plan.steps[-1].condition == planned.plan.reads[0].condition  # type: ignore[union-attr]  # a delete


def test_children_go_before_their_parents() -> None:
    """What a step's rows are reached from is still there when it runs."""
    for table in CRM.exposed():
        if table.mode.value != "plain" or not table.key:
            continue
        steps = delete(f"{table.resource}/{','.join('1' for _ in table.key)}").plan.steps
        gone: set[str] = set()
        for step in steps:
            assert isinstance(step, DeleteStep)
            assert not gone & (chain(step.condition) - {step.table.name})
            gone |= {step.table.name} if not is_reached_again(steps, step) else set()


def is_reached_again(steps: object, step: DeleteStep) -> bool:
    """Whether a later step deletes other rows of the same table."""
    assert isinstance(steps, tuple)
    return any(later.table is step.table for later in steps[steps.index(step) + 1 :])


def chain(condition: Condition) -> set[str]:
    """Return the tables that a condition reaches from."""
    match condition:
        case Reached(origin=origin, condition=part):
            return {origin.name} | chain(part)
        case Not(part=part):
            return chain(part)
        case And(parts=parts) | Or(parts=parts):
            return set().union(*(chain(part) for part in parts))
    return set()


def test_no_step_asks_the_table_it_deletes_from() -> None:
    """MySQL refuses that (error 1093)."""
    for table in CRM.exposed():
        if table.mode.value == "plain" and table.key:
            for step in delete(f"{table.resource}/{','.join('1' for _ in table.key)}").plan.steps:
                assert isinstance(step, DeleteStep)
                assert step.table.name not in chain(step.condition)


def test_rows_that_are_not_owned_block() -> None:
    """Those of tables the caller may not read, internal ones among them, are only summed up."""
    catalog = perfex_catalog(exposure_of("clients", "invoices", "tickets"))
    planned = delete("clients/1", catalog)
    narrow = delete("clients/1", catalog, granted(clients=Grant(frozenset(OPERATIONS)), invoices=Grant(READ)))

    assert {"invoices", "tickets", None} <= set(blocking(planned))
    assert {name for name in blocking(narrow) if name} == {"invoices"}
    assert len(blocking(narrow)) == len(blocking(planned))
    limits = {planned.values[item.plan.limit or 0] for item in planned.dependants}
    assert limits == {MOST_COUNTED + 1}


def test_rows_outside_the_callers_row_filter_are_only_summed_up() -> None:
    """Each child table under a filter is counted twice: what meets the filter, and what does not."""
    catalog = perfex_catalog(exposure_of("clients", "invoices", "tickets"))
    mine = Grant(READ, row_filter=(ConditionIntent(("status",), "2", "row filter"),))
    whole = granted(clients=Grant(frozenset(OPERATIONS)), invoices=Grant(READ))
    narrow = granted(clients=Grant(frozenset(OPERATIONS)), invoices=mine)

    own, others = (
        item for item in delete("clients/1", catalog, narrow).dependants if "invoices" in item.plan.table.name
    )

    assert (own.resource, others.resource) == ("invoices", None)
    assert isinstance(others.plan.condition, And)
    assert [part.is_unknown_too for part in others.plan.condition.parts if isinstance(part, Not)] == [True]
    assert len(blocking(delete("clients/1", catalog, narrow))) == len(blocking(delete("clients/1", catalog, whole))) + 1


def test_rows_outside_do_not_forget_the_deleted_row() -> None:
    """They stand in its way where the caller has a row filter on their table; else they are changed with it."""
    every = frozenset(OPERATIONS)
    mine = Grant(every, row_filter=(ConditionIntent(("clientid",), "1", "row filter"),))
    whole = delete("projects/1", access=granted(projects=Grant(every), expenses=Grant(every)))
    narrow = delete("projects/1", access=granted(projects=Grant(every), expenses=mine))

    def told(planned: PlannedWrite) -> list[str | None]:
        return [item.resource for item in planned.dependants if item.plan.table.resource == "expenses"]

    assert (told(whole), told(narrow)) == ([], [None])


FAMILY = (
    reflected("people", "id int!", "boss int", foreign_keys=[ReflectedForeignKey(("boss",), "people", ("id",))]),
    reflected(
        "pets",
        "id int!",
        "owner int",
        "mate int",
        foreign_keys=[
            ReflectedForeignKey(("owner",), "people", ("id",), is_cascading=True),
            ReflectedForeignKey(("mate",), "pets", ("id",)),
        ],
    ),
)


def test_what_goes_along_does_not_block() -> None:
    """Pets of one owner that are each other's mates, and a person who is their own boss."""
    planned = delete("people/1", make_catalog(*FAMILY))
    by_name = {item.resource: item.plan.condition for item in planned.dependants}

    assert deleted(planned) == ["pets", "people"]
    assert set(by_name) == {"people", "pets"}
    for condition in by_name.values():
        assert isinstance(condition, And)
        assert isinstance(condition.parts[-1], Not)


def test_the_row_filter_is_looked_at_by_the_lock() -> None:
    """The rest goes by the key of the row that was locked."""
    own = Grant(frozenset(OPERATIONS), row_filter=(ConditionIntent(("assigned",), "5", "row filter"),))
    planned = delete("leads/7", access=granted(leads=own))

    assert isinstance(planned.plan.reads[0].condition, And)
    step = planned.plan.steps[-1]
    assert isinstance(step, DeleteStep)
    assert step.condition == planned.plan.reads[0].condition.parts[0]


def test_a_delete_can_be_refused() -> None:
    """By the whitelist, by the mode, for want of a grant or of a key."""
    exposure = exposure_of(TableExposure(Name("pets", START), is_delete_forbidden=True), profile=None)
    catalog = make_catalog(reflected("pets", "id int!", "name text"), exposure=exposure)
    keyless = make_catalog(reflected("log", "text varchar(20)", key=()))

    with pytest.raises(MethodError, match="forbids"):
        delete("pets/1", catalog)
    pets = replace(catalog.resources["pets"], is_delete_forbidden=False, delete_refusal="its chips are unknown")
    with pytest.raises(MethodError, match="its chips are unknown"):
        delete("pets/1", replace(catalog, resources={"pets": pets}))
    with pytest.raises(MethodError) as no_key:
        delete("log/1", keyless)
    assert no_key.value.code == "key_missing"
    with pytest.raises(MethodError, match="staff"):
        delete("staff/1")
    with pytest.raises(ForbiddenError, match="leads:delete"):
        delete("leads/1", access=granted(leads=Grant(READ)))
    with pytest.raises(RequestError):
        delete("leads/x")


def test_no_delete_where_the_gateway_may_not_see_all_that_depends_on_the_row() -> None:
    """Rows that it cannot see would stay behind (405, with what to do about it)."""
    full = perfex_reflection()
    seen = {"tblclients": full.tables["tblclients"]}
    held = Rights(frozenset(), {"tblclients": frozenset(RIGHTS)})
    reflection = replace(full, tables=seen, existing=frozenset(seen), rights=held)
    catalog = perfex_built(exposure_of("clients"), reflection).catalog
    with pytest.raises(MethodError, match="grant it SELECT on the whole database") as caught:
        delete("clients/1", catalog)

    assert caught.value.code == "write_not_supported"
    assert refusal_of("delete", catalog.resources["clients"]) == catalog.resources["clients"].delete_refusal


def test_freed_rows_forget_the_row_and_do_not_block() -> None:
    """The CRM's own "none": 0 where its lists look for 0, else NULL; an index finds the rows."""
    planned = delete("projects/1")
    freed = {step.table.name: step for step in planned.plan.steps if isinstance(step, UpdateStep)}
    values = {
        name: [
            (column.name, planned.values[value.slot]) for column, value in step.values if isinstance(value, SlotValue)
        ]
        for name, step in freed.items()
    }

    assert values == {
        "tblinvoices": [("project_id", 0)],
        "tblestimates": [("project_id", 0)],
        "tblcreditnotes": [("project_id", 0)],
        "tblproposals": [("project_id", None)],
        "tblcontracts": [("project_id", None)],
        "tblexpenses": [("project_id", 0)],
        "tbltickets": [("project_id", 0)],
    }
    assert all(isinstance(step.condition, Compare) for step in freed.values())
    assert not {"invoices", "tickets", "contracts"} & set(blocking(planned))
    assert "subscriptions" in blocking(planned)
    assert [type(step) for step in planned.plan.steps[: len(freed)]] == [UpdateStep] * len(freed)


def test_a_reference_that_the_whitelist_hides_is_freed_too() -> None:
    """By the rows that lead to it, as no client may ask for the column."""
    hidden = TableExposure(Name("contracts", START), hide=(Name("project_id", START),))
    planned = delete("projects/1", perfex_catalog(exposure_of("projects", hidden)))
    (step,) = (
        step for step in planned.plan.steps if isinstance(step, UpdateStep) and step.table.name == "tblcontracts"
    )

    assert isinstance(step.condition, Reached)
    assert [column.name for column, _ in step.values] == ["project_id"]


def test_no_step_frees_rows_by_asking_their_own_table() -> None:
    """MySQL refuses that (error 1093)."""
    for table in CRM.exposed():
        if table.key and not (table.mode_reason or table.mode.value == "none" or table.is_view):
            for step in delete(f"{table.resource}/{','.join('1' for _ in table.key)}").plan.steps:
                if isinstance(step, UpdateStep):
                    assert step.table.name not in chain(step.condition)
