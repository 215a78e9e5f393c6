"""Changes and deletes of invoices, estimates, credit notes and proposals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.app import App, served
from tests.support.sales import (
    BILLING,
    DRAFT,
    LINES,
    SHIPPING,
    Crm,
    amounts,
    changed,
    customer,
    differences,
    faults,
    made,
    send,
    settled,
    told,
)

# Drafts and statuses of invoices


@pytest.mark.parametrize(
    ("change", "status", "description"),
    [
        ({"status": 1}, 1, None),
        ({"sent": 1}, 1, "invoice_activity_marked_as_sent"),
        ({"status": 5}, 5, "invoice_activity_marked_as_cancelled"),
    ],
)
async def test_a_draft_takes_its_number_when_it_is_none_any_more(
    sales: tuple[App, Crm], change: dict[str, object], status: int, description: str | None
) -> None:
    """Until then the counter stands still."""
    app, crm = sales
    number = int(crm.option("next_invoice_number"))
    key = await made(app, "invoices", clientid=1, status=6, items=LINES)
    draft = crm.row("invoices", key)
    assert (draft["number"], draft["formatted_number"], draft["status"]) == (DRAFT, "INV-DRAFT", 6)
    assert crm.option("next_invoice_number") == str(number)

    await changed(app, f"invoices/{key}", **change)
    sent = {"datesend": crm.wall()} if "sent" in change else {}
    assert crm.row("invoices", key) == {
        **draft,
        "number": float(number),
        "formatted_number": f"INV-{number:06}",
        "status": float(status),
        "sent": float(bool(sent) or status == 5),
        **sent,
    }
    logs = [told(crm, "invoice", key, description)] if description else []
    if status == 1:
        logs.append(settled(crm, key, 6, 1))
    assert crm.owned("sales_activity", "invoice", key)[1:] == logs
    assert crm.option("next_invoice_number") == str(number + 1)


async def test_a_cancelled_invoice_that_is_taken_up_again_is_settled_anew(sales: tuple[App, Crm]) -> None:
    """It keeps its number; by its last day it may be overdue at once."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES, date="2026-06-01", duedate="2026-07-01")
    assert crm.row("invoices", key)["status"] == 4
    await changed(app, f"invoices/{key}", status=5)
    cancelled = crm.row("invoices", key)
    assert (cancelled["status"], cancelled["sent"]) == (5, 1)
    await changed(app, f"invoices/{key}", status=1)

    assert crm.row("invoices", key) == {**cancelled, "status": 4.0}


@pytest.mark.parametrize("status", [2, 3, 4, 6, 7])
async def test_no_other_status_is_chosen(sales: tuple[App, Crm], status: int) -> None:
    """The rest follows from money and dates."""
    app, _ = sales
    key = await made(app, "invoices", clientid=1, items=LINES)

    assert await faults(app, "PATCH", f"invoices/{key}", status=status) == [("/status", "computed")]


async def test_nobody_learns_a_status_by_sending_it_back(sales: tuple[App, Crm]) -> None:
    """Whoever may not read a status gets the same answer for the stored one as for any other."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    async with served(crm.url, staff_id=1, grants={"blind": ("invoices:update",)}) as other:
        answers = [
            await other.clients["blind"].patch(f"/api/v1/invoices/{key}?dry_run=true", json={"status": status})
            for status in (1, 2, 3, 4)
        ]

    assert [answer.status_code for answer in answers] == [422] * 4
    assert len({answer.text.replace(answer.json()["request_id"], "") for answer in answers}) == 1


async def test_nobody_learns_a_discount_by_guessing_it(sales: tuple[App, Crm]) -> None:
    """What a percentage comes to is told to those who may read it; a fixed discount is everybody's to set."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES, discount_type="before_tax", discount_percent=10)
    right = str(crm.row("invoices", key)["discount_total"])
    async with served(crm.url, staff_id=1, grants={"blind": ("invoices:update",)}) as other:
        path = f"/api/v1/invoices/{key}?dry_run=true"
        guesses = [
            (await other.clients["blind"].patch(path, json={"discount_total": guess})).status_code
            for guess in (right, "0.01")
        ]
        fixed = await other.clients["blind"].patch(path, json={"discount_percent": 0, "discount_total": "0.01"})

    assert guesses == [422, 422]
    assert fixed.status_code == 200, fixed.text
    assert (await send(app, "PATCH", f"invoices/{key}?dry_run=true", {"discount_total": right})).status_code == 200


