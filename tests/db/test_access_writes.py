"""Row filters hold in every write: whatever a narrowed token writes, rows outside stay as they were.

The token of these tests is that of the customers 1 and 2. Each test reads the whole database before and after.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from gateway.security.policy import Policy
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.dumps import Dump, dump
from tests.support.mariadb import Server

OWN = (1, 2)
ROWS = {
    "clients": "userid.in=1,2",
    "contacts": "userid.in=1,2",
    "tickets": "userid.in=1,2",
    "ticket_replies": "ticket.userid.in=1,2",
    "invoices": "clientid.in=1,2",
    "estimates": "clientid.in=1,2",
    "creditnotes": "clientid.in=1,2",
    "projects": "clientid.in=1,2",
    "expenses": "clientid.in=1,2",
    "payments": "invoice.clientid.in=1,2",
    "itemable": "invoice.clientid.in=1,2",
    "item_tax": "invoice.clientid.in=1,2",
    "credits": "credit_note.clientid.in=1,2",
    "creditnote_refunds": "credit_note.clientid.in=1,2",
    "milestones": "project.clientid.in=1,2",
    "tasks": "project.clientid.in=1,2",
}
PROPOSALS = ("rel_type=customer", "rel_id.in=1,2")
PARENTS = frozenset({"clients", "contacts", "tickets", "invoices", "estimates", "creditnotes", "projects"})
TABLES = {"payments": "invoicepaymentrecords"}
"""The tables of resources that are called otherwise."""

GRANTS = {
    "own": ("*:*",),
    "parents": ("*:*",),
    "bare": ("invoices:*",),
    "described": ("invoices:*", "itemable:read"),
    "closed": ("invoices:*",),
    "cheap": ("*:*",),
    "later": ("*:*",),
    "undated": ("*:*",),
    "deleter": ("*:*",),
    "all": ("*:*",),
}
"""``parents`` has no filter on payments, lines, credits and replies, only on what they belong to."""

FILTERED = tuple((name, (text,)) for name, text in ROWS.items())
POLICIES = {
    "own": Policy(rows=(*FILTERED, ("proposals", PROPOSALS))),
    "parents": Policy(rows=tuple((name, texts) for name, texts in FILTERED if name in PARENTS)),
    "described": Policy(writable=(("itemable", ("description", "qty", "rate")),)),
    "closed": Policy(rows=(("itemable", ("qty.lt=100",)),)),
    "cheap": Policy(rows=(("itemable", ("qty.lt=100",)), ("taggables", ("tag_id=1",)))),
    "later": Policy(rows=(("contacts", ("id.gt=1",)),)),
    "undated": Policy(rows=(("invoices", ("datesend.gte=2000-01-01",)),)),
    "deleter": Policy(rows=(("invoices", ("status=2",)), ("expenses", ("clientid=1",)), ("itemable", ("qty.lt=0",)))),
}


@dataclass(frozen=True, slots=True)
class Crm:
    """The application on a sample CRM, and all that is in it."""

    app: App
    url: str
    server: Server | None

    def dump(self) -> Dump:
        return dump(self.url, self.server)

    async def send(self, token: str, method: str, path: str, body: Any = None) -> Response:
        return await self.app.clients[token].request(method, f"/api/v1/{path}", json=body)


@pytest.fixture(params=["mariadb", "sqlite"])
async def crm(request: pytest.FixtureRequest, mariadb_server: Server, tmp_path: Path) -> AsyncIterator[Crm]:
    """A sample CRM of each test's own."""
    name = f"gateway_access_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{tmp_path / 'crm.db'}"
    build(url, scale="tiny", today=NOON.date())
    try:
        async with served(url, grants=GRANTS, policies=POLICIES, admin=False, staff_id=1) as app:
            yield Crm(app, url, mariadb_server if is_served else None)
    finally:
        if is_served:
            mariadb_server.drop_database(name)


def payment(invoice: int, **more: object) -> dict[str, object]:
    return {"invoiceid": invoice, "amount": "1.50", "paymentmode": "1", "date": "2026-07-15", **more}


def line(kind: str, document: int, **more: object) -> dict[str, object]:
    return {"rel_type": kind, "rel_id": document, "description": "x", "qty": "1", "rate": "5", **more}


