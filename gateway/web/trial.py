"""What would become of a request, stage by stage, without running it: "why was this refused?".

What comes in: a token's record, a method and an address, and where the request would come from. What goes
out: a `Trial` that ends in the decision. The decisions are those of the stages' own functions, the parsers and
the planner; nothing is sent to the database, so a row that is not there cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from gateway.catalog.model import Table
from gateway.errors import ForbiddenError, GatewayError, MethodError, RequestError
from gateway.query.access import Access
from gateway.query.aggregates import PlannedGroups
from gateway.query.bulk import plan_bulk_delete
from gateway.query.conditions import plan_conditions
from gateway.query.intent import ConditionIntent
from gateway.query.planner import PlannedRead, key_condition
from gateway.query.writes import writable_table
from gateway.rest.parse import (
    BULK_DELETE_PARAMETERS,
    BULK_PARAMETERS,
    CREATE_PARAMETERS,
    DELETE_PARAMETERS,
    UPDATE_PARAMETERS,
    parse_bulk,
    parse_nothing,
    parse_write,
)
from gateway.rest.paths import (
    CallerPath,
    IndexPath,
    ListPath,
    QueryPath,
    RelatedPath,
    ResourcePath,
    RowPath,
    parse_path,
    path_for,
)
from gateway.rest.url import is_below_base, parse_query
from gateway.security.access import build_access
from gateway.security.authenticate import principal_from
from gateway.security.explain import refusal_of
from gateway.security.networks import Allowlists
from gateway.security.principal import Principal
from gateway.settings import Settings
from gateway.sql.cache import Recent
from gateway.state.tokens import TokenRecord
from gateway.web.asked import ASKED, note_asked
from gateway.web.calls import Call
from gateway.web.exchange import Exchange
from gateway.web.guards import Guard, guard_of
from gateway.web.handlers import HANDLERS, allowed_methods, check_known
from gateway.web.memory import known_list, known_row
from gateway.web.service import Service
from gateway.web.stages.authorize import check_caller

Outcome = Literal["passes", "refused", "not reached"]
STEPS: Final = ("shield", "cors", "authenticate", "rate_limit", "authorize", "audit", "plan")
"""The stages in their order, and the planner behind them."""

_FEW: Final = 8


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that could be sent: ``url`` is a path with its query, an absolute URL is good too.

    ``address`` and ``origin`` are where it would come from, empty where that is not known or not sent.
    """

    method: str
    url: str
    address: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage does with a request; ``code`` and ``status`` are those of its refusal."""

    stage: str
    outcome: Outcome
    detail: str
    code: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of a request: each step, and the decision they come to."""

    steps: tuple[Step, ...]

    @property
    def refusal(self) -> Step | None:
        """The step that refuses, None when none does."""
        return next((step for step in self.steps if step.outcome == "refused"), None)

    @property
    def decision(self) -> str:
        """The decision in one sentence; a missing grant is named by it."""
        refusal = self.refusal
        if refusal is None:
            return "allowed"
        return f"refused by {refusal.stage}: {refusal.status} {refusal.code}: {refusal.detail}"


@dataclass(frozen=True, slots=True)
class _Tried:
    """A request on its trial."""

    settings: Settings
    service: Service
    record: TokenRecord
    principal: Principal
    access: Access
    attempt: Attempt
    path: str
    query: bytes
    exchange: Exchange
    now: datetime


def try_request(settings: Settings, service: Service, record: TokenRecord, attempt: Attempt, now: datetime) -> Trial:
    """Return what would become of a request with a token. What is planned for it is not kept among others' plans."""
    service = replace(service, memory=Recent(_FEW))
    parts = urlsplit(attempt.url)
    principal = principal_from(record)
    exchange = Exchange("", 0.0, address=attempt.address, origin=attempt.origin)
    tried = _Tried(
        settings,
        service,
        record,
        principal,
        build_access(principal, service.catalog),
        attempt,
        parts.path or "/",
        parts.query.encode(),
        exchange,
        now,
    )
    return Trial(tuple(_steps(tried)))


