"""What the schema says in words: the catalog's, and nothing that the caller may not know."""

from __future__ import annotations

import pytest

from gateway.catalog.model import Column, Filler
from gateway.graphql import describe
from gateway.query.access import Grant
from gateway.query.operators import OPERATORS
from tests.support.asking import READ, context_of, crm, crm_of_fields, granted
from tests.support.catalogs import make_catalog, reflected


def field_text(resource: str, name: str, *, called: str = "") -> str:
    """Return the description of a field of the CRM for a caller who may do everything."""
    table = crm().resources[resource]
    return describe.of_field(context_of(crm()), table, table.fields[name], called or name)


def given_text(resource: str, name: str, *, is_create: bool = True) -> str:
    """Return the description of what a write may give."""
    table = crm().resources[resource]
    field = table.column_by_name[name]
    return describe.of_given(context_of(crm()), table, field, name, is_create=is_create)


@pytest.mark.parametrize(
    ("resource", "name", "text"),
    [
        ("invoices", "total", "Exact number (`decimal(15,2)`), never null."),
        (
            "invoices",
            "status",
            "Whole number (`int(11)`), may be null. "
            "1 Unpaid, 2 Paid, 3 Partially paid, 4 Overdue, 5 Cancelled, 6 Draft.",
        ),
        (
            "invoices",
            "discount_type",
            "Text (`varchar(30)`), never null. (empty) No discount, before_tax Before tax, after_tax After tax.",
        ),
        ("invoices", "date", "Day, YYYY-MM-DD (`date`), a zero date is shown as null."),
        ("invoices", "duedate", "Day, YYYY-MM-DD (`date`), may be null."),
        ("invoices", "sent", "0 or 1, as a number (`tinyint(1)`), never null."),
        ("invoices", "balance", "Exact number, derived and read-only. It is total - paid."),
        ("clients", "email", "Text, derived and read-only. It is primary_contact.email."),
        (
            "clients",
            "contact_name",
            "Text, derived and read-only. It is primary_contact.firstname and primary_contact.lastname.",
        ),
    ],
)
def test_fields(resource: str, name: str, text: str) -> None:
    """Their types, whether they may be null, what they are made of, and the words for their codes."""
    assert field_text(resource, name) == text


def test_what_is_null_is_said_as_the_schema_has_it() -> None:
    """A time is no date, a document may be a null itself, and what a view shows may come from an outer join."""
    columns = ("id int!", "t time!", "d date!", "m datetime!", "j json!", "n int")
    catalog = make_catalog(reflected("t", *columns), reflected("v", *columns, is_view=True, key=()))

    def texts(name: str) -> list[str]:
        table = catalog.resources[name]
        fields = ((called, table.fields[called]) for called in ("id", "t", "d", "m", "j", "n"))
        found = (describe.of_field(context_of(catalog), table, field, called) for called, field in fields)
        return [text.rpartition(", ")[2] for text in found]

    zero = "a zero date is shown as null."
    assert texts("t") == ["never null.", "never null.", zero, zero, "may be null.", "may be null."]
    assert set(texts("v")) == {"may be null."}


def test_numbers_and_keys_of_groups_are_null_for_reasons_of_their_own() -> None:
    """The sum over no rows is null, whatever the column."""
    table = crm().resources["invoices"]

    text = describe.of_field(context_of(crm()), table, table.fields["total"], "total", is_of_row=False)

    assert text == "Exact number (`decimal(15,2)`)."


def test_what_may_be_given_as_null_is_said_of_inputs() -> None:
    """A day that is never null takes none, however it is shown."""
    assert given_text("invoices", "date", is_create=False).startswith("Day, YYYY-MM-DD (`date`), never null.")
    assert given_text("invoices", "sent", is_create=False).startswith("0 or 1, as a number (`tinyint(1)`), never null.")


def test_the_words_of_an_enum() -> None:
    """In the order of their definition."""
    catalog = make_catalog(reflected("t", "id int!", "size enum('s','m','l')"))
    table = catalog.resources["t"]

    text = describe.of_field(context_of(catalog), table, table.fields["size"], "size")

    assert text == "One of a list of words (`enum('s','m','l')`), may be null. Of s, m, l."


def test_long_lists_of_codes_are_cut_and_say_so() -> None:
    """A description is no table of codes."""
    words = ",".join(f"'{number}'" for number in range(103))
    catalog = make_catalog(reflected("t", "id int!", f"code enum({words})"))
    table = catalog.resources["t"]

    assert describe.of_field(context_of(catalog), table, table.fields["code"], "code").endswith(", 99 and 3 more.")


