"""Stacks sorted into the phases of a request."""

from __future__ import annotations

import pytest

from benchmarks import phases
from benchmarks.phases import PHASES, parse_stacks, phase_of, shares

SERVER = "Server.run (uvicorn/server.py:86)"
ROUTES = "ResourceRoutes.__call__ (gateway/web/routes.py:47)"
FETCH = "MySqlDatabase.fetch (gateway/execution/mysql.py:70)"


@pytest.mark.parametrize(
    ("stack", "phase"),
    [
        ((SERVER,), phases.SERVER),
        ((SERVER, "HttpToolsProtocol.data_received (uvicorn/protocols/http/httptools_impl.py:174)"), phases.SERVER),
        ((SERVER, "Headers.__call__ (gateway/web/stages/headers.py:61)"), phases.STAGES),
        ((SERVER, ROUTES), phases.ROUTING),
        ((SERVER, ROUTES, "known_row (gateway/web/memory.py:72)"), phases.PLANNING),
        ((SERVER, ROUTES, "Reads.page (gateway/operations/reads.py:54)"), phases.OPERATION),
        ((SERVER, ROUTES, FETCH, "write (libc.so.6)"), phases.DRIVER),
        ((SERVER, "StreamReaderProtocol.data_received (asyncio/streams.py:10)"), phases.DRIVER),
        ((SERVER, ROUTES, "Statement.decode (gateway/sql/statement.py:46)", "strlen (libc.so.6)"), phases.DECODING),
        ((SERVER, ROUTES, "render_row (gateway/rest/render.py:47)", "0x1 (orjson/orjson.so)"), phases.ENCODING),
        ((SERVER, ROUTES, "send_reply (gateway/web/replies.py:33)", "send (uvicorn/x.py:5)"), phases.SENDING),
        ((SERVER, ROUTES, "gc_collect_main (libpython3.11.so.1.0)"), phases.COLLECTING),
    ],
)
def test_the_innermost_known_frame_decides(stack: tuple[str, ...], phase: str) -> None:
    """A system call belongs to whoever made it."""
    assert phase_of(stack) == phase


@pytest.mark.parametrize(
    "stack",
    [
        ("Thread.run (threading.py:982)", "_worker (concurrent/futures/thread.py:81)"),
        (SERVER, "epoll_wait (libc.so.6)"),
        (SERVER, "epoll_pwait (libc.so.6)"),
        ("main (elsewhere.c:1)",),
    ],
)
def test_waiting_is_no_work(stack: tuple[str, ...]) -> None:
    """Idle threads, the poll of the event loop and what is not the server's count for nothing."""
    assert phase_of(stack) is None


def test_shares_add_up_to_one_in_the_order_of_a_request() -> None:
    """Stacks that count for nothing take no share."""
    raw = f"{SERVER};{ROUTES};{FETCH} 3\n{SERVER} 1\nmain (elsewhere.c:1) 50\n"

    assert list(shares(raw).items()) == [(phases.SERVER, 0.25), (phases.DRIVER, 0.75)]


def test_lines_that_are_no_stacks_are_passed_over() -> None:
    """An empty profile has no shares."""
    assert list(parse_stacks("\nnonsense\n")) == []
    assert shares("") == {}


def test_every_phase_has_its_place_in_the_order() -> None:
    """A phase without a place would vanish from the report."""
    assert {rule.phase for rule in PHASES} == set(phases.ORDER)
