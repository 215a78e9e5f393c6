"""What a change of money does to an invoice or a credit note: status, number, timeline (SEMANTICS 3.2, 3.5).

Payments and credits alike: the document's row is held first, then what was paid and
spent is added up as it will be after the write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.operations.managed import numbers, statuses
from gateway.operations.managed.documents import require_stored
from gateway.operations.managed.faults import refused
from gateway.operations.managed.logs import php_strings, sales_activity
from gateway.operations.managed.model import Draft, Found, Lookup, Row, RowWrite, UpdateRows

INVOICES: Final = "invoices"
CREDIT_NOTES: Final = "credit notes"
_INVOICE_COLUMNS: Final = ("id", "status", "total", "duedate", "date", "prefix", "number_format", "number", "currency")


@dataclass(frozen=True, slots=True)
class Movement:
    """The row that is written, as money: which of a document's rows it is, and what it is worth there from now on.

    ``amounts`` maps the documents that the row concerns to its amount, None where it
    stands there no more. ``key`` is None for a new row.
    """

    key: object
    amounts: Mapping[object, Decimal | None]

    def applied(self, document: object, rows: Iterable[Row]) -> list[Decimal]:
        """Return the amounts of a document's rows as the write leaves them."""
        kept = [_decimal(row["amount"]) for row in rows if self.key is None or row["id"] != self.key]
        own = self.amounts.get(document)
        return kept if own is None else [*kept, own]


def movement(draft: Draft, reference: str) -> Movement:
    """Return what a write of a payment, credit or refund does to the documents that ``reference`` names.

    Raises:
        MethodError: ``write_not_supported`` when the whitelist hides what the row is worth, or where it stands.
    """
    if draft.operation != "create":
        require_stored(draft, "id", reference, "amount")
    amounts: dict[object, Decimal | None] = {}
    if draft.operation != "create":
        amounts[draft.stored[reference]] = None
    if draft.operation != "delete":
        after = draft.after()
        amounts[after[reference]] = _decimal(after["amount"])
    return Movement(draft.stored.get("id"), amounts)


def new_document(draft: Draft, reference: str) -> object:
    """Return the document that the row comes to with this write, None when it stays or goes."""
    if draft.operation == "delete" or reference not in draft.values:
        return None
    chosen = draft.values[reference]
    return None if chosen == draft.stored.get(reference) else chosen


def invoices_lookup(draft: Draft, reference: str) -> Lookup:
    """Return the lookup that holds the invoices of a row, in the order of their keys: two writers never cross."""
    return _documents_lookup(INVOICES, "invoices", _INVOICE_COLUMNS, draft, reference)


def credit_notes_lookup(draft: Draft, reference: str) -> Lookup:
    """Return the lookup that holds the credit notes of a row, in the order of their keys."""
    return _documents_lookup(CREDIT_NOTES, "creditnotes", ("id", "status", "total"), draft, reference)


def _documents_lookup(name: str, table: str, columns: tuple[str, ...], draft: Draft, reference: str) -> Lookup:
    """The documents that a row concerns; the one where it stood has to be settled with it."""
    where = {"id": tuple(movement(draft, reference).amounts)}
    kept = (draft.stored.get(reference),)
    return Lookup(name, table, columns, where, ("id",), is_locking=True, is_own=True, kept=kept)


def invoice_reads(found: Found, joined: object, *, shows_number: bool = False) -> Iterator[Lookup]:
    """Yield what the statuses of the held invoices follow from, and the number of a draft that ``joined`` ends."""
    for invoice in found.get(INVOICES, ()):
        yield statuses.invoice_payments(invoice["id"])
        yield statuses.invoice_credits(invoice["id"])
        ends = _ends_draft(invoice, joined)
        if invoice["id"] == joined and (ends or shows_number):
            yield numbers.padding_lookup()
        if ends:
            yield from numbers.new_number_lookups("invoice", found)


def credit_note_reads(found: Found) -> Iterator[Lookup]:
    """Yield what the statuses of the held credit notes follow from."""
    for credit_note in found.get(CREDIT_NOTES, ()):
        yield statuses.credit_note_credits(credit_note["id"])
        yield statuses.credit_note_refunds(credit_note["id"])


def check_found(found: Found, name: str, column: str, document: object) -> None:
    """Pass when the document that a row comes to is there.

    Raises:
        ValidationError: ``fields_invalid`` naming the column.
    """
    if document is not None and not any(row["id"] == document for row in found.get(name, ())):
        what = "invoice" if name == INVOICES else "credit note"
        raise refused(column, "reference", f"no {what} has the key {document}")


