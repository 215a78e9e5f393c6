"""The audit trail of one worker: records wait in memory for at most 200 ms and are stored in batches.

What comes in: the exchange of each answered request. What goes out: rows of the store, written by one
background task in a thread; a request only ever appends a tuple. While the store fails the records wait,
as many as `MOST_WAITING`; those beyond are dropped and counted. After a crash of the process what waited
is lost, which is the last 200 ms where the store works.

A record holds no query string, body, token or value of a row but its key.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from time import monotonic, time
from typing import Any, Final, Literal

from gateway.observe import AuditFound, AuditLost, Observer
from gateway.settings import Settings
from gateway.state.audit import CLEAN_BATCH, AuditRecord, AuditStore
from gateway.web.exchange import Exchange, Written
from gateway.web.redaction import may_hold_tokens, without_tokens
from gateway.web.sampling import Sampling

FLUSH_S: Final = 0.2
FLUSH_ROWS: Final = 500
MOST_WAITING: Final = 20_000
"""Records that wait for a store that fails: a few megabytes."""

LATE_S: Final = 1.0
"""A batch that is not stored by then counts as a failure of the store, though its writer may still be waiting."""

RETRY_S: Final = 1.0
STOP_S: Final = 5.0
"""How long a stop waits for a store that does not take the last records."""

CLEAN_EVERY_S: Final = 60.0

MOST_PATH: Final = 512
MOST_WORD: Final = 190

AuditState = Literal["off", "ok", "degraded"]
_RESOURCE: Final = 7
_ROW: Final = 9
"""Where the resource and the row's key stand in what is noted of a request; after the key come the rows."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})


@dataclass(frozen=True, slots=True)
class TrailLimits:
    """What is recorded, and for how long it is kept."""

    records: str = "all"
    keep_s: float = 90 * 86_400
    most_rows: int = 1_000_000
    one_in: int = 100


def trail_limits(settings: Settings) -> TrailLimits:
    """Return the limits that the settings give."""
    keep_s = settings.audit_keep_days * 86_400
    return TrailLimits(settings.audit, keep_s, settings.audit_max_rows, settings.audit_one_in)


