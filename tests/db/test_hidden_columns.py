"""Every column the gateway hides, tried through every front door: it answers as a name that was made up.

What is compared is the whole answer. Only the name itself, the request id, and a suggestion (which must be the nearest
name among the visible ones) may differ; the made-up name is as long as the hidden one, so even lengths are the same.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pymysql
import pytest

import gateway.profile.perfex
from gateway.catalog.naming import is_hidden_name
from gateway.query.operators import OPERATORS
from gateway.rest.parse import LIST_PARAMETERS
from tests.support.app import App
from tests.support.doors import compared, doors, invented, knock
from tests.support.mariadb import Server

PROFILE = Path(gateway.profile.perfex.__file__).parent
HIDING = ("secret", "token", "confidential")


def _rows(name: str) -> list[dict[str, str]]:
    with (PROFILE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _hidden() -> tuple[tuple[str, str], ...]:
    """The profile's hidden columns, and those that the built-in patterns hide in the tables it knows."""
    listed = [(row["table"], row["column"]) for row in _rows("sensitive.csv") if row["class"] in HIDING]
    named = [(row["table"], row["column"]) for row in _rows("columns.csv") if is_hidden_name(row["column"], ())]
    return tuple(dict.fromkeys([*listed, *named]))


HIDDEN = _hidden()


def visible_names(app: App, resource: str) -> set[str]:
    """What a suggestion on a resource may be: its fields, resources and relationships, parameters and operators."""
    catalog = app.parts.keeper.service().catalog
    found = catalog.resources.get(resource)
    names = {*catalog.resources, *OPERATORS, *LIST_PARAMETERS}
    for table in catalog.exposed():
        names |= set(table.relationships)
    return names | set(found.fields if found is not None else ())


def edges_to(app: App, resource: str) -> tuple[str, ...]:
    """One relationship list and one to-one that lead to a resource, where there are any."""
    catalog = app.parts.keeper.service().catalog
    found: dict[bool, str] = {}
    for name, table in catalog.resources.items():
        for relationship, edge in table.relationships.items():
            if catalog.table_of(edge).resource == resource and len(table.key) == 1:
                found.setdefault(edge.is_to_many, f"{name}/1/{relationship}")
    return tuple(found.values())


@pytest.mark.parametrize(("table", "column"), HIDDEN, ids=[".".join(pair) for pair in HIDDEN])
async def test_a_hidden_column_answers_as_a_made_up_one(crm: App, table: str, column: str) -> None:
    """Through every door, whatever the operand; of a table that is not exposed nothing is told apart either."""
    catalog = crm.parts.keeper.service().catalog
    exposed = catalog.resources.get(table)
    made_up, visible = invented(column), visible_names(crm, table)
    key = "1"
    if exposed is not None:
        assert column not in exposed.fields
        key = ",".join("1" for _ in exposed.key) or "1"
    for door in doors(table, key, edges_to(crm, table)):
        if door.path.startswith("NAME") and column in catalog.resources:
            continue
        true = compared(await knock(crm.client, door, column), column, made_up, visible)
        false = compared(await knock(crm.client, door, made_up), column, made_up, visible)
        assert true == false, door


@pytest.mark.parametrize("table", sorted({table for table, _ in HIDDEN}))
async def test_a_table_that_is_not_exposed_answers_as_a_made_up_one(crm: App, table: str) -> None:
    """404 in every form, with and without the prefix, and no word about why."""
    if table in crm.parts.keeper.service().catalog.resources:
        table = f"tbl{table}"
    made_up, visible = invented(table), visible_names(crm, "clients")
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
        for path in ("{}", "{}/1", "{}/1/client", "clients/1/{}", "{}?fields=id", "{}?filter[id]=1&sort=x"):
            answers = []
            for name in (table, made_up):
                answer = await crm.client.request(method, "/api/v1/" + path.format(name), json={"id": 1})
                answers.append(compared(answer, table, made_up, visible))
                assert answer.status_code in (404, 405), (method, path)
            assert answers[0] == answers[1], (method, path)


def test_every_hidden_column_of_an_exposed_table_is_walked(crm: App) -> None:
    """Whatever this database has that the catalog does not show is in the walk above."""
    catalog = crm.parts.keeper.service().catalog
    for table in catalog.exposed():
        for name in _columns(table.name):
            if name not in table.column_by_name:
                assert (table.resource, name) in HIDDEN


def _columns(table_name: str) -> list[str]:
    return [row["column"] for row in _rows("columns.csv") if f"tbl{row['table']}" == table_name]


@pytest.mark.parametrize("resource", ["invoices", "staff", "contacts", "leads", "departments", "tickets"])
async def test_no_typing_mistake_leads_to_a_hidden_name(crm: App, resource: str) -> None:
    """A name one letter off a hidden one is never corrected to it."""
    hidden = [column for table, column in HIDDEN if table == resource]
    for column in hidden:
        for typo in (column[:-1], column + "x", column[1:], column.replace("_", ""), column.upper(), column.title()):
            for query in (f"fields={typo}", f"sort={typo}", f"filter[{typo}]=1"):
                answer = await crm.get(f"{resource}?{query}")
                assert answer.status_code in (200, 400)
                told = answer.json() if answer.status_code == 400 else {"errors": []}
                assert column not in {error.get("suggestion") for error in told["errors"]}


# No stored secret leaves


def stored(server: Server, name: str, text: str) -> str:
    """Return the one value of a statement."""
    return str(server.run(text, database=name)[0][0])


