"""What every command keeps: help, exit codes, and failures told as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import pytest
from click.testing import CliRunner, Result

import gateway
from gateway.cli import main
from gateway.cli.console import Commands, error_text
from gateway.errors import ConfigurationError

Run = Callable[..., Result]


def commands(
    group: click.Group = main, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        yield (*before, name), command


ALL = dict(commands())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself(run: Run, path: tuple[str, ...]) -> None:
    """``--help`` works without settings, database or state, and every option has a text."""
    result = run(*path, "--help")

    assert result.exit_code == 0
    assert (ALL[path].help or "").strip().split("\n")[0].endswith((".", ","))
    assert [option.name for option in ALL[path].params if isinstance(option, click.Option) and not option.help] == []


def test_the_version_is_the_packages(run: Run) -> None:
    """``gateway --version``."""
    assert run("--version").stdout == f"gateway, version {gateway.__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["token", "create"], ["token", "revoke"]])
def test_a_command_that_is_not_understood_ends_with_two(run: Run, arguments: list[str]) -> None:
    """The exit code scripts know."""
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["serve", "check", "routes", "init"])
def test_without_a_database_the_reader_is_told_what_to_set(run: Run, command: str) -> None:
    """And that there is a demo."""
    result = run(command, *(("--port", "0") if command == "serve" else ()))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "GATEWAY_DATABASE_URL=mysql://" in result.stderr
    assert "gateway demo" in result.stderr


def test_wrong_settings_are_listed_one_per_line(run: Run) -> None:
    """All of them, whatever the command."""
    result = run("serve", GATEWAY_PORT="x", GATEWAY_POOLSIZE="1")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: The settings are not usable:",
        "unknown setting GATEWAY_POOLSIZE; did you mean GATEWAY_POOL_SIZE?",
        "GATEWAY_PORT: 'x' is not a whole number",
    ]


def test_an_option_is_checked_like_the_setting_it_stands_for(run: Run) -> None:
    """One rule for both."""
    result = run("serve", "--workers", "0")

    assert result.exit_code == 1
    assert "GATEWAY_WORKERS: 0 is outside 1 to 256" in result.stderr


@click.group(cls=Commands)
@click.option("--debug", is_flag=True)
def failing(debug: bool) -> None:
    """Stand in for the real group."""


@failing.command()
def broken() -> None:
    """Fail as nobody foresaw."""
    raise ZeroDivisionError("oops")


def test_an_unforeseen_failure_is_one_line_and_no_traceback() -> None:
    """It says that the mistake is ours and how to see more."""
    result = CliRunner().invoke(failing, ["broken"])

    assert result.exit_code == 1
    assert "Error: ZeroDivisionError: oops" in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback() -> None:
    """For whoever reports it."""
    result = CliRunner().invoke(failing, ["--debug", "broken"])

    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_an_error_of_ours_is_its_own_text() -> None:
    """Detail first, then one problem per line."""
    assert error_text(ConfigurationError("Wrong:", ["a", "b"])) == "Wrong:\na\nb"


def test_reload_counts_up_the_generation(run: Run) -> None:
    """Workers follow that number. It makes no store: an empty one in place of one that is gone would end its tokens."""
    assert "is not there, or empty" in run("reload").stderr
    run("token", "create", "--name", "bi", "--grant", "*:read")
    assert run("reload").stderr == "Asked for reload 1.\n"
    assert run("reload").stderr == "Asked for reload 2.\n"
