"""The three questions of the README have answers worth reading, whatever the scale and whatever day it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sample_crm import build
from sample_crm.scale import ScaleName

Query = Callable[[str], list[tuple[Any, ...]]]

DAYS = (date(2024, 2, 29), date(2026, 7, 15), date(2026, 11, 1), date(2027, 1, 1))
BALANCES = (
    "(SELECT i.*, ROUND(i.total - COALESCE((SELECT SUM(amount) FROM tblinvoicepaymentrecords WHERE invoiceid=i.id), 0)"
    " - COALESCE((SELECT SUM(amount) FROM tblcredits WHERE invoice_id=i.id), 0), 2) AS balance FROM tblinvoices i)"
)


@pytest.fixture(
    params=[(scale, day) for scale in ("tiny", "demo") for day in DAYS], ids=lambda param: f"{param[0]}-{param[1]}"
)
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[date, Query]]:
    """A sample CRM of a day, and questions to it."""
    scale: ScaleName
    scale, day = request.param
    build(f"sqlite:///{tmp_path / 'crm.db'}", scale=scale, today=day)
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        yield day, lambda sql: connection.execute(sql).fetchall()


def test_customers_pay_this_month_and_have_projects(shown: tuple[date, Query]) -> None:
    """Several, in more than one currency; most of the top ones have projects, of different statuses."""
    day, query = shown
    payers = query(
        "SELECT clientid, currency, SUM(amount) FROM tblinvoicepaymentrecords p JOIN tblinvoices i ON i.id=p.invoiceid "
        f"WHERE p.date >= '{day.replace(day=1)}' GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10"
    )
    keys = ", ".join({str(client) for client, _, _ in payers})
    projects = query(f"SELECT clientid, status FROM tblprojects WHERE clientid IN ({keys})")

    assert len({client for client, _, _ in payers}) >= 4
    assert len({currency for _, currency, _ in payers}) > 1
    assert len({status for _, status in projects}) > 1
    assert len({client for client, _ in projects}) >= len({client for client, _, _ in payers}) / 2


def test_overdue_invoices_are_owed_with_and_without_a_sales_agent(shown: tuple[date, Query]) -> None:
    """By several agents and by nobody, in more than one currency."""
    day, query = shown
    overdue = query(
        f"SELECT sale_agent, currency FROM {BALANCES} WHERE status IN (1, 3, 4) AND duedate < '{day}' AND balance > 0"
    )

    assert {0} < {agent for agent, _ in overdue}
    assert len({agent for agent, _ in overdue}) > 3
    assert len({currency for _, currency in overdue}) > 1


def test_invoice_42_is_paid_by_a_customer_with_contracts(shown: tuple[date, Query]) -> None:
    """Two payments, a credit, and nothing left to pay; the customer has contracts that are not in the bin."""
    _, query = shown
    invoice = query(f"SELECT clientid, status, balance FROM {BALANCES} WHERE id=42")
    client = invoice[0][0]

    assert invoice == [(client, 2, 0)]
    assert len(query("SELECT id FROM tblinvoicepaymentrecords WHERE invoiceid=42 AND amount > 0")) == 2
    assert len(query("SELECT id FROM tblcredits WHERE invoice_id=42")) == 1
    assert len(query(f"SELECT id FROM tblcontracts WHERE client={client} AND trash=0")) >= 2
