"""What goes with fields of the CRM: words for codes, and the currency of amounts."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.catalog.build import Built, tables_needed
from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.model import LabelField, PathField, Table
from gateway.catalog.reflected import ReflectedColumn
from gateway.catalog.rights import Rights
from tests.support.catalogs import START, exposure_of, names, perfex_built, perfex_profile, perfex_reflection


def built(*tables: str | TableExposure, without: Iterable[str] = ()) -> Built:
    return perfex_built(exposure_of(*tables), perfex_reflection(without=without))


def table_of(*tables: str | TableExposure) -> Table:
    """Return the first of some exposed tables."""
    first = tables[0]
    return built(*tables).catalog.resources[first if isinstance(first, str) else first.name.text]


def words(table: Table, field: str) -> dict[int | str, str]:
    label = table.labels[field]
    assert isinstance(label, LabelField)
    return dict(label.words)


# Words of the profile


@pytest.mark.parametrize(
    ("resource", "field", "code", "word"),
    [
        ("invoices", "status", 3, "Partially paid"),
        ("invoices", "discount_type", "before_tax", "Before tax"),
        ("invoices", "discount_type", "", "No discount"),
        ("estimates", "status", 4, "Accepted"),
        ("proposals", "rel_type", "lead", "Lead"),
        ("creditnotes", "status", 3, "Void"),
        ("projects", "status", 4, "Finished"),
        ("tasks", "status", 2, "Awaiting feedback"),
        ("tasks", "priority", 4, "Urgent"),
        ("subscriptions", "status", "past_due", "Past due"),
    ],
)
def test_codes_have_words(resource: str, field: str, code: int | str, word: str) -> None:
    """Numbers where the column holds numbers, text where it holds text."""
    assert words(table_of(resource), field)[code] == word


def test_a_label_is_called_by_its_field_and_knows_its_column() -> None:
    """And is no field that a client could name."""
    table = table_of("invoices")
    label = table.labels["status"]

    assert isinstance(label, LabelField)
    assert (label.name, label.column) == ("status_label", table.fields["status"])
    assert "status_label" not in table.fields


def test_every_word_is_short_and_its_own() -> None:
    """No two codes of one column mean the same, but for the two ways to choose several options."""
    for table in perfex_profile().tables.values():
        for column, pairs in table.words.items():
            said = [word for _, word in pairs]
            assert all(word[:1].isupper() and len(word) <= 60 for word in said)
            assert len(set(said)) == len(said) or (table.name, column) == ("customfields", "type")


def test_a_hidden_code_has_no_word() -> None:
    """It would tell the code."""
    entry = TableExposure(Name("invoices", START), hide=names("status"))

    assert "status" not in table_of(entry).labels


def test_a_label_gives_way_to_a_column_of_its_name() -> None:
    """Also to a hidden one."""
    reflection = perfex_reflection()
    invoices = reflection.tables["tblinvoices"]
    for hide in ((), names("status_label")):
        column = ReflectedColumn("status_label", "varchar(20)")
        wider = type(invoices)(invoices.name, (*invoices.columns, column), invoices.primary_key)
        tables = {**reflection.tables, "tblinvoices": wider}
        changed = type(reflection)(reflection.dialect, tables, reflection.existing)
        found = perfex_built(exposure_of(TableExposure(Name("invoices", START), hide=hide)), changed)

        assert "status" not in found.catalog.resources["invoices"].labels
        assert "discount_type" in found.catalog.resources["invoices"].labels


# Words of other tables


@pytest.mark.parametrize(
    ("resource", "field", "target", "column"),
    [
        ("leads", "status", "tblleads_status", "name"),
        ("leads", "source", "tblleads_sources", "name"),
        ("tickets", "status", "tbltickets_status", "name"),
        ("tickets", "priority", "tbltickets_priorities", "name"),
        ("tickets", "department", "tbldepartments", "name"),
        ("expenses", "category", "tblexpenses_categories", "name"),
        ("contracts", "contract_type", "tblcontracts_types", "name"),
        ("invoices", "currency", "tblcurrencies", "name"),
        ("clients", "country", "tblcountries", "short_name"),
        ("invoicepaymentrecords", "paymentmode", "tblpayment_modes", "name"),
    ],
)
def test_words_that_the_crms_users_chose_are_read_where_they_stand(
    resource: str, field: str, target: str, column: str
) -> None:
    """The table is read for that alone where the whitelist has it not."""
    table = table_of(resource)
    label = table.labels[field]
    needed = tables_needed(exposure_of(resource), perfex_profile(), perfex_reflection().existing)

    assert isinstance(label, PathField)
    assert (label.name, label.relationship.target) == (f"{field}_label", target)
    assert [each.name for each in label.columns] == [column]
    assert target in needed
    assert all(edge.target != target for edge in table.relationships.values())


def test_a_label_without_its_table_is_absent() -> None:
    """`check` says so."""
    found = built("leads", without=["tblleads_sources"])

    assert "source" not in found.catalog.resources["leads"].labels
    assert "leads.source_label" in {item.what for item in found.catalog.absences}


def test_a_label_whose_table_may_not_be_read_is_absent() -> None:
    """A reply with labels would fail for it."""
    held = {"tblleads": frozenset({"SELECT"}), "tblleads_status": frozenset({"SELECT"})}
    reflection = perfex_reflection()
    closed = type(reflection)(
        reflection.dialect, reflection.tables, reflection.existing, rights=Rights(frozenset(), held)
    )
    leads = perfex_built(exposure_of("leads"), closed).catalog.resources["leads"]

    assert set(leads.labels) == {"status", "last_lead_status"}


# Money


def test_amounts_of_a_document_are_in_its_own_currency() -> None:
    """Derived ones too; numbers, percentages and quantities are none."""
    table = table_of("invoices")

    assert table.currency == ("currency",)
    assert table.money == {
        "subtotal",
        "total_tax",
        "total",
        "adjustment",
        "discount_total",
        "paid",
        "balance",
    }


@pytest.mark.parametrize(
    ("resource", "parent", "path"),
    [
        ("invoicepaymentrecords", "invoices", ("invoice", "currency")),
        ("credits", "invoices", ("invoice", "currency")),
        ("creditnote_refunds", "creditnotes", ("credit_note", "currency")),
    ],
)
def test_amounts_of_payments_are_in_the_currency_of_their_document(
    resource: str, parent: str, path: tuple[str, ...]
) -> None:
    """Where the document is served: a path that cannot be followed says nothing."""
    table, alone = table_of(resource, parent), table_of(resource)

    assert (table.currency, table.money) == (path, frozenset({"amount"}))
    assert (alone.currency, alone.money) == ((), frozenset())


def test_a_hidden_currency_leaves_amounts_without_one() -> None:
    """On the table itself and at the end of a path."""
    invoices = TableExposure(Name("invoices", START), hide=names("currency"))
    catalog = built(invoices, "invoicepaymentrecords").catalog

    assert not catalog.resources["invoices"].money
    assert not catalog.resources["invoicepaymentrecords"].currency


def test_a_table_that_nothing_is_known_of_has_no_money() -> None:
    """Nor one without amounts."""
    assert (table_of("countries").currency, table_of("countries").money) == ((), frozenset())
