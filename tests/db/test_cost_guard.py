"""The cost guard through the whole application: what a real server's plans are, and what is refused by them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
import yaml

from gateway.observe import QueryNotExplained, QueryRefused
from sample_crm import build
from tests.support.app import NOON, ROOT, App, served
from tests.support.mariadb import Server

BUDGET = 1_000
BI_WHITELIST = ROOT / "examples" / "whitelist-bi.yaml"

Guarded = tuple[App, Callable[..., Any]]


@pytest.fixture(scope="module")
def analyzed(mariadb_server: Server, crm_database: str) -> str:
    """The sample CRM, 2,000 invoices, with fresh statistics."""
    name = crm_database.rpartition("/")[2]
    mariadb_server.run("ANALYZE TABLE tblinvoices, tblclients, tblinvoicepaymentrecords, tblcredits", database=name)
    return crm_database


@pytest.fixture(scope="module")
async def guarded(analyzed: str) -> AsyncIterator[App]:
    """The application with a budget of half the invoices."""
    async with served(analyzed, max_examined_rows=BUDGET) as app:
        yield app


async def refusal(app: App, path: str) -> str:
    """Return what a refused query is told."""
    answer = await app.get(path)
    assert answer.status_code == 400, (path, answer.text)
    body = answer.json()
    assert body["code"] == "query_too_expensive", answer.text
    said = body["errors"][0]["message"]
    assert body["detail"].startswith("The database would look at more than 1,000 rows for this, the most it may. ")
    assert body["detail"].endswith(body["errors"][-1]["message"])
    return str(said)


@pytest.mark.parametrize(
    "path",
    [
        "invoices",
        "invoices?sort=-id&per_page=500",
        "invoices?sort=total",
        "invoices?sort=-total,-id",
        "invoices?filter[clientid]=12&sort=-subtotal",
        "invoices?filter[clientid]=12&filter[clientnote.contains]=x",
        "invoices?filter[id.in]=1,2,3&filter[adminnote.contains]=x",
        "clients/12/invoices",
        "clients?fields=userid,company,email",
        "invoices/42",
        "invoices?page=20",
    ],
)
async def test_what_an_index_serves_passes(guarded: App, path: str) -> None:
    """Though the table is twice the budget."""
    await guarded.json(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("invoices?sort=-subtotal", "invoices has no index on subtotal."),
        ("invoices?filter[clientnote]=x", "invoices has no index on clientnote."),
        ("invoices?filter[number]=5", "invoices has no index on number."),
        ("invoices?sort=-total", "An index serves a sort in one direction only, as in sort=-total,-id."),
        ("invoices?sort=client.company", "No index serves a sort by client.company"),
        ("invoices?filter[clientnote.contains]=x", "No missing index would help this query; narrow it by id, clientid"),
        ("invoices?filter[payments.amount.gt]=5", "invoicepaymentrecords has no index on amount."),
        ("invoices?fields=id,balance&sort=-balance", "No index serves a sort by balance"),
        ("invoices?page=60", "A page this deep reads every row before it; a cursor goes on without."),
        ("invoices?group=status&metrics=sum.subtotal", "No missing index would help this query"),
    ],
)
async def test_what_reads_too_much_is_refused_and_says_why(guarded: App, path: str, said: str) -> None:
    """Before it runs: nothing but EXPLAIN is sent."""
    guarded.statements()
    assert (await refusal(guarded, path)).startswith(said)
    assert {text.split()[0] for text in guarded.statements()} <= {"EXPLAIN"}
    event = guarded.events[-1]
    assert isinstance(event, QueryRefused)
    assert (event.resource, event.rows > BUDGET) == ("invoices", True)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_an_export_is_judged_by_all_of_its_rows(guarded: App, form: str) -> None:
    """Each part of it would be cheap; what an index leads to is exported."""
    whole = await guarded.get(f"invoices.{form}")
    assert (whole.status_code, whole.json()["code"]) == (400, "query_too_expensive")

    some = await guarded.get(f"invoices.{form}?filter[clientid]=12&fields=id")
    listed = await guarded.json("invoices?filter[clientid]=12&fields=id&per_page=1000")
    assert some.status_code == 200
    assert len(some.text.splitlines()) == len(listed["data"]) + (form == "csv")


async def test_pages_by_cursor_pass_however_deep(guarded: App) -> None:
    """Each begins where the one before it ended; to the end of the table."""
    seen: list[int] = []
    path = "invoices?sort=-total,-id&fields=id,total&per_page=250&cursor="
    while True:
        body = await guarded.json(path)
        seen.extend(row["id"] for row in body["data"])
        following = body["meta"]["next_cursor"]
        if following is None:
            break
        path = f"invoices?sort=-total,-id&fields=id,total&per_page=250&cursor={following}"

    assert len(seen) == len(set(seen)) > BUDGET


async def test_a_question_asked_again_is_explained_once(guarded: App) -> None:
    """And its statement runs as often as it is asked."""
    guarded.statements()
    for _ in range(3):
        await guarded.json("invoices?filter[clientid]=7&fields=id&count=none")
    texts = guarded.statements()

    assert sum(text.startswith("EXPLAIN") for text in texts) == 1
    assert len(texts) == 4


async def test_without_a_budget_nothing_is_explained(crm: App) -> None:
    """The setting's default."""
    crm.statements()
    await crm.json("invoices?sort=-subtotal&fields=id")

    assert not any("EXPLAIN" in text for text in crm.statements())


