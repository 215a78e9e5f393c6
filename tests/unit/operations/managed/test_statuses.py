"""Statuses that follow from money, against every line of SEMANTICS 3.5 and 13."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.operations.managed.statuses import (
    amounts,
    credit_note_credits,
    credit_note_refunds,
    credit_note_status,
    invoice_credits,
    invoice_payments,
    invoice_status,
    summed,
)

TODAY = date(2026, 7, 15)
YESTERDAY, TOMORROW = date(2026, 7, 14), date(2026, 7, 16)


@pytest.mark.parametrize(
    ("total", "paid", "due", "expected"),
    [
        ("0.00", "0.00", None, 2),
        ("0.00", "0.00", YESTERDAY, 2),
        ("100.00", "0.00", None, 1),
        ("100.00", "0.00", TODAY, 1),
        ("100.00", "0.00", TOMORROW, 1),
        ("100.00", "0.00", YESTERDAY, 4),
        ("100.00", "0.01", None, 3),
        ("100.00", "99.99", YESTERDAY, 3),
        ("100.00", "100.00", YESTERDAY, 2),
        ("100.00", "100.01", None, 2),
    ],
)
def test_an_invoice_follows_what_was_paid(total: str, paid: str, due: date | None, expected: int) -> None:
    """Whatever an issued invoice was before, its status is told by total, payments and due date."""
    for before in (1, 2, 3, 4):
        assert invoice_status(before, Decimal(total), Decimal(paid), due, TODAY) == expected


@pytest.mark.parametrize("before", [5, 6])
def test_cancelled_and_draft_stay_unless_forced(before: int) -> None:
    """A payment alone does not revive a cancelled invoice; sending or paying a draft forces its status."""
    assert invoice_status(before, Decimal(10), Decimal(10), None, TODAY) == before
    assert invoice_status(before, Decimal(10), Decimal(10), None, TODAY, forced=True) == 2
    assert invoice_status(before, Decimal(10), Decimal(0), YESTERDAY, TODAY, forced=True) == 4


def test_payments_that_add_up_to_nothing_are_unpaid_and_not_overdue() -> None:
    """With payments whose sum is zero an invoice is unpaid, also after its due date; one of no money is paid."""
    assert invoice_status(1, Decimal(10), Decimal(0), YESTERDAY, TODAY, has_payments=True) == 1
    assert invoice_status(1, Decimal(0), Decimal(0), YESTERDAY, TODAY, has_payments=True) == 2


@pytest.mark.parametrize(
    ("before", "used", "refunded", "expected"),
    [
        (1, "0", "0", 1),
        (1, "60.00", "39.99", 1),
        (1, "60.00", "40.00", 2),
        (1, "100", "0", 2),
        (1, "0", "100", 2),
        (2, "60.00", "0", 1),
        (2, "100.00", "1.00", 1),
        (3, "100.00", "0", 3),
        (3, "0", "0", 3),
    ],
)
def test_a_credit_note_is_closed_when_all_of_it_is_used(before: int, used: str, refunded: str, expected: int) -> None:
    """Credits and refunds that equal the total close it, anything else opens it; void is staff's own word."""
    assert credit_note_status(before, Decimal("100.00"), Decimal(used), Decimal(refunded)) == expected


def test_an_empty_credit_note_is_closed() -> None:
    """Nothing used equals a total of nothing."""
    assert credit_note_status(1, Decimal("0.00"), Decimal(0), Decimal(0)) == 2


def test_each_sum_has_its_own_lookup() -> None:
    """The rows of a document's money are found under a name of that document, and are not held."""
    lookups = (invoice_payments(7), invoice_credits(7), credit_note_credits(7), credit_note_refunds(7))

    assert [(lookup.table, dict(lookup.where)) for lookup in lookups] == [
        ("invoicepaymentrecords", {"invoiceid": 7}),
        ("credits", {"invoice_id": 7}),
        ("credits", {"credit_id": 7}),
        ("creditnote_refunds", {"credit_note_id": 7}),
    ]
    assert not any(lookup.is_locking for lookup in lookups)
    assert len({lookup.name for lookup in lookups}) == 4


def test_amounts_of_several_lookups_are_summed() -> None:
    """Payments and credits count alike; a lookup without rows counts nothing."""
    found = {"a": ({"id": 1, "amount": Decimal("1.10")},), "b": ({"id": 1, "amount": Decimal("2.20")},)}

    assert summed(amounts(found, "a", "b", "c")) == Decimal("3.30")
    assert summed(()) == Decimal(0)
