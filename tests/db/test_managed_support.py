"""Contacts, tickets and replies through the application: each column that SEMANTICS 2 and 8 name, on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

NOW = "2026-07-15 16:00:00"
"""The application's moment on the wall of the sample CRM."""

WHITELIST = """version: 1
profile: perfex
tables: {clients: {}, contacts: {}, contact_permissions: {}, departments: {}, tickets: {}, ticket_replies: {}}
"""
FLAGS = (
    "invoice_emails, estimate_emails, credit_note_emails, contract_emails, task_emails, project_emails, ticket_emails"
)
REPLY = "ticketid, userid, contactid, name, email, date, message, attachment, admin"
STATE = "lastreply, adminread, clientread, status, assigned"


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
def support_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a sample CRM of this module's own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('support') / 'crm.sqlite3'}"
        build(url, scale="demo", today=NOON.date())
        yield url
        return
    server: Server = request.getfixturevalue("mariadb_server")
    name = f"gateway_support_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = server.create_database(name)
    build(url, scale="demo", today=NOON.date())
    yield url
    server.drop_database(name)


@pytest.fixture(scope="module")
async def support(support_database: str) -> AsyncIterator[App]:
    """The application on it, acting as staff 2."""
    async with served(support_database, whitelist=WHITELIST, staff_id=2) as app:
        yield app


async def rows(app: App, text: str) -> list[tuple[Any, ...]]:
    """Return rows as the database has them, moments as text."""
    found = await app.database.inner.fetch(text)
    return [tuple(cell if isinstance(cell, int | None) else str(cell) for cell in row) for row in found]


