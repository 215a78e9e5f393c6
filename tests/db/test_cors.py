"""Pages of other origins and what their browsers are told: preflight, answer, refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from gateway.security.policy import Policy
from tests.support.app import App, served

COMPANY = "https://app.example"
PARTNER = "https://partner.example"
STRANGER = "https://evil.example"

PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
async def app(crm_database: str) -> AsyncIterator[App]:
    """One token for any page that the settings name, one for the pages of a partner, and one to be changed."""
    grants = {"open": ("invoices:read",), "partner": ("invoices:read",), "changing": ("invoices:read",)}
    policies = {"partner": Policy(origins=(PARTNER,))}
    async with served(crm_database, grants=grants, policies=policies, admin=False, cors_origins=COMPANY) as app:
        yield app


def allowed(answer: httpx2.Response) -> str | None:
    """Return the origin whose scripts may read an answer."""
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    found: str | None = answer.headers.get("access-control-allow-origin")
    return found


@pytest.mark.parametrize(("origin", "status"), [(COMPANY, 204), (PARTNER, 204), (STRANGER, 403), ("null", 403)])
async def test_a_preflight_is_answered_to_pages_that_somebody_named(app: App, origin: str, status: int) -> None:
    """The settings, or any token that works; the preflight itself carries no token."""
    answer = await app.anonymous.options("/api/v1/invoices", headers={"Origin": origin, **PREFLIGHT})

    assert (answer.status_code, allowed(answer)) == (status, origin if status == 204 else None)
    if status == 204:
        assert not answer.content
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize(
    ("token", "origin", "status", "due"),
    [
        ("open", COMPANY, 200, COMPANY),
        ("open", PARTNER, 200, None),
        ("open", "", 200, None),
        ("partner", PARTNER, 200, PARTNER),
        ("partner", COMPANY, 403, None),
        ("partner", "", 403, None),
    ],
)
async def test_an_answer_can_be_read_by_the_pages_of_its_token(
    app: App, token: str, origin: str, status: int, due: str | None
) -> None:
    """A token with origins of its own answers to these alone; other answers the browser keeps from its pages."""
    answer = await app.clients[token].get("/api/v1/invoices/1", headers={"Origin": origin} if origin else {})

    assert (answer.status_code, allowed(answer)) == (status, due)
    if status == 403:
        assert answer.json()["code"] == "origin_forbidden"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/api/v1/invoices", "", 401),
        ("/api/v1/clients", "open", 403),
        ("/api/v1/nonsense", "open", 404),
        (f"/api/v1/{'x' * 9_000}", "open", 414),
        ("/api/v1/invoices?filter[nonsense]=1", "open", 400),
    ],
)
async def test_a_refusal_can_be_read_too(app: App, path: str, token: str, status: int) -> None:
    """Else a page would see a network error, and nobody the reason."""
    client = app.clients[token] if token else app.anonymous
    answer = await client.get(path, headers={"Origin": COMPANY})

    assert (answer.status_code, allowed(answer)) == (status, COMPANY)
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


async def test_a_new_tokens_pages_may_call_within_two_seconds(app: App) -> None:
    """And those of a token that was revoked no longer."""
    policy = '{"origins": ["https://new.example"]}'
    asking = {"Origin": "https://new.example", **PREFLIGHT}
    assert (await app.anonymous.options("/api/v1", headers=asking)).status_code == 403
    with app.parts.state.write() as connection:
        connection.exec_driver_sql("UPDATE gw_token SET policy = ? WHERE name = 'changing'", (policy,))

    statuses = await seen(app, asking, 204)
    app.parts.state.tokens.revoke("changing")
    revoked = await seen(app, asking, 403)

    assert (statuses[-1], revoked[-1]) == (204, 403)


async def seen(app: App, asking: dict[str, str], due: int) -> list[int]:
    """Return the statuses of a preflight that is repeated for two seconds, or until it has the one that is due."""
    found: list[int] = []
    async with asyncio.timeout(2):
        while not found or found[-1] != due:
            found.append((await app.anonymous.options("/api/v1", headers=asking)).status_code)
            await asyncio.sleep(0.05)
    return found
