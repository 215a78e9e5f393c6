"""Payments: every row that goes with one, column by column (SEMANTICS 3.2, 3.5, 3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from gateway.errors import ConflictError, ValidationError
from gateway.operations.managed.numbers import DRAFT_NUMBER
from gateway.operations.managed.payments import PaymentRule, shown_money
from tests.support.managed_memory import NOON, Memory
from tests.support.money import PAST, credit, draft_invoice, invoice, money_crm, payment

RULE, TABLE = PaymentRule(), "invoicepaymentrecords"


def pay(crm: Memory, document: int, amount: str, **columns: object) -> object:
    """Record a payment and return its key."""
    return crm.create(RULE, TABLE, payment(document, amount, **columns))


def timeline(crm: Memory) -> list[Mapping[str, object]]:
    """Return what the timelines gained, without what is the same in all."""
    rows = crm.take("sales_activity")
    fixed = {"rel_type": "invoice", "staffid": "3", "full_name": "Ada Berg", "date": NOON}
    assert all({name: row[name] for name in fixed} == fixed for row in rows)
    return [{name: row[name] for name in ("rel_id", "description", "additional_data")} for row in rows]


def status_row(document: int, before: int, after: int) -> Mapping[str, object]:
    """Return the timeline's row of a change of status."""
    first, second = f"<original_status>{before}</original_status>", f"<new_status>{after}</new_status>"
    data = f'a:2:{{i:0;s:{len(first)}:"{first}";i:1;s:{len(second)}:"{second}";}}'
    return {"rel_id": document, "description": "invoice_activity_status_updated", "additional_data": data}


def made_row(document: int, amount: str, key: object) -> Mapping[str, object]:
    """Return the timeline's row of a new payment."""
    number = f"#{key}"
    data = f'a:2:{{i:0;s:{len(amount.encode())}:"{amount}";i:1;s:{len(number)}:"{number}";}}'
    return {"rel_id": document, "description": "invoice_activity_payment_made_by_staff", "additional_data": data}


def refusal(crm: Memory, **columns: object) -> tuple[str | None, str | None]:
    """Return where a refused payment is at fault, and how."""
    with pytest.raises(ValidationError) as refused:
        crm.create(RULE, TABLE, {**payment(1, "10.00"), **columns})
    (issue,) = refused.value.issues
    return issue.pointer, issue.code


def test_a_part_payment_and_the_rest() -> None:
    """The invoice is partially paid, then paid; its shown number is written anew each time, its number stays."""
    crm = money_crm(invoice(1, "1500.00"))

    first = pay(crm, 1, "1234.50")
    partly = invoice(1, "1500.00", status=3, formatted_number="INV-000001")
    assert crm.rows("invoices") == [partly]
    assert timeline(crm) == [status_row(1, 1, 3), made_row(1, "1.234,50€", first)]

    second = pay(crm, 1, "265.50")
    assert crm.rows("invoices") == [{**partly, "status": 2}]
    assert timeline(crm) == [status_row(1, 3, 2), made_row(1, "265,50€", second)]


def test_a_second_part_payment_changes_no_status() -> None:
    """Without a change of status the timeline tells of the payment alone."""
    crm = money_crm(invoice(1))
    pay(crm, 1, "10.00")
    timeline(crm)

    assert timeline_of_payment(crm) == ["invoice_activity_payment_made_by_staff"]


def timeline_of_payment(crm: Memory) -> list[object]:
    """Record another payment and return what the timeline says of it."""
    pay(crm, 1, "10.00")
    return [row["description"] for row in timeline(crm)]


def test_a_payment_ends_a_draft() -> None:
    """The draft takes the counter's number, which grows by one, and the status that its payment gives it."""
    crm = money_crm(draft_invoice(1, number_format=2), invoice(2))
    key = pay(crm, 1, "40.00")

    ended = draft_invoice(1, number_format=2, status=3, number=17, formatted_number="INV-2026/000017")
    assert crm.rows("invoices") == [ended, invoice(2)]
    assert [row["value"] for row in crm.rows("options")] == ["18", "6"]
    assert timeline(crm) == [status_row(1, 6, 3), made_row(1, "40,00€", key)]


