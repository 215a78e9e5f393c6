"""Leads with their timeline; about one in six has become a customer."""

from dataclasses import dataclass

from sample_crm.areas.lookups import LEAD_SOURCES, LEAD_STATUSES
from sample_crm.dice import Dice
from sample_crm.people import make_company, make_email, make_person, make_phone, pick_locale
from sample_crm.php import php_list
from sample_crm.store import Value
from sample_crm.world import Conversion, Lead, World

_CUSTOMER = 1
_INTERESTS = (
    "Asked for a quotation\nby the end of the month",
    "Wants to move from spreadsheets",
    "طلب عرض سعر لموقع جديد",
    "Souhaite une démonstration",
    "Met at the trade show, call back after Eid",
    "Budget approved 🎉",
)


def fill_leads(world: World) -> None:
    """Fill leads and their logs, and remember who was converted (in the order of conversion)."""
    dice = world.dice("leads")
    _fill_forms(world, dice)
    for number in range(world.scale.leads):
        _add(world, dice, number)
    world.converted.sort(key=lambda conversion: (conversion.day, conversion.lead.id))


@dataclass(frozen=True, slots=True)
class _Course:
    """What became of a lead: one of open, converted, lost, junk."""

    status: int
    last_status: int
    is_lost: bool
    is_junk: bool
    changed: int | None
    converted: int | None


def _course(dice: Dice, number: int, added: int) -> _Course:
    status = dice.between(2, len(LEAD_STATUSES))
    later = min(0, added + dice.between(1, 60))
    if number % 6 == 0 and added < -10:
        return _Course(_CUSTOMER, status, is_lost=False, is_junk=False, changed=later, converted=later)
    if number % 13 == 1:
        return _Course(0, status, is_lost=True, is_junk=False, changed=later, converted=None)
    if number % 29 == 2:
        return _Course(0, status, is_lost=False, is_junk=True, changed=later, converted=None)
    return _Course(2 if number % 5 == 3 else status, 0, False, False, later if number % 3 else None, None)


def _add(world: World, dice: Dice, number: int) -> None:
    days, locale = world.days, pick_locale(dice)
    person, company = make_person(dice, locale), make_company(dice, locale)
    added = int(days.first * (1 - (number + dice.random()) / world.scale.leads) ** 1.1)
    course = _course(dice, number, added)
    agent = world.agent(dice) if dice.chance(0.8) else None
    adder = world.agent(dice)
    email = make_email(dice, person, number + 1)
    row = _address(dice, company.street.split("<")[0], company.country_id) | _state(world, course)
    key = world.store.put(
        "leads",
        hash=f"{dice.hex32()}-{dice.hex32()}" if number % 3 == 0 else None,
        name=person.full,
        title=person.title,
        company=company.name if dice.chance(0.85) else None,
        description=dice.pick(_INTERESTS).replace("\n", "<br />\n"),
        zip=company.place.zip,
        city=company.place.city,
        state=company.place.state[:50],
        assigned=agent.id if agent else 0,
        dateadded=days.stamp(added, dice.office_second()),
        from_form_id=1 if number % 7 == 3 else 0,
        source=dice.between(1, len(LEAD_SOURCES)),
        lastcontact=days.stamp(min(0, added + 2), dice.office_second()) if dice.chance(0.6) else None,
        dateassigned=days.text(added) if agent else None,
        addedfrom=adder.id,
        email=email,
        website=f"https://{company.domain}",
        leadorder=1 + number % 20,
        phonenumber=make_phone(dice, company.place),
        is_imported_from_email_integration=int(number % 11 == 4),
        email_integration_uid=f"{dice.between(1000, 99999)}" if number % 11 == 4 else None,
        is_public=int(dice.chance(0.1)),
        default_language=locale.language or None,
        client_id=0,
        lead_value=dice.between(5, 900) * 10000 if dice.chance(0.7) else None,
        **row,
    )
    lead = Lead(key, person, company, email, added)
    world.leads.append(lead)
    if course.converted is not None:
        world.converted.append(Conversion(lead, course.converted))
    _log(world, dice, lead, course)
    if number % 11 == 4:
        _import_mail(world, dice, lead)


def _address(dice: Dice, street: str, country_id: int) -> dict[str, Value]:
    return {"country": country_id if dice.chance(0.9) else 0, "address": street[:100]}


def _state(world: World, course: _Course) -> dict[str, Value]:
    changed = None if course.changed is None else world.days.stamp(course.changed, 50400)
    return {
        "status": course.status,
        "last_status_change": changed,
        "date_converted": changed if course.converted is not None else None,
        "lost": int(course.is_lost),
        "junk": int(course.is_junk),
        "last_lead_status": course.last_status if course.is_lost or course.is_junk else 0,
    }


def _log(world: World, dice: Dice, lead: Lead, course: _Course) -> None:
    actor = world.agent(dice)
    entries = [("not_lead_activity_created", lead.added, "")]
    if course.changed is not None and course.status > 1:
        names = [actor.name, "New", LEAD_STATUSES[course.status - 1][0]]
        entries.append(("not_lead_activity_status_updated", course.changed, php_list(names)))
    if course.converted is not None:
        entries.append(("not_lead_activity_converted", course.converted, php_list([actor.name])))
    for description, day, extra in entries:
        world.store.put(
            "lead_activity_log",
            leadid=lead.id,
            description=description,
            additional_data=extra,
            date=world.days.stamp(day, dice.office_second()),
            staffid=actor.id,
            full_name=actor.name,
            custom_activity=0,
        )


def _import_mail(world: World, dice: Dice, lead: Lead) -> None:
    world.store.put(
        "lead_integration_emails",
        subject=f"Enquiry from {lead.person.full}",
        body=f"<p>Raw mail of {lead.email}, message {dice.hex32()}</p>",
        dateadded=world.days.stamp(lead.added, dice.office_second()),
        leadid=lead.id,
        emailid=dice.between(1, 9999),
    )


def _fill_forms(world: World, dice: Dice) -> None:
    world.store.put(
        "web_to_lead",
        form_key=dice.hex32(),
        lead_source=3,
        lead_status=2,
        notify_lead_imported=1,
        notify_type="assigned",
        notify_ids="a:0:{}",
        responsible=2,
        name="Contact page",
        form_data='[{"type":"text","name":"name","label":"Name","required":true}]',
        submit_btn_name="Send",
        success_submit_msg="Thank you, we will be in touch",
        dateadded=world.days.stamp(world.days.first, 40000),
    )
    world.store.put(
        "leads_email_integration",
        active=1,
        email="leads@gulf-studio.example",
        imap_server="imap.gulf-studio.example",
        password=f"fake-imap-{dice.hex32()}",
        check_every=10,
        responsible=2,
        lead_source=8,
        lead_status=2,
        encryption="ssl",
        folder="INBOX",
        last_run=str(world.days.unix(0, 28800)),
        notify_type="assigned",
        notify_ids="a:0:{}",
    )
