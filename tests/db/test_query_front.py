"""The query language through HTTP: bodies, cursors in links, cut embeds that can be followed, formats by path."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio.to_thread
import pytest

from gateway.query.planner import plan_read
from gateway.web.memory import _KnownPages
from tests.support.app import App, listening, served

JSON: Mapping[str, str] = {"Content-Type": "application/json"}
GRANTS = {"all": ("*:*",), "reader": ("invoices:read",), "writer": ("invoices:create", "clients:read")}


@pytest.fixture(scope="module")
async def app(crm_database: str) -> AsyncIterator[App]:
    """The application on the sample CRM; nothing here writes."""
    async with served(crm_database, grants=GRANTS, admin=False) as running:
        yield running


async def query(app: App, method: str, path: str, body: object, **headers: str) -> Any:
    """Return the body of a query that succeeds."""
    data = json.dumps(body).encode()
    reply = await app.client.request(method, f"/api/v1/{path}", content=data, headers={**JSON, **headers})
    assert reply.status_code == 200, reply.text
    return reply.json()


def ids(page: Any) -> list[int]:
    return [row["id"] for row in page["data"]]


# Bodies

TREE = {"or": [{"payments": {"some": {"amount.gt": 100}}}, {"status.in": [1, 4]}]}
BODY = {"where": TREE, "filter[total.gte]": 30000.5, "fields": ["id", "total"], "sort": ["-total"], "per_page": 7}
URL = f"invoices?where={json.dumps(TREE)}&filter[total.gte]=30000.5&fields=id,total&sort=-total&per_page=7"


async def test_a_query_in_a_body_is_the_query_of_a_url(app: App) -> None:
    """By either method, with the same rows and total; only the links differ."""
    asked = await app.json(URL)
    queried = await query(app, "QUERY", "invoices", BODY)
    posted = await query(app, "POST", "invoices/query", BODY)

    assert queried["data"] == posted["data"] == asked["data"]
    assert queried["meta"] == posted["meta"] == asked["meta"]
    assert len(asked["data"]) == 7
    assert queried["links"] == {"self": "/api/v1/invoices"}
    assert posted["links"] == {"self": "/api/v1/invoices/query"}


async def test_an_alias_is_bound_as_the_resource_itself(app: App) -> None:
    """A cursor of one leads on in the other."""
    first = await app.json("payments?per_page=3&fields=id")
    cursor = first["meta"]["next_cursor"]

    assert ids(await app.json(f"invoicepaymentrecords?per_page=3&fields=id&cursor={cursor}")) == ids(
        await app.json("payments?per_page=3&fields=id&page=2")
    )


async def test_a_body_is_paged_by_its_cursor(app: App) -> None:
    """To the end, each row once, in the order of one long list."""
    due = ids(await app.json(URL.replace("per_page=7", "per_page=1000")))
    found: list[int] = []
    body: dict[str, Any] = dict(BODY)
    while True:
        page = await query(app, "QUERY", "invoices", body)
        found += ids(page)
        if page["meta"]["next_cursor"] is None:
            break
        body["cursor"] = page["meta"]["next_cursor"]

    assert found == due
    assert 14 < len(due) < 1_000


async def test_a_cursor_of_a_url_leads_on_in_a_body(app: App) -> None:
    """Both ask the same question."""
    first = await app.json(f"{URL}&cursor=")
    by_body = await query(app, "POST", "invoices/query", {**BODY, "cursor": first["meta"]["next_cursor"]})
    by_link = (await app.client.get(first["links"]["next"])).json()

    assert by_body["data"] == by_link["data"] != first["data"]


async def test_lists_of_relationships_take_bodies_too(app: App) -> None:
    """Groups as well; a to-one is one row and takes none."""
    page = await query(app, "QUERY", "clients/1/invoices", {"group": ["status"], "metrics": ["count", "sum.total"]})
    due = await app.json("clients/1/invoices?group=status&metrics=count,sum.total")
    refused = await app.client.request("QUERY", "/api/v1/invoices/1/client", content=b"{}", headers=JSON)

    assert page["data"] == due["data"]
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(("method", "path"), [("QUERY", "invoices"), ("POST", "invoices/query")])
async def test_a_query_needs_the_right_to_read_and_no_other(app: App, method: str, path: str) -> None:
    """Although it may be posted."""
    answers = {}
    for name, client in app.clients.items():
        reply = await client.request(method, f"/api/v1/{path}", content=b'{"fields":"id"}', headers=JSON)
        answers[name] = reply.status_code

    assert answers == {"all": 200, "reader": 200, "writer": 403}


async def test_a_query_has_no_idempotency(app: App) -> None:
    """It changes nothing: one key may go with any number of queries."""
    for per_page in (1, 2):
        page = await query(app, "POST", "invoices/query", {"per_page": per_page}, **{"Idempotency-Key": "one"})
        assert len(page["data"]) == per_page


@pytest.mark.parametrize(
    ("path", "data", "headers", "status", "code", "parameter"),
    [
        ("invoices?page=2", b"{}", JSON, 400, "parameter_conflict", "page"),
        ("invoices", b"{}", {}, 415, "media_type_unsupported", None),
        (
            "invoices",
            b"q=x",
            {"Content-Type": "application/x-www-form-urlencoded"},
            415,
            "media_type_unsupported",
            None,
        ),
        ("invoices", b"[]", JSON, 400, "body_syntax", None),
        ("invoices", b'{"total": 5}', JSON, 400, "parameter_unknown", "total"),
        ("invoices", b'{"where": {"or": [{"totl": 5}]}}', JSON, 400, "field_unknown", "where#/or/0/totl"),
        ("invoices", b'{"where": {"total.gte": "x"}}', JSON, 400, "operand_invalid", "where#/total.gte"),
        ("invoices", b'{"filter[total.gte]": [1]}', JSON, 400, "operand_invalid", "filter[total.gte]"),
        ("invoices", b'{"cursor": "abc"}', JSON, 400, "cursor_invalid", "cursor"),
        ("nothing", b"{}", JSON, 404, "resource_unknown", None),
        ("nothing", b'{"cursor": "abc"}', JSON, 404, "resource_unknown", None),
        ("clients/1/nothing", b"{}", JSON, 404, "relationship_unknown", None),
    ],
)
async def test_what_is_wrong_with_a_body_is_told(
    app: App, path: str, data: bytes, headers: Mapping[str, str], status: int, code: str, parameter: str | None
) -> None:
    """By the names that parameters have in a URL."""
    reply = await app.client.request("QUERY", f"/api/v1/{path}", content=data, headers=headers)
    problem = reply.json()

    assert (reply.status_code, problem["code"]) == (status, code)
    assert problem.get("errors", [{}])[0].get("parameter") == parameter
    assert status != 415 or reply.headers["accept-query"] == "application/json"


async def test_a_query_may_have_the_size_of_many_rows(app: App) -> None:
    """Over the limit of one row, and not over that of an array; a single value stays one that can be compared with."""
    values = [f"{number} " + "x" * 400 for number in range(1_000)]
    large = {"filter[clientnote.nin]": values, "fields": "id", "per_page": 1}

    assert len((await query(app, "QUERY", "invoices", large))["data"]) == 1
    long = await app.client.request("QUERY", "/api/v1/invoices", json={"filter[clientnote.ne]": "x" * 4_097})
    assert (long.status_code, long.json()["code"]) == (400, "query_too_large")
    for method, path in (("QUERY", "invoices"), ("POST", "invoices/query")):
        reply = await app.client.request(method, f"/api/v1/{path}", content=b" " * 4_200_000, headers=JSON)
        assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


async def test_options_tell_of_queries(app: App) -> None:
    """With the type that they take (RFC 10008); only what reads is there for a suffix."""
    for path, allowed in {
        "invoices": "GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS",
        "invoices.csv": "GET, HEAD, QUERY, OPTIONS",
        "clients/1/invoices": "GET, HEAD, QUERY, OPTIONS",
    }.items():
        reply = await app.client.options(f"/api/v1/{path}")
        assert (reply.headers["allow"], reply.headers["accept-query"]) == (allowed, "application/json")
    row = await app.client.options("/api/v1/invoices/1")
    assert "QUERY" not in row.headers["allow"]
    assert "accept-query" not in row.headers
    assert "POST" in (await app.client.options("/api/v1/invoices/query")).headers["allow"].split(", ")


async def test_the_method_passes_through_the_server(app: App) -> None:
    """Its parser knows QUERY, and the body comes with it."""

    def ask(host: str, port: int) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        headers = {**JSON, "Authorization": f"Bearer {app.tokens['all']}"}
        connection.request("QUERY", "/api/v1/invoices", json.dumps({"fields": "id", "per_page": 2}), headers)
        reply = connection.getresponse()
        found = reply.status, json.loads(reply.read())
        connection.close()
        return found

    async with listening(app) as (host, port):
        status, body = await anyio.to_thread.run_sync(ask, host, port)

    assert (status, ids(body)) == (200, [1, 2])


# Cursors in links


@pytest.mark.parametrize(
    "path",
    ["invoices?sort=-total&filter[status.in]=1,2,4&filter[total.gte]=40000", "clients/1/invoices?sort=client.company"],
)
async def test_links_of_cursors_lead_through_all_rows(app: App, path: str) -> None:
    """Each once, in the order of one long list; every other parameter stays."""
    due = ids(await app.json(f"{path}&fields=id&per_page=1000"))
    page = await app.json(f"{path}&fields=id&per_page=3&cursor=")
    found = ids(page)
    while page["links"]["next"] is not None:
        assert page["meta"]["page"] is page["links"]["prev"] is page["links"]["last"] is None
        assert page["meta"]["total"] == len(due)
        page = (await app.client.get(page["links"]["next"])).json()
        found += ids(page)

    assert found == due
    assert page["meta"]["next_cursor"] is None
    first = (await app.client.get(page["links"]["first"])).json()
    assert ids(first) == due[:3]


async def test_a_page_by_number_can_be_followed_by_cursor(app: App) -> None:
    """Its cursor is of the same rows in the same order."""
    second = await app.json("invoices?sort=-total&fields=id&per_page=4&page=2")
    cursor = second["meta"]["next_cursor"]
    third = await app.json("invoices?sort=-total&fields=id&per_page=4&page=3")

    assert ids(await app.json(f"invoices?sort=-total&per_page=4&fields=id,total&cursor={cursor}")) == ids(third)


async def test_the_pages_that_cursors_lead_to_are_planned_once(app: App) -> None:
    """However many pages a walk has: a position is but values of the plan, and each of its nulls another one."""
    some = "invoices?fields=id&sort=duedate&filter[clientid.lte]=20"
    whole = [row["id"] for row in (await app.json(f"{some}&per_page=1000"))["data"]]
    path = f"{some}&per_page=7"
    cursor: str | None = ""
    walked: list[int] = []
    plans = 0
    while cursor is not None:
        with patch("gateway.web.memory.plan_read", wraps=plan_read) as planned:
            page = await app.json(f"{path}&cursor={cursor}")
        walked += [row["id"] for row in page["data"]]
        assert page["links"]["self"] == f"/api/v1/{path}&cursor={cursor}"
        cursor, plans = page["meta"]["next_cursor"], plans + planned.call_count

    assert walked == whole
    assert len(whole) > 7 * 5
    assert plans <= 3


async def test_rows_without_a_key_have_no_cursor(tmp_path: Path) -> None:
    """The list says so at once, before a client relies on it."""
    with closing(sqlite3.connect(tmp_path / "log.db")) as database:
        database.executescript("CREATE TABLE log (word TEXT); INSERT INTO log VALUES ('a'), ('b');")
    whitelist = "version: 1\nprofile: none\ntables:\n  log: {}\n"
    async with served(f"sqlite:///{tmp_path / 'log.db'}", whitelist=whitelist) as app:
        reply = await app.get("log?cursor=")
        page = await app.json("log?per_page=1")

    assert (reply.status_code, reply.json()["code"]) == (400, "parameter_invalid")
    assert reply.json()["errors"][0]["parameter"] == "cursor"
    assert (page["meta"]["next_cursor"], page["links"]["next"]) == (None, "/api/v1/log?per_page=1&page=2")


# Embeds that were cut


async def test_the_rest_of_a_cut_embed_is_where_its_link_leads(app: App) -> None:
    """With the embed's own fields, filter, order and labels: together they are all of the rows, in order."""
    query = (
        "clients?fields=userid&per_page=5&labels=true&include[invoices][limit]=2&include[invoices][sort]=-total"
        "&include[invoices][filter][any][status]=2&include[invoices][filter][any][total.gte]=100"
        "&fields[invoices]=id,status,total"
    )
    page = await app.json(query)
    whole = await app.json(query.replace("[limit]=2", "[limit]=1000"))
    cuts = page["meta"]["truncated"]

    assert "truncated" not in whole["meta"]
    assert cuts
    for cut in cuts:
        place = int(cut["pointer"].removeprefix("/data/").removesuffix("/invoices"))
        found, path = list(page["data"][place]["invoices"]), cut["next"]
        assert len(found) == cut["limit"] == 2
        while path is not None:
            rest = (await app.client.get(path)).json()
            found += rest["data"]
            path = rest["links"]["next"]
        assert found == whole["data"][place]["invoices"]
        assert "status_label" in found[-1]


