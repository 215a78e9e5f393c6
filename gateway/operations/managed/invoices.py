"""Invoices: number, amounts and status belong together, and the timeline tells of them (SEMANTICS 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.operations.managed import documents, numbered, numbers, statuses
from gateway.operations.managed.addresses import changed_addresses
from gateway.operations.managed.faults import computed
from gateway.operations.managed.logs import php_strings, sales_activity, staff_lookup
from gateway.operations.managed.model import (
    DeleteRows,
    Draft,
    Extension,
    Found,
    InsertRow,
    Lookup,
    NewKey,
    Row,
    RowWrite,
    UpdateRows,
)

KIND: Final = "invoice"
_MODES: Final = "payment modes"
_SPENT: Final = "credit notes spent"
_NOTES: Final = "credit notes"


@dataclass(frozen=True, slots=True)
class _Step:
    """What a change makes of an invoice's status: staff choose some, the rest follows from the money."""

    is_cancelled: bool
    is_reopened: bool
    is_marked_sent: bool
    takes_number: bool

    @property
    def is_forced(self) -> bool:
        return self.is_reopened or self.is_marked_sent


class InvoiceRule:
    """How invoices are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read settings and customer for a new invoice, else what the change or delete concerns."""
        match draft.operation:
            case "create":
                modes = () if "allowed_payment_modes" in draft.sent else (_modes_lookup(),)
                return (staff_lookup(draft), *modes, *numbered.new_lookups(draft, KIND))
            case "update":
                documents.require_stored(draft, "id", "status", "number", "date", "sent")
                step = _step(draft)
                lookups = numbered.change_lookups(draft, KIND, takes_number=step.takes_number)
                return (staff_lookup(draft), *lookups, *_paid_lookups(draft))
            case "delete":
                spent = Lookup(_SPENT, "credits", ("id", "credit_id"), {"invoice_id": draft.stored["id"]})
                return (*numbered.delete_lookups(draft, KIND), spent)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Hold the counter where a number is taken or given back, and the credit notes that a delete reopens."""
        match draft.operation:
            case "create":
                return () if _is_new_draft(draft) else numbers.new_number_lookups(KIND, found)
            case "update":
                return numbers.new_number_lookups(KIND, found) if _step(draft).takes_number else _moved(draft)
            case "delete":
                return (*numbered.number_lookups(found, KIND), *_note_lookups(found))

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Number, compute, settle and log."""
        match draft.operation:
            case "create":
                return _created(draft, found)
            case "update":
                return _updated(draft, found)
            case "delete":
                return _deleted(draft, found)


# Creates


def _is_new_draft(draft: Draft) -> bool:
    return "status" in draft.sent and draft.values.get("status") == statuses.DRAFT


def _modes_lookup() -> Lookup:
    where = {"active": 1, "selected_by_default": 1}
    return Lookup(_MODES, "payment_modes", ("id", "expenses_only"), where, ("id",))


def _created(draft: Draft, found: Found) -> Extension:
    is_draft, is_sent = _is_new_draft(draft), bool(draft.values.get("sent"))
    if is_draft and is_sent:
        raise computed("sent", "a draft has not been sent; leave out status to issue the invoice")
    columns = numbered.new_document(draft, found, KIND, due="duedate", is_draft=is_draft)
    columns["status"] = _new_status(draft, columns, is_draft=is_draft)
    if "allowed_payment_modes" not in draft.sent:
        modes = (row for row in found.get(_MODES, ()) if not row["expenses_only"])
        columns["allowed_payment_modes"] = php_strings([str(row["id"]) for row in modes])
    if is_sent:
        columns["datesend"] = draft.now
    logs = [_log(draft, found, "invoice_activity_created")]
    if is_sent:
        logs.append(_log(draft, found, "invoice_activity_marked_as_sent"))
    counted = () if is_draft else (numbers.counter_step(KIND),)
    return Extension(columns, documents.line_columns(draft, KIND), after=(*counted, *logs))


