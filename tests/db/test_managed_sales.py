"""New invoices, estimates, credit notes and proposals: every row they touch is what SEMANTICS says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.app import App
from tests.support.sales import (
    LINES,
    MONEY,
    TODAY,
    VAT,
    Crm,
    check_lines,
    customer,
    differences,
    faults,
    made,
    of_customer,
    send,
    told,
    words,
)

# Creates


async def test_a_new_invoice_and_everything_that_goes_with_it(sales: tuple[App, Crm]) -> None:
    """Every column of the invoice, its lines, its tax, the counter and the timeline; nothing else is written."""
    app, crm = sales
    counts, number = crm.counts(), int(crm.option("next_invoice_number"))
    key = await made(app, "invoices", clientid=1, items=LINES)
    row = crm.row("invoices", key)
    modes = crm.run(
        "SELECT id FROM tblpayment_modes WHERE active = 1 AND selected_by_default = 1 AND expenses_only = 0 ORDER BY id"
    )

    assert len(row.pop("hash")) == 32
    assert row == {
        **of_customer(crm),
        **MONEY,
        "id": float(key),
        "sent": 0.0,
        "datesend": None,
        "deleted_customer_name": None,
        "number": float(number),
        "prefix": "INV-",
        "number_format": 1.0,
        "formatted_number": f"INV-{number:06}",
        "datecreated": crm.wall(),
        "date": TODAY,
        "duedate": "2026-08-14",
        "adjustment": 0.0,
        "addedfrom": 1.0,
        "status": 1.0,
        "clientnote": crm.option("predefined_clientnote_invoice"),
        "adminnote": None,
        "last_overdue_reminder": None,
        "last_due_reminder": None,
        "cancel_overdue_reminders": 0.0,
        "allowed_payment_modes": words(*(str(int(mode["id"])) for mode in modes)),
        "token": None,
        "discount_percent": 0.0,
        "discount_total": 0.0,
        "discount_type": "",
        "recurring": 0.0,
        "recurring_type": None,
        "custom_recurring": 0.0,
        "cycles": 0.0,
        "total_cycles": 0.0,
        "is_recurring_from": None,
        "last_recurring_date": None,
        "terms": crm.option("predefined_terms_invoice"),
        "sale_agent": 0.0,
        "include_shipping": 0.0,
        "show_shipping_on_invoice": 1.0,
        "show_quantity_as": 1.0,
        "project_id": 0.0,
        "subscription_id": 0.0,
        "short_link": None,
    }
    check_lines(crm, "invoice", key)
    assert crm.owned("sales_activity", "invoice", key) == [told(crm, "invoice", key, "invoice_activity_created")]
    assert crm.option("next_invoice_number") == str(number + 1)
    assert differences(counts, crm.counts()) == {"invoices": 1, "itemable": 2, "item_tax": 1, "sales_activity": 1}


async def test_what_is_sent_is_kept(sales: tuple[App, Crm]) -> None:
    """Defaults are for what was left out; the shipping address comes along when it is asked for."""
    app, crm = sales
    sent: dict[str, Any] = {
        "date": "2025-12-31",
        "duedate": None,
        "terms": "now",
        "clientnote": "",
        "allowed_payment_modes": [],
        "billing_city": "Ulm",
        "include_shipping": 1,
        "shipping_zip": "89073",
        "discount_type": "after_tax",
        "discount_percent": "10",
        "adjustment": "-1.50",
        "currency": 2,
    }
    row = crm.row("invoices", await made(app, "invoices", clientid=1, items=LINES, **sent))

    assert {name: row[name] for name in sent} == {
        **sent,
        "allowed_payment_modes": "a:0:{}",
        "include_shipping": 1.0,
        "discount_percent": 10.0,
        "adjustment": -1.5,
        "currency": 2.0,
    }
    assert row["shipping_city"] == customer(crm)["shipping_city"]
    assert (row["discount_total"], row["total"]) == (5.15, 44.82)


async def test_a_new_estimate_and_everything_that_goes_with_it(sales: tuple[App, Crm]) -> None:
    """As an invoice's, with its own counter and a last day."""
    app, crm = sales
    counts, number = crm.counts(), int(crm.option("next_estimate_number"))
    key = await made(app, "estimates", clientid=1, items=LINES)
    row = crm.row("estimates", key)

    assert len(row.pop("hash")) == 32
    assert row == {
        **of_customer(crm),
        **MONEY,
        "id": float(key),
        "sent": 0.0,
        "datesend": None,
        "deleted_customer_name": None,
        "project_id": 0.0,
        "number": float(number),
        "prefix": "EST-",
        "number_format": 1.0,
        "formatted_number": f"EST-{number:06}",
        "datecreated": crm.wall(),
        "date": TODAY,
        "expirydate": "2026-08-14",
        "adjustment": 0.0,
        "addedfrom": 1.0,
        "status": 1.0,
        "clientnote": crm.option("predefined_clientnote_estimate"),
        "adminnote": None,
        "discount_percent": 0.0,
        "discount_total": 0.0,
        "discount_type": "",
        "invoiceid": None,
        "invoiced_date": None,
        "terms": crm.option("predefined_terms_estimate"),
        "reference_no": None,
        "sale_agent": 0.0,
        "include_shipping": 0.0,
        "show_shipping_on_estimate": 1.0,
        "show_quantity_as": 1.0,
        "pipeline_order": 1.0,
        "is_expiry_notified": 0.0,
        "acceptance_firstname": None,
        "acceptance_lastname": None,
        "acceptance_email": None,
        "acceptance_date": None,
        "acceptance_ip": None,
        "signature": None,
        "short_link": None,
    }
    check_lines(crm, "estimate", key)
    assert crm.owned("sales_activity", "estimate", key) == [told(crm, "estimate", key, "estimate_activity_created")]
    assert crm.option("next_estimate_number") == str(number + 1)
    assert differences(counts, crm.counts()) == {"estimates": 1, "itemable": 2, "item_tax": 1, "sales_activity": 1}


