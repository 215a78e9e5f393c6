"""docs/graphql.md says what the code does: its documents answer, its limits are the code's."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import get_args

import pytest

from gateway.graphql.limits import Limits, Measure
from gateway.graphql.persisted import NOT_FOUND
from gateway.graphql.request import DEEPEST_JSON, MOST_VALUES
from gateway.query.budget import DEFAULT_BUDGET, BudgetMeasure
from gateway.settings import setting_rows
from sample_crm import build
from tests.support.app import NOON, ROOT, App, served

TEXT = (ROOT / "docs" / "graphql.md").read_text("utf-8")
EXAMPLES = re.findall(r"```graphql\n(.*?)```\n(?:\n```json\n(.*?)```\n)?", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """The application on the tiny sample CRM."""
    path = tmp_path_factory.mktemp("docs") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=NOON.date())
    async with served(f"sqlite:///{path}", staff_id=1) as running:
        yield running


@pytest.mark.parametrize(("document", "variables"), EXAMPLES, ids=[document[:40] for document, _ in EXAMPLES])
async def test_every_document_answers(app: App, document: str, variables: str) -> None:
    """With data for each of its fields and without an error."""
    body = {"query": document, "variables": json.loads(variables or "{}")}
    answer = await app.client.post("/api/v1/graphql", json=body)

    assert "errors" not in answer.json(), answer.text
    assert all(value not in (None, []) for value in answer.json()["data"].values()), answer.text


def test_there_are_as_many_documents_as_are_shown() -> None:
    """None is left out because its fence is another."""
    assert len(EXAMPLES) == TEXT.count("```graphql") == 9


async def test_the_error_that_is_shown_is_the_one_that_is_answered(app: App) -> None:
    """To the letter."""
    shown = re.search(r"```json-reply\n(.*?)```", TEXT, re.DOTALL)
    answer = await app.client.post("/api/v1/graphql", json={"query": '{ invoices(filter: {total_gte: "x"}) { id } }'})

    assert shown is not None
    assert answer.json() == json.loads(shown[1])


def test_every_limit_of_a_document_is_there() -> None:
    """Those of settings with their names, the fixed ones with their numbers."""
    table = TEXT.split("| measure |", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"`(GATEWAY_GRAPHQL_\w+)`", TEXT))
    known = {row.variable for row in setting_rows()}
    limits, fixed = Limits(), TEXT.split("Fixed besides:", 1)[1].split("\n\n", 1)[0]

    assert named <= known
    assert {name for name in known if name.startswith("GATEWAY_GRAPHQL_MAX_")} <= named
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) <= {*get_args(Measure), "answer"}
    assert f"{Limits().introspection:,} objects" in fixed
    for name in ("definitions", "selections", "variables", "directives", "nesting"):
        assert name in {field.name for field in fields(Limits)}
        assert f"{getattr(limits, name):,}" in fixed
    assert f"{MOST_VALUES:,}" in fixed
    assert f"{DEEPEST_JSON} deep" in fixed
    assert NOT_FOUND in TEXT


def test_the_budget_of_a_field_is_there() -> None:
    """Each measure of it with its number."""
    told = TEXT.split("keeps the budget of a query", 1)[1].split("\n\n", 1)[0]
    numbers = {
        "conditions": DEFAULT_BUDGET.conditions,
        "filter_depth": DEFAULT_BUDGET.depth,
        "path": DEFAULT_BUDGET.hops,
        "paths": DEFAULT_BUDGET.joins,
        "relationships": DEFAULT_BUDGET.embeds,
        "list": DEFAULT_BUDGET.listed,
        "values": DEFAULT_BUDGET.values,
        "groups": DEFAULT_BUDGET.groups,
        "metrics": DEFAULT_BUDGET.metrics,
        "sort": DEFAULT_BUDGET.sorts,
        "text": DEFAULT_BUDGET.text,
    }

    assert set(numbers) == set(get_args(BudgetMeasure)) - {"name"}, "a name of GraphQL is never a path"
    assert {name: f"`{name}` {number:,}" in told for name, number in numbers.items()} == dict.fromkeys(numbers, True)
    assert f"{DEFAULT_BUDGET.embedded:,}" in told
    assert f"{DEFAULT_BUDGET.offset:,}" in TEXT
