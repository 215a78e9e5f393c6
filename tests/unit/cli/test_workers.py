"""Which workers are replaced, and when: the processes are stood in for."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from gateway.cli import workers
from gateway.cli.workers import Supervisor, make_config
from gateway.settings import Settings


class Stand:
    """A worker that has ended with an exit code, None while it runs."""

    def __init__(self, *, has_served: bool = False, exitcode: int | None = None) -> None:
        self.has_served = has_served
        self.exitcode = exitcode
        self.pid = 7

    def is_alive(self, timeout: float = 5) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        """Nothing: it has ended."""

    def join(self) -> None:
        """Nothing, as above."""


class Place:
    """A supervisor of one place, at a time of the test's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.started: list[Stand] = []
        monkeypatch.setattr(workers, "monotonic", lambda: self.now)
        monkeypatch.setattr("uvicorn.supervisors.multiprocess.SIGNALS", {})
        listener: Any = None
        self.supervisor = Supervisor(make_config("none:none", Settings(), 1), listener, 0.0, lambda: None)
        monkeypatch.setattr(self.supervisor, "_started", self._start)
        self.supervisor.init_processes()

    def _start(self) -> Stand:
        self.started.append(Stand())
        return self.started[-1]

    def ends(self, code: int, *, has_served: bool) -> float | None:
        """Let the worker end; return the seconds until another was started, None where none is within a minute."""
        began, count = self.now, len(self.started)
        self.started[-1].has_served = has_served
        self.started[-1].exitcode = code
        while self.now - began <= 60:
            self.supervisor.keep_subprocess_alive()
            if len(self.started) > count:
                return self.now - began
            self.now += 0.5
        return None


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose worker runs."""
    return Place(monkeypatch)


def test_one_that_cannot_take_the_place_is_tried_again_ever_more_rarely(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """From a second to half a minute; one that serves begins the count anew. Each is logged as an error."""
    assert place.ends(-9, has_served=True) == 0.0
    assert [place.ends(3, has_served=False) for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert place.ends(-9, has_served=True) == 0.0
    assert place.ends(1, has_served=False) == 1.0
    assert not place.supervisor.should_exit.is_set()
    assert not place.supervisor.has_failed
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 10


@pytest.mark.parametrize("code", [1, 3])
def test_a_first_worker_that_ends_itself_before_it_served_ends_all(place: Place, code: int) -> None:
    """Whatever its code: a failure that is told, and one that nobody foresaw."""
    assert place.ends(code, has_served=False) is None
    assert place.supervisor.should_exit.is_set()
    assert place.supervisor.has_failed


def test_one_that_is_killed_again_and_again_before_it_serves_is_not_started_in_a_whirl(place: Place) -> None:
    """As where memory is short: at once, then after a pause that grows."""
    assert [place.ends(-9, has_served=False) for _ in range(4)] == [0.0, 1.0, 2.0, 4.0]
    assert not place.supervisor.should_exit.is_set()
