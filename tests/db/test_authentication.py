"""Who asks, through the whole application: ways to send a token, signed requests, JWTs, and who guesses too often."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.observe import TokenRefused
from gateway.security.policy import Policy, policy_text
from gateway.security.signatures import signing_key, signing_secret
from gateway.security.tokens import IssuedToken, new_token
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken
from tests.support.app import PATIENCE_S, App, RunningServer, served
from tests.support.identity import AUDIENCE, ISSUER, jwk, jwks, signed
from tests.support.mariadb import Server
from tests.support.signing import Signed

WHITELIST = """
version: 1
profile: none
tables:
  rooms:
  seats:
"""
PEPPER = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def hotel(mariadb_server: Server) -> Iterator[str]:
    """A database of this module."""
    name = f"gateway_authentication_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    mariadb_server.run(
        "CREATE TABLE rooms (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL)",
        "CREATE TABLE seats (id INT AUTO_INCREMENT PRIMARY KEY)",
        "INSERT INTO rooms VALUES (1, 'red'), (2, 'blue')",
        database=name,
    )
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture
async def app(hotel: str, tmp_path: Path) -> AsyncIterator[App]:
    """The application, which takes JWTs too."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(jwks(jwk("RSA")))
    settings: dict[str, Any] = {"jwt_keys": str(keys), "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with served(hotel, whitelist=WHITELIST, max_bulk_body_bytes=4_000, max_body_bytes=2_000, **settings) as app:
        yield app


def stored(state: StateStore, name: str, *, is_signed: bool = False, pepper: str = "") -> IssuedToken:
    """Return a new token of all grants."""
    token = new_token(pepper)
    policy = policy_text(Policy(is_signed=is_signed))
    state.tokens.create(NewToken(name, token.digest, token.prefix, ("*:*",), policy=policy))
    return token


def secret_of(state: StateStore, token: IssuedToken, pepper: str = "") -> str:
    return signing_secret(signing_key(pepper, shared_key(state.write, "signing")), token.digest)


def bearer(token: str | bytes) -> dict[str, str]:
    return {"Authorization": f"Bearer {token if isinstance(token, str) else token.decode()}"}


# Ways to send a token


async def test_each_way_to_send_a_token_is_answered(app: App) -> None:
    """Basic with any user name, as spreadsheets send it."""
    token = app.tokens["all"]
    basic = b64encode(f"anybody:{token}".encode()).decode()
    for headers in (bearer(token), {"Authtoken": token}, {"X-API-Key": token}, {"Authorization": f"Basic {basic}"}):
        answer = await app.anonymous.get("/api/v1/rooms/1", headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("parameter", ["authtoken", "access_token", "api_key", "token"])
async def test_a_token_in_the_url_is_none(app: App, parameter: str) -> None:
    """URLs are logged, by everybody."""
    answer = await app.anonymous.get("/api/v1/rooms/1", params={parameter: app.tokens["all"]})

    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


@pytest.mark.parametrize(
    ("headers", "code", "challenge"),
    [
        ({}, "token_missing", 'Bearer realm="gateway"'),
        (bearer("gw_live_guess"), "token_invalid", 'Bearer realm="gateway", error="invalid_token"'),
    ],
)
async def test_a_refusal_asks_for_a_token_on_two_lines(
    app: App, headers: dict[str, str], code: str, challenge: str
) -> None:
    """For many clients see only the first challenge of a line; the script of a page is not offered Basic."""
    answer = await app.anonymous.get("/api/v1/rooms/1", headers=headers)
    by_script = await app.anonymous.get("/api/v1/rooms/1", headers={**headers, "Sec-Fetch-Mode": "cors"})

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers.get_list("www-authenticate") == [challenge, 'Basic realm="gateway", charset="UTF-8"']
    assert by_script.headers.get_list("www-authenticate") == [challenge]
    assert [event.code for event in app.events if isinstance(event, TokenRefused)] == [code]


# Signed requests


async def test_a_token_of_signed_requests_answers_no_other(app: App) -> None:
    """Reads and writes alike, and the body arrives behind the check as it was sent."""
    token = stored(app.parts.state, "signer", is_signed=True)
    secret = secret_of(app.parts.state, token)
    unsigned = await app.anonymous.get("/api/v1/rooms", headers=bearer(token.text))
    read = await app.anonymous.get(
        "/api/v1/rooms?filter%5Bname%5D=r%65d&sort=-id", headers=bearer(token.text), auth=Signed(secret)
    )
    made = await app.anonymous.post(
        "/api/v1/rooms", headers=bearer(token.text), json={"name": "grün"}, auth=Signed(secret)
    )
    gone = await app.anonymous.delete(
        f"/api/v1/rooms/{made.json()['data']['id']}", headers=bearer(token.text), auth=Signed(secret)
    )

    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "signature_missing")
    assert [row["id"] for row in read.json()["data"]] == [1]
    assert (made.status_code, made.json()["data"]["name"]) == (201, "grün")
    assert gone.status_code == 204


@pytest.mark.parametrize("pepper", ["", PEPPER])
async def test_the_secret_that_is_shown_with_a_token_signs_its_requests(hotel: str, pepper: str) -> None:
    """At its making and at each rotation, which gives it another one."""
    async with served(hotel, whitelist=WHITELIST, token_pepper=pepper) as app:
        wanted = {"name": "signer", "grants": ["rooms:read"], "is_signed": True}
        made = (await app.client.post("/admin/tokens", json=wanted)).json()["data"]
        turned = (await app.client.post(f"/admin/tokens/{made['id']}/rotate", json={"overlap": "1h"})).json()["data"]
        pairs = [(made, made), (turned, turned), (turned, made)]
        answers = [
            await app.anonymous.get(
                "/api/v1/rooms/1", headers=bearer(one["token"]), auth=Signed(other["signing_secret"])
            )
            for one, other in pairs
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 401]


async def test_a_signature_is_good_for_its_own_request_and_once(app: App) -> None:
    """Not for another path, query, method, body or time, and not a second time."""
    token = stored(app.parts.state, "signer", is_signed=True)
    auth = Signed(secret_of(app.parts.state, token))
    request = app.anonymous.build_request("POST", "/api/v1/rooms?dry_run=true", json={"name": "x"})
    request.headers.update(bearer(token.text))
    next(auth.auth_flow(request))
    headers = request.headers

    async def again(method: str, target: str, body: bytes = request.content, timestamp: str = "") -> str:
        kept = {name: value for name, value in headers.items() if name not in ("content-length", "host")}
        if timestamp:
            kept["x-signature-timestamp"] = timestamp
        answer = await app.anonymous.request(method, target, content=body, headers=kept)
        return answer.json().get("code", "") if answer.status_code >= 400 else str(answer.status_code)

    assert await again("POST", "/api/v1/seats?dry_run=true") == "signature_invalid"
    assert await again("POST", "/api/v1/rooms?dry_run=tru%65") == "signature_invalid"
    assert await again("POST", "/api/v1/rooms") == "signature_invalid"
    assert await again("PATCH", "/api/v1/rooms?dry_run=true") == "signature_invalid"
    assert await again("POST", "/api/v1/rooms?dry_run=true", b'{"name": "y"}') == "signature_invalid"
    later = f"{float(headers['x-signature-timestamp']) + 1:.6f}"
    assert await again("POST", "/api/v1/rooms?dry_run=true", timestamp=later) == "signature_invalid"
    assert await again("POST", "/api/v1/rooms?dry_run=true") == "200"
    assert await again("POST", "/api/v1/rooms?dry_run=true") == "signature_replayed"


async def test_another_token_s_secret_signs_nothing(app: App) -> None:
    """Nor a clock that is too far off."""
    token, other = (stored(app.parts.state, name, is_signed=True) for name in ("signer", "other"))
    state = app.parts.state
    foreign = await app.anonymous.get("/api/v1/rooms", headers=bearer(token.text), auth=Signed(secret_of(state, other)))
    late = await app.anonymous.get(
        "/api/v1/rooms", headers=bearer(token.text), auth=Signed(secret_of(state, token), off_s=-400)
    )

    assert [answer.json()["code"] for answer in (foreign, late)] == ["signature_invalid"] * 2
    assert "400 seconds behind" in late.json()["detail"]


async def test_a_signature_that_nobody_asked_for_is_checked_all_the_same(app: App) -> None:
    """Nothing that a client sends to prove itself is passed over."""
    token = stored(app.parts.state, "plain")
    right = await app.anonymous.get(
        "/api/v1/rooms/1", headers=bearer(token.text), auth=Signed(secret_of(app.parts.state, token))
    )
    wrong = await app.anonymous.get("/api/v1/rooms/1", headers=bearer(token.text), auth=Signed("gws_wrong"))
    half = await app.anonymous.get("/api/v1/rooms/1", headers={**bearer(token.text), "X-Signature": "v1=0"})
    of_a_jwt = await app.anonymous.get(
        "/api/v1/rooms/1", headers=bearer(signed(gateway_grants="*:*")), auth=Signed("gws_wrong")
    )

    assert right.status_code == 200
    assert [answer.json()["code"] for answer in (wrong, half, of_a_jwt)] == ["signature_invalid"] * 3


async def test_the_body_of_a_signed_request_is_held_to_the_limits(app: App) -> None:
    """413 before its signature is looked at, declared or not; the smaller limit of one row still holds behind it."""
    token = stored(app.parts.state, "signer", is_signed=True)
    auth = Signed(secret_of(app.parts.state, token))

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 1_000

    far = await app.anonymous.post("/api/v1/rooms", headers=bearer(token.text), content=b"x" * 4_001, auth=auth)
    endless = await app.anonymous.post(
        "/api/v1/rooms",
        headers={**bearer(token.text), "X-Signature": "v1=" + "0" * 64, "X-Signature-Timestamp": "1"},
        content=chunks(),
    )
    one = await app.anonymous.post("/api/v1/rooms", headers=bearer(token.text), json={"name": "x" * 2_500}, auth=auth)

    assert [(answer.status_code, answer.json()["code"]) for answer in (far, endless, one)] == [
        (413, "body_too_large"),
        (401, "signature_invalid"),  # its time is over, so nobody reads its body
        (413, "body_too_large"),
    ]


def test_over_two_workers_a_signed_request_is_answered_once(hotel: str) -> None:
    """Sixteen connections send the same one at the same moment."""

    async def send_all(server: RunningServer, token: IssuedToken, secret: str) -> list[int]:
        async with httpx2.AsyncClient(base_url=server.base, trust_env=False) as client:
            request = client.build_request("GET", "/api/v1/rooms", headers=bearer(token.text))
        next(Signed(secret).auth_flow(request))
        headers = dict(request.headers)

        async def send() -> int:
            async with httpx2.AsyncClient(base_url=server.base, trust_env=False, timeout=PATIENCE_S) as own:
                return (await own.get("/api/v1/rooms", headers=headers)).status_code

        return await asyncio.gather(*(send() for _ in range(16)))

    with RunningServer.started(hotel, whitelist=WHITELIST, workers=2) as server:
        with StateStore.open(str(server.directory / "state.sqlite3")) as state:
            token = stored(state, "signer", is_signed=True)
            secret = secret_of(state, token)
        statuses = asyncio.run(send_all(server, token, secret))

    assert sorted(statuses) == [200] + [401] * 15


# Pepper


async def test_with_a_pepper_old_tokens_and_their_secrets_stay_good(hotel: str) -> None:
    """And new ones are worth nothing without it."""
    async with served(hotel, whitelist=WHITELIST, token_pepper=PEPPER) as app:
        state = app.parts.state
        old, new = stored(state, "old", is_signed=True), stored(state, "new", is_signed=True, pepper=PEPPER)
        without = stored(state, "without", pepper=PEPPER + "!")
        answers = [
            await app.anonymous.get("/api/v1/rooms/1", headers=bearer(token.text), auth=Signed(secret))
            for token, secret in (
                (old, secret_of(state, old)),
                (new, secret_of(state, new, PEPPER)),
                (new, secret_of(state, new)),
                (without, secret_of(state, without, PEPPER)),
            )
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert [answer.json()["code"] for answer in answers[2:]] == ["signature_invalid", "token_invalid"]


# JWTs


async def test_a_jwt_is_a_token_with_the_grants_of_its_claim(app: App) -> None:
    """In every way a token can be sent."""
    token = signed(gateway_grants="rooms:read", gateway_policy={"readable": {"rooms": ["id"]}})
    headers = [bearer(token), {"X-API-Key": token.decode()}]
    rows = [(await app.anonymous.get("/api/v1/rooms/1", headers=given)).json()["data"] for given in headers]
    refused = await app.anonymous.get("/api/v1/seats", headers=bearer(token))
    unwritten = await app.anonymous.post("/api/v1/rooms", headers=bearer(token), json={"name": "x"})
    admin = await app.anonymous.post(
        "/admin/reload", headers=bearer(signed(gateway_grants="*:*", gateway_admin=True, is_admin=True))
    )
    caller = (await app.anonymous.get("/api/me", headers=bearer(token))).json()

    assert rows == [{"id": 1}] * 2
    assert [(answer.status_code, answer.json()["code"]) for answer in (refused, unwritten, admin)] == [
        (403, "grant_missing")
    ] * 3
    assert (caller["name"], caller["is_admin"]) == ("jwt:ada", False)


async def test_a_jwt_that_is_not_accepted_is_refused_with_the_reason(app: App) -> None:
    """As a token is, with a challenge."""
    answer = await app.anonymous.get("/api/v1/rooms", headers=bearer(signed(aud="another")))

    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer.json()["detail"] == "The JWT is not accepted: it is for another audience."


# Guessing


async def test_an_address_that_guesses_is_stopped_before_any_lookup(hotel: str) -> None:
    """Whose token was valid here before goes on, though it shares the address with the guesser."""
    async with served(hotel, whitelist=WHITELIST, refused_rate="5/min") as app:
        known = (await app.get("rooms/1")).status_code
        guesses = [new_token().text for _ in range(8)]
        answers = [await app.anonymous.get("/api/v1/rooms", headers=bearer(guess)) for guess in guesses]
        lookups = app.parts.authenticator.lookups
        texts = (*guesses, stored(app.parts.state, "stranger").text, "gw_live_guess")
        late = [await app.anonymous.get("/api/v1/rooms", headers=bearer(text)) for text in texts]
        still = (await app.get("rooms/1")).status_code
        looked_up = app.parts.authenticator.lookups - lookups

    assert (known, still) == (200, 200)
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert [answer.json()["code"] for answer in late] == ["address_throttled"] * 10
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in late)
    assert looked_up <= 1  # the known token's own


async def test_a_missing_token_is_no_guess(app: App) -> None:
    """A client that waits for the challenge, as Excel does at each connection, is not stopped for it."""
    answers: list[Any] = [await app.anonymous.get("/api/v1/rooms") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {401}