def _new_status(draft: Draft, columns: Row, *, is_draft: bool) -> int:
    if is_draft:
        return statuses.DRAFT
    due = columns.get("duedate", draft.values.get("duedate"))
    status = _settled(statuses.UNPAID, columns["total"], (), due, draft.today, forced=False)
    if "status" in draft.sent and draft.values["status"] != status:
        raise _not_chosen()
    return status


def _not_chosen() -> Exception:
    return computed(
        "status", "it follows from payments and dates; choose 6 (draft) for a new one, 5 to cancel, 1 to issue"
    )


def _settled(status: int, total: object, paid: tuple[Row, ...], due: object, today: date, *, forced: bool) -> int:
    return statuses.invoice_status(
        status,
        documents.decimal(total),
        statuses.summed(paid),
        due if isinstance(due, date) else None,
        today,
        forced=forced,
        has_payments=bool(paid),
    )


def _log(draft: Draft, found: Found, description: str, additional: str = "") -> InsertRow:
    key: object = NewKey() if draft.operation == "create" else draft.stored["id"]
    return sales_activity(draft, found, (KIND, key), description, additional)


# Changes


def _step(draft: Draft) -> _Step:
    before, wanted = draft.stored["status"], draft.after()["status"]
    is_marked_sent = bool(draft.values.get("sent")) and not draft.stored["sent"]
    is_cancelled = wanted == statuses.CANCELLED != before
    is_reopened = wanted == statuses.UNPAID and before in (statuses.CANCELLED, statuses.DRAFT)
    is_numberless = draft.stored["number"] == numbers.DRAFT_NUMBER and before == statuses.DRAFT
    leaves = is_cancelled or is_reopened or is_marked_sent
    return _Step(is_cancelled, is_reopened, is_marked_sent, is_numberless and leaves)


def _paid_lookups(draft: Draft) -> tuple[Lookup, ...]:
    if not _is_settled_anew(draft):
        return ()
    documents.require_stored(draft, "duedate", "total")
    return (statuses.invoice_payments(draft.stored["id"]), statuses.invoice_credits(draft.stored["id"]))


def _is_settled_anew(draft: Draft) -> bool:
    step = _step(draft)
    is_touched = documents.is_changed(draft, *documents.MONEY, "duedate", "status")
    return not step.is_cancelled and (step.is_forced or is_touched)


def _moved(draft: Draft) -> tuple[Lookup, ...]:
    return numbered.moved_lookups(draft, KIND)


def _updated(draft: Draft, found: Found) -> Extension:
    step = _step(draft)
    columns = {**changed_addresses(draft, found), **numbered.changed_amounts(draft, found)}
    columns.update(_changed_number(draft, found, step))
    columns["status"] = status = _changed_status(draft, found, step, columns)
    columns.update(_changed_sent(draft, step))
    before: tuple[RowWrite, ...] = (numbers.counter_step(KIND),) if step.takes_number else ()
    return Extension(columns, before=before, after=tuple(_told(draft, found, step, status)))


def _changed_number(draft: Draft, found: Found, step: _Step) -> dict[str, object]:
    if not step.takes_number:
        return numbered.moved_number(draft, found, KIND)
    number = numbered.taken_number(found, KIND, numbered.day_of(draft))
    return {"number": number, "formatted_number": numbered.shown(draft, found, number)}


