"""Projects with everything the project page reads: all 19 settings, members, milestones, files, talk."""

from sample_crm.dice import Dice
from sample_crm.php import php_flags, php_list
from sample_crm.store import Value
from sample_crm.world import Client, Employee, Project, World

_TABS = """
overview tasks timesheets milestones files discussions gantt tickets contracts invoices estimates expenses
credit_notes subscriptions proposals notes activity
"""
_SETTINGS = """
available_features view_tasks create_tasks edit_tasks comment_on_tasks view_task_comments
view_task_attachments view_task_checklist_items upload_on_tasks view_task_total_logged_time
view_finance_overview upload_files open_discussions view_milestones view_gantt view_timesheets
view_activity_log view_team_members hide_tasks_on_main_tasks_table
"""
TABS = tuple(f"project_{tab}" for tab in _TABS.split())
SETTINGS = tuple(_SETTINGS.split())
_NAMES = (
    "Website relaunch",
    "CRM roll-out",
    "Branding 2.0",
    "متجر إلكتروني",
    "Netzwerk-Umbau",
    "Données & BI",
    "App 📱",
)
_MILESTONES = ("Analysis", "Design", "Build", "Hand-over")
_FILES = (("plan.pdf", "application/pdf"), ("عرض.pptx", "application/vnd.ms-powerpoint"), ("photo.jpg", "image/jpeg"))


def fill_projects(world: World) -> None:
    """Fill the project tables and hang each project on its customer."""
    dice = world.dice("projects")
    for number in range(world.scale.projects):
        start = int(world.days.first * (1 - (number + 0.5) / world.scale.projects))
        add_project(world, dice, number, world.client_by(dice, start), start)


def add_project(world: World, dice: Dice, number: int, client: Client, start: int) -> None:
    """Add a project of a customer that begins on that day; ``number`` decides what else is true of it."""
    project = _add(world, dice, number, client, start)
    client.projects.append(project.id)
    world.projects.append(project)


def _add(world: World, dice: Dice, number: int, client: Client, start: int) -> Project:
    status = _status(dice, start)
    name = f"{dice.pick(_NAMES)} {client.company.place.city}"
    creator = world.agent(dice)
    row = _billing(dice, number) | _progress(world, dice, start, status)
    key = world.store.put(
        "projects",
        name=name,
        description=f"<p>{name} for <strong>{client.label.replace('&', '&amp;')}</strong></p>",
        status=status,
        clientid=client.id,
        start_date=world.days.text(start),
        deadline=world.days.text(start + dice.between(30, 300)) if dice.chance(0.8) else None,
        project_created=world.days.text(start),
        estimated_hours=dice.between(10, 400) * 100 if dice.chance(0.5) else None,
        addedfrom=creator.id,
        contact_notification=2 if client.contacts and number % 5 == 0 else number % 2,
        notify_contacts=php_list([str(client.contacts[0].id)] if client.contacts and number % 5 == 0 else []),
        **row,
    )
    members = _add_members(world, dice, key)
    _add_settings(world, dice, key)
    milestones = _add_milestones(world, dice, key, start)
    project = Project(key, client, name, start, status, members, milestones)
    _add_activity(world, dice, project, creator)
    _add_files(world, dice, project)
    _add_talk(world, dice, project)
    return project


def _status(dice: Dice, start: int) -> int:
    if start > -70:
        return dice.pick((1, 2, 2))
    return dice.pick((2, 2, 2, 3, 4, 4, 5))


def _billing(dice: Dice, number: int) -> dict[str, Value]:
    billing_type = 1 + number % 3
    return {
        "billing_type": billing_type,
        "project_cost": dice.between(20, 900) * 10000 if billing_type == 1 else 0,
        "project_rate_per_hour": dice.between(30, 150) * 100 if billing_type == 2 else 0,
    }


def _progress(world: World, dice: Dice, start: int, status: int) -> dict[str, Value]:
    finished = world.days.stamp(min(0, start + dice.between(20, 200)), dice.office_second())
    return {
        "date_finished": finished if status == 4 else None,
        "progress": 100 if status == 4 else dice.below(19) * 5,
        "progress_from_tasks": int(dice.chance(0.7)),
    }


def _add_members(world: World, dice: Dice, project_id: int) -> tuple[int, ...]:
    active = [employee.id for employee in world.staff if employee.is_active]
    members = tuple(dice.some(active, dice.between(1, 4)))
    for staff_id in members:
        world.store.put("project_members", project_id=project_id, staff_id=staff_id)
    if project_id % 5 == 1:
        world.store.put("pinned_projects", project_id=project_id, staff_id=members[0])
    return members


