"""schemathesis asks the live application whatever its own schema allows, and what it does not: never an internal error.

Documents are made of the introspected schema by schemathesis, right ones and wrong ones, for every field of Query and
Mutation, and sent to the whole application on MariaDB. Each answer must be a GraphQL response as the schema and the
documentation promise it.

``GRAPHQL_EXAMPLES`` says how many documents of each kind are sent, where it should be more than a run of all tests
takes, and has them made of all tables; hypothesis chooses them anew each time but in CI.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
import schemathesis
from graphql import (
    REMOVE,
    ArgumentNode,
    EnumValueNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    IntValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_introspection_query,
    get_named_type,
    parse,
    print_ast,
    visit,
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

LONGER = os.environ.get("GRAPHQL_EXAMPLES")
EXAMPLES = int(LONGER or 160)
AT_ONCE = 8
GRAPHQL = "/api/v1/graphql"
LARGEST_REPLY = 20_000_000
SIZES = ("limit", "offset", "first", "maxAffected")
LARGEST_SIZE = 12

NEVER = frozenset({"internal", "schema_changed", "starting", "database_away", "request_timeout", "outcome_unknown"})
"""Codes of what goes wrong on our side: none has a reason to happen here."""

GRANTS = tuple(
    f"{resource}:*"
    for resource in (
        *("clients", "contacts", "countries", "contracts", "expenses", "invoices", "itemable", "item_tax", "leads"),
        *("notes", "invoicepaymentrecords", "projects", "tasks", "tickets", "staff", "goals", "currencies"),
    )
)
"""Tables of every kind and write mode; schemathesis takes long to look through a schema of all of them."""

WORDS = st.sampled_from(["@today", "@today-30d", "@month_start", "@now"])
TEXTS: Mapping[str, st.SearchStrategy[str]] = {
    "BigInt": st.integers(-(2**63), 2**63).map(str),
    "Decimal": st.decimals(-(10**9), 10**9, places=2).map(str),
    "Date": st.dates().map(str) | WORDS,
    "DateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | WORDS,
    "Time": st.times().map(lambda time: time.isoformat("seconds")),
    "Base64": st.binary(max_size=20).map(lambda data: b64encode(data).decode()),
    "JSON": st.text(max_size=5),
}
ODD = st.sampled_from(
    [
        *("", "\0", "' OR 1=1 -- ", "%_\\", "a,b,,c", "é😀", "\u202e", "x" * 3_000),
        *("9" * 400, "1e400", "-0", "NaN", "1.5", "0x10", "0000-00-00", "2026-02-29", "24:61:61", "@nobody", "null"),
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Kinds of documents: made in a mode, with values of scalars that are as they should be, or odd ones."""

    mode: GenerationMode
    is_odd: bool = False

    def scalars(self) -> Mapping[str, st.SearchStrategy[Any]]:
        """Return how the values of each scalar are made."""
        return {name: (texts | ODD if self.is_odd else texts).map(nodes.String) for name, texts in TEXTS.items()}


@pytest.fixture
async def app(mariadb_server: Server) -> AsyncIterator[App]:
    """The application on a CRM of this test's own, which may be written to."""
    name = f"gateway_schemathesis_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    free: dict[str, Any] = {"address_rate": "off", "refused_rate": "off", "rate_limit": "off", "count_deadline_ms": 250}
    grants = {"all": ("*:*",)} if LONGER else {"some": GRANTS}
    async with served(url, staff_id=1, grants=grants, **free) as app:
        yield app
    mariadb_server.drop_database(name)


async def test_what_the_schema_allows_is_answered(app: App, record_property: Callable[[str, object], None]) -> None:
    """Right documents are never refused as wrong ones, and what they select is there with the types of the schema."""
    codes = await fuzz(app, Kind(GenerationMode.POSITIVE))

    record_property("codes", dict(codes))
    assert not {"graphql_syntax", "graphql_invalid", "variables_invalid", "operation_unknown"} & codes.keys()
    assert codes["data"] > EXAMPLES / 4  # many of them are answered with rows


async def test_what_no_database_would_take_is_refused(app: App, record_property: Callable[[str, object], None]) -> None:
    """Where the schema cannot tell that a text is no date and a number no number of any column, the planner can."""
    codes = await fuzz(app, Kind(GenerationMode.POSITIVE, is_odd=True))

    record_property("codes", dict(codes))
    assert codes["data"] < EXAMPLES


