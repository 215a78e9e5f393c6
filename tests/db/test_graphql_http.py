"""GraphQL over HTTP on real databases: media types, statuses, methods, what tokens may, records, what is shared."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import build_client_schema, get_introspection_query
from sqlalchemy import text

from gateway.errors import SchemaChangedError, UnavailableError
from gateway.operations.mutations import Mutations
from gateway.operations.reads import Reads
from gateway.security.policy import Policy
from gateway.state.audit import AuditRecord, Search
from gateway.web.graphql import introspecting, mutating, preparing, route
from gateway.web.graphql.running import MOST_AT_ONCE
from gateway.web.graphql.schemas import Schemas
from sample_crm import build
from tests.support.app import NOON, App, issue, listening, served
from tests.support.databases import until
from tests.support.mariadb import Server

PATH = "/api/v1/graphql"
GRAPHQL = "application/graphql-response+json; charset=utf-8"
JSON = "application/json; charset=utf-8"
SPECIFIED = (
    "{ invoices(filter: {status: 2, total_gte: 1000}, limit: 10) { id total duedate client { company email } } }"
)
NEW_LEAD = 'mutation { createLead(input: {name: "Over HTTP", status: 1, source: 1}) { id } }'
GRANTS = {
    "all": ("*:*",),
    "same": ("*:*",),
    "reader": ("invoices:read", "clients:read"),
    "client": ("invoices:read", "clients:read,update", "payments:read"),
    "small": ("*:read",),
}
POLICIES = {
    "client": Policy(
        readable=(("invoices", ("id", "clientid", "total")),),
        rows=(("invoices", ("clientid=1",)), ("payments", ("invoice.clientid=1",)), ("clients", ("userid=1",))),
    ),
    "small": Policy(most_rows=4),
}


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def app(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """The application on a small CRM; no token is an administrator's."""
    name = f"gateway_graphql_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("graphql") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=NOON.date())
    async with served(url, grants=GRANTS, policies=POLICIES, admin=False, staff_id=1) as app:
        yield app
    if is_served:
        mariadb_server.drop_database(name)


async def post(
    app: App, document: str, token: str = "all", headers: Mapping[str, str] | None = None, **more: Any
) -> httpx2.Response:
    """Return the answer of a document."""
    return await app.clients[token].post(PATH, json={"query": document, **more}, headers=dict(headers or {}))


async def asked(app: App, document: str, token: str = "all", **more: Any) -> Any:
    """Return the data of a document that is answered without an error."""
    body = (await post(app, document, token, **more)).json()
    assert "errors" not in body, body
    return body["data"]


def codes(answer: httpx2.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


async def leads(app: App) -> int:
    return int((await app.json("leads?per_page=1"))["meta"]["total"])


async def trail_of(app: App, request_id: str) -> list[AuditRecord]:
    """The records of a request, once nothing waits any more."""
    async with asyncio.timeout(10):
        while app.parts.trail.waiting:
            await asyncio.sleep(0.01)
    page = await asyncio.to_thread(app.parts.trail.store.search, Search(request_id=request_id), 1_000)
    return [each.record for each in reversed(page.records)]


# --- what is answered ---


async def test_the_query_of_the_specification_is_answered(app: App) -> None:
    """With as many statements as there are tables in it, and the rows that REST has."""
    app.statements()
    data = await asked(app, SPECIFIED)
    assert len(app.statements()) == 2
    same = await app.json(
        "invoices?filter[status]=2&filter[total.gte]=1000&limit=10&fields=id,total,duedate&include=client"
        "&fields[client]=company,email&decimals=string&bigints=string"
    )

    assert data["invoices"] == same["data"]
    assert len(data["invoices"]) == 10


async def test_get_asks_what_post_asks(app: App) -> None:
    """Variables and extensions are JSON in the URL; HEAD says as much without the body."""
    document = "query Q($n: Int) { invoices(limit: $n) { id } }"
    told = await asked(app, document, variables={"n": 2})
    parameters = {"query": document, "variables": '{"n": 2}', "operationName": "Q"}

    answer = await app.client.get(PATH, params=parameters)
    head = await app.client.head(PATH, params=parameters)

    assert (answer.status_code, answer.json()["data"]) == (200, told)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


async def test_rows_of_each_row_are_paged_by_offset(app: App) -> None:
    """Of one parent as of many; the pages together are the whole list, in one statement per list."""
    chosen = "clients(sort: [{userid: ASC}], filter: {userid_in: $keys}) { invoices(sort: [{total: DESC}]"
    whole = await asked(app, f"query ($keys: [Int!]) {{ {chosen}) {{ id }} }} }}", variables={"keys": [1, 2, 3]})
    due = [row["invoices"] for row in whole["clients"]]
    document = f"query ($keys: [Int!], $n: Int) {{ {chosen}, limit: 2, offset: $n) {{ id }} }} }}"

    assert max(map(len, due)) > 4
    for keys in ([1, 2, 3], [2]):
        lists = [own for key, own in enumerate(due, start=1) if key in keys]
        for offset in (0, 1, 2, 4, 10_000):
            app.statements()
            page = await asked(app, document, variables={"keys": keys, "n": offset})
            assert [row["invoices"] for row in page["clients"]] == [own[offset : offset + 2] for own in lists]
            assert len(app.statements()) == 2


async def test_only_lists_that_nobody_sized_are_told_to_be_cut(app: App) -> None:
    """Who names a limit knows it, at the root and below; a connection says so itself where it is asked."""
    sized = await post(app, "{ clients(limit: 2) { invoices(limit: 1) { id } } }")
    page = await post(app, "{ invoices_connection { nodes { id } pageInfo { hasNextPage } } }")
    plain = await post(app, "{ invoices { id } invoices_connection { nodes { id } } }")

    assert "extensions" not in sized.json()
    assert "extensions" not in page.json()
    assert page.json()["data"]["invoices_connection"]["pageInfo"] == {"hasNextPage": True}
    assert plain.json()["extensions"]["truncated"] == [
        {"path": ["invoices"], "limit": 25},
        {"path": ["invoices_connection"], "limit": 25},
    ]


async def test_a_total_by_itself_reads_no_rows(app: App) -> None:
    """It is counted by one statement, and not even that where it is known; nothing is cut where no rows are shown."""
    due = await asked(app, "{ invoices_connection(filter: {id_gt: 3}) { totalCount nodes { id } } }")
    app.statements()
    answer = await post(
        app, "{ invoices_connection(filter: {id_gt: 3}) { totalCount } invoices_groups { totalCount } }"
    )
    data = answer.json()["data"]

    assert data["invoices_connection"]["totalCount"] == due["invoices_connection"]["totalCount"] > 25
    assert data["invoices_groups"]["totalCount"] == 1
    assert ["count(*)" in each for each in app.statements()] in ([], [True])
    assert "extensions" not in answer.json()


async def test_names_of_types_stand_where_they_are_asked_for(app: App) -> None:
    """At the root too, in the order of the document; what is about the schema stands among the rows."""
    about = 't: __type(name: "Invoice") { name } n: __type(name: "Nope") { name }'
    data = await asked(app, f"{{ a: __typename invoices(limit: 1) {{ id }} {about} }}")

    assert list(data) == ["a", "invoices", "t", "n"]
    assert (data["a"], data["t"], data["n"]) == ("Query", {"name": "Invoice"}, None)


async def test_a_field_that_fails_leaves_the_others(app: App) -> None:
    """It is null, and its error says which it is; the status is that of what was answered."""
    document = """{
        a: invoices(limit: 1) { id }
        b: invoices(filter: {total_gte: "x"}) { id }
        c: clients_connection(after: "zzzz") { nodes { userid } }
    }"""
    answer = await post(app, document)
    body = answer.json()

    assert answer.status_code == 200
    assert (len(body["data"]["a"]), body["data"]["b"], body["data"]["c"]) == (1, None, None)
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["b"], "operand_invalid"),
        (["c"], "cursor_invalid"),
    ]
    assert [error["locations"][0]["line"] for error in body["errors"]] == [3, 4]


