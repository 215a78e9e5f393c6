"""What a plan reaches: the grants of every table that a statement enters, by whatever way, and the current day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.model import Column, Excluded
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.query.plan import AggregatePlan, And, Compare, Granted, Not, Or, Quantified, Reached, ReadPlan
from gateway.query.reach import fields_of, is_plain, needs_today, own_field, row_filter, with_reach
from tests.support.asking import ALL, NOW, READ, ask, ask_any, ask_groups, context_of, crm, granted
from tests.support.plans import condition_text

CRM = crm()
CLIENTS, INVOICES = CRM.resources["clients"], CRM.resources["invoices"]


def only(field: str, value: str = "5") -> Grant:
    """Return a grant to read the rows of which a field has a value."""
    return Grant(READ, row_filter=(ConditionIntent(tuple(field.split(".")), value, "row filter"),))


LOCAL = Access("local", {"*": Grant(READ), "clients": only("country")})
"""May read everything, but of the clients those of one country."""


def reached(target: str, access: Access = LOCAL) -> dict[str, list[str]]:
    """Return the fields that the caller's grants compare of other tables, by the tables' names."""
    filters = ask_any(CRM, target, access).plan.filters
    assert all(isinstance(part, Granted) for _, whole in filters if isinstance(whole, And) for part in whole.parts)
    return {table.name: [field.name for field in fields_of(condition)] for table, condition in filters}


# Other tables


@pytest.mark.parametrize(
    "target",
    [
        "invoices?filter[client.city]=x",
        "invoices?sort=client.company",
        "invoices?group=client.city",
        "invoices?group=client",
        "invoices?group=client.datecreated.year",
        "invoices?metrics=max.client.datecreated",
        "invoices?having[max.client.city.gt]=x",
        "payments?filter[invoice.client.city]=x",
        "contacts?filter[any][client.city]=x&filter[any][email]=y",
        'contacts?where={"not":{"client.city":"x"}}',
        "leads?filter[customers.city]=x",
        'leads?where={"customers":{"none":{"city":"x"}}}',
        'leads?where={"customers":{"every":{"city":"x"}}}',
        "leads?filter[customers][primary_contact.email]=x",
    ],
)
def test_a_grant_narrows_its_table_wherever_a_statement_enters_it(target: str) -> None:
    """In filters, orders, groups, metrics; through to-ones, to-manys, alternatives and negations."""
    assert reached(target) == {"tblclients": ["country"]}


def test_a_derived_path_enters_the_table_at_its_end() -> None:
    """A client's e-mail is that of a contact: of one that the caller may see."""
    narrow = Access("narrow", {"*": Grant(READ), "contacts": only("active", "1")})

    for target in ("clients?fields=email", "clients?filter[email]=x", "clients?sort=email", "clients/1?fields=email"):
        assert reached(target, narrow) == {"tblcontacts": ["active"]}
    assert reached("clients?fields=company", narrow) == {}


def test_a_sum_counts_every_row() -> None:
    """What is paid of an invoice does not depend on who asks; the sum belongs to the row."""
    narrow = Access("narrow", {"*": Grant(READ), "invoicepaymentrecords": only("amount")})

    assert reached("invoices?fields=paid&filter[balance.gt]=0", narrow) == {}
    assert reached("invoices?filter[payments.amount.gt]=1", narrow) == {"tblinvoicepaymentrecords": ["amount"]}


def test_the_own_table_is_narrowed_by_the_plan_itself() -> None:
    """Not a second time, unless the statement enters it again."""
    assert reached("clients?filter[city]=x") == {}
    assert list(reached("clients?filter[invoices.client.city]=x")) == ["tblclients"]


def test_an_unlimited_caller_reaches_everything() -> None:
    """Nothing is demanded, and the plans are those of before."""
    assert reached("invoices?filter[client.city]=x", ALL) == {}


def test_several_tables_have_a_filter_each() -> None:
    """Once, however often they are entered."""
    both = Access("both", {"*": Grant(READ), "clients": only("country"), "contacts": only("active", "1")})
    target = "invoices?filter[client.city]=x&filter[client.contacts.email]=y&sort=client.city,client.company"

    assert reached(target, both) == {"tblclients": ["country"], "tblcontacts": ["active"]}


def test_the_currency_that_is_looked_at_is_reached_too() -> None:
    """A warning must not tell of invoices that the caller may not see."""
    narrow = Access("narrow", {"*": Grant(READ), "invoices": only("clientid")})
    planned = ask_groups(CRM, "payments?metrics=sum.amount", narrow)

    assert planned.plan.currency is not None
    assert [table.name for table, _ in planned.plan.filters] == ["tblinvoices"]


# The grants' own conditions


