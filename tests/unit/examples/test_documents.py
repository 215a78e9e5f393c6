"""Every document's totals, status and number, computed anew from the lines and payments, by the CRM's own rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.unit.examples.conftest import TODAY, Crm, money

CENT = Decimal("0.01")
KINDS = {"invoice": "invoices", "estimate": "estimates", "proposal": "proposals", "credit_note": "creditnotes"}


def cents(value: Decimal) -> Decimal:
    """Round as the CRM's forms do."""
    return value.quantize(CENT, ROUND_HALF_UP)


def computed(document: Any, lines: list[Any], taxes: dict[int, list[Any]]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return subtotal, discount, tax and total of a document from its lines."""
    chosen = [line for line in lines if not (line["is_optional"] and not line["is_selected"])]
    amounts = {line["id"]: cents(money(line["qty"]) * money(line["rate"])) for line in chosen}
    subtotal = sum(amounts.values(), Decimal(0))
    groups: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in chosen:
        for tax in taxes[line["id"]]:
            rate = money(tax["taxrate"])
            groups[tax["taxname"], rate] += amounts[line["id"]] * rate / 100
    percent, fixed = money(document["discount_percent"]), money(document["discount_total"])
    kept = Decimal(1)
    if document["discount_type"] == "before_tax":
        kept = 1 - percent / 100 if percent else 1 - fixed / subtotal
    tax_sum = sum((value * kept for value in groups.values()), Decimal(0))
    base = subtotal if document["discount_type"] == "before_tax" else subtotal + tax_sum
    discount = base * percent / 100 if percent else fixed
    total = subtotal + tax_sum - discount + money(document["adjustment"])
    return subtotal, cents(discount), cents(tax_sum), cents(total)


@pytest.mark.parametrize("kind", KINDS)
def test_stored_totals_are_those_of_the_lines(crm: Crm, kind: str) -> None:
    """Subtotal, discount, tax and total of each document follow from its lines, to the cent."""
    lines: dict[int, list[Any]] = defaultdict(list)
    taxes: dict[int, list[Any]] = defaultdict(list)
    for line in crm("SELECT * FROM tblitemable WHERE rel_type=?", kind):
        lines[line["rel_id"]].append(line)
    for tax in crm("SELECT * FROM tblitem_tax WHERE rel_type=?", kind):
        taxes[tax["itemid"]].append(tax)

    for document in crm(f"SELECT * FROM tbl{KINDS[kind]}"):
        stored = tuple(money(document[name]) for name in ("subtotal", "discount_total", "total_tax", "total"))
        assert computed(document, lines[document["id"]], taxes) == stored, dict(document)


def test_the_parts_of_every_total_add_up(crm: Crm) -> None:
    """Readers that add up stored columns get the stored total."""
    for table in KINDS.values():
        for row in crm(f"SELECT * FROM tbl{table}"):
            parts = money(row["subtotal"]) + money(row["total_tax"]) - money(row["discount_total"])
            assert parts + money(row["adjustment"]) == money(row["total"])


def settled(crm: Crm) -> dict[int, Decimal]:
    """Return payments and credits per invoice."""
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for row in crm("SELECT invoiceid, amount FROM tblinvoicepaymentrecords"):
        paid[row["invoiceid"]] += money(row["amount"])
    for row in crm("SELECT invoice_id, amount FROM tblcredits"):
        paid[row["invoice_id"]] += money(row["amount"])
    return paid


def expected_status(invoice: Any, paid: Decimal) -> int:
    """Return the status that the CRM's rule gives an invoice which is neither draft nor cancelled."""
    total = money(invoice["total"])
    if paid == 0:
        if total == 0:
            return 2
        return 4 if invoice["duedate"] and invoice["duedate"] < TODAY.isoformat() else 1
    return 2 if paid >= total else 3


def test_invoice_statuses_follow_payments_credits_and_due_dates(crm: Crm) -> None:
    """Each status is what the rule says as of today; drafts and cancelled invoices have nothing paid."""
    paid = settled(crm)

    for invoice in crm("SELECT * FROM tblinvoices"):
        if invoice["status"] in (5, 6):
            assert paid[invoice["id"]] == 0
        else:
            assert invoice["status"] == expected_status(invoice, paid[invoice["id"]]), dict(invoice)


def test_every_invoice_status_occurs(crm: Crm) -> None:
    """Unpaid, paid, partially paid, overdue, cancelled and draft invoices are all there."""
    assert {row["status"] for row in crm("SELECT DISTINCT status FROM tblinvoices")} == {1, 2, 3, 4, 5, 6}


def formatted(row: Any) -> str:
    """Return the number as the CRM displays it."""
    if row["number"] == 1000000000:
        return f"{row['prefix']}DRAFT"
    year, month, _ = row["date"].split("-")
    padded = f"{row['number']:06d}"
    return {
        1: f"{row['prefix']}{padded}",
        2: f"{row['prefix']}{year}/{padded}",
        3: f"{row['prefix']}{padded}-{year[2:]}",
        4: f"{row['prefix']}{padded}/{month}/{year}",
    }[int(row["number_format"])]


@pytest.mark.parametrize("table", ["invoices", "estimates", "creditnotes"])
def test_numbers_are_unique_dense_and_continued_by_the_option(crm: Crm, table: str) -> None:
    """Numbers run from 1 without a gap, their text follows the format, and the option holds the next one."""
    rows = crm(f"SELECT * FROM tbl{table} ORDER BY id")
    numbers = [row["number"] for row in rows if row["number"] != 1000000000]
    name = {"invoices": "invoice", "estimates": "estimate", "creditnotes": "credit_note"}[table]
    option = crm("SELECT value FROM tbloptions WHERE name=?", f"next_{name}_number")

    assert numbers == list(range(1, len(numbers) + 1))
    assert int(option[0]["value"]) == len(numbers) + 1
    assert [row["formatted_number"] for row in rows] == [formatted(row) for row in rows]


def test_drafts_wait_for_their_number(crm: Crm) -> None:
    """An invoice is a draft exactly when it holds the placeholder number."""
    assert not crm("SELECT id FROM tblinvoices WHERE (status=6) <> (number=1000000000)")


def test_credit_notes_close_when_they_are_used_up(crm: Crm) -> None:
    """Closed means that credits and refunds equal the total; open means less; void ones are untouched."""
    used: dict[int, Decimal] = defaultdict(Decimal)
    for table, column in (("credits", "credit_id"), ("creditnote_refunds", "credit_note_id")):
        for row in crm(f"SELECT {column} AS note, amount FROM tbl{table}"):
            used[row["note"]] += money(row["amount"])

    for note in crm("SELECT * FROM tblcreditnotes"):
        spent, total = used[note["id"]], money(note["total"])
        assert note["status"] == (2 if spent == total else 1) or (note["status"] == 3 and spent == 0)
        assert spent <= total


def test_there_is_enough_to_ask_about(crm: Crm) -> None:
    """Examples in the documentation find rows: at least ten paid invoices over 1,000 at every scale."""
    paid = crm("SELECT duedate FROM tblinvoices WHERE status=2 AND total>1000")
    size = len(crm("SELECT id FROM tblinvoices"))
    early = [row for row in paid if row["duedate"] and row["duedate"] < "2026-04-01"]

    assert len(paid) >= 10
    assert size < 2000 or len(early) >= 60


def test_payments_reach_into_every_recent_month(crm: Crm) -> None:
    """The current month has several payments; at demo scale so has each of the 24 before it, and none is ahead."""
    rows = crm("SELECT date FROM tblinvoicepaymentrecords")
    months = Counter(row["date"][:7] for row in rows)
    recent = [f"{2024 + (6 + at) // 12}-{(6 + at) % 12 + 1:02d}" for at in range(25)]

    assert max(row["date"] for row in rows) <= TODAY.isoformat()
    assert months["2026-07"] >= 3
    assert len(rows) < 1000 or all(months[month] >= 10 for month in recent[1:])


def test_invoices_copy_the_billing_address_of_their_customer(crm: Crm) -> None:
    """The document keeps the address the customer has."""
    assert not crm(
        "SELECT i.id FROM tblinvoices i JOIN tblclients c ON c.userid=i.clientid "
        "WHERE i.billing_street<>c.billing_street OR i.billing_country<>c.billing_country"
    )
