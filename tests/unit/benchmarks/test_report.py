"""The report says what ran, what did not, and what the targets make of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.report import judged, render, target_ratio
from benchmarks.results import Idle, Profile, Results, SideFacts
from benchmarks.samples import Sample
from benchmarks.shapes import GATEWAY, SHAPES, TARGETS, ShapeName, Target

SHAPE: ShapeName = "one"


def runs(rate: int, **others: float) -> Sequence[Sample]:
    """Return three runs of one second."""
    return [Sample(rate, 1.0, **others)] * 3  # type: ignore[arg-type]  # fields by name


def results(**changes: object) -> Results:
    """Return results of the gateway and one peer; another peer is absent."""
    made: dict[str, object] = {
        "environment": {"machine": "2 cores"},
        "sides": [SideFacts(GATEWAY, "1 (uvicorn)", 52, "ours"), SideFacts("php-crud-api", "8", 55, "peer")],
        "absent": {"xmysql": "PEER_XMYSQL does not name it"},
        "samples": {
            (SHAPE, GATEWAY): runs(4_000, p50_ms=3.0, p99_ms=5.0, max_ms=20.0, cpu_s=0.5, foreign_cpu_s=0.01),
            (SHAPE, "php-crud-api"): runs(1_000, foreign_cpu_s=0.9),
        },
        "count_deadline_ms": 250,
    }
    return Results(**{**made, **changes})  # type: ignore[arg-type]  # fields by name


def section(report: str, title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, its head left out."""
    _, _, after = report.partition(f"## {title}\n")
    rows = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def title_of(name: ShapeName) -> str:
    """Return the heading of a shape."""
    return next(shape.title for shape in SHAPES if shape.name == name)


def test_a_shape_has_a_row_for_each_side_with_its_ratio() -> None:
    """The gateway's row comes first and has no ratio to itself."""
    rows = section(render(results()), title_of(SHAPE))

    assert rows[0] == ["gateway", "52", "4,000", "0%", "", "3.0", "5.0", "20", "125", "-", "0.01"]
    assert rows[1][:5] == ["php-crud-api", "55", "1,000", "0%", "4.00 x"]


def test_work_that_peers_do_not_do_is_compared_with_a_plain_create() -> None:
    """A rate alone says nothing on another machine."""
    samples = {("create_invoice", GATEWAY): runs(200), ("create", GATEWAY): runs(1_000)}

    assert f"The gateway's req/s here are 0.20 x those of *{title_of('create')}*." in render(results(samples=samples))


def test_nothing_is_compared_with_a_create_that_did_not_run() -> None:
    """The table stands without the line."""
    report = render(results(samples={("update", GATEWAY): runs(200)}))

    assert section(report, title_of("update"))[0][2] == "200"
    assert "The gateway's req/s here" not in report


def test_a_create_of_many_counts_rows() -> None:
    """The heading says so, and so does the comparison."""
    samples = {("create_many", GATEWAY): runs(5_000), ("create", GATEWAY): runs(1_000)}
    _, _, after = render(results(samples=samples)).partition(f"## {title_of('create_many')}\n")

    assert "| side | columns | rows/s |" in after.partition("\n## ")[0]
    assert "The gateway's rows/s here are 5.00 x" in after


def test_an_absent_side_is_not_run_and_never_a_number() -> None:
    """Its reason stands among the sides."""
    report = render(results())

    assert section(report, title_of(SHAPE))[2] == ["xmysql", "not run", *[""] * 9]
    assert ["xmysql", "not run", "", "PEER_XMYSQL does not name it"] in section(report, "Sides")


def test_noise_is_marked() -> None:
    """A reader must see which rows not to trust."""
    rows = section(render(results()), title_of(SHAPE))

    assert [row[-1] for row in rows[:2]] == ["0.01", "0.90 (!)"]


def test_failed_requests_stand_beside_the_rate() -> None:
    """A server that fails fast is not fast."""
    samples = {(SHAPE, GATEWAY): [Sample(10, 1.0, errors=2)] * 3}

    assert section(render(results(samples=samples)), title_of(SHAPE))[0][2] == "10, 6 errors"


def test_each_target_has_a_row() -> None:
    """Those that could not be judged say so."""
    rows = section(render(results()), "Targets")

    assert len(rows) == len(TARGETS) + 5  # memory and first byte of exports, the latest page, memory, startup
    assert all(len(row) == 4 and row[-1] for row in rows)
    assert [row[-1] for row in rows[-5:]] == ["not run"] * 5


