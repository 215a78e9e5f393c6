"""Tokens that are limited, used by somebody who wants more: another table, verb, column or row, through every door.

The CRM holds one customer's data that the token is to see, and marks in everything else: words that no answer may ever
hold. What the token is told must be what an administrator is told who asks for that customer alone.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import load_workbook

from gateway.query.metrics import FUNCTIONS
from gateway.query.operators import OPERATORS
from gateway.rest.parse import LIST_PARAMETERS
from gateway.security.policy import Policy
from sample_crm import build
from tests.support.app import NOON, App, issue, served
from tests.support.doors import Door, compared, doors, invented, knock
from tests.support.mariadb import Server
from tests.support.sales import Crm

OURS: Final = 1
"""The customer whose data the token may see."""

MARK: Final = "zqoutside"
"""Stands in rows that the token may not see."""

SECRET: Final = "zqsecret"
"""Stands in columns of its own rows that it may not read."""

INVOICE_COLUMNS: Final = ("id", "clientid", "number", "date", "duedate", "currency", "status", "total", "project_id")
LEAD_COLUMNS: Final = ("id", "name", "status", "source", "assigned")
ROWS: Final = {
    "clients": f"userid={OURS}",
    "invoices": f"clientid={OURS}",
    "payments": f"invoice.clientid={OURS}",
    "line_items": f"invoice.clientid={OURS}",
    "contacts": f"userid={OURS}",
    "projects": f"clientid={OURS}",
}
POLICIES: Final = {
    "customer": Policy(
        readable=(("invoices", INVOICE_COLUMNS),),
        rows=tuple((resource, (condition,)) for resource, condition in ROWS.items()),
    ),
    "clerk": Policy(rows=(("invoices", (f"clientid={OURS}",)), ("clients", (f"userid={OURS}",)))),
    "seller": Policy(rows=(("leads", ("assigned=1",)),)),
    "writer": Policy(readable=(("leads", LEAD_COLUMNS),), writable=(("leads", LEAD_COLUMNS),)),
    "narrowing": Policy(writable=(("leads", ("status", "source")),)),
    "keyless": Policy(readable=(("invoices", ("number", "total", "clientid")),)),
    "words": Policy(rows=(("leads_status", ("id=1",)),), readable=(("leads_sources", ("id",)),)),
}
GRANTS: Final = {
    "all": ("*:*",),
    "customer": tuple(f"{resource}:read" for resource in ROWS),
    "clerk": ("payments:read", "invoices:read", "clients:read", "projects:read"),
    "seller": ("leads:*",),
    "keyless": ("invoices:*",),
    "words": ("leads:read", "leads_status:read", "leads_sources:read"),
    "writer": ("leads:*",),
    "narrowing": ("leads:create",),
    "nothing": (),
}


@pytest.fixture(scope="module")
async def attacked(mariadb_server: Server) -> AsyncIterator[tuple[App, Crm]]:
    """The application on a CRM of this module's own, with marks in all that is not the customer's."""
    name = f"gateway_attacks_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    crm = Crm(url, mariadb_server)
    _mark(crm)
    async with served(url, grants=GRANTS, policies=POLICIES, admin=False) as app:
        yield app, crm
    mariadb_server.drop_database(name)


def _mark(crm: Crm) -> None:
    others = "SELECT id FROM tblinvoices WHERE clientid <> %s"
    crm.run("UPDATE tblclients SET company = CONCAT(%s, userid) WHERE userid <> %s", MARK, OURS)
    crm.run("UPDATE tblcontacts SET lastname = %s WHERE userid <> %s", MARK, OURS)
    crm.run("UPDATE tblprojects SET name = %s WHERE clientid <> %s", MARK, OURS)
    crm.run("UPDATE tblinvoices SET clientnote = %s, terms = %s, prefix = %s", SECRET, SECRET, SECRET)
    crm.run("UPDATE tblinvoices SET formatted_number = CONCAT(%s, id)", SECRET)
    crm.run("UPDATE tblinvoices SET adminnote = %s WHERE clientid <> %s", MARK, OURS)
    crm.run(f"UPDATE tblinvoicepaymentrecords SET note = %s WHERE invoiceid IN ({others})", MARK, OURS)
    crm.run("UPDATE tblitemable SET description = %s WHERE rel_type <> 'invoice'", MARK)
    crm.run(f"UPDATE tblitemable SET description = %s WHERE rel_type = 'invoice' AND rel_id IN ({others})", MARK, OURS)
    crm.run("UPDATE tblprojects SET clientid = %s, name = 'Ours' ORDER BY id DESC LIMIT 1", OURS)
    crm.run("UPDATE tblleads SET company = %s WHERE assigned <> 1", MARK)


def code_of(answer: httpx2.Response) -> str | None:
    return None if answer.status_code < 400 else str(answer.json()["code"])


def api(path: str, parameters: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return the URL of a path with its parameters; trees are JSON in it."""
    given = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in parameters.items()}
    return f"/api/v1/{path}" + (f"?{urlencode(given)}" if given else "")


