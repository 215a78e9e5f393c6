"""Filters as parameters: groups from the outside in, and what belongs together is together."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.query.intent import AllIntent, AnyIntent, ConditionIntent, FilterIntent, NotIntent, RelatedIntent
from gateway.rest.filters import parse_filters
from gateway.rest.given import MOST_BRACKETS


def parsed(*names: str) -> tuple[FilterIntent, ...]:
    return parse_filters(dict.fromkeys(names, "1"))


def condition(name: str) -> ConditionIntent:
    """Return the condition of a whole parameter name: the path in its last bracket."""
    return ConditionIntent(tuple(name.rpartition("[")[2].removesuffix("]").split(".")), "1", name)


def test_filters_are_all_due() -> None:
    """One part each, in the order sent; other parameters are none."""
    assert parsed("filter[a]", "filter[b.gte]", "q", "filters", "where") == (
        condition("filter[a]"),
        condition("filter[b.gte]"),
    )


def test_any_is_one_alternative_of_several() -> None:
    """Wherever its parameters stand."""
    assert parsed("filter[any][a]", "filter[c]", "filter[any][b.gt]") == (
        AnyIntent((condition("filter[any][a]"), condition("filter[any][b.gt]"))),
        condition("filter[c]"),
    )


def test_numbered_alternatives_are_groups_of_their_own() -> None:
    """Each of them must hold."""
    assert parsed("filter[any][a]", "filter[any.2][b]", "filter[any.2][c]", "filter[any.10][d]") == (
        AnyIntent((condition("filter[any][a]"),)),
        AnyIntent((condition("filter[any.2][b]"), condition("filter[any.2][c]"))),
        AnyIntent((condition("filter[any.10][d]"),)),
    )


def test_each_condition_under_not_is_negated_alone() -> None:
    """None of them holds."""
    assert parsed("filter[not][a]", "filter[not][b]") == (
        NotIntent(condition("filter[not][a]")),
        NotIntent(condition("filter[not][b]")),
    )


def test_conditions_on_one_child_speak_of_one_row() -> None:
    """As long as their brackets are the same."""
    assert parsed("filter[payments][amount.gt]", "filter[items][qty]", "filter[payments][date.gte]") == (
        RelatedIntent(
            ("payments",),
            "some",
            AllIntent((condition("filter[payments][amount.gt]"), condition("filter[payments][date.gte]"))),
            "filter[payments][amount.gt]",
        ),
        RelatedIntent(("items",), "some", condition("filter[items][qty]"), "filter[items][qty]"),
    )


def test_a_dotted_path_to_a_child_is_a_condition_of_its_own() -> None:
    """Two of them may be met by two rows; what the path means only the planner knows."""
    assert parsed("filter[payments.amount.gt]", "filter[payments.date.gte]") == (
        condition("filter[payments.amount.gt]"),
        condition("filter[payments.date.gte]"),
    )


def test_groups_combine_from_the_outside_in() -> None:
    """In any order, any number of times."""
    assert parsed("filter[any][payments][amount.gt]", "filter[any][a]", "filter[any][payments][date]") == (
        AnyIntent(
            (
                RelatedIntent(
                    ("payments",),
                    "some",
                    AllIntent(
                        (condition("filter[any][payments][amount.gt]"), condition("filter[any][payments][date]"))
                    ),
                    "filter[any][payments][amount.gt]",
                ),
                condition("filter[any][a]"),
            )
        ),
    )
    assert parsed("filter[client.contacts][any][a]", "filter[client.contacts][any][b]") == (
        RelatedIntent(
            ("client", "contacts"),
            "some",
            AnyIntent((condition("filter[client.contacts][any][a]"), condition("filter[client.contacts][any][b]"))),
            "filter[client.contacts][any][a]",
        ),
    )
    assert parsed("filter[any][not][a]", "filter[any][not][b]") == (
        AnyIntent((NotIntent(condition("filter[any][not][a]")), NotIntent(condition("filter[any][not][b]")))),
    )
    assert parsed("filter[not][any][a]", "filter[not][any][b]") == (
        NotIntent(AnyIntent((condition("filter[not][any][a]"), condition("filter[not][any][b]")))),
    )


def some_payment(part: FilterIntent, parameter: str) -> RelatedIntent:
    return RelatedIntent(("payments",), "some", part, parameter)


def test_conditions_on_one_child_under_not_are_negated_alone_too() -> None:
    """No payment is a and no payment is b, and not only none that is both; also within other groups."""
    for outer in ("", "[any]", "[client]"):
        names = [f"filter{outer}[not][payments][{name}]" for name in "ab"]
        negated = tuple(NotIntent(some_payment(condition(name), name)) for name in names)
        due: dict[str, tuple[FilterIntent, ...]] = {
            "": negated,
            "[any]": (AnyIntent(negated),),
            "[client]": (RelatedIntent(("client",), "some", AllIntent(negated), names[0]),),
        }
        assert parsed(*names) == due[outer]


def test_alternatives_under_not_stay_one_condition() -> None:
    """Wherever they stand in it: they were written as one OR, and that is what does not hold."""
    child = [f"filter[not][payments][any][{name}]" for name in "ab"]
    assert parsed(*child, "filter[not][payments][c]") == (
        NotIntent(some_payment(AnyIntent(tuple(map(condition, child))), child[0])),
        NotIntent(some_payment(condition("filter[not][payments][c]"), "filter[not][payments][c]")),
    )
    outer = [f"filter[not][any][payments][{name}]" for name in "ab"]
    assert parsed(*outer) == (NotIntent(AnyIntent((some_payment(AllIntent(tuple(map(condition, outer))), outer[0]),))),)
    assert parsed("filter[not][not][any][a]", "filter[not][any.2][b]", "filter[not][not][any][c]") == (
        NotIntent(NotIntent(AnyIntent((condition("filter[not][not][any][a]"), condition("filter[not][not][any][c]"))))),
        NotIntent(AnyIntent((condition("filter[not][any.2][b]"),))),
    )


def test_an_operator_in_brackets_is_no_form() -> None:
    """It is a path of relationships, which the planner refuses by the parameter's name."""
    assert parsed("filter[total][gte]") == (
        RelatedIntent(("total",), "some", condition("filter[total][gte]"), "filter[total][gte]"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "filter",
        "filter[",
        "filter[]",
        "filter[a",
        "filter[a]]",
        "filter[[a]]",
        "filter[a]b",
        "filter[a][b",
        "filter[.a]",
        "filter[a.]",
        "filter[a..b]",
        "filter[][a]",
        "filter[a.][b]",
        "filter[any][]",
    ],
)
def test_malformed_filters_are_refused_by_name(name: str) -> None:
    """Never dropped."""
    with pytest.raises(RequestError) as caught:
        parsed(name)

    assert (caught.value.code, caught.value.issues[0].parameter) == ("filter_syntax", name)


