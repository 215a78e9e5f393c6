"""The rule of contacts, column by column (SEMANTICS 2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.contacts import ContactRule, areas_of
from gateway.operations.managed.model import (
    Child,
    Draft,
    Extension,
    Found,
    InsertRow,
    NewKey,
    Operation,
    Row,
    UpdateRows,
)

NOW = datetime(2026, 7, 15, 12, 0)
SENT: Row = {"userid": 4, "firstname": "Ada", "lastname": "L", "email": " ada@x.example ", "phonenumber": ""}
ALL_FLAGS = {
    "invoice_emails": 1,
    "credit_note_emails": 1,
    "estimate_emails": 1,
    "contract_emails": 1,
    "ticket_emails": 1,
    "project_emails": 1,
    "task_emails": 1,
}
NO_FLAGS = dict.fromkeys(ALL_FLAGS, 0)
OPTION: Found = {"option": ({"value": 'a:2:{i:0;s:1:"1";i:1;s:1:"6";}'},)}
CLIENT: Found = {"client": ({"userid": 4},)}
STORED: Row = {"id": 9, "userid": 4, "email": "ada@x.example", "is_primary": 0}


def draft(
    operation: Operation = "create", stored: Row | None = None, areas: tuple[int, ...] | None = None, **values: object
) -> Draft:
    given = {**SENT, **values} if operation == "create" else values
    children = {"contact_permissions": tuple(Child({"permission_id": area}) for area in areas)} if areas else {}
    return Draft("contacts", operation, given, frozenset(given), NOW, 3, stored or {}, children)


def extended(written: Draft, found: Found | None = None) -> Extension:
    return ContactRule().extend(written, {**CLIENT, **(found or {})})


def fault(written: Draft, found: Found) -> tuple[str | None, str | None]:
    with pytest.raises(ValidationError) as caught:
        ContactRule().extend(written, found)
    (issue,) = caught.value.issues
    return issue.pointer, issue.code


def looked_up(written: Draft) -> dict[str, tuple[str, Mapping[str, object], bool]]:
    return {each.name: (each.table, each.where, each.is_locking) for each in ContactRule().reads(written)}


# What is read


def test_a_create_locks_what_it_must_agree_with() -> None:
    """The option first, where writes of addresses queue; then the customer, where those of its contacts do."""
    assert looked_up(draft()) == {
        "option": ("options", {"name": "default_contact_permissions"}, True),
        "namesakes": ("contacts", {"email": "ada@x.example"}, True),
        "client": ("clients", {"userid": 4}, True),
        "primaries": ("contacts", {"userid": 4, "is_primary": 1}, True),
        "earlier tickets": ("tickets", {"userid": 0, "contactid": 0, "email": "ada@x.example"}, False),
        "earlier replies": ("ticket_replies", {"contactid": 0, "admin": None, "email": "ada@x.example"}, False),
    }
    assert next(iter(looked_up(draft()))) == "option"


def test_a_create_without_an_address_looks_for_no_namesakes() -> None:
    """Empty text is nobody's address."""
    assert set(looked_up(draft(email=""))) == {"option", "client", "primaries"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"title": "x"}, set()),
        ({"email": "ada@x.example "}, set()),
        ({"email": "new@x.example"}, {"option", "namesakes"}),
        ({"is_primary": 1}, {"client", "primaries"}),
        ({"userid": 5}, {"client", "primaries"}),
    ],
)
def test_a_change_reads_what_it_touches(values: Mapping[str, Any], names: set[str]) -> None:
    """Nothing for a title; an address that stays is not looked for."""
    assert set(looked_up(draft("update", STORED, **values))) == names


def test_a_delete_reads_nothing() -> None:
    """What goes along is the relationship map's to say; nobody becomes primary unasked."""
    written = draft("delete", STORED)

    assert looked_up(written) == {}
    assert ContactRule().extend(written, {}) == Extension()
    assert ContactRule().more_reads(written, {}) == ()


# What must hold


def test_an_address_belongs_to_one_contact() -> None:
    """Also when it is changed; a contact is not its own rival."""
    found = {**CLIENT, "namesakes": ({"id": 7},)}

    assert fault(draft(), found) == ("/email", "duplicate")
    assert fault(draft("update", STORED, email="b@x.example"), found) == ("/email", "duplicate")
    own: Found = {"namesakes": ({"id": 9},)}
    assert extended(draft("update", STORED, email="ADA@x.example "), own).main == {"email": "ADA@x.example"}


def test_the_customer_must_exist() -> None:
    """A contact without one is not to be seen in the CRM (SEMANTICS 0.11)."""
    assert fault(draft(), {}) == ("/userid", "reference")
    assert fault(draft("update", STORED, userid=99), {}) == ("/userid", "reference")


def test_all_that_is_wrong_is_named_at_once() -> None:
    """Customer, address and flag."""
    with pytest.raises(ValidationError) as caught:
        ContactRule().extend(draft(is_primary=2), {"namesakes": ({"id": 7},)})

    assert [issue.pointer for issue in caught.value.issues] == ["/userid", "/email", "/is_primary"]


def test_an_empty_address_is_none() -> None:
    """It would be everybody's; one that is stored already may come back."""
    assert fault(draft(email=" "), CLIENT) == ("/email", "required")
    assert fault(draft("update", STORED, email=""), CLIENT) == ("/email", "required")
    assert extended(draft("update", {**STORED, "email": ""}, email="")).main == {"email": ""}


