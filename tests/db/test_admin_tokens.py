"""`/admin/tokens`: what an administrator's program can do with tokens, and what nobody else can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.security.signatures import SECRET_PREFIX
from gateway.security.tokens import looks_like_token
from sample_crm import build
from tests.support.app import NOON, App, check_reply, issue, served

TOKENS = "/admin/tokens"


@pytest.fixture(scope="module")
def crm_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small CRM of this module's own."""
    path: Path = tmp_path_factory.mktemp("tokens") / "crm.db"
    build(f"sqlite:///{path}", scale="tiny", today=NOON.date())
    return f"sqlite:///{path}"


@pytest.fixture
async def app(crm_url: str) -> AsyncIterator[App]:
    """The application with one administrator's token."""
    async with served(crm_url, grants={"root": ("*:*",)}) as app:
        yield app


def client_of(app: App, token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app.asgi),
        base_url="http://gateway.test",
        headers={"Authorization": f"Bearer {token}"},
        event_hooks={"response": [check_reply]},
    )


async def made(app: App, **fields: Any) -> dict[str, Any]:
    answer = await app.client.post(TOKENS, json={"name": "bi", "grants": ["invoices:read"], **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_a_token_is_made_and_works_at_once(app: App) -> None:
    """Its text is in this answer and in no other; its path is in ``Location``."""
    answer = await app.client.post(
        TOKENS,
        json={
            "name": "bi",
            "grants": ["invoices:read"],
            "readable": {"invoices": ["id", "total", "clientid"]},
            "rows": {"invoices": ["clientid=1"]},
            "most_rows": 10,
            "rate": "600/min",
            "expires_at": "2090-01-01",
        },
    )
    token = answer.json()["data"]
    shown = (await app.client.get(answer.headers["location"])).json()["data"]
    rows = (await client_of(app, token["token"]).get("/api/v1/invoices?per_page=10")).json()["data"]

    assert answer.status_code == 201
    assert looks_like_token(token["token"].encode())
    assert shown == {name: value for name, value in token.items() if name not in ("token", "last_used_at")} | {
        "last_used_at": shown["last_used_at"]
    }
    assert (shown["status"], shown["expires_at"], shown["rate"]) == ("active", "2090-01-01T00:00:00+00:00", "600/min")
    assert rows
    assert all(set(row) == {"id", "total", "clientid"} and row["clientid"] == 1 for row in rows)


async def test_a_signed_token_comes_with_its_signing_secret(app: App) -> None:
    """This one time; a rotation brings another."""
    token = await made(app, is_signed=True)
    rotated = await app.client.post(f"{TOKENS}/{token['id']}/rotate")
    listed = await app.client.get(TOKENS)

    assert token["signing_secret"].startswith(SECRET_PREFIX)
    assert rotated.json()["data"]["signing_secret"] != token["signing_secret"]
    assert token["signing_secret"] not in listed.text
    assert token["token"] not in listed.text


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name", "/grants"}),
        ({"name": "bi", "grants": ["invoices"]}, {"/grants/0"}),
        ({"name": "bi", "grants": ["*:read"], "rows": {"invoices": ["id=1", "clientidd=1"]}}, {"/rows/invoices/1"}),
        ({"name": "bi", "grants": ["*:read"], "rows": {"customers": ["countri=1"]}}, {"/rows/customers/0"}),
        ({"name": "bi", "grants": ["*:read"], "readable": {"invoice": ["id"]}}, {"/readable/invoice"}),
        ({"name": "bi", "grants": ["*:read"], "readable": {"staff": ["password"]}}, {"/readable/staff/0"}),
        ({"name": "bi", "grants": ["leads:read"], "writable": {"invoices": ["id"]}}, {"/writable/invoices"}),
        ({"name": "bi", "grants": ["*:read"], "addresses": ["x"], "origins": ["y"]}, {"/addresses/0", "/origins/0"}),
        ({"name": "bi", "grants": ["*:read"], "colour": "red"}, {"/colour"}),
    ],
)
async def test_every_wrong_field_is_named(app: App, body: dict[str, Any], pointers: set[str]) -> None:
    """422 with a pointer for each, and no token is stored. A hidden column is one that there is not."""
    answer = await app.client.post(TOKENS, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "fields_invalid")
    assert {item["pointer"] for item in answer.json()["errors"]} == pointers
    assert (await app.client.get(TOKENS)).json()["meta"]["total"] == 1


