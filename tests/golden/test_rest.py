"""Golden cases of the REST front end: request, plan, statements per dialect and reply, side by side.

``pytest tests/golden --golden-rewrite`` writes what is answered now; review reads the diff. A case is a directory
with a ``request.http``; the token ``{all}`` may do everything, ``{sales}`` reads and creates leads and reads clients.
Plan and statements are there when the request gets as far with the token ``{all}``. The token ``{cursor}`` is where
the first page of the same query ends. Replies come from the tiny sample CRM in SQLite.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import httpx2
import pytest

from gateway.catalog.model import Catalog
from gateway.errors import GatewayError
from gateway.query.aggregates import PlannedGroups
from gateway.query.planner import PlannedRead
from gateway.query.positions import Position
from gateway.rest.binding import binding_of
from gateway.rest.query_body import parse_query_body
from gateway.sql.cache import StatementCache
from sample_crm import build
from tests.support.app import App, Clock, served
from tests.support.asking import NOW, changes, plan_any, query_request, read_request
from tests.support.golden import DIALECTS, catalog_of, laid_out, rewrite
from tests.support.plans import changes_text, groups_text, read_text
from tests.support.statements import DEADLINE_S, changes_statements, read_statements

CASES = sorted(path.parent for path in (Path(__file__).parent / "rest").glob("*/request.http"))
GRANTS = {"all": ("*:*",), "sales": ("leads:read", "leads:create", "clients:read")}
READS = frozenset({"GET", "HEAD"})
TELLING = frozenset(
    {
        "accept-post",
        "accept-query",
        "allow",
        "cache-control",
        "content-type",
        "etag",
        "link",
        "location",
        "preference-applied",
        "www-authenticate",
        "x-total-count",
        "x-truncated",
    }
)
USUAL = {"cache-control": "no-store"}
"""What goes without saying."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its file has it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def below(self) -> str:
        """The target below /api/v1."""
        return self.target.removeprefix("/api/v1").removeprefix("/")

    @property
    def is_read(self) -> bool:
        """Whether nothing is changed: a query may be posted."""
        is_posted = self.method == "POST" and self.target.endswith("/query")
        return is_posted or self.method in {*READS, "QUERY"}


def parsed(text: str) -> Request:
    """Return the request of a file: request line, headers, an empty line, the body."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Request(method, target, headers, body.rstrip("\n").encode())


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny sample CRM; nothing writes to it."""
    path = tmp_path_factory.mktemp("golden") / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=date(2026, 11, 15))
    return path


@pytest.fixture(scope="module")
async def reading(crm: Path) -> AsyncIterator[App]:
    """The application that answers every case that changes nothing."""
    async with served(f"sqlite:///{crm}", grants=GRANTS, admin=False, clock=Clock(NOW)) as app:
        yield app


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
async def test_a_request_is_planned_compiled_and_answered_as_reviewed(
    case: Path, reading: App, crm: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """What the request means, what the databases are asked and what the client gets, file by file."""
    request, position = await placed(reading, parsed((case / "request.http").read_text("utf-8")))
    files = dict(planned_files(request, position))
    if request.is_read or request.method == "OPTIONS":
        files["reply.http"] = await answered(reading, request)
    else:
        copy = shutil.copy(crm, tmp_path / "crm.sqlite3")
        async with served(f"sqlite:///{copy}", grants=GRANTS, admin=False, clock=Clock(NOW)) as app:
            files["reply.http"] = await answered(app, request)
    if pytestconfig.getoption("golden_rewrite"):
        rewrite(case, files)
    assert files == {path.name: path.read_text("utf-8") for path in case.iterdir() if path.name != "request.http"}


async def placed(app: App, request: Request) -> tuple[Request, Position | None]:
    """Return the request with its cursor, and the position that the cursor stands for."""
    if "{cursor}" not in request.target:
        return request, None
    first = await app.client.get(request.target.replace("{cursor}", ""))
    cursor = first.json()["meta"]["next_cursor"]
    read = read_request(catalog_of("sqlite"), request.below.replace("{cursor}", ""))
    path = request.target.partition("?")[0]
    position = app.parts.keeper.service().cursors.open(cursor, binding_of(path, read.given))
    return replace(request, target=request.target.replace("{cursor}", cursor)), position


def planned_files(request: Request, position: Position | None) -> Iterator[tuple[str, str]]:
    """Yield the plan, and its statements per dialect, of a request that can be planned."""
    if not request.below or request.method == "OPTIONS" or "{all}" not in request.headers.get("Authorization", ""):
        return
    for dialect in DIALECTS:
        catalog = catalog_of(dialect)
        statements = StatementCache(catalog, 100, DEADLINE_S)
        try:
            if request.is_read:
                read = read_plan(catalog, request, position)
                plan = groups_text(read) if isinstance(read, PlannedGroups) else read_text(read)
                sql = read_statements(statements, read)
            else:
                media_type = request.headers.get("Content-Type", "application/json")
                change = changes(catalog, request.method, request.below, request.body, content_type=media_type)
                plan, sql = changes_text(change), changes_statements(statements, change)
        except GatewayError:
            return
        yield "plan.txt", plan
        yield f"query.{dialect}.sql", sql


def read_plan(catalog: Catalog, request: Request, position: Position | None) -> PlannedRead | PlannedGroups:
    """Return the plan of a read, whose parameters stand in its path or in its body."""
    if request.method in READS:
        intent = read_request(catalog, request.below).intent
        return plan_any(catalog, replace(intent, page=replace(intent.page, after=position)))
    given = parse_query_body(request.headers.get("Content-Type"), request.body, "Accept-Query")
    return plan_any(catalog, query_request(catalog, request.below.removesuffix("/query"), given).intent)


async def answered(app: App, request: Request) -> str:
    """Return the reply as text: status, the headers that tell something, the body with a line per field or row.

    What the store's own keys make is hidden: tags and cursors.
    """
    headers = {name: value.format_map(app.tokens) for name, value in request.headers.items()}
    reply = await app.anonymous.request(request.method, request.target, headers=headers, content=request.body)
    lines = [f"HTTP/1.1 {reply.status_code}"]
    told = {name: value for name, value in reply.headers.items() if name in TELLING and USUAL.get(name) != value}
    if "etag" in told:
        told["etag"] = re.sub(r"[0-9a-f]{32}", "…", told["etag"])
    lines.extend(f"{name}: {value}" for name, value in sorted(told.items()))
    if request.method == "HEAD":
        lines.append(f"content-length: {reply.headers['content-length']}")
    text = "\n".join((*lines, "", *([laid_out(hidden_id(reply))] if reply.content else []))) + "\n"
    return re.sub(r"""(cursor=|"next_cursor":")[\w-]{20,}""", r"\1…", text)


def hidden_id(reply: httpx2.Response) -> str:
    """Return a body without the id of its request."""
    return reply.text.replace(reply.headers["x-request-id"], "…")
