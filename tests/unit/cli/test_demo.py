"""The demo's token and what it prints; serving it is tried end to end elsewhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.cli.demo import ready_token, welcome
from gateway.security.tokens import digest_of, looks_like_token
from gateway.state.store import StateStore


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state.sqlite3")


def test_the_token_is_made_once_and_found_again(tmp_path: Path, state: str) -> None:
    """A restart prints the same one."""
    token = ready_token(state, tmp_path / "token")

    assert looks_like_token(token.encode())
    assert ready_token(state, tmp_path / "token") == token


def test_the_token_may_do_everything_and_is_readable_by_its_owner_alone(tmp_path: Path, state: str) -> None:
    """It is a secret all the same."""
    token = ready_token(state, tmp_path / "token")
    with StateStore.open(state) as store:
        record = store.tokens.by_digest(digest_of(token.encode()))

    assert record is not None
    assert (record.grants, record.is_admin) == (("*:*",), True)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize("mishap", ["file lost", "file damaged", "token revoked", "state lost"])
def test_a_lost_or_ended_token_is_replaced(tmp_path: Path, state: str, mishap: str) -> None:
    """The demo starts whatever happened to its files, and the token it prints works."""
    keep = tmp_path / "token"
    old = ready_token(state, keep)
    if mishap == "file lost":
        keep.unlink()
    elif mishap == "file damaged":
        keep.write_bytes(b"gw_live_\xff")
    elif mishap == "token revoked":
        with StateStore.open(state) as store:
            store.tokens.revoke("demo")
    else:
        Path(state).unlink()
    new = ready_token(state, keep)

    assert new != old
    assert ready_token(state, keep) == new


def test_three_calls_are_printed_that_a_shell_takes_as_they_stand() -> None:
    """With brackets that curl must not expand, and the address that is served."""
    text = welcome("http://127.0.0.1:9000", "gw_live_x")
    calls = [line.strip() for line in text.splitlines() if line.strip().startswith("curl ")]

    assert len(calls) == 3
    assert all(
        call.startswith("curl -sg -H 'Authorization: Bearer gw_live_x' 'http://127.0.0.1:9000/") for call in calls
    )
    assert all(call.count("'") == 4 for call in calls)
