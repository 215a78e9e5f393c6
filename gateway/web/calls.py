"""One request as the handlers need it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.operations.tags import Precondition
from gateway.query.access import Access
from gateway.query.context import Context
from gateway.rest.preconditions import NO_PREFERENCES, Preferences
from gateway.security.principal import Principal
from gateway.web.service import Service


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is ready to be sent.

    The rest is for records: ``rows`` is how many rows were read or written, ``row`` the key of one that the path
    does not name, ``keys`` those of many that were written. ``outcome`` is what became of a write: "done", "dry_run",
    or "replayed" where the answer is that of another request. ``failure`` is set where nothing was done and another
    try may be, or where nobody knows: then no other request gets this answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    rows: int | None = None
    row: str = ""
    keys: Sequence[str] = ()
    outcome: str = ""
    failure: GatewayError | None = None


def _nothing() -> None:
    """What nobody limits may take as long as it does."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the handlers need it. ``origin`` is scheme and host of absolute links.

    ``accept`` are the values of all ``Accept`` headers, joined by commas. ``take_long`` says that the request
    goes on under limits of its own: its turn is free for others, and its time no longer counted.
    """

    service: Service
    method: str
    query: bytes
    access: Access
    principal: Principal
    origin: str
    content_type: str | None = None
    body: bytes = b""
    max_json_depth: int = 10
    precondition: Precondition | None = None
    preferences: Preferences = NO_PREFERENCES
    accept: str = ""
    take_long: Callable[[], None] = _nothing

    def context(self) -> Context:
        """Return the context of one planning run."""
        return self.service.context(self.access)