async def test_a_row_that_was_read_can_be_sent_back_with_a_change(sales: tuple[App, Crm]) -> None:
    """Computed fields may stand in it as they were, though they come out otherwise."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    row = (await app.get(f"invoices?filter[id]={key}&fields=*")).json()["data"][0]
    await changed(app, f"invoices/{key}", **{**row, "discount_type": "before_tax", "discount_percent": 10})

    assert amounts(crm, "invoices", key) == (49.97, 5.0, 1.35, 46.32, 1)


async def test_discount_and_last_day_change_amounts_and_status(sales: tuple[App, Crm]) -> None:
    """What was paid may then be all, or the last day past."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    await changed(app, f"invoices/{key}", duedate="2026-07-01")
    assert crm.row("invoices", key)["status"] == 4
    await made(app, "payments", invoiceid=key, amount="31.47", paymentmode="1")
    assert crm.row("invoices", key)["status"] == 3
    await changed(app, f"invoices/{key}", discount_type="after_tax", discount_total="20")

    assert amounts(crm, "invoices", key) == (49.97, 20.0, 1.5, 31.47, 2)
    await changed(app, f"invoices/{key}", adjustment="1")
    assert amounts(crm, "invoices", key) == (49.97, 20.0, 1.5, 32.47, 3)
    await changed(app, f"invoices/{key}", discount_type="")
    assert amounts(crm, "invoices", key) == (49.97, 0.0, 1.5, 52.47, 3)


async def test_another_date_is_shown_in_the_number(sales: tuple[App, Crm]) -> None:
    """Its format is the invoice's own, whatever the setting is by then."""
    app, crm = sales
    crm.option("invoice_number_format", "4")
    try:
        key = await made(app, "invoices", clientid=1)
    finally:
        crm.option("invoice_number_format", "1")
    number = int(crm.row("invoices", key)["number"])
    assert crm.row("invoices", key)["formatted_number"] == f"INV-{number:06}/07/2026"
    await changed(app, f"invoices/{key}", date="2025-03-01")

    assert crm.row("invoices", key)["formatted_number"] == f"INV-{number:06}/03/2025"


