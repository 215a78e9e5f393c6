"""``gateway token``: what is printed where, and what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from gateway.security.tokens import digest_of, looks_like_token
from gateway.state.failures import StateAwayError
from gateway.state.store import StateStore
from gateway.state.tokens import TokenRecord, TokenStore

Run = Callable[..., Result]
STATE = "gateway-state.sqlite3"


def stored(token: str) -> TokenRecord | None:
    with StateStore.open(STATE) as state:
        return state.tokens.by_digest(digest_of(token.encode()))


def works(token: str) -> bool:
    record = stored(token)
    return record is not None and record.is_active(datetime.now(UTC))


def create(run: Run, *arguments: str) -> str:
    result = run("token", "create", "--name", "bi", *(arguments or ("--grant", "invoices:read")))
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_new_token_is_the_only_thing_on_stdout(run: Run) -> None:
    """So that a script can take it; what people should know goes to stderr."""
    result = run("token", "create", "--name", "bi", "--grant", "invoices:read", "--grant", "*:*")

    assert looks_like_token(result.stdout.removesuffix("\n").encode())
    assert "cannot be shown again" in result.stderr
    assert works(result.stdout.strip())


def test_the_store_holds_no_token(run: Run, here: Path) -> None:
    """Neither the database nor its side files contain the text, and nobody else may read them."""
    token = create(run)
    files = list(here.iterdir())

    assert files
    assert not any(token.encode() in file.read_bytes() for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_everything_said_of_a_token_is_stored(run: Run) -> None:
    """Grants in their canonical text, flags, staff and end."""
    token = create(
        run, "--grant", "invoices:update,read", "--grant", "*:read", "--admin", "--staff", "3", "--expires", "90d"
    )
    record = stored(token)

    assert record is not None
    assert (record.grants, record.is_admin, record.staff_id) == (("invoices:read,update", "*:read"), True, 3)
    assert record.expires_at is not None
    assert abs(record.expires_at - record.created_at - timedelta(days=90)) <= timedelta(seconds=5)


def test_a_day_ends_a_token_when_it_begins(run: Run) -> None:
    """At midnight UTC."""
    record = stored(create(run, "--admin", "--expires", "2090-01-01"))

    assert record is not None
    assert record.expires_at == datetime(2090, 1, 1, tzinfo=UTC)


def test_json_has_the_token_and_what_is_known_of_it(run: Run) -> None:
    """One object, times in RFC 3339."""
    result = run("token", "create", "--name", "bi", "--grant", "invoices:read", "--json")
    found = json.loads(result.stdout)

    assert works(found["token"])
    assert (found["name"], found["grants"], found["status"], found["expires_at"]) == (
        "bi",
        ["invoices:read"],
        "active",
        None,
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--name", "bi"], "would do nothing"),
        (["--name", "bi", "--grant", "invoices"], '"invoices" is not a grant'),
        (["--name", "bi", "--grant", "invoices:reed"], 'did you mean "read"'),
        (["--name", " ", "--admin"], "printable text"),
        (["--name", "a\nb", "--admin"], "printable text"),
        (["--name", "12", "--admin"], "not a number"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_stored(
    run: Run, here: Path, arguments: list[str], complaint: str
) -> None:
    """Exit code 1, the reason on stderr, an empty stdout."""
    result = run("token", "create", *arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("expires", ["tomorrow", "2001-01-01", "90", "0d", "-1d", "2027-02-30", "999999999w"])
def test_an_end_that_is_none_is_a_usage_error(run: Run, expires: str) -> None:
    """Exit code 2, as for every option that cannot be read."""
    result = run("token", "create", "--name", "bi", "--admin", "--expires", expires)

    assert result.exit_code == 2
    assert "--expires" in result.stderr


def test_a_second_token_of_a_name_is_refused(run: Run) -> None:
    """With the commands that help."""
    create(run)
    result = run("token", "create", "--name", "bi", "--admin")

    assert result.exit_code == 1
    assert "gateway token rotate bi" in result.stderr


def test_the_list_shows_tokens_without_their_secret(run: Run) -> None:
    """A header and one line each."""
    token = create(run)
    result = run("token", "list")
    head, line = result.stdout.splitlines()

    assert head.split() == ["ID", "NAME", "TOKEN", "GRANTS", "STATUS", "USED", "ENDS"]
    assert line.split() == ["1", "bi", token[:12] + "…", "invoices:read", "active", "never", "never"]
    assert token not in result.output


def test_the_list_as_json_has_ended_tokens_too(run: Run) -> None:
    """With their status."""
    create(run)
    run("token", "revoke", "bi")
    create(run)

    assert [item["status"] for item in json.loads(run("token", "list", "--json").stdout)] == ["revoked", "active"]


def test_an_empty_list_says_how_to_make_a_token(run: Run) -> None:
    """On stderr; stdout stays empty, and JSON stays JSON."""
    StateStore.open(STATE).close()
    assert (run("token", "list").stdout, json.loads(run("token", "list", "--json").stdout)) == ("", [])
    assert "gateway token create" in run("token", "list").stderr


@pytest.mark.parametrize("name_or_id", ["bi", "1"])
def test_a_revoked_token_does_not_work(run: Run, name_or_id: str) -> None:
    """By name or by id."""
    token = create(run)
    result = run("token", "revoke", name_or_id)

    assert result.exit_code == 0
    assert 'Revoked "bi"' in result.stderr
    assert not works(token)


def test_revoking_an_unknown_token_is_a_problem(run: Run) -> None:
    """A typing error must not look like success."""
    create(run)
    result = run("token", "revoke", "by")

    assert result.exit_code == 1
    assert "gateway token list" in result.stderr


def test_a_rotated_token_is_replaced_at_once(run: Run) -> None:
    """Without an overlap the old one ends."""
    old = create(run)
    new = run("token", "rotate", "bi").stdout.strip()

    assert (works(old), works(new)) == (False, True)


def test_an_overlap_keeps_the_old_token_for_a_while(run: Run) -> None:
    """And the list says that it is going."""
    old = create(run)
    new = run("token", "rotate", "bi", "--overlap", "1h").stdout.strip()

    assert (works(old), works(new)) == (True, True)
    assert [item["status"] for item in json.loads(run("token", "list", "--json").stdout)] == ["superseded", "active"]


def test_a_token_is_explained_without_a_database(run: Run) -> None:
    """What is stored is shown; what only the catalog knows is said to be unknown."""
    create(run)
    result = run("token", "explain", "bi")

    assert result.exit_code == 0
    assert "grants   invoices:read" in result.stdout
    assert "Without GATEWAY_DATABASE_URL" in result.stderr
    assert json.loads(run("token", "explain", "bi", "--json").stdout)["resources"] is None


def test_explaining_an_unknown_token_is_a_problem(run: Run) -> None:
    """With the command that lists them."""
    create(run)
    result = run("token", "explain", "by")

    assert result.exit_code == 1
    assert "gateway token list" in result.stderr


def test_another_state_file_can_be_named(run: Run, here: Path) -> None:
    """By option or by setting; the option wins."""
    (here / "var").mkdir()
    run(
        "token", "create", "--name", "a", "--admin", "--state-path", "var/a.sqlite3", GATEWAY_STATE_PATH="var/b.sqlite3"
    )
    run("token", "create", "--name", "b", "--admin", GATEWAY_STATE_PATH="var/b.sqlite3")

    assert sorted(file.name for file in (here / "var").iterdir()) == ["a.sqlite3", "b.sqlite3"]


@pytest.mark.parametrize("command", [("list",), ("revoke", "bi"), ("rotate", "bi"), ("explain", "bi")])
@pytest.mark.parametrize("is_empty", [False, True])
def test_what_only_looks_or_ends_makes_no_store(
    run: Run, here: Path, command: tuple[str, ...], *, is_empty: bool
) -> None:
    """In a wrong directory, or where the file of a running gateway is gone: an empty store would end every token."""
    if is_empty:
        (here / STATE).touch()
    result = run("token", *command)

    assert result.exit_code == 1
    assert f"The state file {here / STATE} is not there" in result.stderr
    assert "GATEWAY_STATE_PATH" in result.stderr
    assert [file.stat().st_size for file in here.iterdir()] == [0] * is_empty


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("revoke", "bi"), '"bi" was NOT revoked'),
        (("rotate", "bi"), '"bi" was NOT replaced'),
        (("create", "--name", "new", "--grant", "*:read"), '"new" was NOT made'),
    ],
)
def test_a_store_that_takes_nothing_is_told_with_what_did_not_happen(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str
) -> None:
    """Which store, why, and that the token is as it was: here every write of a token finds the disk full."""
    create(run)
    before = run("token", "list", "--json").stdout

    def full(*_: object, **__: object) -> None:
        raise StateAwayError("database or disk is full")

    for name in ("create", "revoke", "rotate"):
        monkeypatch.setattr(TokenStore, name, full)
    result = run("token", *command)

    assert result.exit_code == 1
    assert f"The state store {STATE} failed (database or disk is full): {said}" in result.stderr
    assert result.stdout == ""
    assert run("token", "list", "--json").stdout == before


def test_a_state_file_that_cannot_be_is_a_problem(run: Run) -> None:
    """With the setting to change."""
    result = run("token", "list", "--state-path", "nowhere/state.sqlite3")

    assert result.exit_code == 1
    assert "GATEWAY_STATE_PATH" in result.stderr
