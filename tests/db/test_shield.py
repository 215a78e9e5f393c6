"""The shield in front of the whole application: what it refuses costs no statement and is told like everything else."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from tests.support.app import App, served


async def codes(app: App, *asked: dict[str, Any], path: str = "/api/v1/clients/1") -> list[int]:
    """Return the statuses of requests that differ in their headers."""
    return [(await app.client.get(path, headers=headers)).status_code for headers in asked]


async def test_a_forged_address_does_not_evade_the_throttle(crm_database: str) -> None:
    """Nobody is trusted unless the settings say so; the refusal costs no statement and carries every header."""
    async with served(crm_database, address_rate="5/min") as app:
        forged = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(5)]
        assert await codes(app, *forged) == [200] * 5
        app.statements()
        refused = await app.client.get("/api/v1/clients/1", headers={"X-Forwarded-For": "198.51.100.1"})

        assert (refused.status_code, refused.json()["code"]) == (429, "address_throttled")
        assert 1 <= int(refused.headers["retry-after"]) <= 12
        assert app.statements() == []
        assert (await app.anonymous.get("/api_docs")).status_code == 429


async def test_clients_of_a_trusted_proxy_have_rates_of_their_own(crm_database: str) -> None:
    """And what they write before the proxy's own words gives them no other."""
    async with served(crm_database, address_rate="2/min", trusted_proxies="127.0.0.0/8") as app:
        first = {"X-Forwarded-For": "203.0.113.1"}
        second = {"X-Forwarded-For": "203.0.113.2"}
        forged = {"X-Forwarded-For": "198.51.100.7, 203.0.113.1"}

        assert await codes(app, first, first, second, first, forged, second) == [200, 200, 200, 429, 429, 200]


async def test_links_use_the_scheme_that_a_trusted_proxy_tells(crm_database: str) -> None:
    """Somebody else's word changes nothing."""
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    for trusted, due in (("127.0.0.1", "https://"), ("10.0.0.0/8", "http://")):
        async with served(crm_database, trusted_proxies=trusted) as app:
            reply = await app.client.get("/api/v1/invoices?per_page=1", headers=told)
            assert f"<{due}gateway.test" in reply.headers["link"]
            assert ("strict-transport-security" in reply.headers) == (due == "https://")


async def test_what_does_not_fit_is_shed_and_the_rest_is_answered(crm_database: str) -> None:
    """One at a time, two in line: of many at once some are told to come back, and nothing is left behind."""
    async with served(crm_database, max_running=1, max_waiting=2) as app:
        replies: list[httpx2.Response] = await asyncio.gather(
            *(app.client.get("/api/v1/invoices?per_page=100&include=client") for _ in range(12))
        )
        statuses = [reply.status_code for reply in replies]

        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 3
        assert {reply.json()["code"] for reply in replies if reply.status_code == 503} == {"overloaded"}
        assert (app.parts.turns.running, app.parts.turns.waiting) == (0, 0)
        assert (await app.get("clients/1")).status_code == 200


async def test_a_write_that_was_shed_leaves_its_key_free(crm_database: str) -> None:
    """Nothing was done, so the same key works as soon as there is room."""
    async with served(crm_database, max_running=1, max_waiting=0) as app:
        headers = {"Idempotency-Key": "shed"}
        bodies = [{"name": "x" * 300}, {"name": "x" * 300}]  # too long, so that nothing stays
        asked = [app.client.post("/api/v1/leads", json=body, headers=headers) for body in bodies]
        statuses = [reply.status_code for reply in await asyncio.gather(*asked)]
        again = await app.client.post("/api/v1/leads", json=bodies[0], headers=headers)

        assert set(statuses) <= {422, 503, 409}
        assert again.status_code == 422
