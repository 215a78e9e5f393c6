"""Writes under an ``Idempotency-Key``: each runs at most once, and whoever repeats it gets the first answer.

What comes in: a write that is ready to run, and its key. What goes out: its answer, the
first one's again, or the reason why there is none. The order is what makes it true: the
claim is on disk before the write begins, and the outcome is on disk before the client
hears of it. A process that dies in between leaves a claim whose outcome is unknown, and
a repeat is told so; nothing is run again to find out.

A client that goes away does not end such a write: it runs to its end, so that the claim
can say what came of it. Requests without the header never come here.

Source: draft-ietf-httpapi-idempotency-key-header-07; SPEC section 4.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import inf
from time import monotonic
from typing import Any, Final

import orjson
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from gateway.catalog.model import Column, CustomField
from gateway.errors import (
    ConflictError,
    GatewayError,
    Issue,
    MethodError,
    RequestError,
    UnavailableError,
    UnrecordedError,
    ValidationError,
)
from gateway.execution.failures import CommitCutError
from gateway.observe import ClaimNotEnded, Observer, RequestFailed
from gateway.query.access import Access, Operation
from gateway.query.writes import writable_table
from gateway.rest.paths import ListPath, ResourcePath, RowPath
from gateway.security.principal import Principal
from gateway.state.idempotency import LEASE_S, MOST_BODY_BYTES, Claim, Found, IdempotencyStore, KeptAnswer, Standing
from gateway.web.calls import Answer, Call
from gateway.web.deadlines import request_timeout
from gateway.web.handlers import HANDLERS, allowed_methods

KEYED_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods on which the header means something; it changes nothing about a read."""

REPLAYED: Final = "Idempotent-Replayed"
CLEAN_EVERY_S: Final = 300.0
MOST_BATCHES: Final = 40
"""Batches removed in one go, so that a store which grew large is not busy for long."""

RELEASED: Final = frozenset(
    {
        "database_away",
        "database_busy",
        "database_refuses",
        "no_acting_staff",
        "overloaded",
        "request_timeout",
        "schema_changed",
        "starting",
        "state_away",
        "statement_timeout",
        "write_conflict",
    }
)
"""Codes of failures that changed nothing and may be gone at the next try: the key is free again."""

_OPERATIONS: Final[Mapping[str, Operation]] = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}
_HEADER: Final = b"idempotency-key"
_BARE: Final = re.compile(rb"[!#-~][!-~]{0,254}")
_QUOTED: Final = re.compile(rb'"((?:[!#-\[\]-~]|\\["\\]){1,255})"')
_ESCAPED: Final = re.compile(rb'\\(["\\])')
_NOT_SHOWN: Final = (
    "The first answer was this error; its details are not shown, for what the token may see has changed since."
)