async def test_a_row_that_there_is_not_is_null_and_no_error(app: App) -> None:
    """As is one that the token may not see."""
    mine = await asked(app, "{ clients(limit: 1) { userid } }", "client")
    assert mine == {"clients": [{"userid": 1}]}
    for token, key in (("all", 999_999_999), ("client", 2)):
        assert await asked(app, f"{{ clients_by_key(userid: {key}) {{ userid }} }}", token) == {"clients_by_key": None}


async def test_a_row_is_read_as_far_as_it_is_selected(app: App) -> None:
    """Whatever there is of a row counts for its tag, which is worked out where it is selected alone."""
    app.statements()
    await asked(app, "{ clients_by_key(userid: 1) { userid company } }")
    (statement,) = app.statements()
    assert statement.startswith("SELECT t.userid, t.company \nFROM")

    found = await asked(app, "{ clients_by_key(userid: 1) { userid _etag } }")
    (statement,) = app.statements()
    assert "t.city" in statement
    assert found["clients_by_key"]["_etag"] == (await app.client.get("/api/v1/clients/1")).headers["etag"]


async def test_pages_go_on_from_their_cursors(app: App) -> None:
    """Until there is no next one; a cursor of another question is none."""
    document = """query P($after: String) {
        invoices_connection(first: 25, after: $after, sort: [{total: DESC}]) {
            totalCount nodes { id } pageInfo { hasNextPage endCursor }
        }
    }"""
    found: list[int] = []
    after = None
    while True:
        page = (await asked(app, document, variables={"after": after}))["invoices_connection"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    other = await post(app, document.replace("DESC", "ASC"), variables={"after": after})

    assert len(found) == len(set(found)) == page["totalCount"]
    assert codes(other) == ["cursor_invalid"]


async def test_what_was_left_out_is_told(app: App) -> None:
    """A list that named no limit, and to-manys without one."""
    answer = await post(app, "{ invoices { id } few: invoices(limit: 2) { id } }")

    assert answer.json()["extensions"]["truncated"] == [{"path": ["invoices"], "limit": 25}]


# --- media types and statuses ---


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, GRAPHQL),
        ("*/*", GRAPHQL),
        ("application/*", GRAPHQL),
        ("application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/json, */*;q=0.1", JSON),
        ("application/json;q=0.4, application/graphql-response+json;q=0.6", GRAPHQL),
        ("application/graphql-response+json;q=0.4, application/json;q=0.6", JSON),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("text/html, application/json;q=0.2", JSON),
    ],
)
async def test_a_reply_has_the_media_type_that_is_asked_for(app: App, accept: str | None, content_type: str) -> None:
    """By weight; whoever says nothing gets the one whose statuses tell something."""
    body = json.dumps({"query": "{ __typename }"}).encode()
    headers = {"Authorization": f"Bearer {app.tokens['all']}", "Content-Type": "application/json"}
    request = app.anonymous.build_request("POST", PATH, content=body, headers=headers)
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    answer = await app.anonymous.send(request)

    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)


@pytest.mark.parametrize(
    "accept", ["text/html", "application/graphql+json", "application/json; charset=latin-1", "*/*;q=0"]
)
async def test_what_cannot_be_produced_is_not_acceptable(app: App, accept: str) -> None:
    """And the refusal names what can."""
    answer = await post(app, "{ __typename }", headers={"Accept": accept})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert "application/graphql-response+json" in answer.json()["detail"]


DOCUMENTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("{", {}, "graphql_syntax"),
    ("{ nope }", {}, "graphql_invalid"),
    ("{ invoices { nope } }", {}, "graphql_invalid"),
    ("query @atomic { invoices { id } }", {}, "graphql_invalid"),
    ("subscription { invoices { id } }", {}, "graphql_invalid"),
    ("query A { __typename } query B { __typename }", {}, "operation_unknown"),
    ("query A { __typename }", {"operationName": "B"}, "operation_unknown"),
    ("query A($n: Int!) { invoices(limit: $n) { id } }", {}, "variables_invalid"),
    ("query A($n: Int!) { invoices(limit: $n) { id } }", {"variables": {"n": "x"}}, "variables_invalid"),
    ("query A($n: Int!) { invoices(limit: $n) { id } }", {"variables": {"n": 1, "m": 1}}, "variables_invalid"),
    ("{ " + "a { " * 20 + "id" + " }" * 21, {}, "query_too_large"),
)


@pytest.mark.parametrize(("document", "more", "code"), DOCUMENTS, ids=[f"{c} {d[:25]}" for d, _, c in DOCUMENTS])
async def test_a_document_that_cannot_run_is_refused_whole(
    app: App, document: str, more: dict[str, Any], code: str
) -> None:
    """With its own status where the media type is GraphQL's; older clients read only 200. There is no data."""
    app.statements()
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        answer = await post(app, document, headers={"Accept": accept}, **more)
        assert (answer.status_code, answer.headers["content-type"]) == (status, accept)
        assert codes(answer)[0] == code
        assert list(answer.json()) == ["errors"]
    assert app.statements() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "body_syntax"),
        (b"{", "body_syntax"),
        (b"[]", "body_syntax"),
        (b'[{"query": "{ __typename }"}]', "body_syntax"),
        (b'{"qeury": "{ __typename }"}', "parameter_unknown"),
        (b'{"query": 1}', "parameter_invalid"),
        (b'{"query": "{ __typename }", "variables": [7]}', "parameter_invalid"),
        (b"{}", "parameter_missing"),
    ],
)
async def test_a_body_that_is_no_request_is_400_under_any_media_type(app: App, content: bytes, code: str) -> None:
    """It never came to a document."""
    for accept in (GRAPHQL, JSON):
        headers = {"Content-Type": "application/json", "Accept": accept}
        answer = await app.client.post(PATH, content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"], codes(answer)) == (400, accept, [code])


async def test_an_extension_that_nobody_heeds_is_told_of(app: App) -> None:
    """Each time, also where the same was asked before."""
    for _ in range(2):
        answer = await post(app, "{ __typename }", extensions={"tracing": {}, "clientLibrary": {"name": "x"}})
        told = {"code": "extension_unheeded", "extension": "tracing"}
        assert answer.json() == {"data": {"__typename": "Query"}, "extensions": {"warnings": [told]}}


async def test_what_is_asked_with_post_stands_in_the_body_alone(app: App) -> None:
    """A parameter in the URL would be read by nobody, even where the body was asked before."""
    await asked(app, "{ __typename }")
    answer = await app.client.post(f"{PATH}?operationName=A", json={"query": "{ __typename }"})

    assert (answer.status_code, codes(answer)) == (400, ["parameter_conflict"])


# --- what a foreign page could send ---


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "text/plain; application/json",
        None,
    ],
)
async def test_no_simple_request_can_change_anything(app: App, content_type: str | None) -> None:
    """A browser sends these from any page without asking first; only JSON is read (Fetch, "CORS-safelisted")."""
    before = await leads(app)
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await app.client.post(PATH, content=json.dumps({"query": NEW_LEAD}).encode(), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")
    assert answer.headers["accept-post"] == "application/json"
    assert await leads(app) == before


async def test_a_form_like_body_can_change_nothing(app: App) -> None:
    """Neither as a form nor as a form that looks like JSON."""
    before = await leads(app)
    for content in (f"query={NEW_LEAD}", json.dumps({"query": NEW_LEAD, "x": "="})):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await app.client.post(PATH, content=content.encode(), headers=headers)).status_code == 415
    assert await leads(app) == before


async def test_get_never_writes(app: App) -> None:
    """It is refused as the method that it is, whatever is accepted, and wherever in the document the mutation is."""
    before = await leads(app)
    for document, name in (
        (NEW_LEAD, ""),
        (f"query A {{ __typename }} {NEW_LEAD.replace('mutation', 'mutation B')}", "B"),
    ):
        for accept in (GRAPHQL, JSON):
            parameters = {"query": document, "operationName": name}
            answer = await app.client.get(PATH, params=parameters, headers={"Accept": accept})
            assert (answer.status_code, codes(answer), answer.headers["allow"]) == (405, ["method_not_allowed"], "POST")
            assert (await app.client.head(PATH, params=parameters)).status_code == 405
    assert await leads(app) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY"])
async def test_other_methods_are_not_taken(app: App, method: str) -> None:
    """The refusal, and OPTIONS, say which are."""
    refused = await app.client.request(method, PATH, json={"query": "{ __typename }"})
    options = await app.client.options(PATH)

    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert options.headers["accept-post"] == "application/json"


# --- sizes ---


async def test_a_large_document_is_refused_with_what_it_costs(app: App) -> None:
    """Before it is parsed; its variables may be as large as a body."""
    document = "{ " + "invoices { id } " * 65_536 + "}"
    answer = await post(app, document)
    told = answer.json()["errors"][0]["extensions"]
    small = await asked(
        app, "query Q($ids: [Int!]) { invoices(filter: {id_in: $ids}) { id } }", variables={"ids": [1] * 900}
    )

    assert len(document) > 1_000_000
    assert (told["code"], told["measure"], told["cost"]) == ("query_too_large", "document", len(document))
    assert told["limit"] == 100_000
    assert small == {"invoices": [{"id": 1}]}


