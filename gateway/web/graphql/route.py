"""The ASGI application of `/api/v1/graphql`: request -> document -> plans -> reply.

Until it is clear that a request is one for GraphQL, by its method, its media types and its size, it is refused like
any other request here. From then on every answer has GraphQL's form, refusals included; but what ends a request from
outside (its time limit, a stop) is told as a problem document, as everywhere.

No form of a foreign page can change anything: GET holds no mutation, and a body is JSON.

Source: GraphQL over HTTP (draft).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from time import monotonic

from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError, RequestError, SchemaChangedError
from gateway.graphql.document import Document
from gateway.graphql.limits import limits_of
from gateway.graphql.persisted import PersistedQueries
from gateway.graphql.request import PERSISTED, GraphQLRequest, parse_body, parse_parameters
from gateway.query.access import Access
from gateway.rest.body import media_type_of
from gateway.rest.formats import Format
from gateway.rest.url import parse_query
from gateway.web.calls import Answer
from gateway.web.content import check_content
from gateway.web.disconnect import ClientGoneError, ClientWatch
from gateway.web.exchange import Exchange, Written, exchange_of
from gateway.web.graphql.front import MEDIA
from gateway.web.graphql.introspecting import Told, introspection_of
from gateway.web.graphql.mutating import Mutated, check_conditions, first_operation, mutate, replayed_records
from gateway.web.graphql.preparing import (
    Prepared,
    PreparedMutation,
    PreparedQuery,
    check_method,
    memory_key,
    prepare,
    remember,
    remembered,
)
from gateway.web.graphql.querying import query
from gateway.web.graphql.replying import LARGE, Draft, accepted, gzipped, refusal, takes_gzip
from gateway.web.graphql.running import Bounds, Lanes, Telling
from gateway.web.graphql.schemas import Builder, Prospect, schemas_of
from gateway.web.idempotency import REPLAYED, key_of, keyed_document
from gateway.web.parts import Parts
from gateway.web.replies import send_reply
from gateway.web.service import Service
from gateway.web.stages.shield import BodyLimit, read_body


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: ``data`` is its body, or of a GET its query string."""

    scope: Scope
    method: str
    data: bytes
    media: Format
    exchange: Exchange
    telling: Telling

    def request(self) -> GraphQLRequest:
        """Return what is asked."""
        if self.method == "POST":
            return parse_body(self.data)
        return parse_parameters((pair.name, pair.value) for pair in parse_query(self.data))

    def check_url(self) -> None:
        """Pass unless something is asked in the URL beside the body, which nobody would read.

        Raises:
            RequestError: ``parameter_conflict``.
        """
        if self.method == "POST" and self.scope["query_string"]:
            for pair in parse_query(self.scope["query_string"]):
                detail = "What is asked with POST stands in the body: put this parameter there too."
                raise RequestError("parameter_conflict", detail, parameter=pair.name)


