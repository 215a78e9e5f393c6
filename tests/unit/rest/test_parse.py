"""Query strings -> intents: repeats, conflicts, synonyms, encodings; nothing is dropped."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import ValueFormat
from gateway.errors import RequestError
from gateway.query.intent import (
    AggregateIntent,
    AllIntent,
    AnyIntent,
    ConditionIntent,
    EmbedIntent,
    OrderIntent,
    Origin,
    PageIntent,
    ReadIntent,
)
from gateway.rest.filters import parse_filters
from gateway.rest.given import parse_sort
from gateway.rest.parse import (
    CREATE_PARAMETERS,
    LIST_PARAMETERS,
    ROW_PARAMETERS,
    ReadRequest,
    WriteRequest,
    parse_bulk,
    parse_list,
    parse_nothing,
    parse_query_list,
    parse_row,
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
    """First page, exact count, enveloped, plain values, as JSON."""
    assert parsed("") == ReadRequest(ReadIntent("invoices"))


def test_each_parameter_has_its_place_in_the_intent() -> None:
    """What is asked, and what only shapes the reply."""
    request = parsed(
        "fields=id,total&filter[total.gte]=1000&filter[status]=2&q=x&sort=-total,id&page=3&per_page=10"
        "&count=none&decimals=string&bigints=string&envelope=false&labels=1&include=client&where={}"
        "&format=csv&spreadsheet=true"
    )

    assert request.intent == ReadIntent(
        "invoices",
        fields=("id", "total"),
        conditions=(
            ConditionIntent(("total", "gte"), "1000", "filter[total.gte]"),
            ConditionIntent(("status",), "2", "filter[status]"),
            AllIntent(()),
        ),
        search="x",
        order=(OrderIntent("total", descending=True), OrderIntent("id")),
        page=PageIntent(10, 20),
        count="none",
        format=ValueFormat(are_decimals_text=True, are_bigints_text=True),
        needs_key=True,
        embeds=(EmbedIntent(("client",)),),
        has_labels=True,
    )
    assert (request.is_enveloped, request.style, request.is_paged) == (False, "page", True)
    assert (request.format, request.is_spreadsheet) == ("csv", True)


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
    "query",
    ["sort=id&sort=id", "filter[id]=1&filter%5Bid%5D=1", "q=a&q=a", "fields=id&fields=id", "include=a&include=a"],
)
def test_the_same_parameter_twice_is_fine(query: str) -> None:
    """With the same value; it counts once."""
    assert parsed(query).intent == parsed(query.split("&", maxsplit=1)[0]).intent


@pytest.mark.parametrize(
    "query",
    [
        "sort=id&sort=-id",
        "filter[id]=1&filter[id]=2",
        "q=a&q=b",
        "count=none&count=exact",
        "fields=id&fields=total",
        "include=a&include=b",
        "include[a][limit]=1&include[a][limit]=2",
        "where={}&where={%22a%22:1}",
        "group=a&group=b",
    ],
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
        ("labels=x", "parameter_invalid", "labels"),
        ("spreadsheet=x", "parameter_invalid", "spreadsheet"),
        ("filter[a][]=1", "filter_syntax", "filter[a][]"),
        ("filter[][a]=1", "filter_syntax", "filter[][a]"),
        ("filter[a..b][c]=1", "filter_syntax", "filter[a..b][c]"),
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
        ("includes=a", "parameter_unknown", "includes"),
        ("q[a]=1", "parameter_unknown", "q[a]"),
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
    if name not in LIST_PARAMETERS and not name.startswith(("filter", "fields[", "include[", "having")):
        assert refused(f"{encoded}=1").code == "parameter_unknown"


# Cursors


@pytest.mark.parametrize(
    ("query", "cursor", "page"),
    [
        ("cursor=", "", PageIntent()),
        ("cursor=abc", "abc", PageIntent()),
        ("cursor=abc&per_page=5", "abc", PageIntent(5)),
        ("cursor=abc&limit=5&page[size]=5", "abc", PageIntent(5)),
        ("cursor=abc&cursor=def", "def", PageIntent()),
    ],
)
def test_a_cursor_is_a_style_of_its_own(query: str, cursor: str, page: PageIntent) -> None:
    """Empty, it begins; the size of pages is free, and the last of several wins."""
    request = parsed(query)

    assert (request.style, request.cursor, request.intent.page) == ("cursor", cursor, page)


@pytest.mark.parametrize("other", ["page", "page[number]", "offset"])
def test_a_cursor_and_a_place_exclude_each_other(other: str) -> None:
    """Which of the two is meant is not ours to say."""
    error = refused(f"cursor=abc&{other}=1")

    assert (error.code, error.issues[0].parameter) == ("parameter_conflict", other)


@pytest.mark.parametrize(
    ("query", "is_paged"),
    [("", False), ("sort=id", False), ("per_page=5", True), ("limit=5", True), ("page=1", True), ("cursor=", True)],
)
def test_it_is_known_whether_a_page_was_asked_for(query: str, is_paged: bool) -> None:
    """An export without one holds all rows."""
    assert parsed(query).is_paged is is_paged


# Fields of the resource itself


@pytest.mark.parametrize(
    "query", ["fields[invoices]=id,total", "fields[bills]=id,total", "fields=id,total&fields[invoices]=id,total"]
)
def test_fields_may_name_the_resource_itself(query: str) -> None:
    """By its names, as JSON:API's clients do."""
    request = parse_list("invoices", parse_query(query.encode()), own=frozenset({"invoices", "bills"}))

    assert isinstance(request.intent, ReadIntent)
    assert (request.intent.fields, request.intent.embeds) == (("id", "total"), ())


