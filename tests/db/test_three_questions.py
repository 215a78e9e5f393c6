"""The yardstick of the query language: three questions, each one call, each checked against SQL written by hand.

The same on MariaDB and on the demo's SQLite file, on the sample CRM as it is on 15 July 2026.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

TOP_PAYERS = (
    "payments?filter[date.gte]=@month_start&group=invoice.client,invoice.currency&metrics=sum.amount,count"
    "&sort=-sum.amount&include=invoice.client.projects&fields[invoice.client.projects]=name,status&labels=true"
)
OVERDUE = "invoices?filter[is_overdue]=1&group=agent,currency&metrics=count,sum.balance&sort=-sum.balance"
INVOICE = "invoices/42?include=payments,client.contracts"

PROJECT_WORDS = {1: "Not started", 2: "In progress", 3: "On hold", 4: "Finished", 5: "Cancelled"}
BALANCES = """(
    SELECT i.id, i.sale_agent, i.currency, i.status, i.duedate,
           i.total - COALESCE((SELECT SUM(amount) FROM tblinvoicepaymentrecords WHERE invoiceid = i.id), 0)
                   - COALESCE((SELECT SUM(amount) FROM tblcredits WHERE invoice_id = i.id), 0) AS balance
    FROM tblinvoices i) AS owed"""

Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[App, Query]]:
    """The application on the sample CRM in a SQLite file, and questions in SQL to that file."""
    path = tmp_path_factory.mktemp("three") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="demo", today=NOON.date())
    with closing(sqlite3.connect(path)) as connection:
        async with served(f"sqlite:///{path}") as app:
            yield app, lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(params=["mariadb", "sqlite"])
def side(
    request: pytest.FixtureRequest, crm: App, crm_database: str, mariadb_server: Server, demo: tuple[App, Query]
) -> tuple[App, Query]:
    """An application, and questions in SQL to its database."""
    if request.param == "sqlite":
        return demo
    name = crm_database.rpartition("/")[2]
    return crm, lambda sql: list(mariadb_server.run(sql, database=name))


async def answered(app: App, path: str) -> Any:
    """Return the body of an answer; decimals keep their digits."""
    answer = await app.get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def cents(amount: Any) -> Decimal:
    """Return an amount as the CRM keeps it: SQLite adds doubles."""
    return Decimal(str(amount)).quantize(Decimal("0.01"))


async def test_who_paid_most_this_month_and_how_are_their_projects(side: tuple[App, Query]) -> None:
    """Payments by client and currency, the largest first, each client with its projects and their status in words."""
    app, query = side
    payers = query(
        "SELECT i.clientid, i.currency, SUM(p.amount), COUNT(*) "
        "FROM tblinvoicepaymentrecords p JOIN tblinvoices i ON i.id = p.invoiceid "
        "WHERE p.date >= '2026-07-01' GROUP BY i.clientid, i.currency ORDER BY 3 DESC, 1, 2"
    )
    clients: dict[int, str] = dict(query("SELECT userid, company FROM tblclients"))
    currencies: dict[int, str] = dict(query("SELECT id, name FROM tblcurrencies"))
    projects = query("SELECT clientid, name, status FROM tblprojects ORDER BY clientid, id")

    body = await answered(app, f"{TOP_PAYERS}&per_page=1000")

    assert [
        (
            group["invoice.client"]["userid"],
            group["invoice.client"]["company"],
            group["invoice.currency"],
            group["invoice.currency_label"],
            group["sum.amount"],
            group["count"],
        )
        for group in body["data"]
    ] == [
        (client, clients[client], currency, currencies[currency], cents(amount), count)
        for client, currency, amount, count in payers
    ]
    for group in body["data"]:
        assert group["invoice.client"]["projects"] == [
            {"name": name, "status": status, "status_label": PROJECT_WORDS[status]}
            for client, name, status in projects
            if client == group["invoice.client"]["userid"]
        ]
    assert body["meta"]["total"] == len(payers) > 25
    assert "warnings" not in body["meta"]


async def test_the_first_page_of_top_payers_is_worth_reading(side: tuple[App, Query]) -> None:
    """More than one currency, projects of several statuses, and clients without any."""
    app, _ = side

    body = await answered(app, TOP_PAYERS)

    projects = [group["invoice.client"]["projects"] for group in body["data"]]
    assert len(body["data"]) == 25
    assert len({group["invoice.currency"] for group in body["data"]}) > 2
    assert len({project["status"] for found in projects for project in found}) > 2
    assert [] in projects
    assert list(body["data"][0]) == [
        "invoice.client",
        "invoice.currency",
        "invoice.currency_label",
        "sum.amount",
        "count",
    ]


async def test_what_is_overdue_by_sales_agent_and_currency(side: tuple[App, Query]) -> None:
    """Number and balance per agent, who comes by name; invoices that nobody sold are a group of their own."""
    app, query = side
    owed = query(
        f"SELECT sale_agent, currency, COUNT(*), SUM(balance) FROM {BALANCES} "
        "WHERE status IN (1, 3, 4) AND duedate < '2026-07-15' AND balance > 0.001 "
        "GROUP BY sale_agent, currency ORDER BY 4 DESC, 1, 2"
    )
    names = {key: (first, last) for key, first, last in query("SELECT staffid, firstname, lastname FROM tblstaff")}

    body = await answered(app, f"{OVERDUE}&per_page=1000")

    assert [
        (
            group["agent"] and (group["agent"]["staffid"], group["agent"]["firstname"], group["agent"]["lastname"]),
            group["currency"],
            group["count"],
            group["sum.balance"],
        )
        for group in body["data"]
    ] == [
        ((agent, *names[agent]) if agent else None, currency, count, cents(balance))
        for agent, currency, count, balance in owed
    ]
    assert body["meta"]["total"] == len(owed)
    assert "warnings" not in body["meta"]
    assert len({group["currency"] for group in body["data"] if group["agent"] is None}) > 1
    assert len({group["agent"]["staffid"] for group in body["data"] if group["agent"] is not None}) > 3


async def test_sums_over_several_currencies_are_warned_of(side: tuple[App, Query]) -> None:
    """Without the currency, neither grouped by nor filtered, the balances of one agent add up to nothing."""
    app, _ = side
    mixed = OVERDUE.replace("agent,currency", "agent")

    assert (await answered(app, mixed))["meta"]["warnings"] == ["mixed_currency"]
    assert "warnings" not in (await answered(app, f"{mixed}&filter[currency]=1"))["meta"]


async def test_a_currency_can_come_as_its_row(side: tuple[App, Query]) -> None:
    """Grouped by the relationship instead of the column, each currency is an object with its code."""
    app, query = side
    currencies: dict[int, str] = dict(query("SELECT id, name FROM tblcurrencies"))

    plain = await answered(app, f"{OVERDUE}&per_page=1000")
    rows = await answered(
        app, f"{OVERDUE.replace('agent,currency', 'agent,currency_ref')}&fields[currency_ref]=id,name&per_page=1000"
    )

    assert [group | {"currency_ref": None} for group in rows["data"]] == [
        {name: value for name, value in group.items() if name != "currency"} | {"currency_ref": None}
        for group in plain["data"]
    ]
    assert [group["currency_ref"] for group in rows["data"]] == [
        {"id": group["currency"], "name": currencies[group["currency"]]} for group in plain["data"]
    ]
    assert "warnings" not in rows["meta"]


async def test_an_invoice_with_its_payments_its_client_and_the_clients_contracts(side: tuple[App, Query]) -> None:
    """One row with everything that belongs to it, at two levels."""
    app, query = side
    invoice = query("SELECT id, clientid, total, status FROM tblinvoices WHERE id = 42")[0]
    payments = query("SELECT id, amount, date FROM tblinvoicepaymentrecords WHERE invoiceid = 42 ORDER BY id")
    company = query(f"SELECT userid, company FROM tblclients WHERE userid = {invoice[1]}")[0]
    contracts = query(f"SELECT id, subject, contract_value FROM tblcontracts WHERE client = {invoice[1]} ORDER BY id")

    row = (await answered(app, INVOICE))["data"]

    assert (row["id"], row["clientid"], row["total"], row["status"]) == (*invoice[:2], cents(invoice[2]), invoice[3])
    assert [(item["id"], item["amount"], item["date"]) for item in row["payments"]] == [
        (key, cents(amount), str(day)) for key, amount, day in payments
    ]
    assert (row["client"]["userid"], row["client"]["company"]) == company
    assert [(item["id"], item["subject"], item["contract_value"]) for item in row["client"]["contracts"]] == [
        (key, subject, cents(value)) for key, subject, value in contracts
    ]
    assert len(payments) == 2
    assert len(contracts) >= 2


@pytest.mark.parametrize(
    ("path", "statements"),
    [(f"{TOP_PAYERS}&per_page=1000", 3), (TOP_PAYERS, 4), (f"{OVERDUE}&per_page=1000", 2), (INVOICE, 4)],
)
async def test_each_question_costs_one_statement_per_node(side: tuple[App, Query], path: str, statements: int) -> None:
    """The rows or groups, each relationship once, and the count where the page does not tell it."""
    app, _ = side
    app.statements()

    await answered(app, path)

    assert len(app.statements()) == statements


async def test_both_databases_give_the_same_answers(crm: App, demo: tuple[App, Query]) -> None:
    """Word for word, links and digits included."""
    for path in (TOP_PAYERS, OVERDUE, INVOICE):
        found = [(await app.get(path)).text for app in (crm, demo[0])]
        assert found[0] == found[1]
