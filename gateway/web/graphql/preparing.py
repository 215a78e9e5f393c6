"""A request -> what is ready to run: its document read, its operation chosen, each field translated and planned.

What was asked before by the same access, byte for byte, is remembered whole, as REST's lists are: a query whose
values do not depend on the moment. Then nothing is parsed, validated, translated or planned again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, replace
from hashlib import sha256
from time import perf_counter
from typing import Final

from gateway.errors import GatewayError, MethodError, RequestError
from gateway.graphql.collecting import operation_of
from gateway.graphql.document import Document
from gateway.graphql.documents import Documents
from gateway.graphql.meaning import Own
from gateway.graphql.request import GraphQLRequest
from gateway.graphql.selection import Cost, Selected
from gateway.graphql.steps import ChangeStep, ConnectionStep, ReadStep
from gateway.graphql.translate import step_of
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.intent import AggregateIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.web.graphql.schemas import Prospect
from gateway.web.service import Service

MOST_KEPT_BYTES: Final = 16_384
"""Requests larger than this are not remembered: their values would take more than their plans."""

LONGEST_TURN_S: Final = 0.005
"""How long fields are planned without a look at what else there is to do."""


@dataclass(frozen=True, slots=True)
class Read:
    """A field of a query that is ready to run."""

    step: ReadStep
    planned: PlannedRead | PlannedGroups


@dataclass(frozen=True, slots=True)
class Refused:
    """A field that is null, because what it asks for cannot be had: the others are answered."""

    selected: Selected
    error: GatewayError


@dataclass(frozen=True, slots=True)
class Known:
    """A field whose value is known: the name of its type, or the nothing that a caller without rights may read."""

    selected: Selected
    value: str | None


@dataclass(frozen=True, slots=True)
class OfSchema:
    """What a query asks of the schema, or the part of it that does; ``documents`` are those of this schema."""

    documents: Documents
    document: Document
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """A query that is ready to run; ``of_schema`` is set where it asks of the schema too."""

    fields: tuple[Read | Refused | Known, ...]
    cost: Cost
    of_schema: OfSchema | None = None
    unheeded: tuple[str, ...] = ()

    @property
    def is_lasting(self) -> bool:
        """Whether it may be run again as it is: its values hold at any moment, and it is no page of many."""
        return self.of_schema is None and all(map(_is_lasting, self.fields))


@dataclass(frozen=True, slots=True)
class PreparedMutation:
    """A mutation that is ready to run; ``vocabulary`` has its fields by the names that its caller knows."""

    fields: tuple[ChangeStep | Refused | Known, ...]
    cost: Cost
    vocabulary: Vocabulary
    is_atomic: bool = False
    unheeded: tuple[str, ...] = ()


Prepared = PreparedQuery | PreparedMutation


def _is_lasting(field: Read | Refused | Known) -> bool:
    if isinstance(field, Read):
        return field.planned.is_timeless and not (isinstance(field.step, ConnectionStep) and field.step.after)
    return isinstance(field, Known)


# What was asked before


def memory_key(access: Access, method: str, data: bytes) -> Hashable:
    """Return under what a request is remembered: who asks, and all that was sent."""
    kind = "graphql" if method == "POST" else "graphql in a URL"
    return access, kind, sha256(data).digest()


def remembered(service: Service, key: Hashable) -> PreparedQuery | None:
    """Return a query that was prepared before, None when it was not."""
    found = service.memory.get(key)
    return found if isinstance(found, PreparedQuery) else None


def remember(service: Service, key: Hashable, prepared: Prepared, size: int) -> None:
    """Keep a query of so many bytes that may be run again as it is."""
    if size <= MOST_KEPT_BYTES and isinstance(prepared, PreparedQuery) and prepared.is_lasting:
        service.memory.put(key, prepared)


# What is asked now


async def prepare(
    service: Service, access: Access, prospect: Prospect, document: Document, request: GraphQLRequest
) -> Prepared:
    """Return an operation ready to run; a field that cannot be planned does not keep the others from running.

    Many fields are planned one after the other, and other requests have the event loop between them.

    Raises:
        RequestError: ``operation_unknown``, ``variables_invalid``, ``query_too_large``.
        ForbiddenError: ``introspection_off``.
    """
    documents, vocabulary = prospect.documents, prospect.vocabulary
    operation, cost = operation_of(
        document, documents.schema, request.operation_name, request.variables, documents.limits
    )
    turn = Turn()
    if operation.kind == "mutation":
        changes = []
        for field in operation.fields:
            changes.append(_change(vocabulary, field))
            await turn.give_way()
        return PreparedMutation(tuple(changes), cost, vocabulary, operation.is_atomic, request.unheeded)
    reads = []
    for field in operation.fields:
        reads.append(_read(service, access, vocabulary, field))
        await turn.give_way()
    fields = tuple(reads)
    of_schema = OfSchema(documents, document, request) if operation.introspected else None
    return PreparedQuery(fields, cost, of_schema, request.unheeded)


class Turn:
    """The time for which one request has had the event loop to itself."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = perf_counter()

    async def give_way(self) -> None:
        """Let others have the loop, when it was long enough; there the request can be ended too."""
        if perf_counter() - self._began > LONGEST_TURN_S:
            await asyncio.sleep(0)
            self._began = perf_counter()


def check_method(method: str, document: Document, request: GraphQLRequest) -> None:
    """Pass unless a request that must not change anything holds a mutation.

    Raises:
        RequestError: ``operation_unknown``.
        MethodError: ``method_not_allowed``.
    Source: GraphQL over HTTP (draft), "GET".
    """
    if method != "POST" and document.operation(request.operation_name).operation.value != "query":
        raise MethodError("method_not_allowed", "Mutations are sent with POST.", headers={"Allow": "POST"})


def _read(service: Service, access: Access, vocabulary: Vocabulary, selected: Selected) -> Read | Refused | Known:
    known = _known(selected, "Query")
    if known is not None:
        return known
    try:
        step = step_of(selected, vocabulary)
        assert not isinstance(step, ChangeStep)  # those are fields of Mutation
        return _planned(service, access, step)
    except GatewayError as error:
        return Refused(selected, error)


def _planned(service: Service, access: Access, step: ReadStep) -> Read:
    context = service.context(access)
    if isinstance(step, ConnectionStep) and step.after is not None:
        position = service.cursors.open(step.after, step.binding, "after")
        page = replace(step.intent.page, after=position)
        step = replace(step, intent=replace(step.intent, page=page))
    if isinstance(step.intent, AggregateIntent):
        return Read(step, plan_groups(context, step.intent))
    planned = plan_read(context, step.intent)
    if isinstance(step, ConnectionStep) and step.has_cursors and not planned.plan.is_followed:
        raise RequestError("page_invalid", _NO_CURSORS, parameter="sort")
    return Read(step, planned)


_NO_CURSORS: Final = (
    "Rows have no cursors in this order, for a list of words that they are sorted by has no position to go on from: "
    "sort by something else, or page through the list by limit and offset."
)


def _change(vocabulary: Vocabulary, selected: Selected) -> ChangeStep | Refused | Known:
    known = _known(selected, "Mutation")
    if known is not None:
        return known
    try:
        step = step_of(selected, vocabulary)
    except GatewayError as error:
        return Refused(selected, error)
    assert isinstance(step, ChangeStep)  # those of Query read
    return step


def _known(selected: Selected, type_name: str) -> Known | None:
    if selected.meaning is None:  # ``__typename``; what is about the schema is not among the fields
        return Known(selected, type_name)
    return Known(selected, None) if isinstance(selected.meaning, Own) else None