def test_an_embed_of_the_same_name_comes_first() -> None:
    """``fields[invoices]`` then speaks of the rows that are included."""
    intent = parsed("include=invoices&fields[invoices]=id&fields=total").intent

    assert isinstance(intent, ReadIntent)
    assert intent.fields == ("total",)
    assert intent.embeds == (EmbedIntent(("invoices",), fields=("id",)),)


def test_the_fields_of_the_resource_are_given_once() -> None:
    """Two spellings that differ are a conflict."""
    error = refused("fields=id&fields[invoices]=total")

    assert (error.code, error.issues[0].parameter) == ("parameter_conflict", "fields")


# Groups


def test_each_parameter_of_groups_has_its_place_in_the_intent() -> None:
    """Groups and metrics are words that the reply repeats."""
    request = parsed(
        "group=agent,date.month&metrics=count,sum.total&having[sum.total.gte]=1000&sort=-sum.total&filter[status]=2"
        "&q=x&page=2&per_page=10&count=none&include=agent.tasks&fields[agent]=email&labels=true&decimals=string"
        "&envelope=false"
    )

    assert request.intent == AggregateIntent(
        "invoices",
        groups=("agent", "date.month"),
        metrics=("count", "sum.total"),
        having=(ConditionIntent(("sum", "total", "gte"), "1000", "having[sum.total.gte]"),),
        conditions=(ConditionIntent(("status",), "2", "filter[status]"),),
        search="x",
        order=(OrderIntent("sum.total", descending=True),),
        page=PageIntent(10, 10),
        count="none",
        format=ValueFormat(are_decimals_text=True),
        embeds=(
            EmbedIntent(("agent", "tasks")),
            EmbedIntent(("agent",), fields=("email",), parameter="fields[agent]"),
        ),
        has_labels=True,
    )
    assert not request.is_enveloped


@pytest.mark.parametrize(
    ("query", "groups", "metrics"),
    [
        ("group=status", ("status",), ()),
        ("metrics=sum.total", (), ("sum.total",)),
        ("having[count.gt]=1", (), ()),
    ],
)
def test_any_word_of_groups_makes_groups(query: str, groups: tuple[str, ...], metrics: tuple[str, ...]) -> None:
    """Without metrics rows are counted, without groups there is one row over everything."""
    intent = parsed(query).intent

    assert isinstance(intent, AggregateIntent)
    assert (intent.groups, intent.metrics) == (groups, metrics)


def test_the_row_of_a_grouped_relationship_needs_no_include() -> None:
    """Its fields can be chosen."""
    intent = parsed("group=invoice.client&fields[invoice.client]=company").intent

    assert intent.embeds == (
        EmbedIntent(("invoice", "client"), fields=("company",), parameter="fields[invoice.client]"),
    )


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("group=", "group_syntax", "group"),
        ("group=a,,b", "group_syntax", "group"),
        ("metrics=count,", "group_syntax", "metrics"),
        ("having[]=1", "filter_syntax", "having[]"),
        ("having[a][b]=1", "filter_syntax", "having[a][b]"),
        ("having[a=1", "filter_syntax", "having[a"),
        ("having=1", "filter_syntax", "having"),
        ("group=a&fields=id", "parameter_conflict", "fields"),
        ("metrics=count&fields[invoices]=id", "parameter_conflict", "fields[invoices]"),
        ("group=a&cursor=", "parameter_conflict", "cursor"),
        ("group=a&fields[b]=id", "parameter_missing", "fields[b]"),
    ],
)
def test_what_groups_cannot_be_is_refused_by_name(query: str, code: str, parameter: str) -> None:
    """Never dropped."""
    error = refused(query)

    assert (error.code, error.issues[0].parameter) == (code, parameter)


