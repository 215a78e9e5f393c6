"""Everything in this directory looks through a real browser at the real server; ``-m "not browser"`` leaves it out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.state.store import StateStore
from sample_crm import build
from tests.support.app import FREE, NOON, RunningServer, issue
from tests.support.browser import Browser, Elsewhere, NoBrowserError, ensure_installed
from tests.support.mariadb import Server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory; the hook is handed the tests of all directories."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.db)


@dataclass(frozen=True, slots=True)
class Site:
    """The gateway, two sites of other origins, of which it lets one call, and tokens."""

    server: RunningServer
    company: Elsewhere
    stranger: Elsewhere
    tokens: Mapping[str, str]

    @property
    def base(self) -> str:
        return self.server.base

    def revoke(self, name: str) -> None:
        """End a token; workers know within a second."""
        with StateStore.open(str(self.server.directory / "state.sqlite3")) as state:
            state.tokens.revoke(name)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all the tests of this worker."""
    try:
        ensure_installed()
    except NoBrowserError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    async with Browser.started() as running:
        yield running


@pytest.fixture(scope="session")
def site(mariadb_server: Server) -> Iterator[Site]:
    """The real server on a small CRM of this worker's own."""
    name = f"gateway_browser_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    settings: dict[str, Any] = {**FREE, "staff_id": 1, "access_log": True}
    build(url, scale="tiny", today=NOON.date())
    with (
        Elsewhere.started() as company,
        Elsewhere.started() as stranger,
        RunningServer.started(url, **settings, cors_origins=company.origin) as server,
        StateStore.open(str(server.directory / "state.sqlite3")) as state,
    ):
        tokens = {
            "admin": server.token,
            "ending": issue(state, "ending", ("*:*",), is_admin=True),
            "reader": issue(state, "reader", ("invoices:read",)),
        }
        server.wait_for_line("Application startup complete")
        yield Site(server, company, stranger, tokens)
    mariadb_server.drop_database(name)
