"""What the command line asks for, and where the report goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import REPORT, parse
from benchmarks.runner import STARTS, brief
from benchmarks.shapes import SHAPES


def test_a_whole_run_rewrites_the_report() -> None:
    """All shapes on all sides at the size that the targets are for."""
    options, place = parse([])

    assert (options.scale, len(options.shapes), len(options.sides), place) == (
        "bench",
        len(SHAPES),
        len(STARTS),
        REPORT,
    )
    assert options.rounds >= 3


@pytest.mark.parametrize("arguments", [["--quick"], ["--shape", "one"], ["--side", "gateway"], ["--scale", "demo"]])
def test_any_other_run_leaves_the_report_alone(arguments: list[str]) -> None:
    """Rough or partial figures never replace those of a whole run."""
    assert parse(arguments)[1] is None


def test_a_report_can_go_elsewhere() -> None:
    """Whatever was run."""
    assert parse(["--quick", "--output", "other.md"])[1] == Path("other.md")


@pytest.mark.parametrize("arguments", [["--rounds", "2"], ["--seconds", "0"], ["--side", "nobody"]])
def test_a_run_that_would_say_nothing_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer than three rounds have no spread."""
    with pytest.raises(SystemExit):
        parse(arguments)

    assert "error:" in capsys.readouterr().err


def test_a_shape_brings_along_what_it_is_held_to() -> None:
    """The question in GraphQL says little without the same by REST, from the same process and the same round."""
    assert parse(["--shape", "graphql_invoices"])[0].shapes == ("rest_invoices", "graphql_invoices")
    assert parse(["--shape", "one"])[0].shapes == ("one",)


@pytest.mark.parametrize(("seconds", "half"), [(1, 1), (3, 1), (4, 2)])
def test_a_brief_shape_runs_half_as_long(seconds: int, half: int) -> None:
    """A run takes at least a second."""
    assert brief(seconds) == half
