"""A token is answered from the world of its own rows and columns, whatever it asks: held to a model in plain Python.

Grants on some tables, lists of columns, row filters through relationships, all of chance; lists and groups of chance,
by URL and by body, on MariaDB and on SQLite.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.support.app import App, served
from tests.support.handed import client_with
from tests.support.mariadb import Server
from tests.support.query_limits import Limits, limits, permits, told
from tests.support.query_model import Asked, AskedGroups, Cut, World, alike
from tests.support.query_questions import body, groups, lists, parameters
from tests.support.query_world import WHITELIST, fill_mariadb, fill_sqlite, made_world

CHANCE = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
REFUSALS = {"field_unknown", "include_unknown", "grant_missing", "group_invalid", "metric_invalid"}


@dataclass(frozen=True, slots=True, repr=False)
class Stage:
    """A world, and the application on a database that holds it."""

    world: World
    app: App


@pytest.fixture(scope="module")
async def stages(
    mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, Stage]]:
    """A world on each kind of database."""
    name = f"gateway_access_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path = tmp_path_factory.mktemp("access") / "world.sqlite3"
    worlds = {"mariadb": made_world(11), "sqlite": made_world(12, has_zero_dates=False)}
    urls = {"mariadb": mariadb_server.create_database(name), "sqlite": f"sqlite:///{path}"}
    fill_mariadb(mariadb_server, name, worlds["mariadb"], has_indexes=True)
    fill_sqlite(path, worlds["sqlite"])
    async with AsyncExitStack() as stack:
        found = {}
        for kind, url in urls.items():
            app = await stack.enter_async_context(served(url, whitelist=WHITELIST, timezone="Europe/Berlin"))
            found[kind] = Stage(worlds[kind], app)
        yield found
    mariadb_server.drop_database(name)


async def answer_to(client: httpx2.AsyncClient, asked: Asked | AskedGroups, *, by_body: bool) -> httpx2.Response:
    """Send a question; bodies are paged by cursors, so that later pages are asked for by URL."""
    path = f"/api/v1/{asked.table}"
    if by_body and asked.page == 1:
        sent = {name: value for name, value in body(asked).items() if name != "page"}
        note(f"POST {path}/query {json.dumps(sent)}")
        return await client.post(f"{path}/query", json=sent)
    note(f"GET {path} {parameters(asked)}")
    return await client.get(path, params=parameters(asked))


def assert_refused(answer: httpx2.Response, asked: Asked | AskedGroups) -> None:
    """Hold a refusal to what refusals are: a name that is not there, or a grant that is missing."""
    known = REFUSALS | ({"parameter_invalid"} if isinstance(asked, Asked) and asked.search is not None else set())
    assert answer.status_code in (400, 403), answer.text
    assert answer.json()["code"] in known, answer.text
    assert "data" not in answer.json()


def reply_of(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return found


async def allowed_reply(
    stage: Stage, asked: Asked | AskedGroups, limited: Limits, *, by_body: bool
) -> dict[str, Any] | None:
    """Return the body of the answer to who may ask, None where it was refused as it must be."""
    note(str(limited))
    async with client_with(stage.app, limited.access()) as client:
        answer = await answer_to(client, asked, by_body=by_body)
    if not permits(limited, asked):
        assert_refused(answer, asked)
        return None
    return reply_of(answer)


@CHANCE
@given(asked=lists(), limited=limits(), name=st.sampled_from(["mariadb", "sqlite"]), by_body=st.booleans())
async def test_a_list_is_that_of_the_rows_and_columns_allowed(
    stages: Mapping[str, Stage], asked: Asked, limited: Limits, name: str, by_body: bool
) -> None:
    """Or refused, where it names anything else; rows, order, embeds, what is cut, and the total."""
    reply = await allowed_reply(stages[name], asked, limited, by_body=by_body)
    if reply is None:
        return
    world, meant = limited.world(stages[name].world), told(limited, asked)
    assert isinstance(meant, Asked)
    rows, cuts = world.page(meant)
    assert reply["data"] == rows
    assert {Cut(item["pointer"], item["limit"]) for item in reply["meta"].get("truncated", ())} == set(cuts)
    assert reply["meta"]["total"] == len(world.listed(meant))


@CHANCE
@given(asked=groups(), limited=limits(), name=st.sampled_from(["mariadb", "sqlite"]), by_body=st.booleans())
async def test_groups_are_those_of_the_rows_and_columns_allowed(
    stages: Mapping[str, Stage], asked: AskedGroups, limited: Limits, name: str, by_body: bool
) -> None:
    """Or refused; groups, order, metrics to the digit, embeds, and the total."""
    reply = await allowed_reply(stages[name], asked, limited, by_body=by_body)
    if reply is None:
        return
    world, meant = limited.world(stages[name].world), told(limited, asked)
    assert isinstance(meant, AskedGroups)
    rows, _ = world.groups_page(meant)
    assert alike(reply["data"], rows), (reply["data"], rows)
    assert reply["meta"]["total"] == len(world.grouped(meant))


def test_the_questions_of_chance_are_permitted_and_refused() -> None:
    """Often enough, by callers limited in rows or columns, and with related rows."""
    seen: Counter[bool] = Counter()

    @settings(CHANCE, max_examples=300, derandomize=True, database=None)
    @given(asked=lists(), limited=limits())
    def look(asked: Asked, limited: Limits) -> None:
        if asked.table in limited.rows.keys() | limited.columns.keys() and (asked.includes or asked.where):
            seen[permits(limited, asked)] += 1

    look()
    assert min(seen[True], seen[False]) >= 20, seen
