"""schemathesis asks the live application whatever its own schema allows, and what it does not: never an internal error.

Documents are made of the introspected schema by schemathesis, right ones and wrong ones, for every field of Query and
Mutation, and sent to the whole application on MariaDB. Each answer must be a GraphQL response as the schema and the
documentation promise it.

``GRAPHQL_EXAMPLES`` says how many documents of each kind are sent, where it should be more than a run of all tests
takes; hypothesis chooses them anew each time but in CI.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx2
import pytest
import schemathesis
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_introspection_query,
    get_named_type,
    parse,
)
from graphql.language import FieldNode, InlineFragmentNode, SelectionSetNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.graphql import nodes

from gateway.errors import REGISTRY
from gateway.observe import RequestFailed
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

EXAMPLES = int(os.environ.get("GRAPHQL_EXAMPLES") or 250)
AT_ONCE = 8
GRAPHQL = "/api/v1/graphql"
LARGEST_REPLY = 20_000_000

NEVER = frozenset({"internal", "schema_changed", "starting", "database_away", "request_timeout", "outcome_unknown"})
"""Codes of what goes wrong on our side: none has a reason to happen here."""

DIGITS = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,4})?", fullmatch=True)
WORDS = st.sampled_from(["@today", "@today-30d", "@month_start", "@now", "2026-02-29", "0000-00-00", "24:00:00", ""])
ODD = st.sampled_from(["\0", "' OR 1=1 -- ", "%_\\", "9" * 400, "1e400", "NaN", "é😀", "\u202e", "a,b,,c"])
DATES = st.dates().map(str) | WORDS
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "BigInt": st.integers().map(nodes.Int) | (DIGITS | ODD).map(nodes.String),
    "Decimal": (DIGITS | ODD).map(nodes.String) | st.integers().map(nodes.Int),
    "Date": (DATES | ODD).map(nodes.String),
    "DateTime": (st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | DATES | ODD).map(nodes.String),
    "Time": (st.times().map(str) | WORDS | ODD).map(nodes.String),
    "Base64": (st.binary(max_size=20).map(lambda data: data.hex()) | ODD).map(nodes.String),
    "JSON": st.integers().map(nodes.Int) | ODD.map(nodes.String) | st.just(nodes.Boolean(value=True)),
}


@pytest.fixture
async def app(mariadb_server: Server) -> AsyncIterator[App]:
    """The application on a CRM of this test's own, which may be written to."""
    name = f"gateway_schemathesis_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    free: dict[str, Any] = {"address_rate": "off", "refused_rate": "off", "rate_limit": "off", "count_deadline_ms": 250}
    async with served(url, staff_id=1, **free) as app:
        yield app
    mariadb_server.drop_database(name)


@pytest.fixture
async def schema(app: App) -> Any:
    """What schemathesis makes of the introspected schema."""
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    answer = await app.client.post(GRAPHQL, json={"query": get_introspection_query()})
    return schemathesis.graphql.from_dict(answer.json()["data"])


async def test_what_the_schema_allows_is_answered(
    app: App, schema: Any, record_property: Callable[[str, object], None]
) -> None:
    """Right documents are never refused as wrong ones, and what they select is there with the types of the schema."""
    codes = await fuzz(app, schema, GenerationMode.POSITIVE)

    record_property("codes", dict(codes))
    assert not {"graphql_syntax", "graphql_invalid", "variables_invalid", "operation_unknown"} & codes.keys()
    assert codes["data"] > EXAMPLES / 4  # many of them are answered with rows


async def test_what_the_schema_forbids_is_refused(
    app: App, schema: Any, record_property: Callable[[str, object], None]
) -> None:
    """Wrong types, arguments and fields are named by code and place, and nothing fails of them."""
    codes = await fuzz(app, schema, GenerationMode.NEGATIVE)

    record_property("codes", dict(codes))
    assert codes["graphql_invalid"] > EXAMPLES / 4
    assert codes["data"] == 0


