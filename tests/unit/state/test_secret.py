"""Keys that workers share."""

from __future__ import annotations

from pathlib import Path

from gateway.state.secret import shared_key
from gateway.state.store import StateStore


def test_a_key_is_made_once_for_all_who_open_the_store(tmp_path: Path) -> None:
    """Also after it was closed; each name has its own."""
    keys = []
    for _ in range(2):
        with StateStore.open(tmp_path / "state.sqlite3") as one, StateStore.open(tmp_path / "state.sqlite3") as other:
            keys += [shared_key(store.write, "etag") for store in (one, other)]
            assert shared_key(one.write, "cursor") not in keys

    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


def test_every_store_has_keys_of_its_own(tmp_path: Path) -> None:
    """They are random."""
    with StateStore.open(tmp_path / "a.sqlite3") as one, StateStore.open(tmp_path / "b.sqlite3") as other:
        assert shared_key(one.write, "etag") != shared_key(other.write, "etag")
