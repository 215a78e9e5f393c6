"""One request on its way through the stages: what each has found out so far.

It is the one thing between stages that changes. The outermost recorder puts it into the
ASGI scope; each stage notes that the request came to it and what it found, and whoever
records the answer (audit, metrics, log) reads it from here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from gateway.query.access import Access, Operation
from gateway.rest.paths import ResourcePath
from gateway.security.principal import Principal
from gateway.web.service import Service

EXCHANGE: Final = "gateway.exchange"
HANDLER: Final = "handler"
"""Where a request is once every stage has let it pass."""


@dataclass(frozen=True, slots=True)
class Written:
    """One of the things that a request did for which it leaves a record of its own, with the ``code`` of a refusal.

    A row that a request of several writes wrote, one of its writes that was refused, or what a query read of a table.
    """

    resource: str
    operation: Operation
    row: str = ""
    rows: int = 1
    outcome: str = ""
    code: str = ""


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    ``began`` is of the monotonic clock, in seconds. ``stage`` is how far the request came: the stage that
    refused it, or `HANDLER`. ``address`` is the client's, as far as trusted proxies tell it; ``is_secure``
    whether it came over TLS, to them or to us. ``path`` and ``service`` are set for paths below `/api/v1`.
    ``resource``, ``operation`` and ``row`` (the key as in the path) say what was asked for; ``rows`` how many
    rows were read or written, None where that is not known; ``keys`` those of the rows that a request for many
    wrote, and ``outcome`` what became of a write. ``written`` are the single writes of a request for several,
    each with its resource and what became of it; of a query the tables that it read. ``answer_headers`` are
    added to those of the answer.
    """

    request_id: str
    began: float
    stage: str = ""
    address: str = ""
    is_secure: bool = False
    origin: str = ""
    principal: Principal | None = None
    access: Access | None = None
    service: Service | None = None
    path: ResourcePath | None = None
    resource: str = ""
    operation: Operation | None = None
    row: str = ""
    rows: int | None = None
    status: int = 0
    code: str = ""
    answer_headers: list[tuple[bytes, bytes]] | None = None
    outcome: str = ""
    keys: Sequence[str] = ()
    written: Sequence[Written] = ()


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange of a request."""
    found: Exchange = scope[EXCHANGE]
    return found
