"""`/admin/tokens`: tokens listed, made, explained, replaced and ended by an administrator, as JSON.

The stages have seen to it that the caller is one. What is done is done by `security.management`, as by the
command line. A token's text is in the answer that makes it and nowhere else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.errors import (
    ConfigurationError,
    ConflictError,
    Issue,
    NotFoundError,
    RequestError,
    UnavailableError,
    ValidationError,
)
from gateway.query.access import Operation
from gateway.rest.body import JSON_TYPES, media_type_of, parse_body
from gateway.rest.given import whole
from gateway.security.explain import explain_token
from gateway.security.management import (
    STATUSES,
    MadeToken,
    TokenDesk,
    check_wanted,
    describe_made,
    describe_token,
    remarks_on,
    status_of,
)
from gateway.security.spans import MOST_SPAN_S, span_s
from gateway.security.wanted import read_wanted
from gateway.state.secret import shared_key
from gateway.state.tokens import TokenRecord
from gateway.web.content import check_content
from gateway.web.exchange import exchange_of
from gateway.web.parameters import parameters_of
from gateway.web.parts import Parts
from gateway.web.public import json_response
from gateway.web.stages.shield import BodyLimit, read_body
from gateway.web.trial import describe_trial, parse_attempt, try_request

PATH: Final = "/admin/tokens"
MOST_PER_PAGE: Final = 1_000

_UNHEEDED: Final = {
    "idempotency-key": "Tokens take no Idempotency-Key: an answer that holds a secret is not kept for a repeat. "
    "If an answer was lost, list the tokens, and end or rotate what was made.",
    "if-match": "Tokens take no If-Match: they have no ETag.",
    "if-none-match": "Tokens take no If-None-Match: they have no ETag.",
}
"""Headers that would make a change safe to repeat, or stop it, anywhere else; the reason why they do not here."""

_OPERATIONS: Final[Mapping[str, Operation]] = {"GET": "read", "HEAD": "read", "POST": "create", "DELETE": "delete"}
"""What the audit trail calls it; a rotation makes a token."""

_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_Done = TypeVar("_Done")
_Page = Callable[[Request], Awaitable[Response]]


def token_routes(parts: Parts) -> Sequence[BaseRoute]:
    """Return the routes of the tokens of an application."""
    pages = AdminTokens(parts)
    return (
        _route(PATH, {"GET": pages.list_tokens, "POST": pages.create}),
        _route(f"{PATH}/{{id}}", {"GET": pages.show, "DELETE": pages.revoke}),
        _route(f"{PATH}/{{id}}/rotate", {"POST": pages.rotate}),
        _route(f"{PATH}/{{id}}/explain", {"GET": pages.explain}),
    )


def _route(path: str, pages: Mapping[str, _Page]) -> Route:
    """One route for all methods of a path, so that a 405 lists every one of them."""

    async def answer(request: Request) -> Response:
        exchange = exchange_of(request.scope)
        exchange.operation, exchange.row = _OPERATIONS[request.method], request.path_params.get("id", "")
        response = await pages["GET" if request.method == "HEAD" else request.method](request)
        if exchange.operation != "read":
            exchange.rows, exchange.outcome = 1, "done"
            exchange.row = response.headers.get("location", exchange.row).rpartition("/")[2]  # of a new token, its own
        return response

    return Route(path, answer, methods=list(pages))


class AdminTokens:
    """The pages of `/admin/tokens`; each does its work on the state store in a thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._desk = TokenDesk(
            parts.state.tokens, lambda: shared_key(parts.state.write, "signing"), parts.settings.token_pepper
        )

    async def list_tokens(self, request: Request) -> Response:
        """Show every token, ended ones too, oldest first, a page at a time."""
        given = parameters_of(request.scope, ("status", "page", "per_page"))
        wanted = given.get("status")
        if wanted is not None and wanted not in STATUSES:
            detail = f"status is one of {', '.join(STATUSES)}."
            raise RequestError("parameter_invalid", detail, parameter="status")
        page, per_page = _page_of(given)
        records = await _stored(self._desk.tokens.all)
        now = datetime.now(UTC)
        found = [record for record in records if wanted is None or status_of(record, now) == wanted]
        shown = found[(page - 1) * per_page : page * per_page]
        pages = -(-len(found) // per_page)
        meta = {"total": len(found), "page": page, "per_page": per_page, "pages": pages, "count": len(shown)}
        return json_response({"data": [describe_token(record, now) for record in shown], "meta": meta})

    async def create(self, request: Request) -> Response:
        """Make a token; the catalog in place decides whether its limits can be held."""
        parameters_of(request.scope, ())
        now = datetime.now(UTC)
        wanted = read_wanted(await self._body(request), now)
        unknown = check_wanted(wanted, self._parts.keeper.service().catalog)
        try:
            made = await _stored(lambda: self._desk.create(wanted))
        except ConfigurationError as error:
            issue = Issue("a working token has this name", pointer="/name", code="duplicate")
            detail = f'A working token is named "{wanted.name}": choose another name, or rotate or end that one.'
            raise ConflictError("duplicate", detail, issues=[issue]) from error
        warnings = [
            f'No resource is named as in "{grant}" now: it grants nothing until there is one.' for grant in unknown
        ]
        return _made(made, now, [*warnings, *remarks_on(wanted)])

    async def show(self, request: Request) -> Response:
        """Show one token."""
        parameters_of(request.scope, ())
        record = await self._one(request)
        return json_response({"data": describe_token(record, datetime.now(UTC))})

    async def revoke(self, request: Request) -> Response:
        """End a token now, and what still works of those that it replaced; one that has ended stays so."""
        parameters_of(request.scope, ())
        token_id = _id_of(request)
        if await self._data(request):
            raise RequestError("body_syntax", "DELETE takes no body: the path says which token.")
        await _stored(lambda: self._desk.revoke_one(token_id, datetime.now(UTC)))
        self._parts.authenticator.forget()
        return Response(status_code=204)

    async def rotate(self, request: Request) -> Response:
        """Replace a token by a new one that may do the same; ``overlap`` says how long the old one works on."""
        parameters_of(request.scope, ())
        overlap_s = _overlap_of(await self._body(request, is_optional=True))
        record = await self._one(request)
        now = datetime.now(UTC)
        try:
            if status_of(record, now) != "active":
                raise ConfigurationError("It has ended.")
            made = await _stored(lambda: self._desk.rotate(record.name, overlap_s))
        except ConfigurationError as error:
            raise NotFoundError("row_unknown", f"Token {record.id} has ended or was replaced.") from error
        self._parts.authenticator.forget()
        return _made(made, now, ())

    async def explain(self, request: Request) -> Response:
        """Show what a token may do; with ``url`` also what would become of a request with it, stage by stage."""
        given = parameters_of(request.scope, ("method", "url", "address", "origin"))
        record = await self._one(request)
        now = datetime.now(UTC)
        service = self._parts.keeper.service()
        told = explain_token(record, service.catalog, now)
        if "url" in given:
            method = given.get("method", "GET")
            attempt = parse_attempt(f"{method} {given['url']}", given.get("address", ""), given.get("origin", ""))
            told["request"] = describe_trial(try_request(self._parts.settings, service, record, attempt, now))
        elif given:
            raise RequestError("parameter_missing", "Say with url which request is meant.", parameter="url")
        return json_response({"data": told})

    async def _one(self, request: Request) -> TokenRecord:
        token_id = _id_of(request)
        return await _stored(lambda: self._desk.one(token_id))

    async def _body(self, request: Request, *, is_optional: bool = False) -> Mapping[str, object]:
        data = await self._data(request)
        if is_optional and not data:
            return {}
        content_type = request.headers.get("content-type", "")
        if media_type_of(content_type) not in JSON_TYPES:
            accepted = {"Accept-Post": "application/json"}
            raise RequestError("media_type_unsupported", "Send the body as application/json.", headers=accepted)
        return parse_body(content_type, data, self._parts.settings.max_json_depth).values

    async def _data(self, request: Request) -> bytes:
        """The body of a request that changes something; what a client asks for beside it is done or refused."""
        for name in request.headers:
            if name in _UNHEEDED:
                raise RequestError("header_invalid", _UNHEEDED[name])
        check_content(request.scope["headers"])
        settings = self._parts.settings
        return await read_body(request.receive, BodyLimit(settings.max_body_bytes), settings.body_wait_s)


async def _stored(work: Callable[[], _Done]) -> _Done:
    """What a piece of work on the state store comes to, done in a thread."""
    try:
        return await asyncio.to_thread(work)
    except SQLAlchemyError as error:
        detail = "The gateway's own store did not answer; look at the tokens before you try again."
        raise UnavailableError("state_away", detail, headers={"Retry-After": "1"}) from error


def _made(made: MadeToken, now: datetime, warnings: Sequence[str]) -> Response:
    answer: dict[str, Any] = {"data": describe_made(made, now)}
    if warnings:
        answer["meta"] = {"warnings": list(warnings)}
    response = json_response(answer, 201)
    response.headers["Location"] = f"{PATH}/{made.record.id}"
    return response


def _id_of(request: Request) -> int:
    text = request.path_params["id"]
    if not _ID.fullmatch(text):
        raise NotFoundError("row_unknown", "Tokens are addressed by their number, as in /admin/tokens/7.")
    return int(text)


def _page_of(given: Mapping[str, str]) -> tuple[int, int]:
    page, per_page = whole(given.get("page", "1"), "page", 1), whole(given.get("per_page", "25"), "per_page", 1)
    if per_page > MOST_PER_PAGE:
        detail = f"A page has 1 to {MOST_PER_PAGE} tokens; {per_page} were asked for."
        raise RequestError("page_invalid", detail, parameter="per_page")
    return page, per_page


def _overlap_of(given: Mapping[str, object]) -> int:
    issues = [
        Issue(f"a rotation has no field {name!r}", pointer=f"/{name}", code="unknown")
        for name in given
        if name != "overlap"
    ]
    value = given.get("overlap", 0)
    seconds = span_s(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= MOST_SPAN_S:
        issues.append(Issue("a span is due, as in 1h or 30min, or seconds", pointer="/overlap", code="type"))
    if issues:
        raise ValidationError("fields_invalid", "The rotation cannot be done so.", issues=issues)
    assert isinstance(seconds, int)
    return seconds
