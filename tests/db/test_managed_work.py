"""Tasks and projects written on a real server: every column of every row is what the CRM's own screens expect."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from gateway.operations.managed.project_settings import SETTINGS, TABS, php_flags
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

NOW = datetime(2026, 7, 15, 16, 0)
"""Noon in London is this on the wall of the CRM, which is in Dubai."""
TODAY = NOW.date()
UNIX = str(int(NOON.timestamp()))

Rows = list[dict[str, Any]]
Read = Callable[[str], Rows]


@pytest.fixture(scope="module")
def work_database(mariadb_server: Server) -> Iterator[str]:
    """The URL of a sample CRM of this module's own, to be written to at will."""
    name = f"gateway_work_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="demo", today=TODAY)
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture
async def app(work_database: str) -> AsyncIterator[App]:
    async with served(work_database) as running:
        yield running


@pytest.fixture
def read(mariadb_server: Server, work_database: str) -> Read:
    """Return the rows of a ``table WHERE …`` as dictionaries, by key, beside the gateway."""
    name = work_database.rpartition("/")[2]

    def rows(what: str) -> Rows:
        table = what.partition(" ")[0]
        columns = mariadb_server.run(
            "SELECT column_name FROM information_schema.columns "
            f"WHERE table_schema = '{name}' AND table_name = '{table}' ORDER BY ordinal_position"
        )
        names = [str(column) for (column,) in columns]
        found = mariadb_server.run(f"SELECT * FROM {what} ORDER BY 1", database=name)
        return [dict(zip(names, row, strict=True)) for row in found]

    return rows


@pytest.fixture
def run(mariadb_server: Server, work_database: str) -> Callable[..., Any]:
    name = work_database.rpartition("/")[2]
    return lambda *statements: mariadb_server.run(*statements, database=name)


@pytest.fixture
def actor(read: Read) -> dict[str, Any]:
    """The staff member who acts where nobody else is named: the first active administrator."""
    staff = read("tblstaff WHERE active = 1 AND admin = 1")[0]
    return {"id": staff["staffid"], "name": f"{staff['firstname']} {staff['lastname']}"}


async def sent(app: App, method: str, path: str, body: Mapping[str, Any], status: int = 200) -> Any:
    answer = await app.client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def created(app: App, resource: str, body: Mapping[str, Any]) -> int:
    row = await sent(app, "POST", resource, body, 201)
    return int(row["data"]["id"])


def faults(answer: httpx2.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(issue["pointer"], issue["code"]) for issue in answer.json()["errors"]}


async def refused(app: App, method: str, path: str, body: Mapping[str, Any]) -> set[tuple[str, str]]:
    return faults(await app.client.request(method, f"/api/v1/{path}", json=body))


def told(project: int, actor: Mapping[str, Any], key: str, text: str, *, visible: int = 1) -> dict[str, Any]:
    """A row of a project's timeline, without its key."""
    return {
        "project_id": project,
        "staff_id": actor["id"],
        "contact_id": 0,
        "fullname": actor["name"],
        "visible_to_customer": visible,
        "description_key": key,
        "additional_data": text,
        "dateadded": NOW,
    }


def less(rows: Rows, *names: str) -> Rows:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


PLAIN_TASK: Mapping[str, Any] = {
    "description": None,
    "priority": 2,
    "dateadded": NOW,
    "startdate": TODAY,
    "duedate": None,
    "datefinished": None,
    "is_added_from_contact": 0,
    "status": 4,
    "recurring_type": None,
    "repeat_every": None,
    "recurring": 0,
    "is_recurring_from": None,
    "cycles": 0,
    "total_cycles": 0,
    "custom_recurring": 0,
    "last_recurring_date": None,
    "rel_id": None,
    "rel_type": None,
    "is_public": 0,
    "billable": 0,
    "billed": 0,
    "invoice_id": 0,
    "hourly_rate": Decimal("0.00"),
    "milestone": 0,
    "kanban_order": 1,
    "milestone_order": 0,
    "visible_to_client": 0,
    "deadline_notified": 0,
}


# Tasks


