"""Reflection of a real MariaDB: everything it says of its tables, in few statements, and connecting to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, event

from gateway.catalog.build import build_catalog, tables_needed
from gateway.catalog.engine import open_connection, open_engine
from gateway.catalog.knowledge import parse_profile
from gateway.catalog.propose import Recognised, propose_whitelist, recognise
from gateway.catalog.reflect import existing_tables, fingerprint, reflect
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey
from gateway.catalog.report import render_text, report
from gateway.catalog.whitelist import load_whitelist, parse_whitelist
from gateway.errors import ConfigurationError, UnavailableError
from gateway.profile import load_profile
from sample_crm.schema import schema_statements
from tests.support.mariadb import PrivateServer, Server

ROOT = Path(__file__).parents[2]

ODDITIES = (
    "CREATE TABLE people (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT 'no''b\\\\ody',"
    " email VARCHAR(100) NOT NULL, born DATE NOT NULL DEFAULT '0000-00-00',"
    " made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, seen TIMESTAMP NULL DEFAULT NULL,"
    " changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
    " note TEXT, word VARCHAR(10) NOT NULL DEFAULT 'NULL', blank VARCHAR(10) NOT NULL DEFAULT '',"
    " cents DECIMAL(15,2) NOT NULL DEFAULT 0.00, doubled DECIMAL(16,2) AS (cents * 2) VIRTUAL,"
    " tripled DECIMAL(16,2) AS (cents * 3) PERSISTENT, doc JSON, half LONGTEXT,"
    " CHECK (json_valid(doc) AND cents >= 0),"
    " UNIQUE KEY email_u (email), UNIQUE KEY part_u (note(20)), KEY both_i (name, born), FULLTEXT KEY text_i (note))",
    "CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (b, a))",
    "CREATE TABLE `odd ``name é 表` (`sel ect` INT, `päir` INT, person INT UNSIGNED, "
    " FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE,"
    " FOREIGN KEY (`päir`, `sel ect`) REFERENCES pairs (b, a))",
    "CREATE TABLE People (other INT)",
    "CREATE TABLE versioned (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING",
    "CREATE SEQUENCE counter",
    "CREATE VIEW adults AS SELECT id, name FROM people",
    "CREATE TABLE shaky (a INT, b INT)",
    "CREATE VIEW stale AS SELECT b FROM shaky",
    "ALTER TABLE shaky DROP COLUMN b",
    "CREATE DEFINER = 'nobody'@'nowhere' SQL SECURITY DEFINER VIEW disowned AS SELECT id FROM people",
)
NAMES = ("people", "pairs", "odd `name é 表", "versioned", "adults", "stale", "disowned")


@pytest.fixture(scope="module")
def odd_url(mariadb_server: Server, mariadb_url: str) -> Iterator[str]:
    """A database of this module's own, with every oddity."""
    name = f"{mariadb_url.rpartition('/')[2]}_odd"
    url = mariadb_server.create_database(name)
    mariadb_server.run("SET sql_mode = ''", *ODDITIES, database=name)
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture
def connection(odd_url: str) -> Iterator[Connection]:
    """A connection to it."""
    with open_connection(open_engine(odd_url)) as found:
        yield found


@pytest.fixture(scope="module")
def perfex_url(mariadb_server: Server, mariadb_url: str) -> Iterator[str]:
    """The 126 tables of Perfex, empty."""
    name = f"{mariadb_url.rpartition('/')[2]}_perfex"
    url = mariadb_server.create_database(name)
    mariadb_server.run(*schema_statements("mysql"), database=name)
    yield url
    mariadb_server.drop_database(name)


def test_tables_views_and_versioned_tables_exist(connection: Connection) -> None:
    """Names are told apart by case; a sequence is no table."""
    assert existing_tables(connection) == {*NAMES, "People", "shaky"}


def test_names_are_matched_exactly(connection: Connection) -> None:
    """A table whose name differs by case is another one, whatever the collation of information_schema."""
    found = reflect(connection, ["people", "PAIRS"])

    assert set(found.tables) == {"people"}
    assert [column.name for column in reflect(connection, ["People"]).tables["People"].columns] == ["other"]
    assert (found.dialect, "MariaDB" in found.server) == ("mariadb", True)


