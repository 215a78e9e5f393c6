"""What an operator sees of a running application: records, metrics, health, timings and log lines, on real stores."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from gateway.observe import AuditFound, AuditLost, DatabaseFound, DatabaseLost
from gateway.security.principal import Principal
from gateway.security.tokens import new_token
from gateway.state.audit import AuditRecord, AuditStore, Search
from gateway.state.store import StateStore
from gateway.web import trail as trails
from gateway.web.exchange import Exchange
from tests.support.app import App, RunningServer, served

LIBRARY = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, password_hash VARCHAR(60) NOT NULL);
CREATE TABLE book (id INTEGER PRIMARY KEY, title VARCHAR(50) NOT NULL, author_id INTEGER REFERENCES author (id));
INSERT INTO author VALUES (1, 'Ann', 'hidden-secret'), (2, 'Bob', 'hidden-secret');
INSERT INTO book VALUES (1, 'One', 1), (2, 'Two', 2);
"""
WHITELIST = "version: 1\nprofile: none\ntables:\n  author:\n  book:\n"
GRANTS = {"all": ("*:*",), "reader": ("book:read",)}


@pytest.fixture
def library(tmp_path: Path) -> str:
    """The URL of a small database of the test's own."""
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LIBRARY)
    return f"sqlite:///{path}"


@pytest.fixture
async def app(library: str) -> AsyncIterator[App]:
    async with served(library, whitelist=WHITELIST, grants=GRANTS) as made:
        yield made


