"""The store's tables as SQLAlchemy sees them; `state.migrations` is what creates them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()

TOKEN: Final = Table(
    "token",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("grants", Text, nullable=False),
    Column("is_admin", Integer, nullable=False),
    Column("staff_id", Integer),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer),
    Column("revoked_at", Integer),
)

GENERATION: Final = Table(
    "generation",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("value", Integer, nullable=False),
)

IDEMPOTENCY: Final = Table(
    "idempotency",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("scope", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("lease_until", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("finished_at", Integer),
    Column("answer_status", Integer),
    Column("answer_headers", Text),
    Column("answer_body", LargeBinary),
    Column("shape", LargeBinary),
)