# The same questions, narrowed by the token and by the administrator's own filter


@dataclass(frozen=True, slots=True)
class Question:
    """A list or groups of one resource; ``where`` is the tree of its conditions."""

    resource: str
    where: dict[str, Any] | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    def given(self, condition: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters, with one more condition if there is one."""
        trees = [tree for tree in (self.where, condition) if tree is not None]
        tree = {"where": {"and": trees}} if trees else {}
        return {**dict(self.parameters), **tree}


def asks(resource: str, where: dict[str, Any] | None = None, **parameters: str) -> Question:
    return Question(resource, where, tuple((name.replace("__", "."), value) for name, value in parameters.items()))


FIELDS: Final = ",".join(INVOICE_COLUMNS)
QUESTIONS: Final = (
    asks("invoices", fields=FIELDS, sort="-total", per_page="100"),
    asks("invoices", {"not": {"clientid": OURS}}, fields="id,clientid"),
    asks("invoices", {"or": [{"clientid.ne": OURS}, {"id.gt": 0}]}, fields="id,clientid"),
    asks("invoices", {"not": {"and": [{"clientid": OURS}, {"id.gt": 0}]}}, fields="id"),
    asks("invoices", {"client": {"userid.ne": OURS}}, fields="id"),
    asks("invoices", {"payments": {"none": {"amount.gt": 0}}}, fields="id", sort="id"),
    asks("invoices", {"payments": {"every": {"amount.gt": 100}}}, fields="id", sort="id"),
    asks("invoices", {"items": {"some": {"description.contains": MARK}}}, fields="id"),
    asks("invoices", fields="id,total", sort="client.company,-project.name,id", per_page="7", page="2"),
    asks("invoices", fields="id,total", include="client,client.contacts,payments,items,project,client.projects"),
    asks("invoices", fields="id,status", labels="true", per_page="50"),
    asks("invoices", group="status", metrics="count,sum.total,avg.total,min.total,max.id,count_distinct.clientid"),
    asks("invoices", group="client", metrics="count,sum.total", sort="-sum.total", include="client.contacts"),
    asks("invoices", group="client.company,date.month", metrics="count"),
    asks("invoices", metrics="count,sum.total,max.client.userid"),
    Question("invoices", None, (("group", "clientid"), ("metrics", "count"), ("having[count.gt]", "1"))),
    asks("payments", fields="id,amount,note", sort="-invoice.total,id", include="invoice,invoice.client"),
    asks("payments", {"invoice": {"clientid.ne": OURS}}, fields="id"),
    asks("payments", {"invoice.client.company.contains": MARK}, fields="id"),
    asks("payments", group="invoice.client,date.year", metrics="sum.amount,count", include="invoice.client.invoices"),
    asks("payments", fields="id,amount", q=MARK),
    asks("clients", fields="userid,company,email,contact_name", labels="true"),
    asks("clients", q=MARK),
    asks("clients", {"invoices": {"none": {"id.gt": 0}}}, fields="userid"),
    asks("clients", {"contacts": {"some": {"lastname": MARK}}}, fields="userid"),
    asks("clients", fields="userid,company", include="primary_contact,contacts,invoices,invoices.items,projects"),
    asks("line_items", fields="id,description,qty,rate", sort="invoice.client.company,id", include="invoice"),
    asks("line_items", {"rel_type.in": ["proposal", "estimate"]}, fields="id,description"),
    asks("contacts", fields="id,lastname,email", sort="-client.company,id", include="client.invoices.payments"),
    asks("projects", group="client.company", metrics="count,count_distinct.clientid"),
)
IDS: Final = [f"{number}-{question.resource}" for number, question in enumerate(QUESTIONS)]


def own(resource: str) -> dict[str, Any]:
    """The condition of a token's row filter, as the tree of a query."""
    name, _, value = ROWS[resource].partition("=")
    return {name: int(value)}


def shown(value: Any) -> Any:
    """What a reply says of rows, without the columns that one of the two may not read and the links in it."""
    if isinstance(value, list):
        return [shown(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_invoice = "clientid" in value and "project_id" in value and "number" in value
    names = (*INVOICE_COLUMNS, "items", "payments", "client", "project") if is_invoice else tuple(value)
    return {name: shown(value[name]) for name in names if name in value}


@pytest.mark.parametrize("question", QUESTIONS, ids=IDS)
async def test_the_answer_is_that_to_one_who_asks_for_these_rows_alone(
    attacked: tuple[App, Crm], question: Question
) -> None:
    """By URL, by QUERY and by POST of a body: rows, order, embeds, groups, metrics and totals."""
    app, _ = attacked
    narrow = question.given()
    wide = question.given(own(question.resource))
    due = await app.client.get(api(question.resource, wide))
    client = app.clients["customer"]
    bodied = {name: value for name, value in narrow.items() if name != "page"}
    answers = [
        await client.get(api(question.resource, narrow)),
        await client.get(api(question.resource, narrow | {"count": "exact"})),
    ]
    if bodied == narrow:
        answers.append(await client.post(api(f"{question.resource}/query"), json=bodied))
        answers.append(await client.request("QUERY", api(question.resource), json=bodied))
    assert due.status_code == 200, due.text
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert shown(answer.json()["data"]) == shown(due.json()["data"])
        assert answer.json()["meta"].get("total") == due.json()["meta"].get("total")
        echoed = answer.text if MARK not in json.dumps(narrow) else json.dumps(answer.json()["data"])
        assert MARK not in echoed
        assert SECRET not in answer.text


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "arrow", "parquet", "xlsx"])
async def test_a_file_holds_no_more_than_a_list(attacked: tuple[App, Crm], suffix: str) -> None:
    """Of rows, of groups and of related rows, in every format."""
    app, _ = attacked
    for question in QUESTIONS:
        if "q" in dict(question.parameters) or (suffix == "csv" and "include" in dict(question.parameters)):
            continue
        answer = await app.clients["customer"].get(api(f"{question.resource}.{suffix}", question.given()))
        due = await app.client.get(api(f"{question.resource}.{suffix}", question.given(own(question.resource))))
        assert (answer.status_code, due.status_code) == (200, 200), (question, answer.text, due.text)
        rows = read_file(suffix, answer.content)
        assert MARK not in repr(rows), question
        assert SECRET not in repr(rows), question
        if "include" not in dict(question.parameters):
            assert rows == read_file(suffix, due.content), question


def read_file(suffix: str, content: bytes) -> Any:
    """Return what stands in an exported file."""
    match suffix:
        case "arrow":
            return pa.ipc.open_stream(content).read_all().to_pylist()
        case "parquet":
            return pq.read_table(io.BytesIO(content)).to_pylist()
        case "xlsx":
            return load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        case _:
            return content.decode()


async def test_the_customer_has_rows_of_everything(attacked: tuple[App, Crm]) -> None:
    """And so have others: what is compared above is neither empty nor all there is."""
    app, _ = attacked
    for resource in ROWS:
        seen = (await app.clients["customer"].get(api(resource))).json()["meta"]["total"]
        there = (await app.client.get(api(resource))).json()["meta"]["total"]
        assert 0 < seen < there, resource


@pytest.mark.parametrize("count", ["exact", "estimate", "none"])
async def test_no_count_tells_of_other_rows(attacked: tuple[App, Crm], count: str) -> None:
    """An estimate would be that of all rows; the headers of GET and HEAD say no more than the body."""
    app, crm = attacked
    due = int(crm.run("SELECT COUNT(*) AS n FROM tblinvoices WHERE clientid = %s", OURS)[0]["n"])
    counts: dict[str, set[int | None]] = {"exact": {due}, "estimate": {due, None}, "none": {None}}
    told = counts[count]
    path = api("invoices", {"count": count, "fields": "id", "sort": "-total"})
    answer = await app.clients["customer"].get(path)
    head = await app.clients["customer"].head(path)
    meta = answer.json()["meta"]

    assert meta.get("total") in told
    assert answer.headers.get("x-total-count") in {None if number is None else str(number) for number in told}
    for name in ("x-total-count", "link", "content-length"):
        assert head.headers.get(name) == answer.headers.get(name)
    for suffix in ("csv", "ndjson"):
        file = await app.clients["customer"].get(api(f"invoices.{suffix}", {"count": count, "fields": "id"}))
        assert file.headers.get("x-total-count") in (str(due), None)


async def test_the_index_and_the_caller_tell_what_may_be_used(attacked: tuple[App, Crm]) -> None:
    """No other resource, and no condition on rows or name of a column beyond the token's own."""
    app, _ = attacked
    index = (await app.clients["customer"].get("/api/v1")).text
    caller = (await app.clients["customer"].get("/api/v1/auth/test")).json()["data"]

    assert "invoices" in index
    assert not {"leads", "staff", "estimates"} & set(re.findall(r"[a-z]+", index))
    assert set(caller["permissions"]) == {app.parts.keeper.service().catalog.resources[name].resource for name in ROWS}


# Single rows, paths, tags


async def outside(app: App, resource: str) -> int:
    """The key of a row that the customer's token may not see."""
    (table,) = {app.parts.keeper.service().catalog.resources[resource]}
    answer = await app.client.get(
        api(resource, {"where": {"not": own(resource)}, "per_page": 1, "fields": table.key[0].name})
    )
    return int(answer.json()["data"][0][table.key[0].name])


@pytest.mark.parametrize("resource", ROWS)
async def test_a_row_outside_is_as_if_it_were_not_there(attacked: tuple[App, Crm], resource: str) -> None:
    """By its key, with its tag, as a parent, by every verb that reads: exactly as a key that nobody has."""
    app, _ = attacked
    client, key = app.clients["customer"], await outside(app, resource)
    tag = (await app.client.get(api(f"{resource}/{key}"))).headers["etag"]
    catalog = app.parts.keeper.service().catalog
    edges = list(catalog.resources[resource].relationships)
    paths = ["", *(f"/{edge}" for edge in edges)]
    for path in paths:
        for method in ("GET", "HEAD"):
            for headers in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}, {"If-Match": tag}):
                there, nowhere = f"{resource}/{key}", f"{resource}/987654"
                true = await client.request(method, api(there + path), headers=headers)
                false = await client.request(method, api(nowhere + path), headers=headers)
                assert true.status_code in (403, 404), (path, method, headers)
                assert compared(true, "ROW", there, set()) == compared(false, "ROW", nowhere, set())
    assert (await client.get(api(f"{resource}/{key}"))).status_code == 404


