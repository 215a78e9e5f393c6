"""Any combination of filters, sorts, fields and pages returns what a plain Python model of the same rows says.

And whatever text a client sends as a value, the text of the SQL stays the same: values are bound, never written.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.query.operators import OPERATORS
from tests.support.app import App, served
from tests.support.mariadb import Server
from tests.support.rows_model import ALPHABET, ZERO, Field, Model, by_general, by_unicode, folded

BERLIN = ZoneInfo("Europe/Berlin")
KINDS = ("new", "Old", "two words")
TABLE = """CREATE TABLE model (
    id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, flag TINYINT(1) NOT NULL, amount DECIMAL(12,3) NULL,
    word VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL,
    name VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
    kind ENUM('new', 'Old', 'two words') NULL,
    day DATE NULL, at DATETIME NULL, ts TIMESTAMP NULL DEFAULT NULL
) ENGINE=InnoDB"""
WHITELIST = "version: 1\nprofile: none\ntables:\n  model: {search: [word, name]}\n"

FIELDS = {
    field.name: field
    for field in (
        Field("id", "int"),
        Field("n", "int"),
        Field("flag", "flag"),
        Field("amount", "decimal"),
        Field("word", "text", by_unicode),
        Field("name", "text", by_general),
        Field("kind", "enum", folded, KINDS),
        Field("day", "date"),
        Field("at", "datetime"),
        Field("ts", "timestamp"),
    )
}
DAYS = [date(2025, 12, 31), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 29), date(2026, 10, 25)]
MOMENTS = [
    datetime(2026, 2, 28, 23, 59, 59),
    datetime(2026, 3, 1),
    datetime(2026, 3, 1, 12, 30),
    datetime(2026, 3, 29, 1, 59, 59),
    datetime(2026, 3, 29, 3, 0),
    datetime(2026, 10, 25, 23, 0),
]
AMOUNTS = [Decimal(text) for text in ("-10.500", "0.000", "0.001", "10.500", "999999999.999")]


def made_rows() -> list[dict[str, Any]]:
    """Eighty rows with many ties, nulls and neighbours; the same ones on every run."""
    dice = random.Random(7)

    def word() -> str:
        return "".join(dice.choice(ALPHABET) for _ in range(dice.choice((0, 1, 1, 2, 3))))

    return [
        {
            "id": number,
            "n": dice.choice((None, -3, 0, 1, 2, 2**31 - 1)),
            "flag": dice.choice((0, 1, 1, 7)),
            "amount": dice.choice((None, *AMOUNTS)),
            "word": dice.choice((None, word(), word())),
            "name": word(),
            "kind": dice.choice((None, *KINDS)),
            "day": dice.choice((None, ZERO, *DAYS)),
            "at": dice.choice((None, ZERO, *MOMENTS)),
            "ts": dice.choice((None, *MOMENTS)),
        }
        for number in range(1, 81)
    ]


MODEL = Model(made_rows(), FIELDS, "id", BERLIN)


@pytest.fixture(scope="module")
async def app(mariadb_server: Server, mariadb_url: str) -> AsyncIterator[App]:
    """The application on one table of those rows; one connection, so that its counters can be read."""
    name = mariadb_url.rpartition("/")[2]
    with mariadb_server.connection(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        cursor.execute("DROP TABLE IF EXISTS model")
        cursor.execute(TABLE)
        zero = {"day": "0000-00-00", "at": "0000-00-00 00:00:00"}
        cursor.executemany(
            f"INSERT INTO model ({', '.join(FIELDS)}) VALUES ({', '.join(['%s'] * len(FIELDS))})",
            [tuple(zero[key] if value is ZERO else value for key, value in row.items()) for row in MODEL.rows],
        )
    async with served(mariadb_url, whitelist=WHITELIST, timezone="Europe/Berlin", pool_size=1) as app:
        yield app
    mariadb_server.run("DROP TABLE model", database=name)


def texts() -> st.SearchStrategy[str]:
    return st.text(ALPHABET, max_size=3) | st.sampled_from([row["name"] for row in MODEL.rows])


def moments() -> st.SearchStrategy[str]:
    near = st.sampled_from(MOMENTS).flatmap(lambda moment: st.sampled_from([moment, moment + timedelta(seconds=1)]))
    walls = near.filter(lambda moment: moment.hour != 2).map(datetime.isoformat)
    offsets = near.map(lambda moment: moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"))
    return st.sampled_from(DAYS).map(date.isoformat) | walls | offsets


OPERANDS: dict[str, st.SearchStrategy[str]] = {
    "int": st.sampled_from(["-3", "0", "1", "2", "+2", "2147483647", "99"]),
    "flag": st.sampled_from(["0", "1", "true", "false", "7"]),
    "decimal": st.sampled_from(["-10.5", "0", "0.001", "10.500", "10.5001", "1e3", "999999999.999", ".5"]),
    "text": texts(),
    "enum": st.sampled_from(KINDS),
    "date": st.sampled_from(DAYS).map(date.isoformat),
    "datetime": moments(),
    "timestamp": moments(),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One request for a list."""

    filters: tuple[tuple[str, str, str], ...]
    sort: tuple[str, ...]
    fields: tuple[str, ...]
    page: int
    per_page: int

    def parameters(self) -> httpx2.QueryParams:
        """Return the query parameters."""
        found = [(f"filter[{name}.{operator}]", operand) for name, operator, operand in self.filters]
        found += [("sort", ",".join(self.sort))] if self.sort else []
        found += [("fields", ",".join(self.fields)), ("page", str(self.page)), ("per_page", str(self.per_page))]
        return httpx2.QueryParams(tuple(found))


