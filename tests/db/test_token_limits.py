"""Tokens with limits at work: where they may be used from, what they see, and what they are told of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from gateway.observe import PolicyUnmet
from gateway.security.policy import Policy
from gateway.security.rates import Rate
from gateway.web.trial import Attempt, try_request
from sample_crm import build
from tests.support.app import NOON, App, issue, served
from tests.support.mariadb import Server

ORIGIN = "https://app.example.com"
GRANTS = {
    "all": ("*:*",),
    "near": ("*:read",),
    "page": ("*:read",),
    "client": ("invoices:read", "clients:read,update", "payments:read"),
    "closed": ("*:read",),
    "lost": ("*:read",),
    "hostile": ("*:read",),
    "small": ("*:read",),
    "taken": ("*:read",),
}
POLICIES = {
    "near": Policy(addresses=("10.0.0.0/8", "2001:db8::/32")),
    "page": Policy(origins=(ORIGIN,)),
    "client": Policy(
        readable=(("invoices", ("id", "clientid", "total")),),
        writable=(("clients", ("city",)),),
        rows=(("invoices", ("clientid=1",)), ("payments", ("invoice.clientid=1",)), ("clients", ("userid=1",))),
        most_rows=30,
        rate=Rate(1_000_000, 60),
    ),
    "closed": Policy(rows=(("invoices", ("clientidd=1",)),)),
    "lost": Policy(rows=(("rechnungen", ("clientid=1",)),)),
    "small": Policy(most_rows=4),
    "taken": Policy(addresses=("10.0.0.0/8",), rate=Rate(5, 600)),
    "hostile": Policy(rows=(("clients", ("company=' OR '1'='1", 'city.ne=x" --')),)),
}


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def app(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """The application behind a proxy of this machine that names its clients' addresses."""
    name = f"gateway_limits_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("limits") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=NOON.date())
    async with served(url, grants=GRANTS, policies=POLICIES, admin=False, trusted_proxies="127.0.0.1") as app:
        yield app
    if is_served:
        mariadb_server.drop_database(name)


def code_of(answer: httpx2.Response) -> str | None:
    return None if answer.status_code < 400 else str(answer.json()["code"])


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/leads", "/api/v1/nothing", "/api/v1/auth/test", "/api/me", "/x"])
@pytest.mark.parametrize(
    ("address", "is_near"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("2001:db8::1", True), ("11.1.2.3", False), ("::1", False)],
)
async def test_a_token_works_from_its_addresses_alone(app: App, path: str, address: str, *, is_near: bool) -> None:
    """On every path, before anything else about it is told."""
    answer = await app.clients["near"].get(path, headers={"X-Forwarded-For": address})

    assert (code_of(answer) == "address_forbidden") is not is_near
    if not is_near:
        assert answer.status_code == 403


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", ORIGIN.replace("https", "http")])
async def test_a_token_for_pages_works_for_these_pages_alone(app: App, origin: str | None) -> None:
    """A request that names no page is none of theirs."""
    headers = {} if origin is None else {"Origin": origin}
    refused = await app.clients["page"].get("/api/v1/leads", headers=headers)
    passed = await app.clients["page"].get("/api/v1/leads", headers={"Origin": ORIGIN})

    assert (refused.status_code, code_of(refused)) == (403, "origin_forbidden")
    assert passed.status_code == 200


async def test_only_its_rows_and_columns_are_there(app: App) -> None:
    """In lists, by key, through relationships, and as they are counted."""
    client = app.clients["client"]
    everything = (await app.json("invoices?fields=id,clientid&per_page=1000"))["data"]
    own = {row["id"] for row in everything if row["clientid"] == 1}
    listed = (await client.get("/api/v1/invoices?per_page=30&sort=id")).json()
    payments = (await client.get("/api/v1/payments?per_page=30&fields=id,invoiceid")).json()["data"]
    other = next(row["id"] for row in everything if row["clientid"] != 1)

    assert own
    assert listed["meta"]["total"] == len(own)
    assert {row["id"] for row in listed["data"]} == set(sorted(own)[:30])
    assert all(set(row) == {"id", "clientid", "total"} for row in listed["data"])
    assert payments
    assert {row["invoiceid"] for row in payments} <= own
    assert (await client.get(f"/api/v1/invoices/{other}")).status_code == 404
    assert (await client.get("/api/v1/invoices?filter[number]=1")).json()["code"] == "field_unknown"


async def test_a_page_has_at_most_its_rows(app: App) -> None:
    """More is refused, never cut; a page of which no size is named fits."""
    client = app.clients["client"]

    assert (await client.get("/api/v1/invoices?per_page=31")).json()["code"] == "page_invalid"
    assert (await client.get("/api/v1/invoices")).status_code == 200


