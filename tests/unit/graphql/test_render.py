"""Results as a document asked for them: pages, cursors, totals, what was cut, and errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.catalog.model import Table
from gateway.errors import GatewayError, Issue, RequestError, ValidationError
from gateway.graphql.faults import DocumentError
from gateway.graphql.meaning import Nested, NestedNumbers, Own, Rows
from gateway.graphql.render import Rendered, error_entry, place_of_fault, render
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Around, Cell, Edges, Frame, Framed, FramePiece, Inside, Nodes, Shape, Told, TypeName
from gateway.graphql.steps import ConnectionStep, GroupsStep, NumbersStep, RowsStep, RowStep, needs_rows
from gateway.operations.results import TAG_KEY, Count, PageResult, RowResult, Truncation
from gateway.query.budget import BudgetError
from gateway.query.intent import AggregateIntent, ReadIntent
from gateway.query.positions import Position
from tests.support.asking import crm

PETS: Table = crm().resources["clients"]
NAMES = Shape((("name", Cell("label")), ("kind", TypeName("Pet"))))
TOYS = Shape((("toys", Inside("things", Shape((("id", Cell("id")),)))),))


def seal(position: Position) -> str:
    """Make a cursor that shows what it is of."""
    return f"at {position[0]}"


def selected(key: str = "pets") -> Selected:
    """Return a field of Query."""
    return Selected(key, "pets", Rows(PETS))


def page(
    rows: Sequence[dict[str, Any]],
    *,
    total: int | None = None,
    form: Any = "none",
    has_more: bool = False,
    **others: Any,
) -> PageResult:
    """Return a page of rows."""
    return PageResult(list(rows), Count(form, total), has_more, 0, 25, **others)


def cut(*place: str | int, limit: int = 2) -> Truncation:
    """Return what was left out at a place."""
    return Truncation(place, PETS, (), (), limit)


def listed(result: PageResult, shape: Shape = NAMES, *, is_default_page: bool = False) -> Rendered:
    """Return a list as it is rendered."""
    return render(RowsStep(selected(), ReadIntent("pets"), shape, is_default_page), result, seal)


def connected(result: PageResult, frame: Frame, *, after: str | None = None) -> Rendered:
    """Return a connection as it is rendered."""
    return render(ConnectionStep(selected(), ReadIntent("pets"), frame, b"", after), result, seal)


def test_a_list_is_its_rows() -> None:
    """Shaped, and counted for the record."""
    assert listed(page([{"label": "Rex"}, {"label": None}])) == Rendered(
        [{"name": "Rex", "kind": "Pet"}, {"name": None, "kind": "Pet"}], rows=2
    )


@pytest.mark.parametrize(("is_default_page", "has_more"), [(True, False), (False, True), (False, False)])
def test_a_page_that_was_asked_for_or_has_all_rows_is_not_cut(is_default_page: bool, has_more: bool) -> None:
    """Nothing is told of it."""
    assert listed(page([], has_more=has_more), is_default_page=is_default_page).truncated == ()


def test_a_page_of_no_named_size_tells_that_there_is_more() -> None:
    """With the size that it has."""
    assert listed(page([], has_more=True), is_default_page=True).truncated == ({"path": ("pets",), "limit": 25},)


def test_what_was_cut_is_told_by_the_keys_of_the_reply() -> None:
    """With the numbers of the rows."""
    rows = [{"things": [{"id": 1}]}, {"things": [{"id": 2}]}]

    assert listed(page(rows, truncated=(cut(1, "things"),)), TOYS).truncated == (
        {"path": ("pets", 1, "toys"), "limit": 2},
    )


def test_lists_whose_size_was_named_are_not_told_to_be_cut() -> None:
    """Who named it knows; a list inside one of them may still be cut without being asked to."""
    ids = Shape((("id", Cell("id")), ("parts", Inside("parts", Shape(())))))
    shape = Shape((("few", Inside("things", ids, is_sized=True)), ("all", Inside("things", ids))))
    rows = [{"things": [{"id": 1, "parts": []}]}]

    assert listed(page(rows, truncated=(cut(0, "things"), cut(0, "things", 0, "parts"))), shape).truncated == (
        {"path": ("pets", 0, "all"), "limit": 2},
        {"path": ("pets", 0, "few", 0, "parts"), "limit": 2},
        {"path": ("pets", 0, "all", 0, "parts"), "limit": 2},
    )


def test_a_connection_that_says_that_there_is_more_is_not_told_to_be_cut() -> None:
    """Where that is not selected it is told as of any list."""
    step = ConnectionStep(selected(), ReadIntent("pets"), CONNECTION, b"", is_default_page=True)
    plain = replace(step, frame=Frame((("nodes", Nodes(NAMES)),)))

    assert render(step, page([], has_more=True), seal).truncated == ()
    assert render(plain, page([], has_more=True), seal).truncated == ({"path": ("pets",), "limit": 25},)


@pytest.mark.parametrize(
    ("piece", "is_needed", "has_cursors"),
    [
        (Told("totalCount"), False, False),
        (Told("totalCountIs"), False, False),
        (TypeName("PetConnection"), False, False),
        (Framed(Frame((("before", Told("hasPreviousPage")),))), False, False),
        (Framed(Frame((("next", Told("hasNextPage")),))), True, False),
        (Framed(Frame((("end", Told("endCursor")),))), True, True),
        (Nodes(NAMES), True, False),
        (Edges(Frame((("__typename", TypeName("PetEdge")),))), True, False),
        (Edges(Frame((("cursor", Told("cursor")),))), True, True),
    ],
)
def test_a_page_knows_what_it_needs_of_its_rows(piece: FramePiece, is_needed: bool, has_cursors: bool) -> None:
    """A total by itself needs none of them; edges need as many as there are, whatever is in them."""
    step = ConnectionStep(selected(), ReadIntent("pets"), Frame((("a", Told("totalCount")), ("b", piece))), b"")

    assert (needs_rows(step), step.has_cursors) == (is_needed, has_cursors)


def test_one_row_is_an_object() -> None:
    """What is cut in it has no number; none is null."""
    step = RowStep(selected(), ReadIntent("pets", key=("1",)), TOYS)

    assert render(step, RowResult({"things": []}, "t", (cut("things"),)), seal) == Rendered(
        {"toys": []}, ({"path": ("pets", "toys"), "limit": 2},), rows=1
    )
    assert render(step, None, seal) == Rendered(None)


def test_one_row_shows_its_tag_where_it_was_asked_for() -> None:
    """And the row that was read is left as it was."""
    row = {"label": "Rex"}
    step = RowStep(selected(), ReadIntent("pets", key=("1",), is_tagged=True), Shape((("_etag", Cell(TAG_KEY)),)))

    assert render(step, RowResult(row, "abc"), seal).value == {"_etag": "abc"}
    assert row == {"label": "Rex"}


def test_numbers_are_one_object() -> None:
    """With what a reader of them must be told."""
    shape = Shape((("count", Cell("count")), ("sum", Around(Shape((("total", Cell("sum.total")),))))))
    step = NumbersStep(selected("n"), AggregateIntent("pets"), shape)

    assert render(step, page([{"count": 2, "sum.total": "5.00"}], warnings=("mixed_currency",)), seal) == Rendered(
        {"count": 2, "sum": {"total": "5.00"}}, warnings=({"path": ("n",), "code": "mixed_currency"},), rows=1
    )


CONNECTION = Frame(
    (
        ("total", Told("totalCount")),
        ("how", Told("totalCountIs")),
        ("__typename", TypeName("PetConnection")),
        ("nodes", Nodes(NAMES)),
        ("edges", Edges(Frame((("at", Told("cursor")), ("pet", Nodes(NAMES)), ("__typename", TypeName("PetEdge")))))),
        (
            "info",
            Framed(
                Frame(
                    (
                        ("next", Told("hasNextPage")),
                        ("before", Told("hasPreviousPage")),
                        ("first", Told("startCursor")),
                        ("last", Told("endCursor")),
                        ("__typename", TypeName("PageInfo")),
                    )
                )
            ),
        ),
    )
)


def test_a_connection_has_its_rows_in_edges_and_its_page_around_them() -> None:
    """As often as they were selected; each edge knows where it stands."""
    rows = [{"label": "Rex"}, {"label": "Mia"}]
    result = page(rows, total=7, form="recent", has_more=True, positions=((1,), (2,)))
    rex, mia = {"name": "Rex", "kind": "Pet"}, {"name": "Mia", "kind": "Pet"}

    value = connected(result, CONNECTION, after="x").value

    assert value == {
        "total": 7,
        "how": "RECENT",
        "__typename": "PetConnection",
        "nodes": [rex, mia],
        "edges": [
            {"at": "at 1", "pet": rex, "__typename": "PetEdge"},
            {"at": "at 2", "pet": mia, "__typename": "PetEdge"},
        ],
        "info": {"next": True, "before": True, "first": "at 1", "last": "at 2", "__typename": "PageInfo"},
    }
    assert list(value) == [key for key, _ in CONNECTION.pieces]


def test_a_connection_without_rows_has_no_cursors() -> None:
    """And nothing before it where it began at the start."""
    value = connected(page([], total=0, form="exact"), CONNECTION).value

    assert (value["nodes"], value["edges"]) == ([], [])
    assert value["info"] == {"next": False, "before": False, "first": None, "last": None, "__typename": "PageInfo"}


def test_rows_whose_order_has_no_positions_have_no_cursors() -> None:
    """Null, and never one that leads elsewhere."""
    value = connected(page([{"label": "Rex"}]), CONNECTION).value

    assert (value["edges"][0]["at"], value["info"]["first"], value["total"], value["how"]) == (None, None, None, "NONE")


def test_what_was_cut_in_a_connection_is_told_in_each_place_of_its_rows() -> None:
    """In its nodes, and in the nodes of its edges."""
    frame = Frame((("nodes", Nodes(TOYS)), ("all", Edges(Frame((("one", Nodes(TOYS)), ("at", Told("cursor"))))))))
    rows: list[dict[str, Any]] = [{"things": []}, {"things": []}]

    assert connected(page(rows, truncated=(cut(1, "things"),)), frame).truncated == (
        {"path": ("pets", "nodes", 1, "toys"), "limit": 2},
        {"path": ("pets", "all", 1, "one", "toys"), "limit": 2},
    )


def test_groups_are_a_page_of_nodes() -> None:
    """What rows are grouped by stands under one key; what is cut in their rows is told by it."""
    client = Inside("client", TOYS)
    node = Shape((("key", Around(Shape((("who", client), ("month", Cell("date.month")))))), ("count", Cell("count"))))
    step = GroupsStep(selected("g"), AggregateIntent("pets"), Frame((("nodes", Nodes(node)),)), is_default_page=True)
    rows: list[dict[str, Any]] = [{"client": {"things": []}, "date.month": "2026-01", "count": 3}]

    assert render(step, page(rows, has_more=True, truncated=(cut(0, "client", "things"),)), seal) == Rendered(
        {"nodes": [{"key": {"who": {"toys": []}, "month": "2026-01"}, "count": 3}]},
        ({"path": ("g",), "limit": 25}, {"path": ("g", "nodes", 0, "key", "who", "toys"), "limit": 2}),
        rows=1,
    )


# Errors


def test_an_error_tells_its_code_its_status_and_where_it_stands() -> None:
    """Those of REST; lines and columns count from 1."""
    assert error_entry(RequestError("filter_syntax", "No."), ("pets",), (2, 3)) == {
        "message": "No.",
        "locations": [{"line": 2, "column": 3}],
        "path": ("pets",),
        "extensions": {"code": "filter_syntax", "status": 400},
    }


def test_an_error_of_the_whole_request_has_no_path() -> None:
    """Nor a place that nobody knows."""
    assert error_entry(GatewayError("overloaded", "Busy."), (), (0, 0)) == {
        "message": "Busy.",
        "extensions": {"code": "overloaded", "status": 503},
    }


def test_every_fault_of_an_input_is_named() -> None:
    """As the problem document of REST names it."""
    error = ValidationError(
        "fields_invalid", "Wrong.", issues=[Issue("Too long.", pointer="/company", code="too_long", suggestion="x")]
    )

    assert error_entry(error)["extensions"] == {
        "code": "fields_invalid",
        "status": 422,
        "errors": [{"message": "Too long.", "pointer": "/company", "code": "too_long", "suggestion": "x"}],
    }


@pytest.mark.parametrize(
    ("parameter", "told"),
    [("filter.total", "filter.total"), ("search", "search"), ("metrics", None), ("include", None)],
)
def test_parameters_are_named_as_arguments(parameter: str, told: str | None) -> None:
    """What is selected here is none."""
    entry: Any = error_entry(RequestError("query_too_large", "No.", parameter=parameter))

    assert entry["extensions"]["errors"][0].get("parameter") == told


def nested_field(key: str, meaning: object, line: int, *parts: Selected) -> Selected:
    """Return a field of rows, in a line of its own."""
    return Selected(key, key, meaning, parts=parts, line=line, column=1)  # type: ignore[arg-type]  # whatever meaning the test gives


@pytest.mark.parametrize(
    ("parameter", "line"),
    [
        ("limit", 1),
        ("filter.total_gte", 1),
        ("toys.limit", 3),
        ("toys.maker.filter.id", 4),
        ("toys.filter.maker.id", 3),
        ("sums.filter.id", 5),
        ("sort.toys", 1),
        ("made_up.limit", 1),
        ("", 1),
    ],
)
def test_an_error_stands_where_the_field_stands_that_it_is_about(parameter: str, line: int) -> None:
    """A relationship inside, whatever is around the rows; its path is that of the field that is null."""
    edge = PETS.relationships["invoices"]
    maker = nested_field("maker", Nested(edge, PETS), 4)
    toys = nested_field("toys", Nested(edge, PETS), 3, maker, nested_field("limit", None, 9))
    rows = nested_field("nodes", Own("nodes"), 2, toys, nested_field("sums", NestedNumbers(edge, PETS), 5))
    asked = replace(nested_field("pets", Rows(PETS), 1, rows), arguments={"limit": 1, "filter": {}, "sort": []})

    assert place_of_fault(asked, RequestError("page_invalid", "x", parameter=parameter or None)) == (line, 1)


def test_a_relationship_called_as_an_argument_that_was_given_is_not_taken_for_it() -> None:
    """`filter.id` is then about the argument."""
    called = nested_field("filter", Nested(PETS.relationships["invoices"], PETS), 2)
    asked = nested_field("pets", Rows(PETS), 1, called)
    error = RequestError("operand_invalid", "x", parameter="filter.id")

    assert place_of_fault(asked, error) == (2, 1)
    assert place_of_fault(replace(asked, arguments={"filter": {"id": 1}}), error) == (1, 1)


def test_what_is_too_large_tells_its_measure_its_cost_and_the_limit() -> None:
    """Also where the planner says so."""
    error = BudgetError("metrics", 21, 20, "A query has at most 20 metrics; this one has 21.", "metrics")

    assert error_entry(error)["extensions"] == {
        "code": "query_too_large",
        "status": 400,
        "measure": "metrics",
        "cost": 21,
        "limit": 20,
        "errors": [{"message": "A query has at most 20 metrics; this one has 21."}],
    }


def test_a_fault_of_a_document_has_its_own_places() -> None:
    """And what it costs beside the limit."""
    error = DocumentError(
        "query_too_large", "Deep.", locations=((1, 2), (3, 4)), path=("a",), extensions={"cost": 20, "limit": 12}
    )

    assert error_entry(error) == {
        "message": "Deep.",
        "locations": [{"line": 1, "column": 2}, {"line": 3, "column": 4}],
        "path": ("a",),
        "extensions": {"code": "query_too_large", "status": 400, "cost": 20, "limit": 12},
    }


def test_an_error_can_be_sent_whatever_the_client_wrote() -> None:
    """Half a character cannot go back as it came."""
    entry = error_entry(RequestError("operand_invalid", "\ud800 is none.", parameter="filter.\udfff"))

    assert "\\ud" not in json.dumps(entry)