Run = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request that carries a key and passed its checks. ``shape`` tells what its caller may see of the resource.

    ``lost`` is the body that stands for an answer which is not kept, or which its caller may not see any more;
    None for the one that rows have.
    """

    claim: Claim
    shape: bytes
    request_id: str
    lost: bytes | None = None


class Idempotency:
    """Runs keyed writes, each in a task of its own; one per worker."""

    def __init__(
        self, store: IdempotencyStore, observer: Observer, patience_s: float, *, renew_every_s: float = LEASE_S / 3
    ) -> None:
        self._store = store
        self._observer = observer
        self._patience_s = patience_s
        self._renew_every_s = renew_every_s
        self._writes: set[asyncio.Task[Answer]] = set()
        self._cleaning: asyncio.Task[None] | None = None

    async def answer(self, request: KeyedRequest, run: Run, limit_s: float | None = None) -> Answer:
        """Return the answer of a write, run now or given before; ``limit_s`` is how long it may take.

        Raises:
            ConflictError: ``idempotency_running``, ``outcome_unknown``, ``idempotency_expired``.
            ValidationError: ``idempotency_mismatch``.
            UnavailableError: ``state_away``, ``request_timeout``, and nothing was written; ``outcome_unknown``.
            GatewayError: what the write met, now or the first time.
        """
        deadline = monotonic() + limit_s if limit_s is not None else inf
        task = asyncio.create_task(self._answer(request, _within(run, deadline)))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if monotonic() >= deadline:  # the write was ended too; what became of it is what the client hears
                return await asyncio.shield(task)
            task.add_done_callback(lambda done: self._note(request, done))
            raise

    def start(self) -> None:
        """Begin to remove old claims from time to time."""
        self._cleaning = asyncio.create_task(self._clean_on())

    async def stop(self) -> None:
        """Let the writes end whose clients have gone, for as long as they may take; stop cleaning."""
        if self._cleaning is not None:
            self._cleaning.cancel()
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=self._patience_s)
            for task in late:
                task.cancel()

    async def clean(self) -> int:
        """Remove old claims, a bounded number of them, and return how many."""
        removed = 0
        for _ in range(MOST_BATCHES):
            batch = await asyncio.to_thread(self._store.clean)
            removed += batch
            if batch == 0:
                break
        return removed

    async def _clean_on(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_EVERY_S)
            with suppress(SQLAlchemyError):  # a store that is busy or away is cleaned later
                await self.clean()

    async def _answer(self, request: KeyedRequest, run: Run) -> Answer:
        found = await self._claimed(request.claim)
        if found.standing == "taken":
            return await self._run(request, run)
        if found.answer is not None:
            return replayed(found.answer, request.shape, request.lost)
        raise refusal(found.standing)

    async def _claimed(self, claim: Claim) -> Found:
        try:
            return await asyncio.to_thread(self._store.claim, claim)
        except SQLAlchemyError as error:
            raise UnavailableError(
                "state_away",
                "The gateway's own store did not answer, so the key cannot be claimed; nothing was done. Try again.",
                headers={"Retry-After": "1"},
            ) from error

    async def _run(self, request: KeyedRequest, run: Run) -> Answer:
        renewing = asyncio.create_task(self._renew(request.claim))
        try:
            answer = await run()
        except GatewayError as error:
            await self._end_failed(request, error)
            raise
        except Exception:
            await self._end(self._store.leave_unknown, request.claim)
            raise
        else:
            if answer.failure is not None:
                await self._end_failed(request, answer.failure)
            else:
                await self._end(self._store.finish, request.claim, kept_answer(answer, request.shape))
            return answer
        finally:
            renewing.cancel()

    async def _end_failed(self, request: KeyedRequest, error: GatewayError) -> None:
        if is_undone(error):
            await self._end(self._store.release, request.claim)
        elif error.status < 500:
            await self._end(self._store.finish, request.claim, kept_error(error, request.shape))
        else:
            await self._end(self._store.leave_unknown, request.claim)

    async def _end(self, end: Callable[..., None], *arguments: object) -> None:
        """Record an outcome. The client hears of it in any case: it is true whether or not it is on record."""
        try:
            await asyncio.to_thread(end, *arguments)
        except SQLAlchemyError as error:
            self._observer(ClaimNotEnded(error))

    async def _renew(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self._renew_every_s)
            with suppress(SQLAlchemyError):  # tried again before the lease ends
                await asyncio.to_thread(self._store.renew, claim)

    def _note(self, request: KeyedRequest, done: asyncio.Task[Answer]) -> None:
        """Tell the administrator of a failure that no client is there to be told of."""
        error = None if done.cancelled() else done.exception()
        if error is not None and (not isinstance(error, GatewayError) or error.status >= 500):
            self._observer(RequestFailed(request.request_id, error))


def _within(run: Run, deadline: float) -> Run:
    """A write that is ended when it is over its time: rolled back, or with an outcome that nobody knows."""

    async def within() -> Answer:
        left_s = max(0.0, deadline - monotonic())
        try:
            async with asyncio.timeout(left_s if left_s < inf else None):
                return await run()
        except (CommitCutError, TimeoutError) as error:
            cut = error if isinstance(error, CommitCutError) else error.__cause__
            raise (cut.failure if isinstance(cut, CommitCutError) else request_timeout()) from error

    return within


# From a request to its claim


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the key of a request without its quotes, None when it carries none.

    >>> key_of([(b"idempotency-key", b'"a-1"')]), key_of([(b"idempotency-key", b"a-1")]), key_of([])
    (b'a-1', b'a-1', None)

    Raises:
        RequestError: ``header_invalid``.
    Source: RFC 8941, section 3.3.3; a bare word is what most clients send.
    """
    found = {value.strip() for name, value in headers if name == _HEADER}
    if not found:
        return None
    if len(found) == 1:
        value = found.pop()
        quoted = _QUOTED.fullmatch(value)
        if quoted is not None:
            return _ESCAPED.sub(rb"\1", quoted[1])
        if _BARE.fullmatch(value):
            return value
    raise RequestError(
        "header_invalid",
        "Idempotency-Key: send one key of 1 to 255 visible ASCII characters, in double quotes or without, "
        "such as a UUID made anew for each write.",
    )


