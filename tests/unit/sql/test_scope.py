"""One table at one place of a statement: what is joined, what is looked up, and what grants demand of each."""

from __future__ import annotations

import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.query.access import Access, Grant
from gateway.query.conditions import plan_conditions
from gateway.query.context import Context
from gateway.query.intent import ConditionIntent, FilterIntent, RelatedIntent
from gateway.query.plan import DeleteStep, ReadPlan
from gateway.query.reach import with_reach
from gateway.sql.read import compile_read
from gateway.sql.write import compile_step
from tests.support.asking import ALL, READ, ask, context_of, crm, crm_of_fields
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things

CRM = crm()


def sql(target: str, access: Access = ALL, catalog: Catalog = CRM) -> str:
    """Return the text of a list's statement between its columns and its page, on one line."""
    text = " ".join(compile_read(catalog, ask(catalog, target, access).plan).text.split())
    return text.partition(" FROM ")[2].rpartition(" ORDER BY ")[0]


def only(**grants: str) -> Access:
    """Return an access to everything, where some tables' rows need a value in a field: ``clients="country"``."""
    limited = {
        name: Grant(READ, row_filter=(ConditionIntent(tuple(field.split(".")), "5", "row filter"),))
        for name, field in grants.items()
    }
    return Access("only", {"*": Grant(READ), **limited})


# To-ones


def test_a_to_one_is_joined_once_however_often_it_is_named() -> None:
    """Filtered by twice, sorted by once: one join, by the key of the row it leads to."""
    assert sql("invoices?fields=id&filter[client.city]=x&filter[client.zip]=y&sort=client.company") == (
        "tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 "
        "WHERE t_1.city = %s AND t_1.zip = %s"
    )


def test_rows_without_one_stay() -> None:
    """A sort must not filter: the join is an outer one."""
    assert "LEFT OUTER JOIN" in sql("invoices?fields=id&sort=client.company")
    assert "JOIN" not in sql("invoices?fields=id&sort=date")


def test_a_path_joins_table_after_table() -> None:
    """Each once, though two paths begin alike."""
    assert sql("payments?fields=id&filter[invoice.client.city]=x&sort=invoice.date") == (
        "tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id "
        "LEFT OUTER JOIN tblclients AS t_2 ON t_1.clientid = t_2.userid AND t_1.clientid != 0 WHERE t_2.city = %s"
    )


def test_two_relationships_to_one_table_are_two_rows() -> None:
    """Who added it and who sells it are not the same person."""
    joined = sql("invoices?fields=id&filter[agent.email]=x&filter[added_by.email]=y")

    assert joined.count("LEFT OUTER JOIN tblstaff") == 2


def test_a_picked_to_one_joins_its_first_child_alone() -> None:
    """A join by the reference would double rows."""
    assert sql("clients?fields=userid&filter[primary_contact.phonenumber]=x") == (
        "tblclients AS t LEFT OUTER JOIN tblcontacts AS t_1 ON t_1.id = (SELECT t_2.id FROM tblcontacts AS t_2 "
        "WHERE t.userid = t_2.userid AND t_2.is_primary = %s ORDER BY t_2.id LIMIT 1) WHERE t_1.phonenumber = %s"
    )


@pytest.mark.parametrize(
    ("dialect", "guard", "number"),
    [
        ("mariadb", "REGEXP %s", "CAST(t.paymentmode AS SIGNED INTEGER)"),
        ("mysql", "REGEXP %s", "CAST(t.paymentmode AS SIGNED INTEGER)"),
        ("sqlite", "GLOB ?", "CAST(t.paymentmode AS INTEGER)"),
    ],
)
def test_a_text_that_holds_a_number_is_joined_behind_a_guard(dialect: Dialect, guard: str, number: str) -> None:
    """A word never becomes 0, nor the row with that key."""
    joined = sql("payments?fields=id&filter[payment_mode.name]=x", catalog=crm(dialect))
    condition = joined.partition("LEFT OUTER JOIN tblpayment_modes AS t_1 ON CASE WHEN ")[2].partition(" WHERE ")[0]

    assert condition.index(guard) < condition.index(f"THEN {number} END = t_1.id")


def test_a_custom_field_at_the_end_of_a_path_belongs_to_the_joined_row() -> None:
    """Its value is that row's."""
    joined = sql("invoices?fields=id&filter[client.custom.industry]=x", catalog=crm_of_fields())

    assert "t_2.relid = t_1.userid" in joined


