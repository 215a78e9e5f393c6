"""Credits and refunds: the statuses of both documents follow (SEMANTICS 3.2, 3.5, 13)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.credits import CreditRule, RefundRule
from gateway.operations.managed.model import Row, Rule
from tests.support.managed_memory import NOON, Memory
from tests.support.money import credit, credit_note, draft_invoice, invoice, money_crm, payment, refund

CREDITS, REFUNDS = CreditRule(), RefundRule()


def statuses(crm: Memory) -> tuple[list[object], list[object]]:
    """Return the statuses of all invoices and of all credit notes."""
    return [row["status"] for row in crm.rows("invoices")], [row["status"] for row in crm.rows("creditnotes")]


def apply(crm: Memory, document: int, note: int, amount: str) -> object:
    """Apply a credit and return its key."""
    return crm.create(CREDITS, "credits", credit(document, note, amount))


def test_a_credit_settles_the_invoice_and_the_credit_note() -> None:
    """Part of a credit note pays part of an invoice; all of it closes the note."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    apply(crm, 1, 1, "20.00")
    assert statuses(crm) == ([3], [1])

    apply(crm, 1, 1, "30.00")
    assert statuses(crm) == ([3], [2])
    assert crm.rows("invoices") == [invoice(1, status=3)]
    assert crm.rows("creditnotes") == [credit_note(1, status=2)]


def test_the_timeline_tells_of_the_changed_status_alone() -> None:
    """A credit is no payment made by staff."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    apply(crm, 1, 1, "20.00")
    apply(crm, 1, 1, "20.00")

    (row,) = crm.rows("sales_activity")
    first, second = "<original_status>1</original_status>", "<new_status>3</new_status>"
    assert row == {
        "id": 1,
        "rel_type": "invoice",
        "rel_id": 1,
        "description": "invoice_activity_status_updated",
        "additional_data": f'a:2:{{i:0;s:{len(first)}:"{first}";i:1;s:{len(second)}:"{second}";}}',
        "staffid": "3",
        "full_name": "Ada Berg",
        "date": NOON,
    }


def test_a_credit_ends_a_draft() -> None:
    """The draft takes its number and the status that its credit gives it."""
    crm = money_crm(draft_invoice(1, "50.00"), notes=(credit_note(1),))
    apply(crm, 1, 1, "50.00")

    assert crm.rows("invoices") == [draft_invoice(1, "50.00", status=2, number=17, formatted_number="INV-000017")]
    assert [row["value"] for row in crm.rows("options")] == ["18", "6"]
    assert statuses(crm) == ([2], [2])


def test_payments_count_with_credits() -> None:
    """What was paid is part of what the invoice has."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    crm.rows("invoicepaymentrecords").append({"id": 1, **payment(1, "50.00")})
    apply(crm, 1, 1, "50.00")

    assert statuses(crm) == ([2], [2])


def test_a_changed_credit_settles_both() -> None:
    """Less credit leaves more due and opens the note again."""
    crm = money_crm(invoice(1, "50.00"), notes=(credit_note(1),))
    key = apply(crm, 1, 1, "50.00")
    crm.update(CREDITS, "credits", key, {"amount": Decimal("49.99")})

    assert statuses(crm) == ([3], [1])


def test_a_removed_credit_settles_both() -> None:
    """The invoice is unpaid and the note open."""
    crm = money_crm(invoice(1, "50.00"), notes=(credit_note(1),))
    crm.delete(CREDITS, "credits", apply(crm, 1, 1, "50.00"))

    assert statuses(crm) == ([1], [1])


def test_a_credit_that_moves_settles_all_four() -> None:
    """Both invoices and both credit notes follow; they are held in the order of invoices, then notes."""
    crm = money_crm(invoice(1, "50.00"), invoice(2, "50.00"), notes=(credit_note(1), credit_note(2)))
    key = apply(crm, 2, 2, "50.00")
    assert statuses(crm) == ([1, 2], [1, 2])
    crm.update(CREDITS, "credits", key, {"invoice_id": 1, "credit_id": 1})

    assert statuses(crm) == ([2, 1], [2, 1])
    assert [lookup.table for lookup in crm.asked[:2]] == ["invoices", "creditnotes"]


def test_a_void_credit_note_stays_void() -> None:
    """Void is staff's own word."""
    crm = money_crm(invoice(1), notes=(credit_note(1, status=3),))
    apply(crm, 1, 1, "50.00")

    assert statuses(crm) == ([3], [3])


def test_a_refund_settles_the_credit_note() -> None:
    """Credits and refunds together close it; a smaller refund opens it again, and so does none."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    apply(crm, 1, 1, "20.00")
    key = crm.create(REFUNDS, "creditnote_refunds", refund(1, "30.00"))
    assert statuses(crm)[1] == [2]

    crm.update(REFUNDS, "creditnote_refunds", key, {"amount": Decimal("29.99")})
    assert statuses(crm)[1] == [1]

    crm.update(REFUNDS, "creditnote_refunds", key, {"amount": Decimal("30.00")})
    crm.delete(REFUNDS, "creditnote_refunds", key)
    assert statuses(crm)[1] == [1]


def test_a_refund_that_moves_settles_both_credit_notes() -> None:
    """The one it leaves is open, the one it comes to closed."""
    crm = money_crm(notes=(credit_note(1), credit_note(2)))
    key = crm.create(REFUNDS, "creditnote_refunds", refund(1, "50.00"))
    crm.update(REFUNDS, "creditnote_refunds", key, {"credit_note_id": 2})

    assert statuses(crm)[1] == [1, 2]


@pytest.mark.parametrize(
    ("rule", "table", "values", "pointer", "code"),
    [
        (CREDITS, "credits", credit(9, 1, "1.00"), "/invoice_id", "reference"),
        (CREDITS, "credits", credit(1, 9, "1.00"), "/credit_id", "reference"),
        (CREDITS, "credits", credit(1, 1, "0.00"), "/amount", "out_of_range"),
        (REFUNDS, "creditnote_refunds", refund(9, "1.00"), "/credit_note_id", "reference"),
        (REFUNDS, "creditnote_refunds", refund(1, "-1.00"), "/amount", "out_of_range"),
        (REFUNDS, "creditnote_refunds", refund(1, "1.00", payment_mode="8"), "/payment_mode", "reference"),
    ],
)
def test_what_does_not_fit_is_named(rule: Rule, table: str, values: Row, pointer: str, code: str) -> None:
    """A missing document, an amount of nothing and an unknown way of payment are refused, and nothing changes."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    with pytest.raises(ValidationError) as refused:
        crm.create(rule, table, values)

    assert [(issue.pointer, issue.code) for issue in refused.value.issues] == [(pointer, code)]
    assert (statuses(crm), crm.rows(table)) == (([1], [1]), [])


def test_rows_without_their_documents_can_be_removed() -> None:
    """What was left behind by another program goes without a fault."""
    crm = money_crm(invoice(1), notes=(credit_note(1),))
    crm.rows("credits").append({"id": 1, **credit(8, 9, "1.00")})
    crm.rows("creditnote_refunds").append({"id": 1, **refund(9, "1.00")})
    crm.delete(CREDITS, "credits", 1)
    crm.delete(REFUNDS, "creditnote_refunds", 1)

    assert statuses(crm) == ([1], [1])