async def test_what_a_to_one_refers_to_outside_is_null(attacked: tuple[App, Crm]) -> None:
    """A token that may read all payments and invoices of one customer learns nothing of other invoices by payments."""
    app, crm = attacked
    client = app.clients["clerk"]
    due = {row["id"] for row in crm.run("SELECT id FROM tblinvoices WHERE clientid = %s", OURS)}
    path = api("payments", {"include": "invoice,invoice.client", "per_page": 1000, "sort": "-invoice.total,id"})
    rows = (await client.get(path)).json()["data"]
    assert {row["invoiceid"] in due for row in rows} == {True, False}
    assert all((row["invoice"] is not None) == (row["invoiceid"] in due) for row in rows)
    is_known = [row["invoiceid"] in due for row in rows]
    assert is_known == sorted(is_known, reverse=True)  # those without an invoice come last by a descending sort

    for where in ({"invoice.id.gt": 0}, {"invoice": {"id.gt": 0}}, {"invoice.client.userid.gt": 0}):
        found = (await client.get(api("payments", {"where": where, "per_page": 1000}))).json()
        assert {row["invoiceid"] for row in found["data"]} <= due
        assert found["meta"]["total"] == sum(is_known)
    for word in ("invoice.clientid", "invoice.client", "invoice.client.company", "invoice"):
        groups = (await client.get(api("payments", {"group": word, "metrics": "count", "per_page": 1000}))).json()
        unknown = [group["count"] for group in groups["data"] if group[word] is None]
        assert unknown == [is_known.count(False)], groups
        assert MARK not in json.dumps(groups)
    (sums,) = (await client.get(api("payments", {"metrics": "sum.invoice.total,max.invoice.id,count"}))).json()["data"]
    assert (sums["max.invoice.id"], sums["count"]) == (
        max(row["invoiceid"] for row in rows if row["invoiceid"] in due),
        len(rows),
    )


