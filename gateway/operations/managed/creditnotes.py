"""Credit notes: numbered and counted like invoices, closed when they are used up, void by hand (SEMANTICS 13)."""

from __future__ import annotations

from typing import Final

from gateway.operations.managed import documents, numbered, numbers, statuses
from gateway.operations.managed.addresses import changed_addresses
from gateway.operations.managed.faults import computed
from gateway.operations.managed.model import Draft, Extension, Found, Lookup
from gateway.operations.managed.recount import note_status

KIND: Final = "credit_note"


class CreditNoteRule:
    """How credit notes are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read settings and customer for a new credit note, else what the change or delete concerns."""
        match draft.operation:
            case "create":
                return numbered.new_lookups(draft, KIND)
            case "update":
                documents.require_stored(draft, "id", "status", "number", "date", "total")
                return (*numbered.change_lookups(draft, KIND), *_use_lookups(draft))
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
        """Number, compute and settle."""
        match draft.operation:
            case "create":
                columns = numbered.new_document(draft, found, KIND)
                columns["status"] = _new_status(draft)
                after = (numbers.counter_step(KIND),)
                return Extension(columns, documents.line_columns(draft, KIND), after=after)
            case "update":
                return _updated(draft, found)
            case "delete":
                numbered.check_last(draft, found, KIND)
                return Extension(after=numbered.given_back(draft, found, KIND))


def _new_status(draft: Draft) -> int:
    status = statuses.CREDIT_NOTE_OPEN
    return _checked(draft, status) if "status" in draft.sent else status


def _checked(draft: Draft, status: int) -> int:
    """The status that was sent, where it is one that staff choose or the one that comes out."""
    given = draft.values["status"]
    if given not in (status, statuses.CREDIT_NOTE_VOID):
        raise computed("status", "it follows from credits and refunds; choose 3 (void), or leave it out")
    return int(str(given))


def _use_lookups(draft: Draft) -> tuple[Lookup, ...]:
    if not documents.is_changed(draft, *documents.MONEY, "status"):
        return ()
    return (statuses.credit_note_credits(draft.stored["id"]), statuses.credit_note_refunds(draft.stored["id"]))


def _updated(draft: Draft, found: Found) -> Extension:
    columns = {
        **changed_addresses(draft, found),
        **numbered.changed_amounts(draft, found),
        **numbered.moved_number(draft, found, KIND),
    }
    if documents.is_changed(draft, *documents.MONEY, "status"):
        total = columns.get("total", draft.stored["total"])
        status = note_status(found, draft.stored["id"], draft.stored["status"], total)
        columns["status"] = _checked(draft, status) if documents.is_changed(draft, "status") else status
    return Extension(columns)