def invoice(client: int, **more: object) -> dict[str, object]:
    return {"clientid": client, "currency": 1, "date": "2026-07-15", **more}


ITEM = {"description": "x", "qty": "1", "rate": "5"}
REPLY = {"message": "hello"}


def faults_of(answer: Response) -> list[str]:
    return [issue["code"] for issue in answer.json().get("errors", ())]


# Rows that a rule goes by


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "payments", payment(3), 422),
        ("POST", "payments", [payment(1), payment(3)], 422),
        ("PATCH", "payments/1", {"invoiceid": 3}, 422),
        ("POST", "credits", {"invoice_id": 3, "credit_id": 3, "amount": "1", "date": "2026-07-15"}, 422),
        ("POST", "credits", {"invoice_id": 1, "credit_id": 2, "amount": "1", "date": "2026-07-15"}, 422),
        ("POST", "itemable", line("invoice", 3), 422),
        ("POST", "itemable", line("estimate", 3), 422),
        ("POST", "item_tax", {"itemid": 7, "taxname": "VAT", "taxrate": "5"}, 422),
        ("POST", "ticket_replies", {"ticketid": 2, **REPLY}, 422),
        ("POST", "ticket_replies", {"ticketid": 1, "contactid": 7, **REPLY}, 422),
        ("PATCH", "tickets/1", {"merged_ticket_id": 2}, 422),
        ("PATCH", "tickets/1", {"contactid": 7}, 422),
        ("POST", "invoices", invoice(3), 422),
        ("PATCH", "invoices/1", {"clientid": 3}, 422),
        ("POST", "contacts", {"userid": 3, "firstname": "a", "lastname": "b", "email": "new@example.com"}, 422),
        ("PATCH", "contacts/1", {"userid": 3}, 422),
        ("POST", "projects", {"name": "p", "clientid": 3, "start_date": "2026-07-15"}, 422),
        ("POST", "proposals", {"subject": "p", "rel_type": "customer", "rel_id": 3, "currency": 1}, 422),
        ("PATCH", "proposals/1", {"rel_id": 3}, 422),
        ("POST", "tasks", {"name": "t", "rel_type": "project", "rel_id": 1, "milestone": 1}, 422),
    ],
)
async def test_a_row_outside_is_none_that_a_write_could_name(
    crm: Crm, method: str, path: str, body: Any, status: int
) -> None:
    """The refusal is the one for a row that is not there, and nothing in the whole database has changed."""
    before = crm.dump()

    answer = await crm.send("own", method, path, body)

    assert answer.status_code == status, answer.text
    assert set(faults_of(answer)) == {"reference"}
    assert crm.dump().tables == before.tables


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "payments/3", {"amount": "7"}),
        ("PATCH", "payments/3", {"invoiceid": 1}),
        ("DELETE", "payments/3", None),
        ("DELETE", "credits/2", None),
        ("PATCH", "credits/2", {"amount": "7"}),
        ("PATCH", "itemable/7", {"qty": "9"}),
        ("DELETE", "itemable/7", None),
        ("POST", "item_tax", {"itemid": 7, "taxname": "VAT", "taxrate": "5"}),
        ("DELETE", "payments?filter[id.in]=1,3&max_affected=5", None),
        ("PATCH", "payments?filter[id.in]=1,3&max_affected=5", {"amount": "8"}),
    ],
)
async def test_a_row_that_stands_in_a_document_outside_stays_as_it_is(
    crm: Crm, method: str, path: str, body: Any
) -> None:
    """Its document would have to be settled anew: the write is refused, and never done without that."""
    before = crm.dump()

    answer = await crm.send("parents", method, path, body)

    assert (answer.status_code, answer.json()["code"]) == (403, "grant_missing"), answer.text
    assert crm.dump().tables == before.tables


