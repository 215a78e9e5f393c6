"""A question has one plan and one answer, asked as a GraphQL document or over REST: on MariaDB and on SQLite.

Lists and groups of chance, with aliases, fragments and variables; as a caller who may do everything, and as callers who
are limited to some rows and columns. What is not there for a caller is refused alike, wherever a document names it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.catalog.model import Catalog
from gateway.query.access import OPERATIONS, Access, Grant
from sample_crm import build
from tests.support import query_custom
from tests.support.app import NOON, App, served
from tests.support.asking import ALL, READ, plan_any, query_request, read_request
from tests.support.graphql_plans import planned, vocabulary_of
from tests.support.graphql_questions import Document, Taken, Writer, rest_body, settled
from tests.support.handed import client_with
from tests.support.mariadb import Server
from tests.support.query_limits import Limits, limits, permits, told
from tests.support.query_model import Asked, AskedGroups, MetricOf
from tests.support.query_questions import groups, lists, nodes
from tests.support.query_world import WHITELIST, fill_mariadb, fill_sqlite, made_world

GRAPHQL = "/api/v1/graphql"
LIMITS: dict[str, Any] = {"graphql_max_complexity": 1_000_000_000, "graphql_max_aliases": 1_000}
"""What questions of chance come to is far over what people ask."""

CHANCE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
CUSTOM = query_custom.made()
UNTOLD = frozenset({"x-request-id", "date", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"})
"""Headers that differ from reply to reply."""

dices = st.integers(0, 2**32).map(random.Random)
databases = st.sampled_from(["mariadb", "mariadb", "sqlite"])


@dataclass(frozen=True, slots=True, repr=False)
class Stages:
    """The applications on worlds of chance, by the database that holds them."""

    apps: dict[str, App]

    def __getitem__(self, name: str) -> App:
        return self.apps[name]


@pytest.fixture(scope="module")
async def stages(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stages]:
    """A world on each kind of database, and customers with custom fields."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    path = tmp_path_factory.mktemp("graphql") / "world.sqlite3"
    world = mariadb_server.create_database(f"gateway_graphql_world_{worker}")
    custom = mariadb_server.create_database(f"gateway_graphql_custom_{worker}")
    fill_mariadb(mariadb_server, f"gateway_graphql_world_{worker}", made_world(21), has_indexes=True)
    fill_sqlite(path, made_world(22, has_zero_dates=False))
    query_custom.fill(mariadb_server, custom, *CUSTOM)
    async with AsyncExitStack() as stack:
        found = {}
        for name, url in {"mariadb": world, "sqlite": f"sqlite:///{path}"}.items():
            running = served(url, whitelist=WHITELIST, timezone="Europe/Berlin", **LIMITS)
            found[name] = await stack.enter_async_context(running)
        running = served(custom, whitelist=query_custom.WHITELIST, **LIMITS)
        found["custom"] = await stack.enter_async_context(running)
        yield Stages(found)
    for name in ("world", "custom"):
        mariadb_server.drop_database(f"gateway_graphql_{name}_{worker}")


def catalog_of(app: App) -> Catalog:
    """Return the catalog that an application serves."""
    return app.parts.keeper.service().catalog


async def asked_in_graphql(client: httpx2.AsyncClient, document: Document) -> dict[str, Any]:
    """Return the data of a document that meets no error."""
    reply = await client.post(GRAPHQL, json={"query": document.text, "variables": document.variables})
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert "errors" not in found, found
    data: dict[str, Any] = found["data"]
    return data


async def asked_in_rest(client: httpx2.AsyncClient, asked: Asked | AskedGroups) -> list[dict[str, Any]]:
    """Return the rows of the same question, which nobody counts."""
    reply = await client.post(f"/api/v1/{asked.table}/query", json=rest_body(asked) | {"count": "none"})
    assert reply.status_code == 200, reply.text
    rows: list[dict[str, Any]] = reply.json()["data"]
    return rows


def texts(value: Any) -> Any:
    """Return an answer with its numbers as text: REST writes whole ones below 2**53 as numbers, BigInt is text."""
    match value:
        case bool() | None:
            return value
        case int():
            return str(value)
        case list():
            return [texts(item) for item in value]
        case dict():
            return {name: texts(item) for name, item in value.items()}
        case _:
            return value


def written(writer: Writer, asked: Asked | AskedGroups) -> Document:
    """Return a settled question as a document."""
    document = writer.grouped(asked) if isinstance(asked, AskedGroups) else writer.listed(asked)
    note(f"{document.text}\n{document.variables}")
    return document


