"""What refers to what: every reference of the CRM resolves, and the rules that only PHP enforces hold."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sample_crm.areas.projects import SETTINGS
from sample_crm.schema import tables
from tests.unit.examples.conftest import Crm

REFERENCES = tuple(
    tuple(row) for row in csv.reader(Path(__file__).with_name("references.csv").read_text("utf-8").splitlines()[1:])
)
SECRETS = (
    ("staff", "password new_pass_key two_factor_auth_code google_auth_secret"),
    ("contacts", "password new_pass_key email_verification_key"),
    ("sessions", "id data ip_address"),
    ("user_auto_login", "key_id user_agent"),
    ("departments", "password imap_username host"),
    ("leads_email_integration", "password email imap_server"),
    ("vault", "password username server_address description port"),
    ("options", "value"),
    ("user_meta", "meta_value"),
    ("invoices", "hash token short_link"),
    ("estimates", "hash short_link"),
    ("proposals", "hash short_link"),
    ("contracts", "hash short_link"),
    ("subscriptions", "hash stripe_subscription_id stripe_plan_id stripe_tax_id stripe_tax_id_2"),
    ("clients", "stripe_id"),
    ("leads", "hash email_integration_uid"),
    ("tickets", "ticketkey"),
    ("files", "attachment_key"),
    ("web_to_lead", "form_key"),
    ("estimate_request_forms", "form_key"),
    ("surveys", "hash"),
    ("payment_attempts", "reference"),
    ("twocheckout_log", "reference attempt_reference"),
    ("invoicepaymentrecords", "transactionid"),
    ("tracked_mails", "uid"),
    ("mail_queue", "message alt_message cc bcc headers"),
    ("activity_log", "description"),
    ("tickets_pipe_log", "message"),
    ("lead_integration_emails", "body"),
)


def test_every_reference_resolves(crm: Crm) -> None:
    """No row of any table points at a row that is not there."""
    for table, column, parent, key, condition in REFERENCES:
        dangling = crm(
            f"SELECT {column} FROM tbl{table} WHERE {column} IS NOT NULL AND ({condition or 1}) "
            f"AND {column} NOT IN (SELECT {key} FROM tbl{parent})"
        )
        assert not dangling, (table, column, parent, condition)


def test_no_table_is_empty(crm: Crm) -> None:
    """Each of the 126 tables has something to show."""
    empty = [table.name for table in tables() if not crm(f"SELECT 1 FROM tbl{table.name} LIMIT 1")]

    assert not empty


@pytest.mark.parametrize(("table", "columns"), SECRETS)
def test_secret_columns_hold_something_to_leak(crm: Crm, table: str, columns: str) -> None:
    """A test that looks for leaks finds a non-empty value in every secret column."""
    for column in columns.split():
        assert crm(f"SELECT 1 FROM tbl{table} WHERE {column} IS NOT NULL AND {column} NOT IN ('', 0) LIMIT 1")


def test_customers_with_contacts_have_one_primary(crm: Crm) -> None:
    """Every customer with contacts has exactly one primary contact, and a few have no contact at all."""
    counts = crm("SELECT userid, SUM(is_primary) AS n FROM tblcontacts GROUP BY userid")
    customers = crm("SELECT userid FROM tblclients")

    assert {row["n"] for row in counts} == {1}
    assert 0.9 * len(customers) <= len(counts) < len(customers)


@pytest.mark.parametrize("table", ["contacts", "leads", "staff"])
def test_mail_addresses_are_unique_and_plain(crm: Crm, table: str) -> None:
    """Addresses are ASCII and no two people share one."""
    emails = [row["email"] for row in crm(f"SELECT email FROM tbl{table}")]

    assert len(set(emails)) == len(emails)
    assert all(email.isascii() and "@" in email and not email.startswith(".") for email in emails)


def test_projects_have_all_their_settings(crm: Crm) -> None:
    """The project page reads 19 settings; each project has each of them once."""
    names: dict[int, list[str]] = {}
    for row in crm("SELECT project_id, name FROM tblproject_settings"):
        names.setdefault(row["project_id"], []).append(row["name"])

    assert len(SETTINGS) == 19
    assert len(names) == len(crm("SELECT id FROM tblprojects"))
    assert all(sorted(found) == sorted(SETTINGS) for found in names.values())


def test_converted_leads_became_customers(crm: Crm) -> None:
    """A lead is converted exactly when a customer names it, and then has the Customer status."""
    converted = {row["id"] for row in crm("SELECT id FROM tblleads WHERE date_converted IS NOT NULL")}
    customers = {row["leadid"] for row in crm("SELECT leadid FROM tblclients WHERE leadid IS NOT NULL")}

    assert converted == customers
    assert converted == {row["id"] for row in crm("SELECT id FROM tblleads WHERE status=1")}


def test_lost_and_junk_leads_have_no_status(crm: Crm) -> None:
    """They keep the old status aside."""
    assert not crm("SELECT id FROM tblleads WHERE (lost=1 OR junk=1) <> (status=0)")
    assert not crm("SELECT id FROM tblleads WHERE status=0 AND last_lead_status=0")


def test_completed_tasks_are_finished(crm: Crm) -> None:
    """The finishing date and status 5 go together, and no task has the invalid status 0."""
    assert not crm(
        "SELECT id FROM tbltasks WHERE (status=5) <> (datefinished IS NOT NULL) OR status NOT BETWEEN 1 AND 5"
    )
    assert not crm("SELECT id FROM tbltasks WHERE (rel_type IS NULL) <> (rel_id IS NULL)")


def test_records_of_many_scripts_are_kept_whole(crm: Crm) -> None:
    """Arabic, accents and emoji survive."""
    text = "".join(
        row["value"] for row in crm("SELECT company AS value FROM tblclients UNION SELECT name FROM tbltags")
    )

    assert any("\u0600" <= letter <= "\u06ff" for letter in text)
    assert any("\u00c0" <= letter <= "\u017f" for letter in text)
    assert any(letter > "\uffff" for letter in text)


def test_the_united_arab_emirates_are_234(crm: Crm) -> None:
    """The ids of countries are those Perfex installs; documents and tests rely on this one."""
    assert [tuple(row) for row in crm("SELECT iso2, iso3 FROM tblcountries WHERE country_id=234")] == [("AE", "ARE")]
    assert len(crm("SELECT DISTINCT iso2 FROM tblcountries")) == 250
