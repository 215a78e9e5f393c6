"""Tables change while they are served: the catalog follows, and no request fails for it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from gateway.observe import CatalogKept, CatalogLoaded, NameLeftOut
from gateway.state.store import StateStore
from sample_crm import build
from tests.support.app import NOON, App, RunningServer, served
from tests.support.databases import until
from tests.support.mariadb import Server

WHITELIST = """version: 1
profile: perfex
tables: [invoices, invoicepaymentrecords, clients, leads, items, expenses, countries]
"""


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    """The URL of a small CRM whose tables these tests alter; each puts back what it changed."""
    name = f"gateway_reload_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    yield url
    mariadb_server.drop_database(name)


class Tables:
    """Statements on that database, beside the gateway."""

    def __init__(self, server: Server, url: str) -> None:
        self.server = server
        self.name = url.rpartition("/")[2]
        self._undone: list[str] = []

    def run(self, statement: str, undo: str = "") -> None:
        """Run a statement; the test ends with its opposite."""
        if undo:
            self._undone.append(undo)
        self.server.run(statement, database=self.name)

    def put_back(self) -> None:
        """Undo everything, the last first."""
        while self._undone:
            self.server.run(self._undone.pop(), database=self.name)


@pytest.fixture
def tables(mariadb_server: Server, database: str) -> Iterator[Tables]:
    """Ways to alter the tables."""
    tables = Tables(mariadb_server, database)
    yield tables
    tables.put_back()


@pytest.fixture
def whitelist(tmp_path: Path) -> Path:
    """The whitelist's file, to be changed by the test."""
    path = tmp_path / "whitelist.yaml"
    path.write_text(WHITELIST, encoding="utf-8")
    return path


@pytest.fixture
async def app(database: str, whitelist: Path) -> AsyncIterator[App]:
    """The application, which looks at its tables only when asked."""
    async with served(database, whitelist=whitelist) as app:
        yield app


def reloads(app: App) -> list[str]:
    """Return the reasons of the catalogs loaded since the start."""
    return [event.reason for event in app.events if isinstance(event, CatalogLoaded)][1:]


async def reload(app: App) -> httpx2.Response:
    """Ask for a reload."""
    return await app.client.post("/admin/reload")


@asynccontextmanager
async def busy(app: App, *paths: str) -> AsyncIterator[list[tuple[str, int]]]:
    """Ask for paths again and again; the list yielded has every answer's status."""
    seen: list[tuple[str, int]] = []
    stop = asyncio.Event()

    async def ask(path: str) -> None:
        while not stop.is_set():
            answer = await app.get(path)
            seen.append((path, answer.status_code))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for path in paths * 3:
            group.create_task(ask(path))
        yield seen
        stop.set()


async def test_a_reload_under_load_disturbs_no_request(app: App) -> None:
    """Eight reloads while rows, lists and writes are asked for: nothing but 200."""
    async with busy(app, "invoices/1", "invoices?per_page=3", "clients/1/invoices", "leads?q=a") as seen:
        for _ in range(8):
            assert (await reload(app)).status_code == 200
            changed = await app.client.patch("/api/v1/leads/1", json={"city": "Ulm"})
            assert changed.status_code == 200

    assert len(seen) > 100
    assert {status for _, status in seen} == {200}
    assert len(reloads(app)) == 8


