"""A provider's keys are read when needed, kept while it is away, and not asked for more often than need be."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.errors import UnavailableError
from gateway.observe import Event, KeysNotRead
from gateway.security import keys as module
from gateway.security.jwks import parse_keys
from gateway.security.keys import FIRST_RETRY_S, KEEP_S, MOST_BYTES, RETRY_S, KeyRing, KeySet, read_source
from tests.support.identity import Provider, jwk, jwks

pytestmark = pytest.mark.anyio


class Names(KeySet):
    """Keys that are their own names."""

    def __init__(self, body: bytes) -> None:
        if not body:
            raise ValueError("no keys")
        self.names = body.decode().split()

    def key_of(self, key_id: str | None, algorithm: str) -> object | None:
        return key_id if key_id in self.names else None


class World:
    """A provider, a clock, and how often the provider was asked."""

    def __init__(self, body: bytes = b"old") -> None:
        self.body = body
        self.is_away = False
        self.asked = 0
        self.seconds = 0.0
        self.events: list[Event] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.ring = KeyRing(
            "https://idp/keys", Names, self.events.append, read=self.read, monotonic=lambda: self.seconds
        )

    def read(self, source: str) -> bytes:
        self.asked += 1
        self.may_answer.wait(10)
        if self.is_away:
            raise ConnectionRefusedError("refused")
        return self.body

    async def has(self, name: str) -> bool:
        return await self.ring.key_of(name, "RS256") is not None

    async def settle(self) -> None:
        while any("_read_again" in repr(task.get_coro()) for task in asyncio.all_tasks()):
            await asyncio.sleep(0.001)


async def test_the_first_to_come_waits_and_the_others_with_him() -> None:
    """One reader at a time; afterwards nobody asks."""
    world = World()

    assert await asyncio.gather(*(world.has("old") for _ in range(5))) == [True] * 5
    assert await world.has("old")
    assert world.asked == 1


async def test_old_keys_are_read_anew_in_the_background() -> None:
    """Who comes meanwhile is served by those there are; a key that is no longer published goes."""
    world = World()
    await world.has("old")
    world.body = b"new"
    world.seconds = KEEP_S
    world.may_answer.clear()
    assert await world.has("old")
    world.may_answer.set()
    await world.settle()

    assert [await world.has(name) for name in ("new", "old")] == [True, False]
    assert world.asked == 2


async def test_a_key_that_is_not_there_is_asked_for_at_once() -> None:
    """As after a rotation at the provider."""
    world = World()
    await world.has("old")
    world.body = b"old new"
    world.seconds = RETRY_S

    assert await world.has("new")
    assert world.asked == 2


async def test_unknown_keys_do_not_make_anybody_ask_more_often() -> None:
    """However many JWTs with made-up keys come."""
    world = World()
    await world.has("old")
    for second in range(0, 61):
        world.seconds = float(second)
        assert not await world.has(f"made-up-{second}")

    assert world.asked == 3


async def test_keys_are_kept_while_the_provider_is_away() -> None:
    """Each failure is told; what is not known cannot be refused for sure and is 503."""
    world = World()
    await world.has("old")
    world.is_away = True
    world.seconds = KEEP_S
    assert await world.has("old")
    await world.settle()
    assert await world.has("old")
    with pytest.raises(UnavailableError) as caught:
        await world.has("new")

    assert (caught.value.code, caught.value.headers["Retry-After"]) == ("identity_away", "5")
    assert world.events == [KeysNotRead("https://idp/keys", "refused")]
    world.is_away = False
    world.seconds = KEEP_S + RETRY_S
    assert not await world.has("new")


async def test_before_there_are_keys_the_provider_is_asked_again_soon() -> None:
    """But not by every request."""
    world = World(b"")
    for seconds in (0.0, 0.1, FIRST_RETRY_S - 0.1):
        world.seconds = seconds
        with pytest.raises(UnavailableError):
            await world.has("old")
    assert world.asked == 1
    world.body = b"old"
    world.seconds = FIRST_RETRY_S

    assert await world.has("old")


async def test_a_request_that_goes_away_does_not_stop_the_reading() -> None:
    """The others wait for it."""
    world = World()
    world.may_answer.clear()
    leaver, stayer = (asyncio.ensure_future(world.has("old")) for _ in range(2))
    await asyncio.sleep(0.01)
    leaver.cancel()
    world.may_answer.set()

    assert await stayer


def test_keys_come_from_a_file_or_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As bytes; what they are is for others to say."""
    monkeypatch.setenv("no_proxy", "*")
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(jwk("P-256")))
    with Provider.serving(jwk("P-256")) as provider:
        assert read_source(provider.url) == read_source(str(path)) == path.read_bytes()


def test_a_redirect_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come from where the settings say."""
    monkeypatch.setenv("no_proxy", "*")
    with Provider.serving(jwk("P-256")) as provider:
        provider.status, provider.location = 302, f"{provider.url}/elsewhere"
        with pytest.raises(OSError, match="302"):
            read_source(provider.url)

    assert provider.asked == ["/keys"]


def test_more_bytes_than_keys_can_have_are_not_read(tmp_path: Path) -> None:
    """The gateway's memory is not for whoever answers at a URL."""
    path = tmp_path / "keys.json"
    path.write_bytes(b"x" * (MOST_BYTES + 1))
    with pytest.raises(ValueError, match="more than 262144 bytes"):
        read_source(str(path))


def test_an_answer_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for all of it."""
    monkeypatch.setattr(module, "TIMEOUT_S", -1.0)
    path = tmp_path / "keys.json"
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match="not read within"):
        read_source(str(path))


async def test_what_a_provider_answers_when_it_is_ill_is_told() -> None:
    """A status that is an error, a page instead of keys."""
    events: list[Event] = []
    for answer in (OSError("HTTP Error 500"), b"<html>"):

        def read(_: str, answer: OSError | bytes = answer) -> bytes:
            if isinstance(answer, OSError):
                raise answer
            return answer

        with pytest.raises(UnavailableError):
            await KeyRing("https://idp/keys", parse_keys, events.append, read=read).key_of("x", "RS256")

    assert [event.reason for event in events if isinstance(event, KeysNotRead)] == [
        "HTTP Error 500",
        'it is no JWKS, which is a JSON object with a list "keys"',
    ]
