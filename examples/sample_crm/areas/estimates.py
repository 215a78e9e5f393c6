"""Estimates: those that became invoices, and others in every status."""

from sample_crm.areas.documents import Draft, format_number, log_sales, make_draft, shipping, write_lines
from sample_crm.areas.invoices import EstimateOrder
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.store import Value
from sample_crm.world import Client, Document, World

PREFIX = "EST-"
OPEN, SENT, DECLINED, ACCEPTED, EXPIRED = range(1, 6)


def fill_estimates(world: World, orders: list[EstimateOrder]) -> None:
    """Fill estimates in the order of their dates; numbers follow it."""
    dice = world.dice("estimates")
    loose = [(_day(world, dice, number), None) for number in range(world.scale.estimates)]
    planned: list[tuple[int, EstimateOrder | None]] = [*loose, *((order.day, order) for order in orders)]
    planned.sort(key=lambda plan: plan[0])
    for day, order in planned:
        _add(world, dice, day, order)
    world.counters["next_estimate_number"] = world.store.next_key("estimates")


def _day(world: World, dice: Dice, number: int) -> int:
    return int(world.days.first * (1 - (number + dice.random()) / world.scale.estimates))


def _add(world: World, dice: Dice, day: int, order: EstimateOrder | None) -> None:
    client = order.client if order else world.client_by(dice, day)
    draft = order.draft if order else make_draft(dice)
    key = world.store.next_key("estimates")
    expiry = day + 30
    status = ACCEPTED if order else _status(dice, expiry)
    agent = world.agent(dice)
    created = world.days.stamp(day, dice.office_second())
    is_sent = status != OPEN
    number = format_number(world.days, PREFIX, key, 1, day)
    world.store.put(
        "estimates",
        sent=int(is_sent),
        datesend=created if is_sent else None,
        clientid=client.id,
        project_id=order.project_id if order else project_of(dice, client, 0.3),
        number=key,
        prefix=PREFIX,
        number_format=1,
        formatted_number=number,
        hash=dice.hex32(),
        datecreated=created,
        date=world.days.text(day),
        expirydate=world.days.text(expiry),
        currency=client.currency,
        addedfrom=agent.id,
        status=status,
        clientnote="Valid for 30 days",
        invoiceid=order.invoice_id if order else None,
        invoiced_date=world.days.stamp(order.invoiced_day, 43200) if order else None,
        terms="Prices without travel.",
        reference_no=f"RFQ-{dice.between(100, 999)}" if dice.chance(0.3) else None,
        sale_agent=agent.id if key % 4 else 0,
        show_quantity_as=1,
        pipeline_order=key % 10 + 1,
        short_link=f"https://short.example/{dice.hex32()[:7]}" if key % 7 == 0 else None,
        **draft.columns(),
        **client.billing(),
        **shipping(client, is_used=key % 8 == 3),
        **_acceptance(world, dice, client, day, is_accepted=status == ACCEPTED),
    )
    _finish(world, Document(key, client, day, status, draft.totals.total, number), draft, created)


def _finish(world: World, document: Document, draft: Draft, created: str) -> None:
    write_lines(world.store, "estimate", document.id, draft.lines)
    log_sales(world, ("estimate", document.id), "estimate_activity_created", created, ("1", world.staff[0].name))
    if document.status == ACCEPTED:
        log_sales(world, ("estimate", document.id), "estimate_activity_client_accepted", created, (None, ""))
    world.estimates.append(document)


def _status(dice: Dice, expiry: int) -> int:
    if expiry < 0:
        return dice.pick((DECLINED, ACCEPTED, EXPIRED, EXPIRED, OPEN))
    return dice.pick((OPEN, SENT, SENT, ACCEPTED, DECLINED))


def _acceptance(world: World, dice: Dice, client: Client, day: int, *, is_accepted: bool) -> dict[str, Value]:
    """Return the six columns an acceptance fills; nobody can accept for a customer without contacts."""
    if not is_accepted or not client.contacts:
        return dict.fromkeys(ACCEPTANCE)
    return acceptance(world, dice, client, day)


ACCEPTANCE = (
    "acceptance_firstname",
    "acceptance_lastname",
    "acceptance_email",
    "acceptance_date",
    "acceptance_ip",
    "signature",
)


def acceptance(world: World, dice: Dice, client: Client, day: int) -> dict[str, Value]:
    """Return the acceptance by the customer's primary contact."""
    contact = client.contacts[0]
    values = (
        contact.person.first,
        contact.person.last,
        contact.email,
        world.days.stamp(min(0, day + 2), dice.office_second()),
        dice.address(),
        "signature.png",
    )
    return dict(zip(ACCEPTANCE, values, strict=True))
