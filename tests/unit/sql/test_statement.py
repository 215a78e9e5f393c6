"""A compiled statement: binding values to placeholders, decoding rows."""

from __future__ import annotations

from gateway.sql.statement import Constant, LinkValue, Statement


def test_parameters_come_from_slots_and_constants() -> None:
    """In the order of the placeholders, a slot as often as it is used."""
    statement = Statement("…", (1, Constant("lead"), 0, 1))

    assert statement.bind(("a", "b")) == ("b", "lead", "a", "b")


def test_rows_are_decoded_by_position() -> None:
    """One row or many, null never reaches a decoder."""
    statement = Statement("…", (), ("id", "name"), ((1, str.upper),))

    assert statement.decode([]) == []
    assert statement.decode([(1, "a")]) == [{"id": 1, "name": "A"}]
    assert statement.decode([(1, None)]) == [{"id": 1, "name": None}]
    assert statement.decode([(1, "a"), (2, None)]) == [{"id": 1, "name": "A"}, {"id": 2, "name": None}]


def test_rows_without_fields_are_still_rows() -> None:
    """They are counted."""
    assert Statement("SELECT 1").decode([(1,), (1,)]) == [{}, {}]


def test_parameters_come_from_the_rows_read_before() -> None:
    """Beside slots and constants: what the parents of an embed hold, by its place."""
    statement = Statement("…", (LinkValue(1), 0, LinkValue(0), Constant("invoice")))

    assert statement.bind((9,), (4, 5)) == (5, 9, 4, "invoice")


def test_cells_behind_the_names_are_not_shown() -> None:
    """They are for the position, the key and the links of a row, and never decoded."""
    statement = Statement("…", (), ("id", "name"), ((1, str.upper),), order=(2, 0), key=(0,), links=((3,),))

    for number in (1, 2):
        assert statement.decode([(1, "a", b"x", None)] * number) == [{"id": 1, "name": "A"}] * number
