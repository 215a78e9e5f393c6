"""The rules of tickets and their replies, column by column (SEMANTICS 8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.model import Child, Draft, Extension, Found, Operation, Row, Rule, UpdateRows
from gateway.operations.managed.replies import ReplyRule
from gateway.operations.managed.tickets import TicketRule

NOW = datetime(2026, 7, 15, 12, 0)
STAFF = 3
SENT: Row = {"subject": "x", "department": 1, "status": 1, "userid": 0, "priority": 0}
CONTACT: Found = {"contacts": ({"id": 7, "userid": 4},)}
KNOWN: Found = {**CONTACT, "status": ({"ticketstatusid": 1},), "department": ({"departmentid": 1},)}
STORED: Row = {
    "ticketid": 5,
    "contactid": 7,
    "userid": 4,
    "status": 1,
    "department": 1,
    "merged_ticket_id": None,
    "name": None,
    "email": None,
}
ASSIGNS = {"name": "automatically_assign_ticket_to_first_staff_responding", "value": "1"}
NOBODY = [("/name", "required"), ("/email", "required")]
BY_PERSON: Mapping[str, Any] = {"name": "Ann", "email": "ann@x.example"}


def ticket(
    operation: Operation = "create",
    stored: Row | None = None,
    replies: tuple[Row, ...] = (),
    sent: frozenset[str] | None = None,
    **values: object,
) -> Draft:
    given = {**SENT, **values} if operation == "create" else values
    children = {"ticket_replies": tuple(Child(reply) for reply in replies)} if replies else {}
    return Draft(
        "tickets", operation, given, frozenset(values) if sent is None else sent, NOW, STAFF, stored or {}, children
    )


def reply(operation: Operation = "create", stored: Row | None = None, **values: object) -> Draft:
    given = {"ticketid": 5, "message": "hi", **values} if operation == "create" else values
    return Draft("ticket_replies", operation, given, frozenset(given), NOW, STAFF, stored or {})


def held(status: int = 1, assigned: int = 0, merged: int | None = None, key: int = 5) -> Row:
    return {"ticketid": key, "merged_ticket_id": merged, "status": status, "assigned": assigned}


def faults(rule: Rule, draft: Draft, found: Found) -> list[tuple[str | None, str | None]]:
    with pytest.raises(ValidationError) as caught:
        rule.extend(draft, found)
    return [(issue.pointer, issue.code) for issue in caught.value.issues]


def looked_up(rule: Rule, draft: Draft) -> dict[str, tuple[str, Row, bool]]:
    return {each.name: (each.table, each.where, each.is_locking) for each in rule.reads(draft)}


# Tickets


def test_a_contacts_ticket_is_its_customers() -> None:
    """The customer follows from the contact; nothing else is written."""
    assert TicketRule().extend(ticket(contactid=7), KNOWN) == Extension({"userid": 4})


def test_an_outsiders_ticket_has_a_name_and_an_address() -> None:
    """And no customer; without either it would be nobody's."""
    assert TicketRule().extend(ticket(**BY_PERSON), KNOWN) == Extension({"userid": 0})
    assert faults(TicketRule(), ticket(), KNOWN) == NOBODY
    assert faults(TicketRule(), ticket(contactid=0, email="ann@x.example"), KNOWN) == [("/name", "required")]


def test_a_ticket_is_merged_into_one_that_is_not_merged_itself() -> None:
    """Else replies to two tickets would go to each other."""
    draft = ticket("update", {**STORED, "ticketid": 5}, merged_ticket_id=9)

    assert faults(TicketRule(), draft, {"target": ({"ticketid": 9, "merged_ticket_id": 5},)}) == [
        ("/merged_ticket_id", "reference")
    ]
    assert TicketRule().extend(draft, {"target": ({"ticketid": 9, "merged_ticket_id": None},)}).main == {}


def test_all_that_is_wrong_is_named_at_once() -> None:
    """Also in replies that come along."""
    draft = ticket(contactid=8, merged_ticket_id=9, replies=({"email": "a@x.example", "admin": 1},))

    assert faults(TicketRule(), draft, {}) == [
        ("/status", "computed"),
        ("/department", "reference"),
        ("/merged_ticket_id", "reference"),
        ("/contactid", "reference"),
        ("/ticket_replies/0/admin", "computed"),
        ("/ticket_replies/0/name", "required"),
    ]


