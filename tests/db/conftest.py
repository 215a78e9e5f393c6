"""Everything in this directory needs the database server, so ``-m "not db"`` leaves it out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory; the hook is handed the tests of all directories."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.db)