async def test_another_customer_brings_their_address(sales: tuple[App, Crm]) -> None:
    """As far as no other is sent."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, include_shipping=1)
    await changed(app, f"invoices/{key}", clientid=2, billing_city="Ulm")
    row, other = crm.row("invoices", key), customer(crm, 2)
    names = (*BILLING, *SHIPPING)

    assert {name: row[name] for name in names} == {**{name: other[name] for name in names}, "billing_city": "Ulm"}
    await changed(app, f"invoices/{key}", include_shipping=0)
    assert {crm.row("invoices", key)[name] for name in SHIPPING} == {None}


# Statuses of the other documents


async def test_an_estimate_takes_any_of_its_statuses(sales: tuple[App, Crm]) -> None:
    """One that is marked as sent says when."""
    app, crm = sales
    key = await made(app, "estimates", clientid=1, items=LINES)
    for status in (3, 4, 5, 1, 2):
        await changed(app, f"estimates/{key}", status=status)
        mark = told(crm, "estimate", key, "estimate_activity_marked", f"<status>{status}</status>")
        assert crm.owned("sales_activity", "estimate", key)[-1] == mark
    row = crm.row("estimates", key)

    assert (row["status"], row["sent"], row["datesend"]) == (2, 1, crm.wall())
    assert await faults(app, "PATCH", f"estimates/{key}", status=6) == [("/status", "computed")]


async def test_a_credit_note_is_void_by_hand_and_closed_when_used_up(sales: tuple[App, Crm]) -> None:
    """A void one stays void."""
    app, crm = sales
    key = await made(app, "credit_notes", clientid=1, items=LINES)
    invoice = await made(app, "invoices", clientid=1, items=[*LINES, *LINES])
    await made(app, "credits", credit_id=key, invoice_id=invoice, amount="20")
    await changed(app, f"credit_notes/{key}", discount_type="after_tax", discount_total="31.47")
    assert amounts(crm, "creditnotes", key) == (49.97, 31.47, 1.5, 20.0, 2)
    assert await faults(app, "PATCH", f"credit_notes/{key}", status=1) == [("/status", "computed")]
    other = await made(app, "credit_notes", clientid=1, items=LINES)
    await changed(app, f"credit_notes/{other}", status=3)
    await changed(app, f"credit_notes/{other}", adjustment="1")

    assert amounts(crm, "creditnotes", other) == (49.97, 0.0, 1.5, 52.47, 3)


async def test_a_proposal_that_is_opened_again_gets_another_week(sales: tuple[App, Crm]) -> None:
    """Its last day was past."""
    app, crm = sales
    key = await made(app, "proposals", rel_type="customer", rel_id=1, open_till="2026-07-01")
    await changed(app, f"proposals/{key}", status=4)
    assert crm.row("proposals", key)["open_till"] == "2026-07-01"
    await changed(app, f"proposals/{key}", status=1)

    assert crm.row("proposals", key)["open_till"] == "2026-07-22"
    assert await faults(app, "PATCH", f"proposals/{key}", status=7) == [("/status", "computed")]
    assert await faults(app, "POST", "proposals", rel_type="project", rel_id=1) == [("/rel_type", "member")]
    assert await faults(app, "POST", "proposals", rel_type="lead", rel_id=999_999) == [("/rel_id", "reference")]
    project = await faults(app, "POST", "proposals", rel_type="lead", rel_id=1, project_id=1)
    assert project == [("/project_id", "computed")]


@pytest.mark.parametrize(
    ("path", "table", "kind", "status", "description"),
    [
        ("invoices", "invoices", "invoice", 1, "invoice_activity_marked_as_sent"),
        ("estimates", "estimates", "estimate", 2, None),
    ],
)
async def test_a_document_that_is_sent_says_when(  # a case of two tables
    sales: tuple[App, Crm], path: str, table: str, kind: str, status: int, description: str | None
) -> None:
    """On create as later; the mails that were to be sent are not any more, and nothing takes it back."""
    app, crm = sales
    at_once = await made(app, path, clientid=1, sent=1, items=LINES)
    later = await made(app, path, clientid=1, items=LINES)
    text = (
        "INSERT INTO tblscheduled_emails (rel_id, rel_type, scheduled_at, contacts, template) VALUES (%s,%s,%s,%s,%s)"
    )
    crm.run(text, later, kind, crm.wall(), "1", "x")
    await changed(app, f"{path}/{later}", sent=1)
    for key in (at_once, later):
        row = crm.row(table, key)
        assert (row["sent"], row["datesend"], row["status"]) == (1, crm.wall(), status)
        if description:
            assert crm.owned("sales_activity", kind, key)[-1] == told(crm, kind, key, description)

    assert crm.owned("scheduled_emails", kind, later) == []
    assert await faults(app, "PATCH", f"{path}/{later}", sent=0) == [("/sent", "computed")]


async def test_what_was_sent_is_not_overruled_in_silence(sales: tuple[App, Crm]) -> None:
    """A last day that comes with the reopening stays, and what cannot be true together is refused."""
    app, crm = sales
    key = await made(app, "proposals", rel_type="customer", rel_id=1, status=3)
    await changed(app, f"proposals/{key}", status=1, open_till="2020-02-01")

    assert str(crm.row("proposals", key)["open_till"]) == "2020-02-01"
    assert await faults(app, "POST", "estimates", clientid=1, status=2, sent=0) == [("/sent", "computed")]


async def test_a_converted_estimate_or_proposal_is_accepted(sales: tuple[App, Crm]) -> None:
    """The CRM dates the way from a proposal to an estimate, and that from an estimate to an invoice."""
    app, crm = sales
    invoice = await made(app, "invoices", clientid=1)
    estimate = await made(app, "estimates", clientid=1)
    await changed(app, f"estimates/{estimate}", invoiceid=invoice)
    row = crm.row("estimates", estimate)
    assert (row["status"], row["invoiced_date"]) == (4, crm.wall())
    row = crm.row("estimates", await made(app, "estimates", clientid=1, invoiceid=invoice))
    assert (row["status"], row["invoiced_date"]) == (4, crm.wall())

    proposals = [await made(app, "proposals", rel_type="customer", rel_id=1) for _ in range(2)]
    await changed(app, f"proposals/{proposals[0]}", estimate_id=estimate)
    await changed(app, f"proposals/{proposals[1]}", invoice_id=invoice)
    rows = [crm.row("proposals", key) for key in proposals]
    assert [(row["status"], row["date_converted"]) for row in rows] == [(3, crm.wall()), (3, None)]


async def test_a_proposal_can_be_addressed_anew(sales: tuple[App, Crm]) -> None:
    """To a lead it belongs to no project."""
    app, crm = sales
    key = await made(app, "proposals", rel_type="customer", rel_id=1, project_id=1, items=LINES, date="9999-12-31")
    assert crm.row("proposals", key)["open_till"] is None
    await changed(app, f"proposals/{key}", rel_type="lead", city="Ulm", discount_type="after_tax", discount_percent=10)
    row, lead = crm.row("proposals", key), crm.row("leads", 1)

    assert (row["proposal_to"], row["city"], row["project_id"]) == (lead["name"], "Ulm", None)
    assert amounts(crm, "proposals", key) == (49.97, 5.15, 1.5, 46.32, 6)
    assert await faults(app, "POST", "proposals", rel_type="lead") == [("/rel_id", "required")]
    assert await faults(app, "POST", "proposals", subject="x") == [("/rel_type", "required")]


async def test_a_credit_note_can_be_made_void(sales: tuple[App, Crm]) -> None:
    """Nothing else than void or what comes out is taken."""
    app, crm = sales
    assert crm.row("creditnotes", await made(app, "credit_notes", clientid=1, status=3))["status"] == 3
    assert crm.row("creditnotes", await made(app, "credit_notes", clientid=1, status=1))["status"] == 1
    assert await faults(app, "POST", "credit_notes", clientid=1, status=2) == [("/status", "computed")]


@pytest.mark.parametrize(
    ("path", "table", "body"),
    [
        ("invoices", "invoices", {"adminnote": "x"}),
        ("estimates", "estimates", {"reference_no": "x"}),
        ("credit_notes", "creditnotes", {"reference_no": "x"}),
        ("proposals", "proposals", {"subject": "x", "status": 1}),
    ],
)
async def test_a_change_of_words_changes_nothing_else(
    sales: tuple[App, Crm], path: str, table: str, body: dict[str, Any]
) -> None:
    """No amount is computed anew, though it be another than would come out; a delete leaves no line."""
    app, crm = sales
    whose: dict[str, Any] = {"rel_type": "customer", "rel_id": 1} if path == "proposals" else {"clientid": 1}
    counts = crm.counts()
    key = await made(app, path, **whose, items=LINES)
    crm.run(f"UPDATE tbl{table} SET total = 51.48 WHERE id = %s", key)
    before = crm.row(table, key)
    await changed(app, f"{path}/{key}", **body)

    assert crm.row(table, key) == {**before, **body}
    assert (await send(app, "DELETE", f"{path}/{key}")).status_code == 204
    assert differences(counts, crm.counts()) == {}


# Deletes


async def test_a_deleted_invoice_takes_what_it_owns_and_frees_the_rest(sales: tuple[App, Crm]) -> None:
    """Billed tasks and expenses, the estimate and the proposal stay; a spent credit note is open again."""
    app, crm = sales
    credit_note = await made(app, "credit_notes", clientid=1, items=LINES)
    estimate = await made(app, "estimates", clientid=1)
    proposal = await made(app, "proposals", rel_type="customer", rel_id=1)
    counts = crm.counts()
    key = await made(app, "invoices", clientid=1, items=LINES)
    await made(app, "payments", invoiceid=key, amount="1", paymentmode="1")
    await made(app, "credits", credit_id=credit_note, invoice_id=key, amount="51.47")
    assert crm.row("creditnotes", credit_note)["status"] == 2
    task, expense = (
        crm.run(f"SELECT id FROM tbl{table} ORDER BY id LIMIT 1")[0]["id"] for table in ("tasks", "expenses")
    )
    crm.run("UPDATE tbltasks SET billed = 1, invoice_id = %s WHERE id = %s", key, task)
    crm.run("UPDATE tblexpenses SET invoiceid = %s WHERE id = %s", key, expense)
    crm.run("UPDATE tblestimates SET invoiceid = %s, invoiced_date = %s WHERE id = %s", key, crm.wall(), estimate)
    crm.run("UPDATE tblproposals SET invoice_id = %s WHERE id = %s", key, proposal)

    answer = await send(app, "DELETE", f"invoices/{key}")
    assert answer.status_code == 204, answer.text
    assert differences(counts, crm.counts()) == {}
    for table in ("itemable", "item_tax", "sales_activity"):
        assert crm.owned(table, "invoice", key) == []
    freed = crm.row("tasks", int(task))
    assert (freed["billed"], freed["invoice_id"]) == (0, 0)
    assert crm.row("expenses", int(expense))["invoiceid"] is None
    assert crm.row("estimates", estimate)["invoiceid"] is None
    assert crm.row("estimates", estimate)["invoiced_date"] is None
    assert crm.row("proposals", proposal)["invoice_id"] is None
    assert crm.row("creditnotes", credit_note)["status"] == 1


async def test_a_tried_delete_counts_each_row_once(sales: tuple[App, Crm]) -> None:
    """A tax hangs on its line and on its document all the same."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    answer = await send(app, "DELETE", f"invoices/{key}?dry_run=true")

    owned = {table: len(crm.owned(table, "invoice", key)) for table in ("itemable", "item_tax", "sales_activity")}
    assert answer.json()["data"] == {
        "affected": 1,
        "owned": {table: str(count) for table, count in owned.items()},
        "dependants": {},
    }
    assert min(owned.values()) > 0