def test_what_a_ticket_refers_to_must_exist() -> None:
    """Statuses are those of the CRM's own table."""
    rule = TicketRule()

    assert faults(rule, ticket(contactid=8), KNOWN) == [("/contactid", "reference")]
    assert faults(rule, ticket(contactid=7), {**KNOWN, "status": ()}) == [("/status", "computed")]
    assert faults(rule, ticket(contactid=7), {**KNOWN, "department": ()}) == [("/department", "reference")]
    assert faults(rule, ticket(contactid=7, merged_ticket_id=9), KNOWN) == [("/merged_ticket_id", "reference")]


def test_a_create_looks_up_what_it_refers_to() -> None:
    """Replies that come along bring their own contacts, and the settings."""
    draft = ticket(contactid=7, merged_ticket_id=9, replies=({"contactid": 8}, {"message": "x"}))
    options = ("default_ticket_reply_status", "automatically_assign_ticket_to_first_staff_responding")

    assert looked_up(TicketRule(), draft) == {
        "status": ("tickets_status", {"ticketstatusid": 1}, False),
        "department": ("departments", {"departmentid": 1}, False),
        "target": ("tickets", {"ticketid": 9}, False),
        "contacts": ("contacts", {"id": (7, 8)}, False),
        "options": ("options", {"name": options}, False),
    }
    assert TicketRule().more_reads(draft, {}) == ()


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5])
def test_a_change_of_status_changes_nothing_else(status: int) -> None:
    """Closing has no column of its own, nor has opening again."""
    draft = ticket("update", STORED, status=status)

    assert TicketRule().extend(draft, {"status": ({"ticketstatusid": status},)}) == Extension()
    assert set(looked_up(TicketRule(), draft)) == ({"status"} if status != 1 else set())


def test_another_contact_brings_its_customer() -> None:
    """None leaves a person, who needs a name and an address."""
    rule, other = TicketRule(), {"contacts": ({"id": 8, "userid": 6},)}

    assert rule.extend(ticket("update", STORED, contactid=8), other) == Extension({"userid": 6})
    assert rule.extend(ticket("update", STORED, contactid=7), {}) == Extension()
    assert rule.extend(ticket("update", STORED, contactid=0, **BY_PERSON), {}) == Extension({"userid": 0})
    assert faults(rule, ticket("update", STORED, contactid=0), {}) == NOBODY


def test_a_ticket_is_merged_into_another_one() -> None:
    """Never into itself, and it can be taken out again."""
    rule, there = TicketRule(), {"target": ({"ticketid": 6},)}

    assert rule.extend(ticket("update", STORED, merged_ticket_id=6), there) == Extension()
    assert rule.extend(ticket("update", {**STORED, "merged_ticket_id": 6}, merged_ticket_id=None), {}) == Extension()
    assert faults(rule, ticket("update", STORED, merged_ticket_id=5), there) == [("/merged_ticket_id", "reference")]


def test_deleting_a_ticket_is_the_relationship_maps_work() -> None:
    """The rule reads and adds nothing."""
    draft = ticket("delete", STORED)

    assert (TicketRule().reads(draft), TicketRule().extend(draft, {})) == ((), Extension())


def test_tasks_are_not_created_within_a_ticket() -> None:
    """They have a rule of their own."""
    draft = Draft("tickets", "create", {**SENT, **BY_PERSON}, frozenset(), NOW, STAFF, {}, {"tasks": (Child({}),)})

    assert faults(TicketRule(), draft, KNOWN) == [("/tasks", "read_only")]