async def test_derived_paths_are_null_outside(attacked: tuple[App, Crm]) -> None:
    """The e-mail of a customer is that of a contact: no grant on contacts, no field; a row outside, null."""
    app, _ = attacked
    answer = await app.clients["clerk"].get(api("clients", {"fields": "userid,email"}))

    assert (answer.status_code, code_of(answer)) == (400, "field_unknown")
    for row in (await app.clients["customer"].get(api("clients", {"fields": "userid,email"}))).json()["data"]:
        assert row["email"] is not None


async def test_a_cursor_of_another_token_leads_to_no_row_outside(attacked: tuple[App, Crm]) -> None:
    """It says where to go on, and nothing of whose rows they are."""
    app, _ = attacked
    first = api("invoices", {"fields": "id,clientid", "sort": "id", "per_page": 5, "cursor": ""})
    cursor = (await app.client.get(first)).json()["meta"]["next_cursor"]
    path = api("invoices", {"fields": "id,clientid", "sort": "id", "per_page": 5, "cursor": cursor})
    answer = await app.clients["customer"].get(path)

    assert answer.status_code == 200
    assert {row["clientid"] for row in answer.json()["data"]} == {OURS}


async def test_links_lead_nowhere_else(attacked: tuple[App, Crm]) -> None:
    """Every link of every row of the customer, followed: none shows a mark, none is refused."""
    app, _ = attacked
    client = app.clients["customer"]
    for resource in ROWS:
        for row in (await client.get(api(resource, {"per_page": 2}))).json()["data"]:
            key = row["userid"] if resource == "clients" else row["id"]
            links = (await client.get(api(f"{resource}/{key}"))).json()["links"]
            assert set(links) > {"self"}
            for link in links.values():
                answer = await client.get(link)
                assert answer.status_code in (200, 404), (link, answer.text)
                assert MARK not in answer.text, link
                assert SECRET not in answer.text, link


