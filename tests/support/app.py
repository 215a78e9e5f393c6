"""The whole application for a test: in this process on a database URL, or as the real server in another.

`served` yields an `App`: every stage and route on a real database, with a token per set of grants, a clock that the
test may hold still, what was logged, and the statements that were sent. `RunningServer` is ``gateway serve``.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import unquote

import httpx2
import uvicorn
from starlette.types import ASGIApp, Message

from gateway.catalog.kinds import Dialect
from gateway.errors import REGISTRY
from gateway.execution.connect import open_database
from gateway.execution.database import Database, Outcome, Parameters, PoolStatus, Row, Session, Snapshot
from gateway.observe import Event
from gateway.security.policy import NO_POLICY, Policy, policy_text
from gateway.security.tokens import new_token
from gateway.settings import Settings
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken
from gateway.web.app import make_app, make_parts
from gateway.web.parts import Parts
from gateway.web.service import utc_now

ROOT = Path(__file__).parents[2]
PERFEX_WHITELIST = ROOT / "whitelist.yaml"
NOON = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
"""The moment at which the sample CRM of the tests is looked at."""

ALL: Mapping[str, tuple[str, ...]] = {"all": ("*:*",)}
NO_POLICIES: Mapping[str, Policy] = {}
FREE: Mapping[str, str] = {"rate_limit": "1000000/min", "address_rate": "1000000/min"}
"""Rates that no test reaches unless it is about them."""
PATIENCE_S = 20.0


@dataclass(slots=True)
class Recorder:
    """A database that remembers the text of each statement it is asked to run."""

    inner: Database
    texts: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        return self.inner.dialect

    async def fetch(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        self.texts.append(text)
        return await self.inner.fetch(text, parameters)

    async def write(self, text: str, parameters: Parameters = ()) -> Outcome:
        self.texts.append(text)
        return await self.inner.write(text, parameters)

    @asynccontextmanager
    async def _recorded(self) -> AsyncIterator[Session]:
        async with self.inner.transaction() as session:
            yield _RecordedSession(session, self.texts)

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        return self._recorded()

    @asynccontextmanager
    async def _recorded_snapshot(self) -> AsyncIterator[Snapshot]:
        async with self.inner.snapshot() as snapshot:
            yield _RecordedSnapshot(snapshot, self.texts)

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        return self._recorded_snapshot()

    async def probe(self) -> None:
        await self.inner.probe()

    def status(self) -> PoolStatus:
        return self.inner.status()

    async def close(self) -> None:
        await self.inner.close()


@dataclass(frozen=True, slots=True)
class _RecordedSession:
    inner: Session
    texts: list[str]

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        self.texts.append(text)
        return await self.inner.run(text, parameters)


@dataclass(frozen=True, slots=True)
class _RecordedSnapshot:
    inner: Snapshot
    texts: list[str]

    async def run(self, text: str, parameters: Parameters = ()) -> Sequence[Row]:
        self.texts.append(text)
        return await self.inner.run(text, parameters)

    async def release(self) -> None:
        await self.inner.release()


@dataclass(slots=True)
class Clock:
    """The application's clock: still at a moment, or the real one when there is none."""

    moment: datetime | None = NOON

    def now(self) -> datetime:
        return self.moment if self.moment is not None else utc_now()


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """A running application; ``client`` sends with the token of every grant, ``clients`` holds one per grant set."""

    asgi: ASGIApp
    parts: Parts
    database: Recorder
    clients: Mapping[str, httpx2.AsyncClient]
    anonymous: httpx2.AsyncClient
    tokens: Mapping[str, str]
    clock: Clock
    events: list[Event]

    @property
    def client(self) -> httpx2.AsyncClient:
        return next(iter(self.clients.values()))

    async def get(self, path: str) -> httpx2.Response:
        """Return the answer of a GET below /api/v1."""
        return await self.client.get(f"/api/v1/{path}")

    async def json(self, path: str) -> Any:
        """Return the body of a GET below /api/v1 that succeeds."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def statements(self) -> list[str]:
        """Return the statements since the last call."""
        texts = list(self.database.texts)
        self.database.texts.clear()
        return texts


@asynccontextmanager
async def served(
    url: str,
    *,
    whitelist: Path | str = PERFEX_WHITELIST,
    grants: Mapping[str, tuple[str, ...]] = ALL,
    admin: bool = True,
    policies: Mapping[str, Policy] = NO_POLICIES,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[App]:
    """Yield the application on a database; ``whitelist`` is a path, or the text of one.

    ``policies`` narrow the tokens of the same names.
    """
    with TemporaryDirectory(prefix="gateway-app-") as directory:
        place = Path(directory)
        chosen = Settings(
            database_url=url,
            whitelist=str(_whitelist(whitelist, place)),
            state_path=str(place / "state.sqlite3"),
            **{"count_reuse_ms": 0, "count_deadline_ms": 5_000, "reload_every_s": 0.0, **FREE, **settings},
        )
        with StateStore.open(chosen) as state:
            tokens = {
                name: issue(state, name, given, is_admin=admin, policy=policies.get(name, NO_POLICY))
                for name, given in grants.items()
            }
        async with _running(chosen, tokens, clock or Clock()) as app:
            yield app


@asynccontextmanager
async def _running(settings: Settings, tokens: Mapping[str, str], clock: Clock) -> AsyncIterator[App]:
    events: list[Event] = []
    database = Recorder(open_database(settings, events.append))
    parts = make_parts(settings, events.append, clock.now, database)
    asgi = make_app(parts)

    def client(headers: Mapping[str, str]) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=asgi)
        hooks = {"response": [check_reply]}
        base = "http://gateway.test"
        return httpx2.AsyncClient(transport=transport, base_url=base, headers=dict(headers), event_hooks=hooks)

    clients = {name: client({"Authorization": f"Bearer {token}"}) for name, token in tokens.items()}
    async with _alive(asgi):
        yield App(asgi, parts, database, clients, client({}), tokens, clock, events)


@asynccontextmanager
async def _alive(asgi: ASGIApp) -> AsyncIterator[None]:
    """Start and stop an application as a server does (ASGI, "Lifespan Protocol")."""
    asked: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(_coroutine(asgi(scope, asked.get, said.put)))
    try:
        await asked.put({"type": "lifespan.startup"})
        await _told(running, said, "lifespan.startup.complete")
        yield
        await asked.put({"type": "lifespan.shutdown"})
        await _told(running, said, "lifespan.shutdown.complete")
    finally:
        await asyncio.wait((running,), timeout=PATIENCE_S)
        running.cancel()


async def _coroutine(work: Awaitable[None]) -> None:
    await work


async def _told(running: asyncio.Task[None], said: asyncio.Queue[Message], due: str) -> None:
    listening = asyncio.ensure_future(said.get())
    await asyncio.wait((listening, running), return_when=asyncio.FIRST_COMPLETED)
    if not listening.done():
        listening.cancel()
        running.result()
    message = await listening
    if message["type"] != due:
        running.cancel()
        raise AssertionError(f"{message['type']}: {message.get('message', '')}")


async def check_reply(reply: httpx2.Response) -> None:
    """Hold every reply of every test to what all replies have in common (SPEC sections 5 and 6)."""
    await reply.aread()
    assert reply.headers["x-request-id"]
    is_row = "etag" in reply.headers and reply.request.method in ("GET", "HEAD")
    for name, value in SECURITY.items():
        due = "private, no-cache" if is_row and name == "cache-control" else value
        assert due in reply.headers[name], (name, reply.headers)
    if reply.status_code < 400 or reply.request.url.path == "/readyz":  # which is bare, for balancers
        return
    if reply.headers["content-type"] in GRAPHQL_TYPES:
        check_refused_document(reply)
        return
    assert reply.headers["content-type"] == "application/problem+json"
    if reply.request.method == "HEAD":
        assert not reply.content
        return
    problem = reply.json()
    kind = REGISTRY[problem["code"]]
    assert (problem["status"], problem["title"]) == (reply.status_code, kind.title)
    assert reply.status_code in kind.statuses
    assert problem["type"] == f"/api_docs/errors/{kind.code}"
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert problem["instance"] == unquote(reply.request.url.raw_path.partition(b"?")[0].decode())
    assert len(problem["detail"]) > 10
    assert not _TELLING.search(reply.text), reply.text
    if reply.status_code == 401:
        assert reply.headers["www-authenticate"]
    if reply.status_code == 405:
        assert reply.headers["allow"]
    if reply.status_code == 503:
        assert reply.headers["retry-after"]


GRAPHQL_TYPES = ("application/graphql-response+json; charset=utf-8", "application/json; charset=utf-8")


def check_refused_document(reply: httpx2.Response) -> None:
    """Hold a refusal that has GraphQL's form to what all of them have in common."""
    assert reply.request.url.path == "/api/v1/graphql"
    if reply.request.method == "HEAD":
        assert not reply.content
        return
    body = reply.json()
    assert set(body) == {"errors"}
    codes = [error["extensions"]["code"] for error in body["errors"]]
    assert reply.status_code == body["errors"][0]["extensions"]["status"]
    assert reply.status_code in REGISTRY[codes[0]].statuses
    assert all(code in REGISTRY for code in codes)
    assert not _TELLING.search(reply.text), reply.text
    if reply.status_code == 405:
        assert reply.headers["allow"]
    if reply.status_code == 503:
        assert reply.headers["retry-after"]