def _changed_status(draft: Draft, found: Found, step: _Step, columns: Row) -> int:
    """The status after a change; staff choose only between issuing, cancelling and undoing."""
    before = int(str(draft.stored["status"] or statuses.UNPAID))
    if step.is_cancelled:
        return statuses.CANCELLED
    status = before
    if _is_settled_anew(draft):
        key = draft.stored["id"]
        paid = statuses.amounts(found, statuses.payments_name(key), statuses.credits_name(key))
        after = draft.after()
        total = columns.get("total", after["total"])
        is_forced = step.is_reopened or (step.is_marked_sent and before == statuses.DRAFT)
        status = _settled(before, total, paid, after["duedate"], draft.today, forced=is_forced)
    is_chosen = "status" in draft.sent and not draft.is_sent_back("status") and not step.is_reopened
    if is_chosen and (draft.values["status"] != status or not documents.is_changed(draft, "status")):
        raise _not_chosen()
    return status


def _changed_sent(draft: Draft, step: _Step) -> dict[str, object]:
    if documents.is_changed(draft, "sent") and not draft.values["sent"]:
        raise computed("sent", "an invoice that was sent stays so")
    if step.is_marked_sent and not step.is_cancelled:
        return {"datesend": draft.now}
    return {"sent": 1} if step.is_cancelled else {}


def _told(draft: Draft, found: Found, step: _Step, status: int) -> Iterator[RowWrite]:
    """What the timeline says of a change, and the mails that are not due any more."""
    if step.is_cancelled:
        yield _log(draft, found, "invoice_activity_marked_as_cancelled")
        return
    if step.is_marked_sent:
        yield DeleteRows("scheduled_emails", {"rel_id": draft.stored["id"], "rel_type": KIND})
        yield _log(draft, found, "invoice_activity_marked_as_sent")
    if status != draft.stored["status"]:
        yield status_log(draft, found, draft.stored["id"], draft.stored["status"], status)


def status_log(draft: Draft, found: Found, invoice: object, before: object, status: object) -> InsertRow:
    """Return the timeline's row of a status that changed; the CRM's screen reads the codes out of these marks."""
    words = php_strings((f"<original_status>{before}</original_status>", f"<new_status>{status}</new_status>"))
    return sales_activity(draft, found, (KIND, invoice), "invoice_activity_status_updated", words)


# Deletes


def _note_lookups(found: Found) -> tuple[Lookup, ...]:
    """The credit notes that were spent on a deleted invoice, each with what else became of it."""
    notes = tuple(sorted({int(str(row["credit_id"])) for row in found.get(_SPENT, ())}))
    if not notes:
        return ()
    held = Lookup(_NOTES, "creditnotes", ("id", "status", "total"), {"id": notes}, ("id",), is_locking=True)
    uses = (lookup(note) for note in notes for lookup in (statuses.credit_note_credits, statuses.credit_note_refunds))
    return (held, *uses)


def _deleted(draft: Draft, found: Found) -> Extension:
    numbered.check_last(draft, found, KIND)
    key = draft.stored["id"]
    unbilled = (
        UpdateRows("tasks", {"invoice_id": key}, {"billed": 0, "invoice_id": 0}),
        UpdateRows("expenses", {"invoiceid": key}, {"invoiceid": None}),
        UpdateRows("estimates", {"invoiceid": key}, {"invoiceid": None, "invoiced_date": None}),
        UpdateRows("proposals", {"invoice_id": key}, {"invoice_id": None}),
    )
    return Extension(before=unbilled, after=(*_reopened(found), *numbered.given_back(draft, found, KIND)))


def _reopened(found: Found) -> Iterator[RowWrite]:
    """The credit notes whose credit comes back."""
    gone = {row["id"] for row in found.get(_SPENT, ())}
    for note in found.get(_NOTES, ()):
        used = [row for row in statuses.amounts(found, statuses.used_name(note["id"])) if row["id"] not in gone]
        refunded = statuses.summed(statuses.amounts(found, statuses.refunds_name(note["id"])))
        status = statuses.credit_note_status(
            int(str(note["status"] or statuses.CREDIT_NOTE_OPEN)),
            documents.decimal(note["total"]),
            statuses.summed(used),
            refunded,
        )
        if status != note["status"]:
            yield UpdateRows("creditnotes", {"id": note["id"]}, {"status": status})
