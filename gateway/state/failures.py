"""What goes wrong with the store: one error for all of it, and which failures another try mends.

What comes in: errors of SQLAlchemy and the drivers. What goes out: `StateAwayError`, or the error
itself where it says something about the rows and not about the store.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.errors import UnavailableError

P = ParamSpec("P")
R = TypeVar("R")

MOST_TRIES: Final = 5
_PAUSE_S: Final = 0.02
_PASSING_STATES: Final = frozenset({"40001", "40P01"})
"""PostgreSQL: a serialization failure, a deadlock."""
_PASSING_NUMBERS: Final = frozenset({1020, 1213})
"""MariaDB and MySQL: the record has changed since it was read, a deadlock."""


class StateAwayError(UnavailableError, SQLAlchemyError):  # type: ignore[misc]  # `code` is ours, theirs is unused
    """The store cannot be reached, read or written now (503 ``state_away``).

    It is an error of SQLAlchemy too, so that whoever guards a call of the store need know nothing of this class.
    ``is_passing`` says that the transaction was undone because of another one: run again, it will do.
    """

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        super().__init__(
            "state_away",
            "The gateway's own store did not answer; nothing was done. Try again in a moment.",
            headers={"Retry-After": "1"},
        )
        self.reason = reason
        self.is_passing = is_passing

    def __str__(self) -> str:
        return self.reason


def is_of_the_store(error: BaseException) -> bool:
    """Whether an error says that the store failed, and not that the rows did not fit or the program was wrong."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, IntegrityError | DataError)
    return isinstance(error, PoolTimeoutError)


def away(error: BaseException) -> StateAwayError:
    """Return the error that stands for one of SQLAlchemy; its reason is for the log, never for a client."""
    if isinstance(error, DBAPIError):
        return StateAwayError(reason_of(error), is_passing=_is_passing(error))
    return StateAwayError("no connection was free: others wait for the store too")


def reason_of(error: DBAPIError) -> str:
    """Return what the driver says, on one line.

    >>> reason_of(DBAPIError("SELECT 1", {}, Exception(2003, "Can't connect"), False))
    "Can't connect"
    """
    said = error.orig.args[-1] if error.orig is not None and error.orig.args else error.orig
    return " ".join(str(said).split()) or type(error.orig).__name__


def retried(transaction: Callable[P, R]) -> Callable[P, R]:
    """Return a function, which must be exactly one transaction, that is run again where another one came between.

    That is a deadlock, a failure to serialize, or a unique key that another transaction took first: run
    again, it finds the other's row. It is tried `MOST_TRIES` times in all.
    """

    @wraps(transaction)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for number in range(1, MOST_TRIES):
            try:
                return transaction(*args, **kwargs)
            except IntegrityError:
                pass
            except StateAwayError as error:
                if not error.is_passing:
                    raise
            time.sleep(random.uniform(0, number * _PAUSE_S))  # noqa: S311  # two that met should not meet again
        return transaction(*args, **kwargs)

    return run


def _is_passing(error: DBAPIError) -> bool:
    cause = error.orig
    if getattr(cause, "sqlstate", None) in _PASSING_STATES:
        return True
    return bool(cause is not None and cause.args and cause.args[0] in _PASSING_NUMBERS)
