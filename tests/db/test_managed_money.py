"""Payments, credits and refunds through the application: every row they touch is what SEMANTICS says."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx2 import Response

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server
from tests.support.money_model import KINDS, Model, ModelInvoice, Step

TODAY = NOON.date()
DRAFT = 1_000_000_000
_INVOICE = {
    "clientid": 1,
    "prefix": "INV-",
    "number_format": 2,
    "datecreated": "2026-07-05 10:00:00",
    "date": "2026-07-05",
    "duedate": "2026-07-30",
    "currency": 1,
    "addedfrom": 1,
    "hash": "0" * 32,
    "discount_type": "",
    "include_shipping": 0,
}
_CREDIT_NOTE = {key: value for key, value in _INVOICE.items() if key not in ("duedate", "hash")}


@dataclass(slots=True)
class Crm:
    """A CRM of the tests' own, looked into past the gateway."""

    url: str
    server: Server | None
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(50_000, 60_000)))

    def run(self, text: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement and return its rows."""
        if self.server is None:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)) as file:
                file.row_factory = sqlite3.Row
                return [dict(row) for row in file.execute(text.replace("%s", "?"), values)]
        with self.server.connection(self.url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def put(self, table: str, **columns: object) -> int:
        """Insert a row and return its key."""
        key = next(self.numbers)
        row = {"id": key, **columns}
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        self.run(f"INSERT INTO tbl{table} ({names}) VALUES ({marks})", *row.values())
        return key

    def invoice(self, total: str = "100.00", **columns: object) -> int:
        """Insert an invoice; one of status 6 is a draft."""
        number = DRAFT if columns.get("status") == 6 else next(self.numbers)
        return self.put("invoices", **{**_INVOICE, "number": number, "subtotal": total, "total": total, **columns})

    def credit_note(self, total: str = "50.00") -> int:
        """Insert a credit note."""
        number = next(self.numbers)
        return self.put("creditnotes", **{**_CREDIT_NOTE, "number": number, "subtotal": total, "total": total})

    def row(self, table: str, key: object) -> dict[str, Any]:
        """Return a row, in values that both engines have alike."""
        (row,) = self.run(f"SELECT * FROM tbl{table} WHERE id = %s", key)
        return {name: _alike(value) for name, value in row.items()}

    def option(self, name: str) -> str:
        """Return a setting."""
        (row,) = self.run("SELECT value FROM tbloptions WHERE name = %s", name)
        return str(row["value"])

    def timeline(self, invoice: int) -> list[dict[str, Any]]:
        """Return the timeline of an invoice, without its own keys."""
        text = "SELECT * FROM tblsales_activity WHERE rel_type = 'invoice' AND rel_id = %s ORDER BY id"
        rows = self.run(text, invoice)
        return [{name: _alike(value) for name, value in row.items() if name != "id"} for row in rows]

    def counts(self) -> list[int]:
        """Return how many rows there are of all that a payment may write."""
        tables = ("invoicepaymentrecords", "credits", "creditnote_refunds", "sales_activity", "activity_log")
        return [int(self.run(f"SELECT COUNT(*) AS n FROM tbl{table}")[0]["n"]) for table in tables]


def _alike(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return str(value)
    return float(value) if isinstance(value, (Decimal, int)) else value


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def money(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[App, Crm]]:
    """The application on a small CRM of this module's own."""
    name = f"gateway_money_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("money") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=TODAY)
    async with served(url, staff_id=1) as app:
        yield app, Crm(url, mariadb_server if is_served else None)
    if is_served:
        mariadb_server.drop_database(name)


async def send(app: App, method: str, path: str, body: Any = None) -> Response:
    """Return the answer of a write."""
    return await app.client.request(method, f"/api/v1/{path}", json=body)


async def made(app: App, path: str, **body: object) -> dict[str, Any]:
    """Create a row and return it."""
    answer = await send(app, "POST", path, body)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def words(*texts: str) -> str:
    """Return what PHP's serialize() makes of a list of texts."""
    body = "".join(f'i:{place};s:{len(text.encode())}:"{text}";' for place, text in enumerate(texts))
    return f"a:{len(texts)}:{{{body}}}"


def logged(crm: Crm, invoice: int, description: str, *texts: str) -> dict[str, Any]:
    """Return a row of an invoice's timeline."""
    (staff,) = crm.run("SELECT firstname, lastname FROM tblstaff WHERE staffid = 1")
    wall = crm_wall(crm)
    return {
        "rel_type": "invoice",
        "rel_id": float(invoice),
        "description": description,
        "additional_data": words(*texts),
        "staffid": "1",
        "full_name": f"{staff['firstname']} {staff['lastname']}",
        "date": wall,
    }


def crm_wall(crm: Crm) -> str:
    """Return the moment of the tests on the CRM's own clock."""
    return NOON.astimezone(ZoneInfo(crm.option("default_timezone"))).strftime("%Y-%m-%d %H:%M:%S")


def changed_status(crm: Crm, invoice: int, before: int, after: int) -> dict[str, Any]:
    """Return the timeline's row of a change of status."""
    marks = (f"<original_status>{before}</original_status>", f"<new_status>{after}</new_status>")
    return logged(crm, invoice, "invoice_activity_status_updated", *marks)


def shown_payment(crm: Crm, amount: str, key: int) -> tuple[str, str]:
    """Return the words of a new payment's row; amounts of the tests have no thousands."""
    (currency,) = crm.run("SELECT * FROM tblcurrencies WHERE id = 1")
    number = amount.replace(".", currency["decimal_separator"])
    is_after = currency["placement"] == "after"
    return (number + currency["symbol"] if is_after else currency["symbol"] + number), f"#{key}"


async def test_a_payment_and_everything_that_goes_with_it(money: tuple[App, Crm]) -> None:
    """The payment's own columns, the invoice's, the counter and the timeline; nothing else changes."""
    app, crm = money
    invoice = crm.invoice()
    before, counts, counter = crm.row("invoices", invoice), crm.counts(), crm.option("next_invoice_number")
    payment = await made(app, "payments", invoiceid=invoice, amount="40.00", paymentmode="1", note="cash")

    assert crm.row("invoicepaymentrecords", payment["id"]) == {
        "id": payment["id"],
        "invoiceid": invoice,
        "amount": 40.0,
        "paymentmode": "1",
        "paymentmethod": None,
        "date": crm_wall(crm)[:10],
        "daterecorded": crm_wall(crm),
        "note": "cash",
        "transactionid": None,
    }
    shown = f"INV-2026/{int(before['number']):06}"
    assert crm.row("invoices", invoice) == {**before, "status": 3, "formatted_number": shown}
    assert crm.timeline(invoice) == [
        changed_status(crm, invoice, 1, 3),
        logged(
            crm,
            invoice,
            "invoice_activity_payment_made_by_staff",
            *shown_payment(crm, "40.00", payment["id"]),
        ),
    ]
    assert [after - old for after, old in zip(crm.counts(), counts, strict=True)] == [1, 0, 0, 2, 0]
    assert crm.option("next_invoice_number") == counter


async def test_a_payment_ends_a_draft(money: tuple[App, Crm]) -> None:
    """The draft takes the counter's number and the counter grows by one, as text."""
    app, crm = money
    invoice = crm.invoice(status=6, formatted_number="INV-DRAFT")
    before, counter = crm.row("invoices", invoice), int(crm.option("next_invoice_number"))
    await made(app, "payments", invoiceid=invoice, amount=100, paymentmode="stripe")

    shown = f"INV-2026/{counter:06}"
    assert crm.row("invoices", invoice) == {**before, "status": 2, "number": counter, "formatted_number": shown}
    assert crm.option("next_invoice_number") == str(counter + 1)
    assert crm.timeline(invoice)[0] == changed_status(crm, invoice, 6, 2)


async def test_changes_and_removals_settle_again(money: tuple[App, Crm]) -> None:
    """A smaller amount, another invoice, and no payment at all: the statuses follow each time."""
    app, crm = money
    first, second = crm.invoice(), crm.invoice("30.00", duedate="2026-07-01")
    key = (await made(app, "payments", invoiceid=first, amount=100))["id"]
    assert crm.row("invoices", first)["status"] == 2

    assert (await send(app, "PATCH", f"payments/{key}", {"amount": 30})).status_code == 200
    assert crm.row("invoices", first)["status"] == 3
    assert (await send(app, "PATCH", f"payments/{key}", {"invoiceid": second})).status_code == 200
    assert [crm.row("invoices", each)["status"] for each in (first, second)] == [1, 2]
    assert (await send(app, "DELETE", f"payments/{key}")).status_code == 204
    assert [crm.row("invoices", each)["status"] for each in (first, second)] == [1, 4]
    assert crm.timeline(second) == [changed_status(crm, second, 1, 2), changed_status(crm, second, 2, 4)]


async def test_a_row_that_was_read_can_be_sent_again(money: tuple[App, Crm]) -> None:
    """A payment sent back as it was read changes nothing, and the timeline says nothing."""
    app, crm = money
    invoice = crm.invoice()
    body = await made(app, "payments", invoiceid=invoice, amount=10, paymentmode="1")
    before, timeline = crm.row("invoices", invoice), crm.timeline(invoice)

    assert (await send(app, "PUT", f"payments/{body['id']}", body)).status_code == 200
    assert (crm.row("invoices", invoice), crm.timeline(invoice)) == (before, timeline)


async def test_a_credit_and_a_refund_settle_both_documents(money: tuple[App, Crm]) -> None:
    """The credit's own columns, and the statuses of invoice and credit note until nothing is left of them."""
    app, crm = money
    invoice, note = crm.invoice(status=6), crm.credit_note()
    counter = crm.option("next_invoice_number")
    before = crm.row("creditnotes", note)
    credit = await made(app, "credits", invoice_id=invoice, credit_id=note, amount="20.00")

    assert crm.row("credits", credit["id"]) == {
        "id": credit["id"],
        "invoice_id": invoice,
        "credit_id": note,
        "staff_id": 1,
        "date": crm_wall(crm)[:10],
        "date_applied": crm_wall(crm),
        "amount": 20.0,
    }
    assert (crm.row("invoices", invoice)["status"], crm.row("invoices", invoice)["number"]) == (3, int(counter))
    assert crm.row("creditnotes", note) == before

    refund = await made(app, "creditnote_refunds", credit_note_id=note, amount=30, payment_mode="1")
    assert crm.row("creditnote_refunds", refund["id"]) == {
        "id": refund["id"],
        "credit_note_id": note,
        "staff_id": 1,
        "refunded_on": crm_wall(crm)[:10],
        "payment_mode": "1",
        "note": None,
        "amount": 30.0,
        "created_at": crm_wall(crm),
    }
    assert crm.row("creditnotes", note) == {**before, "status": 2}

    assert (await send(app, "DELETE", f"credits/{credit['id']}")).status_code == 204
    assert (crm.row("invoices", invoice)["status"], crm.row("creditnotes", note)["status"]) == (1, 1)
    assert crm.timeline(invoice) == [changed_status(crm, invoice, 6, 3), changed_status(crm, invoice, 3, 1)]


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("payments", {"invoiceid": 4_000_000, "amount": 1}, "/invoiceid", "reference"),
        ("payments", {"invoiceid": 1, "amount": 0}, "/amount", "out_of_range"),
        ("payments", {"invoiceid": 1, "amount": 1, "paymentmode": "99"}, "/paymentmode", "reference"),
        ("credits", {"invoice_id": 4_000_000, "credit_id": 1, "amount": 1}, "/invoice_id", "reference"),
        ("credits", {"invoice_id": 1, "credit_id": 4_000_000, "amount": 1}, "/credit_id", "reference"),
        (
            "creditnote_refunds",
            {"credit_note_id": 4_000_000, "amount": 1, "payment_mode": "1"},
            "/credit_note_id",
            "reference",
        ),
    ],
)
async def test_what_does_not_fit_leaves_nothing_behind(
    money: tuple[App, Crm], path: str, body: dict[str, object], pointer: str, code: str
) -> None:
    """The field is named, and no row is written."""
    app, crm = money
    counts = crm.counts()
    answer = await send(app, "POST", path, body)

    assert answer.status_code == 422
    assert [(issue["pointer"], issue["code"]) for issue in answer.json()["errors"]] == [(pointer, code)]
    assert crm.counts() == counts


