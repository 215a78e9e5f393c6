"""A directory of the test's own with no settings in the environment, and a way to run the command in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

Run = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory; what a command leaves in the environment for its workers is taken back."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("GATEWAY_")]:
        del os.environ[name]
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(here: Path) -> Run:
    """Run ``gateway`` with arguments and return what came of it."""

    def run_gateway(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(main, arguments, env=environ, prog_name="gateway")

    return run_gateway
