"""The catalog over time: loaded at start, followed, reloaded, never lost.

A reload that fails keeps the catalog in place and says so. Every worker follows the
generation in the state store, and looks at the database's tables itself from time
to time (SPEC section 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway.errors import ConfigurationError, GatewayError, UnavailableError
from gateway.observe import CatalogKept, CatalogLoaded, NameLeftOut, Observer
from gateway.web.loading import Loaded, widening_problems
from gateway.web.service import Service

FOLLOW_EVERY_S: Final = 0.5
_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 5.0
_VAIN_PAUSE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where catalogs come from: synchronous calls that the keeper runs in threads.

    ``load`` takes the catalog in place; ``fingerprint`` reads the tables' present one.
    """

    load: Callable[[Loaded | None], Loaded]
    fingerprint: Callable[[Loaded], str]
    generation: Callable[[], int]
    bump: Callable[[], int]
    serve: Callable[[Loaded], Service]


class Keeper:
    """Holds the service of the catalog in place."""

    def __init__(self, sources: Sources, observer: Observer, look_every_s: float) -> None:
        self._sources = sources
        self._observer = observer
        self._look_every_s = look_every_s
        self._loaded: Loaded | None = None
        self._service: Service | None = None
        self._generation = 0
        self._begun = 0
        self._mend_after = 0.0
        self._telling = 0
        self._lock = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.has_failed = False

    def service(self) -> Service:
        """Return what serves requests now.

        Raises:
            UnavailableError: ``starting`` until the first catalog is there.
        """
        if self._service is None:
            raise UnavailableError(
                "starting", "The gateway has not reached the database yet; try again.", headers={"Retry-After": "2"}
            )
        return self._service

    @property
    def generation(self) -> int:
        """The reload that this worker followed last."""
        return self._generation

    async def start(self) -> None:
        """Load the first catalog, or keep trying while the database is away, and follow changes.

        Raises:
            ConfigurationError: whitelist or credentials are wrong, which no waiting mends.
        """
        self._generation = await asyncio.to_thread(self._sources.generation)
        try:
            await self._load("start")
        except UnavailableError as error:
            self._note_failure("start", error)
            self._tasks.append(asyncio.create_task(self._retry_start()))
        self._tasks.append(asyncio.create_task(self._follow()))
        if self._look_every_s > 0:
            self._tasks.append(asyncio.create_task(self._look()))

    async def stop(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def reload(self, reason: str) -> bool:
        """Read whitelist and database anew; return whether a new catalog is in place.

        Callers that come while a load runs share the one that follows it.
        """
        wanted = self._begun + 1
        async with self._lock:
            if self._begun >= wanted:  # one that began after this was asked for has ended meanwhile
                return not self.has_failed
            try:
                await self._load(reason)
            except Exception as error:  # whatever it is, what is served now is served on
                self._note_failure(reason, error)
                return False
        return True

    async def reload_everywhere(self, reason: str) -> bool:
        """Reload here and tell the other workers; return whether it worked here."""
        done = await self.reload(reason)
        self._telling += 1
        try:
            told = await asyncio.to_thread(self._sources.bump)
            if told == self._generation + 1:  # else another worker asked too, perhaps after this load: follow it
                self._generation = told
        finally:
            self._telling -= 1
        return done

    async def mend(self, service: Service) -> None:
        """Reload because a statement of ``service`` met tables that changed, unless that has been done.

        A reload that fails, or finds the tables as they were, mends nothing: then statements may fail
        for a while before the next one, so that what stays broken does not keep every worker reloading.
        """
        if service is not self._service or monotonic() < self._mend_after:
            return
        if not await self.reload_everywhere("a table changed under a statement") or self._is_as(service):
            self._mend_after = monotonic() + _VAIN_PAUSE_S

    def mend_soon(self, service: Service) -> None:
        """Do as `mend`, beside the request that met the tables and does not wait for it."""
        task = asyncio.create_task(self._mend_quietly(service))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _mend_quietly(self, service: Service) -> None:
        with suppress(Exception):  # a store that is away: whoever meets the tables next tries again
            await self.mend(service)

    def _is_as(self, service: Service) -> bool:
        return self._service is not None and self._service.catalog.fingerprint == service.catalog.fingerprint

    async def _load(self, reason: str) -> None:
        began = monotonic()
        self._begun += 1
        loaded = await asyncio.to_thread(self._sources.load, self._loaded)
        is_first = self._loaded is None
        refused = [str(problem) for problem in loaded.problems] if is_first else widening_problems(loaded)
        if refused:
            raise ConfigurationError("The whitelist does not fit the database:", refused)
        for problem in loaded.problems:
            self._observer(NameLeftOut(reason, str(problem)))
        self._service = self._sources.serve(loaded)
        self._loaded = loaded
        self.has_failed = False
        seconds = monotonic() - began
        self._observer(CatalogLoaded(self._generation, len(loaded.catalog.exposed()), seconds, reason))

    def _note_failure(self, reason: str, error: Exception) -> None:
        self.has_failed = True
        detail = str(error) if isinstance(error, GatewayError) else f"{type(error).__name__}: {error}"
        self._observer(CatalogKept(reason, detail))

    async def _retry_start(self) -> None:
        pause = _FIRST_RETRY_S
        while self._service is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY_S)
            if self._service is None:
                await self.reload("start")

    async def _follow(self) -> None:
        """Every worker reloads within a second of a new generation."""
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            with suppress(Exception):  # a store that is busy or away is asked again
                await self._follow_once()

    async def _follow_once(self) -> None:
        followed = self._generation
        generation = await asyncio.to_thread(self._sources.generation)
        if self._telling or followed != self._generation:  # what was read may be this worker's own news
            return
        if generation != followed:
            self._generation = generation
            await self.reload("generation")

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            with suppress(Exception):  # a database that is away is no reason to reload, and is asked again
                await self._look_once()

    async def _look_once(self) -> None:
        """Reload when the tables have changed, or when the last reload failed: its cause may be gone."""
        if self._loaded is None:
            return
        present = await asyncio.to_thread(self._sources.fingerprint, self._loaded)
        if present != self._loaded.catalog.fingerprint:
            await self.reload_everywhere("changed tables")
        elif self.has_failed:
            await self.reload("another try")