async def test_a_counter_that_was_set_back_is_told_of(money: tuple[App, Crm]) -> None:
    """No number is given twice in a year: the write is refused, whole."""
    app, crm = money
    counter = int(crm.option("next_invoice_number"))
    other, draft = crm.invoice(number=counter), crm.invoice(status=6)
    before, counts = crm.row("invoices", draft), crm.counts()
    answer = await send(app, "POST", "payments", {"invoiceid": draft, "amount": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert (crm.row("invoices", draft), crm.counts()) == (before, counts)
    crm.run("DELETE FROM tblinvoices WHERE id = %s", other)


async def test_payments_at_once_see_one_another(money: tuple[App, Crm]) -> None:
    """Many payments of one invoice at the same time: the last of them finds it paid."""
    app, crm = money
    invoice = crm.invoice("120.00")
    answers = await asyncio.gather(
        *(send(app, "POST", "payments", {"invoiceid": invoice, "amount": 10}) for _ in range(12))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert crm.row("invoices", invoice)["status"] == 2


async def test_changes_at_once_do_not_cross(money: tuple[App, Crm]) -> None:
    """New, changed and removed payments of one invoice at the same time all succeed, and the status is right."""
    app, crm = money
    invoice = crm.invoice("250.00")
    keys = [(await made(app, "payments", invoiceid=invoice, amount=10))["id"] for _ in range(10)]
    answers = await asyncio.gather(
        *(send(app, "POST", "payments", {"invoiceid": invoice, "amount": 15}) for _ in keys),
        *(send(app, "PATCH", f"payments/{key}", {"amount": 20}) for key in keys[::2]),
        *(send(app, "DELETE", f"payments/{key}") for key in keys[1::2]),
    )

    assert {answer.status_code for answer in answers} == {200, 201, 204}
    assert crm.row("invoices", invoice)["status"] == 2


async def test_drafts_paid_at_once_take_consecutive_numbers(money: tuple[App, Crm]) -> None:
    """No number is skipped and none is given twice."""
    app, crm = money
    drafts = [crm.invoice(status=6) for _ in range(12)]
    counter = int(crm.option("next_invoice_number"))
    answers = await asyncio.gather(
        *(send(app, "POST", "payments", {"invoiceid": draft, "amount": 10}) for draft in drafts)
    )

    assert {answer.status_code for answer in answers} == {201}
    assert sorted(crm.row("invoices", draft)["number"] for draft in drafts) == list(range(counter, counter + 12))
    assert crm.option("next_invoice_number") == str(counter + 12)


# Random sequences


def drawn(seed: int, count: int) -> Sequence[Step]:
    """Return a random sequence, the same for the same seed."""
    dice = random.Random(seed)
    amounts = (1, 2_500, 5_000, 9_999, 10_000)
    return [
        Step(dice.choice(KINDS), dice.randrange(6), dice.randint(1, 2), dice.randint(1, 2), dice.choice(amounts))
        for _ in range(count)
    ]


@dataclass(slots=True)
class Taken:
    """The same steps taken in the application and in the model; ``keys`` are the documents' own."""

    app: App
    crm: Crm
    model: Model
    invoices: dict[int, int]
    notes: dict[int, int]

    async def take(self, step: Step) -> None:
        """Do one step in both; what there is nothing to do it on is left out."""
        model, amount = self.model, {"amount": str(Decimal(step.cents) / 100)}
        invoice, note = self.invoices[step.document], self.notes[step.note]
        match step.kind:
            case "pay":
                key = (await made(self.app, "payments", invoiceid=invoice, **amount))["id"]
                model.payments[key] = (step.document, step.cents)
                model.touch(step.document, comes=True)
            case "credit":
                key = (await made(self.app, "credits", invoice_id=invoice, credit_id=note, **amount))["id"]
                model.credits[key] = (step.document, step.note, step.cents)
                model.touch(step.document, comes=True)
            case "refund":
                row = await made(self.app, "creditnote_refunds", credit_note_id=note, payment_mode="1", **amount)
                model.refunds[row["id"]] = (step.note, step.cents)
            case "cancel" if model.invoices[step.document].status != 6:
                model.invoices[step.document].status = 5
                self._set_status(step.document)
            case "undo" if model.invoices[step.document].status == 5:
                model.undo(step.document)
                self._set_status(step.document)
            case _:
                await self._change(step, amount)

    def _set_status(self, document: int) -> None:
        status = self.model.invoices[document].status
        self.crm.run("UPDATE tblinvoices SET status = %s WHERE id = %s", status, self.invoices[document])

    async def _change(self, step: Step, amount: dict[str, str]) -> None:
        model = self.model
        if step.kind in ("repay", "unpay", "move") and (key := model.chosen(step, model.payments)) is not None:
            await self._change_payment(step, key, amount)
        elif step.kind in ("recredit", "uncredit") and (key := model.chosen(step, model.credits)) is not None:
            document = model.credits[key][0]
            if step.kind == "recredit":
                await self._patch(f"credits/{key}", {"credit_id": self.notes[step.note], **amount})
                model.credits[key] = (document, step.note, step.cents)
            else:
                await self._remove(f"credits/{key}")
                del model.credits[key]
            model.touch(document)
        elif step.kind == "unrefund" and (key := model.chosen(step, model.refunds)) is not None:
            await self._remove(f"creditnote_refunds/{key}")
            del model.refunds[key]

    async def _change_payment(self, step: Step, key: int, amount: dict[str, str]) -> None:
        model = self.model
        document, cents = model.payments[key]
        if step.kind == "unpay":
            await self._remove(f"payments/{key}")
            del model.payments[key]
        elif step.kind == "repay":
            await self._patch(f"payments/{key}", amount)
            model.payments[key] = (document, step.cents)
        else:
            await self._patch(f"payments/{key}", {"invoiceid": self.invoices[step.document]})
            model.payments[key] = (step.document, cents)
            model.touch(step.document, comes=document != step.document)
        model.touch(document)

    async def _patch(self, path: str, body: dict[str, Any]) -> None:
        answer = await send(self.app, "PATCH", path, body)
        assert answer.status_code == 200, answer.text

    async def _remove(self, path: str) -> None:
        assert (await send(self.app, "DELETE", path)).status_code == 204


@pytest.mark.parametrize("seed", range(8))
async def test_random_sequences_end_as_in_the_model(money: tuple[App, Crm], seed: int) -> None:
    """Statuses of both kinds of document, numbers and the counter, compared after every step."""
    app, crm = money
    past = date(2026, 7, 1)
    late, draft = crm.invoice(duedate=str(past), status=4), crm.invoice("50.00", status=6)
    notes = {1: crm.credit_note(), 2: crm.credit_note("25.00")}
    number, counter = crm.row("invoices", late)["number"], int(crm.option("next_invoice_number"))
    documents = {1: ModelInvoice(10_000, past, 4, int(number)), 2: ModelInvoice(5_000, None, 6, None)}
    model = Model(documents, {1: 5_000, 2: 2_500}, TODAY, counter)
    sequence = Taken(app, crm, model, {1: late, 2: draft}, notes)

    for step in drawn(seed, 25):
        await sequence.take(step)
        rows = [crm.row("invoices", key) for key in (late, draft)]
        expected = [(each.status, each.number or DRAFT) for each in documents.values()]
        assert [(row["status"], row["number"]) for row in rows] == expected, step
        found = [crm.row("creditnotes", key)["status"] for key in notes.values()]
        assert found == [model.note_status(1), model.note_status(2)], step
    assert crm.option("next_invoice_number") == str(model.next_number)


async def test_what_the_whitelist_hides_is_settled_all_the_same(money: tuple[App, Crm]) -> None:
    """Hidden columns of an invoice and of its other payments are read and written by the rules, and never shown."""
    _, crm = money
    hiding = "tables:\n  invoices:\n    hide: [duedate, total, number, formatted_number]\n  credits:\n"
    hiding += "    hide: [amount]\n  creditnotes:\n    hide: [status]\n  invoicepaymentrecords: {}\n"
    async with served(crm.url, whitelist=f"version: 1\nprofile: perfex\n{hiding}", staff_id=1) as app:
        invoice, counter = crm.invoice(status=6), int(crm.option("next_invoice_number"))
        note = crm.credit_note()
        crm.put(
            "credits",
            invoice_id=invoice,
            credit_id=note,
            staff_id=1,
            date=str(TODAY),
            date_applied=str(NOON)[:19],
            amount=60,
        )
        payment = await made(app, "payments", invoiceid=invoice, amount=40)
        row = crm.row("invoices", invoice)

        assert (row["status"], row["number"], row["formatted_number"]) == (2, counter, f"INV-2026/{counter:06}")
        assert payment["amount"] == 40


async def test_a_row_of_hidden_worth_is_not_changed(money: tuple[App, Crm]) -> None:
    """Where the whitelist hides a payment's amount, the payment can be neither moved nor removed."""
    _, crm = money
    invoice = crm.invoice()
    key = crm.put("invoicepaymentrecords", invoiceid=invoice, amount=40, date=str(TODAY), daterecorded=str(NOON)[:19])
    before = crm.row("invoices", invoice)
    hiding = "version: 1\nprofile: perfex\ntables:\n  invoices: {}\n  invoicepaymentrecords:\n    hide: [amount]\n"
    async with served(crm.url, whitelist=hiding, staff_id=1) as app:
        answers = [
            await send(app, "PATCH", f"payments/{key}", {"note": "x"}),
            await send(app, "DELETE", f"payments/{key}"),
        ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(405, "write_not_supported")] * 2
    assert (crm.row("invoices", invoice), crm.row("invoicepaymentrecords", key)["note"]) == (before, None)
