"""From a token to who is asking: what is remembered, for how long, and when the store is asked."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from gateway.errors import CredentialError, InternalError, UnavailableError
from gateway.security.authenticate import REFRESH_S, REUSE_S, Authenticator, Known
from gateway.security.tokens import digest_of, new_token, token_of
from gateway.state.tokens import TokenRecord

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = token_of(bytes(range(32))).encode()
OTHER = token_of(bytes(32)).encode()
PEPPER = "a pepper of thirty-two characters"


def record(**changes: object) -> TokenRecord:
    values: dict[str, object] = {
        "id": 1,
        "name": "bi",
        "prefix": "gw_live_0000",
        "digest": digest_of(TOKEN),
        "grants": ("*:read",),
        "is_admin": False,
        "staff_id": None,
        "created_at": START,
        "expires_at": None,
        "revoked_at": None,
    }
    return TokenRecord(**(values | changes))  # type: ignore[arg-type]  # the test's own mapping


class World:
    """A store of one token, a clock, and the looks into the store, each with its digests."""

    def __init__(self) -> None:
        self.stored: TokenRecord | None = record()
        self.looks: list[tuple[bytes, ...]] = []
        self.seconds = 0.0
        self.before_answer: Callable[[], object] = lambda: None

    def find(self, digests: Sequence[bytes]) -> tuple[TokenRecord, ...]:
        self.looks.append(tuple(digests))
        stored = self.stored
        self.before_answer()
        return (stored,) if stored and stored.digest in digests else ()

    def clock(self) -> float:
        return (START + timedelta(seconds=self.seconds)).timestamp()

    def authenticator(self, *, pepper: str = "", most_known: int = 100) -> Authenticator:
        return Authenticator(
            self.find, pepper=pepper, clock=self.clock, monotonic=lambda: self.seconds, most_known=most_known
        )


async def authenticated(authenticator: Authenticator, token: bytes = TOKEN) -> Known:
    """Return what the stage does with a token: what is known at once, or else what is found."""
    return authenticator.known(token) or await authenticator.find(token)


async def settle() -> None:
    """Let what goes on in the background come to its end."""
    for _ in range(200):
        await asyncio.sleep(0.001)
        if not any("Batches" in repr(task.get_coro()) for task in asyncio.all_tasks()):
            return
    raise AssertionError("something goes on and on")


async def test_a_stored_token_gives_its_principal() -> None:
    """With everything the store knows of it."""
    world = World()
    ends = START + timedelta(days=1)
    world.stored = record(is_admin=True, staff_id=3, expires_at=ends, policy='{"is_signed": true}')
    known = await authenticated(world.authenticator())
    found = known.principal

    assert (found.token_id, found.name, found.grants, found.is_admin, found.staff_id) == (1, "bi", ("*:read",), True, 3)
    assert found.expires_at == found.ends_at == ends
    assert found.policy.is_signed
    assert (known.digest, known.is_peppered) == (digest_of(TOKEN), False)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        record(expires_at=START),
        record(revoked_at=START),
        record(expires_at=START - timedelta(days=1), revoked_at=START + timedelta(days=1)),
        record(digest=digest_of(OTHER)),
    ],
)
async def test_unknown_expired_and_revoked_tokens_are_refused_alike(stored: TokenRecord | None) -> None:
    """The answer does not tell which it was."""
    world = World()
    world.stored = stored
    with pytest.raises(CredentialError) as caught:
        await authenticated(world.authenticator())

    assert caught.value.code == "token_invalid"
    assert TOKEN.decode() not in str(caught.value)


async def test_a_digest_that_only_the_store_takes_for_equal_is_refused() -> None:
    """What the store hands back is compared once more, in constant time."""
    authenticator = Authenticator(lambda _: (record(digest=bytes(32)),), clock=START.timestamp)
    with pytest.raises(CredentialError):
        await authenticated(authenticator)


async def test_a_mistyped_token_never_reaches_the_store() -> None:
    """The checksum is enough."""
    world = World()
    with pytest.raises(CredentialError):
        await authenticated(world.authenticator(), TOKEN[:-1] + b"!")

    assert world.looks == []


async def test_a_known_token_asks_nobody_and_stays_the_same_object() -> None:
    """Accesses and plans are kept per principal, so it must not change without need."""
    world = World()
    authenticator = world.authenticator()
    first = await authenticated(authenticator)
    world.seconds = REFRESH_S - 0.01

    assert authenticator.known(TOKEN) is first
    assert len(world.looks) == 1


async def test_a_token_in_use_is_looked_up_again_in_the_background() -> None:
    """Nobody waits, one look is enough for all who use it, and the principal stays the same object."""
    world = World()
    authenticator = world.authenticator()
    first = await authenticated(authenticator)
    for seconds in (0.3, 0.6, 0.9, 1.2):
        world.seconds = seconds
        assert [authenticator.known(TOKEN) is not None for _ in range(3)] == [True] * 3
        await settle()

    assert len(world.looks) == 5
    assert authenticator.lookups == 5
    last = authenticator.known(TOKEN)
    assert last is not None
    assert last.principal is first.principal


async def test_a_late_answer_makes_requests_wait_and_lets_nobody_pass() -> None:
    """What the store said is good from the moment it was asked, not from the one it answered."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    may_answer = threading.Event()
    world.before_answer = lambda: may_answer.wait(10)
    world.seconds = 0.3
    assert authenticator.known(TOKEN) is not None
    await asyncio.sleep(0.01)
    world.stored = record(revoked_at=START)
    world.seconds = REUSE_S
    assert authenticator.known(TOKEN) is None
    waiting = asyncio.ensure_future(authenticated(authenticator))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    may_answer.set()

    with pytest.raises(CredentialError):  # the look that began before the revocation does not help it
        await waiting
    assert len(world.looks) == 3


