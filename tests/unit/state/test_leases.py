"""Ledgers of rates in the store: one text per name, changed by one at a time, removed when nothing counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway.errors import ConfigurationError, UnavailableError
from gateway.state.leases import LeaseStore
from gateway.state.redis_leases import open_redis
from gateway.state.store import StateStore
from gateway.state.tables import LEASE

NOW = 1_790_000_000.25


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateStore]:
    """An empty store in a file."""
    with StateStore.open(tmp_path / "state.sqlite3") as store:
        yield store


def appended(text: str, now_ms: int) -> tuple[str, int, str]:
    """A change that only counts."""
    return text + "x", now_ms + 1_500, text


def test_a_change_gets_the_text_before_it_and_the_time(state: StateStore) -> None:
    """An empty text where there was none; milliseconds of the store's clock; the answer is passed on."""
    leases = LeaseStore(state.write, lambda: NOW)
    seen: list[tuple[str, int]] = []

    def change(text: str, now_ms: int) -> tuple[str, int, int]:
        seen.append((text, now_ms))
        return "made", now_ms, len(seen)

    answers = [leases.change("token:1", change), leases.change("token:1", change), leases.change("token:2", change)]

    assert answers == [1, 2, 3]
    assert seen == [("", 1_790_000_000_250), ("made", 1_790_000_000_250), ("", 1_790_000_000_250)]


def test_changes_of_many_threads_come_one_after_the_other(state: StateStore) -> None:
    """None is lost, none sees another's half."""
    leases = LeaseStore(state.write)

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: leases.change("token:1", appended), range(80)))

    assert sorted(len(text) for text in seen) == list(range(80))


def test_a_change_that_raises_changes_nothing(state: StateStore) -> None:
    """The transaction is undone."""
    leases = LeaseStore(state.write)
    leases.change("token:1", appended)

    def broken(text: str, now_ms: int) -> tuple[str, int, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leases.change("token:1", broken)

    assert leases.change("token:1", appended) == "x"


def test_ledgers_in_which_nothing_counts_are_removed(state: StateStore) -> None:
    """Not a second before they end: what still counts is not forgotten."""
    clock = [NOW]
    leases = LeaseStore(state.write, lambda: clock[0])
    leases.change("token:1", appended)  # ends at …001.75, which is kept as …002

    clock[0] = NOW + 2
    assert leases.clean() == 0
    clock[0] = NOW + 3
    assert leases.clean() == 1
    with state.read() as connection:
        assert connection.execute(select(LEASE)).all() == []


def test_a_store_that_is_gone_is_unavailable(state: StateStore, tmp_path: Path) -> None:
    """503 state_away, whatever the driver says."""
    leases = LeaseStore(state.write)
    leases.change("token:1", appended)
    with state.write() as connection:
        connection.execute(update(LEASE).values(ends_at=0))
    for path in tmp_path.iterdir():
        path.unlink()

    with pytest.raises(UnavailableError) as caught:
        leases.change("token:1", appended)

    assert caught.value.code == "state_away"


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://:secret@localhost", "redis://", "redis://:secret@host:port/0", "redis:///0"]
)
def test_a_url_that_names_no_redis_is_refused(url: str) -> None:
    """At start, with the form that is right and without what was given, which may hold a password."""
    with pytest.raises(ConfigurationError, match="redis://host:6379/0") as caught:
        open_redis(url)

    assert "secret" not in str(caught.value)


def test_redis_without_its_extra_is_refused_naming_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """At start, not at the first request."""
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ConfigurationError, match=r"perfex-gateway\[redis\]"):
        open_redis("redis://localhost")
