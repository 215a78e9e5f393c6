"""What an application is made of, for the stages, the routes, and those who start, stop and test it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.observe import Observer
from gateway.security.access import AccessBook
from gateway.security.authenticate import Authenticator
from gateway.security.networks import Allowlists
from gateway.security.replays import SignatureCheck
from gateway.settings import Settings
from gateway.state.store import StateStore
from gateway.web.deadlines import Deadlines
from gateway.web.health import Health
from gateway.web.idempotency import Idempotency
from gateway.web.keeper import Keeper
from gateway.web.lastused import LastUsed
from gateway.web.limiter import Limiter
from gateway.web.origins import Origins
from gateway.web.proxies import Proxies
from gateway.web.statements import WatchedDatabase
from gateway.web.statewatch import StateWatch
from gateway.web.tally import Tally
from gateway.web.throttle import Throttle
from gateway.web.tracing import Tracing
from gateway.web.trail import Trail
from gateway.web.turns import Turns


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one worker; `web.app` is what makes them and wires them."""

    settings: Settings
    database: WatchedDatabase
    state: StateStore
    keeper: Keeper
    accesses: AccessBook
    authenticator: Authenticator
    observer: Observer
    idempotency: Idempotency
    signatures: SignatureCheck
    refusals: Throttle
    allowlists: Allowlists
    limiter: Limiter
    throttle: Throttle
    turns: Turns
    deadlines: Deadlines
    proxies: Proxies
    origins: Origins
    trail: Trail
    tally: Tally
    health: Health
    tracing: Tracing | None
    last_used: LastUsed
    state_watch: StateWatch