async def test_what_a_row_outside_holds_is_not_copied(crm: Crm) -> None:
    """A reply of a contact outside, an address of a customer outside: neither is told by what is made of it."""
    refused = [
        await crm.send("own", "POST", "invoices?dry_run=true", invoice(3, include_shipping=1)),
        await crm.send("own", "POST", "proposals?dry_run=true", {"subject": "p", "rel_type": "lead", "rel_id": 1}),
        await crm.send("own", "POST", "ticket_replies?dry_run=true", {"ticketid": 1, "contactid": 7, **REPLY}),
    ]
    absent = [
        await crm.send("own", "POST", "invoices?dry_run=true", invoice(9999, include_shipping=1)),
        await crm.send("own", "POST", "ticket_replies?dry_run=true", {"ticketid": 1, "contactid": 9999, **REPLY}),
    ]

    assert refused[0].json()["errors"][0]["code"] == absent[0].json()["errors"][0]["code"] == "reference"
    assert refused[2].json()["errors"][0]["code"] == absent[1].json()["errors"][0]["code"] == "reference"
    assert refused[1].status_code == 403, refused[1].text


async def test_a_customers_currency_is_told_to_those_who_may_see_the_customer(crm: Crm) -> None:
    """An expense of a customer outside is in the base currency, as one of nobody's."""
    assert (await crm.send("all", "PATCH", "clients/3", {"default_currency": 3})).status_code == 200
    expense = {"clientid": 3, "category": 1, "amount": "1", "date": "2026-07-15"}

    told = [await crm.send(token, "POST", "expenses?dry_run=true", expense) for token in ("all", "parents")]

    assert [answer.json()["data"]["currency"] for answer in told] == [3, 1]


async def test_a_reply_to_a_merged_ticket_needs_the_ticket_it_was_merged_into(crm: Crm) -> None:
    """It would land there, and would open it."""
    assert (await crm.send("all", "PATCH", "tickets/1", {"merged_ticket_id": 2})).status_code == 200
    before = crm.dump()

    answer = await crm.send("parents", "POST", "ticket_replies", {"ticketid": 1, **REPLY})

    assert (answer.status_code, answer.json()["code"]) == (403, "grant_missing")
    assert crm.dump().tables == before.tables


async def test_a_rule_changes_no_row_outside(crm: Crm) -> None:
    """Who becomes the primary contact takes that from another one, which may be outside."""
    before = crm.dump()
    new = {"userid": 1, "firstname": "a", "lastname": "b", "email": "new@example.com", "is_primary": 1}

    refused = [
        await crm.send("later", "PATCH", "contacts/2", {"is_primary": 1}),
        await crm.send("later", "POST", "contacts", new),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "grant_missing")] * 2
    assert crm.dump().tables == before.tables
    assert (await crm.send("own", "PATCH", "contacts/2", {"is_primary": 1})).status_code == 200


async def test_earlier_tickets_outside_are_not_taken_over(crm: Crm) -> None:
    """A new contact gets the tickets of its address, but not those that its maker has no part in."""
    body = {"userid": 1, "firstname": "a", "lastname": "b", "email": "grace.bennett.900005@mail.example"}
    before = crm.dump()

    answer = await crm.send("own", "POST", "contacts", body)

    assert answer.status_code == 201, answer.text
    assert crm.dump().by_key["tickets"] == before.by_key["tickets"]
    assert crm.dump().by_key["ticket_replies"] == before.by_key["ticket_replies"]


# Nested rows


async def test_nested_rows_meet_the_filter_of_their_own_table(crm: Crm) -> None:
    """As the row they stand in does, or the whole write is taken back."""
    before = crm.dump()

    refused = await crm.send("cheap", "POST", "invoices", invoice(1, items=[ITEM, {**ITEM, "qty": "500"}]))
    assert (refused.status_code, refused.json()["code"]) == (403, "grant_missing"), refused.text
    assert "itemable" in refused.json()["detail"]
    assert crm.dump().tables == before.tables

    allowed = await crm.send("cheap", "POST", "invoices", invoice(1, items=[ITEM, {**ITEM, "qty": "50"}]))
    assert allowed.status_code == 201, allowed.text


async def test_nested_rows_of_which_nobody_could_tell_are_refused(crm: Crm) -> None:
    """Rows without a key of one column cannot be found again: none is written under a row filter."""
    before = crm.dump()

    answer = await crm.send("cheap", "POST", "tasks", {"name": "t", "taggables": [{"tag_id": 1, "tag_order": 1}]})

    assert (answer.status_code, answer.json()["code"]) == (403, "grant_missing"), answer.text
    assert crm.dump().tables == before.tables


