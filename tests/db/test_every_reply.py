"""What all replies have in common: `tests.support.app.check_reply` holds every one of this directory to it.

Here every kind of refusal that a client can bring about is brought about once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.app import App, served

GRANTS = {
    "all": ("*:*",),
    "reader": ("invoices:read", "clients:read"),
    "writer": ("leads:create", "leads:update"),
}


@pytest.fixture(scope="module")
async def app(crm_database: str) -> AsyncIterator[App]:
    """The application with three tokens, none of them an administrator's."""
    async with served(crm_database, grants=GRANTS, admin=False) as app:
        yield app


# code, token, method, path, what else is sent
REFUSALS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("parameter_unknown", "all", "GET", "/api/v1/invoices?colour=red", {}),
    ("parameter_conflict", "all", "GET", "/api/v1/invoices?sort=id&sort=total", {}),
    ("parameter_invalid", "all", "GET", "/api/v1/invoices?count=maybe", {}),
    ("parameter_invalid", "all", "GET", "/api/v1/invoices?%ff=1", {}),
    ("field_unknown", "all", "GET", "/api/v1/invoices?fields=nonsense", {}),
    ("operator_unknown", "all", "GET", "/api/v1/invoices?filter[total.near]=1", {}),
    ("operator_misfit", "all", "GET", "/api/v1/invoices?filter[total.contains]=1", {}),
    ("operand_invalid", "all", "GET", "/api/v1/invoices?filter[total]=1abc", {}),
    ("filter_syntax", "all", "GET", "/api/v1/invoices?filter[total=1", {}),
    ("filter_syntax", "all", "GET", "/api/v1/invoices?filter[total][gt]=1", {}),
    ("sort_syntax", "all", "GET", "/api/v1/invoices?sort=-", {}),
    ("fields_syntax", "all", "GET", "/api/v1/invoices?fields=id,,total", {}),
    ("include_syntax", "all", "GET", "/api/v1/invoices?include=client,,items", {}),
    ("include_unknown", "all", "GET", "/api/v1/invoices?include=customer", {}),
    ("parameter_missing", "all", "GET", "/api/v1/invoices?fields[client]=company", {}),
    ("path_to_many", "all", "GET", "/api/v1/invoices?sort=payments.amount", {}),
    ("quantifier_misfit", "all", "GET", '/api/v1/invoices?where={"client":{"none":{}}}', {}),
    ("group_syntax", "all", "GET", "/api/v1/invoices?group=status,", {}),
    ("group_invalid", "all", "GET", "/api/v1/invoices?group=payments", {}),
    ("metric_invalid", "all", "GET", "/api/v1/invoices?metrics=median.total", {}),
    ("cursor_invalid", "all", "GET", "/api/v1/invoices?cursor=abc", {}),
    ("query_too_large", "all", "GET", f"/api/v1/invoices?filter{'[not]' * 13}[id]=1", {}),
    ("grant_missing", "reader", "GET", "/api/v1/clients?include=contracts", {}),
    ("page_invalid", "all", "GET", "/api/v1/invoices?per_page=1001", {}),
    ("key_invalid", "all", "GET", "/api/v1/invoices/abc", {}),
    ("key_invalid", "all", "GET", "/api/v1/invoices/1,2", {}),
    ("path_invalid", "all", "GET", "/api/v1/%ff", {}),
    ("body_syntax", "all", "POST", "/api/v1/leads", {"content": "{", "headers": {"Content-Type": "application/json"}}),
    ("token_missing", "", "GET", "/api/v1/invoices", {}),
    ("token_missing", "", "GET", "/nowhere", {}),
    ("token_missing", "", "POST", "/admin/reload", {}),
    ("token_invalid", "", "GET", "/api/v1/invoices", {"headers": {"Authorization": "Bearer gw_live_wrong"}}),
    ("grant_missing", "reader", "GET", "/api/v1/leads", {}),
    ("grant_missing", "reader", "POST", "/api/v1/clients", {"json": {}}),
    ("grant_missing", "reader", "DELETE", "/api/v1/clients/1", {}),
    ("grant_missing", "reader", "GET", "/api/v1/clients/1/contracts", {}),
    ("grant_missing", "writer", "GET", "/api/v1/leads", {}),
    ("grant_missing", "all", "POST", "/admin/reload", {}),
    ("route_unknown", "all", "GET", "/nowhere", {}),
    ("route_unknown", "all", "GET", "/api/v1/invoices/1/client/2", {}),
    ("route_unknown", "all", "GET", "/api/v1/invoices/", {}),
    ("route_unknown", "all", "GET", "/api_docs/errors/nonsense", {}),
    ("resource_unknown", "all", "GET", "/api/v1/options", {}),
    ("relationship_unknown", "all", "GET", "/api/v1/invoices/1/nonsense", {}),
    ("row_unknown", "all", "GET", "/api/v1/invoices/999999", {}),
    ("row_unknown", "all", "PATCH", "/api/v1/leads/999999", {"json": {"name": "x"}}),
    ("method_not_allowed", "all", "POST", "/api/v1/invoices/1", {"json": {}}),
    ("method_not_allowed", "all", "DELETE", "/api/v1", {}),
    ("method_not_allowed", "all", "BREW", "/api/v1/invoices", {}),
    ("method_not_allowed", "all", "DELETE", "/api/me", {}),
    ("write_not_supported", "all", "POST", "/api/v1/staff", {"json": {}}),
    ("not_acceptable", "all", "GET", "/api/v1/invoices", {"headers": {"Accept": "text/html"}}),
    ("body_too_large", "all", "POST", "/api/v1/leads", {"content": b" " * 300_000}),
    ("uri_too_long", "all", "GET", f"/api/v1/{'x' * 9_000}", {}),
    ("media_type_unsupported", "all", "POST", "/api/v1/leads", {"content": b"x"}),
    ("dependants", "all", "DELETE", "/api/v1/clients/1", {}),
    ("fields_invalid", "all", "POST", "/api/v1/leads", {"json": {"nmae": "x"}}),
)