def test_columns_are_as_the_server_says(connection: Connection) -> None:
    """Exact types, and defaults as values where they are literals."""
    columns = {column.name: column for column in reflect(connection, ["people"]).tables["people"].columns}

    assert columns["id"] == ReflectedColumn("id", "int(10) unsigned", is_nullable=False, is_auto_increment=True)
    assert columns["name"] == ReflectedColumn("name", "varchar(50)", is_nullable=False, default="no'b\\ody")
    assert columns["email"] == ReflectedColumn("email", "varchar(100)", is_nullable=False)
    assert columns["born"].default == "0000-00-00"
    assert columns["made"] == ReflectedColumn("made", "datetime", is_nullable=False, default="current_timestamp()")
    assert columns["seen"] == ReflectedColumn("seen", "timestamp")
    assert (columns["changed"].default, columns["changed"].is_generated) == ("current_timestamp()", False)
    assert columns["note"] == ReflectedColumn("note", "text")
    assert (columns["word"].default, columns["blank"].default) == ("NULL", "")
    assert columns["cents"].default == "0.00"
    assert columns["doubled"].is_generated
    assert columns["tripled"].is_generated
    assert (columns["doc"].sql_type, columns["half"].sql_type) == ("json", "longtext")


def test_keys_and_indexes(connection: Connection) -> None:
    """An index on the start of a text is not unique in the column, and a full-text index serves no comparison."""
    tables = reflect(connection, NAMES).tables
    people = tables["people"]

    assert (people.primary_key, people.unique_keys) == (("id",), (("email",),))
    assert set(people.indexes) == {("id",), ("email",), ("note",), ("name", "born")}
    assert tables["pairs"].primary_key == ("b", "a")
    assert tables["odd `name é 表"].primary_key == ()


def test_foreign_keys(connection: Connection) -> None:
    """Single and composite, with names that need quoting."""
    found = reflect(connection, NAMES).tables["odd `name é 表"]

    assert set(found.foreign_keys) == {
        ReflectedForeignKey(("person",), "people", ("id",), is_cascading=True),
        ReflectedForeignKey(("päir", "sel ect"), "pairs", ("b", "a")),
    }


def test_views_that_do_not_work_are_left_out_with_the_reason(connection: Connection) -> None:
    """A column that has gone, a definer that has gone; the view that works is there."""
    found = reflect(connection, NAMES)

    assert set(found.unreadable) == {"stale", "disowned"}
    assert "definer" in found.unreadable["disowned"]
    assert found.tables["adults"].is_view
    assert not found.tables["versioned"].is_view


def test_the_fingerprint_changes_with_a_column_and_not_with_other_tables(
    mariadb_server: Server, odd_url: str, connection: Connection
) -> None:
    """Reflection and the cheap question agree on it."""
    database = odd_url.rpartition("/")[2]
    before = fingerprint(connection, NAMES)
    assert before == reflect(connection, NAMES).fingerprint

    mariadb_server.run("CREATE TABLE another (id INT)", "DROP TABLE another", database=database)
    assert fingerprint(connection, NAMES) == before

    mariadb_server.run("ALTER TABLE pairs ADD COLUMN c INT NULL", database=database)
    changed = fingerprint(connection, NAMES)
    mariadb_server.run("ALTER TABLE pairs DROP COLUMN c", database=database)
    assert (changed != before, fingerprint(connection, NAMES)) == (True, before)


def statements_of(connection: Connection, names: frozenset[str]) -> int:
    """Return how many statements a reflection takes."""
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", listen)
    found = reflect(connection, names, options_table="tbloptions", option_names=["default_timezone"])
    event.remove(connection, "before_cursor_execute", listen)
    assert set(found.tables) == names
    return len(seen)


def test_statements_depend_neither_on_the_tables_named_nor_on_the_others(perfex_url: str) -> None:
    """One of the 126 tables of Perfex or all of them: the same few statements (PEERS 5d.10)."""
    with open_connection(open_engine(perfex_url)) as connection:
        one = statements_of(connection, frozenset({"tblinvoices"}))
        everything = statements_of(connection, existing_tables(connection))

    assert (one, everything <= 10) == (everything, True)


def test_perfex_is_recognised_and_its_proposal_is_the_whitelist_of_this_project(perfex_url: str) -> None:
    """From the live database's names alone."""
    with open_connection(open_engine(perfex_url)) as connection:
        existing = existing_tables(connection)

    assert (len(existing), recognise(existing)) == (126, Recognised("tbl"))
    exposed = parse_whitelist(propose_whitelist(existing, prefix="tbl", version=341), "w").tables
    assert {f"tbl{table.name.text}" for table in exposed} <= existing