async def test_nested_rows_need_the_grant_on_their_parent_alone(crm: Crm) -> None:
    """Lines without any grant on lines, and with one that cannot create."""
    for token in ("bare", "described"):
        answer = await crm.send(token, "POST", "invoices", invoice(1, items=[ITEM]))
        assert answer.status_code == 201, answer.text
        key = answer.json()["data"]["id"]
        (row,) = (row for row in crm.dump().by_key["itemable"].values() if row["rel_id"] == key)
        assert row["description"] == "x"
        assert (await crm.send(token, "POST", "itemable", line("invoice", key))).status_code == 403


async def test_a_grant_on_nested_rows_narrows(crm: Crm) -> None:
    """A column outside its writable ones, and a policy that leaves the table closed."""
    before = crm.dump()

    column = await crm.send("described", "POST", "invoices", invoice(1, items=[{**ITEM, "unit": "h"}]))
    closed = await crm.send("closed", "POST", "invoices", invoice(1, items=[ITEM]))

    assert (column.status_code, column.json()["errors"][0]["pointer"]) == (422, "/items/0/unit"), column.text
    assert (closed.status_code, closed.json()["code"]) == (403, "grant_missing"), closed.text
    assert crm.dump().tables == before.tables


# Deletes


async def test_dependants_outside_have_no_name(crm: Crm) -> None:
    """They block all the same."""
    all_of_them = await crm.send("all", "DELETE", "clients/1")
    answer = await crm.send("deleter", "DELETE", "clients/1")

    counts = dict(issue["message"].split(" rows")[0].split(": ") for issue in all_of_them.json()["errors"])
    told = dict(issue["message"].split(" rows")[0].split(": ") for issue in answer.json()["errors"])
    own = sum(row["clientid"] == 1 and row["status"] == 2 for row in crm.dump().by_key["invoices"].values())
    assert answer.status_code == 409
    assert int(counts["invoices"]) > own > 0
    assert int(told["invoices"]) == own
    assert int(told["other"]) == int(counts.get("other", 0)) + int(counts["invoices"]) - own


async def test_dependants_of_which_the_filter_is_unknown_count_too(crm: Crm) -> None:
    """A null meets no filter, and its negation no more: such rows block like others outside."""
    whole = await crm.send("all", "DELETE", "clients/1")
    answer = await crm.send("undated", "DELETE", "clients/1")

    counts = dict(issue["message"].split(" rows")[0].split(": ") for issue in whole.json()["errors"])
    told = dict(issue["message"].split(" rows")[0].split(": ") for issue in answer.json()["errors"])
    invoices = [row for row in crm.dump().by_key["invoices"].values() if row["clientid"] == 1]
    own = sum(row["datesend"] is not None for row in invoices)
    assert len(invoices) > own > 0
    assert int(told["invoices"]) == own
    assert int(told["other"]) == int(counts.get("other", 0)) + len(invoices) - own


async def test_owned_rows_outside_have_no_name_in_a_dry_run(crm: Crm) -> None:
    """They go along with the row that owns them, as the CRM has it."""
    whole = (await crm.send("all", "DELETE", "invoices/4?dry_run=true")).json()
    narrow = (await crm.send("deleter", "DELETE", "invoices/4?dry_run=true")).json()

    assert "itemable" in str(whole)
    assert "itemable" not in str(narrow)
    assert "other" in str(narrow)


async def test_rows_outside_that_would_forget_the_deleted_row_stand_in_its_way(crm: Crm) -> None:
    """Their reference would be taken out of them, and they are not the caller's to change."""
    whole = crm.dump()
    number, billed = next(
        (row["id"], row["invoiceid"])
        for row in whole.by_key["expenses"].values()
        if row["invoiceid"] and row["clientid"] != 1 and whole.by_key["invoices"][row["invoiceid"]]["status"] == 2
    )

    answer = await crm.send("deleter", "DELETE", f"invoices/{billed}")

    assert (answer.status_code, answer.json()["code"]) == (409, "dependants"), answer.text
    assert "other" in answer.json()["detail"]
    assert crm.dump().tables == whole.tables, number


# Callers of whole tables


