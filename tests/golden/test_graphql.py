"""Golden cases of GraphQL: document, plans, statements per dialect and reply, side by side.

``pytest tests/golden --golden-rewrite`` writes what is answered now; review reads the diff. A case is a directory with
a ``document.graphql``, and ``variables.json`` where it has some. Plan and statements are those of its queries that can
be planned. Replies come from the tiny sample CRM in SQLite, the token may do everything.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.graphql.steps import ChangeStep
from gateway.query.aggregates import PlannedGroups
from gateway.sql.cache import StatementCache
from sample_crm import build
from tests.support.app import App, Clock, served
from tests.support.asking import NOW, plan_any
from tests.support.golden import DIALECTS, catalog_of, laid_out, rewrite
from tests.support.graphql_plans import steps
from tests.support.plans import groups_text, read_text
from tests.support.statements import DEADLINE_S, read_statements

CASES = sorted(path.parent for path in (Path(__file__).parent / "graphql").glob("*/document.graphql"))
GIVEN = ("document.graphql", "variables.json")


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny sample CRM; nothing writes to it."""
    path = tmp_path_factory.mktemp("golden_graphql") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=date(2026, 11, 15))
    return path


@pytest.fixture(scope="module")
async def reading(crm: Path) -> AsyncIterator[App]:
    """The application that answers every case that changes nothing."""
    async with served(f"sqlite:///{crm}", clock=Clock(NOW), admin=False) as app:
        yield app


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
async def test_a_document_is_planned_compiled_and_answered_as_reviewed(
    case: Path, reading: App, crm: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """What the document means, what the databases are asked and what the client gets, file by file."""
    text = (case / "document.graphql").read_text("utf-8")
    variables = json.loads((case / "variables.json").read_text("utf-8")) if (case / "variables.json").exists() else {}
    files = dict(planned_files(text, variables))
    if text.lstrip().startswith("mutation"):
        copy = shutil.copy(crm, tmp_path / "crm.sqlite3")
        async with served(f"sqlite:///{copy}", clock=Clock(NOW), admin=False) as app:
            files["reply.http"] = await answered(app, text, variables)
    else:
        files["reply.http"] = await answered(reading, text, variables)
    if pytestconfig.getoption("golden_rewrite"):
        rewrite(case, files, GIVEN)
    assert files == {path.name: path.read_text("utf-8") for path in case.iterdir() if path.name not in GIVEN}


def planned_files(text: str, variables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the plans of a document's queries, and their statements per dialect, each under its key in the reply."""
    for dialect in DIALECTS:
        catalog = catalog_of(dialect)
        statements = StatementCache(catalog, 100, DEADLINE_S)
        plans, sql = "", ""
        try:
            for step in steps(catalog, text, variables):
                if isinstance(step, ChangeStep):
                    return
                planned = plan_any(catalog, step.intent)
                told = groups_text(planned) if isinstance(planned, PlannedGroups) else read_text(planned)
                plans += f"# {step.selected.key}\n{told}"
                sql += f"-- # {step.selected.key}\n{read_statements(statements, planned)}"
        except GatewayError:
            return
        yield "plan.txt", plans
        yield f"query.{dialect}.sql", sql


async def answered(app: App, text: str, variables: dict[str, Any]) -> str:
    """Return the reply as text; what the store's own keys make is hidden: tags and cursors."""
    body = {"query": text, "variables": variables}
    accept = "application/graphql-response+json"
    reply = await app.anonymous.post(
        "/api/v1/graphql", json=body, headers={"Accept": accept, "Authorization": f"Bearer {app.tokens['all']}"}
    )
    head = f"HTTP/1.1 {reply.status_code}\ncontent-type: {reply.headers['content-type']}\n\n"
    shown = re.sub(r'("(?:cursor|startCursor|endCursor|_etag)":)"(?:[^"\\]|\\.){20,}"', r'\1"…"', reply.text)
    return f"{head}{laid_out(shown, 4)}\n"
