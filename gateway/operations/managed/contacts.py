"""Contacts: one primary per customer, one contact per e-mail address, portal areas (SEMANTICS 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.model import (
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

DEFAULT_AREAS: Final = "default_contact_permissions"
AREAS: Final = "contact_permissions"
FLAGS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {
        1: ("invoice_emails", "credit_note_emails"),
        2: ("estimate_emails",),
        3: ("contract_emails",),
        4: (),
        5: ("ticket_emails",),
        6: ("project_emails", "task_emails"),
    }
)
"""The areas of the customer portal, with the mails that go with each."""

_CLIENT, _NAMESAKES, _PRIMARIES, _OPTION = "client", "namesakes", "primaries", "option"
_TICKETS, _REPLIES = "earlier tickets", "earlier replies"
_ITEM: Final = re.compile(r'(?:i:\d+;)(?:i:(\d+);|s:\d+:"(\d+)";)')


class ContactRule:
    """How contacts are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read the rows that the contact must agree with, locked so that no other write agrees with them at once.

        No index keeps addresses apart. The option's row is what writes of addresses
        queue at; a customer's row, what those of its primary contact do.
        """
        if draft.operation == "delete":
            return ()
        return (*_email_lookups(draft), *_client_lookups(draft), *_earlier_lookups(draft))

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Keep one primary and one owner of the address; give a new contact its portal areas and earlier tickets."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        main = {**_trimmed(draft), **_primary(draft, found)}
        before = _demoted(draft, found, main)
        if draft.operation == "update":
            return Extension(main, before=before)
        areas = _areas(draft, found)
        after = (*_area_rows(draft, areas), *_taken_over(draft, found))
        return Extension({**main, **_flags(draft, areas)}, before=before, after=after)


# What is read


def _email_lookups(draft: Draft) -> tuple[Lookup, ...]:
    option = Lookup(_OPTION, "options", ("value",), {"name": DEFAULT_AREAS}, limit=1, is_locking=True)
    email = _new_email(draft)
    if not email:
        return (option,) if draft.operation == "create" else ()
    return (option, Lookup(_NAMESAKES, "contacts", ("id",), {"email": email}, is_locking=True))


def _client_lookups(draft: Draft) -> tuple[Lookup, ...]:
    if not {"userid", "is_primary"} & draft.values.keys():
        return ()
    client = draft.after().get("userid")
    is_new = client != draft.stored.get("userid")
    return (
        Lookup(_CLIENT, "clients", ("userid",), {"userid": client}, is_locking=True, is_own=is_new),
        Lookup(_PRIMARIES, "contacts", ("id",), {"userid": client, "is_primary": 1}, is_locking=True),
    )


def _earlier_lookups(draft: Draft) -> tuple[Lookup, ...]:
    """What the address wrote before it was a contact's; looked for apart: without an index a change locks all."""
    email = _new_email(draft)
    if draft.operation != "create" or not email:
        return ()
    return (
        Lookup(_TICKETS, "tickets", ("ticketid",), {"userid": 0, "contactid": 0, "email": email}, is_own=True),
        Lookup(_REPLIES, "ticket_replies", ("id",), {"contactid": 0, "admin": None, "email": email}, is_own=True),
    )


def _new_email(draft: Draft) -> str:
    """The address that the write gives the contact, empty when it keeps the one it has."""
    email = str(draft.values.get("email") or "").strip()
    return "" if email == draft.stored.get("email") else email


# What must hold


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    if "userid" in draft.values and not found.get(_CLIENT):
        yield fault("userid", "reference", f"there is no customer {draft.values['userid']}")
    if "email" in draft.sent and not str(draft.values["email"] or "").strip() and not draft.is_sent_back("email"):
        yield fault("email", "required", "an address is due")
    if any(row["id"] != draft.stored.get("id") for row in found.get(_NAMESAKES, ())):
        yield fault("email", "duplicate", "another contact has this address")
    if draft.values.get("is_primary", 0) not in (0, 1):
        yield fault("is_primary", "member", "1 for the customer's primary contact, else 0")


# What is written


def _trimmed(draft: Draft) -> dict[str, object]:
    email = draft.values.get("email")
    return {"email": email.strip()} if isinstance(email, str) else {}


def _others(draft: Draft, found: Found) -> tuple[object, ...]:
    """The primary contacts of the customer besides this one."""
    return tuple(row["id"] for row in found.get(_PRIMARIES, ()) if row["id"] != draft.stored.get("id"))


def _primary(draft: Draft, found: Found) -> dict[str, object]:
    """Whether the contact is the primary one: as it was sent, else when a new one's customer has none.

    Who moves to a customer that has one stops being it.
    """
    if "is_primary" in draft.values:
        return {"is_primary": draft.values["is_primary"]}
    if draft.operation == "create":
        return {"is_primary": int(not _others(draft, found))}
    was_primary = draft.stored.get("is_primary", 1)  # unknown where the whitelist hides the column
    return {"is_primary": 0} if was_primary and _others(draft, found) else {}


def _demoted(draft: Draft, found: Found, main: Row) -> tuple[RowWrite, ...]:
    others = _others(draft, found)
    if not others or main.get("is_primary") != 1:
        return ()
    return (UpdateRows("contacts", {"id": others}, {"is_primary": 0}),)


def _areas(draft: Draft, found: Found) -> tuple[int, ...]:
    """The portal areas of a new contact: those sent with it, else those of the option."""
    if AREAS in draft.children:
        return tuple(int(str(child.values["permission_id"])) for child in draft.children[AREAS])
    option = next(iter(found.get(_OPTION, ())), {})
    return areas_of(str(option.get("value") or ""))


def _area_rows(draft: Draft, areas: tuple[int, ...]) -> tuple[RowWrite, ...]:
    if AREAS in draft.children:
        return ()  # they are written as the rows they were sent as
    return tuple(InsertRow(AREAS, {"permission_id": area, "userid": NewKey()}) for area in areas)


def _flags(draft: Draft, areas: tuple[int, ...]) -> dict[str, object]:
    """Which mails a new contact gets: as it was sent, else those of its areas."""
    flags = {flag: int(area in areas) for area, names in FLAGS.items() for flag in names}
    return {flag: draft.values.get(flag, value) for flag, value in flags.items()}


def _taken_over(draft: Draft, found: Found) -> tuple[RowWrite, ...]:
    owner = {"userid": draft.values["userid"], "contactid": NewKey()}
    tickets = tuple(row["ticketid"] for row in found.get(_TICKETS, ()))
    replies = tuple(row["id"] for row in found.get(_REPLIES, ()))
    taken: list[RowWrite] = []
    if tickets:
        taken.append(UpdateRows("tickets", {"ticketid": tickets}, owner))
    if replies:
        taken.append(UpdateRows("ticket_replies", {"id": replies}, owner))
    return tuple(taken)


def areas_of(text: str) -> tuple[int, ...]:
    """Return the portal areas that the option's text lists: PHP's serialised form or JSON, none when it is neither.

    >>> areas_of('a:2:{i:0;s:1:"1";i:1;s:1:"5";}'), areas_of('["6",2,99]')
    ((1, 5), (6, 2))
    """
    is_php = text.startswith("a:")
    items = [number or word for number, word in _ITEM.findall(text)] if is_php else _json_items(text)
    known = (int(item) for item in items if item.isascii() and item.isdecimal())
    return tuple(dict.fromkeys(area for area in known if area in FLAGS))


def _json_items(text: str) -> list[str]:
    try:
        listed = json.loads(text)
    except ValueError:
        return []
    return [str(item) for item in listed] if isinstance(listed, list) else []