def describe_trial(trial: Trial) -> dict[str, Any]:
    """Return a trial as data."""
    steps = [
        {"stage": step.stage, "outcome": step.outcome, "detail": step.detail, "code": step.code, "status": step.status}
        for step in trial.steps
    ]
    return {"allowed": trial.refusal is None, "decision": trial.decision, "steps": steps}


def _steps(tried: _Tried) -> Iterator[Step]:
    is_refused = False
    for name, judge in zip(STEPS, _JUDGES, strict=True):
        if is_refused:
            yield Step(name, "not reached", "")
            continue
        try:
            yield Step(name, "passes", judge(tried))
        except GatewayError as error:
            is_refused = True
            yield Step(name, "refused", error.detail, error.code, error.status)


def _shield(tried: _Tried) -> str:
    length = len(tried.path.encode()) + len(tried.query)
    if length > tried.settings.max_url_bytes:
        raise RequestError("uri_too_long", f"The URL exceeds {tried.settings.max_url_bytes} bytes.")
    return "the URL is not too long; how often the address asks, and the body, are not known here"


def _cors(tried: _Tried) -> str:
    if tried.attempt.method == "OPTIONS" and tried.attempt.origin:
        return "a preflight is answered here, without the token"
    return "no preflight"


def _authenticate(tried: _Tried) -> str:
    if guard_of(unquote(tried.path)) == "public":
        return "the path is public: no token is looked at"
    if not tried.record.is_active(tried.now):
        raise _ended(tried)
    if tried.principal.policy.is_signed:
        return "the token works; each request must be signed"
    return "the token works"


def _ended(tried: _Tried) -> GatewayError:
    end = tried.record.ends_at
    when = f" It ended {end:%Y-%m-%d %H:%M} UTC." if end is not None else ""
    return GatewayError("token_invalid", f"The token is revoked or expired.{when}")


def _rate_limit(tried: _Tried) -> str:
    rate = tried.principal.policy.rate
    return f"at most {rate}, the token's own rate" if rate else f"at most {tried.settings.rate_limit}, as set for all"


def _authorize(tried: _Tried) -> str:
    guard = guard_of(unquote(tried.path))
    if guard == "public":
        return "the path is public"
    _check_caller(tried, guard)
    if guard == "admin":
        return "administration is for this token"
    raw = tried.path.encode()
    if not is_below_base(raw):
        return "the path is for every token"
    tried.exchange.path = path = path_for(parse_path(raw), tried.attempt.method, tried.service.catalog)
    note_asked(tried.exchange, tried.service, tried.access, path, tried.attempt.method)
    if tried.exchange.operation is None:
        return "the path is for every token with a grant on what it names"
    return f"{tried.exchange.resource}:{tried.exchange.operation} is granted"


def _check_caller(tried: _Tried, guard: Guard) -> None:
    try:
        check_caller(tried.principal, guard, Allowlists(), tried.exchange)
    except ForbiddenError as error:
        if error.code == "address_forbidden" and not tried.attempt.address:
            detail = f"It works from {', '.join(tried.principal.policy.addresses)}; no address was given to try."
            raise ForbiddenError("address_forbidden", detail) from error
        raise


def _audit(tried: _Tried) -> str:
    if tried.settings.audit == "off":
        return "nothing is audited"
    return f"audited ({tried.settings.audit}); what the audit store's state permits is not known here"


def _plan(tried: _Tried) -> str:
    path = tried.exchange.path
    if path is None:
        return "not a path of resources: what is served there decides"
    call = Call(tried.service, tried.attempt.method, tried.query, tried.access, tried.principal, "")
    if tried.attempt.method == "OPTIONS":
        check_known(call, path)
        return f"answered with the methods of the path: {', '.join(allowed_methods(call, path))}"
    if (type(path), tried.attempt.method) not in HANDLERS:
        check_known(call, path)
        allowed = ", ".join(allowed_methods(call, path))
        raise MethodError("method_not_allowed", f"{tried.attempt.method} is not taken here. The path takes {allowed}.")
    if isinstance(path, IndexPath | CallerPath):
        parse_nothing(parse_query(tried.query))
        return "answered from the catalog and the token"
    if ASKED[type(path), tried.attempt.method] == "read":
        return _read(tried, path)
    return _write(tried, path)


