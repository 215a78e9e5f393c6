"""Any question of the query language is answered as a plain Python model of the same rows answers it.

Lists with trees of conditions through every kind of relationship, embeds inside embeds, sorts through to-ones, groups
with their metrics, pages and cursors: on MariaDB and on SQLite, by URL and as the body of a query. And under row
filters the answer is that of a database which holds only the rows that the caller may see.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.query.access import Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from tests.support import query_custom
from tests.support.app import App, served
from tests.support.handed import client_with
from tests.support.mariadb import Server
from tests.support.query_model import Asked, AskedGroups, Cut, World, alike
from tests.support.query_questions import Allowed, Spelling, accesses, body, groups, lists, nodes, parameters
from tests.support.query_world import FEW, KEYS, NONE, WHITELIST, fill_mariadb, fill_sqlite, made_world

MODULE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@dataclass(frozen=True, slots=True)
class Stage:
    """A world, and the application on a database that holds it."""

    world: World
    app: App


class Stages:
    """Every world with its application; a class of its own, so that a failure does not print them all."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    def add(self, name: str, world: World, app: App) -> None:
        self._stages[name] = Stage(world, app)

    def __getitem__(self, name: str) -> Stage:
        return self._stages[name]


WORLDS = {
    "mariadb": made_world(1),
    "mariadb other": made_world(2),
    "mariadb few": made_world(3, FEW),
    "mariadb none": made_world(4, NONE),
    "sqlite": made_world(5, has_zero_dates=False),
}
CUSTOM = query_custom.made()
spellings: st.SearchStrategy[Spelling] = st.sampled_from(("url", "url", "body"))
stages_of_chance = st.sampled_from(["mariadb", "mariadb", "mariadb other", "mariadb few", "mariadb none", "sqlite"])


@pytest.fixture(scope="module")
async def stages(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stages]:
    """Every world with its application."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    async with AsyncExitStack() as stack:
        found = Stages()
        for number, (name, world) in enumerate(WORLDS.items()):
            if name == "sqlite":
                path = tmp_path_factory.mktemp("query") / "world.sqlite3"
                fill_sqlite(path, world)
                url = f"sqlite:///{path}"
            else:
                database = f"gateway_query_{number}_{worker}"
                url = mariadb_server.create_database(database)
                stack.callback(mariadb_server.drop_database, database)
                fill_mariadb(mariadb_server, database, world, has_indexes=name != "mariadb")
            app = await stack.enter_async_context(served(url, whitelist=WHITELIST, timezone="Europe/Berlin"))
            found.add(name, world, app)
        crm = mariadb_server.create_database(f"gateway_query_crm_{worker}")
        stack.callback(mariadb_server.drop_database, f"gateway_query_crm_{worker}")
        query_custom.fill(mariadb_server, crm, *CUSTOM)
        app = await stack.enter_async_context(served(crm, whitelist=query_custom.WHITELIST))
        found.add("perfex", CUSTOM[0], app)
        yield found


async def answered(
    client: httpx2.AsyncClient, asked: Asked | AskedGroups, spelling: Spelling, *, labels: bool = False
) -> dict[str, Any]:
    """Return the body of the answer to a question; decimals keep their digits."""
    path = f"/api/v1/{asked.table}"
    if spelling == "url" or asked.page > 1:  # bodies are paged by cursors
        given = parameters(asked) | ({"labels": "true"} if labels else {})
        note(f"GET {path} {given}")
        answer = await client.get(path, params=given)
    else:
        sent = {name: value for name, value in body(asked).items() if name != "page"} | {"labels": labels}
        note(f"POST {path}/query {json.dumps(sent)}")
        answer = await client.post(f"{path}/query", json=sent)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return found


def cuts_of(reply: dict[str, Any]) -> set[Cut]:
    """Return what a reply says was cut."""
    return {Cut(item["pointer"], item["limit"]) for item in reply["meta"].get("truncated", ())}


async def assert_list(client: httpx2.AsyncClient, world: World, asked: Asked, spelling: Spelling) -> None:
    """Hold the answer to a list to the model's: rows, order, embeds, what is cut, and the total."""
    reply = await answered(client, asked, spelling)

    rows, cuts = world.page(asked)
    assert reply["data"] == rows
    assert cuts_of(reply) == set(cuts)
    assert reply["meta"]["total"] == len(world.listed(asked))


async def assert_groups(client: httpx2.AsyncClient, world: World, asked: AskedGroups, spelling: Spelling) -> None:
    """Hold the answer to groups to the model's: groups, order, metrics to the digit, embeds, and the total."""
    reply = await answered(client, asked, spelling)

    rows, cuts = world.groups_page(asked)
    assert alike(reply["data"], rows), (reply["data"], rows)
    assert cuts_of(reply) == set(cuts)
    assert reply["meta"]["total"] == len(world.grouped(asked))