async def assert_agreement(
    app: App, client: httpx2.AsyncClient, access: Access, asked: Asked | AskedGroups, dice: random.Random
) -> None:
    """Hold the plan, the statements and the rows of a document to those of the same question over REST."""
    catalog = catalog_of(app)
    writer = Writer(vocabulary_of(catalog, access), dice)
    asked = settled(asked, writer)
    document = written(writer, asked)
    due = plan_any(catalog, query_request(catalog, asked.table, rest_body(asked)).intent, access)

    assert planned(catalog, document.text, document.variables, access) == due

    app.statements()
    rows = await asked_in_rest(client, asked)
    statements = app.statements()
    data = await asked_in_graphql(client, document)
    assert app.statements() == statements
    assert len(statements) <= 1 + nodes(asked.includes)
    given = {document.field.rest: rows} if isinstance(asked, Asked) else {document.field.rest: {"data": rows}}
    assert texts(data[document.field.key]) == texts(document.field.of(given))


def sayable(asked: AskedGroups) -> AskedGroups:
    """Return groups that a document can ask for: by rows next to their own, and with numbers of their own fields."""
    kept = tuple(group for group in asked.groups if group.field is not None or len(group.path) == 1)
    metrics = tuple(metric for metric in asked.metrics if not metric.path) or (MetricOf("count"),)
    words = {*(metric.word for metric in metrics), *(group.word for group in kept)}
    return replace(
        asked,
        groups=kept,
        metrics=metrics,
        having=tuple(item for item in asked.having if not item.metric.path),
        sort=tuple(word for word in asked.sort if word.lstrip("-") in words),
        includes=tuple(include for include in asked.includes if include.name in words),
    )


@settings(max_examples=120, suppress_health_check=CHANCE, deadline=None)
@given(asked=lists(), name=databases, dice=dices)
async def test_any_list_is_the_same_question(stages: Stages, asked: Asked, name: str, dice: random.Random) -> None:
    """Equal plans and values, equal statements, equal rows: whatever is filtered, sorted, searched and embedded."""
    app = stages[name]

    await assert_agreement(app, app.client, ALL, asked, dice)


@settings(max_examples=100, suppress_health_check=CHANCE, deadline=None)
@given(asked=groups(), name=databases, dice=dices)
async def test_any_groups_are_the_same_question(
    stages: Stages, asked: AskedGroups, name: str, dice: random.Random
) -> None:
    """By fields, periods and related rows, with their numbers and conditions on them."""
    app = stages[name]

    await assert_agreement(app, app.client, ALL, sayable(asked), dice)


@settings(max_examples=60, suppress_health_check=CHANCE, deadline=None)
@given(asked=lists(CUSTOM[0]) | groups(CUSTOM[0]).map(sayable), dice=dices)
async def test_any_question_about_custom_fields_is_the_same(
    stages: Stages, asked: Asked | AskedGroups, dice: random.Random
) -> None:
    """Under the names that GraphQL has for them."""
    app = stages["custom"]

    await assert_agreement(app, app.client, ALL, asked, dice)


@settings(max_examples=120, suppress_health_check=CHANCE, deadline=None)
@given(asked=lists() | groups().map(sayable), limited=limits(), name=databases, dice=dices)
async def test_any_question_of_a_limited_caller_is_the_same(
    stages: Stages, asked: Asked | AskedGroups, limited: Limits, name: str, dice: random.Random
) -> None:
    """Row filters and columns hold alike; who may not ask over REST may not ask here, and is shown nothing."""
    app, access = stages[name], limited.access()
    note(str(limited))
    async with client_with(app, access) as client:
        if permits(limited, asked):
            await assert_agreement(app, client, access, told(limited, asked), dice)
            return
        writer = Writer(vocabulary_of(catalog_of(app), ALL), dice)
        asked = settled(asked, writer)
        document = written(writer, asked)
        rest = await client.post(f"/api/v1/{asked.table}/query", json=rest_body(asked))
        reply = await client.post(GRAPHQL, json={"query": document.text, "variables": document.variables})
        assert rest.status_code in (400, 403), rest.text
        assert reply.status_code == 400, reply.text
        assert "data" not in reply.json()


# The question of the specification


