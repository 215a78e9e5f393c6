"""The numbered migrations of the store, and the one function that applies them.

What comes in: a connection inside a write transaction. What goes out: the version
the store has now. A migration that was released is never edited: the next change
is a new entry, and a test upgrades a store from every version before it.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection, inspect

from gateway.errors import ConfigurationError
from gateway.state.tables import META

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
    (
        # Names that keep apart from others', tokens with a policy, and the homes of leases, signatures and audit.
        "CREATE TABLE gw_meta (name VARCHAR(64) NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        "INSERT INTO gw_meta (name, value) SELECT key, value FROM meta",
        "DROP TABLE meta",
        """CREATE TABLE gw_token (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name VARCHAR(190) NOT NULL,
            current_name VARCHAR(190) UNIQUE,
            prefix VARCHAR(32) NOT NULL,
            digest BLOB NOT NULL UNIQUE,
            grants TEXT NOT NULL,
            policy TEXT NOT NULL,
            is_admin INTEGER NOT NULL,
            staff_id INTEGER,
            created_at BIGINT NOT NULL,
            expires_at BIGINT,
            revoked_at BIGINT,
            last_used_at BIGINT
        )""",
        """INSERT INTO gw_token
            SELECT id, name, CASE WHEN revoked_at IS NULL THEN name END, prefix, digest, grants, '{}', is_admin,
                   staff_id, created_at, expires_at, revoked_at, NULL FROM token""",
        "DROP TABLE token",
        "ALTER TABLE generation RENAME TO gw_generation",
        "DROP INDEX idempotency_answered",
        "DROP INDEX idempotency_created",
        """CREATE TABLE gw_idempotency (
            id INTEGER PRIMARY KEY,
            scope BLOB NOT NULL,
            key BLOB NOT NULL,
            fingerprint BLOB NOT NULL,
            holder BLOB NOT NULL,
            status VARCHAR(8) NOT NULL,
            lease_until BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            finished_at BIGINT,
            answer_status INTEGER,
            answer_headers TEXT,
            answer_body BLOB,
            shape BLOB
        )""",
        "INSERT INTO gw_idempotency SELECT * FROM idempotency",
        "DROP TABLE idempotency",
        "CREATE UNIQUE INDEX gw_idempotency_key ON gw_idempotency (scope, key)",
        "CREATE INDEX gw_idempotency_finished ON gw_idempotency (finished_at) WHERE answer_status IS NOT NULL",
        "CREATE INDEX gw_idempotency_created ON gw_idempotency (created_at)",
        """CREATE TABLE gw_lease (
            scope VARCHAR(190) NOT NULL PRIMARY KEY, spent TEXT NOT NULL, updated_at BIGINT NOT NULL
        )""",
        "CREATE INDEX gw_lease_updated ON gw_lease (updated_at)",
        "CREATE TABLE gw_signature (signature BLOB NOT NULL PRIMARY KEY, expires_at BIGINT NOT NULL)",
        "CREATE INDEX gw_signature_expires ON gw_signature (expires_at)",
        """CREATE TABLE gw_audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms BIGINT NOT NULL,
            request_id VARCHAR(64) NOT NULL,
            principal VARCHAR(190),
            token_id BIGINT,
            address VARCHAR(64) NOT NULL,
            method VARCHAR(16) NOT NULL,
            path VARCHAR(512) NOT NULL,
            resource VARCHAR(190),
            operation VARCHAR(8),
            row_key VARCHAR(190),
            rows BIGINT,
            status INTEGER NOT NULL,
            code VARCHAR(64),
            stage VARCHAR(16) NOT NULL,
            duration_us BIGINT NOT NULL
        )""",
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
    version = version_of(connection)
    if version == 0:
        connection.exec_driver_sql(_MAKE_META)
    if version > len(migrations):
        raise ConfigurationError(
            f"The state file {path} has version {version}; this gateway knows versions up to {len(migrations)}. "
            "Run the newer gateway that made it, or set GATEWAY_STATE_PATH to another file."
        )
    for statements in migrations[version:]:
        for statement in statements:
            connection.exec_driver_sql(statement)
    if version < len(migrations):
        table, name = _meta_of(connection) or ("meta", "key")
        connection.exec_driver_sql(
            f"INSERT OR REPLACE INTO {table} ({name}, value) VALUES ('version', ?)",  # noqa: S608  # our own two names
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
    """Return the version of a store; 0 when nothing was applied yet."""
    found = _meta_of(connection)
    if found is None:
        return 0
    table, name = found
    row = connection.exec_driver_sql(f"SELECT value FROM {table} WHERE {name} = 'version'").first()  # noqa: S608  # as above
    return int(row[0]) if row else 0


def _meta_of(connection: Connection) -> tuple[str, str] | None:
    """The table of the version and the column of its names: until version 3 it was another."""
    names = set(inspect(connection).get_table_names())
    if META.name in names:
        return META.name, "name"
    return ("meta", "key") if "meta" in names else None