async def test_a_grant_on_what_is_not_there_is_a_warning(app: App) -> None:
    """It may be exposed later."""
    answer = await app.client.post(TOKENS, json={"name": "bi", "grants": ["nothing:read", "leads:read"]})

    assert answer.status_code == 201
    assert '"nothing:read"' in answer.json()["meta"]["warnings"][0]


async def test_a_name_in_use_is_a_conflict(app: App) -> None:
    """The commands of the server have no place in the answer."""
    await made(app)
    answer = await app.client.post(TOKENS, json={"name": "bi", "grants": ["*:read"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert answer.json()["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"name=bi", "application/x-www-form-urlencoded", 415, "media_type_unsupported"),
        (b"{}", "text/plain", 415, "media_type_unsupported"),
        (b"{", "application/json", 400, "body_syntax"),
        (b"[]", "application/json", 400, "body_syntax"),
        (b"\xff", "application/json", 400, "body_syntax"),
        (b'{"name":"a","name":"b"}', "application/json", 422, "fields_invalid"),
        (b"[" * 100_000, "application/json", 400, "body_syntax"),
        (b'{"name":"' + b"x" * 300_000 + b'"}', "application/json", 413, "body_too_large"),
    ],
)
async def test_a_body_that_is_none_is_refused(
    app: App, content: bytes, content_type: str, status: int, code: str
) -> None:
    """As everywhere."""
    answer = await app.client.post(TOKENS, content=content, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_list_is_paged_and_filtered(app: App) -> None:
    """Oldest first, ended ones too; what is not known is refused."""
    first = await made(app, name="a")
    await made(app, name="b")
    await app.client.delete(f"{TOKENS}/{first['id']}")
    everything = (await app.client.get(TOKENS)).json()
    page = (await app.client.get(f"{TOKENS}?per_page=2&page=2")).json()
    revoked = (await app.client.get(f"{TOKENS}?status=revoked")).json()

    assert [token["name"] for token in everything["data"]] == ["root", "a", "b"]
    assert [token["name"] for token in page["data"]] == ["b"]
    assert page["meta"] == {"total": 3, "page": 2, "per_page": 2, "pages": 2, "count": 1}
    assert [token["name"] for token in revoked["data"]] == ["a"]
    for query, code in (
        ("status=gone", "parameter_invalid"),
        ("state=active", "parameter_unknown"),
        ("page=0", "page_invalid"),
        ("per_page=1001", "page_invalid"),
        ("page=1&page=2", "parameter_conflict"),
    ):
        answer = await app.client.get(f"{TOKENS}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, code), query


async def test_a_revoked_token_ends_within_a_second(app: App) -> None:
    """204, again when it has ended; the list says when."""
    token = await made(app)
    client = client_of(app, token["token"])
    assert (await client.get("/api/v1/invoices")).status_code == 200
    answers = [await app.client.delete(f"{TOKENS}/{token['id']}") for _ in range(2)]
    deadline = time.monotonic() + 1.0
    while (await client.get("/api/v1/invoices")).status_code != 401:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)

    assert [answer.status_code for answer in answers] == [204, 204]
    assert (await app.client.get(f"{TOKENS}/{token['id']}")).json()["data"]["status"] == "revoked"


async def test_an_end_is_that_of_an_overlap_too(app: App) -> None:
    """Whoever ends a leaked token means all secrets of it that work; a superseded one can be ended alone."""
    alone, whole = await made(app, name="alone"), await made(app, name="whole")
    new = [
        (await app.client.post(f"{TOKENS}/{token['id']}/rotate", json={"overlap": "1h"})).json()["data"]
        for token in (alone, whole)
    ]
    for token_id in (alone["id"], new[1]["id"]):
        assert (await app.client.delete(f"{TOKENS}/{token_id}")).status_code == 204
    shown = {item["id"]: item["status"] for item in (await app.client.get(TOKENS)).json()["data"]}

    assert [shown[token["id"]] for token in (alone, new[0], whole, new[1])] == ["revoked", "active"] + ["revoked"] * 2


async def test_the_end_of_a_token_keeps_nobody_out_beside_a_guesser(crm_url: str) -> None:
    """Nor does the token that ended, which its holder goes on sending from the same address."""
    async with served(crm_url, grants={"root": ("*:*",)}, refused_rate="5/min") as app:
        token, good, new = await made(app), await made(app, name="good"), await made(app, name="new")
        ended, client = client_of(app, token["token"]), client_of(app, good["token"])
        assert (await ended.get("/api/v1/invoices")).status_code == 200
        assert (await client.get("/api/v1/invoices")).status_code == 200
        assert (await app.client.delete(f"{TOKENS}/{token['id']}")).status_code == 204
        refused = {(await ended.get("/api/v1/invoices")).status_code for _ in range(10)}
        beside = [(await client_of(app, new["token"]).get("/api/v1/invoices")).status_code]
        guesser = client_of(app, "gw_live_guess")
        guessed = [(await guesser.get("/api/v1/invoices")).status_code for _ in range(6)]
        assert (await app.client.delete(f"{TOKENS}/{new['id']}")).status_code == 204
        beside += [(await client.get("/api/v1/invoices")).status_code, (await app.client.get(TOKENS)).status_code]

    assert refused == {401}
    assert guessed == [401] * 5 + [429]
    assert beside == [200, 200, 200]


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match", "If-None-Match"])
async def test_a_change_is_not_made_as_if_its_header_were_heeded(app: App, header: str) -> None:
    """Nothing is made, replaced or ended, and the detail says why not."""
    token = await made(app)
    sent = {header: '"k1"'}
    answers = [
        await app.client.post(TOKENS, json={"name": "other", "grants": ["invoices:read"]}, headers=sent),
        await app.client.post(f"{TOKENS}/{token['id']}/rotate", headers=sent),
        await app.client.delete(f"{TOKENS}/{token['id']}", headers=sent),
    ]
    shown = (await app.client.get(TOKENS)).json()["data"]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "header_invalid")}
    assert all(f"Tokens take no {header}" in answer.json()["detail"] for answer in answers)
    assert [(item["name"], item["status"]) for item in shown] == [("root", "active"), ("bi", "active")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("content-type", "application/json"), ("content-encoding", "gzip")], 415),
        ([("content-type", "application/json; charset=utf-16")], 415),
        ([("content-type", "application/json"), ("content-type", "application/x-www-form-urlencoded")], 400),
    ],
)
@pytest.mark.parametrize("path", [TOKENS, "/api/v1/leads", "/api/v1/leads/query"])
async def test_a_body_is_not_read_as_what_it_is_not_said_to_be(
    app: App, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    """Packed, in another encoding, or of two types: wherever a body is taken."""
    answer = await app.client.post(path, content=b"{}", headers=headers)

    assert answer.status_code == status, answer.text


async def test_limits_beside_administration_come_with_a_warning(app: App) -> None:
    """They bind nobody who can make a token without them."""
    body = {"name": "boss", "grants": ["*:*"], "is_admin": True, "most_rows": 5}
    limited = await app.client.post(TOKENS, json=body)
    plain = await app.client.post(TOKENS, json={"name": "other", "is_admin": True})

    assert "without them" in limited.json()["meta"]["warnings"][0]
    assert "meta" not in plain.json()


@pytest.mark.parametrize("path", ["/api/me?x=1", "/api/v1/auth/test?x=1"])
async def test_who_the_token_is_takes_no_parameters(app: App, path: str) -> None:
    """Wherever it is asked."""
    answer = await app.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_unknown")


async def test_a_body_where_none_is_due_is_refused(app: App) -> None:
    """Nothing that was written is passed over, and nothing is ended."""
    token = await made(app)
    answer = await app.client.request("DELETE", f"{TOKENS}/{token['id']}", json={"overlap": "1h"})

    assert (answer.status_code, answer.json()["code"]) == (400, "body_syntax")
    assert (await app.client.get(f"{TOKENS}/{token['id']}")).json()["data"]["status"] == "active"


async def test_the_last_administrator_is_not_ended_by_accident(app: App) -> None:
    """With another one there, it is; what an end would be for is left to the command line."""
    (root,) = (await app.client.get(TOKENS)).json()["data"]
    refused = await app.client.delete(f"{TOKENS}/{root['id']}")
    other = await made(app, name="other", is_admin=True)
    ended = await app.client.delete(f"{TOKENS}/{root['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "last_administrator")
    assert ended.status_code == 204
    assert (await client_of(app, other["token"]).get(TOKENS)).status_code == 200


async def test_a_rotated_token_may_do_the_same(app: App) -> None:
    """The old one works for the overlap; a second rotation of the old one is refused."""
    token = await made(app, readable={"invoices": ["id"]}, most_rows=5)
    answer = await app.client.post(f"{TOKENS}/{token['id']}/rotate", json={"overlap": "1h"})
    new = answer.json()["data"]
    again = await app.client.post(f"{TOKENS}/{token['id']}/rotate")

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{TOKENS}/{new['id']}"
    assert (new["readable"], new["most_rows"]) == ({"invoices": ["id"]}, 5)
    for text in (token["token"], new["token"]):
        assert (await client_of(app, text).get("/api/v1/invoices?per_page=5")).status_code == 200
    assert (await app.client.get(f"{TOKENS}/{token['id']}")).json()["data"]["status"] == "superseded"
    assert (again.status_code, again.json()["code"]) == (404, "row_unknown")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"overlap": "soon"}, "/overlap"),
        ({"overlap": -1}, "/overlap"),
        ({"overlap": True}, "/overlap"),
        ({"x": 1}, "/x"),
    ],
)
async def test_an_overlap_that_is_none_is_refused(app: App, body: dict[str, Any], pointer: str) -> None:
    """And nothing is rotated."""
    token = await made(app)
    answer = await app.client.post(f"{TOKENS}/{token['id']}/rotate", json=body)

    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.json()["errors"]] == [pointer]
    assert (await app.client.get(f"{TOKENS}/{token['id']}")).json()["data"]["status"] == "active"