HOSTILE: list[tuple[str, str, tuple[int, int] | None]] = [
    ("{" + "invoices { client {" * 10 + "userid" + "} }" * 10 + "}", "depth", (21, 12)),
    ("{" + "".join(f"a{each}: __typename " for each in range(1_000)) + "}", "aliases", (1_000, 50)),
    ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "", None),
    ("{ __typename #" + "x" * 999_985 + "\n}", "document", (1_000_001, 100_000)),
]


@pytest.mark.parametrize(("document", "measure", "cost"), HOSTILE, ids=["depth", "aliases", "circle", "size"])
async def test_what_would_cost_too_much_is_refused_before_it_costs(
    app: App, document: str, measure: str, cost: tuple[int, int] | None
) -> None:
    """Within 50 ms of the processor, with its cost and the limit; fragments in a circle have none, but a name.

    The shortest of a few tries is what a request costs: others have the processor too.
    """
    await asked(app, "{ __typename }")
    spent_s, answers = [], []
    for number in range(5):
        began = time.process_time()
        answers.append(await post(app, document, variables={f"v{number}": 1}))  # no answer can be one from before
        spent_s.append(time.process_time() - began)

    answer = answers[-1]
    (error,) = answer.json()["errors"]
    told = error["extensions"]
    assert answer.status_code == told["status"] == 400
    assert min(spent_s) < 0.05
    if cost is None:
        assert told == {"code": "graphql_invalid", "status": 400}
        assert error["message"] == "The fragment 'A' spreads itself by way of 'B'."
        assert error["locations"] == [{"line": 1, "column": 10}]
    else:
        assert told == {
            "code": "query_too_large",
            "status": 400,
            "measure": measure,
            "cost": cost[0],
            "limit": cost[1],
        }


async def test_a_text_in_many_places_is_refused_before_it_is_read_in_each(app: App) -> None:
    """Of one value and of all arguments together; it is sent once, and would stand in statements of many megabytes."""
    text = "%" * 200_000
    conditions = " ".join("{company_contains: $s}" for _ in range(190))
    document = f"query ($s: String) {{ clients(filter: {{or: [{conditions}]}}) {{ userid }} }}"
    began = time.process_time()
    long = (await post(app, document, variables={"s": text[:20_000]})).json()
    much = await post(app, document, variables={"s": text})
    spent_s = time.process_time() - began

    (one,), (all_,) = long["errors"], much.json()["errors"]
    assert (one["extensions"]["measure"], one["extensions"]["cost"], one["extensions"]["limit"]) == (
        "text",
        20_000,
        4_096,
    )
    assert (all_["extensions"]["measure"], all_["extensions"]["cost"]) == ("texts", 190 * 200_000)
    assert all_["extensions"]["limit"] == 4_194_304
    assert spent_s < 1


