"""Clients that other people made, against the real server on a CRM of this directory's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_crm import build
from tests.support.app import NOON, RunningServer
from tests.support.mariadb import Server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory, which need the database server; the hook is handed those of all."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.db)


@pytest.fixture(scope="module")
def gateway(mariadb_server: Server) -> Iterator[RunningServer]:
    """``gateway serve`` on a small CRM of this module's own, which may be written to."""
    name = f"gateway_clients_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    with RunningServer.started(url, staff_id=1) as server:
        yield server
    mariadb_server.drop_database(name)
