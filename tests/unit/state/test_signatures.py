"""Each signature is taken once, whoever asks, and forgotten when it would be accepted no more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.state.signatures import BEHIND_EVERY_S, MOST_CLEANED, SignatureStore
from gateway.state.store import StateStore
from gateway.state.tables import SIGNATURE

UNTIL = 2_000_000_000


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore.open(str(tmp_path / "state.sqlite3")) as store:
        yield store


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def count(state: StateStore) -> int:
    with state.read() as connection:
        return int(connection.execute(select(func.count()).select_from(SIGNATURE)).scalar_one())


def test_a_signature_is_new_once(state: StateStore) -> None:
    """To every store object on the same file."""
    one, other = SignatureStore(state.write), SignatureStore(state.write)

    assert one.claim([(digest(1), UNTIL), (digest(2), UNTIL)]) == {digest(1), digest(2)}
    assert other.claim([(digest(2), UNTIL), (digest(3), UNTIL)]) == {digest(3)}
    assert one.claim([(digest(1), UNTIL)]) == frozenset()


def test_of_many_at_once_one_gets_each(state: StateStore) -> None:
    """Eight threads, each with a store object of its own, want the same fifty."""
    wanted = [(digest(number), UNTIL) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: SignatureStore(state.write).claim(wanted), range(8)))

    assert sum(map(len, got)) == 50
    assert frozenset().union(*got) == {signature for signature, _ in wanted}


def test_signatures_that_are_over_are_removed_bit_by_bit(state: StateStore) -> None:
    """Those that would still be accepted stay. Where there are many more, the next go is soon: none are left behind."""
    now = 1_000.0
    store = SignatureStore(state.write, clock=lambda: now)
    store.claim([(digest(number), 1_300) for number in range(MOST_CLEANED + 10)])
    store.claim([(digest(9_000), 1_400)])
    now = 1_301.0
    store.claim([(digest(9_001), 1_600)])
    assert count(state) == 12
    now = 1_301.0 + BEHIND_EVERY_S
    store.claim([(digest(9_002), 1_600)])

    assert count(state) == 3
    assert store.claim([(digest(9_000), 1_400)]) == frozenset()
