"""Questions about the schema: answered in a thread, one after the other, and remembered as bytes.

Code generators and explorers ask the same question again and again, of a schema that is as large as the catalog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Final

import orjson

from gateway.graphql.introspection import introspect
from gateway.graphql.schema import build_schema
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access
from gateway.web.graphql.preparing import OfSchema
from gateway.web.graphql.schemas import shape_of
from gateway.web.service import Service

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of answers that are remembered of a catalog in all."""

_OVERHEAD: Final = 512
"""Bytes that an answer takes beside its text, so that small ones are bounded too."""

_KEPT: Final = "graphql introspection"

Told = Mapping[str, bytes]
"""The fields of a reply in order, each as JSON: those about the schema, all others null."""


class Introspection:
    """Answers questions about the schemas of one catalog."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[Hashable, Told] = {}
        self._size = 0
        self._turn = asyncio.Lock()
        self._working: dict[Hashable, asyncio.Task[Told]] = {}

    async def answer(self, service: Service, access: Access, asked: OfSchema) -> Told:
        """Return the fields of a query, those about the schema with their values."""
        key = (shape_of(access), _digest(asked))
        found = self._kept.get(key)
        if found is not None:
            return found
        work = self._working.get(key)
        if work is None:
            work = self._working[key] = asyncio.create_task(self._work(key, service, access, asked))
        return await asyncio.shield(work)  # whoever goes away, or is over its time, leaves the answer to the next one

    async def _work(self, key: Hashable, service: Service, access: Access, asked: OfSchema) -> Told:
        try:
            async with self._turn:  # it takes the whole of a core: not two of them
                return self._keep(key, await asyncio.to_thread(_told, service, access, asked))
        finally:
            del self._working[key]

    def _keep(self, key: Hashable, told: Told) -> Told:
        """Keep an answer, and let go of the oldest while all together are too large."""
        self._kept[key] = told
        self._size += _size(told)
        while self._size > self._most_bytes:
            self._size -= _size(self._kept.pop(next(iter(self._kept))))
        return told


def _told(service: Service, access: Access, asked: OfSchema) -> Told:
    schema, request = build_schema(Vocabulary(service.context(access))), asked.request
    found = introspect(schema, asked.document, request.operation_name, request.variables)
    return {key: orjson.dumps(value) for key, value in found.items()}


def _digest(asked: OfSchema) -> bytes:
    request = asked.request
    said = (asked.document.text, request.operation_name, sorted(request.variables.items()))
    return sha256(repr(said).encode(errors="surrogatepass")).digest()


def _size(told: Told) -> int:
    return sum(map(len, told.values()), _OVERHEAD)


def introspection_of(service: Service) -> Introspection:
    """Return what answers questions about the schemas of a service's catalog; its answers go with it."""
    found = service.kept.get(_KEPT)
    if isinstance(found, Introspection):
        return found
    made = service.kept[_KEPT] = Introspection()
    return made
