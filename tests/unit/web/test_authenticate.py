"""The stage that finds out who asks: what it costs, what it leaves alone, and what it hands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import CredentialError, ThrottledError, UnavailableError
from gateway.observe import Event, TokenRefused
from gateway.security.authenticate import Authenticator
from gateway.security.policy import Policy, policy_text
from gateway.security.rates import Rate
from gateway.security.replays import SignatureCheck
from gateway.security.signatures import signature_of, signed_text, signing_secret
from gateway.security.tokens import new_token
from gateway.settings import Settings
from gateway.state.tokens import TokenRecord
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.stages.authenticate import Authenticate
from gateway.web.throttle import Throttle

pytestmark = pytest.mark.anyio

TOKEN = new_token()
SHARED = b"the key of the store"
NOW = 1_767_225_600
ADDRESS = "203.0.113.7"


class World:
    """The stage on a store of one token; notes what reached the application behind it."""

    def __init__(self, *, is_signed: bool = False, refused: Rate | None = None) -> None:
        policy = policy_text(Policy(is_signed=is_signed))
        made = datetime(2026, 1, 1, tzinfo=UTC)
        self.record = TokenRecord(
            7, "bi", TOKEN.prefix, TOKEN.digest, ("*:read",), False, None, made, None, None, policy
        )
        self.events: list[Event] = []
        self.used: list[int] = []
        self.bodies: list[bytes] = []
        self.received = 0
        self.messages: list[Message] = []
        self.is_away = False
        parts: Any = SimpleNamespace(
            settings=Settings(),
            authenticator=Authenticator(self.find),
            signatures=SignatureCheck(
                lambda claims: frozenset(signature for signature, _ in claims), SHARED, clock=lambda: float(NOW)
            ),
            refusals=Throttle(refused),
            observer=self.events.append,
            last_used=SimpleNamespace(note=self.used.append),
        )
        self.stage = Authenticate(self.app, parts)

    def find(self, digests: Sequence[bytes]) -> tuple[TokenRecord, ...]:
        if self.is_away:
            raise UnavailableError("state_away", "The store is away.")
        return (self.record,) if self.record.digest in digests else ()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            self.bodies += [(await receive()).get("body", b""), (await receive())["type"].encode()]

    async def receive(self) -> Message:
        self.received += 1
        return self.messages.pop(0) if self.messages else {"type": "http.disconnect"}

    def scope(self, path: str, headers: dict[str, str], method: str = "GET") -> Scope:
        raw, _, query = path.partition("?")
        return {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            EXCHANGE: Exchange("id", 0.0, address=ADDRESS),
        }

    async def serve(self, path: str = "/api/v1/rooms", token: str = TOKEN.text, **given: Any) -> Exchange:
        scope = self.scope(path, {"authtoken": token, **given.get("headers", {})}, given.get("method", "GET"))
        await self.stage(scope, self.receive, _unsent)
        exchange: Exchange = scope[EXCHANGE]
        return exchange


async def _unsent(message: Message) -> None:
    raise AssertionError(message)


async def test_the_principal_is_noted_and_so_is_its_use() -> None:
    """For the stages behind, and for who lists tokens."""
    world = World()
    exchange = await world.serve()

    assert exchange.stage == "authenticate"
    assert exchange.principal is not None
    assert (exchange.principal.name, world.used) == ("bi", [7])


async def test_a_known_token_is_answered_without_leaving_the_loop() -> None:
    """What is awaited ends at its first step: no thread, no store, no other task in between, and no body is read."""
    world = World()
    await world.serve()
    answer = world.stage(world.scope("/api/v1/rooms", {"authtoken": TOKEN.text}), world.receive, _unsent)
    step = answer.__await__()
    with pytest.raises(StopIteration):
        step.send(None)

    assert world.received == 0


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api_docs", "/api_docs/errors/internal"])
async def test_public_paths_are_let_pass_whatever_is_presented(path: str) -> None:
    """Nobody is looked up, and a wrong token is no guess there."""
    world = World()
    exchange = await world.serve(path, token="gw_live_guess")

    assert (exchange.principal, world.events) == (None, [])


async def test_a_refusal_is_told_and_counted_and_asks_for_a_token() -> None:
    """Two challenges; the second one is left for the recorder of headers."""
    world = World(refused=Rate(2, 60))
    scope = world.scope("/api/v1/rooms", {"authtoken": "gw_live_guess"})
    with pytest.raises(CredentialError) as caught:
        await world.stage(scope, world.receive, _unsent)
    with pytest.raises(CredentialError):
        await world.serve(token="gw_live_guess")
    with pytest.raises(ThrottledError) as stopped:
        await world.serve(token="gw_live_guess")

    assert world.events == [TokenRefused("id", "token_invalid")], "the first of an address is told, not each"
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="gateway", error="invalid_token"'}
    assert scope[EXCHANGE].answer_headers == [(b"www-authenticate", b'Basic realm="gateway", charset="UTF-8"')]
    assert stopped.value.headers == {"Retry-After": "30"}


async def test_who_was_valid_here_goes_on_beside_a_guesser() -> None:
    """Also after a pause; a missing token is no guess at all."""
    world = World(refused=Rate(2, 60))
    await world.serve()
    for _ in range(5):
        with pytest.raises((CredentialError, ThrottledError)):
            await world.serve(token="gw_live_guess")
        with pytest.raises(CredentialError):
            await world.serve(token="")
    for known in world.stage._authenticator._valid.values():
        known.due = known.until = 0.0

    assert (await world.serve()).principal is not None


async def test_the_end_of_another_token_leaves_good_ones_at_work_beside_a_guesser() -> None:
    """Whoever ends a token lets all be looked up again; who was valid here is still not taken for the guesser."""
    world = World(refused=Rate(2, 60))
    await world.serve()
    for _ in range(2):
        with pytest.raises(CredentialError):
            await world.serve(token="gw_live_guess")
    world.stage._authenticator.forget()

    assert (await world.serve()).principal is not None


async def test_a_program_with_a_token_that_has_ended_keeps_nobody_out() -> None:
    """What ended is no guess, however often it comes; the token that replaces it is looked up and works."""
    world = World(refused=Rate(2, 60))
    old, good = new_token(), world.record
    await world.serve()
    world.record = replace(good, digest=old.digest, expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    for _ in range(10):
        with pytest.raises(CredentialError):
            await world.serve(token=old.text)
    world.record = good
    world.stage._authenticator._valid.clear()

    assert (await world.serve()).principal is not None
    assert world.events == [TokenRefused("id", "token_invalid")], "the first is told, and one of a hundred"


async def test_a_signature_that_nobody_asked_for_is_no_guess() -> None:
    """A good token without a signing secret: what a gateway in between signed is refused, and opens nothing."""
    world = World(refused=Rate(2, 60))
    wrong = {"x-signature": f"v1={'0' * 64}", "x-signature-timestamp": str(NOW)}
    world.messages = [{"type": "http.request", "body": b"", "more_body": False} for _ in range(5)]
    for _ in range(5):
        with pytest.raises(CredentialError, match="signature"):
            await world.serve(headers=wrong)

    assert world.stage._refusals.peek(ADDRESS) == 0.0


async def test_a_wrong_signature_of_a_token_that_signs_is_a_guess() -> None:
    """Who has the token and not its secret is a thief."""
    world = World(is_signed=True, refused=Rate(2, 60))
    wrong = {"x-signature": f"v1={'0' * 64}", "x-signature-timestamp": str(NOW)}
    world.messages = [{"type": "http.request", "body": b"", "more_body": False} for _ in range(2)]
    for _ in range(2):
        with pytest.raises(CredentialError):
            await world.serve(headers=wrong)

    assert world.stage._refusals.peek(ADDRESS) > 0


async def test_a_store_that_is_away_is_no_refusal() -> None:
    """Nobody is counted as a guesser for it."""
    world = World(refused=Rate(1, 60))
    world.is_away = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await world.serve()

    assert world.events == []


def signature(body: bytes, path: bytes = b"/api/v1/rooms", query: bytes = b"", method: str = "POST") -> dict[str, str]:
    timestamp = str(NOW)
    text = signed_text(method, path, query, body, timestamp.encode())
    value = signature_of(signing_secret(SHARED, TOKEN.digest), text).hex()
    return {"x-signature": f"v1={value}", "x-signature-timestamp": timestamp}


async def test_the_body_that_was_signed_is_given_again() -> None:
    """Whole, in one message; after it come the server's own, which tell that the client went away."""
    world = World(is_signed=True)
    world.messages = [
        {"type": "http.request", "body": b'{"a":', "more_body": True},
        {"type": "http.request", "body": b"1}", "more_body": False},
    ]
    exchange = await world.serve(method="POST", headers=signature(b'{"a":1}'))

    assert world.bodies == [b'{"a":1}', b"http.disconnect"]
    assert exchange.principal is not None


async def test_who_failed_to_sign_is_known_to_the_trail() -> None:
    """The token was right: whose it is helps to find out who has it; it was not used."""
    world = World(is_signed=True)
    scope = world.scope("/api/v1/rooms", {"authtoken": TOKEN.text})
    with pytest.raises(CredentialError) as caught:
        await world.stage(scope, world.receive, _unsent)

    assert caught.value.code == "signature_missing"
    assert scope[EXCHANGE].principal.name == "bi"
    assert world.used == []
