"""GraphiQL in a real browser: an administrator opens it, types a query and sees rows; nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site
from tests.support.browser import Browser, Visitor

QUERY = "{ invoices(limit: 2, sort: [{id: ASC}]) { id total client { company } } }"


@pytest.fixture
async def admin(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Somebody who types an administrator's token into the browser's dialog."""
    async with browser.visitor(site.base, site.tokens["admin"]) as visitor:
        yield visitor


async def opened(visitor: Visitor, site: Site) -> Page:
    """Return the page when the schema is there: then its menu of types can be opened."""
    page = await visitor.page(f"{site.base}/graphiql")
    await page.get_by_label("Show Documentation Explorer").click()
    await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Root Types")
    await page.get_by_label("Hide Documentation Explorer").click()
    return page


async def typed(page: Page, text: str) -> None:
    """Type a text in place of the query that is there."""
    await page.locator(".graphiql-query-editor .CodeMirror").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.press("Delete")
    await page.keyboard.insert_text(text)


async def ran(page: Page, text: str, due: str) -> str:
    """Return what is shown when a query was typed and run, waiting for some words in it."""
    await typed(page, text)
    await page.keyboard.press("Control+Enter")
    shown = page.locator(".graphiql-response .CodeMirror-code")
    await expect(shown).to_contain_text(due)
    return await shown.inner_text()


async def test_the_page_is_whole_and_asks_nobody_else(admin: Visitor, site: Site) -> None:
    """No error in the console, nothing that its policy forbids, every file there, and no host but the gateway."""
    page = await opened(admin, site)

    assert await page.title() == "GraphiQL"
    assert admin.complaints == []
    assert admin.hosts() == {site.base.removeprefix("http://")}
    assert {one.status for one in admin.asked} == {200}
    assert {one.path for one in admin.asked if one.method == "POST"} == {"/api/v1/graphql"}


async def test_the_schema_can_be_read(admin: Visitor, site: Site) -> None:
    """From the root types to a field and the type of what it gives."""
    page = await opened(admin, site)
    await page.get_by_label("Show Documentation Explorer").click()
    explorer = page.locator(".graphiql-doc-explorer")

    await explorer.get_by_role("link", name="Query", exact=True).click()
    await explorer.get_by_role("link", name="invoices", exact=True).click()
    await explorer.get_by_role("link", name="Invoice", exact=True).click()

    await expect(explorer).to_contain_text("duedate")


async def test_a_query_that_is_typed_shows_rows(admin: Visitor, site: Site) -> None:
    """The same as REST has them."""
    async with site.server.client() as client:
        answer = await client.get("/api/v1/invoices?sort=id&per_page=2&fields=id,total&include=client")
    companies = [row["client"]["company"] for row in answer.json()["data"]]
    page = await opened(admin, site)

    shown = await ran(page, QUERY, companies[-1])

    assert all(company in shown for company in companies)
    assert admin.complaints == []


async def test_what_can_stand_somewhere_is_offered(admin: Visitor, site: Site) -> None:
    """Names of fields, while they are typed."""
    page = await opened(admin, site)
    await typed(page, "{ invoices { dat")
    await page.keyboard.press("Control+Space")

    await expect(page.locator(".CodeMirror-hints")).to_contain_text("datecreated")


async def test_errors_are_shown(admin: Visitor, site: Site) -> None:
    """With their codes."""
    page = await opened(admin, site)

    shown = await ran(page, "{ invoices { nonsense } }", "graphql_invalid")

    assert "nonsense" in shown


async def test_a_token_that_ends_while_the_page_is_open_is_told(browser: Browser, site: Site) -> None:
    """A refusal is a problem document, not GraphQL; it is shown as an error, and no dialog stands in the way."""
    async with browser.visitor(site.base, site.tokens["ending"]) as visitor:
        page = await opened(visitor, site)
        site.revoke("ending")
        await asyncio.sleep(1)

        shown = await ran(page, "{ invoices { id } }", "token_invalid")

    assert "401" in shown


async def test_neither_token_nor_answers_are_stored(admin: Visitor, site: Site) -> None:
    """The browser keeps the text of queries, so that they are there again; not what they answered."""
    async with site.server.client() as client:
        company = (await client.get("/api/v1/invoices/1?include=client")).json()["data"]["client"]["company"]
    page = await opened(admin, site)
    await ran(page, QUERY, company)
    await page.wait_for_timeout(1_000)  # it stores what was typed after half a second

    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")

    assert "duedate" not in stored
    assert "total client" in stored
    assert company not in stored
    assert site.tokens["admin"] not in stored


