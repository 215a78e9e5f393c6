"""The store's tables as SQLAlchemy sees them; `state.migrations` is what creates them.

Names begin with ``gw_``, so that a store may lie in a database beside other tables. Times are whole
seconds since 1970, UTC, where the name does not say otherwise. Nothing here belongs to one kind of
database: texts that are looked up have a length, and digests are bytes of a fixed length. Texts are
compared byte by byte everywhere, so that "BI" and "bi" are two names on every server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGBLOB, MEDIUMTEXT, VARBINARY

METADATA: Final = MetaData()

_SERIAL: Final = BigInteger().with_variant(Integer, "sqlite")
_DIGEST: Final = LargeBinary(32).with_variant(VARBINARY(32), "mysql", "mariadb")
_BODY: Final = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")
_LONG: Final = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
_ON_SERVERS: Final[Mapping[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

META: Final = Table(
    "gw_meta",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", _LONG, nullable=False),
    **_ON_SERVERS,
)
"""The store's version, keys that all workers share, and the rows that transactions lock."""

TOKEN: Final = Table(
    "gw_token",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    Column("name", String(190), nullable=False),
    # The name while the token has it, null once it is revoked or superseded: unique among those that work.
    Column("current_name", String(190), unique=True),
    Column("prefix", String(32), nullable=False),
    Column("digest", _DIGEST, nullable=False, unique=True),
    Column("grants", _LONG, nullable=False),
    Column("policy", _LONG, nullable=False),
    Column("is_admin", Integer, nullable=False),
    Column("staff_id", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
    # 1 for a token that was revoked: it is over at once, whatever moment it is by the clock of a node.
    Column("is_revoked", Integer, nullable=False),
    sqlite_autoincrement=True,
    **_ON_SERVERS,
)

GENERATION: Final = Table(
    "gw_generation",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    **_ON_SERVERS,
)

IDEMPOTENCY: Final = Table(
    "gw_idempotency",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    Column("scope", _DIGEST, nullable=False),
    Column("key", _DIGEST, nullable=False),
    Column("fingerprint", _DIGEST, nullable=False),
    Column("holder", _DIGEST, nullable=False),
    Column("status", String(8), nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("answer_status", Integer),
    Column("answer_headers", _LONG),
    Column("answer_body", _BODY),
    Column("shape", _DIGEST),
    Index("gw_idempotency_key", "scope", "key", unique=True),
    Index("gw_idempotency_answered", "answer_status", "finished_at"),
    Index("gw_idempotency_created", "created_at"),
    **_ON_SERVERS,
)

LEASE: Final = Table(
    "gw_lease",
    METADATA,
    Column("scope", String(190), primary_key=True),
    # What was leased of late, as JSON that `state.leases` reads and writes whole.
    Column("spent", _LONG, nullable=False),
    # From when on nothing in it counts any more.
    Column("ends_at", BigInteger, nullable=False),
    Index("gw_lease_ends", "ends_at"),
    **_ON_SERVERS,
)

SIGNATURE: Final = Table(
    "gw_signature",
    METADATA,
    Column("signature", _DIGEST, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("gw_signature_expires", "expires_at"),
    **_ON_SERVERS,
)

AUDIT: Final = Table(
    "gw_audit",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("principal", String(190)),
    Column("token_id", BigInteger),
    Column("address", String(64), nullable=False),
    Column("method", String(16), nullable=False),
    Column("path", String(512), nullable=False),
    Column("resource", String(190)),
    Column("operation", String(8)),
    Column("row_key", String(190)),
    Column("rows", BigInteger),
    Column("status", Integer, nullable=False),
    Column("code", String(64)),
    Column("stage", String(16), nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    # What became of a write that was not refused: done, dry_run or replayed.
    Column("outcome", String(8)),
    sqlite_autoincrement=True,
    **_ON_SERVERS,
)
"""Only ever added to at its end and cut at its beginning: ids rise with time, so no other index is kept up."""
