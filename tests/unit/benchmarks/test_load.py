"""What the load generators print, read."""

from __future__ import annotations

import pytest

from benchmarks.load import parse_sysbench, parse_wrk

SYSBENCH = """\
SQL statistics:
    transactions:                        61873  (30925.91 per sec.)
    ignored errors:                      2      (0.00 per sec.)
General statistics:
    total time:                          2.0005s
Latency (ms):
         min:                                    0.11
         max:                                   12.34
         99th percentile:                        1.82
"""


def test_the_line_of_the_script_is_read() -> None:
    """Durations and latencies come in microseconds."""
    sample = parse_wrk("Running 1s test\n  2 requests in 1.00s\nbenchmark 2500 1000000 3 1500 9000 20500\n")

    assert (sample.requests, sample.seconds, sample.errors) == (2500, 1.0, 3)
    assert (sample.p50_ms, sample.p99_ms, sample.max_ms) == (1.5, 9.0, 20.5)


def test_sysbench_is_read() -> None:
    """Its summary has no median latency."""
    sample = parse_sysbench(SYSBENCH)

    assert (sample.requests, sample.seconds, sample.errors) == (61873, 2.0005, 2)
    assert (sample.p50_ms, sample.p99_ms, sample.max_ms) == (None, 1.82, 12.34)


@pytest.mark.parametrize("output", ["", "benchmark 1 2 3\n", "unable to connect"])
def test_a_generator_that_says_nothing_of_use_is_an_error(output: str) -> None:
    """A run without figures is never taken for a slow one."""
    with pytest.raises(RuntimeError, match="nothing of use"):
        parse_wrk(output)
    with pytest.raises(RuntimeError, match="nothing of use"):
        parse_sysbench(output)
