"""Claims in a store on a server: what `tests/unit/state/test_idempotency.py` says of a file holds there too."""
# ruff: noqa: F403, F405  # the same tests, with another store

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gateway.state.idempotency import KEPT_S, IdempotencyStore
from gateway.state.store import StateStore
from tests.unit.state.test_idempotency import *


@pytest.fixture  # type: ignore[no-redef]  # in place of the file of those tests
def store(state_url: str, now: Now) -> Iterator[IdempotencyStore]:
    with StateStore.open(state_url, clock=now) as opened:
        yield opened.idempotency


@pytest.mark.parametrize("is_spent", [False, True])
def test_of_many_nodes_at_once_one_takes_each_claim(state_place: str, now: Now, is_spent: bool) -> None:
    """Whether the key is new, or an old refusal stands under it; for thirty keys, of which each is a race."""
    stores = [StateStore.open(state_place, clock=now) for _ in range(4)]
    if is_spent:
        for number in range(30):
            old = replace(CLAIM, key=bytes([number]))
            stores[0].idempotency.claim(old)
            stores[0].idempotency.finish(old, REFUSED)
        now.moment += KEPT_S

    def claimed(number: int) -> str:
        claim = replace(CLAIM, key=bytes([number // 8]), holder=bytes([number % 8]))
        return stores[number % 4].idempotency.claim(claim).standing

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(claimed, range(30 * 8)))
    for opened in stores:
        opened.close()

    assert [sorted(found[at : at + 8]) for at in range(0, 240, 8)] == [["running"] * 7 + ["taken"]] * 30
