"""Customers, their contacts, groups, staff in charge and portal rights. The first ones were leads."""

from dataclasses import dataclass

from sample_crm.areas.lookups import CURRENCY_IDS, CUSTOMER_GROUPS
from sample_crm.dice import Dice
from sample_crm.people import Company, Person, make_company, make_email, make_person, make_phone, pick_locale
from sample_crm.store import Value
from sample_crm.world import Client, Contact, Conversion, World


def fill_clients(world: World) -> None:
    """Fill the customers in the order of their creation; two fifths are older than the books."""
    dice = world.dice("clients")
    for number, (day, done) in enumerate(_plan(world)):
        locale = pick_locale(dice)
        company = done.lead.company if done else make_company(dice, locale)
        world.clients.append(_add(world, dice, number, company, _Origin(day, done)))


@dataclass(frozen=True, slots=True)
class _Origin:
    """When a customer was created (days from today), and the lead it was."""

    day: int
    done: Conversion | None


def _plan(world: World) -> list[tuple[int, Conversion | None]]:
    """Return the customers to make as (day, conversion), the oldest first."""
    others = world.scale.clients - len(world.converted)
    old = others * 2 // 5
    days = [world.days.first - 1 - (old - number) % 400 for number in range(old)]
    days += [int(world.days.first * (1 - at / (others - old)) * 0.99) for at in range(others - old)]
    plan: list[tuple[int, Conversion | None]] = [(day, None) for day in days]
    plan += [(done.day, done) for done in world.converted]
    return sorted(plan, key=lambda entry: entry[0])


def _add(world: World, dice: Dice, number: int, company: Company, origin: _Origin) -> Client:
    created, done = origin.day, origin.done
    currency = CURRENCY_IDS[company.currency] if dice.chance(0.75) else 0
    name = "" if number % 37 == 5 else _unique_name(company, number, world.scale.clients)
    key = world.store.put(
        "clients",
        company=name,
        vat=company.vat if dice.chance(0.8) else None,
        phonenumber=company.phone[:30],
        country=company.country_id,
        city=company.place.city,
        zip=company.place.zip,
        state=company.place.state,
        address=company.street,
        website=f"https://{company.domain}" if dice.chance(0.8) else None,
        datecreated=world.days.stamp(created, dice.office_second()),
        active=int(number % 19 != 7),
        leadid=done.lead.id if done else None,
        longitude=company.place.longitude if dice.chance(0.5) else None,
        latitude=company.place.latitude,
        default_language=company.locale.language or None,
        default_currency=currency,
        show_primary_contact=int(number % 11 == 0),
        stripe_id=f"cus_fake{dice.hex32()[:14]}" if number % 3 == 0 else None,
        registration_confirmed=int(number % 41 != 9),
        addedfrom=world.agent(dice).id if number % 10 else 0,
        **_billing(company),
        **_shipping(company, is_used=number % 4 == 0),
    )
    contacts = _add_contacts(world, dice, key, company, origin)
    _add_links(world, dice, key, created)
    label = name or (contacts[0].person.full if contacts else "")
    return Client(key, company, label, currency or 1, created, contacts)


def _unique_name(company: Company, number: int, clients: int) -> str:
    """Return the company's name; big sample CRMs number the names that word lists would repeat too often."""
    return company.name if clients <= 300 or number % 4 else f"{company.name} {number}"


def _billing(company: Company) -> dict[str, Value]:
    return {
        "billing_street": company.street,
        "billing_city": company.place.city,
        "billing_state": company.place.state,
        "billing_zip": company.place.zip,
        "billing_country": company.country_id,
    }


def _shipping(company: Company, *, is_used: bool) -> dict[str, Value]:
    place = company.place
    return {
        "shipping_street": f"Warehouse, {company.street}"[:200] if is_used else None,
        "shipping_city": place.city if is_used else None,
        "shipping_state": place.state if is_used else None,
        "shipping_zip": place.zip if is_used else None,
        "shipping_country": company.country_id if is_used else 0,
    }


def _add_contacts(world: World, dice: Dice, client_id: int, company: Company, origin: _Origin) -> tuple[Contact, ...]:
    """Add one to three contacts, the first of them primary; every 23rd customer has none."""
    done = origin.done
    if client_id % 23 == 12 and done is None:
        return ()
    people = [done.lead.person if done else make_person(dice, company.locale)]
    people += [make_person(dice, company.locale) for _ in range(dice.pick((0, 0, 0, 1, 1, 2)))]
    return tuple(
        _add_contact(world, dice, client_id, company, person, is_primary=at == 0, day=origin.day)
        for at, person in enumerate(people)
    )


def _add_contact(
    world: World, dice: Dice, client_id: int, company: Company, person: Person, *, is_primary: bool, day: int
) -> Contact:
    number = world.store.next_key("contacts")
    email = make_email(dice, person, 100000 + number)
    phone = make_phone(dice, company.place) if dice.chance(0.85) else ""
    stamp = world.days.stamp(day, dice.office_second())
    has_login = (is_primary and dice.chance(0.6)) or number == 1
    mails = int(dice.chance(0.9))
    key = world.store.put(
        "contacts",
        userid=client_id,
        is_primary=int(is_primary),
        firstname=person.first,
        lastname=person.last,
        email=email,
        phonenumber=phone,
        title=person.title,
        datecreated=stamp,
        password=dice.password_hash() if has_login else None,
        new_pass_key=dice.hex32() if has_login else None,
        new_pass_key_requested=stamp if has_login else None,
        email_verified_at=stamp,
        email_verification_key=dice.hex32() if has_login else None,
        email_verification_sent_at=stamp if has_login else None,
        last_ip=dice.address() if has_login else None,
        last_login=world.days.stamp(-dice.below(min(90, 1 - day)), dice.office_second()) if has_login else None,
        last_password_change=stamp if has_login else None,
        active=int(number % 31 != 13),
        profile_image=f"{person.ascii}.png" if has_login and dice.chance(0.3) else None,
        direction="rtl" if company.locale.code in ("ar", "he") else None,
        invoice_emails=mails,
        estimate_emails=mails,
        credit_note_emails=mails,
        contract_emails=1,
        task_emails=1,
        project_emails=int(is_primary),
        ticket_emails=1,
    )
    for permission in range(1, 7) if is_primary else (1, 5):
        world.store.put("contact_permissions", permission_id=permission, userid=key)
    return Contact(key, person, email, phone)


def _add_links(world: World, dice: Dice, client_id: int, created: int) -> None:
    for group in dice.some(range(1, len(CUSTOMER_GROUPS) + 1), dice.pick((0, 1, 1, 2))):
        world.store.put("customer_groups", groupid=group, customer_id=client_id)
    if dice.chance(0.5):
        stamp = world.days.stamp(created, dice.office_second())
        world.store.put("customer_admins", staff_id=world.agent(dice).id, customer_id=client_id, date_assigned=stamp)
