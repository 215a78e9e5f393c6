"""Whatever anybody sends, the answer is one of those the documentation lists: never a 500, a trace or a driver's words.

Requests are made of the real grammar on the real resources, then damaged. Each is sent to the whole application, all
stages and recorders, on the sample CRM.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Scope

from gateway.errors import REGISTRY
from gateway.observe import RequestFailed
from gateway.query.operators import OPERATORS
from sample_crm import build
from tests.support.app import NOON, SECURITY, App, served
from tests.support.mariadb import Server

EXAMPLES = {"sqlite": 200, "mariadb": 90}
"""How many lists of requests on each database, each of half of `SENT_TOGETHER` requests at least."""

SENT_TOGETHER = 120
REQUESTS = {database: examples * SENT_TOGETHER // 2 for database, examples in EXAMPLES.items()}
"""So many requests at the very least: over 10,000 in all."""

AT_ONCE = 8
LARGEST_REPLY = 20_000_000
TYPES = (
    "application/json",
    "application/problem+json",
    "text/csv",
    "application/x-ndjson",
    "text/html",
    "text/plain",
    "application/vnd.",
)
"""What a reply may be, by how its media type begins."""

# What is no part of any answer, in whatever case: traces, statements, drivers, files of the gateway.
TELLING = re.compile(rb"traceback|\bselect\b.{1,200}\bfrom\b|pymysql|asyncmy|sqlalchemy|sqlite3|\.py\b|errno|\(1\d{3},")

METHODS = ("GET",) * 60 + ("POST", "PATCH", "QUERY") * 8 + ("PUT", "DELETE", "HEAD", "OPTIONS") * 2
ODD_METHODS = ("TRACE", "get", "PROPFIND", "")
PAGES = ("/api/me", "/healthz", "/readyz", "/api_docs", "/api_docs/errors/internal", "/metrics", "/admin/tokens")
NAMES = (*OPERATORS, "null", "nope")
ODD_TEXTS = (
    "",
    "0",
    "-1",
    "1e400",
    "9" * 400,
    "18446744073709551616",
    "NaN",
    "\0",
    "\ud800",
    "é",
    "😀" * 50,
    "' OR 1=1 -- ",
    '"; DROP TABLE tblclients; --',
    "%s%s%n",
    "%",
    "_%\\",
    "{{7*7}}",
    "../../etc/passwd",
    "@today",
    "@today-30d",
    "@nobody",
    "2026-02-30",
    "0000-00-00",
    "2026-07-15T12:00:00+99:00",
    "24:61:61",
    "true",
    "null",
    "[]",
    "a,b,,c",
    "*",
    "-",
    ".",
    "a.b.c.d.e.f.g.h",
    "\r\nX-Injected: 1",
    "\u202e\u0000\ufffe",
    "x" * 3_000,
)


@dataclass(slots=True)
class Maker:
    """Makes requests at random; the same seed makes the same one."""

    random: random.Random
    tables: Mapping[str, Sequence[str]]
    edges: Mapping[str, Sequence[str]]
    tokens: Sequence[str]
    made: int = field(default=0)

    def pick(self, items: Sequence[Any]) -> Any:
        return items[int(self.random.random() * len(items))]

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def scope(self) -> tuple[dict[str, Any], bytes]:
        """Return a request and its body."""
        self.made += 1
        method = self.pick(METHODS) if not self.maybe(0.01) else self.pick(ODD_METHODS)
        resource = self.pick(tuple(self.tables))
        path = self.path(resource)
        takes_query = path == f"/api/v1/{resource}" and method in ("GET", "HEAD")
        query = self.query(resource) if takes_query or self.maybe(0.15) else b""
        body = self.body(resource) if method in ("POST", "PUT", "PATCH", "QUERY", "DELETE") else b""
        raw_path, _, _ = path.partition("?")
        raw = raw_path.encode("utf-8", "surrogatepass")
        if self.maybe(0.03):
            raw = self.damaged(raw)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": self.pick(("1.1", "1.1", "1.1", "1.0")),
            "method": method,
            "scheme": "http",
            "path": raw.decode("latin-1"),
            "raw_path": raw,
            "query_string": self.damaged(query) if self.maybe(0.08) else query,
            "headers": self.headers(),
            "client": (f"192.0.2.{self.made % 250}", 4711),
            "server": ("gateway.test", 80),
            "state": {},
        }
        return scope, body

    def path(self, resource: str) -> str:
        shapes: Sequence[Callable[[], str]] = (
            *(lambda: f"/api/v1/{resource}",) * 12,
            *(lambda: f"/api/v1/{resource}/{self.key()}",) * 4,
            *(lambda: f"/api/v1/{resource}/{self.key()}/{self.pick(self.edges[resource] or ('contacts',))}",) * 3,
            *(lambda: f"/api/v1/{resource}/query",) * 2,
            lambda: f"/api/v1/{resource}.{self.pick(('csv', 'ndjson', 'xlsx', 'xml', 'json', ''))}",
            lambda: self.pick(("/api/v1", "/api/v1/", "/api/v1/auth/test", "/api/v1//", "/api", "/", "//", "")),
            lambda: self.pick(PAGES),
            lambda: f"/api/v1/{self.quoted(self.pick(ODD_TEXTS))}",
            lambda: f"/api/v1/{resource}/{self.key()}/{self.quoted(self.pick(ODD_TEXTS))}/x/y",
        )
        made: str = self.pick(shapes)()
        return made

    def key(self) -> str:
        return str(self.pick(("1", "2", "3", "1,2", "1,email", "query", "0", self.quoted(self.pick(ODD_TEXTS)))))

    def quoted(self, text: str) -> str:
        return quote(text.encode("utf-8", "surrogatepass"), safe="")

    def field(self, resource: str) -> str:
        names = self.tables[resource]
        word: str = self.pick(names)
        if self.maybe(0.15) and self.edges[resource]:
            word = f"{self.pick(self.edges[resource])}.{self.pick(self.tables[self.pick(tuple(self.tables))])}"
        return self.pick(ODD_TEXTS) if self.maybe(0.02) else word

    def value(self) -> str:
        usual = ("1", "2", "1,2", "2026-07-01", "10.5", "acme", "2026-07-01,2026-07-31", "true", "1")
        return str(self.pick((*usual, self.pick(ODD_TEXTS))))

    def query(self, resource: str) -> bytes:
        pairs = [self.pair(resource) for _ in range(self.pick((0, 0, 1, 1, 2, 3, 5)))]
        if self.maybe(0.01):
            pairs *= 300
        return "&".join(f"{self.word(name)}={self.word(value)}" for name, value in pairs).encode()

    def word(self, text: str) -> str:
        return quote(text.encode("utf-8", "surrogatepass"), safe=self.pick(("", "[]().,:*@-")))

    def pair(self, resource: str) -> tuple[str, str]:
        name = self.field(resource)
        pairs: Sequence[Callable[[], tuple[str, str]]] = (
            *(lambda: (f"filter[{name}]", self.value()),) * 4,
            *(lambda: (f"filter[{name}.{self.pick(NAMES)}]", self.value()),) * 8,
            *(lambda: ("where", json.dumps(self.tree(resource))),) * 4,
            lambda: ("where", self.pick(("[" * 5_000, '{"a":' * 3_000, "{", "nul", "1e999", '{"a":1,"a":2}'))),
            lambda: ("sort", f"{self.pick(('', '-', '+', ',', '--'))}{name}"),
            *(lambda: ("sort", f"{self.pick(('', '-'))}{name}"),) * 3,
            *(lambda: ("fields", f"{name},{self.field(resource)}"),) * 3,
            *(lambda: ("include", self.pick((*self.edges[resource], "a.b"))),) * 3,
            lambda: (self.pick(("page", "per_page", "limit", "offset")), self.value()),
            lambda: ("cursor", self.value()),
            lambda: ("count", self.pick(("exact", "estimated", "none", self.value()))),
            lambda: ("group", f"{name},{self.field(resource)}"),
            lambda: ("metrics", self.pick(("count", f"sum({name})", f"avg({name}),count", f"median({name})", "("))),
            lambda: ("having", f"count.gt.{self.value()}"),
            lambda: (self.pick(("q", "format", "decimals", "bigints", "spreadsheet")), self.value()),
            lambda: ("format", self.pick(("csv", "ndjson", "xlsx", "json"))),
        )
        odd: Sequence[Callable[[], tuple[str, str]]] = (
            lambda: (f"{name}.{self.pick(NAMES)}", self.value()),
            lambda: (name, self.value()),
            lambda: ("or", f"({name}.eq.{self.value()},not.and({name}.gt.1,{name}.lt.5))"),
            lambda: (self.pick(("dry_run", "max_affected", "on_conflict", "envelope", "search")), self.value()),
            lambda: (self.pick(("", "[", "filter", "filter[", "filter[]", "a[b][c]", "\0")), "1"),
        )
        made: tuple[str, str] = self.pick(odd if self.maybe(0.05) else pairs)()
        return made

    def tree(self, resource: str, depth: int = 0) -> object:
        name = self.field(resource)
        if depth < 4 and self.maybe(0.4):
            return {self.pick(("and", "or", "not")): [self.tree(resource, depth + 1) for _ in range(2)]}
        value: object = self.pick((1, "1", None, True, [1, 2], {"gte": self.value()}, {"x": {}}, 10**30, 1.5, ""))
        return {name: value}

    def body(self, resource: str) -> bytes:
        fields = {self.field(resource): self.pick((1, "x", None, True, [], {}, 1.5, 10**40, self.value()))}
        bodies: Sequence[Callable[[], bytes]] = (
            lambda: b"",
            lambda: json.dumps(fields).encode(),
            lambda: json.dumps([fields] * self.pick((1, 3, 101))).encode(),
            lambda: json.dumps({"where": self.tree(resource), "fields": [self.field(resource)]}).encode(),
            lambda: json.dumps({"filter": {self.field(resource): self.value()}, "sort": self.value()}).encode(),
            lambda: b"[" * 100_000,
            lambda: b'{"a":' * 20_000,
            lambda: "&".join(f"{self.word(name)}={self.word(str(value))}" for name, value in fields.items()).encode(),
            lambda: b"a=1&" * 1_200,
            lambda: self.random.randbytes(60),
            lambda: b'{"\xff": 1}',
            lambda: b"\xef\xbb\xbf{}",
        )
        made: bytes = self.pick(bodies)()
        return self.damaged(made) if self.maybe(0.1) else made

    def headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"host", self.pick((b"gateway.test", b"gateway.test", b"\xff", b"evil/<x>")))]
        if not self.maybe(0.02):
            token = self.tokens[0] if self.maybe(0.85) else self.pick(self.tokens)
            headers.append((b"authorization", b"Bearer " + token.encode()))
        odd: Sequence[Callable[[], tuple[bytes, bytes]]] = (
            lambda: (b"content-type", self.pick((b"application/json",) * 4 + TYPE_HEADERS)),
            lambda: (b"accept", self.pick(ACCEPTS)),
            lambda: (
                b"prefer",
                self.pick((b"return=minimal", b"handling=strict, x", b"=;,")),
            ),
            lambda: (b"if-match", self.pick((b"*", b'"x"', b'W/"x"', b"\xff", b",", b'"' * 99))),
            lambda: (b"if-none-match", self.pick((b"*", b'"x"', b"x"))),
            lambda: (b"idempotency-key", self.pick((b"k", b'"k"', b"\xff", b"", b"x" * 300))),
            lambda: (b"origin", self.pick((b"https://app.example", b"null", b"\xff"))),
            lambda: (b"x-request-id", self.pick((b"mine", b"\xff", b"<x>"))),
            lambda: (b"x-forwarded-for", b"203.0.113.9, \xff"),
            lambda: (b"content-length", self.pick((b"5", b"-1", b"x", b"99999999"))),
            lambda: (b"x-odd", self.random.randbytes(20)),
            lambda: (b"authorization", self.pick((b"Basic eDp5", b"Basic ???", b"Bearer", b"Digest x", b"\xff"))),
            lambda: (b"x-api-key", self.pick((b"", b"gw_live_x", b"\xff"))),
            lambda: (b"x-signature", self.pick((b"v1=00", b"\xff"))),
            lambda: (b"traceparent", b"00-x"),
        )
        if self.maybe(0.9):
            headers.append((b"content-type", b"application/json"))
        headers += [self.pick(odd)() for _ in range(self.pick((0,) * 12 + (1, 1, 2, 4)))]
        return headers * 30 if self.maybe(0.005) else headers

    def damaged(self, data: bytes) -> bytes:
        """Return bytes with some of them lost, doubled, or replaced."""
        if not data:
            odd: bytes = self.pick((b"\x00", b"%", b"%zz", b"&&==", b"\xff"))
            return odd
        at = int(self.random.random() * len(data))
        new: bytes = self.pick(
            (b"", b"%00", b"%ff", b"%", b"\x00", b"[", b"]", b",", b".", b"&", b"=", b'"', b"\xff", b"%2F")
        )
        return data[:at] + new + data[at + self.pick((0, 1, 5)) :]


TYPE_HEADERS = (b"application/x-www-form-urlencoded", b"text/plain", b"\xff", b"", b"application/json; charset=utf-16")
ACCEPTS = (
    b"*/*",
    b"application/json",
    b"text/csv",
    b"application/x-ndjson",
    b"application/xml",
    b"text/html;q=0.5, */*;q=0",
    b",;q=",
    b"\xff",
)


async def sent(asgi: ASGIApp, scope: Scope, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer."""
    said: list[Message] = []
    pieces = [body[: len(body) // 2], body[len(body) // 2 :]]
    ended = asyncio.Event()

    async def receive() -> Message:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    try:
        await asgi(scope, receive, send)
    finally:
        ended.set()
    assert said, "no answer"
    headers = {name.decode(): value.decode("latin-1") for name, value in said[0]["headers"]}
    return said[0]["status"], headers, b"".join(message.get("body", b"") for message in said[1:])


def check(scope: Scope, status: int, headers: dict[str, str], body: bytes) -> None:
    """Hold an answer to what every answer promises."""
    assert status != 500, body
    assert len(body) < LARGEST_REPLY
    assert headers["x-request-id"]
    for name, due in SECURITY.items():
        assert name in headers, name
        assert due in headers[name] or name in ("cache-control", "content-security-policy"), (name, headers[name])
    if "content-type" in headers:
        assert headers["content-type"].startswith(TYPES), headers["content-type"]
    for name, value in headers.items():
        assert "\r" not in name + value
        assert "\n" not in name + value
    if status < 400 or scope["path"] == "/readyz":
        return
    assert not TELLING.search(body.lower()), body
    assert headers["content-type"] == "application/problem+json"
    if scope["method"] == "HEAD":
        assert not body
        return
    problem = json.loads(body)
    assert problem["status"] == status
    assert status in REGISTRY[problem["code"]].statuses
    assert problem["code"] not in ("schema_changed", "starting", "database_away", "request_timeout", "state_away"), body


@pytest.fixture(params=list(REQUESTS))
async def target(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path: Path
) -> AsyncIterator[tuple[str, App]]:
    """The application on a CRM of this test's own, which may be written to, with no rate that ends the test early."""
    name = f"gateway_fuzz_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{tmp_path / 'crm.db'}"
    build(url, scale="tiny", today=NOON.date())
    grants = {"all": ("*:*",), "few": ("invoices:read", "leads:*")}
    free: dict[str, Any] = {"address_rate": "off", "refused_rate": "off", "rate_limit": "off", "count_deadline_ms": 250}
    async with served(url, staff_id=1, grants=grants, admin=False, **free) as app:
        yield request.param, app
    if is_served:
        mariadb_server.drop_database(name)


def maker_of(app: App) -> Maker:
    catalog = app.parts.keeper.service().catalog
    tables = {name: tuple(column.name for column in table.columns) for name, table in catalog.resources.items()}
    edges = {name: tuple(table.relationships) for name, table in catalog.resources.items()}
    return Maker(random.Random(), tables, edges, tuple(app.tokens.values()))


async def asked(app: App, scope: dict[str, Any], body: bytes) -> int:
    """Return the status of an answer that was held to every promise."""
    shown = {name: scope[name] for name in ("method", "raw_path", "query_string", "headers")}
    status, headers, answer = await sent(app.asgi, scope, body)
    try:
        check(scope, status, headers, answer)
    except AssertionError as error:
        failed = [event for event in app.events if isinstance(event, RequestFailed)]
        raise AssertionError(f"{shown} {body[:500]!r} -> {status}: {error}") from (
            failed[-1].error if failed else error
        )
    return status


seeds = st.lists(st.integers(0, 2**48 - 1), min_size=SENT_TOGETHER // 2, max_size=SENT_TOGETHER)
"""One seed is one request; so what fails shrinks to the requests that it takes."""


async def fuzz(app: App, examples: int) -> dict[int, int]:
    """Return how often each status was answered to what hypothesis had sent."""
    maker, statuses = maker_of(app), dict[int, int]()
    loop = asyncio.get_running_loop()

    async def ask_all(chosen: list[int]) -> None:
        made = []
        for seed in chosen:
            maker.random.seed(seed)
            made.append(maker.scope())
        for start in range(0, len(made), AT_ONCE):
            batch = made[start : start + AT_ONCE]
            for status in await asyncio.gather(*(asked(app, scope, body) for scope, body in batch)):
                statuses[status] = statuses.get(status, 0) + 1

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(chosen=seeds)
    def run(chosen: list[int]) -> None:
        asyncio.run_coroutine_threadsafe(ask_all(chosen), loop).result()

    await asyncio.to_thread(run)
    return statuses


async def test_no_request_makes_the_gateway_fail(
    target: tuple[str, App], record_property: Callable[[str, object], None]
) -> None:
    """Thousands of them, some whole and some damaged; what they write is of no interest here."""
    database, app = target

    statuses = await fuzz(app, EXAMPLES[database])

    record_property("statuses", statuses)
    assert not [event for event in app.events if isinstance(event, RequestFailed)]
    assert sum(statuses.values()) >= REQUESTS[database]
    assert statuses[200] > REQUESTS[database] / 10  # many of them are good ones
    assert {400, 401, 403, 404, 405} <= statuses.keys()
