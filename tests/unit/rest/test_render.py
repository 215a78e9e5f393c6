"""Results -> bodies, links and headers: all three styles, both ends, and totals nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.reflected import ReflectedColumn
from gateway.operations.results import Count, CountForm, PageResult, Truncation
from gateway.query.access import Grant
from gateway.query.resolve import readable_relationships
from gateway.rest.links import MOST_CUTS_IN_HEADER, Cut, link_header, page_links
from gateway.rest.parse import ReadRequest, parse_list, parse_query_list
from gateway.rest.render import (
    cut_headers,
    cut_meta,
    page_meta,
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


def asked(query: str) -> ReadRequest:
    return parse_list("invoices", parse_query(query.encode()))


def links(query: str, page: PageResult, cursor: str | None = None) -> dict[str, str | None]:
    """Return the links without the path that they share."""
    found = page_links(page, asked(query), PATH, cursor)
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

    assert page_meta(page, asked("")) == {
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

    assert (page_meta(page, asked(""))["count"], page_meta(page, asked(""))["count_age_ms"]) == ("recent", 1500)


@given(st.integers(0, 10_000), st.integers(1, 1000), st.integers(0, 10_000))
def test_pages_cover_every_row(offset: int, per_page: int, total: int) -> None:
    """The last page is the one with the last row, and every link is a page there is."""
    page = PageResult(
        [{}] * max(0, min(per_page, total - offset)), Count("exact", total), offset + per_page < total, offset, per_page
    )
    found = links(f"per_page={per_page}", page)
    pages = page_meta(page, asked(""))["pages"]

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


# Cursors


def test_with_a_cursor_links_lead_forwards_only() -> None:
    """Back is nowhere, the first page begins anew, and every other parameter stays."""
    page = PageResult([{"id": 1}], Count("exact", 90), True, 0, 5)

    assert links("sort=-id&cursor=abc&per_page=5", page, "def") == {
        "self": "sort=-id&per_page=5&cursor=abc",
        "first": "sort=-id&per_page=5&cursor=",
        "prev": None,
        "next": "sort=-id&per_page=5&cursor=def",
        "last": None,
    }
    assert links("cursor=", PageResult([], Count("none"), False, 0, 5))["next"] is None
    assert links("cursor=a%22%0d", page)["self"] == "cursor=a%22%0D"


def test_pages_are_not_numbered_with_a_cursor() -> None:
    """The total stays what it is."""
    page = PageResult([{"id": 1}], Count("exact", 90), True, 0, 5)

    assert page_meta(page, asked("cursor=abc"), "def") == {
        "total": 90,
        "page": None,
        "per_page": 5,
        "pages": 18,
        "count": "exact",
        "next_cursor": "def",
    }


def test_any_list_tells_the_cursor_of_the_next_page() -> None:
    """As long as there is one: a client may change over from numbers."""
    page = PageResult([{"id": 1}], Count("exact", 90), True, 0, 25)

    assert page_meta(page, asked(""), "def")["next_cursor"] == "def"
    assert page_meta(replace(page, has_more=False), asked(""), "def")["next_cursor"] is None
    assert links("", page, "def")["next"] == "page=2"


def test_a_query_in_a_body_links_to_itself_alone() -> None:
    """No link could hold its parameters; the cursor leads on."""
    reply = render_page(result(0, 1, 3), parse_query_list("invoices", {"per_page": 1}), PATH, "https://x", "def")
    body = json.loads(reply.body)

    assert body["links"] == {"self": PATH}
    assert body["meta"]["next_cursor"] == "def"
    assert reply.headers["Link"] == f'<https://x{PATH}>; rel="self"'


def test_warnings_are_told_where_there_are_some() -> None:
    """As stable words."""
    page = PageResult([{"count": 1}], Count("exact", 1), False, 0, 25, warnings=("mixed_currency",))

    assert json.loads(render_page(page, asked("group=a"), PATH, "").body)["meta"]["warnings"] == ["mixed_currency"]
    assert "warnings" not in page_meta(replace(page, warnings=()), asked("group=a"))


# Embeds that were cut


CUTS = (Cut("/3/client/contracts", 5, "/api/v1/clients/12/contracts?limit=5&offset=5"), Cut("/4/a", 100, None))


def test_meta_tells_which_embeds_were_cut() -> None:
    """By pointers into the body, with a path to the rest where there is one."""
    assert cut_meta(CUTS) == {
        "truncated": [
            {
                "pointer": "/data/3/client/contracts",
                "limit": 5,
                "next": "/api/v1/clients/12/contracts?limit=5&offset=5",
            },
            {"pointer": "/data/4/a", "limit": 100, "next": None},
        ]
    }
    assert cut_meta(()) == {}


def test_headers_tell_it_where_there_is_no_meta() -> None:
    """The anchor points into the bare reply, the number counts all of them, and the links of the page come first."""
    due = '<https://x/api/v1/clients/12/contracts?limit=5&offset=5>; rel="subsection"; anchor="#/3/client/contracts"'

    assert cut_headers(CUTS, "https://x") == {"X-Truncated": "2", "Link": due}
    assert cut_headers(CUTS, "https://x", '</a>; rel="self"')["Link"] == f'</a>; rel="self", {due}'
    assert cut_headers((), "https://x", '</a>; rel="self"') == {}
    assert cut_headers(CUTS[1:], "https://x") == {"X-Truncated": "1"}


def test_the_header_names_some_cuts_and_counts_all() -> None:
    """What reads headers has limits of its own."""
    many = tuple(Cut(f"/{number}/a", 1, f"/b/{number}") for number in range(MOST_CUTS_IN_HEADER + 1))
    headers = cut_headers(many, "")

    assert headers["X-Truncated"] == str(MOST_CUTS_IN_HEADER + 1)
    assert headers["Link"].count("anchor=") == MOST_CUTS_IN_HEADER


def test_a_cut_is_told_with_the_page_it_belongs_to() -> None:
    """In meta, or in the headers of a bare array."""
    clients = crm().resources["clients"]
    cut = Truncation((0, "client", "notes"), clients, (12,), ("client", "notes"), 2)
    page = PageResult([{"id": 1}], Count("exact", 1), False, 0, 25, truncated=(cut,))
    query = "include=client.notes&include[client.notes][limit]=2"
    told = json.loads(render_page(page, asked(query), PATH, "https://x").body)["meta"]["truncated"]
    bare = render_page(page, asked(f"{query}&envelope=false"), PATH, "https://x")

    assert told == [
        {"pointer": "/data/0/client/notes", "limit": 2, "next": "/api/v1/clients/12/notes?limit=2&offset=2"}
    ]
    assert json.loads(bare.body) == [{"id": 1}]
    assert bare.headers["X-Truncated"] == "1"
    assert bare.headers["Link"].startswith("<https://x/api/v1/invoices?include=client.notes")
    assert bare.headers["Link"].endswith(
        ', <https://x/api/v1/clients/12/notes?envelope=false&limit=2&offset=2>; rel="subsection"; '
        'anchor="#/0/client/notes"'
    )


# Rows and the index


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
    """A link that answers 403 helps nobody, as each does from rows that the caller only writes."""
    catalog = crm()
    clients = catalog.resources["clients"]
    reader = granted(leads=Grant(READ), clients=Grant(READ))
    writer = granted(leads=Grant(READ), clients=Grant(frozenset({"create", "update"})))

    assert "invoices" in readable_relationships(ALL, catalog, clients)
    assert readable_relationships(reader, catalog, clients) == ("converted_from_lead", "leads")
    assert readable_relationships(writer, catalog, clients) == ()


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
