"""Statuses that follow from money: of invoices by payments, of credit notes by their use (SEMANTICS 3.5, 13).

The amounts are read once the document's own row is held, and are not held themselves:
whoever changes one holds it while waiting for the document, so holding both would cross.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.operations.managed.model import Found, Lookup, Row

UNPAID: Final = 1
PAID: Final = 2
PARTIALLY_PAID: Final = 3
OVERDUE: Final = 4
CANCELLED: Final = 5
DRAFT: Final = 6

CREDIT_NOTE_OPEN: Final = 1
CREDIT_NOTE_CLOSED: Final = 2
CREDIT_NOTE_VOID: Final = 3

_AMOUNT: Final = ("id", "amount")


def invoice_status(
    status: int,
    total: Decimal,
    paid: Decimal,
    duedate: date | None,
    today: date,
    *,
    forced: bool = False,
    has_payments: bool | None = None,
) -> int:
    """Return the status that an invoice has after a change of its payments, credits, total or due date.

    A draft and a cancelled invoice stay what they are unless ``forced``. ``has_payments``
    says whether there are payments or credits at all, where their sum does not tell it.

    >>> invoice_status(1, Decimal(10), Decimal(4), None, date(2026, 7, 15))
    3
    """
    if status in (CANCELLED, DRAFT) and not forced:
        return status
    if not (paid != 0 if has_payments is None else has_payments):
        if total == 0:
            return PAID
        return OVERDUE if duedate is not None and duedate < today else UNPAID
    if paid >= total:
        return PAID
    return UNPAID if paid == 0 else PARTIALLY_PAID


def credit_note_status(status: int, total: Decimal, used: Decimal, refunded: Decimal) -> int:
    """Return the status that a credit note has after a change of its credits, refunds or total; a void one stays void.

    >>> credit_note_status(1, Decimal(10), Decimal(6), Decimal(4))
    2
    """
    if status == CREDIT_NOTE_VOID:
        return status
    return CREDIT_NOTE_CLOSED if used + refunded == total else CREDIT_NOTE_OPEN


def invoice_payments(invoice: object) -> Lookup:
    """Return the lookup of an invoice's payments; it is named by `payments_name`."""
    columns = {"invoiceid": invoice}
    return Lookup(payments_name(invoice), "invoicepaymentrecords", _AMOUNT, columns)


def invoice_credits(invoice: object) -> Lookup:
    """Return the lookup of the credits applied to an invoice; it is named by `credits_name`."""
    return Lookup(credits_name(invoice), "credits", _AMOUNT, {"invoice_id": invoice})


def credit_note_credits(credit_note: object) -> Lookup:
    """Return the lookup of what a credit note gave to invoices; it is named by `used_name`."""
    return Lookup(used_name(credit_note), "credits", _AMOUNT, {"credit_id": credit_note})


def credit_note_refunds(credit_note: object) -> Lookup:
    """Return the lookup of a credit note's refunds; it is named by `refunds_name`."""
    columns = {"credit_note_id": credit_note}
    return Lookup(refunds_name(credit_note), "creditnote_refunds", _AMOUNT, columns)


def payments_name(invoice: object) -> str:
    """Return the name under which an invoice's payments are found."""
    return f"payments of invoice {invoice}"


def credits_name(invoice: object) -> str:
    """Return the name under which the credits of an invoice are found."""
    return f"credits of invoice {invoice}"


def used_name(credit_note: object) -> str:
    """Return the name under which the used credits of a credit note are found."""
    return f"credits of credit note {credit_note}"


def refunds_name(credit_note: object) -> str:
    """Return the name under which the refunds of a credit note are found."""
    return f"refunds of credit note {credit_note}"


def amounts(found: Found, *names: str) -> tuple[Row, ...]:
    """Return the rows found under any of the names."""
    return tuple(row for name in names for row in found.get(name, ()))


def summed(rows: Iterable[Row]) -> Decimal:
    """Return the sum of the rows' amounts."""
    return sum((amount for row in rows if isinstance(amount := row["amount"], Decimal)), Decimal(0))