async def test_a_revocation_is_felt_within_the_time_of_reuse() -> None:
    """Nothing has to be told to the workers, even where no look in the background found it."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.stored = record(revoked_at=START)
    world.seconds = REUSE_S
    with pytest.raises(CredentialError):
        await authenticated(authenticator)


async def test_a_revocation_that_the_background_finds_is_felt_at_once() -> None:
    """The token is forgotten as soon as the store says so."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.stored = None
    world.seconds = REFRESH_S
    assert authenticator.known(TOKEN) is not None
    await settle()

    assert authenticator.known(TOKEN) is None


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
async def test_an_expiry_and_the_end_of_an_overlap_are_felt_at_their_moment(end: str) -> None:
    """A token is not remembered beyond its end."""
    world = World()
    world.stored = record(**{end: START + timedelta(seconds=0.1)})
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.seconds = 0.0999
    assert authenticator.known(TOKEN) is not None
    world.seconds = 0.1
    with pytest.raises(CredentialError):
        await authenticated(authenticator)


async def test_a_token_that_ends_while_the_store_is_asked_is_refused() -> None:
    """However long the store takes."""
    world = World()
    world.stored = record(expires_at=START + timedelta(seconds=1))

    def tarry() -> None:
        world.seconds = 1.0

    world.before_answer = tarry
    with pytest.raises(CredentialError):
        await authenticated(world.authenticator())


async def test_changed_grants_are_felt_with_the_next_look() -> None:
    """The new principal replaces the old one."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.stored = record(grants=("clients:read",))
    world.seconds = REUSE_S

    assert (await authenticated(authenticator)).principal.grants == ("clients:read",)


async def test_an_unknown_token_is_remembered_as_unknown() -> None:
    """Repeating it costs the store nothing, and a token made meanwhile works as soon as that is over."""
    world = World()
    world.stored = None
    authenticator = world.authenticator()
    for _ in range(5):
        with pytest.raises(CredentialError):
            await authenticated(authenticator)
    assert len(world.looks) == 1

    world.stored = record()
    world.seconds = REUSE_S
    assert (await authenticated(authenticator)).principal.token_id == 1


async def test_forgetting_asks_the_store_again() -> None:
    """For whoever knows that tokens have changed."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    authenticator.forget()
    await authenticated(authenticator)

    assert len(world.looks) == 2


async def test_forgetting_takes_nobody_for_a_guesser() -> None:
    """A token that was valid is still known as such, until the store says otherwise, and its principal is the same."""
    world = World()
    authenticator = world.authenticator()
    first = await authenticated(authenticator)
    authenticator.forget()

    assert authenticator.known(TOKEN) is None
    assert authenticator.was_valid(TOKEN)
    assert (await authenticated(authenticator)).principal is first.principal


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
async def test_a_token_that_has_ended_is_told_from_one_that_never_was(end: str) -> None:
    """Also by a worker that never saw it at work: the store has its record."""
    world = World()
    world.stored = record(**{end: START})
    authenticator = world.authenticator()
    for token in (TOKEN, OTHER, b"gw_live_guess"):
        with pytest.raises(CredentialError):
            await authenticated(authenticator, token)

    assert [authenticator.has_ended(token) for token in (TOKEN, OTHER, b"gw_live_guess")] == [True, False, False]


async def test_a_flood_of_unknown_tokens_does_not_push_out_the_known_one() -> None:
    """Both memories are bounded, and they are apart."""
    world = World()
    authenticator = world.authenticator(most_known=8)
    await authenticated(authenticator)
    for _ in range(50):
        with pytest.raises(CredentialError):
            await authenticated(authenticator, new_token().text.encode())

    assert authenticator.known(TOKEN) is not None


async def test_of_more_tokens_than_are_kept_the_ones_longest_unused_go() -> None:
    """A crowd of valid tokens cannot fill the memory either."""
    texts = [new_token().text.encode() for _ in range(10)]
    records = {digest_of(text): record(id=number, digest=digest_of(text)) for number, text in enumerate(texts)}
    authenticator = Authenticator(lambda digests: [records[digest] for digest in digests], most_known=8)
    for text in texts:
        await authenticated(authenticator, text)

    assert [authenticator.was_valid(text) for text in texts] == [False] * 2 + [True] * 8


