"""No route escapes the stages: every path that is served, and some that are not, with and without a token.

Each request of the walk is followed through the application: which stages it passed, which one
refused it, and what the answer carries.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest
from sqlalchemy import text
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from gateway.catalog.model import Table
from gateway.security.tokens import new_token
from gateway.web.exchange import EXCHANGE, HANDLER, Exchange
from gateway.web.guards import ADMIN_PATHS, PUBLIC_PATHS, guard_of
from gateway.web.origins import EXPOSED
from gateway.web.pipeline import RECORDERS, STAGES, Fork, Pipeline
from gateway.web.stages.headers import SECURITY_HEADERS
from gateway.web.stages.shield import METHODS
from tests.support.app import App, served

PAGE = "https://app.example"
NAMES: Final = tuple(stage.name for stage in (*RECORDERS, *STAGES))
NOBODY = "999999999"
"""The key of no row: what is written by it changes nothing."""

SAFELISTED = {b"cache-control", b"content-language", b"content-length", b"content-type", b"expires", b"last-modified"}
"""Headers that scripts may always read (Fetch, "CORS-safelisted response-header name")."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One request: which stages it went through, what they found, and the answer."""

    passed: Sequence[str]
    exchange: Exchange
    status: int
    headers: Sequence[tuple[bytes, bytes]]

    def value(self, name: bytes) -> bytes | None:
        found = [value for given, value in self.headers if given == name]
        assert len(found) < 2, (name, found)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Probe:
    """Stands behind a stage and notes what comes out of it."""

    name: str
    inner: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["test.passed"].append(self.name)
        await self.inner(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Walker:
    """An application with a probe behind each stage, and its routes."""

    app: App
    fork: Fork

    async def ask(self, method: str, path: str, *headers: tuple[bytes, bytes], token: str = "") -> Passage:
        """Return how a request fared that comes over TLS, from a page that may call."""
        given = [*headers, (b"authorization", b"Bearer " + token.encode())] if token else [*headers]
        raw, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": raw,
            "raw_path": quote(raw, safe="/%").encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"gateway.test"), *given],
            "client": ("192.0.2.1", 5),
            "server": ("192.0.2.2", 443),
            "test.passed": [],
        }
        sent: list[Message] = []

        body = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            for message in body:
                return message
            await asyncio.Event().wait()  # the client stays
            raise AssertionError("unreachable")

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app.asgi(scope, receive, send)
        return Passage(scope["test.passed"], scope[EXCHANGE], sent[0]["status"], sent[0]["headers"])

    def pages(self) -> Iterator[str]:
        """Yield the path of every page, with a word where it takes one."""
        for route in self.fork.pages.routes:
            assert isinstance(route, Route)
            yield route.path_format.format_map(dict.fromkeys(route.param_convertors, NOBODY))

    def resources(self) -> Iterator[str]:
        """Yield a path of every kind for every resource and relationship."""
        yield from ("/api/v1/graphql", "/api/v1/graphql?query=%7B__typename%7D")
        yield from ("/api/v1", "/api/v1/auth/test", "/api/v1/nonsense", f"/api/v1/nonsense/{NOBODY}", "/api/v1/a/b/c/d")
        for table in self.app.parts.keeper.service().catalog.exposed():
            base = f"/api/v1/{table.resource}"
            yield from (base, f"{base}/query", f"{base}.csv")
            yield from (f"{base}/{_key(table)}", f"{base}/{_key(table)}/nonsense")
            yield from (f"{base}/{_key(table)}/{name}" for name in table.relationships)


def _key(table: Table) -> str:
    return ",".join([NOBODY] * max(len(table.key), 1))


@pytest.fixture(scope="module")
async def walker(crm_database: str) -> AsyncIterator[Walker]:
    """The application as it is served, but for rates; one token is an administrator's, one is granted nothing."""
    settings: dict[str, Any] = {"address_rate": "off", "refused_rate": "off", "rate_limit": "1000000000/min"}
    async with served(crm_database, cors_origins=PAGE, **settings) as app:
        assert isinstance(app.asgi, Pipeline)
        stage: Any = app.asgi.stages
        for name in NAMES:
            inner = stage._app
            stage._app = Probe(name, inner)
            stage = inner
        assert isinstance(stage, Fork)
        yield Walker(app, stage)