@settings(max_examples=250, suppress_health_check=MODULE)
@given(asked=lists(), name=stages_of_chance, spelling=spellings)
async def test_any_list_is_what_the_model_says(stages: Stages, asked: Asked, name: str, spelling: Spelling) -> None:
    """Conditions, sorts and embeds through every relationship; no row is doubled, none is lost."""
    await assert_list(stages[name].app.client, stages[name].world, asked, spelling)


@settings(max_examples=1500, suppress_health_check=MODULE)
@given(asked=groups(), name=stages_of_chance, spelling=spellings)
async def test_any_groups_are_what_the_model_says(
    stages: Stages, asked: AskedGroups, name: str, spelling: Spelling
) -> None:
    """Fields, periods and related rows; every metric; rows without the related one form one group with null."""
    await assert_groups(stages[name].app.client, stages[name].world, asked, spelling)


@settings(max_examples=60, suppress_health_check=MODULE)
@given(asked=lists(), name=stages_of_chance)
async def test_any_list_can_be_walked_by_cursors(stages: Stages, asked: Asked, name: str) -> None:
    """Every row of the list once, in the order of the list, whatever its sort keys are."""
    stage, sent = stages[name], parameters(replace(asked, includes=(), fields=None))
    path, walked = f"/api/v1/{asked.table}", []
    sent = {key: value for key, value in sent.items() if key != "page"} | {"cursor": "", "count": "none"}
    while True:
        answer = await stage.app.client.get(path, params=sent)
        assert answer.status_code == 200, answer.text
        reply = json.loads(answer.text, parse_float=Decimal)
        walked += reply["data"]
        assert len(walked) <= 200
        cursor = reply["meta"]["next_cursor"]
        assert (reply["links"]["next"] is None) == (cursor is None)
        if cursor is None:
            break
        sent["cursor"] = cursor

    world = stage.world
    table = tuple(world.tables[asked.table].fields)
    assert walked == [world.tables[asked.table].shown(row, table) for row in world.listed(asked)]


@settings(max_examples=60, suppress_health_check=MODULE)
@given(asked=lists(), name=stages_of_chance)
async def test_what_was_cut_can_be_read_on(stages: Stages, asked: Asked, name: str) -> None:
    """The ``next`` of a cut embed leads to the rest of its rows: same fields, order and embeds."""
    stage = stages[name]
    reply = await answered(stage.app.client, asked, "url")

    for cut in reply["meta"].get("truncated", ())[:3]:
        path = cut["pointer"].split("/")[1:]
        found: Any = reply
        for step in path:
            found = found[int(step)] if isinstance(found, list) else found[step]
        rest: list[Any] = []
        link = cut["next"]
        while link is not None:
            note(link)
            answer = await stage.app.client.get(link)
            assert answer.status_code == 200, answer.text
            page = json.loads(answer.text, parse_float=Decimal)
            rest += page["data"]
            link = page["links"]["next"]
        assert rest
        assert [*found, *rest] == whole(stage.world, asked, path)


def whole(world: World, asked: Asked, path: list[str]) -> Any:
    """Return the embed at a place as it would be without its limit."""

    def unlimited(asked: Any, names: list[str]) -> Any:
        includes = tuple(
            replace(item, limit=10_000 if len(names) == 1 else item.limit, includes=unlimited(item, names[1:]).includes)
            if names and item.name == names[0]
            else item
            for item in asked.includes
        )
        return replace(asked, includes=includes)

    names = [step for step in path[1:] if not step.isdigit()]
    found: Any = {"data": world.page(unlimited(asked, names))[0]}
    for step in path:
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


@settings(max_examples=60, suppress_health_check=MODULE)
@given(asked=lists(), name=stages_of_chance)
async def test_a_list_costs_one_statement_per_node(stages: Stages, asked: Asked, name: str) -> None:
    """One for the rows, one for a count that is due, and at most one for each relationship that is included."""
    stage = stages[name]
    stage.app.statements()

    await answered(stage.app.client, asked, "url")

    assert len(stage.app.statements()) <= 2 + nodes(asked.includes)


# Custom fields and labels


STATUS_WORDS = {1: "Unpaid", 2: "Paid", 3: "Partially paid"}


