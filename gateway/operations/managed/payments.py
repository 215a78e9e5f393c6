"""Payments on invoices: the invoice's status, number and timeline follow (SEMANTICS 3.7)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from gateway.operations.managed import settling
from gateway.operations.managed.logs import php_strings, sales_activity, staff_lookup
from gateway.operations.managed.model import Draft, Extension, Found, FromKey, Lookup, Row, RowWrite
from gateway.operations.managed.modes import check_mode, mode_lookups

_REFERENCE: Final = "invoiceid"
_MODE: Final = "paymentmode"
_CURRENCY: Final = "currency of the invoice"
_CURRENCY_COLUMNS: Final = ("symbol", "decimal_separator", "thousand_separator", "placement")


class PaymentRule:
    """How payments are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Hold the invoice, both where a payment moves; read who acts and the way of payment."""
        return (settling.invoices_lookup(draft, _REFERENCE), staff_lookup(draft), *mode_lookups(draft, _MODE))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read what was paid, the number of a draft that ends, and the currency in which the timeline tells of it."""
        joined = settling.new_document(draft, _REFERENCE)
        is_new = draft.operation == "create"
        invoices = found.get(settling.INVOICES, ()) if is_new else ()
        currencies = (
            Lookup(_CURRENCY, "currencies", _CURRENCY_COLUMNS, {"id": invoice["currency"]}, limit=1)
            for invoice in invoices
        )
        return (*settling.invoice_reads(found, joined, shows_number=is_new), *currencies)

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Settle the invoice, and log a new payment."""
        joined = settling.new_document(draft, _REFERENCE)
        settling.check_found(found, settling.INVOICES, _REFERENCE, joined)
        settling.check_amount(draft)
        check_mode(draft, found, _MODE)
        is_new = draft.operation == "create"
        moved = {"payments": settling.movement(draft, _REFERENCE)}
        after = tuple(settling.settled_invoices(draft, found, moved, joined, shows_number=is_new))
        return Extension(after=(*after, _made(draft, found)) if is_new else after)


def _made(draft: Draft, found: Found) -> RowWrite:
    """The timeline's row of a new payment, which tells its amount and its number."""
    currency = next(iter(found.get(_CURRENCY, ())), {})
    amount = shown_money(Decimal(str(draft.values["amount"])), currency)
    words = FromKey(lambda key: php_strings((amount, f"#{key}")))
    document = ("invoice", draft.values[_REFERENCE])
    return sales_activity(draft, found, document, "invoice_activity_payment_made_by_staff", words)


def shown_money(amount: Decimal, currency: Row) -> str:
    """Return an amount as the CRM shows it in a currency.

    >>> shown_money(Decimal("1234.5"), {"symbol": "$", "placement": "before"})
    '$1,234.50'
    """
    text = f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"
    point, comma = currency.get("decimal_separator"), currency.get("thousand_separator")
    marks = {".": "." if point is None else str(point), ",": "," if comma is None else str(comma)}
    number = "".join(marks.get(character, character) for character in text)
    symbol = str(currency.get("symbol") or "")
    return number + symbol if currency.get("placement") == "after" else symbol + number