def test_replies_that_come_with_a_ticket_change_it_as_later_ones_would() -> None:
    """Each has its author; the last decides the status, the first of staff takes the ticket."""
    draft = ticket(contactid=7, replies=({"message": "a"}, {"admin": 9}, {"contactid": 7}), sent=frozenset({"subject"}))
    extension = TicketRule().extend(draft, {**KNOWN, "options": (ASSIGNS,)})

    assert extension.main == {
        "userid": 4,
        "lastreply": NOW,
        "adminread": 0,
        "clientread": 0,
        "status": 1,
        "assigned": STAFF,
    }
    assert extension.children == {
        "ticket_replies.0": {"userid": 0, "contactid": 0, "admin": STAFF},
        "ticket_replies.1": {"userid": 0, "contactid": 0, "admin": 9},
        "ticket_replies.2": {"userid": 4, "contactid": 7, "admin": None},
    }


def test_a_status_that_was_sent_with_replies_is_the_chosen_one() -> None:
    """Their effects are on the other columns."""
    main = TicketRule().extend(ticket(contactid=7, status=5, replies=({"message": "a"},)), KNOWN).main

    assert "status" not in main
    assert main["lastreply"] == NOW


def test_the_fault_of_a_reply_says_where_it_stands() -> None:
    """By its number."""
    draft = ticket(contactid=7, replies=({"message": "a"}, {"contactid": 99}))

    assert faults(TicketRule(), draft, KNOWN) == [("/ticket_replies/1/contactid", "reference")]


# Replies


@pytest.mark.parametrize(
    ("sent", "author", "status"),
    [
        ({}, {"userid": 0, "contactid": 0, "admin": STAFF}, 3),
        ({"admin": 9}, {"userid": 0, "contactid": 0, "admin": 9}, 3),
        ({"contactid": 7}, {"userid": 4, "contactid": 7, "admin": None}, 1),
        (BY_PERSON, {"userid": 0, "contactid": 0, "admin": None}, 1),
    ],
)
def test_a_reply_is_by_staff_a_contact_or_a_person(sent: Mapping[str, Any], author: Row, status: int) -> None:
    """And its ticket is unread by both sides, and answered or open."""
    extension = ReplyRule().extend(reply(**sent), {**CONTACT, "ticket": (held(4),)})
    effects = {"lastreply": NOW, "adminread": 0, "clientread": 0, "status": status}

    assert extension == Extension({**author, "ticketid": 5}, after=(UpdateRows("tickets", {"ticketid": 5}, effects),))


@pytest.mark.parametrize(
    ("sent", "option", "was", "becomes"),
    [
        ({"contactid": 7}, "4", 5, 1),
        ({"contactid": 7}, "4", 2, 2),
        (BY_PERSON, "4", 2, 2),
        ({}, "4", 2, 4),
        ({}, "", 1, 3),
        ({}, "0", 1, 3),
        ({}, "x", 1, 3),
    ],
)
def test_the_status_after_a_reply(sent: Mapping[str, Any], option: str, was: int, becomes: int) -> None:
    """Staff leave the option's, 3 without one; customers open a ticket, unless it is in progress."""
    options = ({"name": "default_ticket_reply_status", "value": option},)
    extension = ReplyRule().extend(reply(**sent), {**CONTACT, "ticket": (held(was),), "options": options})
    (changed,) = extension.after

    assert isinstance(changed, UpdateRows)
    assert changed.values["status"] == becomes


@pytest.mark.parametrize(
    ("sent", "assigned", "earlier", "expected"),
    [
        ({}, 0, (), STAFF),
        ({"admin": 9}, 0, ({"admin": None},), 9),
        ({}, 0, ({"admin": 8},), None),
        ({}, 6, (), None),
        ({"contactid": 7}, 0, (), None),
    ],
)
def test_who_of_staff_answers_first_takes_a_free_ticket(
    sent: Mapping[str, Any], assigned: int, earlier: tuple[Row, ...], expected: object
) -> None:
    """Where the option says so."""
    found = {**CONTACT, "ticket": (held(assigned=assigned),), "options": (ASSIGNS,), "earlier replies": earlier}
    (changed,) = ReplyRule().extend(reply(**sent), found).after

    assert isinstance(changed, UpdateRows)
    assert changed.values.get("assigned") == expected


def test_without_the_option_nobody_takes_the_ticket() -> None:
    """It stays as it is."""
    (changed,) = ReplyRule().extend(reply(), {"ticket": (held(),)}).after

    assert isinstance(changed, UpdateRows)
    assert "assigned" not in changed.values


