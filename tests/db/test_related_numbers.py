"""Numbers over the to-many rows of each row: what a plain model says, and what SQL written by hand says.

Counts, sums, averages, least and greatest values of the children of a whole page come by one statement, wherever in
the question they stand: at the root, in rows that come along, in the rows that groups are keyed by.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.catalog.kinds import ValueFormat
from gateway.errors import GatewayError, RequestError
from gateway.query.access import Access, Grant, Operation
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.intent import AggregateIntent, ConditionIntent, EmbedIntent, FilterIntent, ReadIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.web.service import Service
from sample_crm import build
from tests.support.app import App, served
from tests.support.asking import ALL, read_request
from tests.support.mariadb import Server
from tests.support.query_model import All, Asked, AskedGroups, Condition, Include, Numbers, World, alike
from tests.support.query_questions import (
    Allowed,
    accesses,
    groups_with_numbers,
    lists_with_numbers,
    nodes,
    parameters,
    where,
)
from tests.support.query_world import FEW, NONE, WHITELIST, fill_mariadb, fill_sqlite, made_world

MODULE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
READ: frozenset[Operation] = frozenset({"read"})
TEXT = ValueFormat(are_decimals_text=True, are_bigints_text=True)


@dataclass(frozen=True, slots=True, repr=False)
class Stage:
    """A world, and the application on a database that holds it."""

    world: World
    app: App

    @property
    def service(self) -> Service:
        return self.app.parts.keeper.service()


WORLDS = {
    "mariadb": made_world(11),
    "mariadb indexed": made_world(12),
    "mariadb few": made_world(13, FEW),
    "mariadb none": made_world(14, NONE),
    "sqlite": made_world(15, has_zero_dates=False),
}
stages_of_chance = st.sampled_from(["mariadb", "mariadb", "mariadb indexed", "mariadb few", "mariadb none", "sqlite"])


class Stages(dict[str, Stage]):
    """Every world with its application; a class of its own, so that a failure does not print them all."""

    def __repr__(self) -> str:
        return f"the stages {', '.join(self)}"


@pytest.fixture(scope="module")
async def stages(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stages]:
    """Every world with its application."""
    worker, found = os.environ.get("PYTEST_XDIST_WORKER", "main"), Stages()
    async with AsyncExitStack() as stack:
        for number, (name, world) in enumerate(WORLDS.items()):
            if name == "sqlite":
                path = tmp_path_factory.mktemp("numbers") / "world.sqlite3"
                fill_sqlite(path, world)
                url = f"sqlite:///{path}"
            else:
                database = f"gateway_numbers_{number}_{worker}"
                url = mariadb_server.create_database(database)
                stack.callback(mariadb_server.drop_database, database)
                fill_mariadb(mariadb_server, database, world, has_indexes=name == "mariadb indexed")
            app = await stack.enter_async_context(served(url, whitelist=WHITELIST, timezone="Europe/Berlin"))
            found[name] = Stage(world, app)
        yield found


# Questions as intents


def intent_of(stage: Stage, asked: Asked | AskedGroups) -> ReadIntent | AggregateIntent:
    """Return the intent of a question: as its URL gives it, and the numbers, which have no URL, beside."""
    intent = read_request(stage.service.catalog, f"{asked.table}?{urlencode(parameters(asked))}").intent
    own = asked.numbers if isinstance(asked, Asked) else ()
    numbers = (*_numbers(stage, asked.table, own, ()), *_included(stage, asked.table, asked.includes, ()))
    return replace(intent, embeds=(*intent.embeds, *numbers))


def _included(stage: Stage, table: str, chosen: Sequence[Include], path: tuple[str, ...]) -> Iterator[EmbedIntent]:
    for item in chosen:
        words = tuple(item.name.split("."))
        target = stage.world.table_at(table, words)
        yield from _numbers(stage, target, item.numbers, (*path, *words))
        yield from _included(stage, target, item.includes, (*path, *words))


def _numbers(stage: Stage, table: str, chosen: Sequence[Numbers], path: tuple[str, ...]) -> Iterator[EmbedIntent]:
    for item in chosen:
        conditions = _conditions(stage, stage.world.edges[table, item.many].target, item.where)
        words = tuple(metric.word for metric in item.metrics)
        yield EmbedIntent((*path, item.name), conditions=conditions, relationship=item.many, metrics=words)


def _conditions(stage: Stage, table: str, conditions: Sequence[Condition]) -> tuple[FilterIntent, ...]:
    if not conditions:
        return ()
    tree = urlencode({"where": json.dumps(where(All(tuple(conditions))))})
    intent = read_request(stage.service.catalog, f"{table}?{tree}").intent
    assert isinstance(intent, ReadIntent)
    return intent.conditions


def planned_on(service: Service, intent: ReadIntent | AggregateIntent, access: Access) -> PlannedRead | PlannedGroups:
    """Return the plan of an intent for a caller."""
    context = service.context(access)
    return plan_groups(context, intent) if isinstance(intent, AggregateIntent) else plan_read(context, intent)


async def answered(service: Service, intent: ReadIntent | AggregateIntent, access: Access = ALL) -> Any:
    """Return the rows of a question as JSON has them; decimals keep their digits."""
    page = await service.reads.page(planned_on(service, intent, access), "none")
    return json.loads(orjson.dumps(page.rows), parse_float=Decimal)


def summaries(asked: Asked | Include) -> int:
    """Return how many numbers a question asks for."""
    return len(asked.numbers) + sum(map(summaries, asked.includes))


# Against the model


@settings(max_examples=250, suppress_health_check=MODULE)
@given(asked=lists_with_numbers(), name=stages_of_chance)
async def test_any_numbers_are_what_the_model_says(stages: Stages, asked: Asked, name: str) -> None:
    """At the root and in rows that come along, through every kind of relationship; no child counts twice."""
    stage = stages[name]
    note(str(asked))

    rows = await answered(stage.service, intent_of(stage, asked))

    expected, _ = stage.world.page(asked)
    assert alike(rows, expected), (rows, expected)


@settings(max_examples=100, suppress_health_check=MODULE)
@given(asked=groups_with_numbers(), name=stages_of_chance)
async def test_rows_that_groups_are_keyed_by_have_numbers(stages: Stages, asked: AskedGroups, name: str) -> None:
    """Beside the metrics of the group, which are over other rows."""
    stage = stages[name]
    note(str(asked))

    rows = await answered(stage.service, intent_of(stage, asked))

    expected, _ = stage.world.groups_page(asked)
    assert alike(rows, expected), (rows, expected)


@settings(max_examples=120, suppress_health_check=MODULE)
@given(asked=lists_with_numbers(), allowed=accesses(), name=stages_of_chance)
async def test_numbers_under_row_filters_are_over_the_rows_allowed(
    stages: Stages, asked: Asked, allowed: Allowed, name: str
) -> None:
    """A child outside is not counted, added up or compared, nor is what it leads to."""
    stage = stages[name]
    note(f"{asked} {allowed}")
    grants = {
        table: Grant(READ, row_filter=(ConditionIntent((*leaf.path, leaf.field, leaf.operator), leaf.operand, "row"),))
        for table, leaf in allowed.rows.items()
    }

    rows = await answered(stage.service, intent_of(stage, asked), Access("some", {"*": Grant(READ)} | grants))

    expected, _ = stage.world.narrowed(allowed.rows).page(asked)
    assert alike(rows, expected), (rows, expected)


@settings(max_examples=60, suppress_health_check=MODULE)
@given(asked=lists_with_numbers(), name=stages_of_chance)
async def test_numbers_cost_one_statement_each(stages: Stages, asked: Asked, name: str) -> None:
    """Whatever the number of rows: one for the rows, and at most one for each relationship and each numbers."""
    stage = stages[name]
    stage.app.statements()

    await answered(stage.service, intent_of(stage, asked))

    assert len(stage.app.statements()) <= 1 + nodes(asked.includes) + summaries(asked)


# Against SQL written by hand


@pytest.fixture(params=["mariadb", "sqlite"])
async def crm(request: pytest.FixtureRequest, mariadb_server: Server, tmp_path: Path) -> AsyncIterator[tuple[App, Any]]:
    """The sample CRM on each database, and a function that runs SQL there."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
        build(url, scale="tiny", today=date(2026, 7, 15))

        def run(text: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(tmp_path / "crm.sqlite3")) as connection, connection:
                return connection.execute(text).fetchall()

        async with served(url) as app:
            yield app, run
        return
    name = f"gateway_numbers_crm_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=date(2026, 7, 15))

    def run_there(text: str) -> list[tuple[Any, ...]]:
        with mariadb_server.connection(name) as connection, connection.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall())

    async with served(url) as app:
        yield app, run_there
    mariadb_server.drop_database(name)


