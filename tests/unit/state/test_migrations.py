"""A store of any version before this one is brought up to it with all it holds, and one from the future is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.state.idempotency import Claim, Found, KeptAnswer
from gateway.state.migrations import FIRST_SERVED, MIGRATIONS, Migration, Migrations, version_of
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.state.tables import METADATA
from gateway.state.tokens import NewToken, TokenRecord

STEPS: Migrations = (
    Migration((*MIGRATIONS[0].sqlite, "CREATE TABLE first (x INTEGER)", "INSERT INTO first VALUES (1)")),
    Migration(("ALTER TABLE first ADD COLUMN y INTEGER DEFAULT 2",)),
    Migration(("CREATE TABLE third (z INTEGER)",)),
)
NOW = 1_800_000_000
KEY = "ab" * 32

TOKENS_BEFORE_3 = (
    "INSERT INTO token VALUES (3, 'bi', 'gw_live_a', x'" + "01" * 32 + "', '[\"invoices:read\"]', 0, NULL, 1000, NULL,"
    " NULL)",
    "INSERT INTO token VALUES (5, 'old', 'gw_live_b', x'" + "02" * 32 + "', '[\"*:*\"]', 1, 7, 1001, 9999999999, 1002)",
    "UPDATE generation SET value = 41",
    f"INSERT INTO meta (key, value) VALUES ('key etag', '{KEY}')",
)
CLAIMS_BEFORE_3 = (
    "INSERT INTO idempotency VALUES (9, x'73', x'6b', x'66', x'68', 'done', 1, 1799999000, 1799999001, 201,"
    " '{\"Location\": \"/x/7\"}', x'7b7d', x'aa')",
    "INSERT INTO idempotency VALUES (11, x'73', x'6c', x'66', x'68', 'unknown', 1, 1799999000, 1799999001, NULL,"
    " NULL, NULL, NULL)",
)
DATA_OF_3 = (
    "INSERT INTO gw_token VALUES (3, 'bi', 'bi', 'gw_live_a', x'" + "01" * 32 + "', '[\"invoices:read\"]',"
    " '{}', 0, NULL, 1000, NULL, NULL, NULL, 0)",
    "INSERT INTO gw_token VALUES (5, 'old', NULL, 'gw_live_b', x'" + "02" * 32 + "', '[\"*:*\"]', '{}', 1, 7, 1001,"
    " 9999999999, 1002, NULL, 0)",
    "UPDATE gw_generation SET value = 41",
    f"INSERT INTO gw_meta (name, value) VALUES ('key etag', '{KEY}')",
    *(statement.replace("idempotency", "gw_idempotency") for statement in CLAIMS_BEFORE_3),
    "INSERT INTO gw_lease VALUES ('token:3', '[]', 1000)",
    "INSERT INTO gw_signature VALUES (x'" + "03" * 32 + "', 1000)",
    "INSERT INTO gw_audit (at_ms, request_id, address, method, path, status, stage, duration_us)"
    " VALUES (1000, 'r', '::1', 'GET', '/api/v1/x', 200, 'handler', 5)",
)
DATA: dict[int, tuple[str, ...]] = {
    1: TOKENS_BEFORE_3,
    2: TOKENS_BEFORE_3 + CLAIMS_BEFORE_3,
    3: DATA_OF_3,
}
"""What a store of each version holds, with rows in every table that the version has."""


def version(store: StateStore) -> int:
    with store.read() as connection:
        return version_of(connection)


def shape(store: StateStore) -> list[tuple[object, ...]]:
    with store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT m.type, m.name, c.name, c.type, c.[notnull], c.pk FROM sqlite_master m,"
            " pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.name"
        )
        return [tuple(row) for row in rows]


def old_store(path: Path, number: int, statements: Sequence[str] = ()) -> None:
    """Make a store as the gateway of a version did."""
    with StateStore.open(path, migrations=MIGRATIONS[:number]) as store, store.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("old", range(len(MIGRATIONS) + 1))
def test_a_store_of_every_version_is_brought_up_to_date(tmp_path: Path, old: int) -> None:
    """However old the file, it ends with the tables and indexes of a new one."""
    old_store(tmp_path / "old.sqlite3", old)
    with StateStore.open(tmp_path / "old.sqlite3") as upgraded, StateStore.open(tmp_path / "new.sqlite3") as new:
        assert version(upgraded) == len(MIGRATIONS)
        assert shape(upgraded) == shape(new)


def test_there_is_data_to_upgrade_for_every_version() -> None:
    """Whoever adds a migration adds what a store of the version before it holds."""
    assert sorted(DATA) == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("old", DATA)
def test_tokens_keys_and_the_generation_outlast_every_upgrade(tmp_path: Path, old: int) -> None:
    """Names, digests, grants, flags, moments and ids are what they were, and so is who works."""
    path = tmp_path / "state.sqlite3"
    old_store(path, old, DATA[old])
    with StateStore.open(path, clock=lambda: NOW) as store:
        working, ended = store.tokens.all()

        moment = datetime.fromtimestamp(1000, UTC)
        assert working == TokenRecord(
            3, "bi", "gw_live_a", b"\1" * 32, ("invoices:read",), False, None, moment, None, None
        )
        assert (ended.id, ended.name, ended.grants, ended.is_admin, ended.staff_id) == (5, "old", ("*:*",), True, 7)
        assert ended.expires_at == datetime.fromtimestamp(9_999_999_999, UTC)
        assert not ended.is_active(datetime.fromtimestamp(NOW, UTC))
        assert store.tokens.find("bi") == working
        assert store.generation.current() == 41
        assert shared_key(store.write, "etag") == bytes.fromhex(KEY)
        with pytest.raises(ConfigurationError, match='A token named "bi" exists'):
            store.tokens.create(NewToken("bi", b"\3" * 32, "gw_live_c", ("*:read",)))
        assert store.tokens.create(NewToken("old", b"\3" * 32, "gw_live_c", ("*:read",))).id == 6


@pytest.mark.parametrize("old", [number for number in DATA if number >= 2])
def test_claims_outlast_every_upgrade(tmp_path: Path, old: int) -> None:
    """A write that was done under a key does not run again because the gateway was upgraded."""
    path = tmp_path / "state.sqlite3"
    old_store(path, old, DATA[old])
    with StateStore.open(path, clock=lambda: NOW) as store:
        done = store.idempotency.claim(Claim(b"s", b"k", b"f", b"new"))
        unknown = store.idempotency.claim(Claim(b"s", b"l", b"f", b"new"))

    assert done == Found("done", KeptAnswer(201, {"Location": "/x/7"}, b"{}", b"\xaa"))
    assert unknown == Found("unknown")


def test_the_newest_version_keeps_leases_signatures_and_records(tmp_path: Path) -> None:
    """Opening a store that is up to date changes nothing in it."""
    path = tmp_path / "state.sqlite3"
    old_store(path, 3, DATA[3])
    with StateStore.open(path) as store, store.read() as connection:
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in ("gw_lease", "gw_signature", "gw_audit")
        ]

    assert counts == [1, 1, 1]


@pytest.mark.parametrize("old", range(len(STEPS) + 1))
def test_only_the_missing_steps_run_and_rows_stay(tmp_path: Path, old: int) -> None:
    """A step that ran is not run again: the second insert would double the row."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=STEPS[:old]).close()
    with StateStore.open(path, migrations=STEPS) as store, store.read() as connection:
        assert connection.exec_driver_sql("SELECT x, y FROM first").all() == [(1, 2)]
        assert connection.exec_driver_sql("SELECT * FROM third").all() == []
        assert version_of(connection) == 3


