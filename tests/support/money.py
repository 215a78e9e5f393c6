"""A small CRM of invoices and credit notes for the rules of money, in memory."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from gateway.operations.managed.numbers import DRAFT_NUMBER
from tests.support.managed_memory import STAFF, Memory

DUE = date(2026, 7, 20)
PAST = date(2026, 7, 1)


def invoice(key: int, total: str = "100.00", **columns: object) -> dict[str, object]:
    """Return an invoice that waits for its money."""
    return {
        "id": key,
        "status": 1,
        "total": Decimal(total),
        "duedate": DUE,
        "date": date(2026, 7, 5),
        "prefix": "INV-",
        "number_format": 1,
        "number": key,
        "formatted_number": None,
        "currency": 1,
        **columns,
    }


def draft_invoice(key: int, total: str = "100.00", **columns: object) -> dict[str, object]:
    """Return an invoice without a number."""
    return invoice(key, total, **{"status": 6, "number": DRAFT_NUMBER, "formatted_number": "INV-DRAFT", **columns})


def credit_note(key: int, total: str = "50.00", status: int = 1) -> dict[str, object]:
    """Return a credit note that nothing was taken from."""
    return {"id": key, "status": status, "total": Decimal(total)}


def money_crm(*invoices: dict[str, object], notes: tuple[dict[str, object], ...] = ()) -> Memory:
    """Return a CRM whose next invoice takes the number 17."""
    options = [("next_invoice_number", "17"), ("number_padding_prefixes", "6")]
    currency = {"id": 1, "symbol": "€", "decimal_separator": ",", "thousand_separator": ".", "placement": "after"}
    return Memory(
        {
            "invoices": list(invoices),
            "creditnotes": list(notes),
            "options": [{"id": key, "name": name, "value": value} for key, (name, value) in enumerate(options, 1)],
            "currencies": [currency],
            "payment_modes": [{"id": 1, "name": "Bank"}],
            "staff": [dict(STAFF)],
        }
    )


def payment(invoice: int, amount: str, **columns: object) -> dict[str, object]:
    """Return a payment as the profile fills it."""
    now = {"date": date(2026, 7, 15), "paymentmode": "1"}
    return {"invoiceid": invoice, "amount": Decimal(amount), **now, **columns}


def credit(invoice: int, note: int, amount: str) -> dict[str, object]:
    """Return a credit as the profile fills it."""
    return {"invoice_id": invoice, "credit_id": note, "amount": Decimal(amount), "staff_id": 3}


def refund(note: int, amount: str, **columns: object) -> dict[str, object]:
    """Return a refund as the profile fills it."""
    return {"credit_note_id": note, "amount": Decimal(amount), "payment_mode": "1", "staff_id": 3, **columns}
