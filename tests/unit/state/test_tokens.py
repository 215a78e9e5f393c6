"""Stored tokens: names, ends, rotation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.state.store import StateStore
from gateway.state.tokens import BATCH, NewToken, TokenRecord

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now.timestamp()

    def advance(self, **span: int) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[StateStore]:
    with StateStore.open(tmp_path / "state.sqlite3", clock=clock) as opened:
        yield opened


def made(store: StateStore, name: str = "bi", number: int = 1, expires_at: datetime | None = None) -> TokenRecord:
    grants = ("invoices:read", "Ünïcode:*")
    return store.tokens.create(NewToken(name, bytes([number]) * 32, f"gw_live_{number}", grants, True, 3, expires_at))


def test_a_token_is_read_back_as_it_was_made(store: StateStore) -> None:
    """Every value survives, and the digest finds it."""
    record = made(store, expires_at=START + timedelta(days=90))

    assert store.tokens.by_digest(b"\1" * 32) == record
    assert record == TokenRecord(
        id=1,
        name="bi",
        prefix="gw_live_1",
        digest=b"\1" * 32,
        grants=("invoices:read", "Ünïcode:*"),
        is_admin=True,
        staff_id=3,
        created_at=START,
        expires_at=START + timedelta(days=90),
        revoked_at=None,
    )


def test_an_unknown_digest_finds_nothing(store: StateStore) -> None:
    """None, not an error: most wrong tokens are simply unknown."""
    made(store)

    assert store.tokens.by_digest(b"\2" * 32) is None


def test_a_name_belongs_to_one_working_token(store: StateStore) -> None:
    """The second of a name is refused with the commands that help."""
    made(store)
    with pytest.raises(ConfigurationError, match=r"token rotate bi` or `gateway token revoke bi"):
        made(store, number=2)


@pytest.mark.parametrize("ending", ["revoked", "expired"])
def test_an_ended_token_gives_its_name_back(store: StateStore, clock: Clock, ending: str) -> None:
    """The old record stays for the list, with its end."""
    old = made(store, expires_at=START + timedelta(days=1))
    if ending == "revoked":
        store.tokens.revoke("bi")
    clock.advance(days=2)
    new = made(store, number=2)

    assert store.tokens.find("bi") == new
    assert [record.id for record in store.tokens.all()] == [old.id, new.id]
    assert not store.tokens.all()[0].is_active(clock.now)


def test_a_token_works_until_the_moment_it_expires(store: StateStore) -> None:
    """The end itself is outside."""
    end = START + timedelta(days=1)
    record = made(store, expires_at=end)

    assert record.is_active(end - timedelta(seconds=1))
    assert not record.is_active(end)


def test_revoking_ends_a_token_at_once(store: StateStore, clock: Clock) -> None:
    """The same second counts as after."""
    made(store)
    (ended,) = store.tokens.revoke("bi")

    assert ended.revoked_at == START
    assert not ended.is_active(clock.now)


@pytest.mark.parametrize("name_or_id", ["bi", "1"])
def test_a_token_is_found_by_name_and_by_id(store: StateStore, name_or_id: str) -> None:
    """Both appear in the list."""
    made(store)
    other = made(store, "other", 2)

    assert [record.id for record in store.tokens.revoke(name_or_id)] == [1]
    assert store.tokens.find("other") == other


def test_revoking_twice_changes_nothing(store: StateStore, clock: Clock) -> None:
    """The first end stays on record."""
    made(store)
    store.tokens.revoke("bi")
    clock.advance(hours=1)

    assert store.tokens.revoke("bi") == ()
    assert store.tokens.all()[0].revoked_at == START


@pytest.mark.parametrize("name", ["nobody", "7", "", "9" * 40, "٣"])
def test_revoking_what_is_not_there_is_an_error(store: StateStore, name: str) -> None:
    """A mistyped name must not look like success."""
    made(store)
    with pytest.raises(ConfigurationError, match="There is no token"):
        store.tokens.revoke(name)


def test_rotation_keeps_everything_but_the_secret(store: StateStore) -> None:
    """Name, grants, flags and expiry pass to the new token."""
    old = made(store, expires_at=START + timedelta(days=90))
    new = store.tokens.rotate("bi", b"\2" * 32, "gw_live_2")

    kept = ("name", "grants", "is_admin", "staff_id", "expires_at")
    assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]
    assert (new.digest, new.prefix, new.revoked_at) == (b"\2" * 32, "gw_live_2", None)


def test_both_tokens_work_during_the_overlap(store: StateStore, clock: Clock) -> None:
    """The old one ends by itself when the overlap does."""
    made(store)
    new = store.tokens.rotate("bi", b"\2" * 32, "gw_live_2", overlap_s=3600)
    old = store.tokens.all()[0]

    assert old.is_active(START + timedelta(minutes=59))
    assert not old.is_active(START + timedelta(hours=1))
    assert store.tokens.find("bi") == new


def test_revoking_a_name_ends_the_overlap_too(store: StateStore, clock: Clock) -> None:
    """A leaked token is not spared because it was about to go."""
    made(store)
    store.tokens.rotate("bi", b"\2" * 32, "gw_live_2", overlap_s=3600)
    ended = store.tokens.revoke("bi")

    assert [(record.id, record.is_active(clock.now)) for record in ended] == [(1, False), (2, False)]


def test_revoking_by_id_ends_the_overlap_too(store: StateStore, clock: Clock) -> None:
    """The id of the current token means what its name does; another name's tokens are not concerned."""
    made(store)
    other = made(store, "other", 3)
    new = store.tokens.rotate("bi", b"\2" * 32, "gw_live_2", overlap_s=3600)
    ended = store.tokens.revoke(str(new.id))

    assert [record.is_active(clock.now) for record in ended] == [False, False]
    assert {record.name for record in ended} == {"bi"}
    assert store.tokens.find("other") == other