async def test_an_index_that_is_made_lets_the_query_pass(mariadb_server: Server) -> None:
    """What the refusal named is what helps; a reload takes note of it."""
    name = f"gateway_guard_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    try:
        build(url, scale="demo", today=NOON.date())
        async with served(url, max_examined_rows=BUDGET) as app:
            assert await refusal(app, "invoices?sort=subtotal") == "invoices has no index on subtotal."
            mariadb_server.run(
                "ALTER TABLE tblinvoices ADD INDEX (subtotal)", "ANALYZE TABLE tblinvoices", database=name
            )
            await app.parts.keeper.reload_everywhere("an index was made")

            await app.json("invoices?sort=subtotal")
            assert (await refusal(app, "invoices?sort=-subtotal")).endswith("as in sort=-subtotal,-id.")
    finally:
        mariadb_server.drop_database(name)


VIEWS = """
version: 1
profile: none
max_examined_rows: 5
tables: {open_view: {key: id}, behind: {}}
"""


@pytest.fixture
def views(mariadb_server: Server) -> Iterator[str]:
    """A view of ten rows, whose table its user may read, and one whose table it may not; a URL of that user."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name, user = f"gateway_views_{worker}", f"gateway_viewer_{worker}"
    mariadb_server.create_database(name)
    mariadb_server.run(
        "CREATE TABLE behind (id INT PRIMARY KEY, word TEXT)",
        "INSERT INTO behind SELECT seq, 'x' FROM seq_1_to_10",
        "CREATE VIEW open_view AS SELECT id, word FROM behind",
        f"DROP USER IF EXISTS '{user}'",
        f"CREATE USER '{user}' IDENTIFIED BY 'viewer'",
        f"GRANT SELECT ON {name}.open_view TO '{user}'",
        database=name,
    )
    yield f"mysql://{user}:viewer@{mariadb_server.host}:{mariadb_server.port}/{name}"
    mariadb_server.run(f"DROP USER '{user}'")
    mariadb_server.drop_database(name)


async def test_a_view_that_cannot_be_explained_is_read_all_the_same(views: str, mariadb_server: Server) -> None:
    """The log says that nobody knows its cost; with the right to look behind it, it is refused."""
    only_view = VIEWS.replace(", behind: {}", "")
    async with served(views, whitelist=only_view) as app:
        body = await app.json("open_view?sort=word")
        assert len(body["data"]) == 10
        assert QueryNotExplained("open_view") in app.events

        lines = (await app.get("open_view?sort=word&format=ndjson")).text.splitlines()
        assert len(lines) == 10

    name = views.rpartition("/")[2]
    async with served(mariadb_server.url(name), whitelist=VIEWS) as app:
        answer = await app.get("open_view?sort=word")
        assert (answer.status_code, answer.json()["code"]) == (400, "query_too_expensive")


# The example for reports


def test_the_example_for_reports_only_reads_and_has_a_budget() -> None:
    """It would be no example otherwise."""
    whitelist = yaml.safe_load(BI_WHITELIST.read_text(encoding="utf-8"))

    assert whitelist["max_examined_rows"] == 1_000_000
    assert all(table["read_only"] is True for table in whitelist["tables"].values())


async def test_the_example_for_reports_serves_what_reports_ask(analyzed: str) -> None:
    """Its budget wins over the setting; nothing in it is unknown to the CRM."""
    async with served(analyzed, whitelist=BI_WHITELIST, max_examined_rows=1) as app:
        await app.json("invoices?sort=-subtotal")
        await app.json("invoices?filter[is_overdue]=1&group=agent,currency&metrics=count,sum.balance&sort=-sum.balance")
        hidden: httpx2.Response = await app.get("invoices?fields=billing_street")
        assert (hidden.status_code, hidden.json()["code"]) == (400, "field_unknown")
        assert app.parts.keeper.service().catalog.max_examined_rows == 1_000_000


async def test_the_example_for_reports_is_accepted_by_check(analyzed: str) -> None:
    """As an administrator would try it first."""
    from click.testing import CliRunner  # noqa: PLC0415  # the command line is only tested here

    from gateway.cli import main  # noqa: PLC0415  # as above

    environment = {"GATEWAY_DATABASE_URL": analyzed, "GATEWAY_WHITELIST": str(BI_WHITELIST)}
    result = CliRunner().invoke(main, ["check"], env=environment)

    assert result.exit_code == 0, result.output
    assert "Usable: 37 resources." in result.output


async def test_an_include_that_no_index_serves_is_refused(guarded: App, mariadb_server: Server, analyzed: str) -> None:
    """Perfex has no index on the invoice of a credit: each page would read them all."""
    name = analyzed.rpartition("/")[2]
    cheap = await guarded.get("invoices?per_page=2&include=payments,client")
    mariadb_server.run("CREATE TABLE kept_credits AS SELECT * FROM tblcredits", database=name)
    try:
        for _ in range(12):
            fill = "INSERT INTO tblcredits (invoice_id, credit_id, staff_id, date, date_applied, amount) "
            mariadb_server.run(
                f"{fill}SELECT 1, 1, 1, '2026-01-01', '2026-01-01', 0 FROM tblinvoices LIMIT 500", database=name
            )
        mariadb_server.run("ANALYZE TABLE tblcredits", database=name)
        dear = await guarded.get("invoices?per_page=2&include=credits")
    finally:
        mariadb_server.run("DELETE FROM tblcredits", database=name)
        mariadb_server.run("INSERT INTO tblcredits SELECT * FROM kept_credits", database=name)
        mariadb_server.run("DROP TABLE kept_credits", database=name)
        mariadb_server.run("ANALYZE TABLE tblcredits", database=name)

    assert cheap.status_code == 200, cheap.text
    assert (dear.status_code, dear.json()["code"]) == (400, "query_too_expensive")
    assert dear.json()["errors"][0]["parameter"] == "include"
    assert "the rows of credits are all read" in dear.json()["detail"]
