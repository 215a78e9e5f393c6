"""The README's calls give the README's answers, on the demo that `make demo` serves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import sample_crm
from gateway.security.tokens import new_token
from gateway.settings import Settings
from gateway.state.tokens import NewToken
from gateway.web.app import make_app, make_parts

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CALL = re.compile(r"```sh\n(curl .*?)```\s+```json\n(.*?)```", re.DOTALL)
TODAY = datetime(2026, 11, 21, 9, tzinfo=UTC)
"""The day of the README's answers: the demo's dates move with the day it is made on."""
CALLS = [(call, json.loads(answer)) for call, answer in CALL.findall(README)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """The application of the demo, and its token."""
    directory = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{directory / 'crm.sqlite3'}"
    sample_crm.build(url, scale="demo", today=date(2026, 11, 21))
    settings = Settings(
        database_url=url, state_path=str(directory / "state.sqlite3"), whitelist=str(ROOT / "whitelist.yaml")
    )
    parts = make_parts(settings, lambda event: None, lambda: TODAY)
    token = new_token()
    parts.state.tokens.create(NewToken("demo", token.digest, token.prefix, ("*:*",)))
    with TestClient(make_app(parts)) as client:
        yield client, token.text


def test_the_readme_has_its_calls_with_their_answers() -> None:
    """The newcomer sees a list, a derived field, the three questions of one call each, GraphQL, and an error."""
    assert len(CALLS) == len(NAMES)


NAMES = ["list", "derived field", "top clients", "overdue by agent", "invoice with its relatives", "GraphQL", "error"]


@pytest.mark.parametrize(("call", "expected"), CALLS, ids=NAMES)
def test_a_call_of_the_readme_gives_its_answer(demo: tuple[TestClient, str], call: str, expected: object) -> None:
    """What the README promises is what the demo says."""
    client, token = demo
    url = re.search(r"'http://127.0.0.1:8000(.*?)'", call)
    body = re.search(r"-d '(.*?)'", call)
    headers = dict(re.findall(r'-H "([^:]+): ([^"]*)"', call))
    assert url is not None

    reply = client.request(
        "GET" if body is None else "POST",
        url[1],
        content=body and body[1],
        headers={name: value.replace("$TOKEN", token) for name, value in headers.items()},
    )

    assert with_hidden_cursor(reply.json()) == expected


def with_hidden_cursor(body: object) -> object:
    """Return a body whose cursor is left out: it is sealed with the store's own key."""
    if isinstance(body, dict) and body.get("meta", {}).get("next_cursor"):
        body["meta"]["next_cursor"] = "…"
    return body


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    """A newcomer who follows a link finds something."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if not (ROOT / link).exists()]

    assert links
    assert missing == []
