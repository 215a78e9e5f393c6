"""Which store a command opens: an option wins over the environment, also over a URL set there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.environment import open_state, settings_with, variables_of
from gateway.cli.server import _bump
from gateway.errors import ConfigurationError
from gateway.settings import Settings


def test_a_path_given_as_an_option_wins_over_a_url_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For this process, and for the workers, which read the environment it leaves to them."""
    monkeypatch.setenv("GATEWAY_STATE_URL", "mysql://gw:pw@db.example/gateway")
    path = str(tmp_path / "state.sqlite3")

    with open_state(settings_with({"state_path": path})) as state:
        assert state.address == path
    assert variables_of({"state_path": path, "port": None}) == {"GATEWAY_STATE_PATH": path, "GATEWAY_STATE_URL": ""}


def test_without_the_option_the_url_is_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever path is set beside it."""
    monkeypatch.setenv("GATEWAY_STATE_PATH", str(tmp_path / "state.sqlite3"))
    monkeypatch.setenv("GATEWAY_STATE_URL", "oracle://gw:pw@db.example/gateway")

    with pytest.raises(ConfigurationError, match="oracle://"):
        open_state(settings_with({"state_path": None}))
    assert list(tmp_path.iterdir()) == []


def test_a_reload_without_a_store_is_told_and_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The process above the workers hears SIGHUP while the file is gone: it lives on, and makes no empty store."""
    _bump(Settings(state_path=str(tmp_path / "state.sqlite3")))

    assert "no reload: The state file" in caplog.text
    assert list(tmp_path.iterdir()) == []
