"""Whether a worker can serve now, and what of it is not as it should be: `/readyz` in words, metrics in numbers."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from gateway.errors import GatewayError
from gateway.execution.database import Database
from gateway.state.store import StateStore
from gateway.web.keeper import Keeper
from gateway.web.limiter import Limiter
from gateway.web.trail import Trail

READY: Final = "ready"
STOPPING: Final = "stopping"

FRESH_S: Final = 1.0
FAILED_S: Final = 0.1
"""Seconds for which the database's last sign of life is good, and its silence: the end of that is news."""


class Health:
    """The parts whose state decides whether requests can be served now.

    ``is_stopping`` is set when the server was asked to stop: it serves on, but wants no more. How the
    state store stands, `web.statewatch` has found out within the last second.
    """

    def __init__(
        self,
        keeper: Keeper,
        database: Database,
        state: StateStore,
        trail: Trail,
        limiter: Limiter,
        *,
        is_audit_needed: bool = False,
        are_rates_in_state: bool = True,
    ) -> None:
        self._keeper = keeper
        self._database = database
        self._state = state
        self._trail = trail
        self._limiter = limiter
        self._is_audit_needed = is_audit_needed
        self._are_rates_in_state = are_rates_in_state
        self.is_stopping = False
        self._probing: asyncio.Task[GatewayError | None] | None = None
        self._good_until = 0.0

    async def report(self) -> dict[str, str]:
        """Return ``status``, which is `READY` or says why not, and each part that is not as it should be.

        A lost state store alone is no reason to send requests elsewhere for reads of tokens that are
        known, but nobody new could be let in: it counts.
        """
        report = {"status": await self._status()}
        if self._keeper.has_failed:
            report["reload"] = "failed"
        if self._state.status != "ok":
            report["state"] = self._state.status
        if self.are_rates_away():
            report["rates"] = "away"
        if self._trail.state == "degraded":
            report["audit"] = "degraded"
        return report

    def are_rates_away(self) -> bool:
        """Whether requests cannot be counted, so that whoever has a rate gets 503 as soon as what it holds is spent."""
        if self._are_rates_in_state and self._limiter.default is not None and self._state.status != "ok":
            return True
        return self._limiter.is_away

    async def _status(self) -> str:
        if self.is_stopping:
            return STOPPING
        try:
            self._keeper.service()
        except GatewayError as error:
            return error.code
        failure = await self._sign_of_life()
        if failure is not None:
            return failure.code
        if self._state.status == "away" or (self._limiter.default is not None and self.are_rates_away()):
            return "state_away"
        if self._is_audit_needed and self._trail.is_failing():
            return "audit_away"
        return READY

    async def _sign_of_life(self) -> GatewayError | None:
        """What the database said when it was last asked: anybody may ask this worker, without a token and often.

        All who come while it is asked wait for the same answer, which is good for a moment more.
        """
        probing = self._probing
        if probing is None or (probing.done() and monotonic() >= self._good_until):
            probing = self._probing = asyncio.create_task(self._probe())
        return await asyncio.shield(probing)

    async def _probe(self) -> GatewayError | None:
        self._good_until = 0.0
        try:
            await self._database.probe()
        except GatewayError as error:
            self._good_until = monotonic() + FAILED_S
            return error
        self._good_until = monotonic() + FRESH_S
        return None
