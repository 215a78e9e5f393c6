"""Leads: changes of status and assignment are dated, and the lead's timeline tells of them (SEMANTICS 1)."""

from __future__ import annotations

from gateway.operations.managed.logs import activity, lead_activity, staff_lookup, staff_name
from gateway.operations.managed.model import Draft, Extension, Found, InsertRow, Lookup

STATUSES = "statuses"


class LeadRule:
    """How leads are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read who acts, and for a change of status the names of both statuses."""
        if draft.operation == "delete" or not _is_logged(draft):
            return ()
        if not _changes_status(draft):
            return (staff_lookup(draft),)
        both = (draft.stored["status"], draft.values["status"])
        return (staff_lookup(draft), Lookup(STATUSES, "leads_status", ("id", "name"), {"id": both}))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Date what is dated, and log it."""
        if draft.operation == "delete":
            return Extension()
        main = _dates(draft)
        if draft.operation == "create":
            created = lead_activity(draft, found, None, "not_lead_activity_created")
            general = activity(draft, found, f"New Lead Added [Name: {draft.values.get('name')}]")
            return Extension(main, after=(created, general))
        return Extension(main, after=_status_log(draft, found))


def _is_logged(draft: Draft) -> bool:
    return draft.operation == "create" or _changes_status(draft)


def _changes_status(draft: Draft) -> bool:
    if draft.operation != "update" or "status" not in draft.values:
        return False
    return draft.values["status"] != draft.stored["status"]


def _dates(draft: Draft) -> dict[str, object]:
    """The columns that say when: a lead is assigned on a day, its status changes at a moment."""
    main: dict[str, object] = {}
    assigned = draft.values.get("assigned")
    if assigned and assigned != draft.stored.get("assigned"):
        main["dateassigned"] = draft.today
    if isinstance(email := draft.values.get("email"), str) and email != email.strip():
        main["email"] = email.strip()
    if _changes_status(draft):
        main["last_status_change"] = draft.now
    if draft.operation == "update" and (_turns_on(draft, "lost") or _turns_on(draft, "junk")):
        main.update(status=0, last_status_change=draft.now, last_lead_status=draft.stored["status"])
    return main


def _turns_on(draft: Draft, flag: str) -> bool:
    return bool(draft.values.get(flag)) and not draft.stored.get(flag)


def _status_log(draft: Draft, found: Found) -> tuple[InsertRow, ...]:
    if not _changes_status(draft):
        return ()
    names = {row["id"]: str(row["name"]) for row in found.get(STATUSES, ())}
    words = (staff_name(found), names.get(draft.stored["status"], ""), names.get(draft.values["status"], ""))
    return (lead_activity(draft, found, draft.stored["id"], "not_lead_activity_status_updated", words),)