def test_brackets_are_bounded_before_anything_is_built() -> None:
    """A name may be as long as a URL."""
    assert len(parsed("filter" + "[not]" * (MOST_BRACKETS - 1) + "[a]")) == 1
    with pytest.raises(RequestError) as caught:
        parsed("filter" + "[not]" * MOST_BRACKETS + "[a]")

    assert caught.value.code == "query_too_large"


_GROUPS = st.lists(st.sampled_from(["any", "any.2", "not", "payments", "client.contacts"]), max_size=4).map(tuple)
_CLAUSES = st.dictionaries(st.tuples(_GROUPS, st.sampled_from(["a", "b.gte", "c.d.in"])), st.text(max_size=3))


def leaves(intent: FilterIntent) -> list[ConditionIntent]:
    match intent:
        case AllIntent(parts=parts) | AnyIntent(parts=parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case NotIntent(part=part) | RelatedIntent(part=part):
            return leaves(part)
        case ConditionIntent():
            return [intent]


@given(_CLAUSES)
def test_every_condition_is_there_once(clauses: dict[tuple[tuple[str, ...], str], str]) -> None:
    """However they are grouped."""
    names = {
        "filter" + "".join(f"[{bracket}]" for bracket in (*groups, path)): value
        for (groups, path), value in clauses.items()
    }
    found = [leaf for intent in parse_filters(names) for leaf in leaves(intent)]

    assert {(leaf.parameter, leaf.operand) for leaf in found} == set(names.items())
    assert len(found) == len(names)


@given(_CLAUSES, st.randoms())
def test_the_order_of_parameters_does_not_matter(
    clauses: dict[tuple[tuple[str, ...], str], str], random: Random
) -> None:
    """But for the order of the parts."""
    names = [("filter" + "".join(f"[{bracket}]" for bracket in (*groups, path))) for groups, path in clauses]
    shuffled = list(names)
    random.shuffle(shuffled)

    assert set(map(unordered, parsed(*names))) == set(map(unordered, parsed(*shuffled)))


def unordered(intent: FilterIntent) -> object:
    """Return what an intent says, without the order of its parts and without where it stood."""
    match intent:
        case AllIntent(parts=parts):
            return "all", frozenset(map(unordered, parts))
        case AnyIntent(parts=parts):
            return "any", frozenset(map(unordered, parts))
        case NotIntent(part=part):
            return "not", unordered(part)
        case RelatedIntent(path=path, part=part):
            return path, unordered(part)
        case ConditionIntent(path=path):
            return path
