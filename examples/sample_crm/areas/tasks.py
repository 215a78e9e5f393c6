"""Tasks on every kind of record, with assignees, followers, checklists, comments and time sheets."""

from dataclasses import dataclass

from sample_crm.dice import Dice
from sample_crm.store import Value
from sample_crm.world import Client, Employee, Project, World

NOT_STARTED, FEEDBACK, TESTING, IN_PROGRESS, COMPLETE = range(1, 6)
_NAMES = ("Call back", "Prepare the offer", "Fix the layout", "مراجعة العقد", "Relire le devis", "Abnahme", "Deploy 🚀")
_CHECKS = ("Gather the facts", "Do it", "Have it reviewed", "Tell the customer")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a task is about; ``rel`` is (None, None) for a task on its own."""

    rel_type: str | None
    rel_id: int | None
    client: Client | None = None
    project: Project | None = None
    earliest: int = -100000


def fill_tasks(world: World) -> None:
    """Fill tasks: first those that invoice lines bill, then the others over the whole period."""
    dice = world.dice("tasks")
    for billing in world.billed_tasks:
        day = max(billing.day - dice.between(1, 30), billing.client.created)
        subject = _Subject("customer", billing.client.id, billing.client)
        key = _add(world, dice, day, subject, COMPLETE, billing.invoice_id)
        world.store.put("related_items", rel_id=key, rel_type="task", item_id=billing.line_id)
    for number in range(world.scale.tasks):
        subject = _subject(world, dice, number)
        day = max(int(world.days.first * (1 - (number + 1) / world.scale.tasks)), min(0, subject.earliest))
        if number % 17 == 3:
            day = dice.between(1, 30)
        _add(world, dice, day, subject, _status(dice, day), 0)


def _subject(world: World, dice: Dice, number: int) -> _Subject:
    if number % 3 == 0:
        project = dice.pick(world.projects)
        return _Subject("project", project.id, project.client, project, project.start)
    kind = number // 3 % 9
    if kind == 0:
        return _Subject(None, None)
    if kind == 1:
        client = dice.pick(world.clients)
        return _Subject("customer", client.id, client, None, client.created)
    if kind == 2:
        lead = dice.pick(world.leads)
        return _Subject("lead", lead.id, None, None, lead.added)
    if kind in (3, 4):
        keys = world.tickets if kind == 3 else world.expenses
        return _Subject("ticket" if kind == 3 else "expense", dice.pick(keys))
    name, documents = (
        ("invoice", world.invoices),
        ("estimate", world.estimates),
        ("proposal", world.proposals),
        ("contract", world.contracts),
    )[kind - 5]
    document = dice.pick(documents)
    return _Subject(name, document.id, document.client, None, document.day)


def _status(dice: Dice, day: int) -> int:
    if day > 0:
        return NOT_STARTED
    return COMPLETE if dice.chance(0.65 if day < -30 else 0.25) else dice.pick((FEEDBACK, TESTING, IN_PROGRESS, 4, 4))


def _add(world: World, dice: Dice, day: int, subject: _Subject, status: int, invoice_id: int) -> int:
    done = min(0, day + dice.below(20))
    added = min(day, 0)
    creator = world.agent(dice)
    contact = subject.client.contacts[0] if subject.client and subject.client.contacts else None
    is_from_contact = contact is not None and dice.chance(0.08)
    milestones = subject.project.milestones if subject.project else ()
    key = world.store.put(
        "tasks",
        name=dice.pick(_NAMES),
        description="<p>See the <a href='https://example.com'>brief</a>.</p>",
        priority=dice.between(1, 4),
        dateadded=world.days.stamp(added, dice.office_second()),
        startdate=world.days.text(day),
        duedate=world.days.text(day + dice.between(2, 40)) if dice.chance(0.8) else None,
        datefinished=world.days.stamp(done, 64800) if status == COMPLETE else None,
        addedfrom=contact.id if contact and is_from_contact else creator.id,
        is_added_from_contact=int(is_from_contact),
        status=status,
        rel_id=subject.rel_id,
        rel_type=subject.rel_type,
        is_public=int(dice.chance(0.2)),
        billable=int(invoice_id != 0 or dice.chance(0.5)),
        billed=int(invoice_id != 0),
        invoice_id=invoice_id,
        hourly_rate=dice.between(30, 120) * 100,
        milestone=dice.pick(milestones) if milestones and dice.chance(0.6) else 0,
        visible_to_client=int(dice.chance(0.4)),
        **_recurrence(dice),
    )
    _attend(world, dice, key, subject, creator)
    _check(world, dice, key, added, is_done=status == COMPLETE)
    _clock(world, dice, key, done, status)
    if len(world.tasks) < 5000:
        world.tasks.append(key)
    return key


def _recurrence(dice: Dice) -> dict[str, Value]:
    is_recurring = dice.chance(0.05)
    return {
        "recurring_type": "week" if is_recurring else None,
        "repeat_every": 2 if is_recurring else None,
        "recurring": int(is_recurring),
        "custom_recurring": int(is_recurring),
        "cycles": 0,
    }


def _attend(world: World, dice: Dice, key: int, subject: _Subject, creator: Employee) -> None:
    """Assign the task to project members or to anyone, let others follow, and comment on some."""
    pool = list(subject.project.members) if subject.project else [one.id for one in world.staff if one.is_active]
    for staff_id in dice.some(pool, dice.pick((0, 1, 1, 1, 2))):
        world.store.put("task_assigned", staffid=staff_id, taskid=key, assigned_from=creator.id)
    for staff_id in dice.some(pool, dice.pick((0, 0, 1))):
        world.store.put("task_followers", staffid=staff_id, taskid=key)
    if dice.chance(0.3):
        _comment(world, dice, key, subject, creator.id)


def _comment(world: World, dice: Dice, key: int, subject: _Subject, staff_id: int) -> None:
    stamp = world.days.stamp(0, dice.office_second())
    is_customer = subject.client is not None and bool(subject.client.contacts) and dice.chance(0.3)
    contact_id = subject.client.contacts[0].id if subject.client and is_customer else 0
    world.store.put(
        "task_comments",
        content="<p>Waiting for the customer — في انتظار العميل</p>",
        taskid=key,
        staffid=0 if contact_id else staff_id,
        contact_id=contact_id,
        file_id=0,
        dateadded=stamp,
    )


def _check(world: World, dice: Dice, key: int, added: int, *, is_done: bool) -> None:
    if not dice.chance(0.35):
        return
    agent = world.agent(dice)
    for order, text in enumerate(_CHECKS[: dice.between(1, 4)], start=1):
        is_finished = is_done or dice.chance(0.4)
        world.store.put(
            "task_checklist_items",
            taskid=key,
            description=text,
            finished=int(is_finished),
            dateadded=world.days.stamp(added, dice.office_second()),
            addedfrom=agent.id,
            finished_from=agent.id if is_finished else 0,
            list_order=order,
            assigned=agent.id if order == 1 else None,
        )


def _clock(world: World, dice: Dice, key: int, day: int, status: int) -> None:
    """Log time on some tasks; a few in progress have a timer running."""
    if not dice.chance(0.4):
        return
    agent = world.agent(dice)
    is_running = status == IN_PROGRESS and key % 9 == 0
    start = world.days.unix(0 if is_running else day, 32400)
    world.store.put(
        "taskstimers",
        task_id=key,
        start_time=str(start),
        end_time=None if is_running else str(start + dice.between(5, 40) * 180),
        staff_id=agent.id,
        hourly_rate=agent.rate,
        note="Went well" if dice.chance(0.3) else None,
    )
