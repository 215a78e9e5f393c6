"""Expenses: billed on invoices, billable, internal and recurring ones."""

from sample_crm.areas.lookups import CURRENCY_IDS, EXPENSE_CATEGORIES
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.store import Value
from sample_crm.world import World

_NAMES = ("Taxi", "Hotel", "Cloud servers", "Stock photos", "تذكرة سفر", "Déjeuner client", "Druckkosten", "Coffee ☕")


def fill_expenses(world: World) -> None:
    """Fill expenses; those an invoice line bills come first and are linked to that line."""
    dice = world.dice("expenses")
    for billing in world.billed_expenses:
        day = max(billing.day - dice.between(1, 30), billing.client.created)
        owner: dict[str, Value] = {
            "currency": billing.currency,
            "amount": billing.amount,
            "clientid": billing.client.id,
            "project_id": project_of(dice, billing.client, 0.3),
            "billable": 1,
            "invoiceid": billing.invoice_id,
        }
        key = _add(world, dice, day, owner)
        world.store.put("related_items", rel_id=key, rel_type="expense", item_id=billing.line_id)
    for number in range(world.scale.expenses):
        day = int(world.days.first * (1 - (number + 1) / world.scale.expenses))
        _add(world, dice, day, _owner(world, dice, day, number))


def _owner(world: World, dice: Dice, day: int, number: int) -> dict[str, Value]:
    """Return the columns that say for whom the money was spent: half of it for no customer."""
    client = world.client_by(dice, day) if number % 2 else None
    return {
        "currency": client.currency if client else dice.pick((1, CURRENCY_IDS["AED"])),
        "amount": dice.between(500, 250000),
        "clientid": client.id if client else 0,
        "project_id": project_of(dice, client, 0.4) if client else 0,
        "billable": int(client is not None and dice.chance(0.6)),
        "invoiceid": None,
    }


def _add(world: World, dice: Dice, day: int, owner: dict[str, Value]) -> int:
    number = world.store.next_key("expenses")
    is_recurring = number % 23 == 4
    key = world.store.put(
        "expenses",
        category=dice.between(1, len(EXPENSE_CATEGORIES)),
        tax=dice.pick((0, 1, 1, 2)),
        tax2=6 if number % 13 == 2 else 0,
        reference_no=f"R-{dice.between(1000, 9999)}" if dice.chance(0.5) else None,
        note="Receipt in the folder<br />\non the shared drive" if dice.chance(0.3) else "",
        expense_name=dice.pick(_NAMES),
        paymentmode=dice.pick(("1", "2", "3", "5", "0")),
        date=world.days.text(day),
        recurring_type="month" if is_recurring else None,
        repeat_every=1 if is_recurring else None,
        recurring=int(is_recurring),
        create_invoice_billable=0,
        send_invoice_to_customer=0,
        dateadded=world.days.stamp(day, dice.office_second()),
        addedfrom=world.agent(dice).id,
        **owner,
    )
    if key % 7 == 1 and len(world.expenses) < 5000:
        world.expenses.append(key)
    return key