def test_small_data_is_no_measure_of_the_targets() -> None:
    """A reader of a quick run is told so, one of a whole run is not."""
    words = "They are meant for scale bench"

    assert (words in render(results()), words in render(results(is_full_scale=False))) == (False, True)


def test_the_best_peer_is_the_one_that_is_nearest() -> None:
    """A target against several sides is as good as the worst ratio among those that ran."""
    samples = {(SHAPE, GATEWAY): runs(30), (SHAPE, "php-crud-api"): runs(10), (SHAPE, "xmysql"): runs(20)}
    target = Target(SHAPE, ("php-crud-api", "xmysql", "another"), 1.0, "the best peer")

    assert target_ratio(results(samples=samples), target) == 1.5


def test_a_deep_page_is_held_to_our_own_first_page() -> None:
    """Within 1.3 times of it, in the same round."""
    samples = {("list_first", GATEWAY): runs(1_300), ("list_deep", GATEWAY): runs(1_000)}
    target = next(target for target in TARGETS if target.shape == "list_deep")
    row = next(row for row in section(render(results(samples=samples)), "Targets") if row[0] == title_of("list_deep"))

    assert target_ratio(results(samples=samples), target) == pytest.approx(1 / 1.3)
    assert row[2:] == ["0.77 x", "met"]


def test_exports_are_judged_by_the_worst_of_their_runs() -> None:
    """Memory counts from the lowest that any began with: a process keeps what the first export made it take."""
    samples = {
        ("export_csv", GATEWAY): [
            Sample(9, 1.0, first_byte_ms=40.0, rest_bytes=70_000_000, peak_bytes=80_000_000),
            Sample(9, 1.0, first_byte_ms=250.0, rest_bytes=80_000_000, peak_bytes=81_000_000),
        ],
        ("export_ndjson", GATEWAY): [Sample(9, 1.0, first_byte_ms=30.0, rest_bytes=81_000_000, peak_bytes=85_000_000)],
    }
    report = render(results(samples=samples))

    assert [row[2:] for row in section(report, "Targets")[-5:-3]] == [
        ["max 15 MB", "met"],
        ["max 250 ms", "missed by 20%"],
    ]
    words = "*gateway*: memory up to 11.0 MB above what it held before, the first byte after 250 ms at most."
    assert words in report.partition(f"## {title_of('export_csv')}")[2].partition("\n## ")[0]
    assert "memory up to 4.0 MB above" in report.partition(f"## {title_of('export_ndjson')}")[2]


def test_a_target_without_its_side_is_not_judged() -> None:
    """No figure is taken from an earlier run or another machine."""
    assert target_ratio(results(), Target(SHAPE, ("xmysql",), 1.0, "xmysql")) is None


@pytest.mark.parametrize(("fulfilment", "words"), [(1.0, "met"), (3.0, "met"), (0.75, "missed by 25%")])
def test_a_verdict_says_by_how_much_a_target_is_missed(fulfilment: float, words: str) -> None:
    """Missing by a little and by a lot are different things."""
    assert judged(fulfilment) == words


def test_the_latest_page_is_held_to_the_count_deadline() -> None:
    """The worst page of any run counts."""
    samples = {("list_new_total", GATEWAY): [Sample(9, 1.0, max_ms=200.0), Sample(9, 1.0, max_ms=520.0)]}
    row = section(render(results(samples=samples)), "Targets")[-3]

    assert row[2:] == ["max 520 ms", "missed by 50%"]


def test_the_idle_worker_is_judged_by_memory_and_startup() -> None:
    """Megabytes are millions of bytes."""
    report = render(results(idle=Idle(126, 122, 1.5, 80_000_000)))

    assert [row[2:] for row in section(report, "Targets")[-2:]] == [["80.0 MB", "met"], ["1.50 s", "met"]]
    assert "122 resources served" in report


def test_a_profile_shares_out_the_time_of_a_request() -> None:
    """The parts and the whole are microseconds."""
    profiles = [Profile(SHAPE, 120.0, {"server": 0.25, "driver": 0.75})]
    rows = section(render(results(profiles=profiles)), "Where the time goes")

    assert rows == [["server", "30"], ["driver", "90"], ["**CPU of the worker per request**", "**120**"]]


def test_a_missing_profile_says_why() -> None:
    """The profiler is no dependency of the project."""
    assert "not run: py-spy is not on the path" in render(results(without_profile="py-spy is not on the path"))


def test_text_cannot_break_a_table() -> None:
    """Reasons come from logs, with bars and line breaks."""
    report = render(results(absent={"xmysql": "a | b\n\nc"}))

    assert "| xmysql | not run |  | a \\| b c |" in report