async def test_reloads_asked_for_together_share_one(app: App) -> None:
    """Thirty callers at once cost at most the load under way and one more."""
    answers = await asyncio.gather(*(reload(app) for _ in range(30)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(reloads(app)) <= 3


async def test_only_an_administrator_reloads(database: str, whitelist: Path) -> None:
    """``*:*`` is data only."""
    async with served(database, whitelist=whitelist, admin=False) as app:
        answer = await reload(app)

    assert (answer.status_code, answer.json()["code"]) == (403, "grant_missing")
    assert reloads(app) == []


async def test_a_new_column_appears_after_a_reload(app: App, tables: Tables) -> None:
    """Before it the column does not exist to clients; afterwards it is read, filtered and written."""
    tables.run("ALTER TABLE tblleads ADD COLUMN shoe_size INT NULL", "ALTER TABLE tblleads DROP COLUMN shoe_size")
    before = await app.get("leads/1?fields=shoe_size")
    whole = await app.json("leads/1")

    assert (await reload(app)).json() == {"status": "reloaded"}

    assert before.status_code == 400
    assert "shoe_size" not in whole["data"]
    assert (await app.json("leads/1"))["data"]["shoe_size"] is None
    changed = await app.client.patch("/api/v1/leads/1", json={"shoe_size": 43})
    assert changed.json()["data"]["shoe_size"] == 43
    assert (await app.json("leads?filter[shoe_size]=43"))["meta"]["total"] == 1


async def test_a_column_dropped_under_a_request_costs_a_reload_and_one_retry(app: App, tables: Tables) -> None:
    """Lists, rows and writes that do not name it go on; whoever names it learns that it does not exist."""
    add = "ALTER TABLE tblleads ADD COLUMN gone INT NULL DEFAULT 5"
    for path, status in (
        ("leads/1", 200),
        ("leads?per_page=2", 200),
        ("leads/1?fields=id,gone", 400),
        ("leads?filter[gone]=5", 400),
        ("leads?sort=gone", 400),
    ):
        tables.run(add)
        await reload(app)
        assert (await app.get(path)).status_code == 200
        app.events.clear()
        tables.run("ALTER TABLE tblleads DROP COLUMN gone")

        answer = await app.get(path)

        assert answer.status_code == status, (path, answer.text)
        assert "gone" not in answer.text or status == 400
        assert len([event for event in app.events if isinstance(event, CatalogLoaded)]) == 1
        if status == 400:
            assert answer.json()["code"] == "field_unknown"


async def test_a_write_meets_a_dropped_column_the_same_way(app: App, tables: Tables) -> None:
    """It is done once, or refused with the field's name, and never half."""
    tables.run("ALTER TABLE tblleads ADD COLUMN gone INT NULL DEFAULT 5")
    await reload(app)
    tables.run("ALTER TABLE tblleads DROP COLUMN gone")
    made = await app.client.post("/api/v1/leads", json={"name": "Once only"})
    found = await app.json("leads?filter[name]=Once only")
    await app.client.delete(f"/api/v1/leads/{made.json()['data']['id']}")

    tables.run("ALTER TABLE tblleads ADD COLUMN gone INT NULL DEFAULT 5")
    await reload(app)
    tables.run("ALTER TABLE tblleads DROP COLUMN gone")
    refused = await app.client.patch("/api/v1/leads/1", json={"gone": 6})

    assert made.status_code == 201, made.text
    assert found["meta"]["total"] == 1
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "unknown"


async def test_many_requests_that_meet_a_dropped_column_share_the_reload(app: App, tables: Tables) -> None:
    """All succeed, and the catalog is not loaded once for each of them."""
    tables.run("ALTER TABLE tblleads ADD COLUMN gone INT NULL")
    await reload(app)
    async with busy(app, "leads/1", "leads?per_page=2", "leads/2?fields=*") as seen:
        await asyncio.sleep(0)
        app.events.clear()
        await asyncio.to_thread(tables.run, "ALTER TABLE tblleads DROP COLUMN gone")
        reached = len(seen) + 100

        async def went_on() -> bool:
            return len(seen) > reached

        await until(went_on)

    assert {status for _, status in seen} == {200}
    assert 1 <= len([event for event in app.events if isinstance(event, CatalogLoaded)]) <= 3


async def test_a_dropped_table_is_absent_with_whatever_needs_it(app: App, tables: Tables) -> None:
    """404 as if it had never been, no relationship leads there, and everything else is served."""
    tables.run("RENAME TABLE tblexpenses TO away", "RENAME TABLE away TO tblexpenses")

    answer = await app.get("expenses")

    assert (answer.status_code, answer.json()["code"]) == (404, "resource_unknown")
    assert "expenses" not in (await app.json("clients/1"))["links"]
    assert (await app.get("invoices/1")).status_code == 200
    assert (await app.client.get("/readyz")).json() == {"status": "ready"}
    tables.put_back()
    await reload(app)
    assert (await app.get("expenses")).status_code == 200


async def test_a_table_that_derived_fields_need_may_go(app: App, tables: Tables) -> None:
    """Without payments an invoice has no ``paid``; it is an invoice all the same."""
    tables.run("RENAME TABLE tblinvoicepaymentrecords TO away", "RENAME TABLE away TO tblinvoicepaymentrecords")

    answer = await app.get("invoices/1?fields=id,paid")

    assert answer.status_code == 400
    assert (await app.get("invoices/1")).status_code == 200
    assert (await app.get("payments")).status_code == 404


async def test_a_view_that_breaks_is_absent_and_no_reason_to_reload_for_ever(database: str, tables: Tables) -> None:
    """It answers as a table that has gone; asked for again and again, it costs one reload."""
    tables.run("CREATE TABLE base (id INT PRIMARY KEY, a INT)", "DROP TABLE base")
    tables.run("CREATE VIEW seen AS SELECT id, a FROM base", "DROP VIEW seen")
    whitelist = "version: 1\nprofile: none\ntables: {base: {}, seen: {key: id}}\n"
    async with served(database, whitelist=whitelist) as app:
        assert (await app.get("seen")).status_code == 200
        tables.run("ALTER TABLE base DROP COLUMN a")

        answers = [(await app.get("seen")).json()["code"] for _ in range(5)]

        assert set(answers) == {"resource_unknown"}
        assert len(reloads(app)) == 1
        assert (await app.get("base")).status_code == 200


async def test_columns_of_prices_in_other_currencies_come_and_go(app: App, tables: Tables) -> None:
    """Perfex adds ``rate_currency_N`` to the catalogue of goods when an item is first priced in one."""
    tables.run("ALTER TABLE tblitems ADD COLUMN rate_currency_77 DECIMAL(15,2) NULL")
    await reload(app)
    number = (await app.json("items?per_page=1"))["data"][0]["id"]
    priced = await app.client.patch(f"/api/v1/items/{number}", json={"rate_currency_77": "19.90"})
    shown = (await app.json(f"items/{number}"))["data"]
    tables.run("ALTER TABLE tblitems DROP COLUMN rate_currency_77")

    assert priced.status_code == 200, priced.text
    assert shown["rate_currency_77"] == 19.9
    assert "rate_currency_77" not in (await app.json(f"items/{number}"))["data"]


@pytest.mark.parametrize(
    "text", ["tables: [", "version: 2\n", "", "version: 1\nprofile: perfex\ntables: {invoices: {hidee: x}}\n"]
)
async def test_a_whitelist_broken_on_disk_keeps_the_catalog_and_is_told(app: App, whitelist: Path, text: str) -> None:
    """Requests go on; readiness, the log and the one who asked say that the reload failed."""
    whitelist.write_text(text, encoding="utf-8")

    answer = await reload(app)

    assert answer.status_code == 503
    assert "log" in answer.json()["detail"]
    assert (await app.get("invoices/1")).status_code == 200
    ready = await app.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "reload": "failed"})
    (kept,) = [event for event in app.events if isinstance(event, CatalogKept)]
    assert kept.detail
    whitelist.write_text(WHITELIST, encoding="utf-8")
    assert (await reload(app)).status_code == 200
    assert (await app.client.get("/readyz")).json() == {"status": "ready"}


