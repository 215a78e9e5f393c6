"""docs/query-language.md says what the code does: its tables equal the code's, its examples answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from gateway.catalog.kinds import KINDS
from gateway.operations.results import CountForm
from gateway.query.moments import DATE_WORDS
from gateway.query.operators import OPERATORS
from gateway.rest.parse import BULK_PARAMETERS, CREATE_PARAMETERS, DELETE_PARAMETERS, LIST_PARAMETERS
from gateway.settings import setting_rows
from gateway.web.handlers import HANDLERS
from sample_crm import build
from tests.support.app import ROOT, App, Clock, served
from tests.support.asking import NOW

TEXT = (ROOT / "docs" / "query-language.md").read_text("utf-8")
FAMILIES = ("number", "text", "moment", "binary", "list", "document")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    section = TEXT.split(f" {heading}\n", 1)[1]
    lines = section.split("|---|", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


def examples() -> list[str]:
    """Return every address that stands on a line of its own."""
    return [line for line in TEXT.splitlines() if line.startswith("/api/v1")]


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """The application on the tiny sample CRM."""
    path = tmp_path_factory.mktemp("docs") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=date(2026, 11, 15))
    async with served(f"sqlite:///{path}", clock=Clock(NOW)) as running:
        yield running


def test_every_operator_is_documented_as_it_is() -> None:
    """Name, operand, what it fits and what it means, in the code's order."""
    assert table("Filtering") == [
        [item.name, item.operand, ", ".join(name for name in FAMILIES if name in item.families), item.summary]
        for item in OPERATORS.values()
    ]


def test_every_kind_is_documented_as_it_is() -> None:
    """Name, JSON type and summary."""
    assert table("Values") == [[kind.name, kind.json, kind.summary] for kind in KINDS.values()]
    assert {kind.family for kind in KINDS.values()} == set(FAMILIES)


def test_every_date_word_is_documented() -> None:
    """And no other."""
    assert {row[0] for row in table("Days and date words")} == set(DATE_WORDS)


def test_every_form_of_a_count_is_documented() -> None:
    """The words of ``meta.count``."""
    assert {row[0] for row in table("Counts")} == set(get_args(CountForm))


@pytest.mark.parametrize("parameter", sorted(LIST_PARAMETERS | CREATE_PARAMETERS | BULK_PARAMETERS | DELETE_PARAMETERS))
def test_every_parameter_is_documented(parameter: str) -> None:
    """A parameter nobody is told of is as good as none."""
    name = re.escape(parameter.removesuffix("[…]"))

    assert re.search(rf"[`?&]{name}[=`\[]", TEXT)


def test_every_method_is_documented() -> None:
    """Of the paths above."""
    assert all(re.search(rf"`{method}\b", TEXT) for _, method in HANDLERS)


@pytest.mark.parametrize("example", examples())
async def test_every_example_answers(example: str, app: App) -> None:
    """With 200, as it stands."""
    answer = await app.client.get(example)

    assert (answer.status_code, answer.text if answer.status_code != 200 else "") == (200, "")


def test_the_examples_use_every_kind_of_parameter() -> None:
    """So that a reader finds one."""
    shown = "\n".join(examples())

    assert all(
        re.search(rf"[?&]{re.escape(name.removesuffix('[…]'))}[=\[]", shown) for name in LIST_PARAMETERS - {"bigints"}
    )


async def test_the_create_of_the_page_works(app: App) -> None:
    """The body of the curl line; a copy of the CRM belongs to this module."""
    body = re.search(r"-d '(\{.*\})'", TEXT)
    assert body is not None
    answer = await app.client.post(
        "/api/v1/leads", content=body[1].encode(), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 201
    assert answer.json()["data"]["lead_value"] == 1200.5


async def test_the_query_of_the_page_works(app: App) -> None:
    """The body of the curl line, sent either way."""
    body = re.search(r"-X QUERY .*?-d '(\{.*?\})' ", TEXT, re.DOTALL)
    assert body is not None
    for method, path in (("QUERY", "/api/v1/invoices"), ("POST", "/api/v1/invoices/query")):
        answer = await app.client.request(
            method, path, content=body[1].encode(), headers={"Content-Type": "application/json"}
        )

        assert answer.status_code == 200
        assert list(answer.json()["data"][0]) == ["id", "total", "client"]


def test_the_limits_of_the_page_are_those_of_the_settings() -> None:
    """Each with its default."""
    defaults = {row.variable: row.default for row in setting_rows()}
    told = {row[2]: row[1] for row in table("Limits") if row[2]}

    assert told
    for variable, most in told.items():
        assert defaults[variable] == int(most.split()[0].replace(",", ""))


def test_the_page_links_to_pages_that_are_there() -> None:
    """Relative links only."""
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (Path(ROOT) / "docs" / target).is_file()
