"""What a side must answer before it is measured."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks.load import Work
from benchmarks.shapes import PER_PAGE, ShapeName
from benchmarks.sides.side import HttpSide

PLAIN: dict[str, Any] = {"id": 1, "modes": ["1", "2"]}
WHOLE = {**PLAIN, "client": {"id": 2}, "items": [{"id": 3}]}
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "/plain": [PLAIN] * PER_PAGE,
    "/short": [PLAIN],
    "/whole": [WHOLE] * PER_PAGE,
    "/childless": [*[WHOLE] * (PER_PAGE - 1), {**WHOLE, "items": []}],
}


class Lists(BaseHTTPRequestHandler):
    """Answer with the list of the path."""

    def do_GET(self) -> None:
        body = json.dumps({"data": ANSWERS[self.path]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """Return the address of a server of lists."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Lists) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def side(origin: str, works: dict[ShapeName, Work]) -> HttpSide:
    """Return a side that does some works."""
    return HttpSide("peer", "1", "a peer", origin, (), 1, works, lambda body: body["data"])


def test_a_side_that_answers_in_full_is_accepted(origin: str) -> None:
    """The columns are those of the plain list; a list with relatives has more."""
    checked = side(origin, {"list": Work("/plain"), "list_embeds": Work("/whole")})
    checked.check()

    assert checked.columns == len(PLAIN)


@pytest.mark.parametrize(
    ("shape", "path", "words"),
    [
        ("list", "/short", "gave 1 rows, not 25"),
        ("list_deep", "/short", "gave 1 rows, not 25"),
        ("list_embeds", "/plain", "without their client and lines"),
        ("list_embeds", "/childless", "without their client and lines"),
    ],
)
def test_a_side_that_leaves_something_out_is_not_measured(origin: str, shape: ShapeName, path: str, words: str) -> None:
    """It would be fast for nothing: php-crud-api, for one, ignores a join that no foreign key allows."""
    with pytest.raises(RuntimeError, match=words):
        side(origin, {shape: Work(path)}).check()


def test_exports_are_not_asked_for_beforehand(origin: str) -> None:
    """They are looked at when they run."""
    side(origin, {"export_csv": Work("/nowhere", is_export=True)}).check()