async def test_words_for_codes_obey_the_limits_of_their_own_table(attacked: tuple[App, Crm]) -> None:
    """Null for a status outside, no label for a source whose name may not be read; in groups alike."""
    app, _ = attacked
    client = app.clients["words"]
    rows = (await client.get(api("leads", {"labels": "true", "per_page": 1000}))).json()["data"]
    groups = (await client.get(api("leads", {"labels": "true", "group": "status,source"}))).json()["data"]
    known = (await app.client.get(api("leads", {"labels": "true"}))).json()["data"]

    assert {row["status"] == 1 for row in rows} == {True, False}
    for row in (*rows, *groups):
        assert (row["status_label"] is not None) == (row["status"] == 1)
        assert "source_label" not in row
    assert all(row["source_label"] for row in known)
    assert all((row["status_label"] is None) == (row["status"] == 0) for row in known)


# Other tables and verbs


async def test_no_other_table_and_no_other_verb(attacked: tuple[App, Crm]) -> None:
    """403 names what is missing, in the path and on the way through relationships; nothing is read or written."""
    app, crm = attacked
    before = crm.counts()
    client, key = app.clients["customer"], OURS
    tried = {
        "leads:read": [("GET", "leads"), ("GET", "leads/1"), ("GET", "leads.csv"), ("POST", "leads/query")],
        "staff:read": [
            ("GET", "invoices?include=project.added_by"),
            ("GET", "invoices?filter[project.added_by.email]=x"),
            ("GET", "invoices?sort=project.added_by.email"),
            ("GET", "projects?group=added_by"),
            ("GET", "projects?metrics=max.added_by.email"),
            ("GET", "projects?fields=id&include=added_by"),
            ("GET", "projects.csv?include=added_by"),
            ("GET", 'projects?where={"added_by":{"email.contains":"a"}}'),
        ],
        "estimates:read": [
            ("GET", f"clients/{key}/estimates"),
            ("GET", f"clients/{key}?include=estimates"),
            ("GET", "clients?filter[estimates.total.gt]=0"),
            ("GET", 'clients?where={"estimates":{"none":{"id.gt":0}}}'),
        ],
        "clients:create": [("POST", "clients")],
        "clients:update": [
            ("PATCH", f"clients/{key}"),
            ("PUT", f"clients/{key}"),
            ("PATCH", "clients?filter[userid]=1"),
        ],
        "clients:delete": [("DELETE", f"clients/{key}"), ("DELETE", "clients?filter[userid]=1&max_affected=1")],
        "invoices:create": [("POST", "invoices"), ("POST", "invoices?on_conflict=update")],
    }
    for grant, requests in tried.items():
        for method, path in requests:
            body: dict[str, Any] | None = {} if method in ("POST", "PUT", "PATCH") else None
            answer = await client.request(method, f"/api/v1/{path}", json=body)
            assert (answer.status_code, code_of(answer)) == (403, "grant_missing"), (method, path, answer.text)
            assert grant in answer.json()["detail"], (path, answer.text)
    for path in ("invoices", "invoices/1", "clients?filter[userid]=1", "invoices.csv"):
        for method in ("GET", "HEAD", "POST", "PATCH", "DELETE", "QUERY"):
            answer = await app.clients["nothing"].request(method, f"/api/v1/{path}", json={})
            assert answer.status_code in (403, 404, 405), (method, path)
            assert "data" not in (answer.json() if answer.content else {})
    assert crm.counts() == before