def test_only_a_draft_holds_the_counter() -> None:
    """Payments of other invoices do not wait for one another at the counter."""
    crm = money_crm(invoice(1))
    pay(crm, 1, "40.00")

    assert not any(lookup.is_locking and lookup.table == "options" for lookup in crm.asked)
    assert [row["value"] for row in crm.rows("options")] == ["17", "6"]


def test_a_draft_without_a_day_takes_the_day_of_its_payment() -> None:
    """A zero date, which reads as none, has no year to show."""
    crm = money_crm(draft_invoice(1, number_format=3, date=None, prefix=None))
    pay(crm, 1, "40.00")

    assert crm.one("invoices", 1)["formatted_number"] == "000017-26"


def test_a_number_that_is_taken_is_not_given_again() -> None:
    """A counter that staff set back gives no second invoice of the same number and year; another year's is fine."""
    taken = money_crm(draft_invoice(1), invoice(2, number=17))
    with pytest.raises(ConflictError) as refused:
        pay(taken, 1, "40.00")
    assert refused.value.code == "duplicate"
    assert (taken.one("invoices", 1)["number"], taken.rows(TABLE)) == (DRAFT_NUMBER, [])

    last_year = money_crm(draft_invoice(1), invoice(2, number=17, date=date(2025, 7, 5)))
    pay(last_year, 1, "40.00")
    assert last_year.one("invoices", 1)["number"] == 17


def test_a_cancelled_invoice_stays_cancelled() -> None:
    """A payment is recorded on it and told of, its status stays."""
    crm = money_crm(invoice(1, status=5))
    key = pay(crm, 1, "100.00")

    assert crm.one("invoices", 1)["status"] == 5
    assert timeline(crm) == [made_row(1, "100,00€", key)]


def test_credits_count_as_payments() -> None:
    """What credit notes gave is part of what was paid."""
    crm = money_crm(invoice(1))
    crm.rows("credits").append({"id": 1, **credit(1, 1, "60.00")})
    pay(crm, 1, "40.00")

    assert crm.one("invoices", 1)["status"] == 2


def test_overpayment_is_allowed() -> None:
    """The CRM does not stop it, and neither do we."""
    crm = money_crm(invoice(1))
    pay(crm, 1, "400.00")

    assert crm.one("invoices", 1)["status"] == 2


def test_a_changed_amount_changes_the_status() -> None:
    """An update settles the invoice by the new amount, and writes no more than the status and its log."""
    crm = money_crm(invoice(1))
    key = pay(crm, 1, "100.00")
    timeline(crm)

    crm.update(RULE, TABLE, key, {"amount": Decimal("99.99")})
    assert crm.rows("invoices") == [invoice(1, status=3, formatted_number="INV-000001")]
    assert timeline(crm) == [status_row(1, 2, 3)]

    crm.update(RULE, TABLE, key, {"note": "by hand"})
    assert timeline(crm) == []


def test_a_removed_payment_leaves_the_invoice_unpaid_or_overdue() -> None:
    """After the last payment the due date decides."""
    for due, expected in ((PAST, 4), (None, 1)):
        crm = money_crm(invoice(1, duedate=due))
        key = pay(crm, 1, "100.00")
        timeline(crm)
        crm.delete(RULE, TABLE, key)

        assert crm.one("invoices", 1)["status"] == expected
        assert timeline(crm) == [status_row(1, 2, expected)]


def test_a_payment_that_moves_settles_both_invoices() -> None:
    """The one it leaves is unpaid, the one it comes to is paid, and a draft ends by it."""
    crm = money_crm(invoice(1), draft_invoice(2))
    key = pay(crm, 1, "100.00")
    timeline(crm)
    crm.update(RULE, TABLE, key, {"invoiceid": 2})

    assert crm.one("invoices", 1)["status"] == 1
    assert crm.one("invoices", 2) == draft_invoice(2, status=2, number=17, formatted_number="INV-000017")
    assert timeline(crm) == [status_row(1, 2, 1), status_row(2, 6, 2)]
    assert next(lookup.where for lookup in crm.asked if lookup.table == "invoices") == {"id": (1, 2)}


