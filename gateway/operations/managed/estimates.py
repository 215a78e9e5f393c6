"""Estimates: numbered and counted like invoices, with a status that staff choose (SEMANTICS 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.operations.managed import documents, numbered, numbers
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
    RowWrite,
    UpdateRows,
)

KIND: Final = "estimate"
DRAFT: Final = 1
SENT: Final = 2
ACCEPTED: Final = 4
STATUSES: Final = range(1, 6)


class EstimateRule:
    """How estimates are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read settings and customer for a new estimate, else what the change or delete concerns."""
        match draft.operation:
            case "create":
                return (staff_lookup(draft), *numbered.new_lookups(draft, KIND))
            case "update":
                documents.require_stored(draft, "id", "status", "number", "date", "sent")
                return (staff_lookup(draft), *numbered.change_lookups(draft, KIND))
            case "delete":
                return numbered.delete_lookups(draft, KIND)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Hold the counter where a number is taken or given back."""
        match draft.operation:
            case "create":
                return numbers.new_number_lookups(KIND, found)
            case "update":
                return numbered.moved_lookups(draft, KIND)
            case "delete":
                return numbered.number_lookups(found, KIND)

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Number, compute and log."""
        match draft.operation:
            case "create":
                return _created(draft, found)
            case "update":
                return _updated(draft, found)
            case "delete":
                numbered.check_last(draft, found, KIND)
                freed = UpdateRows(
                    "proposals", {"estimate_id": draft.stored["id"]}, {"estimate_id": None, "date_converted": None}
                )
                return Extension(before=(freed,), after=numbered.given_back(draft, found, KIND))


def _created(draft: Draft, found: Found) -> Extension:
    columns = numbered.new_document(draft, found, KIND, due="expirydate")
    columns["status"] = status = _chosen_status(draft)
    if status == SENT and "sent" in draft.sent and not draft.values["sent"]:
        raise computed("sent", "an estimate with status 2 is sent")
    if status == SENT or draft.values.get("sent"):
        columns.update(sent=1, datesend=draft.now)
    if draft.values.get("invoiceid"):
        columns.update(invoiced_date=draft.now)
    after = (numbers.counter_step(KIND), _log(draft, found, "estimate_activity_created"))
    return Extension(columns, documents.line_columns(draft, KIND), after=after)


def _chosen_status(draft: Draft) -> int:
    """The status after the write: what was chosen, else what the rest of the write makes of it."""
    if "status" in draft.sent and (draft.operation == "create" or documents.is_changed(draft, "status")):
        status = draft.values["status"]
        if status not in STATUSES:
            raise computed("status", "1 draft, 2 sent, 3 declined, 4 accepted or 5 expired is due")
        return int(str(status))
    if _is_converted(draft):
        return ACCEPTED
    if draft.values.get("sent") and not draft.stored.get("sent"):
        return SENT
    return int(str(draft.stored.get("status") or DRAFT))


def _is_converted(draft: Draft) -> bool:
    return bool(draft.values.get("invoiceid")) and documents.is_changed(draft, "invoiceid")


def _updated(draft: Draft, found: Found) -> Extension:
    if documents.is_changed(draft, "sent") and not draft.values["sent"]:
        raise computed("sent", "an estimate that was sent stays so")
    columns = {
        **changed_addresses(draft, found),
        **numbered.changed_amounts(draft, found),
        **numbered.moved_number(draft, found, KIND),
    }
    before, status = draft.stored["status"], _chosen_status(draft)
    columns["status"] = status
    is_sent = status == SENT != before or documents.is_changed(draft, "sent")
    if is_sent:
        columns.update(sent=1, datesend=draft.now)
    if _is_converted(draft):
        columns["invoiced_date"] = draft.now
    return Extension(columns, after=tuple(_told(draft, found, status, is_sent=is_sent)))


def _told(draft: Draft, found: Found, status: int, *, is_sent: bool) -> Iterator[RowWrite]:
    if is_sent:
        yield DeleteRows("scheduled_emails", {"rel_id": draft.stored["id"], "rel_type": KIND})
    if status != draft.stored["status"]:
        yield _log(draft, found, "estimate_activity_marked", php_strings((f"<status>{status}</status>",)))


def _log(draft: Draft, found: Found, description: str, additional: str = "") -> InsertRow:
    key: object = NewKey() if draft.operation == "create" else draft.stored["id"]
    return sales_activity(draft, found, (KIND, key), description, additional)
