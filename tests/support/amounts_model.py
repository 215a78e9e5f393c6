"""Amounts of sales documents as SEMANTICS 3.3 says them, step by step and with exact fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import floor

from gateway.operations.managed.money import Discount, Line

Amounts = tuple[Decimal, Decimal, Decimal, Decimal]
"""Subtotal, discount, tax and total."""


def cents(amount: Fraction) -> Decimal:
    """Round half away from zero to two decimals, on whole numbers alone."""
    whole = floor(abs(amount) * 100 + Fraction(1, 2))
    return Decimal(whole if amount >= 0 else -whole).scaleb(-2)


def model(lines: Iterable[Line], discount: Discount, adjustment: Decimal) -> Amounts:
    """Return the amounts as the steps 1 to 7 say, a tax at a time."""
    subtotal = Fraction(0)
    taxes: defaultdict[Decimal, Fraction] = defaultdict(Fraction)
    for line in lines:
        if not line.is_counted:
            continue
        amount = Fraction(cents(Fraction(line.qty) * Fraction(line.rate)))
        subtotal += amount
        for rate in line.taxes:
            taxes[rate] += amount * Fraction(rate) / 100
    percent, fixed = Fraction(discount.percent), Fraction(discount.fixed)
    taken = Fraction(0)
    if discount.type == "before_tax":
        taken = subtotal * percent / 100 if percent else fixed
        for rate in taxes:
            if percent:
                taxes[rate] -= taxes[rate] * percent / 100
            elif subtotal:
                taxes[rate] -= taxes[rate] * (fixed / subtotal)
    tax = sum(taxes.values(), Fraction(0))
    if discount.type == "after_tax":
        taken = (subtotal + tax) * percent / 100 if percent else fixed
    total = subtotal + tax - taken + Fraction(adjustment)
    return cents(subtotal), cents(taken), cents(tax), cents(total)
