"""Words for codes: every label of the sample CRM, compared with the tables that its words are in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.catalog.model import LabelField, PathField, Table
from tests.support.app import App, served
from tests.support.sales import Crm

FEW = "version: 1\nprofile: perfex\ntables: [leads, tickets, invoices, invoicepaymentrecords, leads_status]\n"


def words_of(crm: Crm, label: LabelField | PathField) -> Mapping[object, str]:
    """Return the word of each code, as text where the column is text."""
    if isinstance(label, LabelField):
        return dict(label.words)
    ((_, remote),) = label.relationship.pairs
    rows = crm.run(f"SELECT {remote} AS code, {label.columns[0].name} AS word FROM {label.relationship.target}")
    as_code = str if label.relationship.is_text_reference else int
    return {as_code(int(row["code"])): row["word"] for row in rows}


def labelled(app: App) -> list[Table]:
    return [table for table in app.parts.keeper.service().catalog.exposed() if table.labels]


async def test_every_label_is_the_word_for_its_code(sales: tuple[App, Crm]) -> None:
    """In each table that has codes; null where a code has no word."""
    app, crm = sales
    seen: set[tuple[str, str]] = set()
    for table in labelled(app):
        names = ",".join(table.labels)
        rows = (await app.json(f"{table.resource}?fields={names}&labels=true&per_page=1000"))["data"]
        for name, label in table.labels.items():
            words = words_of(crm, label)
            for row in rows:
                assert row[f"{name}_label"] == words.get(row[name]), (table.resource, name, row)
                if row[f"{name}_label"] is not None:
                    seen.add((table.name, name))

    assert len(seen) > 40
    assert {
        ("tblleads", "status"),
        ("tblleads", "source"),
        ("tblinvoices", "status"),
        ("tbltickets", "priority"),
    } <= seen


async def test_a_label_needs_no_grant_on_the_table_of_names(sales: tuple[App, Crm]) -> None:
    """Nor must the table be in the whitelist; it is a resource for nobody then."""
    grants = {"few": ("leads:read", "tickets:read")}
    async with served(sales[1].url, whitelist=FEW, grants=grants, admin=False) as app:
        lead = (await app.json("leads/1?labels=true&fields=status,source"))["data"]
        ticket = (await app.json("tickets/1?labels=true&fields=status,department"))["data"]
        refused = [(await app.get(path)).status_code for path in ("leads_status", "leads_sources", "departments")]

    assert all(row[name] for row in (lead, ticket) for name in row if name.endswith("_label"))
    assert refused == [403, 404, 404]


@pytest.mark.parametrize(
    "query", ["fields=status_label", "filter[status_label]=New", "sort=status_label", "group=status_label"]
)
async def test_a_label_is_no_field(sales: tuple[App, Crm], query: str) -> None:
    """It comes with its code and is chosen by nothing else."""
    answer = await sales[0].get(f"leads?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "field_unknown")


async def test_a_metric_over_money_of_several_currencies_warns(sales: tuple[App, Crm]) -> None:
    """Unless the currency is told apart."""
    app, crm = sales
    assert len(crm.run("SELECT DISTINCT currency FROM tblinvoices")) > 1
    warned = {}
    for query in ("", "&group=invoice.currency", "&filter[invoice.currency]=1", "&group=paymentmode"):
        warned[query] = "warnings" in (await app.json(f"payments?metrics=sum.amount{query}"))["meta"]

    assert warned == {
        "": True,
        "&group=invoice.currency": False,
        "&filter[invoice.currency]=1": False,
        "&group=paymentmode": True,
    }
