"""The trail of a worker: what is recorded, when it is stored, and what happens when the store fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gateway.errors import UnavailableError
from gateway.observe import AuditFound, AuditLost, Event
from gateway.security.principal import Principal
from gateway.state.audit import AuditRecord, AuditStore
from gateway.web import trail as trails
from gateway.web.exchange import EXCHANGE, Exchange, Written
from gateway.web.stages.audit import Audit
from gateway.web.trail import FLUSH_ROWS, Trail, TrailLimits

BI = Principal("token:7", "bi", ("*:*",), token_id=7)
TOKEN = "gw_live_" + "A" * 49


@dataclass
class Store:
    """A store in memory that can be told to fail, or to be slow."""

    error: Exception | None = None
    is_open: threading.Event = field(default_factory=threading.Event)
    batches: list[list[AuditRecord]] = field(default_factory=list)
    cleaned: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_open.set()

    def append(self, records: Sequence[AuditRecord]) -> None:
        assert self.is_open.wait(10)
        if self.error is not None:
            raise self.error
        self.batches.append(list(records))

    def clean(self, oldest_ms: int, most: int) -> int:
        self.cleaned.append((oldest_ms, most))
        return 0

    @property
    def records(self) -> list[AuditRecord]:
        return [record for batch in self.batches for record in batch]


@dataclass
class World:
    """A trail on a store in memory."""

    store: Store
    events: list[Event]
    trail: Trail


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Make a trail that neither waits long nor keeps much."""
    monkeypatch.setattr(trails, "FLUSH_S", 0.01)
    monkeypatch.setattr(trails, "RETRY_S", 0.02)

    def make(**limits: Any) -> World:
        events: list[Event] = []
        store = Store()
        trail = Trail(cast("AuditStore", store), TrailLimits(**limits), events.append, clock=lambda: 1_000.5)
        return World(store, events, trail)

    return make


def exchange(**given: Any) -> Exchange:
    values: dict[str, Any] = {"stage": "handler", "principal": BI, "status": 200, "address": "192.0.2.1", **given}
    return Exchange("id", 0.0, **values)


def note(trail: Trail, method: str = "GET", path: str = "/x", **given: Any) -> None:
    trail.note(exchange(**given), method, path, 0.0015)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that background tasks do."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


