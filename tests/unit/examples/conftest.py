"""The sample CRM in SQLite files, built once per test run and scale, and read like a list of records."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sample_crm import build
from sample_crm.scale import ScaleName

TODAY = date(2026, 7, 15)

Crm = Callable[..., list[Any]]
"""Runs a query on the sample CRM and returns its rows; ``row["column"]`` and unpacking both work."""


@pytest.fixture(scope="session", params=["tiny", "demo"])
def crm_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample CRM of each scale that tests read and never change."""
    scale: ScaleName = request.param
    path = tmp_path_factory.mktemp("crm") / f"{scale}.db"
    build(f"sqlite:///{path}", scale=scale, today=TODAY)
    return path


@pytest.fixture
def crm(crm_path: Path) -> Iterator[Crm]:
    """Queries on the sample CRM."""
    with closing(sqlite3.connect(crm_path)) as connection:
        connection.row_factory = sqlite3.Row
        yield lambda sql, *values: connection.execute(sql, values).fetchall()


def money(value: float | None) -> Decimal:
    """Return what a money column holds, exactly."""
    return Decimal(str(value or 0)).quantize(Decimal("0.01"))