SECURITY: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
_TELLING = re.compile(r"Traceback|\bSELECT\b.*\bFROM\b|pymysql|asyncmy|sqlalchemy|sqlite3|\.py\b|errno", re.IGNORECASE)


def issue(
    state: StateStore, name: str, grants: tuple[str, ...], *, is_admin: bool = False, policy: Policy = NO_POLICY
) -> str:
    """Store a new token and return its text."""
    token = new_token()
    state.tokens.create(NewToken(name, token.digest, token.prefix, grants, is_admin, policy=policy_text(policy)))
    return token.text


def _whitelist(given: Path | str, place: Path) -> Path:
    if isinstance(given, Path):
        return given
    path = place / "whitelist.yaml"
    path.write_text(given, encoding="utf-8")
    return path


@asynccontextmanager
async def listening(app: App, send_buffer: int = 0) -> AsyncIterator[tuple[str, int]]:
    """Serve an application of this process on a port, for clients that must be able to misbehave.

    ``send_buffer`` is how many bytes the system keeps for a client that does not read; 0 for its own choice.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        config = uvicorn.Config(app.asgi, lifespan="off", ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[:2]
        finally:
            server.should_exit = True
            await serving


# The real server


@dataclass(slots=True)
class RunningServer:
    """``gateway serve`` in processes of its own, on a free port."""

    process: subprocess.Popen[str]
    token: str
    directory: Path
    lines: list[str] = field(default_factory=list)
    base: str = ""
    reader: threading.Thread | None = None

    @classmethod
    @contextmanager
    def started(
        cls, url: str, *, whitelist: Path | str = PERFEX_WHITELIST, workers: int = 1, **settings: Any
    ) -> Iterator[Self]:
        """Yield a server that listens; end it and its workers afterwards."""
        with TemporaryDirectory(prefix="gateway-server-") as directory:
            place = Path(directory)
            server = cls.launched(url, place, whitelist=whitelist, workers=workers, **settings)
            try:
                server.wait_for_address()
                yield server
            finally:
                server.stop()

    @classmethod
    def launched(
        cls,
        url: str,
        place: Path,
        *,
        whitelist: Path | str = PERFEX_WHITELIST,
        workers: int = 1,
        token: str = "",
        **settings: Any,
    ) -> Self:
        """Return a server whose process has begun; whether it will serve is not known yet.

        ``token`` is that of a server that ran in the same place before.
        """
        if not token:
            with StateStore.open(str(place / "state.sqlite3")) as state:
                token = issue(state, "all", ("*:*",), is_admin=True)
        given = {
            "database_url": url,
            "whitelist": _whitelist(whitelist, place),
            "state_path": place / "state.sqlite3",
            "port": 0,
            "workers": workers,
            "count_reuse_ms": 0,
            **settings,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        environment.update({f"GATEWAY_{name.upper()}": str(value) for name, value in given.items()})
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        server = cls(process, token, place)
        server.reader = threading.Thread(target=server._read, daemon=True)
        server.reader.start()
        return server

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for_address(self) -> None:
        """Return when the server has said where it listens."""
        found = self.wait_for_line(r"Serving (http://\S+)/api/v1")
        self.base = found[1]

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """Return the first match in what the server has printed, waiting for it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(pattern, "".join(self.lines))
            if found is not None:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"nothing like {pattern} in:\n{''.join(self.lines)}")

    def ended(self) -> int:
        """Return the exit code of a server that ends by itself."""
        code = self.process.wait(PATIENCE_S)
        self._close()
        return code

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """Return a client with the token."""
        hooks = {"response": [check_reply]}
        return httpx2.AsyncClient(
            base_url=self.base, headers=self.headers, trust_env=False, event_hooks=hooks, **options
        )

    def hang_up(self) -> None:
        """Send SIGHUP, which means reload."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End the server and its workers as a power failure does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self._close()

    def stop(self) -> None:
        """End the server and whatever workers it has."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.reader is not None:
            self.reader.join(PATIENCE_S)
        if self.process.stderr is not None:
            self.process.stderr.close()
