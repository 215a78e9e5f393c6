"""Exports: the rows of a list, whole, in every format, from one snapshot; and what a break looks like."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import load_workbook

from gateway.errors import GatewayError
from gateway.operations import exports
from gateway.operations.exports import Part, Question
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.rest.formats import FORMATS
from gateway.rest.parse import parse_list
from gateway.rest.url import parse_query
from gateway.security.access import AccessBook
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

FEW = Access(
    "few",
    {
        "invoices": Grant(
            frozenset({"read"}),
            readable=frozenset({"id", "total"}),
            row_filter=(ConditionIntent(("status",), "2", "row filter"),),
        )
    },
)
"""An access to two columns of some rows of one table."""


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def app(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """The application on a small CRM of this module's own."""
    name = f"gateway_exports_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("exports") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=NOON.date())
    async with served(url) as app:
        yield app
    if is_served:
        mariadb_server.drop_database(name)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of few rows, so that the small CRM's tables take several."""
    monkeypatch.setattr(exports, "FIRST_ROWS", 3)
    monkeypatch.setattr(exports, "MOST_ROWS", 16)


@pytest.fixture(autouse=True)
def no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An export leaves nothing on disk, however it ends."""
    place = tmp_path / "spool"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    assert list(place.iterdir()) == []


async def all_rows(app: App, query: str) -> list[dict[str, Any]]:
    """The rows of a list as JSON has them, page by page; numbers as they are written."""
    rows: list[dict[str, Any]] = []
    mark = "&" if "?" in query else "?"
    while True:
        answer = await app.get(f"{query}{mark}limit=1000&offset={len(rows)}")
        assert answer.status_code == 200, answer.text
        body = json.loads(answer.text, parse_float=str)
        rows += body["data"]
        if body["links"]["next"] is None:
            return rows


async def exported(app: App, path: str, status: int = 200) -> httpx2.Response:
    answer = await app.get(path)
    assert answer.status_code == status, (path, answer.text)
    return answer


def lines_of(answer: httpx2.Response) -> list[dict[str, Any]]:
    """The rows of an NDJSON document."""
    assert answer.text == "" or answer.text.endswith("\n")
    return [json.loads(line, parse_float=str) for line in answer.text.split("\n")[:-1]]


def table_of(answer: httpx2.Response) -> list[dict[str, str]]:
    """The rows of a CSV document."""
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


def cell(value: object) -> str:
    """What a value of JSON is in CSV."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value)


