"""Rows of the CRM's timelines, which its own screens show (SEMANTICS 0.6)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.operations.managed.model import Draft, Found, InsertRow, Lookup, NewKey

STAFF = "acting staff"


def staff_lookup(draft: Draft) -> Lookup:
    """Return the lookup of who acts, for `staff_name`."""
    return Lookup(STAFF, "staff", ("firstname", "lastname"), {"staffid": draft.staff}, limit=1)


def staff_name(found: Found) -> str:
    """Return the full name of who acts, empty when the staff row cannot be seen."""
    row = next(iter(found.get(STAFF, ())), {})
    return f"{row.get('firstname') or ''} {row.get('lastname') or ''}".strip()


def php_strings(items: Sequence[str]) -> str:
    """Return words as PHP's serialised list, the form in which timelines keep them."""
    body = "".join(f'i:{number};s:{len(item.encode())}:"{item}";' for number, item in enumerate(items))
    return f"a:{len(items)}:{{{body}}}"


def activity(draft: Draft, found: Found, description: str) -> InsertRow:
    """Return a row of the general log."""
    values = {"description": description, "date": draft.now, "staffid": staff_name(found) or None}
    return InsertRow("activity_log", values)


def lead_activity(draft: Draft, found: Found, lead: object, description: str, words: Sequence[str] = ()) -> InsertRow:
    """Return a row of a lead's timeline; ``description`` is the key of a sentence that the CRM has in each language."""
    values = {
        "leadid": lead if lead is not None else NewKey(),
        "description": description,
        "additional_data": php_strings(words) if words else "",
        "date": draft.now,
        "staffid": draft.staff,
        "full_name": staff_name(found),
        "custom_activity": 0,
    }
    return InsertRow("lead_activity_log", values)