def labelled(shown: Any) -> Any:
    """Return rows with the words that ``labels=true`` adds beside the codes of invoices."""
    if isinstance(shown, list):
        return [labelled(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    found = {name: labelled(value) for name, value in shown.items()}
    return found | {"status_label": STATUS_WORDS[found["status"]]} if "status" in found else found


@settings(max_examples=100, suppress_health_check=MODULE)
@given(asked=lists(CUSTOM[0]), spelling=spellings, has_labels=st.booleans())
async def test_any_list_with_custom_fields_and_labels_is_what_the_model_says(
    stages: Stages, asked: Asked, spelling: Spelling, has_labels: bool
) -> None:
    """Chosen, filtered and sorted like columns, on the row, its client and its invoices; what is no value is null."""
    reply = await answered(stages["perfex"].app.client, asked, spelling, labels=has_labels)

    rows, cuts = CUSTOM[0].page(asked)
    assert reply["data"] == (labelled(rows) if has_labels else rows)
    assert cuts_of(reply) == set(cuts)
    assert reply["meta"]["total"] == len(CUSTOM[0].listed(asked))


@settings(max_examples=80, suppress_health_check=MODULE)
@given(asked=groups(CUSTOM[0]), spelling=spellings, has_labels=st.booleans())
async def test_any_groups_with_custom_fields_and_labels_are_what_the_model_says(
    stages: Stages, asked: AskedGroups, spelling: Spelling, has_labels: bool
) -> None:
    """Grouped by and measured like columns."""
    reply = await answered(stages["perfex"].app.client, asked, spelling, labels=has_labels)

    rows, _ = CUSTOM[0].groups_page(asked)
    assert alike(reply["data"], labelled(rows) if has_labels else rows), (reply["data"], rows)
    assert reply["meta"]["total"] == len(CUSTOM[0].grouped(asked))


# Row filters


def narrowed_client(app: App, allowed: Allowed) -> httpx2.AsyncClient:
    """Return a client whose access holds row filters."""
    read: frozenset[Operation] = frozenset({"read"})
    grants = {"*": Grant(read)} | {
        table: Grant(
            read, row_filter=(ConditionIntent((*leaf.path, leaf.field, leaf.operator), leaf.operand, "row filter"),)
        )
        for table, leaf in allowed.rows.items()
    }
    return client_with(app, Access("narrowed", grants))


@settings(max_examples=700, suppress_health_check=MODULE)
@given(asked=lists(), allowed=accesses(), name=stages_of_chance, spelling=spellings)
async def test_a_list_under_row_filters_is_that_of_the_rows_allowed(
    stages: Stages, asked: Asked, allowed: Allowed, name: str, spelling: Spelling
) -> None:
    """Rows outside are not shown, counted, sorted by, matched or embedded, from wherever they are reached."""
    stage = stages[name]
    note(str(allowed))
    async with narrowed_client(stage.app, allowed) as client:
        await assert_list(client, stage.world.narrowed(allowed.rows), asked, spelling)


@settings(max_examples=700, suppress_health_check=MODULE)
@given(asked=groups(), allowed=accesses(), name=stages_of_chance, spelling=spellings)
async def test_groups_under_row_filters_are_those_of_the_rows_allowed(
    stages: Stages, asked: AskedGroups, allowed: Allowed, name: str, spelling: Spelling
) -> None:
    """A related row outside is as if it were not there: its group is that of null, its values add nothing."""
    stage = stages[name]
    note(str(allowed))
    async with narrowed_client(stage.app, allowed) as client:
        await assert_groups(client, stage.world.narrowed(allowed.rows), asked, spelling)


@settings(max_examples=40, suppress_health_check=MODULE)
@given(name=stages_of_chance, allowed=accesses(), table=st.sampled_from(sorted(KEYS)), at=st.integers(0, 40))
async def test_one_row_and_its_relationships_obey_row_filters(
    stages: Stages, name: str, allowed: Allowed, table: str, at: int
) -> None:
    """A row outside is 404, through whatever path it is asked for; its children are only those allowed."""
    stage = stages[name]
    rows = stage.world.tables[table].rows
    if not rows:
        return
    row = rows[at % len(rows)]
    narrow = stage.world.narrowed(allowed.rows)
    is_seen = any(found is row for found in narrow.tables[table].rows)
    path = f"/api/v1/{table}/{','.join(str(part) for part in stage.world.key(table, row))}"
    async with narrowed_client(stage.app, allowed) as client:
        answer = await client.get(path)
        assert answer.status_code == (200 if is_seen else 404), answer.text
        for (source, edge_name), edge in stage.world.edges.items():
            if source != table:
                continue
            answer = await client.get(f"{path}/{edge_name}")
            related = narrow.related(table, row, edge_name) if is_seen else []
            if not is_seen or (not edge.is_to_many and not related):
                assert answer.status_code == 404, (edge_name, answer.text)
            elif edge.is_to_many:
                assert answer.json()["meta"]["total"] == len(related), (edge_name, answer.text)


def test_the_questions_are_not_all_alike() -> None:
    """What the properties ask has answers: each world but the empty one has rows behind every relationship."""
    for name in ("mariadb", "mariadb other", "sqlite"):
        world = WORLDS[name]
        for table, edge in world.edges:
            assert any(world.related(table, row, edge) for row in world.tables[table].rows), (name, table, edge)
