"""What an application is made of, for the stages, the routes, and those who start, stop and test it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.execution.database import Database
from gateway.observe import Observer
from gateway.security.access import AccessBook
from gateway.security.authenticate import Authenticator
from gateway.settings import Settings
from gateway.state.store import StateStore
from gateway.web.idempotency import Idempotency
from gateway.web.keeper import Keeper


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one worker; `web.app` is what makes them and wires them."""

    settings: Settings
    database: Database
    state: StateStore
    keeper: Keeper
    accesses: AccessBook
    authenticator: Authenticator
    observer: Observer
    idempotency: Idempotency
