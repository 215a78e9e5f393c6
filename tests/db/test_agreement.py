"""The same requests have the same answers on MariaDB and on the demo's SQLite file, word for word.

What differs is listed in ``docs/sqlite.md``, and each difference is shown here too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from sample_crm import build
from tests.support.app import NOON, ROOT, App, served

LISTS = (
    "invoices",
    "invoices?page=3&per_page=40",
    "invoices?filter[status]=2&filter[total.gte]=1000&filter[duedate.lt]=2026-04-01&sort=-total,duedate&fields=id,total,duedate&page=3",
    "invoices?filter[is_overdue]=1&fields=id,total,paid,balance,is_overdue&sort=-balance",
    "invoices?filter[balance.between]=100,2000&fields=id,balance&sort=balance&per_page=100",
    "invoices?fields=*,paid,balance&per_page=1000&page=2",
    "invoices?filter[paid]=0&sort=-date&fields=id,date,paid",
    "invoices?filter[duedate.null]=1&fields=id",
    "invoices?filter[duedate.null]=0&fields=id,duedate&sort=duedate",
    "invoices?filter[datecreated.gte]=2026-06-01&filter[datecreated.lt]=2026-07-01&fields=id,datecreated",
    "invoices?filter[datecreated]=2026-06-10&fields=id,datecreated",
    "invoices?filter[datecreated.gt]=2026-06-10&fields=id,datecreated&sort=datecreated",
    "invoices?filter[datecreated.between]=2026-06-10,2026-06-12&fields=id,datecreated",
    "invoices?filter[datecreated.in]=2026-06-10,2026-06-12&fields=id,datecreated",
    "invoices?filter[date.gte]=@month_start&fields=id,date",
    "invoices?filter[duedate.lt]=@today-30d&filter[status.in]=1,3,4&fields=id,duedate",
    "invoices?filter[datecreated.gte]=@now-36h&fields=id,datecreated",
    "invoices?filter[total.in]=0,47187,47187.00&fields=id,total",
    "invoices?filter[total.nin]=0&filter[id.lte]=5&fields=id,total",
    "invoices?decimals=string&bigints=string&per_page=3",
    "invoices?envelope=false&per_page=3&fields=total",
    "invoices?q=INV-00012",
    "invoices?count=none&per_page=5",
    "clients",
    "clients?fields=userid,company,email,contact_name&per_page=1000",
    "clients?fields=userid,email&sort=email&per_page=300",
    "clients?filter[email.contains]=an&fields=userid,email",
    "clients?filter[contact_name.starts]=a&fields=userid,contact_name",
    "clients?filter[email.null]=1&fields=userid",
    "clients?filter[company.contains]=GmbH&fields=userid,company",
    "clients?filter[company.like]=%25a_%25&fields=userid&per_page=200",
    "clients?filter[company.starts]=caf&fields=userid,company",
    "clients?filter[city]=zurich&fields=userid,city",
    "clients?filter[city.exact]=Dubai&fields=userid,city",
    "clients?filter[city.ne]=Dubai&fields=userid,city&per_page=300",
    "clients?filter[country.in]=234,56&fields=userid,country&sort=-country",
    "clients?q=test",
    "contacts?sort=email&fields=id,email&per_page=500",
    "contacts?filter[is_primary]=true&fields=id,is_primary&per_page=500",
    "contacts?filter[email.ends]=.org&fields=id&per_page=500",
    "leads?sort=-lead_value,name&fields=id,lead_value&per_page=100",
    "leads?filter[lost]=1&fields=id,lost,junk",
    "leads?filter[description.ncontains]=a&fields=id&per_page=400",
    "payments?sort=-date,amount&fields=id,amount,date&per_page=100",
    "payments?filter[daterecorded.gte]=@year_start&fields=id,daterecorded&per_page=100",
    "itemable?fields=id,qty,rate,description&per_page=100",
    "item_tax?per_page=20",
    "creditnotes?fields=id,total,used,remaining&per_page=200",
    "expenses?sort=-amount&per_page=10",
    "projects?fields=id,name,description,notify_contacts",
    "tasks?filter[rel_type]=project&fields=id,rel_id,rel_type&per_page=300",
    "tickets?sort=-date&fields=ticketid,date,lastreply&per_page=50",
    "taskstimers?per_page=10",
    "customfieldsvalues?per_page=50",
    "taggables?per_page=50",
    "staff?fields=staffid,firstname,last_login",
    "countries?filter[short_name.gte]=Y&sort=-short_name",
    "countries?filter[short_name.like]=%25land&fields=short_name&sort=short_name&per_page=100",
)
ROWS = (
    "",
    "invoices/42",
    "invoices/42?fields=*,paid,balance,is_overdue",
    "invoices/42/client",
    "invoices/42/client?fields=company",
    "invoices/42/items",
    "invoices/42/payments",
    "invoices/42/taxes",
    "clients/12",
    "clients/12/invoices?sort=-total&fields=id,total",
    "clients/12/contacts",
    "clients/12/primary_contact?fields=email",
    "clients/12/notes",
    "customers/12",
    "projects/3/tasks",
    "tickets/5/replies",
    "leads/7/notes",
    "invoices/999999",
    "clients/999999/invoices",
    "invoices/abc",
    "invoices/42/nonsense",
    "nonsense",
    "invoices?fields=hash",
    "invoices?sort=totel",
    "invoices?filter[total.near]=1",
    "invoices?filter[total.contains]=1",
    "invoices?filter[total]=1abc",
    "invoices?filter[duedate]=soon",
    "invoices?per_page=1001",
    "invoices?page=0",
    "invoices?page=99999",
    "invoices?pagee=1",
    "invoices?fields=id&fields=total",
)


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """The application on the same CRM in a SQLite file."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'crm.sqlite3'}"
    build(url, scale="demo", today=NOON.date())
    async with served(url) as app:
        yield app