async def fuzz(app: App, schema: Any, mode: GenerationMode) -> Counter[str]:
    """Return how often each code was answered, and ``data`` where there was no error, to what schemathesis made."""
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 300
    cases = st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy(generation_mode=mode))
    client_schema: GraphQLSchema = schema.client_schema
    loop = asyncio.get_running_loop()
    codes: Counter[str] = Counter()

    async def ask(texts: list[str]) -> None:
        for text, answer in zip(texts, await asyncio.gather(*(sent(app, text) for text in texts)), strict=True):
            try:
                codes.update(checked(client_schema, text, answer) or ("data",))
            except AssertionError as error:
                failed = [event.error for event in app.events if isinstance(event, RequestFailed)]
                raise AssertionError(f"{text}\n-> {answer.text[:2_000]}") from (failed[-1] if failed else error)

    @settings(max_examples=-(-EXAMPLES // AT_ONCE), deadline=None, suppress_health_check=list(HealthCheck))
    @given(chosen=st.lists(cases, min_size=AT_ONCE, max_size=AT_ONCE))
    def run(chosen: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(ask([case.body for case in chosen]), loop).result()

    await asyncio.to_thread(run)
    assert not [event for event in app.events if isinstance(event, RequestFailed)]
    return codes


async def sent(app: App, text: str) -> httpx2.Response:
    """Return the answer to a document."""
    return await app.client.post(GRAPHQL, json={"query": text}, headers={"Accept": "application/json"})


def checked(schema: GraphQLSchema, text: str, answer: httpx2.Response) -> tuple[str, ...]:
    """Return the codes of an answer's errors, having held it to what every answer promises."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert len(answer.content) < LARGEST_REPLY
    body = answer.json()
    assert body.keys() <= {"data", "errors", "extensions"}
    errors = body.get("errors", [])
    assert ("errors" in body) == bool(errors)
    for error in errors:
        assert error.keys() <= {"message", "locations", "path", "extensions"}
        assert len(error["message"]) > 10
        kind = REGISTRY[error["extensions"]["code"]]
        assert error["extensions"]["status"] in kind.statuses
        assert kind.code not in NEVER
        assert all(place["line"] > 0 and place["column"] > 0 for place in error.get("locations", ()))
    if body.get("data") is None:
        assert errors
    else:
        conforms(schema, text, body["data"], {tuple(error["path"]) for error in errors if "path" in error})
    return tuple(error["extensions"]["code"] for error in errors)


# Data, held to the schema


def conforms(schema: GraphQLSchema, text: str, data: Any, failed: set[tuple[object, ...]]) -> None:
    """See to it that data has what a document selects, in the types of the schema; ``failed`` places may be null."""
    (operation,) = (node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode))
    root = schema.get_root_type(operation.operation)
    assert root is not None
    _object(schema, root, [operation.selection_set], data, (), failed)


def _object(
    schema: GraphQLSchema,
    kind: GraphQLObjectType,
    selections: list[SelectionSetNode],
    data: Any,
    path: tuple[object, ...],
    failed: set[tuple[object, ...]],
) -> None:
    assert isinstance(data, dict), (path, data)
    fields: dict[str, list[FieldNode]] = {}
    for selection in selections:
        _collect(selection, fields)
    assert list(data) == list(fields), (path, list(data), list(fields))
    for key, nodes_ in fields.items():
        name = nodes_[0].name.value
        if name == "__typename":
            assert data[key] == kind.name
            continue
        parts = [node.selection_set for node in nodes_ if node.selection_set is not None]
        place = (*path, key)
        if place in failed:
            assert data[key] is None, place
            continue
        _value(schema, kind.fields[name].type, parts, data[key], place, failed)


def _collect(selection: SelectionSetNode, fields: dict[str, list[FieldNode]]) -> None:
    for node in selection.selections:
        if isinstance(node, FieldNode):
            fields.setdefault((node.alias or node.name).value, []).append(node)
        else:
            assert isinstance(node, InlineFragmentNode)
            _collect(node.selection_set, fields)


def _value(
    schema: GraphQLSchema,
    kind: Any,
    selections: list[SelectionSetNode],
    value: Any,
    path: tuple[object, ...],
    failed: set[tuple[object, ...]],
) -> None:
    if isinstance(kind, GraphQLNonNull):
        assert value is not None, path
        kind = kind.of_type
    if value is None:
        return
    match kind:
        case GraphQLList():
            assert isinstance(value, list), path
            for place, item in enumerate(value):
                _value(schema, kind.of_type, selections, item, (*path, place), failed)
        case GraphQLObjectType():
            _object(schema, kind, selections, value, path, failed)
        case GraphQLEnumType():
            assert value in kind.values, (path, value)
        case GraphQLScalarType():
            assert _IS[kind.name](value), (path, kind.name, value)
        case _:
            assert not isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)
            raise AssertionError((path, get_named_type(kind)))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_IS: Mapping[str, Callable[[Any], bool]] = {
    "Int": _is_whole,
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "String": _is_text,
    "ID": _is_text,
    "Boolean": lambda value: isinstance(value, bool),
    "BigInt": lambda value: isinstance(value, str) and str(int(value)) == value,
    "Decimal": _is_text,
    "Date": _is_text,
    "DateTime": _is_text,
    "Time": _is_text,
    "Base64": _is_text,
    "JSON": lambda value: True,
}
"""What each scalar may be in an answer."""