async def test_a_vanished_whitelist_keeps_the_catalog_too(app: App, whitelist: Path) -> None:
    """Even the file may go."""
    whitelist.unlink()

    assert (await reload(app)).status_code == 503
    assert (await app.get("invoices/1")).status_code == 200


async def test_a_name_that_nothing_knows_is_left_out_on_a_reload(app: App, whitelist: Path) -> None:
    """The rest of the new whitelist is in force, and the log has the name."""
    whitelist.write_text(
        "version: 1\nprofile: perfex\n"
        "tables: {invoices: {hide: clientnote, search: [duedat]}, notes: {}, invoises: {}}\n",
        encoding="utf-8",
    )

    assert (await reload(app)).status_code == 200

    assert {row["resource"] for row in (await app.json(""))["data"]} == {"invoices", "notes"}
    assert "clientnote" not in (await app.json("invoices/1"))["data"]
    said = " ".join(event.problem for event in app.events if isinstance(event, NameLeftOut))
    assert "invoises" in said
    assert "duedat" in said


async def test_a_mistake_that_would_show_more_keeps_the_catalog(app: App, whitelist: Path) -> None:
    """A column to be hidden whose name is wrong would be seen: then nothing of the new whitelist is in force."""
    whitelist.write_text("version: 1\nprofile: perfex\ntables: {invoices: {hide: clientnot}}\n", encoding="utf-8")

    assert (await reload(app)).status_code == 503

    assert (await app.get("leads/1")).status_code == 200
    assert any('"clientnote"' in event.detail for event in app.events if isinstance(event, CatalogKept))


async def test_a_database_that_refuses_keeps_the_catalog(
    database: str, whitelist: Path, mariadb_server: Server
) -> None:
    """The account was closed: new connections are refused, the catalog and the connections there are stay."""
    name = database.rpartition("/")[2]
    user = f"'{name}'@'%'"
    mariadb_server.run(f"CREATE OR REPLACE USER {user} IDENTIFIED BY 'pw'", f"GRANT ALL ON `{name}`.* TO {user}")
    url = f"mysql://{name}:pw@{mariadb_server.host}:{mariadb_server.port}/{name}"
    async with served(url, whitelist=whitelist) as app:
        assert (await app.get("invoices/1")).status_code == 200
        mariadb_server.run(f"SET PASSWORD FOR {user} = PASSWORD('other')")
        try:
            refused = await reload(app)
            still = await app.get("invoices/1")
            ready = await app.client.get("/readyz")
        finally:
            mariadb_server.run(f"DROP USER {user}")

    assert refused.status_code == 503
    assert still.status_code == 200
    assert ready.json()["reload"] == "failed"
    assert any("refuses the user" in event.detail for event in app.events if isinstance(event, CatalogKept))


