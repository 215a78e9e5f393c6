"""A compiled statement: binding values to placeholders, decoding rows."""

from __future__ import annotations

from gateway.sql.statement import Constant, Statement


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