# To-manys


def test_a_to_many_is_asked_for_and_never_joined() -> None:
    """Rows are never doubled."""
    assert sql("invoices?fields=id&filter[payments.amount.gt]=0") == (
        "tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 "
        "WHERE t.id = t_1.invoiceid AND t_1.amount > %s)"
    )


def test_a_polymorphic_to_many_keeps_its_guard() -> None:
    """A note of a client with the same number is none of the invoice's."""
    assert "WHERE t.id = t_1.rel_id AND t_1.rel_type = %s AND t_1.description = %s" in sql(
        "invoices?fields=id&filter[notes.description]=x"
    )


def test_the_rows_of_a_joined_row_are_asked_for_beside_the_join() -> None:
    """The path is joined, its end asked for."""
    assert sql("invoices?fields=id&filter[client.contacts.title]=x") == (
        "tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 "
        "WHERE EXISTS (SELECT 1 FROM tblcontacts AS t_2 WHERE t_1.userid = t_2.userid AND t_2.title = %s)"
    )


def test_what_a_child_refers_to_is_joined_inside() -> None:
    """Where the child is."""
    assert sql("clients?fields=userid&filter[invoices][agent.email]=x&filter[invoices][total.gt]=1") == (
        "tblclients AS t WHERE EXISTS (SELECT 1 FROM tblinvoices AS t_1 LEFT OUTER JOIN tblstaff AS t_1_1 "
        "ON t_1.sale_agent = t_1_1.staffid AND t_1.sale_agent != 0 WHERE t.userid = t_1.clientid "
        "AND t_1.clientid != 0 AND t_1_1.email = %s AND t_1.total > %s)"
    )


def test_none_is_not_some() -> None:
    """A row without any has none that meets it."""
    assert "WHERE NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND" in sql(
        'invoices?fields=id&where={"payments":{"none":{"amount.gt":0}}}'
    )


def test_every_is_no_row_that_does_not() -> None:
    """A row of which it is unknown does not meet it."""
    assert sql('invoices?fields=id&where={"payments":{"every":{"amount.gt":0}}}') == (
        "tblinvoices AS t WHERE NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 "
        "WHERE t.id = t_1.invoiceid AND coalesce(t_1.amount > %s, false) = false))"
    )


# Grants


def test_a_grant_is_part_of_the_join() -> None:
    """A row outside of it is as good as none; the row that refers to it stays."""
    assert sql("invoices?fields=id&sort=client.company", only(clients="country")) == (
        "tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 "
        "AND t_1.country = %s"
    )


def test_a_grant_that_looks_further_stands_in_a_subquery() -> None:
    """The join cannot name a table that is joined after it."""
    for field, inside in (
        ("converted_from_lead.source", "LEFT OUTER JOIN tblleads AS t_3_1 ON t_3.leadid = t_3_1.id"),
        ("invoices.status", "FROM tblinvoices AS t_2 WHERE t_1.userid = t_2.clientid"),
    ):
        joined = sql("invoices?fields=id&filter[client.city]=x", only(clients=field))
        assert joined.count("LEFT OUTER JOIN tblclients") == 1
        assert inside in joined.partition("EXISTS ")[2]


def test_a_grant_narrows_the_rows_of_a_to_many() -> None:
    """In some, none and every alike: what the caller may not see is not there."""
    access = only(invoicepaymentrecords="paymentmode")
    for quantifier in ("some", "none", "every"):
        found = sql(f'invoices?fields=id&where={{"payments":{{"{quantifier}":{{"amount.gt":0}}}}}}', access)
        assert found.endswith("AND t_1.paymentmode = %s)" + (")" if quantifier != "some" else ""))


def test_a_grant_narrows_what_a_derived_path_shows() -> None:
    """An e-mail of a contact that the caller may not see is null, not that of the next one."""
    text = compile_read(CRM, ask(CRM, "clients?fields=email", only(contacts="active")).plan).text

    assert "SELECT CASE WHEN (t_1.active = %s) THEN t_1.email ELSE NULL END" in text


def test_a_sum_counts_every_row() -> None:
    """It belongs to the row, whoever asks."""
    access = only(invoicepaymentrecords="paymentmode")

    assert sql("invoices?fields=id&filter[paid.gt]=0", access) == sql("invoices?fields=id&filter[paid.gt]=0")