@pytest.mark.parametrize("token_id", ["999", "0", "-1", "bi", "1.5", "9" * 30, "9" * 5000])
async def test_a_token_that_is_not_there_is_404(app: App, token_id: str) -> None:
    """Whatever stands for its number; names are no addresses."""
    paths = [f"{TOKENS}/{token_id}", f"{TOKENS}/{token_id}/explain"]
    answers = [await app.client.get(path) for path in paths]
    answers += [await app.client.delete(paths[0]), await app.client.post(f"{paths[0]}/rotate")]

    assert {answer.status_code for answer in answers} == {404}


async def test_a_token_is_explained(app: App) -> None:
    """As the command line does: its resources, and what would become of a request."""
    token = await made(app, rows={"invoices": ["clientid=1"]}, addresses=["10.0.0.0/8"])
    path = f"{TOKENS}/{token['id']}/explain"
    told = (await app.client.get(path)).json()["data"]
    request = "method=POST&url=/api/v1/invoices&address=10.0.0.1"
    tried = (await app.client.get(f"{path}?{request}")).json()["data"]["request"]
    elsewhere = (await app.client.get(f"{path}?url=/api/v1/invoices&address=11.0.0.1")).json()["data"]["request"]
    read = (await app.client.get(f"{path}?url=/api/v1/invoices%3Ffilter[total.gte]=5&address=10.0.0.1")).json()["data"]

    assert [item["resource"] for item in told["resources"]] == ["invoices"]
    assert told["resources"][0]["rows"] == ["clientid=1"]
    assert tried["decision"].startswith("refused by authorize: 403 grant_missing")
    assert "invoices:create" in tried["decision"]
    assert "address_forbidden" in elsewhere["decision"]
    assert read["request"]["allowed"] is True
    assert "only rows with clientid=1" in read["request"]["steps"][-1]["detail"]
    for query in ("method=GET", "uri=/x", "url=nowhere"):
        assert (await app.client.get(f"{path}?{query}")).status_code == 400


