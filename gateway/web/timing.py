"""``Server-Timing``: where the time of one request went (GATEWAY_SERVER_TIMING).

Nothing of this is built, called or kept where the setting is off.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.timing import MARKS, Marks, mark


class Timed:
    """Keeps the time of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        token = MARKS.set(Marks())
        try:
            await self._app(scope, receive, send)
        finally:
            MARKS.reset(token)


class Marked:
    """Notes when a request came to an application, a stage or the handlers, under its name."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        mark(self._name, perf_counter())
        await self._app(scope, receive, send)


def server_timing(began: float) -> bytes:
    """Return the header's value for a request that began at a moment of the monotonic clock and is answered now.

    Phases that it did not come to are left out. Source: W3C Server Timing, section 3.
    """
    marks = MARKS.get()
    phases = [] if marks is None else list(_phases(marks, perf_counter()))
    phases.append(("total", monotonic() - began))
    return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in phases).encode()


def _phases(marks: Marks, now: float) -> Iterator[tuple[str, float]]:
    """Authentication; what is before the first statement but compiling; compiling; waiting for rows; what is after."""
    moments, spent = marks.moments, marks.spent
    if "authenticate" in moments:
        yield "auth", moments.get("rate_limit", now) - moments["authenticate"]
    if "handler" not in moments:
        return
    compiled = spent.get("compile", 0.0)
    yield "plan", max(0.0, moments.get("first query", now) - moments["handler"] - compiled)
    yield "compile", compiled
    if "last query" in moments:
        yield "query", spent.get("query", 0.0)
        yield "render", now - moments["last query"]