def _read(tried: _Tried, path: ResourcePath) -> str:
    assert isinstance(path, ListPath | RowPath | RelatedPath | QueryPath)  # others read nothing
    if isinstance(path, RowPath):
        row, _ = known_row(tried.service, tried.access, path.resource, path.key, tried.query)
        return _reading(tried, row.planned)
    return _reading(tried, known_list(tried.service, tried.access, path, tried.query).planned)


def _reading(tried: _Tried, planned: PlannedRead | PlannedGroups) -> str:
    table = planned.plan.table
    shown = "groups"
    if isinstance(planned, PlannedRead):
        shown = ", ".join(field.name for field in planned.plan.fields) or "no field"
    reached = [other for other, _ in planned.plan.filters]
    embedded = [node.plan.table for node in planned.plan.nodes]
    narrowing = "; ".join(_narrowing(tried.access, other) for other in dict.fromkeys((table, *reached, *embedded)))
    return f"reads {table.resource} ({shown}); {narrowing}"


def _narrowing(access: Access, table: Table) -> str:
    grant = access.grant_on(table)
    parts = grant.row_filter if grant is not None else ()
    texts = [part.parameter for part in parts if isinstance(part, ConditionIntent)]
    return f"of {table.resource} only rows with {' and '.join(texts)}" if texts else f"every row of {table.resource}"


def _write(tried: _Tried, path: ResourcePath) -> str:
    """A write as far as it is decided without its body."""
    assert isinstance(path, ListPath | RowPath)  # no other path is written to
    operation = ASKED[type(path), tried.attempt.method]
    context = tried.service.context(tried.access)
    table = writable_table(context, path.resource, operation)
    reason = refusal_of(operation, table)
    if reason is not None:
        raise MethodError("write_not_supported", f"{table.resource} does not take this: {reason}.")
    pairs = parse_query(tried.query)
    if isinstance(path, RowPath):
        parse_write(pairs, DELETE_PARAMETERS if operation == "delete" else UPDATE_PARAMETERS)
        key_condition(context, table, path.key)
    elif operation == "create":
        parse_write(pairs, CREATE_PARAMETERS)
    else:
        request = parse_bulk(pairs, BULK_DELETE_PARAMETERS if operation == "delete" else BULK_PARAMETERS)
        if operation == "delete":
            plan_bulk_delete(context, path.resource, request.conditions, request.most)
        else:
            plan_conditions(context, table, request.conditions)
    article = "an" if operation == "update" else "a"
    return f"{article} {operation} of {_writing(tried, table)}; {_narrowing(tried.access, table)}"


def _writing(tried: _Tried, table: Table) -> str:
    grant = tried.access.grant_on(table)
    if grant is None or grant.writable is None:
        return f"{table.resource}, whose body is judged when it is there"
    return f"{table.resource}, writing {', '.join(sorted(grant.writable)) or 'no field'}"


_JUDGES: Final[tuple[Callable[[_Tried], str], ...]] = (
    _shield,
    _cors,
    _authenticate,
    _rate_limit,
    _authorize,
    _audit,
    _plan,
)


def parse_attempt(text: str, address: str = "", origin: str = "") -> Attempt:
    """Return the request that ``GET /api/v1/invoices?page=2`` means; a URL alone is a GET.

    >>> parse_attempt("/api/me").method
    'GET'

    Raises:
        RequestError: ``path_invalid`` for anything else.
    """
    words = text.strip().split(" ", 1)
    method, url = (words[0].upper(), words[1].strip()) if len(words) > 1 else ("GET", words[0])
    if not method.isalpha() or not text.isprintable() or " " in url or not _path_of(url).startswith("/"):
        detail = f'"{text}" is no request: write METHOD and path, as in GET /api/v1/invoices?filter[status]=2.'
        raise RequestError("path_invalid", detail)
    return Attempt(method, url, address, origin)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # brackets that hold no address
        return ""
