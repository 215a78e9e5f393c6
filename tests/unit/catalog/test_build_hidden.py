"""Hidden columns are in no namespace that a client's text is resolved against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.build import build_catalog
from gateway.catalog.exposure import Mark, Name, TableExposure
from gateway.catalog.model import Catalog, Filler, Table
from gateway.catalog.naming import HIDDEN_WORDS
from tests.support.catalogs import (
    FILE,
    ZONE,
    exposure_of,
    make_catalog,
    names,
    perfex_built,
    perfex_catalog,
    perfex_profile,
    reflected,
    reflection_of,
)


def entry(table: str, **keys: tuple[Name, ...]) -> TableExposure:
    return TableExposure(Name(table, Mark(FILE, 2, 3)), **keys)  # type: ignore[arg-type]  # each key takes names


def namespace(table: Table) -> Iterator[str]:
    """Every column name that a table offers to clients, from wherever."""
    yield from table.fields
    yield from (column.name for column in (*table.columns, *table.key, *table.searchable))
    if table.label:
        yield table.label.name


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return perfex_catalog()


def test_no_secret_token_or_confidential_column_is_named_anywhere(catalog: Catalog) -> None:
    """The profile's whole list, over every table that can be exposed."""
    tables = {table.name: set(namespace(table)) for table in catalog.exposed()}
    hidden = {f"tbl{table.name}": table.hidden for table in perfex_profile().tables.values()}
    assert {name: tables[name] & hidden[name] for name in tables if tables[name] & hidden[name]} == {}


def test_no_internal_table_shows_a_secret_but_the_options(catalog: Catalog) -> None:
    """Rules read options; nothing else hidden is read of an internal table."""
    internal = perfex_catalog(exposure_of("leads", "clients", "expenses")).tables.values()
    profile = perfex_profile()
    shown = {table.name: set(table.fields) & profile.tables[table.name[3:]].hidden for table in internal}
    assert {name: columns for name, columns in shown.items() if columns} == {"tbloptions": {"value"}}


@given(st.sampled_from(HIDDEN_WORDS), st.sampled_from((str.lower, str.upper, str.title)), st.text("ab_", max_size=4))
def test_a_column_is_hidden_for_its_name_in_any_case(word: str, case: object, rest: str) -> None:
    """The built-in words hold in every database, wherever they stand in the name."""
    name = rest + (case(word) if callable(case) else word) + rest
    table = make_catalog(reflected("t", "id int!", f"{name} varchar(9)")).resources["t"]
    assert list(table.fields) == ["id"]


def test_a_whitelist_hides_more_by_name_and_by_pattern() -> None:
    """Its patterns are added to the built-in ones."""
    table = reflected("t", "id int!", "iban varchar(9)", "tax_no int", "note text", "salt text", "wordtax_no int")
    exposure = exposure_of(entry("t", hide=names("note")), profile=None)
    exposure = type(exposure)(FILE, None, None, exposure.tables, names("iban", "tax_*", "salt"))
    assert list(make_catalog(table, exposure=exposure).resources["t"].fields) == ["id", "wordtax_no"]


def test_one_column_is_shown_again_with_a_warning() -> None:
    """Only by its full name, in its table."""
    built = perfex_built(exposure_of(entry("leads", expose_sensitive=names("hash"))))
    assert "hash" in built.catalog.resources["leads"].fields
    assert built.catalog.warnings == (
        "whitelist.yaml:1:7 leads.hash is shown although it is sensitive (expose_sensitive)",
    )


def test_hiding_and_showing_one_column_is_a_mistake() -> None:
    """One of the two was not meant."""
    built = perfex_built(exposure_of(entry("leads", expose_sensitive=names("hash"), hide=names("hash"))))
    assert [problem.message for problem in built.problems] == [
        'column "hash" of leads is both in hide and in expose_sensitive'
    ]


def test_a_hidden_column_cannot_be_searched() -> None:
    """An answer would say what it holds."""
    built = perfex_built(exposure_of(entry("leads", hide=names("email"), search=names("email", "name"))))
    assert [problem.message for problem in built.problems] == [
        'column "email" of leads is hidden and cannot be searched'
    ]
    assert [column.name for column in built.catalog.resources["leads"].searchable] == ["name"]


