"""Rows at the end of to-ones: which one it is, who may see it, and what is met by the want of one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from gateway.query.access import Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from sample_crm import build
from tests.support.app import App, served
from tests.support.handed import client_with

READ: frozenset[Operation] = frozenset({"read"})


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample CRM with a client that has two primary contacts, and an invoice of no client."""
    path = tmp_path_factory.mktemp("related") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=date(2026, 7, 15))
    with closing(sqlite3.connect(path)) as database, database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(tblcontacts)") if row[1] != "id"]
        names = ", ".join(columns)
        database.execute(
            f"INSERT INTO tblcontacts (id, {names}) SELECT 9001, {names} FROM tblcontacts "
            "WHERE userid = 1 AND is_primary = 1 LIMIT 1"
        )
        database.execute("UPDATE tblcontacts SET email = 'second@example.com' WHERE id = 9001")
        database.execute("UPDATE tblinvoices SET clientid = 0 WHERE id = 2")
    return path


@pytest.fixture
async def app(crm: Path, tmp_path: Path) -> AsyncIterator[App]:
    """The application on a copy."""
    async with served(f"sqlite:///{shutil.copy(crm, tmp_path / 'crm.sqlite3')}") as running:
        yield running


def seeing(condition: ConditionIntent) -> Access:
    """Return the access of somebody who sees all rows but only some contacts."""
    return Access("some", {"*": Grant(READ), "contacts": Grant(READ, row_filter=(condition,))})


async def test_the_row_that_a_to_one_picks_is_the_same_for_everybody(app: App) -> None:
    """Who may not see the first primary contact is shown none, by whatever way; never the second one for it."""
    access = seeing(ConditionIntent(("id", "gte"), "9000", "row filter"))
    async with client_with(app, access) as client:
        row = (await client.get("/api/v1/clients/1?fields=email&include=primary_contact,contacts")).json()["data"]
        related = await client.get("/api/v1/clients/1/primary_contact")
        found = (await client.get("/api/v1/clients?filter[primary_contact.id]=9001")).json()["data"]
        groups = (await client.get("/api/v1/clients?filter[userid]=1&group=primary_contact")).json()["data"]

    assert (row["email"], row["primary_contact"]) == (None, None)
    assert [contact["id"] for contact in row["contacts"]] == [9001]
    assert (related.status_code, related.json()["code"]) == (404, "row_unknown")
    assert found == []
    assert groups == [{"primary_contact": None, "count": 1}]


async def test_a_filter_of_an_include_picks_no_other_row(app: App) -> None:
    """The primary contact either meets it or is not shown."""
    first = (await app.json("clients/1/primary_contact?fields=id"))["data"]["id"]
    other = await app.json("clients/1?include[primary_contact][filter][id]=9001&fields=userid")
    same = await app.json(f"clients/1?include[primary_contact][filter][id]={first}&fields=userid")

    assert other["data"]["primary_contact"] is None
    assert same["data"]["primary_contact"]["id"] == first


@pytest.mark.parametrize(
    ("where", "is_met"),
    [
        ('{"client":{"some":{}}}', False),
        ('{"client":{}}', False),
        ('{"not":{"client":{"some":{}}}}', True),
        ('{"client":{"some":{"company.null":true}}}', False),
        ('{"client.company.null":true}', True),
        ('{"client":{"contacts":{"none":{}}}}', False),
        ('{"client":{"contacts":{"every":{"id.gt":0}}}}', False),
        ('{"client.contacts":{"none":{}}}', True),
    ],
)
async def test_a_condition_on_one_row_is_met_by_a_row(app: App, where: str, is_met: bool) -> None:
    """An invoice without a client has none that meets anything; a path to it is null instead."""
    found = await app.json(f"invoices?fields=id&per_page=1000&filter[id]=2&where={where}")

    assert [row["id"] for row in found["data"]] == ([2] if is_met else [])


async def test_a_row_asked_for_with_others_is_compared_with_its_own_tag(app: App) -> None:
    """It is sent without one, as it would not tell whether the others are still the same."""
    tag = (await app.get("invoices/1")).headers["etag"]
    same = await app.client.get("/api/v1/invoices/1?include=client", headers={"If-Match": tag})
    stale = await app.client.get("/api/v1/invoices/1?include=client", headers={"If-Match": '"other"'})
    known = await app.client.get("/api/v1/invoices/1?include=client", headers={"If-None-Match": tag})

    assert [reply.status_code for reply in (same, stale, known)] == [200, 412, 200]
    assert "etag" not in same.headers


@pytest.mark.parametrize(
    "body",
    [
        {"filter[" + "a." * 1_000 + "b]": 1},
        {"sort": "client." * 1_000 + "company"},
        {"include": "client." * 1_000 + "contacts"},
        {"group": "client." * 1_000 + "company"},
        {"metrics": "sum." + "client." * 1_000 + "userid"},
        {"having[sum." + "client." * 1_000 + "userid]": 1},
        {"where": {"client." * 1_000 + "company": "x"}},
    ],
    ids=["filter", "sort", "include", "group", "metrics", "having", "where"],
)
async def test_a_name_of_thousands_of_parts_is_refused_before_it_is_looked_for(app: App, body: object) -> None:
    """Looking for it takes the square of their number, on the event loop."""
    reply = await app.client.post("/api/v1/invoices/query", json=body)

    assert (reply.status_code, reply.json()["code"]) == (400, "query_too_large"), reply.text[:200]
    assert "at most 40 parts" in reply.json()["detail"]
