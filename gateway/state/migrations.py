"""The numbered migrations of the store, and the one function that applies them.

What comes in: a connection inside a write transaction. What goes out: the version
the store has now. A migration that was released is never edited: the next change
is a new entry, and a test upgrades a store from every version before it.

A file is made by all migrations, one after the other. A new store on a server is made from the
tables of `state.tables` at once, as the newest version; what came before 3 no server ever had.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import Connection, insert, inspect, select, update

from gateway.errors import ConfigurationError
from gateway.state.tables import GENERATION, META, METADATA

FIRST_SERVED: Final = 3
"""The first version of which there are stores on servers."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The statements that make one version of the one before it, for each kind of database."""

    sqlite: tuple[str, ...]
    mysql: tuple[str, ...] = ()
    postgresql: tuple[str, ...] = ()

    @classmethod
    def everywhere(cls, *statements: str) -> Self:
        """Return a migration whose statements every kind of database understands."""
        return cls(statements, statements, statements)

    def statements(self, dialect: str) -> tuple[str, ...]:
        """Return those for a dialect of SQLAlchemy."""
        return {"sqlite": self.sqlite, "postgresql": self.postgresql}.get(dialect, self.mysql)


Migrations = tuple[Migration, ...]

_FILE_STATEMENTS: Final[tuple[tuple[str, ...], ...]] = (
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
            last_used_at BIGINT,
            is_revoked INTEGER NOT NULL
        )""",
        # Whether an end was a revocation or that of an overlap is not known; the moment decides, as it did before.
        """INSERT INTO gw_token
            SELECT id, name, CASE WHEN revoked_at IS NULL THEN name END, prefix, digest, grants, '{}', is_admin,
                   staff_id, created_at, expires_at, revoked_at, NULL, 0 FROM token""",
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
        # What is to be removed is found by these, whatever number of claims stays.
        "CREATE INDEX gw_idempotency_answered ON gw_idempotency (answer_status, finished_at)",
        "CREATE INDEX gw_idempotency_created ON gw_idempotency (created_at)",
        """CREATE TABLE gw_lease (
            scope VARCHAR(190) NOT NULL PRIMARY KEY, spent TEXT NOT NULL, ends_at BIGINT NOT NULL
        )""",
        "CREATE INDEX gw_lease_ends ON gw_lease (ends_at)",
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
            duration_us BIGINT NOT NULL,
            outcome VARCHAR(8)
        )""",
    ),
)
"""Of the versions that only files had; entry 0 makes version 1. Times are whole seconds since 1970, UTC."""

MIGRATIONS: Final[Migrations] = tuple(Migration(statements) for statements in _FILE_STATEMENTS)
"""All of them; the next ones are added here, with statements for each kind of database."""

_MADE: Final = re.compile(r"\ACREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_MAKE_META: Final = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_VERSION: Final = "version"
_STEP: Final = "step"


def migrate(connection: Connection, place: str, migrations: Migrations = MIGRATIONS) -> int:
    """Bring the store behind a connection to the newest version and return that version.

    Safe when several workers or nodes start at once: the caller's transaction locks the file, or its
    named lock the store. In a file and in PostgreSQL all of it happens or nothing; MySQL commits each
    statement that changes a table, so each is noted, and a migration that broke off goes on behind it.

    Raises:
        ConfigurationError: the store was made by a newer gateway.
    """
    version = version_of(connection)
    if version > len(migrations):
        raise ConfigurationError(
            f"The state store {place} has version {version}; this gateway knows versions up to {len(migrations)}. "
            "Run the newer gateway that made it, or set GATEWAY_STATE_PATH or GATEWAY_STATE_URL to another."
        )
    if version < len(migrations):
        if connection.dialect.name == "sqlite":
            _migrate_file(connection, version, migrations)
        elif version == 0:
            _create(connection, len(migrations))
        else:
            _migrate_server(connection, version, migrations)
    return len(migrations)


def first_tables(migrations: Migrations = MIGRATIONS) -> frozenset[str]:
    """Return the names of the tables that every file before version 3 has: by them it is told from other files.

    >>> sorted(first_tables())
    ['generation', 'meta', 'token']
    """
    statements = (_MAKE_META, *(migrations[0].sqlite if migrations else ()))
    return frozenset(name for text in statements for name in _MADE.findall(text))


def version_of(connection: Connection) -> int:
    """Return the version of a store; 0 when nothing was applied yet."""
    found = _meta_of(connection)
    if found is None:
        return 0
    table, name = found
    row = connection.exec_driver_sql(f"SELECT value FROM {table} WHERE {name} = 'version'").first()  # noqa: S608  # our own two names
    return int(row[0]) if row else 0


def _migrate_file(connection: Connection, version: int, migrations: Migrations) -> None:
    if version == 0:
        connection.exec_driver_sql(_MAKE_META)
    for migration in migrations[version:]:
        for statement in migration.sqlite:
            connection.exec_driver_sql(statement)
    table, name = _meta_of(connection) or ("meta", "key")
    connection.exec_driver_sql(
        f"INSERT OR REPLACE INTO {table} ({name}, value) VALUES ('version', ?)",  # noqa: S608  # as above
        (str(len(migrations)),),
    )


def _create(connection: Connection, version: int) -> None:
    """Make all tables, those that are missing where another attempt broke off, and say so last."""
    METADATA.create_all(connection)
    if connection.execute(select(GENERATION.c.id)).first() is None:
        connection.execute(insert(GENERATION).values(id=1, value=0))
    _note(connection, _VERSION, str(version))


def _migrate_server(connection: Connection, version: int, migrations: Migrations) -> None:
    for number, migration in enumerate(migrations[version:], version + 1):
        statements = migration.statements(connection.dialect.name)
        done = _step_of(connection, number)
        for count, statement in enumerate(statements[done:], done + 1):
            connection.exec_driver_sql(statement)
            _note(connection, _STEP, f"{number}.{count}")
            if connection.dialect.name == "mysql":  # it has committed the tables already: now the note of it too
                connection.exec_driver_sql("COMMIT")
        _note(connection, _VERSION, str(number))


def _step_of(connection: Connection, number: int) -> int:
    """How many statements of a migration were run before it broke off."""
    said = connection.execute(select(META.c.value).where(META.c.name == _STEP)).scalar()
    migration, _, count = (said or "0.0").partition(".")
    return int(count) if int(migration) == number else 0


def _note(connection: Connection, name: str, value: str) -> None:
    done = connection.execute(update(META).where(META.c.name == name).values(value=value))
    if done.rowcount == 0:
        connection.execute(insert(META).values(name=name, value=value))


def _meta_of(connection: Connection) -> tuple[str, str] | None:
    """The table of the version and the column of its names: until version 3 it was another."""
    names = set(inspect(connection).get_table_names())
    if META.name in names:
        return META.name, "name"
    return ("meta", "key") if "meta" in names and connection.dialect.name == "sqlite" else None