async def test_a_trial_runs_nothing(app: App) -> None:
    """No statement is sent to the database."""
    token = await made(app, grants=["*:*"])
    app.statements()
    for method, url in (
        ("DELETE", "/api/v1/invoices/1"),
        ("GET", "/api/v1/invoices?include=client"),
        ("GET", "/api/me"),
    ):
        answer = await app.client.get(f"{TOKENS}/{token['id']}/explain", params={"method": method, "url": url})
        assert answer.json()["data"]["request"]["allowed"] is True, answer.text

    assert app.statements() == []


async def test_only_administrators_manage_tokens(app: App) -> None:
    """Not ``*:*``, and not without a token; whatever the method."""
    token = issue(app.parts.state, "data", ("*:*",))
    paths = [TOKENS, f"{TOKENS}/1", f"{TOKENS}/1/rotate", f"{TOKENS}/1/explain", f"{TOKENS}/1/nothing"]
    for method in ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH"):
        for path in paths:
            refused = await client_of(app, token).request(method, path)
            assert refused.status_code == 403, (method, path)
            assert (await app.anonymous.request(method, path)).status_code == 401, (method, path)
    assert "--admin" in (await client_of(app, token).get(TOKENS)).json()["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (TOKENS, {"GET", "HEAD", "POST"}),
        (f"{TOKENS}/1", {"GET", "HEAD", "DELETE"}),
        (f"{TOKENS}/1/rotate", {"POST"}),
        (f"{TOKENS}/1/explain", {"GET", "HEAD"}),
    ],
)
async def test_another_method_is_told_which_there_are(app: App, path: str, allowed: set[str]) -> None:
    """All of them."""
    answer = await app.client.put(path)

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