class GraphQLRoute:
    """Serves documents on the catalog in place."""

    def __init__(self, parts: Parts, persisted: PersistedQueries) -> None:
        settings = parts.settings
        self._parts = parts
        self._persisted = persisted
        self._limits = limits_of(settings)
        self._build = Builder(self._limits, settings.graphql_documents)
        self._most_schemas = settings.graphql_schemas
        self._shows_cost = settings.graphql_show_cost
        self._bounds = Bounds(Lanes(settings.pool_size // 2), settings.graphql_max_answer_bytes)
        self._body_limit = BodyLimit(max(settings.max_body_bytes, settings.max_bulk_body_bytes))
        self._body_wait_s = settings.body_wait_s
        self._request_limit_s = settings.request_limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method: str = scope["method"]
        media = accepted(_accept_of(scope))
        data = await self._body(receive, scope) if method == "POST" else scope["query_string"]
        exchange = exchange_of(scope)
        asked = Asked(scope, method, data, media, exchange, Telling(self._parts.observer, exchange.request_id))
        try:
            async with ClientWatch(receive):
                answer = await self._answer(asked)
        except ClientGoneError:
            return
        content_type = media.content_type.encode()
        await send_reply(send, answer.status, answer.body, answer.headers, content_type, is_head=method == "HEAD")

    async def _body(self, receive: Receive, scope: Scope) -> bytes:
        """The body, when it is JSON: what a page can send without asking first is none (Fetch, "CORS-safelisted")."""
        headers = scope["headers"]
        check_content(headers)
        content_type = next((value.decode("latin-1") for name, value in headers if name == b"content-type"), None)
        if _media_type(content_type) != MEDIA:
            detail = f"Send the request as a JSON object in UTF-8, with Content-Type: {MEDIA}."
            raise RequestError("media_type_unsupported", detail, headers={"Accept-Post": MEDIA})
        lengths = (value for name, value in headers if name == b"content-length" and value.isdigit())
        return await read_body(receive, self._body_limit, self._body_wait_s, int(next(lengths, 0)))

    async def _answer(self, asked: Asked) -> Answer:
        """The answer of a request, which has GraphQL's form whatever became of it."""
        try:
            return await self._served(asked)
        except _UnfitError as error:
            return self._refused(asked, error.error, is_document=True)
        except Exception as error:  # whatever it is
            return self._refused(asked, error, is_document=False)

    def _refused(self, asked: Asked, error: Exception, *, is_document: bool) -> Answer:
        told = asked.telling.told(error)
        asked.exchange.code = told.code
        if REPLAYED in told.headers:
            asked.exchange.outcome = "replayed"
        return refusal(told, asked.media, is_document=is_document)

    async def _served(self, asked: Asked) -> Answer:
        asked.check_url()
        service = asked.exchange.service
        assert service is not None  # the catalog in place, once for the whole request
        prepared = await self._prepared(asked, service)
        if isinstance(prepared, PreparedMutation):
            return await self._change(asked, service, prepared)
        try:
            return await self._read(asked, service, prepared, is_last_try=False)
        except SchemaChangedError:
            service = await self._mended(service)
            return await self._read(asked, service, await self._prepared(asked, service), is_last_try=True)

    async def _mended(self, service: Service) -> Service:
        await self._parts.keeper.mend(service)
        return self._parts.keeper.service()

    def _access(self, asked: Asked, service: Service) -> Access:
        """The access on a service's catalog, which after a reload in mid-request is another than the stage's."""
        exchange = asked.exchange
        assert exchange.principal is not None  # the path is not public
        if exchange.access is not None and exchange.service is service:
            return exchange.access
        return self._parts.accesses.access_of(exchange.principal, service.catalog)

    async def _prepared(self, asked: Asked, service: Service) -> Prepared:
        """The operation of a request, from memory when the same was asked before.

        Raises:
            _UnfitError: the request is well-formed, but not its document, or the two do not fit.
            GatewayError: the request is not well-formed.
        """
        access = self._access(asked, service)
        key = memory_key(access, asked.method, asked.data)
        prepared: Prepared | None = remembered(service, key)
        if prepared is None:
            request = asked.request()
            prospect = await schemas_of(service, self._build, self._most_schemas).of(access)
            try:
                document = self._document(request, prospect, access)
                check_method(asked.method, document, request)
                prepared = await prepare(service, access, prospect, document, request)
            except GatewayError as error:
                raise _UnfitError(error) from error
            remember(service, key, prepared, len(asked.data))
        return prepared

    def _document(self, request: GraphQLRequest, prospect: Prospect, access: Access) -> Document:
        persisted, by, is_admin = request.extensions.get(PERSISTED), access.principal, access.is_admin
        text = self._persisted.text_of(request.document or None, persisted, by, is_admin=is_admin)
        document = prospect.documents.read(text, is_admin=is_admin)
        self._persisted.keep(text, persisted, by)
        return document

    async def _read(self, asked: Asked, service: Service, prepared: Prepared, *, is_last_try: bool) -> Answer:
        assert isinstance(prepared, PreparedQuery)  # the document is the same
        asked.exchange.operation = "read"
        told: Told = {}
        if prepared.of_schema is not None:
            access, by = self._access(asked, service), asked.exchange.principal
            assert by is not None  # the path is not public
            told = await introspection_of(service).answer(service, access, prepared.of_schema, by.key)
        found = await query(service, prepared, asked.telling, self._bounds, told, is_last_try=is_last_try)
        asked.exchange.rows, asked.exchange.written = found.rows, found.records
        answer = self._answered(asked, found.draft, prepared)
        if told and len(answer.body) > LARGE and takes_gzip(asked.scope["headers"]):
            return await asyncio.to_thread(gzipped, answer)
        return answer

    async def _change(self, asked: Asked, service: Service, prepared: PreparedMutation) -> Answer:
        """The answer of a mutation; under an ``Idempotency-Key`` that of the first one with it."""
        asked.exchange.operation = first_operation(prepared)
        headers = asked.scope["headers"]
        check_conditions(headers)
        key = key_of(headers)
        if key is None:
            return self._changed(asked, prepared, await self._mutated(asked, service, prepared))
        return await self._once(asked, service, prepared, key)

    async def _once(self, asked: Asked, service: Service, prepared: PreparedMutation, key: bytes) -> Answer:
        async def run() -> Answer:
            mutated = await self._mutated(asked, service, prepared)
            return replace(self._changed(asked, prepared, mutated), failure=mutated.failure)

        exchange = asked.exchange
        assert exchange.principal is not None  # the path is not public
        request = keyed_document(
            exchange.principal, self._access(asked, service), asked.scope, asked.data, key, exchange.request_id
        )
        left_s = self._request_limit_s - (monotonic() - exchange.began)
        answer = await self._parts.idempotency.answer(request, run, left_s)
        if answer.outcome == "replayed":
            exchange.written, exchange.rows, exchange.outcome = replayed_records(prepared), 0, "replayed"
        return answer

    async def _mutated(self, asked: Asked, service: Service, prepared: PreparedMutation) -> Mutated:
        records: list[Written] = []
        asked.exchange.written = records  # what is written is on record though the request is cut before its end
        try:
            mutated = await mutate(service, self._access(asked, service), prepared, asked.telling, records)
        except SchemaChangedError:
            service = await self._mended(service)
            again = await self._prepared(asked, service)
            assert isinstance(again, PreparedMutation)  # the document is the same
            mutated = await mutate(service, self._access(asked, service), again, asked.telling, records)
        if any(isinstance(error, SchemaChangedError) for error in mutated.errors):  # after something was written
            self._parts.keeper.mend_soon(service)  # for whoever tries the rest again; the answer does not wait
        return mutated

    def _changed(self, asked: Asked, prepared: PreparedMutation, mutated: Mutated) -> Answer:
        asked.exchange.rows = mutated.rows
        return self._answered(asked, mutated.draft, prepared)

    def _answered(self, asked: Asked, draft: Draft, prepared: Prepared) -> Answer:
        """A document that ran is answered with 200, whatever failed in it."""
        asked.exchange.code = draft.code
        if self._shows_cost:
            draft.show_cost(prepared.cost)
        draft.tell((), [{"code": "extension_unheeded", "extension": name} for name in prepared.unheeded])
        return Answer(200, draft.body())


class _UnfitError(Exception):
    """A well-formed request whose document cannot be run."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.detail)
        self.error = error


def _accept_of(scope: Scope) -> str:
    """The values of all ``Accept`` headers: repeated ones are one list (RFC 9110, section 5.3)."""
    return b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")


def _media_type(content_type: str | None) -> str:
    """The media type of a body, in small letters.

    Raises:
        RequestError: ``media_type_unsupported`` for text in another encoding than UTF-8.
    """
    try:
        return media_type_of(content_type)
    except RequestError as error:
        raise RequestError(error.code, error.detail, headers={"Accept-Post": MEDIA}) from error
