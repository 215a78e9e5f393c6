"""Building: the same input gives the same rows, used databases are refused, and the schema is the facts'."""

from __future__ import annotations

import doctest
import hashlib
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from sample_crm import SampleError, build, build_schema, money, php, schema_statements, target
from sample_crm.__main__ import main
from sample_crm.schema import tables

TODAY = date(2026, 7, 15)


def fingerprint(path: Path) -> str:
    """Return a hash of all rows and of the schema."""
    with closing(sqlite3.connect(path)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def built(path: Path, *, seed: int = 2026, today: date = TODAY) -> str:
    """Build a small CRM and return its fingerprint."""
    build(f"sqlite:///{path}", scale="tiny", seed=seed, today=today)
    return fingerprint(path)


def test_the_same_input_gives_the_same_rows(tmp_path: Path) -> None:
    """Seed, scale and date decide everything."""
    assert built(tmp_path / "a.db") == built(tmp_path / "b.db")


def test_another_seed_or_day_gives_other_rows(tmp_path: Path) -> None:
    """Nothing is copied from a fixed dump."""
    prints = {
        built(tmp_path / "a.db"),
        built(tmp_path / "b.db", seed=7),
        built(tmp_path / "c.db", today=date(2026, 7, 16)),
    }

    assert len(prints) == 3


@pytest.mark.parametrize("today", [date(2015, 1, 1), date(2024, 2, 29), date(2027, 1, 1), date(2035, 1, 1)])
def test_any_day_of_twenty_years_can_be_today(tmp_path: Path, today: date) -> None:
    """The first of a month, a leap day and far years build too, and the month still has payments."""
    build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny", today=today)
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        last = connection.execute("SELECT MAX(date) FROM tblinvoicepaymentrecords").fetchone()

    assert last[0][:7] == today.isoformat()[:7]


def test_a_used_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Somebody's database is never overwritten without being told to."""
    before = built(tmp_path / "crm.db")

    with pytest.raises(SampleError, match="--replace"):
        build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny")

    assert fingerprint(tmp_path / "crm.db") == before


def test_replace_builds_anew(tmp_path: Path) -> None:
    """Asked to, it swaps the file."""
    before = built(tmp_path / "crm.db")
    build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny", seed=1, today=TODAY, replace=True)

    assert fingerprint(tmp_path / "crm.db") != before


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    """An interrupted build looks like none."""

    def stop(step: str) -> None:
        if step == "tasks":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny", progress=stop)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://h/db", "mysql://host", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_addresses_that_cannot_be_used_are_refused(url: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(SampleError, match="://"):
        build(url)


def test_a_unix_socket_is_taken_from_the_address() -> None:
    """Servers that listen on a socket only can be filled too."""
    parsed = target.parse_target("mysql+pymysql://root@localhost/crm?unix_socket=/run/db.sock")

    assert (parsed.unix_socket, parsed.database, parsed.label) == (
        "/run/db.sock",
        "crm",
        "mysql://root@/run/db.sock/crm",
    )


def test_the_schema_alone_can_be_built(tmp_path: Path) -> None:
    """An empty CRM has the tables, under the prefix asked for, and on request the lookups."""
    rows = build_schema(f"sqlite:///{tmp_path / 'crm.db'}", "perfex_", lookups=True)
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'perfex_%'")}

    assert {f"perfex_{table.name}" for table in tables()} <= names
    assert (rows["countries"], rows["invoices"]) == (250, 0)


def test_sqlite_keeps_the_declared_types(tmp_path: Path) -> None:
    """Reflection sees the types MySQL would show; only auto-increment keys are SQLite's own."""
    build_schema(f"sqlite:///{tmp_path / 'crm.db'}")
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        for table in tables():
            seen = [row[2].lower() for row in connection.execute(f"PRAGMA table_info(tbl{table.name})")]
            assert seen == ["integer" if one.extra == "auto_increment" else one.type for one in table.columns]


def test_mysql_statements_say_everything_the_facts_say() -> None:
    """126 tables, InnoDB and utf8mb4, three foreign keys, all secondary indexes."""
    statements = schema_statements("mysql", "tbl")
    creates = [statement for statement in statements if statement.startswith("CREATE TABLE")]

    assert len(creates) == 126
    assert all("ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci" in create for create in creates)
    assert sum(create.count("FOREIGN KEY") for create in creates) == 3
    assert sum(statement.count("ADD INDEX") for statement in statements) == sum(len(one.indexes) for one in tables())


def test_the_command_reports_what_it_made_and_what_it_refuses(tmp_path: Path) -> None:
    """Success prints one line; a refusal prints the reason and exits with 1."""
    arguments = ["--url", f"sqlite:///{tmp_path / 'crm.db'}", "--scale", "tiny", "--today", "2026-07-15"]
    first, second = CliRunner().invoke(main, arguments), CliRunner().invoke(main, arguments)

    assert (first.exit_code, "rows in" in first.output) == (0, True)
    assert (second.exit_code, "exists already" in second.output) == (1, True)


def test_an_odd_prefix_is_refused(tmp_path: Path) -> None:
    """A prefix is part of every table name, so only letters, digits and underscores will do."""
    with pytest.raises(SampleError, match="prefix"):
        build(f"sqlite:///{tmp_path / 'crm.db'}", scale="tiny", prefix='x"; --')


@pytest.mark.parametrize("module", [money, php, target])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    """Doctests of the generator run here, because pytest collects them from the product only."""
    outcome = doctest.testmod(module)  # type: ignore[arg-type]  # parametrize loses the module's type

    assert (outcome.failed, outcome.attempted > 0) == (0, True)