async def test_a_task_of_a_name_alone_has_the_defaults_of_the_crm(app: App, read: Read, actor: dict[str, Any]) -> None:
    """It begins today, so it is in progress, with the priority of the options."""
    key = await created(app, "tasks", {"name": "Call back"})

    row = read(f"tbltasks WHERE id = {key}")
    assert row == [{"id": key, "name": "Call back", "addedfrom": actor["id"], **PLAIN_TASK}]


async def test_the_options_choose_status_and_priority(app: App, read: Read, run: Callable[..., Any]) -> None:
    """``auto`` looks at the day on which the work begins; a code is taken as it is."""
    later = await created(app, "tasks", {"name": "Later", "startdate": "2026-07-16"})
    set_option = "UPDATE tbloptions SET value = '{}' WHERE name = '{}'"
    run(set_option.format(3, "default_task_status"), set_option.format(4, "default_task_priority"))
    try:
        chosen = await created(app, "tasks", {"name": "Chosen"})
        own = await created(app, "tasks", {"name": "Own", "status": 2, "priority": 1})
    finally:
        run(set_option.format("auto", "default_task_status"), set_option.format(2, "default_task_priority"))

    found = {row["id"]: (row["status"], row["priority"]) for row in read(f"tbltasks WHERE id >= {later}")}
    assert found == {later: (1, 2), chosen: (3, 4), own: (2, 1)}


async def test_a_task_of_a_project_with_all_that_goes_with_it(app: App, read: Read, actor: dict[str, Any]) -> None:
    """Assignees, followers and checklist are rows of their own, and the project's timeline names the assignees."""
    milestone = read("tblmilestones")[0]
    project = milestone["project_id"]
    one, two = read("tblstaff")[:2]
    last = read("tblproject_activity")[-1]["id"]
    body = {
        "name": "Build",
        "rel_type": "project",
        "rel_id": project,
        "milestone": milestone["id"],
        "visible_to_client": True,
        "recurring": 1,
        "repeat_every": 2,
        "recurring_type": "week",
        "task_assigned": [{"staffid": one["staffid"]}, {"staffid": two["staffid"]}],
        "task_followers": [{"staffid": two["staffid"]}],
        "task_checklist_items": [{"description": "Plan"}, {"description": "Do", "finished": 1}],
    }

    key = await created(app, "tasks", body)

    expected = {
        **PLAIN_TASK,
        "rel_type": "project",
        "rel_id": project,
        "milestone": milestone["id"],
        "visible_to_client": 1,
        "recurring": 1,
        "repeat_every": 2,
        "recurring_type": "week",
    }
    assert read(f"tbltasks WHERE id = {key}") == [{"id": key, "name": "Build", "addedfrom": actor["id"], **expected}]
    assert less(read(f"tbltask_assigned WHERE taskid = {key}"), "id") == [
        {
            "staffid": person["staffid"],
            "taskid": key,
            "assigned_from": actor["id"],
            "is_assigned_from_contact": 0,
        }
        for person in (one, two)
    ]
    assert less(read(f"tbltask_followers WHERE taskid = {key}"), "id") == [{"staffid": two["staffid"], "taskid": key}]
    assert less(read(f"tbltask_checklist_items WHERE taskid = {key}"), "id") == [
        {
            "taskid": key,
            "description": text,
            "finished": finished,
            "dateadded": NOW,
            "addedfrom": actor["id"],
            "finished_from": actor["id"] if finished else 0,
            "list_order": order,
            "assigned": None,
        }
        for order, (text, finished) in enumerate([("Plan", 0), ("Do", 1)], start=1)
    ]
    assert less(read(f"tblproject_activity WHERE id > {last}"), "id") == [
        told(
            project, actor, "project_activity_new_task_assignee", f"Build - {person['firstname']} {person['lastname']}"
        )
        for person in (one, two)
    ]