async def test_without_envelope_headers_tell_what_was_cut(app: App) -> None:
    """For lists and for rows, by links of a kind of their own."""
    parameters = "include[invoices][limit]=1&fields[invoices]=id&fields=userid&envelope=false"
    page = await app.get(f"clients?per_page=2&{parameters}")
    row = await app.get(f"clients/1?{parameters}")
    links = page.headers["link"].split(", <")

    assert int(page.headers["x-truncated"]) == sum('anchor="#/' in link for link in links) > 0
    assert 'anchor="#/0/invoices"' in page.headers["link"]
    assert "page=2" in [link for link in links if 'rel="next"' in link][-1]
    assert row.headers["x-truncated"] == "1"
    assert row.headers["link"] == (
        "<http://gateway.test/api/v1/clients/1/invoices?fields=id&envelope=false&limit=1&offset=1>"
        '; rel="subsection"; anchor="#/invoices"'
    )
    assert list(row.json()) == ["id", "userid", "invoices"]
    assert len(row.json()["invoices"]) == 1


@pytest.mark.parametrize("path", ["invoices/1?include=client", "payments/1/invoice?include=client"])
async def test_a_row_with_rows_of_others_has_no_tag(app: App, path: str) -> None:
    """Its tag would not tell whether those are still the same."""
    plain = await app.get(path.replace("include=client", ""))
    known = {"If-None-Match": plain.headers["etag"]}
    reply = await app.client.get(f"/api/v1/{path}", headers=known)

    assert (await app.client.get(f"/api/v1/{path.partition('?')[0]}", headers=known)).status_code == 304
    assert (reply.status_code, reply.headers.get("etag"), reply.headers["cache-control"]) == (200, None, "no-store")
    labelled = await app.client.get(f"/api/v1/{path.partition('?')[0]}?labels=true", headers=known)
    assert (labelled.status_code, labelled.headers["etag"]) == (200, plain.headers["etag"])