async def test_a_filter_elsewhere_asks_nothing_more(crm: Crm) -> None:
    """The statements of a write are those of a token without any filter, as long as it touches no filtered table."""
    for method, path, body in (
        ("POST", "payments?dry_run=true", payment(3)),
        ("POST", "invoices?dry_run=true", invoice(3, items=[ITEM])),
        ("PATCH", "itemable/7?dry_run=true", {"qty": "9"}),
        ("DELETE", "invoices/60?dry_run=true", None),
    ):
        texts = []
        for token in ("all", "later"):
            crm.app.statements()
            answer = await crm.send(token, method, path, body)
            assert answer.status_code < 300, answer.text
            texts.append(crm.app.statements())
        assert texts[0] == texts[1]
        assert texts[0]


# Everything at once

Write = tuple[str, str, Any]


def _near(chance: random.Random, most: int) -> int:
    return chance.randint(1, most)


def _numbers(chance: random.Random) -> str:
    return ",".join(str(_near(chance, 60)) for _ in range(3))


WRITES: tuple[Callable[[random.Random], Write], ...] = (
    lambda c: ("POST", "payments", payment(_near(c, 62), amount=str(_near(c, 500)))),
    lambda c: ("POST", "payments", [payment(_near(c, 12)), payment(_near(c, 12))]),
    lambda c: ("PATCH", f"payments/{_near(c, 60)}", {"amount": str(_near(c, 90))}),
    lambda c: ("PATCH", f"payments/{_near(c, 10)}", {"invoiceid": _near(c, 15)}),
    lambda c: ("DELETE", f"payments/{_near(c, 60)}", None),
    lambda c: ("DELETE", f"payments?filter[id.in]={_numbers(c)}&max_affected=9", None),
    lambda c: ("PATCH", f"payments?filter[id.in]={_numbers(c)}&max_affected=9", {"note": "n"}),
    lambda c: ("POST", "payments?on_conflict=update", payment(_near(c, 12), id=_near(c, 60))),
    lambda c: (
        "POST",
        "credits",
        {"invoice_id": _near(c, 20), "credit_id": _near(c, 6), "amount": "1", "date": "2026-07-15"},
    ),
    lambda c: ("DELETE", f"credits/{_near(c, 6)}", None),
    lambda c: (
        "POST",
        "creditnote_refunds",
        {"credit_note_id": _near(c, 6), "amount": "1", "refunded_on": "2026-07-15", "payment_mode": "1"},
    ),
    lambda c: ("DELETE", f"creditnote_refunds/{_near(c, 4)}", None),
    lambda c: ("POST", "itemable", line("invoice", _near(c, 15), taxes=[{"taxname": "VAT", "taxrate": "5"}])),
    lambda c: ("PATCH", f"itemable/{_near(c, 40)}", {"qty": str(_near(c, 9))}),
    lambda c: ("DELETE", f"itemable/{_near(c, 40)}", None),
    lambda c: ("POST", "item_tax", {"itemid": _near(c, 40), "taxname": "VAT", "taxrate": "7"}),
    lambda c: ("DELETE", f"item_tax/{_near(c, 60)}", None),
    lambda c: ("POST", "ticket_replies", {"ticketid": _near(c, 14), **REPLY}),
    lambda c: ("POST", "ticket_replies", {"ticketid": _near(c, 9), "contactid": _near(c, 8), **REPLY}),
    lambda c: ("PATCH", f"tickets/{_near(c, 14)}", {"merged_ticket_id": _near(c, 14)}),
    lambda c: ("PATCH", f"tickets/{_near(c, 14)}", {"contactid": _near(c, 8)}),
    lambda c: ("DELETE", f"tickets/{_near(c, 14)}", None),
    lambda c: (
        "POST",
        "tickets",
        {"subject": "s", "contactid": _near(c, 6), "department": 1, "priority": 1, "ticket_replies": [REPLY]},
    ),
    lambda c: (
        "POST",
        "tasks",
        {"name": "t", "rel_type": "project", "rel_id": _near(c, 8), "startdate": "2026-07-15"},
    ),
    lambda c: (
        "POST",
        "tasks",
        {"name": "t", "rel_type": "project", "rel_id": c.choice((6, 7, 4)), "milestone": _near(c, 15)},
    ),
    lambda c: ("PATCH", f"tasks/{_near(c, 45)}", {"status": 5}),
    lambda c: ("PATCH", f"tasks/{_near(c, 45)}", {"rel_id": _near(c, 8)}),
    lambda c: ("DELETE", f"tasks/{_near(c, 45)}", None),
    lambda c: (
        "POST",
        "contacts",
        {
            "userid": _near(c, 3),
            "firstname": "a",
            "lastname": "b",
            "email": f"{c.random()}@example.com",
            "is_primary": _near(c, 2) - 1,
        },
    ),
    lambda c: ("PATCH", f"contacts/{_near(c, 10)}", {"is_primary": 1}),
    lambda c: ("PATCH", f"contacts/{_near(c, 10)}", {"userid": _near(c, 3)}),
    lambda c: ("DELETE", f"contacts/{_near(c, 24)}", None),
    lambda c: ("POST", "invoices", invoice(_near(c, 3), items=[ITEM])),
    lambda c: ("POST", "invoices?on_conflict=update", invoice(_near(c, 3), id=_near(c, 62))),
    lambda c: ("PATCH", f"invoices/{_near(c, 60)}", {"include_shipping": 1}),
    lambda c: ("PATCH", f"invoices/{_near(c, 60)}", {"clientid": _near(c, 4)}),
    lambda c: ("PATCH", f"invoices?filter[id.in]={_numbers(c)}&max_affected=9", {"adminnote": "n"}),
    lambda c: ("DELETE", f"invoices/{_near(c, 62)}", None),
    lambda c: ("DELETE", f"invoices?filter[id.in]={_numbers(c)}&max_affected=9", None),
    lambda c: ("POST", "estimates", invoice(_near(c, 3))),
    lambda c: ("PATCH", f"estimates/{_near(c, 14)}", {"invoiceid": _near(c, 9)}),
    lambda c: ("DELETE", f"estimates/{_near(c, 14)}", None),
    lambda c: ("POST", "creditnotes", invoice(_near(c, 3))),
    lambda c: ("DELETE", f"creditnotes/{_near(c, 8)}", None),
    lambda c: (
        "POST",
        "proposals",
        {"subject": "p", "rel_type": c.choice(("customer", "lead")), "rel_id": _near(c, 3), "currency": 1},
    ),
    lambda c: ("PATCH", f"proposals/{_near(c, 12)}", {"rel_id": _near(c, 3)}),
    lambda c: ("DELETE", f"proposals/{_near(c, 12)}", None),
    lambda c: ("POST", "projects", {"name": "p", "clientid": _near(c, 3), "start_date": "2026-07-15"}),
    lambda c: ("PATCH", f"projects/{_near(c, 9)}", {"status": 4}),
    lambda c: ("DELETE", f"projects/{_near(c, 9)}", None),
    lambda c: ("DELETE", f"milestones/{_near(c, 15)}", None),
    lambda c: ("PATCH", f"clients/{_near(c, 5)}", {"city": "x"}),
    lambda c: ("DELETE", f"clients/{_near(c, 5)}", None),
    lambda c: ("DELETE", f"expenses/{_near(c, 24)}", None),
)
COUNTERS = frozenset({"options"})
"""What is nobody's and moves with every document: the next number."""


