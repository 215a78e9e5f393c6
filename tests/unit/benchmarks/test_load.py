"""What the load generators print, read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Work, one_by_one, parse_sysbench, parse_wrk

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


class Answers(BaseHTTPRequestHandler):
    """Create whatever is sent, but to /refused."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(422 if self.path == "/refused" else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """Return the address of a server that answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_requests_of_many_rows_are_counted_by_rows(origin: str) -> None:
    """The last one is waited for, however little time there is."""
    sample = one_by_one(origin, Work("/", "POST", "[{}]", rows=1_000), seconds=1e-9)

    assert (sample.requests, sample.errors) == (1_000, 0)
    assert sample.p50_ms == sample.max_ms == pytest.approx(sample.seconds * 1e3)


def test_rows_that_were_refused_are_not_counted(origin: str) -> None:
    """A server that refuses fast is not fast."""
    sample = one_by_one(origin, Work("/refused", "POST", "[{}]", rows=1_000), seconds=1e-9)

    assert (sample.requests, sample.errors) == (0, 1)


def test_a_server_that_is_gone_is_an_error() -> None:
    """And no reason to end the whole run."""
    assert one_by_one("http://127.0.0.1:1", Work("/", "POST", "[]", rows=2), seconds=1e-9).errors == 1


def test_a_work_is_filled_in_before_it_is_asked_once() -> None:
    """Path and body name rows that are there."""
    work = Work("/notes/{key}?least={amount}", "PATCH", "{serial}").first()

    assert (work.path, work.body) == ("/notes/42?least=1000.01", "1")
