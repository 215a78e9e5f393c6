"""Whether a worker can serve now, and what of it is not as it should be: `/readyz` in words, metrics in numbers."""

from __future__ import annotations

from typing import Final

from gateway.errors import GatewayError
from gateway.execution.database import Database
from gateway.state.store import StateStore
from gateway.web.keeper import Keeper
from gateway.web.trail import Trail

READY: Final = "ready"
STOPPING: Final = "stopping"


class Health:
    """The parts whose state decides whether requests can be served now.

    ``is_stopping`` is set when the server was asked to stop: it serves on, but wants no more. How the
    state store stands, `web.statewatch` has found out within the last second.
    """

    def __init__(
        self, keeper: Keeper, database: Database, state: StateStore, trail: Trail, *, is_audit_needed: bool = False
    ) -> None:
        self._keeper = keeper
        self._database = database
        self._state = state
        self._trail = trail
        self._is_audit_needed = is_audit_needed
        self.is_stopping = False

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
        if self._trail.state == "degraded":
            report["audit"] = "degraded"
        return report

    async def _status(self) -> str:
        if self.is_stopping:
            return STOPPING
        try:
            self._keeper.service()
            await self._database.probe()
        except GatewayError as error:
            return error.code
        if self._state.status == "away":
            return "state_away"
        if self._is_audit_needed and self._trail.is_failing():
            return "audit_away"
        return READY
