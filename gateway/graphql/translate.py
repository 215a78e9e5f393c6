"""Selections of Query and Mutation -> steps: what the engine is asked, and how its answers are shaped.

Each field of Query becomes one read, whatever is selected below it, each field of Mutation one write. Names
mean what the vocabulary says; values are left to the planner, which judges them as it does for REST.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from gateway.catalog.model import Table
from gateway.graphql.changes import change_step
from gateway.graphql.conditions import filter_intents, having_intents
from gateway.graphql.grouping import GroupDraft
from gateway.graphql.keys import key_texts
from gateway.graphql.meaning import Change, Connection, Groups, Numbers, Own, Row, Rows
from gateway.graphql.rows import RowDraft, RowSelection, metric_words, numbers_shape, row_selection
from gateway.graphql.selection import Operation, Selected
from gateway.graphql.shapes import Edges, Frame, Framed, FramePiece, Nodes, Shape, Told, TypeName
from gateway.graphql.sorting import group_order_intents, order_intents
from gateway.graphql.steps import (
    FORMAT,
    PARAMETERS,
    ConnectionStep,
    GroupsStep,
    NumbersStep,
    ReadStep,
    RowsStep,
    RowStep,
    Step,
)
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.intent import AggregateIntent, PageIntent, ReadIntent

TOTALS: Final = frozenset({"totalCount", "totalCountIs"})


def translate(operation: Operation, vocabulary: Vocabulary) -> tuple[Step, ...]:
    """Return what an operation asks of the engine, field by field in order.

    Raises:
        GatewayError: as `step_of`, for the first field that cannot be asked.
    """
    return tuple(step_of(selected, vocabulary) for selected in operation.fields)


def step_of(selected: Selected, vocabulary: Vocabulary) -> Step:
    """Return what one field of Query or Mutation asks of the engine.

    Raises:
        RequestError: ``filter_syntax``, ``sort_syntax``, ``key_invalid``, ``query_too_large``.
        GatewayError: as `changes.change_step`.
    """
    meaning = selected.meaning
    if isinstance(meaning, Change):
        return change_step(selected, vocabulary)
    return read_step(selected, vocabulary)


def read_step(selected: Selected, vocabulary: Vocabulary) -> ReadStep:
    """Return what one field of Query asks of the engine.

    Raises:
        RequestError: as `step_of`.
    """
    match selected.meaning:
        case Rows(table=table):
            return _rows(selected, table, vocabulary)
        case Row() as meaning:
            return _row(selected, meaning, vocabulary)
        case Connection(table=table):
            return _connection(selected, table, vocabulary)
        case Numbers(table=table):
            return _numbers(selected, table, vocabulary)
        case Groups(table=table):
            return _groups(selected, table, vocabulary)
    raise AssertionError(f"{selected.name} is no field of Query")


def _rows(selected: Selected, table: Table, vocabulary: Vocabulary) -> RowsStep:
    given = selected.arguments
    chosen = _chosen(selected, table, vocabulary)
    intent = _listed(given, table, vocabulary, chosen, _page(given))
    return RowsStep(selected, intent, chosen.shape, given.get("limit") is None)


def _listed(
    given: Mapping[str, Any],
    table: Table,
    vocabulary: Vocabulary,
    chosen: RowSelection[Shape] | RowSelection[Frame],
    page: PageIntent,
    count: str = "none",
) -> ReadIntent:
    """What a list asks for, whether it is told as rows or as a connection."""
    return ReadIntent(
        table.resource or "",
        fields=chosen.fields,
        conditions=filter_intents(given.get("filter"), table, vocabulary),
        search=given.get("search"),
        order=order_intents(given.get("sort"), table, vocabulary),
        page=page,
        count=count,
        format=FORMAT,
        parameters=PARAMETERS,
        embeds=chosen.embeds,
        takes_labels=chosen.takes_labels,
        is_tagged=chosen.is_tagged,
    )


def _row(selected: Selected, meaning: Row, vocabulary: Vocabulary) -> RowStep:
    chosen = _chosen(selected, meaning.table, vocabulary)
    intent = ReadIntent(
        meaning.table.resource or "",
        key=key_texts(meaning, selected.arguments),
        fields=chosen.fields,
        format=FORMAT,
        embeds=chosen.embeds,
        takes_labels=chosen.takes_labels,
        is_tagged=chosen.is_tagged,
    )
    return RowStep(selected, intent, chosen.shape)


def _chosen(selected: Selected, table: Table, vocabulary: Vocabulary) -> RowSelection[Shape]:
    return selected.once("rows", lambda: row_selection(selected.parts, table, vocabulary))


def _connection(selected: Selected, table: Table, vocabulary: Vocabulary) -> ConnectionStep:
    given = selected.arguments
    chosen = selected.once("page", lambda: _paged(selected, table, vocabulary))
    page = PageIntent(given.get("first"), size="first", start="after")
    intent = _listed(given, table, vocabulary, chosen, page, _count(selected))
    return ConnectionStep(
        selected, intent, chosen.shape, binding_of(table, given), given.get("after"), given.get("first") is None
    )


def _paged(selected: Selected, table: Table, vocabulary: Vocabulary) -> RowSelection[Frame]:
    """What a page asks of its rows, wherever in it they are selected."""
    draft = RowDraft(table, vocabulary)
    for inner in _inner(selected.parts):
        draft.add(inner.parts)
    frame = _frame(selected, lambda inner: draft.shape(inner.parts))
    return RowSelection(draft.fields, draft.takes_labels, draft.is_tagged, draft.embeds(), frame)


def _numbers(selected: Selected, table: Table, vocabulary: Vocabulary) -> NumbersStep:
    given = selected.arguments
    metrics, shape = selected.once("numbers", lambda: _numbered(selected))
    intent = AggregateIntent(
        table.resource or "",
        metrics=metrics,
        conditions=filter_intents(given.get("filter"), table, vocabulary),
        search=given.get("search"),
        count="none",
        format=FORMAT,
        parameters=PARAMETERS,
    )
    return NumbersStep(selected, intent, shape)


def _numbered(selected: Selected) -> tuple[tuple[str, ...], Shape]:
    """The words of the metrics that are selected, and the shape of their object."""
    return tuple(dict.fromkeys(metric_words(selected.parts))), numbers_shape(selected.parts, selected.type_name)


def _groups(selected: Selected, table: Table, vocabulary: Vocabulary) -> GroupsStep:
    given = selected.arguments
    draft = GroupDraft(table, vocabulary)
    for inner in _inner(selected.parts):
        draft.add(inner.parts)
    order, sorted_metrics = group_order_intents(given.get("sort"), table, vocabulary)
    draft.add_metrics(sorted_metrics)
    intent = AggregateIntent(
        table.resource or "",
        groups=draft.words,
        metrics=draft.metrics,
        having=having_intents(given.get("having"), table, vocabulary),
        conditions=filter_intents(given.get("filter"), table, vocabulary),
        search=given.get("search"),
        order=order,
        page=_page(given),
        count=_count(selected),
        format=FORMAT,
        parameters=PARAMETERS,
        embeds=draft.embeds(),
        has_labels=draft.has_labels,
    )
    frame = _frame(selected, lambda inner: draft.shape(inner.parts, inner.type_name))
    return GroupsStep(selected, intent, frame, given.get("limit") is None)


def _page(given: Mapping[str, Any]) -> PageIntent:
    """The page of a list; what is null was not said."""
    offset = given.get("offset")
    return PageIntent(given.get("limit"), 0 if offset is None else offset, size="limit", start="offset")


def _count(selected: Selected) -> str:
    """How the total is counted; not at all where it is not selected."""
    names = {part.meaning.name for part in selected.parts if isinstance(part.meaning, Own)}
    if names.isdisjoint(TOTALS):
        return "none"
    return str(selected.arguments.get("count") or "exact").lower()


def _inner(parts: Iterable[Selected]) -> Iterator[Selected]:
    """Yield each selection of the rows of a page, those of its edges among them."""
    for part in parts:
        match part.meaning:
            case Own(name="nodes" | "node"):
                yield part
            case Own(name="edges"):
                yield from _inner(part.parts)


def _frame(selected: Selected, shape: Callable[[Selected], Shape]) -> Frame:
    """What is around the rows of a page; ``shape`` makes the shape of each selection of them."""

    def piece(part: Selected, type_name: str) -> FramePiece:
        match part.meaning:
            case Own(name="nodes" | "node"):
                return Nodes(shape(part))
            case Own(name="edges"):
                return Edges(frame(part))
            case Own(name="pageInfo"):
                return Framed(frame(part))
            case Own(name=name):
                return Told(name)
            case _:
                return TypeName(type_name)

    def frame(outer: Selected) -> Frame:
        return Frame(tuple((part.key, piece(part, outer.type_name)) for part in outer.parts))

    return frame(selected)


def binding_of(table: Table, given: Mapping[str, Any]) -> bytes:
    """Return what the cursors of a list are bound to: what decides which rows there are, and in which order.

    Not the fields, nor the size of a page: they may change from page to page.
    """
    deciding = {name: given[name] for name in ("filter", "search", "sort") if given.get(name) is not None}
    return json.dumps(["graphql", table.resource, deciding], sort_keys=True, default=str).encode()