def escaped(items: Sequence[str]) -> str:
    """Return a comma list in which every item survives."""
    return ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in items)


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, str]:
    """One filter that fits its field."""
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    operators = [name for name, operator in OPERATORS.items() if _fits(field, name)]
    operator = draw(st.sampled_from(operators))
    operand = OPERANDS[field.kind]
    if operator == "null":
        return field.name, operator, draw(st.sampled_from(["0", "1", "true", "false"]))
    if operator in ("in", "nin"):
        return field.name, operator, escaped(draw(st.lists(operand, min_size=1, max_size=4)))
    if operator == "between":
        return field.name, operator, escaped([draw(operand), draw(operand)])
    return field.name, operator, draw(texts() if OPERATORS[operator].operand == "text" else operand)


def _fits(field: Field, operator: str) -> bool:
    patterns = ("like", "nlike", "contains", "ncontains", "starts", "ends")
    if field.kind == "enum":
        return operator in ("eq", "ne", "in", "nin", "null", *patterns)
    return field.kind == "text" or operator not in patterns


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any list that may be asked for: distinct filters, distinct sort keys."""
    filters = draw(st.lists(conditions(), max_size=3, unique_by=lambda item: item[:2]))
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True))
    sort = tuple(draw(st.sampled_from(["", "-"])) + name for name in names)
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=10, unique=True))
    return Question(
        tuple(filters), sort, tuple(fields), draw(st.integers(1, 4)), draw(st.sampled_from([1, 7, 25, 80, 1000]))
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions())
async def test_any_list_is_what_the_model_says(app: App, question: Question) -> None:
    """Rows, their order, their digits, and the total; in one statement, or two when a count is due."""
    expected = [
        row for row in MODEL.rows if all(MODEL.matches(row, name, *condition) for name, *condition in question.filters)
    ]
    ordered = MODEL.ordered(expected, question.sort)
    offset = (question.page - 1) * question.per_page
    app.statements()

    answer = await app.client.get("/api/v1/model", params=question.parameters())

    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text, parse_float=Decimal)
    page = ordered[offset : offset + question.per_page]
    assert body["data"] == [MODEL.shown(row, question.fields) for row in page]
    amounts = [str(row["amount"]) for row in page if row["amount"] is not None]
    if "amount" in question.fields:
        assert [str(row["amount"]) for row in body["data"] if row["amount"] is not None] == amounts
    assert body["meta"]["total"] == len(expected)
    assert body["meta"]["pages"] == -(-len(expected) // question.per_page)
    assert (body["links"]["next"] is not None) == (offset + question.per_page < len(expected))
    is_told_by_page = offset < len(expected) <= offset + question.per_page or (not expected and offset == 0)
    assert len(app.statements()) == (1 if is_told_by_page else 2)


# Derived fields, on the sample CRM

INVOICES = (
    "SELECT i.id, i.status, i.total, i.duedate, COALESCE(p.s, 0) + COALESCE(c.s, 0), "
    "i.total - COALESCE(p.s, 0) - COALESCE(c.s, 0) FROM tblinvoices i "
    "LEFT JOIN (SELECT invoiceid, SUM(amount) s FROM tblinvoicepaymentrecords GROUP BY 1) p ON p.invoiceid = i.id "
    "LEFT JOIN (SELECT invoice_id, SUM(amount) s FROM tblcredits GROUP BY 1) c ON c.invoice_id = i.id ORDER BY i.id"
)
DERIVED = {
    "id": Field("id", "int"),
    "status": Field("status", "int"),
    "total": Field("total", "decimal"),
    "duedate": Field("duedate", "date"),
    "paid": Field("paid", "decimal"),
    "balance": Field("balance", "decimal"),
    "is_overdue": Field("is_overdue", "flag"),
}
DERIVED_OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "null")


@pytest.fixture(scope="module")
def invoices(mariadb_server: Server, crm_database: str) -> Model:
    """The invoices of the sample CRM with what was paid, worked out here."""
    rows: list[dict[str, Any]] = [
        dict(zip(tuple(DERIVED)[:6], row, strict=True))
        for row in mariadb_server.run(INVOICES, database=crm_database.rpartition("/")[2])
    ]
    today = date(2026, 7, 15)
    for row in rows:
        is_late = row["duedate"] is not None and row["duedate"] < today
        row["is_overdue"] = int(row["status"] in (1, 3, 4) and is_late and row["balance"] > 0)
    return Model(rows, DERIVED, "id", ZoneInfo("Asia/Dubai"))


@st.composite
def derived_questions(draw: st.DrawFn) -> Question:
    """Lists of invoices by their own and their derived fields."""
    operands = {
        "int": st.integers(1, 6).map(str),
        "flag": st.sampled_from(["0", "1", "true"]),
        "decimal": st.sampled_from(["0", "0.01", "1000", "2500.50", "-1", "40000"]),
        "date": st.dates(date(2024, 7, 1), date(2026, 12, 31)).map(date.isoformat),
    }
    filters: dict[tuple[str, str], str] = {}
    for name in draw(st.lists(st.sampled_from(sorted(DERIVED)), max_size=3)):
        operator = draw(st.sampled_from(DERIVED_OPERATORS))
        operand = operands[DERIVED[name].kind]
        size = {"between": (2, 2), "in": (1, 3), "nin": (1, 3)}.get(operator, (1, 1))
        values = draw(st.lists(operand, min_size=size[0], max_size=size[1]))
        filters[name, operator] = draw(st.sampled_from(["0", "1"])) if operator == "null" else ",".join(values)
    sort = [
        draw(st.sampled_from(["", "-"])) + name
        for name in draw(st.lists(st.sampled_from(sorted(DERIVED)), max_size=2, unique=True))
    ]
    fields = draw(st.lists(st.sampled_from(sorted(DERIVED)), min_size=1, max_size=7, unique=True))
    return Question(
        tuple((name, operator, value) for (name, operator), value in filters.items()),
        tuple(sort),
        tuple(fields),
        draw(st.sampled_from([1, 2, 30])),
        draw(st.sampled_from([5, 100, 1000])),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=derived_questions())
async def test_derived_fields_are_what_the_model_says(crm: App, invoices: Model, question: Question) -> None:
    """Selected, filtered and sorted like columns, and no row is doubled by the sums."""
    expected = invoices.ordered(
        (
            row
            for row in invoices.rows
            if all(invoices.matches(row, name, *condition) for name, *condition in question.filters)
        ),
        question.sort,
    )
    offset = (question.page - 1) * question.per_page

    answer = await crm.client.get("/api/v1/invoices", params=question.parameters())

    body = json.loads(answer.text, parse_float=Decimal)
    page = expected[offset : offset + question.per_page]
    assert body["data"] == [invoices.shown(row, question.fields) for row in page]
    assert body["meta"]["total"] == len(expected)


# Values and the text of SQL

TEXT_OPERATORS = (
    "eq",
    "ne",
    "gt",
    "lte",
    "like",
    "nlike",
    "contains",
    "ncontains",
    "starts",
    "ends",
    "in",
    "nin",
    "exact",
)
HOSTILE = st.sampled_from(
    [
        "' OR 1=1 -- ",
        "\\' OR '1'='1",
        "1; DROP TABLE model",
        "%s",
        "%(a)s",
        ":s0",
        "?",
        "/*",
        "\x00",
        "`",
        '"',
        "\\",
        "x" * 300,
    ]
)


def shape(statement: str) -> str:
    """Return a statement with every list of placeholders made one."""
    return re.sub(r"\((%s, )*%s\)", "(%s)", statement)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operator=st.sampled_from(TEXT_OPERATORS), text=HOSTILE | st.text(max_size=30))
async def test_no_text_of_a_client_changes_the_sql(app: App, operator: str, text: str) -> None:
    """The statements of a filter are the same for every value; what is refused is refused before the database."""
    parameter = f"filter[word.{operator}]"
    app.statements()
    await app.client.get("/api/v1/model", params={parameter: "plain", "count": "none"})
    plain = {shape(statement) for statement in app.statements()}

    answer = await app.client.get("/api/v1/model", params={parameter: text, "count": "none"})

    assert answer.status_code in (200, 400), answer.text
    found = app.statements()
    assert {shape(statement) for statement in found} == (plain if answer.status_code == 200 else set())


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(FIELDS)), text=HOSTILE | st.text(max_size=20), place=st.integers(0, 5))
async def test_no_text_anywhere_reaches_the_sql(app: App, name: str, text: str, place: int) -> None:
    """As a value, a search, a field name, a sort or an operator: bound, or refused without a statement."""
    requests: list[tuple[str, dict[str, str]]] = [
        ("model", {f"filter[{name}]": text}),
        ("model", {"q": text}),
        ("model", {"fields": text}),
        ("model", {"sort": text}),
        ("model", {f"filter[{name}.{text}]": "1"}),
        ("model", {f"filter[{text}]": "1"}),
    ]
    path, parameters = requests[place]
    app.statements()

    answer = await app.client.get(f"/api/v1/{path}", params=parameters)

    assert answer.status_code in (200, 400, 414), answer.text
    statements = app.statements()
    assert answer.status_code == 200 or not statements
    if len(text) > 3 and text not in FIELDS:
        assert not any(text in statement for statement in statements)


# How many statements, and that none of them is made anew


async def counter(app: App, name: str) -> int:
    """Return a status counter of the one connection."""
    text = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = %s"
    return int((await app.database.inner.fetch(text, (name,)))[0][0])


async def test_a_question_asked_again_costs_one_execution_and_nothing_else(app: App) -> None:
    """No reflection, no preparing, no statement beside: whatever the values are."""
    for number in (1, 2):
        await app.json(f"model?filter[n.gte]={number}&per_page=1000")
        await app.json(f"model/{number}")
    app.statements()
    names = (
        "Com_stmt_prepare",
        "Com_stmt_execute",
        "Com_select",
        "Com_show_fields",
        "Com_show_create_table",
        "Questions",
    )
    await counter(app, "Com_stmt_prepare")
    before = {name: await counter(app, name) for name in names}

    for number in range(3, 23):
        await app.json(f"model?filter[n.gte]={number}&per_page=1000")
        await app.json(f"model/{number}")

    after = {name: await counter(app, name) for name in names}
    assert len(app.statements()) == 40
    assert after["Com_stmt_prepare"] == before["Com_stmt_prepare"]
    # Each question about the counters is an execution too, as many between the two looks at one as there are names.
    assert after["Com_stmt_execute"] - before["Com_stmt_execute"] == 40 + len(names)
    assert (after["Com_show_fields"], after["Com_show_create_table"]) == (
        before["Com_show_fields"],
        before["Com_show_create_table"],
    )


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("model/1", 1),
        ("model?per_page=1000", 1),
        ("model?per_page=10", 2),
        ("model?per_page=10&count=none", 1),
        ("model?per_page=10&count=estimate", 2),
        ("model?page=9&per_page=10", 2),
        ("model?filter[id]=999", 1),
        ("model?fields=nonsense", 0),
        ("model/999", 1),
        ("nonsense", 0),
    ],
)
async def test_statements_of_a_request_are_few_and_known(app: App, path: str, statements: int) -> None:
    """A list is one and at most one count, a row is one, what is refused is none."""
    app.statements()

    await app.get(path)

    assert len(app.statements()) == statements


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("invoices?fields=id,paid,balance,is_overdue&per_page=1000", 2),
        ("clients?fields=userid,company,email,contact_name&per_page=1000", 1),
        ("clients/12/invoices?per_page=1000", 1),
        ("clients/12/primary_contact", 1),
        ("clients/99999/invoices", 2),
        ("invoices/42/client?fields=company", 1),
        ("invoices/42/items", 1),
    ],
)
async def test_relationships_and_derived_fields_cost_no_more(crm: App, path: str, statements: int) -> None:
    """Never one statement per row; a parent is only looked for when it seems to have no children."""
    crm.statements()

    await crm.get(path)

    assert len(crm.statements()) == statements
