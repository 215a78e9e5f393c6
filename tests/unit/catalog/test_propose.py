"""The whitelist that `gateway init` proposes."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.naming import RESERVED
from gateway.catalog.propose import Recognised, propose_whitelist, recognise, version_text
from gateway.catalog.reflected import ReflectedTable
from gateway.catalog.whitelist import parse_whitelist

ROOT = Path(__file__).parents[3]
CORE = ("options", "clients", "invoices", "staff", "leads")


def perfex_tables(prefix: str = "tbl") -> frozenset[str]:
    """Return the names of every table of Perfex itself, its bundled modules included."""
    text = (files("gateway.profile.perfex") / "columns.csv").read_text(encoding="utf-8")
    return frozenset(prefix + row["table"].removeprefix("tbl") for row in csv.DictReader(text.splitlines()))


def exposed(text: str) -> list[str]:
    """Return what a proposal exposes."""
    return [table.name.text for table in parse_whitelist(text, "whitelist.yaml").tables]


@pytest.mark.parametrize("prefix", ["tbl", "", "my_crm_"])
def test_perfex_is_recognised_by_its_tables_whatever_their_prefix(prefix: str) -> None:
    """Five tables that every version has are enough."""
    assert recognise(prefix + table for table in CORE) == Recognised(prefix)
    assert recognise([prefix + table for table in CORE[1:]]) is None
    assert Recognised(prefix).migrations_table == f"{prefix}migrations"


def test_of_two_installations_the_fuller_one_is_taken() -> None:
    """An old copy beside the living one."""
    assert recognise([*("a_" + table for table in CORE), *perfex_tables("b_")]) == Recognised("b_")


def test_another_database_is_not_taken_for_perfex() -> None:
    """A table of options alone says nothing."""
    assert recognise(["wp_options", "wp_posts"]) is None


@pytest.mark.parametrize(("number", "text"), [(341, "3.4.1"), ("300", "3.0.0"), (1042, "10.4.2"), ("7", "7"), ("", "")])
def test_versions_are_told_as_people_say_them(number: int | str, text: str) -> None:
    """The last two digits are the minor ones."""
    assert version_text(number) == text


def test_the_whitelist_of_this_project_is_the_proposal_for_all_of_perfex() -> None:
    """So the two never say different things; write the file anew from `propose_whitelist` after a change."""
    assert (ROOT / "whitelist.yaml").read_text(encoding="utf-8") == propose_whitelist(perfex_tables(), prefix="tbl")


def test_every_table_of_perfex_is_exposed_or_left_out_with_a_reason() -> None:
    """None is forgotten, and each line says why."""
    text = propose_whitelist(perfex_tables(), prefix="tbl")
    served, others = text.split("# --- Left out, and why ---")

    left_out = {line.split()[1] for line in others.splitlines() if line.startswith("#   ")}
    assert {f"tbl{name}" for name in (*exposed(text), *left_out)} == perfex_tables()
    assert not set(exposed(text)) & left_out
    for line in (*served.partition("tables:")[2].splitlines(), *others.splitlines()):
        assert line.count("# ") >= 1 or not line.strip("# "), line
        assert len(line) <= 120


@pytest.mark.parametrize(
    "table",
    [
        *("options", "sessions", "user_auto_login", "mail_queue", "vault", "user_meta", "migrations", "modules"),
        *("tracked_mails", "twocheckout_log", "payment_attempts", "activity_log", "staff_permissions"),
    ],
)
def test_secrets_and_machinery_are_not_proposed(table: str) -> None:
    """They are named with the reason instead."""
    text = propose_whitelist(perfex_tables(), prefix="tbl")

    assert table not in exposed(text)
    assert f"#   {table} " in text


def test_what_the_crm_keeps_itself_is_read_only() -> None:
    """Values of custom fields, timelines, and files whose bytes lie elsewhere."""
    found = parse_whitelist(propose_whitelist(perfex_tables(), prefix="tbl"), "w")

    closed = {table.name.text for table in found.tables if not table.is_writable}
    assert {"customfieldsvalues", "files", "sales_activity", "countries"} <= closed
    assert not {"leads", "clients", "invoices", "notes", "expenses"} & closed


def test_another_api_module_is_known_and_kept_closed() -> None:
    """Its tokens and logs are left out with the reason, where it is installed."""
    text = propose_whitelist(perfex_tables() | {"tbluser_api", "tblapi_webhooks"}, prefix="tbl")

    assert "user_api" not in exposed(text)
    assert "#   user_api " in text
    assert "Tables of modules" not in text


def test_an_older_database_gets_what_it_has_and_is_told_what_it_lacks() -> None:
    """With its version, its prefix, and the tables of modules as comments."""
    names = perfex_tables("x_") - {"x_credits", "x_filters"} | {"x_module_things", "stray", "x_query"}

    text = propose_whitelist(names, prefix="x_", version=306)

    assert "version 306 (3.0.6)" in text
    assert "prefix: x_" in text
    assert "# This database lacks: credits" in text
    assert "credits" not in exposed(text)
    assert "#   module_things:" in text
    assert "#   stray:" in text
    assert "#   query: {alias: query_table}" in text
    assert "#   filters " not in text


def test_another_database_is_proposed_whole_with_what_to_mind() -> None:
    """Views and tables without a key are marked."""
    tables = {
        "orders": ReflectedTable("orders", (), primary_key=("id",)),
        "log": ReflectedTable("log", ()),
        "totals": ReflectedTable("totals", (), is_view=True),
    }

    text = propose_whitelist(tables, tables)

    assert exposed(text) == ["log", "orders", "totals"]
    assert "profile: none" in text
    lines = {line.split(":")[0].strip(): line for line in text.splitlines() if line.startswith("  ")}
    assert "no primary key" in lines["log"]
    assert "a view" in lines["totals"]
    assert lines["orders"] == "  orders:"


def test_an_empty_database_gets_a_file_to_fill() -> None:
    """Which the parser takes."""
    assert exposed(propose_whitelist([])) == ["example"]


@given(st.frozensets(st.one_of(st.sampled_from(sorted(RESERVED)), st.text(min_size=1, max_size=12)), min_size=1))
def test_a_proposal_names_any_table_so_that_it_is_read_back(names: frozenset[str]) -> None:
    """Quoted where YAML would read something else; reserved names get an alias; in comments nothing breaks out."""
    assert exposed(propose_whitelist(names)) == sorted(names)
    parse_whitelist(propose_whitelist(names | {"tblclients"}, prefix="tbl"), "w")
