"""Whether the store can be read and written, as the last transactions found it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from sqlalchemy.exc import SQLAlchemyError

from gateway.observe import Event, Observer, StateFound, StateLost
from gateway.state.failures import StateAwayError, away, is_of_the_store

Kind = Literal["read", "write"]
Status = Literal["ok", "unwritable", "away"]

_STATUS: Final[dict[frozenset[Kind], Status]] = {frozenset(): "ok", frozenset({"write"}): "unwritable"}


class Standing:
    """Notes how transactions end, from any thread, and says once that the store was lost and once that it is back."""

    __slots__ = ("_lock", "_lost_at", "_monotonic", "_observer")

    def __init__(self, observer: Observer | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._observer = observer
        self._monotonic = monotonic
        self._lost_at: dict[Kind, float] = {}
        self._lock = threading.Lock()

    @property
    def status(self) -> Status:
        """Return "ok", "unwritable" where reads go on, or "away"."""
        return _STATUS.get(frozenset(self._lost_at), "away")

    @contextmanager
    def noted(self, kind: Kind, *, is_proof: bool = True) -> Iterator[None]:
        """Return a context around one transaction that notes how it ended.

        A store that was lost is found by one that ``is_proof``: a full one may still take the smallest of writes.

        Raises:
            StateAwayError: for every failure of the store itself; other errors pass as they are.
        """
        try:
            yield
        except StateAwayError as error:
            self._failed(kind, error)
            raise
        except SQLAlchemyError as error:
            if not is_of_the_store(error):
                raise
            failure = away(error)
            self._failed(kind, failure)
            raise failure from error
        if is_proof and kind in self._lost_at:
            self._worked(kind)

    def _failed(self, kind: Kind, error: StateAwayError) -> None:
        if error.is_passing:
            return
        with self._lock:
            is_new = kind not in self._lost_at
            self._lost_at.setdefault(kind, self._monotonic())
        if is_new:
            self._say(StateLost(kind, error.reason))

    def _worked(self, kind: Kind) -> None:
        with self._lock:
            lost_at = self._lost_at.pop(kind, None)
        if lost_at is not None:
            self._say(StateFound(kind, self._monotonic() - lost_at))

    def _say(self, event: Event) -> None:
        if self._observer is not None:
            self._observer(event)
