"""Everything in this directory needs the database server, so ``-m "not db"`` leaves it out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server
from tests.support.postgres import PostgresServer, find_binaries
from tests.support.sales import Crm

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory; the hook is handed the tests of all directories."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.db)


@pytest.fixture(scope="session")
def crm_database(mariadb_server: Server) -> Iterator[str]:
    """The URL of this worker's sample CRM, as it was on 15 July 2026; tests leave it as they found it."""
    name = f"gateway_crm_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="demo", today=NOON.date())
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture(scope="session")
async def crm(crm_database: str) -> AsyncIterator[App]:
    """The application on the sample CRM with the packaged whitelist, at noon of that day."""
    async with served(crm_database) as app:
        yield app


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def sales(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[App, Crm]]:
    """The application on a small CRM of this module's own, whose settings are SEMANTICS' defaults."""
    name = f"gateway_sales_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("sales") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=NOON.date())
    async with served(url, staff_id=1) as app:
        yield app, Crm(url, mariadb_server if is_served else None)
    if is_served:
        mariadb_server.drop_database(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this worker's own, for the gateway's store."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql), or only root could run it")
    with PostgresServer.started(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def state_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a new store may be made: a path, or the URL of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "state.sqlite3")
        return
    yield from _new_database(request.getfixturevalue(f"{_SERVERS[request.param]}_server"))


@pytest.fixture(params=["mariadb", "postgresql"])
def state_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on a server, where a new store may be made."""
    yield from _new_database(request.getfixturevalue(f"{_SERVERS[request.param]}_server"))


_SERVERS = {"mariadb": "mariadb", "postgresql": "postgres"}


def _new_database(server: Server | PostgresServer) -> Iterator[str]:
    name = f"gateway_state_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    yield server.create_database(name)
    server.drop_database(name)
