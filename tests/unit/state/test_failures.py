"""One error for a store that fails, another try for what another try mends, and one word for how the store stands."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.errors import UnavailableError
from gateway.observe import Event, StateFound, StateLost
from gateway.state.failures import MOST_TRIES, StateAwayError, retried
from gateway.state.standing import Standing


class RefusalError(Exception):
    """What PostgreSQL's driver raises, as far as it matters here."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("deadlock detected")
        self.sqlstate = sqlstate


@dataclass
class Moment:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def failed(cause: Exception) -> DBAPIError:
    return OperationalError("SELECT 1", {}, cause)


def ended_with(standing: Standing, error: Exception | None, kind: str = "read") -> Exception | None:
    """Return what comes out of a transaction that ends with an error."""
    try:
        with standing.noted("write" if kind == "write" else "read"):
            if error is not None:
                raise error
    except Exception as caught:
        return caught
    return None


def test_a_failure_of_the_store_is_a_503_and_an_error_of_sqlalchemy() -> None:
    """Whoever guards a call by either catches it; what the driver says is for the log alone."""
    error = ended_with(Standing(), failed(Exception(2003, "Can't connect to db.example")))

    assert isinstance(error, StateAwayError)
    assert issubclass(StateAwayError, UnavailableError)
    assert issubclass(StateAwayError, SQLAlchemyError)
    assert (error.code, error.status, error.headers["Retry-After"]) == ("state_away", 503, "1")
    assert str(error) == "Can't connect to db.example"
    assert "db.example" not in error.detail


@pytest.mark.parametrize("kind", [IntegrityError, DataError])
def test_what_is_wrong_with_rows_passes_as_it_is(kind: type[DBAPIError]) -> None:
    """A unique key that is taken says nothing about the store."""
    standing, error = Standing(), kind("INSERT", {}, Exception(1062, "Duplicate"))

    assert ended_with(standing, error) is error
    assert standing.status == "ok"


def test_a_mistake_of_the_program_passes_as_it_is() -> None:
    """It is not hidden behind a 503."""
    standing, error = Standing(), ZeroDivisionError()

    assert ended_with(standing, error) is error
    assert standing.status == "ok"


def test_waiting_in_vain_for_a_connection_is_a_failure_too() -> None:
    """Then others wait for the store."""
    error = ended_with(Standing(), PoolTimeoutError("QueuePool limit"))

    assert isinstance(error, StateAwayError)


def test_that_the_store_was_lost_and_found_is_said_once_each() -> None:
    """However many transactions fail meanwhile; reads and writes apart."""
    events: list[Event] = []
    moment = Moment()
    standing = Standing(events.append, moment)
    words = []
    for kind, error in [
        ("write", failed(Exception("database or disk is full"))),
        ("write", failed(Exception("database or disk is full"))),
        ("read", None),
        ("read", failed(Exception("gone"))),
        ("read", failed(Exception("gone"))),
        ("read", None),
        ("write", None),
        ("write", None),
    ]:
        ended_with(standing, error, kind)
        words.append(standing.status)
        moment.now += 1

    assert words == ["unwritable", "unwritable", "unwritable", "away", "away", "unwritable", "ok", "ok"]
    assert events == [
        StateLost("write", "database or disk is full"),
        StateLost("read", "gone"),
        StateFound("read", 2.0),
        StateFound("write", 6.0),
    ]


@pytest.mark.parametrize("cause", [RefusalError("40P01"), RefusalError("40001"), Exception(1213, "Deadlock found")])
def test_a_deadlock_is_passing_and_no_sign_of_a_lost_store(cause: Exception) -> None:
    """The server has undone the transaction so that another could go on."""
    standing = Standing()
    error = ended_with(standing, failed(cause), "write")

    assert isinstance(error, StateAwayError)
    assert error.is_passing
    assert standing.status == "ok"


@pytest.mark.parametrize(
    "error", [StateAwayError("deadlock", is_passing=True), IntegrityError("INSERT", {}, Exception(1062, "Duplicate"))]
)
@pytest.mark.parametrize("failures", range(MOST_TRIES + 1))
def test_a_transaction_that_met_another_is_tried_again_a_few_times(error: Exception, failures: int) -> None:
    """And no more than that: what goes on failing is told."""
    calls = []

    @retried
    def transaction(name: str) -> str:
        calls.append(name)
        if len(calls) <= failures:
            raise error
        return f"done by {name}"

    if failures == MOST_TRIES:
        with pytest.raises(type(error)):
            transaction("bi")
    else:
        assert transaction("bi") == "done by bi"
    assert len(calls) == min(failures + 1, MOST_TRIES)


def test_a_store_that_is_away_is_not_tried_again() -> None:
    """Each try would take seconds, and the next request asks anyway."""
    calls = []

    @retried
    def transaction() -> None:
        calls.append(1)
        raise StateAwayError("gone")

    with pytest.raises(StateAwayError, match="gone"):
        transaction()
    assert calls == [1]
