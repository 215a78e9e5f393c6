"""Lines and their taxes written by themselves, and what a CRM may lack or a whitelist hide."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.sales import LINES, VAT, Crm, amounts, changed, customer, faults, made, send, settled

# Lines and taxes by themselves


@pytest.mark.parametrize(
    ("path", "table", "kind"),
    [
        ("invoices", "invoices", "invoice"),
        ("estimates", "estimates", "estimate"),
        ("credit_notes", "creditnotes", "credit_note"),
        ("proposals", "proposals", "proposal"),
    ],
)
async def test_a_document_follows_its_lines_and_taxes(sales: tuple[App, Crm], path: str, table: str, kind: str) -> None:
    """Each write of a line or a tax leaves the document with its amounts."""
    app, crm = sales
    whose: dict[str, Any] = {"rel_type": "customer", "rel_id": 1} if kind == "proposal" else {"clientid": 1}
    discount: dict[str, Any] = {"discount_type": "before_tax", "discount_percent": 10}
    key = await made(app, path, **whose, **discount, items=LINES[1:])
    status = crm.row(table, key)["status"]
    assert amounts(crm, table, key) == (20.0, 2.0, 0.0, 18.0, status)

    line = await made(app, "itemable", rel_type=kind, rel_id=key, **LINES[0])
    assert crm.row("itemable", line)["item_order"] == 2
    assert amounts(crm, table, key) == (49.97, 5.0, 1.35, 46.32, status)
    tax = await made(app, "item_tax", itemid=line, taxname="City", taxrate=10)
    assert crm.row("item_tax", tax) == {
        "id": tax,
        "itemid": line,
        "rel_id": key,
        "rel_type": kind,
        "taxrate": 10.0,
        "taxname": "City",
    }
    assert amounts(crm, table, key) == (49.97, 5.0, 4.05, 49.02, status)
    await changed(app, f"item_tax/{tax}", taxrate=20)
    assert amounts(crm, table, key) == (49.97, 5.0, 6.74, 51.72, status)
    await changed(app, f"itemable/{line}", qty=1, description="Less")
    assert amounts(crm, table, key) == (29.99, 3.0, 2.25, 29.24, status)
    await changed(app, f"itemable/{line}", is_optional=1, is_selected=0)
    assert amounts(crm, table, key) == (20.0, 2.0, 0.0, 18.0, status)
    await changed(app, f"itemable/{line}", is_selected=1)
    assert (await send(app, "DELETE", f"item_tax/{tax}")).status_code == 204
    assert amounts(crm, table, key) == (29.99, 3.0, 0.45, 27.44, status)
    assert (await send(app, "DELETE", f"itemable/{line}")).status_code == 204
    assert amounts(crm, table, key) == (20.0, 2.0, 0.0, 18.0, status)
    assert crm.owned("item_tax", kind, key) == []


async def test_lines_that_change_at_once_all_count(sales: tuple[App, Crm]) -> None:
    """The document is held while it is counted."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    lines = await asyncio.gather(
        *(made(app, "itemable", rel_type="invoice", rel_id=key, description="n", qty=1, rate=1) for _ in range(8))
    )
    assert crm.row("invoices", key)["total"] == 59.47
    await asyncio.gather(*(changed(app, f"itemable/{line}", rate=2) for line in lines))

    assert crm.row("invoices", key)["total"] == 67.47


async def test_a_line_that_is_added_to_a_paid_invoice_makes_it_partially_paid(sales: tuple[App, Crm]) -> None:
    """The timeline tells of the new status."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    await made(app, "payments", invoiceid=key, amount="51.47", paymentmode="1")
    assert crm.row("invoices", key)["status"] == 2
    await made(app, "itemable", rel_type="invoice", rel_id=key, **LINES[1])

    assert crm.row("invoices", key)["status"] == 3
    assert crm.owned("sales_activity", "invoice", key)[-1] == settled(crm, key, 2, 3)


async def test_a_line_stays_with_its_document(sales: tuple[App, Crm]) -> None:
    """A line of nothing, or of another document, is refused."""
    app, crm = sales
    key = await made(app, "invoices", clientid=1, items=LINES)
    (line, _) = crm.run("SELECT id FROM tblitemable WHERE rel_type = 'invoice' AND rel_id = %s ORDER BY id", key)
    new: dict[str, Any] = {"description": "x", "qty": 1, "rate": 1}

    assert await faults(app, "PATCH", f"itemable/{int(line['id'])}", rel_id=1) == [("/rel_id", "read_only")]
    assert await faults(app, "POST", "itemable", rel_type="invoice", rel_id=999_999, **new) == [
        ("/rel_id", "reference")
    ]
    assert await faults(app, "POST", "itemable", rel_type="wish", rel_id=1, **new) == [("/rel_type", "member")]
    assert await faults(app, "POST", "item_tax", itemid=999_999, **VAT) == [("/itemid", "reference")]


# What a CRM may lack, and what a whitelist may hide


async def test_a_crm_without_optional_lines(tmp_path: Path) -> None:
    """They came with 3.4.0; before it every line counts."""
    crm = Crm(f"sqlite:///{tmp_path / 'crm.db'}", None)
    build(crm.url, scale="tiny", today=NOON.date())
    for column in ("is_optional", "is_selected"):
        crm.run(f"ALTER TABLE tblitemable DROP COLUMN {column}")
    async with served(crm.url) as app:
        key = await made(app, "invoices", clientid=1, items=LINES)
        await made(app, "itemable", rel_type="invoice", rel_id=key, description="n", qty=1, rate=1)

    assert amounts(crm, "invoices", key) == (50.97, 0.0, 1.5, 52.47, 1)


async def test_hidden_columns_are_written_all_the_same(tmp_path: Path) -> None:
    """Nobody reads them through the gateway; what an amount follows from cannot be changed unseen."""
    crm = Crm(f"sqlite:///{tmp_path / 'crm.db'}", None)
    build(crm.url, scale="tiny", today=NOON.date())
    whitelist = """
version: 1
profile: perfex
prefix: tbl
tables:
  clients: {hide: [billing_zip]}
  invoices: {hide: [terms, billing_city, discount_total, duedate]}
  itemable: {hide: [is_optional]}
  item_tax:
"""
    async with served(crm.url, whitelist=whitelist) as app:
        key = await made(app, "invoices", clientid=1, items=LINES)
        (line, _) = crm.run("SELECT id FROM tblitemable WHERE rel_type = 'invoice' AND rel_id = %s ORDER BY id", key)
        await changed(app, f"itemable/{int(line['id'])}", qty=1)
        refused = await send(app, "PATCH", f"invoices/{key}", {"adjustment": 1})
        note = await send(app, "PATCH", f"invoices/{key}", {"adminnote": "x"})
    row = crm.row("invoices", key)

    assert amounts(crm, "invoices", key) == (29.99, 0.0, 0.5, 30.49, 1)
    assert (row["terms"], row["duedate"]) == (crm.option("predefined_terms_invoice"), "2026-08-14")
    assert (row["billing_city"], row["billing_zip"]) == (customer(crm)["billing_city"], None)
    assert (refused.status_code, note.status_code) == (405, 200)