# Writes around a row filter


def leads_outside(crm: Crm) -> list[dict[str, Any]]:
    return crm.run("SELECT * FROM tblleads WHERE assigned <> 1 ORDER BY id")


async def test_no_write_reaches_a_row_outside(attacked: tuple[App, Crm]) -> None:
    """One by one, by a filter, by a body of several, by a key that is taken, with a tag: every row outside stays."""
    app, crm = attacked
    client, before = app.clients["seller"], leads_outside(crm)
    other = int(before[0]["id"])
    ours = int(crm.run("SELECT MIN(id) AS id FROM tblleads WHERE assigned = 1")[0]["id"])
    tag = (await app.client.get(api(f"leads/{other}"))).headers["etag"]
    new = {"name": "x", "status": 1, "source": 1}
    due: dict[int, list[tuple[str, str, Any, dict[str, str]]]] = {
        404: [
            ("PATCH", f"leads/{other}", {"name": "x"}, {}),
            ("PUT", f"leads/{other}", {"name": "x"}, {}),
            ("PATCH", f"leads/{other}", {"name": "x"}, {"If-Match": tag}),
            ("DELETE", f"leads/{other}", None, {}),
            ("DELETE", f"leads/{other}?dry_run=true", None, {}),
        ],
        403: [
            ("POST", "leads", new | {"assigned": 2}, {}),
            ("POST", "leads", [new | {"assigned": 1}, new | {"assigned": 2}], {}),
            ("POST", "leads?dry_run=true", new | {"assigned": 2}, {}),
            ("PATCH", f"leads/{ours}", {"assigned": 2}, {}),
            ("PUT", f"leads/{ours}", {"assigned": 2}, {}),
            ("PATCH", f"leads?filter[id]={ours}&max_affected=9", {"assigned": 2}, {}),
        ],
        409: [
            ("POST", f"leads{query}", new | {"id": other, "assigned": 1}, {})
            for query in ("", "?on_conflict=update", "?on_conflict=ignore", "?dry_run=true")
        ],
    }
    everything = crm.run("SELECT * FROM tblleads ORDER BY id")
    for status, requests in due.items():
        for method, path, body, headers in requests:
            answer = await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
            assert answer.status_code == status, (method, path, answer.text)
            assert MARK not in answer.text
    assert crm.run("SELECT * FROM tblleads ORDER BY id") == everything


async def test_a_write_by_filter_chooses_own_rows_alone(attacked: tuple[App, Crm]) -> None:
    """Counted, too: how many others would match is not told."""
    app, crm = attacked
    client, before = app.clients["seller"], leads_outside(crm)
    own_rows = int(crm.run("SELECT COUNT(*) AS n FROM tblleads WHERE assigned = 1")[0]["n"])
    for query in ("filter[id.gt]=0", "filter[not][assigned]=1", "filter[any][assigned.ne]=1&filter[any][id.gt]=0"):
        path = f"/api/v1/leads?{query}&max_affected=1000"
        changed = await client.patch(f"{path}&dry_run=true", json={"name": "everybody"})
        assert changed.status_code == 200, changed.text
        matched = 0 if "not" in query else own_rows
        assert len(changed.json()["data"]) == matched
        assert {row["assigned"] for row in changed.json()["data"]} <= {1}
    written = await client.patch("/api/v1/leads?filter[id.gt]=0&max_affected=1000", json={"name": "everybody"})
    few = await client.patch(f"/api/v1/leads?filter[id.gt]=0&max_affected={own_rows}", json={"name": "everyone"})

    assert (written.status_code, few.status_code) == (200, 200)
    assert leads_outside(crm) == before
    assert {row["name"] for row in crm.run("SELECT name FROM tblleads WHERE assigned = 1")} == {"everyone"}