async def test_completing_a_task_stops_its_clocks_and_reopening_forgets_when(
    app: App, read: Read, actor: dict[str, Any]
) -> None:
    """Only running timers stop; the time is unix seconds as text; the timeline tells of it once."""
    project = read("tblprojects")[0]["id"]
    key = await created(app, "tasks", {"name": "Finish", "rel_type": "project", "rel_id": project})
    other = await created(app, "tasks", {"name": "Other"})
    timer = {"task_id": key, "start_time": "1752570000", "staff_id": actor["id"]}
    await sent(app, "POST", "taskstimers", {**timer, "end_time": "1752573600"}, 201)
    await sent(app, "POST", "taskstimers", timer, 201)
    await sent(app, "POST", "taskstimers", {**timer, "task_id": other}, 201)
    last = read("tblproject_activity")[-1]["id"]

    done = await sent(app, "PATCH", f"tasks/{key}", {"status": 5})
    again = await sent(
        app, "PATCH", f"tasks/{key}", {"status": 5, "name": "Finished", "datefinished": done["data"]["datefinished"]}
    )

    assert done["data"]["status"] == 5
    assert again["data"]["datefinished"] == done["data"]["datefinished"]
    assert read(f"tbltasks WHERE id = {key}")[0]["datefinished"] == NOW
    assert [row["end_time"] for row in read(f"tbltaskstimers WHERE task_id = {key}")] == ["1752573600", UNIX]
    assert [row["end_time"] for row in read(f"tbltaskstimers WHERE task_id = {other}")] == [None]
    assert less(read(f"tblproject_activity WHERE id > {last}"), "id") == [
        told(project, actor, "project_activity_task_marked_complete", "Finish", visible=0)
    ]

    await sent(app, "PATCH", f"tasks/{key}", {"status": 4})

    row = read(f"tbltasks WHERE id = {key}")[0]
    assert (row["status"], row["datefinished"]) == (4, None)
    assert [row["end_time"] for row in read(f"tbltaskstimers WHERE task_id = {key}")] == ["1752573600", UNIX]


async def test_a_task_can_be_created_complete(app: App, read: Read, actor: dict[str, Any]) -> None:
    """Its nested timers do not run on."""
    timer = {"start_time": "1752570000", "staff_id": actor["id"]}
    key = await created(app, "tasks", {"name": "Done", "status": 5, "taskstimers": [timer]})

    assert read(f"tbltasks WHERE id = {key}")[0]["datefinished"] == NOW
    assert [row["end_time"] for row in read(f"tbltaskstimers WHERE task_id = {key}")] == [UNIX]


async def test_what_a_task_cannot_be_is_refused_with_every_field_named(app: App, read: Read) -> None:
    """Codes, pairs, milestones of other projects, people who are not there; nothing is written."""
    before = len(read("tbltasks"))
    milestone = read("tblmilestones")[0]
    elsewhere = next(row["id"] for row in read("tblprojects") if row["id"] != milestone["project_id"])
    staff = read("tblstaff")[0]["staffid"]

    assert await refused(app, "POST", "tasks", {"name": "x", "status": 9, "priority": 7, "rel_type": "lead"}) == {
        ("/status", "computed"),
        ("/priority", "member"),
        ("/rel_id", "required"),
    }
    assert await refused(app, "POST", "tasks", {"name": "x", "rel_id": 3}) == {("/rel_type", "required")}
    assert await refused(app, "POST", "tasks", {"name": "x", "milestone": milestone["id"]}) == {
        ("/milestone", "reference")
    }
    body = {"name": "x", "rel_type": "project", "rel_id": elsewhere, "milestone": milestone["id"]}
    assert await refused(app, "POST", "tasks", body) == {("/milestone", "reference")}
    people = [{"staffid": staff}, {"staffid": staff}, {"staffid": 99999}]
    assert await refused(app, "POST", "tasks", {"name": "x", "task_assigned": people}) == {
        ("/task_assigned/1/staffid", "duplicate"),
        ("/task_assigned/2/staffid", "reference"),
    }
    assert await refused(app, "POST", "tasks", {"name": "x", "recurring": 1, "recurring_type": "decade"}) == {
        ("/repeat_every", "required"),
        ("/recurring_type", "member"),
    }
    assert await refused(app, "POST", "tasks", {"name": "x", "billed": 1}) == {("/billed", "computed")}
    assert await refused(app, "POST", "tasks", {"name": "x", "datefinished": "2026-07-01T10:00:00"}) == {
        ("/datefinished", "computed")
    }
    assert len(read("tbltasks")) == before


