"""Replies to tickets: by staff, by a contact, or by somebody with a name and an address (SEMANTICS 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.model import Draft, Extension, Found, Lookup, Row, UpdateRows

OPEN: Final = 1
IN_PROGRESS: Final = 2
ANSWERED: Final = 3
REPLY_STATUS: Final = "default_ticket_reply_status"
ASSIGN_FIRST: Final = "automatically_assign_ticket_to_first_staff_responding"

_CONTACTS, _OPTIONS, _TICKET, _TARGET, _EARLIER = "contacts", "options", "ticket", "target", "earlier replies"
_TICKET_COLUMNS: Final = ("ticketid", "merged_ticket_id", "status", "assigned")


class ReplyRule:
    """How replies are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read the ticket, which is held until the reply has changed it, the settings, and who writes."""
        if draft.operation == "delete":
            return ()
        contacts = contact_lookup([draft.after().get("contactid")], draft.stored.get("contactid"))
        if draft.operation == "update":
            return contacts if _has_new_author(draft) else ()
        return (_ticket_lookup(_TICKET, draft.values.get("ticketid")), option_lookup(), *contacts)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read the ticket that a merged one went into, and who has replied there."""
        if draft.operation != "create" or not found.get(_TICKET):
            return ()
        merged = found[_TICKET][0]["merged_ticket_id"]
        target = (_ticket_lookup(_TARGET, merged, merged),) if merged else ()
        if not is_assigning(found):
            return target
        key = merged or found[_TICKET][0]["ticketid"]
        return (*target, Lookup(_EARLIER, "ticket_replies", ("admin",), {"ticketid": key, "contactid": 0}))

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Say who wrote; a new reply opens or answers its ticket, or the one that this was merged into."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        if draft.operation == "update":
            return Extension(author_of(draft.after(), draft.staff, found) if _has_new_author(draft) else {})
        ticket = _ticket(found)
        author = author_of(draft.values, draft.staff, found)
        is_first = is_assigning(found) and not any(row["admin"] for row in found.get(_EARLIER, ()))
        effects = after_reply(ticket, author, found, draft.now, is_first=is_first)
        changed = UpdateRows("tickets", {"ticketid": ticket["ticketid"]}, effects)
        return Extension({**author, "ticketid": ticket["ticketid"]}, after=(changed,))


# What is read


def contact_lookup(contacts: Iterable[object], *kept: object) -> tuple[Lookup, ...]:
    """Return the lookup of the customers of some contacts, none when there are no contacts; ``kept`` as in `Lookup`."""
    known = tuple(dict.fromkeys(contact for contact in contacts if contact))
    return (Lookup(_CONTACTS, "contacts", ("id", "userid"), {"id": known}, is_own=True, kept=kept),) if known else ()


def option_lookup() -> Lookup:
    """Return the lookup of the settings that replies follow."""
    return Lookup(_OPTIONS, "options", ("name", "value"), {"name": (REPLY_STATUS, ASSIGN_FIRST)})


def _ticket_lookup(name: str, key: object, *kept: object) -> Lookup:
    where = {"ticketid": key}
    return Lookup(name, "tickets", _TICKET_COLUMNS, where, limit=1, is_locking=True, is_own=True, kept=kept)


def _option(found: Found, name: str) -> str:
    return next((str(row["value"] or "") for row in found.get(_OPTIONS, ()) if row["name"] == name), "")


def is_assigning(found: Found) -> bool:
    """Whether who answers a ticket first is put in charge of it."""
    return _option(found, ASSIGN_FIRST) == "1"


# Who writes


def client_of(found: Found, contact: object) -> object:
    """Return the customer of a contact, 0 for none."""
    return next((row["userid"] for row in found.get(_CONTACTS, ()) if row["id"] == contact), 0)


def opener_faults(values: Row, found: Found, path: str = "") -> Iterator[Issue]:
    """Yield what is wrong with who is said to write: a contact there is, else a person with a name and an address."""
    contact = values.get("contactid")
    if contact:
        if all(row["id"] != contact for row in found.get(_CONTACTS, ())):
            yield fault("contactid", "reference", f"there is no contact {contact}", path)
        return
    for column in ("name", "email"):
        if not values.get(column):
            yield fault(column, "required", "name and email must be given where no contactid is", path)


def author_faults(values: Row, found: Found, path: str = "") -> Iterator[Issue]:
    """Yield what is wrong with the author of a reply; without a contact or person it is staff."""
    if not _is_customers(values):
        return
    if values.get("admin"):
        yield fault("admin", "computed", "only a reply of staff names staff, and this one has another author", path)
    yield from opener_faults(values, found, path)


def author_of(values: Row, staff: int, found: Found) -> dict[str, object]:
    """Return the columns that say who wrote a reply: the contact given, the person named, else staff."""
    contact = values.get("contactid") or 0
    admin = None if _is_customers(values) else values.get("admin") or staff
    return {"userid": client_of(found, contact), "contactid": contact, "admin": admin}


def _is_customers(values: Row) -> bool:
    return any(values.get(name) for name in ("contactid", "email", "name"))


# What a write gives


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    if draft.operation == "create" and not found.get(_TICKET):
        yield fault("ticketid", "reference", f"there is no ticket {draft.values.get('ticketid')}")
    if draft.operation == "update" and draft.after().get("ticketid") != draft.stored.get("ticketid"):
        yield fault("ticketid", "computed", "a reply stays with its ticket")
    if draft.operation == "create" or _has_new_author(draft):
        yield from author_faults(draft.after(), found)


def _has_new_author(draft: Draft) -> bool:
    return any(draft.after().get(name) != draft.stored.get(name) for name in ("contactid", "admin", "name", "email"))


# What follows for the ticket


def _ticket(found: Found) -> Row:
    """The ticket that takes the reply."""
    return (found.get(_TARGET) or found[_TICKET])[0]


def after_reply(ticket: Row, author: Row, found: Found, now: datetime, *, is_first: bool) -> dict[str, object]:
    """Return the columns of a ticket after a reply; ``is_first`` says that its staff author may be put in charge."""
    changed: dict[str, object] = {"lastreply": now, "adminread": 0, "clientread": 0}
    if author["admin"] is None:
        return {**changed, "status": IN_PROGRESS if ticket.get("status") == IN_PROGRESS else OPEN}
    if is_first and not ticket.get("assigned"):
        changed["assigned"] = author["admin"]
    chosen = _option(found, REPLY_STATUS)
    return {**changed, "status": int(chosen) if chosen.isdecimal() and int(chosen) else ANSWERED}
