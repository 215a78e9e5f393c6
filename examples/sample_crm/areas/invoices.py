"""Invoices with lines, payments and credits, in the order of their dates; statuses as the CRM's own rule gives them.

The rule (unpaid, paid, partially paid, overdue) is applied to what was actually written, as of today.
"""

from dataclasses import dataclass
from enum import Enum

from sample_crm.areas.documents import Draft, format_number, free_draft, log_sales, make_draft, shipping, write_lines
from sample_crm.areas.lookups import DEFAULT_MODES
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.php import php_list
from sample_crm.store import Value
from sample_crm.world import Billing, Client, Document, Employee, Shown, World

PREFIX = "INV-"
DRAFT_NUMBER = 1000000000
UNPAID, PAID, PARTIAL, OVERDUE, CANCELLED, DRAFT = range(1, 7)
_REMEMBERED = 4000
_SERIES = 47
_ORPHAN = 45
"""The one invoice whose customer was deleted."""
_SHOWN = 41
"""Invoice 42, which the documentation asks for: one of those with a credit; `areas.showcase` pays the rest."""
_GATEWAYS = ("stripe", "paypal", "mollie")
_MODE_SETS = tuple(map(php_list, (["1"], DEFAULT_MODES, ["1", "2", "stripe", "paypal"], [])))