def check_headers(passage: Passage, *, is_row: bool = False) -> None:
    """Hold an answer to what all carry, refusals or not."""
    names = {name for name, _ in SECURITY_HEADERS}
    assert names <= {name for name, _ in passage.headers}
    assert passage.value(b"x-request-id") == passage.exchange.request_id.encode()
    assert passage.value(b"strict-transport-security") == b"max-age=31536000"
    assert passage.value(b"access-control-allow-credentials") is None
    assert passage.value(b"server") is None


def check_cors(passage: Passage) -> None:
    """Hold an answer to a page that may call to what its script must see."""
    assert passage.value(b"access-control-allow-origin") == PAGE.encode()
    readable = {name.lower().encode() for name in EXPOSED} | SAFELISTED | {name for name, _ in SECURITY_HEADERS}
    beside = {b"strict-transport-security", b"access-control-allow-origin", b"access-control-expose-headers"}
    pages_own = {b"permissions-policy", b"cross-origin-opener-policy", b"connection"}
    assert {name for name, _ in passage.headers} <= readable | beside | pages_own


FROM_PAGE = (b"origin", PAGE.encode())


async def test_no_route_answers_without_a_token_but_the_public_ones(walker: Walker) -> None:
    """Every path and method: without a token, and with one that is none."""
    wrong = new_token().text
    for path in (*walker.pages(), *walker.resources(), "/", "/nowhere", "/admin/nowhere", "/api", "/explorer", "/docs"):
        for method in sorted(METHODS):
            for token in ("", wrong):
                passage = await walker.ask(method, path, FROM_PAGE, token=token)
                check_headers(passage)
                check_cors(passage)
                if guard_of(path) == "public":
                    assert passage.passed == list(NAMES), (method, path)
                    assert passage.status in (200, 404, 405), (method, path, passage.status)
                else:
                    assert (passage.status, passage.exchange.stage) == (401, "authenticate"), (method, path)
                    assert passage.passed == ["headers", "records", "shield", "cors"]
                    assert passage.value(b"access-control-allow-origin") == PAGE.encode()


async def test_every_route_passes_every_stage_in_order(walker: Walker) -> None:
    """With a token that may do everything, a request is refused by the stage that names it, or by what it asks for."""
    token = walker.app.tokens["all"]
    arrived = 0
    for path in (*walker.pages(), *walker.resources(), "/", "/nowhere"):
        for method in sorted(METHODS):
            passage = await walker.ask(method, path, FROM_PAGE, token=token)
            check_headers(passage)
            check_cors(passage)
            assert passage.passed == list(NAMES[: len(passage.passed)]), (method, path)
            assert passage.status < 500, (method, path, passage.exchange.code)
            if passage.exchange.stage == HANDLER:
                arrived += 1
                assert passage.passed == list(NAMES), (method, path)
            else:
                assert passage.exchange.stage == NAMES[len(passage.passed)], (method, path)
    assert arrived > 1_000


async def test_administration_needs_an_administrator(crm_database: str) -> None:
    """`*:*` is data only."""
    async with served(crm_database, admin=False) as app:
        assert isinstance(app.asgi, Pipeline)
        for base in ADMIN_PATHS:
            for path in (base, f"{base}/anything", f"{base}/tokens", f"{base}/audit"):
                for method in sorted(METHODS):
                    answer = await app.client.request(method, path)
                    assert (answer.status_code, "" if method == "HEAD" else answer.json()["code"]) == (
                        403,
                        "" if method == "HEAD" else "grant_missing",
                    )


def test_what_is_public_is_no_more_than_this() -> None:
    """A path that is added here answers everybody: think twice."""
    assert PUBLIC_PATHS == ("/healthz", "/readyz", "/api_docs")


async def test_every_page_is_what_its_path_is_guarded_as(walker: Walker) -> None:
    """Pages that need no token are the public ones; those below `/admin` need an administrator."""
    guards: Mapping[str, set[str]] = {"public": set(), "token": set(), "admin": set()}
    for path in walker.pages():
        guards[guard_of(path)].add(path)

    assert guards["public"] == {"/healthz", "/readyz", "/api_docs", f"/api_docs/errors/{NOBODY}"}
    assert guards["token"] == {"/api/me"}
    assert {"/admin/reload"} <= guards["admin"]


# --- each stage can refuse by itself ---