async def test_a_token_counts_as_one_that_was_valid_until_the_store_says_otherwise() -> None:
    """So that who shares an address with a guesser can go on after a pause."""
    world = World()
    authenticator = world.authenticator()
    assert not authenticator.was_valid(TOKEN)
    await authenticated(authenticator)
    world.seconds = 3_600.0
    assert authenticator.was_valid(TOKEN)
    world.stored = None
    with pytest.raises(CredentialError):
        await authenticated(authenticator)

    assert not authenticator.was_valid(TOKEN)


async def test_requests_that_arrive_together_share_one_look() -> None:
    """Those of other tokens share it too."""
    world = World()
    authenticator = world.authenticator()
    tokens = [TOKEN] * 20 + [OTHER]
    found = await asyncio.gather(*(authenticated(authenticator, text) for text in tokens), return_exceptions=True)

    assert world.looks == [(digest_of(TOKEN), digest_of(OTHER))]
    assert len({id(known) for known in found[:20]}) == 1
    assert isinstance(found[20], CredentialError)


async def test_a_store_that_fails_is_not_remembered() -> None:
    """Requests get 503, those with a token that was valid a moment ago too; the next one asks again."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.seconds = REUSE_S

    def fail() -> None:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))

    world.before_answer = fail
    with pytest.raises(UnavailableError) as caught:
        await authenticated(authenticator)
    assert (caught.value.code, caught.value.headers["Retry-After"]) == ("state_away", "1")

    world.before_answer = lambda: None
    assert (await authenticated(authenticator)).principal.token_id == 1


async def test_a_failure_in_the_background_is_felt_when_the_time_is_over() -> None:
    """Until then the token is good, as it would be had nobody asked."""
    world = World()
    authenticator = world.authenticator()
    await authenticated(authenticator)
    world.before_answer = lambda: 1 / 0
    world.seconds = REFRESH_S
    assert authenticator.known(TOKEN) is not None
    await settle()
    assert authenticator.known(TOKEN) is not None
    world.seconds = REUSE_S

    with pytest.raises(ZeroDivisionError):
        await authenticated(authenticator)


async def test_a_record_that_cannot_be_read_fails_its_own_token_alone() -> None:
    """Whoever came with another token in the same look is not concerned; a token known before is known no more."""
    other = record(id=2, digest=digest_of(OTHER))
    stored = {digest_of(TOKEN): record(), digest_of(OTHER): other}
    seconds = 0.0
    authenticator = Authenticator(
        lambda digests: [stored[digest] for digest in digests], clock=START.timestamp, monotonic=lambda: seconds
    )
    await authenticated(authenticator)
    stored[digest_of(TOKEN)] = record(policy="{")
    seconds = REUSE_S
    bad, good = await asyncio.gather(
        *(authenticated(authenticator, text) for text in (TOKEN, OTHER)), return_exceptions=True
    )

    assert isinstance(bad, InternalError)
    assert "token 1" in str(bad.__cause__)
    assert isinstance(good, Known)
    assert authenticator.known(TOKEN) is None
    assert not authenticator.was_valid(TOKEN)


async def test_with_a_pepper_tokens_are_found_under_either_digest_by_one_look() -> None:
    """Tokens made before there was a pepper stay valid; which kind it is matters for its signing secret."""
    world = World()
    authenticator = world.authenticator(pepper=PEPPER)
    old = await authenticated(authenticator)
    world.stored = record(digest=digest_of(TOKEN, PEPPER))
    authenticator.forget()
    new = await authenticated(authenticator)

    assert world.looks == [(digest_of(TOKEN, PEPPER), digest_of(TOKEN))] * 2
    assert (old.is_peppered, new.is_peppered) == (False, True)
    assert (old.digest, new.digest) == (digest_of(TOKEN), digest_of(TOKEN, PEPPER))


async def test_without_the_pepper_its_tokens_are_unknown() -> None:
    """As with another one: the store alone is of no use."""
    world = World()
    world.stored = record(digest=digest_of(TOKEN, PEPPER))
    for pepper in ("", PEPPER + "!"):
        with pytest.raises(CredentialError):
            await authenticated(world.authenticator(pepper=pepper))


async def test_no_token_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the memory nor the log holds the text."""
    caplog.set_level(logging.DEBUG)
    authenticator = World().authenticator()
    await authenticated(authenticator)
    kept = {name: getattr(authenticator, name) for name in vars(authenticator)}

    assert TOKEN.decode() not in repr(kept) + caplog.text


@given(st.binary(max_size=80))
def test_garbage_never_authenticates(token: bytes) -> None:
    """Whatever is presented."""
    with pytest.raises(CredentialError) as caught:
        asyncio.run(authenticated(World().authenticator(), token))

    assert caught.value.code == "token_invalid"