async def sent(app: App, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """Return the row that a write answers with."""
    answer = await app.client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json()["data"] if answer.content else None


async def faults(app: App, method: str, path: str, body: Mapping[str, object]) -> list[tuple[str, str]]:
    answer = await app.client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


async def client(app: App, **more: object) -> int:
    return int((await sent(app, "POST", "clients", {"company": "Fresh", **more}))["userid"])


async def contact(app: App, owner: int, email: str, **more: object) -> int:
    body = {"userid": owner, "firstname": "Ada", "lastname": "Lee", "email": email, **more}
    return int((await sent(app, "POST", "contacts", body))["id"])


async def ticket(app: App, **more: object) -> int:
    body = {"subject": "s", "message": "<p>m</p>", "department": 1, **more}
    return int((await sent(app, "POST", "tickets", body))["ticketid"])


async def primaries(app: App, owner: int) -> list[int]:
    found = await rows(app, f"SELECT id FROM tblcontacts WHERE userid = {owner} AND is_primary = 1 ORDER BY id")
    return [key for (key,) in found]


async def option(app: App, name: str, value: str) -> None:
    await app.database.inner.write(f"UPDATE tbloptions SET value = '{value}' WHERE name = '{name}'")


# Contacts


async def test_every_column_of_a_new_contact(support: App) -> None:
    """Primary, verified, without a password; one row per portal area."""
    owner = await client(support)
    key = await contact(support, owner, " columns@new.example ")
    none = (None,) * 5
    columns = (
        "userid, is_primary, firstname, lastname, email, phonenumber, title, datecreated, password, new_pass_key, "
        "new_pass_key_requested, email_verified_at, email_verification_key, email_verification_sent_at, last_ip, "
        f"last_login, last_password_change, active, profile_image, direction, {FLAGS}"
    )

    assert await rows(support, f"SELECT {columns} FROM tblcontacts WHERE id = {key}") == [
        (owner, 1, "Ada", "Lee", "columns@new.example", "", None, NOW, *none[:3], NOW, *none, 1, None, None, *[1] * 7)
    ]
    areas = await rows(support, f"SELECT permission_id FROM tblcontact_permissions WHERE userid = {key} ORDER BY id")
    assert areas == [(1,), (2,), (3,), (4,), (5,), (6,)]


async def test_the_option_names_the_areas_and_they_the_mails(support: App) -> None:
    """In JSON too; a flag that was sent stays."""
    owner = await client(support)
    (stored,) = await rows(support, "SELECT value FROM tbloptions WHERE name = 'default_contact_permissions'")
    await option(support, "default_contact_permissions", '["1","6"]')
    try:
        key = await contact(support, owner, "areas@new.example", ticket_emails=1, task_emails=0)
    finally:
        await option(support, "default_contact_permissions", stored[0])

    areas = await rows(support, f"SELECT permission_id FROM tblcontact_permissions WHERE userid = {key} ORDER BY id")
    assert areas == [(1,), (6,)]
    assert await rows(support, f"SELECT {FLAGS} FROM tblcontacts WHERE id = {key}") == [(1, 0, 1, 0, 0, 1, 1)]


async def test_areas_can_come_with_the_contact(support: App) -> None:
    """Instead of the option's."""
    owner = await client(support)
    key = await contact(support, owner, "nested@new.example", contact_permissions=[{"permission_id": 5}])

    areas = await rows(support, f"SELECT permission_id FROM tblcontact_permissions WHERE userid = {key}")
    assert areas == [(5,)]
    assert await rows(support, f"SELECT {FLAGS} FROM tblcontacts WHERE id = {key}") == [(0, 0, 0, 0, 0, 0, 1)]


async def test_a_customer_has_one_primary_contact(support: App) -> None:
    """Through creates, changes and a move."""
    here, there = await client(support), await client(support)
    first = await contact(support, here, "one@primary.example")
    second = await contact(support, here, "two@primary.example")
    assert await primaries(support, here) == [first]

    third = await contact(support, here, "three@primary.example", is_primary=1)
    assert await primaries(support, here) == [third]

    await sent(support, "PATCH", f"contacts/{second}", {"is_primary": 1})
    assert await primaries(support, here) == [second]
    await sent(support, "PATCH", f"contacts/{second}", {"is_primary": 1, "title": "x"})
    assert await primaries(support, here) == [second]

    other = await contact(support, there, "four@primary.example")
    await sent(support, "PATCH", f"contacts/{second}", {"userid": there})
    assert (await primaries(support, here), await primaries(support, there)) == ([], [other])

    await sent(support, "DELETE", f"contacts/{other}")
    assert await primaries(support, there) == []
    assert await rows(support, f"SELECT id FROM tblcontact_permissions WHERE userid = {other}") == []


async def test_an_address_belongs_to_one_contact(support: App) -> None:
    """In whatever case, on create and change; a refused write leaves nothing."""
    owner = await client(support)
    first = await contact(support, owner, "only@new.example")
    second = await contact(support, owner, "second@new.example")
    before = await rows(support, "SELECT COUNT(*) FROM tblcontact_permissions")
    body = {"userid": owner, "firstname": "A", "lastname": "B", "email": " ONLY@new.example", "is_primary": 1}

    assert await faults(support, "POST", "contacts", body) == [("/email", "duplicate")]
    assert await faults(support, "PATCH", f"contacts/{second}", {"email": "only@new.example"}) == [
        ("/email", "duplicate")
    ]
    assert await primaries(support, owner) == [first]
    assert await rows(support, "SELECT COUNT(*) FROM tblcontact_permissions") == before
    assert (await sent(support, "PATCH", f"contacts/{first}", {"email": "Only@new.example "}))["email"] == (
        "Only@new.example"
    )


async def test_many_at_once_get_one_address_and_one_primary(support: App) -> None:
    """No index keeps them apart: the rule's locks do."""
    owner = await client(support)

    async def created(email: str) -> int:
        body = {"userid": owner, "firstname": "A", "lastname": "B", "email": email, "is_primary": 1}
        return (await support.client.post("/api/v1/contacts", json=body)).status_code

    same = await asyncio.gather(*(created("rush@new.example") for _ in range(8)))
    assert sorted(same) == [201, *[422] * 7]
    different = await asyncio.gather(*(created(f"rush{number}@new.example") for number in range(8)))
    assert different == [201] * 8
    assert len(await primaries(support, owner)) == 1


async def test_a_contact_needs_a_customer(support: App) -> None:
    """Of the ones there are; nested ones go through the same door."""
    body = {"firstname": "A", "lastname": "B", "email": "lost@new.example"}

    assert await faults(support, "POST", "contacts", {"userid": 999_999, **body}) == [("/userid", "reference")]
    nested = await faults(support, "POST", "clients", {"company": "x", "contacts": [body]})
    assert nested == [("/contacts/0", "read_only")]


async def test_what_a_nested_reply_cannot_say(support: App) -> None:
    """Who its customer is: nothing that was sent is left out silently."""
    reply = {"message": "r", "userid": 7}
    body = {"subject": "s", "department": 1, "name": "Eve", "email": "eve@new.example", "ticket_replies": [reply]}

    assert await faults(support, "POST", "tickets", body) == [("/ticket_replies/0/userid", "computed")]


async def test_earlier_tickets_of_an_address_become_the_contacts(support: App) -> None:
    """And the replies, not those of staff or of others."""
    owner = await client(support)
    mine = await ticket(support, name="Eve", email="early@new.example")
    other = await ticket(support, name="Bob", email="bob@new.example")
    for body in ({"name": "Eve", "email": "early@new.example"}, {"name": "Bob", "email": "bob@new.example"}, {}):
        await sent(support, "POST", "ticket_replies", {"ticketid": mine, "message": "r", **body})
    key = await contact(support, owner, "early@new.example")

    found = await rows(
        support, f"SELECT ticketid, userid, contactid FROM tbltickets WHERE ticketid IN ({mine}, {other})"
    )
    assert sorted(found) == [(mine, owner, key), (other, 0, 0)]
    replies = await rows(
        support, f"SELECT userid, contactid FROM tblticket_replies WHERE ticketid = {mine} ORDER BY id"
    )
    assert replies == [(owner, key), (0, 0), (0, 0)]


async def test_a_contact_with_tickets_is_not_deleted(support: App) -> None:
    """They would point at nobody."""
    owner = await client(support)
    key = await contact(support, owner, "busy@new.example")
    await ticket(support, contactid=key)
    answer = await support.client.delete(f"/api/v1/contacts/{key}")

    assert (answer.status_code, answer.json()["code"]) == (409, "dependants")
    assert await primaries(support, owner) == [key]


# Tickets


async def test_every_column_of_a_new_ticket(support: App) -> None:
    """Of a contact, and of a person who is none."""
    owner = await client(support)
    key = await contact(support, owner, "opens@new.example")
    columns = (
        "adminreplying, userid, contactid, merged_ticket_id, email, name, department, priority, status, service, "
        "subject, message, admin, date, project_id, lastreply, clientread, adminread, assigned, staff_id_replying, cc"
    )
    by_contact = await ticket(support, contactid=key)
    by_person = await ticket(support, name="Eve", email="eve@new.example", admin=2, status=3)

    assert await rows(support, f"SELECT {columns} FROM tbltickets WHERE ticketid = {by_contact}") == [
        (0, owner, key, None, None, None, 1, 0, 1, None, "s", "<p>m</p>", None, NOW, 0, None, 0, 0, 0, None, None)
    ]
    assert await rows(support, f"SELECT {columns} FROM tbltickets WHERE ticketid = {by_person}") == [
        (0, 0, 0, None, "eve@new.example", "Eve", 1, 0, 3, None, "s", "<p>m</p>", 2, NOW, 0, None, 0, 0, 0, None, None)
    ]
    keys = await rows(support, f"SELECT ticketkey FROM tbltickets WHERE ticketid IN ({by_contact}, {by_person})")
    assert len(set(keys)) == 2
    assert all(len(text) == 32 and set(text) <= set("0123456789abcdef") for (text,) in keys)


async def test_what_a_ticket_cannot_be(support: App) -> None:
    """Nobody's, of no department, in a status that does not exist, of another customer than its contact's."""
    body = {"subject": "s", "department": 1}
    owner = await client(support)
    key = await contact(support, owner, "cannot@new.example")

    assert await faults(support, "POST", "tickets", {"subject": "s", "contactid": key}) == [("/department", "required")]
    assert await faults(support, "POST", "tickets", body) == [("/name", "required"), ("/email", "required")]
    for values, fault in (
        ({"contactid": 999_999}, ("/contactid", "reference")),
        ({"contactid": key, "department": 999}, ("/department", "reference")),
        ({"contactid": key, "status": 99}, ("/status", "computed")),
        ({"contactid": key, "userid": owner + 1}, ("/userid", "computed")),
        ({"contactid": key, "lastreply": "2026-01-01 00:00:00"}, ("/lastreply", "computed")),
        ({"contactid": key, "merged_ticket_id": 999_999}, ("/merged_ticket_id", "reference")),
    ):
        assert await faults(support, "POST", "tickets", {**body, **values}) == [fault]
    assert await ticket(support, contactid=key, userid=owner, lastreply=None)


async def test_closing_and_opening_again(support: App) -> None:
    """The status and nothing else."""
    key = await ticket(support, name="Eve", email="eve@new.example")
    await sent(support, "PATCH", f"tickets/{key}", {"status": 5})
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {key}") == [(None, 0, 0, 5, 0)]

    await sent(support, "PATCH", f"tickets/{key}", {"status": 1})
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {key}") == [(None, 0, 0, 1, 0)]
    assert await faults(support, "PATCH", f"tickets/{key}", {"status": 99}) == [("/status", "computed")]


async def test_replies_and_what_they_leave_on_their_ticket(support: App) -> None:
    """Staff, then the contact, then a person, while it is in progress."""
    owner = await client(support)
    key = await contact(support, owner, "replies@new.example")
    number = await ticket(support, contactid=key)
    await sent(support, "PATCH", f"tickets/{number}", {"adminread": 1, "clientread": 1})
    steps: tuple[tuple[dict[str, object], tuple[object, ...], int], ...] = (
        ({}, (0, 0, None, None, NOW, "r", None, 2), 3),
        ({"contactid": key}, (owner, key, None, None, NOW, "r", None, None), 1),
        ({"name": "Eve", "email": "e@x.example"}, (0, 0, "Eve", "e@x.example", NOW, "r", None, None), 1),
        ({"admin": 1}, (0, 0, None, None, NOW, "r", None, 1), 3),
    )
    for body, stored, status in steps:
        made = await sent(support, "POST", "ticket_replies", {"ticketid": number, "message": "r", **body})
        assert await rows(support, f"SELECT {REPLY} FROM tblticket_replies WHERE id = {made['id']}") == [
            (number, *stored)
        ]
        assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {number}") == [
            (NOW, 0, 0, status, 0)
        ]
    await sent(support, "PATCH", f"tickets/{number}", {"status": 2})
    await sent(support, "POST", "ticket_replies", {"ticketid": number, "message": "r", "contactid": key})
    assert (await rows(support, f"SELECT status FROM tbltickets WHERE ticketid = {number}")) == [(2,)]


