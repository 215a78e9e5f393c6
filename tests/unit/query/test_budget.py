"""How much one question may ask for: each limit is refused one step beyond it, with the parameter that went too far."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.errors import RequestError
from gateway.query.budget import (
    DEFAULT_BUDGET,
    Budget,
    check_embeds,
    check_filters,
    check_hops,
    check_number,
    check_text,
)
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    EmbedIntent,
    FilterIntent,
    NotIntent,
    RelatedIntent,
)

LEAF = ConditionIntent(("id",), "1", "filter[id]")
SMALL = Budget(conditions=3, depth=3, hops=2, embeds=2)
WRAPS: tuple[Callable[[FilterIntent], FilterIntent], ...] = (
    lambda part: AllIntent((part,)),
    lambda part: AnyIntent((part,)),
    NotIntent,
    lambda part: RelatedIntent(("payments",), "some", part, "where#/payments"),
)


def refusal(check: Callable[[], None]) -> tuple[str, str | None]:
    """Return the detail and the parameter of what a check refuses."""
    with pytest.raises(RequestError) as caught:
        check()
    assert caught.value.code == "query_too_large"
    return caught.value.detail, caught.value.issues[0].parameter if caught.value.issues else None


def test_conditions_are_counted_wherever_they_stand() -> None:
    """The error names the last of them."""
    last = ConditionIntent(("total",), "1", "filter[total]")
    most: list[FilterIntent] = [LEAF, NotIntent(AnyIntent((LEAF, LEAF)))]
    check_filters(SMALL, most)

    assert refusal(lambda: check_filters(SMALL, [*most, last])) == (
        "A query has at most 3 conditions; this one has 4.",
        "filter[total]",
    )


@pytest.mark.parametrize("wrap", WRAPS)
def test_every_kind_of_group_is_a_level(wrap: Callable[[FilterIntent], FilterIntent]) -> None:
    """A condition inside as many groups as the depth allows is one level too deep."""
    check_filters(SMALL, [wrap(wrap(LEAF))])

    detail, parameter = refusal(lambda: check_filters(SMALL, [wrap(wrap(wrap(LEAF)))]))
    assert (detail, parameter) == ("A filter is nested at most 3 deep.", "filter[id]")


@pytest.mark.parametrize("wrap", WRAPS[:3])
def test_what_is_far_too_deep_is_named_by_what_it_holds(wrap: Callable[[FilterIntent], FilterIntent]) -> None:
    """A group remembers no parameter, but what stands in it does."""
    deep: FilterIntent = LEAF
    for _ in range(9):
        deep = wrap(deep)

    assert refusal(lambda: check_filters(SMALL, [deep]))[1] == "filter[id]"


def test_a_filter_as_deep_as_a_body_can_hold_does_not_exhaust_the_stack() -> None:
    """How deep it is, is what is being asked."""
    deep: FilterIntent = LEAF
    for _ in range(50_000):
        deep = NotIntent(deep)

    assert refusal(lambda: check_filters(DEFAULT_BUDGET, [deep]))[0] == "A filter is nested at most 12 deep."


def test_relationships_of_a_path_are_counted() -> None:
    """One beyond is refused under the name of the parameter."""
    check_hops(SMALL, 2, "sort")

    assert refusal(lambda: check_hops(SMALL, 3, "sort")) == ("A path follows at most 2 relationships.", "sort")


def test_what_is_included_is_counted_once_with_what_leads_to_it() -> None:
    """``client.contracts`` is two, beside ``client`` still two."""
    client, contracts = EmbedIntent(("client",)), EmbedIntent(("client", "contracts"))
    check_embeds(SMALL, [client, contracts])

    assert refusal(lambda: check_embeds(SMALL, [contracts, EmbedIntent(("items",))])) == (
        "A query includes at most 2 relationships.",
        "include",
    )


def test_groups_and_metrics_are_counted() -> None:
    """By whatever they are called."""
    check_number("groups", 8, 8, "groups", "group")

    assert refusal(lambda: check_number("groups", 9, 8, "groups", "group")) == (
        "A query has at most 8 groups; this one has 9.",
        "group",
    )


def test_the_text_of_one_value_is_bounded() -> None:
    """It is read and escaped character by character, and no column that is compared holds more that tells."""
    for raw in ("x" * 4_096, 7, None, ["x"], True):
        check_text(DEFAULT_BUDGET, raw, "filter[name]")
    assert refusal(lambda: check_text(DEFAULT_BUDGET, "x" * 4_097, "filter[name]")) == (
        "A value to compare with has at most 4,096 characters; this one has 4,097.",
        "filter[name]",
    )
