"""Filter and having arguments: the intents that the tree of REST's ``where`` gives, names resolved by meaning."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.catalog.model import Catalog
from gateway.errors import RequestError
from gateway.graphql.conditions import filter_intents, having_intents
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.budget import MOST_PARTS
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    FilterIntent,
    NotIntent,
    RelatedIntent,
)
from tests.support.asking import context_of, crm, crm_of_fields

CRM = crm()


def filters(value: Any, resource: str = "invoices", catalog: Catalog = CRM) -> tuple[FilterIntent, ...]:
    """Return what a filter demands."""
    return filter_intents(value, catalog.resources[resource], Vocabulary(context_of(catalog)))


def having(value: Any) -> tuple[ConditionIntent, ...]:
    """Return what is demanded of groups of invoices."""
    return having_intents(value, CRM.resources["invoices"], Vocabulary(context_of(CRM)))


def refusal(value: Any) -> RequestError:
    """Return the error that a filter meets."""
    with pytest.raises(RequestError) as caught:
        filters(value)
    return caught.value


def test_no_filter_demands_nothing() -> None:
    """Neither does an empty one."""
    assert filters(None) == filters({}) == ()


def test_every_name_of_an_object_must_hold() -> None:
    """Equality has the field's name alone, other operators stand behind it; values are left as they came."""
    assert filters({"status": 2, "total_gte": Decimal("1000.50"), "currency_eq": 1}) == (
        ConditionIntent(("status",), 2, "filter.status"),
        ConditionIntent(("total", "gte"), Decimal("1000.50"), "filter.total_gte"),
        ConditionIntent(("currency",), 1, "filter.currency_eq"),
    )


def test_lists_and_flags_are_operands() -> None:
    """As the operators take them."""
    assert filters({"status_in": [1, 2], "duedate_null": True}) == (
        ConditionIntent(("status", "in"), [1, 2], "filter.status_in"),
        ConditionIntent(("duedate", "null"), True, "filter.duedate_null"),
    )


def test_trees_remember_where_their_parts_stand() -> None:
    """By the names on the way, and by numbers in arrays."""
    tree = {"or": [{"status": 1}, {"not": {"total_lt": 5, "status": 2}}], "and": [{}]}

    assert filters(tree) == (
        AnyIntent(
            (
                ConditionIntent(("status",), 1, "filter.or.0.status"),
                NotIntent(
                    AllIntent(
                        (
                            ConditionIntent(("total", "lt"), 5, "filter.or.1.not.total_lt"),
                            ConditionIntent(("status",), 2, "filter.or.1.not.status"),
                        )
                    )
                ),
            )
        ),
        AllIntent((AllIntent(()),)),
    )


def test_related_rows_have_conditions_of_their_own() -> None:
    """One object for a to-one; some, none and every for the rows of a to-many."""
    found = filters({"client": {"country": 234}, "payments": {"some": {"amount_gt": 0}, "none": {}}})

    assert found == (
        RelatedIntent(
            ("client",), "some", ConditionIntent(("country",), 234, "filter.client.country"), "filter.client"
        ),
        AllIntent(
            (
                RelatedIntent(
                    ("payments",),
                    "some",
                    ConditionIntent(("amount", "gt"), 0, "filter.payments.some.amount_gt"),
                    "filter.payments.some",
                ),
                RelatedIntent(("payments",), "none", AllIntent(()), "filter.payments.none"),
            )
        ),
    )


def test_custom_fields_go_by_their_own_names() -> None:
    """However GraphQL has to call them."""
    (found,) = filters({"custom_score_gte": 5}, "clients", crm_of_fields())

    assert found == ConditionIntent(("custom", "score", "gte"), 5, "filter.custom_score_gte")


@pytest.mark.parametrize(
    ("tree", "parameter", "hint"),
    [
        ({"duedate": None}, "filter.duedate", "duedate_null: true"),
        ({"duedate_gte": None}, "filter.duedate_gte", "duedate_null: true"),
        ({"not": None}, "filter.not", "{}"),
        ({"or": None}, "filter.or", "[]"),
        ({"client": None}, "filter.client", "{}"),
        ({"payments": None}, "filter.payments", "some, none or every"),
        ({"payments": {}}, "filter.payments", "some, none or every"),
        ({"or": [{"payments": {"some": None}}]}, "filter.or.0.payments.some", "{}"),
    ],
)
def test_null_is_no_condition(tree: Any, parameter: str, hint: str) -> None:
    """It is refused where it stands, with what to write instead: to drop it would show rows nobody asked for."""
    error = refusal(tree)

    assert (error.code, error.issues[0].parameter) == ("filter_syntax", parameter)
    assert hint in error.detail


def test_a_tree_is_bounded_while_it_is_built() -> None:
    """In its parts, whatever the planner allows; the values of a list are none."""
    filters({"or": [{"status": 1}] * (MOST_PARTS - 1)})
    filters({"status_in": [1] * (MOST_PARTS + 1)})

    for part in ({"status": 1}, dict[str, int]()):
        error = refusal({"or": [part] * MOST_PARTS})
        assert (error.code, error.issues[0].parameter) == ("query_too_large", "filter")


def test_having_speaks_of_the_numbers_of_a_group() -> None:
    """How many rows there are, and a function of a field."""
    assert having({"count_gte": 2, "sum": {"total": 5, "total_lte": 9}}) == (
        ConditionIntent(("count", "gte"), 2, "having.count_gte"),
        ConditionIntent(("sum", "total"), 5, "having.sum.total"),
        ConditionIntent(("sum", "total", "lte"), 9, "having.sum.total_lte"),
    )
    assert having(None) == ()


@pytest.mark.parametrize("value", [{"count": None}, {"sum": None}, {"sum": {"total_gt": None}}])
def test_null_is_no_condition_on_numbers(value: Any) -> None:
    """As in filters."""
    with pytest.raises(RequestError) as caught:
        having(value)

    assert caught.value.code == "filter_syntax"
