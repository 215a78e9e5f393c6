"""A small CRM's sales documents, written through the application and looked into past it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from httpx2 import Response

from tests.support.app import NOON, App
from tests.support.mariadb import Server

TODAY = "2026-07-15"
DRAFT = 1_000_000_000
BILLING = ("billing_street", "billing_city", "billing_state", "billing_zip", "billing_country")
SHIPPING = ("shipping_street", "shipping_city", "shipping_state", "shipping_zip", "shipping_country")
VAT: dict[str, Any] = {"taxname": "VAT", "taxrate": "5.00"}
LINES: list[dict[str, Any]] = [
    {"description": "Work", "qty": "3", "rate": "9.99", "long_description": "a\nb", "unit": "h", "taxes": [VAT]},
    {"description": "Travel", "qty": "1", "rate": "20"},
]
MONEY = {"subtotal": 49.97, "total_tax": 1.5, "total": 51.47}


@dataclass(slots=True)
class Crm:
    """A CRM of the tests' own, looked into past the gateway."""

    url: str
    server: Server | None

    def run(self, text: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement and return its rows, in values that both engines have alike."""
        if self.server is None:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)) as file:
                file.row_factory = sqlite3.Row
                rows = [dict(row) for row in file.execute(text.replace("%s", "?"), values)]
        else:
            with self.server.connection(self.url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
                cursor.execute(text, values)
                names = [column[0] for column in cursor.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [{name: _alike(value) for name, value in row.items()} for row in rows]

    def row(self, table: str, key: int) -> dict[str, Any]:
        """Return one row."""
        (row,) = self.run(f"SELECT * FROM tbl{table} WHERE id = %s", key)
        return row

    def owned(self, table: str, kind: str, key: int) -> list[dict[str, Any]]:
        """Return rows of a document, without their own keys."""
        rows = self.run(f"SELECT * FROM tbl{table} WHERE rel_type = %s AND rel_id = %s ORDER BY id", kind, key)
        return [{name: value for name, value in row.items() if name != "id"} for row in rows]

    def option(self, name: str, value: str | None = None) -> str:
        """Return a setting, after giving it a value when there is one."""
        if value is not None:
            self.run("UPDATE tbloptions SET value = %s WHERE name = %s", value, name)
        (row,) = self.run("SELECT value FROM tbloptions WHERE name = %s", name)
        return str(row["value"])

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has that a sales document may touch."""
        return {table: int(self.run(f"SELECT COUNT(*) AS n FROM tbl{table}")[0]["n"]) for table in TABLES}

    def wall(self) -> str:
        """Return the moment of the tests on the CRM's own clock."""
        return NOON.astimezone(ZoneInfo(self.option("default_timezone"))).strftime("%Y-%m-%d %H:%M:%S")


TABLES = (
    "invoices",
    "estimates",
    "creditnotes",
    "proposals",
    "itemable",
    "item_tax",
    "invoicepaymentrecords",
    "credits",
    "sales_activity",
    "lead_activity_log",
    "activity_log",
    "notes",
    "tasks",
    "expenses",
    "options",
)


def _alike(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return str(value)
    return float(value) if isinstance(value, (Decimal, int)) else value


async def send(app: App, method: str, path: str, body: Any = None) -> Response:
    return await app.client.request(method, f"/api/v1/{path}", json=body)


async def made(app: App, path: str, **body: object) -> int:
    """Create a row and return its key."""
    answer = await send(app, "POST", path, body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["data"]["id"])


async def changed(app: App, path: str, **body: object) -> None:
    answer = await send(app, "PATCH", path, body)
    assert answer.status_code == 200, answer.text


async def faults(app: App, method: str, path: str, **body: object) -> list[tuple[str, str]]:
    """Return pointers and codes of what a refused write had wrong."""
    answer = await send(app, method, path, body)
    assert answer.status_code == 422, answer.text
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def words(*texts: str) -> str:
    body = "".join(f'i:{place};s:{len(text)}:"{text}";' for place, text in enumerate(texts))
    return f"a:{len(texts)}:{{{body}}}"


def told(crm: Crm, kind: str, key: int, description: str, *texts: str) -> dict[str, Any]:
    """Return a row of a document's timeline."""
    (staff,) = crm.run("SELECT firstname, lastname FROM tblstaff WHERE staffid = 1")
    return {
        "rel_type": kind,
        "rel_id": float(key),
        "description": description,
        "additional_data": words(*texts) if texts else "",
        "staffid": "1",
        "full_name": f"{staff['firstname']} {staff['lastname']}",
        "date": crm.wall(),
    }


def settled(crm: Crm, key: int, before: int, after: int) -> dict[str, Any]:
    marks = (f"<original_status>{before}</original_status>", f"<new_status>{after}</new_status>")
    return told(crm, "invoice", key, "invoice_activity_status_updated", *marks)


def customer(crm: Crm, key: int = 1) -> dict[str, Any]:
    (row,) = crm.run("SELECT * FROM tblclients WHERE userid = %s", key)
    return row


def of_customer(crm: Crm) -> dict[str, Any]:
    """Return what a document copies from the customer, without a shipping address."""
    row = customer(crm)
    (base,) = crm.run("SELECT id FROM tblcurrencies WHERE isdefault = 1")
    currency = row["default_currency"] or base["id"]
    return {"clientid": 1.0, "currency": currency, **{name: row[name] for name in BILLING}, **dict.fromkeys(SHIPPING)}


def expected_lines(kind: str, key: int) -> list[dict[str, Any]]:
    shared = {"rel_id": float(key), "rel_type": kind, "is_optional": 0.0, "is_selected": 1.0}
    work = {"description": "Work", "long_description": "a<br />\nb", "qty": 3.0, "rate": 9.99, "unit": "h"}
    travel = {"description": "Travel", "long_description": None, "qty": 1.0, "rate": 20.0, "unit": None}
    return [{**shared, **work, "item_order": 1.0}, {**shared, **travel, "item_order": 2.0}]


def check_lines(crm: Crm, kind: str, key: int) -> None:
    assert crm.owned("itemable", kind, key) == expected_lines(kind, key)
    (work, _) = crm.run("SELECT id FROM tblitemable WHERE rel_type = %s AND rel_id = %s ORDER BY id", kind, key)
    assert crm.owned("item_tax", kind, key) == [
        {"itemid": work["id"], "rel_id": float(key), "rel_type": kind, "taxrate": 5.0, "taxname": "VAT"}
    ]


def differences(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {table: after[table] - before[table] for table in before if after[table] != before[table]}


def amounts(crm: Crm, table: str, key: int) -> tuple[float, float, float, float, float]:
    row = crm.row(table, key)
    return row["subtotal"], row["discount_total"], row["total_tax"], row["total"], row["status"]
