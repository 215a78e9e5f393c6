"""Amounts of sales documents, to the cent: equal to a model written from SEMANTICS 3.3 with exact fractions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.managed.money import LARGEST, Discount, DiscountType, Line, Totals, line_amount, totals
from tests.support.amounts_model import model

D = Decimal


def money(low: str, high: str) -> st.SearchStrategy[Decimal]:
    """Return amounts with two decimals."""
    return st.decimals(low, high, places=2)


LINES = st.lists(
    st.builds(
        Line,
        money("-999999.99", "999999.99"),
        money("-9999999.99", "9999999.99"),
        st.lists(st.sampled_from([D("5"), D("7.5"), D("19"), D("20"), D("33.33"), D("0")]), max_size=3).map(tuple),
        st.booleans(),
    ),
    max_size=8,
)
TYPES: st.SearchStrategy[DiscountType] = st.sampled_from(["", "before_tax", "after_tax"])
DISCOUNTS = st.one_of(
    st.builds(lambda kind, percent: Discount(kind, percent=percent), TYPES, money("0", "100")),
    st.builds(lambda kind, fixed: Discount(kind, fixed=fixed), TYPES, money("0", "99999.99")),
)


@given(LINES, DISCOUNTS, money("-999.99", "999.99"))
def test_amounts_are_those_of_the_model(lines: list[Line], discount: Discount, adjustment: Decimal) -> None:
    """Whatever the lines, taxes, discounts and adjustments are."""
    found = totals(lines, discount, adjustment)

    assert (found.subtotal, found.discount_total, found.total_tax, found.total) == model(lines, discount, adjustment)


@pytest.mark.parametrize(
    ("discount", "expected"),
    [
        (Discount(), ("100.00", "0.00", "20.00", "120.00")),
        (Discount("before_tax", D(10)), ("100.00", "10.00", "18.00", "108.00")),
        (Discount("before_tax", fixed=D(25)), ("100.00", "25.00", "15.00", "90.00")),
        (Discount("after_tax", D(10)), ("100.00", "12.00", "20.00", "108.00")),
        (Discount("after_tax", fixed=D(25)), ("100.00", "25.00", "20.00", "95.00")),
    ],
)
def test_a_discount_before_tax_lowers_the_tax(discount: Discount, expected: tuple[str, ...]) -> None:
    """One after tax does not, and a percentage of it is taken from subtotal and tax together."""
    found = totals([Line(D(2), D(50), (D(20),))], discount)

    assert found == Totals(*map(D, expected))


def test_a_line_is_rounded_before_it_is_taxed() -> None:
    """A half cent goes up: three times 0.335 is 1.005, and so 1.01."""
    line = Line(D(3), D("0.335"), (D(100),))

    assert line_amount(line) == D("1.01")
    assert totals([line], Discount()).total_tax == D("1.01")


def test_taxes_and_discount_enter_the_total_unrounded() -> None:
    """So the total may differ by a cent from the sum of the amounts that are shown."""
    found = totals([Line(D(1), D("0.10"), (D(5),)), Line(D(1), D("0.10"), (D(5),))], Discount("before_tax", D("2.5")))

    assert (found.subtotal, found.discount_total, found.total_tax, found.total) == (
        D("0.20"),
        D("0.01"),
        D("0.01"),
        D("0.20"),
    )


def test_nothing_is_divided_by_a_subtotal_of_zero() -> None:
    """Lines that cancel each other out keep their taxes under a fixed discount."""
    lines = [Line(D(1), D(10), (D(10),)), Line(D(-1), D(10))]

    assert totals(lines, Discount("before_tax", fixed=D(5))) == Totals(D("0.00"), D("5.00"), D("1.00"), D("-4.00"))


def test_an_optional_line_that_was_not_chosen_counts_for_nothing() -> None:
    """Neither its amount nor its tax."""
    found = totals([Line(D(1), D(10), (D(10),), is_counted=False)], Discount())

    assert found == Totals(D("0.00"), D("0.00"), D("0.00"), D("0.00"))


def test_a_document_without_lines_has_its_adjustment() -> None:
    """Minus zero is written as zero."""
    assert totals([], Discount(), D("-0.004")).total.as_tuple().sign == 0
    assert totals([], Discount(), D("5")).total == D("5.00")


def test_amounts_that_no_column_holds_are_noticed() -> None:
    """They are exact all the same."""
    largest = totals([Line(D(1), LARGEST)], Discount())

    assert largest.fits()
    assert not totals([Line(D(10), LARGEST, (D("99.99"),))], Discount()).fits()
