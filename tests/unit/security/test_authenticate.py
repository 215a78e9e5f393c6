"""From headers to a principal: which headers count, what is remembered and for how long."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CredentialError, GatewayError, RequestError
from gateway.security.authenticate import Authenticator, presented_token
from gateway.security.tokens import digest_of, new_token, token_of
from gateway.state.tokens import TokenRecord

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = token_of(bytes(range(32))).encode()
OTHER = token_of(bytes(32)).encode()
BEARER = ((b"authorization", b"Bearer " + TOKEN),)


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
    """A store of one token, a clock, and a count of the looks into the store."""

    def __init__(self) -> None:
        self.stored: TokenRecord | None = record()
        self.looks = 0
        self.seconds = 0.0
        self.before_answer: Callable[[], object] = lambda: None

    def find(self, digest: bytes) -> TokenRecord | None:
        self.looks += 1
        self.before_answer()
        return self.stored if self.stored and self.stored.digest == digest else None

    def clock(self) -> float:
        return (START + timedelta(seconds=self.seconds)).timestamp()

    def authenticator(self, **options: int) -> Authenticator:
        return Authenticator(
            self.find,
            clock=self.clock,
            monotonic=lambda: self.seconds,
            **options,
        )


@pytest.mark.parametrize(
    "headers",
    [
        ((b"authorization", b"Bearer " + TOKEN),),
        ((b"authorization", b"bearer   " + TOKEN + b" "),),
        ((b"authtoken", TOKEN),),
        ((b"x-api-key", b" " + TOKEN),),
        ((b"host", b"crm.example"), (b"x-api-key", TOKEN), (b"accept", b"*/*")),
        ((b"authorization", b"Bearer " + TOKEN), (b"x-api-key", TOKEN)),
        ((b"authtoken", b""), (b"x-api-key", TOKEN)),
        ((b"authorization", b"Basic cHJveHk6cHJveHk="), (b"authtoken", TOKEN)),
    ],
)
def test_the_token_is_found_in_each_header(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """The same token twice is fine, and a proxy's own Authorization is not in the way."""
    assert presented_token(headers) == TOKEN


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"host", b"crm.example"),),
        ((b"authorization", b""),),
        ((b"authorization", b"Bearer"),),
        ((b"authorization", b"Bearer  "),),
        ((b"authorization", b"Basic " + TOKEN),),
        ((b"authorization", TOKEN),),
        ((b"cookie", b"authtoken=" + TOKEN),),
    ],
)
def test_without_a_token_the_answer_says_how_to_send_one(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """401 with a challenge, as RFC 6750 has it: no error code when nothing was presented."""
    with pytest.raises(CredentialError) as caught:
        presented_token(headers)

    assert caught.value.code == "token_missing"
    assert "Authorization: Bearer <token>" in caught.value.detail
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="gateway"'}


@pytest.mark.parametrize("first", [b"authorization", b"authtoken", b"x-api-key"])
def test_different_tokens_in_one_request_are_refused(first: bytes) -> None:
    """Which one was meant is not guessed, and neither is repeated in the message."""
    with pytest.raises(RequestError) as caught:
        presented_token([(first, b"Bearer " + TOKEN), (b"x-api-key", OTHER)])

    assert caught.value.code == "parameter_conflict"
    assert OTHER.decode() not in caught.value.detail


async def test_a_stored_token_gives_its_principal() -> None:
    """With everything the store knows of it."""
    world = World()
    world.stored = record(is_admin=True, staff_id=3, expires_at=START + timedelta(days=1))
    found = await world.authenticator().principal_of(BEARER)

    assert (found.token_id, found.name, found.grants, found.is_admin, found.staff_id) == (1, "bi", ("*:read",), True, 3)
    assert found.expires_at == found.ends_at == START + timedelta(days=1)


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
        await world.authenticator().principal_of(BEARER)

    assert caught.value.code == "token_invalid"
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="gateway", error="invalid_token"'}
    assert TOKEN.decode() not in str(caught.value)


async def test_a_digest_that_only_the_store_takes_for_equal_is_refused() -> None:
    """What the store hands back is compared once more, in constant time."""
    authenticator = Authenticator(lambda _: record(digest=bytes(32)), clock=START.timestamp)
    with pytest.raises(CredentialError):
        await authenticator.principal_of(BEARER)


async def test_a_mistyped_token_never_reaches_the_store() -> None:
    """The checksum is enough."""
    world = World()
    with pytest.raises(CredentialError):
        await world.authenticator().principal_of([(b"authtoken", TOKEN[:-1] + b"!")])

    assert world.looks == 0


async def test_a_found_token_is_remembered_for_a_second_and_stays_the_same_object() -> None:
    """Accesses and plans are kept per principal, so it must not change without need."""
    world = World()
    authenticator = world.authenticator()
    found = [await authenticator.principal_of(BEARER)]
    for seconds in (0.9, 1.1, 2.0):
        world.seconds = seconds
        found.append(await authenticator.principal_of(BEARER))

    assert world.looks == 2
    assert all(principal is found[0] for principal in found)


async def test_a_revocation_is_felt_within_a_second() -> None:
    """Nothing has to be told to the workers."""
    world = World()
    authenticator = world.authenticator()
    await authenticator.principal_of(BEARER)
    world.stored = record(revoked_at=START)
    world.seconds = 1.0
    with pytest.raises(CredentialError):
        await authenticator.principal_of(BEARER)


async def test_an_expiry_is_felt_to_the_second() -> None:
    """A token is not remembered beyond its end."""
    world = World()
    world.stored = record(expires_at=START + timedelta(seconds=0.5))
    authenticator = world.authenticator()
    await authenticator.principal_of(BEARER)
    world.seconds = 0.5
    with pytest.raises(CredentialError):
        await authenticator.principal_of(BEARER)


async def test_changed_grants_are_felt_within_a_second() -> None:
    """The new principal replaces the old one."""
    world = World()
    authenticator = world.authenticator()
    await authenticator.principal_of(BEARER)
    world.stored = record(grants=("clients:read",))
    world.seconds = 1.0

    assert (await authenticator.principal_of(BEARER)).grants == ("clients:read",)


async def test_an_unknown_token_is_remembered_as_unknown() -> None:
    """Repeating it costs the store nothing, and a token made meanwhile works a second later."""
    world = World()
    world.stored = None
    authenticator = world.authenticator()
    for _ in range(5):
        with pytest.raises(CredentialError):
            await authenticator.principal_of(BEARER)
    assert world.looks == 1

    world.stored = record()
    world.seconds = 1.0
    assert (await authenticator.principal_of(BEARER)).token_id == 1


async def test_forgetting_asks_the_store_again() -> None:
    """For whoever knows that tokens have changed."""
    world = World()
    authenticator = world.authenticator()
    await authenticator.principal_of(BEARER)
    authenticator.forget()
    await authenticator.principal_of(BEARER)

    assert world.looks == 2


async def test_a_flood_of_unknown_tokens_does_not_push_out_the_known_one() -> None:
    """Both memories are bounded, and they are apart."""
    world = World()
    authenticator = world.authenticator(most_known=8)
    await authenticator.principal_of(BEARER)
    for _ in range(50):
        with pytest.raises(CredentialError):
            await authenticator.principal_of([(b"authtoken", new_token().text.encode())])
    looks = world.looks
    await authenticator.principal_of(BEARER)

    assert world.looks == looks


async def test_requests_that_arrive_together_share_one_look() -> None:
    """A token that is used a lot does not cost a look per request when its second is over."""
    world = World()
    may_answer = threading.Event()
    world.before_answer = lambda: may_answer.wait(10)
    authenticator = world.authenticator()
    waiting = [asyncio.ensure_future(authenticator.principal_of(BEARER)) for _ in range(20)]
    await asyncio.sleep(0)
    may_answer.set()
    found = await asyncio.gather(*waiting)

    assert world.looks == 1
    assert len({id(principal) for principal in found}) == 1


async def test_a_client_that_goes_away_does_not_take_the_look_from_others() -> None:
    """Cancelling one request leaves the other its answer."""
    world = World()
    may_answer = threading.Event()
    world.before_answer = lambda: may_answer.wait(10)
    authenticator = world.authenticator()
    leaver, stayer = (asyncio.ensure_future(authenticator.principal_of(BEARER)) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    may_answer.set()

    assert (await stayer).token_id == 1
    assert leaver.cancelled() or leaver.cancelling()


async def test_a_store_that_fails_is_not_remembered() -> None:
    """The failure reaches the request as it is; the next one asks again."""
    world = World()
    world.before_answer = lambda: 1 / (world.looks - 1)
    authenticator = world.authenticator()
    with pytest.raises(ZeroDivisionError):
        await authenticator.principal_of(BEARER)

    assert (await authenticator.principal_of(BEARER)).token_id == 1


async def test_a_known_token_is_answered_without_leaving_the_loop() -> None:
    """The coroutine ends at its first step: no thread, no store, no other task in between."""
    authenticator = World().authenticator()
    await authenticator.principal_of(BEARER)
    step = authenticator.principal_of(BEARER)
    with pytest.raises(StopIteration) as ended:
        step.send(None)

    assert ended.value.value.name == "bi"


async def test_no_token_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the memory nor the log holds the text."""
    caplog.set_level(logging.DEBUG)
    authenticator = World().authenticator()
    await authenticator.principal_of(BEARER)
    kept = {name: getattr(authenticator, name) for name in vars(authenticator)}

    assert TOKEN.decode() not in repr(kept) + caplog.text


NAMES = st.sampled_from([b"authorization", b"authtoken", b"x-api-key", b"cookie"])
VALUES = st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"Bearer " + rest)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_garbage_never_authenticates(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever is presented, the answer is one of three refusals."""
    with pytest.raises(GatewayError) as caught:
        asyncio.run(World().authenticator().principal_of(headers))

    assert caught.value.code in ("token_missing", "token_invalid", "parameter_conflict")
