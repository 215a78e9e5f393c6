"""The closed list of things worth logging or counting, as dataclasses.

The program says what happened by calling an `Observer` with one of these; what is
logged or counted, and how, is decided by whoever subscribes (STYLE section 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogLoaded:
    """A catalog was built and put in place."""

    generation: int
    resources: int
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class CatalogKept:
    """A reload failed; the catalog before it stays in place."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class NameLeftOut:
    """A new catalog is in place without a name of the whitelist that nothing knows."""

    reason: str
    problem: str


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """The database stopped answering; requests get 503 until it is back."""

    detail: str


@dataclass(frozen=True, slots=True)
class DatabaseFound:
    """The database answers (again)."""

    seconds_away: float


@dataclass(frozen=True, slots=True)
class ReadRetried:
    """A read whose connection the server had closed was run once more."""


@dataclass(frozen=True, slots=True)
class StatementTimedOut:
    """A statement reached its limit, its own or everybody's, and was stopped."""


@dataclass(frozen=True, slots=True)
class CountEstimated:
    """An exact count missed its deadline and an estimate was given."""

    resource: str


@dataclass(frozen=True, slots=True)
class QueryRefused:
    """A query was refused because the database would look at too many rows for it."""

    resource: str
    rows: int


@dataclass(frozen=True, slots=True)
class QueryNotExplained:
    """A query ran although nobody knows its cost: the database's user may not have it explained."""

    resource: str


@dataclass(frozen=True, slots=True)
class ClaimNotEnded:
    """The store did not take what became of a write under an Idempotency-Key; a repeat is told it is unknown."""

    cause: BaseException


@dataclass(frozen=True, slots=True)
class StateLost:
    """The gateway's own store cannot be read, or written; said once, until it can. Comes from any thread."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class StateFound:
    """The gateway's own store can be read, or written, again. Comes from any thread."""

    kind: str
    seconds_away: float


@dataclass(frozen=True, slots=True)
class RateStoreLost:
    """The store that counts requests does not answer; said once, until it does."""

    detail: str


@dataclass(frozen=True, slots=True)
class RateStoreFound:
    """The store that counts requests answers again."""

    seconds_away: float


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """An error nobody foresaw reached the outermost handler."""

    request_id: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class RequestUnavailable:
    """A request was answered 503 because of an error of the database or the state store."""

    request_id: str
    code: str
    cause: BaseException


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """A request came without a valid token; ``stands_for`` so many of the code and address, itself among them."""

    request_id: str
    code: str
    stands_for: int = 1


@dataclass(frozen=True, slots=True)
class KeysNotRead:
    """The keys that JWTs are checked with could not be read (anew); those read before stay in use."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyUnmet:
    """A token's policy names what the catalog in place does not have; the token may do less for it, never more."""

    principal: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditLost:
    """The store does not take audit records; so many wait, and are kept as long as there is room."""

    detail: str
    waiting: int


@dataclass(frozen=True, slots=True)
class AuditFound:
    """The store takes audit records again; so many were dropped meanwhile."""

    seconds_away: float
    dropped: int


Event = (
    CatalogLoaded
    | CatalogKept
    | NameLeftOut
    | DatabaseLost
    | DatabaseFound
    | ReadRetried
    | StatementTimedOut
    | CountEstimated
    | QueryRefused
    | QueryNotExplained
    | ClaimNotEnded
    | StateLost
    | StateFound
    | RateStoreLost
    | RateStoreFound
    | RequestFailed
    | RequestUnavailable
    | TokenRefused
    | AuditLost
    | AuditFound
    | PolicyUnmet
    | KeysNotRead
)

Observer = Callable[[Event], None]