QUERIES = [
    "invoices",
    "invoices?sort=-total,duedate&fields=id,total,balance,is_overdue",
    "invoices?filter[status]=2&fields=*,paid",
    "invoices?sort=sale_agent,client.company&fields=id,sale_agent,datecreated",
    "clients/3/invoices",
    "clients?q=a&labels=true",
    "leads?fields=id,name,status,lastcontact&labels=true&sort=-lastcontact",
    "invoices?filter[id]=0",
    "invoicepaymentrecords?decimals=string",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_ndjson_has_exactly_the_rows_of_the_json_list(app: App, query: str) -> None:
    """All of them, in the same order, each once, whichever part they were read in."""
    path, _, rest = query.partition("?")

    assert lines_of(await exported(app, f"{path}.ndjson?{rest}")) == await all_rows(app, query)


@pytest.mark.parametrize("query", QUERIES)
async def test_csv_has_the_same_rows_as_a_table(app: App, query: str) -> None:
    """Its columns are there without rows, too."""
    path, _, rest = query.partition("?")
    answer = await exported(app, f"{path}.csv?{rest}")
    expected = await all_rows(app, query)

    assert table_of(answer) == [{name: cell(value) for name, value in row.items()} for row in expected]
    header = answer.text.split("\r\n")[0].split(",")
    assert header == list((expected or (await all_rows(app, path))[:1])[0])


@pytest.mark.parametrize("query", QUERIES)
async def test_the_formats_with_types_have_the_same_rows(app: App, query: str) -> None:
    """Arrow, Parquet and XLSX, seen by their own readers."""
    path, _, rest = query.partition("?")
    expected = [list(map(cell, row.values())) for row in await all_rows(app, query)]
    stream = pa.ipc.open_stream((await exported(app, f"{path}.arrow?{rest}")).content).read_all()
    file = pq.read_table(io.BytesIO((await exported(app, f"{path}.parquet?{rest}")).content))
    book = load_workbook(io.BytesIO((await exported(app, f"{path}.xlsx?{rest}")).content))
    rows = book.get_sheet_by_index(0).to_python()

    assert file.equals(stream)
    assert stream.num_rows == len(expected)
    key = stream.schema.names[0]
    assert list(map(cell, stream[key].to_pylist())) == [row[0] for row in expected]
    assert rows[0] == stream.schema.names
    assert [str(row[0]).removesuffix(".0") for row in rows[1:]] == [row[0] for row in expected]


async def test_embeds_come_along(app: App) -> None:
    """NDJSON nests them as JSON does; a table has a to-one's fields as columns and a to-many as JSON text."""
    query = (
        "include=client,payments,client.contracts&fields=id&fields[client]=company&fields[payments]=id,amount"
        "&fields[client.contracts]=id&sort=-total"
    )
    expected = await all_rows(app, f"invoices?{query}")
    rows = table_of(await exported(app, f"invoices.csv?{query}"))

    assert lines_of(await exported(app, f"invoices.ndjson?{query}")) == expected
    assert list(rows[0]) == ["id", "client.company", "client.contracts", "payments"]
    assert [json.loads(row["payments"], parse_float=str) for row in rows] == [row["payments"] for row in expected]
    assert [row["client.company"] for row in rows] == [
        (row["client"] or {"company": ""})["company"] for row in expected
    ]
    assert any(row["payments"] for row in expected)


async def test_rows_of_a_to_many_are_all_there(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page cuts them at a hundred and says so; an export has no place to say it, and cuts where it is told to."""
    monkeypatch.setattr("gateway.query.embeds.DEFAULT_LIMIT", 1)
    monkeypatch.setattr("gateway.query.planner.DEFAULT_LIMIT", 1)
    query = "include=invoices&fields=userid&fields[invoices]=id"
    page = (await app.get(f"clients?{query}&per_page=100")).json()
    whole = lines_of(await exported(app, f"clients.ndjson?{query}"))
    limited = lines_of(await exported(app, f"clients.ndjson?{query}&include[invoices][limit]=2"))

    assert page["meta"]["truncated"]
    assert sum(len(row["invoices"]) for row in whole) == len(await all_rows(app, "invoices?filter[client.userid.gt]=0"))
    assert [row["invoices"] for row in limited] == [row["invoices"][:2] for row in whole]


async def test_more_embedded_rows_than_may_be_held_make_smaller_parts(app: App) -> None:
    """And when one row alone has too many, that is an answer and not a cut."""
    service = app.parts.keeper.service()
    question = await ask(app, "clients?include=invoices&fields=userid&fields[invoices]=id")
    expected = lines_of(await exported(app, "clients.ndjson?include=invoices&fields=userid&fields[invoices]=id"))
    most = max(len(row["invoices"]) for row in expected)

    narrow = budgeted(question, embedded=most)
    parts = [part async for part in service.exports.parts(service.statements, narrow)]
    assert [row for part in parts for row in part.rows(0, len(part))] == expected
    assert len(parts) > 2
    with pytest.raises(GatewayError) as caught:
        [part async for part in service.exports.parts(service.statements, budgeted(question, embedded=most - 1))]
    assert caught.value.code == "rows_too_many"


async def test_groups_are_exported_as_rows(app: App) -> None:
    """A grouped relationship is nested in NDJSON and flattened in a table."""
    query = "group=client,currency&metrics=count,sum.total,avg.total&sort=-sum.total&fields[client]=company"
    expected = await all_rows(app, f"invoices?{query}")
    rows = table_of(await exported(app, f"invoices.csv?{query}"))

    assert lines_of(await exported(app, f"invoices.ndjson?{query}")) == expected
    assert len(expected) > 10
    assert rows[0] == {
        "client.company": expected[0]["client"]["company"],
        "currency": str(expected[0]["currency"]),
        "count": str(expected[0]["count"]),
        "sum.total": expected[0]["sum.total"],
        "avg.total": expected[0]["avg.total"],
    }


async def test_a_sum_over_currencies_is_warned_of(app: App) -> None:
    """Where JSON has ``meta.warnings``, an export has a header."""
    body = await app.json("invoices?group=status&metrics=sum.total")
    answer = await exported(app, "invoices.csv?group=status&metrics=sum.total")

    assert body["meta"]["warnings"] == ["mixed_currency"]
    assert answer.headers["x-warnings"] == "mixed_currency"


async def test_too_many_groups_are_refused_before_the_first_byte(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are one statement's rows."""
    monkeypatch.setattr(exports, "MOST_GROUPS", 5)
    answer = await exported(app, "invoices.csv?group=id&metrics=count", 400)

    assert answer.json()["code"] == "export_too_large"
    assert (await exported(app, "invoices.csv?group=id&metrics=count&filter[id.lte]=5")).text.count("\n") == 6


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"json"}))
async def test_a_reply_says_what_it_is(app: App, name: str) -> None:
    """Its type, and a file name made of the path (RFC 6266)."""
    by_suffix = await exported(app, f"clients/3/invoices.{name}?fields=id")
    by_parameter = await exported(app, f"clients/3/invoices?fields=id&format={name}")
    headers = {"Accept": f"{FORMATS[name].media_type}, application/json;q=0.9"}
    by_header = await app.client.get("/api/v1/clients/3/invoices?fields=id", headers=headers)

    for answer in (by_suffix, by_parameter, by_header):
        assert answer.headers["content-type"] == FORMATS[name].content_type
        assert answer.headers["content-disposition"] == f'attachment; filename="clients-3-invoices.{name}"'
    if name != "xlsx":  # which holds the moment it was made
        assert by_suffix.content == by_parameter.content == by_header.content