@pytest.fixture(scope="module")
async def strict(crm_database: str) -> AsyncIterator[Walker]:
    """An application whose reader may ask twice an hour."""
    grants = {"reader": ("invoices:read",)}
    async with served(crm_database, grants=grants, admin=False, rate_limit="2/h", max_url_bytes=256) as app:
        assert isinstance(app.asgi, Pipeline)
        yield Walker(app, Fork(app.asgi, app.asgi))  # type: ignore[arg-type]  # nothing asks for its pages here


PREFLIGHT = (b"access-control-request-method", b"GET")
REFUSALS: Sequence[tuple[str, str, int, str, str, Sequence[tuple[bytes, bytes]]]] = (
    ("shield", "uri_too_long", 414, "GET", f"/api/v1/{'x' * 256}", ()),
    ("shield", "method_not_allowed", 405, "BREW", "/api/v1", ()),
    ("cors", "origin_forbidden", 403, "OPTIONS", "/api/v1", ((b"origin", b"https://x.example"), PREFLIGHT)),
    ("authenticate", "token_missing", 401, "GET", "/api/v1", ()),
    ("authenticate", "token_invalid", 401, "GET", "/api/v1", ((b"x-api-key", b"gw_live_nonsense"),)),
)


@pytest.mark.parametrize(("stage", "code", "status", "method", "path", "headers"), REFUSALS)
async def test_a_stage_refuses_by_itself(
    strict: Walker,
    stage: str,
    code: str,
    status: int,
    method: str,
    path: str,
    headers: Sequence[tuple[bytes, bytes]],
) -> None:
    """And is named as the one that did."""
    passage = await strict.ask(method, path, *headers)

    assert (passage.exchange.stage, passage.exchange.code, passage.status) == (stage, code, status)
    assert passage.exchange.principal is None


async def test_the_stages_behind_the_token_refuse_too(strict: Walker) -> None:
    """First what was not granted; then, when the rate is used up, whatever it is."""
    token = strict.app.tokens["reader"]
    ungranted = await strict.ask("GET", "/api/v1/clients", token=token)
    unknown = await strict.ask("GET", "/api/v1/nonsense", token=token)
    spent = await strict.ask("GET", "/api/v1/invoices", token=token)

    assert (ungranted.exchange.stage, ungranted.exchange.code) == ("authorize", "grant_missing")
    assert (unknown.exchange.stage, unknown.exchange.code) == ("authorize", "resource_unknown")
    assert (spent.exchange.stage, spent.exchange.code, spent.status) == ("rate_limit", "rate_exceeded", 429)
    assert spent.value(b"retry-after") is not None


async def test_a_preflight_is_answered_by_the_second_stage(walker: Walker) -> None:
    """Nothing behind it sees a request that carries no credentials by design."""
    passage = await walker.ask("OPTIONS", "/api/v1/invoices", FROM_PAGE, PREFLIGHT)

    assert (passage.status, passage.passed) == (204, ["headers", "records", "shield"])
    assert passage.exchange.stage == "cors"
    check_headers(passage)
    assert b"PATCH" in (passage.value(b"access-control-allow-methods") or b"")
    check = {b"access-control-allow-methods", b"access-control-allow-headers", b"access-control-max-age"}
    assert check <= {name for name, _ in passage.headers}


async def test_the_last_stage_refuses_when_nothing_can_be_recorded(crm_database: str) -> None:
    """With the policy that wants it so: nothing runs, and whoever may not be told what ran is told why."""
    async with served(crm_database, audit_policy="closed", rate_limit="off") as app:
        assert isinstance(app.asgi, Pipeline)
        walker = Walker(app, Fork(app.asgi, app.asgi))  # type: ignore[arg-type]  # nothing asks for its pages here
        token = app.tokens["all"]
        assert (await walker.ask("GET", "/api/v1/invoices/1", token=token)).status == 200
        with app.parts.state.write() as connection:
            connection.execute(text("ALTER TABLE gw_audit RENAME TO gw_audit_away"))
        async with asyncio.timeout(10):
            while not app.parts.trail.is_failing():
                await walker.ask("GET", "/api/v1/invoices/1", token=token)
                await asyncio.sleep(0.05)
        refused = await walker.ask("GET", "/api/v1/invoices/1", token=token)
        health = await walker.ask("GET", "/healthz")
        with app.parts.state.write() as connection:
            connection.execute(text("ALTER TABLE gw_audit_away RENAME TO gw_audit"))

    assert (refused.exchange.stage, refused.exchange.code, refused.status) == ("audit", "audit_away", 503)
    assert refused.value(b"retry-after") is not None
    assert health.status == 200
