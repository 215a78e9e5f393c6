"""Downloads: what came, how soon, and that one which broke off is none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.exports import download, exported
from benchmarks.load import Work
from benchmarks.processes import memory_of, most_memory_of

LINES = 3
LATE_S = 0.05


class Files(BaseHTTPRequestHandler):
    """Three lines in chunks, the second half late; /broken ends without the last chunk, /refused is a 403."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(403 if self.path == "/refused" else 200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(b"id\n")
        self.wfile.flush()
        time.sleep(LATE_S)
        self._chunk(b"1\n2\n")
        if self.path == "/broken":
            self.close_connection = True
        else:
            self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """Return the address of a server of files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_download_is_timed_to_its_first_and_to_its_last_byte(origin: str) -> None:
    """They are apart where the server streams."""
    came = download(origin, Work("/file"))

    assert (came.size, came.lines, came.is_whole) == (7, LINES, True)
    assert 0 < came.first_byte_s < came.seconds - LATE_S / 2


@pytest.mark.parametrize("path", ["/broken", "/refused"])
def test_what_broke_off_or_was_refused_is_no_file(origin: str, path: str) -> None:
    """However much of it came."""
    assert not download(origin, Work(path)).is_whole
    sample = exported(origin, Work(path, rows=2, is_export=True), os.getpid())
    assert (sample.requests, sample.errors, sample.first_byte_ms) == (0, 1, None)


def test_a_server_that_is_gone_is_an_error() -> None:
    """And no reason to end the whole run."""
    assert not download("http://127.0.0.1:1", Work("/")).is_whole


def test_an_export_counts_its_rows(origin: str) -> None:
    """All of them or none: fewer lines than rows are no export."""
    whole = exported(origin, Work("/file", rows=LINES, is_export=True), os.getpid())
    short = exported(origin, Work("/file", rows=LINES + 1, is_export=True), os.getpid())

    assert (whole.requests, whole.errors, short.requests, short.errors) == (LINES, 0, 0, 1)
    assert whole.rest_bytes is not None
    assert whole.peak_bytes is not None
    assert whole.p50_ms == pytest.approx(whole.seconds * 1e3)


def test_the_most_memory_is_that_since_the_watch_began() -> None:
    """What was held and given back before does not count, what is meanwhile does."""
    before = bytearray(200_000_000)
    before[::4096] = b"x" * len(before[::4096])
    del before
    most = most_memory_of((os.getpid(),))
    at_rest = most()
    during = bytearray(100_000_000)
    during[::4096] = b"x" * len(during[::4096])
    del during

    assert at_rest < memory_of(os.getpid()) + 50_000_000
    assert 90_000_000 < most() - at_rest < 150_000_000
