"""Credit notes spent on invoices and paid back: the statuses of both documents follow (SEMANTICS 3.5, 13)."""

from __future__ import annotations

from typing import Final

from gateway.operations.managed import settling
from gateway.operations.managed.logs import staff_lookup
from gateway.operations.managed.model import Draft, Extension, Found, Lookup
from gateway.operations.managed.modes import check_mode, mode_lookups

_INVOICE: Final = "invoice_id"
_CREDIT_NOTE: Final = "credit_id"
_REFUNDED: Final = "credit_note_id"
_MODE: Final = "payment_mode"


class CreditRule:
    """How credits are applied to invoices."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Hold the invoice and then the credit note, both of each where a credit moves; read who acts."""
        return (
            settling.invoices_lookup(draft, _INVOICE),
            settling.credit_notes_lookup(draft, _CREDIT_NOTE),
            staff_lookup(draft),
        )

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read what was paid and spent, and the number of a draft that ends."""
        joined = settling.new_document(draft, _INVOICE)
        return (*settling.invoice_reads(found, joined), *settling.credit_note_reads(found))

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Settle both documents."""
        joined = settling.new_document(draft, _INVOICE)
        settling.check_found(found, settling.INVOICES, _INVOICE, joined)
        settling.check_found(found, settling.CREDIT_NOTES, _CREDIT_NOTE, settling.new_document(draft, _CREDIT_NOTE))
        settling.check_amount(draft)
        on_invoices = {"credits": settling.movement(draft, _INVOICE)}
        on_notes = {"credits": settling.movement(draft, _CREDIT_NOTE)}
        invoices = settling.settled_invoices(draft, found, on_invoices, joined)
        return Extension(after=(*invoices, *settling.settled_credit_notes(found, on_notes)))


class RefundRule:
    """How credit is paid back."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Hold the credit note, both where a refund moves; read the way of payment."""
        return (settling.credit_notes_lookup(draft, _REFUNDED), *mode_lookups(draft, _MODE))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read what was spent and paid back."""
        return tuple(settling.credit_note_reads(found))

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Settle the credit note."""
        joined = settling.new_document(draft, _REFUNDED)
        settling.check_found(found, settling.CREDIT_NOTES, _REFUNDED, joined)
        settling.check_amount(draft)
        check_mode(draft, found, _MODE)
        return Extension(
            after=tuple(settling.settled_credit_notes(found, {"refunds": settling.movement(draft, _REFUNDED)}))
        )