async def test_what_the_whitelist_hides_is_written_all_the_same(work_database: str, read: Read) -> None:
    """Statuses, clocks, prices, settings and names in the timeline are the rule's, whoever may see them."""
    hidden = """
version: 1
profile: perfex
tables:
  tasks: {hide: [status, priority, datefinished, milestone, is_added_from_contact]}
  taskstimers: {hide: [end_time]}
  projects: {hide: [status, project_cost, notify_contacts]}
  project_settings: {hide: [value]}
  project_members:
  staff: {hide: [firstname, lastname]}
"""
    person = read("tblstaff")[0]["staffid"]
    client = read("tblclients")[0]["userid"]
    async with served(work_database, whitelist=hidden) as narrow:
        members = [{"staff_id": person}]
        project = await created(narrow, "projects", {"name": "Site", "clientid": client, "project_members": members})
        task = await created(narrow, "tasks", {"name": "T"})
        visible = await narrow.json(f"tasks?filter[id]={task}")

    assert not {"status", "priority"} & set(visible["data"][0])
    row = read(f"tbltasks WHERE id = {task}")[0]
    assert (row["status"], row["priority"], row["milestone"]) == (4, 2, 0)
    row = read(f"tblprojects WHERE id = {project}")[0]
    assert (row["status"], row["project_cost"], row["notify_contacts"]) == (2, 0, "a:0:{}")
    settings = read(f"tblproject_settings WHERE project_id = {project}")
    assert [one["name"] for one in settings] == list(SETTINGS)
    assert all(one["value"] for one in settings)
    assert all(one["fullname"] for one in read(f"tblproject_activity WHERE project_id = {project}"))


async def test_a_task_that_was_read_can_be_sent_back(app: App, read: Read) -> None:
    """Whatever the CRM had stored in it: no column changes."""
    for row in read("tbltasks")[::40]:
        [body] = (await app.json(f"tasks?filter[id]={row['id']}"))["data"]
        await sent(app, "PUT", f"tasks/{row['id']}", body)
        assert read(f"tbltasks WHERE id = {row['id']}") == [row]


async def test_a_task_that_moves_leaves_its_milestone(app: App, read: Read) -> None:
    """A milestone belongs to one project; without a project there is none, and no half of a relation."""
    milestone = read("tblmilestones")[0]
    body = {"name": "Move", "rel_type": "project", "rel_id": milestone["project_id"], "milestone": milestone["id"]}
    key = await created(app, "tasks", body)

    await sent(app, "PATCH", f"tasks/{key}", {"rel_type": "customer", "rel_id": 1})
    row = read(f"tbltasks WHERE id = {key}")[0]
    assert (row["rel_type"], row["rel_id"], row["milestone"]) == ("customer", 1, 0)

    await sent(app, "PATCH", f"tasks/{key}", {"rel_type": None, "rel_id": None})
    row = read(f"tbltasks WHERE id = {key}")[0]
    assert (row["rel_type"], row["rel_id"], row["milestone"]) == (None, None, 0)


