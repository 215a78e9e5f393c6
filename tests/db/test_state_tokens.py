"""Tokens in a store on a server: what `tests/unit/state/test_tokens.py` says of a file holds there too."""
# ruff: noqa: F403, F405  # the same tests, with another store

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import ConfigurationError
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken
from tests.unit.state.test_tokens import *


@pytest.fixture  # type: ignore[no-redef]  # in place of the file of those tests
def store(state_url: str, clock: Clock) -> Iterator[StateStore]:
    with StateStore.open(state_url, clock=clock) as opened:
        yield opened


def test_names_differ_by_case_accent_and_script_everywhere(store: StateStore) -> None:
    """A server's own idea of equal texts is not asked: one name must not end another's token."""
    names = ("bi", "BI", "bí", "ßi", "ssi")
    for number, name in enumerate(names, 1):
        made(store, name, number)
    store.tokens.revoke("BI")

    assert [record.name for record in store.tokens.all() if record.revoked_at is None] == ["bi", "bí", "ßi", "ssi"]
    assert store.tokens.find("Ssi") is None


def test_of_many_that_make_one_name_at_once_one_does(state_place: str) -> None:
    """Through as many openings of the store as there are nodes."""
    stores = [StateStore.open(state_place) for _ in range(4)]

    def make(number: int) -> str:
        try:
            stores[number % 4].tokens.create(NewToken("bi", bytes([number]) * 32, "gw_live_x", ("*:*",)))
        except ConfigurationError as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(make, range(8)))
    for opened in stores:
        opened.close()

    assert said.count("made") == 1
    assert sum('A token named "bi" exists' in text for text in said) == 7


def test_of_many_rotations_at_once_one_token_is_left(state_place: str) -> None:
    """Each ends the one before it: nobody's overlap leaves two current ones."""
    stores = [StateStore.open(state_place) for _ in range(4)]
    made(stores[0])
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: stores[n % 4].tokens.rotate("bi", bytes([n]) * 32, "gw_live_x"), range(2, 10)))
    records = stores[0].tokens.all()
    for opened in stores:
        opened.close()

    assert len(records) == 9
    assert [record.is_revoked for record in records] == [True] * 8 + [False]