@pytest.mark.parametrize(
    ("path", "kind"), [("invoices", "invoice"), ("estimates", "estimate"), ("credit_notes", "credit_note")]
)
async def test_only_the_last_document_may_go_when_the_crm_says_so(sales: tuple[App, Crm], path: str, kind: str) -> None:
    """Its number is given back when the CRM says so too."""
    app, crm = sales
    settings = (f"delete_only_on_last_{kind}", f"{kind}_number_decrement_on_delete")
    number = crm.option(f"next_{kind}_number")
    first, last = await made(app, path, clientid=1), await made(app, path, clientid=1)
    for name in settings:
        crm.option(name, "1")
    try:
        answer = await send(app, "DELETE", f"{path}/{first}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_last")
        assert (await send(app, "DELETE", f"{path}/{last}")).status_code == 204
        assert crm.option(f"next_{kind}_number") == str(int(number) + 1)
        crm.option(settings[0], "0")
        newest = await made(app, path, clientid=1)
        assert (await send(app, "DELETE", f"{path}/{first}")).status_code == 204
        assert crm.option(f"next_{kind}_number") == str(int(number) + 2), "only the last number can be given back"
        assert (await send(app, "DELETE", f"{path}/{newest}")).status_code == 204
    finally:
        for name in settings:
            crm.option(name, "0")