async def test_a_new_credit_note_and_everything_that_goes_with_it(sales: tuple[App, Crm]) -> None:
    """It has no link of its own, no last day and no timeline."""
    app, crm = sales
    counts, number = crm.counts(), int(crm.option("next_credit_note_number"))
    key = await made(app, "credit_notes", clientid=1, items=LINES)

    assert crm.row("creditnotes", key) == {
        **of_customer(crm),
        **MONEY,
        "id": float(key),
        "deleted_customer_name": None,
        "number": float(number),
        "prefix": "CN-",
        "number_format": 1.0,
        "formatted_number": f"CN-{number:06}",
        "datecreated": crm.wall(),
        "date": TODAY,
        "adminnote": None,
        "terms": "",
        "clientnote": "",
        "adjustment": 0.0,
        "addedfrom": 1.0,
        "status": 1.0,
        "project_id": 0.0,
        "discount_percent": 0.0,
        "discount_total": 0.0,
        "discount_type": "",
        "include_shipping": 0.0,
        "show_shipping_on_credit_note": 1.0,
        "show_quantity_as": 1.0,
        "reference_no": None,
    }
    check_lines(crm, "credit_note", key)
    assert crm.option("next_credit_note_number") == str(number + 1)
    assert differences(counts, crm.counts()) == {"creditnotes": 1, "itemable": 2, "item_tax": 1}


@pytest.mark.parametrize("rel_type", ["customer", "lead"])
async def test_a_new_proposal_and_everything_that_goes_with_it(sales: tuple[App, Crm], rel_type: str) -> None:
    """It is addressed to a customer or a lead, and only a lead's timeline tells of it."""
    app, crm = sales
    counts = crm.counts()
    key = await made(app, "proposals", rel_type=rel_type, rel_id=1, subject="A & B", items=LINES)
    row = crm.row("proposals", key)
    if rel_type == "customer":
        source = customer(crm)
        contacts = crm.run("SELECT email FROM tblcontacts WHERE userid = 1 AND is_primary = 1")
        name, email = source["company"], contacts[0]["email"] if contacts else None
    else:
        source = crm.row("leads", 1)
        name, email = source["name"], source["email"]

    assert len(row.pop("hash")) == 32
    assert row == {
        **MONEY,
        "id": float(key),
        "subject": "A & B",
        "content": "{proposal_items}",
        "addedfrom": 1.0,
        "datecreated": crm.wall(),
        "adjustment": 0.0,
        "discount_percent": 0.0,
        "discount_total": 0.0,
        "discount_type": "",
        "show_quantity_as": 1.0,
        "currency": source.get("default_currency") or 1.0,
        "open_till": "2026-08-05",
        "date": TODAY,
        "rel_id": 1.0,
        "rel_type": rel_type,
        "assigned": None,
        "proposal_to": name,
        "project_id": None,
        "country": source["country"],
        "zip": source["zip"],
        "state": source["state"],
        "city": source["city"],
        "address": source["address"],
        "email": email,
        "phone": source["phonenumber"],
        "allow_comments": 1.0,
        "status": 6.0,
        "estimate_id": None,
        "invoice_id": None,
        "date_converted": None,
        "pipeline_order": 1.0,
        "is_expiry_notified": 0.0,
        "acceptance_firstname": None,
        "acceptance_lastname": None,
        "acceptance_email": None,
        "acceptance_date": None,
        "acceptance_ip": None,
        "signature": None,
        "short_link": None,
    }
    check_lines(crm, "proposal", key)
    logs = {"lead_activity_log": 1} if rel_type == "lead" else {}
    assert differences(counts, crm.counts()) == {"proposals": 1, "itemable": 2, "item_tax": 1, **logs}
    if rel_type == "lead":
        (log,) = crm.run("SELECT * FROM tbllead_activity_log ORDER BY id DESC LIMIT 1")
        description = "not_lead_activity_created_proposal"
        assert (log["leadid"], log["description"], log["additional_data"]) == (1.0, description, words("A &amp; B"))