def test_a_grants_own_condition_goes_by_all_rows() -> None:
    """Two that look at each other's tables come to an end."""
    found = sql("clients?fields=userid", only(clients="invoices.status", invoices="client.country"))

    assert found == (
        "tblclients AS t WHERE EXISTS (SELECT 1 FROM tblinvoices AS t_1 WHERE t.userid = t_1.clientid "
        "AND t_1.clientid != 0 AND t_1.status = %s)"
    )


def test_a_joined_row_is_another_for_a_grant_than_for_the_client() -> None:
    """The grant looks at all clients, the client's sort at those it may see."""
    found = sql("invoices?fields=id&sort=client.company", only(invoices="client.zip", clients="country"))

    assert found.count("LEFT OUTER JOIN tblclients") == 2
    assert found.count("country = %s") == 1


# Where nothing may be joined


def locked(intent: FilterIntent, access: Access = ALL) -> str:
    """Return the statement that locks the invoices which a filter chooses."""
    context: Context = context_of(CRM, access)
    table = CRM.resources["invoices"]
    plan = ReadPlan(table, table.key, plan_conditions(context, table, [intent]), is_locking=True)
    return " ".join(compile_read(CRM, with_reach(context, plan)).text.split())


def compared(path: str) -> ConditionIntent:
    return ConditionIntent(tuple(path.split(".")), "5", f"filter[{path}]")


@pytest.mark.parametrize(
    "intent",
    [
        compared("client.city"),
        compared("client.primary_contact.email"),
        compared("client.contacts.email"),
        compared("balance"),
        compared("payments.invoice.client.city"),
        RelatedIntent(("client", "contacts"), "every", compared("email"), "where"),
    ],
)
def test_a_locking_read_joins_nothing(intent: FilterIntent) -> None:
    """FOR UPDATE would lock the joined rows too; other tables are looked up in subqueries."""
    for access in (ALL, only(clients="country"), only(clients="converted_from_lead.source")):
        text = locked(intent, access)
        assert text.startswith("SELECT t.id FROM tblinvoices AS t WHERE ")
        assert text.endswith(" FOR UPDATE")


def test_a_looked_up_field_is_that_of_the_one_row() -> None:
    """By the same edge and under the same grant."""
    assert "(SELECT CASE WHEN (t_1.country = %s) THEN t_1.city ELSE NULL END" in locked(
        compared("client.city"), only(clients="country")
    ).replace(" AS anon_1", "")


def test_a_step_that_changes_rows_joins_nothing() -> None:
    """Neither do DELETE and UPDATE."""
    table = CRM.resources["invoices"]
    context = context_of(CRM)
    condition = plan_conditions(context, table, [compared("client.city"), compared("payments.amount")])
    text = " ".join(compile_step(CRM, DeleteStep(table, condition), {}).text.split())

    assert text.startswith("DELETE FROM tblinvoices WHERE ")
    assert "JOIN" not in text


# What is sorted


@pytest.mark.parametrize(
    ("dialect", "sort", "due"),
    [
        ("mariadb", "name", "t.name ASC, t.id ASC"),
        ("mariadb", "body", "left(t.`body`, 200) ASC, t.id ASC"),
        ("sqlite", "body", "substr(t.body, 1, 200) COLLATE gateway_ci ASC, t.id ASC"),
        ("mariadb", "day", "CASE WHEN (t.day < %s) THEN NULL ELSE t.day END ASC, t.id ASC"),
        ("mariadb", "stamp", "CASE WHEN (t.stamp = 0) THEN NULL ELSE t.stamp END ASC, t.id ASC"),
        ("sqlite", "day", "t.day ASC, t.id ASC"),
    ],
)
def test_zero_dates_are_sorted_with_the_nulls(dialect: Dialect, sort: str, due: str) -> None:
    """As clients see them, so that a page that begins after a null begins after both."""
    catalog = things(dialect)
    text = " ".join(compile_read(catalog, ask(catalog, f"things?fields=id&sort={sort}").plan).text.split())

    assert text.partition(" ORDER BY ")[2].partition(" LIMIT")[0] == due


def test_a_day_that_cannot_be_null_keeps_its_index() -> None:
    """Its zero dates come first by themselves."""
    catalog = make_catalog(reflected("days", "id int!", "day date!"))

    assert "ORDER BY t.day ASC, t.id ASC" in compile_read(catalog, ask(catalog, "days?sort=day").plan).text