async def test_a_deleted_line_frees_what_it_billed(sales: tuple[App, Crm]) -> None:
    """The task and the expense can be billed again."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    (line, _) = crm.run("SELECT id FROM tblitemable WHERE rel_type = 'invoice' AND rel_id = %s ORDER BY id", key)
    task, expense = (
        crm.run(f"SELECT id FROM tbl{table} ORDER BY id LIMIT 1")[0]["id"] for table in ("tasks", "expenses")
    )
    crm.run("UPDATE tbltasks SET billed = 1, invoice_id = %s WHERE id = %s", key, task)
    crm.run("UPDATE tblexpenses SET invoiceid = %s WHERE id = %s", key, expense)
    for rel_type, rel_id in (("task", task), ("expense", expense)):
        text = "INSERT INTO tblrelated_items (rel_id, rel_type, item_id) VALUES (%s, %s, %s)"
        crm.run(text, rel_id, rel_type, line["id"])
    assert (await send(app, "DELETE", f"itemable/{int(line['id'])}")).status_code == 204

    assert (crm.row("tasks", int(task))["billed"], crm.row("tasks", int(task))["invoice_id"]) == (0, 0)
    assert crm.row("expenses", int(expense))["invoiceid"] is None
    assert crm.run("SELECT id FROM tblrelated_items WHERE item_id = %s", line["id"]) == []
