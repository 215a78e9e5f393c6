"""The application while its store is gone, locked or back: what clients and balancers see, without a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.observe import StateFound, StateLost
from gateway.state import files
from tests.support.app import App, served
from tests.support.databases import until

WRITE = {"name": "Nobody", "status": 2, "source": 1}


async def readiness(app: App) -> tuple[int, object]:
    answer = await app.anonymous.get("/readyz")
    return answer.status_code, answer.json().get("state")


async def test_a_store_that_is_gone_is_felt_within_a_second_and_found_again(crm_database: str, tmp_path: Path) -> None:
    """Tokens are not known any more, so nothing is served; the file comes back and so does everything."""
    async with served(crm_database) as app:
        path = Path(app.parts.settings.state_path)
        assert (await app.get("clients?per_page=1")).status_code == 200
        assert await readiness(app) == (200, None)
        copy = tmp_path / "copy.sqlite3"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink()

        async def is_refused() -> bool:
            return (await app.get("clients?per_page=1")).status_code == 503

        async with asyncio.timeout(1.5):
            await until(is_refused)
        refused = await app.get("clients?per_page=1")
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("state_away", "1")
        assert (await readiness(app))[0] == 503
        assert any(isinstance(event, StateLost) and "is gone" in event.detail for event in app.events)
        assert not path.exists()

        copy.rename(path)

        async def is_served() -> bool:
            return (await app.get("clients?per_page=1")).status_code == 200

        async with asyncio.timeout(3):
            await until(is_served)

        async def is_whole() -> bool:
            return await readiness(app) == (200, None)

        await until(is_whole)  # that it can be written again is found out by a write
        assert any(isinstance(event, StateFound) for event in app.events)


async def test_a_store_that_is_locked_is_read_and_says_so(crm_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes without a key go on; a key cannot be claimed, so its write does not run."""
    monkeypatch.setattr(files, "_PRAGMAS", ("journal_mode=WAL", "busy_timeout=50"))
    async with served(crm_database, rate_limit="off") as app:
        with closing(sqlite3.connect(app.parts.settings.state_path)) as other:
            other.execute("BEGIN IMMEDIATE")
            before = await app.json("leads?count=exact&per_page=1")
            refused = await app.client.post("/api/v1/leads", json=WRITE, headers={"Idempotency-Key": "while-locked"})
            after = await app.json("leads?count=exact&per_page=1")

            async def is_told() -> bool:
                return (await readiness(app)) == (200, "unwritable")

            await until(is_told)
            other.rollback()

        async def is_over() -> bool:
            return (await readiness(app)) == (200, None)

        await until(is_over)
    assert (refused.status_code, refused.json()["code"]) == (503, "state_away")
    assert before["meta"]["total"] == after["meta"]["total"]