@contextmanager
def changed(module: Any, **values: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield


async def test_a_record_says_who_did_what_to_which_row(made: Callable[..., World]) -> None:
    """And when, from where, how it ended and how long it took."""
    world = made()
    world.trail.start()
    asked = {"resource": "leads", "operation": "update", "row": "7"}
    note(world.trail, "PATCH", "/api/v1/leads/7", rows=1, outcome="done", **asked)
    await until(lambda: world.trail.written == 1)
    await world.trail.stop()

    expected = AuditRecord(
        at_ms=1_000_500,
        request_id="id",
        principal="bi",
        token_id=7,
        address="192.0.2.1",
        method="PATCH",
        path="/api/v1/leads/7",
        resource="leads",
        operation="update",
        row_key="7",
        rows=1,
        status=200,
        code=None,
        stage="handler",
        duration_us=1_500,
        outcome="done",
    )
    assert world.store.records == [expected]


async def test_texts_of_clients_are_cleaned_and_cut(made: Callable[..., World]) -> None:
    """No control character, nothing that looks like a token, and no more than the column holds."""
    world = made()
    note(world.trail, "M" * 40, f"/a\r\n\x1b[31m\u202e/{TOKEN}/" + "x" * 600, row=TOKEN + "y" * 200)
    await world.trail.stop()

    (record,) = world.store.records
    assert record.method == "M" * 16
    assert record.path.startswith("/a???[31m?/gw_live_AAAA…/xxx")
    assert len(record.path) == 512
    assert record.row_key == "gw_live_AAAA…"


@pytest.mark.parametrize(
    ("records", "expected"),
    [("all", ["read", "create", "403", "POST", "GET"]), ("writes", ["create", "403", "POST"]), ("off", [])],
)
async def test_what_is_recorded_is_a_setting(made: Callable[..., World], records: str, expected: list[str]) -> None:
    """Everything, every write and every refusal, or nothing."""
    world = made(records=records)
    note(world.trail, "GET", "read", operation="read", resource="leads")
    note(world.trail, "POST", "create", operation="create", resource="leads", status=201)
    note(world.trail, "GET", "403", operation="read", status=403, code="grant_missing")
    note(world.trail, "POST", "POST")
    note(world.trail, "GET", "GET")
    await world.trail.stop()

    assert [record.path for record in world.store.records] == expected
    assert world.trail.state == ("off" if records == "off" else "ok")


async def test_of_the_shields_refusals_one_in_so_many_is_recorded(made: Callable[..., World]) -> None:
    """The first of a kind at once; each later one says how many it stands for."""
    world = made(one_in=10)
    for _ in range(25):
        note(world.trail, stage="shield", principal=None, status=414, code="uri_too_long")
    note(world.trail, stage="shield", principal=None, status=413, code="body_too_large")
    await world.trail.stop()

    assert [(record.code, record.rows) for record in world.store.records] == [
        ("uri_too_long", 1),
        ("uri_too_long", 10),
        ("uri_too_long", 10),
        ("body_too_large", 1),
    ]


async def test_strangers_cannot_push_others_out_of_the_trail(made: Callable[..., World]) -> None:
    """Whatever is answered to nobody known is sampled: the first of a kind and address at once, then one of so many."""
    world = made(one_in=100)
    for _ in range(50):
        note(world.trail, path="/healthz", principal=None)
        note(world.trail, "OPTIONS", stage="cors", principal=None, status=403, code="origin_forbidden")
    for _ in range(201):
        note(world.trail, stage="authenticate", principal=None, status=401, code="token_missing")
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        note(world.trail, stage="authenticate", principal=None, status=401, code="token_invalid", address=address)
    await world.trail.stop()

    assert [(record.code, record.address[-1], record.rows) for record in world.store.records] == [
        (None, "1", 1),
        ("origin_forbidden", "1", 1),
        ("token_missing", "1", 1),
        ("token_missing", "1", 100),
        ("token_missing", "1", 100),
        ("token_invalid", "1", 1),
        ("token_invalid", "2", 1),
    ]
    assert all(record.is_sample for record in world.store.records)


async def test_a_write_of_many_rows_leaves_a_record_of_each(made: Callable[..., World]) -> None:
    """With its key, under the one request id, as many as there is room for; who wrote a row is found by its key."""
    world = made()
    asked = {"operation": "delete", "resource": "leads", "outcome": "done"}
    note(world.trail, "DELETE", rows=FLUSH_ROWS + 3, keys=[str(number) for number in range(FLUSH_ROWS + 3)], **asked)
    with changed(trails, MOST_WAITING=FLUSH_ROWS + 5):
        note(world.trail, "DELETE", rows=4, keys=["a", "b", "c", "d"], **asked)
    await world.trail.stop()

    records = world.store.records
    assert [record.row_key for record in records] == [*map(str, range(FLUSH_ROWS + 3)), "a", "b"]
    assert {(record.request_id, record.operation, record.rows, record.outcome) for record in records} == {
        ("id", "delete", 1, "done")
    }
    assert world.trail.dropped == 2


async def test_each_write_of_a_document_leaves_a_record_of_its_own(made: Callable[..., World]) -> None:
    """With its resource and what became of it, done or refused, under the one request and its status."""
    world = made()
    written = [
        Written("leads", "create", "7", 1, "done"),
        Written("invoices", "delete", "3", 0, code="dependants"),
        Written("clients", "update", "1", 0, "dry_run"),
    ]
    note(world.trail, "POST", "/api/v1/graphql", resource="graphql", operation="create", rows=1, written=written)
    with changed(trails, MOST_WAITING=4):
        note(world.trail, "POST", "/api/v1/graphql", operation="create", written=written)
    await world.trail.stop()

    told = [(r.path, r.resource, r.operation, r.row_key, r.rows, r.status) for r in world.store.records]
    assert told == [
        ("/api/v1/graphql", "leads", "create", "7", 1, 200),
        ("/api/v1/graphql", "invoices", "delete", "3", 0, 200),
        ("/api/v1/graphql", "clients", "update", "1", 0, 200),
        ("/api/v1/graphql", "leads", "create", "7", 1, 200),
    ]
    assert [(r.code, r.outcome) for r in world.store.records] == [
        (None, "done"),
        ("dependants", None),
        (None, "dry_run"),
        (None, "done"),
    ]
    assert world.trail.dropped == 2


async def test_a_refusal_is_one_whatever_status_the_client_reads(made: Callable[..., World]) -> None:
    """Documents that cannot run are answered with 200 to older clients."""
    world = made(records="writes")
    note(world.trail, "POST", operation="read", code="graphql_invalid")
    note(world.trail, "POST", operation="read")
    await world.trail.stop()

    assert [record.code for record in world.store.records] == ["graphql_invalid"]


async def test_records_are_stored_in_batches_and_order(made: Callable[..., World]) -> None:
    """Never more than a batch at a time."""
    world = made()
    world.trail.start()
    for number in range(FLUSH_ROWS * 2 + 7):
        note(world.trail, path=str(number))
    await until(lambda: world.trail.waiting == 0)
    await world.trail.stop()

    assert [record.path for record in world.store.records] == [str(number) for number in range(FLUSH_ROWS * 2 + 7)]
    assert max(map(len, world.store.batches)) <= FLUSH_ROWS


async def test_a_stop_stores_what_waits_once(made: Callable[..., World]) -> None:
    """Also while a batch is under way."""
    world = made()
    world.store.is_open.clear()
    world.trail.start()
    note(world.trail, path="1")
    await asyncio.sleep(0.05)
    note(world.trail, path="2")
    stopping = asyncio.create_task(world.trail.stop())
    await asyncio.sleep(0.05)
    world.store.is_open.set()
    await stopping

    assert [record.path for record in world.store.records] == ["1", "2"]
    assert world.trail.dropped == 0


async def test_while_the_store_fails_records_wait_and_none_is_lost(made: Callable[..., World]) -> None:
    """It is said once, and once that it is over."""
    world = made()
    world.store.error = OSError("disk full")
    world.trail.start()
    note(world.trail, path="1")
    await until(lambda: world.trail.failures >= 3)
    state = world.trail.state
    note(world.trail, path="2")
    world.store.error = None
    await until(lambda: world.trail.waiting == 0)
    await world.trail.stop()

    assert state == "degraded"
    assert [record.path for record in world.store.records] == ["1", "2"]
    assert [type(event) for event in world.events] == [AuditLost, AuditFound]
    assert (world.trail.state, world.trail.dropped) == ("ok", 0)


async def test_a_full_queue_drops_the_newest_and_counts_them(made: Callable[..., World]) -> None:
    """Memory is bounded; the number that is missing is known."""
    world = made()
    world.store.error = OSError("disk full")
    world.trail.start()
    with changed(trails, MOST_WAITING=3):
        note(world.trail, path="0")
        await until(lambda: world.trail.failures >= 1)
        for number in range(1, 6):
            note(world.trail, path=str(number))
        world.store.error = None
        await until(lambda: world.trail.waiting == 0)
    await world.trail.stop()

    assert [record.path for record in world.store.records] == ["0", "1", "2"]
    assert world.trail.dropped == 3
    assert [event.dropped for event in world.events if isinstance(event, AuditFound)] == [3]


async def test_a_store_that_is_locked_counts_as_failing_before_it_fails(made: Callable[..., World]) -> None:
    """Its writer still waits; whoever must know that records are stored does not."""
    world = made()
    world.store.is_open.clear()
    world.trail.start()
    note(world.trail)
    with changed(trails, LATE_S=0.03):
        assert not world.trail.is_failing()
        await until(world.trail.is_failing)
        world.store.is_open.set()
        await until(lambda: not world.trail.is_failing())
    await world.trail.stop()

    assert world.trail.written == 1


async def test_a_stop_gives_up_on_a_store_that_stays_away(made: Callable[..., World]) -> None:
    """And says how many records went with it."""
    world = made()
    world.store.error = OSError("disk full")
    note(world.trail)
    with changed(trails, STOP_S=0.05):
        await world.trail.stop()

    assert world.trail.dropped == 1
    assert world.events[-1] == AuditLost("the gateway stopped", 1)


async def test_old_records_are_cleaned_away_from_the_start(made: Callable[..., World]) -> None:
    """By age and by number."""
    world = made(keep_s=100, most_rows=5_000)
    world.trail.start()
    await until(lambda: bool(world.store.cleaned))
    await world.trail.stop()

    assert world.store.cleaned == [(900_500, 5_000)]


# The stage


async def passed(world: World, *, is_closed: bool = True, method: str = "GET", **given: Any) -> bool:
    """Whether a request gets through the stage."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope[EXCHANGE].stage)

    scope = {"type": "http", "method": method, "path": "/x", EXCHANGE: exchange(**{"status": 0, **given})}
    try:
        await Audit(app, world.trail, is_closed=is_closed)(scope, cast("Any", None), cast("Any", None))
    except UnavailableError as error:
        refused = (error.code, error.status, error.headers["Retry-After"], cast("Exchange", scope[EXCHANGE]).stage)
    else:
        assert seen == ["handler"]
        return True
    assert refused == ("audit_away", 503, "2", "audit")
    return False


async def broken(made: Callable[..., World], **limits: Any) -> World:
    world = made(**limits)
    world.store.error = OSError("disk full")
    world.trail.start()
    note(world.trail, "POST")
    await until(lambda: world.trail.failures > 0)
    return world


async def test_closed_means_that_nothing_runs_unrecorded(made: Callable[..., World]) -> None:
    """It is let through again once the store is back."""
    world = await broken(made)
    assert not await passed(world)
    assert await passed(world, is_closed=False), "degrade: requests go on"
    world.store.error = None
    await until(lambda: not world.trail.is_failing())

    assert await passed(world)
    await world.trail.stop()


async def test_closed_leaves_what_needs_no_record(made: Callable[..., World]) -> None:
    """Health, and reads where only writes are recorded."""
    world = await broken(made, records="writes")

    assert await passed(world, operation="read")
    assert not await passed(world, operation="update", method="PATCH")
    assert not await passed(world, method="POST")
    assert await passed(world, method="POST", principal=None)
    world.store.error = None
    await world.trail.stop()


async def test_a_full_queue_closes_too(made: Callable[..., World]) -> None:
    """Before the store has failed."""
    world = made()
    with changed(trails, MOST_WAITING=1):
        note(world.trail)
        assert not await passed(world)
    await world.trail.stop()