class Fate(Enum):
    """What becomes of an invoice."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    FREE = "free"
    OPEN = "open"
    PART_PAID = "part paid"
    PAID = "paid"
    CREDITED = "credited"
    PART_CREDITED = "part credited"


@dataclass(frozen=True, slots=True)
class CreditOrder:
    """A credit note to be made: ``applied`` cents of it go to the invoice."""

    client: Client
    currency: int
    day: int
    invoice_id: int
    applied: int
    amount: int


@dataclass(frozen=True, slots=True)
class EstimateOrder:
    """An estimate that became an invoice."""

    client: Client
    currency: int
    day: int
    draft: Draft
    invoice_id: int
    invoiced_day: int
    project_id: int


@dataclass(frozen=True, slots=True)
class SalesOrders:
    """Documents that must exist because an invoice refers to them."""

    credits: list[CreditOrder]
    estimates: list[EstimateOrder]


def fill_invoices(world: World) -> SalesOrders:
    """Fill invoices and what hangs on them; return the credit notes and estimates they call for."""
    writer = _Writer(world)
    for at in range(world.scale.invoices):
        writer.add(at)
    world.counters["next_invoice_number"] = writer.number
    return writer.orders


class _Writer:
    """Writes one invoice after the other."""

    def __init__(self, world: World) -> None:
        self.world, self.dice = world, world.dice("invoices")
        self.number = 1
        self._parent: Document | None = None
        self.orders = SalesOrders([], [])
        self._remember = max(1, world.scale.invoices // _REMEMBERED)

    def add(self, at: int) -> None:
        """Write invoice ``at`` of the scale's many."""
        world, dice = self.world, self.dice
        day = int(world.days.first * (1 - (at + 1) / world.scale.invoices) ** 0.92)
        fate = _fate(dice, at, day)
        client = self._client(at, day)
        draft = free_draft() if fate is Fate.FREE else make_draft(dice)
        due = None if dice.chance(0.03) else day + dice.pick((0, 7, 14, 30, 30, 45))
        key = world.store.next_key("invoices")
        paid, payments = _plan_payments(world, dice, fate, day, draft.totals.total)
        credited = _plan_credit(dice, fate, draft.totals.total)
        if at == _SHOWN:
            credited = min(credited, draft.totals.total // 4)
            paid = draft.totals.total - credited
        status = _status(fate, draft.totals.total, paid + credited, due)
        agent = world.agent(dice)
        document = Document(key, client, day, status, draft.totals.total, self._number(fate, day, at))
        self._write(document, draft, fate, due, agent)
        self._pay(document, payments, agent)
        if at == _SHOWN:
            world.shown = Shown(document, agent, paid)
        self._order(document, draft, credited)
        if at % _SERIES == 8:
            self._parent = document
        if at % self._remember == 0:
            world.invoices.append(document)

    def _client(self, at: int, day: int) -> Client:
        """Return whom to bill: the second of a series goes to the same customer as the first."""
        if at % _SERIES == 9 and self._parent and self._parent.client:
            return self._parent.client
        return self.world.client_by(self.dice, day)

    def _number(self, fate: Fate, day: int, at: int) -> str:
        if fate is Fate.DRAFT:
            return f"{PREFIX}DRAFT"
        return format_number(self.world.days, PREFIX, self.number, self._format(at), day)

    def _format(self, at: int) -> int:
        """Return the number format of the time: the company has used all four, and 1 for the last half."""
        return (4, 3, 2, 1, 1, 1)[at * 6 // self.world.scale.invoices]

    def _write(self, document: Document, draft: Draft, fate: Fate, due: int | None, agent: Employee) -> None:
        world, dice, day, client = self.world, self.dice, document.day, document.client
        assert client is not None
        is_draft = fate is Fate.DRAFT
        is_sent = fate is Fate.CANCELLED or (not is_draft and dice.chance(0.85))
        created = world.days.stamp(day, dice.office_second())
        at = document.id - 1
        world.store.put(
            "invoices",
            sent=int(is_sent),
            datesend=created if is_sent else None,
            clientid=0 if at == _ORPHAN else client.id,
            deleted_customer_name=client.label[:100] if at == _ORPHAN else None,
            number=DRAFT_NUMBER if is_draft else self.number,
            prefix=PREFIX,
            number_format=self._format(at),
            formatted_number=document.number,
            datecreated=created,
            date=world.days.text(day),
            duedate=None if due is None else world.days.text(due),
            currency=client.currency,
            addedfrom=agent.id,
            hash=dice.hex32(),
            status=document.status,
            clientnote="Thank you for your business" if at % 3 else None,
            adminnote=f"Agreed by phone\nwith {agent.name}".replace("\n", "<br />\n") if at % 17 == 4 else None,
            last_overdue_reminder=world.days.text(0) if document.status == OVERDUE and at % 2 else None,
            cancel_overdue_reminders=int(at % 29 == 3),
            allowed_payment_modes=dice.pick(_MODE_SETS),
            token=f"tok_fake{dice.hex32()}" if at % 23 == 1 else None,
            terms="Payment within the stated time.<br />\nGoods remain ours until paid." if at % 2 else None,
            sale_agent=agent.id if at % 5 and at % 53 != 8 else 0,
            show_quantity_as=1 + at % 3,
            project_id=0 if at == _ORPHAN else project_of(dice, client, 0.4),
            short_link=f"https://short.example/{dice.hex32()[:7]}" if at % 31 == 2 else None,
            **draft.columns(),
            **client.billing(),
            show_shipping_on_invoice=1,
            **shipping(client, is_used=at % 9 == 2),
            **_recurrence(at),
            is_recurring_from=self._parent.id if self._parent and at % _SERIES == 9 else None,
        )
        if not is_draft:
            self.number += 1
        first_line = write_lines(world.store, "invoice", document.id, draft.lines)
        self._bill(document, draft, first_line)
        if at == 0 or dice.chance(world.scale.detail):
            self._log(document, created, agent, is_sent=is_sent)

    def _log(self, document: Document, stamp: str, agent: Employee, *, is_sent: bool) -> None:
        rel, staff = ("invoice", document.id), (str(agent.id), agent.name)
        log_sales(self.world, rel, "invoice_activity_created", stamp, staff)
        if document.status == CANCELLED:
            log_sales(self.world, rel, "invoice_activity_marked_as_cancelled", stamp, staff)
        elif is_sent:
            log_sales(self.world, rel, "invoice_activity_sent_to_client", stamp, staff)
        if document.status == OVERDUE:
            log_sales(self.world, rel, "invoice_activity_status_updated", self.world.days.stamp(0, 28800))

    def _pay(self, document: Document, payments: list[tuple[int, int]], agent: Employee) -> None:
        for day, amount in payments:
            self._put_payment(document.id, day, amount)
            if day >= self.world.days.month_start and document.client and document.id - 1 != _ORPHAN:
                self.world.payers[document.client.id] += amount
            if self.dice.chance(self.world.scale.detail):
                stamp = self.world.days.stamp(day, 50400)
                staff = (str(agent.id), agent.name)
                log_sales(self.world, ("invoice", document.id), "invoice_activity_payment_made_by_staff", stamp, staff)

    def _put_payment(self, invoice_id: int, day: int, amount: int) -> None:
        dice, days = self.dice, self.world.days
        mode = dice.pick(("1", "1", "1", "2", "3", "4", *_GATEWAYS))
        is_online = mode in _GATEWAYS
        self.world.store.put(
            "invoicepaymentrecords",
            invoiceid=invoice_id,
            amount=amount,
            paymentmode=mode,
            paymentmethod=dice.pick(("visa", "mastercard")) if mode == "stripe" else None,
            date=days.text(day),
            daterecorded=days.stamp(day, dice.office_second()),
            note="Received with thanks" if dice.chance(0.1) else "",
            transactionid=f"txn_fake{dice.hex32()[:20]}" if is_online else f"REF{dice.between(10000, 99999)}",
        )
        if is_online and mode == "mollie":
            _log_gateway(self.world, dice, invoice_id, day, amount)

    def _order(self, document: Document, draft: Draft, credited: int) -> None:
        """Call for the documents this invoice came from or was settled by."""
        client, dice, at = document.client, self.dice, document.id
        assert client is not None
        if credited:
            surplus = dice.pick((0, 0, 5000, 25000))
            day = min(0, document.day + dice.between(1, 20))
            order = CreditOrder(client, client.currency, day, document.id, credited, credited + surplus)
            self.orders.credits.append(order)
        if at % 15 == 6 and document.status not in (DRAFT, CANCELLED):
            earlier = max(document.day - dice.between(2, 20), client.created)
            project_id = project_of(dice, client, 0.3)
            self.orders.estimates.append(
                EstimateOrder(client, client.currency, earlier, draft, document.id, document.day, project_id)
            )

    def _bill(self, document: Document, draft: Draft, first_line: int) -> None:
        """Let the first line of some invoices bill an expense or a task."""
        at, client = document.id, document.client
        if at % 19 not in (3, 11) or document.status in (DRAFT, CANCELLED) or client is None:
            return
        line = draft.lines[0]
        amount = max(line.amount, 100)
        billing = Billing(first_line, at, client, document.day, amount, client.currency, line.description)
        (self.world.billed_expenses if at % 19 == 3 else self.world.billed_tasks).append(billing)


def _fate(dice: Dice, at: int, day: int) -> Fate:
    if at % 37 == 5:
        return Fate.DRAFT
    if at % 41 == 9:
        return Fate.CANCELLED
    if at % 331 == 20:
        return Fate.FREE
    if at % 29 == 12:
        return dice.pick((Fate.CREDITED, Fate.PART_CREDITED))
    mark = dice.random()
    if mark < (0.45 if day > -25 else 0.14):
        return Fate.OPEN
    return Fate.PART_PAID if mark < (0.55 if day > -25 else 0.22) else Fate.PAID


def _plan_payments(world: World, dice: Dice, fate: Fate, day: int, total: int) -> tuple[int, list[tuple[int, int]]]:
    """Return what is paid in all, and the payments as (day, cents); some old invoices are paid only this month."""
    if fate not in (Fate.PAID, Fate.PART_PAID):
        return 0, []
    amounts = [total] if dice.chance(0.75) else [total // 3, total - total // 3]
    if fate is Fate.PART_PAID:
        amounts = [max(1, total // dice.pick((2, 3, 4)) - 1)]
    latest = world.days.month_start
    if day < latest and dice.chance(0.06):
        days = [dice.between(latest, 0) for _ in amounts]
    else:
        days = [min(0, day + dice.pick((0, 1, 3, 8, 15, 28, 35, 50))) for _ in amounts]
    paid = [(on, amount) for on, amount in zip(sorted(days), amounts, strict=True) if amount > 0]
    return sum(amount for _, amount in paid), paid


def _plan_credit(dice: Dice, fate: Fate, total: int) -> int:
    if fate is Fate.CREDITED:
        return total
    return max(1, total // dice.between(2, 5)) if fate is Fate.PART_CREDITED else 0


def _status(fate: Fate, total: int, paid: int, due: int | None) -> int:
    """Return the status the CRM's rule gives (``paid`` includes credits)."""
    if fate is Fate.DRAFT:
        return DRAFT
    if fate is Fate.CANCELLED:
        return CANCELLED
    if paid:
        return PAID if paid >= total else PARTIAL
    if total == 0:
        return PAID
    return OVERDUE if due is not None and due < 0 else UNPAID


def _recurrence(at: int) -> dict[str, Value]:
    """Make some invoices recurring, every other of those at an interval of weeks."""
    if at % _SERIES != 8:
        return {"recurring": 0, "recurring_type": None, "custom_recurring": 0, "cycles": 0, "total_cycles": 0}
    is_custom = at % 2
    return {
        "recurring": 2 if is_custom else 1,
        "recurring_type": "week" if is_custom else None,
        "custom_recurring": is_custom,
        "cycles": 12,
        "total_cycles": 3,
    }


def _log_gateway(world: World, dice: Dice, invoice_id: int, day: int, amount: int) -> None:
    """Record the attempt behind an online payment, for some in the log of a second gateway as well."""
    reference, stamp = dice.hex32(), world.days.stamp(day, dice.office_second())
    world.store.put(
        "payment_attempts",
        reference=reference,
        invoice_id=invoice_id,
        amount=amount / 100,
        fee=0.0,
        payment_gateway="mollie",
        created_at=stamp,
    )
    if invoice_id % 7 == 0 or world.store.next_key("twocheckout_log") == 1:
        world.store.put(
            "twocheckout_log",
            reference=f"2co-fake-{dice.hex32()}",
            invoice_id=invoice_id,
            amount=f"{amount / 100:.2f}",
            created_at=stamp,
            attempt_reference=reference,
        )
