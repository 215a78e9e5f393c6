"""Document totals in integers: cents, hundredths of a unit, hundredths of a percent.

The arithmetic is that of the CRM's own forms: lines rounded to cents, taxes grouped by name and rate, a discount
before or after tax. Where the order of rounding would change a cent, ``total_up`` says so by returning None and
the caller chooses other figures, so that every reader of these documents computes the same totals.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Tax(NamedTuple):
    """A tax as lines carry it: name and rate in hundredths of a percent."""

    name: str
    rate: int


class Line(NamedTuple):
    """One document line: quantity in hundredths, rate in cents."""

    description: str
    long_description: str
    qty: int
    rate: int
    unit: str
    taxes: tuple[Tax, ...]

    @property
    def amount(self) -> int:
        """The line's net amount in cents."""
        return divide(self.qty * self.rate, 100)


class Discount(NamedTuple):
    """A discount: ``kind`` is '', 'before_tax' or 'after_tax'; either percent (hundredths) or fixed cents is set."""

    kind: str
    percent: int = 0
    fixed: int = 0


class Totals(NamedTuple):
    """What a document stores, in cents."""

    subtotal: int
    total_tax: int
    discount: int
    adjustment: int
    total: int


NO_DISCOUNT = Discount("")


def divide(value: int, by: int) -> int:
    """Return ``value / by`` rounded half away from zero.

    >>> divide(25, 10), divide(-25, 10), divide(24, 10)
    (3, -3, 2)
    """
    if value < 0:
        return -divide(-value, by)
    return (2 * value + by) // (2 * by)


def total_up(lines: Iterable[Line], discount: Discount, adjustment: int) -> Totals | None:
    """Return the totals of the lines, or None where they depend on when one rounds.

    >>> vat = Tax("VAT", 500)
    >>> total_up([Line("Work", "", 200, 10000, "", (vat,))], Discount("before_tax", percent=1000), 0)
    Totals(subtotal=20000, total_tax=900, discount=2000, adjustment=0, total=18900)
    """
    subtotal, groups = _gross(lines)
    before = discount.kind == "before_tax"
    if before and subtotal == 0:
        return None
    num, den = _reduction(discount, subtotal) if before else (1, 1)
    scale = 10000 * den
    exact = [base * num for base in groups.values()]
    tax = sum(divide(value, scale) for value in exact)
    if tax != divide(sum(exact), scale) or (before and _has_tie(exact, scale)):
        return None
    taken, taken_exact = _taken(discount, subtotal, tax, sum(exact), scale)
    fine = scale * 10000
    total = subtotal + tax - taken + adjustment
    total_exact = (subtotal + adjustment) * fine + sum(exact) * 10000 - taken_exact
    if (taken, total) != (divide(taken_exact, fine), divide(total_exact, fine)):
        return None
    return Totals(subtotal, tax, taken, adjustment, total)


def _has_tie(values: list[int], scale: int) -> bool:
    """Tell whether a value, or their sum, lies halfway between two cents: d / subtotal rarely has a finite decimal
    expansion, and a reader that divides first would come out just below.
    """
    return any(2 * value % (2 * scale) == scale for value in (*values, sum(values)))


def _gross(lines: Iterable[Line]) -> tuple[int, dict[Tax, int]]:
    """Return the subtotal and, per tax, the sum of amount x rate."""
    subtotal = 0
    groups: dict[Tax, int] = {}
    for line in lines:
        amount = line.amount
        subtotal += amount
        for tax in line.taxes:
            groups[tax] = groups.get(tax, 0) + amount * tax.rate
    return subtotal, groups


def _reduction(discount: Discount, subtotal: int) -> tuple[int, int]:
    """Return the fraction of each tax that a discount before tax leaves."""
    return (10000 - discount.percent, 10000) if discount.percent else (subtotal - discount.fixed, subtotal)


def _taken(discount: Discount, subtotal: int, tax: int, tax_exact: int, scale: int) -> tuple[int, int]:
    """Return the discount in cents, and unrounded as a multiple of 1 / (scale x 10,000) cents."""
    if not discount.percent:
        return discount.fixed, discount.fixed * scale * 10000
    if discount.kind == "before_tax":
        return divide(subtotal * discount.percent, 10000), subtotal * discount.percent * scale
    return divide((subtotal + tax) * discount.percent, 10000), (subtotal * scale + tax_exact) * discount.percent