ESCAPES = {
    "inline script": "put('script', {text: 'window.ran = true'})",
    "handler": "document.body.setAttribute('onclick', 'window.ran = true'); document.body.click()",
    "foreign script": "put('script', {src: url})",
    "request": "fetch(url).catch(() => {})",
    "image": "put('img', {src: url})",
    "frame": "put('iframe', {src: url})",
    "base": "put('base', {href: url})",
    "form": "put('form', {action: url}).submit()",
}
"""What a script that got into the page would try, to run a text or to carry something away."""


async def test_the_page_can_do_nothing_else(admin: Visitor, site: Site) -> None:
    """Its policy refuses each attempt, and says by which part."""
    page = await admin.page(f"{site.base}/graphiql")

    refused = {
        name: await page.evaluate(
            f"""url => new Promise(resolve => {{
                addEventListener("securitypolicyviolation", one => resolve(one.effectiveDirective), {{once: true}});
                const put = (kind, more) =>
                    document.body.appendChild(Object.assign(document.createElement(kind), more));
                {attempt};
                setTimeout(() => resolve("nobody"), 3000);
            }})""",
            f"{site.stranger.origin}/carried-away",
        )
        for name, attempt in ESCAPES.items()
    }

    assert refused == {
        "inline script": "script-src-elem",
        "handler": "script-src-attr",
        "foreign script": "script-src-elem",
        "request": "connect-src",
        "image": "img-src",
        "frame": "frame-src",
        "base": "base-uri",
        "form": "form-action",
    }
    assert await page.evaluate("window.ran") is None
    assert "/carried-away" not in site.stranger.asked


async def test_a_browser_is_asked_for_the_token(browser: Browser, site: Site) -> None:
    """By Basic, which every browser has a dialog for; what is typed wrong is asked for again."""
    async with httpx2.AsyncClient(base_url=site.base, trust_env=False) as client:
        navigation = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
        challenge = await client.get("/graphiql", headers=navigation)
        script = await client.get("/graphiql/start.js", headers={"Sec-Fetch-Mode": "no-cors"})
    async with browser.visitor(site.base, "gw_live_wrong") as visitor:
        page = await visitor.context.new_page()
        answer = await page.goto(f"{site.base}/graphiql")

    assert answer is not None
    assert (challenge.status_code, answer.status, script.status_code) == (401, 401, 401)
    assert any(value.startswith("Basic") for value in challenge.headers.get_list("www-authenticate"))
    assert not any(value.startswith("Basic") for value in script.headers.get_list("www-authenticate"))


async def test_others_are_refused_in_words(browser: Browser, site: Site) -> None:
    """A token without --admin opens neither the page nor any file of it."""
    async with browser.visitor(site.base, site.tokens["reader"]) as visitor:
        page = await visitor.context.new_page()
        for path in ("/graphiql", "/graphiql/start.js", "/graphiql/graphiql.min.js", "/graphiql/nothing"):
            answer = await page.goto(f"{site.base}{path}")

            assert answer is not None
            assert answer.status == 403
            assert "The token lacks --admin." in await page.locator("body").inner_text()


# --- pages of elsewhere, in the browser of an administrator who has typed the token ---


