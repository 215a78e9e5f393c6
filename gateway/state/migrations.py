"""The numbered migrations of the store, and the one function that applies them.

What comes in: a connection inside a write transaction. What goes out: the version
the store has now. A migration that was released is never edited: the next change
is a new entry, and a test upgrades a store from every version before it.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection

from gateway.errors import ConfigurationError

Migrations = tuple[tuple[str, ...], ...]

MIGRATIONS: Final[Migrations] = (
    (
        """CREATE TABLE token (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            prefix TEXT NOT NULL,
            digest BLOB NOT NULL UNIQUE,
            grants TEXT NOT NULL,
            is_admin INTEGER NOT NULL DEFAULT 0,
            staff_id INTEGER,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            revoked_at INTEGER
        )""",
        "CREATE UNIQUE INDEX token_current_name ON token (name) WHERE revoked_at IS NULL",
        "CREATE TABLE generation (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL)",
        "INSERT INTO generation (id, value) VALUES (1, 0)",
    ),
    (
        """CREATE TABLE idempotency (
            id INTEGER PRIMARY KEY,
            scope BLOB NOT NULL,
            key BLOB NOT NULL,
            fingerprint BLOB NOT NULL,
            holder BLOB NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('running', 'unknown', 'done')),
            lease_until INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            finished_at INTEGER,
            answer_status INTEGER,
            answer_headers TEXT,
            answer_body BLOB,
            shape BLOB,
            UNIQUE (scope, key)
        )""",
        # What is to be removed is found by these, whatever number of claims stays.
        "CREATE INDEX idempotency_answered ON idempotency (finished_at) WHERE answer_status IS NOT NULL",
        "CREATE INDEX idempotency_created ON idempotency (created_at)",
    ),
)
"""Entry 0 makes version 1. Times are whole seconds since 1970, UTC."""

_MADE: Final = re.compile(r"\ACREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_MAKE_META: Final = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"


def migrate(connection: Connection, path: str, migrations: Migrations = MIGRATIONS) -> int:
    """Bring the store behind a connection to the newest version and return that version.

    Safe when several workers start at once: the caller's transaction locks the file.

    Raises:
        ConfigurationError: the store was made by a newer gateway.
    """
    connection.exec_driver_sql(_MAKE_META)
    version = version_of(connection)
    if version > len(migrations):
        raise ConfigurationError(
            f"The state file {path} has version {version}; this gateway knows versions up to {len(migrations)}. "
            "Run the newer gateway that made it, or set GATEWAY_STATE_PATH to another file."
        )
    for statements in migrations[version:]:
        for statement in statements:
            connection.exec_driver_sql(statement)
    if version < len(migrations):
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('version', ?)",
            (str(len(migrations)),),
        )
    return len(migrations)


def first_tables(migrations: Migrations = MIGRATIONS) -> frozenset[str]:
    """Return the names of the tables that every store has, whatever its version: by them it is told from other files.

    >>> sorted(first_tables())
    ['generation', 'meta', 'token']
    """
    statements = (_MAKE_META, *(migrations[0] if migrations else ()))
    return frozenset(name for text in statements for name in _MADE.findall(text))


def version_of(connection: Connection) -> int:
    """Return the version of a store that has a ``meta`` table; 0 when nothing was applied yet."""
    row = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'version'").first()
    return int(row[0]) if row else 0
