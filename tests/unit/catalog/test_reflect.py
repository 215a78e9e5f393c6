"""Reflection of SQLite, the URLs an engine is made from, and what a failed connect is told as."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, make_url

from gateway.catalog.engine import connect_failure, engine_of, open_connection, open_engine
from gateway.catalog.reflect import existing_tables, fingerprint, reflect
from gateway.catalog.reflected import CustomField, ReflectedForeignKey
from gateway.errors import ConfigurationError, UnavailableError
from gateway.settings import Settings

SCHEMA = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT 'no''body', born DATE,"
    " cents DECIMAL(15,2) NOT NULL DEFAULT 0, doubled INT GENERATED ALWAYS AS (cents * 2) VIRTUAL)",
    "CREATE UNIQUE INDEX people_name ON people (name, born)",
    "CREATE INDEX people_born ON people (born)",
    "CREATE INDEX people_some ON people (cents) WHERE cents > 0",
    "CREATE INDEX people_lower ON people (lower(name))",
    "CREATE TABLE codes (code TEXT PRIMARY KEY, note TEXT DEFAULT NULL) WITHOUT ROWID",
    "CREATE TABLE pairs (a INT, b INT, person INT REFERENCES people ON DELETE CASCADE, PRIMARY KEY (b, a))",
    'CREATE TABLE "odd name é" ("sel ect" INT DEFAULT (1 + 1), pair_a INT, pair_b INT,'
    " FOREIGN KEY (pair_b, pair_a) REFERENCES pairs (b, a))",
    "CREATE VIEW adults AS SELECT id, name FROM people",
    "CREATE TABLE tbloptions (id INTEGER PRIMARY KEY, name TEXT, value TEXT)",
    "INSERT INTO tbloptions (name, value) VALUES ('default_timezone', 'Asia/Tokyo'), ('secret', 'x'), ('empty', NULL)",
    "CREATE TABLE tblcustomfields (id INTEGER PRIMARY KEY, name TEXT, slug TEXT)",
)
NAMES = ("people", "codes", "pairs", "odd name é", "adults")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A SQLite database with every oddity."""
    with open_connection(open_engine(f"sqlite:///{tmp_path / 'crm.sqlite3'}")) as found:
        run(found, *SCHEMA)
        yield found


def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def test_every_table_and_view_exists(connection: Connection) -> None:
    """SQLite's own tables are not among them."""
    assert existing_tables(connection) == {*NAMES, "tbloptions", "tblcustomfields"}


def test_only_the_named_tables_are_reflected(connection: Connection) -> None:
    """Names the database lacks, or spells otherwise, are left out."""
    found = reflect(connection, ["people", "PAIRS", "ghosts"])

    assert set(found.tables) == {"people"}
    assert (found.dialect, found.unreadable) == ("sqlite", {})
    assert "pairs" in found.existing
    assert found.server.startswith("3.")


def test_columns_are_as_declared(connection: Connection) -> None:
    """Type text, nullability, defaults, the row's own number and generated columns."""
    columns = {column.name: column for column in reflect(connection, ["people"]).tables["people"].columns}

    assert {name: column.sql_type for name, column in columns.items()} == {
        "id": "INTEGER",
        "name": "VARCHAR(50)",
        "born": "DATE",
        "cents": "DECIMAL(15,2)",
        "doubled": "INT",
    }
    assert [name for name, column in columns.items() if column.is_nullable] == ["born", "doubled"]
    assert [name for name, column in columns.items() if column.is_auto_increment] == ["id"]
    assert [name for name, column in columns.items() if column.is_generated] == ["doubled"]
    assert [column.default for column in columns.values()] == [None, "no'body", None, "0", None]


def test_keys_and_indexes(connection: Connection) -> None:
    """Partial indexes and those on expressions serve no column in general."""
    tables = reflect(connection, NAMES).tables

    assert (tables["people"].primary_key, tables["people"].unique_keys) == (("id",), (("name", "born"),))
    assert set(tables["people"].indexes) == {("id",), ("name", "born"), ("born",)}
    assert (tables["pairs"].primary_key, tables["pairs"].unique_keys) == (("b", "a"), ())
    assert (tables["adults"].is_view, tables["adults"].primary_key) == (True, ())
    code, note = tables["codes"].columns
    assert (code.is_nullable, code.is_auto_increment, note.default) == (False, False, None)


def test_foreign_keys(connection: Connection) -> None:
    """One without column names means the target's primary key."""
    tables = reflect(connection, NAMES).tables

    assert tables["pairs"].foreign_keys == (ReflectedForeignKey(("person",), "people", ("id",), is_cascading=True),)
    assert tables["odd name é"].foreign_keys == (ReflectedForeignKey(("pair_b", "pair_a"), "pairs", ("b", "a")),)
    assert tables["odd name é"].columns[0].name == "sel ect"
    assert reflect(connection, ["pairs"]).tables["pairs"].foreign_keys == ()