async def test_a_body_beyond_the_limit_is_refused_like_any_other(app: App) -> None:
    """As soon as it is known."""
    answer = await app.client.post(PATH, content=b" " * 5_000_000, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


# --- tokens ---


async def test_a_token_sees_what_it_was_granted(app: App) -> None:
    """Rows by its filter, columns by its list, as many as its cap; nothing else exists."""
    mine = await asked(
        app, "{ invoices(limit: 1000) { id clientid } payments(limit: 1000) { invoice { clientid } } }", "client"
    )
    small = await post(app, "{ a: invoices { id } b: invoices(limit: 5) { id } }", "small")

    assert {row["clientid"] for row in mine["invoices"]} == {1}
    assert {row["invoice"]["clientid"] for row in mine["payments"]} == {1}
    assert (len(small.json()["data"]["a"]), codes(small)) == (4, ["page_invalid"])
    for document in ("{ leads { id } }", 'mutation { createClient(input: {company: "x"}) { userid } }'):
        assert codes(await post(app, document, "client")) == ["graphql_invalid"]


@pytest.mark.parametrize(
    "place",
    [
        "{ invoices { NAME } }",
        "{ invoices(filter: {NAME: 1}) { id } }",
        "{ invoices(filter: {NAME_gte: 1}) { id } }",
        "{ invoices(sort: [{NAME: ASC}]) { id } }",
        "{ invoices_aggregate { sum { NAME } } }",
        "{ invoices_groups { nodes { key { NAME } } } }",
        "query Q($f: InvoiceFilter) { invoices(filter: $f) { id } }",
        "{ NAME { id } }",
    ],
)
async def test_what_may_not_be_known_is_answered_like_what_there_is_not(app: App, place: str) -> None:
    """A column that is hidden from all, one that this token may not read, and one that nobody ever had."""
    seen = set()
    for name in ("hash", "adminnote", "zzyzxq"):
        answer = await app.clients["client"].post(
            PATH, json={"query": place.replace("NAME", name), "variables": {"f": {name: 1}} if "$f" in place else {}}
        )
        headers = {key: value for key, value in answer.headers.items() if key not in UNLIKE}
        assert answer.status_code == 400
        body = answer.json()
        for error in body["errors"]:
            error.pop("locations", None)
        seen.add((answer.status_code, json.dumps(headers), json.dumps(body).replace(name, "NAME")))

    assert len(seen) == 1, seen


UNLIKE = {"x-request-id", "content-length", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"}


async def test_names_are_suggested_to_administrators_alone(app: App) -> None:
    """Whoever may not see everything is not told what is near."""
    assert "Did you mean" not in (await post(app, "{ invoice { id } }")).text


async def test_tokens_with_the_same_rights_share_a_schema(app: App) -> None:
    """Those with others have their own."""
    for token in ("all", "same", "all"):
        await asked(app, "{ invoices(limit: 1) { id } }", token)
    schemas = app.parts.keeper.service().kept["graphql"]
    assert isinstance(schemas, Schemas)
    before = len(schemas)
    await asked(app, "{ invoices(limit: 1) { id } }", "same")
    await asked(app, "{ invoices(limit: 1) { id } }", "reader")
    after = len(schemas)
    await asked(app, "{ invoices(limit: 1) { id } }", "reader")

    assert after in (before, before + 1)  # another test may have asked before
    assert len(schemas) == after


async def test_a_revoked_token_is_nobodys(app: App) -> None:
    """From the next request on, also for what was prepared for it."""
    token = issue(app.parts.state, "brief", ("*:read",))
    headers = {"Authorization": f"Bearer {token}"}
    body = {"query": "{ invoices(limit: 1) { id } }"}
    assert (await app.anonymous.post(PATH, json=body, headers=headers)).status_code == 200
    await asyncio.to_thread(app.parts.state.tokens.revoke, "brief")
    async with asyncio.timeout(10):
        while (answer := await app.anonymous.post(PATH, json=body, headers=headers)).status_code == 200:
            await asyncio.sleep(0.05)

    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


# --- what is asked again ---


async def test_a_query_that_was_asked_before_is_only_run(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither parsed, validated, translated nor planned again, as long as it is the same, byte for byte."""
    document = "query Again($n: Int) { invoices(limit: $n, sort: [{id: ASC}]) { id } }"
    first = await asked(app, document, variables={"n": 2})
    again = await app.client.get(PATH, params={"query": document})

    def refuse(*_arguments: object) -> None:
        raise AssertionError("prepared anew")

    monkeypatch.setattr(route, "prepare", refuse)
    monkeypatch.setattr(route, "parse_body", refuse)
    monkeypatch.setattr(route, "parse_parameters", refuse)

    assert await asked(app, document, variables={"n": 2}) == first
    assert (await app.client.get(PATH, params={"query": document})).json() == again.json()
    assert codes(await post(app, document, variables={"n": 3})) == ["internal"]
    assert codes(await post(app, document, "same", variables={"n": 2})) == ["internal"]


@pytest.mark.parametrize(
    ("document", "more"),
    [
        ('{ invoices(filter: {duedate_lt: "@today"}, limit: 1) { id } }', {}),
        ("{ invoices(limit: 1) { id } bad: invoices(limit: 0) { id } }", {}),
        ("{ invoices(limit: 1) { id } # " + "x" * preparing.MOST_KEPT_BYTES + "\n}", {}),
        ('{ __type(name: "Invoice") { name } }', {}),
    ],
)
async def test_what_depends_on_the_moment_is_prepared_each_time(
    app: App, monkeypatch: pytest.MonkeyPatch, document: str, more: dict[str, Any]
) -> None:
    """Values of the day, refusals, and what is too large to be kept."""
    await post(app, document, **more)
    prepared: list[object] = []
    real = preparing.prepare

    def count(*arguments: Any) -> Any:
        prepared.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(route, "prepare", count)
    await post(app, document, **more)

    assert len(prepared) == 1


async def test_fields_of_a_query_run_at_once_but_a_few_at_a_time(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a connection, of which others want some too; the reply has them in the order of the document."""
    running, most = 0, 0
    real = Reads.page

    async def page(self: Reads, *arguments: Any, **named: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        try:
            return await real(self, *arguments, **named)
        finally:
            running -= 1

    monkeypatch.setattr(Reads, "page", page)
    fields = [f"a{number}: invoices(limit: 1, offset: {number}) {{ id }}" for number in range(10)]
    data = await asked(app, f"{{ {' '.join(fields)} }}")

    assert list(data) == [f"a{number}" for number in range(10)]
    assert len({rows[0]["id"] for rows in data.values()}) == 10
    assert most == MOST_AT_ONCE


async def test_tables_that_change_under_a_query_are_read_anew(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The query runs once more on the new catalog; a second failure is an error of its field."""
    failing = [True, False]
    real = Reads.page

    async def page(self: Reads, *arguments: Any, **named: Any) -> Any:
        if failing.pop(0) if failing else False:
            raise SchemaChangedError
        return await real(self, *arguments, **named)

    monkeypatch.setattr(Reads, "page", page)
    monkeypatch.setattr(app.parts.keeper, "_mend_after", 0.0)  # whatever another test found
    before = app.parts.keeper.service()
    assert len((await asked(app, "{ invoices(limit: 3) { id } }"))["invoices"]) == 3
    failing[:] = [True, True]
    twice = await post(app, "{ invoices(limit: 3) { id } }")

    assert app.parts.keeper.service() is not before
    assert (twice.status_code, twice.json()["data"], codes(twice)) == (200, {"invoices": None}, ["schema_changed"])


async def test_a_schema_goes_with_its_catalog(app: App) -> None:
    """A reload makes another one when it is asked for."""
    await asked(app, "{ invoices(limit: 1) { id } }")
    before = app.parts.keeper.service()
    await app.parts.keeper.reload("a test")
    assert "graphql" in before.kept
    assert "graphql" not in app.parts.keeper.service().kept
    await asked(app, "{ invoices(limit: 1) { id } }")
    assert "graphql" in app.parts.keeper.service().kept


async def test_a_mistake_of_ours_is_told_without_its_cause(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one field as of the whole request; the log has the rest."""

    async def page(self: Reads, *arguments: Any, **named: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Reads, "page", page)
    app.events.clear()
    answer = await post(app, "{ invoices(limit: 7) { id } }")

    assert (answer.status_code, answer.json()["data"], codes(answer)) == (200, {"invoices": None}, ["internal"])
    assert "secret" not in answer.text
    assert [type(event).__name__ for event in app.events] == ["RequestFailed"]


# --- the schema ---


async def test_the_schema_can_be_read_and_is_told_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the query that tools send; the same question again is answered from memory."""
    document = get_introspection_query(descriptions=True, input_value_deprecation=True)
    data = await asked(app, document, "reader")
    schema = build_client_schema(data)

    def refuse(*_arguments: object) -> None:
        raise AssertionError("made anew")

    monkeypatch.setattr(introspecting, "_told", refuse)

    assert "Invoice" in schema.type_map
    assert "Lead" not in schema.type_map
    assert await asked(app, document, "reader") == data


async def test_a_whole_schema_is_sent_as_gzip_to_who_reads_it(app: App) -> None:
    """It is large and says the same again and again; small answers, and those for others, are sent as they are."""
    small, large = {"query": "{ __schema { queryType { name } } }"}, {"query": get_introspection_query()}
    packed = await app.client.post(PATH, json=large, headers={"Accept-Encoding": "br, gzip"})
    plain = await app.client.post(PATH, json=large, headers={"Accept-Encoding": "identity"})
    short = await app.client.post(PATH, json=small, headers={"Accept-Encoding": "gzip"})

    assert packed.json() == plain.json()
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 8
    assert not {"content-encoding"} & (plain.headers.keys() | short.headers.keys())


async def test_a_client_that_hangs_up_on_the_schema_keeps_nobody_waiting(app: App) -> None:
    """However often: of what it left, that alone is worked out which had begun; others are answered meanwhile."""
    standard = get_introspection_query()
    for number in range(20):
        task = asyncio.create_task(post(app, standard.replace("queryType { name", f"queryType {{ a{number}: name")))
        await asyncio.sleep(0.01)
        task.cancel()
    told = introspecting.introspection_of(app.parts.keeper.service())
    data = await asked(app, '{ __type(name: "Invoice") { name } }', "reader")

    assert data == {"__type": {"name": "Invoice"}}
    assert told.working <= introspecting.MOST_OF_ONE


async def test_an_answer_that_grows_too_large_says_so(app: App) -> None:
    """In place of the fields that were not read; each is sent again by itself."""
    async with served(app.parts.settings.database_url, graphql_max_answer_bytes=1_024, pool_size=1) as bounded:
        fields = " ".join(f"a{number}: invoices(limit: 10) {{ id number datecreated }}" for number in range(8))
        answer = await bounded.client.post(PATH, json={"query": f"{{ {fields} }}"})
        data, errors = answer.json()["data"], answer.json()["errors"]
        shown = [key for key, rows in data.items() if rows is not None]

    assert shown == [f"a{number}" for number in range(len(shown))]
    assert 1 <= len(shown) < 8
    assert [error["path"] for error in errors] == [[key] for key in data if key not in shown]
    assert {(each["extensions"]["measure"], each["extensions"]["limit"]) for each in errors} == {("answer", 1_024)}


async def test_the_schema_can_be_kept_from_callers(app: App) -> None:
    """By a setting; the name of a type is no secret, and administrators read on."""
    url = app.parts.settings.database_url
    for admin in (False, True):
        async with served(url, admin=admin, graphql_introspection=False) as closed:
            refused = await closed.client.post(PATH, json={"query": "{ __schema { queryType { name } } }"})
            named = await closed.client.post(PATH, json={"query": "{ __typename invoices(limit: 1) { __typename } }"})
        assert named.json()["data"] == {"__typename": "Query", "invoices": [{"__typename": "Invoice"}]}
        assert refused.status_code == (200 if admin else 403)
        assert codes(refused) == ([] if admin else ["introspection_off"])


# --- settings ---


async def test_the_cost_is_told_where_the_settings_want_it(app: App) -> None:
    """In every answer of a document that ran."""
    document = "{ a: invoices(limit: 3) { id client { company } } }"
    assert "extensions" not in (await post(app, document)).json()
    async with served(app.parts.settings.database_url, graphql_show_cost=True) as shown:
        cost = (await shown.client.post(PATH, json={"query": document})).json()["extensions"]["cost"]

    assert (cost["aliases"], cost["depth"], cost["complexity"]) == (1, 3, 6)


async def test_persisted_documents_follow_the_settings(app: App, tmp_path: Path) -> None:
    """A hash is asked for, then stored; or only those of a file are answered; or none at all."""
    document = "{ persisted: invoices(limit: 1) { id } }"
    digest = sha256(document.encode()).hexdigest()
    extension = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    unknown = await app.client.post(PATH, json={"extensions": extension})
    stored = await app.client.post(PATH, json={"query": document, "extensions": extension})
    known = await app.client.get(PATH, params={"extensions": json.dumps(extension)})
    assert (codes(unknown), unknown.json()["errors"][0]["message"]) == (
        ["persisted_query_unknown"],
        "PersistedQueryNotFound",
    )
    assert stored.json() == known.json()
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({digest: document}))
    url = app.parts.settings.database_url
    async with served(url, admin=False, graphql_persisted="only", graphql_persisted_file=str(file)) as only:
        assert (await only.client.post(PATH, json={"extensions": extension})).json() == known.json()
        assert codes(await only.client.post(PATH, json={"query": "{ __typename }"})) == ["persisted_queries_only"]
    async with served(url, graphql_persisted="off") as off:
        assert codes(await off.client.post(PATH, json={"extensions": extension})) == ["persisted_queries_off"]


# --- mutations over HTTP ---


async def test_a_mutation_writes_and_is_on_record(app: App) -> None:
    """One record per row, and one for what was refused, each with its own resource and outcome."""
    document = """mutation {
        a: createLead(input: {name: "Recorded", status: 1, source: 1}) { id }
        b: createLead(input: {name: "Recorded", status: 999999, source: 1}) { id }
    }"""
    answer = await post(app, document)
    number = answer.json()["data"]["a"]["id"]
    gone = await post(app, f"mutation {{ deleteLead(id: {number}) {{ affected }} }}")
    records = await trail_of(app, answer.headers["x-request-id"]) + await trail_of(app, gone.headers["x-request-id"])

    assert answer.json()["data"]["b"] is None
    assert [(r.resource, r.operation, r.row_key, r.rows, r.status, r.code, r.outcome) for r in records] == [
        ("leads", "create", str(number), 1, 200, None, "done"),
        ("leads", "create", None, 0, 200, codes(answer)[0], None),
        ("leads", "delete", str(number), 1, 200, None, "done"),
    ]


async def test_a_query_leaves_a_record_of_each_table_without_its_text(app: App) -> None:
    """With how many rows it showed; a refusal with its code, whatever status the client reads."""
    read = await post(
        app, '{ a: invoices(limit: 2) { id } b: clients(filter: {company: "Geheim"}, limit: 3) { userid } }'
    )
    url = await app.client.get(PATH, params={"query": '{ clients(filter: {company: "Geheim"}) { userid } }'})
    refused = await post(app, "{ geheim }", headers={"Accept": JSON})
    partly = await post(app, '{ invoices(limit: 1) { id } bad: invoices(filter: {total_gte: "Geheim"}) { id } }')
    keyed = await post(app, "{ invoices_by_key(id: 1) { id } gone: invoices_by_key(id: 999999) { id } __typename }")
    schema = await post(app, "{ __schema { queryType { name } } }")
    answers = (read, url, refused, partly, keyed, schema)
    records = [r for a in answers for r in await trail_of(app, a.headers["x-request-id"])]

    assert [(r.resource, r.operation, r.row_key, r.rows, r.status, r.code) for r in records] == [
        ("invoices", "read", None, 2, 200, None),
        ("clients", "read", None, 0, 200, None),
        ("clients", "read", None, 0, 200, None),
        ("graphql", None, None, None, 200, "graphql_invalid"),
        ("invoices", "read", None, 1, 200, "operand_invalid"),
        ("invoices", "read", "1", 1, 200, None),
        ("invoices", "read", "999999", 0, 200, None),
        ("graphql", "read", None, 0, 200, None),
    ]
    assert "eheim" not in repr(records)


async def test_a_mutation_under_a_key_runs_once(app: App) -> None:
    """Whoever repeats it gets the first answer; with another document the key is another request's."""
    before = await leads(app)
    headers = {"Idempotency-Key": "graphql-1"}
    first = await post(app, NEW_LEAD, headers=headers)
    again = await post(app, NEW_LEAD, headers=headers)
    other = await post(app, NEW_LEAD.replace("Over", "Under"), headers=headers)
    plain = await post(app, "{ __typename }", headers=headers)
    records = await trail_of(app, again.headers["x-request-id"])

    assert first.json() == again.json()
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert (other.status_code, codes(other)) == (422, ["idempotency_mismatch"])
    assert plain.json() == {"data": {"__typename": "Query"}}
    assert await leads(app) == before + 1
    assert [(r.resource, r.operation, r.outcome) for r in records] == [("leads", "create", "replayed")]


async def test_a_first_answer_is_not_shown_to_whoever_may_see_less_now(app: App) -> None:
    """The write is not done again; its answer is told to be lost."""
    url = app.parts.settings.database_url
    headers = {"Idempotency-Key": "narrowed"}
    async with served(url, grants={"w": ("leads:create,read,delete",)}, admin=False, staff_id=1) as wide:
        first = await wide.client.post(PATH, json={"query": NEW_LEAD}, headers=headers)
        state = wide.parts.state
        with state.write() as connection:
            connection.execute(text("UPDATE gw_token SET grants = REPLACE(grants, 'create,read', 'create')"))
            columns = connection.execute(text("SELECT grants FROM gw_token")).all()
        assert "read" not in str(columns)
        async with asyncio.timeout(10):
            while (await wide.client.get("/api/v1/leads?limit=1")).status_code == 200:
                await asyncio.sleep(0.05)
        again = await wide.client.post(PATH, json={"query": NEW_LEAD}, headers=headers)

    assert first.json()["data"]["createLead"]["id"]
    assert again.json() == {"data": None, "extensions": {"warnings": [{"code": "answer_not_kept"}]}}


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
async def test_a_precondition_of_the_request_is_refused_on_a_mutation(app: App, name: str) -> None:
    """Which row it is about, a header cannot say; the argument can."""
    before = await leads(app)
    answer = await post(app, NEW_LEAD, headers={name: '"x"'})

    assert (answer.status_code, codes(answer)) == (400, ["header_invalid"])
    assert "`ifMatch`" in answer.json()["errors"][0]["message"]
    assert await leads(app) == before


# --- time, and who waits ---


@pytest.fixture
async def slow(mariadb_server: Server, app: App) -> AsyncIterator[App]:
    """The application on MariaDB with little patience for a statement."""
    url = app.parts.settings.database_url
    if url.startswith("sqlite"):
        pytest.skip("a lock keeps readers waiting on a server only")
    async with served(url, statement_limit_s=0.5, lock_wait_s=1, request_limit_s=8.0) as slow:
        yield slow


async def test_a_statement_that_takes_too_long_is_its_fields_error(slow: App, mariadb_server: Server) -> None:
    """The others are answered."""
    database = slow.parts.settings.database_url.rpartition("/")[2]
    document = "{ leads(limit: 1) { id } clients(limit: 1) { userid } }"
    with mariadb_server.connection(database) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES tblleads WRITE")
        answer = await slow.client.post(PATH, json={"query": document}, timeout=30)
        cursor.execute("UNLOCK TABLES")

    assert (answer.status_code, codes(answer)) == (200, ["statement_timeout"])
    assert answer.json()["data"] == {"leads": None, "clients": [{"userid": 1}]}


async def test_a_client_that_goes_away_ends_what_runs_for_it(app: App, mariadb_server: Server) -> None:
    """The statement on the server too."""
    url = app.parts.settings.database_url
    if url.startswith("sqlite"):
        pytest.skip("statements that run can be seen on a server only")
    database = url.rpartition("/")[2]
    body = json.dumps({"query": "{ leads(limit: 1) { id } }"}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {app.tokens['all']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    async def is_running(*, due: bool) -> bool:
        rows = mariadb_server.run(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%tblleads%'"
            f" AND id <> CONNECTION_ID() AND db = '{database}'"
        )
        return bool(int(str(rows[0][0]))) is due

    async with listening(app) as (host, port):
        with mariadb_server.connection(database) as connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLES tblleads WRITE")
            _, writer = await asyncio.open_connection(host, port)
            writer.write(head.encode() + body)
            await until(lambda: is_running(due=True))
            writer.close()
            await until(lambda: is_running(due=False))
            cursor.execute("UNLOCK TABLES")


# --- what is not spent ---


def test_whoever_serves_rows_alone_does_not_load_the_library() -> None:
    """It takes 15 MB; the first document brings it in."""
    program = """
import asyncio, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from sample_crm import build
from tests.support.app import NOON, served

async def main():
    with TemporaryDirectory() as place:
        url = f"sqlite:///{Path(place) / 'crm.db'}"
        build(url, scale="tiny", today=NOON.date())
        async with served(url) as app:
            await app.json("invoices?limit=1")
            await app.client.options("/api/v1/graphql")
            await app.client.put("/api/v1/graphql", json={})
            print("graphql" in sys.modules, "gateway.web.graphql.route" in sys.modules)
            answer = await app.client.post("/api/v1/graphql", json={"query": "{ __typename }"})
            print(answer.json()["data"]["__typename"], "graphql" in sys.modules)

asyncio.run(main())
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.stdout.split() == ["False", "False", "Query", "True"], done.stderr


async def test_tables_that_change_under_a_mutation_are_read_anew(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was written, so the document runs once more on the new catalog, and leaves its records once."""
    before, service = await leads(app), app.parts.keeper.service()
    real, failing = mutating.mutate, [True]

    async def mutate(*arguments: Any) -> Any:
        if failing and failing.pop():
            raise SchemaChangedError
        return await real(*arguments)

    monkeypatch.setattr(route, "mutate", mutate)
    monkeypatch.setattr(app.parts.keeper, "_mend_after", 0.0)  # whatever another test found
    answer = await post(app, NEW_LEAD)
    records = await trail_of(app, answer.headers["x-request-id"])

    assert answer.json()["data"]["createLead"]["id"]
    assert await leads(app) == before + 1
    assert app.parts.keeper.service() is not service
    assert [(r.resource, r.outcome) for r in records] == [("leads", "done")]


async def test_tables_that_change_under_the_second_mutation_are_looked_at_too(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stands, the other is an error to be sent again, and then it meets the new catalog."""
    service, real, calls = app.parts.keeper.service(), Mutations.run, [0]

    async def run(self: Mutations, *arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise SchemaChangedError
        return await real(self, *arguments, **named)

    async def is_new() -> bool:
        return app.parts.keeper.service() is not service

    monkeypatch.setattr(Mutations, "run", run)
    monkeypatch.setattr(app.parts.keeper, "_mend_after", 0.0)  # whatever another test found
    before = await leads(app)
    one = 'createLead(input: {name: "Over HTTP", status: 1, source: 1}) { id }'
    answer = await post(app, f"mutation {{ a: {one} b: {one} }}")
    await until(is_new)

    assert answer.json()["data"]["a"]["id"]
    assert (answer.json()["data"]["b"], codes(answer)) == (None, ["schema_changed"])
    assert await leads(app) == before + 1


async def test_half_a_character_among_the_extensions_spoils_no_answer(app: App) -> None:
    """It is echoed as it can be; what the mutation did is told."""
    body = json.dumps({"query": NEW_LEAD, "extensions": {"\ud800": 1}})
    answer = await app.client.post(PATH, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["data"]["createLead"] is None) == (200, False)
    assert answer.json()["extensions"]["warnings"] == [{"code": "extension_unheeded", "extension": "?"}]


async def test_a_key_is_free_again_where_the_database_was_away(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was written: the same request under the same key is tried, and its answer is not the first one's."""
    before, headers = await leads(app), {"Idempotency-Key": "away"}

    async def away(*_arguments: Any, **_named: Any) -> Any:
        raise UnavailableError("database_away", "away", headers={"Retry-After": "1"})

    with monkeypatch.context() as patch:
        patch.setattr(Mutations, "run", away)
        first = await post(app, NEW_LEAD, headers=headers)
    again = await post(app, NEW_LEAD, headers=headers)
    third = await post(app, NEW_LEAD, headers=headers)

    assert (first.status_code, codes(first), first.json()["data"]) == (200, ["database_away"], {"createLead": None})
    assert again.json() == third.json()
    assert again.json()["data"]["createLead"]["id"]
    assert await leads(app) == before + 1


async def test_a_transaction_that_is_taken_back_is_one_answer(app: App) -> None:
    """No data, the path of the mutation at fault, and a record of each."""
    before = await leads(app)
    answer = await post(app, f"mutation @atomic {{ a: {CREATE} b: {CREATE.replace('status: 1', 'status: 999999')} }}")
    records = await trail_of(app, answer.headers["x-request-id"])
    body = answer.json()

    assert (answer.status_code, body["data"], body["extensions"]) == (200, None, {"rolledBack": True})
    assert [error["path"] for error in body["errors"]] == [["b"]]
    assert [(r.resource, r.operation, r.code, r.outcome) for r in records] == [
        ("leads", "create", None, "rolled_back"),
        ("leads", "create", codes(answer)[0], None),
    ]
    assert await leads(app) == before


CREATE = 'createLead(input: {name: "Together", status: 1, source: 1}) { id }'