async def test_a_task_goes_with_all_that_it_owns(app: App, read: Read, run: Callable[..., Any]) -> None:
    """Assignees, followers, comments, checklist, timers with their tags, reminders, files, values of custom fields."""
    staff = read("tblstaff")[0]["staffid"]
    key = await created(
        app,
        "tasks",
        {
            "name": "Gone",
            "task_assigned": [{"staffid": staff}],
            "task_followers": [{"staffid": staff}],
            "task_comments": [{"content": "<p>hm</p>"}],
            "task_checklist_items": [{"description": "x"}],
            "taskstimers": [{"start_time": "1752570000", "staff_id": staff}],
        },
    )
    timer = read(f"tbltaskstimers WHERE task_id = {key}")[0]["id"]
    run(
        "INSERT INTO tbltaggables (rel_id, rel_type, tag_id, tag_order) "
        f"VALUES ({key}, 'task', 1, 1), ({timer}, 'timesheet', 1, 1)",
        f"INSERT INTO tblrelated_items (rel_id, rel_type, item_id) VALUES ({key}, 'task', 1)",
    )

    answer = await app.client.delete(f"/api/v1/tasks/{key}")

    assert answer.status_code == 204, answer.text
    for table in ("task_assigned", "task_followers", "task_comments", "task_checklist_items"):
        assert not read(f"tbl{table} WHERE taskid = {key}"), table
    assert not read(f"tbltasks WHERE id = {key}")
    assert not read(f"tbltaskstimers WHERE task_id = {key}")
    assert not read(f"tblrelated_items WHERE rel_type = 'task' AND rel_id = {key}")
    assert not read(f"tbltaggables WHERE rel_type = 'task' AND rel_id = {key}")
    assert not read(f"tbltaggables WHERE rel_type = 'timesheet' AND rel_id = {timer}")


# Projects


def project_row(key: int, client: int, actor: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "id": key,
        "name": "Site",
        "description": None,
        "status": 2,
        "clientid": client,
        "billing_type": 1,
        "start_date": TODAY,
        "deadline": None,
        "project_created": TODAY,
        "date_finished": None,
        "progress": 0,
        "progress_from_tasks": 1,
        "project_cost": Decimal("0.00"),
        "project_rate_per_hour": Decimal("0.00"),
        "estimated_hours": None,
        "addedfrom": actor["id"],
        "contact_notification": 1,
        "notify_contacts": "a:0:{}",
        **changed,
    }


async def test_a_project_of_a_name_and_a_customer_has_all_its_settings(
    app: App, read: Read, actor: dict[str, Any]
) -> None:
    """The settings are those of the newest project; nobody is made a member unasked; the timeline begins."""
    client = read("tblclients")[0]["userid"]
    newest = max(row["project_id"] for row in read("tblproject_settings"))
    copied = {row["name"]: row["value"] for row in read(f"tblproject_settings WHERE project_id = {newest}")}

    key = await created(app, "projects", {"name": "Site", "clientid": client})

    assert read(f"tblprojects WHERE id = {key}") == [project_row(key, client, actor)]
    settings = less(read(f"tblproject_settings WHERE project_id = {key}"), "id")
    assert settings == [{"project_id": key, "name": name, "value": copied[name]} for name in SETTINGS]
    assert len(settings) == 19
    assert not read(f"tblproject_members WHERE project_id = {key}")
    assert less(read(f"tblproject_activity WHERE project_id = {key}"), "id") == [
        told(key, actor, "project_activity_created", "")
    ]


async def test_members_are_named_in_the_timeline_and_settings_can_be_sent(
    app: App, read: Read, actor: dict[str, Any]
) -> None:
    """A setting that was sent is not written twice."""
    client = read("tblclients")[0]["userid"]
    person = read("tblstaff")[1]
    body = {
        "name": "Site",
        "clientid": client,
        "billing_type": 2,
        "project_rate_per_hour": 80.5,
        "deadline": "2026-09-01",
        "progress": 15,
        "progress_from_tasks": 0,
        "contact_notification": 2,
        "notify_contacts": ["3", "4"],
        "project_members": [{"staff_id": person["staffid"]}],
        "project_settings": [{"name": "view_gantt", "value": "0"}],
    }

    key = await created(app, "projects", body)

    assert read(f"tblprojects WHERE id = {key}") == [
        project_row(
            key,
            client,
            actor,
            billing_type=2,
            project_rate_per_hour=Decimal("80.50"),
            deadline=date(2026, 9, 1),
            progress=15,
            progress_from_tasks=0,
            contact_notification=2,
            notify_contacts='a:2:{i:0;s:1:"3";i:1;s:1:"4";}',
        )
    ]
    settings = read(f"tblproject_settings WHERE project_id = {key}")
    assert sorted(row["name"] for row in settings) == sorted(SETTINGS)
    assert [row["value"] for row in settings if row["name"] == "view_gantt"] == ["0"]
    assert less(read(f"tblproject_members WHERE project_id = {key}"), "id") == [
        {"project_id": key, "staff_id": person["staffid"]}
    ]
    name = f"{person['firstname']} {person['lastname']}"
    assert less(read(f"tblproject_activity WHERE project_id = {key}"), "id") == [
        told(key, actor, "project_activity_created", ""),
        told(key, actor, "project_activity_added_team_member", name),
    ]