async def test_the_row_of_a_to_one_shows_what_was_asked(app: App) -> None:
    """Its key is read for its links and not shown, and what is included and explained stays."""
    shown = await app.json("payments/1/invoice?fields=status&labels=true&include=client&fields[client]=company")

    assert list(shown["data"]) == ["status", "status_label", "client"]
    assert list(shown["data"]["client"]) == ["company"]


# Formats


@pytest.mark.parametrize(
    ("path", "headers", "status", "content"),
    [
        ("invoices.csv?fields=id&per_page=1", {}, 200, "text/csv"),
        ("clients/1/invoices.csv?fields=id&per_page=1", {}, 200, "text/csv"),
        ("invoices?fields=id&per_page=1&format=ndjson", {}, 200, "application/x-ndjson"),
        ("invoices?fields=id&per_page=1", {"Accept": "text/csv"}, 200, "text/csv"),
        ("invoices.json?fields=id&per_page=1", {"Accept": "text/csv"}, 200, "application/json"),
        ("invoices.csv?format=ndjson", {}, 400, "application/problem+json"),
        ("invoices?format=pdf", {}, 400, "application/problem+json"),
        ("invoices?spreadsheet=true", {}, 400, "application/problem+json"),
        ("invoices.pdf", {}, 404, "application/problem+json"),
        ("invoices/1", {"Accept": "text/csv"}, 406, "application/problem+json"),
        ("payments/1/invoice.csv", {}, 406, "application/problem+json"),
        ("payments/1/invoice", {"Accept": "text/csv"}, 406, "application/problem+json"),
        ("auth/test", {"Accept": "text/csv"}, 406, "application/problem+json"),
    ],
)
async def test_a_list_comes_in_the_format_that_is_asked_for(
    app: App, path: str, headers: Mapping[str, str], status: int, content: str
) -> None:
    """Suffix, then parameter, then Accept; what is no list is JSON."""
    reply = await app.client.get(f"/api/v1/{path}", headers=headers)

    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (status, content), reply.text


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_nothing_is_written_to_a_format(app: App, method: str) -> None:
    """Only what reads has a suffix."""
    reply = await app.client.request(
        method, "/api/v1/tags.csv?filter[id]=1&max_affected=1", content=b"{}", headers=JSON
    )

    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, QUERY, OPTIONS")


