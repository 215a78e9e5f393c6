"""Parameters of embeds: what is included, its fields, filters, order and limit, each by path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.query.intent import AnyIntent, ConditionIntent, EmbedIntent, OrderIntent, Origin
from gateway.rest.includes import parse_embeds
from gateway.rest.parse import parse_list, parse_row, parse_to_one
from gateway.rest.url import parse_query

ORIGIN = Origin("payments", ("7",), "invoice")


def parsed(query: str) -> tuple[EmbedIntent, ...]:
    return parse_list("invoices", parse_query(query.encode())).intent.embeds


def test_includes_are_a_comma_list_of_paths() -> None:
    """In the order they are named, each once."""
    assert parsed("include=client,items,client.contracts,client") == (
        EmbedIntent(("client",)),
        EmbedIntent(("items",)),
        EmbedIntent(("client", "contracts")),
    )


def test_an_embed_has_fields_filters_order_and_limit_of_its_own() -> None:
    """Keyed by its path; the filter has the grammar of filters, and remembers its parameter."""
    embeds = parsed(
        "include=payments&fields[payments]=id,amount&include[payments][sort]=-date,id&include[payments][limit]=5"
        "&include[payments][filter][amount.gt]=0&include[payments][filter][any][a]=1"
        "&include[payments][filter][any][b]=2"
    )
    name = "include[payments][filter]"

    assert embeds == (
        EmbedIntent(
            ("payments",),
            fields=("id", "amount"),
            conditions=(
                ConditionIntent(("amount", "gt"), "0", f"{name}[amount.gt]"),
                AnyIntent(
                    (ConditionIntent(("a",), "1", f"{name}[any][a]"), ConditionIntent(("b",), "2", f"{name}[any][b]"))
                ),
            ),
            order=(
                OrderIntent("date", True, "include[payments][sort]"),
                OrderIntent("id", False, "include[payments][sort]"),
            ),
            limit=5,
        ),
    )


@pytest.mark.parametrize(
    "query",
    [
        "include[client.contracts][limit]=5",
        "include[client.contracts][sort]=id",
        "include[client.contracts][filter][a]=1",
    ],
)
def test_what_speaks_of_an_embed_includes_it(query: str) -> None:
    """Without naming it in ``include``; the parameter that did is remembered."""
    (embed,) = parsed(query)

    assert (embed.path, embed.parameter) == (("client", "contracts"), query.partition("=")[0])


def test_fields_may_be_chosen_on_the_way_to_an_embed() -> None:
    """A path includes what it leads through."""
    assert parsed("fields[client]=company&include=client.contracts") == (
        EmbedIntent(("client", "contracts")),
        EmbedIntent(("client",), fields=("company",), parameter="fields[client]"),
    )


@pytest.mark.parametrize(
    "query", ["fields[client]=id", "include=clients&fields[client]=id", "include=a.b&fields[b]=id"]
)
def test_fields_of_what_is_not_included_are_refused(query: str) -> None:
    """They would be dropped; the error says what is missing."""
    with pytest.raises(RequestError, match="add include=") as caught:
        parsed(query)

    assert caught.value.code == "parameter_missing"
    assert caught.value.issues[0].parameter in ("fields[client]", "fields[b]")


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("include=", "include_syntax", "include"),
        ("include=a,,b", "include_syntax", "include"),
        ("include=a..b", "include_syntax", "include"),
        ("include=.a", "include_syntax", "include"),
        ("include[a]=1", "include_syntax", "include[a]"),
        ("include[]=1", "include_syntax", "include[]"),
        ("include[a][]=1", "include_syntax", "include[a][]"),
        ("include[][limit]=1", "include_syntax", "include[][limit]"),
        ("include[a.][limit]=1", "include_syntax", "include[a.][limit]"),
        ("include[a][offset]=1", "include_syntax", "include[a][offset]"),
        ("include[a][limit][b]=1", "include_syntax", "include[a][limit][b]"),
        ("include[a][limit=1", "include_syntax", "include[a][limit"),
        ("include[a][limit]=0", "page_invalid", "include[a][limit]"),
        ("include[a][limit]=all", "page_invalid", "include[a][limit]"),
        ("include[a][sort]=", "sort_syntax", "include[a][sort]"),
        ("include[a][filter]=1", "filter_syntax", "include[a][filter]"),
        ("include[a][filter][]=1", "filter_syntax", "include[a][filter][]"),
        ("include=a&fields[a]=", "fields_syntax", "fields[a]"),
        ("include=a&fields[a]=id,,b", "fields_syntax", "fields[a]"),
        ("include=a&fields[]=id", "fields_syntax", "fields[]"),
        ("include=a&fields[a][b]=id", "fields_syntax", "fields[a][b]"),
        ("include=a&fields[a=id", "fields_syntax", "fields[a"),
    ],
)
def test_malformed_embeds_are_refused_by_name(query: str, code: str, parameter: str) -> None:
    """Never dropped."""
    with pytest.raises(RequestError) as caught:
        parsed(query)

    assert (caught.value.code, caught.value.issues[0].parameter) == (code, parameter)


def test_rows_and_to_ones_take_embeds_too() -> None:
    """In the same words."""
    pairs = parse_query(b"include=client&fields[client]=company&labels=1")
    due = (EmbedIntent(("client",), fields=("company",)),)

    intents = [parse_row("invoices", ("7",), pairs).intent, parse_to_one("payments", pairs, ORIGIN).intent]

    assert [(intent.embeds, intent.has_labels) for intent in intents] == [(due, True), (due, True)]


_PATHS = st.lists(st.sampled_from(["client", "items", "notes"]), min_size=1, max_size=3).map(tuple)
_EMBEDS = st.builds(
    lambda path, fields, keys, limit, operand: EmbedIntent(
        path,
        fields or None,
        () if operand is None else (ConditionIntent(("a", "gt"), operand, f"{_name(path)}[filter][a.gt]"),),
        tuple(OrderIntent(key, is_descending, f"{_name(path)}[sort]") for key, is_descending in keys),
        limit,
    ),
    _PATHS,
    st.lists(st.sampled_from(["id", "total"]), max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(["id", "total"]), st.booleans()), max_size=2),
    st.none() | st.integers(1, 9),
    st.none() | st.text(st.characters(codec="utf-8")),
)


def _name(path: tuple[str, ...]) -> str:
    return f"include[{'.'.join(path)}]"


def rendered(embeds: list[EmbedIntent]) -> dict[str, object]:
    """Return embeds as parameters."""
    given: dict[str, object] = {}
    if embeds:
        given["include"] = ",".join(".".join(embed.path) for embed in embeds)
    for embed in embeds:
        if embed.fields is not None:
            given[f"fields[{'.'.join(embed.path)}]"] = ",".join(embed.fields)
        if embed.order:
            words = (f"{'-' * key.descending}{key.field}" for key in embed.order)
            given[f"{_name(embed.path)}[sort]"] = ",".join(words)
        if embed.limit is not None:
            given[f"{_name(embed.path)}[limit]"] = str(embed.limit)
        for condition in embed.conditions:
            assert isinstance(condition, ConditionIntent)
            given[condition.parameter] = condition.operand
    return given


@given(st.lists(_EMBEDS, unique_by=lambda embed: embed.path, max_size=3))
def test_any_embeds_are_read_as_they_were_written(embeds: list[EmbedIntent]) -> None:
    """parse(render(embeds)) == embeds."""
    assert parse_embeds(rendered(embeds)) == tuple(embeds)