async def test_who_of_staff_answers_first_takes_the_ticket(support: App) -> None:
    """With the option; the status it leaves is an option too."""
    number = await ticket(support, name="Eve", email="eve@new.example")
    await option(support, "automatically_assign_ticket_to_first_staff_responding", "1")
    await option(support, "default_ticket_reply_status", "4")
    try:
        await sent(support, "POST", "ticket_replies", {"ticketid": number, "message": "r"})
        await sent(support, "POST", "ticket_replies", {"ticketid": number, "message": "r", "admin": 1})
    finally:
        await option(support, "automatically_assign_ticket_to_first_staff_responding", "0")
        await option(support, "default_ticket_reply_status", "3")

    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {number}") == [(NOW, 0, 0, 4, 2)]


async def test_replies_can_come_with_the_ticket(support: App) -> None:
    """They have authors and effects as later ones would."""
    owner = await client(support)
    key = await contact(support, owner, "comes@new.example")
    replies = [{"message": "a", "contactid": key}, {"message": "b"}]
    number = await ticket(support, contactid=key, ticket_replies=replies)

    assert await rows(support, f"SELECT {REPLY} FROM tblticket_replies WHERE ticketid = {number} ORDER BY id") == [
        (number, owner, key, None, None, NOW, "a", None, None),
        (number, 0, 0, None, None, NOW, "b", None, 2),
    ]
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {number}") == [(NOW, 0, 0, 3, 0)]


