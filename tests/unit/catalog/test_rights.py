"""What the database user may do: the grants as the server lists them, and what the catalog makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.catalog.build import Built
from gateway.catalog.chosen import tables_missed
from gateway.catalog.exposure import Exposure
from gateway.catalog.lacking import lacking_rights
from gateway.catalog.reflected import Reflection
from gateway.catalog.report import Report, as_dict, render_text, report
from gateway.catalog.rights import RIGHTS, GrantRow, Rights, is_match, rights_of
from tests.support.catalogs import exposure_of, perfex_built, perfex_profile, perfex_reflection

ALL = frozenset(RIGHTS)
READ = frozenset({"SELECT"})


def rights(*rows: GrantRow, existing: tuple[str, ...] = (), has_role: bool = False) -> Rights:
    return rights_of(rows, existing, database="my_crm", account="'gateway'@'%'", has_role=has_role)


def test_a_user_without_more_said_may_do_everything() -> None:
    """SQLite has no users, and hand-made reflections need not say."""
    assert Rights().of("anything") == ALL
    assert Rights().shows("anything")
    assert Rights().is_whole("DELETE")


def test_rights_on_the_server_the_database_and_tables_add_up() -> None:
    """Each level gives more, none takes away."""
    found = rights(
        GrantRow("user", "", "INSERT"),
        GrantRow("schema", "my\\_crm", "SELECT"),
        GrantRow("table", "orders", "UPDATE"),
        existing=("orders", "people"),
    )

    assert found.of("orders") == {"INSERT", "SELECT", "UPDATE"}
    assert found.of("people") == {"INSERT", "SELECT"}
    assert (found.is_whole("SELECT"), found.is_whole("UPDATE")) == (True, False)


def test_a_user_with_rights_on_single_tables_sees_only_those() -> None:
    """USAGE is no right, and whoever holds a right on a table would see it."""
    found = rights(GrantRow("user", "", "USAGE"), GrantRow("table", "orders", "TRIGGER"), existing=("orders",))

    assert (found.shows("orders"), found.shows("people")) == (True, False)
    assert (found.of("orders") & ALL, found.of("people")) == (frozenset(), frozenset())


def test_a_right_on_some_columns_counts_but_does_not_show_the_table() -> None:
    """The column that refers to a parent may be among those that are not shown."""
    found = rights(GrantRow("column", "orders", "SELECT"), existing=("orders",))

    assert (found.of("orders"), found.shows("orders"), found.is_whole("SELECT")) == (READ, False, False)


@pytest.mark.parametrize("right", ["LOCK TABLES", "EXECUTE", "PROCESS", "CREATE TEMPORARY TABLES", "USAGE"])
def test_rights_that_show_no_table_do_not_count(right: str) -> None:
    """They say nothing of what the user can see."""
    assert not rights(GrantRow("user", "", right), GrantRow("schema", "my\\_crm", right)).shows("orders")


@pytest.mark.parametrize(
    ("pattern", "is_meant"),
    [
        ("my_crm", True),
        ("my\\_crm", True),
        ("my%", True),
        ("%", True),
        ("m_\\_c_m", True),
        ("my.crm", False),
        ("my\\%", False),
        ("MY_CRM", False),
        ("my_cr", False),
    ],
)
def test_names_of_databases_in_grants_are_patterns(pattern: str, is_meant: bool) -> None:
    """``_`` and ``%`` are wildcards unless a backslash stands before them."""
    assert is_match(pattern, "my_crm") == is_meant


def test_of_several_patterns_the_most_exact_one_counts_alone() -> None:
    """The servers look no further than the first match, whose wildcards begin last."""
    wide, narrow = GrantRow("schema", "my%", "SELECT"), GrantRow("schema", "my\\_crm", "INSERT")
    middling = GrantRow("schema", "my\\_c%", "UPDATE")

    assert rights(wide, narrow, middling).whole == {"INSERT"}
    assert rights(wide, middling).whole == {"UPDATE"}


def test_what_the_server_does_not_tell_is_assumed_to_be_there() -> None:
    """A role's rights are not listed for its users, nor those of PUBLIC: nothing is refused for that."""
    single = GrantRow("table", "orders", "SELECT")

    assert rights(single, existing=("orders",), has_role=True).whole == ALL
    assert rights(single, existing=("orders", "people")).whole == ALL
    assert rights(single, existing=("orders",)).whole == frozenset()


# What follows from them


def seen_by(tables: Mapping[str, frozenset[str]]) -> Reflection:
    """Return what a user with rights on these Perfex tables alone is shown."""
    full = perfex_reflection()
    visible = {name: table for name, table in full.tables.items() if name in tables}
    held = Rights(frozenset(), tables, account="'gateway'@'%'", database="crm")
    return replace(full, tables=visible, existing=frozenset(visible), rights=held)


def told(exposure: Exposure, reflection: Reflection) -> tuple[Built, Report]:
    built = perfex_built(exposure, reflection)
    return built, report(built.catalog, reflection, exposure, built.problems, perfex_profile())


def children(table: str) -> frozenset[str]:
    """Return all tables that a delete from a Perfex table looks into, and what its creates look up."""
    return tables_missed(exposure_of(table), perfex_profile(), frozenset({f"tbl{table}"}))


