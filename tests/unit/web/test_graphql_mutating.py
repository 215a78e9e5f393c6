"""What becomes of an Idempotency-Key after a document with mutations, and what its records say."""

from __future__ import annotations

import pytest

from gateway.errors import ConflictError, GatewayError, UnavailableError, ValidationError
from gateway.web.graphql.mutating import Mutated, check_conditions
from gateway.web.graphql.replying import Draft

AWAY = UnavailableError("database_away", "x", headers={"Retry-After": "1"})
BUSY = UnavailableError("database_busy", "x", headers={"Retry-After": "1"})
UNKNOWN = UnavailableError("outcome_unknown", "x")
WRONG = ValidationError("fields_invalid", "x")
TAKEN = ConflictError("duplicate", "x")


@pytest.mark.parametrize(
    ("errors", "is_done", "failure"),
    [
        ((), True, None),
        ((), False, None),
        ((WRONG,), False, None),
        ((WRONG, TAKEN), False, None),
        ((AWAY,), False, AWAY),
        ((AWAY, BUSY), False, AWAY),
        ((WRONG, AWAY), False, None),
        ((WRONG, UNKNOWN), False, UNKNOWN),
        ((UNKNOWN, AWAY), False, UNKNOWN),
        ((AWAY,), True, None),
        ((UNKNOWN,), True, None),
    ],
)
def test_a_key_is_free_again_only_where_nothing_was_done(
    errors: tuple[GatewayError, ...], failure: GatewayError | None, *, is_done: bool
) -> None:
    """An answer that tells of something done is final; of what nobody knows, nobody is told it was done."""
    assert Mutated(Draft(), errors, 0, is_done=is_done).failure is failure


@pytest.mark.parametrize("name", [b"if-match", b"if-none-match"])
def test_conditions_of_the_request_are_refused(name: bytes) -> None:
    """The argument is named that can say which row it means."""
    with pytest.raises(GatewayError, match="`ifMatch`"):
        check_conditions([(b"accept", b"*/*"), (name, b"*")])
    check_conditions([(b"accept", b"*/*")])