async def test_what_the_schema_forbids_is_refused(app: App, record_property: Callable[[str, object], None]) -> None:
    """Wrong types, arguments and fields are named by code and place, and nothing fails of them."""
    codes = await fuzz(app, Kind(GenerationMode.NEGATIVE))

    record_property("codes", dict(codes))
    assert codes["graphql_invalid"] > EXAMPLES / 4


async def fuzz(app: App, kind: Kind) -> Counter[str]:
    """Return how often each code was answered, and ``data`` where there was no error, to what schemathesis made."""
    schema = await introspected(app, kind)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 100
    cases = st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy(generation_mode=kind.mode))
    loop = asyncio.get_running_loop()
    codes: Counter[str] = Counter()

    async def ask(made: list[Any]) -> None:
        texts = [chosen(schema.client_schema, case.body, kind) for case in made]
        answers = await asyncio.gather(*(sent(app, text) for text in texts))
        for case, text, answer in zip(made, texts, answers, strict=True):
            try:
                told = checked(schema.client_schema, text, answer)
                assert told or case.meta.generation.mode is not GenerationMode.NEGATIVE
                codes.update(told or ("data",))
            except AssertionError as error:
                failed = [event.error for event in app.events if isinstance(event, RequestFailed)]
                shown = f"{text}\n-> {answer.text[:2_000]}\n{error}"
                raise AssertionError(shown) from (failed[-1] if failed else error)

    @settings(max_examples=-(-EXAMPLES // AT_ONCE), deadline=None, suppress_health_check=list(HealthCheck))
    @given(made=st.lists(cases, min_size=AT_ONCE, max_size=AT_ONCE))
    def run(made: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(ask(made), loop).result()

    await asyncio.to_thread(run)
    assert not [event for event in app.events if isinstance(event, RequestFailed)]
    return codes


async def introspected(app: App, kind: Kind) -> Any:
    """Return what schemathesis makes of the schema that the application tells of itself."""
    for name, strategy in kind.scalars().items():
        schemathesis.graphql.scalar(name, strategy)
    answer = await app.client.post(GRAPHQL, json={"query": get_introspection_query(one_of=True)})
    config = schemathesis.Config.from_dict({"generation": {"graphql-allow-null": kind.is_odd}})
    return schemathesis.graphql.from_dict(answer.json()["data"], config=config)


def chosen(schema: GraphQLSchema, text: str, kind: Kind) -> str:
    """Return a document with what hypothesis-graphql does not know: inputs that are @oneOf have exactly one field.

    Where values are as they should be, pages are small too, and no cursor is made up. Wrong documents stay as they are.
    """
    if kind.mode is GenerationMode.NEGATIVE:
        return text
    types = TypeInfo(schema)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, _Chooser(types, has_pages=not kind.is_odd))))


class _Chooser(Visitor):
    def __init__(self, types: TypeInfo, *, has_pages: bool) -> None:
        super().__init__()
        self._types = types
        self._has_pages = has_pages

    def enter_object_value(self, node: ObjectValueNode, *_: object) -> ObjectValueNode | None:
        kind = get_named_type(self._types.get_input_type())
        if not (isinstance(kind, GraphQLInputObjectType) and kind.is_one_of):
            return None
        given = [field for field in node.fields if not isinstance(field.value, NullValueNode)]
        return replace(node, fields=tuple(given[:1]) or (self._first(kind),))

    def enter_argument(self, node: ArgumentNode, *_: object) -> Any:
        if not self._has_pages:
            return None
        if node.name.value == "after":
            return REMOVE
        if node.name.value in SIZES and isinstance(node.value, IntValueNode):
            return replace(node, value=IntValueNode(value=str(1 + abs(int(node.value.value)) % LARGEST_SIZE)))
        return None

    def _first(self, kind: GraphQLInputObjectType) -> ObjectFieldNode:
        """The first field that is an enum's, with its first value; those of @oneOf sort keys all are or lead there."""
        name, field = next((name, each) for name, each in kind.fields.items() if isinstance(each.type, GraphQLEnumType))
        assert isinstance(field.type, GraphQLEnumType)
        return ObjectFieldNode(name=NameNode(value=name), value=EnumValueNode(value=next(iter(field.type.values))))


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