@pytest.fixture
async def remembered(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Somebody whose browser has kept the token for the gateway, by itself: no test tool answers a challenge here."""
    async with browser.visitor() as visitor:
        page = await visitor.context.new_page()
        await page.goto(site.base.replace("http://", f"http://me:{site.tokens['admin']}@") + "/graphiql")
        answer = await page.goto(f"{site.base}/graphiql")
        assert answer is not None
        assert answer.status == 200, "the browser did not keep the token: the tests that follow would hold for nothing"
        yield visitor


async def leads(site: Site) -> int:
    async with site.server.client() as client:
        answer = await client.get("/api/v1/leads?per_page=1&count=exact")
    return int(answer.headers["x-total-count"])


MUTATION = 'mutation { createLead(input: {name: "Mallory"}) { id } }'

ATTEMPTS = {
    "json": """fetch(url, {method: "POST", credentials: "include", body: JSON.stringify({query}),
        headers: {"Content-Type": "application/json"}}).then(answer => answer.text())""",
    "text": """fetch(url, {method: "POST", credentials: "include", mode: "no-cors", body: JSON.stringify({query}),
        headers: {"Content-Type": "text/plain"}}).then(answer => answer.text())""",
    "form": """fetch(url, {method: "POST", credentials: "include", mode: "no-cors",
        body: new URLSearchParams({query})}).then(answer => answer.text())""",
    "GET": """fetch(url + "?query=" + encodeURIComponent(query), {credentials: "include"})
        .then(answer => answer.text())""",
    "GET, opaque": """fetch(url + "?query=" + encodeURIComponent(query), {credentials: "include", mode: "no-cors"})
        .then(answer => answer.text())""",
    "beacon": "navigator.sendBeacon(url, new Blob([JSON.stringify({query})])) && ''",
}


@pytest.mark.parametrize("query", ["{ invoices { id total } }", MUTATION], ids=["query", "mutation"])
async def test_a_page_of_elsewhere_can_neither_read_nor_write(remembered: Visitor, site: Site, query: str) -> None:
    """The browser would lend it the token; the gateway does not take it from there, or the browser shows nothing."""
    before = await leads(site)
    page = await remembered.page(site.stranger.origin)

    read = {
        name: await page.evaluate(
            f"""async ([url, query]) => {{ try {{ return await {attempt} }} catch (error) {{ return "" }} }}""",
            [f"{site.base}/api/v1/graphql", query],
        )
        for name, attempt in ATTEMPTS.items()
    }
    await page.wait_for_timeout(200)  # nobody tells when a beacon has arrived

    assert read == dict.fromkeys(ATTEMPTS, "")
    assert await leads(site) == before


async def test_the_gateways_own_page_can(remembered: Visitor, site: Site) -> None:
    """Else the attempts above would fail for another reason."""
    before = await leads(site)
    page = remembered.context.pages[0]

    read = await page.evaluate(
        f"""async ([url, query]) => {ATTEMPTS["json"]}""", [f"{site.base}/api/v1/graphql", MUTATION]
    )

    assert "createLead" in read
    assert await leads(site) == before + 1


@pytest.mark.parametrize("element", ["script", "img", "link", "iframe", "object"])
async def test_no_element_of_a_page_of_elsewhere_shows_an_answer(remembered: Visitor, site: Site, element: str) -> None:
    """They ask by GET, which changes nothing; the headers of the answer make the browser keep it from the page."""
    page = await remembered.page(site.stranger.origin)
    paths = ("/api/v1/graphql?query={invoices{id}}", "/graphiql", "/graphiql/start.js", "/api/v1/invoices/1")
    elements = ("script", "img", "link", "object", "iframe")

    shown = {
        (kind, path): await page.evaluate(
            """([kind, url]) => new Promise(resolve => {
                const element = document.createElement(kind);
                element.onload = () => resolve(element.contentDocument === null ? "hidden" : "shown");
                element.onerror = () => resolve("refused");
                if (kind === "link") element.rel = "stylesheet";
                element[{object: "data", link: "href"}[kind] ?? "src"] = url;
                document.body.append(element);
            })""",
            [kind, site.base + path],
        )
        for kind in elements
        for path in paths
    }

    assert shown == {(kind, path): "hidden" if kind == "iframe" else "refused" for kind in elements for path in paths}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_form_of_elsewhere_runs_nothing(remembered: Visitor, site: Site, method: str) -> None:
    """It leads the browser away to a refusal, though a query by GET would change nothing."""
    before = await leads(site)
    page = await remembered.page(site.stranger.origin)
    async with page.expect_navigation() as arriving:
        await page.evaluate(
            """([url, query, method]) => {
                document.body.innerHTML = '<form enctype="text/plain"><input name="query"></form>';
                document.forms[0].method = method;
                document.forms[0].action = url;
                document.forms[0].query.value = query;
                document.forms[0].submit();
            }""",
            [f"{site.base}/api/v1/graphql", MUTATION if method == "POST" else "{ invoices { id } }", method],
        )
    answer = await arriving.value

    assert answer is not None
    assert answer.status == 403
    assert (await answer.json())["code"] == "origin_forbidden"
    assert await leads(site) == before