@pytest.mark.parametrize(("token", "seed"), [("own", 0), ("parents", 1)])
async def test_whatever_is_written_rows_outside_stay_as_they_were(crm: Crm, token: str, seed: int) -> None:
    """Every row that went or changed was the caller's own, and every new one in a filtered table is.

    In all tables, of the token with a filter on each; in the filtered ones, of the other token.
    """
    chance = random.Random(seed)
    filtered = frozenset((*ROWS, "proposals")) if token == "own" else PARENTS
    before, done = crm.dump(), set[int]()
    for number in chance.choices(range(len(WRITES)), k=110):
        method, path, body = WRITES[number](chance)

        answer = await crm.send(token, method, path, body)

        after = crm.dump()
        assert answer.status_code < 500, (method, path, body, answer.text)
        lost = [each for each in before.lost(after) if token == "own" or each[0] in filtered]
        strange = [each for each in lost if before.customer_of(*each) not in OWN and each[0] not in COUNTERS]
        new = [each for each in after.lost(before) if each[0] in {TABLES.get(name, name) for name in filtered}]
        strange.extend(each for each in new if after.customer_of(*each) not in OWN)
        assert not strange, (method, path, body, answer.status_code, strange)
        if answer.status_code < 300:
            done.add(number)
        before = after
    assert len(done) > len(WRITES) // 4, sorted(done)