def test_the_whitelist_of_this_project_fits_all_of_perfex(perfex_url: str) -> None:
    """No mistake, nothing absent, no resource without a key, every secret of the staff hidden."""
    exposure = load_whitelist(ROOT / "whitelist.yaml")
    profile = parse_profile(load_profile("perfex"))
    with open_connection(open_engine(perfex_url)) as connection:
        found = reflect(connection, tables_needed(exposure, profile, existing_tables(connection)))
    built = build_catalog(found, exposure, profile, zone=UTC)

    told = report(built.catalog, found, exposure, built.problems)

    assert (told.problems, told.absences, told.unreadable) == ((), (), ())
    assert [table.resource for table in told.tables if not table.key] == []
    staff = next(table for table in told.tables if table.resource == "staff")
    assert {"password", "google_auth_secret", "hourly_rate"} <= set(staff.hidden)
    assert "tblsessions" in told.unknown
    assert render_text(told).endswith("Usable: 74 resources, 2 warnings.\n")


def test_options_and_custom_fields_are_part_of_the_fingerprint(mariadb_server: Server, perfex_url: str) -> None:
    """A new time zone or custom field is a new catalog."""
    database = perfex_url.rpartition("/")[2]
    prints = []
    for change in (
        "INSERT INTO tbloptions (name, value, autoload) VALUES ('default_timezone', 'Asia/Tokyo', 1)",
        "UPDATE tbloptions SET value = 'Europe/Rome' WHERE name = 'default_timezone'",
        "INSERT INTO tblcustomfields (fieldto, name, slug, type) VALUES ('leads', 'a', 'a', 'input')",
    ):
        mariadb_server.run("SET sql_mode = ''", change, database=database)
        with open_connection(open_engine(perfex_url)) as connection:
            found = reflect(
                connection,
                ["tblleads"],
                options_table="tbloptions",
                option_names=["default_timezone"],
                custom_fields_table="tblcustomfields",
            )
        prints.append((found.options["default_timezone"], found.fingerprint))

    assert [zone for zone, _ in prints] == ["Asia/Tokyo", "Europe/Rome", "Europe/Rome"]
    assert len(set(prints)) == 3


def test_refused_credentials_and_unknown_databases_are_mistakes_of_the_settings(
    mariadb_server: Server, mariadb_url: str
) -> None:
    """The server's own errors, in our words and without the password."""
    parts = urlsplit(mariadb_url)
    stranger = f"mysql://stranger:S3CRET@{parts.hostname}:{parts.port}{parts.path}"

    for url, advice in ((stranger, "refuses the user stranger"), (mariadb_server.url("gateway_gone"), "no database")):
        with pytest.raises(ConfigurationError, match=advice) as caught, open_connection(open_engine(url)):
            pass
        assert "S3CRET" not in str(caught.value)


def test_a_password_of_special_characters_is_percent_encoded(mariadb_server: Server, mariadb_url: str) -> None:
    """And the server gets it as it is."""
    parts = urlsplit(mariadb_url)
    database = parts.path.removeprefix("/")
    user = f"odd_{database}"[:32]
    mariadb_server.run(
        f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY 'p@:/?#ä %'",
        f"GRANT SELECT ON `{database}`.* TO '{user}'@'%'",
    )
    url = f"mysql://{user}:p%40%3A%2F%3F%23%C3%A4%20%25@{parts.hostname}:{parts.port}{parts.path}"

    with open_connection(open_engine(url)) as connection:
        assert connection.exec_driver_sql("SELECT DATABASE()").scalar_one() == database
    mariadb_server.run(f"DROP USER '{user}'@'%'")


def test_tls_is_used_where_offered_and_missed_where_required(mariadb_url: str) -> None:
    """The test server offers none."""
    with open_connection(open_engine(mariadb_url, tls="prefer")) as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    with (
        pytest.raises(ConfigurationError, match="offers no TLS"),
        open_connection(open_engine(mariadb_url, tls="require")),
    ):
        pass


def test_a_server_that_is_away_is_unavailable(private_server: PrivateServer) -> None:
    """The gateway keeps trying instead of giving up."""
    url = private_server.create_database("gateway_away")
    private_server.stop()

    with pytest.raises(UnavailableError, match="cannot be reached") as caught, open_connection(open_engine(url)):
        pass
    assert caught.value.code == "database_away"