def test_a_view_that_no_longer_works_is_left_out_with_the_reason(connection: Connection) -> None:
    """The other tables are reflected all the same."""
    run(connection, "CREATE VIEW broken AS SELECT gone FROM people")

    found = reflect(connection, [*NAMES, "broken"])

    assert set(found.tables) == set(NAMES)
    assert list(found.unreadable) == ["broken"]


def test_the_named_options_are_read_and_no_others(connection: Connection) -> None:
    """A missing options table is no failure."""
    found = reflect(connection, [], options_table="tbloptions", option_names=["default_timezone", "empty", "nothing"])

    assert found.options == {"default_timezone": "Asia/Tokyo"}
    assert reflect(connection, [], options_table="options", option_names=["default_timezone"]).options == {}


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE people ADD COLUMN email TEXT",
        "ALTER TABLE people DROP COLUMN doubled",
        "ALTER TABLE people RENAME COLUMN born TO birthday",
        "DROP TABLE codes",
        "UPDATE tbloptions SET value = 'Europe/Rome' WHERE name = 'default_timezone'",
        "INSERT INTO tblcustomfields (name, slug) VALUES ('Password', 'x')",
    ],
)
def test_the_fingerprint_changes_with_what_the_catalog_depends_on(connection: Connection, statement: str) -> None:
    """Columns, the named options and the definitions of custom fields."""
    before = print_of(connection)

    run(connection, statement)

    assert print_of(connection) != before


def test_definitions_of_custom_fields_are_read_as_far_as_they_are_there(connection: Connection) -> None:
    """A table that lacks columns of later versions says nothing of them; options are told apart and trimmed."""
    run(connection, "INSERT INTO tblcustomfields (id, name, slug) VALUES (5, 'A', 'a')")
    few = reflect(connection, NAMES, custom_fields_table="tblcustomfields").custom_fields
    run(connection, "DROP TABLE tblcustomfields")
    columns = "id, name, slug, fieldto, type, options, active, required, field_order"
    run(connection, f"CREATE TABLE tblcustomfields ({columns})")
    for row in (
        "(5, 'Size', 'size', 'customers', 'select', 'S, M,,L ', 1, 1, 3)",
        "(6, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL)",
    ):
        run(connection, f"INSERT INTO tblcustomfields ({columns}) VALUES {row}")
    all_of_it = reflect(connection, NAMES, custom_fields_table="tblcustomfields").custom_fields

    assert few == (CustomField(5, "a", "A"),)
    assert set(all_of_it) == {
        CustomField(5, "size", "Size", "customers", "select", ("S", "M", "L"), is_required=True, order=3),
        CustomField(6, "", "", is_active=False),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE other (id INT)",
        "INSERT INTO people (name) VALUES ('x')",
        "UPDATE tbloptions SET value = 'y' WHERE name = 'secret'",
    ],
)
def test_the_fingerprint_stays_when_something_else_changes(connection: Connection, statement: str) -> None:
    """Rows, other tables and other options are nothing to the catalog."""
    before = print_of(connection)

    run(connection, statement)

    assert print_of(connection) == before


def print_of(connection: Connection) -> str:
    """Return the fingerprint, which `reflect` and `fingerprint` must agree on."""
    of_reflection = reflect(
        connection,
        NAMES,
        options_table="tbloptions",
        option_names=["default_timezone"],
        custom_fields_table="tblcustomfields",
    ).fingerprint
    alone = fingerprint(
        connection,
        NAMES,
        options_table="tbloptions",
        option_names=["default_timezone"],
        custom_fields_table="tblcustomfields",
    )
    assert alone == of_reflection
    return alone


def test_the_number_of_statements_does_not_grow_with_the_tables(connection: Connection) -> None:
    """Neither with those asked for nor with the others."""
    few = statements_of(connection, ["people"])
    run(connection, *(f"CREATE TABLE t{number} (id INT PRIMARY KEY)" for number in range(30)))

    assert statements_of(connection, [*NAMES, *(f"t{number}" for number in range(30))]) == few
    assert few <= 6


