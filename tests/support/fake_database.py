"""A database that answers from a script, for the operations: what it is asked is kept, and it can be made to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from gateway.catalog.kinds import Dialect
from gateway.execution.database import Outcome, Parameters, PoolStatus, Row, Session, Snapshot

Answer = Sequence[Row] | Outcome | Exception


def opened_gate() -> asyncio.Event:
    """Return an event that has happened."""
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass(slots=True)
class FakeDatabase:
    """Answers each statement with the first line of the script that its text holds; else with no rows.

    Counts wait at ``gate``. ``log`` has what happened in order: texts, ``commit``, ``rollback``.
    """

    script: dict[str, Answer] = field(default_factory=dict)
    dialect: Dialect = "mariadb"
    gate: asyncio.Event = field(default_factory=opened_gate)
    log: list[str] = field(default_factory=list)
    bound: list[Parameters] = field(default_factory=list)

    def asked(self, part: str) -> int:
        """Return how many statements held a text."""
        return sum(part in text for text in self.log)

    def _answer(self, text: str, parameters: Parameters) -> Outcome:
        self.log.append(" ".join(text.split()))
        self.bound.append(parameters)
        answer = next((answer for part, answer in self.script.items() if part in self.log[-1]), ())
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Outcome) else Outcome(answer)

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Answer a read; a count only when the gate is open."""
        outcome = self._answer(text, parameters)
        if "count(*)" in text:
            await self.gate.wait()
        return outcome.rows

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Answer a write that is a transaction of its own."""
        return self._answer(text, parameters)

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        """Answer a statement of a transaction."""
        return self._answer(text, parameters)

    @asynccontextmanager
    async def _transacted(self) -> AsyncIterator[Session]:
        try:
            yield self
        except BaseException:
            self.log.append("rollback")
            raise
        self.log.append("commit")

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Return a transaction that keeps how it ended."""
        return self._transacted()

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Return a snapshot that answers from the script too."""
        return self._read()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[Snapshot]:
        yield FakeSnapshot(self)
        self.log.append("end of snapshot")

    async def probe(self) -> None:
        """Be there."""

    def status(self) -> PoolStatus:
        """Return a pool of one."""
        return PoolStatus(1, 1, 1, True)

    async def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class FakeSnapshot:
    """A snapshot of a database that answers from a script."""

    database: FakeDatabase

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        """Answer a read."""
        return (await self.database.run(text, parameters)).rows

    async def release(self) -> None:
        """Keep that the locks were given up."""
        self.database.log.append("release")