@pytest.mark.parametrize(
    ("code", "token", "method", "path", "options"),
    REFUSALS,
    ids=[f"{code} {method} {path[:40]}" for code, _, method, path, _ in REFUSALS],
)
async def test_every_refusal_has_its_code(
    app: App, code: str, token: str, method: str, path: str, options: dict[str, Any]
) -> None:
    """The form of the reply is checked as it comes in; this checks which one it is."""
    client = app.clients[token] if token else app.anonymous

    answer = await client.request(method, path, **options)

    assert answer.json()["code"] == code, answer.text


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/invoices?per_page=2", "/api/v1/invoices/42", "/api/v1/nonsense"])
async def test_head_says_what_get_says_without_the_body(app: App, path: str) -> None:
    """Status, type and length are those of GET."""
    whole, head = await app.client.get(path), await app.client.head(path)

    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length", "link", "x-total-count"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1", "GET, HEAD, OPTIONS"),
        ("/api/v1/graphql", "GET, HEAD, POST, OPTIONS"),
        ("/api/v1/countries", "GET, HEAD, QUERY, OPTIONS"),
        ("/api/v1/invoices", "GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS"),
        ("/api/v1/leads", "GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS"),
        ("/api/v1/leads/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("/api/v1/clients/1/invoices", "GET, HEAD, QUERY, OPTIONS"),
        ("/api/v1/countries/1", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_says_what_a_path_takes(app: App, path: str, allowed: str) -> None:
    """In the words of Allow, without a body."""
    answer = await app.client.options(path)

    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allowed, b"")


async def test_a_request_id_is_taken_over_when_it_is_a_plain_word(app: App) -> None:
    """So that a client finds its own request in the log; anything else is replaced."""
    kept = await app.client.get("/api/v1/nonsense", headers={"X-Request-ID": "order-4711.a_b"})
    replaced = await app.client.get("/api/v1/nonsense", headers={"X-Request-ID": 'a"b\x7f'})

    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "order-4711.a_b"
    assert replaced.headers["x-request-id"] != 'a"b\x7f'


@pytest.mark.parametrize("header", ["Authorization", "Authtoken", "X-API-Key"])
async def test_a_token_may_come_in_three_headers(app: App, header: str) -> None:
    """And the page about the caller says who it is."""
    prefix = "Bearer " if header == "Authorization" else ""

    for path in ("/api/me", "/api/v1/auth/test"):
        answer = await app.anonymous.get(path, headers={header: prefix + app.tokens["reader"]})
        body = answer.json()
        body = body.get("data", body)
        assert body["permissions"] == {"clients": ["read"], "invoices": ["read"]}
        assert body["server_time"] == "2026-07-15T16:00:00+04:00"


async def test_a_token_that_may_only_write_is_shown_only_the_key(app: App) -> None:
    """A reply is no way to read what the token may not."""
    answer = await app.clients["writer"].post("/api/v1/leads", json={"name": "Written blind"})
    number = answer.json()["data"]["id"]
    changed = await app.clients["writer"].patch(f"/api/v1/leads/{number}", json={"company": "x"})
    await app.client.delete(f"/api/v1/leads/{number}")

    assert answer.json()["data"] == changed.json()["data"] == {"id": number}


async def test_links_lead_only_where_the_token_may_read(app: App) -> None:
    """A reader of invoices and clients sees no way to anything else."""
    body = (await app.clients["reader"].get("/api/v1/invoices/42")).json()

    for name, link in body["links"].items():
        answer = await app.clients["reader"].get(link)
        assert answer.status_code in (200, 404), name
    index = (await app.clients["reader"].get("/api/v1")).json()
    assert {row["resource"]: row["operations"] for row in index["data"]} == {"clients": ["read"], "invoices": ["read"]}


async def test_fields_that_come_from_elsewhere_need_the_right_to_read_there(app: App) -> None:
    """A customer's e-mail is a contact's: without that grant it is a name like any made-up one."""
    for name in ("email", "zmail"):
        answer = await app.clients["reader"].get(f"/api/v1/clients?fields={name}")
        assert (answer.status_code, answer.json()["code"]) == (400, "field_unknown")
        assert "suggestion" not in answer.json()["errors"][0]
    sums = await app.clients["reader"].get("/api/v1/invoices/42?fields=paid,balance")
    assert sums.status_code == 200
