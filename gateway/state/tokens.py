"""Tokens as they are stored: a SHA-256 digest and what the token may do, never the token.

What comes in: digests and grant texts that `security` has made and checked. What
goes out: `TokenRecord`s. A name belongs to one current token; superseded ones
(`rotate` with an overlap) keep it until their moment comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, case, insert, or_, select, update

from gateway.errors import ConfigurationError
from gateway.state.failures import retried
from gateway.state.tables import TOKEN

Transaction = Callable[[], AbstractContextManager[Connection]]
Clock = Callable[[], float]

LOCK: Final = "tokens"
"""What those who make, rotate and revoke tokens take turns by, on all nodes."""

LONGEST_NAME: Final = 190
FOREIGN_NAMES: Final = "jwt:"
"""How the names of principals begin whose tokens an identity provider made."""

BATCH: Final = 500
"""Most tokens that one statement of `TokenStore.touch` names."""

NO_POLICY: Final = "{}"
"""The JSON text of a policy that limits nothing; what may stand in one, `security.policy` says."""


class Writing(Protocol):
    """The write context of a store."""

    def __call__(self, lock: str | None = None, *, durable: bool = True) -> AbstractContextManager[Connection]:
        """Return a context of one transaction; see `StateStore.write`."""
        ...


@dataclass(frozen=True, slots=True)
class NewToken:
    """What `TokenStore.create` stores: the digest (SHA-256, 32 bytes) and the part of the token that may be shown."""

    name: str
    digest: bytes
    prefix: str
    grants: tuple[str, ...]
    is_admin: bool = False
    staff_id: int | None = None
    expires_at: datetime | None = None
    policy: str = NO_POLICY


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One stored token; times are UTC, None meaning never. A ``revoked_at`` to come is the end of an overlap.

    ``is_revoked`` says that the token was ended on purpose: it is over, whatever time it is where that is asked.
    """

    id: int
    name: str
    prefix: str
    digest: bytes
    grants: tuple[str, ...]
    is_admin: bool
    staff_id: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    policy: str = NO_POLICY
    last_used_at: datetime | None = None
    is_revoked: bool = False

    @property
    def ends_at(self) -> datetime | None:
        """When the token stops (or stopped) to work: the earlier of expiry and revocation."""
        ends = [moment for moment in (self.expires_at, self.revoked_at) if moment is not None]
        return min(ends, default=None)

    def is_active(self, now: datetime) -> bool:
        """Whether the token works at a moment."""
        return not self.is_revoked and (self.ends_at is None or now < self.ends_at)


class TokenStore:
    """The tokens of a store; every method is one transaction."""

    __slots__ = ("_clock", "_read", "_write")

    def __init__(self, read: Transaction, write: Writing, clock: Clock) -> None:
        self._read = read
        self._write = write
        self._clock = clock

    @retried
    def create(self, token: NewToken) -> TokenRecord:
        """Store a token and return its record.

        Raises:
            ConfigurationError: a working token has the name already, or no token may have it.
        """
        _refuse_name(token.name)
        now = self._now()
        with self._write(LOCK) as connection:
            holder = _current(connection, token.name)
            if holder is not None:
                _refuse_taken(holder, now)
                # An expired token gives its name back; its end is then on record as a revocation.
                _set_revoked(connection, TOKEN.c.id == holder.id, holder.expires_at or now)
            return _insert(connection, token, now)

    def by_digest(self, digest: bytes) -> TokenRecord | None:
        """Return the token with a digest, working or not; one statement on a unique index."""
        with self._read() as connection:
            return _one(connection, TOKEN.c.digest == digest)

    def by_digests(self, digests: Sequence[bytes]) -> tuple[TokenRecord, ...]:
        """Return the tokens with any of some digests, working or not, in no order; one statement on a unique index."""
        with self._read() as connection:
            rows = connection.execute(select(TOKEN).where(TOKEN.c.digest.in_(digests))).all()
        return tuple(_record(row) for row in rows)

    def find(self, name_or_id: str) -> TokenRecord | None:
        """Return the current token of a name, else the newest that had it, else the one whose id is given."""
        with self._read() as connection:
            return _find(connection, name_or_id)

    def all(self) -> tuple[TokenRecord, ...]:
        """Return every token, ended ones too, oldest first."""
        with self._read() as connection:
            rows = connection.execute(select(TOKEN).order_by(TOKEN.c.id)).all()
        return tuple(_record(row) for row in rows)

    @retried
    def revoke(self, name_or_id: str) -> tuple[TokenRecord, ...]:
        """End a token now, with those that it superseded, and return the ended records.

        The id of a superseded token ends that one alone. Empty when every token meant had ended before.

        Raises:
            ConfigurationError: no token has the name or id.
        """
        now = self._now()
        with self._write(LOCK) as connection:
            found = _find(connection, name_or_id)
            if found is None:
                raise _unknown(name_or_id)
            is_superseded = found.name != name_or_id and found.revoked_at is not None
            meant = TOKEN.c.id == found.id if is_superseded else TOKEN.c.name == found.name
            rows = connection.execute(select(TOKEN).where(meant).order_by(TOKEN.c.id)).all()
            ended = [record for record in map(_record, rows) if record.is_active(now)]
            for record in ended:
                _set_revoked(connection, TOKEN.c.id == record.id, now, is_over=True)
            return tuple(_record(_row(connection, record.id)) for record in ended)

    @retried
    def rotate(self, name: str, digest: bytes, prefix: str, overlap_s: int = 0) -> TokenRecord:
        """Store a new token with all a named one had, end the old one ``overlap_s`` from now, return the new.

        Raises:
            ConfigurationError: no working token has the name.
        """
        now = self._now()
        with self._write(LOCK) as connection:
            old = _current(connection, name)
            if old is None or not old.is_active(now):
                raise _unknown(name, "working ")
            end = datetime.fromtimestamp(now.timestamp() + overlap_s, UTC)
            _set_revoked(connection, TOKEN.c.id == old.id, end, is_over=overlap_s == 0)
            new = NewToken(name, digest, prefix, old.grants, old.is_admin, old.staff_id, old.expires_at, old.policy)
            return _insert(connection, new, now)

    @retried
    def touch(self, used: Mapping[int, float]) -> None:
        """Note when tokens were last used (ids, and seconds since 1970), unless another node noted a later moment.

        One statement for each `BATCH` of them.
        """
        ids = sorted(used)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            moment = case({number: int(used[number]) for number in batch}, value=TOKEN.c.id)
            is_older = or_(TOKEN.c.last_used_at.is_(None), TOKEN.c.last_used_at < moment)
            with self._write(durable=False) as connection:
                connection.execute(update(TOKEN).where(TOKEN.c.id.in_(batch), is_older).values(last_used_at=moment))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(int(self._clock()), UTC)


