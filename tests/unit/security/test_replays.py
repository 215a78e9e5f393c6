"""A signed request is answered within its time, when its signature fits, and once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError

from gateway.errors import CredentialError, UnavailableError
from gateway.security.replays import SLACK_S, SignatureCheck
from gateway.security.signatures import SentSignature, signature_of, signing_secret

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600.0
DIGEST = bytes(range(32))
SHARED = b"the key of the store"
PEPPER = "a pepper of thirty-two characters"
TEXT = b"GET\n/api/v1/invoices\n\n\n1767225600"


class World:
    """A store of signatures and a clock."""

    def __init__(self, pepper: str = "") -> None:
        self.taken: dict[bytes, int] = {}
        self.claims: list[int] = []
        self.now = NOW
        self.check = SignatureCheck(self.claim, SHARED, pepper=pepper, clock=lambda: self.now)

    def claim(self, signatures: Sequence[tuple[bytes, int]]) -> frozenset[bytes]:
        self.claims.append(len(signatures))
        new = {signature: until for signature, until in signatures if signature not in self.taken}
        self.taken |= new
        return frozenset(new)

    async def passes(self, sent: SentSignature, *, text: bytes = TEXT, is_peppered: bool = False) -> None:
        await self.check.check(sent, text, DIGEST, is_peppered=is_peppered)


def signed(key: bytes = SHARED, timestamp: bytes = b"1767225600", text: bytes = TEXT) -> SentSignature:
    return SentSignature(signature_of(signing_secret(key, DIGEST), text), timestamp)


def headers(timestamp: float) -> list[tuple[bytes, bytes]]:
    return [(b"x-signature", b"v1=" + b"00" * 32), (b"x-signature-timestamp", b"%d" % timestamp)]


def test_a_token_that_asks_for_signatures_gets_no_answer_without() -> None:
    """And the refusal says what to send."""
    with pytest.raises(CredentialError) as caught:
        World().check.sent([(b"host", b"crm.example")])

    assert caught.value.code == "signature_missing"


@pytest.mark.parametrize("off_s", [-300, -1, 0, 1, 300])
def test_a_time_within_the_window_is_near_enough(off_s: int) -> None:
    """Before and after, for clocks go both ways."""
    assert World().check.sent(headers(NOW + off_s)).moment == NOW + off_s


@pytest.mark.parametrize(("off_s", "words"), [(-301, "301 seconds behind"), (301, "301 seconds ahead of")])
def test_a_time_outside_the_window_is_refused_with_how_far_it_is_off(off_s: int, words: str) -> None:
    """A clock that goes wrong is the usual reason."""
    with pytest.raises(CredentialError) as caught:
        World().check.sent(headers(NOW + off_s))

    assert caught.value.code == "signature_invalid"
    assert words in caught.value.detail


async def test_the_right_signature_passes_once() -> None:
    """And never again."""
    world = World()
    await world.passes(signed())
    with pytest.raises(CredentialError) as caught:
        await world.passes(signed())

    assert caught.value.code == "signature_replayed"


async def test_of_the_same_signature_at_the_same_time_one_passes() -> None:
    """However many come in one batch."""
    world = World()
    ended = await asyncio.gather(*(world.passes(signed()) for _ in range(10)), return_exceptions=True)

    assert ended.count(None) == 1
    assert {error.code for error in ended if isinstance(error, CredentialError)} == {"signature_replayed"}


async def test_a_wrong_signature_is_refused_and_takes_no_place() -> None:
    """Of another text, of another key; the right one passes afterwards."""
    world = World()
    for wrong in (signed(text=TEXT + b"0"), signed(key=b"another"), SentSignature(bytes(32), b"1767225600")):
        with pytest.raises(CredentialError) as caught:
            await world.passes(wrong)
        assert caught.value.code == "signature_invalid"

    assert world.taken == {}
    await world.passes(signed())


async def test_what_has_no_digest_has_no_secret() -> None:
    """A JWT: nobody was given anything to sign with."""
    check = World().check
    secret = signing_secret(SHARED, b"")
    with pytest.raises(CredentialError):
        await check.check(SentSignature(signature_of(secret, TEXT), b"1767225600"), TEXT, b"", is_peppered=False)


async def test_a_token_older_than_the_pepper_keeps_its_secret() -> None:
    """It was shown once, and nobody could find out the new one."""
    world = World(PEPPER)
    await world.passes(signed(SHARED))
    await world.passes(signed(PEPPER.encode()), is_peppered=True)
    with pytest.raises(CredentialError):
        await world.passes(signed(SHARED, text=TEXT + b"0"), text=TEXT + b"0", is_peppered=True)


async def test_a_signature_is_known_for_as_long_as_it_would_be_accepted() -> None:
    """And a little longer, for nodes whose clocks differ."""
    world = World()
    await world.passes(signed(timestamp=b"1767225899.9"))

    assert list(world.taken.values()) == [1_767_225_899 + 300 + SLACK_S]


async def test_signatures_that_come_together_are_taken_together() -> None:
    """One transaction for the first, one for all that came meanwhile."""
    world = World()
    texts = [TEXT + b"%d" % number for number in range(20)]
    await asyncio.gather(*(world.passes(signed(text=text), text=text) for text in texts))

    assert sum(world.claims) == 20
    assert len(world.claims) <= 2


async def test_a_request_is_refused_when_the_store_cannot_say() -> None:
    """503 and not a guess."""

    def fail(_: object) -> frozenset[bytes]:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    check = SignatureCheck(fail, SHARED, clock=lambda: NOW)
    with pytest.raises(UnavailableError) as caught:
        await check.check(signed(), TEXT, DIGEST, is_peppered=False)

    assert (caught.value.code, caught.value.headers["Retry-After"]) == ("state_away", "1")