async def test_without_settings_to_copy_everything_is_open(
    app: App, read: Read, mariadb_server: Server, work_database: str
) -> None:
    """The tabs are a map that PHP reads."""
    run = work_database.rpartition("/")[2]
    mariadb_server.run(
        "CREATE TABLE kept AS SELECT * FROM tblproject_settings", "DELETE FROM tblproject_settings", database=run
    )
    try:
        key = await created(app, "projects", {"name": "First", "clientid": read("tblclients")[0]["userid"]})
        found = {row["name"]: row["value"] for row in read(f"tblproject_settings WHERE project_id = {key}")}
    finally:
        mariadb_server.run("INSERT INTO tblproject_settings SELECT * FROM kept", "DROP TABLE kept", database=run)

    expected = {**dict.fromkeys(SETTINGS, "1"), "hide_tasks_on_main_tasks_table": "0"}
    assert found == {**expected, "available_features": php_flags(TABS)}


async def test_finishing_a_project_is_dated_and_told(app: App, read: Read, actor: dict[str, Any]) -> None:
    """Leaving the status clears the date."""
    client = read("tblclients")[0]["userid"]
    key = await created(app, "projects", {"name": "Site", "clientid": client})

    await sent(app, "PATCH", f"projects/{key}", {"status": 4})
    assert read(f"tblprojects WHERE id = {key}") == [project_row(key, client, actor, status=4, date_finished=NOW)]
    await sent(app, "PATCH", f"projects/{key}", {"status": 3, "name": "Site"})
    assert read(f"tblprojects WHERE id = {key}") == [project_row(key, client, actor, status=3)]
    await sent(app, "PATCH", f"projects/{key}", {"status": 3})

    assert less(read(f"tblproject_activity WHERE project_id = {key}"), "id")[1:] == [
        told(key, actor, "project_marked_as_finished", ""),
        told(key, actor, "project_status_updated", ""),
    ]


async def test_a_price_goes_with_its_way_of_billing(app: App, read: Read) -> None:
    """The other one is 0, also after the way of billing changed."""
    client = read("tblclients")[0]["userid"]
    key = await created(app, "projects", {"name": "Site", "clientid": client, "project_cost": 900})

    def prices() -> tuple[Any, ...]:
        row = read(f"tblprojects WHERE id = {key}")[0]
        return row["billing_type"], row["project_cost"], row["project_rate_per_hour"]

    assert prices() == (1, 900, 0)
    assert await refused(app, "PATCH", f"projects/{key}", {"project_rate_per_hour": 5}) == {
        ("/project_rate_per_hour", "computed")
    }
    await sent(app, "PATCH", f"projects/{key}", {"billing_type": 2, "project_rate_per_hour": 70})
    assert prices() == (2, 0, 70)
    await sent(app, "PATCH", f"projects/{key}", {"billing_type": 3})
    assert prices() == (3, 0, 0)


async def test_what_a_project_cannot_be_is_refused_with_every_field_named(app: App, read: Read) -> None:
    """Nothing is written."""
    before = len(read("tblprojects"))
    client = read("tblclients")[0]["userid"]
    good = {"name": "Site", "clientid": client}

    assert await refused(app, "POST", "projects", {}) == {("/name", "required"), ("/clientid", "required")}
    body = {**good, "clientid": 99999, "billing_type": 4, "status": 6, "progress": 101, "contact_notification": 3}
    assert await refused(app, "POST", "projects", body) == {
        ("/clientid", "reference"),
        ("/billing_type", "member"),
        ("/status", "computed"),
        ("/progress", "out_of_range"),
        ("/contact_notification", "member"),
    }
    assert await refused(app, "POST", "projects", {**good, "date_finished": "2026-01-01"}) == {
        ("/date_finished", "computed")
    }
    settings = [{"name": "available_features", "value": "1"}, {"name": "secret", "value": "1"}]
    assert await refused(app, "POST", "projects", {**good, "project_settings": settings}) == {
        ("/project_settings/0/name", "computed"),
        ("/project_settings/1/name", "member"),
    }
    assert await refused(app, "POST", "projects", {**good, "tasks": [{"name": "x"}]}) == {("/tasks/0", "read_only")}
    assert await refused(app, "POST", "projects", {**good, "project_members": [{"staff_id": 99999}]}) == {
        ("/project_members/0/staff_id", "reference")
    }
    assert len(read("tblprojects")) == before


