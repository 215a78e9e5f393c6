"""Results -> bodies, links and headers: all three styles, both ends, and totals nobody knows."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.reflected import ReflectedColumn
from gateway.operations.results import Count, CountForm, PageResult
from gateway.query.access import Grant
from gateway.rest.parse import parse_list
from gateway.rest.render import (
    link_header,
    page_links,
    page_meta,
    readable_relationships,
    render_index,
    render_page,
    render_row,
    row_links,
    with_ids,
)
from gateway.rest.url import parse_query
from tests.support.asking import ALL, READ, crm, granted
from tests.support.catalogs import make_catalog, reflected

PATH = "/api/v1/invoices"


def result(offset: int, per_page: int, total: int | None, form: CountForm = "exact", shown: int = 1) -> PageResult:
    has_more = total is None or offset + per_page < total
    return PageResult([{"id": 1}] * shown, Count(form, total), has_more, offset, per_page)


def links(query: str, page: PageResult) -> dict[str, str | None]:
    """Return the links without the path that they share."""
    found = page_links(page, parse_list("invoices", parse_query(query.encode())), PATH)
    assert all(link is None or link.startswith(f"{PATH}?") for link in found.values())
    return {name: link and link.removeprefix(f"{PATH}?") for name, link in found.items()}


@pytest.mark.parametrize(
    ("query", "offset", "due"),
    [
        ("", 0, ("page=1", "page=1", None, "page=2", "page=4")),
        ("page=2", 25, ("page=2", "page=1", "page=1", "page=3", "page=4")),
        ("page=4", 75, ("page=4", "page=1", "page=3", None, "page=4")),
        ("sort=-id&page=2", 25, tuple(f"sort=-id&page={number}" for number in (2, 1, 1, 3, 4))),
        ("offset=10", 10, ("offset=10", "offset=0", "offset=0", "offset=35", "offset=75")),
        ("page[number]=2", 25, tuple(f"page[number]={number}" for number in (2, 1, 1, 3, 4))),
    ],
)
def test_links_lead_to_the_other_pages(query: str, offset: int, due: tuple[str | None, ...]) -> None:
    """In the style that was asked in, keeping every other parameter."""
    found = links(query, result(offset, 25, 90))

    assert (found["self"], found["first"], found["prev"], found["next"], found["last"]) == due


@pytest.mark.parametrize(
    ("offset", "total", "prev"),
    [(2500, 90, "page=4"), (100, 90, "page=4"), (25, 0, "page=1"), (100, None, "page=4")],
)
def test_from_beyond_the_end_the_page_before_is_the_last_one(offset: int, total: int | None, prev: str) -> None:
    """A client that pages backwards finds rows at once; without a total it goes one back."""
    page = PageResult([], Count("exact" if total is not None else "none", total), False, offset, 25)

    assert links(f"page={offset // 25 + 1}", page)["prev"] == prev
    assert links(f"page={offset // 25 + 1}", page)["next"] is None


def test_numbers_nobody_knows_are_null() -> None:
    """Total, pages and the last page are never invented."""
    page = result(25, 25, None, "none")

    assert page_meta(page) == {
        "total": None,
        "page": 2,
        "per_page": 25,
        "pages": None,
        "count": "none",
        "next_cursor": None,
    }
    assert links("page=2", page)["last"] is None


def test_a_recent_count_tells_its_age() -> None:
    """In milliseconds."""
    page = PageResult([], Count("recent", 7, 1500), False, 0, 25)

    assert (page_meta(page)["count"], page_meta(page)["count_age_ms"]) == ("recent", 1500)


@given(st.integers(0, 10_000), st.integers(1, 1000), st.integers(0, 10_000))
def test_pages_cover_every_row(offset: int, per_page: int, total: int) -> None:
    """The last page is the one with the last row, and every link is a page there is."""
    page = PageResult(
        [{}] * max(0, min(per_page, total - offset)), Count("exact", total), offset + per_page < total, offset, per_page
    )
    found = links(f"per_page={per_page}", page)
    pages = page_meta(page)["pages"]

    assert isinstance(pages, int)
    assert (pages - 1) * per_page < total <= pages * per_page or total == pages == 0
    numbers = {name: int(link.rpartition("page=")[2]) for name, link in found.items() if link is not None}
    assert numbers["last"] == max(1, pages)
    assert numbers.get("next", 1) <= max(1, pages)
    assert numbers.get("prev", 1) <= max(1, pages)


def test_a_page_is_data_meta_and_links() -> None:
    """With the same links as a header, absolute, and the total."""
    request = parse_list("invoices", parse_query(b"per_page=1"))
    reply = render_page(result(0, 1, 3), request, PATH, "https://crm.example")
    body = json.loads(reply.body)

    assert list(body) == ["data", "meta", "links"]
    assert body["data"] == [{"id": 1}]
    assert reply.headers["X-Total-Count"] == "3"
    assert f'<https://crm.example{body["links"]["next"]}>; rel="next"' in reply.headers["Link"]
    assert 'rel="prev"' not in reply.headers["Link"]


def test_without_envelope_rows_stand_alone() -> None:
    """Everything else is in the headers; an unknown total in none."""
    request = parse_list("invoices", parse_query(b"envelope=false"))
    reply = render_page(result(0, 25, None, "none"), request, PATH, "https://crm.example")

    assert json.loads(reply.body) == [{"id": 1}]
    assert "X-Total-Count" not in reply.headers
    assert 'rel="next"' in reply.headers["Link"]


def test_a_link_header_holds_what_there_is() -> None:
    """RFC 8288."""
    assert link_header({"self": "/a?b=%22", "prev": None}, "https://x") == '<https://x/a?b=%22>; rel="self"'
    assert link_header({}, "https://x") == ""


def test_a_row_is_data_and_links() -> None:
    """Or alone."""
    found = row_links("/api/v1/clients/1", ("invoices",))

    assert found == {"self": "/api/v1/clients/1", "invoices": "/api/v1/clients/1/invoices"}
    assert json.loads(render_row({"id": 1}, found)) == {"data": {"id": 1}, "links": found}
    assert json.loads(render_row({"id": 1}, found, is_enveloped=False)) == {"id": 1}


def test_only_readable_relationships_are_linked() -> None:
    """A link that answers 403 helps nobody."""
    catalog = crm()
    clients = catalog.resources["clients"]

    assert "invoices" in readable_relationships(catalog, ALL, clients)
    assert readable_relationships(catalog, granted(leads=Grant(READ)), clients) == ("converted_from_lead", "leads")


@pytest.mark.parametrize(
    ("key", "row", "due"),
    [
        (("id",), {"id": 7, "x": 1}, {"id": 7, "x": 1}),
        (("userid",), {"x": 1, "userid": 7}, {"id": 7, "x": 1, "userid": 7}),
        (("a", "b"), {"a": 7, "b": "x"}, {"id": "7,x", "a": 7, "b": "x"}),
        ((), {"x": 1}, {"x": 1}),
    ],
)
def test_a_bare_row_carries_an_id(key: tuple[str, ...], row: dict[str, Any], due: dict[str, Any]) -> None:
    """Whatever its key is called; a composite one as it stands in a path."""
    columns = [ReflectedColumn(name, "varchar(9)", is_nullable=False) for name in row]
    table = make_catalog(reflected("t", *columns, key=key)).resources["t"]

    assert with_ids([row], table) == [due]
    assert list(with_ids([row], table)[0]) == list(due)


def test_decimals_of_a_composite_key_keep_their_digits() -> None:
    """In the id too, which is the key as it stands in a path."""
    columns = [ReflectedColumn(name, "decimal(5,2)", is_nullable=False) for name in ("a", "b")]
    table = make_catalog(reflected("t", *columns, key=("a", "b"))).resources["t"]
    row = {"a": orjson.Fragment("1.50"), "b": orjson.Fragment("2.00")}

    assert with_ids([row], table)[0]["id"] == "1.50,2.00"


def test_the_index_lists_what_the_caller_may_use() -> None:
    """With the operations, by canonical name."""
    body = json.loads(render_index(crm(), granted(clients=Grant(READ), payments=Grant(READ))))

    assert body == {
        "data": [{"resource": "clients", "operations": ["read"], "links": {"self": "/api/v1/clients"}}],
        "links": {"self": "/api/v1"},
    }
    assert len(json.loads(render_index(crm(), ALL))["data"]) == len(crm().exposed())