async def test_a_merged_ticket_takes_its_replies_on_the_target_and_outlives_it(support: App) -> None:
    """Deleting the target takes its replies along and frees the merged one."""
    target = await ticket(support, name="Eve", email="eve@new.example")
    merged = await ticket(support, name="Eve", email="eve@new.example")
    await sent(support, "PATCH", f"tickets/{merged}", {"merged_ticket_id": target})
    made = await sent(support, "POST", "ticket_replies", {"ticketid": merged, "message": "r"})

    assert made["ticketid"] == target
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {target}") == [(NOW, 0, 0, 3, 0)]
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {merged}") == [(None, 0, 0, 1, 0)]

    await sent(support, "DELETE", f"tickets/{target}")
    assert await rows(support, f"SELECT id FROM tblticket_replies WHERE id = {made['id']}") == []
    assert await rows(support, f"SELECT merged_ticket_id FROM tbltickets WHERE ticketid = {merged}") == [(None,)]


async def test_a_ticket_goes_with_all_it_owns(support: App) -> None:
    """Replies, attachments, tags, custom values; no row of another ticket."""
    (chosen,) = await rows(support, "SELECT MIN(ticketid) FROM tblticket_attachments")
    owned = {
        "tblticket_replies": "ticketid",
        "tblticket_attachments": "ticketid",
        "tbltaggables": "rel_type = 'ticket' AND rel_id",
        "tblcustomfieldsvalues": "fieldto = 'tickets' AND relid",
        "tblnotes": "rel_type = 'ticket' AND rel_id",
        "tblreminders": "rel_type = 'ticket' AND rel_id",
    }
    left: dict[str, object] = {}
    for table, condition in owned.items():
        left[table] = await rows(support, f"SELECT COUNT(*) FROM {table} WHERE NOT ({condition} = {chosen[0]})")
    await sent(support, "DELETE", f"tickets/{chosen[0]}")

    for table, condition in owned.items():
        assert await rows(support, f"SELECT COUNT(*) FROM {table} WHERE {condition} = {chosen[0]}") == [(0,)]
        assert await rows(support, f"SELECT COUNT(*) FROM {table}") == left[table]