def told(answer: httpx2.Response) -> tuple[int, Any, str]:
    """Return what an answer says, but for the request's id and the cursor, whose key is the store's own."""
    text = answer.text.replace(answer.headers["x-request-id"], "ID")
    text = re.sub(r'(?<="next_cursor":")[\w-]+', "CURSOR", text)
    return answer.status_code, text, answer.headers.get("link", "")


@pytest.mark.parametrize("path", [*LISTS, *ROWS])
async def test_both_databases_answer_alike(crm: App, demo: App, path: str) -> None:
    """Status, every digit of the body, and the links."""
    assert told(await crm.get(path)) == told(await demo.get(path))


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("leads", {"name": "Zoë", "description": "a\nb"}),
        ("expenses", {"category": 1, "amount": "12.345"}),
        ("expenses", {"category": 1, "amount": "12.30", "date": "2026-02-30"}),
        ("notes", {"rel_type": "customer", "rel_id": 1, "description": "<b>x</b>"}),
        ("clients", {"company": "x" * 200}),
        ("clients", {"company": "x", "hash": 1, "active": "yes"}),
        ("invoices", {"clientid": 1}),
        ("countries", {"short_name": "x"}),
        ("tags", {"name": "new"}),
    ],
)
async def test_both_databases_write_alike(crm: App, demo: App, resource: str, body: dict[str, object]) -> None:
    """The same rows are made and the same ones refused, and a change and a delete end alike."""
    found = []
    for app in (crm, demo):
        made = await app.client.post(f"/api/v1/{resource}", json=body)
        if made.status_code != 201:
            found.append([told(made)])
            continue
        path = made.headers["location"]
        key = path.rpartition("/")[2]
        changed = await app.client.put(path, json=body)
        steps = [made, changed, await app.client.delete(path), await app.client.get(path)]
        found.append([(status, text.replace(key, "KEY"), link) for status, text, link in map(told, steps)])

    assert found[0] == found[1]


async def test_both_databases_take_a_thousand_days(crm: App, demo: App) -> None:
    """Each is a range of moments; their alternatives, and what is in none of them, are found alike."""
    first = date(2025, 10, 1)
    days = [(first + timedelta(days=number)).isoformat() for number in range(1000)]
    wheres: tuple[dict[str, object], ...] = (
        {"datecreated.in": days},
        {"datecreated.between": [days[0], days[-1]]},
        {"datecreated.nin": days},
        {"not": {"datecreated.in": days}},
        {"datecreated.null": False},
    )
    for app in (crm, demo):
        answers = [
            await app.client.post("/api/v1/invoices/query", json={"where": where, "per_page": 1}) for where in wheres
        ]
        assert [answer.status_code for answer in answers] == [200] * 5
        within, between, outside, neither, whole = (answer.json()["meta"]["total"] for answer in answers)
        assert 0 < within == between < whole
        assert outside == neither == whole - within


def test_the_differences_are_documented() -> None:
    """SQLite serves the demo only; what it does otherwise has a page."""
    text = (ROOT / "docs" / "sqlite.md").read_text(encoding="utf-8")

    for word in ("--demo", "collation", "estimate", "sort"):
        assert word in text
