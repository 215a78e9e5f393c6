"""What payments, credits, refunds and cancellations make of invoices and credit notes: a model of its own, in cents.

Written from the CRM's rules and from nothing of the gateway; random sequences of
`Step` are run by both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from hypothesis import strategies as st

Kind = Literal[
    "pay", "repay", "unpay", "move", "credit", "recredit", "uncredit", "refund", "unrefund", "cancel", "undo"
]
KINDS: tuple[Kind, ...] = (
    "pay",
    "repay",
    "unpay",
    "move",
    "credit",
    "recredit",
    "uncredit",
    "refund",
    "unrefund",
    "cancel",
    "undo",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that staff do; ``which`` chooses a row of those there are, ``document`` and ``note`` where it goes."""

    kind: Kind
    which: int
    document: int
    note: int
    cents: int


def steps(most: int) -> st.SearchStrategy[list[Step]]:
    """Return random sequences on two invoices and two credit notes."""
    two = st.integers(1, 2)
    cents = st.one_of(st.sampled_from([1, 2500, 5000, 9999, 10000]), st.integers(1, 12_000))
    return st.lists(st.builds(Step, st.sampled_from(KINDS), st.integers(0, 5), two, two, cents), max_size=most)


@dataclass(slots=True)
class ModelInvoice:
    """An invoice: ``number`` is None while it is a draft."""

    total: int
    due: date | None
    status: int
    number: int | None


@dataclass(slots=True)
class Model:
    """Documents by key, and the money that moved by its own key: where to, and how much."""

    invoices: dict[int, ModelInvoice]
    notes: dict[int, int]
    """Totals of credit notes."""
    today: date
    next_number: int
    payments: dict[int, tuple[int, int]] = field(default_factory=dict)
    credits: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Invoice, credit note, cents."""
    refunds: dict[int, tuple[int, int]] = field(default_factory=dict)

    def touch(self, document: int, *, comes: bool = False) -> None:
        """Say what an invoice becomes; money that ``comes`` to a draft issues it."""
        invoice = self.invoices[document]
        if invoice.status == 5 or (invoice.status == 6 and not comes):
            return
        if invoice.status == 6:
            invoice.number, self.next_number = self.next_number, self.next_number + 1
        invoice.status = self._told(invoice, document)

    def undo(self, document: int) -> None:
        """Take back a cancellation."""
        invoice = self.invoices[document]
        invoice.status = self._told(invoice, document)

    def _told(self, invoice: ModelInvoice, document: int) -> int:
        money = [cents for where, cents in self.payments.values() if where == document]
        money += [cents for where, _, cents in self.credits.values() if where == document]
        if not money:
            is_late = invoice.due is not None and invoice.due < self.today
            return 2 if invoice.total == 0 else 4 if is_late else 1
        return 2 if sum(money) >= invoice.total else 3

    def note_status(self, note: int) -> int:
        """Return the status of a credit note that money moved on."""
        used = sum(cents for _, where, cents in self.credits.values() if where == note)
        back = sum(cents for where, cents in self.refunds.values() if where == note)
        return 2 if used + back == self.notes[note] else 1

    def chosen(self, step: Step, rows: dict[int, tuple[int, int]] | dict[int, tuple[int, int, int]]) -> int | None:
        """Return the row that a step means, None when there are none."""
        keys = sorted(rows)
        return keys[step.which % len(keys)] if keys else None