def _add_settings(world: World, dice: Dice, project_id: int) -> None:
    features = php_flags({tab: int(tab != "project_subscriptions") for tab in TABS})
    for name in SETTINGS:
        value = features if name == "available_features" else str(int(dice.chance(0.7)))
        world.store.put("project_settings", project_id=project_id, name=name, value=value)


def _add_milestones(world: World, dice: Dice, project_id: int, start: int) -> tuple[int, ...]:
    keys = []
    for at, name in enumerate(_MILESTONES[: dice.below(5)]):
        begin = start + at * 30
        key = world.store.put(
            "milestones",
            name=name,
            description=f"{name} is done and signed off",
            description_visible_to_customer=int(dice.chance(0.5)),
            start_date=world.days.text(begin),
            due_date=world.days.text(begin + 28),
            project_id=project_id,
            color=dice.pick(("#28b8da", "#84c529", None)),
            milestone_order=at + 1,
            datecreated=world.days.text(start),
            hide_from_customer=int(dice.chance(0.1)),
        )
        keys.append(key)
    return tuple(keys)


def _add_activity(world: World, dice: Dice, project: Project, creator: Employee) -> None:
    names = {employee.id: employee.name for employee in world.staff}
    entries = [("project_activity_created", "")]
    entries += [("project_activity_added_team_member", names[staff_id]) for staff_id in project.members]
    if project.status == 4:
        entries.append(("project_marked_as_finished", project.name))
    for key, extra in entries:
        day = min(0, project.start + 20) if key == "project_marked_as_finished" else project.start
        world.store.put(
            "project_activity",
            project_id=project.id,
            staff_id=creator.id,
            contact_id=0,
            fullname=creator.name,
            visible_to_customer=1,
            description_key=key,
            additional_data=extra,
            dateadded=world.days.stamp(day, dice.office_second()),
        )


def _add_files(world: World, dice: Dice, project: Project) -> None:
    for name, filetype in _FILES[: dice.below(4)]:
        is_old = project.id % 9 == 0
        extension = name.rpartition(".")[2]
        world.store.put(
            "project_files",
            file_name=name if is_old else f"{dice.hex32()}.{extension}",
            original_file_name=None if is_old else name,
            subject=name,
            filetype=filetype,
            dateadded=world.days.stamp(min(0, project.start + 3), dice.office_second()),
            project_id=project.id,
            visible_to_customer=int(dice.chance(0.6)),
            external="dropbox" if extension == "pptx" else None,
            external_link="https://files.example/slides" if extension == "pptx" else None,
            **_uploader(project, is_customer=extension == "jpg"),
        )


def _uploader(project: Project, *, is_customer: bool) -> dict[str, Value]:
    """Return who put a file there: the customer's contact, or a project member."""
    if is_customer and project.client.contacts:
        return {"staffid": 0, "contact_id": project.client.contacts[0].id}
    return {"staffid": project.members[0], "contact_id": 0}


def _add_talk(world: World, dice: Dice, project: Project) -> None:
    """Add a private note and a discussion to some projects; a customer answers where there is a contact."""
    member = project.members[0]
    stamp = world.days.stamp(min(0, project.start + 5), dice.office_second())
    if dice.chance(0.4):
        world.store.put(
            "project_notes",
            project_id=project.id,
            title="To remember",
            content="<p>The customer prefers calls before noon.</p>",
            staff_id=member,
            dateadded=stamp,
        )
    if dice.chance(0.4):
        _add_discussion(world, project, member, stamp)


def _add_discussion(world: World, project: Project, member: int, stamp: str) -> None:
    names = {employee.id: employee.name for employee in world.staff}
    discussion = world.store.put(
        "projectdiscussions",
        project_id=project.id,
        subject="Next steps",
        description="What we agreed in the kick-off",
        show_to_customer=1,
        datecreated=stamp,
        last_activity=stamp,
        staff_id=member,
        contact_id=0,
    )
    first = world.store.put(
        "projectdiscussioncomments",
        **_comment(discussion, None, stamp, "Please look at the plan."),
        staff_id=member,
        contact_id=0,
        fullname=names[member],
    )
    if project.client.contacts:
        contact = project.client.contacts[0]
        world.store.put(
            "projectdiscussioncomments",
            **_comment(discussion, first, stamp, "شكراً، looks good 👍"),
            staff_id=0,
            contact_id=contact.id,
            fullname=contact.person.full,
        )


def _comment(discussion: int, parent: int | None, stamp: str, content: str) -> dict[str, Value]:
    return {
        "discussion_id": discussion,
        "discussion_type": "regular",
        "parent": parent,
        "created": stamp,
        "content": content,
    }


def project_of(dice: Dice, client: Client, share: float) -> int:
    """Return one of the customer's projects in ``share`` of the cases, else 0."""
    return dice.pick(client.projects) if client.projects and dice.chance(share) else 0
