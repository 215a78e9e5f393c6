"""The schemas of one catalog, one per shape of access, made when they are first needed.

Tokens with the same rights share one, whatever rows their filters leave. A schema goes with its catalog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.graphql.documents import Documents
from gateway.graphql.limits import Limits
from gateway.graphql.schema import build_schema
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access
from gateway.sql.cache import Recent
from gateway.web.service import Service

MOST_ACCESSES: Final = 4_096
"""Accesses whose shape is remembered, as many as are handed out again."""

_KEPT: Final = "graphql"


@dataclass(frozen=True, slots=True)
class Prospect:
    """What callers of one shape of access may name: as names with their meanings, and as a schema with documents."""

    shape: Hashable
    vocabulary: Vocabulary
    documents: Documents


class Building(Protocol):
    """What makes the prospect of an access."""

    def __call__(self, service: Service, access: Access) -> Prospect:
        """Return it; it takes a while."""
        ...


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes prospects under the limits of the settings; ``kept`` is how many documents each of them remembers."""

    limits: Limits
    kept: int

    def __call__(self, service: Service, access: Access) -> Prospect:
        """Return the prospect of an access."""
        vocabulary = Vocabulary(service.context(access))
        return Prospect(shape_of(access), vocabulary, Documents(build_schema(vocabulary), self.limits, self.kept))


class Schemas:
    """The prospects of one catalog; used from the event loop only."""

    def __init__(self, service: Service, build: Building, most: int) -> None:
        self._service = service
        self._build = build
        self._kept: Recent[Hashable, Prospect] = Recent(most)
        self._shapes: Recent[Access, Hashable] = Recent(MOST_ACCESSES)
        self._building: dict[Hashable, asyncio.Task[Prospect]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def of(self, access: Access) -> Prospect:
        """Return the prospect of an access, made in a thread where there is none, once for all who wait for it."""
        shape = self._shapes.get_or_make(access, lambda: shape_of(access))
        found = self._kept.get(shape)
        return found if found is not None else await asyncio.shield(self._task(shape, access))

    def _task(self, shape: Hashable, access: Access) -> asyncio.Task[Prospect]:
        task = self._building.get(shape)
        if task is None:
            task = self._building[shape] = asyncio.create_task(self._made(shape, access))
        return task

    async def _made(self, shape: Hashable, access: Access) -> Prospect:
        try:
            return self._kept.put(shape, await asyncio.to_thread(self._build, self._service, access))
        finally:
            del self._building[shape]


def schemas_of(service: Service, build: Building, most: int) -> Schemas:
    """Return the schemas of a service's catalog, which go when it goes."""
    found = service.kept.get(_KEPT)
    if isinstance(found, Schemas):
        return found
    made = service.kept[_KEPT] = Schemas(service, build, most)
    return made


def shape_of(access: Access) -> Hashable:
    """Return what a schema depends on: equal for tokens with equal rights.

    Which rows a filter leaves plays no part; that there is one does, for then some nested rows cannot be written.
    """
    return frozenset(
        (name, grant.operations, grant.readable, grant.writable, bool(grant.row_filter))
        for name, grant in access.grants.items()
    )