def test_custom_fields_are_called_as_the_crm_calls_them() -> None:
    """With the catalog's own name, which GraphQL cannot have."""
    table = crm_of_fields().resources["clients"]
    field = table.fields["custom.industry"]

    text = describe.of_field(context_of(crm_of_fields()), table, field, "custom_industry")

    assert text == "Custom field “Industry”: text. `custom.industry` in the catalog."


def test_what_a_field_is_made_of_is_told_to_those_who_may_read_it() -> None:
    """Else the text would name columns that do not exist for the caller."""
    table = crm().resources["invoices"]
    few = granted(invoices=Grant(READ), payments=Grant(READ))
    all_of_it = granted(invoices=Grant(READ), invoicepaymentrecords=Grant(READ), credits=Grant(READ))
    blind = granted(
        invoices=Grant(READ),
        invoicepaymentrecords=Grant(READ, readable=frozenset({"invoiceid", "id"})),
        credits=Grant(READ),
    )

    def text(access: object) -> str:
        return describe.of_field(context_of(crm(), access), table, table.fields["paid"], "paid")  # type: ignore[arg-type]  # a column of it

    assert text(all_of_it) == ("Exact number, derived and read-only. It is sum(payments.amount) + sum(credits.amount).")
    assert text(few) == text(blind) == "Exact number, derived and read-only."


@pytest.mark.parametrize(
    ("resource", "name", "ending"),
    [
        ("clients", "vat", "Text (`varchar(50)`), may be null."),
        ("clients", "company", "Required on create."),
        ("invoices", "clientid", "Required on create."),
        ("invoices", "datecreated", "Left out, it is the current time."),
        ("invoices", "currency", "Left out, it is the customer's currency."),
        ("invoices", "addedfrom", "Left out, it is the staff member who acts."),
        ("invoices", "project_id", "Left out, it is 0."),
        ("invoices", "total_tax", "The CRM's rules work it out: what is given must be what comes out."),
        ("clients", "userid", "Left out, the database numbers it."),
    ],
)
def test_what_a_create_needs(resource: str, name: str, ending: str) -> None:
    """And what becomes of what it leaves out."""
    assert given_text(resource, name).endswith(ending)


def test_a_change_needs_nothing() -> None:
    """What it leaves out stays."""
    assert "equired" not in given_text("invoices", "clientid", is_create=False)
    assert "Left out" not in given_text("invoices", "datecreated", is_create=False)


@pytest.mark.parametrize("table", crm().exposed(), ids=lambda table: table.resource)
def test_every_filler_has_words(table: object) -> None:
    """Whatever the profile fills."""
    columns: tuple[Column, ...] = table.columns  # type: ignore[attr-defined]  # a table of the catalog
    for column in columns:
        if isinstance(column.filler, Filler):
            assert describe.of_given(context_of(crm()), table, column, column.name, is_create=True)  # type: ignore[arg-type]  # a column of it


def test_relationships_say_what_ties_rows() -> None:
    """And under which conditions."""
    invoices, clients = crm().resources["invoices"], crm().resources["clients"]

    def text(table: object, name: str, called: str = "") -> str:
        edge = table.relationships[name]  # type: ignore[attr-defined]  # a table of the catalog
        return describe.of_relationship(edge, crm().table_of(edge), called or name)

    assert text(invoices, "client") == (
        "The row of clients whose userid = clientid. Where clientid is not 0. Null where there is none."
    )
    assert text(invoices, "items") == "The rows of itemable whose rel_id = id. Where rel_type is invoice."
    assert text(clients, "primary_contact") == (
        "The first row of contacts whose userid = userid. Where is_primary is 1. Null where there is none."
    )
    assert text(invoices, "client", "client_2").endswith("`client` in the catalog.")


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_is_described(name: str) -> None:
    """As the table of operators does; lists are no comma lists here."""
    text = describe.of_operator(name)

    assert text.endswith(".")
    assert "comma" not in text


def test_tables_say_what_they_are() -> None:
    """And how they are written."""
    view = make_catalog(reflected("seen", "a int", is_view=True)).resources["seen"]

    assert describe.of_table(crm().resources["invoices"]) == (
        "Invoices. Resource `invoices`. Writes follow the CRM's rules."
    )
    assert describe.of_table(view) == "A row of seen. Resource `seen`. A view, read-only."