def test_a_failing_step_leaves_the_version_before_it(tmp_path: Path) -> None:
    """All missing steps of a file are one transaction, so that a broken upgrade can be tried again."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=MIGRATIONS[:2]).close()
    broken = (*MIGRATIONS, Migration(("CREATE TABLE fourth (x)", "CREATE TABLE fourth (x)")))
    with pytest.raises(ConfigurationError, match="cannot be used"):
        StateStore.open(path, migrations=broken)
    with StateStore.open(path, migrations=MIGRATIONS[:2]) as store:
        assert version(store) == 2


def test_a_store_from_the_future_is_refused(tmp_path: Path) -> None:
    """An older gateway does not guess what a newer one wrote."""
    path = tmp_path / "state.sqlite3"
    StateStore.open(path, migrations=(*MIGRATIONS, Migration.everywhere("CREATE TABLE later (x INTEGER)"))).close()
    with pytest.raises(ConfigurationError, match=r"has version \d+; this gateway knows versions up to \d+"):
        StateStore.open(path)


def test_every_migration_after_the_first_stores_on_servers_is_for_all_of_them() -> None:
    """A store on a server is upgraded by the same numbers as a file."""
    for migration in MIGRATIONS[FIRST_SERVED:]:
        assert migration.sqlite
        assert migration.mysql
        assert migration.postgresql


def test_the_tables_in_code_are_those_the_migrations_make(tmp_path: Path) -> None:
    """Names and order of columns agree, what may be null, and the indexes."""
    with StateStore.open(tmp_path / "state.sqlite3") as store, store.read() as connection:
        for table in METADATA.sorted_tables:
            rows = connection.exec_driver_sql(
                f"SELECT name, [notnull] FROM pragma_table_info('{table.name}') WHERE pk = 0"
            ).all()
            due = [(column.name, int(not column.nullable)) for column in table.columns if not column.primary_key]
            assert [tuple(row) for row in rows] == due
            indexes = connection.exec_driver_sql(
                f"SELECT name FROM pragma_index_list('{table.name}') WHERE origin = 'c'"
            )
            assert set(indexes.scalars()) == {str(index.name) for index in table.indexes}
