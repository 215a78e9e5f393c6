"""A question has one plan and one answer, asked as a GraphQL document or over REST: on MariaDB and on SQLite.

Lists and groups of chance, with aliases, fragments and variables; as a caller who may do everything, and as callers who
are limited to some rows and columns. What is not there for a caller is refused alike, wherever a document names it.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.catalog.model import Catalog
from gateway.query.access import Access, Grant
from sample_crm import build
from tests.support import query_custom
from tests.support.app import NOON, App, served
from tests.support.asking import ALL, READ, plan_any, query_request
from tests.support.graphql_plans import planned, vocabulary_of
from tests.support.graphql_questions import Document, Writer, rest_body, settled
from tests.support.handed import client_with
from tests.support.mariadb import Server
from tests.support.query_limits import Limits, limits, permits, told
from tests.support.query_model import Asked, AskedGroups
from tests.support.query_questions import groups, lists, nodes
from tests.support.query_world import WHITELIST, fill_mariadb, fill_sqlite, made_world

GRAPHQL = "/api/v1/graphql"
LIMITS = {"graphql_max_complexity": 1_000_000_000, "graphql_max_aliases": 1_000}
"""What questions of chance come to is far over what people ask."""

CHANCE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
CUSTOM = query_custom.made()
dices = st.integers(0, 2**32).map(random.Random)
databases = st.sampled_from(["mariadb", "mariadb", "sqlite"])


@dataclass(frozen=True, slots=True, repr=False)
class Stages:
    """The applications on worlds of chance, by the database that holds them."""

    apps: dict[str, App]

    def __getitem__(self, name: str) -> App:
        return self.apps[name]


@pytest.fixture(scope="module")
async def stages(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stages]:
    """A world on each kind of database, and customers with custom fields."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    path = tmp_path_factory.mktemp("graphql") / "world.sqlite3"
    world = mariadb_server.create_database(f"gateway_graphql_world_{worker}")
    custom = mariadb_server.create_database(f"gateway_graphql_custom_{worker}")
    fill_mariadb(mariadb_server, f"gateway_graphql_world_{worker}", made_world(21), has_indexes=True)
    fill_sqlite(path, made_world(22, has_zero_dates=False))
    query_custom.fill(mariadb_server, custom, *CUSTOM)
    async with AsyncExitStack() as stack:
        found = {}
        for name, url in {"mariadb": world, "sqlite": f"sqlite:///{path}"}.items():
            running = served(url, whitelist=WHITELIST, timezone="Europe/Berlin", **LIMITS)
            found[name] = await stack.enter_async_context(running)
        running = served(custom, whitelist=query_custom.WHITELIST, **LIMITS)
        found["custom"] = await stack.enter_async_context(running)
        yield Stages(found)
    for name in ("world", "custom"):
        mariadb_server.drop_database(f"gateway_graphql_{name}_{worker}")


def catalog_of(app: App) -> Catalog:
    """Return the catalog that an application serves."""
    return app.parts.keeper.service().catalog


async def asked_in_graphql(client: httpx2.AsyncClient, document: Document) -> dict[str, Any]:
    """Return the data of a document that meets no error."""
    reply = await client.post(GRAPHQL, json={"query": document.text, "variables": document.variables})
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert "errors" not in found, found
    data: dict[str, Any] = found["data"]
    return data


async def asked_in_rest(client: httpx2.AsyncClient, asked: Asked | AskedGroups) -> list[dict[str, Any]]:
    """Return the rows of the same question, which nobody counts."""
    reply = await client.post(f"/api/v1/{asked.table}/query", json=rest_body(asked) | {"count": "none"})
    assert reply.status_code == 200, reply.text
    rows: list[dict[str, Any]] = reply.json()["data"]
    return rows


def texts(value: Any) -> Any:
    """Return an answer with its numbers as text: REST writes whole ones below 2**53 as numbers, BigInt is text."""
    match value:
        case bool() | None:
            return value
        case int():
            return str(value)
        case list():
            return [texts(item) for item in value]
        case dict():
            return {name: texts(item) for name, item in value.items()}
        case _:
            return value


def written(writer: Writer, asked: Asked | AskedGroups) -> Document:
    """Return a settled question as a document."""
    document = writer.grouped(asked) if isinstance(asked, AskedGroups) else writer.listed(asked)
    note(f"{document.text}\n{document.variables}")
    return document


async def assert_agreement(
    app: App, client: httpx2.AsyncClient, access: Access, asked: Asked | AskedGroups, dice: random.Random
) -> None:
    """Hold the plan, the statements and the rows of a document to those of the same question over REST."""
    catalog = catalog_of(app)
    writer = Writer(vocabulary_of(catalog, access), dice)
    asked = settled(asked, writer)
    document = written(writer, asked)
    due = plan_any(catalog, query_request(catalog, asked.table, rest_body(asked)).intent, access)

    assert planned(catalog, document.text, document.variables, access) == due

    rows = await asked_in_rest(client, asked)
    statements = [text for text, _ in app.statements()]
    data = await asked_in_graphql(client, document)
    assert [text for text, _ in app.statements()] == statements
    assert len(statements) <= 1 + nodes(asked.includes) + len(asked.groups if isinstance(asked, AskedGroups) else ())
    given = {document.field.rest: rows} if isinstance(asked, Asked) else {document.field.rest: {"data": rows}}
    assert texts(data[document.field.key]) == texts(document.field.of(given))
