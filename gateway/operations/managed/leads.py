"""Leads: changes of status and assignment are dated, and the lead's timeline tells of them (SEMANTICS 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.logs import activity, lead_activity, staff_lookup, staff_name
from gateway.operations.managed.model import Draft, Extension, Found, InsertRow, Lookup

STATUSES: Final = "statuses"
SOURCES: Final = "sources"
_NO_STATUS: Final = 0
"""What a lost or junk lead has."""


class LeadRule:
    """How leads are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read who acts, and what a given status and source are."""
        if draft.operation == "delete":
            return ()
        actor = (staff_lookup(draft),) if draft.operation == "create" or _is_given(draft, "status") else ()
        return (*actor, *_status_lookup(draft), *_source_lookup(draft))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Date what is dated, and log it."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        main = {**_assigned(draft), **_trimmed(draft), **_status(draft)}
        if draft.operation == "create":
            created = lead_activity(draft, found, None, "not_lead_activity_created")
            general = activity(draft, found, f"New Lead Added [Name: {draft.values.get('name')}]")
            return Extension(main, after=(created, general))
        return Extension(main, after=_status_log(draft, found))


def _is_given(draft: Draft, column: str) -> bool:
    """Whether the client gives a column a value that it does not have yet."""
    return column in draft.sent and (draft.operation == "create" or draft.values[column] != draft.stored.get(column))


def _status_lookup(draft: Draft) -> tuple[Lookup, ...]:
    if not _is_given(draft, "status"):
        return ()
    both = (draft.stored.get("status", _NO_STATUS), draft.values["status"])
    return (Lookup(STATUSES, "leads_status", ("id", "name"), {"id": both}),)


def _source_lookup(draft: Draft) -> tuple[Lookup, ...]:
    if not _is_given(draft, "source"):
        return ()
    return (Lookup(SOURCES, "leads_sources", ("id",), {"id": draft.values["source"]}),)


# What is wrong


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    if _is_given(draft, "status"):
        if _is_given_up(draft):
            yield fault("status", "computed", "a lead that is lost or junk has none; the one it had comes back later")
        elif draft.values["status"] not in _names(found):
            yield fault("status", "computed", f"leads have no status {draft.values['status']}")
    if _is_given(draft, "source") and not found.get(SOURCES):
        yield fault("source", "reference", f"there is no source {draft.values['source']}")


def _names(found: Found) -> dict[object, str]:
    return {row["id"]: str(row["name"]) for row in found.get(STATUSES, ())}


# What follows


def _assigned(draft: Draft) -> dict[str, object]:
    assigned = draft.values.get("assigned")
    return {"dateassigned": draft.today} if assigned and assigned != draft.stored.get("assigned") else {}


def _trimmed(draft: Draft) -> dict[str, object]:
    email = draft.values.get("email")
    return {"email": email.strip()} if isinstance(email, str) and email != email.strip() else {}


def _status(draft: Draft) -> dict[str, object]:
    """The status of a lead that is given up, taken up again, or moved on, and since when."""
    changed: dict[str, object] = {"last_status_change": draft.now}
    if _is_given_up(draft):
        had = draft.values.get("status") if draft.operation == "create" else draft.stored.get("status")
        kept = {"last_lead_status": had} if had else {}  # lost, then junk: the status is that before both
        return {**changed, **kept, "status": _NO_STATUS}
    if draft.operation == "create":
        return {}
    if _is_given(draft, "status"):
        return changed
    if _is_taken_up(draft) and draft.stored.get("last_lead_status"):
        return {**changed, "status": draft.stored["last_lead_status"]}
    return {}


def _is_given_up(draft: Draft) -> bool:
    return any(draft.values.get(flag) and not draft.stored.get(flag) for flag in ("lost", "junk"))


def _is_taken_up(draft: Draft) -> bool:
    after = draft.after()
    was, is_still = (any(row.get(flag) for flag in ("lost", "junk")) for row in (draft.stored, after))
    return was and not is_still and not draft.stored.get("status")


def _status_log(draft: Draft, found: Found) -> tuple[InsertRow, ...]:
    if not _is_given(draft, "status"):
        return ()
    names = _names(found)
    words = (staff_name(found), names.get(draft.stored["status"], ""), names.get(draft.values["status"], ""))
    return (lead_activity(draft, found, draft.stored["id"], "not_lead_activity_status_updated", words),)
