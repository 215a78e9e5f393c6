"""Rows become objects: keys as they were asked for, in their order, and nothing is done where rows are so already."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql.shapes import EMPTY, Around, Cell, Inside, Piece, Shape, TypeName, places_of


def shape(*pieces: tuple[str, Piece]) -> Shape:
    """Return a shape that is not plain."""
    return Shape(pieces)


def test_plain_rows_are_the_very_same_list() -> None:
    """No row is touched where all of them are as they should be."""
    rows = [{"id": 1}]

    assert Shape((("id", Cell("id")),), is_plain=True).rows(rows) is rows


def test_keys_stand_in_the_order_of_the_document() -> None:
    """Under their aliases; what was not asked for is left out."""
    made = shape(("sum", Cell("total")), ("id", Cell("id"))).rows([{"id": 1, "total": "5", "x": 0}])

    assert [list(row.items()) for row in made] == [[("sum", "5"), ("id", 1)]]


def test_big_numbers_become_text() -> None:
    """And null stays null."""
    made = shape(("n", Cell("n", is_text=True))).rows([{"n": 2**40}, {"n": None}, {"n": "9"}])

    assert made == [{"n": str(2**40)}, {"n": None}, {"n": "9"}]


def test_a_type_name_is_the_same_everywhere() -> None:
    """It stands where it was asked for, also where nothing else was."""
    made = shape(("t", TypeName("Pet")), ("id", Cell("id")), ("u", TypeName("Pet"))).rows([{"id": 1}, {"id": 2}])

    assert [list(row) for row in made] == [["t", "id", "u"]] * 2
    assert made[1] == {"t": "Pet", "id": 2, "u": "Pet"}
    assert shape(("__typename", TypeName("Pet"))).rows([{"id": 1}]) == [{"__typename": "Pet"}]


def test_inner_rows_are_shaped_in_turn() -> None:
    """One, several, none, and null."""
    inner = shape(("n", Cell("no")))
    outer = shape(("one", Inside("client", inner)), ("many", Inside("lines", inner)))
    rows: list[dict[str, Any]] = [
        {"client": {"no": 1}, "lines": [{"no": 2}, {"no": 3}]},
        {"client": None, "lines": []},
    ]

    assert outer.rows(rows) == [
        {"one": {"n": 1}, "many": [{"n": 2}, {"n": 3}]},
        {"one": None, "many": []},
    ]


def test_a_row_that_stands_in_several_places_is_not_changed() -> None:
    """Rows of a to-one are shared between the rows that refer to them."""
    shared = {"no": 7}
    outer = shape(("a", Inside("client", shape(("n", Cell("no", is_text=True))))))

    made = outer.rows([{"client": shared}, {"client": shared}])

    assert made == [{"a": {"n": "7"}}] * 2
    assert shared == {"no": 7}


def test_an_object_can_be_made_of_the_same_row() -> None:
    """Numbers of groups are flat, their objects are not."""
    outer = shape(
        ("count", Cell("count")),
        ("sum", Around(shape(("total", Cell("sum.total")), ("__typename", TypeName("InvoiceSum"))))),
    )

    made = outer.rows([{"count": 2, "sum.total": "9.00"}])

    assert made == [{"count": 2, "sum": {"total": "9.00", "__typename": "InvoiceSum"}}]
    assert list(made[0]) == ["count", "sum"]


def test_one_row_is_shaped_like_many() -> None:
    """Plain or not."""
    row = {"id": 1}

    assert Shape((("id", Cell("id")),), is_plain=True).row(row) is row
    assert shape(("key", Cell("id"))).row(row) == {"key": 1}
    assert EMPTY.row(row) == {}


def test_no_rows_are_no_objects() -> None:
    """Whatever the shape."""
    assert shape(("a", Around(shape(("b", Cell("b")))))).rows([]) == []


def test_places_of_rows_are_told_by_the_keys_of_the_reply() -> None:
    """Through objects of the same row, and in each place where the rows were selected."""
    lines = shape(("paid", Inside("payments", shape(("id", Cell("id"))))))
    outer = shape(
        ("a", Inside("lines", lines)),
        ("b", Around(shape(("c", Inside("lines", lines))))),
        ("d", Inside("lines", shape(("id", Cell("id"))))),
    )

    assert list(places_of(outer, ("lines", 3, "payments"))) == [("a", 3, "paid"), ("b", "c", 3, "paid")]
    assert list(places_of(outer, (2, "lines"))) == [(2, "a"), (2, "b", "c"), (2, "d")]
    assert list(places_of(outer, ("other",))) == []


def plainly(row: Any, wanted: Shape) -> Any:
    """What an object should be, said one key at a time."""
    if row is None:
        return None
    if isinstance(row, list):
        return [plainly(each, wanted) for each in row]
    made = {}
    for key, piece in wanted.pieces:
        match piece:
            case TypeName(text=text):
                made[key] = text
            case Cell(name=name, is_text=is_text):
                made[key] = str(row[name]) if is_text and row[name] is not None else row[name]
            case Inside(name=name, shape=inner):
                made[key] = plainly(row[name], inner)
            case Around(shape=inner):
                made[key] = plainly(row, inner)
    return made


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
CELLS = st.builds(Cell, st.sampled_from(["x", "y"]), st.booleans()) | st.just(TypeName("T"))


def _shapes(depth: int) -> st.SearchStrategy[Shape]:
    inside = st.deferred(lambda: _shapes(depth - 1))
    pieces: st.SearchStrategy[Piece] = CELLS
    if depth:
        pieces = CELLS | st.builds(Inside, st.sampled_from(["one", "many"]), inside) | st.builds(Around, inside)
    return st.dictionaries(KEYS, pieces, max_size=4).map(lambda found: Shape(tuple(found.items())))


def _rows(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    inner = _rows(depth - 1) if depth else st.just({})
    return st.fixed_dictionaries(
        {
            "x": st.none() | st.integers(),
            "y": st.none() | st.text(max_size=2),
            "one": st.none() | inner,
            "many": st.lists(inner, max_size=2),
        }
    )


@given(st.lists(_rows(2), max_size=3), _shapes(2))
def test_any_shape_makes_what_it_says(rows: list[dict[str, Any]], wanted: Shape) -> None:
    """The same as one key after the other would, in the same order."""
    made = wanted.rows(rows)

    due = [plainly(row, wanted) for row in rows]
    assert made == due
    assert [list(row) for row in made] == [list(row) for row in due]


@pytest.mark.parametrize("other", [Shape((("id", Cell("no")),)), Shape((("id", Cell("id")),), is_plain=True)])
def test_shapes_are_equal_by_what_they_make(other: Shape) -> None:
    """So that translations can be compared."""
    assert shape(("id", Cell("id"))) == shape(("id", Cell("id"))) != other
