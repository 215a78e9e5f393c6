"""What hangs on other records of every kind: notes, files, reminders, tags, views, tracked mails, consents."""

from collections.abc import Sequence

from sample_crm.areas.lookups import TAGS
from sample_crm.dice import Dice
from sample_crm.world import World

_NOTES = ("Called, will ring back", "Prefers e-mail\nin the morning", "عميل مهم", "À rappeler lundi", "Very happy 😊")
_FILES = (
    ("contract signed.pdf", "application/pdf"),
    ("عرض السعر.docx", "application/msword"),
    ("photo é.jpg", "image/jpeg"),
    ("figures.csv", "text/csv"),
)


def fill_annotations(world: World) -> None:
    """Fill the tables that refer to records by type and id."""
    owners = _owners(world)
    dice = world.dice("annotations")
    for rel_type in ("customer", "lead", "invoice", "estimate", "proposal", "contract", "ticket", "staff"):
        _add_notes(world, dice, rel_type, owners[rel_type])
    kinds = "customer lead invoice estimate proposal credit_note expense contract task"
    for rel_type in kinds.split():
        _add_files(world, dice, rel_type, owners[rel_type])
    for rel_type in ["customer", "lead", "invoice", "estimate", "proposal", "credit_note", "expense", "ticket", "task"]:
        _add_reminders(world, dice, rel_type, owners[rel_type])
    for rel_type in ["task", "lead", "project", "ticket", "invoice", "estimate", "proposal", "timesheet"]:
        _add_tags(world, dice, rel_type, owners[rel_type])
    for rel_type in ("invoice", "estimate", "proposal"):
        _add_views(world, dice, rel_type, owners[rel_type])
    _add_consents(world, dice)
    _add_task_file(world, dice)
    _add_customer_upload(world, dice)


def _owners(world: World) -> dict[str, Sequence[int]]:
    """Return, per type, the ids to hang things on."""
    return {
        "customer": [client.id for client in world.clients],
        "lead": [lead.id for lead in world.leads],
        "invoice": [document.id for document in world.invoices],
        "estimate": [document.id for document in world.estimates],
        "proposal": [document.id for document in world.proposals],
        "credit_note": [document.id for document in world.credit_notes],
        "contract": [document.id for document in world.contracts],
        "project": [project.id for project in world.projects],
        "staff": [employee.id for employee in world.staff],
        "ticket": world.tickets,
        "task": world.tasks,
        "expense": world.expenses,
        "timesheet": range(1, world.store.next_key("taskstimers")),
    }


def _share(dice: Dice, keys: Sequence[int], share: float) -> list[int]:
    """Return ``share`` of the keys, and the first one in any case."""
    return [key for at, key in enumerate(keys) if at == 0 or dice.chance(share)]


def _add_notes(world: World, dice: Dice, rel_type: str, keys: Sequence[int]) -> None:
    for key in _share(dice, keys, 0.3):
        day = -dice.below(200)
        stamp = world.days.stamp(day, dice.office_second())
        world.store.put(
            "notes",
            rel_id=key,
            rel_type=rel_type,
            description=dice.pick(_NOTES).replace("\n", "<br />\n"),
            date_contacted=stamp if rel_type == "lead" and dice.chance(0.5) else None,
            addedfrom=world.agent(dice).id,
            dateadded=stamp,
        )


def _add_files(world: World, dice: Dice, rel_type: str, keys: Sequence[int]) -> None:
    for key in _share(dice, keys, 0.08):
        name, filetype = dice.pick(_FILES)
        is_external = dice.chance(0.1)
        file_id = world.store.put(
            "files",
            rel_id=key,
            rel_type=rel_type,
            file_name=name,
            filetype=filetype,
            visible_to_customer=int(dice.chance(0.5)),
            attachment_key=dice.hex32(),
            external="dropbox" if is_external else None,
            external_link=f"https://files.example/{dice.hex32()}" if is_external else None,
            staffid=world.agent(dice).id,
            contact_id=0,
            dateadded=world.days.stamp(-dice.below(100), dice.office_second()),
        )
        contacts = world.clients[key - 1].contacts if rel_type == "customer" else ()
        for contact in contacts:
            world.store.put("shared_customer_files", file_id=file_id, contact_id=contact.id)


