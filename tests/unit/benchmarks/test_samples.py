"""Medians, spread and ratios of runs."""

from __future__ import annotations

import pytest

from benchmarks.samples import Sample, grown_bytes, latest_first_byte_ms, paired_ratio, summarise


def runs(*rates: int, **others: float) -> list[Sample]:
    """Return runs of one second."""
    return [Sample(requests=rate, seconds=1.0, **others) for rate in rates]  # type: ignore[arg-type]  # fields by name


def test_a_summary_is_the_median_and_how_far_runs_lie_apart() -> None:
    """One bad run moves the spread, not the rate."""
    summary = summarise(runs(100, 40, 110))

    assert (summary.runs, summary.rate, summary.spread) == (3, 100, 0.7)


def test_cpu_is_counted_per_request() -> None:
    """CPU seconds become microseconds of one request."""
    summary = summarise(runs(1_000, cpu_s=0.5, database_cpu_s=0.25))

    assert (summary.cpu_us, summary.database_cpu_us) == (500, 250)


def test_the_worst_page_and_the_worst_company_count() -> None:
    """A median of maxima, or of noise, would hide what a target asks for."""
    samples = [
        Sample(10, 2.0, max_ms=12.0, foreign_cpu_s=0.2),
        Sample(10, 2.0, max_ms=300.0, foreign_cpu_s=1.0),
        Sample(10, 2.0, max_ms=11.0, foreign_cpu_s=0.0),
    ]
    summary = summarise(samples)

    assert (summary.max_ms, summary.foreign_cores) == (300.0, 0.5)


def test_errors_of_all_runs_add_up() -> None:
    """No failed request is lost in a median."""
    assert summarise([Sample(5, 1.0, errors=1), Sample(5, 1.0), Sample(5, 1.0, errors=2)]).errors == 3


def test_what_was_not_measured_stays_unknown() -> None:
    """A generator that reports no latency gets none, not 0."""
    summary = summarise(runs(10, 10, 10))

    assert (summary.p50_ms, summary.max_ms, summary.cpu_us, summary.foreign_cores) == (None, None, None, None)


def test_a_side_without_answers_has_no_cpu_per_request() -> None:
    """Nothing is divided by 0."""
    summary = summarise(runs(0, 0, 0, cpu_s=1.0))

    assert (summary.rate, summary.spread, summary.cpu_us) == (0, 0, None)


def test_no_runs_are_no_summary() -> None:
    """A side that did not run is never summarised."""
    with pytest.raises(ValueError, match="no runs"):
        summarise([])


def test_a_ratio_compares_runs_of_one_round() -> None:
    """A machine that halves its speed between rounds leaves the ratio alone."""
    assert paired_ratio(runs(200, 100, 50), runs(100, 50, 25)) == 2


@pytest.mark.parametrize(("ours", "theirs"), [((), (1,)), ((1,), ()), ((1,), (0,))])
def test_there_is_no_ratio_without_both_sides(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    """An absent side has no ratio, and neither has one that answered nothing."""
    assert paired_ratio(runs(*ours), runs(*theirs)) is None


def test_noise_is_never_negative() -> None:
    """Clock ticks are coarse: a sum of parts may exceed the whole by one."""
    assert Sample(1, 1.0, foreign_cpu_s=-0.02).foreign_cores == 0


def test_downloads_that_were_not_measured_have_grown_by_nothing_known() -> None:
    """Not by 0."""
    assert grown_bytes(runs(10)) is None
    assert latest_first_byte_ms(runs(10)) is None
