"""Credit notes: those applied to invoices, and open, refunded and void ones beside them."""

from dataclasses import dataclass

from sample_crm.areas.documents import Draft, format_number, shipping, write_lines
from sample_crm.areas.invoices import CreditOrder
from sample_crm.areas.lookups import TAXES
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.money import NO_DISCOUNT, Line, Totals
from sample_crm.store import Value
from sample_crm.world import Client, Document, World

PREFIX = "CN-"
OPEN, CLOSED, VOID = range(1, 4)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A credit note to write, in cents."""

    client: Client
    currency: int
    day: int
    amount: int
    applied: int = 0
    refunded: int = 0
    invoice_id: int = 0
    is_void: bool = False
    tax: int = 0

    @property
    def status(self) -> int:
        """Closed when credits used and refunds equal the total."""
        if self.is_void:
            return VOID
        return CLOSED if self.applied + self.refunded == self.amount else OPEN


def fill_credit_notes(world: World, orders: list[CreditOrder]) -> None:
    """Fill credit notes in the order of their dates, what was applied of them, and refunds."""
    dice = world.dice("credit notes")
    plans = [_Plan(o.client, o.currency, o.day, o.amount, o.applied, 0, o.invoice_id) for o in orders]
    plans += [_loose(world, dice, number) for number in range(4 + world.scale.invoices // 80)]
    plans.sort(key=lambda plan: plan.day)
    for plan in plans:
        _add(world, dice, plan)
    world.counters["next_credit_note_number"] = world.store.next_key("creditnotes")


def _loose(world: World, dice: Dice, number: int) -> _Plan:
    day = -dice.below(700)
    client = world.client_by(dice, day)
    net = dice.between(20, 900) * 2000
    tax = net // 20 if number % 2 else 0
    amount = net + tax
    refunded = (0, amount, amount // 2, 0)[number % 4]
    return _Plan(client, client.currency, day, amount, refunded=refunded, is_void=number % 4 == 3, tax=tax)


def _add(world: World, dice: Dice, plan: _Plan) -> None:
    key = world.store.next_key("creditnotes")
    net = plan.amount - plan.tax
    line = Line("Goods returned", "", 100, net, "", TAXES[:1] if plan.tax else ())
    draft = Draft((line,), NO_DISCOUNT, Totals(net, plan.tax, 0, 0, plan.amount))
    number = format_number(world.days, PREFIX, key, 1, plan.day)
    columns: dict[str, Value] = draft.columns() | plan.client.billing() | shipping(plan.client, is_used=key % 8 == 3)
    world.store.put(
        "creditnotes",
        clientid=plan.client.id,
        number=key,
        prefix=PREFIX,
        number_format=1,
        formatted_number=number,
        datecreated=world.days.stamp(plan.day, dice.office_second()),
        date=world.days.text(plan.day),
        adminnote="Agreed with accounts",
        terms="",
        clientnote="",
        currency=plan.currency,
        addedfrom=world.agent(dice).id,
        status=plan.status,
        project_id=project_of(dice, plan.client, 0.3),
        reference_no=f"RMA-{dice.between(100, 999)}" if dice.chance(0.5) else None,
        **columns,
    )
    write_lines(world.store, "credit_note", key, draft.lines)
    _settle(world, dice, key, plan)
    world.credit_notes.append(Document(key, plan.client, plan.day, plan.status, plan.amount, number))


def _settle(world: World, dice: Dice, key: int, plan: _Plan) -> None:
    staff_id, stamp = world.agent(dice).id, world.days.stamp(plan.day, 57600)
    if plan.applied:
        world.store.put(
            "credits",
            invoice_id=plan.invoice_id,
            credit_id=key,
            staff_id=staff_id,
            date=world.days.text(plan.day),
            date_applied=stamp,
            amount=plan.applied,
        )
    if plan.refunded:
        world.store.put(
            "creditnote_refunds",
            credit_note_id=key,
            staff_id=staff_id,
            refunded_on=world.days.text(plan.day),
            payment_mode=dice.pick(("1", "2")),
            note="Refunded on request",
            amount=plan.refunded,
            created_at=stamp,
        )