async def test_pages_of_a_small_cap_lead_through_all_rows(app: App) -> None:
    """Whoever names no size follows links of pages that fit, by number and by cursor."""
    client = app.clients["small"]
    due = [row["id"] for row in (await app.json("leads?fields=id&sort=id&per_page=1000"))["data"]][:12]
    for start in ("/api/v1/leads?fields=id&sort=id", "/api/v1/leads?fields=id&sort=id&cursor="):
        found: list[int] = []
        path = start
        for _ in range(3):
            page = (await client.get(path)).json()
            assert (len(page["data"]), page["meta"]["per_page"]) == (4, 4)
            found += [row["id"] for row in page["data"]]
            path = page["links"]["next"]
        assert found == due
    assert (await client.get("/api/v1/invoices?include=items")).status_code == 200


@pytest.mark.parametrize("form", ["csv", "ndjson", "xlsx"])
async def test_an_export_has_no_more_rows_than_a_page_may_have(app: App, form: str) -> None:
    """Nor more rows that come along with one: what is longer is refused whole, with the cap; a page of it is a page."""
    client = app.clients["small"]
    few = await client.get("/api/v1/invoices", params={"per_page": 4, "fields": "id", "sort": "id"})
    last = few.json()["data"][-1]["id"]
    whole = await client.get(f"/api/v1/invoices.{form}")
    related = await client.get(f"/api/v1/clients.{form}?filter[userid]=1&include=invoices")
    narrow = await client.get(f"/api/v1/invoices.{form}", params={"filter[id.lte]": last})
    paged = await client.get(f"/api/v1/invoices.{form}?per_page=4")
    limited = await client.get(f"/api/v1/clients.{form}?filter[userid]=1&include=invoices&include[invoices][limit]=4")

    assert [code_of(answer) for answer in (whole, related)] == ["rows_too_many"] * 2
    assert "4 rows" in whole.json()["detail"]
    assert "more than 4 invoices" in related.json()["detail"]
    assert [answer.status_code for answer in (narrow, paged, limited)] == [200] * 3
    assert code_of(await app.clients["all"].get(f"/api/v1/invoices.{form}")) is None


async def test_only_its_columns_are_written(app: App) -> None:
    """The others are read-only for it."""
    client = app.clients["client"]
    before = (await client.get("/api/v1/clients/1?fields=city,company")).json()["data"]
    written = await client.patch("/api/v1/clients/1?dry_run=true", json={"city": "Graz"})
    refused = await client.patch("/api/v1/clients/1", json={"company": f"not {before['company']}"})

    assert written.status_code == 200
    assert (refused.status_code, code_of(refused)) == (422, "fields_invalid")
    assert (await client.get("/api/v1/clients/1?fields=city,company")).json()["data"] == before


async def test_a_missing_grant_is_named_before_the_body_is_read(app: App) -> None:
    """With a body that would be refused, too."""
    answer = await app.clients["client"].post("/api/v1/invoices", content=b"{" * 1000)

    assert (answer.status_code, code_of(answer)) == (403, "grant_missing")
    assert "invoices:create" in answer.json()["detail"]


async def test_a_condition_that_cannot_be_met_closes_its_resource(app: App) -> None:
    """Alone; a resource that is gone closes the token. Both are logged."""
    closed, lost = app.clients["closed"], app.clients["lost"]

    assert code_of(await closed.get("/api/v1/invoices")) == "grant_missing"
    assert (await closed.get("/api/v1/clients")).status_code == 200
    assert code_of(await closed.get("/api/v1/clients?include=invoices")) == "grant_missing"
    assert code_of(await lost.get("/api/v1/clients")) == "grant_missing"
    assert {event.principal for event in app.events if isinstance(event, PolicyUnmet)} >= {"closed", "lost"}


async def test_a_value_of_a_condition_is_a_value(app: App) -> None:
    """Whatever an administrator pastes there: it reaches no statement's text."""
    app.statements()
    answer = await app.clients["hostile"].get("/api/v1/clients")

    assert (answer.status_code, answer.json()["data"], answer.json()["meta"]["total"]) == (200, [], 0)
    assert not [text for text in app.statements() if "'1'='1" in text or "--" in text]


@pytest.mark.parametrize("path", ["/api/me", "/api/v1/auth/test"])
async def test_a_token_is_told_what_it_is(app: App, path: str) -> None:
    """With its limits; those of others are nobody's business."""
    told = (await app.clients["client"].get(path)).json()
    told = told.get("data", told)

    assert told["name"] == "client"
    assert told["permissions"] == {
        "clients": ["read", "update"],
        "invoices": ["read"],
        "invoicepaymentrecords": ["read"],
    }
    assert told["columns"] == {
        "clients": {"readable": None, "writable": ["city"]},
        "invoices": {"readable": ["id", "clientid", "total"], "writable": None},
    }
    assert told["rows"] == {
        "clients": ["userid=1"],
        "invoices": ["clientid=1"],
        "invoicepaymentrecords": ["invoice.clientid=1"],
    }
    assert (told["most_rows"], told["rate"], told["addresses"]) == (30, "1000000/min", [])
    assert (told["is_admin"], told["expires_at"], told["is_signed"]) == (False, None, False)
    assert told["server_time"]