def numbers(many: str, *metrics: str, conditions: tuple[FilterIntent, ...] = ()) -> EmbedIntent:
    """Return the intent of numbers over a to-many of the rows of a list."""
    return EmbedIntent(("numbers",), relationship=many, metrics=metrics, conditions=conditions)


async def asked_of(app: App, resource: str, *embeds: EmbedIntent, access: Access = ALL, size: int = 200) -> Any:
    """Return all rows of a resource with their keys and numbers."""
    intent = ReadIntent(resource, fields=(), needs_key=True, embeds=embeds, format=TEXT)
    intent = replace(intent, page=replace(intent.page, limit=size))
    return await answered(app.parts.keeper.service(), intent, access)


def cents(value: object) -> Decimal | None:
    """Return an amount of either database with two decimals."""
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.01"))


async def test_the_invoices_of_each_client_are_counted_and_added_up(crm: tuple[App, Any]) -> None:
    """Under a condition, with one statement for the clients and one for all their numbers."""
    app, run = crm
    paid = (ConditionIntent(("status",), "2", "filter.status"),)
    app.statements()

    rows = await asked_of(
        app, "clients", numbers("invoices", "count", "sum.total", "max.date", "avg.total", conditions=paid)
    )

    assert len(app.statements()) == 2
    due = run(
        "SELECT c.userid, COUNT(i.id), SUM(i.total), MAX(i.date) FROM tblclients c LEFT JOIN tblinvoices i "
        "ON i.clientid = c.userid AND i.status = 2 GROUP BY c.userid ORDER BY c.userid"
    )
    found = [
        (row["userid"], row["numbers"]["count"], cents(row["numbers"]["sum.total"]), row["numbers"]["max.date"])
        for row in rows
    ]
    assert found == [(key, count, cents(total), last and str(last)) for key, count, total, last in due]
    assert any(count > 1 for _, count, _, _ in found)
    assert any(count == 0 for _, count, _, _ in found)
    for row in rows:
        if row["numbers"]["count"]:
            mean = Decimal(row["numbers"]["sum.total"]) / row["numbers"]["count"]
            assert abs(Decimal(row["numbers"]["avg.total"]) - mean) < Decimal("0.00001")