async def test_an_alias_is_exported_under_the_canonical_name(app: App) -> None:
    """As links name it."""
    answer = await exported(app, "payments.csv?limit=1")

    assert answer.headers["content-disposition"] == 'attachment; filename="invoicepaymentrecords.csv"'


async def test_a_page_is_exported_as_that_page(app: App) -> None:
    """With any parameter of paging there is nothing else."""
    rows = await all_rows(app, "invoices?fields=id")
    for query, expected in {
        "limit=4": rows[:4],
        "limit=4&offset=2": rows[2:6],
        "page=2": rows[25:50],
        "page=3&per_page=2": rows[4:6],
        "per_page=1000": rows,
    }.items():
        assert lines_of(await exported(app, f"invoices.ndjson?fields=id&{query}")) == expected

    cursor = (await app.json("invoices?fields=id&cursor=&per_page=7"))["meta"]["next_cursor"]
    assert lines_of(await exported(app, f"invoices.ndjson?fields=id&per_page=7&cursor={cursor}")) == rows[7:14]
    assert (await exported(app, "invoices.csv?limit=1001", 400)).json()["code"] == "page_invalid"


async def test_the_rows_are_counted_where_that_is_asked_for(app: App) -> None:
    """Never by default, and never where an estimate would do: an export is as fast as its rows."""
    rows = await all_rows(app, "invoices?filter[status]=2")

    for query in ("", "count=none", "count=estimate", "count=estimate&limit=2", "group=status&count=estimate"):
        assert "x-total-count" not in (await exported(app, f"invoices.csv?{query}")).headers
    for query in ("count=exact", "count=exact&limit=2"):
        answer = await exported(app, f"invoices.csv?filter[status]=2&{query}")
        assert answer.headers["x-total-count"] == str(len(rows))
    answer = await exported(app, "invoices.csv?group=status&metrics=count&count=exact")
    assert answer.headers["x-total-count"] == str(len(table_of(answer)))


async def test_a_query_in_a_body_is_exported_too(app: App) -> None:
    """By ``Accept`` or the key ``format``."""
    rows = [row["id"] for row in await all_rows(app, "invoices?filter[status]=2")]
    for body, headers in (
        ({"fields": "id", "filter[status]": 2, "format": "ndjson"}, {}),
        ({"fields": "id", "filter[status]": 2}, {"Accept": "application/x-ndjson"}),
    ):
        for method, path in (("QUERY", "invoices"), ("POST", "invoices/query")):
            answer = await app.client.request(method, f"/api/v1/{path}", json=body, headers=headers)
            assert [row["id"] for row in lines_of(answer)] == rows