@pytest.fixture(params=["mariadb", "sqlite"])
async def sample(
    request: pytest.FixtureRequest, crm_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """The application on a sample CRM in each kind of database."""
    url = crm_database
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("sample") / "crm.sqlite3"
        url = f"sqlite:///{path}"
        build(url, scale="tiny", today=NOON.date())
    async with served(url) as app:
        yield app


TEXTS = "decimals=string&bigints=string"
LITERAL = "{ invoices(filter: {status: 2, total_gte: 1000}, limit: 10) { id total duedate client { company email } } }"
"""SPEC section 7."""


async def test_the_question_of_the_specification_works_as_it_is_written(sample: App) -> None:
    """It has the plan of its REST spelling, costs its two statements, and shows the same rows in the same order."""
    path = (
        "invoices?filter[status]=2&filter[total.gte]=1000&limit=10&fields=id,total,duedate&count=none"
        "&include=client&fields[client]=company,email&decimals=string&bigints=string"
    )
    due = (await sample.json(path))["data"]
    sample.statements()

    reply = await sample.client.post(GRAPHQL, json={"query": LITERAL})

    assert len(sample.statements()) == 2
    assert reply.json() == {"data": {"invoices": due}}
    assert due
    assert [list(row) for row in reply.json()["data"]["invoices"]] == [["id", "total", "duedate", "client"]] * len(due)
    assert planned(catalog_of(sample), LITERAL) == plan_any(
        catalog_of(sample), read_request(catalog_of(sample), path).intent
    )


async def asked(app: App, document: str, **variables: Any) -> dict[str, Any]:
    """Return the data of a document that meets no error."""
    return await asked_in_graphql(app.client, Document(document, variables, Taken("", "")))


async def test_tags_are_those_of_rest(sample: App) -> None:
    """Of one row, of each row of a list, and of rows that come along: each fits the row's ``If-Match``."""
    invoice = await sample.client.get("/api/v1/invoices/1")
    client = await sample.client.get(f"/api/v1/clients/{invoice.json()['data']['clientid']}")
    own, other = invoice.headers["etag"], client.headers["etag"]

    found = await asked(
        sample,
        "{ one: invoices_by_key(id: 1) { _etag client { tag: _etag invoices(filter: {id: 1}) { _etag } } }"
        " list: invoices(filter: {id: 1}) { _etag } page: invoices_connection(filter: {id: 1}) { nodes { _etag } } }",
    )

    assert found["one"] == {"_etag": own, "client": {"tag": other, "invoices": [{"_etag": own}]}}
    assert found["list"] == found["page"]["nodes"] == [{"_etag": own}]


WALK = """query ($after: String, $first: Int) {
  clients_connection(first: $first, after: $after, sort: [{city: DESC}], filter: {userid_lte: 20}) {
    totalCount
    edges { cursor node { userid city } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def test_a_connection_is_walked_by_its_cursors(sample: App) -> None:
    """Every row once and in order, from any row's cursor; the total is that of all pages."""
    due = (await asked(sample, "{ clients(sort: [{city: DESC}], filter: {userid_lte: 20}) { userid city } }"))[
        "clients"
    ]
    walked: list[Any] = []
    after: str | None = None
    while True:
        page = (await asked(sample, WALK, first=3, after=after))["clients_connection"]
        info, edges = page["pageInfo"], page["edges"]
        assert page["totalCount"] == len(due)
        assert info["hasPreviousPage"] is bool(walked)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        walked += [edge["node"] for edge in edges]
        if not info["hasNextPage"]:
            break
        again = (await asked(sample, WALK, first=2, after=edges[0]["cursor"]))["clients_connection"]["edges"]
        assert [edge["node"] for edge in again] == due[len(walked) - len(edges) + 1 :][:2]
        after = info["endCursor"]

    assert walked == due
    assert len(due) > 6


@pytest.mark.parametrize(
    "document",
    [
        "query ($c: String) { clients_connection(after: $c) { nodes { userid } } }",
        "query ($c: String) { clients_connection(after: $c, sort: [{city: ASC}], filter: {userid_lte: 20})"
        " { nodes { userid } } }",
        "query ($c: String) { invoices_connection(after: $c) { nodes { id } } }",
        'query ($c: String) { a: __typename clients_connection(after: $c, search: "a") { nodes { userid } } }',
    ],
)
async def test_a_cursor_serves_its_own_question_alone(sample: App, document: str) -> None:
    """Another filter, order, search or resource refuses it, as REST does; so is a cursor of REST refused here."""
    own = (await asked(sample, WALK, first=3))["clients_connection"]["pageInfo"]["endCursor"]
    rest = (await sample.json("clients?sort=-city&filter[userid.lte]=20&per_page=3"))["meta"]["next_cursor"]

    for cursor in (own, rest, own[:-1], ""):
        reply = (await sample.client.post(GRAPHQL, json={"query": document, "variables": {"c": cursor}})).json()
        assert [error["extensions"]["code"] for error in reply["errors"]] == ["cursor_invalid"], cursor
    assert (await sample.client.get("/api/v1/clients", params={"cursor": own})).json()["code"] == "cursor_invalid"


async def test_numbers_of_each_row_are_those_of_groups(sample: App) -> None:
    """Over the same rows, in one statement for all parents."""
    document = "{ clients(limit: 50) { userid invoices_aggregate(filter: {status: 2}) { count sum { total } } } }"
    grouped = await sample.json(f"invoices?group=clientid&metrics=count,sum.total&filter[status]=2&limit=500&{TEXTS}")
    due = {row["clientid"]: {"count": row["count"], "sum": {"total": row["sum.total"]}} for row in grouped["data"]}
    sample.statements()

    rows = (await asked(sample, document))["clients"]

    assert len(sample.statements()) == 2
    assert {row["userid"]: row["invoices_aggregate"] for row in rows} == {
        row["userid"]: due.get(row["userid"], {"count": 0, "sum": {"total": None}}) for row in rows
    }
    assert due


# What is not there


LIMITED = Access(
    "limited",
    {
        "contacts": Grant(frozenset(OPERATIONS), frozenset({"id", "userid", "email"}), frozenset({"email", "userid"})),
        "clients": Grant(READ),
    },
)
HIDDEN, UNREADABLE, MADE_UP = "password", "lastname", "nosuchxy"
"""Three names of one length: a hidden column, one that the token may not read or write, and none at all."""

PLACES: list[tuple[str, Any]] = [
    ("{ contacts { NAME } }", {}),
    ("{ clients { contacts { NAME } } }", {}),
    ("{ contacts_by_key(id: 1) { NAME } }", {}),
    ("{ contacts_connection { edges { node { NAME } } } }", {}),
    ('{ contacts(filter: {NAME: "x"}) { id } }', {}),
    ('{ contacts(filter: {or: [{NAME_contains: "x"}]}) { id } }', {}),
    ('{ clients(filter: {contacts: {none: {NAME: "x"}}}) { userid } }', {}),
    ("{ clients { contacts(filter: {NAME_null: true}) { id } } }", {}),
    ("{ contacts(sort: [{NAME: ASC}]) { id } }", {}),
    ("{ clients { contacts(sort: [{NAME: DESC}]) { id } } }", {}),
    ("{ contacts_aggregate { max { NAME } } }", {}),
    ("{ clients { contacts_aggregate { count_distinct { NAME } } } }", {}),
    ("{ contacts_groups { nodes { key { NAME } count } } }", {}),
    ("{ contacts_groups { nodes { max { NAME } } } }", {}),
    ('{ contacts_groups(having: {max: {NAME_gt: "a"}}) { nodes { count } } }', {}),
    ("{ contacts_groups(sort: [{max: {NAME: ASC}}]) { nodes { count } } }", {}),
    ("{ contacts_groups(sort: [{key: {NAME: ASC}}]) { nodes { key { email } } } }", {}),
    ("query ($f: ContactFilter) { contacts(filter: $f) { id } }", {"f": {"and": [{"NAME_starts": "x"}]}}),
    ("query ($s: [ContactSort!]) { contacts(sort: $s) { id } }", {"s": [{"NAME": "ASC"}]}),
    ('mutation { createContact(input: {userid: 1, NAME: "x"}) { id } }', {}),
    ("mutation ($i: ContactCreate!) { createContact(input: $i) { id } }", {"i": {"NAME": "x"}}),
    ('mutation { updateContact(id: 1, input: {NAME: "x"}) { id } }', {}),
    ('mutation { updateContact(id: 1, input: {email: "x"}) { NAME } }', {}),
    ('mutation { deleteContacts(filter: {NAME: "x"}, maxAffected: 1) { affected } }', {}),
    ('{ __type(name: "Contact") { fields { name } } contacts { NAME } }', {}),
]


@pytest.mark.parametrize(("document", "variables"), PLACES)
async def test_what_a_caller_may_not_read_is_as_if_it_were_not_there(crm: App, document: str, variables: Any) -> None:
    """A hidden column, an unreadable one and a made-up one are refused in the same words, wherever one is named."""
    told = set()
    async with client_with(crm, LIMITED) as client:
        for name in (HIDDEN, UNREADABLE, MADE_UP):
            body = json.dumps({"query": document, "variables": variables}).replace("NAME", name)
            reply = await client.post(GRAPHQL, content=body, headers={"Content-Type": "application/json"})
            headers = {key: value for key, value in reply.headers.items() if key not in UNTOLD}
            told.add((reply.status_code, json.dumps(headers, sort_keys=True), reply.text.replace(name, "NAME")))

    assert len(told) == 1, told
    ((status, _, text),) = told
    assert (status, "suggestion" in text, "Did you mean" in text) == (400, False, False)
    assert "data" not in json.loads(text)
