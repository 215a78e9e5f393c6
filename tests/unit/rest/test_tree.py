"""The tree of ``where``: any nesting, every place known, and no operand dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.query.budget import MOST_PARTS
from gateway.query.intent import AllIntent, AnyIntent, ConditionIntent, FilterIntent, NotIntent, RelatedIntent
from gateway.rest.tree import DEEPEST_JSON, QUANTIFIERS, parse_where


def at(path: str, operand: object, place: str) -> ConditionIntent:
    return ConditionIntent(tuple(path.split(".")), operand, f"where#{place}")


@pytest.mark.parametrize(
    ("tree", "due"),
    [
        ("{}", AllIntent(())),
        ('{"total.gte": 1000}', at("total.gte", 1000, "/total.gte")),
        ('{"total": 10.50}', at("total", Decimal("10.50"), "/total")),
        ('{"is_x": true}', at("is_x", True, "/is_x")),
        ('{"id.in": [1, "2", 3.0]}', at("id.in", [1, "2", Decimal("3.0")], "/id.in")),
        ('{"id.in": []}', at("id.in", [], "/id.in")),
        ('{"a": 1, "b": "x"}', AllIntent((at("a", 1, "/a"), at("b", "x", "/b")))),
        ('{"and": [{"a": 1}, {"b": 2}]}', AllIntent((at("a", 1, "/and/0/a"), at("b", 2, "/and/1/b")))),
        ('{"or": [{"a": 1}, {"b": 2}]}', AnyIntent((at("a", 1, "/or/0/a"), at("b", 2, "/or/1/b")))),
        ('{"and": []}', AllIntent(())),
        ('{"or": []}', AnyIntent(())),
        ('{"not": {"a": 1}}', NotIntent(at("a", 1, "/not/a"))),
        ('{"not": {"a": 1, "b": 2}}', NotIntent(AllIntent((at("a", 1, "/not/a"), at("b", 2, "/not/b"))))),
        (
            '{"payments": {"some": {"amount.gt": 0}}}',
            RelatedIntent(("payments",), "some", at("amount.gt", 0, "/payments/some/amount.gt"), "where#/payments"),
        ),
        ('{"payments": {"none": {}}}', RelatedIntent(("payments",), "none", AllIntent(()), "where#/payments")),
        (
            '{"client.contacts": {"every": {"active": 1}, "some": {}}}',
            AllIntent(
                (
                    RelatedIntent(
                        ("client", "contacts"),
                        "every",
                        at("active", 1, "/client.contacts/every/active"),
                        "where#/client.contacts",
                    ),
                    RelatedIntent(("client", "contacts"), "some", AllIntent(()), "where#/client.contacts"),
                )
            ),
        ),
        (
            '{"client": {"country": 234}}',
            RelatedIntent(("client",), "some", at("country", 234, "/client/country"), "where#/client"),
        ),
        ('{"client": {}}', RelatedIntent(("client",), "some", AllIntent(()), "where#/client")),
        ('{"a/b~c": 1}', at("a/b~c", 1, "/a~1b~0c")),
    ],
)
def test_a_tree_is_read_as_it_is_written(tree: str, due: FilterIntent) -> None:
    """Several keys of an object must all hold; each condition knows its place."""
    assert parse_where(tree) == due


def test_a_body_holds_the_tree_itself() -> None:
    """Numbers are read before."""
    assert parse_where({"or": [{"a": Decimal("1.50")}]}) == AnyIntent((at("a", Decimal("1.50"), "/or/0/a"),))


@pytest.mark.parametrize(
    ("tree", "parameter", "words"),
    [
        ("", "where", "not well-formed JSON"),
        ("{", "where", "not well-formed JSON at line 1, column 2"),
        ("[]", "where", "a filter is an object"),
        ("1", "where", "a filter is an object"),
        ("null", "where", "a filter is an object"),
        ('{"a": NaN}', "where", "not well-formed JSON"),
        ('{"a": 1, "a": 1}', "where", "'a' twice"),
        ('{"and": {"a": 1}}', "where#/and", "an array of conditions"),
        ('{"or": 1}', "where#/or", "an array of conditions"),
        ('{"or": [1]}', "where#/or/0", "a filter is an object"),
        ('{"not": [{"a": 1}]}', "where#/not", "a filter is an object"),
        ('{"a": null}', "where#/a", '{"a.null": true}'),
        ('{"client.country.eq": null}', "where#/client.country.eq", '{"client.country.null": true}'),
        ('{"client.country": null}', "where#/client.country", '{"client.country.null": true}'),
        ('{"a": [1, null]}', "where#/a", "strings, numbers and booleans"),
        ('{"a": [{"b": 1}]}', "where#/a", "strings, numbers and booleans"),
        ('{"a": [[1]]}', "where#/a", "strings, numbers and booleans"),
        ('{"": 1}', "where#/", "empty name"),
        ('{"a..b": 1}', "where#/a..b", "empty name"),
        ('{"payments": {"some": 1}}', "where#/payments/some", "a filter is an object"),
        ('{"payments": {"some": {}, "amount": 1}}', "where#/payments", "'amount' stands beside 'some'"),
    ],
)
def test_what_is_no_tree_is_refused_where_it_stands(tree: str, parameter: str, words: str) -> None:
    """With what would be right."""
    with pytest.raises(RequestError) as caught:
        parse_where(tree)

    assert (caught.value.code, caught.value.issues[0].parameter) == ("filter_syntax", parameter)
    assert words in caught.value.detail


def test_depth_is_bounded_before_anything_is_built() -> None:
    """Far over what a query may have; the planner has the limits that clients meet."""
    deepest = '{"not":' * (DEEPEST_JSON - 1) + "{}" + "}" * (DEEPEST_JSON - 1)

    assert isinstance(parse_where(deepest), NotIntent)
    for tree in (f'{{"not":{deepest}}}', '{"not":' * 100_000):
        with pytest.raises(RequestError, match="nests deeper than 64 levels"):
            parse_where(tree)


@pytest.mark.parametrize(
    "some", [lambda number: {"or": [{}] * (number - 1)}, lambda number: {"and": [{"or": [{"a": 1}] * (number - 2)}]}]
)
def test_parts_are_bounded_before_anything_is_built(some: Callable[[int], dict[str, object]]) -> None:
    """From a body and from a URL; the planner has the limits that clients meet."""
    parse_where(some(MOST_PARTS))
    parse_where({"a.in": [1] * (MOST_PARTS + 1)})
    for tree in (some(MOST_PARTS + 1), json.dumps(some(MOST_PARTS + 1)), {"or": [some(MOST_PARTS), {"b": None}]}):
        with pytest.raises(RequestError) as caught:
            parse_where(tree)
        assert (caught.value.code, caught.value.issues[0].parameter) == ("query_too_large", "where")
        assert caught.value.detail == "where has at most 2,000 parts."


_PATHS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=4), min_size=1, max_size=3
).filter(lambda path: ".".join(path) not in ("and", "or", "not"))
_SCALARS = (
    st.text(max_size=4)
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
_LEAVES = st.builds(
    lambda path, operand: ConditionIntent(tuple(path), operand, ""), _PATHS, _SCALARS | st.lists(_SCALARS, max_size=3)
)
_TREES: st.SearchStrategy[FilterIntent] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: AllIntent(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: AnyIntent(tuple(parts)))
        | inner.map(NotIntent)
        | st.builds(
            lambda path, quantifier, part: RelatedIntent(tuple(path), quantifier, part, ""),
            _PATHS,
            st.sampled_from(QUANTIFIERS),
            inner,
        )
    ),
    max_leaves=8,
)


def rendered(intent: FilterIntent) -> dict[str, object]:
    """Return a filter as its tree."""
    match intent:
        case AllIntent(parts=parts):
            return {"and": [rendered(part) for part in parts]}
        case AnyIntent(parts=parts):
            return {"or": [rendered(part) for part in parts]}
        case NotIntent(part=part):
            return {"not": rendered(part)}
        case RelatedIntent(path=path, quantifier=quantifier, part=part):
            return {".".join(path): {quantifier: rendered(part)}}
        case ConditionIntent(path=path, operand=operand):
            return {".".join(path): operand}


def placeless(intent: FilterIntent) -> FilterIntent:
    """Return a filter without where its parts stood."""
    match intent:
        case AllIntent(parts=parts):
            return AllIntent(tuple(map(placeless, parts)))
        case AnyIntent(parts=parts):
            return AnyIntent(tuple(map(placeless, parts)))
        case NotIntent(part=part):
            return NotIntent(placeless(part))
        case RelatedIntent(path=path, quantifier=quantifier, part=part):
            return RelatedIntent(path, quantifier, placeless(part), "")
        case ConditionIntent(path=path, operand=operand):
            return ConditionIntent(path, operand, "")


@given(_TREES)
def test_any_filter_is_read_as_it_was_written(intent: FilterIntent) -> None:
    """parse(render(filter)) == filter."""
    assert placeless(parse_where(rendered(intent))) == intent


@given(_TREES)
def test_text_and_body_mean_the_same(intent: FilterIntent) -> None:
    """Numbers keep their digits."""
    tree = rendered(intent)
    marked = json.dumps(tree, default=lambda number: f"number {number}")
    text = re.sub(r'"number ([^"]+)"', lambda match: match[1], marked)

    assert placeless(parse_where(text)) == intent


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    """No other exception leaves."""
    try:
        parse_where(json.dumps(value))
    except RequestError as error:
        assert error.code == "filter_syntax"  # noqa: PT017  # either way is right
