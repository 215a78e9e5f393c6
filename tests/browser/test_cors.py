"""Scripts of pages of other origins and `/api/v1`, as a real browser lets them: preflight, token, readable headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.web.origins import EXPOSED
from tests.browser.conftest import Site
from tests.support.browser import Browser, Visitor

ASK = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        const text = await answer.text();
        return {status: answer.status, text, headers: Object.fromEntries(answer.headers)};
    } catch (error) {
        return {status: 0, text: error.name, headers: {}};
    }
}"""


@pytest.fixture
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    """Somebody who has not been at the gateway."""
    async with browser.visitor() as visitor:
        yield visitor


async def asked(visitor: Visitor, origin: str, url: str, token: str, **options: Any) -> dict[str, Any]:
    """Return what a script on a page of an origin learns; status 0 where the browser tells it nothing."""
    page = await visitor.page(origin)
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    answer: dict[str, Any] = await page.evaluate(ASK, [url, {**options, "headers": headers}])
    return answer


def preflights(site: Site, path: str) -> int:
    """Return how many preflights for a path the server has answered."""
    lines = (json.loads(line) for line in site.server.lines if line.startswith("{"))
    return sum(line.get("method") == "OPTIONS" and line.get("path") == path for line in lines)


async def test_a_page_that_may_call_reads_rows_and_headers(visitor: Visitor, site: Site) -> None:
    """After a preflight, for the token stands in a header; the total, the links and the tag of a row are readable."""
    before = preflights(site, "/api/v1/invoices")
    page = await asked(visitor, site.company.origin, f"{site.base}/api/v1/invoices?per_page=2", site.tokens["reader"])
    row = await asked(visitor, site.company.origin, f"{site.base}/api/v1/invoices/1", site.tokens["reader"])

    assert page["status"] == row["status"] == 200
    assert len(json.loads(page["text"])["data"]) == 2
    assert int(page["headers"]["x-total-count"]) > 2
    assert 'rel="next"' in page["headers"]["link"]
    assert row["headers"]["etag"].startswith('"')
    assert preflights(site, "/api/v1/invoices") == before + 1


async def test_exactly_the_headers_that_are_exposed_are_readable(visitor: Visitor, site: Site) -> None:
    """And those few that scripts may always read (Fetch, "CORS-safelisted response-header name")."""
    url = f"{site.base}/api/v1/invoices?per_page=2"
    seen = (await asked(visitor, site.company.origin, url, site.tokens["reader"]))["headers"]
    async with site.server.client() as client:
        sent = (await client.get(url)).headers

    exposed = {name.lower() for name in EXPOSED} | {"cache-control", "content-length", "content-type"}
    assert set(seen) == set(sent) & exposed
    assert set(sent) - set(seen) >= {"content-security-policy", "vary"}


async def test_a_page_that_may_call_writes_and_asks_with_a_tag(visitor: Visitor, site: Site) -> None:
    """Other methods, content types and headers need a preflight that allows them."""
    token = site.tokens["admin"]
    url = f"{site.base}/api/v1/leads"
    json_type = {"Content-Type": "application/json", "Idempotency-Key": "browser-1"}
    body = json.dumps({"name": "Ada"})
    made = await asked(visitor, site.company.origin, url, token, method="POST", body=body, headers=json_type)
    place = made["headers"]["location"]
    changed = await asked(
        visitor,
        site.company.origin,
        f"{site.base}{place}" if place.startswith("/") else place,
        token,
        method="PATCH",
        body=json.dumps({"name": "Grace"}),
        headers={"Content-Type": "application/json", "If-Match": made["headers"]["etag"]},
    )

    assert (made["status"], changed["status"]) == (201, 200)
    assert json.loads(changed["text"])["data"]["name"] == "Grace"


async def test_a_page_that_may_call_reads_why_it_was_refused(visitor: Visitor, site: Site) -> None:
    """Else its developer would see a network error, and nobody the reason."""
    answer = await asked(visitor, site.company.origin, f"{site.base}/api/v1/invoices", "gw_live_wrong")

    assert (answer["status"], json.loads(answer["text"])["code"]) == (401, "token_invalid")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "QUERY"])
async def test_a_page_that_may_not_call_learns_nothing(visitor: Visitor, site: Site, method: str) -> None:
    """Not even with a good token; its request stays behind the preflight."""
    body = None if method == "GET" else json.dumps({"name": "Mallory"})
    headers = {"Content-Type": "application/json"}
    token, url = site.tokens["admin"], f"{site.base}/api/v1/leads"

    answer = await asked(visitor, site.stranger.origin, url, token, method=method, body=body, headers=headers)
    async with site.server.client() as client:
        found = await client.get("/api/v1/leads?filter[name]=Mallory")

    assert (answer["status"], answer["text"], answer["headers"]) == (0, "TypeError", {})
    assert found.json()["data"] == []


async def test_a_page_that_may_not_call_gets_no_answer_without_a_token_either(visitor: Visitor, site: Site) -> None:
    """A simple request has no preflight: it is sent, refused for want of a token, and the refusal is not shown."""
    page = await visitor.page(site.stranger.origin)
    answer = await page.evaluate(ASK, [f"{site.base}/api/v1/invoices", {}])

    assert (answer["status"], answer["text"]) == (0, "TypeError")
    assert [one.status for one in visitor.asked if one.path == "/api/v1/invoices"] == [0]