async def test_a_reply_that_cannot_be_leaves_nothing(support: App) -> None:
    """No ticket, half a person, two authors, another ticket's."""
    number = await ticket(support, name="Eve", email="eve@new.example")
    before = await rows(support, "SELECT COUNT(*), MAX(id) FROM tblticket_replies")

    for body, fault in (
        ({"ticketid": 999_999}, ("/ticketid", "reference")),
        ({"ticketid": number, "name": "Eve"}, ("/email", "required")),
        ({"ticketid": number, "contactid": 1, "admin": 1}, ("/admin", "computed")),
        ({"ticketid": number, "contactid": 999_999}, ("/contactid", "reference")),
        ({"ticketid": number, "userid": 1}, ("/userid", "computed")),
    ):
        assert await faults(support, "POST", "ticket_replies", {"message": "r", **body}) == [fault]
    assert await rows(support, "SELECT COUNT(*), MAX(id) FROM tblticket_replies") == before
    assert await rows(support, f"SELECT {STATE} FROM tbltickets WHERE ticketid = {number}") == [(None, 0, 0, 1, 0)]


async def test_rows_that_were_read_can_be_sent_back(support: App) -> None:
    """Computed fields equal what is stored, and nothing changes."""
    owner = await client(support)
    key = await contact(support, owner, "back@new.example")
    number = await ticket(support, contactid=key, ticket_replies=[{"message": "b"}])
    for path in (f"contacts/{key}", f"tickets/{number}"):
        row = (await support.json(path))["data"]
        assert await sent(support, "PATCH", path, row) == row


HIDING = """version: 1
profile: perfex
tables:
  clients: {}
  contacts: {hide: [is_primary, ticket_emails]}
  tickets: {hide: [userid, lastreply, adminread, clientread, assigned, merged_ticket_id]}
  ticket_replies: {hide: [userid, admin]}
"""


async def test_columns_that_a_whitelist_hides_are_written_all_the_same(support_database: str) -> None:
    """What clients may not see still has to be right."""
    async with served(support_database, whitelist=HIDING, staff_id=2) as app:
        owner, other = await client(app), await client(app)
        first = await contact(app, owner, "hidden1@new.example")
        await contact(app, owner, "hidden2@new.example")
        assert await primaries(app, owner) == [first]

        there = await contact(app, other, "hidden3@new.example")
        await sent(app, "PATCH", f"contacts/{first}", {"userid": other})
        assert await primaries(app, other) == [there]

        number = await ticket(app, contactid=there)
        made = await sent(app, "POST", "ticket_replies", {"ticketid": number, "message": "r"})
        assert "admin" not in made
        assert await rows(app, f"SELECT {REPLY} FROM tblticket_replies WHERE id = {made['id']}") == [
            (number, 0, 0, None, None, NOW, "r", None, 2)
        ]
        found = await rows(app, f"SELECT userid, {STATE} FROM tbltickets WHERE ticketid = {number}")
        assert found == [(other, NOW, 0, 0, 3, 0)]
