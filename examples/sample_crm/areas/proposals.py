"""Proposals to customers and to leads, in every status, with comments."""

from collections.abc import Sequence

from sample_crm.areas.documents import Draft, make_draft, write_lines
from sample_crm.areas.estimates import ACCEPTANCE, acceptance
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.money import Tax
from sample_crm.people import Company
from sample_crm.store import Value
from sample_crm.world import Client, Document, Lead, World

OPEN, DECLINED, ACCEPTED, SENT, REVISED, DRAFT = range(1, 7)
_SUBJECTS = ("Website relaunch", "Managed hosting", "عرض أسعار", "Offre de service", "Workshop series", "Branding ✨")


def fill_proposals(world: World) -> None:
    """Fill proposals in the order of their dates; two of five go to leads."""
    dice = world.dice("proposals")
    for number in range(world.scale.proposals):
        day = int(world.days.first * (1 - (number + 1) / world.scale.proposals))
        if number % 5 in (1, 3):
            _add_to_lead(world, dice, day, number)
        else:
            _add_to_client(world, dice, day, number)


def _add_to_client(world: World, dice: Dice, day: int, number: int) -> None:
    client = world.client_by(dice, day)
    contact = client.contacts[0] if client.contacts else None
    status = _status(dice, number, is_acceptable=contact is not None)
    invoice_id = _matching(dice, world.invoices, client) if status == ACCEPTED else None
    estimate_id = _matching(dice, world.estimates, client) if status == ACCEPTED and not invoice_id else None
    extra: dict[str, Value] = {
        "rel_type": "customer",
        "rel_id": client.id,
        "proposal_to": client.label,
        "email": contact.email if contact else None,
        "phone": client.company.phone,
        "project_id": project_of(dice, client, 0.3) or None,
        "currency": client.currency,
        "invoice_id": invoice_id,
        "estimate_id": estimate_id,
        "date_converted": world.days.stamp(min(0, day + 3), 50400) if estimate_id else None,
    }
    accepted = acceptance(world, dice, client, day) if status == ACCEPTED else dict.fromkeys(ACCEPTANCE)
    _add(world, dice, day, client.company, extra | accepted, Document(0, client, day, status, 0))


def _add_to_lead(world: World, dice: Dice, day: int, number: int) -> None:
    lead = _lead_by(world, dice, day)
    extra: dict[str, Value] = {
        "rel_type": "lead",
        "rel_id": lead.id,
        "proposal_to": lead.person.full,
        "email": lead.email,
        "phone": lead.company.phone,
        "project_id": None,
        "currency": 1,
        "invoice_id": None,
        "estimate_id": None,
        "date_converted": None,
    }
    status = _status(dice, number, is_acceptable=False)
    _add(world, dice, day, lead.company, extra | dict.fromkeys(ACCEPTANCE), Document(0, None, day, status, 0))


def _lead_by(world: World, dice: Dice, day: int) -> Lead:
    """Return a lead that existed on that day (the first one when none did)."""
    for _ in range(20):
        lead = dice.pick(world.leads)
        if lead.added <= day:
            return lead
    return world.leads[0]


def _status(dice: Dice, number: int, *, is_acceptable: bool) -> int:
    status = (
        number % 6 + 1 if number < 12 else dice.pick((OPEN, DECLINED, ACCEPTED, ACCEPTED, SENT, SENT, REVISED, DRAFT))
    )
    return SENT if status == ACCEPTED and not is_acceptable else status


def _matching(dice: Dice, documents: Sequence[Document], client: Client) -> int | None:
    """Return one of the customer's documents, looking only at the first few hundred."""
    own = [document.id for document in documents[:400] if document.client is client]
    return dice.pick(own) if own else None


def _add(world: World, dice: Dice, day: int, company: Company, extra: dict[str, Value], document: Document) -> None:
    draft = make_draft(dice)
    agent = world.agent(dice)
    created = world.days.stamp(day, dice.office_second())
    key = world.store.put(
        "proposals",
        subject=f"{dice.pick(_SUBJECTS)} {world.days.text(day)[:4]}",
        content="{proposal_items}",
        addedfrom=agent.id,
        datecreated=created,
        show_quantity_as=1,
        open_till=world.days.text(day + 21),
        date=world.days.text(day),
        assigned=agent.id,
        hash=dice.hex32(),
        country=company.country_id,
        zip=company.place.zip,
        state=company.place.state,
        city=company.place.city,
        address=company.street,
        allow_comments=1,
        status=document.status,
        pipeline_order=1,
        short_link=f"https://short.example/{dice.hex32()[:7]}" if world.store.next_key("proposals") % 9 == 1 else None,
        **draft.columns(),
        **extra,
    )
    _write_lines(world, key, draft)
    if dice.chance(0.5):
        for staff_id, text in ((agent.id, "Can we start in May?"), (0, "Yes, gladly — أهلاً")):
            world.store.put("proposal_comments", content=text, proposalid=key, staffid=staff_id, dateadded=created)
    world.proposals.append(Document(key, document.client, day, document.status, draft.totals.total))


def _write_lines(world: World, key: int, draft: Draft) -> None:
    """Write the lines, and to some proposals one that the customer may choose but has not chosen."""
    write_lines(world.store, "proposal", key, draft.lines)
    if key % 6:
        return
    line = world.store.put(
        "itemable",
        rel_id=key,
        rel_type="proposal",
        description="Extended warranty",
        long_description="",
        qty=100,
        rate=49900,
        unit="year",
        is_optional=1,
        is_selected=0,
        item_order=len(draft.lines) + 1,
    )
    tax = Tax("VAT", 500)
    world.store.put("item_tax", itemid=line, rel_id=key, rel_type="proposal", taxrate=tax.rate, taxname=tax.name)