def test_a_changed_payment_of_a_draft_does_not_end_it() -> None:
    """Only money that comes to a draft ends it."""
    crm = money_crm(draft_invoice(1))
    crm.rows(TABLE).append({"id": 1, **payment(1, "10.00")})
    crm.update(RULE, TABLE, 1, {"amount": Decimal("20.00")})

    assert crm.rows("invoices") == [draft_invoice(1)]


def test_a_payment_without_its_invoice_can_be_changed_and_removed() -> None:
    """What was left behind by another program is no reason to keep it."""
    crm = money_crm(invoice(1))
    crm.rows(TABLE).append({"id": 1, **payment(9, "10.00")})
    crm.update(RULE, TABLE, 1, {"amount": Decimal("20.00")})
    crm.delete(RULE, TABLE, 1)

    assert crm.rows("invoices") == [invoice(1)]


def test_an_unknown_invoice_is_refused() -> None:
    """A payment belongs to an invoice, on create and when it moves."""
    crm = money_crm(invoice(1))
    assert refusal(crm, invoiceid=9) == ("/invoiceid", "reference")

    key = pay(crm, 1, "10.00")
    with pytest.raises(ValidationError, match="invoiceid"):
        crm.update(RULE, TABLE, key, {"invoiceid": 9})


@pytest.mark.parametrize("amount", ["0.00", "-0.01"])
def test_a_payment_of_nothing_is_refused(amount: str) -> None:
    """An amount is money that moves; one that another program stored may be sent back."""
    crm = money_crm(invoice(1))
    assert refusal(crm, amount=Decimal(amount)) == ("/amount", "out_of_range")

    crm.rows(TABLE).append({"id": 1, **payment(1, amount)})
    crm.update(RULE, TABLE, 1, {"amount": Decimal(amount), "note": "seen"})
    assert crm.one(TABLE, 1)["note"] == "seen"


@pytest.mark.parametrize("mode", [None, "1", "stripe", "paypal_checkout", "my-gateway2"])
def test_a_way_of_payment_is_a_key_or_the_name_of_a_gateway(mode: str | None) -> None:
    """Offline ways are named by their key as text, online ones by their short name."""
    crm = money_crm(invoice(1))

    assert crm.one(TABLE, pay(crm, 1, "1.00", paymentmode=mode))["paymentmode"] == mode


@pytest.mark.parametrize("mode", ["2", "01", "0", "", "a b", "-1", "1.0", "²"])
def test_an_unknown_way_of_payment_is_refused(mode: str) -> None:
    """Neither a key that exists nor the form of a gateway's name; a stored one may be sent back."""
    crm = money_crm(invoice(1))
    assert refusal(crm, paymentmode=mode) == ("/paymentmode", "reference")

    crm.rows(TABLE).append({"id": 1, **payment(1, "1.00", paymentmode=mode)})
    crm.update(RULE, TABLE, 1, {"paymentmode": mode, "note": "seen"})
    assert crm.one(TABLE, 1)["note"] == "seen"


@pytest.mark.parametrize(
    ("currency", "expected"),
    [
        ({}, "1,234,567.80"),
        ({"symbol": "$", "placement": "before", "decimal_separator": ".", "thousand_separator": ","}, "$1,234,567.80"),
        ({"symbol": "€", "placement": "after", "decimal_separator": ",", "thousand_separator": "."}, "1.234.567,80€"),
        ({"symbol": "kr", "placement": None, "decimal_separator": None, "thousand_separator": ""}, "kr1234567.80"),
    ],
)
def test_money_is_shown_in_its_currency(currency: Mapping[str, object], expected: str) -> None:
    """Marks and the place of the symbol are the currency's own."""
    assert shown_money(Decimal("1234567.80"), currency) == expected