# Columns


COLUMN_DOORS: Final = (
    "invoices?fields=NAME",
    "invoices?fields=id,NAME",
    "invoices?fields=NAME_label&labels=true",
    "invoices?sort=-NAME",
    "invoices?filter[NAME]=1",
    "invoices?filter[NAME.contains]=z",
    "invoices?filter[not][NAME.null]=1",
    "invoices?filter[any][NAME]=1&filter[any][id]=1",
    "invoices?filter[any][id]=1&filter[any][NAME.gte]=1",
    'invoices?where={"NAME":"1"}',
    'invoices?where={"or":[{"id":1},{"not":{"NAME.null":true}}]}',
    "invoices?group=NAME",
    "invoices?group=NAME.month",
    "invoices?group=status&metrics=max.NAME",
    "invoices?metrics=count_distinct.NAME",
    "invoices?group=status&having[max.NAME]=1",
    "invoices?group=status&having[max.NAME.gt]=1",
    "invoices.csv?fields=NAME",
    "invoices.ndjson?sort=NAME",
    "invoices?include=NAME",
    "invoices/1?fields=NAME",
    "invoices/1/NAME",
    "payments?filter[invoice.NAME]=1",
    "payments?filter[invoice][NAME.gt]=1",
    "payments?sort=invoice.NAME",
    "payments?group=invoice.NAME",
    "payments?metrics=min.invoice.NAME",
    "payments?include=invoice&fields[invoice]=id,NAME",
    "payments?include=invoice.NAME",
    "clients?include=invoices&fields[invoices]=NAME",
    "clients?include=invoices&include[invoices][filter][NAME]=1",
    "clients?include=invoices&include[invoices][sort]=NAME",
    "clients?filter[invoices.NAME]=1",
    'clients?where={"invoices":{"every":{"NAME":"1"}}}',
    "clients/1/invoices?fields=NAME",
    "clients/1/invoices?filter[NAME]=1",
    "clients/1/invoices?group=NAME",
)


UNREADABLE: Final = ("clientnote", "terms", "adminnote", "subtotal", "formatted_number", "addedfrom", "hash")


@pytest.mark.parametrize("column", UNREADABLE)
async def test_a_column_that_may_not_be_read_answers_as_none(attacked: tuple[App, Crm], column: str) -> None:
    """As a hidden one (``hash``) and as a made-up name, wherever a name can stand, by URL and by body."""
    app, _ = attacked
    client, made_up = app.clients["customer"], invented(column)
    visible = told_names(app)
    for door in COLUMN_DOORS:
        true = await client.get(f"/api/v1/{door.replace('NAME', column)}")
        false = await client.get(f"/api/v1/{door.replace('NAME', made_up)}")
        assert true.status_code in (400, 404), (door, true.text)
        assert compared(true, column, made_up, visible) == compared(false, column, made_up, visible), door
    for path, parameters in bodies():
        true = await client.request("QUERY", f"/api/v1/{path}", json=named(parameters, column))
        false = await client.request("QUERY", f"/api/v1/{path}", json=named(parameters, made_up))
        assert true.status_code == 400, (path, parameters, true.text)
        assert compared(true, column, made_up, visible) == compared(false, column, made_up, visible), parameters


def told_names(app: App) -> set[str]:
    """What may be suggested to the customer's token: names of what it may read, and words of the language."""
    catalog = app.parts.keeper.service().catalog
    readable = {*INVOICE_COLUMNS, "paid", "balance", "is_overdue"}
    for resource in ROWS:
        readable |= set(catalog.resources[resource].relationships)
        readable |= set(catalog.resources[resource].fields) if resource != "invoices" else set()
    return readable | set(FUNCTIONS)


def bodies() -> Iterator[tuple[str, dict[str, str]]]:
    """The doors that are lists, as bodies of queries."""
    for door in COLUMN_DOORS:
        path, _, query = door.partition("?")
        if "." not in path and not re.search(r"/(1|NAME)$", path):
            yield path, dict(part.split("=", 1) for part in query.split("&"))


def named(parameters: Mapping[str, str], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        key.replace("NAME", name): value.replace("NAME", name) for key, value in parameters.items()
    }
    return found | ({"where": json.loads(found["where"])} if "where" in found else {})