def statements_of(connection: Connection, names: list[str]) -> int:
    """Return how many statements a reflection takes."""
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", listen)
    reflect(connection, names)
    event.remove(connection, "before_cursor_execute", listen)
    return len(seen)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:p%40ss%3A%2F@db.example:3307/crm",
        "mysql+pymysql://u:p%40ss%3A%2F@db.example:3307/crm",
        "mariadb://u:p%40ss%3A%2F@db.example:3307/crm",
    ],
)
def test_each_spelling_of_a_url_is_the_same_server(url: str) -> None:
    """The password is decoded, and never printed."""
    engine = open_engine(url)

    assert engine.url.drivername == "mysql+pymysql"
    assert (engine.url.password, engine.url.port, engine.url.database) == ("p@ss:/", 3307, "crm")
    assert "p@ss" not in repr(engine)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm",
        "postgresql://u:S3CRET@h/d",
        "mysql://u:S3CRET@h",
        "mysql://u:S3CRET@h:x/d",
        "mysql://u:S3CRET@h/d?a=b",
    ],
)
def test_a_url_that_cannot_be_used_says_what_one_looks_like(url: str) -> None:
    """Without repeating the password in it."""
    with pytest.raises(ConfigurationError, match="mysql://user:password@host:3306/name") as caught:
        open_engine(url)

    assert "S3CRET" not in str(caught.value)


def test_the_engine_of_settings() -> None:
    """Address, limits and TLS come from the settings."""
    for tls in ("off", "prefer", "require"):
        assert engine_of(Settings(database_url="mysql://u@h/crm", database_tls=tls)).url.host == "h"
    with pytest.raises(ConfigurationError, match="GATEWAY_DATABASE_TLS_CA"):
        engine_of(Settings(database_url="mysql://u@h/crm", database_tls_ca="/nowhere/ca.pem"))


AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBiDCCAS+gAwIBAgIUbkNKTx3NFijSnK1fpAlA/un31JQwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIwMjMxOTAzWhgPMjEy
NjEwMjcyMzE5MDNaMBkxFzAVBgNVBAMMDnRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEf225v8r7QzTzjLe9HHLxDn2ZPHkvbA6GxCcgYv4t
oJzHmpsI8nEtpQKOAE7lEaSGAgRBvxTOzqGhFcNCmacIqqNTMFEwHQYDVR0OBBYE
FH9PBxWIEYrmAOPleVEBrzipSPEyMB8GA1UdIwQYMBaAFH9PBxWIEYrmAOPleVEB
rzipSPEyMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgb77pkUvu
MOy9VqhXPvOZa1BeK/UOaHfeljmvkOA4FasCIHRpM1V3wC+ji8y6ffoINu5HXEhm
T2mR5wcKCbM/TXCT
-----END CERTIFICATE-----
"""
"""A certificate of an authority whose key was thrown away."""


def test_a_given_authority_is_what_the_server_is_verified_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificate and host name, also when TLS is only preferred."""
    path = tmp_path / "ca.pem"
    path.write_text(AUTHORITY)
    engine = open_engine("mysql://u@h/crm", tls="prefer", tls_ca=str(path))

    given: dict[str, object] = {}

    def refuse(*_arguments: object, **options: object) -> None:
        given.update(options)
        raise RuntimeError("the driver needs another package for a password in the clear")

    monkeypatch.setattr(engine.dialect, "connect", refuse)
    with pytest.raises(ConfigurationError, match="only over TLS"), open_connection(engine):
        pass

    context = given["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (1045, "refuses the user crm"),
        (1698, "refuses the user crm"),
        (1044, "may not use the database shop"),
        (1049, "There is no database shop"),
        (1130, "does not accept connections from this host"),
        (2026, "offers no TLS"),
        (3159, "TLS connections only"),
    ],
)
def test_what_no_waiting_mends_is_a_mistake_of_the_settings(number: int, advice: str) -> None:
    """The sentence says what to do, in our words."""
    error = connect_failure(Exception(number, "driver text"), make_url("mysql://crm:S3CRET@db:3306/shop"))

    assert isinstance(error, ConfigurationError)
    assert advice in error.detail
    assert "driver text" not in error.detail
    assert "S3CRET" not in error.detail


@pytest.mark.parametrize(
    ("number", "code"), [(2003, "database_away"), (2013, "database_away"), (1040, "database_busy")]
)
def test_what_waiting_may_mend_is_unavailable(number: int, code: str) -> None:
    """The gateway keeps trying."""
    error = connect_failure(Exception(number, "driver text"), make_url("mysql://db/shop"))

    assert isinstance(error, UnavailableError)
    assert (error.code, "driver text" in error.detail) == (code, False)


def test_a_certificate_that_cannot_be_verified_is_a_mistake_of_the_settings() -> None:
    """It would not become valid by waiting."""
    error = Exception(2003, "driver text")
    error.__cause__ = ssl.SSLCertVerificationError("bad")

    found = connect_failure(error, make_url("mysql://db/shop"))

    assert isinstance(found, ConfigurationError)
    assert "GATEWAY_DATABASE_TLS_CA" in found.detail


def test_a_password_that_only_travels_over_tls() -> None:
    """The driver lacks what it would need without."""
    found = connect_failure(RuntimeError("cryptography"), make_url("mysql://db/shop"))

    assert isinstance(found, ConfigurationError)
    assert "TLS" in found.detail