async def test_changed_tables_are_found_without_being_told(database: str, whitelist: Path, tables: Tables) -> None:
    """The fingerprint is compared from time to time; what has not changed is not loaded again."""
    async with served(database, whitelist=whitelist, reload_every_s=0.1) as app:
        assert "found" not in (await app.json("leads/1"))["data"]
        assert reloads(app) == []
        tables.run("ALTER TABLE tblleads ADD COLUMN found INT NULL", "ALTER TABLE tblleads DROP COLUMN found")

        async def is_there() -> bool:
            return "found" in (await app.json("leads/1"))["data"]

        await until(is_there)
        assert reloads(app) == ["changed tables"]


async def test_the_zone_of_the_crm_is_followed(database: str, whitelist: Path, tables: Tables) -> None:
    """A changed option shows the same wall clock with another offset."""
    before = "UPDATE tbloptions SET value = 'Asia/Dubai' WHERE name = 'default_timezone'"
    async with served(database, whitelist=whitelist, reload_every_s=0.1) as app:
        first = (await app.json("leads/1"))["data"]["dateadded"]
        tables.run("UPDATE tbloptions SET value = 'America/New_York' WHERE name = 'default_timezone'", before)

        async def has_changed() -> bool:
            return bool((await app.json("leads/1"))["data"]["dateadded"] != first)

        await until(has_changed)
        second = (await app.json("leads/1"))["data"]["dateadded"]

    assert first.endswith("+04:00")
    assert second[:19] == first[:19]


async def test_a_reload_that_failed_is_tried_again(database: str, whitelist: Path) -> None:
    """Once its cause is gone, nobody has to ask, and readiness is clean again."""
    async with served(database, whitelist=whitelist, reload_every_s=0.1) as app:
        whitelist.write_text("tables: [", encoding="utf-8")
        assert (await reload(app)).status_code == 503
        whitelist.write_text("version: 1\nprofile: perfex\ntables: [notes]\n", encoding="utf-8")

        async def is_mended() -> bool:
            return bool((await app.client.get("/readyz")).json() == {"status": "ready"})

        await until(is_mended)
        assert (await app.get("notes")).status_code == 200


async def test_another_workers_reload_is_followed(app: App, tables: Tables) -> None:
    """A new generation in the store is enough, and it takes no more than about a second."""
    tables.run("ALTER TABLE tblleads ADD COLUMN told INT NULL", "ALTER TABLE tblleads DROP COLUMN told")
    began = time.monotonic()
    with StateStore.open(app.parts.settings.state_path) as state:
        state.generation.bump()

    async def is_there() -> bool:
        return "told" in (await app.json("leads/1"))["data"]

    await until(is_there)
    assert time.monotonic() - began < 2


# Several processes


async def fresh(server: RunningServer) -> set[bool]:
    """Whether the workers that answer twelve new connections show the column ``spread``."""

    async def ask() -> bool:
        async with server.client() as client:
            answer = await client.get("/api/v1/leads/1")
            assert answer.status_code == 200, answer.text
            return "spread" in answer.json()["data"]

    return set(await asyncio.gather(*(ask() for _ in range(12))))


@pytest.mark.parametrize(("workers", "how"), [(1, "SIGHUP"), (2, "SIGHUP"), (2, "admin"), (2, "store")])
async def test_every_worker_follows_within_about_a_second(
    database: str, whitelist: Path, tables: Tables, workers: int, how: str
) -> None:
    """Whether by signal, by the administrator's request to one of them, or by the command line."""
    with RunningServer.started(database, whitelist=whitelist, workers=workers) as server:

        async def answers() -> bool:
            async with server.client() as client:
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

        await until(answers)
        assert await fresh(server) == {False}
        tables.run("ALTER TABLE tblleads ADD COLUMN spread INT NULL", "ALTER TABLE tblleads DROP COLUMN spread")
        began = time.monotonic()
        if how == "SIGHUP":
            server.hang_up()
        elif how == "admin":
            async with server.client() as client:
                assert (await client.post("/admin/reload")).status_code == 200
        else:
            with StateStore.open(str(server.directory / "state.sqlite3")) as state:
                state.generation.bump()

        async def have_all() -> bool:
            return await fresh(server) == {True}

        await until(have_all)
        took_s = time.monotonic() - began

    assert took_s < 3  # half a second to notice, the load itself, and the asking of this test