async def trail_of(app: App, **asked: Any) -> list[AuditRecord]:
    """The records that the store has once nothing waits any more, oldest first."""
    async with asyncio.timeout(20):
        while app.parts.trail.waiting:
            await asyncio.sleep(0.01)
    page = await asyncio.to_thread(app.parts.trail.store.search, Search(**asked), 1_000)
    return [each.record for each in reversed(page.records)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


# The trail


async def test_every_kind_of_answer_leaves_its_record(app: App) -> None:
    """Reads, writes and refusals, with who, which row, how it ended and where."""
    reader = app.clients["reader"]
    await app.client.get("/api/v1/book/2?fields=id")
    await app.client.patch("/api/v1/book/2", json={"title": "Second"})
    await reader.delete("/api/v1/book/2")
    await app.client.get("/api/v1/book/77")
    await app.anonymous.get("/api/v1/book")
    await app.client.get("/api/v1/nothing")
    await app.client.get("/api/v1/nothing/1")
    records = await trail_of(app)

    assert [
        (r.principal, r.method, r.resource, r.operation, r.row_key, r.status, r.code, r.stage) for r in records
    ] == [
        ("all", "GET", "book", "read", "2", 200, None, "handler"),
        ("all", "PATCH", "book", "update", "2", 200, None, "handler"),
        ("reader", "DELETE", "book", "delete", "2", 403, "grant_missing", "authorize"),
        ("all", "GET", "book", "read", "77", 404, "row_unknown", "handler"),
        (None, "GET", None, None, None, 401, "token_missing", "authenticate"),
        ("all", "GET", None, None, None, 404, "resource_unknown", "authorize"),
        ("all", "GET", None, None, None, 404, "resource_unknown", "authorize"),
    ]


async def test_a_record_says_how_many_rows_and_which_new_one(app: App) -> None:
    """Pages, exports as far as they came, creates by their new key; of a bulk write each row, of a dry run none."""
    client = app.client
    await client.get("/api/v1/book?per_page=1")
    await client.get("/api/v1/book.csv")
    await client.post("/api/v1/book", json={"title": "Three"})
    await client.post("/api/v1/book", json=[{"title": "Four"}, {"title": "Five"}])
    await client.patch("/api/v1/book?filter[id.gte]=3&max_affected=9", json={"title": "Late"})
    await client.delete("/api/v1/book?filter[id.gte]=3&max_affected=9&dry_run=true")
    await client.delete("/api/v1/book?filter[id.gte]=3&max_affected=9")
    await client.delete("/api/v1/book/2")
    records = await trail_of(app)

    assert [(r.operation, r.status, r.row_key, r.rows, r.outcome) for r in records] == [
        ("read", 200, None, 1, None),
        ("read", 200, None, 2, None),
        ("create", 201, "3", 1, "done"),
        ("create", 201, "4", 1, "done"),
        ("create", 201, "5", 1, "done"),
        ("update", 200, "3", 1, "done"),
        ("update", 200, "4", 1, "done"),
        ("update", 200, "5", 1, "done"),
        ("delete", 200, None, 0, "dry_run"),
        ("delete", 200, "3", 1, "done"),
        ("delete", 200, "4", 1, "done"),
        ("delete", 200, "5", 1, "done"),
        ("delete", 204, "2", 1, "done"),
    ]
    assert [r.request_id for r in await trail_of(app, row="4", operation="delete")] == [records[-2].request_id]


async def test_what_was_only_tried_out_or_given_again_is_told_from_what_was_done(app: App) -> None:
    """The trail accuses nobody of a dry run, and shows one create for a key however often it is sent."""
    client, key = app.client, {"Idempotency-Key": "one"}
    await client.patch("/api/v1/book/2?dry_run=true", json={"title": "Tried"})
    await client.delete("/api/v1/book/2?dry_run=true")
    await client.post("/api/v1/book?dry_run=true", json=[{"title": "Tried"}])
    for _ in range(2):
        await client.post("/api/v1/book", json={"title": "Once"}, headers=key)
    for _ in range(2):
        await client.post("/api/v1/book", json={"nothing": 1}, headers={"Idempotency-Key": "two"})
    await client.delete("/api/v1/book/77")
    records = await trail_of(app)

    assert [(r.operation, r.status, r.row_key, r.rows, r.outcome) for r in records] == [
        ("update", 200, "2", 0, "dry_run"),
        ("delete", 200, "2", 0, "dry_run"),
        ("create", 200, None, 0, "dry_run"),
        ("create", 201, "3", 1, "done"),
        ("create", 201, "3", None, "replayed"),
        ("create", 422, None, None, None),
        ("create", 422, None, None, "replayed"),
        ("delete", 404, "77", None, None),
    ]


async def test_administration_leaves_the_token_that_it_was_about(app: App) -> None:
    """Who gave out a token, and who ended it, is found by the token's id."""
    made = (await app.client.post("/admin/tokens", json={"name": "bi", "grants": ["book:read"]})).json()["data"]["id"]
    new = (await app.client.post(f"/admin/tokens/{made}/rotate")).json()["data"]["id"]
    await app.client.delete(f"/admin/tokens/{new}")
    records = await trail_of(app)

    assert [(r.principal, r.operation, r.path, r.row_key, r.outcome) for r in records] == [
        ("all", "create", "/admin/tokens", str(made), "done"),
        ("all", "create", f"/admin/tokens/{made}/rotate", str(new), "done"),
        ("all", "delete", f"/admin/tokens/{new}", str(new), "done"),
    ]


async def test_a_record_can_be_found_by_the_id_that_the_client_was_told(app: App) -> None:
    """By the client's own, too."""
    answer = await app.client.get("/api/v1/book/2")
    await app.client.get("/api/v1/book/1", headers={"X-Request-ID": "mine-1"})

    assert [r.row_key for r in await trail_of(app, request_id=answer.headers["x-request-id"])] == ["2"]
    assert [r.row_key for r in await trail_of(app, request_id="mine-1")] == ["1"]


async def test_nothing_secret_gets_into_the_store(app: App) -> None:
    """No query string, body, token or value of a row; looked for in every byte of the store's files."""
    guess = new_token().text
    await app.client.get("/api/v1/book?filter[title]=Needle-in-query")
    await app.client.patch("/api/v1/book/1", json={"title": "Needle-in-body"})
    await app.anonymous.get("/api/v1/book", headers={"Authorization": f"Bearer {guess}"})
    await app.client.get(f"/api/v1/book/{guess}")
    await app.client.get("/api/v1/book", headers={"X-Request-ID": guess[:60]})
    assert len(await trail_of(app)) == 5
    place = Path(app.parts.settings.state_path)
    stored = b"".join(path.read_bytes() for path in place.parent.glob(place.name + "*"))

    for text in ("Needle-in-query", "Needle-in-body", guess, guess[12:60], "hidden-secret", *app.tokens.values()):
        assert text.encode() not in stored, text


async def test_an_administrator_searches_the_trail(app: App) -> None:
    """Newest first, by filters and pages; nobody else does."""
    for number in (1, 2, 1, 2, 1):
        await app.client.get(f"/api/v1/book/{number}")
    await trail_of(app)
    first = await app.client.get("/admin/audit?resource=book&row=1&limit=2")
    second = await app.client.get(first.json()["links"]["next"])
    rest = await app.client.get("/admin/audit?status=2xx&row=2")

    assert [len(page.json()["data"]) for page in (first, second, rest)] == [2, 1, 2]
    assert {record["row"] for page in (first, second) for record in page.json()["data"]} == {"1"}
    ids = [record["id"] for page in (first, second) for record in page.json()["data"]]
    assert ids == sorted(ids, reverse=True)
    assert "next" not in second.json()["links"]
    assert first.headers["cache-control"] == "no-store"
    assert (await app.anonymous.get("/admin/audit")).status_code == 401


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("principle=bi", "parameter_unknown"),
        ("status=oops", "parameter_invalid"),
        ("limit=0", "parameter_invalid"),
        ("limit=1001", "parameter_invalid"),
        ("before=-1", "parameter_invalid"),
        ("row=1&row=2", "parameter_conflict"),
        ("since=never", "parameter_invalid"),
    ],
)
async def test_what_the_trail_cannot_be_asked_is_refused(app: App, query: str, code: str) -> None:
    """By name."""
    answer = await app.client.get(f"/admin/audit?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_only_administrators_see_the_trail_and_the_metrics(library: str) -> None:
    """A token for all data is none for that."""
    async with served(library, whitelist=WHITELIST, admin=False) as app:
        for path in ("/admin/audit", "/metrics"):
            assert (await app.client.get(path)).json()["code"] == "grant_missing"


# A store that fails


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "RETRY_S", 0.05)
    monkeypatch.setattr(trails, "LATE_S", 0.3)