def test_a_merged_ticket_takes_its_replies_on_the_target() -> None:
    """The reply stands there, and that ticket changes."""
    found = {"ticket": (held(merged=6),), "target": (held(key=6),)}
    extension = ReplyRule().extend(reply(), found)
    (changed,) = extension.after

    assert extension.main["ticketid"] == 6
    assert isinstance(changed, UpdateRows)
    assert changed.where == {"ticketid": 6}


def test_a_reply_holds_its_ticket_and_the_target() -> None:
    """Two replies at once change it one after the other."""
    rule, draft = ReplyRule(), reply(contactid=7)
    options = ("default_ticket_reply_status", "automatically_assign_ticket_to_first_staff_responding")

    assert looked_up(rule, draft) == {
        "ticket": ("tickets", {"ticketid": 5}, True),
        "options": ("options", {"name": options}, False),
        "contacts": ("contacts", {"id": (7,)}, False),
    }
    more = rule.more_reads(draft, {"ticket": (held(merged=6),), "options": (ASSIGNS,)})
    assert [(each.name, each.where, each.is_locking) for each in more] == [
        ("target", {"ticketid": 6}, True),
        ("earlier replies", {"ticketid": 6, "contactid": 0}, False),
    ]
    assert rule.more_reads(draft, {"ticket": (held(),)}) == ()
    assert rule.more_reads(draft, {}) == ()


def test_a_merge_into_a_ticket_that_is_gone_is_none() -> None:
    """The reply stays where it was sent."""
    assert ReplyRule().extend(reply(), {"ticket": (held(merged=6),), "target": ()}).main["ticketid"] == 5


@pytest.mark.parametrize(
    ("sent", "found", "expected"),
    [
        ({}, {}, ("/ticketid", "reference")),
        ({"contactid": 8}, {"ticket": (held(),)}, ("/contactid", "reference")),
        ({"contactid": 7, "admin": 3}, {"ticket": (held(),)}, ("/admin", "computed")),
        ({**BY_PERSON, "admin": 3}, {"ticket": (held(),)}, ("/admin", "computed")),
        ({"name": "Ann"}, {"ticket": (held(),)}, ("/email", "required")),
        ({"email": "ann@x.example"}, {"ticket": (held(),)}, ("/name", "required")),
    ],
)
def test_a_reply_has_a_ticket_and_one_author(sent: Mapping[str, Any], found: Found, expected: tuple[str, str]) -> None:
    """Each fault with its field."""
    assert faults(ReplyRule(), reply(**sent), {**CONTACT, **found}) == [expected]


STORED_REPLY: Row = {"id": 1, "ticketid": 5, "contactid": 0, "userid": 0, "admin": 3, "name": None, "email": None}


def test_a_change_of_text_changes_nothing_else() -> None:
    """The ticket neither."""
    for stored in (STORED_REPLY, {**STORED_REPLY, "contactid": 7, "userid": 4, "admin": None}):
        draft = reply("update", stored, message="new")

        assert (ReplyRule().reads(draft), ReplyRule().extend(draft, {})) == ((), Extension())


def test_a_change_of_author_says_the_customer_too() -> None:
    """Staff go when a contact comes; both at once are refused."""
    rule = ReplyRule()
    by_contact = rule.extend(reply("update", STORED_REPLY, contactid=7, admin=None), CONTACT)

    assert by_contact == Extension({"userid": 4, "contactid": 7, "admin": None})
    assert faults(rule, reply("update", STORED_REPLY, contactid=7), CONTACT) == [("/admin", "computed")]
    assert faults(rule, reply("update", STORED_REPLY, ticketid=6), {}) == [("/ticketid", "computed")]


def test_deleting_a_reply_leaves_its_ticket_alone() -> None:
    """Attachments go by the relationship map."""
    draft = reply("delete", STORED_REPLY)

    assert ReplyRule().reads(draft) == ()
    assert ReplyRule().more_reads(draft, {}) == ()
    assert ReplyRule().extend(draft, {}) == Extension()