# Bodies of queries


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("fields=id,total", {"fields": ["id", "total"]}),
        ("fields=id,total", {"fields": "id,total"}),
        ("sort=-total,id&page=2", {"sort": ["-total", "id"], "page": 2}),
        ("include=client,items", {"include": ["client", "items"]}),
        ("include[items][limit]=5", {"include[items][limit]": 5}),
        ("fields[client]=company&include=client", {"include": "client", "fields[client]": ["company"]}),
        ("labels=true&envelope=false", {"labels": True, "envelope": False}),
        ("group=status&metrics=count,sum.total", {"group": ["status"], "metrics": ["count", "sum.total"]}),
        ("q=5", {"q": 5}),
        ("cursor=abc&per_page=5", {"cursor": "abc", "per_page": 5}),
        ("count=none&decimals=string", {"count": "none", "decimals": "string"}),
    ],
)
def test_a_body_has_the_parameters_of_a_url(query: str, values: dict[str, object]) -> None:
    """By the same names; arrays are comma lists, numbers and booleans their text."""
    asked, body = parsed(query), parse_query_list("invoices", values)

    assert body.intent == asked.intent
    assert (body.style, body.is_enveloped, body.cursor) == (asked.style, asked.is_enveloped, asked.cursor)
    assert (body.is_body, body.kept) == (True, "")


def test_operands_of_a_body_are_what_they_are() -> None:
    """The planner coerces them; an item of an array may hold a comma."""
    intent = parse_query_list("invoices", {"filter[total.gte]": 1000, "filter[clientnote.in]": ["a,b", "c"]}).intent

    assert intent.conditions == (
        ConditionIntent(("total", "gte"), 1000, "filter[total.gte]"),
        ConditionIntent(("clientnote", "in"), ["a,b", "c"], "filter[clientnote.in]"),
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"page": True}, "page_invalid"),
        ({"page": [1]}, "parameter_invalid"),
        ({"q": ["a"]}, "parameter_invalid"),
        ({"cursor": ["a"]}, "parameter_invalid"),
        ({"count": ["exact"]}, "parameter_invalid"),
        ({"labels": [True]}, "parameter_invalid"),
        ({"format": ["csv"]}, "parameter_invalid"),
        ({"fields": []}, "fields_syntax"),
        ({"fields": ["id", ""]}, "fields_syntax"),
        ({"include": []}, "include_syntax"),
        ({"sort": []}, "sort_syntax"),
        ({"group": []}, "group_syntax"),
        ({"sorted": "id"}, "parameter_unknown"),
        ({"dry_run": True}, "parameter_unknown"),
    ],
)
def test_what_a_body_cannot_say_is_refused_by_name(values: dict[str, object], code: str) -> None:
    """As in a URL."""
    with pytest.raises(RequestError) as caught:
        parse_query_list("invoices", values)

    assert (caught.value.code, caught.value.issues[0].parameter) == (code, next(iter(values)))


# Sort


def test_empty_sort_keys_are_refused_where_they_stand() -> None:
    """The error counts characters."""
    for text, offset in (("", 0), ("-", 0), ("total,,duedate", 6), ("a,-", 2)):
        with pytest.raises(RequestError) as caught:
            parse_sort(text)
        assert (caught.value.code, caught.value.offset) == ("sort_syntax", offset)


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters=",.[]-"), min_size=1).filter(
    lambda name: name not in ("any", "not")
)


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
    assert parse_filters({item.parameter: item.operand for item in conditions}) == conditions


# Other paths


def test_one_row_takes_no_parameters_of_lists() -> None:
    """They would mean nothing."""
    pairs = parse_query(b"fields=id&decimals=string&envelope=0")
    request = parse_row("invoices", ("7",), pairs)

    assert request.intent == ReadIntent(
        "invoices", key=("7",), fields=("id",), format=ValueFormat(are_decimals_text=True), needs_key=True
    )
    for name in sorted(LIST_PARAMETERS - ROW_PARAMETERS):
        assert name not in ("fields", "include")
        with pytest.raises(RequestError) as caught:
            parse_row("invoices", ("7",), parse_query(f"{name.replace('…', 'id')}=1".encode()))
        assert caught.value.code == "parameter_unknown"


def test_a_to_one_is_a_row() -> None:
    """Which one only the rows know."""
    origin = Origin("invoices", ("7",), "client")

    assert parse_to_one("invoices", (), origin).intent == ReadIntent("invoices", origin=origin)


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
    request = parse_bulk(parse_query(b"filter[any][status]=2&filter[name.starts]=a&max_affected=1000"))

    assert request.conditions == (
        AnyIntent((ConditionIntent(("status",), "2", "filter[any][status]"),)),
        ConditionIntent(("name", "starts"), "a", "filter[name.starts]"),
    )
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
        ("cursor=abc&per_page=5", "per_page=5&"),
        ("cursor=&sort=id", "sort=id&"),
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