class Lock:
    """Another program that keeps the store's write lock."""

    def __init__(self, app: App) -> None:
        self._connection = sqlite3.connect(app.parts.settings.state_path, isolation_level=None)
        self._connection.execute("PRAGMA busy_timeout=20000")
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


@pytest.mark.usefixtures("quick")
async def test_a_locked_store_degrades_the_trail_and_nothing_else(app: App) -> None:
    """Requests go on, health says so, and once the lock is gone every record is there."""
    await app.client.get("/api/v1/book/1")
    await trail_of(app)
    lock = Lock(app)
    try:
        answers = [(await app.client.get("/api/v1/book/2")).status_code for _ in range(3)]
        await until(lambda: app.parts.trail.state == "degraded")
        health = await app.anonymous.get("/readyz")
    finally:
        lock.release()
    await until(lambda: app.parts.trail.state == "ok")

    assert answers == [200, 200, 200]
    assert health.json()["audit"] == "degraded"
    assert len(await trail_of(app, row="2")) == 3
    assert app.parts.trail.dropped == 0


@pytest.mark.usefixtures("quick")
async def test_a_locked_store_closes_where_the_policy_is_so(library: str) -> None:
    """Nothing runs that could not be recorded; reads of health go on, and it opens again by itself."""
    async with served(library, whitelist=WHITELIST, audit_policy="closed") as app:
        await app.client.get("/api/v1/book/1")
        await trail_of(app)
        lock = Lock(app)
        try:
            await app.client.get("/api/v1/book/2")
            await until(lambda: app.parts.trail.state == "degraded")
            app.statements()
            refused = await app.client.patch("/api/v1/book/2", json={"title": "unrecorded"})
            ran, health = app.statements(), await app.anonymous.get("/readyz")
        finally:
            lock.release()
        await until(lambda: app.parts.trail.state == "ok")
        again = await app.client.get("/api/v1/book/2")

        assert (refused.status_code, refused.json()["code"], ran) == (503, "audit_away", [])
        assert (health.status_code, health.json()["audit"]) == (503, "degraded")
        assert again.json()["data"]["title"] == "Two"
        assert [(r.status, r.stage) for r in await trail_of(app, code="audit_away")] == [(503, "audit")]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=1073741823", "full"),  # SQLite takes the present size
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "readonly"),
    ],
)
@pytest.mark.usefixtures("quick")
async def test_a_full_or_read_only_store_loses_no_record_while_there_is_room_in_memory(
    app: App, before: str, after: str, said: str
) -> None:
    """The driver's own failures in the store's own transaction; requests go on, and it is said once."""
    await app.client.get("/api/v1/book/1")
    await trail_of(app)
    store = app.parts.trail.store

    class Failing:
        """The store on a disk without room, or one that may not be written."""

        def append(self, records: Any) -> None:
            with app.parts.state.write(durable=False) as connection:
                connection.exec_driver_sql(before)
                try:
                    connection.exec_driver_sql("CREATE TABLE filler (x)")
                    connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(10000000))")
                finally:
                    connection.exec_driver_sql(after)

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    app.parts.trail.store = Failing()  # type: ignore[assignment]  # stands for the store on such a disk
    for _ in range(3):
        assert (await app.client.get("/api/v1/book/2")).status_code == 200
    await until(lambda: app.parts.trail.failures > 0)
    app.parts.trail.store = store
    await until(lambda: app.parts.trail.state == "ok")

    assert len(await trail_of(app, row="2")) == 3
    lost = [event for event in app.events if isinstance(event, AuditLost)]
    assert len(lost) == 1
    assert said in lost[0].detail
    assert [event.dropped for event in app.events if isinstance(event, AuditFound)] == [0]


