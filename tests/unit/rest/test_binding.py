"""What a cursor is bound to: which rows there are and in which order, however that is written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.rest.binding import binding_of
from gateway.rest.given import Given
from gateway.rest.parse import parse_list
from gateway.rest.url import parse_query

PATH = "/api/v1/invoices"
QUERY = "filter[total.gte]=1000&filter[any][a]=1&where={%22b%22:[1.50,true]}&q=x&sort=-total,id"


def bound(query: str, path: str = PATH) -> bytes:
    return binding_of(path, parse_list("invoices", parse_query(query.encode())).given)


@pytest.mark.parametrize(
    "query",
    [
        "sort=-total,id&q=x&where={%22b%22:[1.50,true]}&filter[any][a]=1&filter[total.gte]=1000",
        "where=+{%22b%22:+[1.50,+true]}&filter%5Btotal.gte%5D=1000&filter[any][a]=1&q=x&sort=-total%2Cid",
        f"{QUERY}&fields=id&include=client&include[client][filter][a]=1&fields[client]=id&per_page=7&cursor=abc",
        f"{QUERY}&count=none&labels=true&decimals=string&bigints=string&envelope=false&format=json",
    ],
)
def test_a_cursor_belongs_to_the_query_however_it_is_written(query: str) -> None:
    """In any order; fields, embeds, page size and the form of values may change from page to page."""
    assert bound(query) == bound(QUERY)


@pytest.mark.parametrize(
    "query",
    [
        "",
        QUERY.replace("1000", "1001"),
        QUERY.replace("total.gte", "total.gt"),
        QUERY.replace("[any]", "[not]"),
        QUERY.replace("1.50", "1.51"),
        QUERY.replace("q=x", "q=y"),
        QUERY.replace("-total,id", "id,-total"),
        QUERY.replace("-total", "total"),
        f"{QUERY}&filter[b]=1",
    ],
)
def test_a_cursor_belongs_to_no_other_query(query: str) -> None:
    """Neither to other rows nor to another order."""
    assert bound(query) != bound(QUERY)


def test_a_cursor_belongs_to_one_list() -> None:
    """Two parents have different children."""
    assert bound("", "/api/v1/clients/1/invoices") != bound("", "/api/v1/clients/2/invoices")


def test_a_body_that_means_the_same_is_bound_alike() -> None:
    """A cursor of a URL leads on in a body."""
    body: Given = {
        "filter[total.gte]": 1000,
        "filter[any][a]": "1",
        "where": {"b": [Decimal("1.50"), True]},
        "q": "x",
        "sort": ["-total", "id"],
    }

    assert binding_of(PATH, body) == bound(QUERY)
    assert binding_of(PATH, {"filter[a]": True}) == bound("filter[a]=true")
    assert binding_of(PATH, {"filter[a.in]": ["1", "2"]}) != bound("filter[a.in]=1")
