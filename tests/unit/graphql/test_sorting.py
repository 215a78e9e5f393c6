"""Sort arguments of rows and of groups: keys by meaning, directions, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import RequestError
from gateway.graphql.sorting import group_order_intents, order_intents
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.intent import OrderIntent
from tests.support.asking import context_of, crm, crm_of_fields

INVOICES, WORDS = crm().resources["invoices"], Vocabulary(context_of(crm()))


def test_keys_lead_through_to_ones() -> None:
    """The first one counts most."""
    keys = order_intents([{"total": "DESC"}, {"client": {"company": "ASC"}}], INVOICES, WORDS)

    assert keys == (
        OrderIntent("total", True, "sort.0.total"),
        OrderIntent("client.company", False, "sort.1.client.company"),
    )
    assert order_intents(None, INVOICES, WORDS) == ()


def test_custom_fields_go_by_their_own_names() -> None:
    """However GraphQL has to call them."""
    catalog = crm_of_fields()
    words = Vocabulary(context_of(catalog))

    (key,) = order_intents([{"custom_score": "ASC"}], catalog.resources["clients"], words, "rows.sort")

    assert key == OrderIntent("custom.score", False, "rows.sort.0.custom_score")


def test_groups_are_sorted_by_numbers_and_by_what_they_are_grouped_by() -> None:
    """The numbers among the keys are told, for they are worked out whether they are shown or not."""
    sort: list[dict[str, Any]] = [
        {"sum": {"total": "DESC"}},
        {"count": "ASC"},
        {"key": {"date_month": "DESC"}},
        {"key": {"client": "ASC"}},
        {"key": {"client_fields": {"country": "DESC"}}},
    ]

    keys, metrics = group_order_intents(sort, INVOICES, WORDS)

    assert [(key.field, key.descending) for key in keys] == [
        ("sum.total", True),
        ("count", False),
        ("date.month", True),
        ("client", False),
        ("client.country", True),
    ]
    assert metrics == ("sum.total", "count")
    assert keys[4].parameter == "sort.4.key.client_fields.country"


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ({"total": None}, "sort.0.total"),
        ({"client": None}, "sort.0.client"),
        ({}, "sort.0"),
        ({"total": "ASC", "date": "ASC"}, "sort.0"),
    ],
)
def test_a_key_has_one_name_and_a_direction(key: Any, place: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(RequestError) as caught:
        order_intents([key], INVOICES, WORDS)

    assert caught.value.code == "sort_syntax"
    assert caught.value.issues[0].parameter == place


@pytest.mark.parametrize("key", [{"count": None}, {"sum": None}, {"sum": {"total": None}}, {"key": {"client": None}}])
def test_a_key_of_groups_has_a_direction(key: Any) -> None:
    """As one of rows."""
    with pytest.raises(RequestError) as caught:
        group_order_intents([key], INVOICES, WORDS)

    assert caught.value.code == "sort_syntax"
