"""Questions about the schema: small ones are answered at once, large ones in a thread, one after the other.

Code generators and explorers ask the same large question again and again, of a schema that is as large as the
catalog: its answers are remembered, compressed, by what was asked and not by its words. Few may wait for their turn,
of one caller fewer still, and what nobody waits for any more is not begun: whoever sends such questions by the
hundred keeps nobody else from theirs.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Final

import orjson

from gateway.errors import UnavailableError
from gateway.graphql.introspection import asked_of, introspect, objects_of
from gateway.graphql.schema import build_schema
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access
from gateway.web.graphql.preparing import OfSchema
from gateway.web.graphql.schemas import shape_of
from gateway.web.service import Service

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of compressed answers that are remembered of a catalog in all; that of a whole schema takes less than 1 MB."""

MOST_AT_ONCE: Final = 3_000
"""Objects of a question that is answered at once: some ten milliseconds at most, as for one type and its fields."""

MOST_WORKS: Final = 5
"""Large questions that are worked on or wait for it; each takes about a second and a half."""

MOST_OF_ONE: Final = 2
"""How many of these may be one caller's."""

_OVERHEAD: Final = 512
"""Bytes that an answer takes beside its text, so that small ones are bounded too."""

_FAST: Final = 1
_KEPT: Final = "graphql introspection"

Told = Mapping[str, bytes]
"""The fields of a reply in order, each as JSON: those about the schema, all others null."""


class _Work:
    """One large question: who asked it first, and how many wait for its answer."""

    __slots__ = ("by", "has_begun", "task", "waiting")

    def __init__(self, by: str) -> None:
        self.by = by
        self.waiting = 0
        self.has_begun = False
        self.task: asyncio.Task[Told] | None = None


class Introspection:
    """Answers questions about the schemas of one catalog; used from the event loop only."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[Hashable, Told] = {}
        self._size = 0
        self._turn = asyncio.Lock()
        self._working: dict[Hashable, _Work] = {}

    @property
    def working(self) -> int:
        """How many large questions are worked on or wait for it."""
        return len(self._working)

    async def answer(self, service: Service, access: Access, asked: OfSchema, by: str) -> Told:
        """Return the fields of a query, those about the schema with their values; ``by`` is the caller.

        Raises:
            UnavailableError: ``overloaded``, when too many large questions are there already.
        """
        request = asked.request
        if objects_of(asked.document, request.operation_name) <= MOST_AT_ONCE:
            found = introspect(asked.documents.schema, asked.document, request.operation_name, request.variables)
            return {key: orjson.dumps(value) for key, value in found.items()}
        key = (shape_of(access), _digest(asked))
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept
            return await asyncio.to_thread(_unpacked, kept)
        work = self._working.get(key) or self._begin(key, service, access, asked, by)
        return await self._awaited(key, work)

    def _begin(self, key: Hashable, service: Service, access: Access, asked: OfSchema, by: str) -> _Work:
        works = self._working.values()
        if len(works) >= MOST_WORKS or sum(work.by == by for work in works) >= MOST_OF_ONE:
            detail = "Too many questions about the schema wait for their turn; nothing was done. Try again in a moment."
            raise UnavailableError("overloaded", detail, headers={"Retry-After": "2"})
        work = self._working[key] = _Work(by)
        work.task = asyncio.create_task(self._run(key, work, service, access, asked))
        return work

    async def _awaited(self, key: Hashable, work: _Work) -> Told:
        """The answer of a work. What has begun goes on for the next one who asks, though whoever waited has gone."""
        assert work.task is not None
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if not work.waiting and not work.has_begun:
                work.task.cancel()
                self._end(key, work)

    async def _run(self, key: Hashable, work: _Work, service: Service, access: Access, asked: OfSchema) -> Told:
        async with self._turn:  # it takes the whole of a core: not two of them
            work.has_begun = True
            try:
                told, packed = await asyncio.to_thread(_told, service, access, asked)
                self._keep(key, packed)
            finally:
                self._end(key, work)
            return told

    def _end(self, key: Hashable, work: _Work) -> None:
        if self._working.get(key) is work:
            del self._working[key]

    def _keep(self, key: Hashable, packed: Told) -> None:
        """Keep an answer, and let go of the ones used longest ago while all together are too large."""
        self._kept[key] = packed
        self._size += _size(packed)
        while self._size > self._most_bytes:
            self._size -= _size(self._kept.pop(next(iter(self._kept))))


def _told(service: Service, access: Access, asked: OfSchema) -> tuple[Told, Told]:
    """The answer of a large question, and the same compressed."""
    schema, request = build_schema(Vocabulary(service.context(access))), asked.request
    found = introspect(schema, asked.document, request.operation_name, request.variables)
    told = {key: orjson.dumps(value) for key, value in found.items()}
    return told, {key: zlib.compress(text, _FAST) for key, text in told.items()}


def _unpacked(packed: Told) -> Told:
    return {key: zlib.decompress(text) for key, text in packed.items()}


def _digest(asked: OfSchema) -> bytes:
    request = asked.request
    said = asked_of(asked.documents.schema, asked.document, request.operation_name, request.variables)
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
