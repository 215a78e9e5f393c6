"""The reload counter is one number for everybody who opens the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.state.store import StateStore


def test_every_worker_sees_a_bump(tmp_path: Path) -> None:
    """A second opening of the file stands for a second worker."""
    path = tmp_path / "state.sqlite3"
    with StateStore.open(path) as one, StateStore.open(path) as other:
        assert one.generation.current() == 0
        assert one.generation.bump() == 1
        assert other.generation.current() == 1


def test_concurrent_bumps_all_count(tmp_path: Path) -> None:
    """Writers wait for each other and none is lost."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda _: store.generation.bump(), range(20)))

        assert sorted(numbers) == list(range(1, 21))
