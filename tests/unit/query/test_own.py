"""Whose rows a write goes by: asked by key, under the caller's row filter and nobody else's limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import ForbiddenError
from gateway.query.access import OPERATIONS, Access, Grant
from gateway.query.budget import Budget
from gateway.query.context import Context
from gateway.query.intent import ConditionIntent
from gateway.query.own import check_askable, is_narrowed, narrowed, nested_context, plan_own
from gateway.query.plan import And, Compare
from gateway.sql.cache import StatementCache
from tests.support.asking import ALL, READ, context_of, crm, granted
from tests.support.catalogs import make_catalog, reflected

CRM = crm()
INVOICES, CLIENTS, ITEMS = (CRM.resources[name] for name in ("invoices", "clients", "itemable"))
EVERY = frozenset(OPERATIONS)
OWN = granted(
    invoices=Grant(EVERY, row_filter=(ConditionIntent(("client", "country"), "12", "row filter"),)), clients=Grant(READ)
)


def narrow(access: Access = OWN) -> Context:
    return context_of(CRM, access)


def test_only_a_caller_with_a_row_filter_is_narrowed() -> None:
    """And only on the tables that it has one on."""
    assert narrowed(narrow(ALL)) is None
    assert narrowed(narrow()) is not None
    assert is_narrowed(narrow(), INVOICES)
    assert not is_narrowed(narrow(), CLIENTS)
    assert not is_narrowed(None, INVOICES)


def test_keys_are_asked_for_under_the_row_filter_with_a_lock() -> None:
    """What is told of a row holds until the write is done."""
    plan, values = plan_own(narrow(), INVOICES, [3, 5])
    text = StatementCache(CRM, 10, None).read(plan).text

    assert plan.is_locking
    assert text.endswith("FOR UPDATE")
    assert "tblclients" in text
    assert values[:2] == (3, 5)
    assert 12 in values


@pytest.mark.parametrize(("number", "asked"), [(1, 1), (2, 2), (3, 4), (5, 8), (1_000, 1_024), (1_024, 1_024)])
def test_few_statements_serve_all_numbers_of_keys(number: int, asked: int) -> None:
    """The last key is asked for again up to a power of two."""
    plan, values = plan_own(narrow(), INVOICES, range(number))

    assert isinstance(plan.condition, And)
    (keys,) = (part for part in plan.condition.parts if isinstance(part, Compare))
    assert len(keys.slots) == asked
    assert set(values[:asked]) == set(range(number))


def test_a_row_filter_costs_nothing_of_the_clients_budget() -> None:
    """It is not the client's text: settings that bound a question do not make its writes fail."""
    context = replace(narrow(), budget=Budget(conditions=0, hops=0, joins=0, values=0))

    assert plan_own(context, INVOICES, [1])[1][0] == 1


def test_nested_rows_borrow_their_parents_grant_where_there_is_none() -> None:
    """To be written in all columns and read in none; a grant of their own is left as it is."""
    lent = nested_context(narrow(), ITEMS).access
    total = ITEMS.column_by_name["qty"]

    assert lent.may_write_column(ITEMS, total)
    assert not lent.may_read_column(ITEMS, total)
    assert not narrow().access.may_write_column(ITEMS, total)
    assert nested_context(narrow(), CLIENTS).access is not None
    assert nested_context(narrow(ALL), ITEMS).access is ALL


def test_a_new_row_must_be_found_again_under_a_row_filter() -> None:
    """By its key; a nested one by one column, which the database may number."""
    tables = make_catalog(
        reflected("log", "text varchar(20)", key=()), reflected("pairs", "one int", "two int", key=("one", "two"))
    ).resources
    mine = Grant(EVERY, row_filter=(ConditionIntent(("one",), "1", "row filter"),))
    access = granted(log=mine, pairs=mine)

    check_askable(access, tables["pairs"])
    check_askable(ALL, tables["log"])
    with pytest.raises(ForbiddenError):
        check_askable(access, tables["log"])
    with pytest.raises(ForbiddenError):
        check_askable(access, tables["pairs"], is_nested=True)