def test_a_delete_is_refused_while_children_may_be_hidden() -> None:
    """The contacts of a client would stay behind, and nobody would know."""
    built = perfex_built(exposure_of("clients"), seen_by({"tblclients": ALL}))

    assert (built.catalog.resources["clients"].delete_refusal or "").endswith("grant it SELECT on the whole database")
    assert perfex_built(exposure_of("clients")).catalog.resources["clients"].delete_refusal is None


def test_a_delete_is_possible_where_every_child_is_shown() -> None:
    """Rights on each table do as well as rights on the database."""
    tables = dict.fromkeys(("tbltaxes", *children("taxes")), ALL)
    built = perfex_built(exposure_of("taxes"), seen_by(tables))

    assert built.catalog.resources["taxes"].delete_refusal is None


def test_nothing_is_written_while_its_rule_may_go_by_half_of_what_it_needs() -> None:
    """Without the taxes of its lines an invoice would come out too low, and nobody would know."""
    tables = dict.fromkeys(("tblinvoices", *children("invoices")), ALL)
    without = {name: held for name, held in tables.items() if name != "tblitem_tax"}
    reason = perfex_built(exposure_of("invoices"), seen_by(without)).catalog.resources["invoices"].mode_reason

    assert reason.startswith("the rules that go with a write need tables")
    assert perfex_built(exposure_of("invoices"), seen_by(tables)).catalog.resources["invoices"].mode_reason == ""


def test_a_child_that_would_be_shown_is_just_not_there() -> None:
    """With the whole database to see, what is missing is missing: no delete is refused for other versions' tables."""
    reflection = perfex_reflection(without=["tblcontacts"])

    assert perfex_built(exposure_of("clients"), reflection).catalog.resources["clients"].delete_refusal is None


def test_a_child_that_cannot_be_read_may_hold_rows() -> None:
    """It is there, and its rows cannot be counted."""
    full = perfex_reflection()
    visible = {name: table for name, table in full.tables.items() if name != "tblcontacts"}
    reflection = replace(full, tables=visible, unreadable={"tblcontacts": "shows no columns"})

    assert perfex_built(exposure_of("clients"), reflection).catalog.resources["clients"].delete_refusal is not None


def test_the_report_names_what_is_not_shown_and_why_deletes_are_refused() -> None:
    """Missing, or no right: the administrator knows which."""
    _, found = told(exposure_of("clients", "invoices"), seen_by({"tblclients": ALL}))
    text = render_text(found)

    assert {"tblcontacts", "tblinvoices"} <= set(found.invisible)
    assert "Not visible to this user (missing, or no right)" in text
    assert "Absent from this database, or not visible to this user" in text
    assert "clients: no rows can be deleted: rows that depend on it may be in tables" in text
    assert "tblcontacts" in as_dict(found)["invisible"]


def test_a_table_of_which_some_columns_are_shown_is_named_with_that() -> None:
    """It is why deletes of its parents are refused."""
    reflection = seen_by({**dict.fromkeys(children("taxes"), ALL), "tbltaxes": ALL, "tblitems": ALL})
    tables = {name: held for name, held in reflection.rights.tables.items() if name != "tblitems"}
    partly = replace(reflection.rights, tables=tables, columns={"tblitems": READ})
    _, found = told(exposure_of("taxes", "items"), replace(reflection, rights=partly))

    assert "tblitems (but some columns)" in found.invisible


def test_the_report_names_nothing_invisible_to_a_user_who_sees_all() -> None:
    """What is then missing is an absence, as before."""
    _, found = told(exposure_of("clients"), perfex_reflection(without=["tblcontacts"]))

    assert (found.invisible, found.lacking) == ((), ())


def test_lacking_rights_come_with_what_fails_and_the_statement_that_mends_it() -> None:
    """Per table; the statement stands on a line of its own."""
    _, found = told(exposure_of("leads"), seen_by({**dict.fromkeys(children("leads"), ALL), "tblleads": READ}))
    (item,) = found.lacking
    statement = "GRANT INSERT, UPDATE, DELETE ON `crm`.`tblleads` TO 'gateway'@'%';"

    assert str(item) == (
        "tblleads: may not insert into, update or delete from it, so POST, PATCH and DELETE answer 503"
    )
    assert item.statement == statement
    assert f"\n    {statement}\n" in render_text(found)
    assert as_dict(found)["lacking"][0]["rights"] == ("INSERT", "UPDATE", "DELETE")
    assert render_text(found).endswith("Usable: 1 resource, rights lacking on 1 table.\n")


def test_rights_on_what_goes_along_are_needed_too() -> None:
    """A lead takes its notes along, so they must be deletable."""
    held = {**dict.fromkeys(children("leads"), ALL), "tblleads": ALL, "tblnotes": READ, "tbltasks": frozenset({"DROP"})}
    built = perfex_built(exposure_of("leads"), seen_by(held))
    lacking = {item.table: item for item in lacking_rights(built.catalog, seen_by(held).rights)}

    assert str(lacking["tblnotes"]) == "tblnotes: may not delete from it, so DELETE of leads answers 503"
    assert "SELECT" in lacking["tbltasks"].rights
    assert set(lacking) == {"tblnotes", "tbltasks"}


def test_what_no_one_may_write_needs_no_right_to_be_written() -> None:
    """Roles cannot be written at all; reading them is enough."""
    held = {**dict.fromkeys(children("roles"), READ), "tblroles": READ}

    assert told(exposure_of("roles"), seen_by(held))[1].lacking == ()
