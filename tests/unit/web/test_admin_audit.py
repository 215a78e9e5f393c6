"""What can be asked of the trail, and how a record is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.errors import RequestError
from gateway.state.audit import AuditRecord, Search, StoredRecord
from gateway.web.admin_audit import describe, parse_search

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Search()),
        ({"principal": "bi", "row": "7,a"}, Search(principal="bi", row="7,a")),
        ({"status": "404"}, Search(status=(404, 404))),
        ({"status": "5XX"}, Search(status=(500, 599))),
        ({"since": "90min"}, Search(since_ms=NOW_MS - 90 * 60_000)),
        ({"until": "2026-11-21T13:00:00+01:00"}, Search(until_ms=NOW_MS)),
        ({"since": "2026-11-21"}, Search(since_ms=NOW_MS - 12 * 3_600_000)),
        ({"operation": "update"}, Search(operation="update")),
    ],
)
def test_filters_are_read(given: dict[str, str], expected: Search) -> None:
    """Moments without a zone are UTC; a span is before now."""
    assert parse_search(given, NOW) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"status": "600"},
        {"status": "4x"},
        {"status": ""},
        {"since": "yesterday"},
        {"since": "999999999w"},
        {"until": "2026-13-01"},
        {"operation": "drop"},
        {"principal": "a\x00b"},
    ],
)
def test_what_is_no_filter_is_refused_by_name(given: dict[str, str]) -> None:
    """Nothing is left out silently."""
    with pytest.raises(RequestError) as caught:
        parse_search(given, NOW)

    assert caught.value.code == "parameter_invalid"
    assert [issue.parameter for issue in caught.value.issues] == list(given)


def record(**given: object) -> StoredRecord:
    usual = AuditRecord(
        NOW_MS + 5, "id", "bi", 7, "::1", "GET", "/x", None, None, None, 25, 200, None, "handler", 1_500
    )
    return StoredRecord(3, usual._replace(**given))  # type: ignore[arg-type]  # of the columns' types


def test_a_record_is_shown_with_its_moment_and_duration() -> None:
    """In UTC, to the millisecond."""
    shown = describe(record())

    assert (shown["id"], shown["at"], shown["duration_ms"]) == (3, "2026-11-21T12:00:00.005Z", 1.5)
    assert (shown["rows"], shown["stands_for"]) == (25, 1)


def test_a_sample_says_how_many_it_stands_for() -> None:
    """Which is no number of rows."""
    shown = describe(record(stage="shield", principal=None, code="uri_too_long", status=414, rows=100))

    assert (shown["rows"], shown["stands_for"]) == (None, 100)
