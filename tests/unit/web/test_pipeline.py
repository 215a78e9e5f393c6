"""The list of stages: its order, its documentation, and that an application is made of it and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.cli.inspect import PAGES
from gateway.rest.url import is_below_base
from gateway.settings import Settings
from gateway.web.app import make_app, make_parts
from gateway.web.exchange import EXCHANGE
from gateway.web.parts import Parts
from gateway.web.pipeline import RECORDERS, STAGES, Fork, Pipeline, Stage, through_stages

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"
FIRST_LAST: Final = ("headers", "records", "shield", "cors", "authenticate", "rate_limit", "authorize", "audit")


def test_the_order_is_that_of_the_contract() -> None:
    """SPEC section 6: two recorders, then six stages of decision."""
    assert [stage.name for stage in (*RECORDERS, *STAGES)] == list(FIRST_LAST)
    assert [stage.name for stage in RECORDERS] == ["headers", "records"]


def test_every_stage_is_documented_in_order() -> None:
    """Name and summary, as the list has them; an undocumented stage fails here."""
    text = DOCS.read_text(encoding="utf-8").partition("## Stages")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)

    assert rows == [(stage.name, stage.summary) for stage in (*RECORDERS, *STAGES)]


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """The parts of an application that is not started."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/crm.db", state_path=str(tmp_path / "state.db"))
    made = make_parts(settings, lambda event: None)
    yield made
    await made.database.close()
    made.state.close()


def chain(app: Any) -> Iterator[Any]:
    """Yield what a request passes, from the outside in."""
    assert isinstance(app, Pipeline)
    inner: Any = app.stages
    while inner is not None:
        yield inner
        inner = getattr(inner, "_app", None)


async def test_an_application_is_the_stages_and_the_fork(parts: Parts) -> None:
    """Nothing stands between two stages, none is there twice, and behind the last one are the routes."""
    *stages, fork = chain(make_app(parts))

    assert [type(stage).__module__.rpartition(".")[2] for stage in stages] == list(FIRST_LAST)
    assert isinstance(fork, Fork)


async def test_every_page_is_listed(parts: Parts) -> None:
    """`gateway routes` knows the pages that are served, and none that is not."""
    *_, fork = chain(make_app(parts))
    served = {
        (route.path, method)
        for route in fork.pages.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    listed = {(path, method) for path, methods, _ in PAGES for method in methods if not is_below_base(path.encode())}

    assert {_nameless(page) for page in listed} == {_nameless(page) for page in served}


def _nameless(page: tuple[str, str]) -> tuple[str, str]:
    """A page whose path parameters have no names."""
    return re.sub(r"\{[^}]*\}", "{}", page[0]), page[1]


@dataclass(frozen=True, slots=True)
class Marker:
    """A stage that notes when it was passed."""

    name: str
    app: ASGIApp
    passed: list[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.passed.append(self.name)
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Journal:
    """What was passed and what arrived."""

    passed: list[str] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)

    def stage(self, name: str) -> Stage:
        return Stage(name, "", lambda app, parts: Marker(name, app, self.passed))

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived.append(scope["type"])


async def test_the_first_stage_is_outermost(parts: Parts) -> None:
    """A request meets them in the order of the list."""
    journal = Journal()
    app = through_stages(journal.app, parts, [journal.stage("a"), journal.stage("b"), journal.stage("c")])

    await app({"type": "http"}, None, None)  # type: ignore[arg-type]  # nothing is sent

    assert (journal.passed, journal.arrived) == (["a", "b", "c"], ["http"])


async def test_the_lifespan_goes_past_the_stages(parts: Parts) -> None:
    """Stages only ever see requests."""
    journal = Journal()
    app = through_stages(journal.app, parts, [journal.stage("a")])

    await app({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # as above

    assert (journal.passed, journal.arrived) == ([], ["lifespan"])


@asynccontextmanager
async def _nothing(app: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("raw_path", "is_resource"),
    [(b"/api/v1", True), (b"/api/v1/x", True), (b"/api/v10", False), (b"/api", False), (b"/healthz", False)],
)
async def test_the_fork_knows_resources_by_their_first_bytes(raw_path: bytes, is_resource: bool) -> None:
    """Everything else is a page, or nothing."""
    resources, pages = Journal(), Journal()
    fork = Fork(resources.app, Router(default=pages.app, lifespan=_nothing))

    await fork({"type": "http", "path": raw_path.decode(), "raw_path": raw_path, "method": "GET"}, None, None)  # type: ignore[arg-type]  # as above

    assert (bool(resources.arrived), bool(pages.arrived)) == (is_resource, not is_resource)


async def test_a_stage_notes_its_name_when_a_request_comes_to_it(parts: Parts) -> None:
    """So that whoever records a refusal knows who refused."""
    for stage in STAGES:
        seen: list[str] = []

        async def after(scope: Scope, receive: Receive, send: Send, seen: list[str] = seen) -> None:
            seen.append(scope[EXCHANGE].stage)

        app = through_stages(after, parts, (RECORDERS[0], stage))
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/healthz",
            "raw_path": b"/healthz",
            "query_string": b"",
            "scheme": "http",
            "headers": [],
        }
        await app(scope, None, None)  # type: ignore[arg-type]  # nothing is read or sent

        assert seen == ["handler" if stage.name == "audit" else stage.name]
