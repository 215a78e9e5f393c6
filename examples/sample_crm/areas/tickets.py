"""Support tickets with replies and attachments: from contacts, from outsiders, and opened by staff."""

from sample_crm.areas.lookups import DEPARTMENTS, SERVICES, TICKET_PRIORITIES
from sample_crm.areas.projects import project_of
from sample_crm.dice import Dice
from sample_crm.people import make_email, make_person, pick_locale
from sample_crm.store import Value
from sample_crm.world import Client, World

OPEN, IN_PROGRESS, ANSWERED, ON_HOLD, CLOSED = range(1, 6)
_SUBJECTS = (
    "Cannot log in",
    "Invoice is wrong",
    "لا أستطيع تحميل الملف",
    "Impression floue",
    "Server down 🔥",
    "Rückfrage zum Angebot",
    "How do I export?",
)


def fill_tickets(world: World) -> None:
    """Fill tickets in the order of their dates; the oldest are closed."""
    dice = world.dice("tickets")
    for number in range(world.scale.tickets):
        _add(world, dice, number)
    _fill_mail_log(world, dice)


def _add(world: World, dice: Dice, number: int) -> None:
    day = int(world.days.first * (1 - (number + 1) / world.scale.tickets))
    client = world.client_by(dice, day)
    author = _author(dice, client, number)
    status = (
        dice.pick((OPEN, IN_PROGRESS, ANSWERED, ON_HOLD, OPEN)) if day > -120 else dice.pick((CLOSED, CLOSED, ON_HOLD))
    )
    has_replies = status != OPEN
    opened = dice.office_second()
    replied = min(0, day + dice.below(3))
    is_known = author["contactid"] != 0
    assigned = world.agent(dice).id if dice.chance(0.7) else 0
    key = world.store.put(
        "tickets",
        merged_ticket_id=number if number % 41 == 12 else None,
        department=1 + number % len(DEPARTMENTS),
        priority=dice.between(0, len(TICKET_PRIORITIES)),
        status=status,
        service=dice.between(1, len(SERVICES)) if dice.chance(0.7) else None,
        ticketkey=dice.hex32(),
        subject=dice.pick(_SUBJECTS),
        message="<p>Please have a look.<br>It worked <em>yesterday</em>.</p>",
        admin=assigned or 1 if number % 9 == 8 else None,
        date=world.days.stamp(day, opened),
        project_id=project_of(dice, client, 0.3) if is_known else 0,
        lastreply=world.days.stamp(replied, 64000) if has_replies else None,
        clientread=int(dice.chance(0.7)),
        adminread=int(has_replies),
        assigned=assigned,
        cc="team@cc.example" if number % 12 == 0 else None,
        **author,
    )
    world.tickets.append(key)
    if has_replies:
        _reply(world, dice, key, author, replied)
    if number % 4 == 0:
        _attach(world, key, None, "screenshot.png", world.days.stamp(day, opened))


def _author(dice: Dice, client: Client, number: int) -> dict[str, Value]:
    """Return who wrote: a contact of the customer, or an outsider with name and e-mail."""
    if client.contacts and number % 8 != 5:
        contact = dice.pick(client.contacts)
        return {"userid": client.id, "contactid": contact.id, "email": None, "name": None}
    person = make_person(dice, pick_locale(dice))
    return {"userid": 0, "contactid": 0, "email": make_email(dice, person, 900000 + number), "name": person.full}


def _reply(world: World, dice: Dice, ticket: int, author: dict[str, Value], day: int) -> None:
    """Let staff answer, and the author thank for it in two of three tickets."""
    nobody: dict[str, Value] = {"userid": 0, "contactid": 0, "email": None, "name": None}
    staff_id = world.agent(dice).id
    answer = _put_reply(
        world, ticket, world.days.stamp(day, 64000), "<p>Fixed, please try again.</p>", staff_id, nobody
    )
    if dice.chance(0.66):
        _put_reply(world, ticket, world.days.stamp(day, 64500), "<p>شكراً جزيلاً!</p>", None, author)
    if ticket % 5 == 0:
        _attach(world, ticket, answer, "manual.pdf", world.days.stamp(day, 64000))


def _put_reply(
    world: World, ticket: int, stamp: str, message: str, staff_id: int | None, author: dict[str, Value]
) -> int:
    return world.store.put(
        "ticket_replies",
        ticketid=ticket,
        userid=author["userid"],
        contactid=author["contactid"],
        name=author["name"],
        email=author["email"],
        date=stamp,
        message=message,
        admin=staff_id,
    )


def _attach(world: World, ticket: int, reply: int | None, name: str, stamp: str) -> None:
    filetype = "application/pdf" if name.endswith("pdf") else "image/png"
    world.store.put(
        "ticket_attachments", ticketid=ticket, replyid=reply, file_name=name, filetype=filetype, dateadded=stamp
    )


def _fill_mail_log(world: World, dice: Dice) -> None:
    for number in range(3):
        world.store.put(
            "tickets_pipe_log",
            date=world.days.stamp(-number - 1, dice.office_second()),
            email_to="support@gulf-studio.example",
            name="Mail Sender",
            subject="Re: your ticket",
            message=f"Raw imported mail {dice.hex32()}",
            email=f"sender{number}@mail.example",
            status="Ticket Imported Successfully",
        )
    for kind, value in (("sender", "spam@mail.example"), ("subject", "win a prize"), ("phrase", "casino")):
        world.store.put("spam_filters", type=kind, rel_type="tickets", value=value)
    world.store.put("spam_filters", type="sender", rel_type="leads", value="bot@mail.example")