def test_primary_is_yes_or_no() -> None:
    """The column would take any number."""
    assert fault(draft(is_primary=2), CLIENT) == ("/is_primary", "member")


# Which is the primary one


@pytest.mark.parametrize(
    ("sent", "primaries", "becomes", "demoted"),
    [
        ({}, (), 1, ()),
        ({}, (7,), 0, ()),
        ({"is_primary": 1}, (), 1, ()),
        ({"is_primary": 1}, (7, 8), 1, (7, 8)),
        ({"is_primary": 0}, (), 0, ()),
        ({"is_primary": 0}, (7,), 0, ()),
    ],
)
def test_a_new_contact_is_primary_when_it_is_said_or_nobody_else_is(
    sent: Mapping[str, Any], primaries: tuple[int, ...], becomes: int, demoted: tuple[int, ...]
) -> None:
    """Written explicitly, as the column's default is 1; the others step back first."""
    extension = extended(draft(**sent), {"primaries": tuple({"id": key} for key in primaries)})

    assert extension.main["is_primary"] == becomes
    assert extension.before == ((UpdateRows("contacts", {"id": demoted}, {"is_primary": 0}),) if demoted else ())


@pytest.mark.parametrize(
    ("was", "sent", "primaries", "main", "demoted"),
    [
        (0, {"is_primary": 1}, (7,), {"is_primary": 1}, (7,)),
        (1, {"is_primary": 1}, (9,), {"is_primary": 1}, ()),
        (1, {"is_primary": 0}, (9,), {"is_primary": 0}, ()),
        (1, {"userid": 5}, (7,), {"is_primary": 0}, ()),
        (1, {"userid": 5}, (), {}, ()),
        (0, {"userid": 5}, (7,), {}, ()),
        (1, {"userid": 5, "is_primary": 1}, (7,), {"is_primary": 1}, (7,)),
    ],
)
def test_a_change_leaves_one_primary_at_most(
    was: int, sent: Mapping[str, Any], primaries: tuple[int, ...], main: Row, demoted: tuple[int, ...]
) -> None:
    """Also where a primary contact moves to a customer that has one."""
    written = draft("update", {**STORED, "is_primary": was}, **sent)
    extension = extended(written, {"primaries": tuple({"id": key} for key in primaries)})

    assert (extension.main, extension.after) == (main, ())
    assert extension.before == ((UpdateRows("contacts", {"id": demoted}, {"is_primary": 0}),) if demoted else ())


# Portal areas and mails


def test_a_new_contact_gets_the_areas_of_the_option_and_their_mails() -> None:
    """One row per area; the flags match, and the address is trimmed."""
    extension = extended(draft(), OPTION)
    flags = {**NO_FLAGS, "invoice_emails": 1, "credit_note_emails": 1, "project_emails": 1, "task_emails": 1}

    assert extension.main == {"email": "ada@x.example", "is_primary": 1, **flags}
    assert extension.after == tuple(
        InsertRow("contact_permissions", {"permission_id": area, "userid": NewKey()}) for area in (1, 6)
    )


def test_areas_that_were_sent_take_the_place_of_the_option() -> None:
    """They are nested rows and written as such; the mails follow them."""
    extension = extended(draft(areas=(2, 3, 4, 5)), OPTION)

    assert extension.after == ()
    assert {name for name in ALL_FLAGS if extension.main[name]} == {
        "estimate_emails",
        "contract_emails",
        "ticket_emails",
    }


def test_a_flag_that_was_sent_stays() -> None:
    """Whatever the areas are."""
    main = extended(draft(invoice_emails=0, ticket_emails=1), OPTION).main

    assert (main["invoice_emails"], main["credit_note_emails"], main["ticket_emails"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ('a:6:{i:0;s:1:"1";i:1;s:1:"2";i:2;s:1:"3";i:3;s:1:"4";i:4;s:1:"5";i:5;s:1:"6";}', (1, 2, 3, 4, 5, 6)),
        ("a:2:{i:0;i:5;i:1;i:5;}", (5,)),
        ("a:0:{}", ()),
        ('["1","6"]', (1, 6)),
        ("[2, 3, 7, null]", (2, 3)),
        ("{}", ()),
        ("", ()),
        ("nonsense", ()),
    ],
)
def test_the_option_is_read_in_either_form(text: str, areas: tuple[int, ...]) -> None:
    """PHP's or JSON; numbers that are no area give none."""
    assert areas_of(text) == areas


def test_without_the_option_a_contact_sees_nothing() -> None:
    """No right is given that nobody gave."""
    extension = extended(draft())

    assert extension.after == ()
    assert {name: extension.main[name] for name in NO_FLAGS} == NO_FLAGS


def test_earlier_tickets_of_the_address_become_the_contacts() -> None:
    """And its replies; what staff wrote is not looked for."""
    found: Found = {"earlier tickets": ({"ticketid": 5}, {"ticketid": 6}), "earlier replies": ({"id": 8},)}
    owner = {"userid": 4, "contactid": NewKey()}

    assert extended(draft(), found).after == (
        UpdateRows("tickets", {"ticketid": (5, 6)}, owner),
        UpdateRows("ticket_replies", {"id": (8,)}, owner),
    )
