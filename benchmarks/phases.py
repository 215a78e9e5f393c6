"""Where the time of a request goes: stacks that py-spy saw, sorted into phases.

What comes in: py-spy's raw output, one line per stack, frames from the outermost inward, and how often
it was seen. What goes out: shares per phase. The innermost frame that a rule knows decides: a
system call made by the driver is the driver's, one made for the reply is the reply's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """Frames whose text holds one of the marks belong to a phase."""

    phase: str
    marks: tuple[str, ...]


SERVER: Final = "server: event loop, HTTP parser, request task (uvloop, httptools, uvicorn)"
SENDING: Final = "sending: reply headers and the write to the client"
STAGES: Final = "stages: shield, recorder, token"
ROUTING: Final = "routing: path, access, handler, client watch"
PLANNING: Final = "plan: what was asked before, found again; key bound"
OPERATION: Final = "operation: statement by plan, parameters, page and count"
DRIVER: Final = "database: pool, driver, the write to and the read from the server"
DECODING: Final = "decoding: rows -> values of the contract"
ENCODING: Final = "encoding: links, meta, JSON"
COLLECTING: Final = "Python's garbage collector"

_GRAPHQL_REPLY: Final = ("gateway/graphql/render.py", "gateway/graphql/shapes.py", "gateway/web/graphql/replying.py")
_GRAPHQL_ASKED: Final = ("gateway/graphql/", "gateway/web/graphql/preparing.py")

PHASES: Final = (
    Rule(COLLECTING, ("gc_collect_main",)),
    Rule(DECODING, ("gateway/sql/statement.py", "gateway/catalog/")),
    Rule(ENCODING, ("orjson", "gateway/rest/render.py", "gateway/rest/url.py", *_GRAPHQL_REPLY)),
    Rule(DRIVER, ("asyncmy", "gateway/execution/", "asyncio/streams.py", "asyncio/queues.py")),
    Rule(SENDING, ("gateway/web/replies.py", "send (uvicorn/", "send_with_headers (")),
    Rule(
        PLANNING,
        ("gateway/web/memory.py", "gateway/query/", "gateway/rest/parse.py", "gateway/sql/cache.py", *_GRAPHQL_ASKED),
    ),
    Rule(OPERATION, ("gateway/operations/", "gateway/sql/")),
    Rule(STAGES, ("gateway/web/stages/", "gateway/security/", "gateway/web/pipeline.py")),
    Rule(ROUTING, ("gateway/web/", "gateway/rest/", "starlette/")),
    Rule(SERVER, ("uvicorn/", "Server.run", "<module>")),
)
ORDER: Final = (
    SERVER, STAGES, ROUTING, PLANNING, OPERATION, DRIVER, DECODING, ENCODING, SENDING, COLLECTING,
)  # fmt: skip
_WAITING: Final = ("concurrent/futures/thread.py", "epoll_", "select (")


def parse_stacks(raw: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield each stack with how often it was seen.

    >>> list(parse_stacks("run (a.py:1);leaf (b.py:2) 7\\n"))
    [(('run (a.py:1)', 'leaf (b.py:2)'), 7)]
    """
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdigit():
            yield tuple(stack.split(";")), int(count)


def phase_of(stack: Iterable[str]) -> str | None:
    """Return the phase of a stack, None for one that only waits or is not the request's."""
    frames = tuple(stack)
    if any(mark in frame for frame in frames for mark in _WAITING):
        return None
    for frame in reversed(frames):
        for rule in PHASES:
            if any(mark in frame for mark in rule.marks):
                return rule.phase
    return None


def shares(raw: str) -> Mapping[str, float]:
    """Return the share of each phase, in the order of a request; empty without stacks."""
    seen: Counter[str] = Counter()
    for stack, count in parse_stacks(raw):
        phase = phase_of(stack)
        if phase is not None:
            seen[phase] += count
    total = sum(seen.values())
    return {phase: seen[phase] / total for phase in ORDER if seen[phase]} if total else {}
