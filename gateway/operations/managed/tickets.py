"""Tickets: who opened them, and what a reply changes on its ticket (SEMANTICS 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.model import Draft, Extension, Found, Lookup, Row
from gateway.operations.managed.replies import (
    after_reply,
    author_faults,
    author_of,
    client_of,
    contact_lookup,
    is_assigning,
    opener_faults,
    option_lookup,
)

REPLIES: Final = "ticket_replies"
_STATUS, _DEPARTMENT, _TARGET = "status", "department", "target"
_BY_THEMSELVES: Final = ("tasks",)
_MERGED: Final = ("merged_ticket_id",)


class TicketRule:
    """How tickets are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read what the given columns refer to, as far as it changes."""
        if draft.operation == "delete":
            return ()
        looked = [
            Lookup(name, table, (key,), {key: value}, limit=1, optional=_MERGED, is_own=True)
            if name == _TARGET
            else Lookup(name, table, (key,), {key: value}, limit=1)
            for name, table, key, value in _references(draft)
            if value is not None
        ]
        replies = draft.children.get(REPLIES, ())
        contacts = [_changed(draft, "contactid"), *(child.values.get("contactid") for child in replies)]
        return (*looked, *contact_lookup(contacts), *((option_lookup(),) if replies else ()))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Set the customer by the contact; replies that come with a new ticket change it as later ones would."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        main = _opener(draft, found)
        if draft.operation == "update":
            return Extension(main)
        children, effects = _replies(draft, found)
        return Extension({**main, **effects}, children)


def _changed(draft: Draft, column: str) -> object:
    """The new value of a column, None when it is empty or stays."""
    value = draft.values.get(column)
    return value if value and value != draft.stored.get(column) else None


def _references(draft: Draft) -> tuple[tuple[str, str, str, object], ...]:
    return (
        (_STATUS, "tickets_status", "ticketstatusid", _new(draft, "status")),
        (_DEPARTMENT, "departments", "departmentid", _new(draft, "department")),
        (_TARGET, "tickets", "ticketid", _changed(draft, "merged_ticket_id")),
    )


def _new(draft: Draft, column: str) -> object:
    """The value that a write gives a column that has to refer to something: 0 is nothing."""
    value = draft.values.get(column)
    return None if value == draft.stored.get(column) else value


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    if _new(draft, "status") is not None and not found.get(_STATUS):
        yield fault("status", "computed", f"tickets have no status {draft.values['status']}")
    if _new(draft, "department") is not None and not found.get(_DEPARTMENT):
        yield fault("department", "reference", f"there is no department {draft.values['department']}")
    target = _changed(draft, "merged_ticket_id")
    if target is not None and (not found.get(_TARGET) or target == draft.stored.get("ticketid")):
        yield fault("merged_ticket_id", "reference", f"{target} is no other ticket")
    elif target is not None and found[_TARGET][0].get("merged_ticket_id"):
        yield fault(
            "merged_ticket_id", "reference", f"ticket {target} is merged itself; name the one it was merged into"
        )
    for name in _BY_THEMSELVES:
        if name in draft.children:
            yield fault(name, "read_only", f"rows of {name} are created by themselves, not within a ticket")
    if _has_new_opener(draft):
        yield from opener_faults(draft.after(), found)
    for number, child in enumerate(draft.children.get(REPLIES, ())):
        yield from author_faults(child.values, found, f"/{REPLIES}/{number}")


def _has_new_opener(draft: Draft) -> bool:
    stored = draft.stored.get("contactid")
    return draft.operation == "create" or draft.values.get("contactid", stored) != stored


def _opener(draft: Draft, found: Found) -> dict[str, object]:
    """Whose ticket it is: a contact's, and so its customer's, or that of somebody with a name and an address."""
    return {"userid": client_of(found, draft.values.get("contactid"))} if _has_new_opener(draft) else {}


def _replies(draft: Draft, found: Found) -> tuple[dict[str, Row], dict[str, object]]:
    """The columns of each nested reply by its label, and what they leave on the ticket."""
    children: dict[str, Row] = {}
    effects: dict[str, object] = {}
    for number, child in enumerate(draft.children.get(REPLIES, ())):
        author = author_of(child.values, draft.staff, found)
        ticket = {"assigned": 0, **draft.values, **effects}
        had_staff = any(earlier.get("admin") for earlier in children.values())
        is_first = is_assigning(found) and not had_staff
        effects.update(after_reply(ticket, author, found, draft.now, is_first=is_first))
        children[f"{REPLIES}.{number}"] = author
    if "status" in draft.sent:
        effects.pop("status", None)  # the client chose it
    return children, effects