def test_revoking_a_superseded_token_by_id_ends_that_one_alone(store: StateStore, clock: Clock) -> None:
    """Its overlap is cut short; the one that replaced it works on."""
    old = made(store)
    new = store.tokens.rotate("bi", b"\2" * 32, "gw_live_2", overlap_s=3600)
    ended = store.tokens.revoke(str(old.id))

    assert [record.id for record in ended] == [old.id]
    assert store.tokens.find("bi") == new


def test_rotating_an_ended_token_is_an_error(store: StateStore) -> None:
    """A revoked token does not come back under a new secret."""
    made(store)
    store.tokens.revoke("bi")
    with pytest.raises(ConfigurationError, match='no working token "bi"'):
        store.tokens.rotate("bi", b"\2" * 32, "gw_live_2")


@pytest.mark.parametrize("name", ["jwt:alice", "JWT:alice", "", " bi", "bi ", "x" * 191])
def test_some_names_are_not_for_tokens(store: StateStore, name: str) -> None:
    """Those of an identity provider's principals, and what no list could show or no column could hold."""
    with pytest.raises(ConfigurationError, match="A token's name"):
        made(store, name)

    assert store.tokens.all() == ()


def test_a_revoked_token_is_over_by_every_clock(store: StateStore) -> None:
    """A node whose clock is behind must not let it in until its own moment comes."""
    made(store)
    store.tokens.revoke("bi")
    made(store, number=2)
    store.tokens.rotate("bi", b"\3" * 32, "gw_live_3")

    behind = START - timedelta(hours=1)
    assert [record.is_active(behind) for record in store.tokens.all()] == [False, False, True]


def test_tokens_are_found_by_any_of_their_digests(store: StateStore) -> None:
    """In one statement, for those that were asked for at a time; what is unknown is left out."""
    for number in (1, 2, 3):
        made(store, f"token {number}", number)
    found = store.tokens.by_digests([b"\1" * 32, b"\3" * 32, b"\7" * 32])

    assert sorted(record.name for record in found) == ["token 1", "token 3"]
    assert store.tokens.by_digests([]) == ()


def test_last_uses_are_noted_together_and_never_go_back(store: StateStore) -> None:
    """Another node may have noted a later moment; a token that is not there is none of it."""
    for number in (1, 2, 3):
        made(store, f"token {number}", number)
    later = START + timedelta(minutes=5)
    store.tokens.touch({1: START.timestamp(), 2: later.timestamp() + 0.7, 99: START.timestamp()})
    store.tokens.touch({2: START.timestamp(), 1: later.timestamp()})

    assert [record.last_used_at for record in store.tokens.all()] == [later, later, None]


def test_more_last_uses_than_one_statement_names_are_noted(store: StateStore) -> None:
    """Ids that are not there cost nothing but their place."""
    made(store)
    store.tokens.touch({number: START.timestamp() for number in range(1, 2 * BATCH + 2)})

    assert store.tokens.all()[0].last_used_at == START
