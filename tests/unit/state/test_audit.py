"""The trail in the store: kept in order, cut at its old end, found by what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.state import audit
from gateway.state.audit import AuditRecord, AuditStore, Search
from gateway.state.store import StateStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuditStore]:
    with StateStore.open(str(tmp_path / "state.sqlite3")) as state:
        yield AuditStore(state.read, state.write)


def record(number: int = 0, **given: Any) -> AuditRecord:
    """A record of a read; ``number`` is its moment and its request id."""
    usual = AuditRecord(
        at_ms=number,
        request_id=str(number),
        principal="bi",
        token_id=7,
        address="192.0.2.1",
        method="GET",
        path="/api/v1/invoices/42",
        resource="invoices",
        operation="read",
        row_key="42",
        rows=1,
        status=200,
        code=None,
        stage="handler",
        duration_us=190,
        outcome=None,
    )
    return usual._replace(**given)


def found(store: AuditStore, limit: int = 100, **asked: Any) -> list[int]:
    return [each.record.at_ms for each in store.search(Search(**asked), limit).records]


def test_a_record_is_kept_as_it_was_given(store: AuditStore) -> None:
    """Every column, those without a value among them."""
    whole, bare = record(1), record(2, principal=None, token_id=None, resource=None, row_key=None, rows=None, code="x")
    store.append([whole, bare])

    assert [each.record for each in store.search(Search(), 10).records] == [bare, whole]


def test_without_records_only_the_way_is_tried(store: AuditStore) -> None:
    """So a store that was away is found to be back."""
    store.append([])

    assert store.last_id() == 0
    assert store.search(Search(), 10).before is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"principal": "app"}, [1]),
        ({"resource": "clients"}, [2]),
        ({"operation": "delete"}, [3]),
        ({"row": "43"}, [4]),
        ({"code": "grant_missing"}, [5]),
        ({"address": "2001:db8::1"}, [6]),
        ({"stage": "shield"}, [7]),
        ({"request_id": "8"}, [8]),
        ({"status": (400, 499)}, [5]),
        ({"status": (403, 403)}, [5]),
        ({"since_ms": 7}, [8, 7]),
        ({"until_ms": 2}, [1]),
        ({"since_ms": 3, "until_ms": 5, "operation": "read"}, [4]),
        ({"principal": "nobody"}, []),
    ],
)
def test_each_filter_holds(store: AuditStore, asked: dict[str, Any], expected: list[int]) -> None:
    """Newest first, and together they narrow."""
    store.append(
        [
            record(1, principal="app"),
            record(2, resource="clients"),
            record(3, operation="delete"),
            record(4, row_key="43"),
            record(5, code="grant_missing", status=403),
            record(6, address="2001:db8::1"),
            record(7, stage="shield"),
            record(8),
        ]
    )

    assert found(store, **asked) == expected


def test_pages_follow_each_other_without_gap_or_repeat(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """By id, over several windows, and records that come meanwhile move nothing."""
    monkeypatch.setattr(audit, "WINDOW", 3)
    store.append([record(number) for number in range(1, 11)])
    seen: list[int] = []
    before: int | None = None
    while True:
        page = store.search(Search(), 4, before)
        seen += [each.record.at_ms for each in page.records]
        store.append([record(99)])
        before = page.before
        if before is None:
            break

    assert seen == list(range(10, 0, -1))


def test_a_search_that_takes_too_long_says_where_it_is(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty page with a place to go on from is no end."""
    monkeypatch.setattr(audit, "WINDOW", 2)
    store.append([record(1, code="rare")] + [record(number) for number in range(2, 9)])
    ticks = iter((0.0, 0.0, 99.0))
    monkeypatch.setattr(audit, "monotonic", lambda: next(ticks))
    page = store.search(Search(code="rare"), 10)
    monkeypatch.undo()

    assert (page.records, page.before) == ((), 7)
    assert [each.record.at_ms for each in store.search(Search(code="rare"), 10, page.before).records] == [1]


def test_a_search_since_a_moment_ends_a_day_before_it(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids rise with time but for records that waited for a store that was away; those are still found."""
    monkeypatch.setattr(audit, "WINDOW", 1)
    day = audit.SLACK_MS
    store.append([record(day * 9), record(day), record(day * 10), record(day * 11)])

    assert found(store, since_ms=day * 10) == [day * 11, day * 10]
    assert found(store, since_ms=day * 9) == [day * 11, day * 10], "further back than a day late is not looked"


def test_a_follower_gets_what_is_new_in_its_order(store: AuditStore) -> None:
    """Oldest first, after the last it has seen."""
    store.append([record(1), record(2), record(3, code="x"), record(4)])

    assert [each.id for each in store.after(Search(), 2, 10)] == [3, 4]
    assert [each.id for each in store.after(Search(code="x"), 0, 10)] == [3]
    assert [each.id for each in store.after(Search(), 0, 2)] == [1, 2]
    assert store.last_id() == 4


def test_old_records_go_first_and_in_batches(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction deletes more than a batch."""
    monkeypatch.setattr(audit, "CLEAN_BATCH", 3)
    store.append([record(number) for number in range(1, 9)])

    assert [store.clean(6, 1_000) for _ in range(3)] == [3, 2, 0]
    assert found(store) == [8, 7, 6]


def test_no_more_records_are_kept_than_may(store: AuditStore) -> None:
    """The newest stay, however young the others are; ids of records that went come never again."""
    store.append([record(number) for number in range(1, 9)])

    assert store.clean(0, 3) == 5
    assert found(store) == [8, 7, 6]
    store.clean(100, 3)
    store.append([record(9)])
    assert [each.id for each in store.search(Search(), 10).records] == [9]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"stage": "shield", "code": "uri_too_long"}, True),
        ({"stage": "authenticate", "code": "address_throttled", "principal": None}, True),
        ({"stage": "handler", "principal": None}, True),
        ({"stage": "authenticate", "code": "token_invalid", "principal": None}, True),
        ({"stage": "cors", "code": "origin_forbidden", "principal": None}, True),
        ({"stage": "handler"}, False),
    ],
)
def test_only_what_strangers_can_have_for_nothing_is_sampled(given: dict[str, Any], expected: bool) -> None:
    """Answers of the shield, and whatever nobody known asked for."""
    assert record(1, **given).is_sample == expected


def test_a_follower_gets_every_record_once_though_ids_come_out_of_order(store: AuditStore) -> None:
    """A server gives an id before it commits: the record of a slower transaction comes after one with a higher id."""
    now = [0.0]
    store.append([record(1), record(2)])
    follower = store.follow(Search(), lambda: now[0])
    store.append([record(3), record(4), record(5)])
    with store._write() as connection:
        connection.exec_driver_sql("UPDATE gw_audit SET id = id + 10 WHERE id > 2")
    first = follower.more()
    store.append([record(6)])
    with store._write() as connection:
        connection.exec_driver_sql("UPDATE gw_audit SET id = 8 WHERE at_ms = 6")
    second, third = follower.more(), follower.more()
    now[0] = audit.FOLLOW_SLACK_S
    assert follower.more() == ()

    assert [[each.record.at_ms for each in some] for some in (first, second, third)] == [[3, 4, 5], [6], []]
    assert follower._floor == 15, "what is older is not looked at again"