def test_a_row_filter_may_name_what_its_caller_may_not_read() -> None:
    """It is not the client's text; it stands apart, as it goes by all rows of the tables it reaches."""
    grant = Grant(READ, frozenset({"userid"}), row_filter=(ConditionIntent(("primary_contact", "email"), "x", "…"),))
    context = context_of(CRM, granted(clients=grant))
    (condition,) = row_filter(context, CLIENTS)

    assert isinstance(condition, Granted)
    assert [field.name for field in fields_of(condition)] == ["primary_contact.email"]


def test_what_a_row_filter_reaches_is_not_narrowed_again() -> None:
    """Or two grants that look at each other's tables would never come to an end."""
    mutual = Access("mutual", {"clients": only("invoices.status", "1"), "invoices": only("client.country")})
    planned = ask(CRM, "clients", mutual)

    assert planned.plan.filters == ()
    assert reached("clients?filter[invoices.total.gt]=1", mutual) == {"tblinvoices": ["client.country"]}


def test_rows_that_exist_for_nobody_are_left_out_of_what_is_reached() -> None:
    """Whoever asks: values of secret custom fields."""
    values = CRM.resources["customfieldsvalues"]
    field = values.fields["fieldid"]
    assert isinstance(field, Column)
    secret = replace(values, excluded=Excluded(field, (7, 9)))
    tables = {**CRM.tables, values.name: secret}
    catalog = replace(CRM, tables=tables, resources={**CRM.resources, "customfieldsvalues": secret})
    plan = ask(catalog, "clients?filter[customfieldsvalues.value]=x").plan

    assert [(table.name, condition_text(condition)) for table, condition in plan.filters] == [
        ("tblcustomfieldsvalues", "all of\n  fieldid nin $1, $2\n")
    ]


# The day


@pytest.mark.parametrize(
    "target",
    [
        "payments?filter[invoice.is_overdue]=1",
        "payments?sort=invoice.is_overdue",
        "clients?filter[invoices.is_overdue]=1",
        'clients?where={"not":{"invoices":{"every":{"is_overdue":0}}}}',
        "invoices?group=is_overdue",
        "invoices?metrics=sum.is_overdue",
        "payments?group=invoice.is_overdue",
    ],
)
def test_the_day_is_there_wherever_a_field_looks_at_it(target: str) -> None:
    """At the end of a path, among other rows, in groups; such values do not last."""
    planned = ask_any(CRM, target)

    assert planned.plan.today is not None
    assert planned.values[planned.plan.today] == NOW.date()
    assert not planned.is_timeless


def test_a_filter_of_another_table_gets_the_day_too() -> None:
    """Though the question itself does not look at it."""
    narrow = Access("narrow", {"*": Grant(READ), "invoices": only("is_overdue", "1")})
    planned = ask(CRM, "payments?filter[invoice.total.gt]=1", narrow)

    assert planned.plan.today is not None
    assert ask(CRM, "payments?filter[invoice.total.gt]=1").plan.today is None


# Looking at conditions


COMPARE = Compare(CLIENTS.columns[0], "eq", (0,))
MANY = CLIENTS.relationships["invoices"]


def test_fields_are_found_in_every_kind_of_condition() -> None:
    """Of the own table and of those it reaches."""
    inner = Compare(INVOICES.columns[0], "null")
    whole = And((Or((COMPARE, Not(inner))), Reached(CLIENTS, MANY, COMPARE), Granted(COMPARE)))

    assert fields_of(whole) == (COMPARE.field, inner.field, COMPARE.field, COMPARE.field)
    assert fields_of(Quantified((), MANY, "every", inner)) == (inner.field,)


def test_a_plain_condition_is_one_that_the_optimizer_can_judge() -> None:
    """Columns of the own table; not what is derived, nor what other rows say."""
    email = Compare(CLIENTS.fields["email"], "eq", (0,))

    assert is_plain(And((COMPARE, Or((Not(COMPARE), Granted(COMPARE))), Reached(CLIENTS, MANY, COMPARE))))
    for condition in (email, Not(email), Quantified((), MANY, "some", COMPARE), Or((COMPARE, email))):
        assert not is_plain(condition)


def test_a_plans_field_is_made_of_one_of_a_table() -> None:
    """Whatever is made of it; a bare count of none."""
    plan = ask_groups(CRM, "invoices?group=client.datecreated.year&metrics=count,max.is_overdue,sum.client.userid").plan
    count, overdue, key = plan.metrics

    assert own_field(count) is None
    assert needs_today(overdue)
    assert own_field(key) is CLIENTS.fields["userid"]
    assert [own_field(group) for group in plan.groups] == [CLIENTS.fields["datecreated"]]  # type: ignore[arg-type]  # a period


def test_a_plan_without_reach_is_left_as_it_is() -> None:
    """No slot is given out for nothing."""
    context = context_of(CRM)

    rows, groups = ReadPlan(CLIENTS, CLIENTS.key), AggregatePlan(CLIENTS)
    assert (with_reach(context, rows), with_reach(context, groups)) == (rows, groups)
    assert context.slots.frozen() == ()