@pytest.mark.parametrize("column", ["company", "email", "description", "addedfrom", "lead_value", "hash"])
async def test_a_column_that_may_be_neither_read_nor_written_answers_as_none(
    attacked: tuple[App, Crm], column: str
) -> None:
    """In bodies of writes, too: among others, in several rows, by a filter, with a value that does not fit."""
    app, crm = attacked
    client, made_up = app.clients["writer"], invented(column)
    catalog, before = app.parts.keeper.service().catalog, crm.counts()
    names = {*LEAD_COLUMNS, *LIST_PARAMETERS, *OPERATORS, *catalog.resources["leads"].relationships}
    key = str(int(crm.run("SELECT MIN(id) AS id FROM tblleads")[0]["id"]))
    bulk = (
        Door("PATCH", "leads?filter[id]=1&max_affected=1", {"NAME": "x"}),
        Door("PATCH", "leads?filter[NAME]=1&max_affected=1", {"name": "x"}),
        Door("DELETE", "leads?filter[NAME.gt]=1&max_affected=1"),
        Door("POST", "leads?on_conflict=update", {"id": 1, "NAME": "x"}),
        Door("POST", "leads?dry_run=true", {"name": "x", "status": 1, "source": 1, "NAME": None}),
    )
    for door in (*doors("leads", key, ()), *bulk):
        true = compared(await knock(client, door, column), column, made_up, names)
        false = compared(await knock(client, door, made_up), column, made_up, names)
        assert true == false, door
    assert crm.counts() == before


async def test_a_required_column_out_of_reach_is_not_named(attacked: tuple[App, Crm]) -> None:
    """Whoever may neither read nor write it cannot create rows: 403, and not the name."""
    app, crm = attacked
    before, sent = crm.run("SELECT * FROM tblleads"), {"status": 1, "source": 1}
    for body in (sent, [sent, sent]):
        answer = await app.clients["narrowing"].post("/api/v1/leads", json=body)
        assert (answer.status_code, code_of(answer)) == (403, "grant_missing"), answer.text
        assert "name" not in answer.json()["detail"]
    assert crm.run("SELECT * FROM tblleads") == before


async def test_a_first_answer_is_not_given_again_when_limits_have_changed(attacked: tuple[App, Crm]) -> None:
    """The write is not run again, and what it answered is not shown: rows and columns may be out of sight since."""
    app, _ = attacked
    wide = Policy(lineage="one")
    policies = [
        wide,
        wide,
        replace(wide, rows=(("leads", ("assigned=1",)),)),
        replace(wide, rows=(("leads", ("assigned=2",)),)),
        replace(wide, readable=(("leads", LEAD_COLUMNS),)),
        replace(wide, rows=(("notes", ("id=0",)),)),
        wide,
    ]
    told = []
    for policy in policies:
        token = issue(app.parts.state, "repeats", ("leads:*", "notes:read"), policy=policy)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}
        body = {"name": "Once", "status": 1, "source": 1, "assigned": 3}
        answer = await app.anonymous.post("/api/v1/leads?dry_run=false", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        told.append((answer.headers.get("idempotent-replayed"), answer.json()["data"] is not None))
        app.parts.state.tokens.revoke("repeats")
    assert told == [(None, True), ("true", True), *[("true", False)] * 4, ("true", True)]


async def test_a_key_that_may_not_be_read_is_not_named(attacked: tuple[App, Crm]) -> None:
    """In no error, no link and no advice: its value stands in no reply, and its name in no message."""
    app, _ = attacked
    client = app.clients["keyless"]
    listed = await client.get(api("invoices", {"per_page": 3}))
    answers = [
        await client.get(api("invoices/abc")),
        await client.get(api("invoices/1,2")),
        await client.get(api("invoices/abc/payments")),
        await client.patch(api("invoices/abc"), json={"number": 1}),
        await client.delete(api("invoices/1,2")),
        await client.post(api("invoices?on_conflict=update"), json={"number": 1}),
    ]

    assert all(set(row) == {"number", "total", "clientid"} for row in listed.json()["data"])
    for answer in answers:
        assert answer.status_code >= 400
        words = json.dumps([answer.json()["detail"], answer.json().get("errors", [])])
        assert '"id' not in words, words
        assert " id " not in words, words
    assert (await client.get(api("invoices/1"))).status_code == 200
