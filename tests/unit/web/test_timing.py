"""Server-Timing: phases that were come to, in order, and nothing where nobody asks."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

from gateway.timing import MARKS, Marks
from gateway.web import timing
from gateway.web.timing import Marked, Timed, server_timing


def phases(text: bytes) -> dict[str, float]:
    assert re.fullmatch(r"\w+;dur=[\d.]+(, \w+;dur=[\d.]+)*", text.decode())
    return {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.]+)", text.decode())}


def test_each_phase_is_told_in_milliseconds(monkeypatch: Any) -> None:
    """Where the time went between the marks."""
    marks = Marks()
    marks.moments = {"authenticate": 1.0, "rate_limit": 1.001, "handler": 1.01, "first query": 1.02, "last query": 1.05}
    marks.spent = {"compile": 0.004, "query": 0.025}
    token = MARKS.set(marks)
    monkeypatch.setattr(timing, "perf_counter", lambda: 1.06)
    found = phases(server_timing(monotonic() - 0.1))
    MARKS.reset(token)

    assert list(found) == ["auth", "plan", "compile", "query", "render", "total"]
    assert [found[name] for name in ("auth", "plan", "compile", "query", "render")] == [1.0, 6.0, 4.0, 25.0, 10.0]
    assert 100 <= found["total"] < 1_000


def test_a_refusal_tells_the_phases_it_came_to() -> None:
    """A token that is refused has cost a lookup, and nothing was planned."""
    marks = Marks()
    marks.moments = {"authenticate": 1.0}
    token = MARKS.set(marks)
    found = phases(server_timing(monotonic()))
    MARKS.reset(token)

    assert list(found) == ["auth", "total"]


async def test_marks_belong_to_one_request() -> None:
    """They are there while it runs, and no longer."""
    seen: list[set[str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        marks = MARKS.get()
        assert marks is not None
        seen.append(set(marks.moments))

    nothing: Any = None
    for _ in range(2):
        await Timed(Marked(app, "handler"))({}, nothing, nothing)
        assert MARKS.get() is None
    assert seen == [{"handler"}, {"handler"}]