@pytest.mark.usefixtures("quick")
async def test_a_deleted_store_does_not_swallow_records(app: App) -> None:
    """What is appended to a file without a name is lost: it counts as a failure, and the records wait."""
    await app.client.get("/api/v1/book/1")
    await trail_of(app)
    place = Path(app.parts.settings.state_path)
    hidden = place.parent / "elsewhere"
    hidden.mkdir()
    for path in place.parent.glob(place.name + "*"):
        path.rename(hidden / path.name)
    app.parts.trail.note(_exchange("while-away"), "GET", "/x", 0.001)
    await until(lambda: app.parts.trail.failures > 0)
    for path in hidden.iterdir():
        path.rename(place.parent / path.name)
    await until(lambda: app.parts.trail.state == "ok")

    assert len(await trail_of(app, request_id="while-away")) == 1


def _exchange(request_id: str) -> Exchange:
    return Exchange(request_id, 0.0, "handler", principal=Principal("token:1", "x", ()), status=200)


async def test_records_are_kept_in_any_store(state_place: str) -> None:
    """Written, found, followed and cleaned alike on SQLite, MariaDB and PostgreSQL."""
    usual = AuditRecord(1, "id", "bi", 7, "::1", "GET", "/é%s?", "leads", "read", "7", 1, 200, None, "handler", 1_500)
    with StateStore.open(state_place) as state:
        store = AuditStore(state.read, state.write)
        store.append([usual._replace(at_ms=number, row_key=None) for number in range(1, 1_201)])
        page = store.search(Search(status=(200, 299), until_ms=1_200), 2)
        assert [each.record.at_ms for each in page.records] == [1_199, 1_198]
        assert page.records[0].record == usual._replace(at_ms=1_199, row_key=None)
        assert len(store.search(Search(), 100, page.before).records) == 100
        assert [store.clean(1_101, 10_000) for _ in range(3)] == [1_000, 100, 0]
        assert store.clean(0, 10) == 90
        assert len(store.after(Search(), 0, 100)) == 10