def _add_reminders(world: World, dice: Dice, rel_type: str, keys: Sequence[int]) -> None:
    for key in _share(dice, keys, 0.05):
        day = dice.between(-30, 30)
        world.store.put(
            "reminders",
            description="Ask whether everything is fine",
            date=world.days.stamp(day, dice.office_second()),
            isnotified=int(day < 0),
            rel_id=key,
            staff=world.agent(dice).id,
            rel_type=rel_type,
            notify_by_email=1,
            creator=world.agent(dice).id,
        )


def _add_tags(world: World, dice: Dice, rel_type: str, keys: Sequence[int]) -> None:
    for key in _share(dice, keys, 0.15):
        for order, tag in enumerate(dice.some(range(1, len(TAGS) + 1), dice.between(1, 3)), start=1):
            world.store.put("taggables", rel_id=key, rel_type=rel_type, tag_id=tag, tag_order=order)


def _add_views(world: World, dice: Dice, rel_type: str, keys: Sequence[int]) -> None:
    for key in _share(dice, keys, 0.1):
        stamp = world.days.stamp(-dice.below(60), dice.office_second())
        world.store.put("views_tracking", rel_id=key, rel_type=rel_type, date=stamp, view_ip=dice.address())
        is_opened = dice.chance(0.6)
        world.store.put(
            "tracked_mails",
            uid=dice.hex32(),
            rel_id=key,
            rel_type=rel_type,
            date=stamp,
            email=f"reader{key}@mail.example",
            opened=int(is_opened),
            date_opened=stamp if is_opened else None,
            subject=f"Your {rel_type}",
        )


def _add_consents(world: World, dice: Dice) -> None:
    contacts = [contact.id for client in world.clients for contact in client.contacts]
    owners = [(key, 0) for key in _share(dice, contacts, 0.1)]
    owners += [(0, key) for key in _share(dice, [lead.id for lead in world.leads], 0.1)]
    for contact_id, lead_id in owners:
        world.store.put(
            "consents",
            action=dice.pick(("opt-in", "opt-in", "opt-out")),
            date=world.days.stamp(-dice.below(300), dice.office_second()),
            ip=dice.address(),
            contact_id=contact_id,
            lead_id=lead_id,
            description="Said so on the phone",
            opt_in_purpose_description="We ask before we use your data",
            purpose_id=dice.between(1, 3),
            staff_name=world.agent(dice).name,
        )
    request_types = ((world.clients[0].id, contacts[0], 0), (0, 0, world.leads[0].id))
    for client_id, contact_id, lead_id in request_types:
        world.store.put(
            "gdpr_requests",
            clientid=client_id,
            contact_id=contact_id,
            lead_id=lead_id,
            request_type="account_removal",
            status="pending",
            request_date=world.days.stamp(-3, 40000),
            request_from="Someone who wants to be forgotten",
            description="Please remove my account",
        )


def _add_task_file(world: World, dice: Dice) -> None:
    """Attach a file to the first task by way of a comment, as the task page does."""
    task, staff_id = world.tasks[0], world.agent(dice).id
    file_id = world.store.next_key("files")
    stamp = world.days.stamp(-1, 43200)
    comment = world.store.put(
        "task_comments",
        content="[task_attachment]",
        taskid=task,
        staffid=staff_id,
        contact_id=0,
        file_id=file_id,
        dateadded=stamp,
    )
    world.store.put(
        "files",
        rel_id=task,
        rel_type="task",
        file_name="sketch.png",
        filetype="image/png",
        visible_to_customer=1,
        attachment_key=dice.hex32(),
        staffid=staff_id,
        contact_id=0,
        task_comment_id=comment,
        dateadded=stamp,
    )


def _add_customer_upload(world: World, dice: Dice) -> None:
    """Add a file that a contact uploaded in the portal."""
    client = next(client for client in world.clients if client.contacts)
    world.store.put(
        "files",
        rel_id=client.id,
        rel_type="customer",
        file_name="رخصة تجارية.pdf",
        filetype="application/pdf",
        visible_to_customer=1,
        attachment_key=dice.hex32(),
        staffid=0,
        contact_id=client.contacts[0].id,
        dateadded=world.days.stamp(-1, dice.office_second()),
    )
