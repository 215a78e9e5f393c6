"""The audit trail in the store: appended in batches, cut at its old end, searched newest first.

What comes in: records that `web.trail` made, and searches. What goes out: stored rows. Ids
rise with time and nothing else is indexed, so that an append costs next to nothing; a search
therefore goes from the newest record backwards, a window of ids at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, takewhile
from time import monotonic
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Dialect, delete, func, select

from gateway.state.tables import AUDIT

Transaction = Callable[[], AbstractContextManager[Connection]]

STATEMENT_ROWS: Final = 100
"""Records that one statement adds: their parameters are well below what any driver takes."""

CLEAN_BATCH: Final = 1_000
"""Most records that one transaction of `clean` deletes, so that it never holds the store for long."""

WINDOW: Final = 50_000
"""Ids that one statement of a search looks at."""

SEARCH_S: Final = 2.0
"""Seconds after which a search that found too little stops where it is, and says where."""

FOLLOW_BATCH: Final = 1_000
FOLLOW_SLACK_S: Final = 5.0
"""How long after a record another with a lower id may still come: a transaction of the trail takes no longer."""

SLACK_MS: Final = 24 * 3_600 * 1_000
"""How much later than its moment a record may have been stored: those of a store that was away come late."""


class AuditRecord(NamedTuple):
    """One answered request, or one row of a request that wrote many; the order is that of the columns after the id.

    ``at_ms`` is when it had been answered, milliseconds since 1970. ``rows`` is how many rows were read or
    written; of an answer that is only sampled (`is_sample`), how many of its kind the record stands for.
    ``outcome`` is what became of a write that was not refused: "done", "dry_run" or "replayed".
    """

    at_ms: int
    request_id: str
    principal: str | None
    token_id: int | None
    address: str
    method: str
    path: str
    resource: str | None
    operation: str | None
    row_key: str | None
    rows: int | None
    status: int
    code: str | None
    stage: str
    duration_us: int
    outcome: str | None = None

    @property
    def is_sample(self) -> bool:
        """Whether the record stands for others too: what the shield answered, and whatever nobody known asked for.

        Strangers could push all others out of the trail otherwise.
        """
        return self.principal is None or self.stage == "shield"


class StoredRecord(NamedTuple):
    """A record and its id."""

    id: int
    record: AuditRecord


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; each that is given must hold.

    ``status`` is one status or the first and last of a class. ``since_ms`` is inclusive, ``until_ms`` not.
    """

    principal: str | None = None
    resource: str | None = None
    operation: str | None = None
    row: str | None = None
    code: str | None = None
    address: str | None = None
    stage: str | None = None
    request_id: str | None = None
    status: tuple[int, int] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, newest first, and the id before which the next page begins; None when nothing is left."""

    records: tuple[StoredRecord, ...]
    before: int | None


class AuditStore:
    """The records of a store; every method is one transaction, or a few short ones."""

    __slots__ = ("_read", "_write")

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def append(self, records: Sequence[Sequence[object]]) -> None:
        """Add records in their order, all or none; without any, only find out whether some could be added."""
        with self._write() as connection:
            for first in range(0, len(records), STATEMENT_ROWS):
                some = records[first : first + STATEMENT_ROWS]
                text = _insert_text(connection.dialect, len(some))
                connection.exec_driver_sql(text, tuple(chain.from_iterable(some)))

    def clean(self, oldest_ms: int, most: int) -> int:
        """Delete the oldest records: those from before a moment, and as many as exceed ``most``; at most a batch.

        Returns how many went.
        """
        with self._write() as connection:
            last = _last_to_go(connection, oldest_ms, most)
            if last is None:
                return 0
            return connection.execute(delete(AUDIT).where(AUDIT.c.id <= last)).rowcount

    def search(self, search: Search, limit: int, before: int | None = None) -> Page:
        """Return records that fit, newest first.

        A search that has looked for `SEARCH_S` ends with what it has; the next page goes on from there.
        """
        deadline = monotonic() + SEARCH_S
        found: list[StoredRecord] = []
        with self._read() as connection:
            first, last = _bounds(connection)
            beyond = last + 1 if before is None else min(before, last + 1)
            while beyond > first and len(found) < limit and monotonic() < deadline:
                floor = max(first, beyond - WINDOW)
                rows = _between(connection, search, floor, beyond, limit - len(found))
                found += rows
                beyond = rows[-1].id if len(found) >= limit else floor
                if search.since_ms is not None and _is_before(connection, floor, search.since_ms - SLACK_MS):
                    beyond = beyond if len(found) >= limit else first
        return Page(tuple(found), beyond if beyond > first else None)

    def after(self, search: Search, last: int, limit: int) -> tuple[StoredRecord, ...]:
        """Return records that fit with ids above ``last``, oldest first."""
        query = select(AUDIT).where(AUDIT.c.id > last, *_conditions(search)).order_by(AUDIT.c.id).limit(limit)
        with self._read() as connection:
            return tuple(map(_stored, connection.execute(query)))

    def follow(self, search: Search, clock: Callable[[], float] = monotonic) -> Follower:
        """Return what hands out records that fit as they come, after those that are there now."""
        return Follower(self, search, clock)

    def last_id(self) -> int:
        """Return the id of the newest record, 0 when there is none."""
        with self._read() as connection:
            return _bounds(connection)[1]


class Follower:
    """Records as they come, each once.

    A server gives ids before it commits, so that a record may come after one with a higher id: the ids of the last
    `FOLLOW_SLACK_S` are looked at again each time.
    """

    __slots__ = ("_clock", "_floor", "_marks", "_search", "_seen", "_store")

    def __init__(self, store: AuditStore, search: Search, clock: Callable[[], float]) -> None:
        self._store = store
        self._search = search
        self._clock = clock
        last = store.last_id()
        self._floor = max(0, last - FOLLOW_BATCH)
        self._marks = deque([(clock(), last)])
        self._seen = {record.id for record in self._fitting()}

    def skip(self, records: Iterable[StoredRecord]) -> None:
        """Take records for handed out."""
        self._seen.update(record.id for record in records)

    def more(self) -> tuple[StoredRecord, ...]:
        """Return the records that came since, those with lower ids first."""
        now = self._clock()
        self._marks.append((now, self._store.last_id()))
        found = tuple(record for record in self._fitting() if record.id not in self._seen)
        self.skip(found)
        while len(self._marks) > 1 and self._marks[0][0] <= now - FOLLOW_SLACK_S:
            self._floor = max(self._floor, self._marks.popleft()[1])
        self._seen = {number for number in self._seen if number > self._floor}
        return found

    def _fitting(self) -> Iterator[StoredRecord]:
        last = self._floor
        while records := self._store.after(self._search, last, FOLLOW_BATCH):
            yield from records
            last = records[-1].id


@lru_cache(256)
def _insert_text(dialect: Dialect, rows: int) -> str:
    """The insert of so many rows as the driver takes it.

    Rows of one statement cost two thirds of what as many executions do, and the driver lets go of the interpreter's
    lock once for all of them: others wait for it.
    """
    quoted = dialect.identifier_preparer.quote
    columns = ", ".join(quoted(column.name) for column in list(AUDIT.c)[1:])
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * (len(AUDIT.c) - 1))
    values = ", ".join([f"({marks})"] * rows)
    return f"INSERT INTO {AUDIT.name} ({columns}) VALUES {values}"  # noqa: S608  # names of our own table alone


def _bounds(connection: Connection) -> tuple[int, int]:
    """The first and last id; (1, 0) when there is no record."""
    first = connection.execute(select(func.min(AUDIT.c.id))).scalar()
    last = connection.execute(select(func.max(AUDIT.c.id))).scalar()
    return (first, last) if first is not None and last is not None else (1, 0)


def _last_to_go(connection: Connection, oldest_ms: int, most: int) -> int | None:
    """The id up to which the oldest records are deleted now; ids have few gaps, so their span counts for rows."""
    oldest = connection.execute(select(AUDIT.c.id, AUDIT.c.at_ms).order_by(AUDIT.c.id).limit(CLEAN_BATCH)).all()
    _, last = _bounds(connection)
    ids = [row.id for row in takewhile(lambda row: row.at_ms < oldest_ms or row.id <= last - most, oldest)]
    return ids[-1] if ids else None


def _between(connection: Connection, search: Search, floor: int, beyond: int, limit: int) -> list[StoredRecord]:
    query = select(AUDIT).where(AUDIT.c.id >= floor, AUDIT.c.id < beyond, *_conditions(search))
    return [_stored(row) for row in connection.execute(query.order_by(AUDIT.c.id.desc()).limit(limit))]


def _is_before(connection: Connection, floor: int, moment_ms: int) -> bool:
    query = select(AUDIT.c.at_ms).where(AUDIT.c.id >= floor).order_by(AUDIT.c.id).limit(1)
    found = connection.execute(query).scalar()
    return found is not None and found < moment_ms


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    exact = {
        AUDIT.c.principal: search.principal,
        AUDIT.c.resource: search.resource,
        AUDIT.c.operation: search.operation,
        AUDIT.c.row_key: search.row,
        AUDIT.c.code: search.code,
        AUDIT.c.address: search.address,
        AUDIT.c.stage: search.stage,
        AUDIT.c.request_id: search.request_id,
    }
    conditions: list[ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if search.status is not None:
        conditions.append(AUDIT.c.status.between(*search.status))
    if search.since_ms is not None:
        conditions.append(AUDIT.c.at_ms >= search.since_ms)
    if search.until_ms is not None:
        conditions.append(AUDIT.c.at_ms < search.until_ms)
    return conditions


def _stored(row: Any) -> StoredRecord:
    return StoredRecord(row[0], AuditRecord(*row[1:]))