async def test_permissions_hold_as_in_json(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are not granted are no columns, rows outside the filter no rows."""
    allowed = await all_rows(app, "invoices?filter[status]=2&fields=id,total")
    monkeypatch.setattr(AccessBook, "access_of", lambda book, principal, catalog: FEW)

    assert lines_of(await exported(app, "invoices.ndjson")) == allowed
    assert (await exported(app, "invoices.csv")).text.startswith("id,total\r\n")
    assert (await exported(app, "invoices.csv?fields=id,number", 400)).json()["code"] == "field_unknown"
    assert (await exported(app, "leads.csv", 403)).json()["code"] == "grant_missing"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("invoices.csv?fields=nothing", 400, "field_unknown"),
        ("invoices.csv?format=ndjson", 400, "parameter_conflict"),
        ("invoices?format=pdf", 400, "parameter_invalid"),
        ("invoices.pdf", 404, "resource_unknown"),
        ("invoices.csv?envelope=false", 400, "parameter_conflict"),
        ("invoices.ndjson?spreadsheet=true", 400, "parameter_conflict"),
        ("clients/0/invoices.csv", 404, "row_unknown"),
        ("clients/0/invoices.csv?metrics=count", 404, "row_unknown"),
        ("clients/0/invoices.xlsx?metrics=count&count=exact", 404, "row_unknown"),
        ("clients/0/invoices.ndjson?metrics=count&having[count.gt]=0", 404, "row_unknown"),
        ("invoices/1/client.csv", 406, "not_acceptable"),
    ],
)
async def test_what_is_wrong_is_said_before_the_first_byte(app: App, path: str, status: int, code: str) -> None:
    """As a problem document, like any other."""
    answer = await exported(app, path, status)

    assert answer.json()["code"] == code


async def test_a_head_runs_no_export(app: App) -> None:
    """Its headers are those of the GET; a parent that is not there is told all the same."""
    app.statements()
    answer = await app.client.head("/api/v1/invoices.csv")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == FORMATS["csv"].content_type
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices.csv"'
    assert app.statements() == []
    assert (await app.client.head("/api/v1/clients/0/invoices.csv")).status_code == 404


async def test_a_spreadsheet_gets_text_that_is_no_formula(app: App) -> None:
    """And the mark by which it knows UTF-8."""
    made = await app.client.post("/api/v1/leads", json={"name": '=HYPERLINK("x")', "assigned": 1})
    key = made.json()["data"]["id"]
    try:
        plain = await exported(app, f"leads.csv?filter[id]={key}&fields=id,name")
        safe = await exported(app, f"leads.csv?filter[id]={key}&fields=id,name&spreadsheet=true")
    finally:
        assert (await app.client.delete(f"/api/v1/leads/{key}")).status_code == 204

    assert plain.text.endswith(f'\r\n{key},"=HYPERLINK(""x"")"\r\n')
    assert safe.content.startswith(b"\xef\xbb\xbf")
    assert safe.text.endswith(f'\r\n{key},"\'=HYPERLINK(""x"")"\r\n')


async def test_each_part_is_one_statement_and_one_per_embed(app: App) -> None:
    """However many rows it has."""
    rows = len(await all_rows(app, "clients"))
    app.statements()
    await exported(app, "clients.ndjson?fields=userid")
    plain = app.statements()
    await exported(app, "clients.ndjson?fields=userid&include=invoices&fields[invoices]=id")
    embedding = app.statements()

    assert rows == 14
    assert len(plain) == 2  # parts of 3 and 11 rows
    assert len(embedding) == 2 * 4  # parts of 3, 4, 4 and 3 rows


# Snapshots


async def ask(app: App, target: str) -> Question:
    """The question of an export, to be read part by part."""
    path, _, query = target.partition("?")
    service = app.parts.keeper.service()
    request = parse_list(path, parse_query(query.encode()))
    known = await app.parts.authenticator.find(app.tokens["all"].encode())
    return Question(request.intent, service.context(app.parts.accesses.access_of(known.principal, service.catalog)))


def budgeted(question: Question, *, embedded: int) -> Question:
    """The question with another limit on what is held of embeds."""
    context = replace(question.context, budget=replace(question.context.budget, embedded=embedded))
    return replace(question, context=context)


def parts_of(app: App, question: Question) -> AsyncGenerator[Part]:
    service = app.parts.keeper.service()
    return service.exports.parts(service.statements, question)


async def test_an_export_shows_one_moment(app: App) -> None:
    """Rows that are changed, made or removed while it runs are as they were when it began, embeds among them."""
    before = lines_of(await exported(app, "leads.ndjson?fields=id,name&include=notes"))
    async with aclosing(parts_of(app, await ask(app, "leads?fields=id,name&include=notes"))) as parts:
        first = await anext(parts)
        last = before[-1]["id"]
        made = await app.client.post("/api/v1/leads", json={"name": "New", "assigned": 1})
        changed = await app.client.patch(f"/api/v1/leads/{last}", json={"name": "Changed"})
        rest = [part async for part in parts]
    try:
        seen = [json.loads(orjson.dumps(row)) for part in (first, *rest) for row in part.rows(0, len(part))]
        after = lines_of(await exported(app, "leads.ndjson?fields=id,name"))
    finally:
        assert (await app.client.delete(f"/api/v1/leads/{made.json()['data']['id']}")).status_code == 204
        back = await app.client.patch(f"/api/v1/leads/{last}", json={"name": before[-1]["name"]})

    assert (made.status_code, changed.status_code, back.status_code) == (201, 200, 200)
    assert seen == before
    assert len(rest) > 1
    assert (len(after), after[-2]["name"]) == (len(before) + 1, "Changed")


async def test_only_so_many_exports_run_at_a_time(app: App) -> None:
    """Whoever comes too early is told when to come back; JSON is not concerned."""
    question = await ask(app, "invoices?fields=id")
    async with aclosing(parts_of(app, question)) as one, aclosing(parts_of(app, question)) as other:
        await anext(one)
        await anext(other)
        answer = await exported(app, "invoices.csv", 503)
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("exports_busy", "10")
        assert (await app.get("invoices")).status_code == 200

    assert (await app.get("invoices.csv")).status_code == 200


async def test_an_export_that_fails_gives_its_turn_back(app: App) -> None:
    """Whatever the reason."""
    for _ in range(3):
        await exported(app, "clients/0/invoices.csv", 404)
        await exported(app, "invoices.xlsx?fields=nothing", 400)

    assert (await app.get("invoices.csv")).status_code == 200