async def test_the_reply_to_a_body_has_formats_too(app: App) -> None:
    """By its own key."""
    body = json.dumps({"fields": ["id"], "per_page": 2, "format": "csv"}).encode()
    reply = await app.client.request("QUERY", "/api/v1/invoices", content=body, headers=JSON)

    assert (reply.status_code, reply.text.split()) == (200, ["id", "1", "2"])


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_a_file_of_one_page_goes_on_from_each_cursor(app: App, form: str) -> None:
    """Also where the same page was asked before from another position."""
    path = "invoices?fields=id&sort=id&per_page=3"
    cursors, pages = [], []
    page = await app.json(path)
    for _ in range(3):
        cursors.append(page["meta"]["next_cursor"])
        page = await app.json(f"{path}&cursor={cursors[-1]}")
        pages.append([str(row["id"]) for row in page["data"]])

    files = [(await app.get(f"{path}&cursor={cursor}&format={form}")).text for cursor in cursors]

    assert [re.findall(r"\d+", text) for text in files] == pages


@pytest.mark.parametrize("part", [{"payments": {}}, {}, {"client": {}}, {"id": 1}])
async def test_every_part_of_a_filter_counts_as_a_condition(app: App, part: Any) -> None:
    """Relationships of which nothing is demanded are looked up like any: thousands of them would hold up the server."""
    where = {"or": [part] * 201}
    reply = await app.client.post("/api/v1/invoices/query", json={"where": where})

    assert (reply.status_code, reply.json()["code"]) == (400, "query_too_large"), reply.text
    assert "at most 200 conditions" in reply.json()["detail"]


