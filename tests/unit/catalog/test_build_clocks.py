"""A DATETIME that the server would fill from its own clock is filled from the CRM's."""

from __future__ import annotations

import pytest

from gateway.catalog.columns import ColumnRules, shape_table
from gateway.catalog.model import Filler
from gateway.catalog.reflected import ReflectedColumn, ReflectedTable


def column(sql_type: str, default: str | None, *, is_touched: bool = False) -> tuple[Filler | None, bool]:
    """Return filler and touch of a column with a default."""
    declared = ReflectedColumn("made", sql_type, is_nullable=False, default=default, is_touched=is_touched)
    shape = shape_table(ReflectedTable("t", (declared,)), None, None, ColumnRules((), frozenset()), ())
    made = shape.visible["made"]
    return made.filler, made.is_touched


@pytest.mark.parametrize("default", ["current_timestamp()", "CURRENT_TIMESTAMP", "now()", "current_timestamp(6)"])
def test_the_time_of_a_new_row_is_the_crms(default: str) -> None:
    """Connections run in UTC, which would be hours off the wall that DATETIME columns hold."""
    assert column("datetime", default) == (Filler("now"), False)


@pytest.mark.parametrize(
    ("sql_type", "default"), [("timestamp", "current_timestamp()"), ("datetime", "2020-01-01"), ("datetime", None)]
)
def test_other_defaults_are_the_databases(sql_type: str, default: str | None) -> None:
    """A TIMESTAMP is an instant, and a constant is a constant."""
    assert column(sql_type, default) == (None, False)


def test_a_column_that_takes_the_time_of_each_change_is_known() -> None:
    """ON UPDATE CURRENT_TIMESTAMP, on a DATETIME only."""
    assert column("datetime", None, is_touched=True) == (None, True)
    assert column("timestamp", None, is_touched=True) == (None, False)