def secrets_of(server: Server, name: str) -> dict[str, str]:
    """Every secret of the sample CRM that is no ordinary word, and the column it is in."""
    found: dict[str, str] = {}
    for table, column in HIDDEN:
        try:
            # The texts that new documents begin with are settings which every document shows.
            but = " WHERE name NOT LIKE 'predefined%'" if table == "options" else ""
            rows = server.run(f"SELECT DISTINCT `{column}` FROM `tbl{table}`{but}", database=name)
        except pymysql.err.ProgrammingError:  # a table of another version or of a module
            continue
        for (value,) in rows:
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            if len(text) >= 10 and not re.fullmatch(r"[\d.:\- ]+|.*@.*", text, re.S):
                found[text] = f"{table}.{column}"
    return found


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a reply, as text, and the words in it that could be keys."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value
        yield from re.findall(r"[\w$./\-]{10,}", value)
        yield from re.findall(r"\w{10,}", value)


async def test_no_reply_holds_a_secret_that_is_stored(crm: App, mariadb_server: Server, crm_database: str) -> None:
    """All rows of all resources, with every field there is, and what the first rows are related to."""
    name = crm_database.rpartition("/")[2]
    secrets = secrets_of(mariadb_server, name)
    assert len(secrets) > 1_000
    shown: set[str] = set()
    for table in crm.parts.keeper.service().catalog.exposed():
        derived = ",".join(["*", *(field for field in table.fields if field not in table.column_by_name)])
        path: str | None = f"/api/v1/{table.resource}?per_page=1000&count=none&fields={derived}"
        first = True
        while path is not None:
            body = (await crm.client.get(path)).json()
            shown |= set(leaves(body))
            path = body["links"]["next"]
            if first and body["data"] and table.key:
                key = ",".join(str(body["data"][0][column.name]) for column in table.key)
                one = await crm.json(f"{table.resource}/{key}")
                shown |= set(leaves(one))
                for link in one["links"].values():
                    shown |= set(leaves((await crm.client.get(link)).json()))
            first = False

    leaked = {text: secrets[text] for text in shown & secrets.keys()}
    assert not leaked


async def test_a_search_for_a_secret_finds_nothing(crm: App, mariadb_server: Server, crm_database: str) -> None:
    """``q`` looks only into visible columns."""
    name = crm_database.rpartition("/")[2]
    for table, column in (
        ("invoices", "hash"),
        ("contacts", "password"),
        ("staff", "password"),
        ("tickets", "ticketkey"),
    ):
        secret = stored(mariadb_server, name, f"SELECT {column} FROM tbl{table} WHERE {column} IS NOT NULL LIMIT 1")
        for text in (secret, secret[:12]):
            answer = await crm.client.get(f"/api/v1/{table}", params={"q": text})
            assert answer.json()["meta"]["total"] == 0


async def test_what_is_public_or_about_the_caller_names_no_hidden_column(crm: App) -> None:
    """Index, caller, documentation, OPTIONS and refusals of routes."""
    telling = {column for _, column in HIDDEN if "_" in column}
    paths = ["/api/v1", "/api/me", "/api/v1/auth/test", "/api_docs", "/healthz", "/readyz", "/nowhere", "/admin/reload"]
    paths += [f"/api_docs/errors/{code}" for code in ("fields_invalid", "field_unknown")]
    for path in paths:
        for method in ("GET", "OPTIONS", "DELETE"):
            answer = await crm.client.request(method, path)
            words = set(re.findall(r"\w+", answer.text + str(answer.headers)))
            assert not words & telling, (method, path)


async def test_reasons_against_writes_name_no_hidden_column(crm: App) -> None:
    """405 and the methods of a path say nothing of the columns that make a table read-only."""
    for table in crm.parts.keeper.service().catalog.exposed():
        hidden = {column for resource, column in HIDDEN if resource == table.resource}
        for method, path in (("POST", ""), ("PATCH", "/1"), ("OPTIONS", ""), ("OPTIONS", "/1")):
            answer = await crm.client.request(method, f"/api/v1/{table.resource}{path}", json={})
            if answer.status_code == 201:  # a row of defaults alone; the tests after this one count rows
                assert (await crm.client.delete(answer.headers["Location"])).status_code == 204
            if answer.status_code == 405:
                assert not set(re.findall(r"\w+", answer.json()["detail"])) & hidden, answer.text


async def test_what_is_logged_names_no_secret(crm: App, mariadb_server: Server, crm_database: str) -> None:
    """Requests that carry a secret as a value, or fail on one, leave nothing of it in what was reported."""
    secret = stored(mariadb_server, crm_database.rpartition("/")[2], "SELECT hash FROM tblinvoices LIMIT 1")
    await crm.get(f"invoices?filter[hash]={secret}")
    await crm.client.post("/api/v1/leads", json={"name": "x", "hash": secret})
    await crm.anonymous.get("/api/v1/invoices", headers={"Authorization": f"Bearer {secret}"})

    said = " ".join(str(getattr(event, item.name)) for event in crm.events for item in fields(event))
    assert secret not in said
    assert "password" not in said


async def test_a_new_row_keeps_the_keys_made_for_it_to_itself(
    crm: App, mariadb_server: Server, crm_database: str
) -> None:
    """A hidden key the CRM's links need is made, stored and never shown."""
    name = crm_database.rpartition("/")[2]
    answer = await crm.client.post(
        "/api/v1/contracts", json={"subject": "Support", "client": 1, "datestart": "2026-07-01"}
    )
    assert answer.status_code == 201, answer.text
    number = answer.json()["data"]["id"]
    made = stored(mariadb_server, name, f"SELECT hash FROM tblcontracts WHERE id = {number}")
    deleted = await crm.client.delete(f"/api/v1/contracts/{number}")

    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert made.encode() not in orjson.dumps(answer.json())
    assert deleted.status_code == 204