async def test_sums_over_further_rows_are_measured_like_columns(crm: tuple[App, Any]) -> None:
    """What is owed of an invoice is a sum over its payments and credits; a condition on it chooses first."""
    app, run = crm
    owed = (ConditionIntent(("balance", "gt"), "0", "filter.balance_gt"),)

    rows = await asked_of(app, "clients", numbers("invoices", "sum.balance", "count", conditions=owed))

    balance = (
        "i.total - COALESCE((SELECT SUM(amount) FROM tblinvoicepaymentrecords WHERE invoiceid = i.id), 0)"
        " - COALESCE((SELECT SUM(amount) FROM tblcredits WHERE invoice_id = i.id), 0)"
    )
    due = run(
        f"SELECT clientid, SUM(balance), COUNT(*) FROM (SELECT i.clientid, ROUND({balance}, 2) AS balance "
        "FROM tblinvoices i) AS owed WHERE balance > 0 GROUP BY clientid"
    )
    found = [
        (row["userid"], cents(row["numbers"]["sum.balance"]), row["numbers"]["count"])
        for row in rows
        if row["numbers"]["count"]
    ]
    assert found == sorted((key, cents(total), count) for key, total, count in due)
    assert found


async def test_a_table_that_refers_to_itself_has_numbers_over_its_own_rows(crm: tuple[App, Any]) -> None:
    """The invoices that recur from an invoice."""
    app, run = crm
    run("UPDATE tblinvoices SET is_recurring_from = 1 WHERE id IN (3, 5, 8)")
    run("UPDATE tblinvoices SET is_recurring_from = 3 WHERE id = 4")

    rows = await asked_of(app, "invoices", numbers("recurrences", "count", "min.id"))

    counted = {row["id"]: row["numbers"] for row in rows if row["numbers"]["count"]}
    due = run(
        "SELECT is_recurring_from, COUNT(*), MIN(id) FROM tblinvoices WHERE is_recurring_from > 0 "
        "GROUP BY is_recurring_from"
    )
    assert counted == {key: {"count": count, "min.id": least} for key, count, least in due}
    assert counted[1] == {"count": 3, "min.id": 3}