# Metrics, health, timings


def metrics_of(text: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


async def test_metrics_tell_what_happened(app: App) -> None:
    """Of requests, refusals, records, statements and connections; labels are names of the catalog."""
    for _ in range(3):
        await app.client.get("/api/v1/book/2")
    await app.anonymous.get("/api/v1/book/2")
    await app.client.get("/api/v1/sqlite_master")
    await trail_of(app)
    answer = await app.client.get("/metrics")
    found = metrics_of(answer.text)

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert found["gateway_requests_total", "200", "book", "read"] == 3
    assert found["gateway_refusals_total", "authenticate", "token_missing"] == 1
    assert found["gateway_audit_records_total", "written"] == 5
    assert found["gateway_statements_total", "ok"] >= 3
    assert found[("gateway_requests_in_flight",)] == 1, "this one"
    assert (found[("gateway_database_up",)], found[("gateway_state_up",)], found[("gateway_audit_up",)]) == (1, 1, 1)
    assert found[("gateway_token_lookups_total",)] >= 1
    assert "sqlite_master" not in answer.text
    assert app.tokens["all"][:12] not in answer.text
    assert (await app.client.get("/metrics?name=x")).json()["code"] == "parameter_unknown"


async def test_the_database_is_down_from_when_it_was_lost_until_it_is_found(app: App) -> None:
    """A pool without connections, which an idle one has, is no sign of that."""
    ups = []
    for event in (DatabaseLost("gone"), DatabaseFound(1.0), DatabaseLost("gone")):
        app.parts.observer(event)
        ups.append(metrics_of((await app.client.get("/metrics")).text)[("gateway_database_up",)])

    assert ups == [0, 1, 0]


async def test_server_timing_tells_where_the_time_went(library: str) -> None:
    """Only where the setting asks for it; a refusal tells what it came to."""
    async with served(library, whitelist=WHITELIST, server_timing=True) as app:
        first = (await app.client.get("/api/v1/book/2?fields=title")).headers["server-timing"]
        again = (await app.client.get("/api/v1/book/2?fields=title")).headers["server-timing"]
        refused = (await app.anonymous.get("/api/v1/book/2")).headers["server-timing"]

    assert re.findall(r"(\w+);dur", first) == ["auth", "plan", "compile", "query", "render", "total"]
    assert float(re.findall(r"compile;dur=([\d.]+)", first)[0]) > 0
    assert float(re.findall(r"compile;dur=([\d.]+)", again)[0]) == 0, "the statement is known"
    assert re.findall(r"(\w+);dur", refused) == ["auth", "total"]


class Collector(BaseHTTPRequestHandler):
    """An OpenTelemetry collector that keeps what it was sent."""

    received: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        self.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


async def test_traces_reach_a_collector(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over OTLP, where the variables of OpenTelemetry say; the request's span, its statement's, and no value."""
    Collector.received = []
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "crm-gateway")
        async with served(library, whitelist=WHITELIST, tracing=True) as app:
            await app.client.get("/api/v1/book?filter[title]=Needle")
        server.shutdown()
    sent = [ExportTraceServiceRequest.FromString(body) for path, body in Collector.received if path == "/v1/traces"]
    spans = [
        span for each in sent for found in each.resource_spans for part in found.scope_spans for span in part.spans
    ]
    request = next(span for span in spans if span.name == "GET book")
    names = {span.name for span in spans if span.parent_span_id == request.span_id}

    assert "SELECT book" in names
    assert b"crm-gateway" in Collector.received[0][1]
    assert all(b"Needle" not in body for _, body in Collector.received)


async def test_a_collector_that_is_away_disturbs_nobody(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are answered, and the gateway stops soon."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{_free_port()}")
    async with served(library, whitelist=WHITELIST, tracing=True) as app:
        assert (await app.client.get("/api/v1/book/2")).status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 6


async def test_a_gateway_about_to_stop_says_so_and_serves_on(app: App) -> None:
    """A load balancer takes it out; requests on their way are answered."""
    assert (await app.anonymous.get("/readyz")).json() == {"status": "ready"}
    app.parts.health.is_stopping = True
    stopping = await app.anonymous.get("/readyz")

    assert (stopping.status_code, stopping.json()) == (503, {"status": "stopping"})
    assert (await app.client.get("/api/v1/book/2")).status_code == 200
    assert (await app.anonymous.get("/healthz")).json() == {"status": "ok"}


# The real server


def test_several_workers_are_seen_as_one(crm_database: str) -> None:
    """Metrics add up wherever they are asked for, records of all are in one trail, lines carry ids and no token."""
    port = _free_port()
    settings: dict[str, Any] = {"metrics_address": f"127.0.0.1:{port}", "access_log": True}
    with RunningServer.started(crm_database, workers=2, **settings) as server:
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        for number in range(40):  # each on a connection of its own, so that both workers serve
            headers = {**server.headers, "X-Request-ID": f"mine-{number}", "traceparent": trace}
            with httpx2.Client(base_url=server.base, headers=headers, trust_env=False, timeout=30) as client:
                assert client.get("/api/v1/currencies/1").status_code == 200
        wanted = ("gateway_requests_total", "200", "currencies", "read")
        _wait(lambda: _scraped(f"http://127.0.0.1:{port}/metrics").get(wanted) == 40)
        found = _scraped(f"http://127.0.0.1:{port}/metrics")
        time.sleep(1.2)
        with httpx2.Client(base_url=server.base, headers=server.headers, trust_env=False, timeout=30) as client:
            inside = metrics_of(client.get("/metrics").text)
        place = server.directory / "state.sqlite3"
        _wait(lambda: len(_records(place)) >= 40)
        records = [record for record in _records(place) if record.request_id.startswith("mine-")]
        token = server.token
    lines = [json.loads(line) for line in server.lines if line.startswith("{")]

    assert found[("gateway_workers",)] == 2
    assert inside[wanted] == 40
    assert sorted(record.request_id for record in records) == sorted(f"mine-{number}" for number in range(40))
    logged = [line for line in lines if line["logger"] == "gateway.access" and line["path"] == "/api/v1/currencies/1"]
    assert len(logged) == 40
    assert all(line["request_id"].startswith("mine-") and line["trace_id"] == "a" * 32 for line in logged)
    assert token not in "".join(server.lines)


def test_what_waited_is_stored_when_the_server_stops(crm_database: str, tmp_path: Path) -> None:
    """A record is not lost to a SIGTERM that comes before its batch."""
    place = tmp_path / "server"
    place.mkdir()
    server = RunningServer.launched(crm_database, place)
    try:
        server.wait_for_address()
        with httpx2.Client(base_url=server.base, headers=server.headers, trust_env=False, timeout=30) as client:
            assert client.get("/api/v1/currencies/1").status_code == 200
    finally:
        server.stop()

    assert [record.row_key for record in _records(place / "state.sqlite3")] == ["1"]


def _records(place: Path) -> list[AuditRecord]:
    with StateStore.open(str(place)) as state:
        page = AuditStore(state.read, state.write).search(Search(resource="currencies"), 1_000)
    return [each.record for each in page.records]


def _scraped(url: str) -> dict[tuple[str, ...], float]:
    with urlopen(url, timeout=10) as answer:
        return metrics_of(answer.read().decode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