async def test_values_of_many_lists_are_refused_together(app: App) -> None:
    """Each list is allowed, all of them are more than servers take in a statement."""
    lists = [{"id.in": [*range(1000)]}] * 40
    reply = await app.client.post("/api/v1/invoices/query", json={"where": {"or": lists}})

    assert (reply.status_code, reply.json()["code"]) == (400, "query_too_large"), reply.text
    assert reply.json()["errors"][0]["parameter"] == "where#/or/10/id.in"
    assert await query(app, "QUERY", "invoices", {"where": {"or": lists[:10]}, "per_page": 1})


async def test_a_query_joins_no_more_tables_than_servers_can(app: App) -> None:
    """MariaDB and MySQL join 61 tables at most, and plan long before that; the refusal says what is too much."""
    catalog = app.parts.keeper.service().catalog
    invoices = catalog.resources["invoices"]
    edges = [edge for edge in invoices.relationships.values() if not edge.is_to_many]
    further = [
        f"{edge.name}.{other.name}.{catalog.table_of(other).key[0].name}"
        for edge in edges
        for other in catalog.table_of(edge).relationships.values()
        if not other.is_to_many
    ]
    where = {"or": [{f"{path}.gt": 0} for path in further]}
    reply = await app.client.post("/api/v1/invoices/query", json={"where": where})

    assert len(further) + len(edges) > 30
    assert (reply.status_code, reply.json()["code"]) == (400, "query_too_large"), reply.text
    assert "at most 30 different paths" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("body", "code", "parameter"),
    [
        ('{"where": {"or": [' + ",".join(["{}"] * 1_000_000) + "]}}", "query_too_large", None),
        ('{"filter[id.in]": [' + ",".join(["1"] * 1_000_000) + "]}", "query_too_large", None),
        (
            json.dumps({f"filter[any.{number}][id]": 1 for number in range(20_000)}),
            "query_too_large",
            "filter[any.1000][id]",
        ),
        (json.dumps({"where": {"or": [{"id": 1}] * 20_000}}), "query_too_large", "where"),
        ('{"where": ' + "[" * 4_000_000, "body_syntax", None),
    ],
    ids=["objects", "values", "parameters", "parts", "brackets"],
)
async def test_a_huge_body_is_refused_for_its_size_alone(app: App, body: str, code: str, parameter: str | None) -> None:
    """Before its parts are built: nobody else is served while that is done, and a million took seconds."""
    reply = await app.client.request("QUERY", "/api/v1/invoices", content=body.encode(), headers=JSON)
    problem = reply.json()

    assert (reply.status_code, problem["code"]) == (400, code)
    assert problem.get("errors", [{}])[0].get("parameter") == parameter