async def test_sixteen_creators_at_once_take_sixteen_numbers(sales: tuple[App, Crm]) -> None:
    """None is skipped and none is given twice, whoever comes first."""
    app, crm = sales
    first = int(crm.option("next_invoice_number"))
    keys = await asyncio.gather(*(made(app, "invoices", clientid=1, items=LINES) for _ in range(16)))

    assert sorted(crm.row("invoices", key)["number"] for key in keys) == [first + place for place in range(16)]
    assert crm.option("next_invoice_number") == str(first + 16)


async def test_a_number_that_is_taken_in_its_year_is_not_given_again(sales: tuple[App, Crm]) -> None:
    """A counter that staff set back is told of, and nothing is written."""
    app, crm = sales
    number = crm.option("next_invoice_number")
    await made(app, "invoices", clientid=1)
    counts = crm.counts()
    crm.option("next_invoice_number", number)
    answer = await send(app, "POST", "invoices", {"clientid": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert (crm.counts(), crm.option("next_invoice_number")) == (counts, number)
    await made(app, "invoices", clientid=1, date="2019-01-01")


async def test_a_failed_create_leaves_nothing(sales: tuple[App, Crm]) -> None:
    """Neither a row nor a number that is gone."""
    app, crm = sales
    counts, number = crm.counts(), crm.option("next_invoice_number")
    found = await faults(app, "POST", "invoices", clientid=1, total="1.00", items=LINES)

    assert found == [("/total", "computed")]
    assert (crm.counts(), crm.option("next_invoice_number")) == (counts, number)


REFUSED: list[tuple[dict[str, object], tuple[str, str]]] = [
    ({"clientid": 999_999}, ("/clientid", "reference")),
    ({"clientid": 1, "currency": 999}, ("/currency", "reference")),
    ({"clientid": 1, "status": 5}, ("/status", "computed")),
    ({"clientid": 1, "status": 1}, ("/status", "computed")),
    ({"clientid": 1, "status": 6, "sent": 1}, ("/sent", "computed")),
    ({"clientid": 1, "number": 3}, ("/number", "computed")),
    ({"clientid": 1, "discount_percent": 5}, ("/discount_type", "required")),
    ({"clientid": 1, "discount_type": "never"}, ("/discount_type", "member")),
    ({"clientid": 1, "discount_type": "before_tax", "discount_percent": 101}, ("/discount_percent", "out_of_range")),
    ({"clientid": 1, "discount_type": "before_tax", "discount_total": -1}, ("/discount_total", "out_of_range")),
    (
        {"clientid": 1, "discount_type": "after_tax", "discount_percent": 5, "discount_total": 9},
        ("/discount_total", "computed"),
    ),
    ({"clientid": 1, "shipping_city": "Ulm"}, ("/shipping_city", "computed")),
    ({"clientid": 1, "payments": [{"amount": 1, "paymentmode": "1"}]}, ("/payments/0", "read_only")),
    ({"clientid": 1, "items": [{"description": "x", "qty": 1}]}, ("/items/0/rate", "required")),
    ({"clientid": 1, "item_tax": [{**VAT, "itemid": 1}]}, ("/item_tax/0", "read_only")),
    ({"clientid": 1, "tasks": [{"name": "x"}]}, ("/tasks/0", "read_only")),
    ({"clientid": 1, "items": [{**LINES[0], "rel_id": 3}]}, ("/items/0/rel_id", "computed")),
    (
        {"clientid": 1, "items": [{**LINES[0], "taxes": [{"taxname": "x", "taxrate": "much"}]}]},
        ("/items/0/taxes/0/taxrate", "type"),
    ),
    ({"clientid": 1, "items": [{**LINES[0], "qty": 9e12, "rate": 9e12}]}, ("/total", "out_of_range")),
]


@pytest.mark.parametrize(("body", "fault"), REFUSED)
async def test_what_a_new_invoice_cannot_be(
    sales: tuple[App, Crm], body: dict[str, object], fault: tuple[str, str]
) -> None:
    """Each fault is named where it stands."""
    app, _ = sales

    assert await faults(app, "POST", "invoices", **body) == [fault]
