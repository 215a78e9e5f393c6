"""What a change of lines or their taxes does to the document: amounts, then the status (SEMANTICS 3.3, 3.5).

The document's row is held first, then its lines and taxes: writers of one document follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from gateway.operations.managed import documents, statuses
from gateway.operations.managed.faults import refused
from gateway.operations.managed.invoices import status_log
from gateway.operations.managed.logs import staff_lookup
from gateway.operations.managed.model import Draft, Found, Lookup, Row, RowWrite, UpdateRows

_DOCUMENT: Final = "document"
_AMOUNTS: Final = ("discount_type", "discount_percent", "discount_total", "adjustment", "total")
_STATUS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"invoice": ("status", "duedate"), "credit_note": ("status",)}
)


def document_lookups(draft: Draft, kind: str, document: object, *, is_chosen: bool = False) -> tuple[Lookup, ...]:
    """Return what the amounts and the status of a document follow from; nothing for a kind that is none.

    ``is_chosen`` says that the client names the document itself, and that a stored row does not yet.
    """
    if kind not in documents.TABLES:
        return ()
    columns = ("id", *_AMOUNTS, *_STATUS.get(kind, ()))
    kept = () if is_chosen else (document,)
    where = {"id": document}
    held = Lookup(_DOCUMENT, documents.TABLES[kind], columns, where, limit=1, is_locking=True, is_own=True, kept=kept)
    return (held, *documents.line_lookups(kind, document), *_paid(draft, kind, document))


def _paid(draft: Draft, kind: str, document: object) -> tuple[Lookup, ...]:
    match kind:
        case "invoice":
            return (staff_lookup(draft), statuses.invoice_payments(document), statuses.invoice_credits(document))
        case "credit_note":
            return (statuses.credit_note_credits(document), statuses.credit_note_refunds(document))
        case _:
            return ()


def check_document(found: Found, kind: str, document: object) -> None:
    """Pass when the document of a new line is there.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    if kind not in documents.TABLES:
        raise refused("rel_type", "member", f"one of {', '.join(sorted(documents.TABLES))} is due")
    if not found.get(_DOCUMENT):
        raise refused("rel_id", "reference", f"no such document has the key {document}")


def recounted(
    draft: Draft, found: Found, kind: str, items: Mapping[object, Row], taxes: Mapping[object, Row]
) -> Iterator[RowWrite]:
    """Yield the writes that make a document's amounts and status those of its lines; an orphan's lines change none."""
    document = next(iter(found.get(_DOCUMENT, ())), None)
    if document is None:
        return
    discount = documents.stored_discount(document)
    amounts = documents.amounts(documents.lines_of(items, taxes), discount, documents.decimal(document["adjustment"]))
    status = _status(draft, found, kind, {**document, **amounts})
    changes = amounts if status is None else {**amounts, "status": status}
    yield UpdateRows(documents.TABLES[kind], {"id": document["id"]}, changes)
    if kind == "invoice" and status != document["status"]:
        yield status_log(draft, found, document["id"], document["status"], status)


def _status(draft: Draft, found: Found, kind: str, document: Row) -> int | None:
    """The status that follows from the new total, None for documents whose status does not."""
    key, total = document["id"], documents.decimal(document["total"])
    match kind:
        case "invoice":
            paid = statuses.amounts(found, statuses.payments_name(key), statuses.credits_name(key))
            due = document["duedate"]
            return statuses.invoice_status(
                int(str(document["status"] or statuses.UNPAID)),
                total,
                statuses.summed(paid),
                due if isinstance(due, date) else None,
                draft.today,
                has_payments=bool(paid),
            )
        case "credit_note":
            return note_status(found, key, document["status"], total)
        case _:
            return None


def note_status(found: Found, key: object, status: object, total: object) -> int:
    """Return the status of a stored credit note with a total, by its credits and refunds."""
    used = statuses.summed(statuses.amounts(found, statuses.used_name(key)))
    refunded = statuses.summed(statuses.amounts(found, statuses.refunds_name(key)))
    before = int(str(status or statuses.CREDIT_NOTE_OPEN))
    return statuses.credit_note_status(before, documents.decimal(total), used, refunded)
