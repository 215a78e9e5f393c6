"""Totals: the CRM's arithmetic in integers, and the figures that are refused."""

from __future__ import annotations

import pytest

from sample_crm.money import NO_DISCOUNT, Discount, Line, Tax, Totals, total_up

VAT = Tax("VAT", 1900)


def line(rate: int, qty: int = 100, *taxes: Tax) -> Line:
    """Return a line of cents and hundredths."""
    return Line("Work", "", qty, rate, "", taxes)


def test_a_tax_is_rounded_once_per_name_and_rate() -> None:
    """Two lines of 0.33 at 19 % pay 0.13 of tax, not twice 0.06."""
    assert total_up((line(33, 100, VAT), line(33, 100, VAT)), NO_DISCOUNT, 0) == Totals(66, 13, 0, 0, 79)


@pytest.mark.parametrize(
    ("discount", "expected"),
    [
        (Discount("before_tax", percent=1000), Totals(10000, 1710, 1000, 0, 10710)),
        (Discount("before_tax", fixed=1000), Totals(10000, 1710, 1000, 0, 10710)),
        (Discount("after_tax", percent=1000), Totals(10000, 1900, 1190, 0, 10710)),
        (Discount("after_tax", fixed=1000), Totals(10000, 1900, 1000, 0, 10900)),
    ],
)
def test_discounts_before_tax_reduce_the_tax(discount: Discount, expected: Totals) -> None:
    """100.00 at 19 % with ten off, in its four forms."""
    assert total_up((line(10000, 100, VAT),), discount, 0) == expected


@pytest.mark.parametrize(
    ("lines", "discount"),
    [
        (
            (line(128050, 100, VAT),),
            Discount("after_tax", percent=750),
        ),  # 114.2846 of tax as is, 114.285 of rounded tax
        ((line(10, 100, Tax("A", 500), Tax("B", 500)),), NO_DISCOUNT),  # two taxes of half a cent each
        (
            (line(499500, 100, Tax("IVA", 2100)),),
            Discount("before_tax", fixed=24950),
        ),  # 996.555, but 1 - d / subtotal cut
        ((line(0),), Discount("before_tax", fixed=0)),  # nothing to reduce
    ],
)
def test_figures_that_depend_on_when_one_rounds_are_refused(lines: tuple[Line, ...], discount: Discount) -> None:
    """The generator chooses others, so that no two readers of its documents disagree by a cent."""
    assert total_up(lines, discount, 0) is None
