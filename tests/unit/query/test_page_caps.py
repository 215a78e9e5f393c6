"""Callers whose pages are capped below the usual size: what they get when they name no size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import RequestError
from gateway.query.access import Access, Grant
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.budget import Budget
from gateway.query.intent import AggregateIntent, ConditionIntent, ReadIntent
from gateway.query.planner import PlannedRead, plan_read
from tests.support.asking import ALL, READ, context_of, crm, read_request

CRM = crm()
TEN = Access("ten", {"*": Grant(READ)}, most_rows=10)


def asked(target: str, access: Access) -> PlannedRead | PlannedGroups:
    intent = read_request(CRM, target).intent
    if isinstance(intent, AggregateIntent):
        return plan_groups(context_of(CRM, access), intent)
    return plan_read(context_of(CRM, access), intent)


def page(target: str, access: Access = TEN) -> tuple[int, int]:
    """Return how many rows a page has, and how many come before it."""
    planned = asked(target, access)
    plan = planned.plan
    assert plan.limit is not None
    assert plan.offset is not None
    assert (planned.values[plan.limit], planned.values[plan.offset]) == (planned.per_page + 1, planned.offset)
    return planned.per_page, planned.offset


@pytest.mark.parametrize(
    ("target", "due"),
    [
        ("invoices", (10, 0)),
        ("invoices?page=3", (10, 20)),
        ("invoices?page[number]=3", (10, 20)),
        ("invoices?offset=30", (10, 30)),
        ("invoices?per_page=4&page=3", (4, 8)),
        ("invoices?cursor=", (10, 0)),
        ("clients/1/invoices?page=2", (10, 10)),
        ("invoices?group=status", (10, 0)),
        ("invoices?group=status&page=2", (10, 10)),
    ],
)
def test_a_page_of_no_named_size_has_as_many_rows_as_it_may(target: str, due: tuple[int, int]) -> None:
    """And pages are counted in that size; an offset counts rows, whoever asks."""
    assert page(target) == due


@pytest.mark.parametrize(("target", "due"), [("invoices?page=3", (25, 50)), ("invoices?group=status&page=2", (25, 25))])
def test_others_get_the_usual_size(target: str, due: tuple[int, int]) -> None:
    """Also those whose cap lies above it."""
    assert page(target, ALL) == page(target, Access("many", ALL.grants, most_rows=25)) == due


@pytest.mark.parametrize(
    "target", ["invoices?per_page=11", "invoices?limit=11", "invoices?include=items&include[items][limit]=11"]
)
def test_more_than_it_may_is_refused(target: str) -> None:
    """Never cut."""
    with pytest.raises(RequestError) as caught:
        asked(target, TEN)
    assert caught.value.code == "page_invalid"


def test_what_comes_along_is_capped_too() -> None:
    """One row more than may be is read, which tells whether there are more."""
    planned = asked("invoices?include=items", TEN)
    plan = planned.plan.embeds[0].plan

    assert plan.limit is not None
    assert planned.values[plan.limit] == 11


def test_a_row_filter_has_a_budget_of_its_own() -> None:
    """It is not the client's text: settings that hold clients to short filters do not close its table."""
    deep = ConditionIntent(("invoice", "client", "country"), "234", "row filter")
    narrow = Access("some", {"invoicepaymentrecords": Grant(READ, row_filter=(deep, deep))})
    context = replace(context_of(CRM, narrow), budget=Budget(conditions=1, depth=1, hops=1))

    assert plan_read(context, ReadIntent("invoicepaymentrecords")).values.count(234) == 2