def keyed_request(call: Call, path: ResourcePath, raw_path: bytes, key: bytes, request_id: str) -> KeyedRequest | None:
    """Return a request as it is claimed, after the checks that precede any answer; None where nothing can be written.

    The token counts by its name, which a rotation keeps.

    Raises:
        NotFoundError: ``resource_unknown``.
        ForbiddenError: ``grant_missing``.
        MethodError: ``write_not_supported``.
    """
    if (type(path), call.method) not in HANDLERS:
        return None
    shape = _checked_shape(call, path) if isinstance(path, ListPath | RowPath) else b""
    scope = _digest(call.principal.lineage.encode(), call.method.encode(), raw_path)
    fingerprint = _digest(call.body, (call.content_type or "").strip().lower().encode(), call.query)
    return KeyedRequest(Claim(scope, _digest(key), fingerprint, secrets.token_bytes(8)), shape, request_id)


def keyed_document(
    principal: Principal, access: Access, scope: Scope, body: bytes, key: bytes, request_id: str
) -> KeyedRequest:
    """Return a document with mutations as it is claimed, once it is known that its caller may run it.

    The token counts by its name, as in `keyed_request`; what it may see is all that its grants say.
    """
    claimed = _digest(principal.lineage.encode(), scope["method"].encode(), scope["raw_path"])
    fingerprint = _digest(body, b"application/json", scope["query_string"])
    return KeyedRequest(
        Claim(claimed, _digest(key), fingerprint, secrets.token_bytes(8)), _limits(access), request_id, _LOST_DOCUMENT
    )


_LOST_DOCUMENT: Final = b'{"data":null,"extensions":{"warnings":[{"code":"answer_not_kept"}]}}'


def _checked_shape(call: Call, path: ListPath | RowPath) -> bytes:
    try:
        table = writable_table(call.context(), path.resource, _OPERATIONS[call.method])
    except MethodError as error:
        allowed = ", ".join(allowed_methods(call, path))
        raise MethodError(error.code, error.detail, headers={"Allow": allowed}) from error
    columns: tuple[Column | CustomField, ...] = (*table.columns, *table.custom)
    visible = (column.name for column in columns if call.access.may_read_column(table, column))
    return _digest(*(name.encode() for name in visible), _limits(call.access))


def _limits(access: Access) -> bytes:
    """A digest of what a caller may read of all tables: an answer may tell of nested rows as well."""
    said: list[str] = []
    for name, grant in sorted(access.grants.items()):
        readable = "" if grant.readable is None else f"{sorted(grant.readable)}"
        said += (name, f"{'read' in grant.operations}", readable, repr(grant.row_filter))
    return _digest(*(text.encode(errors="surrogatepass") for text in said))