async def test_a_project_that_was_read_can_be_sent_back(app: App, read: Read) -> None:
    """Whatever the CRM had stored in it: no column changes."""
    for row in read("tblprojects"):
        [body] = (await app.json(f"projects?filter[id]={row['id']}"))["data"]
        await sent(app, "PUT", f"projects/{row['id']}", body)
        assert read(f"tblprojects WHERE id = {row['id']}") == [row]


FREED: Mapping[str, object] = {
    "contracts": None,
    "creditnotes": 0,
    "estimates": 0,
    "expenses": 0,
    "invoices": 0,
    "proposals": None,
    "tickets": 0,
}
OWNED = (
    "milestones",
    "pinned_projects",
    "project_activity",
    "project_files",
    "project_members",
    "project_notes",
    "project_settings",
    "projectdiscussions",
)


async def test_a_project_goes_with_what_it_owns_and_the_rest_forgets_it(
    app: App, read: Read, run: Callable[..., Any]
) -> None:
    """Documents stay, and refer to no project; rows of other projects are as they were."""
    client, staff = read("tblclients")[0]["userid"], read("tblstaff")[0]["staffid"]
    nested = {
        "project_members": [{"staff_id": staff}],
        "milestones": [{"name": "M", "due_date": "2026-08-01"}],
        "project_notes": [{"content": "n"}],
        "projectdiscussions": [{"subject": "s", "description": "d"}],
    }
    key = await created(app, "projects", {"name": "Gone", "clientid": client, **nested})
    task = await created(
        app, "tasks", {"name": "T", "rel_type": "project", "rel_id": key, "task_assigned": [{"staffid": staff}]}
    )
    discussion = read(f"tblprojectdiscussions WHERE project_id = {key}")[0]["id"]
    await sent(
        app,
        "POST",
        "projectdiscussioncomments",
        {"discussion_id": discussion, "discussion_type": "regular", "content": "c"},
        201,
    )
    documents = {table: read(f"tbl{table}")[0] for table in FREED}
    for table, row in documents.items():
        name = next(iter(row))
        run(f"UPDATE tbl{table} SET project_id = {key} WHERE {name} = {row[name]}")
    run(f"INSERT INTO tblpinned_projects (project_id, staff_id) VALUES ({key}, {staff})")
    others = {table: read(f"tbl{table} WHERE project_id <> {key}") for table in (*OWNED, *FREED)}

    answer = await app.client.delete(f"/api/v1/projects/{key}")

    assert answer.status_code == 204, answer.text
    assert not read(f"tblprojects WHERE id = {key}")
    for table in OWNED:
        assert not read(f"tbl{table} WHERE project_id = {key}"), table
        assert read(f"tbl{table} WHERE project_id <> {key}") == others[table], table
    assert not read(f"tbltasks WHERE id = {task}")
    assert not read(f"tbltask_assigned WHERE taskid = {task}")
    assert not read(f"tblprojectdiscussioncomments WHERE discussion_id = {discussion} AND discussion_type = 'regular'")
    for table, row in documents.items():
        name = next(iter(row))
        assert read(f"tbl{table} WHERE {name} = {row[name]}") == [{**row, "project_id": FREED[table]}], table
        elsewhere = [one for one in read(f"tbl{table} WHERE project_id <> {key}") if one[name] != row[name]]
        assert elsewhere == others[table], table
