"""Signatures in each kind of store: however many nodes take one at the same moment, one of them gets it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from gateway.security.tokens import digest_of, digests_of, new_token
from gateway.state.signatures import SignatureStore
from gateway.state.store import StateStore
from gateway.state.tables import SIGNATURE
from gateway.state.tokens import NewToken

UNTIL = 2_000_000_000
PEPPER = "0123456789abcdef0123456789abcdef"


def test_of_many_nodes_at_once_one_takes_each_signature(state_place: str) -> None:
    """Four nodes, two threads each, in batches that overlap and are asked for in different orders."""
    wanted = [(number.to_bytes(32, "big"), UNTIL) for number in range(40)]

    def take(store: SignatureStore, seed: int) -> list[bytes]:
        order = random.Random(seed).sample(wanted, len(wanted))
        return [signature for start in range(0, 40, 8) for signature in store.claim(order[start : start + 8])]

    nodes = [StateStore.open(state_place) for _ in range(4)]
    try:
        stores = [SignatureStore(node.write) for node in nodes] * 2
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(take, stores, range(8)))
    finally:
        for node in nodes:
            node.close()

    assert sorted(signature for signatures in got for signature in signatures) == sorted(dict(wanted))


def test_what_is_over_is_removed(state_place: str) -> None:
    """In every dialect."""
    now = 1_000.0
    with StateStore.open(state_place) as state:
        store = SignatureStore(state.write, clock=lambda: now)
        store.claim([(b"\1" * 32, 1_300), (b"\2" * 32, 1_400)])
        now = 1_301.0
        store.claim([(b"\3" * 32, 1_600)])
        with state.read() as connection:
            count = connection.execute(select(func.count()).select_from(SIGNATURE)).scalar_one()

    assert count == 2


def test_tokens_are_found_by_either_digest_in_one_statement(state_place: str) -> None:
    """With a pepper and from the time before."""
    with StateStore.open(state_place) as state:
        old, new, other = new_token(), new_token(PEPPER), new_token()
        for name, token in (("old", old), ("new", new), ("other", other)):
            state.tokens.create(NewToken(name, token.digest, token.prefix, ("*:read",)))
        asked = [digest for token in (old, new) for digest in digests_of(token.text.encode(), PEPPER)]
        found = {record.name: record.digest for record in state.tokens.by_digests(asked)}

    assert found == {"old": digest_of(old.text.encode()), "new": digest_of(new.text.encode(), PEPPER)}