def _digest(*parts: bytes) -> bytes:
    """A digest in which no part can be taken for the end or the beginning of another."""
    made = sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.digest()


# Answers that are kept, and how they are given again


def is_undone(error: GatewayError) -> bool:
    """Whether a failure says that nothing was changed and that another try may go well.

    A ``write_conflict`` about a row that was stored and then removed by others is final: it invites no other try.
    """
    return error.code in RELEASED and "Retry-After" in error.headers


def kept_answer(answer: Answer, shape: bytes) -> KeptAnswer:
    """Return an answer as the store keeps it."""
    return KeptAnswer(answer.status, dict(answer.headers or {}), answer.body, shape)


def kept_error(error: GatewayError, shape: bytes) -> KeptAnswer:
    """Return an error as the store keeps it: as data, because a replay has an id of its own in its document."""
    body = _error_body(error, error.issues)
    if len(body) > MOST_BODY_BYTES:
        body = _error_body(error, ())
    return KeptAnswer(error.status, dict(error.headers), body, shape)


def _error_body(error: GatewayError, issues: tuple[Issue, ...]) -> bytes:
    said = {"code": error.code, "detail": error.detail[:2_000], "issues": [asdict(issue) for issue in issues]}
    return json.dumps(said).encode()


def replayed(kept: KeptAnswer, shape: bytes, lost: bytes | None = None) -> Answer:
    """Return a first answer again; its body only where its caller may still see what stands in it, else ``lost``.

    Raises:
        GatewayError: the first answer was an error.
    """
    is_same = kept.shape == shape
    if kept.status >= 400:
        raise _replayed_error(kept, is_same)
    if kept.body == b"" or (kept.body is not None and is_same):
        return _again(kept, kept.body, kept.headers)
    if lost is not None:
        return _again(kept, lost, {})
    place = {name: value for name, value in kept.headers.items() if name == "Location"}
    said: dict[str, Any] = {"data": None, "meta": {"warnings": ["answer_not_kept"]}}
    if place:
        said["links"] = {"self": place["Location"]}
    return _again(kept, orjson.dumps(said), place)


def _again(kept: KeptAnswer, body: bytes, headers: Mapping[str, str]) -> Answer:
    """A first answer that is given again; which row it made, its ``Location`` tells."""
    row = kept.headers.get("Location", "").rpartition("/")[2]
    return Answer(kept.status, body, {**headers, REPLAYED: "true"}, row=row, outcome="replayed")


def _replayed_error(kept: KeptAnswer, is_same: bool) -> GatewayError:
    said = json.loads(kept.body or b"{}")
    headers = {**kept.headers, REPLAYED: "true"}
    detail = said["detail"] if is_same else _NOT_SHOWN
    issues = [Issue(**issue) for issue in said["issues"]] if is_same else []
    return GatewayError(said["code"], detail, issues=issues, headers=headers)


def refusal(standing: Standing) -> GatewayError:
    """Return what is said to a request whose key is taken and whose answer cannot be given again."""
    if standing == "mismatch":
        detail = "This Idempotency-Key was first sent with another body, content type or query. Use a new key."
        return ValidationError("idempotency_mismatch", detail)
    if standing == "running":
        detail = "The first request with this Idempotency-Key is still running. Ask again in a moment."
        return ConflictError("idempotency_running", detail, headers={"Retry-After": "1"})
    if standing == "expired":
        detail = (
            "The write of this Idempotency-Key was done more than 24 hours ago and its answer is no longer kept; "
            "nothing was done now. Use a new key for a new write."
        )
        return ConflictError("idempotency_expired", detail)
    detail = (
        "The first request with this Idempotency-Key ended without a recorded outcome: the write may have happened. "
        "Nothing was done now. Look for the row, and use a new key if it is not there."
    )
    return UnrecordedError(detail)
