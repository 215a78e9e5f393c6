"""Lines, discount and adjustment -> the amounts of a sales document, to the cent (SEMANTICS 3.3).

Only line amounts and what is stored are rounded, half away from zero: taxes and
discount enter the total as they are. Sums are divided last, so a tie stays a tie.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final, Literal

DiscountType = Literal["", "before_tax", "after_tax"]

CENT: Final = Decimal("0.01")
LARGEST: Final = Decimal("9999999999999.99")
"""What fits a column of an amount."""

_ZERO: Final = Decimal(0)
_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how much of what it costs, and the rates of its taxes in percent.

    An optional line that was not chosen is not counted.
    """

    qty: Decimal
    rate: Decimal
    taxes: tuple[Decimal, ...] = ()
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount: ``percent``, or where that is 0 the amount ``fixed``; without a type there is none."""

    type: DiscountType = ""
    percent: Decimal = _ZERO
    fixed: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Totals:
    """The computed amounts of a document, with two decimals."""

    subtotal: Decimal
    discount_total: Decimal
    total_tax: Decimal
    total: Decimal

    def columns(self) -> dict[str, object]:
        """Return the amounts by the columns that hold them."""
        return {
            "subtotal": self.subtotal,
            "discount_total": self.discount_total,
            "total_tax": self.total_tax,
            "total": self.total,
        }

    def fits(self) -> bool:
        """Whether every amount fits its column."""
        amounts = (self.subtotal, self.discount_total, self.total_tax, self.total)
        return all(abs(amount) <= LARGEST for amount in amounts)


def rounded(amount: Decimal) -> Decimal:
    """Return an amount with two decimals, half away from zero.

    >>> rounded(Decimal("2.005"))
    Decimal('2.01')
    """
    return abs(cents) if not (cents := amount.quantize(CENT, context=_EXACT)) else cents


def line_amount(line: Line) -> Decimal:
    """Return what one line costs before tax."""
    return rounded(_EXACT.multiply(line.qty, line.rate))


def totals(lines: Iterable[Line], discount: Discount, adjustment: Decimal = _ZERO) -> Totals:
    """Return the amounts of a document.

    >>> totals([Line(Decimal(2), Decimal(50), (Decimal(20),))], Discount("before_tax", Decimal(10))).total
    Decimal('108.00')
    """
    with localcontext(_EXACT):
        counted = [(line_amount(line), line.taxes) for line in lines if line.is_counted]
        subtotal = sum((amount for amount, _ in counted), _ZERO)
        full_tax = sum((amount * rate for amount, rates in counted for rate in rates), _ZERO) / 100
        tax, taken = _discounted(subtotal, full_tax, discount)
        total = subtotal + tax - taken + adjustment
        return Totals(rounded(subtotal), rounded(taken), rounded(tax), rounded(total))


def _discounted(subtotal: Decimal, tax: Decimal, discount: Discount) -> tuple[Decimal, Decimal]:
    """The taxes after the discount, and the discount."""
    percent, fixed = discount.percent, discount.fixed
    match discount.type:
        case "before_tax" if percent:
            return tax * (100 - percent) / 100, subtotal * percent / 100
        case "before_tax":
            return (tax * (subtotal - fixed) / subtotal if subtotal else tax), fixed
        case "after_tax":
            return tax, ((subtotal + tax) * percent / 100 if percent else fixed)
        case _:
            return tax, _ZERO