async def test_references_kept_as_text_and_children_of_several_kinds_are_told_apart(crm: tuple[App, Any]) -> None:
    """Payments name their mode by digits or by the word of a gateway; lines belong to documents of a kind."""
    app, run = crm
    run("UPDATE tblinvoicepaymentrecords SET paymentmode = 'stripe' WHERE id = 1")

    modes = await asked_of(app, "payment_modes", numbers("payments", "count", "sum.amount"))
    lines = await asked_of(app, "invoices", numbers("items", "count"))

    due = run("SELECT paymentmode, COUNT(*), SUM(amount) FROM tblinvoicepaymentrecords GROUP BY paymentmode")
    by_mode = {str(mode): (count, cents(total)) for mode, count, total in due}
    for row in modes:
        found = (row["numbers"]["count"], cents(row["numbers"]["sum.amount"]))
        assert found == by_mode.get(str(row["id"]), (0, None))
    held = dict(run("SELECT rel_id, COUNT(*) FROM tblitemable WHERE rel_type = 'invoice' GROUP BY rel_id"))
    assert [row["numbers"]["count"] for row in lines] == [held.get(row["id"], 0) for row in lines]
    assert sum(row["numbers"]["count"] for row in modes) == sum(
        held_ for m, (held_, _) in by_mode.items() if m.isdigit()
    )


async def test_numbers_of_one_row_tell_of_several_currencies(crm: tuple[App, Any]) -> None:
    """A sum of money means nothing then; who chooses the currency, or asks for no money, is told nothing."""
    app, run = crm
    run("UPDATE tblinvoices SET clientid = 1, currency = 1 WHERE id IN (1, 2)")
    run("UPDATE tblinvoices SET clientid = 1, currency = 2 WHERE id = 3")
    chosen = (ConditionIntent(("currency",), "1", "filter.currency"),)
    service = app.parts.keeper.service()

    async def warned(embed: EmbedIntent, key: str) -> tuple[str, ...]:
        planned = plan_read(service.context(ALL), ReadIntent("clients", (key,), embeds=(embed,)))
        one = await service.reads.row(planned.plan, planned.values)
        listed = plan_read(service.context(ALL), ReadIntent("clients", embeds=(embed, replace(embed, path=("n",)))))
        page = await service.reads.page(listed, "none")
        assert page.warnings == one.warnings
        return one.warnings

    assert await warned(numbers("invoices", "sum.total"), "1") == ("mixed_currency",)
    assert await warned(numbers("invoices", "sum.total", conditions=chosen), "1") == ()
    assert await warned(numbers("invoices", "count", "max.date"), "1") == ()


async def test_a_document_asks_for_numbers_beside_rows(crm: tuple[App, Any]) -> None:
    """Of one relationship twice under aliases, and in the rows that come along: one statement each."""
    app, run = crm
    document = """{
      clients(limit: 5) {
        userid
        paid: invoices_aggregate(filter: {status: 2}) { n: count sum { total } }
        invoices_aggregate { count max { date } }
        contacts { id }
      }
    }"""
    app.statements()

    answer = await app.client.post("/api/v1/graphql", json={"query": document})

    assert answer.status_code == 200, answer.text
    assert len(app.statements()) == 4
    rows = answer.json()["data"]["clients"]
    due = run(
        "SELECT c.userid, COUNT(p.id), SUM(p.total) FROM tblclients c LEFT JOIN tblinvoices p "
        "ON p.clientid = c.userid AND p.status = 2 GROUP BY c.userid ORDER BY c.userid LIMIT 5"
    )
    found = [(row["userid"], row["paid"]["n"], cents(row["paid"]["sum"]["total"])) for row in rows]
    assert found == [(key, count, cents(total)) for key, count, total in due]
    whole = dict(run("SELECT clientid, COUNT(*) FROM tblinvoices GROUP BY clientid"))
    assert [row["invoices_aggregate"]["count"] for row in rows] == [whole.get(row["userid"], 0) for row in rows]


# Ties that only the database can tell