def check_amount(draft: Draft) -> None:
    """Pass when the amount is money that moves; one that was stored otherwise may stay.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    amount = draft.values.get("amount")
    if amount is not None and amount != draft.stored.get("amount") and _decimal(amount) <= 0:
        raise refused("amount", "out_of_range", "an amount above zero is due")


def settled_invoices(
    draft: Draft, found: Found, moved: Mapping[str, Movement], joined: object, *, shows_number: bool = False
) -> Iterator[RowWrite]:
    """Yield the writes to the held invoices; ``moved`` has what happens to their payments or credits.

    The row comes to the invoice ``joined``, which ends a draft: it takes its number.
    ``shows_number`` has that invoice's shown number written anew in any case.
    """
    for invoice in found.get(INVOICES, ()):
        is_joined = invoice["id"] == joined
        changes: dict[str, object] = {}
        status = _invoice_status(draft, found, invoice, moved, ends_draft=_ends_draft(invoice, joined))
        if _ends_draft(invoice, joined):
            changes["number"] = _new_number(draft, found, invoice)
            yield numbers.counter_step("invoice")
        if status != invoice["status"] or (is_joined and shows_number):
            changes["status"] = status
        if is_joined and (changes.get("number") is not None or shows_number):
            changes["formatted_number"] = shown_number({**invoice, **changes}, draft.today, found)
        if changes:
            yield UpdateRows("invoices", {"id": invoice["id"]}, changes)
        if status != invoice["status"]:
            yield _status_log(draft, found, invoice, status)


def settled_credit_notes(found: Found, moved: Mapping[str, Movement]) -> Iterator[RowWrite]:
    """Yield the writes to the held credit notes; ``moved`` has what happens to their credits or refunds."""
    for note in found.get(CREDIT_NOTES, ()):
        used = _amounts(found, moved, "credits", note["id"], statuses.used_name(note["id"]))
        refunded = _amounts(found, moved, "refunds", note["id"], statuses.refunds_name(note["id"]))
        status = statuses.credit_note_status(
            _code(note), _decimal(note["total"]), sum(used, Decimal(0)), sum(refunded, Decimal(0))
        )
        if status != note["status"]:
            yield UpdateRows("creditnotes", {"id": note["id"]}, {"status": status})


def shown_number(invoice: Row, today: date, found: Found) -> str:
    """Return the text in which an invoice's number is shown, from the columns that were copied onto it."""
    day = invoice["date"] if isinstance(invoice["date"], date) else today
    number, number_format = int(str(invoice["number"])), int(str(invoice["number_format"]))
    return numbers.format_number(str(invoice["prefix"] or ""), number, number_format, day, numbers.padding(found))


def _ends_draft(invoice: Row, joined: object) -> bool:
    return invoice["id"] == joined and _code(invoice) == statuses.DRAFT


def _new_number(draft: Draft, found: Found, invoice: Row) -> int:
    number = numbers.next_number("invoice", found)
    day = invoice["date"] if isinstance(invoice["date"], date) else draft.today
    numbers.check_free("invoice", number, day, found)
    return number


def _invoice_status(
    draft: Draft, found: Found, invoice: Row, moved: Mapping[str, Movement], *, ends_draft: bool
) -> int:
    key, due = invoice["id"], invoice["duedate"]
    paid = (
        *_amounts(found, moved, "payments", key, statuses.payments_name(key)),
        *_amounts(found, moved, "credits", key, statuses.credits_name(key)),
    )
    return statuses.invoice_status(
        _code(invoice),
        _decimal(invoice["total"]),
        sum(paid, Decimal(0)),
        due if isinstance(due, date) else None,
        draft.today,
        forced=ends_draft,
        has_payments=bool(paid),
    )


def _amounts(found: Found, moved: Mapping[str, Movement], kind: str, document: object, name: str) -> list[Decimal]:
    change = moved.get(kind)
    rows = statuses.amounts(found, name)
    return change.applied(document, rows) if change is not None else [_decimal(row["amount"]) for row in rows]


def _status_log(draft: Draft, found: Found, invoice: Row, status: int) -> RowWrite:
    """The timeline's row of a change of status; its screen reads the codes out of these marks and names them."""
    words = (f"<original_status>{invoice['status']}</original_status>", f"<new_status>{status}</new_status>")
    return sales_activity(
        draft, found, ("invoice", invoice["id"]), "invoice_activity_status_updated", php_strings(words)
    )


def _code(document: Row) -> int:
    status = document["status"]
    return status if isinstance(status, int) else statuses.UNPAID


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