def test_a_hidden_key_makes_a_table_list_only() -> None:
    """Rows cannot be addressed by what nobody may see."""
    table = reflected("t", "token varchar(9)!", "note text")
    built = build_catalog(reflection_of(table), exposure_of("t", profile=None), None, zone=ZONE)
    assert built.catalog.resources["t"].key == ()
    assert built.catalog.warnings == ("rows of t can only be listed: a column of their key is hidden",)


def test_a_table_of_hidden_columns_alone_is_a_mistake() -> None:
    """There is nothing to show."""
    built = build_catalog(
        reflection_of(reflected("t", "token varchar(9)!")), exposure_of("t", profile=None), None, zone=ZONE
    )
    assert [problem.message for problem in built.problems] == ['table "t" has no column that may be shown']


@pytest.mark.parametrize(
    ("resource", "column"),
    [
        ("invoices", "hash"),
        ("proposals", "hash"),
        ("estimates", "hash"),
        ("contracts", "hash"),
        ("tickets", "ticketkey"),
        ("files", "attachment_key"),
    ],
)
def test_the_keys_of_the_crms_links_are_made_by_the_gateway(resource: str, column: str, catalog: Catalog) -> None:
    """They stand beside the namespace, each with its generator."""
    table = catalog.resources[resource]
    assert table.internal[column].filler == Filler("random_hex", 16)
    assert column not in set(namespace(table))


def test_what_only_the_crm_can_make_forbids_creating_without_saying_what() -> None:
    """The reason names no hidden column."""
    table = make_catalog(reflected("t", "id int!", "secret_token varchar(9)!")).resources["t"]
    assert table.create_refusal is not None
    assert "token" not in table.create_refusal


@pytest.mark.parametrize("resource", ["files", "project_files", "ticket_attachments"])
def test_a_read_only_column_that_must_have_a_value_forbids_creating(resource: str, catalog: Catalog) -> None:
    """The name of a file on the CRM's disk is not a client's to write."""
    assert catalog.resources[resource].create_refusal == "file_name must have a value and cannot be written"


def test_a_relationship_by_a_hidden_column_is_followed_by_no_client() -> None:
    """Walking it would tell the hidden value; deletes still know of the rows that depend."""
    catalog = perfex_catalog(exposure_of(entry("invoices", hide=names("clientid")), "clients"))
    invoices, clients = catalog.resources["invoices"], catalog.resources["clients"]

    assert "client" not in invoices.relationships
    assert "invoices" not in clients.relationships
    assert "tblinvoices" in {edge.target for edge in catalog.dependants["tblclients"]}


def test_what_clients_should_leave_is_in_the_catalog() -> None:
    """Columns, derived fields and the whole resource, each with its reason."""
    reasons = tuple((name, f"Not {name.text}.") for name in names("email", "company"))
    built = perfex_built(
        exposure_of(replace(entry("clients"), deprecated=reasons, deprecation="Use others."), "contacts")
    )

    assert built.problems == ()
    assert built.catalog.resources["clients"].deprecated == {"email": "Not email.", "company": "Not company."}
    assert built.catalog.resources["clients"].deprecation == "Use others."
    assert (built.catalog.resources["contacts"].deprecated, built.catalog.resources["contacts"].deprecation) == (
        {},
        None,
    )


def test_a_deprecated_column_must_be_there_and_to_be_seen() -> None:
    """A misspelt name would warn nobody, and of a hidden one nobody may be told."""
    reasons = tuple((name, "Why.") for name in names("emial", "hash", "email"))
    built = perfex_built(exposure_of(replace(entry("leads"), deprecated=reasons)))

    assert [str(problem) for problem in built.problems] == [
        'whitelist.yaml:1:7 unknown column "emial" in leads; did you mean "email"?',
        'whitelist.yaml:1:8 column "hash" of leads is hidden and cannot be deprecated',
    ]
    assert built.catalog.resources["leads"].deprecated == {"email": "Why."}