LANDS = """version: 1
profile: none
tables:
  land: {}
  town:
    relationships:
      land: {column: land_code, to: land.code, reverse: towns}
"""
SCHEMA = (
    "CREATE TABLE land (code VARCHAR(5) NOT NULL PRIMARY KEY, area INT NULL)",
    "CREATE TABLE town (id INT NOT NULL PRIMARY KEY, land_code VARCHAR(5) NULL, people INT NULL)",
    "INSERT INTO land VALUES ('AT', 1), ('DE', 2), ('FR', 3)",
    "INSERT INTO town VALUES (1, 'DE', 10), (2, 'de', 20), (3, 'Dé', 40), (4, 'AT', NULL), (5, 'XX', 5), (6, NULL, 6)",
)


@pytest.mark.parametrize("kind", ["mariadb", "sqlite"])
async def test_rows_tied_by_text_belong_to_whom_the_database_says(
    kind: str, mariadb_server: Server, tmp_path: Path
) -> None:
    """By the collation of the columns: the database joins the parents then."""
    oracle = (
        "SELECT land.code, COUNT(town.id), SUM(town.people) FROM land LEFT JOIN town ON land.code = town.land_code "
        "GROUP BY land.code ORDER BY land.code"
    )
    if kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "lands.sqlite3")) as connection, connection:
            for text in SCHEMA:
                connection.execute(text)
            due = connection.execute(oracle).fetchall()
        url = f"sqlite:///{tmp_path / 'lands.sqlite3'}"
    else:
        name = f"gateway_lands_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
        url = mariadb_server.create_database(name)
        with mariadb_server.connection(name) as server, server.cursor() as cursor:
            for text in SCHEMA:
                cursor.execute(text)
            cursor.execute(oracle)
            due = list(cursor.fetchall())
    async with served(url, whitelist=LANDS) as app:
        rows = await asked_of(app, "land", numbers("towns", "count", "sum.people"))

    found = [(row["code"], row["numbers"]["count"], row["numbers"]["sum.people"]) for row in rows]
    assert found == [(code, count, None if people is None else int(people)) for code, count, people in due]
    assert {row["code"]: row["numbers"]["count"] for row in rows}["DE"] == (3 if kind == "mariadb" else 1)


# What it may cost


async def test_numbers_that_no_index_serves_are_refused(mariadb_server: Server) -> None:
    """As rows that come along are, before the statement runs."""
    name = f"gateway_costly_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    with mariadb_server.connection(name) as server, server.cursor() as cursor:
        cursor.execute("CREATE TABLE firm (id INT NOT NULL PRIMARY KEY, parent_id INT NULL)")
        cursor.execute("INSERT INTO firm SELECT seq, seq DIV 2 FROM seq_1_to_5000")
        cursor.execute("ANALYZE TABLE firm")
    whitelist = "version: 1\nprofile: none\ntables:\n  firm:\n    relationships:\n      parent: "
    whitelist += "{column: parent_id, to: firm.id, reverse: children}\n"
    async with served(url, whitelist=whitelist, max_examined_rows=1_000) as app:
        with pytest.raises(RequestError) as caught:
            await asked_of(app, "firm", numbers("children", "count"), size=10)
    mariadb_server.drop_database(name)

    assert caught.value.code == "query_too_expensive"
    assert "numbers" in caught.value.detail


async def test_who_may_not_read_the_children_is_refused(crm: tuple[App, Any]) -> None:
    """The table, a column that is added up, one that ties the rows: as for rows that come along."""
    app, _ = crm
    clients = {"clients": Grant(READ)}

    async def code(embed: EmbedIntent, **grants: Grant) -> str:
        with pytest.raises(GatewayError) as caught:
            await asked_of(app, "clients", embed, access=Access("some", clients | grants))
        return caught.value.code

    some = Grant(READ, readable=frozenset({"id", "clientid", "total"}))
    untied = Grant(READ, readable=frozenset({"id", "total"}))
    assert await code(numbers("invoices", "count")) == "grant_missing"
    assert await code(numbers("invoices", "sum.subtotal"), invoices=some) == "field_unknown"
    assert await code(numbers("invoices", "sum.made_up"), invoices=some) == "field_unknown"
    assert await code(numbers("invoices", "count"), invoices=untied) == "include_unknown"
    access = Access("some", clients | {"invoices": some})
    assert await asked_of(app, "clients", numbers("invoices", "sum.total"), access=access)
