"""The packaged profile agrees with itself and with the schema facts it travels with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from gateway.catalog.kinds import KINDS
from gateway.catalog.knowledge import HIDDEN_CLASSES, KnownTable, Profile, parse_profile
from gateway.catalog.model import WriteMode
from gateway.profile import NAMES, load_profile
from tests.support.catalogs import perfex_profile

CORE_AND_BUNDLED = 126
RELATION_ROWS = 334
"""References that are known of Perfex and of the modules seen with it; each is covered or dropped with a reason."""


@pytest.fixture(scope="module")
def data() -> Mapping[str, tuple[Mapping[str, str], ...]]:
    return load_profile("perfex")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return perfex_profile()


def product_tables(profile: Profile) -> list[KnownTable]:
    return [table for table in profile.tables.values() if table.columns]


def test_every_profile_that_is_named_can_be_read() -> None:
    """The names a whitelist may choose from are exactly those that load."""
    assert [parse_profile(load_profile(name)).name for name in NAMES] == list(NAMES)
    with pytest.raises(KeyError):
        load_profile("no such product")


def test_every_core_and_bundled_table_is_described(profile: Profile) -> None:
    """Each table has a summary of its own, a write mode, and a reason where the mode needs one."""
    tables = product_tables(profile)
    assert len(tables) == CORE_AND_BUNDLED
    assert len({table.summary for table in tables}) == CORE_AND_BUNDLED
    assert all(table.summary and (table.reason or table.mode is WriteMode.PLAIN) for table in tables)


@pytest.mark.parametrize("file", ["allowed", "customfields", "fillers", "kinds", "labels"])
def test_what_is_said_of_a_column_is_said_of_one_that_exists(
    file: str, data: Mapping[str, tuple[Mapping[str, str], ...]], profile: Profile
) -> None:
    """A misspelt table or column in the data would be silently without effect."""
    unknown = [row for row in data[file] if row["column"] not in profile.tables[row["table"]].columns]
    assert not unknown


def named_columns(profile: Profile) -> Iterator[tuple[str, str]]:
    for table in profile.tables.values():
        for column in (*table.key, *table.search, *filter(None, [table.label])):
            yield table.name, column
    for edge in profile.edges:
        yield edge.table, edge.column
        yield edge.target, edge.target_column
        yield from ((edge.table, guard.column) for guard in edge.guards)
    for pick in profile.picks:
        yield pick.table, pick.column
        yield pick.child, pick.child_column
        yield from ((pick.child, guard.column) for guard in pick.guards)


def test_keys_labels_searches_and_edges_name_columns_that_exist(profile: Profile) -> None:
    """Every column that the profile names is among the schema facts."""
    assert not [(table, column) for table, column in named_columns(profile) if not profile.tables[table].knows(column)]


def test_sensitive_columns_of_the_product_exist(profile: Profile) -> None:
    """A secret under a wrong name would be shown; tables of other modules are listed without facts."""
    for table in product_tables(profile):
        assert table.hidden <= table.columns, table.name
        assert set(table.personal) <= table.columns, table.name


def test_sensitive_columns_have_one_of_five_classes(data: Mapping[str, tuple[Mapping[str, str], ...]]) -> None:
    """Three classes hide a column, two mark it as personal."""
    assert {row["class"] for row in data["sensitive"]} == HIDDEN_CLASSES | {"pii", "pii_text"}


def test_every_known_reference_is_covered_or_dropped_with_a_reason(
    data: Mapping[str, tuple[Mapping[str, str], ...]],
) -> None:
    """Nothing is lost: what no condition can say, or is no part of the product, is listed apart."""
    dropped = data["relationships_dropped"]
    assert len(data["relationships"]) + len(dropped) == RELATION_ROWS
    assert all(row["reason"] for row in dropped)


def test_no_to_one_shares_its_name_with_another_or_with_a_column(profile: Profile) -> None:
    """A field name is always the column, and a relationship has its own name."""
    names = Counter((edge.table, edge.name) for edge in profile.edges)
    assert not [name for name, count in names.items() if count > 1]
    assert not [edge for edge in profile.edges if edge.name in profile.tables[edge.table].columns]


def test_no_to_many_shares_its_name_with_anything(profile: Profile) -> None:
    """Reverse names are unique on their table, beside its columns, to-ones, picks and derived fields."""
    names = Counter((edge.target, profile.reverse_names[edge]) for edge in profile.edges)
    names.update((edge.table, edge.name) for edge in profile.edges)
    names.update((pick.table, pick.name) for pick in profile.picks)
    names.update((table.name, derived.name) for table in profile.tables.values() for derived in table.derived)
    names.update((table.name, column) for table in profile.tables.values() for column in table.columns)
    assert not [name for name, count in names.items() if count > 1]


def test_a_text_reference_is_guarded(profile: Profile) -> None:
    """The text columns that may hold something else than an id are joined only where they hold a number."""
    guarded = {
        (edge.table, edge.column) for edge in profile.edges for guard in edge.guards if guard.operator == "numeric"
    }
    assert guarded == {
        ("creditnote_refunds", "payment_mode"),
        ("expenses", "paymentmode"),
        ("form_question_box_description", "boxid"),
        ("invoicepaymentrecords", "paymentmode"),
        ("sales_activity", "staffid"),
        ("surveysemailsendcron", "listid"),
    }


MANAGED = (
    "contacts creditnote_refunds creditnotes credits estimates invoicepaymentrecords invoices item_tax itemable leads "
    "projects proposals tasks ticket_replies tickets"
)
CLOSED = (
    "api_webhooks customfields mail_queue migrations modules options roles sessions staff staff_permissions "
    "subscriptions user_api user_api_permissions user_auto_login vault"
)


@pytest.mark.parametrize(("mode", "tables"), [(WriteMode.MANAGED, MANAGED), (WriteMode.NONE, CLOSED)])
def test_write_modes_are_the_agreed_ones(mode: WriteMode, tables: str, profile: Profile) -> None:
    """Only these tables differ from plain."""
    assert sorted(table.name for table in profile.tables.values() if table.mode is mode) == tables.split()


def test_only_leads_are_written_plainly_until_their_rules_exist(profile: Profile) -> None:
    """Which rules are in place is data; only managed tables have any."""
    ruled = {table.name: table.mode for table in profile.tables.values() if table.ruled is not None}
    assert ruled["leads"] is WriteMode.MANAGED
    assert set(ruled.values()) == {WriteMode.MANAGED}


def test_the_tables_without_primary_key_have_one_in_the_profile(
    data: Mapping[str, tuple[Mapping[str, str], ...]], profile: Profile
) -> None:
    """Except remembered logins, which nobody can expose."""
    keyed = {row["table"].removeprefix(profile.prefix) for row in data["columns"] if row["key"] == "PRI"}
    keyless = {table.name for table in product_tables(profile)} - keyed
    assert {name for name in keyless if not profile.tables[name].key} == {"user_auto_login"}
    assert {name for name in profile.tables if profile.tables[name].key} <= keyless


def test_codes_have_words_in_one_place(profile: Profile) -> None:
    """The profile's own, or those of the one table that the column refers to, which has a label."""
    for table in profile.tables.values():
        assert not set(table.words) & set(table.referring_codes)
        for column in table.referring_codes:
            (edge,) = (edge for edge in profile.edges if (edge.table, edge.column) == (table.name, column))
            assert profile.tables[edge.target].label


