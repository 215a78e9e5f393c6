"""Contracts with renewals and comments, and a few subscriptions as the payment provider would have left them."""

from sample_crm.areas.estimates import ACCEPTANCE, acceptance
from sample_crm.areas.lookups import CONTRACT_TYPES
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.php import php_list
from sample_crm.world import ADMIN_ID, Client, Document, World

_SUBJECTS = ("Support agreement", "Hosting contract", "عقد صيانة", "Contrat-cadre", "Wartungsvertrag", "NDA")
_STATES = ("active", "active", "past_due", "canceled", "future", None)


def fill_contracts(world: World) -> None:
    """Fill contracts; a third is signed by the customer, one in twenty lies in the bin."""
    dice = world.dice("contracts")
    for number in range(world.scale.contracts):
        day = int(world.days.first * (1 - (number + 1) / world.scale.contracts))
        add_contract(world, dice, number, world.client_by(dice, day), day)
    for number in range(max(3, world.scale.contracts // 8)):
        _add_subscription(world, dice, number)


def add_contract(world: World, dice: Dice, number: int, client: Client, day: int) -> None:
    """Add a contract of a customer that begins on that day; ``number`` decides what else is true of it."""
    is_signed = bool(client.contacts) and number % 3 == 0
    end = day + dice.pick((180, 365, 365, 730))
    value = dice.between(10, 600) * 10000
    key = world.store.put(
        "contracts",
        content="<h3>Terms</h3><p>Work by {client_company} and us.</p>",
        description="Renews only in writing.<br />\nNotice: one month.",
        subject=f"{dice.pick(_SUBJECTS)} {client.label}"[:191],
        client=client.id,
        datestart=world.days.text(day),
        dateend=world.days.text(end) if number % 7 else None,
        contract_type=1 + number % len(CONTRACT_TYPES),
        project_id=project_of(dice, client, 0.4) or None,
        addedfrom=world.agent(dice).id,
        dateadded=world.days.stamp(day, dice.office_second()),
        isexpirynotified=int(end < 0),
        contract_value=value,
        trash=int(number % 20 == 19),
        not_visible_to_client=int(number % 11 == 5),
        hash=dice.hex32(),
        signed=int(is_signed),
        marked_as_signed=int(not is_signed and number % 5 == 1),
        short_link=f"https://short.example/{dice.hex32()[:7]}" if number % 6 == 0 else None,
        last_sent_at=world.days.stamp(day, 61200),
        contacts_sent_to=f'{{"contact_ids":[{client.contacts[0].id}],"cc":""}}' if client.contacts else None,
        **(acceptance(world, dice, client, day) if is_signed else dict.fromkeys(ACCEPTANCE)),
    )
    world.contracts.append(Document(key, client, day, 0, value))
    _follow_up(world, dice, key, day, value)


def _follow_up(world: World, dice: Dice, key: int, day: int, value: int) -> None:
    agent = world.agent(dice)
    if day < -370:
        world.store.put(
            "contract_renewals",
            contractid=key,
            old_start_date=world.days.text(day - 365),
            new_start_date=world.days.text(day),
            old_end_date=world.days.text(day - 1),
            new_end_date=world.days.text(day + 364),
            old_value=value * 9 // 10,
            new_value=value,
            date_renewed=world.days.stamp(day, 45000),
            renewed_by=agent.name,
            renewed_by_staff_id=agent.id,
            is_on_old_expiry_notified=0,
        )
    if dice.chance(0.4):
        stamp = world.days.stamp(min(0, day + 1), dice.office_second())
        for staff_id, text in ((0, "Could clause 4 be shorter?"), (agent.id, "Done.")):
            world.store.put("contract_comments", content=text, contract_id=key, staffid=staff_id, dateadded=stamp)


def _add_subscription(world: World, dice: Dice, number: int) -> None:
    client = dice.pick(world.clients)
    state = _STATES[number % len(_STATES)]
    is_started = state is not None
    day = max(client.created, -300)
    world.store.put(
        "subscriptions",
        name="Managed hosting",
        description="Updates and backups included",
        description_in_item=1,
        clientid=client.id,
        date=world.days.text(day),
        terms="Monthly, cancel any time",
        currency=client.currency,
        tax_id=1,
        stripe_tax_id=f"txr_fake{dice.hex32()[:16]}",
        tax_id_2=6,
        stripe_tax_id_2=f"txr_fake{dice.hex32()[:16]}",
        stripe_plan_id=f"plan_fake{dice.hex32()[:14]}",
        stripe_subscription_id=f"sub_fake{dice.hex32()[:14]}" if is_started else "",
        next_billing_cycle=world.days.unix(12, 0) if state == "active" else None,
        ends_at=world.days.unix(-20, 0) if state == "canceled" else None,
        status=state,
        quantity=dice.between(1, 5),
        project_id=0,
        hash=dice.hex32(),
        created=world.days.stamp(day, dice.office_second()),
        created_from=ADMIN_ID,
        date_subscribed=world.days.stamp(min(0, day + 1), 50000) if is_started else None,
        in_test_environment=1,
        last_sent_at=world.days.stamp(day, 61200),
    )
    if number == 0 and client.contacts:
        contacts = php_list([str(client.contacts[0].id)])
        for rel_type, documents in (("invoice", world.invoices), ("estimate", world.estimates)):
            world.store.put(
                "scheduled_emails",
                rel_id=documents[-1].id,
                rel_type=rel_type,
                scheduled_at=world.days.stamp(1, 32400),
                contacts=contacts,
                cc="accounts@gulf-studio.example",
                attach_pdf=1,
                template=f"{rel_type}_send_to_customer",
            )