# Negation

SOME = "filter[id.lte]=900&fields=id&per_page=1000&count=none"


async def test_each_condition_under_not_is_negated_alone(app: App) -> None:
    """Also two on one relationship: invoices without a payment over 100, and without one under 50."""
    both = ids(
        await app.json(f"invoices?filter[not][payments][amount.gt]=100&filter[not][payments][amount.lt]=50&{SOME}")
    )
    over = ids(await app.json(f"invoices?filter[not][payments.amount.gt]=100&{SOME}"))
    under = ids(await app.json(f"invoices?filter[not][payments.amount.lt]=50&{SOME}"))
    at_once = ids(await app.json(f'invoices?where={{"payments":{{"none":{{"amount.gt":100,"amount.lt":50}}}}}}&{SOME}'))

    assert set(both) == set(over) & set(under)
    assert 0 < len(both) < len(at_once)


# Numbers of a parent


@pytest.mark.parametrize(
    "numbers", ["metrics=count", "metrics=count,sum.total&count=none", "metrics=count&having[count.gt]=0"]
)
async def test_numbers_of_a_parent_that_is_not_there_are_not_found(app: App, numbers: str) -> None:
    """As its rows and groups are; of a parent without rows they are 0."""
    for asked in (numbers, "group=status", "fields=id"):
        reply = await app.get(f"clients/999999/invoices?{asked}")
        assert (reply.status_code, reply.json()["code"]) == (404, "row_unknown"), asked

    assert (await app.get(f"clients/1/invoices?{numbers}")).status_code == 200
    assert (await app.json("clients/1/invoices?metrics=count&filter[id]=0"))["data"] == [{"count": 0}]


async def test_few_plans_are_kept_of_a_sort_by_many_fields_that_may_be_null(app: App) -> None:
    """Each choice of nulls is a plan of its own; a walk through all of them fills no memory, and misses no row."""
    names = ("adminnote", "clientnote", "terms", "duedate", "datesend", "last_due_reminder", "short_link", "project_id")
    table = app.parts.keeper.service().catalog.resources["invoices"]
    sort = ",".join(name for name in names if name in table.fields)
    path = f"invoices?fields=id&sort={sort}&filter[clientid.lte]=20"
    cursor: str | None = ""
    walked: list[int] = []
    with patch("gateway.web.memory.MOST_NULL_PATTERNS", 1):
        while cursor is not None:
            page = await app.json(f"{path}&per_page=1&cursor={cursor}")
            walked += [row["id"] for row in page["data"]]
            cursor = page["meta"]["next_cursor"]
    rows = (await app.json(f"{path.replace('fields=id', f'fields=id,{sort}')}&per_page=1000"))["data"]
    memory = app.parts.keeper.service().memory
    kept = [memory.get(key) for key in tuple(memory._entries) if isinstance(key, tuple) and key[-1] == "pages"]
    plans = [pages.plans for pages in kept if isinstance(pages, _KnownPages)]

    assert walked == [row["id"] for row in rows]
    assert len({tuple(row[name] is None for name in sort.split(",")) for row in rows}) > 2
    assert 1 in map(len, plans)
    assert not any(len(each) > 1 and len(next(iter(each))) == sort.count(",") + 2 for each in plans)