def test_amounts_are_fields_and_their_currency_can_be_reached(profile: Profile) -> None:
    """By one reference at most."""
    edges = {(edge.table, edge.name): edge.target for edge in profile.edges}
    amounts = [table for table in profile.tables.values() if table.money.fields]
    for table in amounts:
        *path, column = table.money.currency
        holder = profile.tables[edges[table.name, path[0]]] if path else table
        assert len(path) <= 1
        assert column in holder.columns
        assert set(table.money.fields) <= {*table.columns, *(derived.name for derived in table.derived)}
    assert {"invoices", "estimates", "creditnotes", "proposals", "expenses", "invoicepaymentrecords", "credits"} <= {
        table.name for table in amounts
    }


def test_values_of_custom_fields_have_the_edges_of_their_owners(profile: Profile) -> None:
    """What deletes take along and what fields are read from are the same rows."""
    custom = profile.custom_fields
    assert custom is not None
    owned = {
        (edge.target, edge.target_column, edge.guards[0].values[0])
        for edge in profile.edges
        if edge.table == custom.values and edge.column == "relid" and edge.is_owned
    }

    assert {(owner.table, owner.column, owner.value_entity) for owner in custom.owners} == owned
    assert set(custom.columns) <= profile.tables[custom.values].columns
    assert {custom.key, "fieldto", "type", "slug", "name", "options", "active"} <= profile.tables[custom.table].columns
    assert set(custom.types.values()) <= set(KINDS)


def test_fillers_of_a_kind_name_the_tables_they_read(profile: Profile) -> None:
    """What a filler looks up must be reflected with the table that has it."""
    kinds = {filler.kind for table in profile.tables.values() for filler in table.fillers.values()}
    assert set(profile.filler_tables) == kinds - {"now", "today", "random_hex", "constant"}
    assert {name for tables in profile.filler_tables.values() for name in tables} <= set(profile.tables)