class Trail:
    """The records of one worker on their way to the store; used from its event loop only.

    ``written``, ``dropped`` and ``waiting`` are counts of records; ``failures`` counts batches that were refused.
    """

    def __init__(
        self, store: AuditStore, limits: TrailLimits, observer: Observer, clock: Callable[[], float] = time
    ) -> None:
        self.store = store
        self._limits = limits
        self._observer = observer
        self._clock = clock
        self._is_on = limits.records != "off"
        self._takes_all = limits.records == "all"
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._sampling = Sampling(limits.one_in)
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cleaning: asyncio.Task[None] | None = None
        self._batch: asyncio.Task[bool] | None = None
        self._writing_since = 0.0
        self._lost_since = 0.0
        self._dropped_before = 0
        self.written = 0
        self.dropped = 0
        self.failures = 0

    # --- the request's side ---

    def note(self, exchange: Exchange, method: str, path: str, seconds: float) -> None:
        """Keep the record of an answered request, where the settings want it; one for each row that was written."""
        if not self._takes_all and not self.takes(exchange, method):
            return
        principal, rows, stage = exchange.principal, exchange.rows, exchange.stage
        if principal is None or stage == "shield":  # see AuditRecord.is_sample
            rows = self._sampling.stands_for(exchange.code, exchange.address)
            if not rows:
                return
        waiting = self._waiting
        if len(waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        # Plain values alone: the collector of garbage then lets go of the tuple at its first look, and need not
        # follow some hundred of them from one generation to the next.
        name, token_id = (None, None) if principal is None else (principal.name, principal.token_id)
        noted = (
            self._clock(),
            exchange.request_id,
            name,
            token_id,
            exchange.address,
            method,
            path,
            exchange.resource,
            exchange.operation,
            exchange.row,
            rows,
            exchange.status,
            exchange.code,
            stage,
            seconds,
            exchange.outcome,
        )
        if exchange.keys:
            self._note_rows(noted, exchange.keys)
            return
        if exchange.written:
            self._note_written(noted, exchange.written)
            return
        waiting.append(noted)
        if len(waiting) == 1:
            self._some.set()
        elif len(waiting) == FLUSH_ROWS:
            self._many.set()

    def _note_rows(self, noted: tuple[Any, ...], keys: Sequence[str]) -> None:
        """Keep a record for each row of a request that wrote many, so that a row's key finds who wrote it."""
        self._note_all([(*noted[:_ROW], key, 1, *noted[_ROW + 2 :]) for key in islice(keys, MOST_WAITING)], len(keys))

    def _note_written(self, noted: tuple[Any, ...], written: Sequence[Written]) -> None:
        """Keep a record for each write of a request for several, with its own resource, operation and outcome."""
        begun, (status, _, stage, seconds, _) = noted[:_RESOURCE], noted[_ROW + 2 :]
        each = []
        for one in islice(written, MOST_WAITING):
            answered = (status, one.code, stage, seconds, one.outcome)
            each.append((*begun, one.resource, one.operation, one.row, one.rows, *answered))
        self._note_all(each, len(written))

    def _note_all(self, records: Sequence[tuple[Any, ...]], number: int) -> None:
        waiting = self._waiting
        room = max(0, MOST_WAITING - len(waiting))
        waiting.extend(islice(records, room))
        self.dropped += number - min(room, number)
        self._some.set()
        if len(waiting) >= FLUSH_ROWS:
            self._many.set()

    def takes(self, exchange: Exchange, method: str) -> bool:
        """Whether the settings want a record of a request as far as it got: of all, or of writes and refusals."""
        if self._takes_all or not self._is_on:
            return self._takes_all
        return exchange.status >= 400 or exchange.code != "" or _is_write(exchange, method)

    # --- what others may know ---

    @property
    def waiting(self) -> int:
        """How many records are not stored yet."""
        return len(self._waiting)

    @property
    def state(self) -> AuditState:
        """Whether records are being stored."""
        if not self._is_on:
            return "off"
        return "degraded" if self.is_failing() else "ok"

    def is_failing(self) -> bool:
        """Whether a record made now might never be stored: the store failed, is late, or too many wait."""
        if self._lost_since or len(self._waiting) >= MOST_WAITING:
            return True
        return self._writing_since > 0.0 and monotonic() - self._writing_since > LATE_S

    # --- the store's side ---

    def start(self) -> None:
        """Begin to store records."""
        if self._is_on:
            self._task = asyncio.create_task(self._run())
            self._cleaning = asyncio.create_task(self._clean())

    async def stop(self) -> None:
        """Store what waits, for as long as `STOP_S`, and end; what could not be stored then is dropped, and told."""
        for task in (self._task, self._cleaning):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                while self._waiting:
                    if not await self._flush():
                        await asyncio.sleep(RETRY_S / 5)
        if self._waiting:
            self.dropped += len(self._waiting)
            self._observer(AuditLost("the gateway stopped", len(self._waiting)))
            self._waiting.clear()

    async def _run(self) -> None:
        while True:
            if not self._lost_since:
                await self._some.wait()
                await self._pause(FLUSH_S)
            if not await self._flush():
                await asyncio.sleep(RETRY_S)

    async def _pause(self, seconds: float) -> None:
        """Let records gather, but not more than a batch."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._many.wait()

    async def _flush(self) -> bool:
        """Store all that waits, a batch at a time; return whether the store took it."""
        self._some.clear()
        self._many.clear()
        while True:
            if self._batch is None or self._batch.done():
                self._batch = asyncio.create_task(self._store_batch())
            # Whoever stops waiting, a batch under way is seen to its end: else it would be stored twice.
            if not await asyncio.shield(self._batch):
                return False
            if len(self._waiting) < FLUSH_ROWS:
                if self._waiting:
                    self._some.set()
                return True

    async def _store_batch(self) -> bool:
        batch = list(islice(self._waiting, FLUSH_ROWS))
        self._writing_since = monotonic()
        try:
            await asyncio.to_thread(self._append, batch)
        except Exception as error:  # whatever it is, requests go on, or are refused, as the settings say
            self._note_failure(error)
            return False
        finally:
            self._writing_since = 0.0
        for _ in batch:
            self._waiting.popleft()
        self.written += len(batch)
        self._note_success()
        return True

    def _append(self, batch: Sequence[tuple[Any, ...]]) -> None:
        self.store.append([record_of(each) for each in batch])

    def _note_failure(self, error: Exception) -> None:
        self.failures += 1
        if not self._lost_since:
            self._lost_since = monotonic()
            self._dropped_before = self.dropped
            self._observer(AuditLost(f"{type(error).__name__}: {error}", len(self._waiting)))

    def _note_success(self) -> None:
        if self._lost_since:
            seconds = monotonic() - self._lost_since
            self._lost_since = 0.0
            self._observer(AuditFound(seconds, self.dropped - self._dropped_before))

    async def _clean(self) -> None:
        """Keep the trail within its age and number, a small batch at a time."""
        while True:
            with suppress(Exception):  # a store that is away is asked again; writing is what tells of it
                oldest_ms = int((self._clock() - self._limits.keep_s) * 1000)
                while await asyncio.to_thread(self.store.clean, oldest_ms, self._limits.most_rows) >= CLEAN_BATCH:
                    await asyncio.sleep(FLUSH_S / 4)
            await asyncio.sleep(CLEAN_EVERY_S)


def record_of(noted: tuple[Any, ...]) -> AuditRecord:
    """Return the record of what `Trail.note` kept, its texts cleaned; made in the thread that stores it."""
    at, request_id, name, token_id, address, method, path, resource, operation, row, *answered = noted
    rows, status, code, stage, seconds, outcome = answered
    if not _is_clean(f"{request_id}{path}{row}"):
        request_id, path, row = clean_text(request_id, 64), clean_text(path, MOST_PATH), clean_text(row, MOST_WORD)
    name, address, method, resource = _words(name, address, method, resource)
    return AuditRecord(
        int(at * 1000),
        request_id[:64],
        name,
        token_id,
        address,
        method,
        path[:MOST_PATH],
        resource,
        operation,
        row[:MOST_WORD] or None,
        rows,
        status,
        code or None,
        stage,
        int(seconds * 1_000_000),
        outcome or None,
    )


@lru_cache(4_096)
def _words(name: str | None, address: str, method: str, resource: str) -> tuple[str | None, str, str, str | None]:
    """The same of texts of which there are few."""
    return (
        None if name is None else clean_text(name, MOST_WORD),
        clean_text(address, 64),
        clean_text(method, 16),
        clean_text(resource, MOST_WORD) or None,
    )


def clean_text(text: str, most: int) -> str:
    r"""Return a client's text fit for a record: no control characters, nothing that looks like a token, cut.

    >>> clean_text("/a\nb" + chr(0x202E) + "c", 4)
    '/a?b'
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return without_tokens(text)[:most]


def _is_clean(text: str) -> bool:
    """Whether nothing of a text has to be cleaned."""
    return text.isprintable() and not may_hold_tokens(text)


def _is_write(exchange: Exchange, method: str) -> bool:
    """Whether a request wrote, or asked for administration to be done."""
    return exchange.operation != "read" if exchange.operation is not None else method not in _SAFE