def _current(connection: Connection, name: str) -> TokenRecord | None:
    return _one(connection, TOKEN.c.current_name == name)


def _find(connection: Connection, name_or_id: str) -> TokenRecord | None:
    meant: ColumnElement[bool] = TOKEN.c.name == name_or_id
    if name_or_id.isascii() and name_or_id.isdecimal() and len(name_or_id) < 19:
        meant = or_(meant, TOKEN.c.id == int(name_or_id))
    rows = connection.execute(select(TOKEN).where(meant)).all()
    records = [_record(row) for row in rows]
    return max(records, key=lambda r: (r.name == name_or_id, r.revoked_at is None, r.id), default=None)


def _one(connection: Connection, condition: ColumnElement[bool]) -> TokenRecord | None:
    row = connection.execute(select(TOKEN).where(condition)).first()
    return None if row is None else _record(row)


def _row(connection: Connection, token_id: int) -> Any:
    return connection.execute(select(TOKEN).where(TOKEN.c.id == token_id)).one()


def _insert(connection: Connection, token: NewToken, now: datetime) -> TokenRecord:
    values = {
        "name": token.name,
        "current_name": token.name,
        "prefix": token.prefix,
        "digest": token.digest,
        "grants": json.dumps(token.grants, ensure_ascii=False),
        "policy": token.policy,
        "is_admin": int(token.is_admin),
        "staff_id": token.staff_id,
        "created_at": _seconds(now),
        "expires_at": _seconds(token.expires_at),
        "is_revoked": 0,
    }
    done = connection.execute(insert(TOKEN).values(values))
    key = done.inserted_primary_key
    return _record(_row(connection, int(key[0]) if key else 0))


def _set_revoked(
    connection: Connection, which: ColumnElement[bool], moment: datetime, *, is_over: bool = False
) -> None:
    values = {"revoked_at": _seconds(moment), "current_name": None, "is_revoked": int(is_over)}
    connection.execute(update(TOKEN).where(which).values(values))


def _refuse_name(name: str) -> None:
    if name != name.strip() or not 0 < len(name) <= LONGEST_NAME:
        raise ConfigurationError(
            f"A token's name has 1 to {LONGEST_NAME} characters, and no space at its beginning or end."
        )
    if name.lower().startswith(FOREIGN_NAMES):
        raise ConfigurationError(
            f'A token\'s name does not begin with "{FOREIGN_NAMES}": such names are those of an identity provider.'
        )


def _refuse_taken(holder: TokenRecord, now: datetime) -> None:
    if holder.is_active(now):
        raise ConfigurationError(
            f'A token named "{holder.name}" exists: choose another name, '
            f"or run `gateway token rotate {holder.name}` or `gateway token revoke {holder.name}` first."
        )


def _unknown(name: str, kind: str = "") -> ConfigurationError:
    return ConfigurationError(f'There is no {kind}token "{name}": `gateway token list` shows those there are.')


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _record(row: Any) -> TokenRecord:
    return TokenRecord(
        row.id,
        row.name,
        row.prefix,
        bytes(row.digest),
        tuple(json.loads(row.grants)),
        bool(row.is_admin),
        row.staff_id,
        datetime.fromtimestamp(row.created_at, UTC),
        _moment(row.expires_at),
        _moment(row.revoked_at),
        row.policy,
        _moment(row.last_used_at),
        bool(row.is_revoked),
    )
