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


def project_activity(
    draft: Draft, found: Found, project: object, description: str, text: str = "", *, is_visible: bool = True
) -> InsertRow:
    """Return a row of a project's timeline; ``is_visible`` shows it to the customer."""
    values = {
        "project_id": project if project is not None else NewKey(),
        "staff_id": draft.staff,
        "contact_id": 0,
        "fullname": staff_name(found),
        "visible_to_customer": int(is_visible),
        "description_key": description,
        "additional_data": text,
        "dateadded": draft.now,
    }
    return InsertRow("project_activity", values)


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


def sales_activity(
    draft: Draft, found: Found, document: tuple[str, object], description: str, additional: object = ""
) -> InsertRow:
    """Return a row of the timeline of a ``document``, its ``rel_type`` and ``rel_id``.

    ``additional`` is what `php_strings` makes of the words of the sentence.
    """
    rel_type, rel_id = document
    values = {
        "rel_type": rel_type,
        "rel_id": rel_id,
        "description": description,
        "additional_data": additional,
        "staffid": str(draft.staff),
        "full_name": staff_name(found),
        "date": draft.now,
    }
    return InsertRow("sales_activity", values)