ASKED = (
    ("GET", "/api/v1/invoices"),
    ("GET", "/api/v1/invoices?filter[number]=1"),
    ("GET", "/api/v1/invoices?filter[client.company]=x&include=client&sort=-total"),
    ("GET", "/api/v1/invoices?include=items"),
    ("GET", "/api/v1/invoices?sort=date"),
    ("GET", "/api/v1/invoices?group=clientid&metrics=sum.total"),
    ("GET", "/api/v1/invoices?group=agent"),
    ("GET", "/api/v1/invoices?per_page=31"),
    ("GET", "/api/v1/invoices?filter[total.gte]=x"),
    ("GET", "/api/v1/invoices?colour=red"),
    ("GET", "/api/v1/invoices?q=x"),
    ("GET", "/api/v1/invoices/x"),
    ("GET", "/api/v1/invoices/1/client"),
    ("GET", "/api/v1/invoices/1/items"),
    ("GET", "/api/v1/invoices/1/nothing"),
    ("GET", "/api/v1/clients/1/invoices?per_page=5"),
    ("GET", "/api/v1/leads"),
    ("GET", "/api/v1/lead"),
    ("GET", "/api/v1/auth/test"),
    ("GET", "/api/v1"),
    ("GET", "/api/v1/a/b/c/d"),
    ("GET", "/api/me"),
    ("GET", "/healthz"),
    ("GET", "/admin/tokens"),
    ("HEAD", "/api/v1/leads"),
    ("OPTIONS", "/api/v1/invoices"),
    ("OPTIONS", "/api/v1/leads"),
    ("PUT", "/api/v1/invoices"),
    ("POST", "/api/v1/invoices/1"),
    ("POST", "/api/v1/invoices"),
    ("DELETE", "/api/v1/clients/1"),
    ("PATCH", "/api/v1/clients?filter[city]=x"),
)


@pytest.mark.parametrize("name", ["client", "near", "page", "closed", "lost", "all"])
@pytest.mark.parametrize(("method", "url"), ASKED, ids=[" ".join(asked) for asked in ASKED])
async def test_what_is_foretold_is_what_happens(app: App, name: str, method: str, url: str) -> None:
    """A trial and the request agree on whether it is refused and by which code, whoever asks."""
    if name == "all" and method in ("POST", "DELETE", "PATCH"):
        return  # it may, and then the body decides
    record = app.parts.state.tokens.find(name)
    assert record is not None
    attempt = Attempt(method, url, "127.0.0.1")
    trial = try_request(app.parts.settings, app.parts.keeper.service(), record, attempt, NOON)
    answer = await app.clients[name].request(method, url)

    foretold = None if trial.refusal is None else (trial.refusal.status, trial.refusal.code)
    if method == "HEAD":
        assert (trial.refusal is None) is (answer.status_code < 400)
    elif answer.status_code != 404 or foretold is not None:  # only the database tells that there is no such row
        happened = None if answer.status_code < 400 else (answer.status_code, code_of(answer))
        assert happened == foretold, answer.text
    if trial.refusal is not None and method != "HEAD":
        assert trial.refusal.detail.startswith(answer.json()["detail"])


async def test_who_took_a_token_cannot_use_up_its_rate(app: App) -> None:
    """From elsewhere it is refused without being counted, and as often as it comes; its owner has the whole rate."""
    client = app.clients["taken"]
    stolen = [await client.get("/api/v1/clients", headers={"X-Forwarded-For": "6.6.6.6"}) for _ in range(8)]
    owned = await client.get("/api/v1/clients", headers={"X-Forwarded-For": "10.1.2.3"})

    assert {code_of(answer) for answer in stolen} == {"address_forbidden"}
    assert not any("ratelimit" in answer.headers for answer in stolen)
    assert (owned.status_code, owned.headers["x-ratelimit-remaining"]) == (200, "4")


async def test_a_new_token_under_an_old_name_is_given_no_old_answers(app: App) -> None:
    """An idempotency key belongs to a token and to those that replace it by rotation."""
    first, second = (Policy(lineage=mark) for mark in ("a", "b"))
    answers = []
    for policy in (first, replace(first), second):
        token = issue(app.parts.state, "again", ("clients:read,update",), policy=policy)
        answer = await app.anonymous.patch(
            "/api/v1/clients/1",
            json={"city": "Linz" if policy.lineage == "a" else "Wels"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one"},
        )
        answers.append((answer.status_code, answer.headers.get("idempotent-replayed")))
        app.parts.state.tokens.revoke("again")

    assert answers == [(200, None), (200, "true"), (200, None)]
