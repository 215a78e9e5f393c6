"""The page of GraphiQL and its files: what is served and cached, and that the files are those that were vendored."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from hatchling.builders.wheel import WheelBuilder
from starlette.requests import Request
from starlette.routing import Router

from gateway.errors import GatewayError, NotFoundError
from gateway.web.graphiql import FILES, PATH, POLICY, file, graphiql_routes
from gateway.web.guards import guard_of
from scripts.vendor_graphiql import DIGESTS, NOTICES, PLACE, SOURCES, digests, noticed

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """The routes of the page alone, without the stages."""
    transport = httpx2.ASGITransport(app=Router(routes=graphiql_routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client


async def test_the_page_takes_every_script_and_style_from_here(client: httpx2.AsyncClient) -> None:
    """In the order that they need each other; nothing of any other host, and nothing inline."""
    page = await client.get(PATH)
    taken = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert sorted(taken) == sorted(["data:,", *(f"graphiql/{name}" for name in FILES if name != NOTICES)])
    assert taken.index("graphiql/react.production.min.js") < taken.index("graphiql/react-dom.production.min.js")
    assert taken[-2:] == ["graphiql/graphiql.min.js", "graphiql/start.js"]
    assert "//" not in page.text
    assert re.findall(r"<script[^>]*>[^<]|<style|\son\w+=", page.text) == []


async def test_the_policy_of_the_page_lets_no_text_become_a_script(client: httpx2.AsyncClient) -> None:
    """Whoever gets text into the page gets no script into it, and nothing out of it."""
    page = await client.get(PATH)

    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe-eval" not in POLICY
    directives = dict(directive.split(" ", 1) for directive in POLICY.split("; "))
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"


@pytest.mark.parametrize("path", [PATH, *(f"{PATH}/{name}" for name in FILES)])
async def test_what_a_browser_has_is_not_sent_again(client: httpx2.AsyncClient, path: str) -> None:
    """But it asks each time, so that a token that has ended opens nothing."""
    first = await client.get(path)
    tag = first.headers["etag"]
    again = await client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    other = await client.get(path, headers={"If-None-Match": '"other"'})
    head = await client.head(path)

    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.content == first.content
    assert (head.content, head.headers["content-length"]) == (b"", str(len(first.content)))


@pytest.mark.parametrize("name", ["nothing.js", "SHA256SUMS", "../graphiql.py", "../../graphiql.py", ""])
async def test_no_other_file_is_served(name: str) -> None:
    """Names are looked up, never joined to a path."""
    request = Request({"type": "http", "path_params": {"name": name}, "query_string": b"", "headers": []})

    with pytest.raises(NotFoundError, match="no such file"):
        await file(request)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/start.js"])
async def test_parameters_are_refused(client: httpx2.AsyncClient, path: str) -> None:
    """Like everywhere; no link can put a query into the page."""
    with pytest.raises(GatewayError, match="no parameter 'query'"):
        await client.get(f"{path}?query=%7Binvoices%7D")


@pytest.mark.parametrize("path", [PATH, *(f"{PATH}/{name}" for name in FILES)])
def test_page_and_files_are_for_administrators(path: str) -> None:
    """The stages ask for the token before anything here runs."""
    assert guard_of(path) == "admin"


# --- the vendored files ---


def test_the_vendored_files_are_those_that_were_listed() -> None:
    """Nobody edits them by hand: `make vendor` writes them, and their digests."""
    assert (PLACE / DIGESTS).read_text(encoding="utf-8") == digests(PLACE)
    listed = {Path(path).name for source in SOURCES for path in source.files} | {NOTICES, DIGESTS}
    assert {path.name for path in PLACE.iterdir()} == listed


def test_a_vendored_file_that_is_changed_is_noticed(tmp_path: Path) -> None:
    """Else the test above would hold for nothing."""
    for path in PLACE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert digests(tmp_path) == digests(PLACE)

    (tmp_path / "graphiql.min.js").write_bytes((PLACE / "graphiql.min.js").read_bytes() + b" ")

    assert digests(tmp_path) != digests(PLACE)


def test_each_vendored_package_has_its_licence_beside_it() -> None:
    """The bundle's own packages are checked when it is fetched."""
    notices = (PLACE / NOTICES).read_text(encoding="utf-8")

    assert {source.name for source in SOURCES} | {"codemirror", "graphql", "@graphiql/react"} <= noticed(notices)
    assert len(re.findall(r"^=== .+ \((?:MIT|0BSD|BSD-2-Clause|Apache-2.0)\)$", notices, re.MULTILINE)) == len(
        re.findall(r"^===", notices, re.MULTILINE)
    )


@pytest.mark.parametrize("name", [name for name in FILES if name != NOTICES])
def test_no_file_makes_a_browser_ask_for_another(name: str) -> None:
    """No source map, no font, no style of elsewhere."""
    text = (FILES[name][0] / name).read_text(encoding="utf-8")

    assert "sourceMappingURL" not in text
    assert re.findall(r"@import|url\((?!\s*[\"']?data:)[^)]{0,60}", text if name.endswith(".css") else "") == []
    assert re.findall(r"\bnew Function\(|\beval\(", text) == []


def test_the_package_holds_every_file_that_is_served() -> None:
    """An installed gateway has no checkout beside it."""
    packed = {Path(file.path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert {place / name for name, (place, _) in FILES.items()} <= packed
