"""Query strings -> intents: repeats, conflicts, synonyms, encodings; nothing is dropped."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import ValueFormat
from gateway.errors import RequestError
from gateway.query.intent import ConditionIntent, OrderIntent, Origin, PageIntent, ReadIntent
from gateway.rest.parse import (
    CREATE_PARAMETERS,
    LIST_PARAMETERS,
    ROW_PARAMETERS,
    ReadRequest,
    WriteRequest,
    parse_bulk,
    parse_filter,
    parse_list,
    parse_nothing,
    parse_row,
    parse_sort,
    parse_to_one,
    parse_write,
)
from gateway.rest.url import parse_query


def parsed(query: str | bytes) -> ReadRequest:
    return parse_list("invoices", parse_query(query if isinstance(query, bytes) else query.encode()))


def refused(query: str | bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parsed(query)
    return caught.value


def test_a_list_without_parameters_has_its_defaults() -> None:
    """First page, exact count, enveloped, plain values."""
    assert parsed("") == ReadRequest(ReadIntent("invoices"))


def test_each_parameter_has_its_place_in_the_intent() -> None:
    """What is asked, and what only shapes the reply."""
    request = parsed(
        "fields=id,total&filter[total.gte]=1000&filter[status]=2&q=x&sort=-total,id&page=3&per_page=10"
        "&count=none&decimals=string&bigints=string&envelope=false"
    )

    assert request.intent == ReadIntent(
        "invoices",
        fields=("id", "total"),
        conditions=(
            ConditionIntent(("total", "gte"), "1000", "filter[total.gte]"),
            ConditionIntent(("status",), "2", "filter[status]"),
        ),
        search="x",
        order=(OrderIntent("total", descending=True), OrderIntent("id")),
        page=PageIntent(10, 20),
        count="none",
        format=ValueFormat(are_decimals_text=True, are_bigints_text=True),
        needs_key=True,
    )
    assert (request.is_enveloped, request.style) == (False, "page")


# Encodings


@pytest.mark.parametrize(
    "query",
    [
        "filter[total.gte]=1000",
        "filter%5Btotal.gte%5D=1000",
        "filter%5btotal%2Egte]=%31000",
        "&&filter[total.gte]=1000&",
    ],
)
def test_brackets_may_come_raw_or_encoded(query: str) -> None:
    """Clients differ."""
    assert parsed(query).intent.conditions == (ConditionIntent(("total", "gte"), "1000", "filter[total.gte]"),)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("q=a+b", "a b"),
        ("q=a%2Bb", "a+b"),
        ("q=a=b", "a=b"),
        ("q=", ""),
        ("q", ""),
        ("q=%C3%A9", "é"),
        ("q=%zz", "%zz"),
    ],
)
def test_values_are_decoded_once(query: str, value: str) -> None:
    """A plus is a space, as forms have it; a lone percent sign is itself."""
    assert parsed(query).intent.search == value


def test_raw_utf8_is_taken_too() -> None:
    """Some clients do not encode at all."""
    assert parsed("q=é".encode()).intent.search == "é"


@pytest.mark.parametrize("query", [b"q=%ff", b"q=\xff", b"%ff=1", b"q=%ed%a0%80"])
def test_what_is_not_utf8_is_refused(query: bytes) -> None:
    """Half characters and broken bytes."""
    assert refused(query).code == "parameter_invalid"


# Repeats, conflicts, synonyms


@pytest.mark.parametrize(
    "query", ["sort=id&sort=id", "filter[id]=1&filter%5Bid%5D=1", "q=a&q=a", "fields=id&fields=id"]
)
def test_the_same_parameter_twice_is_fine(query: str) -> None:
    """With the same value; it counts once."""
    assert parsed(query).intent == parsed(query.split("&", maxsplit=1)[0]).intent


@pytest.mark.parametrize(
    "query",
    ["sort=id&sort=-id", "filter[id]=1&filter[id]=2", "q=a&q=b", "count=none&count=exact", "fields=id&fields=total"],
)
def test_other_conflicts_are_refused(query: str) -> None:
    """Neither of the two can be meant alone."""
    error = refused(query)

    assert (error.code, error.issues[0].parameter) == ("parameter_conflict", query.split("=", maxsplit=1)[0])


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("page=2", PageIntent(None, 25)),
        ("page=1&page=2", PageIntent(None, 25)),
        ("page=2&per_page=10&per_page=5", PageIntent(5, 5)),
        ("limit=5", PageIntent(5, 0)),
        ("offset=7", PageIntent(None, 7)),
        ("limit=5&offset=7&offset=8", PageIntent(5, 8)),
        ("page[number]=3&page[size]=5", PageIntent(5, 10)),
        ("page%5Bnumber%5D=3&page%5Bsize%5D=5", PageIntent(5, 10)),
        ("page=3&page[number]=3", PageIntent(None, 50)),
        ("page=3&limit=5", PageIntent(5, 10)),
        ("per_page=5&limit=5", PageIntent(5, 0)),
        ("offset=0", PageIntent(None, 0)),
    ],
)
def test_pages_have_three_spellings(query: str, page: PageIntent) -> None:
    """The last of several wins: clients append theirs to a link that has one."""
    assert parsed(query).intent.page == page


@pytest.mark.parametrize(
    ("query", "style"),
    [
        ("", "page"),
        ("page=2", "page"),
        ("per_page=5", "page"),
        ("limit=5", "offset"),
        ("offset=5", "offset"),
        ("per_page=5&offset=5", "offset"),
        ("page=2&limit=5", "page"),
        ("page[size]=5", "page[number]"),
        ("page[number]=2", "page[number]"),
    ],
)
def test_links_keep_the_spelling_that_was_used(query: str, style: str) -> None:
    """A client that counts rows is not given pages."""
    assert parsed(query).style == style


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("page=2&offset=5", "parameter_conflict", "offset"),
        ("per_page=5&limit=6", "parameter_conflict", "per_page"),
        ("page=1&page[number]=2", "parameter_conflict", "page"),
        ("page=0", "page_invalid", "page"),
        ("page=-1", "page_invalid", "page"),
        ("page=1.5", "page_invalid", "page"),
        ("page=", "page_invalid", "page"),
        ("page=%D9%A1", "page_invalid", "page"),
        ("page=%C2%B2", "page_invalid", "page"),
        ("page=1e3", "page_invalid", "page"),
        ("page=9999999999999999999", "page_invalid", "page"),
        ("per_page=0", "page_invalid", "per_page"),
        ("limit=x", "page_invalid", "limit"),
        ("offset=-1", "page_invalid", "offset"),
        ("page[size]=0", "page_invalid", "page[size]"),
        ("fields=", "fields_syntax", "fields"),
        ("fields=id,,total", "fields_syntax", "fields"),
        ("sort=", "sort_syntax", "sort"),
        ("count=all", "parameter_invalid", "count"),
        ("decimals=float", "parameter_invalid", "decimals"),
        ("bigints=1", "parameter_invalid", "bigints"),
        ("envelope=maybe", "parameter_invalid", "envelope"),
        ("filter[a][b]=1", "filter_syntax", "filter[a][b]"),
        ("filter[]=1", "filter_syntax", "filter[]"),
        ("filter[a.]=1", "filter_syntax", "filter[a.]"),
        ("filter[.a]=1", "filter_syntax", "filter[.a]"),
        ("filter[a=1", "filter_syntax", "filter[a"),
        ("filter[a]b=1", "filter_syntax", "filter[a]b"),
        ("filter=1", "filter_syntax", "filter"),
        ("filter[[a]]=1", "filter_syntax", "filter[[a]]"),
        ("sorted=1", "parameter_unknown", "sorted"),
        ("filters[a]=1", "parameter_unknown", "filters[a]"),
        ("filter.total=1", "parameter_unknown", "filter.total"),
        ("filterx=1", "parameter_unknown", "filterx"),
        ("Sort=id", "parameter_unknown", "Sort"),
        ("=1", "parameter_unknown", ""),
        ("sort[]=id", "parameter_unknown", "sort[]"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused_by_name(query: str, code: str, parameter: str) -> None:
    """Never dropped."""
    error = refused(query)

    assert (error.code, error.issues[0].parameter) == (code, parameter)


def test_a_near_miss_is_told_what_it_missed() -> None:
    """Other unknown names are told what there is."""
    assert refused("per_pag=5").issues[0].suggestion == "per_page"
    assert refused("qqqqqq=5").issues[0].suggestion is None
    assert "There are: bigints, count" in refused("qqqqqq=5").detail


@given(st.text(min_size=1))
def test_any_other_parameter_is_refused(name: str) -> None:
    """Whatever it is called."""
    try:
        encoded = quote(name, safe="")
    except UnicodeEncodeError:
        return
    if name not in LIST_PARAMETERS and not name.startswith("filter"):
        assert refused(f"{encoded}=1").code == "parameter_unknown"


# Sort


def test_empty_sort_keys_are_refused_where_they_stand() -> None:
    """The error counts characters."""
    for text, offset in (("", 0), ("-", 0), ("total,,duedate", 6), ("a,-", 2)):
        with pytest.raises(RequestError) as caught:
            parse_sort(text)
        assert (caught.value.code, caught.value.offset) == ("sort_syntax", offset)


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters=",.[]-"), min_size=1)


@given(st.lists(st.tuples(_NAMES, st.booleans()), min_size=1, max_size=5))
def test_any_order_is_read_as_it_was_written(keys: list[tuple[str, bool]]) -> None:
    """parse(render(order)) == order."""
    order = tuple(OrderIntent(name, descending=is_descending) for name, is_descending in keys)

    assert parse_sort(",".join(f"{'-' * key.descending}{key.field}" for key in order)) == order


@given(st.lists(st.tuples(st.lists(_NAMES, min_size=1, max_size=3), st.text(st.characters(codec="utf-8"))), max_size=4))
def test_any_filters_are_read_as_they_were_written(filters: list[tuple[list[str], str]]) -> None:
    """parse(render(conditions)) == conditions, through the whole query string."""
    unique = {tuple(path): operand for path, operand in filters}
    conditions = tuple(ConditionIntent(path, value, f"filter[{'.'.join(path)}]") for path, value in unique.items())
    query = "&".join(f"{quote(item.parameter, safe='')}={quote(str(item.operand), safe='')}" for item in conditions)

    assert parsed(query).intent.conditions == conditions
    assert all(parse_filter(item.parameter, str(item.operand)) == item for item in conditions)


# Other paths


def test_one_row_takes_no_parameters_of_lists() -> None:
    """They would mean nothing."""
    pairs = parse_query(b"fields=id&decimals=string&envelope=0")
    request = parse_row("invoices", ("7",), pairs)

    assert request.intent == ReadIntent(
        "invoices", key=("7",), fields=("id",), format=ValueFormat(are_decimals_text=True), needs_key=True
    )
    for name in sorted(LIST_PARAMETERS - ROW_PARAMETERS):
        with pytest.raises(RequestError) as caught:
            parse_row("invoices", ("7",), parse_query(f"{name.replace('…', 'id')}=1".encode()))
        assert caught.value.code == "parameter_unknown"


def test_a_to_one_is_a_row_that_needs_its_key() -> None:
    """Its own path is told from it."""
    origin = Origin("invoices", ("7",), "client")

    assert parse_to_one("invoices", (), origin).intent == ReadIntent("invoices", origin=origin, needs_key=True)


def test_a_path_without_parameters_takes_none() -> None:
    """And says so."""
    parse_nothing(())
    with pytest.raises(RequestError, match="This path takes none"):
        parse_nothing(parse_query(b"page=1"))


def test_a_write_says_how_values_come_back() -> None:
    """And whether it is only tried out; a create also what to do with a row that is there."""
    assert parse_write(parse_query(b"decimals=string")).format == ValueFormat(are_decimals_text=True)
    assert parse_write(parse_query(b"dry_run=true")) == WriteRequest(is_dry_run=True)
    assert parse_write(parse_query(b"on_conflict=ignore"), CREATE_PARAMETERS) == WriteRequest(on_conflict="ignore")
    assert parse_write(()) == WriteRequest()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"fields=id", "parameter_unknown"),
        (b"filter[id]=1", "parameter_unknown"),
        (b"on_conflict=update", "parameter_unknown"),
        (b"dry_run=perhaps", "parameter_invalid"),
    ],
)
def test_a_write_of_one_row_takes_no_other_parameter(query: bytes, code: str) -> None:
    """Each is named."""
    with pytest.raises(RequestError) as caught:
        parse_write(parse_query(query))
    assert caught.value.code == code


def test_a_create_knows_two_ways_with_a_row_that_is_there() -> None:
    """And names them."""
    with pytest.raises(RequestError, match="update, ignore"):
        parse_write(parse_query(b"on_conflict=replace"), CREATE_PARAMETERS)


def test_a_write_by_filter_says_which_rows_and_how_many() -> None:
    """Filters are those of lists."""
    request = parse_bulk(parse_query(b"filter[status]=2&filter[name.starts]=a&max_affected=1000"))

    assert [condition.path for condition in request.conditions] == [("status",), ("name", "starts")]
    assert (request.most, request.is_dry_run) == (1_000, False)


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        (b"", "parameter_missing", "filter[…]"),
        (b"max_affected=5", "parameter_missing", "filter[…]"),
        (b"filter[id]=5", "parameter_missing", "max_affected"),
        (b"filter[id]=5&max_affected=0", "parameter_invalid", "max_affected"),
        (b"filter[id]=5&max_affected=1001", "parameter_invalid", "max_affected"),
        (b"filter[id]=5&max_affected=all", "parameter_invalid", "max_affected"),
        (b"filter[id]=5&max_affected=5&q=x", "parameter_unknown", "q"),
        (b"filter[id=5&max_affected=5", "filter_syntax", "filter[id"),
    ],
)
def test_a_write_by_filter_without_bounds_is_refused(query: bytes, code: str, parameter: str) -> None:
    """Never everything by mistake."""
    with pytest.raises(RequestError) as caught:
        parse_bulk(parse_query(query))

    assert (caught.value.code, caught.value.issues[0].parameter) == (code, parameter)


# What links repeat


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("page=2", ""),
        ("sort=-total&page=2&filter%5Bid%5D=1", "sort=-total&filter%5Bid%5D=1&"),
        ("page=1&per_page=5&page=2", "per_page=5&"),
        ("limit=5&offset=10", "limit=5&"),
        ("page[number]=2&page[size]=5&page=2", "page[size]=5&"),
        ("sort=id&sort=id", "sort=id&"),
        ("q=a+b&q=a+b", "q=a+b&"),
        ('q="<é>', "q=%22%3C%C3%A9%3E&"),
        ("q=a#b", "q=a%23b&"),
    ],
)
def test_links_repeat_the_other_parameters_as_they_were_sent(query: str, kept: str) -> None:
    """Once each, and fit for a link and a header."""
    assert parsed(query).kept == kept


@given(
    st.dictionaries(st.sampled_from(["q", "filter[a]", "filter[b.contains]"]), st.text(st.characters(codec="utf-8")))
)
def test_what_links_repeat_means_the_same(values: dict[str, str]) -> None:
    """Followed, a link asks the same question."""
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in values.items())
    request = parsed(query)

    assert parsed(request.kept).intent == request.intent
    assert request.kept.isascii()
    assert not set(request.kept) & set(' <>"\r\n')


def test_requests_are_values() -> None:
    """Equal questions are equal, so that they can be remembered."""
    assert parsed("sort=id") == parsed("sort=id") != replace(parsed("sort=id"), style="offset")
